//! `struct fripp_timer`: timing asynchronous work.

use std::ffi::{c_char, c_int};

use crate::error::Error;
use crate::ffi::by_name::fripp_timing;
use crate::ffi::context::fripp_ctx;
use crate::ffi::guard::{guarded, invalid};
use crate::sys;

/// The start of asynchronous work. It lives in the struct of the caller's
/// operation, so that any number of operations may run at once. It may be
/// copied, and need not be stopped.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct fripp_timer {
    /// CLOCK_MONOTONIC in ns; 0 if it was never started
    pub t0: u64,
}

/// The reason of a call with a timer that has no beginning.
pub const NOT_STARTED: &str = "t is NULL or was never started";

/// The time since a timer was started, in ms.
///
/// # Safety
/// A timer or NULL.
pub unsafe fn elapsed(t: *const fripp_timer) -> Option<f64> {
    // SAFETY: as above.
    let t0 = unsafe { t.as_ref() }?.t0;
    (t0 != 0).then(|| sys::now().saturating_sub(t0) as f64 / 1e6)
}

fn not_started() -> Error {
    Error::Invalid.because(format_args!("{NOT_STARTED}"))
}

/// Start a timer, again if it was started before. NULL does nothing.
///
/// May be called from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_timer_start(t: *mut fripp_timer) {
    // SAFETY: the caller's timer or NULL.
    if let Some(t) = unsafe { t.as_mut() } {
        t.t0 = sys::now();
    }
}

/// Record the time since a timer was started, as fripp_timing () does. The
/// timer keeps running.
///
/// Returns as fripp_inc () does, and also with errno:
///
///   EINVAL  t is NULL or was never started
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_timer_stop(
    ctx: *mut fripp_ctx,
    name: *const c_char,
    t: *const fripp_timer,
) -> c_int {
    // SAFETY: the caller's context, name and timer.
    match unsafe { elapsed(t) } {
        // SAFETY: as above.
        Some(ms) => unsafe { fripp_timing(ctx, name, ms) },
        None => invalid(NOT_STARTED),
    }
}

/// Return the time since a timer was started.
///
/// Returns the time in ms, or -1.0 with errno:
///
///   EINVAL  t is NULL or was never started
///
/// May be called from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_timer_elapsed(t: *const fripp_timer) -> f64 {
    // SAFETY: the caller's timer or NULL.
    guarded(-1.0, || unsafe { elapsed(t) }.ok_or_else(not_started))
}
