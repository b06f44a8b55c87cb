//! fork: the parent continues as if nothing had happened; a child starts with
//! its gauges and nothing pending. All locks are taken around the fork, so
//! that the child finds nothing half done; it cleans a context up when it
//! first uses it, because most children never do.
//!
//! The handlers allocate nothing, and need no variable of the thread: these
//! are gone in an `atexit` handler and in a thread key's destructor.

use std::cell::UnsafeCell;
use std::sync::Once;

use crate::context::scheduler::{self, Scheduler};
use crate::process::exit;
use crate::send::resolver::{self, UnderWay};
use crate::send::socket_pool::{self, Pool};
use crate::sys::fork_lock::{self, Guard};
use crate::sys::{generation, mapped};

/// What is locked while a thread forks.
struct ForkLocks {
    scheduler: Guard<'static, Scheduler>,
    lookups: Guard<'static, UnderWay>,
    sockets: Guard<'static, Pool>,
    contexts: exit::Guard,
}

static HELD: Held = Held(UnsafeCell::new(None));

struct Held(UnsafeCell<Option<ForkLocks>>);

// SAFETY: the one thread uses it that has the list of contexts locked.
unsafe impl Sync for Held {}

impl Held {
    /// Puts the locks there, or takes them.
    ///
    /// # Safety
    /// The calling thread has the list of contexts locked.
    unsafe fn replace(&self, locks: Option<ForkLocks>) -> Option<ForkLocks> {
        // SAFETY: no other thread is here.
        unsafe { std::mem::replace(&mut *self.0.get(), locks) }
    }
}

/// Sees to forks from now on.
pub fn watch() {
    static ONCE: Once = Once::new();
    mapped::keep();
    ONCE.call_once(|| {
        // SAFETY: the library is never unloaded, so the functions stay where
        // they are.
        unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    });
}

extern "C" fn before() {
    let mut contexts = exit::lock();
    contexts.lock_all();
    let scheduler = scheduler::lock();
    let (lookups, sockets) = (resolver::lock(), socket_pool::lock());
    // SAFETY: locked above.
    unsafe { HELD.replace(Some(ForkLocks { scheduler, lookups, sockets, contexts })) };
    fork_lock::begin(adopt);
}

extern "C" fn in_parent() {
    // SAFETY: `before` locked it.
    let Some(mut held) = (unsafe { HELD.replace(None) }) else { return };
    held.contexts.unlock_all();
    fork_lock::end();
}

extern "C" fn in_child() {
    adopt();
}

/// Makes the child's what it has of its parent; the first time that it is
/// called.
fn adopt() {
    // SAFETY: `before` locked it, or this is the only thread.
    let Some(mut held) = (unsafe { HELD.replace(None) }) else { return };
    fork_lock::end();
    generation::count_up();
    held.scheduler.after_fork();
    held.lookups.after_fork();
    held.sockets.after_fork();
    for context in held.contexts.locked() {
        context.stop_ticking();
    }
    held.contexts.unlock_all();
}
