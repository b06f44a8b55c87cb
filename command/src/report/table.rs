//! The table of all metrics.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::fmt::Write;

use super::collect::Collection;
use super::name::natural;
use super::page::escape;
use super::track::Track;
use crate::figure::grouped;
use crate::statistic::{FIGURES, Statistic};
use crate::tally::{Metric, Value};

/// A table has at most so many rows.
const ROWS: usize = 1_000;

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
            grouped(ROWS as f64),
            grouped(all as f64)
        );
    }
    html.push_str(
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"figures\">\n<thead><tr><th>metric</th>\
         <th class=\"text\">type</th><th>lines</th><th>all</th><th>all/s</th><th>newest</th>",
    );
    for figure in FIGURES {
        let _ = write!(html, "<th>{}</th>", figure.label());
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for (at, metric) in rows {
        let cells = row(metric, tracks.get(&at).copied(), seconds);
        let kind = metric.kind.name();
        let name = escape(&metric.name);
        let _ = write!(html, "<tr><th>{name}</th><td class=\"text\">{kind}</td>");
        for cell in cells {
            let shown = if cell.is_nan() { String::new() } else { grouped(cell) };
            let _ = write!(html, "<td>{shown}</td>");
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table></div>");
    html
}

/// The figures of the columns after the type; NaN where there is none.
fn row(metric: &mut Metric, track: Option<&Track>, seconds: f64) -> Vec<f64> {
    let Metric { value, lines, .. } = metric;
    let some = |figure: Option<f64>| figure.unwrap_or(f64::NAN);
    let mut row = vec![*lines as f64];
    row.extend([value.all(), value.rate(seconds), value.newest()].map(some));
    let overall = track.map(|track| &track.series[0].1.overall);
    let overall = overall.filter(|_| matches!(value, Value::Gauge { .. }));
    let summary = value.summary();
    row.extend(FIGURES.map(|figure| match (&summary, overall) {
        (Some(summary), _) => figure.of_summary(summary),
        (None, Some(overall)) => match figure {
            Statistic::Min => overall.min,
            Statistic::Mean => overall.mean(),
            Statistic::Max => overall.max,
            _ => f64::NAN,
        },
        (None, None) => f64::NAN,
    }));
    row
}
