//! Delivery: what goes now, what waits, in which order.

#![forbid(unsafe_code)]

use crate::error::Error;
use crate::link::{Book, Datagram, Link, Look, Sent};
use crate::log::Problem;
use crate::packet::{Packer, Rejected};
use crate::queue::Queue;

/// The most datagrams in one burst: of these, none was lost in a receive
/// buffer of the default size.
pub const BURST: u32 = 32;
/// The time between bursts, in ns.
pub const GAP: u64 = 1_000_000;

/// How a round of sending ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Nothing waits any more.
    Empty,
    /// The burst was full; more can go after a `GAP`.
    More,
    /// The kernel takes nothing now.
    Blocked,
}

/// A context's way out: one at a time goes through it.
#[derive(Debug)]
pub struct Delivery {
    link: Link,
    book: Book,
    packer: Packer,
    /// Datagrams that the kernel has not taken.
    waiting: Queue,
    /// The most bytes that wait.
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
        self.waiting.len()
    }

    /// Sends a text now; what the kernel does not take waits, and what waits
    /// already goes first.
    pub fn send_text(&mut self, text: &[u8], now: u64) -> Result<(), Error> {
        let mut left = BURST;
        if !self.waiting.is_empty() {
            self.drain(&mut left, now);
        }
        let Delivery { link, book, packer, waiting, bound, .. } = self;
        let mut full = 0;
        let rejected = packer.split(text, |bytes, lines| {
            if waiting.is_empty() && left > 0 {
                left -= 1;
                let datagram = Datagram { bytes, lines };
                if link.send(datagram, Look::Never, now, book) == Sent::Gone {
                    return;
                }
            }
            full += waiting.push(bytes, lines, *bound);
        });
        self.dropped_full(full, now);
        self.rejected(rejected, now)
    }

    /// Sends what waits, in order, as long as `left` and the kernel allow.
    pub fn drain(&mut self, left: &mut u32, now: u64) -> Drained {
        while let Some(lines) = self.waiting.front(&mut self.scratch) {
            if *left == 0 {
                return Drained::More;
            }
            *left -= 1;
            let datagram = Datagram { bytes: &self.scratch, lines };
            if self.link.send(datagram, Look::After, now, &mut self.book) == Sent::Wait {
                return Drained::Blocked;
            }
            self.waiting.pop();
        }
        Drained::Empty
    }

    /// Counts what still waits as lost: the context goes.
    pub fn give_up(&mut self) {
        self.book.stats.dropped_send += self.waiting.clear();
    }

    fn dropped_full(&mut self, lines: u64, now: u64) {
        if lines > 0 {
            self.book.stats.dropped_full += lines;
            let bound = self.bound;
            self.book.problems.met(Problem::Drop, lines, now, || {
                format!("{bound} bytes wait, which is the bound: the oldest lines are dropped")
            });
        }
    }

    fn rejected(&mut self, rejected: Rejected, now: u64) -> Result<(), Error> {
        let Rejected { oversize, invalid } = rejected;
        if oversize + invalid == 0 {
            return Ok(());
        }
        self.book.stats.dropped_oversize += oversize;
        self.book.stats.dropped_invalid += invalid;
        let limit = self.packer.limit();
        self.book.problems.met(Problem::Drop, oversize + invalid, now, || {
            format!("a line is longer than {limit} bytes or holds a NUL byte: it is dropped")
        });
        Err(if oversize > 0 { Error::TooBig } else { Error::Invalid })
    }
}
