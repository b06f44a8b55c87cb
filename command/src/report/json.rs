//! The series of each metric for a program: times, and a value for each.
#![forbid(unsafe_code)]

use serde_json::{Map, Value, json};

use super::collect::Collection;
use crate::safe;

/// Times are in seconds since 1970, `seconds` is the recording's length, and a
/// value that there is not is null.
pub fn series(collection: &Collection) -> String {
    let times = collection.times;
    let start = collection.start.unix_us as f64 / 1e6;
    let at: Vec<f64> = (0..times.rows()).map(|row| start + times.at(row)).collect();
    let metrics: Vec<Value> = collection
        .tracks
        .iter()
        .map(|track| {
            let metric = &collection.tally.metrics[track.metric];
            let series = track.series.iter().map(|(statistic, series)| {
                // NaN becomes null
                (statistic.label().to_owned(), json!(series.values()))
            });
            json!({
                "name": metric.name,
                "type": metric.kind.name(),
                "series": series.collect::<Map<_, _>>(),
            })
        })
        .collect();
    let all = json!({ "interval": times.interval, "seconds": collection.seconds, "times": at, "metrics": metrics });
    safe::json(&all.to_string()) + "\n"
}
