//! Delivery: what goes now, what waits, in which order.

#![forbid(unsafe_code)]

use crate::encode::packet::{Packer, Rejected};
use crate::error::Error;
use crate::log::Journal;
use crate::send::connection::{Connection, Datagram, Probe, Sent};
use crate::send::pace::Burst;
use crate::send::queue::Queue;

/// How a round of sending ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing is left to be sent.
    Done,
    /// More can go after a `GAP`.
    More,
    /// The kernel takes nothing now.
    Blocked,
}

/// Whether a datagram may be dropped when the buffer is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retain {
    /// No: the sums, totals and gauges in it are nowhere else.
    Always,
    /// The oldest may: samples, members, packets.
    IfRoom,
}

/// Sends the datagrams of a context, one at a time.
#[derive(Debug)]
pub struct Delivery {
    connection: Connection,
    packer: Packer,
    /// Numbers that the kernel has not taken: never dropped, and few,
    /// because no more are made while there are any.
    unsent_numbers: Queue,
    /// The other datagrams that it has not taken.
    waiting: Queue,
    /// The last datagram of a burst, until it is known not to be refused.
    last: Packer,
    /// Whether it may be dropped.
    retain_last: Retain,
    /// The most bytes that may wait.
    bound: usize,
    scratch: Vec<u8>,
}

impl Delivery {
    /// Sends over `link`, in datagrams of at most `mtu` bytes, keeping at
    /// most `bound` bytes that wait.
    pub fn new(connection: Connection, mtu: usize, bound: usize) -> Delivery {
        Delivery {
            connection,
            packer: Packer::new(mtu),
            unsent_numbers: Queue::default(),
            waiting: Queue::default(),
            last: Packer::new(mtu),
            retain_last: Retain::IfRoom,
            bound,
            scratch: Vec::new(),
        }
    }

    /// The connection to the endpoint.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// How many bytes wait.
    pub fn pending(&self) -> usize {
        self.connection.left() + self.unsent_numbers.len() + self.waiting.len()
    }

    /// How many bytes wait that may be dropped.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether a datagram can be sent now, because none waits before it.
    pub fn is_clear(&self) -> bool {
        self.connection.is_clear() && self.unsent_numbers.is_empty() && self.waiting.is_empty()
    }

    /// Sends a text now; what the kernel does not take waits, and what waits
    /// already goes first.
    pub fn send_text(
        &mut self,
        text: &[u8],
        now: u64,
        elsewhere: usize,
        journal: &mut Journal,
    ) -> Result<(), Error> {
        if !self.is_clear() {
            self.drain(&mut Burst::of_flush(now), now, journal);
        }
        let bound = self.room(elsewhere);
        let clear = self.unsent_numbers.is_empty();
        let Delivery { connection, packer, waiting, .. } = self;
        let mut burst = Burst::at_once();
        let mut full = 0;
        let rejected = packer.split(text, |bytes, lines| {
            if clear && waiting.is_empty() && !burst.is_full() {
                burst.take(bytes.len());
                let datagram = Datagram { bytes, lines };
                if connection.send(datagram, Probe::Never, now, journal) == Sent::Done {
                    return;
                }
            }
            full += waiting.push(bytes, lines, bound);
        });
        journal.dropped_full(full, self.bound, now);
        count_rejected(rejected, self.bound, now, journal)
    }

    /// Sends what waits, in order, as long as the burst and the kernel allow.
    pub fn drain(&mut self, burst: &mut Burst, now: u64, journal: &mut Journal) -> Progress {
        loop {
            if !self.connection.is_clear() && self.connection.finish(now, journal) == Sent::Retry {
                return Progress::Blocked;
            }
            let queue = if self.unsent_numbers.is_empty() {
                &mut self.waiting
            } else {
                &mut self.unsent_numbers
            };
            let Some(lines) = queue.front(&mut self.scratch) else { return Progress::Done };
            if burst.is_full() {
                return Progress::More;
            }
            burst.take(self.scratch.len());
            let datagram = Datagram { bytes: &self.scratch, lines };
            if self.connection.send(datagram, Probe::After, now, journal) == Sent::Retry {
                return Progress::Blocked;
            }
            queue.pop();
        }
    }

