//! The addresses of an endpoint: given as they are, or looked up, and looked
//! up again in time.

#![forbid(unsafe_code)]

use crate::log::{Journal, Problem};
use crate::send::address::Address;
use crate::send::backoff::{MS, jitter, next_wait};
use crate::send::endpoint::{Endpoint, Host};
use crate::send::resolver::{Done, Lookup};

/// After a lookup that failed, and while no server answers at the address, the
/// next comes this much later, then twice as much.
const RETRY: std::ops::RangeInclusive<u64> = 1_000 * MS..=60_000 * MS;
/// The same after one for which there was no thread: a flush, which has 100
/// ms, tries several times.
const NO_THREAD: u64 = 20 * MS;
/// An address is looked up again after this long.
const AGE: u64 = 60_000 * MS;
/// Another context's answer of this age is as good as one's own where the
/// address is only old...
const RECENT: u64 = 30_000 * MS;
/// ...and of this age where it is needed because no server answers.
const FRESH: u64 = 700 * MS;

/// More addresses than a name server rotates.
const MANY: usize = 64;

/// The addresses of an endpoint.
#[derive(Debug)]
pub struct Addresses {
    /// The host's name and the port, where they are to be looked up.
    name: Option<(String, u16)>,
    /// Comes before the message of a failed lookup: `parse error: ` for an
    /// endpoint that came from the environment.
    origin: &'static str,
    list: Vec<Address>,
    lookup: Option<Lookup>,
    due: u64,
    wait: u64,
}

impl Addresses {
    /// Those of `endpoint`, as far as they are known.
    pub fn new(endpoint: &Endpoint, origin: &'static str) -> Addresses {
        let mut name = None;
        let list = match endpoint {
            Endpoint::Udp { host: Host::Ip(ip), port }
            | Endpoint::Tcp { host: Host::Ip(ip), port } => {
                vec![std::net::SocketAddr::new(*ip, *port).into()]
            }
            Endpoint::Udp { host: Host::Name(host), port }
            | Endpoint::Tcp { host: Host::Name(host), port } => {
                name = Some((host.clone(), *port));
                Vec::new()
            }
            Endpoint::Path(path) | Endpoint::StreamPath(path) => {
                Address::path(path).into_iter().collect()
            }
            Endpoint::Abstract(name) | Endpoint::StreamAbstract(name) => {
                Address::abstract_name(name).into_iter().collect()
            }
        };
        Addresses { name, origin, list, lookup: None, due: 0, wait: 0 }
    }

    /// In the order in which they are tried.
    pub fn list(&self) -> &[Address] {
        &self.list
    }

    /// Forgets them all.
    pub fn clear(&mut self) {
        self.list.clear();
    }

    /// In a child process: a lookup that is under way is the parent's. Its
    /// lock may be held by a thread that is not here.
    pub fn after_fork(&mut self) {
        std::mem::forget(self.lookup.take());
    }

    /// Whether a lookup is under way.
    pub fn is_looking_up(&self) -> bool {
        self.lookup.is_some()
    }

    /// When the next lookup is due, where there is no address (ns).
    pub fn lookup_at(&self) -> Option<u64> {
        let wanted = self.name.is_some() && self.list.is_empty() && self.lookup.is_none();
        wanted.then_some(self.due)
    }

    /// Whether `resolve` has anything to do.
    pub fn is_lookup_due(&self, now: u64) -> bool {
        self.name.is_some() && (self.lookup.is_some() || now >= self.due)
    }

    /// No server answers: it may have moved.
    pub fn unreachable(&mut self, now: u64) {
        let wait = next_wait(self.wait, RETRY);
        let soon = now + jitter(wait, now);
        if soon < self.due {
            (self.due, self.wait) = (soon, wait);
        }
    }

    /// A server answers.
    pub fn reachable(&mut self) {
        self.wait = 0;
    }

    /// Starts a lookup of the host's name when it is due: where there is no
    /// address, where none answers (`doubted`), and where the last lookup was
    /// a minute ago. Takes its answer, when it is there; whether the addresses
    /// are others now.
    pub fn resolve(
        &mut self,
        now: u64,
        doubted: bool,
        journal: &mut Journal,
        done: impl FnOnce() -> Done,
    ) -> bool {
        let Some((name, port)) = &self.name else { return false };
        if self.lookup.is_none() && now >= self.due {
            let age = if doubted { FRESH } else { RECENT };
            match Lookup::start(name, *port, now.saturating_sub(age), done()) {
                Ok(lookup) => {
                    self.lookup = Some(lookup);
                    journal.thread(Ok(()), now);
                }
                Err(error) => {
                    self.due = now + NO_THREAD;
                    journal.thread(Err(error), now);
                }
            }
        }
        let Some(answer) = self.lookup.as_ref().and_then(Lookup::answer) else { return false };
        self.lookup = None;
        journal.stats.resolutions += 1;
        match answer {
            Ok(addresses) => {
                self.due = now + jitter(AGE, now);
                journal.problems.over(Problem::Resolve, |count| {
                    format!("{name} has an address, after {count} lookups without one")
                });
                if same_set(&addresses, &self.list) {
                    return false;
                }
                self.list = addresses;
                true
            }
            Err(reason) => {
                self.wait = next_wait(self.wait, RETRY);
                self.due = now + jitter(self.wait, now);
                let origin = self.origin;
                journal.problems.met(Problem::Resolve, 1, now, || {
                    format!("{origin}cannot look up {name}: {reason}")
                });
                false
            }
        }
    }
}

/// Whether these are the same addresses: a name server may give them in
/// another order each time. If there are very many, the order counts,
/// because it takes long to compare them without it.
fn same_set(a: &[Address], b: &[Address]) -> bool {
    let within = |a: &[Address], b: &[Address]| a.iter().all(|address| b.contains(address));
    a == b || a.len().max(b.len()) <= MANY && within(a, b) && within(b, a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_addresses_does_not_count() {
        let address =
            |port| Address::from(std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, port)));
        let [a, b, c] = [1, 2, 3].map(address);
        assert!(same_set(&[a.clone(), b.clone()], &[b.clone(), a.clone()]));
        assert!(!same_set(&[a.clone(), b.clone()], &[a.clone(), c]));
        assert!(!same_set(&[a.clone(), b], &[a]));
        assert!(same_set(&[], &[]));
    }
}
