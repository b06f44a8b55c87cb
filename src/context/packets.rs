//! Packets: the lines of one turn of the handle's reactor go together, at its
//! end, or those of several where many turns send. Only a reactor that is known
//! to turn delays a line, and none for long.

#![forbid(unsafe_code)]

use crate::context::{Active, Context, Outbound};
use crate::error::Error;
use crate::send::delivery::count_rejected;
use crate::send::pace::{BURST, GAP};
use crate::sys;
use crate::sys::flux::Flux;
use crate::sys::memory;

impl Outbound {
    /// Whether `text` can be collected: what one burst can send, and what the
    /// context may keep.
    fn has_room(&self, active: &Active, text: &[u8]) -> bool {
        let waiting = self.delivery.waiting() + self.appended.len() + active.budget.used();
        let most = self.settings.buffer.saturating_sub(waiting);
        // with a newline
        self.collected.len() + 1 + text.len() <= most.min(self.settings.mtu * BURST as usize)
    }
}

impl Context {
    /// Sends a text now, or keeps what the kernel does not take. Where the
    /// handle's reactor turns, it goes at the end of the turn.
    pub fn send_text(&self, text: &[u8]) -> Result<(), Error> {
        let Some((active, mut out)) = self.lock() else { return Ok(()) };
        let collected = self.flux().and_then(|flux| self.collect(flux, active, &mut out, text));
        let sent = match collected {
            None => self.send_at_once(active, &mut out, text, sys::roughly_now()),
            Some(sent) => sent,
        };
        if out.told.is_some() {
            self.start_ticking(active, &mut out);
        }
        self.unlock_and_log(out);
        sent
    }

    /// Sends a text now, or keeps what the kernel does not take.
    fn send_at_once(
        &self,
        active: &Active,
        out: &mut Outbound,
        text: &[u8],
        now: u64,
    ) -> Result<(), Error> {
        self.resolve_if_due(out, now);
        let elsewhere = out.appended.len() + active.budget.used();
        let Outbound { delivery, journal, .. } = &mut *out;
        let sent = delivery.send_text(text, now, elsewhere, journal);
        if !out.delivery.is_clear() {
            self.wake(active, out, now + GAP);
        }
        sent
    }

    /// Collects a text for the end of the turn, where the reactor is known to
    /// turn. `None` where it is to go now: what was collected has gone.
    #[inline(never)]
    fn collect(
        &self,
        flux: &Flux,
        active: &Active,
        out: &mut Outbound,
        text: &[u8],
    ) -> Option<Result<(), Error>> {
        let now = sys::now();
        let collected = &mut out.collected;
        if flux.is_owner() && !collected.watching {
            collected.watching = flux.watch_turn();
        }
        let waits = flux.is_owner() && collected.is_to_wait(now);
        if waits && !out.has_room(active, text) {
            self.send_datagrams(active, out, now, false);
        }
        let memory = !out.collected.is_empty() || memory::probe().is_ok();
        if !waits || !out.has_room(active, text) || !memory {
            self.send_collected(active, out, now);
            return None;
        }
        let (rejected, lost) = out.collected.push(text, now);
        let (journal, buffer) = (&mut out.journal, out.settings.buffer);
        journal.dropped_full(lost, buffer, now);
        Some(count_rejected(rejected, buffer, now, journal))
    }

    /// A turn of the handle's reactor ends, or a hold is over.
    pub fn turn_ends(&self) {
        let (Some((active, mut out)), Some(flux)) = (self.lock(), self.flux()) else { return };
        let now = sys::now();
        flux.leave_turn();
        let wait = out.collected.report(now);
        out.collected.watching = wait.is_some_and(|wait| flux.hold(wait as f64 / 1e9));
        if !out.collected.watching {
            self.send_collected(active, &mut out, now);
        }
        self.unlock_and_log(out);
    }

    /// Sends what is collected.
    pub(crate) fn send_collected(&self, active: &Active, out: &mut Outbound, now: u64) {
        self.send_datagrams(active, out, now, true);
    }

    fn send_datagrams(&self, active: &Active, out: &mut Outbound, now: u64, all: bool) {
        if out.collected.is_empty() {
            return;
        }
        let mut datagram = std::mem::take(&mut out.collected.scratch);
        while out.collected.pop(all, &mut datagram) {
            // it was looked at when it came
            let _ = self.send_at_once(active, out, &datagram, now);
        }
        out.collected.scratch = datagram;
    }
}
