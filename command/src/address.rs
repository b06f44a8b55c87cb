//! Where to receive, as the user names it: an endpoint of the library's, or
//! one with port 0, and settings for who sends.

use fripp::send::endpoint::Endpoint;
use fripp::uri::Uri;

use crate::dialect::{self, Dialect};

#[derive(Debug, PartialEq)]
pub struct Address {
    pub endpoint: Endpoint,
    /// The port is the system's to choose.
    pub any_port: bool,
    /// What follows the '?', for a COMMAND.
    pub query: Option<String>,
    /// The dialect that it names.
    pub dialect: Option<Dialect>,
}

impl Address {
    pub const DEFAULT: &'static str = "127.0.0.1:8125";
    pub const ANY_PORT: &'static str = "127.0.0.1:0";

    pub fn parse(text: &str) -> Result<Address, String> {
        let (place, query) = match text.split_once('?') {
            Some((place, query)) => (place, Some(query)),
            None => (text, None),
        };
        let place = &whole(place)?;
        // the library sends to no port 0, so that it knows none
        let any_port = !place.starts_with("unix:") && place.ends_with(":0");
        let known = if any_port { format!("{place}1") } else { place.to_owned() };
        let uri = match query {
            Some(query) => Uri::parse(format!("{known}?{query}").as_bytes()),
            None => Uri::parse(known.as_bytes()),
        };
        let uri = uri.map_err(|wrong| match Uri::parse(known.as_bytes()) {
            Ok(_) => format!("the address '{text}': {wrong}"),
            Err(_) => format!(
                "'{text}' is no address: say host:port, :port, port, [v6]:port, unix:/path or unix:@name"
            ),
        })?;
        let names = |key: &str| query.is_some_and(|q| q.split('&').any(|s| s.starts_with(key)));
        let dialect = names("dialect=").then_some(uri.settings.dialect);
        Ok(Address { endpoint: uri.endpoint, any_port, query: query.map(str::to_owned), dialect })
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

/// The place with what may be left out: the host, which is this one then, and
/// the folder of a relative path. A COMMAND may change its folder.
fn whole(place: &str) -> Result<String, String> {
    let port = place.strip_prefix(':').unwrap_or(place);
    if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(format!("127.0.0.1:{port}"));
    }
    match place.strip_prefix("unix:") {
        Some(path) if !path.is_empty() && !path.starts_with(['/', '@']) => {
            let path = std::path::absolute(path).map_err(|wrong| format!("{place}: {wrong}"))?;
            Ok(format!("unix:{}", path.display()))
        }
        _ => Ok(place.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, endpoint, any_port) in [
            ("127.0.0.1:8125", "127.0.0.1:8125", false),
            ("udp://[::1]:0", "[::1]:1", true),
            ("localhost:0?period=0", "localhost:1", true),
            ("unix:/tmp/x:0", "unix:/tmp/x:0", false),
            ("unix:@x", "unix:@x", false),
            ("8125", "127.0.0.1:8125", false),
            (":8126?period=0", "127.0.0.1:8126", false),
            ("0", "127.0.0.1:1", true),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.any_port, any_port, "{text}");
            let shown = address.endpoint.to_string().replace(":01", ":1");
            assert_eq!(shown, endpoint, "{text}");
        }
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
        assert!(wrong("h:1?color=red").contains("unknown key 'color' (one of: dialect"));
    }
}
