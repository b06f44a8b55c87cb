//! What a flush works with, and what it does with its datagrams.

#![forbid(unsafe_code)]

use crate::encode::packet::Packer;
use crate::encode::settings::Settings;
use crate::error::{Error, quoted};
use crate::log::Journal;
use crate::metric::Metric;
use crate::metric::budget::Budget;
use crate::registry::Registry;
use crate::send::connection::{Datagram, Probe, Sent};
use crate::send::delivery::{Delivery, Progress, Retain};
use crate::send::pace::Burst;
use crate::send::queue::Queue;
use crate::sys;

/// Metrics, or samples, between two looks at the clock.
const BETWEEN_LOOKS: u32 = 64;

/// What a flush does with its datagrams.
#[derive(Debug)]
pub enum Mode {
    /// They are sent, as far as the burst allows.
    Send(Burst),
    /// All are queued: they are of settings that have changed.
    Park,
}

/// What a flush works with.
pub struct Work<'a> {
    /// The metrics.
    pub registry: &'a Registry,
    /// As they are in this flush.
    pub settings: &'a Settings,
    /// The memory for samples.
    pub budget: &'a Budget,
    /// Lines that the caller wrote for this flush.
    pub appended: &'a mut Queue,
    /// What sends to the server.
    pub delivery: &'a mut Delivery,
    /// Records what happens.
    pub journal: &'a mut Journal,
    /// The time, in ns.
    pub now: u64,
    /// Whether datagrams go out now.
    pub mode: Mode,
}

/// When a turn is to end.
#[derive(Debug)]
pub struct Looks {
    clock: fn() -> u64,
    deadline: u64,
    /// So many metrics or samples before the next look.
    left: u32,
}

impl Looks {
    /// Ends the turn at this time (ns).
    pub(super) fn new(deadline: u64) -> Looks {
        Looks { clock: sys::now, deadline, left: BETWEEN_LOOKS }
    }

    /// Ends it after so long of this thread's processor time (ns).
    pub(super) fn of_thread(time: u64) -> Looks {
        let deadline = sys::thread_time() + time;
        Looks { clock: sys::thread_time, deadline, left: BETWEEN_LOOKS }
    }

    #[inline(always)]
    pub(super) fn time_is_up(&mut self) -> bool {
        self.left -= 1;
        self.left == 0 && self.look()
    }

    fn look(&mut self) -> bool {
        self.left = BETWEEN_LOOKS;
        (self.clock)() > self.deadline
    }
}

impl Work<'_> {
    /// Whether the burst is full, or the time is up.
    #[inline(always)]
    pub(super) fn is_to_pause(&self, blocked: bool, looks: &mut Looks) -> bool {
        match &self.mode {
            Mode::Send(burst) => !blocked && burst.is_full() || looks.time_is_up(),
            Mode::Park => looks.time_is_up(),
        }
    }

    /// Works under other settings.
    pub(super) fn under<T>(
        &mut self,
        settings: &Settings,
        f: impl FnOnce(&mut Work<'_>) -> T,
    ) -> T {
        let mut work = Work {
            registry: self.registry,
            settings,
            budget: self.budget,
            appended: self.appended,
            delivery: self.delivery,
            journal: self.journal,
            now: self.now,
            mode: std::mem::replace(&mut self.mode, Mode::Park),
        };
        let result = f(&mut work);
        self.mode = work.mode;
        result
    }

    pub(super) fn send(&mut self, packer: &mut Packer, retain: Retain) -> Sent {
        let Some((bytes, lines)) = packer.datagram() else { return Sent::Done };
        let elsewhere = self.elsewhere();
        match &mut self.mode {
            Mode::Send(burst) => {
                burst.take(bytes.len());
                let probe = if burst.is_of_flush() { Probe::Later } else { Probe::After };
                self.delivery.send(packer, retain, probe, self.now, elsewhere, self.journal)
            }
            Mode::Park => {
                let datagram = Datagram { bytes, lines };
                self.delivery.keep(datagram, retain, self.now, elsewhere, self.journal);
                packer.clear();
                Sent::Done
            }
        }
    }

    /// Looks whether the last datagram of the burst was refused: then it waits,
    /// or is sent to another address. `Done` if nothing of it is left.
    pub(super) fn confirm(&mut self) -> Sent {
        self.delivery.confirm(self.now, self.elsewhere(), self.journal)
    }

    /// Puts lines that belong together, with the newline in front of them,
    /// into the datagram, after sending one that they do not fit into.
    #[inline]
    pub(super) fn put(
        &mut self,
        packer: &mut Packer,
        packed: &mut Retain,
        retain: Retain,
        (block, lines): (&[u8], u64),
    ) -> Sent {
        let len = block.len() - 1;
        let mut sent = Sent::Done;
        if !packer.has_room(len) {
            sent = self.send(packer, std::mem::replace(packed, Retain::IfRoom));
        }
        if packer.has_room(len) {
            packer.push(block, lines);
            if retain == Retain::Always {
                *packed = retain;
            }
        } else {
            self.too_long(&block[1..], packer.limit());
        }
        sent
    }

    #[cold]
    fn too_long(&mut self, block: &[u8], limit: usize) {
        let name = block.split(|b| *b == b':').next().unwrap_or_default();
        let len = block.len();
        let error = Error::TooBig.because(format_args!("its line has {len} bytes of {limit}"));
        self.journal.dropped_bad(error, format_args!("metric {}", quoted(name)), self.now);
    }

    /// Bytes of the context's `buffer` that are not delivery's.
    fn elsewhere(&self) -> usize {
        self.appended.len() + self.budget.used()
    }

    pub(super) fn drain(&mut self) -> Progress {
        match &mut self.mode {
            Mode::Send(burst) => self.delivery.drain(burst, self.now, self.journal),
            Mode::Park => Progress::Done,
        }
    }

    /// Leaves to the next flush what a thread records into right now.
    pub(super) fn leave(&self, metric: &Metric) {
        self.registry.mark_dirty(metric);
    }
}
