//! The URI of a context.

#![forbid(unsafe_code)]

use std::os::unix::ffi::OsStringExt;

use crate::endpoint::Endpoint;

/// What a URI says.
#[derive(Clone, Debug, PartialEq)]
pub struct Uri {
    /// Where to send.
    pub endpoint: Endpoint,
}

impl Uri {
    /// The environment variable that stands in for a NULL URI.
    pub const VARIABLE: &'static str = "FLUX_FRIPP_STATSD";
    /// Said of a name in it that does not resolve: Flux's own test reads it.
    pub const COMPLAINT: &'static str = "FLUX_FRIPP_STATSD parse error: ";

    /// Reads a URI. The error says what is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Uri, String> {
        if let Some(at) = memchr::memchr(b'?', text) {
            let key = &text[at + 1..];
            return Err(format!("unknown key '{}'", key.escape_ascii()));
        }
        match Endpoint::from_uri(text) {
            Some(endpoint) => Ok(Uri { endpoint }),
            None => Err(format!("'{}' is no end point", text.escape_ascii())),
        }
    }

    /// Reads the environment, where the variable is set.
    pub fn from_env() -> Option<Result<Uri, String>> {
        let value = std::env::var_os(Uri::VARIABLE)?;
        Some(Uri::parse(&value.into_vec()))
    }
}
