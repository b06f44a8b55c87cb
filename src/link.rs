//! The way to the end point: its addresses, the socket, and when to try
//! again after a failure.

#![forbid(unsafe_code)]

use std::io;
use std::sync::Arc;

use crate::endpoint::{Endpoint, Host};
use crate::log::{Problem, Problems};
use crate::pool;
use crate::resolver::{Done, Lookup};
use crate::socket::{Address, Refusal, Socket};
use crate::stats::Stats;

const MS: u64 = 1_000_000;
/// After a refusal the next try comes this much later, then twice as much.
const RETRY: std::ops::RangeInclusive<u64> = 10 * MS..=500 * MS;
/// The same for a kernel whose buffer is full.
const STALL: std::ops::RangeInclusive<u64> = MS..=100 * MS;
/// The same for names of hosts.
const LOOKUP_RETRY: std::ops::RangeInclusive<u64> = 1_000 * MS..=60_000 * MS;
/// The same for a socket of its own, where one is borrowed.
const OWN_RETRY: std::ops::RangeInclusive<u64> = 1_000 * MS..=60_000 * MS;
/// An address is looked up again after this long.
const ADDRESS_AGE: u64 = 60_000 * MS;

/// What the kernel said of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Taken, or beyond help and counted as dropped.
    Gone,
    /// Not taken: it is to be sent again later.
    Wait,
}

/// Whether to ask right after a datagram if it was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Ask: costs a system call, and loopback tells at once.
    After,
    /// Do not: the next call learns of it.
    Never,
}

/// A datagram and its number of lines.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// At most the `mtu`.
    pub bytes: &'a [u8],
    /// At least one.
    pub lines: u64,
}

/// Where a context writes down what happened.
#[derive(Debug, Default)]
pub struct Book {
    /// The counts.
    pub stats: Stats,
    /// The log.
    pub problems: Problems,
}

/// A way to an end point.
#[derive(Debug)]
pub struct Link {
    endpoint: Endpoint,
    is_name: bool,
    /// Said with a failed look-up: `parse error: ` for an end point that
    /// came from the environment.
    complaint: &'static str,
    addresses: Vec<Address>,
    current: usize,
    lookup: Option<Lookup>,
    lookup_at: u64,
    lookup_wait: u64,
    socket: Option<Arc<Socket>>,
    /// The socket is another link's: there was no descriptor for one.
    borrowed: bool,
    own_at: u64,
    own_wait: u64,
    opened: bool,
    checked: u64,
    retry_at: u64,
    wait: u64,
    /// The kernel's buffer was full: worth a try again then.
    stalled_until: u64,
    stall: u64,
    /// Nothing was taken yet, or the last datagram was refused: look after
    /// each until one is not.
    suspect: bool,
    /// Lines of the last datagram taken, which may yet prove refused.
    unseen: u64,
}

impl Link {
    /// A link that opens its socket when it is first used.
    pub fn new(endpoint: Endpoint, complaint: &'static str) -> Link {
        let addresses = match &endpoint {
            Endpoint::Udp { host: Host::Ip(ip), port } => {
                vec![std::net::SocketAddr::new(*ip, *port).into()]
            }
            Endpoint::Udp { host: Host::Name(_), .. } => Vec::new(),
            Endpoint::Path(path) => Address::path(path).into_iter().collect(),
            Endpoint::Abstract(name) => Address::abstract_name(name).into_iter().collect(),
        };
        Link {
            is_name: matches!(endpoint, Endpoint::Udp { host: Host::Name(_), .. }),
            endpoint,
            complaint,
            addresses,
            current: 0,
            lookup: None,
            lookup_at: 0,
            lookup_wait: 0,
            socket: None,
            borrowed: false,
            own_at: 0,
            own_wait: 0,
            opened: false,
            checked: 0,
            retry_at: 0,
            wait: 0,
            stalled_until: 0,
            stall: 0,
            suspect: true,
            unseen: 0,
        }
    }

    /// When the next try to send is due, where the last one failed (ns).
    pub fn retry_at(&self) -> u64 {
        self.retry_at.max(self.stalled_until)
    }

