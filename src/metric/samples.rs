//! Samples of timers and histograms: every one is kept until the flush, and
//! two threads that record one metric do not wait for each other.

#![forbid(unsafe_code)]

use std::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Relaxed, Release},
};

use spin::mutex::{SpinMutex, SpinMutexGuard};

use crate::metric::budget::Budget;
use crate::metric::lane::{Lane, Random, SMALL, halve};
use crate::sys::thread;

/// Threads that record one metric at the same instant go to different lanes.
const LANES: usize = 4;
/// So often a thread that finds all lanes taken lets others go first.
const TRIES: u32 = 1000;
/// So often the flush looks again at a lane that a thread records into.
const LOOKS: u32 = 16;
/// Threads that take turns on a lane more often than this between two flushes
/// get other lanes: each time costs the time of several calls.
const OFTEN: u32 = 500;

/// The samples of one metric.
#[derive(Debug, Default)]
pub struct Samples {
    lanes: [Slot; LANES],
}

/// A lane on a cache line of its own: two threads that record one metric do
/// not wait for each other's.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Slot {
    lane: SpinMutex<Lane>,
    /// In a child process: a thread had the lock that is not here.
    dead: AtomicBool,
    /// It may have samples, or more than a little memory.
    used: AtomicBool,
}

/// A sample that is the only one. Its lane is locked.
#[derive(Debug)]
pub struct Only<'a> {
    /// The sample.
    pub value: f64,
    lane: SpinMutexGuard<'a, Lane>,
    used: &'a AtomicBool,
}

/// What `drain` found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// How many samples each stands for.
    pub k: u32,
    /// A lane was in use, and keeps its samples.
    pub left: bool,
    /// Threads took turns on a lane often.
    pub crowded: bool,
}

impl Default for Drained {
    fn default() -> Drained {
        Drained { k: 1, left: false, crowded: false }
    }
}

/// The `spread` to try after another one: of each two bits of a thread's mixed
/// number, one after the other, the upper half.
pub fn next_spread(spread: u32) -> u32 {
    (spread + LANES.ilog2()) % 32
}

impl Samples {
    /// Keeps a sample. Whether it is the first of a lane since the last
    /// flush.
    #[inline]
    pub fn record(&self, value: f64, spread: u32, budget: &Budget) -> bool {
        self.record_from(thread::number(), spread, value, budget)
    }

    #[inline]
    fn record_from(&self, thread: usize, spread: u32, value: f64, budget: &Budget) -> bool {
        let lane = thread::lane_of(thread, LANES, spread);
        match self.lanes[lane % LANES].record(thread, value, budget) {
            Some(first) => first,
            None => self.record_elsewhere((lane, thread), value, budget),
        }
    }

    #[cold]
    fn record_elsewhere(
        &self,
        (lane, thread): (usize, usize),
        value: f64,
        budget: &Budget,
    ) -> bool {
        for _ in 0..TRIES {
            // one of four is free unless four threads are in here
            for next in 1..=LANES {
                let slot = &self.lanes[(lane + next) % LANES];
                if let Some(first) = slot.record(thread, value, budget) {
                    return first;
                }
            }
            std::thread::yield_now();
        }
        budget.lose(1);
        false
    }

