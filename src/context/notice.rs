//! The message of a wrong environment variable in a process without Flux: it
//! goes to the first log function, or after a second to stderr, once a process.

#![forbid(unsafe_code)]

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::context::scheduler::{self, Turn};
use crate::encode::settings::SECOND;
use crate::log::Message;
use crate::sys;

/// How long a log function has to be set, in ns.
const PERIOD: u64 = SECOND;

static NOTICE: Mutex<Notice> = Mutex::new(Notice { known: false, waiting: None });

struct Notice {
    /// There was a message before.
    known: bool,
    waiting: Option<Waiting>,
}

struct Waiting {
    text: String,
    turn: Arc<dyn Turn>,
    /// When the background thread prints it (ns).
    at: u64,
    /// Of the process whose message it is.
    generation: u32,
}

/// The background thread's turn for the message.
struct Print;

impl Turn for Print {
    fn scheduled_turn(&self) {
        let waiting = NOTICE.lock().unwrap_or_else(PoisonError::into_inner).waiting.take();
        if let Some(Waiting { text, turn, .. }) = waiting {
            sys::print_error(&text);
            scheduler::leave(weak(&turn), None);
        }
    }
}

/// Prints a message after a period, unless it is heard before. Only the first
/// one of a process.
pub fn wait(message: &Message) {
    // locked: by another thread with the same variable, or in the parent when
    // it forked
    let Ok(mut notice) = NOTICE.try_lock() else { return };
    if std::mem::replace(&mut notice.known, true) {
        return;
    }
    let text = format!("fripp: {}: no metric is sent", message.c_text().to_string_lossy());
    let (turn, at): (Arc<dyn Turn>, _) = (Arc::new(Print), sys::now() + PERIOD);
    let due = weak(&turn);
    notice.waiting = Some(Waiting { text, turn, at, generation: sys::generation() });
    drop(notice);
    scheduler::join();
    // without a thread it is printed at exit
    let _ = scheduler::turn_at(due, at, None);
}

/// A log function received the message.
pub fn heard() {
    if let Some(Waiting { turn, at, .. }) = take() {
        scheduler::leave(weak(&turn), Some(at));
    }
}

/// The process ends: prints what waits. Not on this thread, which a broken
/// pipe would send a signal to.
pub fn print_at_exit() {
    if let Some(Waiting { text, .. }) = take() {
        if let Ok(thread) = sys::spawn(c"fripp", Box::new(move || sys::print_error(&text))) {
            thread.join();
        }
    }
}

/// What waits in this process: a parent prints for its children.
fn take() -> Option<Waiting> {
    let waiting = NOTICE.try_lock().ok()?.waiting.take();
    waiting.filter(|waiting| waiting.generation == sys::generation())
}

fn weak(turn: &Arc<dyn Turn>) -> Weak<dyn Turn> {
    Arc::downgrade(turn)
}
