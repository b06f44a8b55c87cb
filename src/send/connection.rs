//! The connection to the endpoint: its addresses, the socket, and when to try
//! again after a failure.

#![forbid(unsafe_code)]

use std::io;
use std::sync::Arc;

use crate::log::{Journal, Problem};
use crate::send::address::Address;
use crate::send::addresses::Addresses;
use crate::send::backoff::{MS, jitter, next_wait};
use crate::send::endpoint::Endpoint;
use crate::send::renewal::Renewal;
use crate::send::resolver::Done;
use crate::send::socket::{Refusal, Socket};
use crate::send::socket_pool;
use crate::send::stream::Stream;

mod in_burst;
mod over_stream;

use in_burst::Last;

/// After a refusal the next try comes this much later, then twice as much.
const RETRY: std::ops::RangeInclusive<u64> = 10 * MS..=500 * MS;
/// The same for a kernel whose buffer is full.
const STALL: std::ops::RangeInclusive<u64> = MS..=100 * MS;
/// The same for a socket of its own, while another context's is used.
const OWN_RETRY: std::ops::RangeInclusive<u64> = 1_000 * MS..=60_000 * MS;

/// What the kernel said of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Taken, at least in part where it is a stream; or beyond help and counted
    /// as dropped.
    Done,
    /// Not taken: it is to be sent again later.
    Retry,
}

/// When to ask if a datagram was refused. Of a UNIX socket this is not asked:
/// it does not take what it refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Ask: it costs a system call, and loopback reports a refusal at once.
    After,
    /// Leave it to the next datagram, which the kernel does not take if this one
    /// was refused, and after the last of a burst to `was_refused`.
    Later,
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

/// A connection to an endpoint.
#[derive(Debug)]
pub struct Connection {
    endpoint: Endpoint,
    addresses: Addresses,
    current: usize,
    /// Of an endpoint that takes a stream.
    stream: Option<Box<Stream>>,
    socket: Option<Arc<Socket>>,
    /// The socket is another link's: there was no descriptor for one.
    borrowed: bool,
    own_at: u64,
    own_wait: u64,
    opened: bool,
    renewal: Renewal,
    checked: u64,
    retry_at: u64,
    wait: u64,
    /// The kernel's buffer was full: worth a try again then.
    stalled_until: u64,
    stall: u64,
    /// Nothing was taken yet, or the last datagram was refused: look after
    /// each until one is not.
    verify_next: bool,
    /// Lines of the last datagram taken, which may yet prove refused.
    unconfirmed_lines: u64,
    /// Whether it was, as far as it is known, where it was one of a burst.
    last: Last,
}

impl Connection {
    /// A link that opens its socket when it is first used.
    pub fn new(endpoint: Endpoint, origin: &'static str) -> Connection {
        Connection {
            addresses: Addresses::new(&endpoint, origin),
            stream: endpoint.is_stream().then(Box::default),
            endpoint,
            current: 0,
            socket: None,
            borrowed: false,
            own_at: 0,
            own_wait: 0,
            opened: false,
            renewal: Renewal::default(),
            checked: 0,
            retry_at: 0,
            wait: 0,
            stalled_until: 0,
            stall: 0,
            verify_next: true,
            unconfirmed_lines: 0,
            last: Last::Known,
        }
    }

    /// When the next try to send is due, where the last one failed (ns).
    pub fn retry_at(&self) -> u64 {
        self.retry_at.max(self.stalled_until)
    }

    /// Whether datagrams of any size get through, within this host.
    pub fn is_local(&self) -> bool {
        match self.endpoint {
            Endpoint::Path(_) | Endpoint::Abstract(_) => true,
            Endpoint::Udp { .. } => {
                self.addresses.list().get(self.current).is_some_and(Address::is_loopback)
            }
            _ => false,
        }
    }

    /// Where it leads.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The addresses.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Makes the next try due now.
    pub fn hurry(&mut self) {
        self.retry_at = 0;
    }

    /// Closes the socket for good.
    pub fn close(&mut self) {
        self.socket = None;
        if let Some(stream) = &mut self.stream {
            stream.close();
        }
        self.addresses.clear();
    }

    /// In a child process: the socket, and a lookup that is under way, are
    /// the parent's.
    pub fn after_fork(&mut self) {
        self.socket = None;
        if let Some(stream) = &mut self.stream {
            stream.after_fork();
        }
        self.addresses.after_fork();
        (self.unconfirmed_lines, self.retry_at, self.stalled_until, self.wait) = (0, 0, 0, 0);
        self.opened = false;
        self.verify_next = true;
        self.last = Last::Known;
    }

    /// Looks the host's name up where that is due, and goes where it says.
    pub fn resolve(&mut self, now: u64, journal: &mut Journal, done: impl FnOnce() -> Done) {
        if self.addresses.resolve(now, self.verify_next, journal, done) {
            (self.current, self.retry_at, self.verify_next) = (0, 0, true);
            self.socket = None;
            if let Some(stream) = &mut self.stream {
                stream.moved(self.addresses.list());
            }
        }
    }

