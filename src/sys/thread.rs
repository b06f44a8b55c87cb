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
        number = (&raw const here).addr() >> 16;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "it has no thread pointer")]
    fn each_thread_has_its_own() {
        let here = number();
        assert_eq!(here, number());
        let other = std::thread::spawn(number).join().unwrap();
        assert_ne!(here, other);
    }
}
