//! The flush: takes what was recorded, makes lines of it, packs them into
//! datagrams and sends these, in turns that are each short.

#![forbid(unsafe_code)]

mod apply;
pub mod change;
mod numbers;
mod single;
mod values;
mod work;

use std::collections::VecDeque;

use change::Change;
use work::Looks;
pub use work::{Mode, Work};

use crate::encode::packet::Packer;
use crate::encode::pieces::Pieces;
use crate::encode::settings::Settings;
use crate::encode::value_lines::ValueLines;
use crate::metric::Metric;
use crate::metric::budget::Budget;
use crate::registry::chunks::Place;
use crate::registry::refresh::Wheel;
use crate::registry::{Readers, Registry};
use crate::send::connection::Sent;
use crate::send::delivery::{Progress, Retain};
use crate::send::pace::GAP;

/// A turn ends when it has taken this long, in ns.
const TURN: u64 = 400_000;
/// A call that begins to work something off ends when it has taken this long,
/// in ns of processor time.
const CALL: u64 = 800_000;
/// The time between the bursts of a flush that has time, in ns: statsd on
/// Node.js lost one datagram in eight with 1 ms, and none with this.
const EASY_GAP: u64 = 5_000_000;

/// The state of a context's flush.
#[derive(Debug)]
pub struct Flush {
    readers: Readers,
    wheel: Wheel,
    packer: Packer,
    /// Of what is in the datagram: a number in it is not to be lost.
    retain: Retain,
    block: Vec<u8>,
    /// The timer, histogram or set that the flush is at.
    current: ValueLines,
    /// Others, with memory of the budget, that go before it: more values than
    /// the call that had to take them had time for.
    detached: VecDeque<ValueLines>,
    /// For one that is sent outside a flush.
    spare: ValueLines,
    /// Settings have changed, and not all metrics are adapted to them.
    change: Option<Change>,
    /// Memory was short: up to here, what is idle is given back.
    release: Option<Place>,
    open: bool,
    /// This flush had anything to send that was recorded.
    busy: bool,
    /// When it was begun (ns).
    began: u64,
    /// Bursts of this flush that others followed, and of the one before.
    bursts: u64,
    bursts_before: u64,
    /// The beginning of time for the wheel.
    epoch: u64,
}

impl Flush {
    /// A flush that has nothing to do yet.
    pub fn new(readers: Readers, settings: &Settings, epoch: u64) -> Flush {
        Flush {
            readers,
            wheel: Wheel::new(settings.refresh / 1_000_000),
            packer: Packer::new(settings.mtu),
            retain: Retain::IfRoom,
            block: Vec::new(),
            current: ValueLines::default(),
            detached: VecDeque::new(),
            spare: ValueLines::default(),
            change: None,
            release: None,
            open: false,
            busy: false,
            began: 0,
            bursts: 0,
            bursts_before: 0,
            epoch,
        }
    }

    /// In a child process: nothing is under way.
    pub fn after_fork(&mut self, registry: &Registry, budget: &Budget) {
        registry.clear_dirty(&mut self.readers);
        self.wheel.clear();
        self.packer.clear();
        self.retain = Retain::IfRoom;
        self.current = ValueLines::default();
        self.detached.drain(..).for_each(|mut lines| lines.release(budget));
        self.change = None;
        self.open = false;
        self.busy = false;
    }

    /// Whether a flush is under way.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Whether values wait that a call took from their metric.
    pub fn has_detached(&self) -> bool {
        !self.detached.is_empty()
    }

    /// Whether the last flush had anything to send that was recorded.
    pub fn was_busy(&self) -> bool {
        self.busy
    }

    /// Whether nothing has been recorded that no flush has taken.
    pub fn is_at_end(&self, registry: &Registry) -> bool {
        self.readers.numbers.is_at_end(&registry.numbers)
            && self.readers.values.is_at_end(&registry.values)
    }

    /// When the next gauge or total is to be sent again (ns), if there is one:
    /// the first time that it can be.
    pub fn refresh_at(&self, registry: &Registry) -> Option<u64> {
        let ms = self.wheel.next_due(registry)?;
        Some(self.epoch + ms * 1_000_000)
    }

    /// The time until the next burst of this flush, in ns: they are spread
    /// evenly over half the period, but no further apart than is of use to a
    /// server that reads slowly. How many there will be is taken from the
    /// flush before, or is as many again.
    pub fn gap(&mut self, now: u64, period: u64) -> u64 {
        self.bursts += 1;
        let known = self.bursts <= self.bursts_before;
        let expected = if known { self.bursts_before + 1 } else { self.bursts * 2 };
        let left = (period / 2).saturating_sub(now - self.began);
        (left / (expected - self.bursts)).clamp(GAP, EASY_GAP)
    }

    /// Lines that are in datagrams not yet full: lost if the flush does not
    /// continue.
    pub fn unsent_lines(&self) -> u64 {
        let values = self.detached.iter().map(ValueLines::left).sum::<usize>();
        let packed = self.packer.datagram().map_or(0, |(_, lines)| lines);
        packed + (values + self.current.left()) as u64
    }

    /// Starts a flush of what has been recorded up to now.
    pub fn begin(&mut self, registry: &Registry, now: u64) {
        self.began = now;
        self.bursts_before = std::mem::take(&mut self.bursts);
        registry.clear_addresses();
        self.begin_readers(registry);
        self.open = true;
        self.busy = false;
    }

    fn begin_readers(&mut self, registry: &Registry) {
        self.readers.numbers.begin(&registry.numbers);
        self.readers.values.begin(&registry.values);
    }

