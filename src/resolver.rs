//! Host names looked up on a short-lived thread of their own, for
//! getaddrinfo waits as long as it likes. Contexts that want the same name at
//! the same time share one look-up.

#![forbid(unsafe_code)]

use std::io;
use std::net::ToSocketAddrs;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::socket::Address;
use crate::sys;

/// Runs when a look-up has ended, on its thread.
pub type Done = Box<dyn FnOnce() + Send>;

static UNDER_WAY: Mutex<UnderWay> = Mutex::new(UnderWay(Vec::new()));

/// The look-ups that have no answer yet.
#[derive(Debug)]
pub struct UnderWay(Vec<Lookup>);

/// A look-up under way, or ended with its answer.
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
    done: Vec<Done>,
}

type Answer = Result<Vec<Address>, String>;

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.answer.fmt(f)
    }
}

impl Lookup {
    /// Starts looking `host` up, or joins a look-up of it that is under way.
    /// `done` runs when the answer is there, which may be after the caller has
    /// lost interest.
    pub fn start(host: &str, port: u16, done: Done) -> io::Result<Lookup> {
        let mut under_way = lock();
        let same = |lookup: &&Lookup| lookup.0.host == host && lookup.0.port == port;
        if let Some(lookup) = under_way.0.iter().find(same) {
            lookup.state().done.push(done);
            return Ok(lookup.clone());
        }
        let state = Mutex::new(State { answer: None, done: vec![done] });
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
        let mut under_way = lock();
        under_way.0.retain(|lookup| !Arc::ptr_eq(&lookup.0, &self.0));
        let mut state = self.state();
        state.answer = Some(answer);
        let done = std::mem::take(&mut state.done);
        drop(state);
        drop(under_way);
        done.into_iter().for_each(|done| done());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay {
    /// In a child process no look-up is under way. Those of the parent are
    /// not touched: a thread that is not here may have them locked.
    pub fn after_fork(&mut self) {
        std::mem::forget(std::mem::take(&mut self.0));
    }
}

/// Locks the look-ups that are under way.
pub fn lock() -> MutexGuard<'static, UnderWay> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn one_look_up_for_all_who_want_the_same() {
        let (done, told) = mpsc::channel();
        let start = || {
            let done = done.clone();
            Lookup::start("localhost", 1, Box::new(move || done.send(()).unwrap())).unwrap()
        };
        let lookups = [start(), start(), start()];
        (0..3).for_each(|_| told.recv().unwrap());
        assert!(lookups.iter().all(|lookup| lookup.answer().is_some_and(|a| a.is_ok())));
        let same = |lookup: &Lookup| lookup.0.host == "localhost" && lookup.0.port == 1;
        assert!(!lock().0.iter().any(same));
    }
}
