//! Packets whose StatsD lines the caller writes.

use std::ffi::{c_char, c_int};

use crate::context::Context;
use crate::error::Error;
use crate::ffi::context::{context, fripp_ctx, text};
use crate::ffi::guard::status;
use crate::ffi::variadic::{va_list, with_text};

/// cbindgen:postfix=FRIPP_PRINTF (2, 0)
///
/// As fripp_format_send (), with the arguments in a va_list, which is to be
/// ended by the caller and not to be used again.
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

/// cbindgen:postfix=FRIPP_PRINTF (2, 0)
///
/// As fripp_packet_appendf (), with the arguments in a va_list.
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
