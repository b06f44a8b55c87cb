//! Settings of a context, and its flush.

use std::ffi::{c_char, c_int};

use crate::ffi::context::{context, fripp_ctx, text};
use crate::ffi::guard::status;
use crate::ffi::types::{dialect, dialect_arg};

/// Set what stands before every name: "prefix.name". What is pending goes
/// out under the old one first.
///
/// prefix  at most 127 bytes, before and after its tokens are replaced:
///         {{rank}} (0 without a Flux handle), {{hostname}} up to its first
///         dot, {{fqdn}} the whole of it with '_' for dots, and {{pid}},
///         in a child process the child's; cleaned as names are; "" for
///         none
///
/// It takes time in proportion to the number of metrics.
///
/// Returns 0, or -1 with errno; the old one stays then:
///
///   EINVAL  ctx or prefix is NULL, or prefix is too long
///
/// With a Flux handle: from its thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_set_prefix(ctx: *mut fripp_ctx, prefix: *const c_char) -> c_int {
    // SAFETY: the caller's context and string.
    status(|| unsafe { context(ctx)?.set_prefix(text(prefix, "prefix")?.to_bytes()) })
}

/// Set the tags of every metric of the context: "key:value,key2:value2", or
/// "" for none. What is pending goes out with the old ones first.
///
/// Returns 0, or -1 with errno; the old ones stay then:
///
///   EINVAL        ctx or tags is NULL, or a tag has no key, ':' or value
///   ENOTSUP       the dialect has no tags
///   ENAMETOOLONG  no room would be left for names
///
/// With a Flux handle: from its thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_set_tags(ctx: *mut fripp_ctx, tags: *const c_char) -> c_int {
    // SAFETY: the caller's context and string.
    status(|| unsafe { context(ctx)?.set_tags(text(tags, "tags")?.to_bytes()) })
}

/// Set the time between flushes.
///
/// seconds  0.01 to 86400; 0: each metric is sent at once, after what is
///          pending
///
/// Returns 0, or -1 with errno:
///
///   EINVAL  ctx is NULL, or seconds is none of these
///
/// With a Flux handle: from its thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_set_agg_period(ctx: *mut fripp_ctx, seconds: f64) -> c_int {
    // SAFETY: the caller's context.
    status(|| unsafe { context(ctx) }?.set_period(seconds))
}

/// Say what the server reads. What is pending goes out in the old dialect
/// first.
///
/// Returns 0, or -1 with errno; the old one stays then:
///
///   EINVAL   ctx is NULL, or dialect is unknown
///   ENOTSUP  tags or sets are in use that it does not have
///
/// With a Flux handle: from its thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_set_dialect(ctx: *mut fripp_ctx, dialect: dialect_arg) -> c_int {
    // SAFETY: the caller's context.
    status(|| unsafe { context(ctx) }?.set_dialect(self::dialect(dialect)?))
}

/// Send what is pending now, for 100 ms at the most.
///
/// Returns 0 when the kernel has taken all, or -1 with errno:
///
///   EAGAIN  it has not in that time, and the rest goes later
///   ENOMEM  no memory; the rest goes later
///   EINVAL  ctx is NULL
///
/// With a Flux handle: from its thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_flush(ctx: *mut fripp_ctx) -> c_int {
    // SAFETY: the caller's context.
    status(|| unsafe { context(ctx) }?.flush())
}
