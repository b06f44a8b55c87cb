//! fork: the parent goes on as if nothing had happened; a child starts with
//! its gauges and nothing pending. All locks are taken around the fork, so
//! that the child finds nothing half done; it cleans a context up when it
//! first uses it, for most children never do.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, MutexGuard, Once};

use crate::context::scheduler::{self, Scheduler};
use crate::context::{Context, Way};
use crate::process::exit;
use crate::send::resolver::{self, UnderWay};
use crate::send::socket_pool::{self, Pool};

/// How many forks lie between this process and the first that had a context.
static GENERATION: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static HELD: RefCell<Vec<Held>> = const { RefCell::new(Vec::new()) };
}

/// What is locked while a thread forks. The fields go in this order.
struct Held {
    scheduler: MutexGuard<'static, Scheduler>,
    lookups: MutexGuard<'static, UnderWay>,
    sockets: MutexGuard<'static, Pool>,
    ways: Vec<(MutexGuard<'static, Way>, Arc<Context>)>,
    _contexts: exit::Guard,
}

/// The generation that this process is of.
pub fn generation() -> u32 {
    GENERATION.load(Relaxed)
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
        let (_, way) = context.lock_as_it_is()?;
        // SAFETY: the context is kept until after the guard is gone.
        let way =
            unsafe { std::mem::transmute::<MutexGuard<'_, Way>, MutexGuard<'static, Way>>(way) };
        Some((way, context))
    });
    let ways = ways.collect();
    let held = Held {
        scheduler: scheduler::lock(),
        lookups: resolver::lock(),
        sockets: socket_pool::lock(),
        ways,
        _contexts: contexts,
    };
    let _ = HELD.try_with(|all| all.borrow_mut().push(held));
}

extern "C" fn in_parent() {
    let _ = HELD.try_with(|all| all.borrow_mut().pop());
}

extern "C" fn in_child() {
    let held = HELD.try_with(|all| all.borrow_mut().pop()).ok().flatten();
    let Some(mut held) = held else { return };
    GENERATION.fetch_add(1, Relaxed);
    held.scheduler.after_fork();
    held.lookups.after_fork();
    held.sockets.after_fork();
    for (_, context) in &held.ways {
        context.stop_ticking();
    }
}