    /// Sends a flush's datagram, or keeps it where the kernel does not take
    /// it or others wait. `Done` if nothing of it is left. After one sent with
    /// `Probe::Later`, `confirm` is to come.
    pub fn send(
        &mut self,
        packer: &mut Packer,
        retain: Retain,
        probe: Probe,
        now: u64,
        elsewhere: usize,
        journal: &mut Journal,
    ) -> Sent {
        let Some((bytes, lines)) = packer.datagram() else { return Sent::Done };
        let datagram = Datagram { bytes, lines };
        let mut sent = Sent::Retry;
        if self.is_clear() {
            sent = self.connection.send(datagram, probe, now, journal);
            if sent == Sent::Retry
                && self.send_last_again(now, elsewhere, journal) == Some(Sent::Done)
            {
                sent = self.connection.send(datagram, Probe::After, now, journal);
            }
        }
        if sent == Sent::Retry {
            self.keep(datagram, retain, now, elsewhere, journal);
            packer.clear();
        } else {
            packer.move_to(&mut self.last);
            self.retain_last = retain;
            if !self.connection.is_clear() {
                sent = Sent::Retry;
            }
        }
        sent
    }

    /// Looks whether the last datagram of a burst was refused, and sends it
    /// again or keeps it. `Done` if nothing of it is left.
    pub fn confirm(&mut self, now: u64, elsewhere: usize, journal: &mut Journal) -> Sent {
        self.send_last_again(now, elsewhere, journal).unwrap_or(Sent::Done)
    }

    /// The same; `None` if it was not refused.
    fn send_last_again(
        &mut self,
        now: u64,
        elsewhere: usize,
        journal: &mut Journal,
    ) -> Option<Sent> {
        if !self.connection.was_refused(now, journal) {
            return None;
        }
        let last = std::mem::replace(&mut self.last, Packer::new(0));
        let (bytes, lines) = last.datagram()?;
        let datagram = Datagram { bytes, lines };
        self.connection.not_sent(datagram, journal);
        let sent = self.connection.send(datagram, Probe::After, now, journal);
        if sent == Sent::Retry {
            self.keep(datagram, self.retain_last, now, elsewhere, journal);
        }
        self.last = last;
        Some(sent)
    }

    /// Keeps a datagram, after those that wait.
    pub fn keep(
        &mut self,
        datagram: Datagram<'_>,
        retain: Retain,
        now: u64,
        elsewhere: usize,
        journal: &mut Journal,
    ) {
        let Datagram { bytes, lines } = datagram;
        let full = match retain {
            Retain::Always => self.unsent_numbers.push(bytes, lines, usize::MAX),
            Retain::IfRoom => {
                let bound = self.room(elsewhere);
                self.waiting.push(bytes, lines, bound)
            }
        };
        journal.dropped_full(full, self.bound, now);
    }

    /// In a child process: what waits is the parent's, and so is the socket.
    pub fn after_fork(&mut self) {
        self.unsent_numbers.clear();
        self.waiting.clear();
        self.packer.clear();
        self.last.clear();
        self.connection.after_fork();
    }

    /// Drops what still waits, because the context goes; the number of lines.
    pub fn give_up(&mut self) -> u64 {
        self.connection.give_up() + self.unsent_numbers.clear() + self.waiting.clear()
    }

    /// The most bytes that may wait.
    pub fn bound(&self) -> usize {
        self.bound
    }

    fn room(&self, elsewhere: usize) -> usize {
        self.bound.saturating_sub(elsewhere)
    }
}

/// Counts what was wrong with a text.
pub fn count_rejected(
    rejected: Rejected,
    bound: usize,
    now: u64,
    journal: &mut Journal,
) -> Result<(), Error> {
    let Rejected { oversize, invalid, no_memory } = rejected;
    journal.dropped_full(no_memory, bound, now);
    let mut result = Ok(());
    if invalid > 0 {
        let error = Error::Invalid.because(format_args!("a line holds a NUL byte"));
        (0..invalid).for_each(|_| journal.dropped_bad(error, "a line of a packet", now));
        result = Err(error);
    }
    if oversize > 0 {
        let error = Error::TooBig.because(format_args!("a line is longer than a datagram"));
        (0..oversize).for_each(|_| journal.dropped_bad(error, "a line of a packet", now));
        result = Err(error);
    }
    if no_memory > 0 { Err(Error::NoMemory) } else { result }
}
