//! The exported names of the functions with `...`: one jump each to the C
//! function that has the arguments. With Rust 1.99 this file and variadic.c
//! become one plain function each.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::MaybeUninit;

use crate::error::Error;
use crate::ffi::context::fripp_ctx;

/// C's `...`, which cbindgen prints for this name.
#[repr(transparent)]
pub struct VaList(*mut c_void);

/// C's `va_list` as a parameter: a pointer on x86-64, aarch64 and riscv64.
#[allow(non_camel_case_types)]
#[repr(transparent)]
pub struct va_list(*mut c_void);

// the context is a pointer that C only hands on
#[allow(improper_ctypes)]
unsafe extern "C" {
    fn fripp_va_text(
        buf: *mut c_char,
        size: usize,
        fmt: *const c_char,
        ap: va_list,
        len: *mut usize,
    ) -> *mut c_char;
    fn fripp_va_format_send(ctx: *mut fripp_ctx, fmt: *const c_char, ap: VaList) -> c_int;
    fn fripp_va_packet_appendf(ctx: *mut fripp_ctx, fmt: *const c_char, ap: VaList) -> c_int;
}

/// Text up to this many bytes is formatted on the stack.
const STACK: usize = 4096;

/// Calls `f` with what printf would write of `fmt` and `ap`.
///
/// # Safety
/// As vprintf: the arguments are those that the format names.
pub unsafe fn with_text<T>(
    fmt: &CStr,
    ap: va_list,
    f: impl FnOnce(&[u8]) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut buf = MaybeUninit::<[u8; STACK]>::uninit();
    let mut len = 0;
    let stack: *mut c_char = buf.as_mut_ptr().cast();
    // SAFETY: the buffer has STACK bytes; the caller vouches for the rest.
    let text = unsafe { fripp_va_text(stack, STACK, fmt.as_ptr(), ap, &mut len) };
    if text.is_null() {
        let no_memory = std::io::Error::last_os_error().raw_os_error() == Some(libc::ENOMEM);
        return Err(if no_memory {
            Error::NoMemory
        } else {
            Error::Invalid.because(format_args!("the format is wrong, or its text is too long"))
        });
    }
    let free = Free((text != stack).then_some(text));
    // SAFETY: vsnprintf has written `len` bytes at `text`.
    let result = f(unsafe { std::slice::from_raw_parts(text.cast(), len) });
    drop(free);
    result
}

struct Free(Option<*mut c_char>);

impl Drop for Free {
    fn drop(&mut self) {
        if let Some(text) = self.0 {
            // SAFETY: it came from malloc, and this is its one owner.
            unsafe { libc::free(text.cast()) };
        }
    }
}

macro_rules! jump {
    ($shim:ident) => {
        #[cfg(target_arch = "x86_64")]
        std::arch::naked_asm!("jmp {}", sym $shim);
        #[cfg(target_arch = "aarch64")]
        std::arch::naked_asm!("b {}", sym $shim);
        #[cfg(target_arch = "riscv64")]
        std::arch::naked_asm!("tail {}", sym $shim);
    };
}

/// cbindgen:postfix=FRIPP_PRINTF (2, 3)
///
/// Send what printf would write, now; with a Flux handle whose reactor turns,
/// at the end of the turn, together with what the turn's other calls send. A
/// call that finds lines older than 1 ms sends them first, and fripp_flush (),
/// destroy and exit send them, too. The text is one or more StatsD lines
/// that the caller wrote, with a newline between them (one at the end may be
/// there or not); nothing is added to it. It is split at newlines into
/// datagrams of at most FRIPP_MAX_PACKET_LEN bytes (or the mtu of the URI),
/// each as full as it can be, in order. Empty lines are left out; an empty
/// text is 0.
///
/// What the kernel does not take is kept, and goes first with a later call.
///
/// Returns 0 when every line was sent or kept. -1 with errno otherwise; the
/// other lines were sent nevertheless:
///
///   EINVAL    ctx or fmt is NULL, the format is wrong, or a line holds a
///             NUL byte
///   EMSGSIZE  a line is longer than a datagram by itself
///   ENOMEM    no memory for a text of more than 4 kB
///
/// May be called from any thread.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_format_send(
    ctx: *mut fripp_ctx,
    fmt: *const c_char,
    args: VaList,
) -> c_int {
    jump!(fripp_va_format_send);
}

/// cbindgen:postfix=FRIPP_PRINTF (2, 3)
///
/// The same as fripp_format_send (), by the name that Flux gave it later.
///
/// Returns as fripp_format_send () does.
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
/// Keep what printf would write for the next flush, which sends it with the
/// metrics; where the period is 0 it goes at once. Otherwise as
/// fripp_format_send ().
///
/// Returns as fripp_format_send () does.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fripp_packet_appendf(
    ctx: *mut fripp_ctx,
    fmt: *const c_char,
    args: VaList,
) -> c_int {
    jump!(fripp_va_packet_appendf);
}
