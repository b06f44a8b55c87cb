//! Looks host names up on a short-lived thread, because getaddrinfo may block
//! for any length of time. Contexts that look up the same name
//! share one lookup: that which is under way, or a recent one's answer.

#![forbid(unsafe_code)]

use std::io;
use std::net::ToSocketAddrs;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::send::address::Address;
use crate::sys;
use crate::sys::fork_lock::{Guard, Lock};

/// Runs when a lookup has ended, on its thread.
pub type Done = Box<dyn FnOnce() + Send>;

static UNDER_WAY: Lock<UnderWay> = Lock::new(UnderWay(Vec::new()));

/// Others can use an answer for at most this long, in ns.
const KEPT: u64 = 60_000_000_000;

/// The lookups that have no answer yet, and those that had one just now.
#[derive(Debug)]
pub struct UnderWay(Vec<Lookup>);

/// A lookup under way, or ended with its answer.
#[derive(Clone, Debug)]
pub struct Lookup(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    host: String,
    port: u16,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    answer: Option<Answer>,
    /// When the answer came (ns).
    ended: u64,
    done: Vec<Done>,
}

type Answer = Result<Vec<Address>, String>;

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.answer.fmt(f)
    }
}

impl Lookup {
    /// Starts looking `host` up, or joins a lookup of it that is under way or
    /// has ended since the time `since` (ns), the answer of which is there
    /// then. Otherwise `done` runs when it is, which may be after the caller
    /// has lost interest.
    pub fn start(host: &str, port: u16, since: u64, done: Done) -> io::Result<Lookup> {
        let mut under_way = lock();
        let same = |lookup: &Lookup| lookup.0.host == host && lookup.0.port == port;
        for lookup in under_way.0.iter().filter(|lookup| same(lookup)) {
            let mut state = lookup.state();
            if state.answer.is_none() {
                state.done.push(done);
                return Ok(lookup.clone());
            }
            if state.ended >= since {
                return Ok(lookup.clone());
            }
        }
        let old = sys::now().saturating_sub(KEPT);
        under_way.0.retain(|lookup| {
            let state = lookup.state();
            state.answer.is_none() || !same(lookup) && state.ended >= old
        });
        let state = Mutex::new(State { done: vec![done], ..State::default() });
        let lookup = Lookup(Arc::new(Shared { host: host.to_owned(), port, state }));
        let theirs = lookup.clone();
        sys::spawn(c"fripp-resolver", Box::new(move || theirs.run()))?;
        under_way.0.push(lookup.clone());
        Ok(lookup)
    }

    /// The answer, when it is there.
    pub fn answer(&self) -> Option<Answer> {
        self.state().answer.clone()
    }

    fn run(&self) {
        let answer = look_up(&self.0.host, self.0.port);
        let mut state = self.state();
        state.answer = Some(answer);
        state.ended = sys::now();
        let done = std::mem::take(&mut state.done);
        drop(state);
        done.into_iter().for_each(|done| done());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay {
    /// In a child process no lookup is under way. Those of the parent are
    /// not touched: a thread that is not here may have them locked.
    pub fn after_fork(&mut self) {
        std::mem::forget(std::mem::take(&mut self.0));
    }
}

/// Whether it is unlocked at this moment.
pub fn is_free() -> bool {
    UNDER_WAY.is_free()
}

/// Locks the lookups that are under way.
pub fn lock() -> Guard<'static, UnderWay> {
    UNDER_WAY.lock()
}

fn look_up(host: &str, port: u16) -> Answer {
    let found = (host, port).to_socket_addrs().map_err(|error| error.to_string())?;
    let addresses: Vec<Address> = found.map(Address::from).collect();
    if addresses.is_empty() { Err("no address".to_owned()) } else { Ok(addresses) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    #[cfg_attr(miri, ignore = "it has no pthread_attr_init")]
    fn one_look_up_for_all_who_want_the_same() {
        let (done, told) = mpsc::channel();
        let start = |since| {
            let done = done.clone();
            // one that runs later finds the channel closed
            let tell = move || {
                let _ = done.send(());
            };
            Lookup::start("localhost", 1, since, Box::new(tell)).unwrap()
        };
        let lookups = [start(0), start(0), start(0)];
        let all_one = lookups.iter().all(|lookup| Arc::ptr_eq(&lookup.0, &lookups[0].0));
        assert!(all_one);
        // at least the first was early enough to be told
        told.recv().unwrap();
        assert!(lookups[0].answer().is_some_and(|answer| answer.is_ok()));
        assert!(Arc::ptr_eq(&start(sys::now() - KEPT).0, &lookups[0].0), "a recent answer");
        let next = start(sys::now());
        assert!(!Arc::ptr_eq(&next.0, &lookups[0].0), "one that is too old");
        assert_eq!(lock().0.iter().filter(|lookup| lookup.0.host == "localhost").count(), 1);
    }
}
