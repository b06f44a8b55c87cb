//! `struct fripp_stats`: what a context counted.

use std::ffi::{c_int, c_void};

use crate::error::Error;
use crate::ffi::context::{context, fripp_ctx};
use crate::ffi::guard::status;

/// What a context counted since it was created. New fields come at the end.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct fripp_stats {
    /// lines that the kernel took
    pub lines: u64,
    /// datagrams that the kernel took
    pub datagrams: u64,
    /// bytes that the kernel took
    pub bytes: u64,
    /// lines lost, for any reason: the sum of the next four
    pub dropped: u64,
    /// lines that no server could read
    pub dropped_invalid: u64,
    /// lines longer than a datagram
    pub dropped_oversize: u64,
    /// lines for which there was no room or no memory
    pub dropped_full: u64,
    /// lines refused after they were sent, or waiting at the context's end
    pub dropped_send: u64,
    /// bytes waiting
    pub pending: u64,
    /// errors of sending that the kernel reported
    pub send_errors: u64,
    /// sockets opened after the first one
    pub reconnects: u64,
    /// look-ups of a host's name that ended, well or not
    pub resolutions: u64,
}

/// Read what a context counted.
///
/// stats  where to write it
/// size   sizeof (*stats) as the caller knows it: at most so many bytes are
///        written, and what the library does not know is zeroed
///
/// Returns 0, or -1 with errno:
///
///   EINVAL  ctx or stats is NULL, or size is 0
///
/// May be called from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_get_stats(
    ctx: *const fripp_ctx,
    stats: *mut fripp_stats,
    size: usize,
) -> c_int {
    status(|| {
        // SAFETY: a live context or NULL.
        let context = unsafe { context(ctx) }?;
        if stats.is_null() || size == 0 {
            return Err(Error::Invalid.because(format_args!("stats is NULL, or size is 0")));
        }
        let (counted, pending) = context.stats();
        let known = fripp_stats {
            lines: counted.lines,
            datagrams: counted.datagrams,
            bytes: counted.bytes,
            dropped: counted.dropped(),
            dropped_invalid: counted.dropped_invalid,
            dropped_oversize: counted.dropped_oversize,
            dropped_full: counted.dropped_full,
            dropped_send: counted.dropped_send,
            pending: pending as u64,
            send_errors: counted.send_errors,
            reconnects: counted.reconnects,
            resolutions: counted.resolutions,
        };
        let (out, common) = (stats.cast::<c_void>(), size.min(size_of::<fripp_stats>()));
        // SAFETY: the caller has `size` bytes at `stats`.
        unsafe {
            libc::memset(out, 0, size);
            libc::memcpy(out, (&raw const known).cast(), common);
        }
        Ok(())
    })
}
