//! Packets: the caller's text cut into datagrams at newlines.

#![forbid(unsafe_code)]

use crate::encode::spare::Spare;
use crate::sys::memory;

/// The longest datagram by default, in bytes: what fits an Ethernet frame
/// with bytes left for tunnels.
pub const MAX_PACKET: usize = 1440;
/// The bounds of the `mtu` of a URI.
pub const MTU_RANGE: std::ops::RangeInclusive<usize> = 512..=65_507;

/// A datagram that lines are put into.
#[derive(Debug)]
pub struct Packer {
    /// Each line follows a newline: the first newline is not sent. As many as
    /// were needed so far, in the end more than a datagram by a `Spare`.
    bytes: Vec<u8>,
    /// Where the lines end.
    end: usize,
    lines: u64,
    limit: usize,
}

/// What a text had that cannot be sent, in lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rejected {
    /// Longer than a datagram by themselves.
    pub oversize: u64,
    /// With a NUL byte: no server reads what follows one.
    pub invalid: u64,
    /// There was no memory for them.
    pub no_memory: u64,
}

impl Packer {
    /// An empty datagram of at most `limit` bytes.
    pub fn new(limit: usize) -> Packer {
        Packer { bytes: Vec::new(), end: 0, lines: 0, limit }
    }

    /// The longest datagram, and so the longest line, in bytes.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Sets that, where the datagram is empty.
    pub fn set_limit(&mut self, limit: usize) {
        if self.end == 0 {
            self.limit = limit;
        }
    }

    /// How many bytes a line may have that still goes in.
    pub fn room(&self) -> usize {
        self.limit.saturating_sub(self.end)
    }

    /// Whether a line, or lines, of `len` bytes still go in.
    #[inline]
    pub fn has_room(&self, len: usize) -> bool {
        self.end + len <= self.limit
    }

    /// The bytes after the lines, where the next line may be made; `None` where
    /// `push` has to make more first.
    #[inline(always)]
    pub fn spare(&mut self) -> Option<&mut Spare> {
        self.bytes.get_mut(self.end..)?.first_chunk_mut()
    }

    /// Puts in the line that was made in the first `len` bytes of `spare`, a
    /// newline in front. False where it does not fit: then it stays there.
    #[inline(always)]
    pub fn take(&mut self, len: usize) -> bool {
        let end = self.end + len;
        // the first newline is not sent
        let fits = end <= self.limit + 1;
        if fits {
            (self.end, self.lines) = (end, self.lines + 1);
        }
        fits
    }

    /// The line of `len` bytes that `take` left in `spare`.
    pub fn left(&self, len: usize) -> &[u8] {
        &self.bytes[self.end..self.end + len]
    }

    /// Puts lines in that have a newline in front and between them. They must
    /// fit.
    pub fn push(&mut self, block: &[u8], lines: u64) {
        let end = self.end + block.len();
        let needed = end + size_of::<Spare>();
        if self.bytes.len() < needed {
            self.bytes.resize(needed.max(2 * self.bytes.len()).min(self.size()), 0);
        }
        self.bytes[self.end..end].copy_from_slice(block);
        (self.end, self.lines) = (end, self.lines + lines);
    }

    /// Puts a line in, which must fit.
    pub fn push_line(&mut self, line: &[u8]) {
        self.push(b"\n", 0);
        self.push(line, 1);
    }

    /// The datagram and its number of lines, where there is one.
    pub fn datagram(&self) -> Option<(&[u8], u64)> {
        let (_, datagram) = self.bytes[..self.end].split_first()?;
        Some((datagram, self.lines))
    }

    /// Starts the next datagram.
    pub fn clear(&mut self) {
        (self.end, self.lines) = (0, 0);
    }

    /// Moves the datagram to `other`, and takes that one's memory for the next.
    pub fn move_to(&mut self, other: &mut Packer) {
        std::mem::swap(&mut self.bytes, &mut other.bytes);
        (other.end, other.lines) = (self.end, self.lines);
        self.clear();
    }

    fn size(&self) -> usize {
        1 + self.limit + size_of::<Spare>()
    }

    /// Cuts `text` into datagrams, each as full as it can be, in order, and
    /// hands them to `emit` with their numbers of lines. Empty lines go; a
    /// line that cannot be sent is left out and counted.
    pub fn split(&mut self, text: &[u8], mut emit: impl FnMut(&[u8], u64)) -> Rejected {
        let text = trim_newlines(text);
        if let Some(lines) = whole(text, self.limit) {
            emit(text, lines);
            return Rejected::default();
        }
        self.clear();
        let more = self.size() - self.bytes.len();
        if memory::room(&mut self.bytes, more).is_err() {
            let lines = text.split(|b| *b == b'\n').filter(|line| !line.is_empty());
            return Rejected { no_memory: lines.count() as u64, ..Rejected::default() };
        }
        let rejected = each_line(text, self.limit, |line| {
            if !self.has_room(line.len()) {
                if let Some((datagram, lines)) = self.datagram() {
                    emit(datagram, lines);
                }
                self.clear();
            }
            self.push_line(line);
        });
        if let Some((datagram, lines)) = self.datagram() {
            emit(datagram, lines);
            self.clear();
        }
        rejected
    }
}

