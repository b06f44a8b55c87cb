//! Lines: a metric's values in the bytes of a dialect.

#![forbid(unsafe_code)]

use crate::encode::dialect::Tagging;
use crate::encode::number;
use crate::encode::settings::Settings;
use crate::encode::tags;
use crate::metric::Metric;
use crate::metric::kind::Kind;
use crate::metric::value::{Number, Taken};

/// Stands for a total of 0, after which brubeck would lose the first step.
const LEAST_TOTAL: &[u8] = b"0.000000001";

/// Writes what stands before the value: `prefix.name:`, with tags where they
/// belong into the name.
pub fn head(out: &mut Vec<u8>, settings: &Settings, metric: &Metric) {
    let form = settings.dialect.form();
    let start = out.len();
    out.extend_from_slice(&settings.prefix);
    out.extend_from_slice(metric.name());
    if form.reserved_names && is_reserved(&out[start..]) {
        out.remove(start);
    }
    if let Tagging::InName(separator) = form.tags {
        tags::write_in_name(separator, &settings.tags, metric.tags(), out);
    }
    out.push(b':');
}

/// Whether a line that begins so is something else to some servers.
pub fn is_reserved(start: &[u8]) -> bool {
    start.starts_with(b"_sc") || start.starts_with(b"_e")
}

/// Writes what follows the value: `|ms|@0.5|#k:v`, for a value that
/// stands for `k`, of a metric with these tags.
pub fn tail(out: &mut Vec<u8>, settings: &Settings, own_tags: &[u8], kind: Kind, k: u32) {
    out.push(b'|');
    out.extend_from_slice(settings.dialect.letters(kind, settings.distributions));
    if k > 1 && settings.dialect.form().rates {
        out.extend_from_slice(b"|@");
        number::rate(out, k);
    }
    suffix(out, settings, own_tags);
}

/// Writes the tags that stand at the end of a line, and where it comes from.
pub fn suffix(out: &mut Vec<u8>, settings: &Settings, own_tags: &[u8]) {
    let form = settings.dialect.form();
    let before = out.len();
    if form.tags == Tagging::Suffix {
        tags::write_suffix(form, &settings.tags, own_tags, out);
    }
    if form.origins {
        settings.origin.write(out.len() > before, out);
    }
}

fn line(
    out: &mut Vec<u8>,
    settings: &Settings,
    metric: &Metric,
    kind: Kind,
    value: impl FnOnce(&mut Vec<u8>),
) {
    out.push(b'\n');
    head(out, settings, metric);
    value(out);
    tail(out, settings, metric.tags(), kind, 1);
}

/// Writes a line with an integer, a newline in front.
pub fn integer(out: &mut Vec<u8>, settings: &Settings, metric: &Metric, kind: Kind, value: i64) {
    line(out, settings, metric, kind, |out| number::integer(out, value));
}

/// Writes what was taken from a counter, total or gauge, a newline in front of
/// each line. The number of lines, which belong into one datagram.
pub fn numbers(out: &mut Vec<u8>, settings: &Settings, metric: &Metric, taken: Taken) -> u64 {
    match taken {
        Taken::Nothing => 0,
        Taken::Sum(sum) => {
            // what a total grew by goes as a counter, too
            integer(out, settings, metric, Kind::Counter, sum);
            1
        }
        Taken::LargeSum(sum) => pieces(out, settings, metric, sum),
        Taken::Total { before, growth, total, known } => {
            whole_total(out, settings, metric, (before, growth, total), known)
        }
        Taken::Gauge(value) => {
            let zero = value.is_negative() && !settings.dialect.form().negative_gauges;
            if zero {
                line(out, settings, metric, Kind::Gauge, |out| out.push(b'0'));
            }
            line(out, settings, metric, Kind::Gauge, |out| write(out, value));
            1 + u64::from(zero)
        }
    }
}

/// Whether the metric is sent as the value that it has, not as a difference.
pub fn is_whole(settings: &Settings, metric: &Metric) -> bool {
    match metric.kind() {
        Kind::Gauge => true,
        Kind::Total => settings.dialect.form().totals,
        _ => false,
    }
}

/// Writes a sample's value.
pub fn sample(out: &mut Vec<u8>, kind: Kind, value: f64) {
    if kind == Kind::Timer { number::timing(out, value) } else { number::real(out, value) }
}

/// A total for a server that adds up from one to the next, and takes a lower
/// one for a restart. It adds nothing after the first that it sees, nor after
/// one of 0: so none is 0, and one that it does not know is opened with what
/// it grows from. One that restarted since the last flush is led up to what it
/// would be without, so that the server adds up what the calls did.
fn whole_total(
    out: &mut Vec<u8>,
    settings: &Settings,
    metric: &Metric,
    (before, growth, total): (i64, i128, i64),
    known: bool,
) -> u64 {
    let mut lines = 0;
    let mut write = |total: i128| {
        line(out, settings, metric, Kind::Total, |out| match total {
            0 => out.extend_from_slice(LEAST_TOTAL),
            total => number::integer(out, total),
        });
        lines += 1;
    };
    let (before, whole) = (i128::from(before), i128::from(total));
    if !known && growth > 0 {
        write(before);
    }
    if growth > whole - before {
        let top = before + growth - whole;
        if top > before {
            write(top);
        }
        if top <= whole && whole > 0 {
            write(0);
        }
    }
    write(whole);
    lines
}

/// Writes a sum in lines of 64 bits each.
fn pieces(out: &mut Vec<u8>, settings: &Settings, metric: &Metric, mut sum: i128) -> u64 {
    let mut lines = 0;
    while sum != 0 {
        let part = sum.clamp(i64::MIN.into(), i64::MAX.into());
        sum -= part;
        integer(out, settings, metric, Kind::Counter, part as i64);
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
