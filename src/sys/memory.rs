//! Memory that is short: the standard library aborts the process where a
//! small allocation fails, so what makes several looks first.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::error::Error;

/// More than what a call, or a turn, needs in small pieces.
const ENOUGH: usize = 16 * 1024;

/// An allocation has failed since the last look.
static SHORT: AtomicBool = AtomicBool::new(false);

/// Notes that an allocation has failed.
pub fn note_short() {
    SHORT.store(true, Relaxed);
}

/// Whether there is memory for small things, as far as is known: it is tried
/// only after an allocation has failed. For what mostly allocates nothing.
pub fn check() -> Result<(), Error> {
    if SHORT.load(Relaxed) && SHORT.swap(false, Relaxed) { probe() } else { Ok(()) }
}

/// Whether there is memory for small things. This is no guarantee: another
/// thread may take what was free at this moment.
pub fn probe() -> Result<(), Error> {
    room(&mut Vec::<u8>::new(), ENOUGH)
}

/// Reserves memory for so many more.
pub fn room<T>(vec: &mut Vec<T>, more: usize) -> Result<(), Error> {
    // without the hint the compiler removes an allocation that is not used
    std::hint::black_box(vec).try_reserve(more).map_err(|_| {
        note_short();
        Error::NoMemory
    })
}
