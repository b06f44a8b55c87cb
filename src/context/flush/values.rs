//! Timers, histograms and sets, and the lines that the caller wrote.

#![forbid(unsafe_code)]

use crate::context::flush::{Flush, Looks, Work};
use crate::encode::pieces::Pieces;
use crate::send::connection::Sent;
use crate::send::delivery::{Progress, Retain};
use crate::send::queue::Queue;

impl Flush {
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
            let spare = self.packer.spare();
            let short = spare.and_then(|spare| self.current.make_short(spare));
            let sent = if let Some(len) = short {
                self.put_made(work, len)
            } else if let Some(line) =
                (!self.current.is_empty()).then(|| self.current.next_line(&self.packer)).flatten()
            {
                work.put(&mut self.packer, &mut self.retain, Retain::IfRoom, (line, 1))
            } else if let Some(metric) = self.readers.values.next(&work.registry.values) {
                if !self.current.open(work.settings, pieces, work.budget, metric) {
                    work.leave(metric);
                }
                continue;
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
}

/// Moves the oldest line that the caller wrote for this flush to `out`, with
/// a newline in front.
fn take_appended(appended: &mut Queue, out: &mut Vec<u8>) -> bool {
    let taken = appended.front(out).is_some();
    out.insert(0, b'\n');
    appended.pop();
    taken
}
