//! The URI of a context: an endpoint, then settings as `?key=value&…`.

#![forbid(unsafe_code)]

pub mod environment;

use crate::encode::dialect::Dialect;
use crate::encode::packet::MTU_RANGE;
use crate::encode::settings::{MAX_SAMPLES_RANGE, SECOND, Settings};
use crate::error::{Error, quoted};
use crate::send::endpoint::Endpoint;

/// The longest URI, in bytes: more than one needs with every byte encoded.
const TOO_LONG: usize = 8192;

const KEYS: &str = "dialect, period, prefix, tags, mtu, refresh, max_metrics, \
                    max_samples, buffer, histogram, origin, telemetry";

/// A URI, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Uri {
    /// Where to send.
    pub endpoint: Endpoint,
    /// The settings, except the prefix.
    pub settings: Settings,
    /// The prefix with its tokens, if there is one.
    pub prefix: Option<Vec<u8>>,
    /// Lines are to say which container they come from.
    pub tells_origin: bool,
    /// The context's counts are sent, too.
    pub telemetry: bool,
}

impl Uri {
    /// The environment variable that stands for a NULL URI.
    pub const VARIABLE: &'static str = "FLUX_FRIPP_STATSD";

    /// Reads a URI, whose dialect is brubeck if it names none. The error is the
    /// reason.
    pub fn parse(text: &[u8]) -> Result<Uri, String> {
        Uri::parse_for(text, Settings::default().dialect)
    }

