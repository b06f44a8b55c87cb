//! Lines as the command reads them, with a dialect and without. Any bytes: each
//! line has an end; what is read lies in the line, and has a name, values and a
//! rate. Made of a name, values, a type, a rate and tags: read as these.

#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use fripp_command::dialect::{Dialect, Kind};
use fripp_command::wire::{self, Item, Line};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Raw(u8, &'a [u8]),
    Made(Made<'a>),
}

#[derive(Arbitrary, Debug)]
struct Made<'a> {
    name: &'a [u8],
    values: Vec<i32>,
    kind: u8,
    /// In thousandths.
    rate: Option<u16>,
    tags: Vec<(u8, u8)>,
}

const KINDS: [(&str, Kind); 8] = [
    ("c", Kind::Counter),
    ("m", Kind::Counter),
    ("C", Kind::Total),
    ("g", Kind::Gauge),
    ("ms", Kind::Timer),
    ("h", Kind::Histogram),
    ("d", Kind::Histogram),
    ("s", Kind::Set),
];

fuzz_target!(|data: &[u8]| {
    match Input::arbitrary_take_rest(Unstructured::new(data)) {
        Ok(Input::Raw(dialect, text)) => raw(dialect, text),
        Ok(Input::Made(made)) => made.check(),
        Err(_) => {}
    }
});

fn raw(dialect: u8, text: &[u8]) {
    let dialect = Dialect::ALL.get(usize::from(dialect)).copied();
    for line in wire::lines(text) {
        assert!(!line.is_empty() && !line.contains(&b'\n'));
        let mut parts = 0;
        for part in wire::read(line, dialect) {
            parts += 1;
            match part {
                Ok(Item::Metric(metric)) => check(line, &metric),
                Ok(Item::Event(event)) => assert!(!event.title.is_empty()),
                Ok(Item::Check(check)) => assert!(check.status <= 3 && !check.name.is_empty()),
                Err(fault) => assert!(fault.at <= line.len()),
            }
        }
        // a part has at least "1|c"
        assert!(parts >= 1 && parts <= 1 + line.len() / 3);
    }
}

fn check(line: &[u8], metric: &Line<'_>) {
    assert!(!metric.name.is_empty() && metric.name.len() < line.len());
    assert!(metric.rate > 0.0 && metric.rate.is_finite());
    let known = KINDS.iter().find(|(letters, _)| letters.as_bytes() == metric.letters);
    assert_eq!(known.map(|(_, kind)| *kind), Some(metric.kind));
    let (values, numbers) = (metric.values().count(), metric.numbers().count());
    assert!(values >= 1);
    assert_eq!(numbers, if metric.kind == Kind::Set { 0 } else { values });
    let tags = metric.tags.pairs().count();
    assert!(metric.tags.sorted().len() <= tags && tags <= line.len());
}

impl Made<'_> {
    fn check(&self) {
        let plain = |b: &u8| b.is_ascii_alphanumeric() || b"._-".contains(b);
        let name: Vec<u8> = self.name.iter().copied().filter(plain).collect();
        let (letters, kind) = KINDS[usize::from(self.kind) % KINDS.len()];
        if name.is_empty() || self.values.is_empty() {
            return;
        }
        let values: Vec<String> = self.values.iter().map(ToString::to_string).collect();
        let mut line =
            [&name[..], b":", values.join(":").as_bytes(), b"|", letters.as_bytes()].concat();
        let rate = self.rate.map_or(1.0, |rate| (1.0 + f64::from(rate % 1_000)) / 1_000.0);
        if self.rate.is_some() {
            line.extend_from_slice(format!("|@{rate}").as_bytes());
        }
        let tags: Vec<(String, String)> =
            self.tags.iter().map(|(key, value)| (format!("k{key}"), format!("v{value}"))).collect();
        for (at, (key, value)) in tags.iter().enumerate() {
            line.extend_from_slice(if at == 0 { b"|#" } else { b"," });
            line.extend_from_slice(format!("{key}:{value}").as_bytes());
        }
        for dialect in [None, Some(Dialect::Dogstatsd)] {
            let mut parts = wire::read(&line, dialect);
            let Some(Ok(Item::Metric(read))) = parts.next() else {
                panic!("{} is not read", line.escape_ascii())
            };
            assert!(parts.next().is_none());
            assert_eq!((&read.name[..], read.kind, read.rate), (&name[..], kind, rate));
            let numbers: Vec<f64> = self.values.iter().map(|value| f64::from(*value)).collect();
            if kind == Kind::Set {
                assert_eq!(read.values().collect::<Vec<_>>(), [values.join(":").as_bytes()]);
            } else {
                assert_eq!(read.numbers().collect::<Vec<_>>(), numbers);
            }
            let pairs = tags.iter().map(|(key, value)| (key.as_bytes(), Some(value.as_bytes())));
            assert_eq!(read.tags.pairs().collect::<Vec<_>>(), pairs.collect::<Vec<_>>());
        }
    }
}