    /// Whether a look-up is under way.
    pub fn is_looking_up(&self) -> bool {
        self.lookup.is_some()
    }

    /// Makes the next try due now.
    pub fn hurry(&mut self) {
        self.retry_at = 0;
    }

    /// Closes the socket for good.
    pub fn close(&mut self) {
        self.socket = None;
        self.addresses.clear();
    }

    /// When the next look-up is due, where there is no address (ns).
    pub fn lookup_at(&self) -> Option<u64> {
        (self.is_name && self.addresses.is_empty() && self.lookup.is_none())
            .then_some(self.lookup_at)
    }

    /// In a child process: the socket, and a look-up that is under way, are
    /// the parent's.
    pub fn after_fork(&mut self) {
        self.socket = None;
        // its lock may be held by a thread that is not here
        std::mem::forget(self.lookup.take());
        (self.unseen, self.retry_at, self.stalled_until, self.wait) = (0, 0, 0, 0);
        self.opened = false;
        self.suspect = true;
    }

    /// Whether `resolve` has anything to do.
    pub fn is_lookup_due(&self, now: u64) -> bool {
        self.is_name && (self.lookup.is_some() || now >= self.lookup_at)
    }

    /// Takes the answer of a look-up of the host's name, and starts the next
    /// where one is due: where there is no address, where none answers, and
    /// where the last look-up was a minute ago.
    pub fn resolve(&mut self, now: u64, book: &mut Book, done: impl FnOnce() -> Done) {
        let Endpoint::Udp { host: Host::Name(name), port } = &self.endpoint else { return };
        if let Some(answer) = self.lookup.as_ref().and_then(Lookup::answer) {
            self.lookup = None;
            book.stats.resolutions += 1;
            match answer {
                Ok(addresses) => {
                    if addresses != self.addresses {
                        self.addresses = addresses;
                        (self.current, self.retry_at, self.suspect) = (0, 0, true);
                        self.socket = None;
                    }
                    self.lookup_at = now + jitter(ADDRESS_AGE, now);
                    book.problems.over(Problem::Resolve, |count| {
                        format!("{name} has an address, after {count} look-ups without one")
                    });
                }
                Err(reason) => {
                    self.lookup_wait = next_wait(self.lookup_wait, LOOKUP_RETRY);
                    self.lookup_at = now + jitter(self.lookup_wait, now);
                    let complaint = self.complaint;
                    book.problems.met(Problem::Resolve, 1, now, || {
                        format!("{complaint}cannot look up {name}: {reason}")
                    });
                }
            }
        }
        if self.lookup.is_none() && now >= self.lookup_at {
            match Lookup::start(name, *port, done()) {
                Ok(lookup) => self.lookup = Some(lookup),
                Err(_) => self.lookup_at = now + *LOOKUP_RETRY.start(),
            }
        }
    }

    /// Sends a datagram of so many lines, if the way is open.
    pub fn send(&mut self, datagram: Datagram<'_>, look: Look, now: u64, book: &mut Book) -> Sent {
        if now < self.retry_at {
            return Sent::Wait;
        }
        let mut again = true;
        while self.open(now, book) {
            let Some(socket) = &self.socket else { break };
            let look = look == Look::After || self.suspect;
            let error = match socket.send(datagram.bytes, look, !self.borrowed) {
                Ok(()) => {
                    self.taken(datagram, book);
                    return Sent::Gone;
                }
                Err(Refusal::After(error)) => error,
                Err(Refusal::Before(error)) => match error.raw_os_error().unwrap_or(0) {
                    libc::EAGAIN | libc::ENOBUFS | libc::EINTR | libc::ENOMEM => {
                        self.stall = next_wait(self.stall, STALL);
                        self.stalled_until = now + self.stall;
                        break;
                    }
                    libc::EMSGSIZE => {
                        // larger than the path to this end point takes at all
                        book.stats.dropped_oversize += datagram.lines;
                        return Sent::Gone;
                    }
                    code if std::mem::take(&mut again) => {
                        book.stats.send_errors += 1;
                        if code == libc::ECONNREFUSED && self.is_udp() {
                            // said of the datagram before this one
                            book.stats.dropped_send += std::mem::take(&mut self.unseen);
                        } else {
                            self.socket = None;
                        }
                        self.suspect = true;
                        continue;
                    }
                    _ => error,
                },
            };
            if !self.refused(&error, now, book) {
                break;
            }
        }
        Sent::Wait
    }

