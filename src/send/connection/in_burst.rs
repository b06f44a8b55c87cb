//! The last datagram of a burst: the kernel reports that it was refused with
//! the next one, or when it is asked.

#![forbid(unsafe_code)]

use std::io;

use crate::log::Journal;
use crate::send::connection::{Connection, Datagram, Probe, Sent};

/// What is known of the last datagram that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// All that a look right after it can show, or nothing was sent.
    Known,
    /// Nothing: no look came after it.
    Open,
    /// The next one was not taken, for a reason of its own or of the last. A
    /// second try shows which, because the kernel reports a refusal once.
    Doubted,
    /// It was refused.
    Refused,
}

impl Connection {
    /// Whether the last datagram, sent with `Probe::Later`, was refused: then
    /// it is to be sent again, before any other.
    pub fn was_refused(&mut self, now: u64, journal: &mut Journal) -> bool {
        let last = std::mem::replace(&mut self.last, Last::Known);
        if last == Last::Open {
            let refusal = self.socket.as_ref().and_then(|socket| socket.refusal());
            if let Some(error) = &refusal {
                self.refused(error, now, journal);
            }
            return refusal.is_some();
        }
        last == Last::Refused
    }

    /// A datagram that was counted as sent is to be sent again.
    pub fn not_sent(&mut self, datagram: Datagram<'_>, journal: &mut Journal) {
        journal.stats.lines -= datagram.lines;
        journal.stats.datagrams -= 1;
        journal.stats.bytes -= datagram.bytes.len() as u64;
        self.unconfirmed_lines = 0;
    }

    /// Whether to look right after a datagram.
    pub(super) fn looks(&self, probe: Probe) -> bool {
        let at_once = probe == Probe::After || self.verify_next || self.last == Last::Doubted;
        at_once && !self.is_path()
    }

    /// The next datagram was taken.
    pub(super) fn last_is(&mut self, probe: Probe, looked: bool, journal: &mut Journal) {
        if self.last == Last::Doubted {
            // this one is sent already
            journal.stats.send_errors += 1;
            journal.stats.dropped_send += std::mem::take(&mut self.unconfirmed_lines);
        }
        let open = probe == Probe::Later && !looked && !self.is_path();
        self.last = if open { Last::Open } else { Last::Known };
    }

    /// The last datagram was refused, and the next one was not taken.
    pub(super) fn last_was_refused(
        &mut self,
        error: &io::Error,
        now: u64,
        journal: &mut Journal,
    ) -> Sent {
        self.refused(error, now, journal);
        self.last = Last::Refused;
        Sent::Retry
    }

    /// The next datagram was not taken. Whether a second try is to show if
    /// that is because the last one was refused.
    pub(super) fn doubts_last(&mut self) -> bool {
        let doubts = self.last == Last::Open;
        self.last = if doubts { Last::Doubted } else { Last::Known };
        doubts
    }
}
