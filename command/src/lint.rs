//! What the servers of a dialect would refuse or misread, and why: as
//! observed on running servers, or read from telegraf's and the Datadog
//! agent's source.

use crate::dialect::{Dialect, Kind};
use crate::wire::{self, Item, Line};
use Dialect::{
    Brubeck, Collectd, Dogstatsd, Exporter, Gostatsd, Graphite, Otel, Statsd, Telegraf, Vector,
};

const ALL: &[Dialect] = &Dialect::ALL;
const NOT_PACKED: &[Dialect] =
    &[Brubeck, Statsd, Telegraf, Graphite, Vector, Otel, Gostatsd, Collectd];
const NO_SETS: &[Dialect] = &[Brubeck, Otel, Exporter];
/// Those that refuse a running total.
const NO_TOTALS: &[Dialect] = &[Dogstatsd, Telegraf, Vector, Otel, Exporter, Gostatsd];
const NO_DISTRIBUTIONS: &[Dialect] = &[Brubeck, Statsd, Graphite, Gostatsd, Collectd];
const LIKE_STATSD: &[Dialect] = &[Statsd, Graphite, Collectd];

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
    (&[Collectd], |s| s.line.letters == b"ms" && s.line.rate < 1.0, "a timing is multiplied by its rate, and counted once"),
    (ALL, |s| s.line.letters == b"m", "there are no meters (m): send c"),
    (&[Telegraf], |s| s.line.kind == Kind::Counter && s.line.numbers().any(|n| n.fract() != 0.0), "a counter loses its fraction"),
    (&[Dogstatsd], |s| s.line.kind == Kind::Gauge && s.line.text.contains(&b'+'), "a gauge with a '+' is no step: it is set to the value"),
    (&[Brubeck], |s| s.line.kind != Kind::Set && has_exponent(s.line.text), "an exponent: the server does not read it"),
    (&[Brubeck, Statsd, Graphite], |s| s.rates().any(has_exponent), "an exponent: the server reads the digits before it alone"),
    (NOT_PACKED, |s| s.line.text.contains(&b':'), "several values in a line: only the Datadog agent and statsd_exporter count them right"),
    (&[Brubeck], |s| s.parts > 1, "several values with a type each: only statsd and telegraf read them"),
    (ALL, |s| s.name_has(|b| b == b',' || b == b';' || b == b'='), "one of ',;=' in the name"),
    (ALL, |s| s.name_has(|b| b == b'|' || b == b'@' || b == b'#'), "one of '|@#' in the name"),
    (ALL, |s| s.name_has(|b| b < b' ' || b == 0x7f), "a control byte in the name"),
    (ALL, |s| s.name_has(|b| b == b' '), "white space in the name"),
    (ALL, |s| std::str::from_utf8(s.text).is_err(), "bytes that are not UTF-8"),
    (&[Brubeck], |s| s.line.name.ends_with(b"."), "a name that ends in a dot is refused"),
    (&[Brubeck], |s| s.whole_name() > 240, "a name of more than 240 bytes: cut at 255, and of 1,024 the server dies"),
    (&[Statsd, Dogstatsd, Telegraf, Graphite, Vector, Otel, Exporter, Gostatsd, Collectd], |s| s.whole_name() > 512, "a name of more than 512 bytes is cut, or refused by what stores it"),
];

/// What is wrong with a datagram as a whole.
type DatagramRule = (&'static [Dialect], fn(&[u8]) -> bool, &'static str);

#[rustfmt::skip]
const DATAGRAM_RULES: &[DatagramRule] = &[
    (LIKE_STATSD, |d| d.is_empty(), "an empty datagram: it stops a worker of bioyino"),
    (LIKE_STATSD, |d| d.contains(&0), "a NUL byte: statsd then takes any type for a counter"),
    (&[Brubeck], |d| d.contains(&b'\r'), "a carriage return: brubeck loses every line of the datagram"),
    (&[Brubeck], has_empty_line, "an empty line: brubeck counts an error"),
    (&[Brubeck], |d| d.len() > 8_191, "a datagram of more than 8,191 bytes is cut"),
    (&[Dogstatsd], |d| d.len() > 8_192, "a datagram of more than 8,192 bytes is cut"),
    (LIKE_STATSD, |d| d.len() > 4_095, "a datagram of more than 4,095 bytes is cut by collectd, one of more than 8,999 by netdata"),
];

