//! Events and service checks.

use std::ffi::{c_char, c_int};

use crate::encode::event;
use crate::error::Error;
use crate::ffi::context::{context, fripp_ctx, text};
use crate::ffi::guard::status;
use crate::ffi::types::{alert, alert_arg, check_status, status_arg};

/// Send an event to the Datadog agent (dialect dogstatsd). It is sent at
/// once; what the kernel does not accept waits, as packets do.
///
/// title  not empty
/// text   "" for none; newlines are kept
/// alert  how the event is shown
/// tags   "key:value,key2:value2", added to those of the context; NULL or ""
///        for none
///
/// The prefix is not added to the title.
///
/// Returns 0, or -1 with errno; the event is dropped and counted then:
///
///   EINVAL        ctx, title or text is NULL, title is empty, alert is
///                 unknown, or a tag has no key or an empty value
///   ENOTSUP       the dialect has no events
///   EMSGSIZE      the event is longer than a datagram
///   ENAMETOOLONG  the tags have more than 1024 bytes
///   ENOMEM        no memory
///
/// May be called from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_event(
    ctx: *mut fripp_ctx,
    title: *const c_char,
    text: *const c_char,
    alert: alert_arg,
    tags: *const c_char,
) -> c_int {
    // SAFETY: the caller's context and strings.
    status(|| unsafe {
        let context = context(ctx)?;
        let title = self::text(title, "title")?.to_bytes();
        let text = self::text(text, "text")?.to_bytes();
        let (alert, tags) = (self::alert(alert)?, or_none(tags)?);
        context.send_line("an event", |settings| event::event(settings, title, text, alert, tags))
    })
}

/// Send the result of a service check to the Datadog agent (dialect
/// dogstatsd). It is sent at once; what the kernel does not accept waits, as
/// packets do.
///
/// name     of the check, cleaned as names of metrics are; not empty
/// status   what it found
/// message  why; NULL or "" for none. Newlines are kept, '|' becomes '_'
/// tags     "key:value,key2:value2", added to those of the context; NULL or
///          "" for none
///
/// The prefix is not added to the name.
///
/// Returns 0, or -1 with errno; the result is dropped and counted then:
///
///   EINVAL        ctx or name is NULL, name is empty, status is unknown, or
///                 a tag has no key or an empty value
///   ENOTSUP       the dialect has no service checks
///   EMSGSIZE      the line is longer than a datagram
///   ENAMETOOLONG  the tags have more than 1024 bytes
///   ENOMEM        no memory
///
/// May be called from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_service_check(
    ctx: *mut fripp_ctx,
    name: *const c_char,
    status: status_arg,
    message: *const c_char,
    tags: *const c_char,
) -> c_int {
    // SAFETY: the caller's context and strings.
    self::status(|| unsafe {
        let context = context(ctx)?;
        let name = text(name, "name")?.to_bytes();
        let status = check_status(status)?;
        let (message, tags) = (or_none(message)?, or_none(tags)?);
        context.send_line("a service check", |settings| {
            event::service_check(settings, name, status, message, tags)
        })
    })
}

/// A text that NULL leaves out.
///
/// # Safety
/// The pointer is NULL or a C string.
unsafe fn or_none<'a>(optional: *const c_char) -> Result<&'a [u8], Error> {
    if optional.is_null() {
        return Ok(b"");
    }
    // SAFETY: as above.
    unsafe { text(optional, "text") }.map(|text| text.to_bytes())
}
