//! Where the metrics of a context live: each stays where it is made until the
//! context goes. They lie in groups of 64, after what their group has in the
//! queues of dirty metrics.

use std::mem::ManuallyDrop;

use crate::error::Error;
use crate::metric::Metric;
use crate::registry::dirty::Group;
use crate::sys::memory;

/// Metrics are made in chunks of this many at first, then in twice as many.
const FIRST: usize = 8;
/// But never in more: a chunk is made within a call.
const LAST: usize = 512;
/// Metrics of one group: as many as a word has bits.
const GROUP: usize = 64;

/// A slot's size in bits.
const SLOT_BITS: u32 = size_of::<Metric>().ilog2();

/// All metrics of a context.
#[derive(Debug, Default)]
pub struct Chunks {
    chunks: Vec<Vec<Slot>>,
}

/// Where a walk through all metrics is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    chunk: usize,
    slot: usize,
}

/// What a group has in the queue of numbers, and in that of values.
#[derive(Debug)]
#[repr(C)]
pub struct Heads([Group; 2]);

/// The first slot of a group has its heads, the others a metric each.
#[repr(C)]
union Slot {
    heads: ManuallyDrop<Heads>,
    metric: ManuallyDrop<Metric>,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a slot")
    }
}

/// What a metric's group has in the queue of numbers, or in that of values,
/// and the metric's bit.
///
/// # Safety
/// The metric is one of `Chunks`, which live.
#[inline(always)]
pub unsafe fn group_of<'a>(metric: &Metric, is_value: bool) -> (&'a Group, u8) {
    let head = metric.head();
    let heads = (&raw const *metric).addr().wrapping_add_signed(head.into());
    // SAFETY: that is where its group's heads are. The provenance of their
    // chunk was exposed.
    let heads: &Heads = unsafe { &*std::ptr::with_exposed_provenance(heads) };
    // the first metric has the highest bit
    (&heads.0[usize::from(is_value)], (head >> SLOT_BITS) as u8 % GROUP as u8)
}

/// Whether a slot of a chunk has heads.
fn begins_group(slot: usize) -> bool {
    slot % (GROUP + 1) == 0
}

impl Chunks {
    /// Gives a metric its place, where it stays as long as these.
    pub fn keep<'a>(&mut self, mut metric: Metric) -> Result<&'a Metric, Error> {
        // room for a metric, or for the heads of a group and one
        let is_full = |chunk: &Vec<Slot>| {
            let needed = if begins_group(chunk.len()) { 2 } else { 1 };
            chunk.capacity() - chunk.len() < needed
        };
        if self.chunks.last().is_none_or(is_full) {
            let metrics = FIRST << self.chunks.len().min((LAST / FIRST).ilog2() as usize);
            let mut chunk: Vec<Slot> = Vec::new();
            chunk
                .try_reserve_exact(metrics + metrics.div_ceil(GROUP))
                .map_err(|_| Error::NoMemory)?;
            memory::room(&mut self.chunks, 1)?;
            chunk.as_mut_ptr().expose_provenance();
            self.chunks.push(chunk);
        }
        let Some(chunk) = self.chunks.last_mut() else { return Err(Error::NoMemory) };
        if begins_group(chunk.len()) {
            // SAFETY: it is within the chunk, or right after it.
            let first = unsafe { chunk.as_ptr().add(chunk.len() + 1) }.cast();
            let heads = ManuallyDrop::new(Heads([Group::new(first), Group::new(first)]));
            chunk.push(Slot { heads });
        }
        metric.set_place(chunk.len() % (GROUP + 1));
        chunk.push(Slot { metric: ManuallyDrop::new(metric) });
        // SAFETY: a chunk never grows beyond its capacity, so its metrics
        // stay where they are; the registry sees to it that it lives as long
        // as what it gives out. The slot is a metric's.
        Ok(unsafe { &(*chunk.as_ptr().add(chunk.len() - 1)).metric })
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Metric> {
        self.slots().filter(|(i, _)| !begins_group(*i)).map(|(_, slot)| {
            // SAFETY: only the first slot of a group has no metric.
            let metric: &Metric = unsafe { &slot.metric };
            metric
        })
    }

    /// The metric at `place`, which moves on to the next. Metrics that are made
    /// meanwhile may be left out.
    pub fn next<'a>(&self, place: &mut Place) -> Option<&'a Metric> {
        loop {
            let chunk = self.chunks.get(place.chunk)?;
            let Some(slot) = chunk.get(place.slot) else {
                *place = Place { chunk: place.chunk + 1, slot: 0 };
                continue;
            };
            place.slot += 1;
            if !begins_group(place.slot - 1) {
                // SAFETY: as in `keep`.
                return Some(unsafe { &*(&raw const slot.metric).cast() });
            }
        }
    }

    /// Nothing was recorded: in a child process.
    pub fn reset_groups(&self) {
        for (i, slot) in self.slots() {
            if begins_group(i) {
                // SAFETY: the first slot of a group has its heads.
                unsafe { &slot.heads }.0.iter().for_each(Group::reset);
            }
        }
    }

    /// All slots, by their number in the chunk.
    fn slots(&self) -> impl Iterator<Item = (usize, &Slot)> {
        self.chunks.iter().flat_map(|chunk| chunk.iter().enumerate())
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        for chunk in &mut self.chunks {
            for (i, slot) in chunk.iter_mut().enumerate() {
                if !begins_group(i) {
                    // SAFETY: it has a metric, for the last time; heads need
                    // no drop.
                    unsafe { ManuallyDrop::drop(&mut slot.metric) };
                }
            }
        }
    }
}
