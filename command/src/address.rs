//! Where to receive, as the user names it: an endpoint of the library's, or
//! one with port 0, with settings for who sends; or a file of lines.

use std::fmt;
use std::path::{Path, PathBuf};

use fripp::send::endpoint::Endpoint;
use fripp::uri::Uri;

use crate::dialect::{self, Dialect};

const FORMS: &str = "host:port, :port, port, [v6]:port or unix:path, tcp:// or unixstream: with \
                     these, a FILE or '-'";

#[derive(Debug, PartialEq)]
pub enum Place {
    Socket(Endpoint),
    /// Lines of a file.
    File(PathBuf),
    /// Lines of standard input.
    Stdin,
}

#[derive(Debug, PartialEq)]
pub struct Address {
    /// Of a port that the system is to choose, the endpoint has port 0.
    pub place: Place,
    /// What follows the '?', for a COMMAND.
    pub query: Option<String>,
    /// The dialect that it names.
    pub dialect: Option<Dialect>,
}

impl Address {
    pub const DEFAULT: &'static str = "127.0.0.1:8125";
    pub const ANY_PORT: &'static str = "127.0.0.1:0";

    /// Reads an address. What is none is a file if there is one of that name,
    /// or if it has a '/'.
    pub fn parse(text: &str) -> Result<Address, String> {
        let of = |place| Ok(Address { place, query: None, dialect: None });
        if text == "-" {
            return of(Place::Stdin);
        }
        Address::socket(text).or_else(|wrong| {
            let has_scheme = ["unix:", "tcp:", "unixstream:", "udp:"]
                .iter()
                .any(|scheme| text.starts_with(scheme));
            match Path::new(text) {
                path if !has_scheme && (text.contains('/') || path.exists()) => {
                    of(Place::File(path.to_owned()))
                }
                _ => Err(wrong),
            }
        })
    }

    fn socket(text: &str) -> Result<Address, String> {
        let (place, query) = match text.split_once('?') {
            Some((place, query)) => (place, Some(query)),
            None => (text, None),
        };
        let place = &whole(place)?;
        // the library sends to no port 0, so that it knows none
        let any_port = !place.starts_with("unix") && place.ends_with(":0");
        let known = if any_port { format!("{place}1") } else { place.to_owned() };
        let uri = match query {
            Some(query) => Uri::parse(format!("{known}?{query}").as_bytes()),
            None => Uri::parse(known.as_bytes()),
        };
        let uri = uri.map_err(|wrong| match Uri::parse(known.as_bytes()) {
            Ok(_) => format!("the address '{text}': {wrong}"),
            Err(_) => format!("'{text}' is no address: say {FORMS}"),
        })?;
        let endpoint = match uri.endpoint {
            Endpoint::Udp { host, .. } if any_port => Endpoint::Udp { host, port: 0 },
            Endpoint::Tcp { host, .. } if any_port => Endpoint::Tcp { host, port: 0 },
            endpoint => endpoint,
        };
        let names = |key: &str| query.is_some_and(|q| q.split('&').any(|s| s.starts_with(key)));
        let dialect = names("dialect=").then_some(uri.settings.dialect);
        let place = Place::Socket(endpoint);
        Ok(Address { place, query: query.map(str::to_owned), dialect })
    }

    /// Adds a dialect to the settings, which may not name another one.
    pub fn set_dialect(&mut self, dialect: Dialect) -> Result<(), String> {
        match self.dialect.replace(dialect) {
            Some(named) if named == dialect => return Ok(()),
            Some(named) => {
                let (option, named) = (dialect::name(dialect), dialect::name(named));
                return Err(format!("--dialect {option}, but the address has dialect={named}"));
            }
            None => {}
        }
        let setting = format!("dialect={}", dialect::name(dialect));
        self.query = Some(match self.query.take() {
            Some(query) if !query.is_empty() => format!("{query}&{setting}"),
            _ => setting,
        });
        Ok(())
    }
}

