//! URIs. Any bytes: what is read is within the bounds, and is read the same
//! with every byte percent-encoded. Made of settings, in any order and with
//! any bytes encoded: read as these settings, and refused where a value is invalid.

#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use fripp::encode::dialect::Dialect;
use fripp::encode::settings::{SECOND, Settings};
use fripp::send::endpoint::{Endpoint, Host};
use fripp::uri::Uri;
use fripp_fuzz::{percent_decoded, percent_encoded};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Raw(&'a [u8]),
    Made(Made<'a>),
}

#[derive(Arbitrary, Debug)]
struct Made<'a> {
    place: Place,
    /// Which bytes are encoded, in turn.
    encoded: u32,
    keys: Vec<Key<'a>>,
}

#[derive(Arbitrary, Debug)]
enum Place {
    V4([u8; 4], u16),
    V6([u16; 8], u16),
    Name(u8, u16, Scheme),
    Path(u8, bool),
    Abstract(u8, bool),
}

#[derive(Arbitrary, Debug, PartialEq)]
enum Scheme {
    None,
    Udp,
    Tcp,
}

#[derive(Arbitrary, Debug)]
enum Key<'a> {
    Dialect(u8),
    /// In thousandths of a second.
    Period(u32),
    Refresh(u32),
    Prefix(&'a [u8]),
    Tags(Vec<(&'a [u8], &'a [u8])>),
    Mtu(u32),
    MaxMetrics(u64),
    MaxSamples(u32),
    Buffer(u64),
    Origin(bool),
    Telemetry(bool),
}

const DIALECTS: [(&str, Dialect); 15] = [
    ("brubeck", Dialect::Brubeck),
    ("statsd", Dialect::Statsd),
    ("dogstatsd", Dialect::Dogstatsd),
    ("telegraf", Dialect::Telegraf),
    ("graphite", Dialect::Graphite),
    ("vector", Dialect::Vector),
    ("otel", Dialect::Otel),
    ("exporter", Dialect::Exporter),
    ("gostatsd", Dialect::Gostatsd),
    ("collectd", Dialect::Collectd),
    ("netdata", Dialect::Statsd),
    ("statsite", Dialect::Statsd),
    ("datadog", Dialect::Dogstatsd),
    ("influx", Dialect::Telegraf),
    ("prometheus", Dialect::Exporter),
];

fuzz_target!(|data: &[u8]| {
    match Input::arbitrary_take_rest(Unstructured::new(data)) {
        Ok(Input::Raw(text)) => raw(text),
        Ok(Input::Made(made)) => made.check(),
        Err(_) => {}
    }
});

