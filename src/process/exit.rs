//! A process that ends without destroying its contexts: what is pending is
//! sent, within 100 ms in all.

use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, TryLockError, Weak};
use std::time::Duration;

use crate::context::turn::FLUSH_LIMIT;
use crate::context::{Context, notice, scheduler};
use crate::send::pace::GAP;
use crate::send::{resolver, socket_pool};
use crate::sys;

static LIVING: Mutex<Living> = Mutex::new(Living { contexts: Vec::new(), free: Vec::new() });

/// Contexts by number.
pub struct Living {
    contexts: Vec<Weak<Context>>,
    free: Vec<usize>,
}

/// Sees to `context` at exit. Its number here.
pub fn add(context: Weak<Context>) -> usize {
    watch();
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

/// Sees to the process's end.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the library is never unloaded (-z nodelete), so the function
        // stays where it is.
        unsafe { libc::atexit(flush_all) };
    });
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
        notice::print_at_exit();
        let deadline = sys::now() + FLUSH_LIMIT;
        // held by a thread that forks, for a moment, or by this one: then
        // this is a signal handler that interrupted a call, and it stays held
        let Some(list) = lock_by(&LIVING, deadline) else { return };
        let mut left: Vec<Arc<Context>> = living(&list).collect();
        drop(list);
        // what a child has not used holds nothing of its own
        left.retain(|context| context.is_adopted());
        let others = || scheduler::is_free() && resolver::is_free() && socket_pool::is_free();
        // in rounds: one whose server is away takes nothing from the others
        while !left.is_empty() && sys::now() < deadline {
            left.retain(|context| {
                !(context.is_free() && others() && context.flush_until(0).is_ok())
            });
            if !left.is_empty() {
                std::thread::sleep(Duration::from_nanos(GAP));
            }
        }
    });
}

/// Locks it, unless it is held up to the deadline (ns).
fn lock_by<T>(mutex: &Mutex<T>, deadline: u64) -> Option<MutexGuard<'_, T>> {
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(error)) => return Some(error.into_inner()),
            Err(TryLockError::WouldBlock) if sys::now() >= deadline => return None,
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_nanos(GAP / 10)),
        }
    }
}
