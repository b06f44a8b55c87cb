//! Delivery: what goes now, what waits, in which order.

#![forbid(unsafe_code)]

use crate::encode::packet::{self, Packer, Rejected};
use crate::error::Error;
use crate::log::Problem;
use crate::metric::samples::Budget;
use crate::send::connection::{Book, Datagram, Link, Look, Sent};
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

/// Whether a datagram may be dropped for want of room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// No: the sums, totals and gauges in it are nowhere else.
    Numbers,
    /// The oldest may: samples, members, packets.
    Lists,
}

/// A context's way out: one at a time goes through it.
#[derive(Debug)]
pub struct Delivery {
    link: Link,
    book: Book,
    packer: Packer,
    /// Lines for the next flush.
    appended: Queue,
    /// Numbers that the kernel has not taken: never dropped, and few, for
    /// while there are any no more are made.
    held: Queue,
    /// The other datagrams that it has not taken.
    waiting: Queue,
    /// The most bytes that may wait.
    bound: usize,
    scratch: Vec<u8>,
}

impl Delivery {
    /// Sends over `link`, in datagrams of at most `mtu` bytes, keeping at
    /// most `bound` bytes that wait.
    pub fn new(link: Link, mtu: usize, bound: usize) -> Delivery {
        Delivery {
            link,
            book: Book::default(),
            packer: Packer::new(mtu),
            appended: Queue::default(),
            held: Queue::default(),
            waiting: Queue::default(),
            bound,
            scratch: Vec::new(),
        }
    }

    /// The counts and the log.
    pub fn book(&mut self) -> &mut Book {
        &mut self.book
    }

    /// The way to the end point.
    pub fn link(&mut self) -> (&mut Link, &mut Book) {
        (&mut self.link, &mut self.book)
    }

    /// How many bytes wait.
    pub fn pending(&self) -> usize {
        self.held.len() + self.waiting.len() + self.appended.len()
    }

    /// Whether a datagram can go now, for none waits before it.
    pub fn is_clear(&self) -> bool {
        self.held.is_empty() && self.waiting.is_empty()
    }

    /// Whether lines wait for the next flush.
    pub fn has_appended(&self) -> bool {
        !self.appended.is_empty()
    }

    /// Sends a text now; what the kernel does not take waits, and what waits
    /// already goes first.
    pub fn send_text(&mut self, text: &[u8], now: u64, budget: &Budget) -> Result<(), Error> {
        if !self.is_clear() {
            self.drain(&mut Burst::of_flush(now), now);
        }
        let bound = self.room(budget);
        let clear = self.held.is_empty();
        let Delivery { link, book, packer, waiting, .. } = self;
        let mut burst = Burst::at_once();
        let mut full = 0;
        let rejected = packer.split(text, |bytes, lines| {
            if clear && waiting.is_empty() && !burst.is_full() {
                burst.take(bytes.len());
                let datagram = Datagram { bytes, lines };
                if link.send(datagram, Look::Never, now, book) == Sent::Gone {
                    return;
                }
            }
            full += waiting.push(bytes, lines, bound);
        });
        self.dropped_full(full, now);
        self.rejected(rejected, now)
    }

    /// Keeps a text for the next flush.
    pub fn append_text(&mut self, text: &[u8], now: u64, budget: &Budget) -> Result<(), Error> {
        let bound = self.bound.saturating_sub(self.waiting.len() + budget.used());
        let Delivery { packer, appended, .. } = self;
        let mut full = 0;
        let rejected = packet::each_line(text, packer.limit(), |line| {
            full += appended.push(line, 1, bound);
        });
        self.dropped_full(full, now);
        self.rejected(rejected, now)
    }

    /// Moves the next line that was kept for this flush to `out`.
    pub fn take_appended(&mut self, out: &mut Vec<u8>) -> bool {
        let taken = self.appended.front(out).is_some();
        self.appended.pop();
        taken
    }

