//! When a socket is replaced by a new one although nothing is wrong with it:
//! a path may have died without an error from any send.

#![forbid(unsafe_code)]

use crate::send::backoff::{MS, jitter};

/// A translation of addresses, or a balancer, may have a dead server for this
/// socket, and a living one for the next: about so often it is another.
const AGE: u64 = 60_000 * MS;
/// Only when so long nothing was sent: a running total of the new socket is
/// not to overtake one of the old at a server with several workers.
const QUIET: u64 = 500 * MS;
/// A UNIX path whose socket takes nothing may be another server's by now.
const FULL: u64 = 500 * MS;

/// The age of a socket.
#[derive(Debug, Default)]
pub struct Renewal {
    /// When it is old, with `QUIET` (ns).
    due: u64,
    /// When something was last sent (ns).
    sent: u64,
    /// Since when the kernel takes nothing (ns).
    full: u64,
}

impl Renewal {
    /// There is a new socket, or a new one cannot be had.
    pub fn restart(&mut self, now: u64) {
        self.due = now + jitter(AGE, now);
        self.full = now;
    }

    /// Something was sent.
    #[inline]
    pub fn sent(&mut self, now: u64) {
        self.sent = now;
    }

    /// The kernel's buffer is full; `first`: it was not before.
    pub fn is_full(&mut self, now: u64, first: bool) {
        if first {
            self.full = now;
        }
    }

    /// Whether a socket to an address of another host is to be replaced.
    pub fn is_old(&self, now: u64) -> bool {
        now >= self.due && now >= self.sent + QUIET
    }

    /// Whether one to a UNIX path is, which is full.
    pub fn is_stuck(&self, now: u64) -> bool {
        now >= self.full + FULL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_minute_in_a_pause() {
        let mut renewal = Renewal::default();
        let mut renewed = Vec::new();
        renewal.restart(0);
        // a flush a second, that takes up to the half of it
        for now in (0..600_000 * MS).step_by(100 * MS as usize) {
            if renewal.is_old(now) {
                assert_eq!(now % (1_000 * MS), 0, "in the midst of a flush");
                renewed.push(now);
                renewal.restart(now);
            }
            if now % (1_000 * MS) < 600 * MS {
                renewal.sent(now);
            }
        }
        assert!((7..=14).contains(&renewed.len()), "{renewed:?}");
        // no pause of half a second: never
        renewal.restart(0);
        for now in (0..600_000 * MS).step_by(400 * MS as usize) {
            renewal.sent(now);
            assert!(!renewal.is_old(now + 399 * MS));
        }
    }

    #[test]
    fn twice_a_second_while_it_is_full() {
        let mut renewal = Renewal::default();
        renewal.is_full(1_000 * MS, true);
        renewal.is_full(1_400 * MS, false);
        assert!(!renewal.is_stuck(1_499 * MS) && renewal.is_stuck(1_500 * MS));
        renewal.restart(1_500 * MS);
        assert!(!renewal.is_stuck(1_999 * MS) && renewal.is_stuck(2_000 * MS));
        renewal.sent(2_000 * MS);
        renewal.is_full(9_000 * MS, true);
        assert!(!renewal.is_stuck(9_499 * MS));
    }
}
