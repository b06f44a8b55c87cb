//! A plain table of a tally, for a terminal without cursor, a file or a log.

use std::io::{self, Write};
use std::time::Duration;

use fripp::dialect::Kind;

use crate::distribution::Summary;
use crate::figure::figure;
use crate::tally::{Metric, Seen, Tally, Value};

const NUMBERS: [&str; 5] = ["type", "lines", "newest", "all", "all/s"];
const SAMPLES: [&str; 12] = [
    "count", "count/s", "mean", "median", "p75", "p95", "p98", "p99", "p99.9", "min", "max", "sum",
];

/// The word for a kind.
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Total => "total",
        Kind::Gauge => "gauge",
        Kind::Timer => "timer",
        Kind::Histogram => "histogram",
        Kind::Set => "set",
    }
}

/// Writes all that came in a time: a table of numbers and one of timings and
/// histograms, by name, and what was amiss.
pub fn write(
    out: &mut dyn Write,
    tally: &mut Tally,
    lasted: Duration,
    lost: u64,
) -> io::Result<()> {
    let seconds = lasted.as_secs_f64();
    let mut metrics: Vec<&mut Metric> = tally.metrics.iter_mut().collect();
    metrics.sort_by(|a, b| a.name.cmp(&b.name));
    let width = metrics.iter().map(|metric| metric.name.chars().count()).max();
    let width = width.unwrap_or(0).max("timing, histogram".len());
    let (samples, numbers): (Vec<_>, Vec<_>) =
        metrics.into_iter().partition(|metric| matches!(metric.value, Value::Samples { .. }));
    if !numbers.is_empty() {
        row(out, "metric", width, &NUMBERS.map(str::to_owned))?;
        for metric in numbers {
            row(out, &metric.name, width, &number_cells(metric, seconds))?;
        }
    }
    if !samples.is_empty() {
        row(out, "timing, histogram", width, &SAMPLES.map(str::to_owned))?;
        for metric in samples {
            if let Value::Samples { all, .. } = &mut metric.value
                && let Some(summary) = all.summary()
            {
                let cells = sample_values(&summary, seconds).map(figure);
                row(out, &metric.name, width, &cells)?;
            }
        }
    }
    writeln!(out, "{}", footer(&tally.seen, lost))
}

fn number_cells(metric: &Metric, seconds: f64) -> [String; 5] {
    let (newest, all) = match &metric.value {
        Value::Counter { all, .. } => (None, Some(*all)),
        Value::Total { newest, all, .. } => (Some(*newest), Some(*all)),
        Value::Gauge { newest } => (Some(*newest), None),
        Value::Members { all, .. } => (None, Some(all.len() as f64)),
        Value::Samples { newest, .. } => (Some(*newest), None),
    };
    let shown = |value: Option<f64>| value.map_or("-".to_owned(), figure);
    let rate = all.filter(|_| metric.kind != Kind::Set).map(|all| all / seconds);
    [kind(metric.kind).to_owned(), metric.lines.to_string(), shown(newest), shown(all), shown(rate)]
}

/// In the order of the table's columns.
fn sample_values(summary: &Summary, seconds: f64) -> [f64; 12] {
    let Summary { count, sum, mean, min, max, median, p75, p95, p98, p99, p999 } = *summary;
    [count, count / seconds, mean, median, p75, p95, p98, p99, p999, min, max, sum]
}

fn row(out: &mut dyn Write, name: &str, width: usize, cells: &[String]) -> io::Result<()> {
    write!(out, "{name:width$}")?;
    for cell in cells {
        write!(out, " {cell:>9}")?;
    }
    writeln!(out)
}

/// How much came, and what was amiss, where anything was.
pub fn footer(seen: &Seen, lost: u64) -> String {
    let mut text = format!("{} lines in {} datagrams", seen.lines, seen.datagrams);
    for (n, what) in [
        (seen.malformed, "malformed"),
        (seen.beyond, "of more metrics than are kept"),
        (seen.unkept, "values beyond the memory for percentiles and sets"),
        (lost, "datagrams lost: they came too fast"),
    ] {
        if n > 0 {
            text += &format!(", {n} {what}");
        }
    }
    text
}