/// A line with what stands around it.
#[derive(Clone, Copy)]
struct Seen<'a> {
    line: &'a Line<'a>,
    /// Of the line, in statsd's packing.
    parts: usize,
    text: &'a [u8],
}

impl<'a> Seen<'a> {
    fn name_has(self, f: fn(u8) -> bool) -> bool {
        self.line.name.iter().any(|b| f(*b))
    }

    /// The length of the name with the tags that stand in it.
    fn whole_name(self) -> usize {
        self.text.iter().position(|b| *b == b':').unwrap_or(0)
    }

    fn rates(self) -> impl Iterator<Item = &'a [u8]> {
        self.text.split(|b| *b == b'|').filter(|section| section.starts_with(b"@"))
    }
}

/// What is wrong with a datagram, but for its lines.
pub fn datagram(dialect: Dialect, datagram: &[u8]) -> impl Iterator<Item = &'static str> + '_ {
    let rules = DATAGRAM_RULES
        .iter()
        .filter(move |(dialects, applies, _)| dialects.contains(&dialect) && applies(datagram));
    rules.map(|(_, _, why)| *why)
}

/// What is wrong with a line.
pub fn line(dialect: Dialect, line: &[u8]) -> Vec<String> {
    let parts: Vec<_> = wire::read(line, Some(dialect)).collect();
    let mut found = Vec::new();
    for part in &parts {
        match part {
            Err(fault) => found.push(fault.to_string()),
            Ok(Item::Metric(read)) => {
                let seen = Seen { line: read, parts: parts.len(), text: line };
                let rules = RULES
                    .iter()
                    .filter(|(dialects, applies, _)| dialects.contains(&dialect) && applies(seen));
                found.extend(rules.map(|(_, _, why)| (*why).to_owned()));
            }
            Ok(Item::Event(_) | Item::Check(_)) => {}
        }
    }
    found.dedup();
    found
}

fn has_exponent(text: &[u8]) -> bool {
    text.iter().any(|b| b"eE".contains(b))
}

