//! When the contexts of a process flush: all at the same instants, so that the
//! process wakes once a period, and other processes at others.

#![forbid(unsafe_code)]

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::SystemTime;

use foldhash::fast::FixedState;

use crate::sys;

/// The bits of a number that are the phase (ns, 78 hours); the others identify
/// its process, because a child has another phase.
const PHASE: u64 = (1 << 48) - 1;

/// The first instant after `now` at which a flush of this period (ns) begins.
pub fn after(now: u64, period: u64) -> u64 {
    next(of_process(), now, period)
}

fn next(phase: u64, now: u64, period: u64) -> u64 {
    now + period - (now + phase) % period
}

fn of_process() -> u64 {
    static MINE: AtomicU64 = AtomicU64::new(0);
    let process = u64::from(sys::generation()) + 1;
    let known = MINE.load(Relaxed);
    if known >> 48 == process & 0xffff {
        return known & PHASE;
    }
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let phase = made_from(&sys::hostname(), std::process::id(), clock.as_nanos() as u64);
    // another thread's may have been first: there is one
    match MINE.compare_exchange(known, process << 48 | phase, Relaxed, Relaxed) {
        Ok(_) => phase,
        Err(first) => first & PHASE,
    }
}

fn made_from(host: &str, process: u32, clock: u64) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    hasher.write(host.as_bytes());
    hasher.write_u32(process);
    hasher.write_u64(clock);
    hasher.finish() & PHASE
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn later_by_a_period_at_the_most() {
        for phase in [0, 1, 123_456_789_012, PHASE] {
            let first = next(phase, 5 * SECOND, SECOND);
            assert!((1..=SECOND).contains(&(first - 5 * SECOND)));
            assert_eq!(next(phase, first - 1, SECOND), first);
            assert_eq!(next(phase, first, SECOND), first + SECOND);
            // one of a longer period is one of the shorter, too
            let rare = next(phase, first, 10 * SECOND);
            assert_eq!(next(phase, rare - 1, SECOND), rare);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "it has no gethostname")]
    fn one_for_a_process() {
        let now = sys::now();
        assert_eq!(after(now, SECOND), after(now, SECOND));
    }

    /// The tenths of a second in which so many flush.
    fn tenths(phases: impl Iterator<Item = u64>) -> [u32; 10] {
        let mut tenths = [0; 10];
        for phase in phases {
            tenths[((next(phase, 100 * SECOND, SECOND) - 1) % SECOND / (SECOND / 10)) as usize] +=
                1;
        }
        tenths
    }

    #[test]
    fn processes_and_hosts_differ() {
        let clock = 1_760_000_000 * SECOND;
        let of_processes = tenths((0..1000).map(|process| made_from("node7", process, clock)));
        let of_hosts = tenths((0..1000).map(|n| made_from(&format!("node{n}"), 7, clock)));
        let of_starts = tenths((0..1000).map(|n| made_from("node7", 7, clock + n * 1000)));
        for tenths in [of_processes, of_hosts, of_starts] {
            assert!(tenths.iter().all(|n| (60..=140).contains(n)), "{tenths:?}");
        }
    }
}
