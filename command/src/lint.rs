//! What the servers of a dialect would refuse or misread, and why: as
//! observed on running servers, or read from telegraf's and the Datadog
//! agent's source.

use fripp::encode::dialect::{Dialect, Tagging};

use fripp::metric::kind::Kind;

use crate::wire::{self, Line, TagStyle};
use Dialect::{Brubeck, Dogstatsd, Exporter, Gostatsd, Graphite, Otel, Statsd, Telegraf, Vector};

/// Begins what may be as it is meant: no reason to refuse the line.
const PERHAPS: &str = "perhaps";

const ALL: &[Dialect] = &Dialect::ALL;
/// Those that read `-5|g` as a step.
const STEPS: &[Dialect] = &[Brubeck, Statsd, Telegraf, Graphite, Vector, Otel, Exporter];
const NOT_PACKED: &[Dialect] = &[Brubeck, Statsd, Telegraf, Graphite, Vector, Otel, Gostatsd];
const NO_SETS: &[Dialect] = &[Brubeck, Otel, Exporter];
/// Those that refuse a running total.
const NO_TOTALS: &[Dialect] = &[Dogstatsd, Telegraf, Vector, Otel, Exporter, Gostatsd];
const NO_DISTRIBUTIONS: &[Dialect] = &[Brubeck, Statsd, Graphite, Gostatsd];
const TAGGED: &[Dialect] = &[Dogstatsd, Telegraf, Graphite, Vector, Otel, Exporter, Gostatsd];
const LIKE_STATSD: &[Dialect] = &[Statsd, Graphite];

/// What is wrong with a line, for which dialects, and when.
type Rule = (&'static [Dialect], fn(Seen<'_>) -> bool, &'static str);

#[rustfmt::skip]
const RULES: &[Rule] = &[
    (LIKE_STATSD, |s| s.line.kind == Kind::Total, "a running total is added up as if it were events, or dropped"),
    (NO_TOTALS, |s| s.line.kind == Kind::Total, "a running total (C) is refused: only brubeck has them"),
    (&[Brubeck], |s| s.line.kind == Kind::Total && s.line.rate < 1.0, "a running total has no sample rate"),
    (NO_SETS, |s| s.line.kind == Kind::Set, "there are no sets"),
    (LIKE_STATSD, |s| s.line.letters == b"h", "a histogram (h) is taken for a counter: send ms"),
    (NO_DISTRIBUTIONS, |s| s.line.letters == b"d", "there are no distributions (d): send ms"),
    (ALL, |s| s.line.letters == b"m", "there are no meters (m): send c"),
    (&[Telegraf], |s| s.line.kind == Kind::Counter && s.any(|n| n.fract() != 0.0), "a counter loses its fraction"),
    (STEPS, |s| s.is_bare_negative(), "perhaps not what is meant: a gauge with a sign is so much less than before; for a value below 0 send 0 first, in the same datagram"),
    (&[Dogstatsd], |s| s.line.kind == Kind::Gauge && s.starts_with(b'+'), "a gauge with a '+' is no step: it is set to the value"),
    (ALL, |s| s.has_exponent, "an exponent: some servers read the digits before it alone"),
    (NOT_PACKED, |s| s.line.values().nth(1).is_some(), "several values in a line: only the Datadog agent and statsd_exporter count them right"),
    (ALL, |s| s.parts > 1, "several values with a type each: only etsy's statsd reads them"),
    (&[Brubeck, Statsd], |s| s.line.tags.style != TagStyle::None, "there are no tags"),
    (TAGGED, |s| s.has_others_tags(), "tags in another dialect's style"),
    (ALL, |s| s.name_has(|b| b == b',' || b == b';' || b == b'='), "one of ',;=' in the name"),
    (ALL, |s| s.name_has(|b| b == b'|' || b == b'@' || b == b'#'), "one of '|@#' in the name"),
    (ALL, |s| s.name_has(|b| b <= b' ' || b == 0x7f), "white space or a control byte in the name"),
    (ALL, |s| std::str::from_utf8(s.line.name).is_err(), "a name that is not UTF-8"),
    (&[Brubeck], |s| s.line.name.ends_with(b"."), "a name that ends in a dot is refused"),
    (&[Brubeck], |s| s.whole_name > 240, "a name of more than 240 bytes: cut at 255, and of 1,024 the server dies"),
    (&[Statsd, Dogstatsd, Telegraf, Graphite, Vector, Otel, Exporter, Gostatsd], |s| s.whole_name > 512, "a name of more than 512 bytes is cut, or refused by what stores it"),
];

