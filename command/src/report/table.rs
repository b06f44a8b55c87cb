//! The table of all metrics.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::fmt::Write;

use crate::dialect::Kind;

use super::collect::{Collection, Track};
use super::figure::figure;
use super::name::natural;
use super::page::escape;
use crate::tally::{Metric, Value};

/// Rows at the most.
const ROWS: usize = 1_000;

const HEAD: &str = "<div class=\"scroll\" tabindex=\"0\"><table class=\"figures\">\n\
    <thead><tr><th>metric</th><th class=\"text\">type</th><th>lines</th><th>in all</th>\
    <th>a second</th><th>newest</th><th>min</th><th>mean</th><th>median</th><th>75 %</th>\
    <th>95 %</th><th>98 %</th><th>99 %</th><th>99.9 %</th><th>max</th></tr></thead>\n<tbody>\n";

/// Columns behind the type.
const FIGURES: usize = 13;

pub fn metrics(collection: &mut Collection) -> String {
    let tracks: HashMap<usize, &Track> = collection.tracks.iter().map(|t| (t.metric, t)).collect();
    let all = collection.tally.metrics.len();
    let seconds = collection.seconds;
    let mut rows: Vec<(usize, &mut Metric)> =
        collection.tally.metrics.iter_mut().enumerate().collect();
    // those that have charts first, should there be too many
    rows.sort_by_key(|(at, _)| !tracks.contains_key(at));
    rows.truncate(ROWS);
    rows.sort_by(|a, b| natural(&a.1.name).cmp(&natural(&b.1.name)));
    let mut html = String::new();
    if all > ROWS {
        let _ = writeln!(
            html,
            "<p class=\"note\">The table has {} of {} metrics.</p>",
            figure(ROWS as f64),
            figure(all as f64)
        );
    }
    html.push_str(HEAD);
    for (at, metric) in rows {
        let cells = row(metric, tracks.get(&at).copied(), seconds);
        let kind = kind(metric.kind);
        let name = escape(&metric.name);
        let _ = write!(html, "<tr><th>{name}</th><td class=\"text\">{kind}</td>");
        for cell in cells {
            let shown = if cell.is_nan() { String::new() } else { figure(cell) };
            let _ = write!(html, "<td>{shown}</td>");
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table></div>");
    html
}

fn row(metric: &mut Metric, track: Option<&Track>, seconds: f64) -> [f64; FIGURES] {
    let none = f64::NAN;
    let rate = |count: f64| if seconds > 0.0 { count / seconds } else { none };
    let overall = track.map(|track| &track.series[0].1.overall);
    let lines = metric.lines as f64;
    let mut row = [none; FIGURES];
    row[0] = lines;
    match &mut metric.value {
        Value::Counter { all, .. } => {
            (row[1], row[2]) = (*all, rate(*all));
        }
        Value::Total { newest, all, .. } => {
            (row[1], row[2], row[3]) = (*all, rate(*all), *newest);
        }
        Value::Gauge { newest } => {
            row[3] = *newest;
            if let Some(overall) = overall {
                (row[4], row[5], row[12]) = (overall.min, overall.mean(), overall.max);
            }
        }
        Value::Members { all, .. } => row[1] = all.len() as f64,
        Value::Samples { newest, all, .. } => {
            if let Some(s) = all.summary() {
                let figures = [
                    s.count,
                    rate(s.count),
                    *newest,
                    s.min,
                    s.mean,
                    s.median,
                    s.p75,
                    s.p95,
                    s.p98,
                    s.p99,
                    s.p999,
                    s.max,
                ];
                row[1..].copy_from_slice(&figures);
            }
        }
    }
    row
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Total => "total",
        Kind::Gauge => "gauge",
        Kind::Timer => "timing, ms",
        Kind::Histogram => "histogram",
        Kind::Set => "set",
    }
}
