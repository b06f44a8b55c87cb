//! Endpoints: where a context sends.

#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::net::{IpAddr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::error::quoted;

/// The longest UNIX path or abstract name: `sun_path` less its NUL (unix(7)).
const MAX_UNIX: usize = 107;
/// The longest host name in its text form (RFC 1035, 2.3.4).
const MAX_HOST: usize = 253;

const SCHEMES: &str = "udp, tcp, unix, unixgram, unixstream";

/// An endpoint: a host and port, or a UNIX socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `host:port`
    Udp {
        /// An address, or a name that is not looked up yet.
        host: Host,
        /// 1 to 65535.
        port: u16,
    },
    /// `unix:/path`
    Path(PathBuf),
    /// `unix:@name`, without the `@`.
    Abstract(Vec<u8>),
    /// `tcp://host:port`
    Tcp {
        /// An address, or a name that is not looked up yet.
        host: Host,
        /// 1 to 65535.
        port: u16,
    },
    /// `unixstream:/path`
    StreamPath(PathBuf),
    /// `unixstream:@name`, without the `@`.
    StreamAbstract(Vec<u8>),
}

/// A host: an address, or a name that needs a DNS lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An IPv4 or IPv6 literal.
    Ip(IpAddr),
    /// Anything else.
    Name(String),
}

impl Endpoint {
    /// The endpoint of `fripp_ctx_create`: an address, a name, `unix:/path` or
    /// `unix:@name`, and a port, which UNIX sockets do not have.
    /// The error is the reason.
    pub fn from_host_port(host: &[u8], port: i32) -> Result<Endpoint, String> {
        if let Some(unix) = unix_name(host) {
            return Endpoint::unix(unix, false);
        }
        let port = u16::try_from(port).ok().filter(|port| *port != 0);
        let port = port.ok_or_else(|| "the port is 1 to 65535".to_owned())?;
        let inner = host.strip_prefix(b"[").and_then(|h| h.strip_suffix(b"]")).unwrap_or(host);
        Ok(Endpoint::Udp { host: Host::parse(inner)?, port })
    }

    /// The endpoint of a URI, without its query: `host:port`, `[v6]:port`,
    /// `udp://…`, `tcp://…`, `unix:///path`, `unixstream:///path`, or `@name` in
    /// place of the path. The error is the reason.
    pub fn from_uri(text: &[u8]) -> Result<Endpoint, String> {
        let stream = text.strip_prefix(b"unixstream:");
        if let Some(unix) = stream.or_else(|| unix_name(text)) {
            return Endpoint::unix(unix.strip_prefix(b"//").unwrap_or(unix), stream.is_some());
        }
        let shown = quoted(text);
        let tcp = text.strip_prefix(b"tcp://");
        let place = tcp.or_else(|| text.strip_prefix(b"udp://")).unwrap_or(text);
        if let Some(at) = place.windows(3).position(|three| three == b"://") {
            let scheme = quoted(&place[..at]);
            return Err(format!("unknown scheme {scheme} (one of: {SCHEMES})"));
        }
        let (host, port) = match place.strip_prefix(b"[") {
            Some(rest) => {
                let end = rest.iter().position(|b| *b == b']');
                let end = end.ok_or_else(|| format!("no ']' in {shown}"))?;
                let host = Host::parse_v6(&rest[..end])?;
                (host, rest[end + 1..].strip_prefix(b":"))
            }
            None => {
                let mut parts = place.splitn(2, |b| *b == b':');
                let (host, port) = (parts.next().unwrap_or_default(), parts.next());
                if port.is_some_and(|port| port.contains(&b':')) {
                    return Err(format!(
                        "{shown}: an IPv6 address needs brackets, as in [::1]:8125"
                    ));
                }
                if port.is_some() && host.is_empty() {
                    return Err(format!("no host in {shown}"));
                }
                let host = if port.is_some() { Host::parse(host)? } else { Host::NONE };
                (host, port)
            }
        };
        let port = port.filter(|port| !port.is_empty());
        let port = port.ok_or_else(|| format!("no port in {shown}"))?;
        let number = parse_port(port);
        let number = number.ok_or_else(|| format!("port {} is not 1 to 65535", quoted(port)))?;
        Ok(match tcp {
            Some(_) => Endpoint::Tcp { host, port: number },
            None => Endpoint::Udp { host, port: number },
        })
    }

    /// Whether it is a stream, and not datagrams.
    pub fn is_stream(&self) -> bool {
        match self {
            Endpoint::Udp { .. } | Endpoint::Path(_) | Endpoint::Abstract(_) => false,
            Endpoint::Tcp { .. } | Endpoint::StreamPath(_) | Endpoint::StreamAbstract(_) => true,
        }
    }

    fn unix(name: &[u8], stream: bool) -> Result<Endpoint, String> {
        let shown = quoted(name);
        if name.contains(&0) {
            return Err(format!("the UNIX socket {shown} holds a NUL byte"));
        }
        if name.len() > MAX_UNIX {
            let len = name.len();
            return Err(format!("the UNIX socket {shown} has {len} bytes, of {MAX_UNIX} at most"));
        }
        let path = || PathBuf::from(OsStr::from_bytes(name));
        match name {
            [b'/', ..] if stream => Ok(Endpoint::StreamPath(path())),
            [b'/', ..] => Ok(Endpoint::Path(path())),
            [b'@', name @ ..] if stream && !name.is_empty() => {
                Ok(Endpoint::StreamAbstract(name.to_vec()))
            }
            [b'@', name @ ..] if !name.is_empty() => Ok(Endpoint::Abstract(name.to_vec())),
            _ => Err(format!("the UNIX socket {shown} is neither /path nor @name")),
        }
    }
}

