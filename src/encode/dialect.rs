//! Dialects: how the families of StatsD servers differ. Observed on running
//! servers, or read from the source of telegraf and the Datadog agent.

#![forbid(unsafe_code)]

use crate::metric::kind::Kind;

/// A family of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Dialect {
    /// brubeck.
    Brubeck,
    /// etsy's statsd, and whatever is not another.
    Statsd,
    /// The Datadog agent, vector.
    Dogstatsd,
    /// telegraf, InfluxDB's tags.
    Telegraf,
    /// statsd in front of Graphite 1.1's tags.
    Graphite,
}

/// How a dialect writes tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tagging {
    /// Not at all.
    None,
    /// `|#k:v,k2:v2` at the end of the line.
    Suffix,
    /// `name,k=v` or `name;k=v`, with this byte.
    InName(u8),
}

impl Dialect {
    /// The dialect of a URI's name.
    pub fn from_name(name: &[u8]) -> Option<Dialect> {
        Some(match name {
            b"brubeck" => Dialect::Brubeck,
            b"statsd" => Dialect::Statsd,
            b"dogstatsd" => Dialect::Dogstatsd,
            b"telegraf" => Dialect::Telegraf,
            b"graphite" => Dialect::Graphite,
            _ => return None,
        })
    }

    /// Whether a running total goes whole, as `C`. Others would add it up.
    pub fn has_totals(self) -> bool {
        self == Dialect::Brubeck
    }

    /// Whether sets exist.
    pub fn has_sets(self) -> bool {
        self != Dialect::Brubeck
    }

    /// How tags are written.
    pub fn tagging(self) -> Tagging {
        match self {
            Dialect::Brubeck | Dialect::Statsd => Tagging::None,
            Dialect::Dogstatsd => Tagging::Suffix,
            Dialect::Telegraf => Tagging::InName(b','),
            Dialect::Graphite => Tagging::InName(b';'),
        }
    }

    /// Whether several values go in one line, `n:1:2|ms`. Every other server
    /// mangles such a line.
    pub fn packs_values(self) -> bool {
        self == Dialect::Dogstatsd
    }

    /// Whether `-5|g` sets a gauge to -5. Elsewhere it takes 5 away, and the
    /// gauge has to be set to 0 first.
    pub fn has_negative_gauges(self) -> bool {
        self == Dialect::Dogstatsd
    }

    /// The longest name with prefix and tags, in bytes. brubeck dies of 1,024
    /// in line mode, and cuts at 255 in pickle mode.
    pub fn max_name(self) -> usize {
        if self == Dialect::Brubeck { 240 } else { 512 }
    }

    /// The letters behind the `|`.
    pub fn letters(self, kind: Kind) -> &'static [u8] {
        match kind {
            Kind::Counter => b"c",
            Kind::Total if self.has_totals() => b"C",
            Kind::Total => b"c",
            Kind::Gauge => b"g",
            Kind::Timer => b"ms",
            // statsd takes `h` as a counter
            Kind::Histogram if matches!(self, Dialect::Statsd | Dialect::Graphite) => b"ms",
            Kind::Histogram => b"h",
            Kind::Set => b"s",
        }
    }
}
