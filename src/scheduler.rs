//! The one background thread of a process: turns the contexts that have no
//! reactor to turn them.

#![forbid(unsafe_code)]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::context::Context;
use crate::sys;

static SCHEDULER: Mutex<Scheduler> = Mutex::new(Scheduler::new());
static WAKE: Condvar = Condvar::new();

/// The thread, and when it turns which context.
#[derive(Debug)]
pub struct Scheduler {
    due: BinaryHeap<Reverse<Turn>>,
    /// Contexts that have ever asked for a turn and still live.
    members: usize,
    thread: Option<sys::Thread>,
    /// Which thread is the one: an older one ends.
    generation: u64,
}

#[derive(Debug)]
struct Turn {
    at: u64,
    context: Weak<Context>,
}

impl Scheduler {
    const fn new() -> Scheduler {
        Scheduler { due: BinaryHeap::new(), members: 0, thread: None, generation: 0 }
    }

    /// In a child process there is no thread, and no context is known.
    pub fn after_fork(&mut self) {
        // the handle is that of a thread that is not here
        std::mem::forget(self.thread.take());
        self.due.clear();
        self.members = 0;
        self.generation += 1;
    }

    fn start(&mut self) {
        self.generation += 1;
        let generation = self.generation;
        self.thread = sys::spawn(c"fripp", Box::new(move || run(generation))).ok();
    }
}

/// Counts a context in, before its first turn.
pub fn join() {
    lock().members += 1;
}

/// Asks for a turn of `context` at the time `at` (ns). Starts the thread
/// where there is none; where none can be had, the next call tries again.
pub fn turn_at(context: Weak<Context>, at: u64) {
    let mut scheduler = lock();
    let soonest = scheduler.due.peek().is_none_or(|Reverse(turn)| at < turn.at);
    scheduler.due.push(Reverse(Turn { at, context }));
    if scheduler.thread.is_none() {
        scheduler.start();
    }
    drop(scheduler);
    if soonest {
        WAKE.notify_one();
    }
}

/// Counts a context out. The thread goes with the last one.
pub fn leave() {
    let mut scheduler = lock();
    scheduler.members -= 1;
    if scheduler.members > 0 {
        return;
    }
    scheduler.generation += 1;
    scheduler.due.clear();
    let thread = scheduler.thread.take();
    drop(scheduler);
    WAKE.notify_all();
    if let Some(thread) = thread.filter(|thread| !thread.is_current()) {
        // it holds its lock for one burst at the most
        thread.join();
    }
}

fn run(generation: u64) {
    let mut scheduler = lock();
    while scheduler.generation == generation {
        let now = sys::now();
        match scheduler.due.peek() {
            Some(Reverse(turn)) if turn.at <= now => {
                let Some(Reverse(turn)) = scheduler.due.pop() else { continue };
                drop(scheduler);
                if let Some(context) = turn.context.upgrade() {
                    context.scheduled_turn();
                }
                scheduler = lock();
            }
            Some(Reverse(turn)) => {
                let wait = Duration::from_nanos(turn.at - now);
                scheduler =
                    WAKE.wait_timeout(scheduler, wait).unwrap_or_else(PoisonError::into_inner).0;
            }
            None => scheduler = WAKE.wait(scheduler).unwrap_or_else(PoisonError::into_inner),
        }
    }
}

/// Locks it.
pub fn lock() -> MutexGuard<'static, Scheduler> {
    SCHEDULER.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ord for Turn {
    fn cmp(&self, other: &Turn) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Turn) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Turn {
    fn eq(&self, other: &Turn) -> bool {
        self.at == other.at
    }
}

impl Eq for Turn {}
