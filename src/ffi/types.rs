//! The enums of the header. What C passes for one is any integer: it is
//! checked before it is one of Rust's.

use std::ffi::c_uint;

use crate::encode::dialect::Dialect;
use crate::encode::event::{Alert, Status};
use crate::error::Error;
use crate::metric::kind::Kind;

/// The types of metrics.
#[allow(non_camel_case_types, clippy::upper_case_acronyms)]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum fripp_type {
    /// a number of events, which the server adds up
    FRIPP_COUNTER,
    /// a running total that the caller keeps
    FRIPP_TOTAL,
    /// a value that goes up and down
    FRIPP_GAUGE,
    /// durations in ms
    FRIPP_TIMER,
    /// a distribution of values of any unit
    FRIPP_HISTOGRAM,
    /// a set: the server counts its distinct members
    FRIPP_SET,
}

/// The forms of lines, by the servers that read them.
#[allow(non_camel_case_types, clippy::upper_case_acronyms)]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum fripp_dialect {
    /// brubeck
    FRIPP_BRUBECK,
    /// etsy's statsd, netdata, statsite and most others (a URI's
    /// dialect=collectd has the form of collectd)
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

/// How an event is shown.
#[allow(non_camel_case_types, clippy::upper_case_acronyms)]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum fripp_alert {
    /// information
    FRIPP_ALERT_INFO,
    /// something went well
    FRIPP_ALERT_SUCCESS,
    /// a warning
    FRIPP_ALERT_WARNING,
    /// an error
    FRIPP_ALERT_ERROR,
}

/// What a service check found.
#[allow(non_camel_case_types, clippy::upper_case_acronyms)]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub enum fripp_status {
    /// the service works
    FRIPP_STATUS_OK,
    /// it works, with a warning
    FRIPP_STATUS_WARNING,
    /// it does not work
    FRIPP_STATUS_CRITICAL,
    /// the check could not find out
    FRIPP_STATUS_UNKNOWN,
}

/// C's `enum fripp_type` as a parameter.
#[allow(non_camel_case_types)]
pub type type_arg = c_uint;

/// C's `enum fripp_dialect` as a parameter.
#[allow(non_camel_case_types)]
pub type dialect_arg = c_uint;

/// C's `enum fripp_alert` as a parameter.
#[allow(non_camel_case_types)]
pub type alert_arg = c_uint;

/// C's `enum fripp_status` as a parameter.
#[allow(non_camel_case_types)]
pub type status_arg = c_uint;

/// The kind of a type's number.
pub fn kind(number: type_arg) -> Result<Kind, Error> {
    let kind = Kind::ALL.get(number as usize).copied();
    kind.ok_or_else(|| Error::Invalid.because(format_args!("unknown type {number}")))
}

/// The dialect of a number.
pub fn dialect(number: dialect_arg) -> Result<Dialect, Error> {
    let dialect = Dialect::ALL.get(number as usize).copied();
    let dialect = dialect.filter(|dialect| *dialect != Dialect::Collectd);
    dialect.ok_or_else(|| Error::Invalid.because(format_args!("unknown dialect {number}")))
}

/// The alert of a number.
pub fn alert(number: alert_arg) -> Result<Alert, Error> {
    let alert = Alert::ALL.get(number as usize).copied();
    alert.ok_or_else(|| Error::Invalid.because(format_args!("unknown alert {number}")))
}

/// The status of a number.
pub fn check_status(number: status_arg) -> Result<Status, Error> {
    let status = Status::ALL.get(number as usize).copied();
    status.ok_or_else(|| Error::Invalid.because(format_args!("unknown status {number}")))
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
    assert!(fripp_alert::FRIPP_ALERT_INFO as u32 == Alert::Info as u32);
    assert!(fripp_alert::FRIPP_ALERT_SUCCESS as u32 == Alert::Success as u32);
    assert!(fripp_alert::FRIPP_ALERT_WARNING as u32 == Alert::Warning as u32);
    assert!(fripp_alert::FRIPP_ALERT_ERROR as u32 == Alert::Error as u32);
    assert!(fripp_status::FRIPP_STATUS_OK as u32 == Status::Ok as u32);
    assert!(fripp_status::FRIPP_STATUS_WARNING as u32 == Status::Warning as u32);
    assert!(fripp_status::FRIPP_STATUS_CRITICAL as u32 == Status::Critical as u32);
    assert!(fripp_status::FRIPP_STATUS_UNKNOWN as u32 == Status::Unknown as u32);
};