/// What is wrong with a datagram as a whole.
type DatagramRule = (&'static [Dialect], fn(&[u8]) -> bool, &'static str);

#[rustfmt::skip]
const DATAGRAM_RULES: &[DatagramRule] = &[
    (ALL, |d| d.is_empty(), "an empty datagram: it stops a worker of bioyino"),
    (ALL, |d| d.contains(&0), "a NUL byte: statsd then takes any type for a counter"),
    (ALL, |d| d.contains(&b'\r'), "a carriage return: brubeck loses every line of the datagram"),
    (&[Brubeck], |d| d.len() > 8_191, "a datagram of more than 8,191 bytes is cut"),
    (&[Dogstatsd], |d| d.len() > 8_192, "a datagram of more than 8,192 bytes is cut"),
    (LIKE_STATSD, |d| d.len() > 4_095, "a datagram of more than 4,095 bytes is cut by collectd, one of more than 8,999 by netdata"),
];

/// A line with what stands around it.
#[derive(Clone, Copy)]
struct Seen<'a> {
    line: &'a Line<'a>,
    dialect: Dialect,
    /// Of the line, in statsd's packing.
    parts: usize,
    /// With the tags that stand in it.
    whole_name: usize,
    has_exponent: bool,
    /// The gauge of this name was set to 0 just before.
    after_zero: bool,
}

impl Seen<'_> {
    fn any(self, f: fn(f64) -> bool) -> bool {
        self.line.numbers().any(f)
    }

    fn starts_with(self, sign: u8) -> bool {
        self.line.values().any(|value| value.first() == Some(&sign))
    }

    fn name_has(self, f: fn(u8) -> bool) -> bool {
        self.line.name.iter().any(|b| f(*b))
    }

    fn is_bare_negative(self) -> bool {
        self.line.kind == Kind::Gauge && self.starts_with(b'-') && !self.after_zero
    }

    fn has_others_tags(self) -> bool {
        let own = match self.dialect.form().tags {
            Tagging::Suffix => TagStyle::Dogstatsd,
            Tagging::InName(b';') => TagStyle::Graphite,
            Tagging::InName(_) => TagStyle::Telegraf,
            Tagging::None => TagStyle::None,
        };
        ![TagStyle::None, own].contains(&self.line.tags.style)
    }
}

/// What is wrong with a datagram, but for its lines.
pub fn datagram(dialect: Dialect, datagram: &[u8]) -> impl Iterator<Item = &'static str> + '_ {
    let rules = DATAGRAM_RULES
        .iter()
        .filter(move |(dialects, applies, _)| dialects.contains(&dialect) && applies(datagram));
    rules.map(|(_, _, why)| *why)
}

/// What is wrong with a line. `before` is the one before it in its datagram.
pub fn line(dialect: Dialect, line: &[u8], before: Option<&[u8]>) -> Vec<String> {
    let parts: Vec<_> = wire::read(line).collect();
    let mut found = Vec::new();
    for part in &parts {
        match part {
            Err(fault) => found.push(fault.to_string()),
            Ok(read) => {
                let seen = Seen {
                    line: read,
                    dialect,
                    parts: parts.len(),
                    whole_name: line.iter().position(|b| *b == b':').unwrap_or(0),
                    has_exponent: has_exponent(read, line),
                    after_zero: before.is_some_and(|before| is_zero_gauge(before, read.name)),
                };
                let rules = RULES
                    .iter()
                    .filter(|(dialects, applies, _)| dialects.contains(&dialect) && applies(seen));
                found.extend(rules.map(|(_, _, why)| (*why).to_owned()));
            }
        }
    }
    found.dedup();
    found
}

/// Whether a server would refuse or misread a line of which this is said.
pub fn is_refused(problems: &[String]) -> bool {
    problems.iter().any(|why| !why.starts_with(PERHAPS))
}

fn is_zero_gauge(line: &[u8], name: &[u8]) -> bool {
    wire::read(line).flatten().any(|line| {
        line.kind == Kind::Gauge && line.name == name && line.values().all(|value| value == b"0")
    })
}

