//! The statistics of metrics and their names: in tables, charts and files.

use crate::distribution::Summary;
use crate::tally::Value;

/// What is known of a metric for an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    Mean,
    Median,
    P75,
    P95,
    P98,
    P99,
    P999,
    Min,
    Max,
    Sum,
    /// Samples per second.
    Count,
    /// A gauge's value at the end of the interval.
    Value,
    /// What a counter or a running total grew by, per second.
    Rate,
    /// Distinct members of a set.
    Members,
}

use Statistic::{Count, Max, Mean, Median, Members, Min, P75, P95, P98, P99, P999, Rate, Sum};

/// The statistics of a timer or histogram, in the order of all tables.
pub const OF_SAMPLES: [Statistic; 11] =
    [Mean, Median, P75, P95, P98, P99, P999, Min, Max, Sum, Count];

/// Those that do not depend on an interval's length.
pub const FIGURES: [Statistic; 10] = [Mean, Median, P75, P95, P98, P99, P999, Min, Max, Sum];

pub const PERCENTILES: [Statistic; 5] = [P75, P95, P98, P99, P999];

impl Statistic {
    pub fn label(self) -> &'static str {
        match self {
            Mean => "mean",
            Median => "median",
            P75 => "p75",
            P95 => "p95",
            P98 => "p98",
            P99 => "p99",
            P999 => "p99.9",
            Min => "min",
            Max => "max",
            Sum => "sum",
            Count => "count/s",
            Statistic::Value => "value",
            Rate => "rate",
            Members => "members",
        }
    }

    /// The statistics that a metric with this value has.
    pub fn of(value: &Value) -> &'static [Statistic] {
        match value {
            Value::Counter { .. } | Value::Total { .. } => &[Rate],
            Value::Gauge { .. } => &[Statistic::Value],
            Value::Samples { .. } => &OF_SAMPLES,
            Value::Members { .. } => &[Members],
        }
    }

    /// The statistic of an interval's samples, counts and sums per second;
    /// without samples these are 0 and all others are NaN.
    pub fn of_samples(self, summary: Option<&Summary>, seconds: f64) -> f64 {
        match summary {
            Some(summary) if self == Count => summary.count / seconds,
            Some(summary) if self == Sum => summary.sum / seconds,
            Some(summary) => self.of_summary(summary),
            None if matches!(self, Count | Sum) => 0.0,
            None => f64::NAN,
        }
    }

    /// One of `FIGURES`; NaN for others.
    pub fn of_summary(self, summary: &Summary) -> f64 {
        match self {
            Mean => summary.mean,
            Median => summary.median,
            P75 => summary.p75,
            P95 => summary.p95,
            P98 => summary.p98,
            P99 => summary.p99,
            P999 => summary.p999,
            Min => summary.min,
            Max => summary.max,
            Sum => summary.sum,
            Count | Statistic::Value | Rate | Members => f64::NAN,
        }
    }
}