    /// The next metric that was recorded before the flush was begun.
    fn next_recorded<'a>(&mut self, registry: &'a Registry) -> Option<&'a Metric> {
        let number = self.readers.numbers.next(&registry.numbers);
        number.or_else(|| self.readers.values.next(&registry.values))
    }

    /// Takes up what timers, histograms and sets have recorded while the
    /// kernel takes nothing: it waits as lines from now on.
    pub fn begin_values(&mut self, registry: &Registry) {
        if !self.readers.values.has_more() {
            self.readers.values.begin(&registry.values);
        }
    }

    /// Goes on with the flush until it is done, the burst is full, or it has
    /// taken long enough.
    pub fn turn(&mut self, work: &mut Work<'_>) -> Progress {
        self.turn_within(work, Looks::new(work.now + TURN))
    }

    /// The same within a call, which does as much as it has time for.
    pub fn turn_of_call(&mut self, work: &mut Work<'_>) -> Progress {
        self.turn_within(work, Looks::of_thread(CALL))
    }

    fn turn_within(&mut self, work: &mut Work<'_>, mut looks: Looks) -> Progress {
        let progress = self.send_burst(work, &mut looks);
        if work.confirm() == Sent::Retry {
            return Progress::Blocked;
        }
        self.open &= progress != Progress::Done;
        progress
    }

    fn send_burst(&mut self, work: &mut Work<'_>, looks: &mut Looks) -> Progress {
        let is_local = work.delivery.connection().is_local();
        self.packer.set_limit(work.settings.datagram(is_local));
        let mut progress = work.drain();
        if progress == Progress::More {
            return progress;
        }
        let mut blocked = progress == Progress::Blocked;
        while !work.is_to_pause(blocked, looks) {
            let Some(sent) = self.put_detached(work) else { break };
            blocked |= sent == Sent::Retry;
        }
        if self.has_detached() {
            return Progress::More;
        }
        if blocked {
            progress = Progress::Blocked;
        }
        if !self.open {
            let sent = self.send(work);
            return if sent == Sent::Retry { Progress::Blocked } else { progress };
        }
        if self.is_changing() && !self.apply_changes(work, blocked, looks) {
            return Progress::More;
        }
        if let Mode::Park = work.mode {
            self.send(work);
            return Progress::More;
        }
        let pieces = Pieces::new(work.settings, &mut self.block);
        if progress == Progress::Done {
            progress = self.send_numbers(work, &pieces, looks);
        }
        if progress == Progress::More {
            return progress;
        }
        match self.send_values(work, &pieces, progress == Progress::Blocked, looks) {
            Progress::Done => progress,
            other => other,
        }
    }

    /// Gives back memory that timers and histograms do not use, if it was
    /// short: as much as there is time for in a turn that began at `now`.
    /// Whether that was all.
    pub fn release_idle(&mut self, registry: &Registry, budget: &Budget, now: u64) -> bool {
        if budget.was_tight() {
            self.release = Some(Place::default());
        }
        let Some(place) = &mut self.release else { return true };
        let mut looks = Looks::new(now + TURN);
        while let Some(metric) = registry.next(place) {
            if let Some(samples) = metric.samples() {
                samples.release(budget);
            }
            if looks.time_is_up() {
                return false;
            }
        }
        self.release = None;
        true
    }

    /// Puts in the line of `len` bytes that was made after the last one.
    #[inline(always)]
    fn put_made(&mut self, work: &mut Work<'_>, len: usize) -> Sent {
        if self.packer.take(len) { Sent::Done } else { self.put_first(work, len) }
    }

    /// Sends the datagram, after which the line was made that does not fit, and
    /// which the next one begins with.
    #[inline(never)]
    fn put_first(&mut self, work: &mut Work<'_>, len: usize) -> Sent {
        self.block.clear();
        self.block.extend_from_slice(self.packer.left(len));
        let sent = self.send(work);
        self.packer.push(&self.block, 1);
        sent
    }

    /// Sends the datagram as it is.
    fn send(&mut self, work: &mut Work<'_>) -> Sent {
        work.send(&mut self.packer, std::mem::replace(&mut self.retain, Retain::IfRoom))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::settings::SECOND;
    use crate::metric::kind::Kind;
    use crate::metric::value::Value;
    use crate::uri::Uri;

    #[test]
    fn bursts_are_spread_over_half_the_period() {
        for (bursts, most) in [(10, EASY_GAP), (55, EASY_GAP), (200, 5 * GAP / 2)] {
            let (registry, readers) = Registry::new(1);
            let mut flush = Flush::new(readers, &Settings::default(), 0);
            let mut gaps = Vec::new();
            for _ in 0..3 {
                flush.begin(&registry, 0);
                let mut now = 0;
                gaps.clear();
                for _ in 0..bursts {
                    let gap = flush.gap(now, SECOND);
                    gaps.push(gap);
                    now += gap;
                }
                assert!(now <= SECOND / 2 + bursts * GAP, "{bursts} took {now}");
            }
            // as those of the flush before were
            let (least, largest) = (gaps.iter().min(), gaps.iter().max());
            let even = largest.unwrap() - least.unwrap() <= GAP;
            assert!(even && *largest.unwrap() <= most, "{bursts}: {least:?} to {largest:?}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "it has no sockets")]
    fn what_is_being_recorded_waits_for_the_next_flush() {
        let uri = Uri::parse(b"unix:@fripp-nobody?period=86400").unwrap();
        let context = uri.context(None).unwrap();
        let metric = context.metric_get(Kind::Timer, b"t", b"").unwrap();
        context.record(Kind::Timer, b"t", Value::Sample(1.0)).unwrap();
        let held = metric.samples().unwrap().hold();
        let _ = context.flush();
        let registry = &context.active.as_ref().unwrap().registry;
        assert!(registry.is_dirty(metric));
        drop(held);
        let _ = context.flush();
        assert!(!registry.is_dirty(metric));
        context.close();
    }
}
