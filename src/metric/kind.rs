//! What was recorded: the types of StatsD's metrics, and running totals.

#![forbid(unsafe_code)]

/// What was recorded: the types of metrics that StatsD distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Events, added up by the server.
    Counter,
    /// A total that the caller keeps.
    Total,
    /// A value at a time.
    Gauge,
    /// A duration in ms.
    Timer,
    /// A distribution of values.
    Histogram,
    /// Distinct members.
    Set,
}

impl Kind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Kind; 6] =
        [Kind::Counter, Kind::Total, Kind::Gauge, Kind::Timer, Kind::Histogram, Kind::Set];

    /// Whether a flush sends one number of it.
    pub fn is_number(self) -> bool {
        matches!(self, Kind::Counter | Kind::Total | Kind::Gauge)
    }

    /// Its name in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Total => "total",
            Kind::Gauge => "gauge",
            Kind::Timer => "timer",
            Kind::Histogram => "histogram",
            Kind::Set => "set",
        }
    }
}
