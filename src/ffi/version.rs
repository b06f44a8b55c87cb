//! The version, as macros and at run time.

use std::ffi::c_char;

/// Return the version of the library in use, which equals the FRIPP_VERSION
/// that it was built with.
///
/// Returns a static string.
///
/// May be called from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn fripp_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
