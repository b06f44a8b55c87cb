//! Memory that is short: the standard library aborts the process where a
//! small allocation fails, so what makes several looks first.

#![forbid(unsafe_code)]

use crate::error::Error;

/// More than what a call, or a turn, needs in small pieces.
const ENOUGH: usize = 16 * 1024;

/// Whether there is memory for small things. This is no guarantee: another
/// thread may take what was free at this moment.
pub fn probe() -> Result<(), Error> {
    room(&mut Vec::<u8>::new(), ENOUGH)
}

/// Reserves memory for so many more.
pub fn room<T>(vec: &mut Vec<T>, more: usize) -> Result<(), Error> {
    // without the hint the compiler removes an allocation that is not used
    std::hint::black_box(vec).try_reserve(more).map_err(|_| Error::NoMemory)
}