/// Other than after the last newline.
fn has_empty_line(datagram: &[u8]) -> bool {
    datagram.starts_with(b"\n") || datagram.windows(2).any(|pair| pair == b"\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those that have neither events nor service checks.
    const NOT_EVENTS: &[Dialect] =
        &[Brubeck, Statsd, Telegraf, Graphite, Vector, Otel, Exporter, Gostatsd, Collectd];

    /// Lines with what is said of them, in each dialect that says it.
    #[rustfmt::skip]
    const CASES: &[(&str, &[Dialect], &str)] = &[
        ("a:1|C", LIKE_STATSD, "added up"),
        ("a:1|C", NO_TOTALS, "refused: only brubeck"),
        ("a:1|C|@0.5", &[Brubeck], "no sample rate"),
        ("a:b|s", NO_SETS, "no sets"),
        ("a:1|h", LIKE_STATSD, "taken for a counter"),
        ("a:1|d", NO_DISTRIBUTIONS, "no distributions"),
        ("a:1|ms|@0.5", &[Collectd], "multiplied by its rate"),
        ("a:1|m", ALL, "no meters"),
        ("a:1.5|c", &[Telegraf], "loses its fraction"),
        ("a:-5|ms", LIKE_STATSD, "refuses a negative timing (byte 3)"),
        ("a:-5|h", &[Telegraf], "refuses a sign"),
        ("a:+5|s", &[Telegraf], "refuses a sign"),
        ("a:+5|g", &[Dogstatsd], "no step"),
        ("a:1e3|ms", &[Brubeck], "an exponent"),
        ("a:1|ms|@1e-1", &[Brubeck, Statsd, Graphite], "an exponent"),
        ("a:1|ms|@2", &[Brubeck], "not a sample rate"),
        ("a:1|ms|@x", &[Brubeck, Statsd, Graphite, Dogstatsd, Vector, Otel, Exporter, Gostatsd, Collectd], "not a sample rate"),
        ("a:1|ms|x", &[Brubeck, Statsd, Graphite, Vector, Otel, Exporter, Gostatsd, Collectd], "does not accept (byte 8)"),
        ("a:1|ms|Tx", &[Dogstatsd], "not a time"),
        ("a:1:2|ms", NOT_PACKED, "only the Datadog agent"),
        ("a:x:y|s", NOT_PACKED, "only the Datadog agent"),
        ("a:1|ms:2|ms", &[Brubeck], "only statsd and telegraf"),
        ("a:1|ms:2|ms", &[Dogstatsd], "an unknown type"),
        ("a:1|c|#k:v", &[Brubeck, Statsd, Graphite, Collectd], "tags in a style"),
        ("a,k=v:1|c", &[Brubeck, Statsd, Dogstatsd, Graphite, Vector, Otel, Gostatsd, Collectd], "',;=' in the name"),
        ("a;k=v:1|c", &[Brubeck, Statsd, Dogstatsd, Telegraf, Vector, Otel, Gostatsd, Collectd], "',;=' in the name"),
        ("a,b:1|c", ALL, "',;='"),
        ("a@b:1|c", ALL, "'|@#'"),
        ("a b:1|c", ALL, "white space"),
        ("a.:1|c", &[Brubeck], "ends in a dot"),
        ("a:1|x", ALL, "an unknown type (byte 5)"),
        ("a:nan|g", ALL, "not a number (byte 3)"),
        ("_sc|a|0", NOT_EVENTS, "no ':'"),
    ];

    #[test]
    fn each_rule() {
        for (text, dialects, said) in CASES {
            for dialect in ALL {
                let found = line(*dialect, text.as_bytes());
                let is_said = found.iter().any(|why| why.contains(said));
                assert_eq!(is_said, dialects.contains(dialect), "{text} {dialect:?}: {found:?}");
            }
        }
    }

    #[test]
    fn bytes_of_names() {
        assert_eq!(line(Statsd, b"\xff:1|c"), ["bytes that are not UTF-8"]);
        for (dialect, most) in [(Brubeck, 240), (Statsd, 512)] {
            let text = |len: usize| format!("{}:1|c", "n".repeat(len)).into_bytes();
            assert_eq!(line(dialect, &text(most)).len(), 0);
            assert_eq!(line(dialect, &text(most + 1)).len(), 1);
        }
    }

    #[test]
    fn nothing_is_wrong_with_what_servers_accept() {
        for (dialect, text) in [
            (Brubeck, "a:1|c\na:1|C\na:1|g\na:0.5|ms|@0.5\na:1|h"),
            (Statsd, "a:1|c\na:1|g\na:0.5|ms|@0.5\na:-5|g\na:1e3|c\na:1|c:2|ms"),
            (Dogstatsd, "a:1:2|ms|#k:v\na:-5|g\na:1|h\na:x:y|s\n_e{1,1}:a|b\na:1|c|x:y"),
            (Telegraf, "a,k=v,l=w:1|c\na:1|h\na:1|c|@x|y"),
            (Graphite, "a;k=v:1|ms"),
        ] {
            for text in text.split('\n') {
                assert_eq!(line(dialect, text.as_bytes()), [""; 0], "{dialect:?} {text}");
            }
        }
    }

    #[test]
    fn datagrams() {
        let said = |dialect, text: &[u8]| datagram(dialect, text).count();
        assert_eq!(said(Statsd, b"a:1|c\nb:1|c\n"), 0);
        for bad in [&b""[..], b"a:1|c\0", b"a:1|c\r\n", b"a:1|c\n\nb:1|c"] {
            assert_eq!(ALL.iter().map(|dialect| said(*dialect, bad)).max(), Some(1));
            assert_eq!(said(Dogstatsd, bad), 0);
        }
        for (dialect, most) in [(Brubeck, 8191), (Dogstatsd, 8192), (Statsd, 4095)] {
            assert_eq!(said(dialect, &vec![b'a'; most]), 0);
            assert_eq!(said(dialect, &vec![b'a'; most + 1]), 1);
        }
    }
}
