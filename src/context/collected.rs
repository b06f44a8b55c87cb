//! Lines that wait for the end of a reactor's turn, in datagrams as full as
//! they can be, and what is known of the reactor. A reactor with one line a
//! turn and thousands of turns a second would send thousands of datagrams: then
//! the lines of several turns go together.

#![forbid(unsafe_code)]

use crate::encode::packet::{Packer, Rejected, each_line};
use crate::send::queue::Queue;

/// Lines that are older than this (ns) go with the next call.
const OLD: u64 = 1_000_000;
/// So many turns in a row may send at their ends: only a reactor that goes on
/// like that for long is held up.
const TURNS: u64 = 1000;
/// After them, one send in so long (ns): far less than a server's period, and
/// long enough to fill a datagram where it matters.
const HOLD: u64 = 5_000_000;
/// A reactor whose last turn ended longer ago than this (ns) may turn no more.
const KNOWN: u64 = 1_000_000_000;

/// Lines for the end of a turn, in datagrams as full as they can be.
#[derive(Debug)]
pub struct Collected {
    full: Queue,
    /// The last datagram.
    packer: Packer,
    /// The datagram that is being sent.
    pub scratch: Vec<u8>,
    /// After this time the lines are late (ns).
    late: u64,
    /// The reactor reports when its turn ends, or that a hold is over.
    pub watching: bool,
    /// What turns have sent is paid for at this time (ns), at one send a
    /// `HOLD`.
    paid: u64,
    /// When it last reported (ns), unless it seems to have stopped since.
    pub turned: Option<u64>,
}

impl Collected {
    /// Nothing yet, for datagrams of at most `mtu` bytes.
    pub fn new(mtu: usize) -> Collected {
        Collected {
            full: Queue::default(),
            packer: Packer::new(mtu),
            scratch: Vec::new(),
            late: 0,
            watching: false,
            paid: 0,
            turned: None,
        }
    }

    /// How many bytes wait.
    pub fn len(&self) -> usize {
        self.full.len() + self.packer.datagram().map_or(0, |(bytes, _)| bytes.len())
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.packer.datagram().is_none()
    }

    /// Removes everything; the number of lines.
    pub fn clear(&mut self) -> u64 {
        let lines = self.packer.datagram().map_or(0, |(_, lines)| lines);
        self.packer.clear();
        self.full.clear() + lines
    }

    /// Whether what is said now is to wait for the end of the turn: else the
    /// reactor is not known to run, until it reports a turn again.
    pub fn is_to_wait(&mut self, now: u64) -> bool {
        let old = !self.is_empty() && now > self.late;
        self.turned.take_if(|turned| old || now.saturating_sub(*turned) >= KNOWN);
        self.turned.is_some()
    }

    /// The reactor reports at the time `now`. How long the lines are to wait for
    /// those of more turns, where many turns in a row have sent (ns).
    pub fn report(&mut self, now: u64) -> Option<u64> {
        self.turned = Some(now);
        if self.is_empty() {
            return None;
        }
        let ahead = self.paid.saturating_sub(now);
        // a timer may fire a little early
        let wait = ahead.saturating_sub((TURNS - 1) * HOLD);
        if wait > HOLD / 8 {
            self.late = now + wait + OLD;
            return Some(wait);
        }
        self.paid = now + ahead + HOLD;
        None
    }

    /// Puts the lines of `text` after the others. Returns what was wrong with
    /// it, and the number of lines for which there was no memory.
    pub fn push(&mut self, text: &[u8], now: u64) -> (Rejected, u64) {
        if self.is_empty() {
            // a hold may go on
            self.late = self.late.max(now + OLD);
        }
        let Collected { full, packer, .. } = self;
        let mut lost = 0;
        let rejected = each_line(text, packer.limit(), |line| {
            if !packer.has_room(line.len()) {
                lost += packer
                    .datagram()
                    .map_or(0, |(bytes, lines)| full.push(bytes, lines, usize::MAX));
                packer.clear();
            }
            packer.push_line(line);
        });
        (rejected, lost)
    }

    /// Moves the oldest datagram to `out`; with `all` the last, too, which may
    /// not be full. False if there is none.
    pub fn pop(&mut self, all: bool, out: &mut Vec<u8>) -> bool {
        if self.full.front(out).is_some() {
            self.full.pop();
            return true;
        }
        let Some((bytes, _)) = self.packer.datagram().filter(|_| all) else { return false };
        out.clear();
        out.extend_from_slice(bytes);
        self.packer.clear();
        true
    }
}
