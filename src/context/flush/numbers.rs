//! Counters, totals and gauges: what was recorded, and what is to be sent
//! again.

#![forbid(unsafe_code)]

use crate::context::flush::{Flush, Looks, Work};
use crate::encode::line;
use crate::encode::pieces::{BLANK, Pieces, Scratch};
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
        let shape = pieces.as_ref();
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
            let sent = match self.number(work, shape, &mut scratch, metric, (refresh, ms)) {
                Lines::None => continue,
                Lines::Short(len) => self.put_short(work, &scratch[..len]),
                Lines::Block(lines) => self.put_number(work, lines),
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
        pieces: Option<&Pieces>,
        scratch: &mut Scratch,
        metric: &Metric,
        (refresh, ms): (bool, u64),
    ) -> Lines {
        let forgotten = metric.state() & state::FORGOTTEN != 0;
        if forgotten && (!metric.has_number() || work.registry.revive(metric).is_err()) {
            return Lines::None;
        }
        let form = work.settings.dialect.form();
        let taken = metric.take(form.totals, refresh);
        match taken.sent_value() {
            Some(value) => {
                metric.mark_sent(value, ms);
                self.wheel.insert(metric);
            }
            // a total that goes as differences now is not sent again
            None if refresh => metric.forget_sent(),
            None => {}
        }
        if let (Some(pieces), Some((kind, value))) = (pieces, line::one_integer(form, taken))
            && let Some(len) = pieces.integer(scratch, metric, kind, value)
        {
            return Lines::Short(len);
        }
        self.block.clear();
        match line::numbers(&mut self.block, work.settings, metric, taken) {
            0 => Lines::None,
            lines => Lines::Block(lines),
        }
    }

    #[inline(always)]
    fn put_short(&mut self, work: &mut Work<'_>, line: &[u8]) -> Sent {
        // its newline is not counted
        let has_room = self.packer.has_room(line.len() - 1);
        let sent = if has_room { Sent::Done } else { self.send(work) };
        self.packer.push_line(line);
        self.retain = Retain::Always;
        sent
    }

    /// Sends what a counter, total or gauge has, outside a flush.
    pub(super) fn send_number(&mut self, work: &mut Work<'_>, metric: &Metric, again: bool) {
        let ms = (work.now - self.epoch) / 1_000_000;
        if let Lines::Block(lines) = self.number(work, None, &mut { BLANK }, metric, (again, ms)) {
            self.put_number(work, lines);
        }
    }

    fn put_number(&mut self, work: &mut Work<'_>, lines: u64) -> Sent {
        let block = std::mem::take(&mut self.block);
        let sent = if block.len() <= self.packer.limit() {
            self.put(work, Retain::Always, &block, lines)
        } else {
            // sums beyond 64 bits, totals that restarted: only their order
            // counts
            block.split(|b| *b == b'\n').fold(Sent::Done, |sent, line| {
                let this = self.put(work, Retain::Always, line, 1);
                if sent == Sent::Retry { sent } else { this }
            })
        };
        self.block = block;
        sent
    }
}
