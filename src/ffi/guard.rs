//! The guard around every entry point: it catches panics, keeps errno on
//! success and sets it on failure, and disables cancellation.

use std::cell::{Cell, UnsafeCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use libc::{c_char, c_int};

use crate::error::{Error, MAX_REASON, forget_reason};

/// The errno of a call that panicked: a defect of this library.
const PANICKED: c_int = libc::EIO;

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// The reason of this thread's last failed call, as a C string. The caller
    /// may have a pointer to it.
    static LAST: UnsafeCell<[u8; MAX_REASON + 1]> =
        const { UnsafeCell::new([0; MAX_REASON + 1]) };
}

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
}
const PTHREAD_CANCEL_DISABLE: c_int = 1;

/// Runs `call`. After an error or a panic it sets errno and returns `failed`.
pub fn guarded<T: Copy>(failed: T, call: impl FnOnce() -> Result<T, Error>) -> T {
    let mut value = failed;
    let mut call = Some(call);
    run(&mut || {
        let Some(call) = call.take() else { return Ok(()) };
        call().map(|result| value = result)
    });
    value
}

/// The result of a call that returns 0 or -1.
pub fn status(call: impl FnOnce() -> Result<(), Error>) -> c_int {
    guarded(-1, || call().map(|()| 0))
}

/// One copy of the code for all entry points.
#[inline(never)]
fn run(call: &mut dyn FnMut() -> Result<(), Error>) {
    let before = errno();
    let cancel = Cancel::disable();
    let outer = INSIDE.replace(true);
    forget_reason();
    let result = catch_unwind(AssertUnwindSafe(call));
    INSIDE.set(outer);
    drop(cancel);
    set_errno(match result {
        Ok(Ok(())) => before,
        Ok(Err(error)) => {
            error.with_reason(keep);
            error.errno()
        }
        Err(_) => {
            keep("the library has a defect here; please report it");
            PANICKED
        }
    });
}

/// Keeps the reason of a failed call for `fripp_error ()`.
fn keep(reason: &str) {
    // a C string ends at its first NUL byte
    let text = reason.as_bytes().iter().take_while(|b| **b != 0);
    LAST.with(|last| {
        let mut at = last.get().cast::<u8>();
        // SAFETY: the calling thread's buffer fits the longest reason and a
        // NUL; no reference to it exists.
        unsafe {
            for b in text.take(MAX_REASON) {
                at.write(*b);
                at = at.add(1);
            }
            at.write(0);
        }
    });
}

/// The reason that the last failed call of this thread kept, or "".
pub fn last_reason() -> *const c_char {
    LAST.with(|last| last.get().cast_const().cast())
}

/// The result of a call with an invalid argument.
#[cold]
pub fn invalid(reason: &str) -> c_int {
    keep(reason);
    set_errno(Error::Invalid.errno());
    -1
}

/// Prevents a panic in a guarded call from writing to stderr. Any other panic
/// is the host's, and its hook runs as before.
pub fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !INSIDE.try_with(Cell::get).unwrap_or(true) {
                previous(info);
            }
        }));
    });
}

/// Disables cancellation until it is dropped. A cancelled thread would unwind
/// through Rust frames, which aborts the process, or skip every drop.
struct Cancel(c_int);

impl Cancel {
    fn disable() -> Cancel {
        let mut old = 0;
        // SAFETY: the state is valid, and `old` is written.
        unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &mut old) };
        Cancel(old)
    }
}

impl Drop for Cancel {
    fn drop(&mut self) {
        // SAFETY: the state that was in force before.
        unsafe { pthread_setcancelstate(self.0, std::ptr::null_mut()) };
    }
}

fn errno() -> c_int {
    // SAFETY: the thread's errno is always there.
    unsafe { *libc::__errno_location() }
}

/// Sets the calling thread's errno.
pub fn set_errno(code: c_int) {
    // SAFETY: the thread's errno is always there.
    unsafe { *libc::__errno_location() = code };
}

// miri has no pthread_setcancelstate ()
#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    #[test]
    fn a_panic_stays_inside() {
        silence_panics();
        set_errno(0);
        assert_eq!(status(|| panic!("a defect")), -1);
        assert_eq!(errno(), PANICKED);
    }

    #[test]
    fn errno_is_kept_on_success_and_set_on_failure() {
        set_errno(libc::EXDEV);
        let inside = || {
            set_errno(libc::EBADF);
            Ok(())
        };
        assert_eq!((status(inside), errno()), (0, libc::EXDEV));
        assert_eq!((status(|| Err(Error::TooBig)), errno()), (-1, libc::EMSGSIZE));
    }

    #[test]
    fn cancellation_is_disabled_inside_and_as_before_outside() {
        let state = || {
            let cancel = Cancel::disable();
            cancel.0
        };
        let outside = state();
        assert_eq!(guarded(-1, || Ok(state())), PTHREAD_CANCEL_DISABLE);
        assert_eq!(state(), outside);
        assert_ne!(outside, PTHREAD_CANCEL_DISABLE);
    }
}
