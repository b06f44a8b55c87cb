//! What a context has pending, and `struct fripp_stats`: what it counted.

use std::ffi::{c_int, c_void};

use crate::error::Error;
use crate::ffi::context::{context, fripp_ctx};
use crate::ffi::guard::status;

/// What a context counted since it was created. New versions add fields at
/// the end.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct fripp_stats {
    /// lines that the kernel accepted
    pub lines: u64,
    /// datagrams that the kernel accepted; of a stream, what would be one
    pub datagrams: u64,
    /// bytes that the kernel accepted
    pub bytes: u64,
    /// lines lost, for any reason: the sum of the next four
    pub dropped: u64,
    /// invalid lines
    pub dropped_invalid: u64,
    /// lines longer than a datagram
    pub dropped_oversize: u64,
    /// lines that did not fit into the buffer or into memory
    pub dropped_full: u64,
    /// lines refused after they were sent, or pending when the context was
    /// destroyed
    pub dropped_send: u64,
    /// bytes waiting
    pub pending: u64,
    /// errors that the kernel reported when sending
    pub send_errors: u64,
    /// sockets opened after the first one; of a stream, those that connected
    pub reconnects: u64,
    /// DNS lookups that ended, with or without an address
    pub resolutions: u64,
}

/// Send what is pending now. The call takes at most 100 ms.
///
/// Returns 0 if the kernel accepted everything, or -1 with errno:
///
///   EAGAIN  it did not in that time; the rest is sent later
///   ENOMEM  no memory; the rest is sent later
///   EINVAL  ctx is NULL
///
/// With a Flux handle: from its thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_flush(ctx: *mut fripp_ctx) -> c_int {
    // SAFETY: the caller's context.
    status(|| unsafe { context(ctx) }?.flush())
}

/// Read what a context counted.
///
/// stats  where to write the counts
/// size   sizeof (*stats) as the caller was compiled. At most this many bytes
///        are written; fields that the library does not know are zeroed.
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
