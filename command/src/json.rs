//! A line of StatsD as a line of JSON.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::dialect::{Dialect, Kind};
use crate::wire::{Check, Event, Item, Line, Tags};
use crate::{safe, wire};

/// What a line says, when it came and from where, and what a server would make
/// of it.
pub fn line(
    line: &[u8],
    from: Option<&str>,
    dialect: Option<Dialect>,
    problems: &[String],
) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut object = Map::new();
    let mut insert = |key: &str, value: Value| object.insert(key.to_owned(), value);
    insert("time", json!((now.as_secs_f64() * 1e3).round() / 1e3));
    insert("line", text(line));
    if let Some(from) = from {
        insert("from", Value::from(from));
    }
    if !problems.is_empty() {
        insert("problems", json!(problems));
    }
    let mut metrics = Vec::new();
    for part in wire::read(line, dialect) {
        match part {
            Err(fault) => {
                insert("malformed", Value::from(fault.to_string()));
            }
            Ok(Item::Event(Event { title, text: said })) => {
                insert("event", json!({ "title": text(title), "text": text(said) }));
            }
            Ok(Item::Check(Check { name, status })) => {
                insert("check", json!({ "name": text(name), "status": status }));
            }
            Ok(Item::Metric(part)) => metrics.push(metric(&part, dialect)),
        }
    }
    insert("metrics", Value::Array(metrics));
    safe::json(&Value::Object(object).to_string())
}

fn metric(part: &Line<'_>, dialect: Option<Dialect>) -> Value {
    let values = part.values().map(|value| match wire::number(value) {
        Some(number) if part.kind != Kind::Set => json!(number),
        _ => text(value),
    });
    let mut metric = json!({
        "name": text(&part.name),
        "type": part.kind.name(),
        "values": values.collect::<Vec<_>>(),
        "rate": part.rate,
        "tags": tags(&part.tags),
    });
    let has_steps =
        part.kind == Kind::Gauge && !dialect.is_some_and(|dialect| dialect.form().negative_gauges);
    if has_steps && part.values().any(wire::has_sign) {
        let steps: Vec<_> = part.values().map(wire::has_sign).collect();
        metric["steps"] = json!(steps);
    }
    metric
}

/// An object; a key that comes several times has an array of its values.
fn tags(tags: &Tags<'_>) -> Value {
    let mut object = Map::new();
    for (key, value) in tags.pairs() {
        let value = value.map_or(Value::Null, text);
        let key = String::from_utf8_lossy(key).into_owned();
        match object.get_mut(&key) {
            None => {
                object.insert(key, value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = json!([first.take(), value]),
        }
    }
    Value::Object(object)
}

fn text(bytes: &[u8]) -> Value {
    Value::from(String::from_utf8_lossy(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_line_says() {
        let read: Value =
            serde_json::from_str(&line(b"a:1:2.5|ms|@0.5|#k:v,l", None, None, &[])).unwrap();
        let want = json!([{
            "name": "a", "type": "timer", "values": [1.0, 2.5], "rate": 0.5,
            "tags": { "k": "v", "l": null },
        }]);
        assert_eq!(read["metrics"], want);
        assert_eq!(read["line"], "a:1:2.5|ms|@0.5|#k:v,l");
        assert!(read["time"].as_f64().unwrap() > 1.6e9);
        assert!(read.get("malformed").is_none() && read.get("problems").is_none());
    }

    #[test]
    fn what_is_wrong_with_it() {
        let said = ["no".to_owned()];
        let read: Value =
            serde_json::from_str(&line(b"s:\"\xff\x1b|s\n", None, None, &said)).unwrap();
        assert_eq!(read["problems"], json!(["no"]));
        assert_eq!(read["malformed"], "an unknown type (byte 7)");
        let read: Value = serde_json::from_str(&line(b"s:1\"\xff|s", None, None, &[])).unwrap();
        assert_eq!(read["metrics"][0]["values"], json!(["1\"\u{fffd}"]));
    }

    fn read(text: &[u8], dialect: Option<Dialect>) -> Value {
        serde_json::from_str(&line(text, None, dialect, &[])).unwrap()
    }

    #[test]
    fn steps_and_tags_that_come_twice() {
        assert_eq!(read(b"a:+5|g", None)["metrics"][0]["steps"], json!([true]));
        assert!(read(b"a:5|g", None)["metrics"][0].get("steps").is_none());
        assert!(read(b"a:+5|g", Some(Dialect::Dogstatsd))["metrics"][0].get("steps").is_none());
        let tags = &read(b"a:1|c|#k:v,k:w,k,l:x", None)["metrics"][0]["tags"];
        assert_eq!(*tags, json!({ "k": ["v", "w", null], "l": "x" }));
    }

    #[test]
    fn events_and_checks() {
        let event = read(b"_e{5,4}:title|text|p:low", None);
        assert_eq!(event["event"], json!({ "title": "title", "text": "text" }));
        let check = read(b"_sc|a.b|2|m:gone", None);
        assert_eq!(check["check"], json!({ "name": "a.b", "status": 2 }));
        assert!(read(b"_sc|a.b|2", Some(Dialect::Statsd)).get("malformed").is_some());
    }
}
