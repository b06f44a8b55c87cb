//! A process that ends without destroying its contexts: what is pending is
//! sent, within 100 ms in all.

use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};

use crate::context::Context;

static LIVING: Mutex<Living> = Mutex::new(Living { contexts: Vec::new(), free: Vec::new() });

/// Contexts by number.
pub struct Living {
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
    let mut living = lock();
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
    let mut living = lock();
    living.contexts[number] = Weak::new();
    living.free.push(number);
}

/// The list of contexts, locked.
pub type Guard = MutexGuard<'static, Living>;

/// Locks the list of contexts.
pub fn lock() -> Guard {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The contexts in the list.
pub fn living(list: &Guard) -> impl Iterator<Item = Arc<Context>> {
    list.contexts.iter().filter_map(Weak::upgrade)
}

extern "C" fn flush_all() {
    // a panic would end a process that is ending
    let _ = std::panic::catch_unwind(|| {
        let Ok(list) = LIVING.try_lock() else { return };
        let living: Vec<Arc<Context>> = living(&list).collect();
        drop(list);
        let deadline = crate::sys::now() + crate::context::turn::FLUSH_LIMIT;
        for context in living {
            // what a child has not used holds nothing of its own
            if crate::sys::now() < deadline && context.is_adopted() {
                let _ = context.flush_until(deadline);
            }
        }
    });
}