/// Hands each line of `text` that can be sent to `take`; counts the others.
/// Empty lines go.
pub fn each_line(text: &[u8], limit: usize, mut take: impl FnMut(&[u8])) -> Rejected {
    let mut rejected = Rejected::default();
    for line in text.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        if line.contains(&0) {
            rejected.invalid += 1;
        } else if line.len() > limit {
            rejected.oversize += 1;
        } else {
            take(line);
        }
    }
    rejected
}

/// The number of lines of a text that is a datagram as it stands.
fn whole(text: &[u8], limit: usize) -> Option<u64> {
    if text.is_empty() || text.len() > limit {
        return None;
    }
    let (mut newlines, mut bad, mut before) = (0, 0, 0);
    let mut look = |word: u64| {
        let found = bytes_of(word, b'\n');
        bad |= bytes_of(word, 0) | (found & (found << 8 | before));
        newlines += found.count_ones();
        before = found >> 56;
    };
    let words = text.chunks_exact(8);
    let rest = words.remainder();
    words.for_each(|word| look(u64::from_le_bytes(word.try_into().expect("8 bytes"))));
    // filled up with what is neither
    let mut last = [b' '; 8];
    last[..rest.len()].copy_from_slice(rest);
    look(u64::from_le_bytes(last));
    (bad == 0).then_some(u64::from(newlines) + 1)
}

/// The top bit of each byte of `word` that is `byte`.
fn bytes_of(word: u64, byte: u8) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let other = word ^ u64::from_ne_bytes([byte; 8]);
    !(((other & LOW) + LOW) | other | LOW)
}

fn trim_newlines(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|b| *b != b'\n').unwrap_or(text.len());
    let end = text.iter().rposition(|b| *b != b'\n').map_or(start, |last| last + 1);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &[u8], limit: usize) -> (Vec<Vec<u8>>, Rejected) {
        let mut out = Vec::new();
        let rejected = Packer::new(limit).split(text, |datagram, lines| {
            let newlines = datagram.iter().filter(|b| **b == b'\n').count();
            assert_eq!(lines, newlines as u64 + 1);
            out.push(datagram.to_vec());
        });
        (out, rejected)
    }

    fn sent(text: &str, limit: usize) -> Vec<String> {
        split(text.as_bytes(), limit).0.into_iter().map(|d| String::from_utf8(d).unwrap()).collect()
    }

    #[test]
    fn empty_lines_go() {
        assert!(sent("", 9).is_empty());
        assert!(sent("\n\n", 9).is_empty());
        assert_eq!(sent("a", 9), ["a"]);
        assert_eq!(sent("\na\n\n\nb\n", 9), ["a\nb"]);
    }

    #[test]
    fn as_full_as_can_be() {
        assert_eq!(sent("aaaa\nbbbb\ncccc", 9), ["aaaa\nbbbb", "cccc"]);
        assert_eq!(sent("aaaa\nbbbbb\ncc\n", 9), ["aaaa", "bbbbb\ncc"]);
    }

    #[test]
    fn a_bad_line_does_not_part_its_neighbours() {
        let (out, rejected) = split(b"aaaa\n0123456789\nbb\0b\ncccc", 9);
        assert_eq!(out, [b"aaaa\ncccc"]);
        assert_eq!(rejected, Rejected { oversize: 1, invalid: 1, no_memory: 0 });
    }

    #[test]
    fn a_line_that_is_made_in_place() {
        let mut packer = Packer::new(9);
        assert!(packer.spare().is_none());
        packer.push(b"\naaaa\nbbbb", 2);
        assert_eq!(packer.bytes.len(), packer.size());
        packer.clear();
        packer.push(b"\naaaa", 1);
        let made = |packer: &mut Packer, line: &[u8]| {
            packer.spare().unwrap()[..line.len()].copy_from_slice(line);
            packer.take(line.len())
        };
        assert!(!made(&mut packer, b"\nbbbbb"));
        assert_eq!(packer.datagram(), Some((&b"aaaa"[..], 1)));
        assert_eq!(packer.left(6), b"\nbbbbb");
        let mut sent = Packer::new(9);
        sent.push(b"\naaaa\nbbbb", 2);
        packer.move_to(&mut sent);
        packer.push(b"\nbbbbb", 1);
        assert_eq!(sent.datagram(), Some((&b"aaaa"[..], 1)));
        assert_eq!(packer.datagram(), Some((&b"bbbbb"[..], 1)));
        assert!(made(&mut packer, b"\nccc"));
        assert_eq!(packer.datagram(), Some((&b"bbbbb\nccc"[..], 2)));
        assert_eq!((packer.room(), packer.has_room(0)), (0, false));
        assert!(packer.spare().is_some(), "after a full datagram, too");
    }

    #[test]
    fn a_text_of_one_bad_line() {
        assert_eq!(split(b"a\0b", 9), (vec![], Rejected { invalid: 1, ..Rejected::default() }));
        assert_eq!(
            split(b"0123456789", 9),
            (vec![], Rejected { oversize: 1, ..Rejected::default() })
        );
        assert_eq!(split(b"012345678", 9).1, Rejected::default());
    }
}
