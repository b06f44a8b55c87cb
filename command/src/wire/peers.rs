//! Lines of the servers' own tests, in tests/data/lines.jsonl, read as the
//! servers read them.

use serde_json::Value;

use super::{Item, read};
use crate::dialect::{Dialect, Kind};
use crate::lint;

/// The lines that are read differently from the server, and why.
#[rustfmt::skip]
const EXCEPTIONS: &[(&str, &[&str], &str)] = &[
    ("etsy", &["a.b:345345|ms|@2e-1"],
        "its test says that the line is valid, but it then reads the rate as 2, of which the command warns"),
    ("gostatsd", &["smp gge:1|g", "smp,gge$:1|g"],
        "it changes the name, of which the command warns"),
    ("gostatsd", &["smp/gge:1|g"],
        "it changes the name when it stores it; the command shows the name that was sent"),
    ("gostatsd", &["a.packing:|ms|#|:|c:xyz", "a.packing:::|g|#|:|c:xyz"],
        "it accepts a line without a value, and counts nothing; the Datadog agent refuses it"),
    ("statsd_exporter", &["foo,09digits=0,tag.with.dots=1:100|c", "foo#09digits=0,tag.with.dots=1:100|c", "foo:100|c|#09digits:0,tag.with.dots:1"],
        "it changes keys to Prometheus's labels; the command shows the keys that were sent"),
    ("statsd_exporter", &["foo:100|c|#tag_without_a_value", "foo:100|c|#tag_without_a_value,tag:value"],
        "Prometheus has no labels without a value; the Datadog agent keeps such tags"),
    ("statsd_exporter", &["foo_counter:0.5:120:3000:10:20000:0.01|c|#tag1:bar,tag2:baz", "foo_gauge:0.5:120:3000:10:20000:0.01|g|#tag1:bar,tag2:baz"],
        "it refuses several values of a counter or gauge; the Datadog agent and gostatsd read them"),
    ("statsd_exporter", &["foo.[tag1=bar,tag2=baz]test:0.5:120:3000:10:20000:0.01|ms", "foo.[tag1=bar,tag2=baz]test:0.5:120:3000:10:20000:0.01|c", "foo.[]test:0.5:120:3000:10:20000:0.01|c", "foo.[]test:0.5:120:3000:10:20000:0.01|ms", "foo.test:0.5:120:3000:10:20000:0.01|ms"],
        "its tests switch Datadog's lines off; without a dialect they are read"),
    ("statsd_exporter", &["foo:1|c|"],
        "it refuses an empty section; telegraf and gostatsd pass over it, and so does reading without a dialect"),
    ("statsd_exporter", &["invalid\u{c3}(utf8:1|c"],
        "without a dialect, bytes that are not UTF-8 are shown; with one, the command warns of them"),
    ("statsd_exporter", &["foo:100|c|#tag1:value|c", "foo:100|c|#tag1:value|c:", "foo:100|c|@0.1|#tag1:value|c:container|extra:component"],
        "it counts sections; the Datadog agent and gostatsd pass over those that they do not know"),
    ("statsd_exporter", &["foo:100|c|#tag:val|Tnot-a-ts", "foo:100|c|#tag:val|T"],
        "it passes over the time; the Datadog agent refuses the line"),
    ("telegraf", &["scientific.notation:4.6968460083008E-5|c"],
        "it accepts the line and counts 0, of which the command warns"),
    ("telegraf", &["my_gauge:10.1|g|#live", "my_timer:3|ms|@0.1|#live,host:localhost", "my_gauge:10.1|g|#live|c:f76b5a1c03caa192580874b253c158010ade668cf03080a57aa8283919d56e75", "my_timer:3|ms|@0.1|#live,host:localhost|c:f76b5a1c03caa192580874b253c158010ade668cf03080a57aa8283919d56e75", "cpu:42|c|#live,host:localhost|c:f76b5a1c03caa192580874b253c158010ade668cf03080a57aa8283919d56e75"],
        "it stores 'true' for a tag without a value"),
];

struct Case {
    peer: String,
    dialect: Option<Dialect>,
    line: Vec<u8>,
    text: String,
    is_valid: bool,
    metrics: Vec<Value>,
    is_metric: bool,
}

