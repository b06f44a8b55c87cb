//! A recording: a file of datagrams and the times at which they came, as
//! docs/recording.md describes it.
#![forbid(unsafe_code)]

mod bytes;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::{Fault, Item, Reader};
pub use write::Writer;

/// What the file begins with: magic and version.
pub const HEADER: [u8; 12] = *b"FRIPPREC\x01\0\0\0";

/// What each record begins with, so that a reader finds the next one after
/// damage.
pub const MARKER: [u8; 4] = *b"\xf1REC";

/// Marker, kind, length of the body, checksum.
pub const HEAD: usize = 13;

/// No body is longer.
pub const MAX_BODY: usize = 1 << 20;

/// No recording is longer than ten years, in µs: a time beyond is damage.
pub const MAX_TIME: u64 = 10 * 366 * 86_400 * 1_000_000;

/// A block of so many bytes is closed.
pub const BLOCK: usize = 64 << 10;

const KIND_START: u8 = 1;
const KIND_BLOCK: u8 = 2;
const KIND_END: u8 = 3;

/// The first record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Start {
    /// Wall clock at time 0, in µs since 1970.
    pub unix_us: u64,
    /// Where it listened.
    pub address: String,
    /// The command that it ran, if any.
    pub command: String,
    /// The version of the program that wrote it.
    pub version: String,
    /// How its lines are to be read, or nothing.
    pub dialect: String,
}

/// Datagrams that came one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// Times of its first and last datagram, in µs since the start.
    pub first_us: u64,
    pub last_us: u64,
    /// How many there are.
    pub datagrams: u32,
    /// Datagrams that the kernel had dropped by then: its buffer was full.
    pub drops: u64,
    data: Vec<u8>,
}

/// The last record, of a recording that was ended in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct End {
    pub at_us: u64,
    pub counts: Counts,
}

/// What a recording consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    pub lines: u64,
    pub datagrams: u64,
    pub bytes: u64,
    pub drops: u64,
}

impl Block {
    /// Each datagram with its time, in order.
    pub fn each(&self, mut f: impl FnMut(u64, &[u8])) -> Result<(), &'static str> {
        let mut rest = bytes::Bytes(&self.data);
        let mut at = self.first_us;
        for _ in 0..self.datagrams {
            let later = rest.varint().ok_or("its datagrams end early")?;
            let len = rest.varint().ok_or("its datagrams end early")?;
            let datagram = rest.take(len).ok_or("its datagrams end early")?;
            at = at.saturating_add(later);
            if at > self.last_us {
                return Err("a time is out of range");
            }
            f(at, datagram);
        }
        if rest.0.is_empty() { Ok(()) } else { Err("there are bytes behind its datagrams") }
    }
}
