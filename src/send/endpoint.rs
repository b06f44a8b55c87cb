//! End points: where a context sends, as its creator named it.

#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// The longest UNIX path or abstract name: `sun_path` less its NUL (unix(7)).
const MAX_UNIX: usize = 107;
/// The longest host name in its text form (RFC 1035, 2.3.4).
const MAX_HOST: usize = 253;

/// An end point: a UDP host and port, or a UNIX datagram socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `host:port`
    Udp {
        /// The host, not looked up yet where it is a name.
        host: Host,
        /// 1 to 65535.
        port: u16,
    },
    /// `unix:/path`
    Path(PathBuf),
    /// `unix:@name`, without the `@`.
    Abstract(Vec<u8>),
}

/// A host: an address, or a name that a resolver has to look up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An IPv4 or IPv6 literal.
    Ip(IpAddr),
    /// Anything else.
    Name(String),
}

impl Endpoint {
    /// The end point of `fripp_ctx_create`: a literal, a name or
    /// `unix:/path` (or `unix:@name`), and a port that UNIX sockets ignore.
    pub fn from_host_port(host: &[u8], port: i32) -> Option<Endpoint> {
        if let Some(unix) = host.strip_prefix(b"unix:") {
            return Endpoint::unix(unix);
        }
        let port = u16::try_from(port).ok().filter(|port| *port != 0)?;
        let host = host.strip_prefix(b"[").and_then(|h| h.strip_suffix(b"]")).unwrap_or(host);
        Some(Endpoint::Udp { host: Host::parse(host)?, port })
    }

    /// The end point of a URI, without its query: `host:port`, `[v6]:port`,
    /// `udp://…`, `unix:///path`, `unix:@name`.
    pub fn from_uri(text: &[u8]) -> Option<Endpoint> {
        if let Some(unix) = text.strip_prefix(b"unix:") {
            return Endpoint::unix(unix.strip_prefix(b"//").unwrap_or(unix));
        }
        let text = text.strip_prefix(b"udp://").unwrap_or(text);
        let colon = text.iter().rposition(|b| *b == b':')?;
        let (host, port) = (&text[..colon], &text[colon + 1..]);
        let host = match host.strip_prefix(b"[") {
            Some(v6) => Host::Ip(std::str::from_utf8(v6.strip_suffix(b"]")?).ok()?.parse().ok()?),
            None if host.contains(&b':') => return None,
            None => Host::parse(host)?,
        };
        Some(Endpoint::Udp { host, port: parse_port(port)? })
    }

    fn unix(name: &[u8]) -> Option<Endpoint> {
        if name.contains(&0) {
            return None;
        }
        match name {
            [b'/', ..] if name.len() <= MAX_UNIX => {
                Some(Endpoint::Path(PathBuf::from(OsStr::from_bytes(name))))
            }
            [b'@', name @ ..] if !name.is_empty() && name.len() < MAX_UNIX => {
                Some(Endpoint::Abstract(name.to_vec()))
            }
            _ => None,
        }
    }
}

impl Host {
    fn parse(host: &[u8]) -> Option<Host> {
        let host = std::str::from_utf8(host).ok()?;
        if let Ok(ip) = host.parse() {
            return Some(Host::Ip(ip));
        }
        // '%' and ':' are those of a scoped IPv6 address, `fe80::1%eth0`
        let known = |b: u8| b.is_ascii_alphanumeric() || b"-_.%:".contains(&b);
        let fits = !host.is_empty() && host.len() <= MAX_HOST;
        (fits && host.bytes().all(known)).then(|| Host::Name(host.to_owned()))
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Endpoint::Udp { host: Host::Ip(IpAddr::V6(ip)), port } => write!(f, "[{ip}]:{port}"),
            Endpoint::Udp { host: Host::Ip(ip), port } => write!(f, "{ip}:{port}"),
            Endpoint::Udp { host: Host::Name(name), port } => write!(f, "{name}:{port}"),
            Endpoint::Path(path) => write!(f, "unix:{}", path.display()),
            Endpoint::Abstract(name) => write!(f, "unix:@{}", name.escape_ascii()),
        }
    }
}

fn parse_port(text: &[u8]) -> Option<u16> {
    if text.is_empty() || text.len() > 5 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(uri: &str) -> Option<String> {
        Endpoint::from_uri(uri.as_bytes()).map(|endpoint| endpoint.to_string())
    }

    #[test]
    fn uris() {
        for (uri, want) in [
            ("127.0.0.1:8125", Some("127.0.0.1:8125")),
            ("udp://stats.example:1", Some("stats.example:1")),
            ("[::1]:65535", Some("[::1]:65535")),
            ("unix:///run/statsd.sock", Some("unix:/run/statsd.sock")),
            ("unix:@statsd", Some("unix:@statsd")),
            ("localhost", None),
            ("localhost:", None),
            ("localhost:0", None),
            ("localhost:70000", None),
            ("localhost:+25", None),
            ("localhost:81 25", None),
            ("::1:8125", None),
            ("[::1]", None),
            ("[localhost]:8125", None),
            (":8125", None),
            ("", None),
            ("unix:", None),
            ("unix:@", None),
            ("unix://relative", None),
            ("tcp://localhost:8125", None),
            ("a b:8125", None),
        ] {
            assert_eq!(shown(uri).as_deref(), want, "{uri}");
        }
    }

    #[test]
    fn unix_path_of_108_bytes_is_refused() {
        let path = format!("unix:/{}", "p".repeat(106));
        assert!(shown(&path).is_some());
        assert!(shown(&format!("{path}p")).is_none());
    }

    #[test]
    fn port_70000_is_not_4464() {
        assert_eq!(Endpoint::from_host_port(b"127.0.0.1", 70000), None);
        assert_eq!(Endpoint::from_host_port(b"127.0.0.1", 0), None);
        assert_eq!(Endpoint::from_host_port(b"127.0.0.1", -1), None);
        assert_eq!(Endpoint::from_host_port(b"", 8125), None);
        assert!(Endpoint::from_host_port(b"::1", 65535).is_some());
        assert!(Endpoint::from_host_port(b"unix:/run/x", -1).is_some());
    }
}
