//! `struct fripp_metric`: metrics by handle.

use std::ffi::{c_char, c_int};

use crate::context::fast::{Fast, Marked};
use crate::context::{Active, Context};
use crate::ffi::by_name::tick;
use crate::ffi::context::{context, fripp_ctx, is_null, text};
use crate::ffi::guard::{guarded, invalid, status};
use crate::ffi::timer::{NOT_STARTED, elapsed, fripp_timer};
use crate::ffi::types::{kind, type_arg};
use crate::metric::Metric;
use crate::metric::kind::Kind;
use crate::metric::value::Value;

/// A metric of a context, looked up once. Opaque. The context owns it, and
/// frees it when it is destroyed.
#[allow(non_camel_case_types)]
pub struct fripp_metric {
    _opaque: [u8; 0],
}

/// Look up a metric once, so that recording needs no lookup.
///
/// type  the type of the metric
/// name  as for fripp_inc ()
/// tags  "key:value,key2:value2", sent after those of the context, for the
///       dialects that have tags; NULL or "" for none
///
/// The same arguments return the same pointer. It is valid until the context
/// is destroyed, whatever settings change.
///
/// Returns the metric, or NULL with errno:
///
///   EINVAL        ctx or name is NULL, type is unknown, name is empty, or a
///                 tag has no key or an empty value
///   ENOTSUP       the dialect has no tags, or no sets
///   ENAMETOOLONG  the name with its prefix is longer than 240 bytes
///                 (brubeck) or 512, or the tags are longer than 1024
///   ENOSPC        the context has max_metrics metrics already
///   ENOMEM        no memory for one more metric
///
/// May be called from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_metric_get(
    ctx: *mut fripp_ctx,
    r#type: type_arg,
    name: *const c_char,
    tags: *const c_char,
) -> *mut fripp_metric {
    // SAFETY: the caller's context and strings.
    guarded(std::ptr::null_mut(), || unsafe {
        let (context, kind, name) = (context(ctx)?, kind(r#type)?, text(name, "name")?.to_bytes());
        let tags = if tags.is_null() { b"" } else { text(tags, "tags")?.to_bytes() };
        let metric = context.metric_get(kind, name, tags)?;
        Ok((&raw const *metric).cast_mut().cast())
    })
}

/// The metric and its context. A disabled context's metric has none.
///
/// # Safety
/// A live metric or NULL.
#[inline(always)]
unsafe fn owned<'a>(m: *mut fripp_metric) -> Option<(&'a Metric, Option<&'a Context>)> {
    // SAFETY: a metric's owner is its context, which lives as long.
    unsafe {
        let metric = m.cast::<Metric>().as_ref()?;
        Some((metric, metric.owner().cast::<Context>().as_ref()))
    }
}

/// Records by handle, on the fast path if possible.
///
/// # Safety
/// A live metric or NULL.
#[inline(always)]
unsafe fn record(
    m: *mut fripp_metric,
    op: impl FnOnce(&Active, &Metric) -> Marked,
    value: impl FnOnce() -> Value<'static>,
) -> c_int {
    // SAFETY: as above.
    let Some((metric, context)) = (unsafe { owned(m) }) else { return invalid("m is NULL") };
    let Some(context) = context else { return 0 };
    let Some(active) = &context.active else { return 0 };
    match active.try_by_handle(metric, op) {
        Fast::Recorded => 0,
        Fast::NoFlush => tick(context),
        Fast::Slow => slowly(context, metric, value()),
    }
}

#[cold]
#[inline(never)]
fn slowly(context: &Context, metric: &Metric, value: Value<'_>) -> c_int {
    status(|| context.record_to(metric, value))
}

/// Add n to a counter or a gauge.
///
/// Returns 0, or -1 with errno, as all the functions by handle do:
///
///   EINVAL        m is NULL, its type does not take this call, or the server
///                 would not accept the value
///   ENAMETOOLONG  a new prefix has made the name too long
///   EMSGSIZE      the line of this value is longer than a datagram
///   ENOSPC        the metric was forgotten, and the context has max_metrics
///                 metrics already
///   ENOMEM        no memory for the value
///   ERANGE        the sum of a gauge does not fit into 64 bits
///
/// May be called from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_metric_add(m: *mut fripp_metric, n: i64) -> c_int {
    // SAFETY: the caller's metric.
    unsafe { record(m, |active, metric| active.add(metric, n), || Value::Add(n)) }
}

/// Record the value of a gauge, or a running total.
///
/// Returns as fripp_metric_add () does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_metric_set(m: *mut fripp_metric, value: i64) -> c_int {
    // SAFETY: the caller's metric.
    unsafe {
        let is_total = || owned(m).is_some_and(|(metric, _)| metric.kind() == Kind::Total);
        record(
            m,
            |active, metric| active.set(metric, value),
            || if is_total() { Value::Total(value) } else { Value::Set(value) },
        )
    }
}

/// Record the value of a gauge, a real number.
///
/// Returns as fripp_metric_add () does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_metric_set_real(m: *mut fripp_metric, value: f64) -> c_int {
    // SAFETY: the caller's metric.
    unsafe { record(m, |_, _| None, || Value::Real(value)) }
}

/// Record a sample of a timer (in ms) or of a histogram.
///
/// Returns as fripp_metric_add () does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_metric_record(m: *mut fripp_metric, value: f64) -> c_int {
    // SAFETY: the caller's metric.
    unsafe { record(m, |active, metric| active.sample(metric, value), || Value::Sample(value)) }
}

/// Record a member of a set.
///
/// Returns as fripp_metric_add () does, and also with errno:
///
///   EINVAL    member is empty or NULL
///   EMSGSIZE  member does not fit into a datagram
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_metric_unique(m: *mut fripp_metric, member: *const c_char) -> c_int {
    // SAFETY: the caller's metric and string.
    status(|| unsafe {
        let (metric, context) = owned(m).ok_or_else(|| is_null("m"))?;
        let member = text(member, "member")?.to_bytes();
        context.map_or(Ok(()), |context| context.record_to(metric, Value::Member(member)))
    })
}

/// Record the time since a timer was started. The timer keeps running.
///
/// Returns as fripp_metric_add () does, and also with errno:
///
///   EINVAL  t is NULL or was never started
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_metric_stop(m: *mut fripp_metric, t: *const fripp_timer) -> c_int {
    // SAFETY: the caller's metric and timer.
    match unsafe { elapsed(t) } {
        // SAFETY: as above.
        Some(ms) => unsafe { fripp_metric_record(m, ms) },
        None => invalid(NOT_STARTED),
    }
}