    /// The only sample, where there is no other.
    #[inline(always)]
    pub fn only(&self) -> Option<Only<'_>> {
        let is_used = |lane: usize| usize::from(self.lanes[lane].used.load(Acquire));
        let (b, c, d) = (is_used(1), is_used(2), is_used(3));
        if is_used(0) + b + c + d == 1 { self.lanes[b + 2 * c + 3 * d].only() } else { None }
    }

    /// Moves all samples to the end of `out`, at most as many as may be sent. It
    /// does not block: the thread that records may be in a signal handler, or
    /// may be waiting for the processor that this thread uses.
    pub fn drain(&self, out: &mut Vec<f64>, budget: &Budget) -> Drained {
        let mut used = self.lanes.iter().filter(|slot| slot.used.load(Acquire));
        // mostly of one thread, and none was thinned
        match (used.next(), used.next()) {
            (Some(slot), None) if slot.drain(out, budget) => Drained::default(),
            _ => self.drain_all(out, budget),
        }
    }

    #[inline(never)]
    fn drain_all(&self, out: &mut Vec<f64>, budget: &Budget) -> Drained {
        let start = out.len();
        let mut strides = [1; LANES];
        let mut ends = [start; LANES];
        let mut recorded = 0;
        let mut left = false;
        let mut crowded = false;
        let mut random = Random::default();
        for (i, slot) in self.lanes.iter().enumerate() {
            ends[i] = out.len();
            if !slot.used.load(Acquire) {
                // nothing, or about to be: then its caller marks the metric
                continue;
            }
            let dead = slot.dead.load(Relaxed);
            let mut looks = (0..if dead { 1 } else { LOOKS }).filter_map(|n| {
                if n > 0 {
                    std::thread::yield_now();
                }
                slot.lane.try_lock()
            });
            let Some(mut lane) = looks.next() else {
                left |= !dead;
                continue;
            };
            random = lane.random;
            crowded |= lane.turns > OFTEN;
            if lane.move_to(out, budget) {
                strides[i] = lane.stride;
                recorded += lane.recorded;
            } else {
                budget.lose(lane.recorded);
            }
            ends[i] = out.len();
            lane.reset(budget);
            slot.used.store(lane.values.capacity() > SMALL, Relaxed);
        }
        let mut stride = strides.into_iter().max().unwrap_or(1);
        let mut begin = start;
        let mut end = start;
        for (lane_stride, lane_end) in strides.into_iter().zip(ends) {
            let step = (stride / lane_stride) as usize;
            if step == 1 {
                out.copy_within(begin..lane_end, end);
                end += lane_end - begin;
            } else {
                for at in (begin..lane_end).step_by(step) {
                    let of = step.min(lane_end - at);
                    out[end] = out[at + random.below(of as u32) as usize];
                    end += 1;
                }
            }
            begin = lane_end;
        }
        out.truncate(end);
        while out.len() - start > budget.max_samples() {
            halve(out, start, &mut random);
            stride *= 2;
        }
        // each lane has rounded up: in all it is to be less than one too many
        let kept = recorded.div_ceil(u64::from(stride)) as usize;
        out.truncate(start + kept.min(out.len() - start));
        Drained { k: stride, left, crowded }
    }

    /// In a child process: the samples are the parent's. The samples of
    /// a lane that another thread had locked are never touched.
    pub fn after_fork(&self, budget: &Budget) {
        self.clear(budget);
        for slot in &self.lanes {
            slot.dead.store(slot.lane.try_lock().is_none(), Relaxed);
        }
    }

    /// Frees the memory of lanes that are empty.
    pub fn release(&self, budget: &Budget) {
        for slot in &self.lanes {
            if let Some(mut lane) = slot.lane.try_lock() {
                if lane.values.is_empty() {
                    budget.give_back(lane.values.capacity() * size_of::<f64>());
                    lane.values = Vec::new();
                }
            }
        }
    }

    /// Locks all lanes, as threads that record do.
    #[cfg(test)]
    pub fn hold(&self) -> Vec<SpinMutexGuard<'_, impl Sized>> {
        self.lanes.iter().map(|slot| slot.lane.lock()).collect()
    }

    /// Forgets all samples but those that are being recorded right now.
    pub fn clear(&self, budget: &Budget) {
        for slot in &self.lanes {
            if let Some(mut lane) = slot.lane.try_lock() {
                lane.reset(budget);
            }
        }
    }
}

impl Only<'_> {
    /// Takes it.
    #[inline(always)]
    pub fn take(mut self) {
        self.lane.values.clear();
        self.lane.recorded = 0;
        self.lane.turns = 0;
        self.used.store(false, Relaxed);
    }
}

