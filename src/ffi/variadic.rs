//! What the functions with `...` need: the C functions that have the arguments,
//! and a jump to them. With Rust 1.99 this file and variadic.c become one plain
//! function each.

use std::ffi::{CStr, c_char, c_void};
use std::mem::MaybeUninit;

use crate::error::Error;

/// C's `...`, which cbindgen prints for this name.
#[repr(transparent)]
pub struct VaList(*mut c_void);

/// C's `va_list` as a parameter: a pointer on all processors that were
/// tried, or as large as one.
#[allow(non_camel_case_types)]
#[repr(transparent)]
pub struct va_list(*mut c_void);

unsafe extern "C" {
    fn fripp_va_text(
        buf: *mut c_char,
        size: usize,
        fmt: *const c_char,
        ap: va_list,
        len: *mut usize,
    ) -> *mut c_char;
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

/// The C functions that have the arguments, and the jump there. build.rs says
/// where it is known; elsewhere C has the functions with `...`.
#[cfg(not(fripp_no_jump))]
pub(super) mod jump {
    use std::ffi::{c_char, c_int};

    use super::VaList;
    use crate::ffi::context::fripp_ctx;

    // the context is a pointer that C only hands on
    #[allow(improper_ctypes)]
    unsafe extern "C" {
        /// `fripp_format_send`
        pub fn fripp_va_format_send(ctx: *mut fripp_ctx, fmt: *const c_char, ap: VaList) -> c_int;
        /// `fripp_packet_appendf`
        pub fn fripp_va_packet_appendf(
            ctx: *mut fripp_ctx,
            fmt: *const c_char,
            ap: VaList,
        ) -> c_int;
    }

    /// The body of a function with `...`. A jump moves no argument, so each is
    /// found where it was put.
    macro_rules! jump {
        ($shim:ident) => {
            #[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
            std::arch::naked_asm!("jmp {}", sym $shim);
            #[cfg(any(target_arch = "aarch64", target_arch = "arm"))]
            std::arch::naked_asm!("b {}", sym $shim);
            #[cfg(target_arch = "riscv64")]
            std::arch::naked_asm!("tail {}", sym $shim);
            #[cfg(target_arch = "s390x")]
            std::arch::naked_asm!("jg {}", sym $shim);
        };
    }

    pub(in crate::ffi) use jump;
}
