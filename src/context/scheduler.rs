//! The one background thread of a process: turns the contexts that have no
//! reactor to turn them.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::io;
use std::sync::{Condvar, Weak};
use std::time::Duration;

use crate::send::pace;
use crate::sys;
use crate::sys::fork_lock::{Guard, Lock, is_forking};

static SCHEDULER: Lock<Scheduler> = Lock::new(Scheduler::new());
static WAKE: Condvar = Condvar::new();

/// What the thread does for a context.
pub trait Turn: Send + Sync {
    /// Sends what is due.
    fn scheduled_turn(&self);
}

/// The thread, and when it turns which context.
#[derive(Debug)]
pub struct Scheduler {
    /// By time (ns) and context: each is in it at most once.
    due: BTreeMap<(u64, usize), Weak<dyn Turn>>,
    /// Contexts that have ever asked for a turn and still live.
    members: usize,
    thread: Option<sys::Thread>,
    /// Which thread is the one: an older one ends.
    generation: u64,
    /// The error of the last try to start it, and when to try again (ns).
    failed: Option<(i32, u64)>,
}

/// A thread that could not be started is tried again after this long, in ns:
/// a try may take longer than a call is to.
const START_AGAIN: u64 = 100_000_000;

impl Scheduler {
    const fn new() -> Scheduler {
        Scheduler { due: BTreeMap::new(), members: 0, thread: None, generation: 0, failed: None }
    }

    /// In a child process there is no thread, and no context is known.
    pub fn after_fork(&mut self) {
        // the handle is that of a thread that is not here
        std::mem::forget(self.thread.take());
        self.due.clear();
        self.members = 0;
        self.generation += 1;
    }

    fn forget(&mut self, context: &Weak<dyn Turn>, turn_at: Option<u64>) {
        if let Some(at) = turn_at {
            self.due.remove(&(at, id(context)));
        }
    }

    fn start(&mut self) -> io::Result<()> {
        let now = sys::now();
        if let Some((code, again)) = self.failed {
            if now < again {
                return Err(io::Error::from_raw_os_error(code));
            }
        }
        self.generation += 1;
        let generation = self.generation;
        let started = sys::spawn(c"fripp", Box::new(move || run(generation)));
        let code = started.as_ref().err().and_then(io::Error::raw_os_error);
        self.failed = code.map(|code| (code, now + START_AGAIN));
        self.thread = Some(started?);
        Ok(())
    }
}

/// Counts a context in, before its first turn.
pub fn join() {
    lock().members += 1;
}

/// Asks for a turn of `context` at the time `at` (ns), in place of the one at
/// the time `before`. Starts the thread where there is none; where none can be
/// had, there is no turn, and the next call is to ask again.
pub fn turn_at(context: Weak<dyn Turn>, at: u64, before: Option<u64>) -> io::Result<()> {
    let mut scheduler = lock();
    scheduler.forget(&context, before);
    if scheduler.thread.is_none() {
        scheduler.start()?;
    }
    let soonest = scheduler.due.first_key_value().is_none_or(|((first, _), _)| at < *first);
    scheduler.due.insert((at, id(&context)), context);
    drop(scheduler);
    if soonest {
        WAKE.notify_one();
    }
    Ok(())
}

/// Counts a context out, which was to have a turn at the time `turn_at`. The
/// thread goes with the last one.
pub fn leave(context: Weak<dyn Turn>, turn_at: Option<u64>) {
    let mut scheduler = lock();
    scheduler.forget(&context, turn_at);
    scheduler.members -= 1;
    if scheduler.members > 0 {
        return;
    }
    scheduler.generation += 1;
    scheduler.due.clear();
    let thread = scheduler.thread.take();
    drop(scheduler);
    WAKE.notify_all();
    // in a handler of a fork it would wait for this one's locks
    if let Some(thread) = thread.filter(|thread| !thread.is_current() && !is_forking()) {
        // it keeps its lock for at most one burst
        thread.join();
    }
}

fn run(generation: u64) {
    let mut scheduler = lock();
    while scheduler.generation == generation {
        let now = sys::now();
        let Some(first) = scheduler.due.first_entry() else {
            scheduler.wait(&WAKE, None);
            continue;
        };
        // one that is due waits for its turn in the pacing, too
        let wait = first.key().0.saturating_sub(now).max(pace::wait(now));
        if wait > 0 {
            scheduler.wait(&WAKE, Some(Duration::from_nanos(wait)));
            continue;
        }
        let context = first.remove();
        drop(scheduler);
        if let Some(context) = context.upgrade() {
            context.scheduled_turn();
        }
        scheduler = lock();
    }
}

/// Distinguishes a context from others that live.
fn id(context: &Weak<dyn Turn>) -> usize {
    context.as_ptr().cast::<()>().addr()
}

/// Whether it is unlocked at this moment.
pub fn is_free() -> bool {
    SCHEDULER.is_free()
}

/// Locks it.
pub fn lock() -> Guard<'static, Scheduler> {
    SCHEDULER.lock()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::kind::Kind;
    use crate::metric::value::Value;
    use crate::uri::Uri;

    #[test]
    #[cfg_attr(miri, ignore = "it has no sockets")]
    fn a_context_that_is_gone_has_no_turn() {
        for _ in 0..100 {
            let uri = Uri::parse(b"unix:@fripp-nobody?period=86400&buffer=4096").unwrap();
            let context = uri.context(None).unwrap();
            context.record(Kind::Counter, b"n", Value::Add(0)).unwrap();
            assert!(
                lock()
                    .due
                    .values()
                    .any(|turn| std::ptr::addr_eq(turn.as_ptr(), context.me.as_ptr()))
            );
            context.close();
            assert!(
                !lock()
                    .due
                    .values()
                    .any(|turn| std::ptr::addr_eq(turn.as_ptr(), context.me.as_ptr()))
            );
        }
    }
}