/// As the library reads it, which sends there.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Socket(endpoint) => endpoint.fmt(f),
            Place::File(path) => path.display().fmt(f),
            Place::Stdin => f.write_str("standard input"),
        }
    }
}

/// The place with what may be left out: the host, which is this one then, and
/// the folder of a relative path. A COMMAND may change its folder.
fn whole(place: &str) -> Result<String, String> {
    let (scheme, rest) = match place.strip_prefix("tcp:") {
        Some(rest) => ("tcp://", rest.strip_prefix("//").unwrap_or(rest)),
        None => ("", place),
    };
    let port = rest.strip_prefix(':').unwrap_or(rest);
    if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(format!("{scheme}127.0.0.1:{port}"));
    }
    for scheme in ["unix:", "unixstream:"] {
        match place.strip_prefix(scheme) {
            Some(path) if !path.is_empty() && !path.starts_with(['/', '@']) => {
                let path =
                    std::path::absolute(path).map_err(|wrong| format!("{place}: {wrong}"))?;
                return Ok(format!("{scheme}{}", path.display()));
            }
            _ => {}
        }
    }
    Ok(format!("{scheme}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, place) in [
            ("127.0.0.1:8125", "127.0.0.1:8125"),
            ("udp://[::1]:0", "[::1]:0"),
            ("localhost:0?period=0", "localhost:0"),
            ("unix:/tmp/x:0", "unix:/tmp/x:0"),
            ("unix:@x", "unix:@x"),
            ("8125", "127.0.0.1:8125"),
            (":8126?period=0", "127.0.0.1:8126"),
            ("0", "127.0.0.1:0"),
            ("tcp://[::1]:8125?period=0", "tcp://[::1]:8125"),
            ("tcp://:8125", "tcp://127.0.0.1:8125"),
            ("tcp:0", "tcp://127.0.0.1:0"),
            ("unixstream:///tmp/x", "unixstream:/tmp/x"),
            ("unixstream:@x", "unixstream:@x"),
            ("-", "standard input"),
            ("/no/such/file", "/no/such/file"),
            ("./8125", "./8125"),
            ("Cargo.toml", "Cargo.toml"),
        ] {
            assert_eq!(Address::parse(text).unwrap().place.to_string(), place, "{text}");
        }
        let relative = Address::parse("unixstream:x").unwrap().place.to_string();
        let folder = std::env::current_dir().unwrap();
        assert_eq!(relative, format!("unixstream:{}", folder.join("x").display()));
        assert_eq!(
            Address::parse("h:1?period=0&mtu=512").unwrap().query.unwrap(),
            "period=0&mtu=512"
        );
    }

    #[test]
    fn dialects() {
        let mut address = Address::parse("h:1?mtu=512").unwrap();
        assert_eq!(address.dialect, None);
        address.set_dialect(Dialect::Statsd).unwrap();
        assert_eq!(address.query.as_deref(), Some("mtu=512&dialect=statsd"));
        let mut address = Address::parse("h:1?dialect=dogstatsd").unwrap();
        assert_eq!(address.dialect, Some(Dialect::Dogstatsd));
        address.set_dialect(Dialect::Dogstatsd).unwrap();
        assert_eq!(
            address.set_dialect(Dialect::Statsd).unwrap_err(),
            "--dialect statsd, but the address has dialect=dogstatsd"
        );
    }

    #[test]
    fn what_is_wrong() {
        let wrong = |text| Address::parse(text).unwrap_err();
        assert!(wrong(":").contains("':' is no address"));
        assert!(wrong("70000").contains("'70000' is no address"));
        assert!(wrong("unix:").contains("'unix:' is no address"));
        assert!(wrong("localhost").contains("'localhost' is no address: say host:port"));
        assert!(wrong("localhost:70000").contains("no address"));
        assert!(wrong("tcp://a/b").contains("'tcp://a/b' is no address"));
        assert!(wrong("unixstream:").contains("'unixstream:' is no address"));
        assert!(wrong("h:1?color=red").contains("unknown key 'color' (one of: dialect"));
    }
}