fn raw(text: &[u8]) {
    let Ok(uri) = Uri::parse(text) else { return };
    // white space around a URI does not count
    let text = text.trim_ascii();
    let Settings { prefix, tags, period, refresh, mtu, .. } = &uri.settings;
    assert!(prefix.is_empty() && tags.len() <= 1024);
    assert!(*period == 0 || (SECOND / 100..=86_400 * SECOND).contains(period));
    assert!((1..=1_000_000).contains(&uri.settings.max_samples));
    assert!(*refresh <= 86_400 * SECOND && (512..=65_507).contains(mtu));
    assert!(uri.prefix.as_ref().is_none_or(|prefix| prefix.len() <= 127));
    let (place, query) = match text.iter().position(|b| *b == b'?') {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let mut encoded = percent_encoded(&percent_decoded(place).unwrap());
    let mut between = b'?';
    for pair in query.into_iter().flat_map(|query| query.split(|b| *b == b'&')) {
        let equals = pair.iter().position(|b| *b == b'=').unwrap();
        encoded.push(between);
        encoded.extend_from_slice(&pair[..=equals]);
        encoded.extend(percent_encoded(&percent_decoded(&pair[equals + 1..]).unwrap()));
        between = b'&';
    }
    assert_eq!(Uri::parse(&encoded), Ok(uri));
}

impl Made<'_> {
    fn check(&self) {
        let mut writer = Writer { out: Vec::new(), encoded: self.encoded };
        let endpoint = self.place.write(&mut writer);
        let mut wanted = endpoint.map(|endpoint| Uri {
            endpoint,
            settings: Settings::default(),
            prefix: None,
            tells_origin: false,
            telemetry: false,
        });
        let mut tags = None;
        for (i, key) in self.keys.iter().enumerate() {
            writer.out.push(if i == 0 { b'?' } else { b'&' });
            let fits = key.write(&mut writer, wanted.as_mut(), &mut tags);
            wanted = wanted.filter(|_| fits);
        }
        // the last tags count, and the last origin, in the last dialect
        wanted =
            wanted.filter(|uri| !uri.tells_origin || uri.settings.dialect == Dialect::Dogstatsd);
        if let (Some(tags), Some(uri)) = (tags, &mut wanted) {
            let form = uri.settings.dialect.form();
            let bare = |tags: &[u8]| tags.split(|b| *b == b',').any(|tag| !tag.contains(&b':'));
            let known = form.tags != fripp::encode::dialect::Tagging::None;
            match tags {
                Some(tags)
                    if tags.is_empty()
                        || known && tags.len() <= 1024 && (form.bare_tags || !bare(&tags)) =>
                {
                    uri.settings.tags = tags;
                }
                _ => wanted = None,
            }
        }
        match (Uri::parse(&writer.out), wanted) {
            (Ok(mut told), Some(wanted)) => {
                for (told, wanted) in [
                    (&mut told.settings.period, wanted.settings.period),
                    (&mut told.settings.refresh, wanted.settings.refresh),
                ] {
                    assert!(told.abs_diff(wanted) <= 1, "{told} is not {wanted}");
                    *told = wanted;
                }
                assert_eq!(told, wanted);
            }
            (Err(_), None) => {}
            (told, wanted) => panic!("{}: {told:?} is not {wanted:?}", writer.out.escape_ascii()),
        }
    }
}

struct Writer {
    out: Vec<u8>,
    encoded: u32,
}

impl Writer {
    /// Writes a value, encoding what has to be, and what is to be.
    fn value(&mut self, value: &[u8]) {
        for b in value {
            self.encoded = self.encoded.rotate_left(1);
            // white space around a URI does not count
            let special = b"%&?\0".contains(b) || b.is_ascii_whitespace();
            if self.encoded & 1 == 1 || special {
                self.out.extend(percent_encoded(&[*b]));
            } else {
                self.out.push(*b);
            }
        }
    }
}

impl Place {
    fn write(&self, writer: &mut Writer) -> Option<Endpoint> {
        let mut tcp = false;
        let (text, host, port) = match self {
            Place::V4(ip, port) => {
                let ip = std::net::IpAddr::from(*ip);
                (format!("{ip}:{port}"), Host::Ip(ip), *port)
            }
            Place::V6(ip, port) => {
                let ip = std::net::IpAddr::from(*ip);
                (format!("udp://[{ip}]:{port}"), Host::Ip(ip), *port)
            }
            Place::Name(len, port, scheme) => {
                let name = "h".repeat((*len).into());
                tcp = *scheme == Scheme::Tcp;
                let scheme = match scheme {
                    Scheme::None => "",
                    Scheme::Udp => "udp://",
                    Scheme::Tcp => "tcp://",
                };
                (format!("{scheme}{name}:{port}"), Host::Name(name), *port)
            }
            Place::Path(len, stream) => {
                let path = format!("/{}", "p".repeat((*len).into()));
                let scheme = if *stream { "unixstream" } else { "unix" };
                writer.value(format!("{scheme}://{path}").as_bytes());
                let made = if *stream { Endpoint::StreamPath } else { Endpoint::Path };
                return (path.len() <= 107).then(|| made(path.into()));
            }
            Place::Abstract(len, stream) => {
                let name = b"a".repeat((*len).into());
                let scheme: &[u8] = if *stream { b"unixstream:@" } else { b"unix:@" };
                writer.value(&[scheme, &name[..]].concat());
                let made = if *stream { Endpoint::StreamAbstract } else { Endpoint::Abstract };
                return (1..107).contains(&name.len()).then(|| made(name));
            }
        };
        writer.value(text.as_bytes());
        let fits =
            port > 0 && !matches!(&host, Host::Name(name) if !(1..=253).contains(&name.len()));
        let made = if tcp { Endpoint::Tcp { host, port } } else { Endpoint::Udp { host, port } };
        fits.then_some(made)
    }
}

