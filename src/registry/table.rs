//! The table from keys to metrics: readers take no lock, one writer at a time
//! puts in. It grows without ever stopping anybody for long: each insertion
//! moves a few entries from the table before to the one that is twice its
//! size.

use std::alloc::{Layout, alloc_zeroed};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicPtr,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::metric::{Metric, state};

/// The first table's number of slots.
const FIRST: usize = 16;
/// Entries moved at an insertion while the table grows.
const MOVED: usize = 64;
/// Metrics are aligned to 128 bytes: the low bits of a slot are as many bits
/// of the hash, which avoid most reads of other metrics.
const TAG: usize = align_of::<Metric>() - 1;

/// Metrics by key, open addressing.
#[derive(Debug)]
pub struct Table {
    slots: Box<[AtomicPtr<Metric>]>,
}

/// The tables of a registry, for readers.
#[derive(Debug, Default)]
pub struct Tables {
    current: AtomicPtr<Table>,
    /// What is not moved yet is found here.
    previous: AtomicPtr<Table>,
}

/// The tables of a registry, for the one writer.
#[derive(Debug, Default)]
pub struct Writer {
    /// All that ever were: a reader may still be in an old one. They add up
    /// to less than the newest. Not in a `Box`, which when it moves says that
    /// nothing else points there.
    tables: Vec<Arc<Table>>,
    used: usize,
    moved: usize,
}

/// What a metric is looked up by.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// As `Metric::key`, or a spelling.
    pub bytes: &'a [u8],
    /// The kind's number.
    pub kind: u8,
    /// Of both.
    pub hash: u32,
}

impl Key<'_> {
    /// Whether it is the metric's.
    #[inline]
    pub fn is_of(&self, metric: &Metric) -> bool {
        metric.hash() == self.hash
            && metric.state() & state::KIND == self.kind
            && metric.key() == self.bytes
    }
}

impl Table {
    fn new(slots: usize) -> Option<Arc<Table>> {
        let layout = Layout::array::<AtomicPtr<Metric>>(slots).ok()?;
        // SAFETY: the size is not 0, and what is all zeros is a slice of null
        // pointers. Not written here: the caller would be held for the time
        // that the kernel takes for all its pages.
        let slots = unsafe {
            let start = NonNull::new(alloc_zeroed(layout).cast())?;
            Box::from_raw(NonNull::slice_from_raw_parts(start, slots).as_ptr())
        };
        Some(Arc::new(Table { slots }))
    }

    #[inline]
    fn find(&self, key: Key<'_>) -> Option<&Metric> {
        let mask = self.slots.len() - 1;
        let tag = tag(key.hash);
        let mut at = key.hash as usize & mask;
        loop {
            let slot = self.slots[at & mask].load(Acquire);
            if slot.is_null() {
                return None;
            }
            if slot.addr() & TAG == tag {
                // SAFETY: a slot is a metric's address and its tag, and
                // metrics live as long as their registry.
                let metric = unsafe { &*slot.map_addr(|addr| addr & !TAG) };
                if key.is_of(metric) {
                    return Some(metric);
                }
            }
            at += 1;
        }
    }

    fn put(&self, slot: *mut Metric, hash: u32) {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while !self.slots[at & mask].load(Relaxed).is_null() {
            at += 1;
        }
        self.slots[at & mask].store(slot, Release);
    }
}

impl Tables {
    /// The metric of a key, without a lock. One that was put in by another
    /// thread just now may not be found.
    #[inline]
    pub fn find(&self, key: Key<'_>) -> Option<&Metric> {
        // SAFETY: tables live as long as their registry.
        let current = unsafe { self.current.load(Acquire).as_ref() }?;
        let found = current.find(key);
        if found.is_some() {
            return found;
        }
        self.find_previous(key)
    }

    #[cold]
    fn find_previous(&self, key: Key<'_>) -> Option<&Metric> {
        // SAFETY: as above.
        let previous = unsafe { self.previous.load(Acquire).as_ref() };
        previous.and_then(|table| table.find(key))
    }
}

impl Writer {
    /// Puts a metric in, under a key that is not there. False where there is
    /// no memory for a larger table.
    pub fn insert(&mut self, tables: &Tables, metric: &Metric) -> bool {
        if !self.grow(tables) {
            return false;
        }
        let Some(current) = self.tables.last() else { return false };
        current.put(tagged(metric), metric.hash());
        self.used += 1;
        true
    }

    fn grow(&mut self, tables: &Tables) -> bool {
        let slots = self.tables.last().map_or(0, |table| table.slots.len());
        if self.used * 2 >= slots {
            debug_assert!(tables.previous.load(Relaxed).is_null(), "it was moved in time");
            let Some(next) = Table::new((slots * 2).max(FIRST)) else { return false };
            let address = Arc::as_ptr(&next).cast_mut();
            self.tables.push(next);
            tables.previous.store(tables.current.load(Relaxed), Release);
            tables.current.store(address, Release);
            self.moved = 0;
        }
        if !tables.previous.load(Relaxed).is_null() {
            self.move_some(tables);
        }
        true
    }

    fn move_some(&mut self, tables: &Tables) {
        let [.., previous, current] = &self.tables[..] else { return };
        let end = (self.moved + MOVED).min(previous.slots.len());
        for slot in &previous.slots[self.moved..end] {
            let slot = slot.load(Relaxed);
            if !slot.is_null() {
                // SAFETY: as in `find`.
                let hash = unsafe { &*slot.map_addr(|addr| addr & !TAG) }.hash();
                current.put(slot, hash);
            }
        }
        self.moved = end;
        if end == previous.slots.len() {
            tables.previous.store(std::ptr::null_mut(), Release);
        }
    }
}

fn tag(hash: u32) -> usize {
    // not those bits that choose the slot
    (hash >> 25) as usize & TAG
}

fn tagged(metric: &Metric) -> *mut Metric {
    (&raw const *metric).cast_mut().map_addr(|addr| addr | tag(metric.hash()))
}