    /// Sends a datagram of so many lines, if the connection is open.
    pub fn send(
        &mut self,
        datagram: Datagram<'_>,
        probe: Probe,
        now: u64,
        journal: &mut Journal,
    ) -> Sent {
        if self.stream.is_some() {
            return self.send_lines(datagram, now, journal);
        }
        if now < self.retry_at {
            return Sent::Retry;
        }
        let mut again = true;
        let mut late = true;
        while self.open(now, journal) {
            let Some(socket) = &self.socket else { break };
            let error = match socket.send(datagram.bytes, self.looks(probe), !self.borrowed) {
                Ok(looked) => {
                    self.renewal.sent(now);
                    self.last_is(probe, looked, journal);
                    self.taken(datagram, journal);
                    return Sent::Done;
                }
                Err(Refusal::After(error)) => {
                    if self.last == Last::Doubted {
                        return self.last_was_refused(&error, now, journal);
                    }
                    error
                }
                Err(Refusal::Before(error)) => match error.raw_os_error().unwrap_or(0) {
                    libc::EAGAIN | libc::ENOBUFS | libc::EINTR | libc::ENOMEM => {
                        self.renewal.is_full(now, self.stall == 0);
                        if self.is_path() && self.renewal.is_stuck(now) && self.renew(now) {
                            continue;
                        }
                        self.stall(now);
                        break;
                    }
                    libc::ECONNREFUSED if self.last == Last::Open => {
                        return self.last_was_refused(&error, now, journal);
                    }
                    _ if self.doubts_last() => continue,
                    // it may be about an earlier datagram
                    libc::EMSGSIZE if std::mem::take(&mut late) => continue,
                    libc::EMSGSIZE => {
                        // larger than the path to this endpoint takes at all
                        journal.stats.dropped_oversize += datagram.lines;
                        return Sent::Done;
                    }
                    code if std::mem::take(&mut again) => {
                        journal.stats.send_errors += 1;
                        if code == libc::ECONNREFUSED && self.is_udp() {
                            // said of the datagram before this one
                            journal.stats.dropped_send +=
                                std::mem::take(&mut self.unconfirmed_lines);
                        } else {
                            self.socket = None;
                        }
                        self.verify_next = true;
                        continue;
                    }
                    _ => error,
                },
            };
            if !self.refused(&error, now, journal) {
                break;
            }
        }
        Sent::Retry
    }

    /// Opens the socket where there is none, or where it is not ours any
    /// more.
    fn open(&mut self, now: u64, journal: &mut Journal) -> bool {
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
                    if self.renewal.is_old(now) {
                        let elsewhere = socket.is_elsewhere();
                        self.renewal.restart(now);
                        if elsewhere {
                            self.renew(now);
                        }
                    }
                }
                return true;
            }
            self.socket = None;
        }
        while let Some(address) = self.addresses.list().get(self.current) {
            match socket_pool::open(address) {
                Ok((socket, borrowed)) => {
                    self.socket = Some(socket);
                    self.checked = now;
                    self.opened(borrowed, now, journal);
                    return true;
                }
                Err(error) => {
                    if !self.refused(&error, now, journal) {
                        return false;
                    }
                }
            }
        }
        false
    }

    /// Puts a new socket in the place of one that may lead nowhere. Where none
    /// can be had, that one stays.
    fn renew(&mut self, now: u64) -> bool {
        self.renewal.restart(now);
        let address = self.addresses.list().get(self.current);
        let Some(Ok(socket)) = address.map(socket_pool::renew) else { return false };
        self.socket = Some(socket);
        self.borrowed = false;
        true
    }

    fn is_path(&self) -> bool {
        matches!(self.endpoint, Endpoint::Path(_) | Endpoint::Abstract(_))
    }

    fn opened(&mut self, borrowed: bool, now: u64, journal: &mut Journal) {
        self.borrowed = borrowed;
        self.renewal.restart(now);
        let endpoint = &self.endpoint;
        if borrowed {
            self.own_wait = next_wait(self.own_wait, OWN_RETRY);
            self.own_at = now + jitter(self.own_wait, now);
            journal.problems.met(Problem::Share, 1, now, || {
                format!("no descriptor for a socket to {endpoint}: another context's is used")
            });
        } else {
            self.own_wait = 0;
            journal.stats.reconnects += u64::from(std::mem::replace(&mut self.opened, true));
            journal.problems.over(Problem::Share, |_| {
                format!("there is a socket of its own to {endpoint} again")
            });
        }
    }

    fn is_udp(&self) -> bool {
        matches!(self.endpoint, Endpoint::Udp { .. })
    }

    /// A datagram, or a connection, was refused. Whether there is another
    /// address to try at once.
    fn refused(&mut self, error: &io::Error, now: u64, journal: &mut Journal) -> bool {
        journal.stats.send_errors += 1;
        self.verify_next = true;
        let endpoint = &self.endpoint;
        journal.problems.met(Problem::Send, 1, now, || {
            let error = error.to_string();
            let reason = error.split(" (os error").next().unwrap_or_default();
            format!("cannot send to {endpoint}: {reason}")
        });
        if self.addresses.list().len() > 1 {
            self.socket = None;
        }
        self.current += 1;
        if self.current < self.addresses.list().len() {
            return true;
        }
        self.current = 0;
        self.wait = next_wait(self.wait, RETRY);
        self.retry_at = now + jitter(self.wait, now);
        self.addresses.unreachable(now);
        false
    }

    fn taken(&mut self, datagram: Datagram<'_>, journal: &mut Journal) {
        journal.stats.lines += datagram.lines;
        journal.stats.datagrams += 1;
        journal.stats.bytes += datagram.bytes.len() as u64;
        self.unconfirmed_lines = datagram.lines;
        self.stall = 0;
        if self.verify_next {
            self.answers(journal);
        }
    }

    fn answers(&mut self, journal: &mut Journal) {
        self.verify_next = false;
        self.wait = 0;
        self.addresses.reachable();
        let endpoint = &self.endpoint;
        journal.problems.over(Problem::Send, |count| {
            format!("sending to {endpoint} again, after {count} failures")
        });
    }

    fn stall(&mut self, now: u64) {
        self.stall = next_wait(self.stall, STALL);
        self.stalled_until = now + self.stall;
    }
}
