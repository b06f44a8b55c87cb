//! Settings of a context.

use std::ffi::{c_char, c_int, c_void};

use crate::context::Logger;
use crate::ffi::context::{context, fripp_ctx, text};
use crate::ffi::guard::status;
use crate::ffi::types::{dialect, dialect_arg};
use crate::log::Message;

/// Set the prefix of every name: "prefix.name". What is pending is sent with
/// the old prefix.
///
/// prefix  at most 127 bytes, before and after its tokens are replaced:
///         {{rank}} (0 without a Flux handle), {{hostname}} up to its first
///         dot, {{fqdn}} the whole of it with '_' for dots, and {{pid}},
///         in a child process the child's; cleaned as names are; "" for
///         none
///
/// The call takes time in proportion to the number of metrics.
///
/// Returns 0, or -1 with errno; then the old prefix stays:
///
///   EINVAL  ctx or prefix is NULL, or prefix is too long
///   ENOMEM  no memory
///
/// With a Flux handle: from its thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_set_prefix(ctx: *mut fripp_ctx, prefix: *const c_char) -> c_int {
    // SAFETY: the caller's context and string.
    status(|| unsafe { context(ctx)?.set_prefix(text(prefix, "prefix")?.to_bytes()) })
}

/// Set the tags of every metric of the context: "key:value,key2:value2", or
/// "" for none. What is pending is sent with the old tags.
///
/// Returns 0, or -1 with errno; then the old tags stay:
///
///   EINVAL        ctx or tags is NULL, or a tag has no key or an empty value
///   ENOTSUP       the dialect has no tags
///   ENAMETOOLONG  the tags are longer than 1024 bytes
///   ENOMEM        no memory
///
/// With a Flux handle: from its thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_set_tags(ctx: *mut fripp_ctx, tags: *const c_char) -> c_int {
    // SAFETY: the caller's context and string.
    status(|| unsafe { context(ctx)?.set_tags(text(tags, "tags")?.to_bytes()) })
}

/// Set the dialect, the form that the server reads. What is pending is sent
/// in the old dialect.
///
/// Returns 0, or -1 with errno; then the old dialect stays:
///
///   EINVAL   ctx is NULL, or dialect is unknown
///   ENOTSUP  the context has tags or sets, which the dialect has not
///   ENOMEM   no memory
///
/// With a Flux handle: from its thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_set_dialect(ctx: *mut fripp_ctx, dialect: dialect_arg) -> c_int {
    // SAFETY: the caller's context.
    status(|| unsafe { context(ctx) }?.set_dialect(self::dialect(dialect)?))
}

/// Set the time between flushes.
///
/// seconds  0.01 to 86400, or 0: what is pending is sent, and from then on
///          each metric at once
///
/// Returns 0, or -1 with errno; then the old period stays:
///
///   EINVAL  ctx is NULL, or seconds is not one of these
///   ENOMEM  no memory
///
/// With a Flux handle: from its thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_set_agg_period(ctx: *mut fripp_ctx, seconds: f64) -> c_int {
    // SAFETY: the caller's context.
    status(|| unsafe { context(ctx) }?.set_period(seconds))
}

/// Set the function that receives this context's log messages in place of
/// Flux's log: one line when a problem begins and one when it ends, never
/// one per packet. The function first receives the messages that waited
/// before it was set.
///
/// log   called with a syslog level (3 when a problem begins, 6 when it
///       ends), one line of text, and arg; from any thread, one call at a
///       time. It may call this library, but not this function or destroy.
///       With NULL, messages go to Flux's log again, or nowhere.
/// arg   passed to log; must live as long as the context
///
/// Returns 0, or -1 with errno:
///
///   EINVAL  ctx is NULL
///
/// With a Flux handle: from its thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_set_log(
    ctx: *mut fripp_ctx,
    log: Option<unsafe extern "C" fn(level: c_int, text: *const c_char, arg: *mut c_void)>,
    arg: *mut c_void,
) -> c_int {
    status(|| {
        // SAFETY: a live context or NULL.
        let context = unsafe { context(ctx) }?;
        let arg = Arg(arg);
        context.set_logger(log.map(|log| {
            Box::new(move |message: &Message| {
                // SAFETY: the caller vouches for the function and its arg.
                unsafe { log(message.level, message.c_text().as_ptr(), arg.get()) }
            }) as Logger
        }));
        Ok(())
    })
}

/// What the caller gave to have back.
#[derive(Clone, Copy)]
struct Arg(*mut c_void);

// SAFETY: the documentation asks for an arg that any thread may use.
unsafe impl Send for Arg {}

impl Arg {
    fn get(self) -> *mut c_void {
        self.0
    }
}
