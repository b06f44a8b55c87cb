//! When to try again after a failure.

#![forbid(unsafe_code)]

/// Nanoseconds in a millisecond.
pub const MS: u64 = 1_000_000;

/// Up to a quarter less or more, so that not all retries come at one instant.
pub fn jitter(wait: u64, now: u64) -> u64 {
    wait * 3 / 4 + now.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (wait / 2)
}

/// The wait after one of `wait`, in ns.
pub fn next_wait(wait: u64, range: std::ops::RangeInclusive<u64>) -> u64 {
    (wait * 2).clamp(*range.start(), *range.end())
}
