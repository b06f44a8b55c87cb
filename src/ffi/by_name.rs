//! Metrics by name.

use std::ffi::{CStr, c_char, c_int};

use libc::ssize_t;

use crate::context::fast::{Fast, Marked};
use crate::context::{Active, Context};
use crate::error::Error;
use crate::ffi::context::{context, fripp_ctx, text};
use crate::ffi::guard::{invalid, status};
use crate::ffi::types::{kind, type_arg};
use crate::metric::Metric;
use crate::metric::kind::Kind;
use crate::metric::value::Value;

/// Records by name, on the fast path if possible. The fast path needs no guard,
/// because nothing in it can panic or make a system call.
///
/// # Safety
/// Live or NULL, and a C string or NULL.
#[inline(always)]
unsafe fn record(
    ctx: *mut fripp_ctx,
    kind: Kind,
    name: *const c_char,
    op: impl FnOnce(&Active, &Metric) -> Marked,
    value: impl FnOnce() -> Value<'static>,
) -> c_int {
    // SAFETY: as above.
    let Some(context) = (unsafe { ctx.cast::<Context>().as_ref() }) else {
        return invalid("ctx is NULL");
    };
    if name.is_null() {
        return invalid("name is NULL");
    }
    let Some(active) = &context.active else { return 0 };
    // SAFETY: as above.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes();
    match active.try_by_name(kind, name, op) {
        Fast::Recorded => 0,
        Fast::NoFlush => tick(context),
        Fast::Slow => slowly(context, kind, name, value()),
    }
}

#[cold]
#[inline(never)]
fn slowly(context: &Context, kind: Kind, name: &[u8], value: Value<'_>) -> c_int {
    status(|| context.record(kind, name, value))
}

#[cold]
#[inline(never)]
pub(super) fn tick(context: &Context) -> c_int {
    status(|| {
        context.tick();
        Ok(())
    })
}

/// Add n events to a counter. n may be negative, if the server accepts that.
///
/// name  sent with the prefix before it. Bytes with a meaning to a server
///       (':', '|', '@', '#', ',', ';', '=', '[', ']', '{', '}', white space,
///       control bytes) are sent as '_'; leading, trailing and double dots
///       are left out.
///
/// Returns 0, or -1 with errno, as all the functions by name do:
///
///   EINVAL        ctx or name is NULL, name is empty, or the server would
///                 not accept the value: not a number, infinite, a negative
///                 total, timing or increment
///   ENAMETOOLONG  the name with its prefix is longer than 240 bytes
///                 (brubeck) or 512 (the other dialects)
///   ENOSPC        the context has max_metrics metrics already
///   ENOTSUP       the dialect has no metrics of this type
///   EMSGSIZE      the line of this value is longer than a datagram
///   ENOMEM        no memory for one more metric
///
/// May be called from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_inc(ctx: *mut fripp_ctx, name: *const c_char, n: i64) -> c_int {
    // SAFETY: the caller's context and name.
    unsafe {
        record(ctx, Kind::Counter, name, |active, metric| active.add(metric, n), || Value::Add(n))
    }
}

/// Record a running total that the caller keeps, such as Flux's message
/// counters. This is not an increment: fripp_inc () adds to a counter.
///
/// total  0 or more. The server is sent the difference from the total before.
///        A total that is lower than the one before is a restart, and counts
///        whole; the first one counts from zero.
///
/// With the dialect brubeck the line has the total itself ("C"), which the
/// server subtracts; with the others it has the difference ("c").
///
/// Returns as fripp_inc () does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_count(
    ctx: *mut fripp_ctx,
    name: *const c_char,
    total: ssize_t,
) -> c_int {
    // SAFETY: the caller's context and name.
    unsafe {
        record(
            ctx,
            Kind::Total,
            name,
            |active, metric| active.set_total(metric, total as i64),
            || Value::Total(total as i64),
        )
    }
}

/// Record a gauge, a value that goes up and down.
///
/// value  the value of the gauge, or with inc what is added to it
/// inc    whether value is added to the current value, initially 0
///
/// Returns as fripp_inc () does, and also with errno:
///
///   ERANGE  the sum does not fit into 64 bits; the gauge keeps its value
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_gauge(
    ctx: *mut fripp_ctx,
    name: *const c_char,
    value: ssize_t,
    inc: bool,
) -> c_int {
    let value = value as i64;
    let op = |active: &Active, metric: &Metric| {
        if inc { active.add_to_gauge(metric, value) } else { active.set_gauge(metric, value) }
    };
    let call = || if inc { Value::Add(value) } else { Value::Set(value) };
    // SAFETY: the caller's context and name.
    unsafe { record(ctx, Kind::Gauge, name, op, call) }
}