    /// Opens the socket where there is none, or where it is not ours any
    /// more.
    fn open(&mut self, now: u64, book: &mut Book) -> bool {
        if let Some(socket) = &self.socket {
            // once a tick of the clock that packets go by
            if now == self.checked {
                return true;
            }
            self.checked = now;
            let own_is_due = self.borrowed && now >= self.own_at;
            if socket.is_own() && !own_is_due {
                if !self.borrowed {
                    socket.end_sharing();
                }
                return true;
            }
            self.socket = None;
        }
        while let Some(address) = self.addresses.get(self.current) {
            match pool::open(address) {
                Ok((socket, borrowed)) => {
                    self.socket = Some(socket);
                    self.checked = now;
                    self.opened(borrowed, now, book);
                    return true;
                }
                Err(error) => {
                    if !self.refused(&error, now, book) {
                        return false;
                    }
                }
            }
        }
        false
    }

    fn opened(&mut self, borrowed: bool, now: u64, book: &mut Book) {
        self.borrowed = borrowed;
        let endpoint = &self.endpoint;
        if borrowed {
            self.own_wait = next_wait(self.own_wait, OWN_RETRY);
            self.own_at = now + jitter(self.own_wait, now);
            book.problems.met(Problem::Share, 1, now, || {
                format!("no descriptor for a socket to {endpoint}: another context's is used")
            });
        } else {
            self.own_wait = 0;
            book.stats.reconnects += u64::from(std::mem::replace(&mut self.opened, true));
            book.problems.over(Problem::Share, |_| {
                format!("there is a socket of its own to {endpoint} again")
            });
        }
    }

    fn is_udp(&self) -> bool {
        matches!(self.endpoint, Endpoint::Udp { .. })
    }

    /// A datagram, or a connection, was refused. Whether there is another
    /// address to try at once.
    fn refused(&mut self, error: &io::Error, now: u64, book: &mut Book) -> bool {
        book.stats.send_errors += 1;
        self.suspect = true;
        let endpoint = &self.endpoint;
        book.problems.met(Problem::Send, 1, now, || {
            let error = error.to_string();
            let reason = error.split(" (os error").next().unwrap_or_default();
            format!("cannot send to {endpoint}: {reason}")
        });
        if self.addresses.len() > 1 {
            self.socket = None;
        }
        self.current += 1;
        if self.current < self.addresses.len() {
            return true;
        }
        self.current = 0;
        self.wait = next_wait(self.wait, RETRY);
        self.retry_at = now + jitter(self.wait, now);
        // the server may have moved
        let wait = next_wait(self.lookup_wait, LOOKUP_RETRY);
        let soon = now + jitter(wait, now);
        if soon < self.lookup_at {
            (self.lookup_at, self.lookup_wait) = (soon, wait);
        }
        false
    }

    fn taken(&mut self, datagram: Datagram<'_>, book: &mut Book) {
        book.stats.lines += datagram.lines;
        book.stats.datagrams += 1;
        book.stats.bytes += datagram.bytes.len() as u64;
        self.unseen = datagram.lines;
        self.stall = 0;
        if std::mem::take(&mut self.suspect) {
            (self.wait, self.lookup_wait) = (0, 0);
            let endpoint = &self.endpoint;
            book.problems.over(Problem::Send, |count| {
                format!("sending to {endpoint} again, after {count} failures")
            });
        }
    }
}

/// Up to a quarter less or more, so that not all come at the same instant.
fn jitter(wait: u64, now: u64) -> u64 {
    wait * 3 / 4 + now.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (wait / 2)
}

fn next_wait(wait: u64, range: std::ops::RangeInclusive<u64>) -> u64 {
    (wait * 2).clamp(*range.start(), *range.end())
}
