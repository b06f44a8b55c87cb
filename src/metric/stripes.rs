//! Cells for counters that several threads add to at the same time. A thread
//! adds to the cell of its own lane, which no other processor's cache wants;
//! the flush takes the sum of all.
//!
//! A lane has two cache lines, which no other lane is next to, and a cell for
//! each of several counters: threads with different lanes share no line, and a
//! counter takes 64 bytes. Cells stay a counter's as long as its context: a
//! call without a lock may be about to add to one, and leaves no trace.

use std::ptr::NonNull;
use std::sync::atomic::AtomicI64;

use crate::error::Error;
use crate::sys::{memory, thread};

/// Threads go to so many lanes.
pub const LANES: usize = 8;
/// A block is for so many counters.
const COUNTERS: usize = 16;

/// The cells of one thread, or of a few, for some counters.
#[derive(Debug)]
#[repr(C, align(128))]
struct Lane([AtomicI64; COUNTERS]);

type Block = [Lane; LANES];

/// All cells of a context's counters.
#[derive(Debug, Default)]
pub struct Stripes {
    /// Each a vector of one, which never grows: blocks stay where they are.
    blocks: Vec<Vec<Block>>,
    /// Counters that have cells.
    used: usize,
}

/// The cells of one counter, one in each lane.
#[derive(Clone, Copy, Debug)]
pub struct Cells(NonNull<AtomicI64>);

impl Stripes {
    /// Cells for one more counter, all 0. They are used no longer than this
    /// lives.
    pub fn cells(&mut self) -> Result<Cells, Error> {
        let at = self.used % COUNTERS;
        if at == 0 {
            let mut block: Vec<Block> = Vec::new();
            block.try_reserve_exact(1).map_err(|_| Error::NoMemory)?;
            memory::room(&mut self.blocks, 1)?;
            block.push([const { Lane([const { AtomicI64::new(0) }; COUNTERS]) }; LANES]);
            self.blocks.push(block);
        }
        let block = self.blocks.last_mut().ok_or(Error::NoMemory)?;
        self.used += 1;
        // SAFETY: a block begins with the cells of its first lane, of which
        // there are more than `at`.
        Ok(Cells(unsafe { NonNull::new_unchecked(block.as_mut_ptr().cast::<AtomicI64>().add(at)) }))
    }
}

impl Cells {
    /// What `address` returned.
    ///
    /// # Safety
    /// The `Stripes` that they are of live.
    #[inline(always)]
    pub unsafe fn at(address: *mut ()) -> Option<Cells> {
        NonNull::new(address.cast()).map(Cells)
    }

    /// The address of the first.
    pub fn address(self) -> *mut () {
        self.0.as_ptr().cast()
    }

    #[inline(always)]
    fn of_lane(&self, lane: usize) -> &AtomicI64 {
        // SAFETY: lanes lie one after the other in a block, which lives as
        // long as this is used.
        unsafe { self.0.byte_add(lane % LANES * size_of::<Lane>()).as_ref() }
    }

    /// The calling thread's.
    #[inline(always)]
    pub fn own(&self) -> &AtomicI64 {
        self.of_lane(thread::lane())
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &AtomicI64> {
        (0..LANES).map(|lane| self.of_lane(lane))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::SeqCst;

    use super::*;
    use crate::metric::Metric;
    use crate::metric::value::Taken;

    #[test]
    fn no_two_counters_share_a_cell_and_no_two_lanes_a_line() {
        let mut stripes = Stripes::default();
        let counters: Vec<Cells> = (0..40).map(|_| stripes.cells().unwrap()).collect();
        let mut seen: Vec<usize> = Vec::new();
        for cells in &counters {
            let lanes: Vec<usize> = cells.all().map(|cell| (&raw const *cell).addr()).collect();
            assert_eq!(lanes.len(), LANES);
            assert!(lanes.windows(2).all(|pair| pair[0] / 128 != pair[1] / 128));
            seen.extend(&lanes);
        }
        seen.sort_unstable();
        assert!(seen.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(size_of::<Block>() / COUNTERS, 64);
    }

    #[test]
    fn nothing_is_lost_while_a_counter_becomes_shared() {
        const THREADS: i64 = 3;
        let rounds = if cfg!(miri) { 100 } else { 100_000 };
        let mut stripes = Stripes::default();
        let metric = Metric::new(0, b"n", 0, std::ptr::null_mut()).unwrap();
        let ended = AtomicI64::new(0);
        let mut sum = 0;
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..rounds {
                        let shared = || metric.add_shared(1).or_else(|| metric.add_noted(1));
                        // while the state changes it is the slow path's
                        while metric.add_again(1).or_else(shared).is_none() {}
                    }
                    ended.fetch_add(1, SeqCst);
                });
            }
            for look in 0.. {
                let last = ended.load(SeqCst) == THREADS;
                sum += metric.take_sum().0;
                if last {
                    break;
                }
                if look == 3 {
                    metric.share(stripes.cells().unwrap());
                }
            }
        });
        assert_eq!(sum, i128::from(THREADS * rounds));
    }

    #[test]
    fn a_cell_beyond_64_bits() {
        let mut stripes = Stripes::default();
        let metric = Metric::new(0, b"n", 0, std::ptr::null_mut()).unwrap();
        metric.add(i64::MAX);
        metric.share(stripes.cells().unwrap());
        let first: Vec<_> = (0..3).map(|_| metric.add_shared(i64::MAX)).collect();
        assert_eq!(first, [Some(true), Some(true), Some(false)], "a carry is marked, too");
        assert_eq!(metric.take(false, false), Taken::LargeSum(4 * i128::from(i64::MAX)));
        assert_eq!(metric.take(false, false), Taken::Nothing);
    }
}
