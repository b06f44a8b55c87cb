//! Host names looked up on a short-lived thread of their own, for
//! getaddrinfo waits as long as it likes.

#![forbid(unsafe_code)]

use std::io;
use std::net::ToSocketAddrs;
use std::sync::{Arc, Mutex, PoisonError};

use crate::socket::Address;
use crate::sys;

/// A look-up under way, or ended with its answer not yet taken.
#[derive(Clone, Debug)]
pub struct Lookup(Arc<Mutex<Option<Answer>>>);

type Answer = Result<Vec<Address>, String>;

impl Lookup {
    /// Starts looking `host` up; `done` runs on the helper thread when the
    /// answer is there, which may be after the caller has lost interest.
    pub fn start(
        host: &str,
        port: u16,
        done: impl FnOnce() + Send + 'static,
    ) -> io::Result<Lookup> {
        let lookup = Lookup(Arc::default());
        let (theirs, host) = (lookup.clone(), host.to_owned());
        sys::spawn("fripp-resolver", move || {
            let answer = look_up(&host, port);
            *theirs.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
            done();
        })?;
        Ok(lookup)
    }

    /// The answer, once, when it is there.
    pub fn take(&self) -> Option<Answer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn look_up(host: &str, port: u16) -> Answer {
    let found = (host, port).to_socket_addrs().map_err(|error| error.to_string())?;
    let addresses: Vec<Address> = found.map(Address::from).collect();
    if addresses.is_empty() { Err("no address".to_owned()) } else { Ok(addresses) }
}
