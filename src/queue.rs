//! What waits: datagrams that the kernel did not take, in order, in a
//! bounded number of bytes.

#![forbid(unsafe_code)]

use std::collections::VecDeque;

/// Above this many bytes an empty queue gives its memory back.
const KEEP_CAPACITY: usize = 64 * 1024;

/// Datagrams in order. The oldest go first when there is no room.
#[derive(Debug, Default)]
pub struct Queue {
    bytes: VecDeque<u8>,
    datagrams: VecDeque<Datagram>,
}

#[derive(Clone, Copy, Debug)]
struct Datagram {
    len: u32,
    lines: u32,
}

impl Queue {
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }

    /// How many bytes wait.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Puts a datagram at the end, dropping the oldest until at most `bound`
    /// bytes wait. Returns the number of lines dropped: where there is no
    /// memory, those of `datagram` itself.
    pub fn push(&mut self, datagram: &[u8], lines: u64, bound: usize) -> u64 {
        let mut dropped = 0;
        while self.bytes.len() + datagram.len() > bound {
            match self.pop() {
                Some(lines) => dropped += lines,
                None => return dropped + lines,
            }
        }
        let no_memory = self.bytes.try_reserve(datagram.len()).is_err()
            || self.datagrams.try_reserve(1).is_err();
        if no_memory {
            return dropped + lines;
        }
        self.bytes.extend(datagram);
        self.datagrams.push_back(Datagram { len: datagram.len() as u32, lines: lines as u32 });
        dropped
    }

    /// Copies the oldest datagram into `out`; its number of lines.
    pub fn front(&self, out: &mut Vec<u8>) -> Option<u64> {
        let Datagram { len, lines } = *self.datagrams.front()?;
        out.clear();
        let (head, tail) = self.bytes.as_slices();
        let from_head = head.len().min(len as usize);
        out.extend_from_slice(&head[..from_head]);
        out.extend_from_slice(&tail[..len as usize - from_head]);
        Some(u64::from(lines))
    }

    /// Removes the oldest datagram; its number of lines.
    pub fn pop(&mut self) -> Option<u64> {
        let Datagram { len, lines } = self.datagrams.pop_front()?;
        self.bytes.drain(..len as usize);
        if self.is_empty() && self.bytes.capacity() > KEEP_CAPACITY {
            *self = Queue::default();
        }
        Some(u64::from(lines))
    }

    /// Removes everything; the number of lines.
    pub fn clear(&mut self) -> u64 {
        let lines = self.datagrams.iter().map(|d| u64::from(d.lines)).sum();
        *self = Queue::default();
        lines
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
