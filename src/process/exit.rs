//! A process that ends without destroying its contexts: what is pending is
//! sent, within 100 ms in all.

use std::sync::{Arc, Once, Weak};
use std::time::Duration;

use crate::context::turn::FLUSH_LIMIT;
use crate::context::{Context, Outbound, notice, scheduler};
use crate::error::Error;
use crate::send::pace::GAP;
use crate::send::{resolver, socket_pool};
use crate::sys;
use crate::sys::fork_lock::{self, Lock};
use crate::sys::memory;

static LIVING: Lock<Living> =
    Lock::new(Living { contexts: Vec::new(), free: Vec::new(), locked: Vec::new() });

/// Contexts by number.
pub struct Living {
    contexts: Vec<Weak<Context>>,
    free: Vec<usize>,
    /// The contexts that a fork has locked. Its capacity is enough for all.
    locked: Vec<(fork_lock::Guard<'static, Outbound>, Arc<Context>)>,
}

// SAFETY: `locked` is empty but while the thread forks that has the list.
unsafe impl Send for Living {}

impl Living {
    /// Reserves memory for one more, so that neither a fork nor `remove`
    /// allocates.
    fn reserve(&mut self) -> Result<(), Error> {
        memory::room(&mut self.contexts, 1)?;
        let all = self.contexts.len() + 1;
        let more = all.saturating_sub(self.free.len());
        memory::room(&mut self.free, more)?;
        let more = all.saturating_sub(self.locked.len());
        memory::room(&mut self.locked, more)
    }

    /// Locks all contexts, for a fork.
    pub fn lock_all(&mut self) {
        for context in self.contexts.iter().filter_map(Weak::upgrade) {
            let Some((_, out)) = context.lock_as_it_is() else { continue };
            // SAFETY: the context is kept until after the guard is gone.
            let out = unsafe {
                std::mem::transmute::<
                    fork_lock::Guard<'_, Outbound>,
                    fork_lock::Guard<'static, Outbound>,
                >(out)
            };
            self.locked.push((out, context));
        }
    }

    /// Unlocks those.
    pub fn unlock_all(&mut self) {
        self.locked.clear();
    }

    /// Those.
    pub fn locked(&self) -> impl Iterator<Item = &Context> {
        self.locked.iter().map(|(_, context)| &**context)
    }
}

/// Sees to `context` at exit. Its number here.
pub fn add(context: Weak<Context>) -> Result<usize, Error> {
    watch();
    let mut living = lock();
    living.reserve()?;
    Ok(match living.free.pop() {
        Some(number) => {
            living.contexts[number] = context;
            number
        }
        None => {
            living.contexts.push(context);
            living.contexts.len() - 1
        }
    })
}

/// Sees to the process's end.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the library is never unloaded (`mapped::keep`), so the
        // function stays where it is.
        unsafe { libc::atexit(at_exit) };
    });
}

/// The context of this number is destroyed.
pub fn remove(number: usize) {
    let mut living = lock();
    living.contexts[number] = Weak::new();
    living.free.push(number);
}

/// The list of contexts, locked.
pub type Guard = fork_lock::Guard<'static, Living>;

/// Locks the list of contexts.
pub fn lock() -> Guard {
    LIVING.lock()
}

extern "C" fn at_exit() {
    // a panic would end a process that is ending
    let _ = std::panic::catch_unwind(|| {
        flush_all();
        // the last lookup may have ended just now
        notice::print_at_exit();
    });
}

fn flush_all() {
    let deadline = sys::now() + FLUSH_LIMIT;
    // a thread that forks has it locked for a moment; or this thread has:
    // then this is a signal handler that interrupted a call, and it stays
    // locked
    let Some(list) = lock_by(&LIVING, deadline) else { return };
    let mut left: Vec<Arc<Context>> = Vec::new();
    // without memory there is none for their lines either
    if memory::room(&mut left, list.contexts.len()).is_err() {
        return;
    }
    left.extend(list.contexts.iter().filter_map(Weak::upgrade));
    drop(list);
    // a context that a child has not used has nothing of the child's
    left.retain(|context| context.is_adopted());
    let others = || scheduler::is_free() && resolver::is_free() && socket_pool::is_free();
    // in rounds: one whose server is away takes nothing from the others
    while !left.is_empty() && sys::now() < deadline {
        left.retain(|context| !(context.is_free() && others() && context.flush_until(0).is_ok()));
        if !left.is_empty() {
            std::thread::sleep(Duration::from_nanos(GAP));
        }
    }
}

/// Locks it, unless it is held up to the deadline (ns).
fn lock_by<T>(lock: &Lock<T>, deadline: u64) -> Option<fork_lock::Guard<'_, T>> {
    loop {
        match lock.try_lock() {
            Some(guard) => return Some(guard),
            None if sys::now() >= deadline => return None,
            None => std::thread::sleep(Duration::from_nanos(GAP / 10)),
        }
    }
}
