//! Identifies the current thread, with one instruction.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// A number that the threads of a process that run have each for itself. It is
/// taken over by a later thread when one ends.
#[inline(always)]
pub fn number() -> usize {
    let number: usize;
    #[cfg(all(target_arch = "x86_64", target_pointer_width = "64", not(miri)))]
    // SAFETY: on Linux the thread's block begins with its own address.
    unsafe {
        std::arch::asm!("mov {}, fs:[0]", out(reg) number,
            options(nostack, preserves_flags, readonly, pure));
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: it reads a register that every program may read.
    unsafe {
        std::arch::asm!("mrs {}, tpidr_el0", out(reg) number,
            options(nostack, preserves_flags, nomem, pure));
    }
    #[cfg(any(
        miri,
        not(any(
            all(target_arch = "x86_64", target_pointer_width = "64"),
            target_arch = "aarch64"
        ))
    ))]
    {
        // roughly where its stack is
        let here = 0u8;
        number = (&raw const here).addr() & !0xffff;
    }
    number
}

/// The calling thread's lane, below 256. As many threads as there are lanes,
/// which are a power of two, have each its own.
#[inline(always)]
pub fn lane() -> usize {
    LANES.of(number())
}

static LANES: Lanes = Lanes::new();

/// Lanes that were given out one after the other, so that two threads that
/// come first do not meet, as they may where only their numbers count.
struct Lanes {
    /// By the thread's number, and 0 for one that has none yet. Two threads of
    /// so many places rarely have the same.
    given: [AtomicU8; 1024],
    next: AtomicU8,
}

impl Lanes {
    const fn new() -> Lanes {
        Lanes { given: [const { AtomicU8::new(0) }; 1024], next: AtomicU8::new(0) }
    }

    #[inline(always)]
    fn of(&self, number: usize) -> usize {
        let given = &self.given[lane_of(number, self.given.len(), 0)];
        match given.load(Relaxed) {
            0 => self.give(given),
            lane => lane.into(),
        }
    }

    #[cold]
    fn give(&self, given: &AtomicU8) -> usize {
        // not 0, and the next one's neighbour in each power of two
        let lane = (self.next.fetch_add(1, Relaxed) & 127) + 1;
        given.compare_exchange(0, lane, Relaxed, Relaxed).err().unwrap_or(lane).into()
    }
}

/// One of so many lanes by a thread's number. Numbers are addresses, often of
/// one distance: multiplied so, the lanes of neighbours with stacks of the
/// usual size differ. With another `spread`, below 32, other threads meet.
#[inline(always)]
pub fn lane_of(number: usize, lanes: usize, spread: u32) -> usize {
    let mixed = (number as u64 >> 12).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed.rotate_left(spread) >> (64 - lanes.ilog2())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_spread_over_lanes() {
        for n in [4, 8] {
            // blocks of threads whose stacks have 8 MiB and a guard page
            let lanes: Vec<_> =
                (0..100).map(|i| lane_of(0x7f00_0740 + i * 0x80_1000, n, 0)).collect();
            let on = |lane| lanes.iter().filter(|l| **l == lane).count();
            assert!((0..n).all(|lane| on(lane) > 60 / n), "{lanes:?}");
            assert!(lanes.windows(2).all(|pair| pair[0] != pair[1]));
        }
    }

    #[test]
    fn as_many_threads_as_lanes_have_each_its_own() {
        let lanes = Lanes::new();
        for start in [0x7f00_0740, 0x7f11_2000, 0x5555_0000_1000] {
            let of = |i| lanes.of(start + i * 0x80_1000);
            let mut first: Vec<usize> = (0..8).map(of).collect();
            assert!((0..8).all(|i| of(i) == first[i]), "a thread keeps its lane");
            first.iter_mut().for_each(|lane| *lane %= 8);
            first.sort_unstable();
            assert_eq!(first, (0..8).collect::<Vec<_>>());
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "it has no thread pointer")]
    fn each_thread_has_its_own() {
        let here = number();
        assert_eq!(here, number());
        let other = std::thread::spawn(number).join().unwrap();
        assert_ne!(here, other);
    }
}
