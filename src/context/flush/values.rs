//! Timers, histograms and sets, and the lines that the caller wrote.

#![forbid(unsafe_code)]

use crate::context::flush::{Flush, Looks, Work};
use crate::encode::pieces::Pieces;
use crate::metric::Metric;
use crate::send::connection::Sent;
use crate::send::delivery::{Progress, Retain};
use crate::send::queue::Queue;

impl Flush {
    #[inline(never)]
    pub(super) fn send_values(
        &mut self,
        work: &mut Work<'_>,
        pieces: &Pieces,
        mut blocked: bool,
        looks: &mut Looks,
    ) -> Progress {
        loop {
            if work.is_to_pause(blocked, looks) {
                return Progress::More;
            }
            let sent = if !self.current.is_empty() {
                self.put_next(work)
            } else if let Some(metric) = self.readers.values.next(&work.registry.values) {
                if let Some(len) = self.make_only(pieces, metric) {
                    self.put_made(work, len)
                } else {
                    if !self.current.open(work.settings, pieces, work.budget, metric) {
                        work.leave(metric);
                    }
                    continue;
                }
            } else if take_appended(work.appended, &mut self.block) {
                let line = (&self.block[..], 1);
                work.put(&mut self.packer, &mut self.retain, Retain::IfRoom, line)
            } else {
                break;
            };
            self.busy = true;
            blocked |= sent == Sent::Retry;
        }
        blocked |= self.send(work) == Sent::Retry;
        work.journal.dropped_full(work.budget.take_lost(), work.delivery.bound(), work.now);
        if blocked { Progress::Blocked } else { Progress::Done }
    }

    /// Puts in the next line of the metric at hand, which has more.
    #[inline(always)]
    fn put_next(&mut self, work: &mut Work<'_>) -> Sent {
        let spare = self.packer.spare();
        if let Some(len) = spare.and_then(|spare| self.current.make_short(spare)) {
            return self.put_made(work, len);
        }
        let Some(line) = self.current.next_line(&self.packer) else { return Sent::Done };
        work.put(&mut self.packer, &mut self.retain, Retain::IfRoom, (line, 1))
    }

    /// Takes the sample of a metric that has only one, and makes its line
    /// after the last one. Its length.
    #[inline(always)]
    fn make_only(&mut self, pieces: &Pieces, metric: &Metric) -> Option<usize> {
        let spare = self.packer.spare()?;
        let only = metric.samples()?.only()?;
        let len = pieces.sample(spare, metric, only.value)?;
        only.take();
        Some(len)
    }
}

/// Moves the oldest line that the caller wrote for this flush to `out`, with
/// a newline in front.
fn take_appended(appended: &mut Queue, out: &mut Vec<u8>) -> bool {
    let taken = appended.front(out).is_some();
    out.insert(0, b'\n');
    appended.pop();
    taken
}
