//! The figures of each metric for a spreadsheet or a program: whole, where
//! those of the page are rounded.
#![forbid(unsafe_code)]

use std::fmt::Write;

use super::collect::Collection;
use super::name::natural;
use crate::statistic::FIGURES;
use crate::tally::{Metric, Value};

/// All metrics by name, those of one name by type; what a metric has not is
/// empty.
pub fn metrics(collection: &mut Collection) -> String {
    let mut metrics: Vec<&mut Metric> = collection.tally.metrics.iter_mut().collect();
    metrics.sort_by(|a, b| {
        natural(&a.name).cmp(&natural(&b.name)).then_with(|| a.kind.name().cmp(b.kind.name()))
    });
    metrics.into_iter().fold(head(), |mut csv, metric| {
        let _ = write!(csv, "{},{},{}", quoted(&metric.name), metric.kind.name(), metric.lines);
        for figure in figures(&mut metric.value) {
            let figure = figure.map(|number| number.to_string()).unwrap_or_default();
            let _ = write!(csv, ",{figure}");
        }
        csv.push('\n');
        csv
    })
}

/// Each metric's statistics over time, a line for each value. Times are in
/// seconds since 1970.
pub fn series(collection: &Collection) -> String {
    let (times, start) = (collection.times, collection.start.unix_us as f64 / 1e6);
    let mut csv = "time,metric,type,statistic,value\n".to_owned();
    for track in &collection.tracks {
        let metric = &collection.tally.metrics[track.metric];
        let (name, kind) = (quoted(&metric.name), metric.kind.name());
        for (statistic, series) in &track.series {
            let values = series.values().iter().enumerate();
            for (row, value) in values.filter(|(_, value)| !value.is_nan()) {
                let (at, label) = (start + times.at(row), statistic.label());
                let _ = writeln!(csv, "{at},{name},{kind},{label},{value}");
            }
        }
    }
    csv
}

fn head() -> String {
    let mut head = "metric,type,lines,all,newest".to_owned();
    for figure in FIGURES {
        let _ = write!(head, ",{}", figure.label());
    }
    head + "\n"
}

/// In the order of the columns.
fn figures(value: &mut Value) -> Vec<Option<f64>> {
    let summary = value.summary();
    let figures = FIGURES.map(|figure| summary.as_ref().map(|summary| figure.of_summary(summary)));
    [value.all(), value.newest()].into_iter().chain(figures).collect()
}

/// A name as RFC 4180 has it. A spreadsheet would run one that begins as a
/// formula does: an apostrophe goes before it.
fn quoted(name: &str) -> String {
    let is_formula = name.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let name = &if is_formula { format!("'{name}") } else { name.to_owned() };
    if name.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_commas_and_quotes_is_one_column() {
        assert_eq!(quoted("a.b;k=v"), "a.b;k=v");
        assert_eq!(quoted("=cmd|'/C calc'!A0"), "'=cmd|'/C calc'!A0");
        assert_eq!(quoted("@SUM(1,2)"), "\"'@SUM(1,2)\"");
        assert_eq!(quoted("a,b=\"c\""), "\"a,b=\"\"c\"\"\"");
    }
}
