//! A process that ends without destroying its contexts: what is pending is
//! sent, within 100 ms in all.

use std::sync::{Mutex, Once, PoisonError, Weak};

use crate::context::Context;

static LIVING: Mutex<Living> = Mutex::new(Living { contexts: Vec::new(), free: Vec::new() });

/// Contexts by number.
struct Living {
    contexts: Vec<Weak<Context>>,
    free: Vec<usize>,
}

/// Sees to `context` at exit. Its number here.
pub fn add(context: Weak<Context>) -> usize {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the library is never unloaded (-z nodelete), so the function
        // stays where it is.
        unsafe { libc::atexit(flush_all) };
    });
    let mut living = LIVING.lock().unwrap_or_else(PoisonError::into_inner);
    match living.free.pop() {
        Some(number) => {
            living.contexts[number] = context;
            number
        }
        None => {
            living.contexts.push(context);
            living.contexts.len() - 1
        }
    }
}

/// The context of this number is destroyed.
pub fn remove(number: usize) {
    let mut living = LIVING.lock().unwrap_or_else(PoisonError::into_inner);
    living.contexts[number] = Weak::new();
    living.free.push(number);
}

extern "C" fn flush_all() {
    // a panic would end a process that is ending
    let _ = std::panic::catch_unwind(|| {
        let living = match LIVING.try_lock() {
            Ok(living) => living.contexts.clone(),
            Err(_) => return,
        };
        let deadline = crate::sys::now() + crate::turn::FLUSH_LIMIT;
        for context in living.iter().filter_map(|context| context.upgrade()) {
            if crate::sys::now() < deadline {
                let _ = context.flush_until(deadline);
            }
        }
    });
}
