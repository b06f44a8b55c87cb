//! What a server makes of the lines of a dialect, as servers were seen to.

use std::collections::{BTreeMap, BTreeSet};

use fripp::encode::dialect::Dialect;

/// What a server knows, by name (with its tags, as they stand in the line).
#[derive(Debug, Default, PartialEq)]
pub struct Known {
    pub counters: BTreeMap<String, i128>,
    pub gauges: BTreeMap<String, f64>,
    /// The newest gauge in the digits that arrived.
    pub digits: BTreeMap<String, String>,
    /// Value and how many it stands for.
    pub samples: BTreeMap<String, Vec<(f64, f64)>>,
    pub sets: BTreeMap<String, BTreeSet<String>>,
    /// Running totals in billionths: the newest, and what brubeck adds up.
    pub totals: BTreeMap<String, (i128, i128)>,
    pub lines: u64,
    pub datagrams: u64,
}

impl Known {
    /// Reads a datagram of a dialect; of any, where it has just been changed.
    pub fn read(&mut self, dialect: impl Into<Option<Dialect>>, datagram: &str) {
        let dialect = dialect.into();
        self.datagrams += 1;
        assert!(!datagram.is_empty() && !datagram.ends_with('\n'));
        assert!(!datagram.contains("\n\n"), "{datagram:?}");
        for line in datagram.split('\n') {
            self.lines += 1;
            self.line(dialect, line);
        }
    }

    fn line(&mut self, dialect: Option<Dialect>, line: &str) {
        let of = |it: Dialect| dialect.is_none_or(|dialect| dialect == it);
        let (name, rest) = line.split_once(':').expect("a colon");
        let mut parts = rest.split('|');
        let values = parts.next().unwrap();
        let letters = parts.next().expect("letters");
        let mut weight = 1.0;
        let mut name = name.to_owned();
        for part in parts {
            match part.split_at(1) {
                ("@", rate) => weight = 1.0 / rate.parse::<f64>().unwrap(),
                ("#", tags) => name = format!("{name}#{tags}"),
                _ => panic!("{line}"),
            }
        }
        if letters == "s" {
            let none = [Dialect::Brubeck, Dialect::Otel, Dialect::Exporter];
            assert!(dialect.is_none_or(|dialect| !none.contains(&dialect)), "{line}");
            self.sets.entry(name).or_default().insert(values.to_owned());
            return;
        }
        for value in values.split(':') {
            let packs = of(Dialect::Dogstatsd) || of(Dialect::Exporter);
            assert!(packs || value == values, "packed: {line}");
            assert!(value.bytes().all(|b| b"-.0123456789".contains(&b)), "{line}");
            let number = || value.parse::<f64>().unwrap();
            match letters {
                "c" => *self.counters.entry(name.clone()).or_default() += whole(value),
                "C" => {
                    assert!(of(Dialect::Brubeck));
                    let total = billionths(value);
                    let (before, growth) = self.totals.entry(name.clone()).or_default();
                    // `if (previous > 0.0)` in its counter__record
                    if *before > 0 {
                        *growth += if total < *before { total } else { total - *before };
                    }
                    *before = total;
                }
                "g" => {
                    let gauge = self.gauges.entry(name.clone()).or_default();
                    let absolute = [Some(Dialect::Dogstatsd), Some(Dialect::Gostatsd)];
                    let relative = value.starts_with('-') && !absolute.contains(&dialect);
                    *gauge = if relative { *gauge + number() } else { number() };
                    self.digits.insert(name.clone(), value.to_owned());
                }
                "ms" | "h" => {
                    self.samples.entry(name.clone()).or_default().push((number(), weight));
                }
                _ => panic!("{line}"),
            }
        }
    }
}

fn billionths(value: &str) -> i128 {
    match value.strip_prefix("0.") {
        Some(fraction) => format!("{fraction:0<9}").parse().unwrap(),
        None => whole(value) * 1_000_000_000,
    }
}

fn whole(value: &str) -> i128 {
    value.parse().unwrap()
}
