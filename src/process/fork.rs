//! fork: the parent goes on as if nothing had happened; a child starts with
//! its gauges and nothing pending. All locks are taken around the fork, so
//! that the child finds nothing half done; it cleans a context up when it
//! first uses it, for most children never do.

use std::cell::RefCell;
use std::sync::{Arc, MutexGuard, Once};

use crate::context::scheduler::{self, Scheduler};
use crate::context::{Context, Outbound};
use crate::process::exit;
use crate::send::resolver::{self, UnderWay};
use crate::send::socket_pool::{self, Pool};
use crate::sys::generation;

thread_local! {
    static LOCKS: RefCell<Vec<ForkLocks>> = const { RefCell::new(Vec::new()) };
}

/// What is locked while a thread forks. The fields go in this order.
struct ForkLocks {
    scheduler: MutexGuard<'static, Scheduler>,
    lookups: MutexGuard<'static, UnderWay>,
    sockets: MutexGuard<'static, Pool>,
    ways: Vec<(MutexGuard<'static, Outbound>, Arc<Context>)>,
    _contexts: exit::Guard,
}

/// Sees to forks from now on.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the library is never unloaded (-z nodelete), so the
        // functions stay where they are.
        unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    });
}

extern "C" fn before() {
    let contexts = exit::lock();
    let ways = exit::living(&contexts).filter_map(|context| {
        let (_, out) = context.lock_as_it_is()?;
        // SAFETY: the context is kept until after the guard is gone.
        let out = unsafe {
            std::mem::transmute::<MutexGuard<'_, Outbound>, MutexGuard<'static, Outbound>>(out)
        };
        Some((out, context))
    });
    let ways = ways.collect();
    let held = ForkLocks {
        scheduler: scheduler::lock(),
        lookups: resolver::lock(),
        sockets: socket_pool::lock(),
        ways,
        _contexts: contexts,
    };
    let _ = LOCKS.try_with(|all| all.borrow_mut().push(held));
}

extern "C" fn in_parent() {
    let _ = LOCKS.try_with(|all| all.borrow_mut().pop());
}

extern "C" fn in_child() {
    let held = LOCKS.try_with(|all| all.borrow_mut().pop()).ok().flatten();
    let Some(mut held) = held else { return };
    generation::count_up();
    held.scheduler.after_fork();
    held.lookups.after_fork();
    held.sockets.after_fork();
    for (_, context) in &held.ways {
        context.stop_ticking();
    }
}
