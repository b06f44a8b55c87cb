//! Where a line is made: bytes of a fixed number, into which pieces of fixed
//! sizes are copied, which the compiler does without a call.

#![forbid(unsafe_code)]

/// The most bytes that are copied at a time.
const MOST: usize = 96;

/// More bytes than a line takes that is made of pieces: what is copied to one
/// of the first 256 is within.
pub type Spare = [u8; 256 + MOST];

/// Copies to `at`, which is below 256: the mask only shows that it is.
#[inline(always)]
pub fn copy<const N: usize>(out: &mut Spare, at: usize, bytes: &[u8; N]) {
    const { assert!(N <= MOST) };
    if let Some(room) = out[at & 255..].first_chunk_mut() {
        *room = *bytes;
    }
}

/// Copies the first `len` bytes of another, which are below 256, and some of
/// those that follow.
#[inline(always)]
pub fn copy_start(out: &mut Spare, from: &Spare, len: usize) {
    const STEP: usize = 32;
    let mut at = 0;
    while at < len {
        if let Some(bytes) = from[at & 255..].first_chunk::<STEP>() {
            copy(out, at, bytes);
        }
        at += STEP;
    }
}
