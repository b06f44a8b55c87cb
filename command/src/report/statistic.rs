//! What is told of a metric for each interval.
#![forbid(unsafe_code)]

use crate::distribution::Summary;
use crate::tally::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// A gauge's, at the end of the interval.
    Value,
    /// What a counter, or a running total, grew by in a second.
    Rate,
    /// Distinct members of a set.
    Distinct,
    P75,
    P95,
    P98,
    P99,
    P999,
    Mean,
    Median,
    /// Samples a second.
    Samples,
    Max,
    Min,
    Sum,
}

/// Those of a timing or histogram.
pub const OF_SAMPLES: [Statistic; 11] = {
    use Statistic::*;
    [P75, P95, P98, P99, P999, Mean, Median, Samples, Max, Min, Sum]
};

pub const PERCENTILES: [Statistic; 5] = {
    use Statistic::*;
    [P75, P95, P98, P99, P999]
};

impl Statistic {
    pub fn label(self) -> &'static str {
        match self {
            Statistic::Value => "value",
            Statistic::Rate => "rate",
            Statistic::Distinct => "distinct members",
            Statistic::P75 => "75 %",
            Statistic::P95 => "95 %",
            Statistic::P98 => "98 %",
            Statistic::P99 => "99 %",
            Statistic::P999 => "99.9 %",
            Statistic::Mean => "mean",
            Statistic::Median => "median",
            Statistic::Samples => "count",
            Statistic::Max => "maximum",
            Statistic::Min => "minimum",
            Statistic::Sum => "sum",
        }
    }

    /// Those that a value has.
    pub fn of(value: &Value) -> &'static [Statistic] {
        match value {
            Value::Counter { .. } | Value::Total { .. } => &[Statistic::Rate],
            Value::Gauge { .. } => &[Statistic::Value],
            Value::Samples { .. } => &OF_SAMPLES,
            Value::Members { .. } => &[Statistic::Distinct],
        }
    }

    /// The figure of an interval without samples is 0 for counts, and none
    /// for all else.
    pub fn of_summary(self, summary: Option<&Summary>, interval: f64) -> f64 {
        let Some(summary) = summary else {
            return if matches!(self, Statistic::Samples | Statistic::Sum) {
                0.0
            } else {
                f64::NAN
            };
        };
        match self {
            Statistic::P75 => summary.p75,
            Statistic::P95 => summary.p95,
            Statistic::P98 => summary.p98,
            Statistic::P99 => summary.p99,
            Statistic::P999 => summary.p999,
            Statistic::Mean => summary.mean,
            Statistic::Median => summary.median,
            Statistic::Samples => summary.count / interval,
            Statistic::Max => summary.max,
            Statistic::Min => summary.min,
            Statistic::Sum => summary.sum,
            Statistic::Value | Statistic::Rate | Statistic::Distinct => f64::NAN,
        }
    }
}