/// Add n to a gauge: fripp_gauge () with inc, for integers of 64 bits.
///
/// n  added to the current value, initially 0
///
/// Returns as fripp_gauge () does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_gauge_add(
    ctx: *mut fripp_ctx,
    name: *const c_char,
    n: i64,
) -> c_int {
    // SAFETY: the caller's context and name.
    unsafe {
        record(
            ctx,
            Kind::Gauge,
            name,
            |active, metric| active.add_to_gauge(metric, n),
            || Value::Add(n),
        )
    }
}

/// Record a gauge whose value is a real number.
///
/// Returns as fripp_inc () does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_gauge_real(
    ctx: *mut fripp_ctx,
    name: *const c_char,
    value: f64,
) -> c_int {
    // SAFETY: the caller's context and name.
    status(|| unsafe {
        context(ctx)?.record(Kind::Gauge, text(name, "name")?.to_bytes(), Value::Real(value))
    })
}

/// Record a duration of ms milliseconds. Every sample is sent, with at most
/// six decimals.
///
/// Returns as fripp_inc () does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_timing(ctx: *mut fripp_ctx, name: *const c_char, ms: f64) -> c_int {
    // SAFETY: the caller's context and name.
    unsafe {
        record(
            ctx,
            Kind::Timer,
            name,
            |active, metric| active.time(metric, ms),
            || Value::Sample(ms),
        )
    }
}

/// Record a sample of a distribution, of any unit. Every sample is sent.
///
/// Returns as fripp_inc () does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_histogram(
    ctx: *mut fripp_ctx,
    name: *const c_char,
    value: f64,
) -> c_int {
    // SAFETY: the caller's context and name.
    unsafe {
        record(
            ctx,
            Kind::Histogram,
            name,
            |active, metric| active.observe(metric, value),
            || Value::Sample(value),
        )
    }
}

/// Record a member of a set: the server counts the distinct members.
///
/// member  not empty; bytes with a meaning to a server are sent as '_'
///
/// Returns as fripp_inc () does, and also with errno:
///
///   EINVAL    member is empty or NULL
///   EMSGSIZE  member does not fit into a datagram
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_unique(
    ctx: *mut fripp_ctx,
    name: *const c_char,
    member: *const c_char,
) -> c_int {
    // SAFETY: the caller's context and strings.
    status(|| unsafe {
        let (context, name, member) = (context(ctx)?, text(name, "name")?, text(member, "member")?);
        context.record(Kind::Set, name.to_bytes(), Value::Member(member.to_bytes()))
    })
}

/// Record a value of a metric whose type is known only at run time. For a
/// set, the number is the member.
///
/// Returns as fripp_inc () does, and also with errno:
///
///   EINVAL  type is unknown, or the value of a counter or total is not a
///           whole number
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_send(
    ctx: *mut fripp_ctx,
    name: *const c_char,
    value: f64,
    r#type: type_arg,
) -> c_int {
    // SAFETY: the caller's context and name.
    status(|| unsafe {
        let (context, name, kind) = (context(ctx)?, text(name, "name")?, kind(r#type)?);
        context.record_number(kind, name.to_bytes(), value)
    })
}

/// Send what the metrics of this name have pending, of every type and with
/// every tag, and forget them: a gauge is not sent again, and starts from 0.
/// Use this for names that come and go, such as those of jobs. Handles stay
/// valid: what they record next starts from nothing.
///
/// Returns 0, also if there is no such metric, or -1 with errno:
///
///   EINVAL  ctx or name is NULL, or name is empty
///
/// May be called from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_forget(ctx: *mut fripp_ctx, name: *const c_char) -> c_int {
    // SAFETY: the caller's context and name.
    status(|| unsafe {
        let (context, name) = (context(ctx)?, text(name, "name")?.to_bytes());
        if name.is_empty() {
            return Err(Error::Invalid.because(format_args!("the name is empty")));
        }
        context.forget(name)
    })
}
