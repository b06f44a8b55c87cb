//! The enums of the header. What C passes for one is any integer: it is
//! checked before it is one of Rust's.

use std::ffi::c_uint;

use crate::encode::dialect::Dialect;

use crate::error::Error;
use crate::metric::kind::Kind;

/// The types of metrics.
#[allow(non_camel_case_types, clippy::upper_case_acronyms)]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum fripp_type {
    /// events, which the server adds up
    FRIPP_COUNTER,
    /// a running total that the caller keeps
    FRIPP_TOTAL,
    /// a value that goes up and down
    FRIPP_GAUGE,
    /// durations in ms
    FRIPP_TIMER,
    /// a distribution of values of any unit
    FRIPP_HISTOGRAM,
    /// how many distinct members were seen (StatsD's set)
    FRIPP_SET,
}

/// The families of servers.
#[allow(non_camel_case_types, clippy::upper_case_acronyms)]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum fripp_dialect {
    /// brubeck
    FRIPP_BRUBECK,
    /// etsy's statsd, collectd, netdata, statsite and most others
    FRIPP_STATSD,
    /// the Datadog agent
    FRIPP_DOGSTATSD,
    /// telegraf and InfluxDB
    FRIPP_TELEGRAF,
    /// statsd in front of Graphite, with tags
    FRIPP_GRAPHITE,
    /// Vector
    FRIPP_VECTOR,
    /// the OpenTelemetry collector
    FRIPP_OTEL,
    /// Prometheus' statsd_exporter
    FRIPP_EXPORTER,
    /// gostatsd
    FRIPP_GOSTATSD,
}

/// C's `enum fripp_type` as a parameter.
#[allow(non_camel_case_types)]
pub type type_arg = c_uint;

/// C's `enum fripp_dialect` as a parameter.
#[allow(non_camel_case_types)]
pub type dialect_arg = c_uint;

/// The kind of a type's number.
pub fn kind(number: type_arg) -> Result<Kind, Error> {
    let kind = Kind::ALL.get(number as usize).copied();
    kind.ok_or_else(|| Error::Invalid.because(format_args!("unknown type {number}")))
}

/// The dialect of a number.
pub fn dialect(number: dialect_arg) -> Result<Dialect, Error> {
    let dialect = Dialect::ALL.get(number as usize).copied();
    dialect.ok_or_else(|| Error::Invalid.because(format_args!("unknown dialect {number}")))
}

// the numbers of C and of the core are the same
const _: () = {
    assert!(fripp_type::FRIPP_COUNTER as u32 == Kind::Counter as u32);
    assert!(fripp_type::FRIPP_TOTAL as u32 == Kind::Total as u32);
    assert!(fripp_type::FRIPP_GAUGE as u32 == Kind::Gauge as u32);
    assert!(fripp_type::FRIPP_TIMER as u32 == Kind::Timer as u32);
    assert!(fripp_type::FRIPP_HISTOGRAM as u32 == Kind::Histogram as u32);
    assert!(fripp_type::FRIPP_SET as u32 == Kind::Set as u32);
    assert!(fripp_dialect::FRIPP_BRUBECK as u32 == Dialect::Brubeck as u32);
    assert!(fripp_dialect::FRIPP_STATSD as u32 == Dialect::Statsd as u32);
    assert!(fripp_dialect::FRIPP_DOGSTATSD as u32 == Dialect::Dogstatsd as u32);
    assert!(fripp_dialect::FRIPP_TELEGRAF as u32 == Dialect::Telegraf as u32);
    assert!(fripp_dialect::FRIPP_GRAPHITE as u32 == Dialect::Graphite as u32);
    assert!(fripp_dialect::FRIPP_VECTOR as u32 == Dialect::Vector as u32);
    assert!(fripp_dialect::FRIPP_OTEL as u32 == Dialect::Otel as u32);
    assert!(fripp_dialect::FRIPP_EXPORTER as u32 == Dialect::Exporter as u32);
    assert!(fripp_dialect::FRIPP_GOSTATSD as u32 == Dialect::Gostatsd as u32);
};