    /// Sends what waits, in order, as long as the burst and the kernel allow.
    pub fn drain(&mut self, burst: &mut Burst, now: u64) -> Progress {
        loop {
            let queue = if self.held.is_empty() { &mut self.waiting } else { &mut self.held };
            let Some(lines) = queue.front(&mut self.scratch) else { return Progress::Done };
            if burst.is_full() {
                return Progress::More;
            }
            burst.take(self.scratch.len());
            let datagram = Datagram { bytes: &self.scratch, lines };
            if self.link.send(datagram, Look::After, now, &mut self.book) == Sent::Wait {
                return Progress::Blocked;
            }
            queue.pop();
        }
    }

    /// Sends a flush's datagram, or keeps it where the kernel does not take
    /// it or others wait.
    pub fn send(
        &mut self,
        datagram: Datagram<'_>,
        worth: Worth,
        now: u64,
        budget: &Budget,
    ) -> Sent {
        if self.is_clear()
            && self.link.send(datagram, Look::After, now, &mut self.book) == Sent::Gone
        {
            return Sent::Gone;
        }
        self.keep(datagram, worth, now, budget);
        Sent::Wait
    }

    /// Keeps a datagram behind those that wait.
    pub fn keep(&mut self, datagram: Datagram<'_>, worth: Worth, now: u64, budget: &Budget) {
        let Datagram { bytes, lines } = datagram;
        let full = match worth {
            Worth::Numbers => self.held.push(bytes, lines, usize::MAX),
            Worth::Lists => {
                let bound = self.room(budget);
                self.waiting.push(bytes, lines, bound)
            }
        };
        self.dropped_full(full, now);
    }

    /// In a child process: what waits is the parent's, and so is the socket.
    pub fn after_fork(&mut self) {
        self.held.clear();
        self.waiting.clear();
        self.appended.clear();
        self.packer.clear();
        self.link.after_fork();
    }

    /// Counts what still waits as lost: the context goes.
    pub fn give_up(&mut self) {
        let lines = self.held.clear() + self.waiting.clear() + self.appended.clear();
        self.book.stats.dropped_send += lines;
    }

    /// Lines were dropped for want of room.
    pub fn dropped_full(&mut self, lines: u64, now: u64) {
        if lines > 0 {
            self.book.stats.dropped_full += lines;
            let bound = self.bound;
            self.book.problems.met(Problem::Drop, lines, now, || {
                format!("more waits than fits in {bound} bytes: the oldest lines are dropped")
            });
        }
    }

    /// A metric or line cannot be sent as it is.
    pub fn dropped_bad(&mut self, error: Error, now: u64) {
        let stats = &mut self.book.stats;
        let what = match error {
            Error::TooBig => {
                stats.dropped_oversize += 1;
                "a line is longer than a datagram"
            }
            Error::NameTooLong => {
                stats.dropped_oversize += 1;
                "a metric's name is too long"
            }
            Error::NoSpace | Error::NoMemory => {
                stats.dropped_full += 1;
                "there are as many metrics as there may be"
            }
            Error::NotSupported => {
                stats.dropped_invalid += 1;
                "the dialect has no such metrics, or no tags"
            }
            Error::Invalid | Error::Range | Error::Again => {
                stats.dropped_invalid += 1;
                "a value or a name is none that can be sent"
            }
        };
        self.book.problems.met(Problem::Drop, 1, now, || format!("{what}: it is dropped"));
    }

    fn room(&self, budget: &Budget) -> usize {
        self.bound.saturating_sub(self.appended.len() + budget.used())
    }

    fn rejected(&mut self, rejected: Rejected, now: u64) -> Result<(), Error> {
        let Rejected { oversize, invalid, no_memory } = rejected;
        self.dropped_full(no_memory, now);
        (0..invalid).for_each(|_| self.dropped_bad(Error::Invalid, now));
        (0..oversize).for_each(|_| self.dropped_bad(Error::TooBig, now));
        match rejected {
            Rejected { no_memory: 1.., .. } => Err(Error::NoMemory),
            Rejected { oversize: 1.., .. } => Err(Error::TooBig),
            Rejected { invalid: 1.., .. } => Err(Error::Invalid),
            _ => Ok(()),
        }
    }
}
