//! Lines: a metric's values in the bytes of a dialect.

#![forbid(unsafe_code)]

use crate::encode::dialect::Tagging;

use crate::encode::number;
use crate::encode::settings::Settings;
use crate::encode::tags;
use crate::metric::Metric;
use crate::metric::kind::Kind;
use crate::metric::value::Number;

/// Writes what stands before the value: `prefix.name:`, with tags where they
/// belong into the name.
pub fn head(out: &mut Vec<u8>, settings: &Settings, metric: &Metric) {
    out.extend_from_slice(&settings.prefix);
    out.extend_from_slice(metric.name());
    if let Tagging::InName(separator) = settings.dialect.tagging() {
        tags::write_in_name(&settings.tags, separator, out);
        tags::write_in_name(metric.tags(), separator, out);
    }
    out.push(b':');
}

/// Writes what stands behind the value: `|ms|@0.5|#k:v`, for a value that
/// stands for `k`.
pub fn tail(out: &mut Vec<u8>, settings: &Settings, metric: &Metric, kind: Kind, k: u32) {
    out.push(b'|');
    out.extend_from_slice(settings.dialect.letters(kind));
    if k > 1 {
        out.extend_from_slice(b"|@");
        number::rate(out, k);
    }
    if settings.dialect.tagging() == Tagging::Suffix {
        let mut lead = &b"|#"[..];
        for tags in [&settings.tags[..], metric.tags()] {
            if !tags.is_empty() {
                out.extend_from_slice(lead);
                out.extend_from_slice(tags);
                lead = b",";
            }
        }
    }
}

fn line(
    out: &mut Vec<u8>,
    settings: &Settings,
    metric: &Metric,
    kind: Kind,
    value: impl FnOnce(&mut Vec<u8>),
) {
    if !out.is_empty() {
        out.push(b'\n');
    }
    head(out, settings, metric);
    value(out);
    tail(out, settings, metric, kind, 1);
}

/// Writes what a counter, total or gauge has to say since the last flush, and
/// takes it from the metric. The number of lines, which belong into one
/// datagram. With `refresh` a gauge or total says what it said before.
pub fn numbers(
    out: &mut Vec<u8>,
    settings: &Settings,
    metric: &Metric,
    refresh: bool,
) -> (u64, Option<Number>) {
    match metric.kind() {
        Kind::Counter => (counter(out, settings, metric), None),
        Kind::Total if settings.dialect.has_totals() => total(out, settings, metric, refresh),
        Kind::Total => {
            let Some((_, growth, _)) = metric.take_growth() else { return (0, None) };
            (pieces(out, settings, metric, Kind::Total, growth), None)
        }
        Kind::Gauge => {
            let value = metric.gauge();
            if metric.was_sent(value) && !refresh {
                return (0, None);
            }
            let zero = value.is_negative() && !settings.dialect.has_negative_gauges();
            if zero {
                line(out, settings, metric, Kind::Gauge, |out| out.push(b'0'));
            }
            line(out, settings, metric, Kind::Gauge, |out| write(out, value));
            (1 + u64::from(zero), Some(value))
        }
        Kind::Timer | Kind::Histogram | Kind::Set => (0, None),
    }
}

/// Whether the metric is sent as the value that it has, not as a difference.
pub fn is_whole(settings: &Settings, metric: &Metric) -> bool {
    match metric.kind() {
        Kind::Gauge => true,
        Kind::Total => settings.dialect.has_totals(),
        _ => false,
    }
}

/// Writes a sample's value.
pub fn sample(out: &mut Vec<u8>, kind: Kind, value: f64) {
    if kind == Kind::Timer { number::timing(out, value) } else { number::real(out, value) }
}

/// A total for a server that adds up from one to the next, and takes a lower
/// one for a restart. One that restarted since the last flush is led up to
/// what it would be without, so that the server adds up what the calls did.
fn total(
    out: &mut Vec<u8>,
    settings: &Settings,
    metric: &Metric,
    refresh: bool,
) -> (u64, Option<Number>) {
    let known = metric.has_been_sent();
    let Some((total, growth, before)) = metric.take_growth() else { return (0, None) };
    if known && growth == 0 && total == before && !refresh {
        return (0, None);
    }
    let mut lines = 0;
    let mut write = |total: i128| {
        line(out, settings, metric, Kind::Total, |out| number::integer(out, total));
        lines += 1;
    };
    let (before, whole) = (i128::from(before), i128::from(total));
    if growth > whole - before {
        let top = before + growth - whole;
        if top > before {
            write(top);
        }
        if top <= whole && whole > 0 {
            // rather 1 than 0: brubeck loses the step from 0
            write(i128::from(whole > 1));
        }
    }
    write(whole);
    (lines, Some(Number::Integer(total)))
}

fn counter(out: &mut Vec<u8>, settings: &Settings, metric: &Metric) -> u64 {
    match metric.take_sum() {
        (0, 0) => 0,
        (sum, 0) => {
            line(out, settings, metric, Kind::Counter, |out| number::integer(out, sum));
            1
        }
        (low, carries) => {
            let sum = i128::from(low) + (i128::from(carries) << 64);
            pieces(out, settings, metric, Kind::Counter, sum)
        }
    }
}

/// Writes a sum in lines of 64 bits each.
fn pieces(
    out: &mut Vec<u8>,
    settings: &Settings,
    metric: &Metric,
    kind: Kind,
    mut sum: i128,
) -> u64 {
    let mut lines = 0;
    while sum != 0 {
        let part = sum.clamp(i64::MIN.into(), i64::MAX.into());
        sum -= part;
        line(out, settings, metric, kind, |out| number::integer(out, part as i64));
        lines += 1;
    }
    lines
}

fn write(out: &mut Vec<u8>, value: Number) {
    match value {
        Number::Integer(value) => number::integer(out, value),
        Number::Real(value) => number::real(out, value),
    }
}