fn cases() -> Vec<Case> {
    let data = include_str!("../../tests/data/lines.jsonl");
    data.lines().map(|row| case(&serde_json::from_str(row).unwrap())).collect()
}

fn case(row: &Value) -> Case {
    let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let line = text("line");
    // it reads SignalFx's and Librato's tags beside telegraf's, as no other does
    let is_exporter = row["peer"] == "statsd_exporter" && row["dialect"] == "telegraf";
    let dialect = if is_exporter { "" } else { &text("dialect") };
    Case {
        peer: text("peer"),
        dialect: Dialect::from_name(dialect.as_bytes()),
        // each character is a byte
        line: line.chars().map(|c| u8::try_from(c).unwrap()).collect(),
        text: line,
        is_valid: row["valid"].as_bool().unwrap(),
        metrics: row["metrics"].as_array().cloned().unwrap_or_default(),
        is_metric: row["kind"] == "metric",
    }
}

impl Case {
    /// What is read otherwise than the server reads it.
    fn differs(&self) -> Option<String> {
        let found: Result<Vec<_>, _> = read(&self.line, self.dialect).collect();
        let problems = self.dialect.map(|dialect| lint::line(dialect, &self.line));
        let problems = problems.unwrap_or_default();
        let items = match (found, self.is_valid) {
            (Err(_), false) => return None,
            (Err(fault), true) => return Some(fault.to_string()),
            (Ok(_), true) if !problems.is_empty() => return Some(problems.join("; ")),
            (Ok(_), false) if !problems.is_empty() => return None,
            (Ok(items), false) => return Some(format!("read as {items:?}")),
            (Ok(items), true) => items,
        };
        let is_metric = items.iter().all(|item| matches!(item, Item::Metric(_)));
        if is_metric != self.is_metric {
            return Some(format!("read as {items:?}"));
        }
        let lines: Vec<_> = items.into_iter().filter_map(Item::metric).collect();
        // some of the servers' tests say that a line is valid and no more
        if self.metrics.is_empty() {
            return None;
        }
        if lines.len() != self.metrics.len() {
            return Some(format!("{} metrics", lines.len()));
        }
        lines.iter().zip(&self.metrics).find_map(|(line, metric)| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let is_set = line.kind == Kind::Set;
            let values: Vec<Value> = match is_set {
                true => line.values().map(|value| text(value).into()).collect(),
                false => line.numbers().map(Value::from).collect(),
            };
            let tags = line.tags.pairs().map(|(key, value)| {
                (text(key), value.map_or(Value::Null, |value| text(value).into()))
            });
            let kind = match line.kind.name() {
                // gostatsd has no histograms beside its timers
                "histogram" if self.peer == "gostatsd" => "timer",
                kind => kind,
            };
            let seen: [(&str, Value); 5] = [
                ("name", text(&line.name).into()),
                ("type", kind.into()),
                ("values", values.into()),
                ("rate", line.rate.into()),
                ("tags", Value::Object(tags.collect())),
            ];
            seen.into_iter().find_map(|(key, value)| {
                let want = &metric[key];
                let differs = !want.is_null() && *want != value;
                differs.then(|| format!("{key} {value}, not {want}"))
            })
        })
    }

    fn exception(&self) -> Option<usize> {
        EXCEPTIONS
            .iter()
            .position(|(peer, lines, _)| *peer == self.peer && lines.contains(&&self.text[..]))
    }
}

#[test]
fn lines_are_read_as_their_servers_read_them() {
    let mut used = vec![0; EXCEPTIONS.len()];
    let cases = cases();
    let wrong: Vec<_> = cases
        .iter()
        .filter_map(|case| match (case.differs(), case.exception()) {
            (None, None) => None,
            (Some(_), Some(exception)) => {
                used[exception] += 1;
                None
            }
            (None, Some(_)) => Some(format!("{}: no exception any more", case.text)),
            (Some(why), None) => {
                Some(format!("{} {:?} {}: {why}", case.peer, case.dialect, case.text))
            }
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert_eq!(cases.len(), 517);
    for ((_, lines, why), used) in EXCEPTIONS.iter().zip(used) {
        assert!(used >= lines.len(), "an exception that no line needs: {why}");
    }
}