/// Of a value, or of the sample rate.
fn has_exponent(read: &Line<'_>, line: &[u8]) -> bool {
    let marked = |text: &[u8]| text.iter().any(|b| b"eE".contains(b));
    let mut rates = line.split(|b| *b == b'|').filter(|section| section.starts_with(b"@"));
    read.kind != Kind::Set && (read.values().any(marked) || rates.any(marked))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines with what is said of them, in each dialect that says it.
    #[rustfmt::skip]
    const CASES: &[(&str, &[Dialect], &str)] = &[
        ("a:1|C", LIKE_STATSD, "added up"),
        ("a:1|C", NO_TOTALS, "refused: only brubeck"),
        ("a:1|C|@0.5", &[Brubeck], "no sample rate"),
        ("a:b|s", NO_SETS, "no sets"),
        ("a:1|h", LIKE_STATSD, "taken for a counter"),
        ("a:1|d", NO_DISTRIBUTIONS, "no distributions"),
        ("a:1|m", ALL, "no meters"),
        ("a:1.5|c", &[Telegraf], "loses its fraction"),
        ("a:-5|g", STEPS, "so much less"),
        ("a:+5|g", &[Dogstatsd], "no step"),
        ("a:1e3|ms", ALL, "an exponent"),
        ("a:1|ms|@1e-1", ALL, "an exponent"),
        ("a:1:2|ms", NOT_PACKED, "only the Datadog agent"),
        ("a:1|ms:2|ms", ALL, "only etsy's statsd"),
        ("a:1|c|#k:v", &[Brubeck, Statsd], "no tags"),
        ("a:1|c|#k:v", &[Telegraf, Graphite], "another dialect's"),
        ("a,k=v:1|c", &[Dogstatsd, Graphite, Vector, Otel, Exporter, Gostatsd], "another dialect's"),
        ("a;k=v:1|c", &[Dogstatsd, Telegraf, Vector, Otel, Exporter, Gostatsd], "another dialect's"),
        ("a,b:1|c", ALL, "',;='"),
        ("a@b:1|c", ALL, "'|@#'"),
        ("a b:1|c", ALL, "white space"),
        ("a.:1|c", &[Brubeck], "ends in a dot"),
        ("a:1|x", ALL, "an unknown type (byte 5)"),
        ("a:nan|g", ALL, "not a number (byte 3)"),
    ];

    #[test]
    fn each_rule() {
        for (text, dialects, said) in CASES {
            for dialect in ALL {
                let found = line(*dialect, text.as_bytes(), None);
                let is_said = found.iter().any(|why| why.contains(said));
                assert_eq!(is_said, dialects.contains(dialect), "{text} {dialect:?}: {found:?}");
            }
        }
    }

    #[test]
    fn bytes_of_names() {
        assert_eq!(line(Statsd, b"\xff:1|c", None), ["a name that is not UTF-8"]);
        for (dialect, most) in [(Brubeck, 240), (Statsd, 512)] {
            let text = |len: usize| format!("{}:1|c", "n".repeat(len)).into_bytes();
            assert_eq!(line(dialect, &text(most), None).len(), 0);
            assert_eq!(line(dialect, &text(most + 1), None).len(), 1);
        }
    }

    #[test]
    fn nothing_is_wrong_with_what_the_library_sends() {
        for (dialect, text) in [
            (Brubeck, "a:1|c\na:1|C\na:1|g\na:0.5|ms|@0.5\na:1|h"),
            (Statsd, "a:1|c\na:1|g\na:0.5|ms|@0.5"),
            (Dogstatsd, "a:1:2|ms|#k:v\na:-5|g\na:1|h"),
            (Vector, "a:1|ms|#k:v\na:1|d"),
            (Exporter, "a:1:2|ms|#k:v\na:1|d"),
            (Gostatsd, "a:1|ms|#k:v\na:-5|g"),
            (Telegraf, "a,k=v,l=w:1|c\na:1|h"),
            (Graphite, "a;k=v:1|ms"),
        ] {
            for text in text.split('\n') {
                assert_eq!(line(dialect, text.as_bytes(), None), [""; 0], "{dialect:?} {text}");
            }
        }
        assert_eq!(line(Statsd, b"a:-5|g", Some(b"a:0|g")), [""; 0]);
        let perhaps = line(Statsd, b"a:-5|g", Some(b"b:0|g"));
        assert_eq!((perhaps.len(), is_refused(&perhaps)), (1, false));
        assert!(is_refused(&line(Statsd, b"a:1|C", None)));
    }

    #[test]
    fn datagrams() {
        let said = |dialect, text: &[u8]| datagram(dialect, text).count();
        assert_eq!(said(Statsd, b"a:1|c\nb:1|c\n"), 0);
        for bad in [&b""[..], b"a:1|c\0", b"a:1|c\r\n"] {
            assert_eq!(ALL.iter().map(|dialect| said(*dialect, bad)).max(), Some(1));
        }
        for (dialect, most) in [(Brubeck, 8191), (Dogstatsd, 8192), (Statsd, 4095)] {
            assert_eq!(said(dialect, &vec![b'a'; most]), 0);
            assert_eq!(said(dialect, &vec![b'a'; most + 1]), 1);
        }
    }
}
