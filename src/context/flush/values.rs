//! Timers, histograms and sets, and the lines that the caller wrote.

#![forbid(unsafe_code)]

use crate::context::flush::{Flush, Looks, Work};
use crate::send::connection::Sent;
use crate::send::delivery::{Progress, Retain};
use crate::send::queue::Queue;

impl Flush {
    pub(super) fn send_values(
        &mut self,
        work: &mut Work<'_>,
        mut blocked: bool,
        looks: &mut Looks,
    ) -> Progress {
        loop {
            if work.is_to_pause(blocked, looks) {
                return Progress::More;
            }
            if !self.make_value_line(work) {
                break;
            }
            self.busy = true;
            blocked |= self.put_value_line(work) == Sent::Retry;
        }
        blocked |= self.send(work) == Sent::Retry;
        work.journal.dropped_full(work.budget.take_lost(), work.delivery.bound(), work.now);
        if blocked { Progress::Blocked } else { Progress::Done }
    }

    /// Makes the next line of a timer, histogram or set in `block`, or takes
    /// the next that was appended. False where there is none.
    fn make_value_line(&mut self, work: &mut Work<'_>) -> bool {
        self.block.clear();
        let packs = work.settings.dialect.form().packs;
        loop {
            if self.current.write_line(&mut self.block, packs, &self.packer) {
                return true;
            }
            match self.readers.values.next(&work.registry.values) {
                Some(metric) => {
                    if !self.current.open(work.settings, work.budget, metric) {
                        work.leave(metric);
                    }
                }
                None => return take_appended(work.appended, &mut self.block),
            }
        }
    }

    pub(super) fn put_value_line(&mut self, work: &mut Work<'_>) -> Sent {
        let block = std::mem::take(&mut self.block);
        let sent = self.put(work, Retain::IfRoom, &block, 1);
        self.block = block;
        sent
    }
}

/// Moves the oldest line that the caller wrote for this flush to `out`.
fn take_appended(appended: &mut Queue, out: &mut Vec<u8>) -> bool {
    let taken = appended.front(out).is_some();
    appended.pop();
    taken
}
