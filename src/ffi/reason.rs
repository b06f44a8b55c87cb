//! Why a call failed, in words.

use std::ffi::c_char;

use crate::ffi::guard::last_reason;

/// Return why the last call that failed on this thread failed, as a sentence
/// that names the argument and says what is right:
///
///   no port in 'localhost'
///   unknown dialect 'statds' (one of: brubeck, statsd, ...)
///   dialect brubeck has no tags
///
/// The text is for people, and may change with any version: errno is for
/// programs.
///
/// Returns a text of one line and at most 383 bytes, valid until the next
/// call that fails on this thread; "" before the first one. Never NULL; errno
/// is left as it was.
///
/// May be called from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn fripp_error() -> *const c_char {
    last_reason()
}