impl Key<'_> {
    /// Writes it; whether it is one that there may be, which `uri` is told.
    fn write(
        &self,
        writer: &mut Writer,
        uri: Option<&mut Uri>,
        tags: &mut Option<Option<Vec<u8>>>,
    ) -> bool {
        let mut nowhere = None;
        let Uri { settings, prefix, tells_origin, telemetry, .. } = match uri {
            Some(uri) => uri,
            None => nowhere.insert(Uri {
                endpoint: Endpoint::Abstract(Vec::new()),
                settings: Settings::default(),
                prefix: None,
                tells_origin: false,
                telemetry: false,
            }),
        };
        let mut put = |key: &str, value: &[u8]| {
            writer.out.extend_from_slice(key.as_bytes());
            writer.out.push(b'=');
            writer.value(value);
        };
        match self {
            Key::Dialect(n) => {
                let (name, dialect) = DIALECTS[usize::from(*n) % DIALECTS.len()];
                put("dialect", name.as_bytes());
                settings.dialect = dialect;
                true
            }
            Key::Period(ms) => {
                put("period", format!("{}.{:03}", ms / 1000, ms % 1000).as_bytes());
                settings.period = u64::from(*ms) * 1_000_000;
                *ms == 0 || (10..=86_400_000).contains(ms)
            }
            Key::Refresh(ms) => {
                put("refresh", format!("{}.{:03}", ms / 1000, ms % 1000).as_bytes());
                settings.refresh = u64::from(*ms) * 1_000_000;
                *ms <= 86_400_000
            }
            Key::Prefix(text) => {
                put("prefix", text);
                *prefix = Some(text.to_vec());
                // tokens are another target's
                text.len() <= 127 && !text.contains(&0) && !text.windows(2).any(|two| two == b"{{")
                    || fripp::encode::name::prefix(text, 0).is_ok() && !text.contains(&0)
            }
            Key::Tags(pairs) => {
                let text: Vec<_> = pairs.iter().map(|(k, v)| [k, &b":"[..], v].concat()).collect();
                let text = text.join(&b","[..]);
                put("tags", &text);
                *tags = Some(cleaned_tags(&text));
                !text.contains(&0)
            }
            Key::Mtu(n) => {
                put("mtu", n.to_string().as_bytes());
                settings.mtu = *n as usize;
                settings.mtu_is_given = true;
                (512..=65_507).contains(n)
            }
            Key::MaxMetrics(n) => {
                put("max_metrics", n.to_string().as_bytes());
                settings.max_metrics = *n as usize;
                true
            }
            Key::MaxSamples(n) => {
                put("max_samples", n.to_string().as_bytes());
                settings.max_samples = *n as usize;
                (1..=1_000_000).contains(n)
            }
            Key::Buffer(n) => {
                put("buffer", n.to_string().as_bytes());
                settings.buffer = *n as usize;
                true
            }
            Key::Origin(tells) => {
                put("origin", if *tells { b"auto" } else { b"none" });
                *tells_origin = *tells;
                true
            }
            Key::Telemetry(on) => {
                put("telemetry", if *on { b"1" } else { b"0" });
                *telemetry = *on;
                true
            }
        }
    }
}

/// Tags as they are to be kept; `None` where one has no key or value.
fn cleaned_tags(text: &[u8]) -> Option<Vec<u8>> {
    let mut tags: Vec<Vec<u8>> = Vec::new();
    if text.is_empty() {
        return Some(Vec::new());
    }
    for tag in text.split(|b| *b == b',') {
        let tag = fripp_fuzz::clean_tag(tag)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Some(tags.join(&b','))
}
