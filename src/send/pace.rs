//! Pacing: how much the flushes of all contexts may send before a pause. A
//! server reads what one burst brings, whichever context of this process
//! sends it.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::encode::packet::MAX_PACKET;

/// The most datagrams in one burst: of these, none was lost in a receive
/// buffer of the default size.
pub const BURST: u32 = 32;
/// The time between bursts, in ns.
pub const GAP: u64 = 1_000_000;

/// What a receive buffer takes for a datagram besides its bytes, roughly.
const OVERHEAD: u64 = 704;
/// What a burst of full datagrams takes of a receive buffer.
const ROOM: u64 = BURST as u64 * (MAX_PACKET as u64 + OVERHEAD);
/// No flush is so far ahead, in ns: the clock was set back, as it is where a
/// process continues on another machine.
const FAR: u64 = 1_000_000_000;

/// What the flushes of a process may send.
#[derive(Debug)]
struct Pace {
    /// When all that was sent would have been sent, were it spread evenly with
    /// a burst in each `GAP` (ns).
    even: AtomicU64,
}

static PROCESS: Pace = Pace { even: AtomicU64::new(0) };

/// What may still go in a burst.
#[derive(Debug)]
pub struct Burst {
    left: u32,
    /// The time (ns), where it takes part in the pacing.
    paced: Option<(&'static Pace, u64)>,
}

impl Burst {
    /// One of a flush: all flushes of the process share what may go.
    pub fn of_flush(now: u64) -> Burst {
        Burst::of(&PROCESS, now)
    }

    /// One that is sent whatever else is sent, because its caller needs it now.
    pub fn at_once() -> Burst {
        Burst { left: BURST, paced: None }
    }

    fn of(pace: &'static Pace, now: u64) -> Burst {
        Burst { left: if pace.wait(now) > 0 { 0 } else { BURST }, paced: Some((pace, now)) }
    }

    /// Whether it is one of a flush.
    pub fn is_of_flush(&self) -> bool {
        self.paced.is_some()
    }

    /// Whether the rest is to wait.
    pub fn is_full(&self) -> bool {
        self.left == 0
    }

    /// A datagram of so many bytes goes.
    pub fn take(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(1);
        if let Some((pace, now)) = self.paced {
            if !pace.spend(now, bytes) {
                self.left = 0;
            }
        }
    }
}

/// How long a flush has to wait before it sends, in ns: 0 while this `GAP`'s
/// burst is not full, then until a whole burst can be sent.
pub fn wait(now: u64) -> u64 {
    PROCESS.wait(now)
}

impl Pace {
    fn wait(&self, now: u64) -> u64 {
        let ahead = self.even.load(Relaxed).saturating_sub(now);
        if (GAP..FAR).contains(&ahead) { ahead } else { 0 }
    }

    /// Counts a datagram; returns whether more can be sent.
    fn spend(&self, now: u64, bytes: usize) -> bool {
        let cost = (bytes as u64 + OVERHEAD) * GAP / ROOM;
        let later = |even: u64| if even > now + FAR { now } else { even.max(now) } + cost;
        let _ = self.even.fetch_update(Relaxed, Relaxed, |even| Some(later(even)));
        self.wait(now) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_each_gap_whoever_sends() {
        static PACE: Pace = Pace { even: AtomicU64::new(0) };
        let start = 1 << 40;
        let send = |now: u64, bytes: usize| {
            let mut burst = Burst::of(&PACE, now);
            let mut sent = 0;
            while !burst.is_full() {
                burst.take(bytes);
                sent += 1;
            }
            sent
        };
        assert_eq!(send(start, MAX_PACKET), BURST);
        assert_eq!(send(start, MAX_PACKET), 0);
        assert!((GAP..=GAP + GAP / 8).contains(&PACE.wait(start)));
        assert_eq!(send(start + 2 * GAP, 65_507), 2);
        assert_eq!(send(start + 4 * GAP, 1), BURST, "never more datagrams than that");
        assert!(!Burst::of(&PACE, start + 4 * GAP).is_full());
        assert_eq!(send(start - 2 * FAR, MAX_PACKET), BURST, "a clock that was set back");
        let mut at_once = Burst::at_once();
        at_once.take(MAX_PACKET);
        assert!(!at_once.is_full());
    }
}
