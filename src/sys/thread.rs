//! Identifies the current thread, with one instruction.

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

/// One of so many lanes, a power of two, by the calling thread's number.
#[inline(always)]
pub fn lane(lanes: usize) -> usize {
    lane_of(number(), lanes, 0)
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
    #[cfg_attr(miri, ignore = "it has no thread pointer")]
    fn each_thread_has_its_own() {
        let here = number();
        assert_eq!(here, number());
        let other = std::thread::spawn(number).join().unwrap();
        assert_ne!(here, other);
    }
}