impl Slot {
    /// The only sample, of a lane whose memory stays as it is.
    #[inline(always)]
    fn only(&self) -> Option<Only<'_>> {
        let lane = self.lane.try_lock()?;
        let is_small = lane.recorded == 1 && lane.values.capacity() <= SMALL;
        let value = *lane.values.first().filter(|_| is_small)?;
        Some(Only { value, lane, used: &self.used })
    }

    /// Moves all samples to the end of `out`, where that is easy: whether it
    /// was.
    #[inline(always)]
    fn drain(&self, out: &mut Vec<f64>, budget: &Budget) -> bool {
        let Some(mut lane) = self.lane.try_lock() else { return false };
        let is_whole = lane.stride == 1 && lane.values.len() <= budget.max_samples();
        if lane.turns > OFTEN || !is_whole || !lane.move_to(out, budget) {
            return false;
        }
        lane.reset(budget);
        self.used.store(lane.values.capacity() > SMALL, Relaxed);
        true
    }

    /// Keeps a sample; whether it is the lane's first. `None` where the lane
    /// is in use.
    #[inline]
    fn record(&self, thread: usize, value: f64, budget: &Budget) -> Option<bool> {
        let mut lane = self.lane.try_lock()?;
        let first = lane.record(thread, value, budget);
        if first {
            self.used.store(true, Release);
        }
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::lane::MAX_STRIDE;

    const MAX_KEPT: usize = 32_768;

    fn drained(samples: &Samples, budget: &Budget) -> (Vec<f64>, u32) {
        let mut out = Vec::new();
        let drained = samples.drain(&mut out, budget);
        assert!(!drained.left);
        (out, drained.k)
    }

    /// Records as the thread would that has this lane.
    fn record_in(samples: &Samples, lane: usize, value: f64, budget: &Budget) -> bool {
        let is_its = |thread: &usize| thread::lane_of(*thread, LANES, 0) == lane % LANES;
        let thread = (1..).map(|i| i << 12).find(is_its).unwrap();
        samples.record_from(thread, 0, value, budget)
    }

    #[test]
    fn every_sample_is_kept() {
        let (samples, budget) = (Samples::default(), Budget::new(1 << 20, MAX_KEPT));
        for period in 0..3 {
            let recorded: Vec<f64> = (0..MAX_KEPT).map(|i| (period * i) as f64).collect();
            let first: Vec<bool> =
                recorded.iter().map(|v| record_in(&samples, 0, *v, &budget)).collect();
            assert!(first[0] && !first[1..].contains(&true));
            assert_eq!(drained(&samples, &budget), (recorded, 1));
        }
        assert_eq!(drained(&samples, &budget), (vec![], 1));
        assert_eq!(budget.take_lost(), 0);
    }

    #[test]
    #[cfg_attr(miri, ignore = "too many samples for it")]
    fn beyond_the_bound_one_of_k_is_kept() {
        let (samples, budget) = (Samples::default(), Budget::new(1 << 20, MAX_KEPT));
        for n in [MAX_KEPT + 1, 2 * MAX_KEPT, 2 * MAX_KEPT + 1, 200_000, 1_000_000] {
            (0..n).for_each(|i| {
                record_in(&samples, 0, i as f64, &budget);
            });
            let (values, k) = drained(&samples, &budget);
            assert!(values.len() <= MAX_KEPT && k > 1);
            let window = |v: f64| v as usize / k as usize;
            assert!(values.iter().enumerate().all(|(i, v)| window(*v) == i));
            let told = values.len() * k as usize;
            assert!(told >= n && told - n < k as usize, "{told} told of {n} with k {k}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "too many samples for it")]
    fn any_number_may_be_the_bound() {
        for max in [1, 2, 3, 7, 100, 1001, 65_535] {
            let (samples, budget) = (Samples::default(), Budget::new(1 << 20, max));
            for n in [1, max, max + 1, 3 * max - 1, 10 * max + 5] {
                (0..n).for_each(|i| {
                    record_in(&samples, 0, i as f64, &budget);
                });
                let (values, k) = drained(&samples, &budget);
                assert!(values.len() <= max && (k > 1) == (n > max), "{n} of {max}: k {k}");
                let window = |v: f64| v as usize / k as usize;
                assert!(values.iter().enumerate().all(|(i, v)| window(*v) == i));
                let told = values.len() * k as usize;
                assert!(told >= n && told - n < k as usize, "{told} told of {n} with k {k}");
            }
        }
    }

    #[test]
    fn beyond_the_last_stride_samples_are_lost_and_counted() {
        let (samples, budget) = (Samples::default(), Budget::new(1 << 20, 1));
        {
            let mut lane = samples.lanes[0].lane.lock();
            lane.stride = MAX_STRIDE;
        }
        let stride = u64::from(MAX_STRIDE);
        for _ in 0..5 {
            record_in(&samples, 0, 1.0, &budget);
            samples.lanes[0].lane.lock().recorded += stride - 1;
        }
        let (values, k) = drained(&samples, &budget);
        assert_eq!((values.len(), u64::from(k)), (1, 2 * stride));
        assert_eq!(budget.take_lost(), 3 * stride);
    }

    #[test]
    #[cfg_attr(miri, ignore = "too many samples for it")]
    fn a_pattern_does_not_alias() {
        let (samples, budget) = (Samples::default(), Budget::new(1 << 20, MAX_KEPT));
        for n in [60_000, 120_000, 480_000] {
            for period in [2, 4, 8] {
                (0..n).for_each(|i| {
                    record_in(&samples, 0, if i % period == 0 { 1000.0 } else { 1.0 }, &budget);
                });
                let (values, k) = drained(&samples, &budget);
                let sum = values.iter().sum::<f64>() * f64::from(k);
                let real = f64::from(n / period * (999 + period));
                assert!((sum / real - 1.0).abs() < 0.06, "{sum} of {real}");
            }
        }
    }

    #[test]
    fn a_lane_is_a_cache_line() {
        assert_eq!((size_of::<Slot>(), align_of::<Slot>()), (64, 64));
    }

    /// So many threads that meet in one lane at first have one each after some
    /// flushes.
    fn spreads(count: usize) {
        let (samples, budget) = (Samples::default(), Budget::new(1 << 20, MAX_KEPT));
        let lane = |thread: usize, spread| thread::lane_of(thread, LANES, spread);
        let all = (0..).map(|i| 0x7f00_0740 + i * 0x80_1000);
        let threads: Vec<usize> = all.filter(|t| lane(*t, 0) == 1).take(count).collect();
        let (mut spread, mut flushes) = (0, 0);
        loop {
            for _ in 0..1000 {
                for thread in &threads {
                    samples.record_from(*thread, spread, 1.0, &budget);
                }
            }
            let drained = samples.drain(&mut Vec::new(), &budget);
            if !drained.crowded {
                break;
            }
            spread = next_spread(spread);
            flushes += 1;
        }
        let mut lanes: Vec<usize> = threads.iter().map(|t| lane(*t, spread)).collect();
        lanes.sort_unstable();
        lanes.dedup();
        assert_eq!(lanes.len(), count);
        assert!((1..16).contains(&flushes), "{flushes}");
    }

    #[test]
    fn threads_that_meet_in_a_lane_get_others() {
        (2..=LANES).for_each(spreads);
    }

    #[test]
    fn threads_that_seldom_meet_keep_their_lane() {
        let (samples, budget) = (Samples::default(), Budget::new(1 << 20, MAX_KEPT));
        for _ in 0..10 {
            for thread in [0x1000, 0x2000].into_iter().cycle().take(OFTEN as usize) {
                let lane = &samples.lanes[0];
                assert!(lane.record(thread, 1.0, &budget).is_some());
                assert!(lane.record(thread, 1.0, &budget).is_some());
            }
            assert!(!samples.drain(&mut Vec::new(), &budget).crowded);
        }
    }

    #[test]
    fn the_only_sample() {
        let (samples, budget) = (Samples::default(), Budget::new(1 << 20, MAX_KEPT));
        let only = || samples.only().map(|only| only.value);
        for lane in 0..LANES {
            assert_eq!(only(), None);
            assert!(record_in(&samples, lane, 1.0, &budget));
            assert_eq!(only(), Some(1.0));
            assert_eq!(only(), Some(1.0), "it was not taken");
            samples.only().unwrap().take();
            assert_eq!(only(), None);
            assert!(record_in(&samples, lane, 2.0, &budget), "the first again");
            record_in(&samples, lane, 3.0, &budget);
            assert_eq!(only(), None);
            assert_eq!(drained(&samples, &budget), (vec![2.0, 3.0], 1));
            record_in(&samples, lane, 4.0, &budget);
            record_in(&samples, lane + 1, 5.0, &budget);
            assert_eq!(only(), None);
            assert_eq!(drained(&samples, &budget).0.len(), 2);
        }
        record_in(&samples, 0, 1.0, &budget);
        let busy = samples.lanes[0].lane.lock();
        assert_eq!(only(), None);
        drop(busy);
        // one of a thinned lane stands for several
        samples.lanes[0].lane.lock().recorded += 1;
        assert_eq!(only(), None);
    }

    #[test]
    fn many_go_with_their_memory() {
        let (samples, budget) = (Samples::default(), Budget::new(1 << 20, 100_000));
        let mut out = Vec::new();
        for count in [100, 50, 70_000, 70_000] {
            (0..count).for_each(|i| {
                record_in(&samples, 0, f64::from(i), &budget);
            });
            out.clear();
            assert_eq!(samples.drain(&mut out, &budget), Drained::default());
            assert_eq!(out, (0..count).map(f64::from).collect::<Vec<_>>());
            let held = samples.lanes[0].lane.lock().values.capacity() * size_of::<f64>();
            assert_eq!(budget.used(), held);
        }
        samples.release(&budget);
        assert_eq!((budget.used(), budget.take_lost()), (0, 0));
    }

    #[test]
    fn a_lane_in_use_keeps_its_samples() {
        let (samples, budget) = (Samples::default(), Budget::new(1 << 20, MAX_KEPT));
        record_in(&samples, 0, 1.0, &budget);
        let busy = samples.lanes[0].lane.lock();
        record_in(&samples, 0, 2.0, &budget);
        let mut out = Vec::new();
        assert_eq!(samples.drain(&mut out, &budget), Drained { left: true, ..Drained::default() });
        assert_eq!(out, [2.0]);
        drop(busy);
        assert_eq!(drained(&samples, &budget), (vec![1.0], 1));
    }

    #[test]
    #[cfg_attr(miri, ignore = "too many samples for it")]
    fn lanes_are_thinned_alike() {
        let (samples, budget) = (Samples::default(), Budget::new(1 << 20, MAX_KEPT));
        let busy = samples.lanes[0].lane.lock();
        (0..40_000).for_each(|i| {
            record_in(&samples, 0, f64::from(i), &budget);
        });
        drop(busy);
        (0..40_000).for_each(|i| {
            record_in(&samples, 0, f64::from(i), &budget);
        });
        let (values, k) = drained(&samples, &budget);
        assert_eq!((values.len(), k), (20_000, 4));
    }

    #[test]
    #[cfg_attr(miri, ignore = "too many samples for it")]
    fn lanes_together_count_within_k() {
        let (samples, budget) = (Samples::default(), Budget::new(1 << 20, MAX_KEPT));
        for n in [50_001, 50_003, 49_999, 1] {
            let busy: Vec<_> = (0..3).map(|i| samples.lanes[i].lane.lock()).collect();
            (0..n).for_each(|i| {
                record_in(&samples, 0, f64::from(i), &budget);
            });
            drop(busy);
            (0..n).for_each(|i| {
                record_in(&samples, 0, f64::from(i), &budget);
            });
            let (values, k) = drained(&samples, &budget);
            let told = values.len() as i32 * k as i32;
            assert!(
                told >= 2 * n && told - 2 * n < k as i32,
                "{told} told of {} with k {k}",
                2 * n
            );
        }
    }

    #[test]
    fn without_memory_the_oldest_go_and_are_counted() {
        let (samples, budget) = (Samples::default(), Budget::new(8 * 64, MAX_KEPT));
        (0..1000).for_each(|i| {
            record_in(&samples, 0, f64::from(i), &budget);
        });
        let (values, k) = drained(&samples, &budget);
        assert_eq!((values.last(), k), (Some(&999.0), 1));
        assert_eq!(values.len() as u64 + budget.take_lost(), 1000);
        assert!(budget.used() <= 8 * 64);
    }
}
