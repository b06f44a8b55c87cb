//! Packets whose StatsD lines the caller writes.

use std::ffi::{c_char, c_int};

use crate::ffi::context::{context, fripp_ctx, text};
use crate::ffi::guard::status;
use crate::ffi::variadic::{va_list, with_text};

/// cbindgen:postfix=FRIPP_PRINTF (2, 0)
///
/// As fripp_format_send (), with the arguments in a va_list, which is to be
/// ended by the caller and not to be used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_vformat_send(
    ctx: *mut fripp_ctx,
    fmt: *const c_char,
    ap: va_list,
) -> c_int {
    // SAFETY: a live context or NULL, a C string or NULL, and the arguments
    // that the format names.
    status(|| unsafe {
        let context = context(ctx)?;
        let fmt = text(fmt)?;
        if !context.is_enabled() {
            return Ok(());
        }
        with_text(fmt, ap, |text| context.send_text(text))
    })
}
