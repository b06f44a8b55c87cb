//! Which process this is, counted from the first that had a context: each
//! fork makes a child of the next generation.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

static GENERATION: AtomicU32 = AtomicU32::new(0);

/// How many forks lie between this process and the first that had a context.
pub fn generation() -> u32 {
    GENERATION.load(Relaxed)
}

/// Called in a child, once.
pub fn count_up() {
    GENERATION.fetch_add(1, Relaxed);
}
