//! A line of StatsD as a line of JSON.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::{table, wire};

/// What a line says, when it came, and what a server would make of it.
pub fn line(line: &[u8], problems: &[String]) -> String {
    let text = |bytes: &[u8]| Value::from(String::from_utf8_lossy(bytes));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut object = Map::new();
    object.insert("time".to_owned(), json!((now.as_secs_f64() * 1e3).round() / 1e3));
    object.insert("line".to_owned(), text(line));
    if !problems.is_empty() {
        object.insert("problems".to_owned(), json!(problems));
    }
    let mut metrics = Vec::new();
    for part in wire::read(line) {
        match part {
            Err(fault) => {
                object.insert("malformed".to_owned(), Value::from(fault.to_string()));
            }
            Ok(part) => {
                let values: Vec<_> = part
                    .values()
                    .map(|value| match wire::number(value) {
                        Some(number) if part.kind != fripp::metric::kind::Kind::Set => {
                            json!(number)
                        }
                        _ => text(value),
                    })
                    .collect();
                let tags: Map<_, _> = part
                    .tags
                    .pairs()
                    .map(|(key, value)| {
                        let key = String::from_utf8_lossy(key).into_owned();
                        (key, value.map_or(Value::Null, text))
                    })
                    .collect();
                metrics.push(json!({
                    "name": text(part.name),
                    "type": table::kind(part.kind),
                    "values": values,
                    "rate": part.rate,
                    "tags": tags,
                }));
            }
        }
    }
    object.insert("metrics".to_owned(), Value::Array(metrics));
    Value::Object(object).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_line_says() {
        let read: Value = serde_json::from_str(&line(b"a:1:2.5|ms|@0.5|#k:v,l", &[])).unwrap();
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
        let read: Value = serde_json::from_str(&line(b"s:\"\xff\x1b|s\n", &said)).unwrap();
        assert_eq!(read["problems"], json!(["no"]));
        assert_eq!(read["malformed"], "an unknown type (byte 7)");
        let read: Value = serde_json::from_str(&line(b"s:1\"\xff|s", &[])).unwrap();
        assert_eq!(read["metrics"][0]["values"], json!(["1\"\u{fffd}"]));
    }
}