    /// The same, with `dialect` if the URI names none.
    pub fn parse_for(text: &[u8], dialect: Dialect) -> Result<Uri, String> {
        if text.len() > TOO_LONG {
            return Err(format!("the URI has {} bytes, of {TOO_LONG} at most", text.len()));
        }
        let text = text.trim_ascii();
        let (endpoint, query) = match text.iter().position(|b| *b == b'?') {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let endpoint = Endpoint::from_uri(&decode(endpoint)?)?;
        let mut uri = Uri::to(endpoint, dialect);
        let mut tags = None;
        for pair in query.into_iter().flat_map(|query| query.split(|b| *b == b'&')) {
            let equals = pair.iter().position(|b| *b == b'=');
            let equals = equals.ok_or_else(|| format!("{} is not key=value", quoted(pair)))?;
            let value = decode(&pair[equals + 1..])?;
            if &pair[..equals] == b"tags" {
                tags = Some(value);
            } else {
                uri.set(&pair[..equals], value)?;
            }
        }
        // the dialect decides whether there are tags or distributions, and it
        // may come after them
        let Settings { dialect, distributions, .. } = uri.settings;
        if distributions && !dialect.form().distributions {
            return Err(format!("dialect {} has no distributions", dialect.form().name));
        }
        if uri.tells_origin && !dialect.form().origins {
            return Err(format!("dialect {} has no origin", dialect.form().name));
        }
        if let Some(tags) = tags {
            uri.settings.set_tags(&tags).map_err(Error::reason)?;
        }
        Ok(uri)
    }

    fn to(endpoint: Endpoint, dialect: Dialect) -> Uri {
        Uri {
            endpoint,
            settings: Settings { dialect, ..Settings::default() },
            prefix: None,
            tells_origin: false,
            telemetry: false,
        }
    }

    fn set(&mut self, key: &[u8], value: Vec<u8>) -> Result<(), String> {
        let settings = &mut self.settings;
        let shown = quoted(&value);
        match key {
            b"dialect" => {
                settings.dialect = Dialect::from_name(&value).ok_or_else(|| {
                    let names: Vec<&str> = Dialect::names().collect();
                    format!("unknown dialect {shown} (one of: {})", names.join(", "))
                })?;
            }
            b"period" => {
                let seconds =
                    decimal(&value).filter(|seconds| settings.set_period(*seconds).is_ok());
                seconds.ok_or_else(|| {
                    format!("the period is 0, or 0.01 to 86400 seconds, not {shown}")
                })?;
            }
            b"prefix" => {
                crate::encode::name::prefix(&value, 0).map_err(Error::reason)?;
                self.prefix = Some(value);
            }
            b"mtu" => {
                let mtu = integer(&value).filter(|mtu| MTU_RANGE.contains(mtu));
                settings.mtu_is_given = true;
                settings.mtu =
                    mtu.ok_or_else(|| format!("the mtu is 512 to 65507 bytes, not {shown}"))?;
            }
            b"refresh" => {
                let seconds = decimal(&value).filter(|seconds| *seconds <= 86_400.0);
                let seconds = seconds
                    .ok_or_else(|| format!("the refresh is 0 to 86400 seconds, not {shown}"))?;
                settings.refresh = (seconds * SECOND as f64) as u64;
            }
            b"max_metrics" => {
                settings.max_metrics = integer(&value)
                    .ok_or_else(|| format!("max_metrics is a whole number, not {shown}"))?;
            }
            b"max_samples" => {
                let max = integer(&value).filter(|max| MAX_SAMPLES_RANGE.contains(max));
                settings.max_samples =
                    max.ok_or_else(|| format!("max_samples is 1 to 1000000, not {shown}"))?;
            }
            b"buffer" => {
                settings.buffer = integer(&value)
                    .ok_or_else(|| format!("the buffer is a number of bytes, not {shown}"))?;
            }
            b"histogram" => {
                settings.distributions = match &value[..] {
                    b"h" => false,
                    b"d" => true,
                    _ => return Err(format!("histogram is h or d, not {shown}")),
                }
            }
            b"origin" => {
                self.tells_origin = match &value[..] {
                    b"auto" => true,
                    b"none" => false,
                    _ => return Err(format!("origin is auto or none, not {shown}")),
                }
            }
            b"telemetry" => {
                self.telemetry = match &value[..] {
                    b"0" => false,
                    b"1" => true,
                    _ => return Err(format!("telemetry is 0 or 1, not {shown}")),
                }
            }
            _ => return Err(format!("unknown key {} (one of: {KEYS})", quoted(key))),
        }
        Ok(())
    }
}

fn integer(text: &[u8]) -> Option<usize> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

/// A number of seconds: digits, with or without a dot and more digits. Those
/// below a nanosecond are ignored.
fn decimal(text: &[u8]) -> Option<f64> {
    let dot = text.iter().position(|b| *b == b'.').unwrap_or(text.len());
    let whole = integer(&text[..dot])?;
    let mut fraction = 0;
    if dot < text.len() {
        let digits = &text[dot + 1..];
        integer(&digits[..digits.len().min(9)])?;
        let nine = digits.iter().chain(std::iter::repeat(&b'0')).take(9);
        fraction = nine.fold(0, |n, b| n * 10 + u64::from(b - b'0'));
        digits.iter().all(u8::is_ascii_digit).then_some(())?;
    }
    Some(whole as f64 + fraction as f64 / SECOND as f64)
}

/// Percent-decoding (RFC 3986, 2.1). A NUL byte is an error.
fn decode(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    let digit = |b: u8| char::from(b).to_digit(16);
    while let Some((b, tail)) = rest.split_first() {
        rest = tail;
        if *b != b'%' {
            out.push(*b);
            continue;
        }
        let byte = rest.split_at_checked(2).and_then(|(hex, tail)| {
            rest = tail;
            Some((digit(hex[0])? * 16 + digit(hex[1])?) as u8)
        });
        let byte = byte
            .ok_or_else(|| format!("{} has a '%' without two hexadecimal digits", quoted(text)))?;
        out.push(byte);
    }
    if out.contains(&0) { Err(format!("{} holds a NUL byte", quoted(text))) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_any_order() {
        let keys = [
            "dialect=dogstatsd",
            "period=0.25",
            "prefix=a%2eb",
            "tags=k:v,l:%77",
            "mtu=512",
            "refresh=0",
            "max_metrics=5",
            "max_samples=7",
            "buffer=4096",
            "histogram=d",
            "origin=auto",
            "telemetry=1",
        ];
        let mut all = Vec::new();
        for turn in 0..keys.len() {
            let mut keys = keys;
            keys.rotate_left(turn);
            for query in [keys.join("&"), keys.iter().rev().copied().collect::<Vec<_>>().join("&")]
            {
                all.push(Uri::parse(format!("[::1]:8125?{query}").as_bytes()).unwrap());
            }
        }
        assert!(all.iter().all(|uri| *uri == all[0]));
        let Uri { settings, prefix, tells_origin, telemetry, .. } = &all[0];
        assert_eq!((settings.period, settings.refresh), (SECOND / 4, 0));
        assert_eq!((settings.mtu, settings.max_metrics, settings.buffer), (512, 5, 4096));
        assert_eq!(settings.max_samples, 7);
        assert!(settings.distributions && *tells_origin && *telemetry);
        assert_eq!((&settings.tags[..], prefix.as_deref()), (&b"k:v,l:w"[..], Some(&b"a.b"[..])));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for bad in [
            "?",
            "?period",
            "?period=",
            "?period=-1",
            "?period=nan",
            "?period=inf",
            "?period=1e3",
            "?period=0.001",
            "?period=86401",
            "?dialect=graphana",
            "?dialect=",
            "?dialect=brubeck2",
            "?histogram=",
            "?histogram=ms&dialect=statsd",
            "?histogram=d&dialect=statsd",
            "?dialect=gostatsd&histogram=d",
            "?origin=",
            "?origin=auto&dialect=vector",
            "?mtu=511",
            "?mtu=65508",
            "?mtu=+600",
            "?max_metrics=-1",
            "?max_samples=0",
            "?max_samples=1000001",
            "?buffer=1k",
            "?tags=k:v",
            "?dialect=telegraf&tags=k",
            "?dialect=dogstatsd&tags=k:",
            "?prefix=%4",
            "?prefix=%zz",
            "?prefix=%00",
            "?color=red",
            "?period=1&",
        ] {
            let uri = format!("localhost:8125{bad}");
            let told = Uri::parse(uri.as_bytes());
            assert!(told.is_err(), "{uri}");
        }
        let long = format!("localhost:8125?prefix={}", "p".repeat(128));
        assert!(Uri::parse(long.as_bytes()).is_err());
    }

    #[test]
    fn cut_at_every_byte() {
        let whole = b"udp://localhost:8125?period=0.5&prefix=%61";
        for end in 0..=whole.len() {
            let complete = matches!(
                &whole[..end],
                b"udp://localhost:8"
                    | b"udp://localhost:81"
                    | b"udp://localhost:812"
                    | b"udp://localhost:8125"
            ) || matches!(
                whole[..end].strip_prefix(b"udp://localhost:8125?period="),
                Some(b"0" | b"0.5" | b"0.5&prefix=" | b"0.5&prefix=%61")
            );
            let parsed = Uri::parse(&whole[..end]);
            assert_eq!(parsed.is_ok(), complete, "{}", whole[..end].escape_ascii());
        }
    }
}