/// What follows the scheme of a UNIX datagram socket.
fn unix_name(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"unix:").or_else(|| text.strip_prefix(b"unixgram:"))
}

impl Host {
    const NONE: Host = Host::Name(String::new());

    fn parse(host: &[u8]) -> Result<Host, String> {
        let shown = quoted(host);
        if host.is_empty() {
            return Err("the host is empty".to_owned());
        }
        if host.len() > MAX_HOST {
            let len = host.len();
            return Err(format!("the host {shown} has {len} bytes, of {MAX_HOST} at most"));
        }
        let text = std::str::from_utf8(host).ok().filter(|_| !host.contains(&0));
        if let Some(ip) = text.and_then(|text| text.parse().ok()) {
            return Ok(Host::Ip(ip));
        }
        if let Some(zoned) = text.filter(|text| is_zoned(text)) {
            return Ok(Host::Name(zoned.to_owned()));
        }
        if host.contains(&b':') {
            return Err(format!("the host {shown} holds a ':'; the port is given by itself"));
        }
        let known = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        match text.filter(|text| text.bytes().all(known)) {
            Some(name) => Ok(Host::Name(name.to_owned())),
            None => Err(format!("{shown} is not a host name or an address")),
        }
    }

    fn parse_v6(text: &[u8]) -> Result<Host, String> {
        let host = std::str::from_utf8(text).ok();
        if let Some(ip) = host.and_then(|host| host.parse().ok()) {
            return Ok(Host::Ip(IpAddr::V6(ip)));
        }
        let zoned = host.filter(|host| is_zoned(host));
        zoned
            .map(|host| Host::Name(host.to_owned()))
            .ok_or_else(|| format!("{} is not an IPv6 address", quoted(text)))
    }
}

/// Whether it is an IPv6 address with a zone, `fe80::1%eth0`. Resolvers know
/// the interface's number.
fn is_zoned(host: &str) -> bool {
    let Some((address, zone)) = host.split_once('%') else { return false };
    let known = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    address.parse::<Ipv6Addr>().is_ok() && !zone.is_empty() && zone.bytes().all(known)
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Endpoint::Udp { host, port } => write!(f, "{host}:{port}"),
            Endpoint::Path(path) => write!(f, "unix:{}", path.display()),
            Endpoint::Abstract(name) => write!(f, "unix:@{}", name.escape_ascii()),
            Endpoint::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Endpoint::StreamPath(path) => write!(f, "unixstream:{}", path.display()),
            Endpoint::StreamAbstract(name) => {
                write!(f, "unixstream:@{}", name.escape_ascii())
            }
        }
    }
}

impl std::fmt::Display for Host {
    /// As it is written before a port.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Host::Ip(ip) => ip.fmt(f),
            Host::Name(name) if name.contains(':') => write!(f, "[{name}]"),
            Host::Name(name) => f.write_str(name),
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
        Endpoint::from_uri(uri.as_bytes()).ok().map(|endpoint| endpoint.to_string())
    }

    #[test]
    fn uris() {
        for (uri, want) in [
            ("127.0.0.1:8125", Some("127.0.0.1:8125")),
            ("udp://stats.example:1", Some("stats.example:1")),
            ("[::1]:65535", Some("[::1]:65535")),
            ("unix:///run/statsd.sock", Some("unix:/run/statsd.sock")),
            ("unix:@statsd", Some("unix:@statsd")),
            ("unixgram:///run/statsd.sock", Some("unix:/run/statsd.sock")),
            ("[fe80::1%eth0]:8125", Some("[fe80::1%eth0]:8125")),
            ("[fe80::1%]:8125", None),
            ("a%b:8125", None),
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
            ("tcp://localhost:8125", Some("tcp://localhost:8125")),
            ("tcp://[::1]:8125", Some("tcp://[::1]:8125")),
            ("unixstream:///run/statsd.sock", Some("unixstream:/run/statsd.sock")),
            ("unixstream:@statsd", Some("unixstream:@statsd")),
            ("tcp://localhost", None),
            ("tcp://udp://localhost:8125", None),
            ("unixstream:", None),
            ("unixstream:@", None),
            ("http://localhost:8125", None),
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
        for (host, port) in [("127.0.0.1", 70000), ("127.0.0.1", 0), ("127.0.0.1", -1), ("", 8125)]
        {
            assert!(Endpoint::from_host_port(host.as_bytes(), port).is_err(), "{host} {port}");
        }
        assert!(Endpoint::from_host_port(b"::1", 65535).is_ok());
        assert!(Endpoint::from_host_port(b"fe80::1%eth0", 65535).is_ok());
        assert!(Endpoint::from_host_port(b"unix:/run/x", -1).is_ok());
    }

    #[test]
    fn a_host_with_a_port_is_not_a_name() {
        let told = Endpoint::from_host_port(b"127.0.0.1:8125", 8125).unwrap_err();
        assert_eq!(told, "the host '127.0.0.1:8125' holds a ':'; the port is given by itself");
    }
}
