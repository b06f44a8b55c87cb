//! Counters, totals and gauges: what was recorded, and what is to be sent
//! again.

#![forbid(unsafe_code)]

use crate::context::flush::{Flush, Work};
use crate::encode::line;
use crate::metric::{Metric, state};
use crate::send::connection::Sent;
use crate::send::delivery::{Progress, Retain};

impl Flush {
    pub(super) fn send_numbers(
        &mut self,
        work: &mut Work<'_>,
        time_is_up: &mut impl FnMut() -> bool,
    ) -> Progress {
        let registry = work.registry;
        let ms = (work.now - self.epoch) / 1_000_000;
        // a flush comes a little sooner after one that was late: the refresh
        // is due all the same
        let early = work.settings.period.min(work.settings.refresh) / 8 / 1_000_000;
        loop {
            if work.is_to_pause(false, time_is_up) {
                return Progress::More;
            }
            let recorded = self.readers.numbers.next(&registry.numbers);
            let due = || self.wheel.pop(registry, ms + early).map(|metric| (metric, true));
            let Some((metric, refresh)) = recorded.map(|metric| (metric, false)).or_else(due)
            else {
                return Progress::Done;
            };
            let lines = self.number(work, metric, refresh, ms);
            self.busy |= lines > 0 && !refresh;
            if lines > 0 && self.put_number(work, lines) == Sent::Retry {
                return Progress::Blocked;
            }
        }
    }

    /// Makes the lines of a counter, total or gauge in `block`.
    pub(super) fn number(
        &mut self,
        work: &Work<'_>,
        metric: &Metric,
        refresh: bool,
        ms: u64,
    ) -> u64 {
        self.block.clear();
        let forgotten = metric.state() & state::FORGOTTEN != 0;
        if forgotten && (!metric.has_number() || work.registry.revive(metric).is_err()) {
            return 0;
        }
        let whole_totals = work.settings.dialect.form().totals;
        let taken = metric.take(whole_totals, refresh);
        let lines = line::numbers(&mut self.block, work.settings, metric, taken);
        match taken.sent_value() {
            Some(value) => {
                metric.mark_sent(value, ms);
                self.wheel.insert(metric);
            }
            // a total that goes as differences now is not sent again
            None if refresh => metric.forget_sent(),
            None => {}
        }
        lines
    }

    pub(super) fn put_number(&mut self, work: &mut Work<'_>, lines: u64) -> Sent {
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
