//! Counters, totals and gauges: what was recorded, and what is to be sent
//! again.

#![forbid(unsafe_code)]

use crate::context::flush::{Flush, Looks, Work};
use crate::encode::line;
use crate::encode::pieces::{BLANK, Pieces, Scratch};
use crate::metric::kind::Kind;
use crate::metric::value::Taken;
use crate::metric::{Metric, state};
use crate::send::connection::Sent;
use crate::send::delivery::{Progress, Retain};

/// Where the lines of a metric are.
enum Lines {
    None,
    /// One, of so many bytes with its newline, in the scratch.
    Short(usize),
    /// So many, which belong together, in the block.
    Block(u64),
}

impl Flush {
    pub(super) fn send_numbers(&mut self, work: &mut Work<'_>, looks: &mut Looks) -> Progress {
        let registry = work.registry;
        let ms = (work.now - self.epoch) / 1_000_000;
        // a flush comes a little sooner after one that was late: the refresh
        // is due all the same
        let early = work.settings.period.min(work.settings.refresh) / 8 / 1_000_000;
        let pieces = Pieces::new(work.settings);
        let mut scratch = BLANK;
        loop {
            if work.is_to_pause(false, looks) {
                return Progress::More;
            }
            let recorded = self.readers.numbers.next(&registry.numbers);
            let due = || self.wheel.pop(registry, ms + early).map(|metric| (metric, true));
            let Some((metric, refresh)) = recorded.map(|metric| (metric, false)).or_else(due)
            else {
                return Progress::Done;
            };
            let sent = match self.number(work, &pieces, &mut scratch, metric, (refresh, ms)) {
                Lines::None => continue,
                Lines::Short(len) => self.put_short(work, &scratch[..len], Retain::Always),
                Lines::Block(lines) => self.put_number(work, lines, Retain::Always),
            };
            self.busy |= !refresh;
            if sent == Sent::Retry {
                return Progress::Blocked;
            }
        }
    }

    /// Makes the lines of a counter, total or gauge: one in `scratch`, or any
    /// number in `block`.
    #[inline(always)]
    fn number(
        &mut self,
        work: &Work<'_>,
        pieces: &Pieces,
        scratch: &mut Scratch,
        metric: &Metric,
        (refresh, ms): (bool, u64),
    ) -> Lines {
        if metric.state() == Kind::Counter as u8 {
            return match metric.take_plain() {
                Ok(sum) => match pieces.integer(scratch, metric, Kind::Counter, sum) {
                    Some(len) => Lines::Short(len),
                    None => self.make_block(work, metric, Taken::Sum(sum)),
                },
                Err(low) => self.make_block(work, metric, metric.take_after(low)),
            };
        }
        let taken = self.take(work, metric, refresh, ms);
        if let Some((kind, value)) = line::one_integer(work.settings.dialect.form(), &taken)
            && let Some(len) = pieces.integer(scratch, metric, kind, value)
        {
            return Lines::Short(len);
        }
        self.make_block(work, metric, taken)
    }

    fn make_block(&mut self, work: &Work<'_>, metric: &Metric, taken: Taken) -> Lines {
        self.block.clear();
        match line::numbers(&mut self.block, work.settings, metric, taken) {
            0 => Lines::None,
            lines => Lines::Block(lines),
        }
    }

    /// Takes what is to be sent of a metric, and notes that it is.
    fn take(&mut self, work: &Work<'_>, metric: &Metric, refresh: bool, ms: u64) -> Taken {
        let forgotten = metric.state() & state::FORGOTTEN != 0;
        if forgotten && (!metric.has_number() || work.registry.revive(metric).is_err()) {
            return Taken::Nothing;
        }
        let taken = metric.take(work.settings.dialect.form().totals, refresh);
        match taken.sent_value() {
            Some(value) => {
                metric.mark_sent(value, ms);
                self.wheel.insert(metric);
            }
            // a total that goes as differences now is not sent again
            None if refresh => metric.forget_sent(),
            None => {}
        }
        taken
    }

    #[inline(always)]
    fn put_short(&mut self, work: &mut Work<'_>, line: &[u8], retain: Retain) -> Sent {
        work.put(&mut self.packer, &mut self.retain, retain, (line, 1))
    }

    /// Sends what a counter, total or gauge has that was recorded.
    pub(super) fn send_number_by(
        &mut self,
        pieces: &Pieces,
        work: &mut Work<'_>,
        metric: &Metric,
        retain: Retain,
    ) -> Sent {
        let ms = (work.now - self.epoch) / 1_000_000;
        let mut scratch = BLANK;
        match self.number(work, pieces, &mut scratch, metric, (false, ms)) {
            Lines::None => Sent::Done,
            Lines::Short(len) => self.put_short(work, &scratch[..len], retain),
            Lines::Block(lines) => self.put_number(work, lines, retain),
        }
    }

    /// Sends what a counter, total or gauge has, outside a flush.
    pub(super) fn send_number(
        &mut self,
        work: &mut Work<'_>,
        metric: &Metric,
        again: bool,
        retain: Retain,
    ) -> Sent {
        let ms = (work.now - self.epoch) / 1_000_000;
        let taken = self.take(work, metric, again, ms);
        match self.make_block(work, metric, taken) {
            Lines::Block(lines) => self.put_number(work, lines, retain),
            Lines::None | Lines::Short(_) => Sent::Done,
        }
    }

    fn put_number(&mut self, work: &mut Work<'_>, lines: u64, kept: Retain) -> Sent {
        let Flush { packer, retain, block, .. } = self;
        let limit = packer.limit();
        let mut put = |block, lines| work.put(packer, retain, kept, (block, lines));
        // the newline in front is not counted
        if block.len() - 1 <= limit {
            return put(block, lines);
        }
        // sums beyond 64 bits, totals that restarted: only their order counts
        let mut sent = Sent::Done;
        for line in block.chunk_by(|_, next| *next != b'\n') {
            if put(line, 1) == Sent::Retry {
                sent = Sent::Retry;
            }
        }
        sent
    }
}
