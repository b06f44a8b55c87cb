//! Two recordings beside each other: the figures of each metric, and by how
//! much they differ.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::io;

use regex::Regex;

use super::collect::Collection;
use super::name::natural;
use crate::figure::short;
use crate::statistic::Statistic;
use crate::table::Table;
use crate::tally::Value;

/// The statistics of timers and histograms that are compared.
const OF_SAMPLES: [Statistic; 5] =
    [Statistic::Mean, Statistic::Median, Statistic::P95, Statistic::P99, Statistic::Max];

/// A metric's name, type and statistic.
pub type Key = (String, &'static str, &'static str);

/// What two recordings have of one figure; NaN where it is missing.
#[derive(Debug, PartialEq)]
pub struct Difference {
    pub key: Key,
    pub before: f64,
    pub after: f64,
}

impl Difference {
    /// In percent of the first; a figure that one recording lacks differs
    /// without limit.
    pub fn percent(&self) -> f64 {
        match (self.before, self.after) {
            (before, after) if before == after => 0.0,
            (before, after) if before.is_nan() || after.is_nan() => f64::INFINITY,
            (before, after) => (after - before) / before.abs() * 100.0,
        }
    }

    /// The same for a reader: a dash without a limit.
    pub fn change(&self) -> String {
        match self.percent() {
            percent if percent.is_finite() => format!("{percent:+.1} %"),
            _ => "-".to_owned(),
        }
    }

    pub fn exceeds(&self, bound: f64) -> bool {
        self.percent().abs() > bound
    }
}

/// The differences of the metrics that match any of the patterns, or of all.
pub fn differences(
    before: &mut Collection,
    after: &mut Collection,
    patterns: &[Regex],
) -> Vec<Difference> {
    let (before, after) = (figures(before), figures(after));
    let keys = before.keys().chain(after.keys().filter(|key| !before.contains_key(key)));
    let is_wanted = |name: &str| patterns.is_empty() || patterns.iter().any(|re| re.is_match(name));
    let of = |figures: &BTreeMap<Key, f64>, key| figures.get(key).copied().unwrap_or(f64::NAN);
    let mut all: Vec<Difference> = keys
        .filter(|key| is_wanted(&key.0))
        .map(|key| Difference {
            key: key.clone(),
            before: of(&before, key),
            after: of(&after, key),
        })
        .collect();
    // a metric's statistics stay in their order
    all.sort_by(|a, b| (natural(&a.key.0), a.key.1).cmp(&(natural(&b.key.0), b.key.1)));
    all
}

/// Writes a row for each; `width` is the terminal's.
pub fn write(
    out: &mut dyn io::Write,
    differences: &[Difference],
    width: Option<usize>,
) -> io::Result<()> {
    let mut table = Table::new("metric", &["type", "statistic", "before", "after", "change"]);
    for difference in differences {
        let (name, kind, statistic) = &difference.key;
        let change = difference.change();
        let [before, after] = [difference.before, difference.after].map(short);
        table.add(name, vec![(*kind).to_owned(), (*statistic).to_owned(), before, after, change]);
    }
    table.write(out, width)
}

/// What does not depend on a recording's length: rates, means, percentiles.
fn figures(collection: &mut Collection) -> BTreeMap<Key, f64> {
    let seconds = collection.seconds;
    let mut figures = BTreeMap::new();
    for track in &collection.tracks {
        let metric = &collection.tally.metrics[track.metric];
        if matches!(metric.value, Value::Gauge { .. }) {
            let key = (metric.name.clone(), metric.kind.name(), Statistic::Mean.label());
            figures.insert(key, track.series[0].1.overall.mean());
        }
    }
    for metric in &mut collection.tally.metrics {
        let key = |statistic| (metric.name.clone(), metric.kind.name(), statistic);
        if let Some(rate) = metric.value.rate(seconds) {
            let is_sampled = matches!(metric.value, Value::Samples { .. });
            let statistic = if is_sampled { Statistic::Count } else { Statistic::Rate };
            figures.insert(key(statistic.label()), rate);
        }
        if let Value::Members { all, .. } = &metric.value {
            figures.insert(key(Statistic::Members.label()), all.len() as f64);
        }
        if let Value::Samples { all, .. } = &mut metric.value
            && let Some(summary) = all.summary()
        {
            let of =
                |statistic: Statistic| (key(statistic.label()), statistic.of_summary(&summary));
            figures.extend(OF_SAMPLES.map(of));
        }
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_in_percent() {
        let percent = |before, after| {
            Difference { key: (String::new(), "gauge", "mean"), before, after }.percent()
        };
        assert_eq!(percent(4.0, 5.0), 25.0);
        assert_eq!(percent(-4.0, -5.0), -25.0);
        assert_eq!(percent(0.0, 0.0), 0.0);
        assert_eq!(percent(0.0, 1.0), f64::INFINITY);
        assert_eq!(percent(1.0, f64::NAN), f64::INFINITY);
    }
}
