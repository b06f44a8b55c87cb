//! An index by hash that one thread at a time uses, under the registry's
//! lock. It grows by one bucket with each entry (linear hashing): no call is
//! held for longer than another.

use crate::error::Error;
use crate::metric::Metric;
use crate::sys::memory;

/// Buckets, and nodes, are made so many at once.
const CHUNK: usize = 512;

/// Metrics by hash.
#[derive(Debug)]
pub struct Index {
    /// The first nodes of the buckets.
    segments: Vec<Vec<*mut Node>>,
    buckets: usize,
    len: usize,
    /// Where all nodes live: a chunk never grows beyond its capacity.
    nodes: Vec<Vec<Node>>,
    free: *mut Node,
}

#[derive(Debug)]
struct Node {
    hash: u32,
    metric: *mut Metric,
    next: *mut Node,
}

impl Default for Index {
    fn default() -> Index {
        let free = std::ptr::null_mut();
        Index { segments: Vec::new(), buckets: 0, len: 0, nodes: Vec::new(), free }
    }
}

impl Index {
    /// Puts a metric in.
    pub fn insert(&mut self, hash: u32, metric: *mut Metric) -> Result<(), Error> {
        self.grow()?;
        let node = self.node()?;
        let bucket = self.bucket(hash);
        // SAFETY: a node that is in no bucket.
        unsafe { *node = Node { hash, metric, next: *bucket } };
        *bucket = node;
        self.len += 1;
        Ok(())
    }

    /// Takes a metric out. Whether it was in.
    pub fn remove(&mut self, hash: u32, metric: *const Metric) -> bool {
        if self.buckets == 0 {
            return false;
        }
        let free = self.free;
        let mut link: *mut *mut Node = self.bucket(hash);
        // SAFETY: nodes in a bucket live as long as the index, which no other
        // thread uses; so does the place of a link.
        unsafe {
            while let Some(node) = (*link).as_mut() {
                if std::ptr::eq(node.metric, metric) {
                    let node: *mut Node = node;
                    *link = (*node).next;
                    (*node).next = free;
                    self.free = node;
                    self.len -= 1;
                    return true;
                }
                link = &raw mut node.next;
            }
        }
        false
    }

    /// The metrics of a hash.
    pub fn of_hash(&self, hash: u32) -> impl Iterator<Item = *mut Metric> {
        let mut next = match self.buckets {
            0 => std::ptr::null_mut(),
            buckets => {
                let at = place(hash, buckets);
                self.segments[at / CHUNK][at % CHUNK]
            }
        };
        std::iter::from_fn(move || {
            // SAFETY: as in `remove`; the index is borrowed.
            while let Some(node) = unsafe { next.as_ref() } {
                next = node.next;
                if node.hash == hash {
                    return Some(node.metric);
                }
            }
            None
        })
    }

    fn bucket(&mut self, hash: u32) -> &mut *mut Node {
        let at = place(hash, self.buckets);
        &mut self.segments[at / CHUNK][at % CHUNK]
    }

    /// Splits a bucket in two where there are as many entries as buckets.
    fn grow(&mut self) -> Result<(), Error> {
        if self.len < self.buckets {
            return Ok(());
        }
        let new = self.buckets;
        if new / CHUNK == self.segments.len() {
            let mut segment = Vec::new();
            memory::room(&mut segment, CHUNK)?;
            memory::room(&mut self.segments, 1)?;
            segment.resize(CHUNK, std::ptr::null_mut());
            self.segments.push(segment);
        }
        self.buckets += 1;
        if new == 0 {
            return Ok(());
        }
        let old = new - self.buckets.next_power_of_two() / 2;
        let mut next =
            std::mem::replace(&mut self.segments[old / CHUNK][old % CHUNK], std::ptr::null_mut());
        // SAFETY: as in `remove`; each goes from one bucket to one.
        while let Some(node) = unsafe { next.as_mut() } {
            next = node.next;
            let bucket = self.bucket(node.hash);
            node.next = *bucket;
            *bucket = node;
        }
        Ok(())
    }

    fn node(&mut self) -> Result<*mut Node, Error> {
        // SAFETY: a free node lives as long as the index.
        if let Some(node) = unsafe { self.free.as_mut() } {
            self.free = node.next;
            return Ok(node);
        }
        if self.nodes.last().is_none_or(|chunk| chunk.len() == chunk.capacity()) {
            let mut chunk = Vec::new();
            memory::room(&mut chunk, CHUNK)?;
            memory::room(&mut self.nodes, 1)?;
            self.nodes.push(chunk);
        }
        let chunk = self.nodes.last_mut().ok_or(Error::NoMemory)?;
        let at = chunk.len();
        chunk.push(Node { hash: 0, metric: std::ptr::null_mut(), next: std::ptr::null_mut() });
        Ok(&raw mut chunk[at])
    }
}

/// The bucket of a hash, of so many.
fn place(hash: u32, buckets: usize) -> usize {
    let all = buckets.next_power_of_two();
    let at = hash as usize & (all - 1);
    if at < buckets { at } else { at & (all / 2 - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn put_in_and_taken_out() {
        let n: usize = if cfg!(miri) { 1_500 } else { 50_000 };
        let metric = |i: usize| std::ptr::without_provenance_mut::<Metric>(i * 128 + 128);
        // each hash twice
        let hash = |i: usize| (i as u32 / 2).wrapping_mul(0x9e37_79b9);
        let mut index = Index::default();
        assert!(!index.remove(1, metric(1)) && index.of_hash(1).next().is_none());
        for round in 0..3 {
            for i in 0..n {
                index.insert(hash(i), metric(i)).unwrap();
            }
            for i in 0..n {
                assert_eq!(index.of_hash(hash(i)).count(), 2, "{round}");
                assert!(index.of_hash(hash(i)).any(|found| found == metric(i)));
            }
            for i in 0..n {
                assert!(index.remove(hash(i), metric(i)));
                assert!(!index.remove(hash(i), metric(i)));
            }
            assert_eq!((index.len, index.buckets), (0, n));
            assert_eq!(index.nodes.iter().map(Vec::len).sum::<usize>(), n, "they are used again");
        }
    }
}
