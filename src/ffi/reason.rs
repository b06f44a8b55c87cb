//! Why a call failed, in words.

use std::ffi::c_char;

use crate::ffi::guard::last_reason;

/// Return the reason of the last failed call on this thread: a sentence that
/// names the argument and says what is right:
///
///   no port in 'localhost'
///   unknown dialect 'statds' (one of: brubeck, statsd, ...)
///   dialect brubeck has no tags
///
/// The text is for people, and may change with any version. Programs compare
/// errno.
///
/// Returns one line of at most 383 bytes, valid until the next call that
/// fails on this thread; "" before the first one. Never NULL; errno does not
/// change.
///
/// May be called from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn fripp_error() -> *const c_char {
    last_reason()
}
