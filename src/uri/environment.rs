//! The environment variables that stand for a URI: that of Flux, and those that
//! containers are configured with.

#![forbid(unsafe_code)]

use std::os::unix::ffi::OsStringExt;

use crate::encode::dialect::Dialect;
use crate::send::endpoint::Endpoint;
use crate::uri::{Uri, integer};

/// The dialect of a URI that names none: Flux's servers are brubeck.
pub fn default_dialect(has_flux: bool) -> Dialect {
    if has_flux { Dialect::Brubeck } else { Dialect::Statsd }
}

/// The URI of the environment, if it names an endpoint: with a Flux handle only
/// that of the first variable, and in a set-user-ID program none. The error
/// names the variable.
pub fn uri(has_flux: bool) -> Option<Result<Uri, String>> {
    if crate::sys::is_privileged() {
        return None;
    }
    from_variables(has_flux, |name| std::env::var_os(name).map(OsStringExt::into_vec))
}

/// The pod that the process runs in, as Kubernetes' configuration tells it for
/// the Datadog agent.
pub fn entity() -> Option<Vec<u8>> {
    let entity = std::env::var_os("DD_ENTITY_ID").filter(|_| !crate::sys::is_privileged());
    entity.map(OsStringExt::into_vec)
}

fn from_variables(
    has_flux: bool,
    get: impl Fn(&str) -> Option<Vec<u8>>,
) -> Option<Result<Uri, String>> {
    let told = |uri: Result<Uri, String>, source: &'static str| {
        let uri = uri.map_err(|reason| format!("{source}{reason}"));
        Some(uri.map(|mut uri| {
            uri.settings.source = source;
            uri
        }))
    };
    if let Some(text) = get(Uri::VARIABLE) {
        return told(
            Uri::parse_for(&text, default_dialect(has_flux)),
            "FLUX_FRIPP_STATSD parse error: ",
        );
    }
    if has_flux {
        return None;
    }
    // these are often set and empty
    let get = |name| get(name).filter(|value| !value.trim_ascii().is_empty());
    if let Some(text) = get("DD_DOGSTATSD_URL") {
        let uri = Uri::parse_for(&text, Dialect::Dogstatsd);
        return told(uri, "DD_DOGSTATSD_URL parse error: ");
    }
    let host_port = |host: &[u8], port: Option<Vec<u8>>, dialect| {
        let port = port.as_deref().unwrap_or(b"8125").trim_ascii();
        let number = integer(port).and_then(|port| i32::try_from(port).ok()).unwrap_or(0);
        let endpoint = Endpoint::from_host_port(host.trim_ascii(), number);
        endpoint.map(|endpoint| Uri::to(endpoint, dialect))
    };
    if let Some(host) = get("DD_AGENT_HOST") {
        let uri = host_port(&host, get("DD_DOGSTATSD_PORT"), Dialect::Dogstatsd);
        return told(uri, "DD_AGENT_HOST parse error: ");
    }
    let host = get("STATSD_HOST")?;
    let uri = host_port(&host, get("STATSD_PORT"), Dialect::Statsd);
    told(uri, "STATSD_HOST parse error: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_in_order() {
        let all = [
            ("FLUX_FRIPP_STATSD", "h1:1"),
            ("DD_DOGSTATSD_URL", " udp://h2:2 "),
            ("DD_AGENT_HOST", "h3"),
            ("DD_DOGSTATSD_PORT", "3"),
            ("STATSD_HOST", "h4"),
            ("STATSD_PORT", "4"),
        ];
        let read = |set: &[(&str, &str)], has_flux| {
            let get = |name: &str| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| value.as_bytes().to_vec())
            };
            let uri = from_variables(has_flux, get)?;
            Some(uri.map(|uri| (uri.endpoint.to_string(), uri.settings.dialect)))
        };
        for (from, endpoint, dialect) in [
            (0, "h1:1", Dialect::Statsd),
            (1, "h2:2", Dialect::Dogstatsd),
            (2, "h3:3", Dialect::Dogstatsd),
            (4, "h4:4", Dialect::Statsd),
        ] {
            let told = read(&all[from..], false).unwrap().unwrap();
            assert_eq!(told, (endpoint.to_owned(), dialect));
        }
        let with_flux = read(&all, true).unwrap().unwrap();
        assert_eq!(with_flux, ("h1:1".to_owned(), Dialect::Brubeck));
        assert_eq!(read(&all[1..], true), None);
        assert_eq!(read(&[("STATSD_HOST", "")], false), None);
        let told = read(&[("STATSD_HOST", "h")], false).unwrap().unwrap();
        assert_eq!(told.0, "h:8125");
        let wrong = read(&[("DD_AGENT_HOST", "h"), ("DD_DOGSTATSD_PORT", "x")], false);
        let told = wrong.unwrap().unwrap_err();
        assert_eq!(told, "DD_AGENT_HOST parse error: the port is 1 to 65535");
    }
}
