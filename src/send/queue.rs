//! What waits: datagrams that the kernel did not take, in order, in a
//! bounded number of bytes. They are in blocks that never move: a buffer that
//! grows by copying would delay a caller, with 16 MiB, for longer than a call
//! may take.

#![forbid(unsafe_code)]

use std::collections::VecDeque;

use crate::sys::memory;

/// The sizes of blocks, each twice as large as the one before. The longest
/// datagram fits into the last.
const BLOCK: std::ops::RangeInclusive<usize> = 1024..=64 * 1024;
/// Bytes before a datagram: its length and its number of lines.
const HEAD: usize = 8;

/// Datagrams in order. The oldest are dropped first when it is full.
#[derive(Debug, Default)]
pub struct Queue {
    blocks: VecDeque<Vec<u8>>,
    /// Where the oldest datagram begins in the first block.
    front: usize,
    /// Without heads.
    bytes: usize,
    lines: u64,
}

impl Queue {
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// How many bytes wait.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Puts a datagram at the end, dropping the oldest until at most `bound`
    /// bytes wait. Returns the number of lines dropped: where there is no
    /// memory, those of `datagram` itself.
    pub fn push(&mut self, datagram: &[u8], lines: u64, bound: usize) -> u64 {
        let mut dropped = 0;
        while self.bytes + datagram.len() > bound {
            match self.pop() {
                Some(lines) => dropped += lines,
                None => return dropped + lines,
            }
        }
        let Some(block) = self.block(HEAD + datagram.len()) else { return dropped + lines };
        block.extend_from_slice(&(datagram.len() as u32).to_ne_bytes());
        block.extend_from_slice(&(lines as u32).to_ne_bytes());
        block.extend_from_slice(datagram);
        self.bytes += datagram.len();
        self.lines += lines;
        dropped
    }

    /// The block that takes so many bytes more.
    fn block(&mut self, len: usize) -> Option<&mut Vec<u8>> {
        let room = |block: &Vec<u8>| block.capacity() - block.len();
        if self.blocks.back().is_none_or(|block| room(block) < len) {
            let last = self.blocks.back().map_or(0, Vec::capacity);
            let size = (2 * last).clamp(*BLOCK.start(), *BLOCK.end()).max(len);
            let mut block = Vec::new();
            memory::room(&mut block, size).ok()?;
            self.blocks.try_reserve(1).ok()?;
            if self.is_empty() {
                // one that was kept, and is too small
                self.blocks.clear();
            }
            self.blocks.push_back(block);
        }
        self.blocks.back_mut()
    }

    fn oldest(&self) -> Option<(&[u8], u64)> {
        let (head, rest) = self.blocks.front()?.get(self.front..)?.split_first_chunk::<HEAD>()?;
        let [a, b, c, d, lines @ ..] = *head;
        let len = u32::from_ne_bytes([a, b, c, d]) as usize;
        Some((&rest[..len], u64::from(u32::from_ne_bytes(lines))))
    }

    /// Copies the oldest datagram into `out`; its number of lines.
    pub fn front(&self, out: &mut Vec<u8>) -> Option<u64> {
        let (datagram, lines) = self.oldest()?;
        out.clear();
        out.extend_from_slice(datagram);
        Some(lines)
    }

    /// Removes the oldest datagram; its number of lines.
    pub fn pop(&mut self) -> Option<u64> {
        let (len, lines) = self.oldest().map(|(datagram, lines)| (datagram.len(), lines))?;
        self.front += HEAD + len;
        self.bytes -= len;
        self.lines -= lines;
        let block = self.blocks.front_mut()?;
        if self.front == block.len() {
            self.front = 0;
            block.clear();
            // one is kept for what comes next
            if self.blocks.len() > 1 {
                self.blocks.pop_front();
            }
        }
        Some(lines)
    }

    /// Removes everything; the number of lines.
    pub fn clear(&mut self) -> u64 {
        std::mem::take(self).lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_order_and_across_the_wrap() {
        let mut queue = Queue::default();
        let mut out = Vec::new();
        let mut next = 0u32;
        for i in 0..1000u32 {
            assert_eq!(queue.push(format!("datagram {i}").as_bytes(), 1, 1 << 20), 0);
            if i % 3 != 0 {
                assert_eq!(queue.front(&mut out), Some(1));
                assert_eq!(out, format!("datagram {next}").as_bytes());
                queue.pop();
                next += 1;
            }
        }
        assert_eq!(queue.clear(), u64::from(1000 - next));
        assert_eq!((queue.len(), queue.pop()), (0, None));
    }

    #[test]
    fn blocks_that_do_not_move() {
        let mut queue = Queue::default();
        let longest = vec![b'x'; 65_507];
        assert_eq!(queue.push(b"first", 1, usize::MAX), 0);
        let first = queue.blocks[0].as_ptr();
        for _ in 0..100 {
            assert_eq!(queue.push(&longest, 1, usize::MAX), 0);
            assert_eq!(queue.push(b"short", 2, usize::MAX), 0);
        }
        assert_eq!(queue.blocks[0].as_ptr(), first);
        assert!(queue.blocks.iter().all(|block| block.capacity() <= *BLOCK.end()));
        assert_eq!(queue.pop(), Some(1));
        let mut out = Vec::new();
        assert_eq!((queue.front(&mut out), out == longest), (Some(1), true));
        assert_eq!(queue.clear(), 100 + 200);
        assert_eq!(queue.push(b"again", 1, 5), 0);
        assert_eq!((queue.pop(), queue.len(), queue.pop()), (Some(1), 0, None));
        // the block that was kept is too small
        assert_eq!(queue.push(&longest, 3, usize::MAX), 0);
        assert_eq!((queue.pop(), queue.pop()), (Some(3), None));
    }

    #[test]
    fn the_oldest_goes_first() {
        let mut queue = Queue::default();
        let mut out = Vec::new();
        assert_eq!(queue.push(b"aaaa", 2, 10), 0);
        assert_eq!(queue.push(b"bbbb", 3, 10), 0);
        assert_eq!(queue.push(b"cccc", 4, 10), 2);
        assert_eq!(queue.push(b"longer than all", 5, 10), 3 + 4 + 5);
        assert_eq!(queue.front(&mut out), None);
    }
}
