//! Packets whose StatsD lines the caller writes. A function with `...` is one
//! jump to the C function that has the arguments.

use std::ffi::{c_char, c_int};

use crate::context::Context;
use crate::error::Error;
use crate::ffi::context::{context, fripp_ctx, text};
use crate::ffi::guard::status;
#[cfg(not(fripp_no_jump))]
use crate::ffi::variadic::VaList;
#[cfg(not(fripp_no_jump))]
use crate::ffi::variadic::jump::{fripp_va_format_send, fripp_va_packet_appendf, jump};
use crate::ffi::variadic::{va_list, with_text};

/// cbindgen:postfix=FRIPP_PRINTF (2, 3)
///
/// Send what printf would write, now. With a Flux handle whose reactor turns,
/// the lines of one turn are sent together at its end; a call that finds lines
/// older than 1 ms sends them first, and so do fripp_flush (), destroy and
/// exit. After 1,000 turns in a row with lines, those of 5 ms go together.
///
/// The text is one or more StatsD lines with a newline between them; one at
/// the end makes no difference. Nothing is added to the text. It is split at newlines into datagrams of at most
/// FRIPP_MAX_PACKET_LEN bytes (or the mtu of the URI), each as full as it can
/// be, in order. Empty lines are left out; an empty text is 0. Numbers are
/// formatted in the C locale, so that the decimal point is a dot.
///
/// What the kernel does not accept is kept, and sent first by a later call.
///
/// Returns 0 if every line was sent or kept. Otherwise -1 with errno; the
/// other lines were sent:
///
///   EINVAL    ctx or fmt is NULL, the format is wrong, or a line holds a
///             NUL byte
///   EMSGSIZE  a line is longer than a datagram
///   ENOMEM    no memory
///
/// May be called from any thread.
#[cfg(not(fripp_no_jump))]
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_format_send(
    ctx: *mut fripp_ctx,
    fmt: *const c_char,
    args: VaList,
) -> c_int {
    jump!(fripp_va_format_send);
}

/// cbindgen:postfix=FRIPP_PRINTF (2, 0)
///
/// As fripp_format_send (), with the arguments in a va_list. The caller ends
/// it, and must not use it again.
///
/// Returns as fripp_format_send () does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_vformat_send(
    ctx: *mut fripp_ctx,
    fmt: *const c_char,
    ap: va_list,
) -> c_int {
    // SAFETY: the caller's arguments.
    unsafe { with_packet(ctx, fmt, ap, Context::send_text) }
}

/// cbindgen:postfix=FRIPP_PRINTF (2, 3)
///
/// The same as fripp_format_send (), by its later name in Flux.
///
/// Returns as fripp_format_send () does.
#[cfg(not(fripp_no_jump))]
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_sendf(
    ctx: *mut fripp_ctx,
    fmt: *const c_char,
    args: VaList,
) -> c_int {
    jump!(fripp_va_format_send);
}

/// cbindgen:postfix=FRIPP_PRINTF (2, 3)
///
/// Keep what printf would write for the next flush, which sends it together
/// with the metrics. If the period is 0, it is sent now. In all else this is
/// fripp_format_send ().
///
/// Returns as fripp_format_send () does.
#[cfg(not(fripp_no_jump))]
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_packet_appendf(
    ctx: *mut fripp_ctx,
    fmt: *const c_char,
    args: VaList,
) -> c_int {
    jump!(fripp_va_packet_appendf);
}

/// cbindgen:postfix=FRIPP_PRINTF (2, 0)
///
/// As fripp_packet_appendf (), with the arguments in a va_list. The caller
/// ends it, and must not use it again.
///
/// Returns as fripp_format_send () does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_packet_vappendf(
    ctx: *mut fripp_ctx,
    fmt: *const c_char,
    ap: va_list,
) -> c_int {
    // SAFETY: the caller's arguments.
    unsafe { with_packet(ctx, fmt, ap, Context::append_text) }
}

/// # Safety
/// A live context or NULL, a C string or NULL, and the arguments that the
/// format names.
unsafe fn with_packet(
    ctx: *mut fripp_ctx,
    fmt: *const c_char,
    ap: va_list,
    take: impl FnOnce(&Context, &[u8]) -> Result<(), Error>,
) -> c_int {
    // SAFETY: as above.
    status(|| unsafe {
        let (context, fmt) = (context(ctx)?, text(fmt, "fmt")?);
        if !context.is_enabled() {
            return Ok(());
        }
        with_text(fmt, ap, |text| take(context, text))
    })
}
