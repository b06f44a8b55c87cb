//! The queue of metrics that were recorded since the last flush: many threads
//! put in, without a lock, and the flush takes out.
//!
//! Metrics lie in groups of 64 (`chunks`). A group has a bit for each of its
//! metrics that is *dirty*, and is in the queue while any is: so the flush goes
//! through memory in order, whatever the order in which metrics were recorded.
//! The queue of groups is Dmitry Vyukov's intrusive one: each has its own link.
//!
//! # The protocol
//!
//! A thread that records, in this order:
//!
//! 1. It changes the metric's value.
//! 2. It looks at the metric's bit. If that is set, it is done.
//! 3. It sets the bit by `fetch_or`. If no bit of the group was set before, it
//!    puts the group into the queue: a swap of `tail`, then the link.
//! 4. If it was the one that set the bit, it looks whether a flush is
//!    scheduled, and if not, schedules one.
//!
//! The flush, which is one thread at a time:
//!
//! 1. It takes a group out of the queue, and then all its bits by one swap.
//! 2. It takes the value of each metric whose bit was set.
//! 3. At its end it says that no flush is scheduled, then looks whether the
//!    queue is empty. If it is not, another one is scheduled.
//!
//! All of these are sequentially consistent, but for the links. So:
//!
//! - *No value is left behind.* A thread that finds the bit set, in its step 2,
//!   has changed the value before the flush swaps the bits, and thus before the
//!   flush takes it. One that finds it not set sets it.
//! - *A group is in the queue at most once, and never with no bit for long.* Only
//!   a thread that makes its bits something other than 0 puts it in; the flush
//!   has taken it out before it makes them 0.
//! - *No wakeup is lost.* The thread that set the bit looks for a flush after
//!   the swap of `tail`; the flush looks at the queue after it said that none
//!   is scheduled. One of them sees the other. A thread that found the bit set
//!   need not look: whoever set it does.
//! - *A half-done put is not an empty queue.* Between the swap of `tail` and the
//!   link the flush cannot reach the group. It ends there, and the queue is not
//!   taken for empty, because the reader is not at the stub.
//!
//! `tests/wakeups.rs` explores every interleaving of a model of this.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicPtr, AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};

use crate::metric::Metric;

/// In a group of which nearly all are dirty, a metric is prefetched while the one
/// so many places before it is looked at: what comes from memory takes longer
/// than a metric does.
const AHEAD: u32 = 8;

/// What a group of metrics has in one of the queues, on a cache line of its
/// own.
#[derive(Debug)]
#[repr(align(64))]
pub struct Group {
    /// A bit for each metric that was recorded, the highest for the first.
    dirty: AtomicU64,
    /// Those of them that the flush has taken out of the queue, but has not
    /// looked at yet.
    taken: AtomicU64,
    next: AtomicPtr<Group>,
    /// The first metric.
    first: *const Metric,
}

// SAFETY: the metrics are made of atomics.
unsafe impl Sync for Group {}
// SAFETY: as above.
unsafe impl Send for Group {}

/// Where threads put groups in.
#[derive(Debug)]
pub struct DirtyQueue {
    tail: AtomicPtr<Group>,
    /// Stands in for a group where the queue would be empty. Not in a `Box`,
    /// which asserts when it moves that nothing else points there.
    stub: Arc<Group>,
}

/// Where the flush takes metrics out: one for each `DirtyQueue`.
#[derive(Debug)]
pub struct Reader {
    head: *mut Group,
    /// The last group of this flush: those after it belong to the next one.
    last: *mut Group,
    /// The group at hand.
    group: *mut Group,
    /// So many places are between the metric that is looked at and the one that
    /// is prefetched meanwhile, or more: the next dirty one is.
    ahead: u32,
}

// SAFETY: it is used under the lock of its context only.
unsafe impl Send for Reader {}

impl Group {
    /// A group of 64 metrics, or fewer, whose first is at `first`.
    pub fn new(first: *const Metric) -> Group {
        Group {
            dirty: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            next: AtomicPtr::new(std::ptr::null_mut()),
            first,
        }
    }

    /// Whether a metric was recorded, and no flush has looked at it since.
    pub fn is_dirty(&self, bit: u8) -> bool {
        has_bit(self.dirty.load(SeqCst) | self.taken.load(Relaxed), bit)
    }

    /// The metric of the first of these bits.
    #[inline(always)]
    fn metric(&self, bits: u64) -> *const Metric {
        self.first.wrapping_add(bits.leading_zeros() as usize)
    }

    /// Prefetches the first dirty metric, and those after it if all are.
    fn prefetch_first(&self) {
        let bits = self.dirty.load(Relaxed);
        let all = u64::MAX << (64 - AHEAD);
        if bits != 0 {
            let many = if bits << bits.leading_zeros() >= all { AHEAD } else { 1 };
            let first = self.metric(bits);
            (0..many).for_each(|i| prefetch(first.wrapping_add(i as usize)));
        }
    }

    /// Nothing was recorded: in a child process.
    pub fn reset(&self) {
        self.dirty.store(0, SeqCst);
        self.taken.store(0, Relaxed);
    }
}

impl DirtyQueue {
    /// An empty queue and its one reader.
    pub fn new() -> (DirtyQueue, Reader) {
        let stub = Arc::new(Group::new(std::ptr::null()));
        let none = std::ptr::null_mut();
        let head = Arc::as_ptr(&stub).cast_mut();
        let reader = Reader { head, last: none, group: none, ahead: 0 };
        (DirtyQueue { tail: AtomicPtr::new(head), stub }, reader)
    }

    /// Marks one metric of a group. Whether it was not marked yet. The group
    /// lives as long as this queue.
    #[inline(always)]
    pub fn mark(&self, group: &Group, bit: u8) -> bool {
        !has_bit(group.dirty.load(SeqCst), bit) && self.set(group, bit)
    }

    #[inline]
    fn set(&self, group: &Group, bit: u8) -> bool {
        let before = group.dirty.fetch_or(1 << (bit % 64), SeqCst);
        if before == 0 {
            self.push((&raw const *group).cast_mut());
        }
        !has_bit(before, bit)
    }

    fn push(&self, group: *mut Group) {
        // SAFETY: the group, or the stub, lives as long as the queue does.
        unsafe { (*group).next.store(std::ptr::null_mut(), Relaxed) };
        let before = self.tail.swap(group, SeqCst);
        // SAFETY: as above; only this thread links after `before`.
        unsafe { (*before).next.store(group, Release) };
    }
}

impl Reader {
    /// Makes the queue empty, whatever state it is in: in a child process,
    /// which has one thread. Its groups are taken for having been reset.
    pub fn reset(&mut self, queue: &DirtyQueue) {
        let stub = Arc::as_ptr(&queue.stub).cast_mut();
        queue.stub.next.store(std::ptr::null_mut(), SeqCst);
        queue.tail.store(stub, SeqCst);
        let none = std::ptr::null_mut();
        *self = Reader { head: stub, last: none, group: none, ahead: 0 };
    }

    /// Starts a flush, which ends with the groups that are in the queue now.
    pub fn begin(&mut self, queue: &DirtyQueue) {
        self.last = queue.tail.load(SeqCst);
    }

    /// Whether nothing is in the queue. Its tail alone does not show it: the
    /// stub may follow a group that a thread was about to link when this
    /// reader looked.
    pub fn is_at_end(&self, queue: &DirtyQueue) -> bool {
        let stub = Arc::as_ptr(&queue.stub);
        self.group.is_null()
            && std::ptr::eq(self.head, stub)
            && std::ptr::eq(queue.tail.load(SeqCst), stub)
    }

    /// Whether the flush that was begun has more to take out.
    pub fn has_more(&self) -> bool {
        !self.last.is_null() || !self.group.is_null()
    }

    /// The next metric of this flush. The reader is that of `queue`.
    #[inline]
    pub fn next<'a>(&mut self, queue: &'a DirtyQueue) -> Option<&'a Metric> {
        if self.group.is_null() && !self.next_group(queue) {
            return None;
        }
        // SAFETY: groups live as long as their queue, and the group at hand
        // has taken bits.
        let group = unsafe { &*self.group };
        let taken = group.taken.load(Relaxed);
        let after = u64::MAX >> 1 >> taken.leading_zeros();
        let left = taken & after;
        group.taken.store(left, Relaxed);
        let later = taken & after >> (self.ahead & 63);
        if later != 0 {
            prefetch(group.metric(later));
        } else if left == 0 {
            self.end_group();
        }
        // SAFETY: there is a metric for each bit, which lives as long.
        Some(unsafe { &*group.metric(taken) })
    }

    /// The last metric of a group is taken.
    #[inline(never)]
    fn end_group(&mut self) {
        self.group = std::ptr::null_mut();
        // SAFETY: groups and the stub live as long as the queue.
        unsafe { &*self.head }.prefetch_first();
    }

    /// Takes a group with all its bits out of the queue. False at the end of
    /// this flush.
    #[inline(never)]
    fn next_group(&mut self, queue: &DirtyQueue) -> bool {
        let stub = Arc::as_ptr(&queue.stub).cast_mut();
        if self.last == stub && self.head == stub {
            // nothing else was in the queue, and what is put in after the
            // stub now may be put in by this flush, for ever
            self.last = std::ptr::null_mut();
        }
        if self.last.is_null() {
            return false;
        }
        let Some(group) = self.pop(queue) else {
            // empty, or a thread is about to link what it put in: it is in
            // the next flush then
            self.last = std::ptr::null_mut();
            return false;
        };
        if std::ptr::eq(group, self.last) {
            self.last = std::ptr::null_mut();
        }
        self.group = group;
        // SAFETY: groups live as long as their queue.
        let group = unsafe { &*group };
        let bits = group.dirty.swap(0, SeqCst);
        group.taken.store(bits, Relaxed);
        self.ahead = if bits.count_zeros() < AHEAD { AHEAD - 1 } else { 0 };
        // its bits are read when this group ends
        prefetch(self.head.cast());
        true
    }

    fn pop(&mut self, queue: &DirtyQueue) -> Option<*mut Group> {
        let stub = Arc::as_ptr(&queue.stub).cast_mut();
        // SAFETY: groups and the stub live as long as the queue, and there is
        // one reader.
        unsafe {
            let mut next = (*self.head).next.load(Acquire);
            if self.head == stub {
                if next.is_null() {
                    return None;
                }
                self.head = next;
                next = (*next).next.load(Acquire);
            }
            let group = self.head;
            if next.is_null() {
                if queue.tail.load(SeqCst) != group {
                    return None;
                }
                queue.push(stub);
                next = (*group).next.load(Acquire);
                if next.is_null() {
                    return None;
                }
            }
            self.head = next;
            Some(group)
        }
    }
}

#[inline(always)]
fn has_bit(bits: u64, bit: u8) -> bool {
    bits >> (bit % 64) & 1 != 0
}

/// Prefetches a metric. Its key is in its second cache line.
#[inline(always)]
fn prefetch(metric: *const Metric) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing, whatever the address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(metric.cast());
        _mm_prefetch::<_MM_HINT_T0>(metric.cast::<i8>().wrapping_add(64));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = metric;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::kind::Kind;
    use crate::registry::{Readers, Registry};
    use std::collections::HashMap;
    use std::sync::atomic::{AtomicBool, AtomicU64};

    /// A registry with so many counters.
    fn registry(n: usize) -> (Registry, Readers, Vec<String>) {
        let (registry, readers) = Registry::new(n);
        let names: Vec<String> = (0..n).map(|i| i.to_string()).collect();
        for name in &names {
            let none = std::ptr::null_mut();
            registry.get(Kind::Counter, name.as_bytes(), 0, none, true).unwrap();
        }
        (registry, readers, names)
    }

    fn metric<'a>(registry: &'a Registry, name: &str) -> &'a Metric {
        registry.find(Kind::Counter, name.as_bytes()).unwrap()
    }

    fn name(metric: &Metric) -> &str {
        std::str::from_utf8(metric.name()).unwrap()
    }

    #[test]
    fn in_order_of_memory_and_up_to_where_the_flush_began() {
        // the first groups have 8, 16 and 32 metrics
        let (registry, readers, names) = registry(50);
        let mut reader = readers.numbers;
        let queue = &registry.numbers;
        assert!(reader.is_at_end(queue));
        let record = |i: usize| registry.mark_dirty(metric(&registry, &names[i]));
        assert_eq!([30, 3, 1, 3].map(record), [true, true, true, false]);
        reader.begin(queue);
        assert!(record(40), "of another group than any before");
        let mut seen = Vec::new();
        while let Some(metric) = reader.next(queue) {
            seen.push(name(metric));
            if seen.len() == 1 {
                assert!(registry.is_dirty(self::metric(&registry, "1")));
            }
        }
        assert_eq!(seen, ["30", "40", "1", "3"].map(|n| n));
        assert!(reader.is_at_end(queue));
    }

    #[test]
    fn what_is_recorded_after_the_begin_is_in_the_next_flush() {
        let (registry, readers, _) = registry(1);
        let mut reader = readers.numbers;
        let queue = &registry.numbers;
        let metric = metric(&registry, "0");
        for _ in 0..2 {
            reader.begin(queue);
            assert!(registry.mark_dirty(metric));
            // one that is put back each time would have no end
            assert!(reader.next(queue).is_none() && !reader.has_more());
            reader.begin(queue);
            assert!(reader.next(queue).is_some_and(|found| std::ptr::eq(found, metric)));
            assert!(registry.mark_dirty(metric));
            assert!(reader.next(queue).is_none());
            reader.begin(queue);
            assert!(reader.next(queue).is_some());
            assert!(reader.next(queue).is_none() && reader.is_at_end(queue));
        }
    }

    /// Steps of two threads: one is about to link `late` after `first` when
    /// the reader takes that out, and puts the stub after `late`.
    #[test]
    fn a_put_half_done_is_not_an_empty_queue() {
        let (registry, readers, _) = registry(20);
        let (mut reader, queue) = (readers.numbers, &registry.numbers);
        // of two groups
        let group = |name: &str| {
            // SAFETY: the metric is the registry's.
            let (group, bit) =
                unsafe { crate::registry::chunks::group_of(metric(&registry, name), false) };
            (group, bit)
        };
        let ((first, bit), (late, late_bit)) = (group("0"), group("10"));
        assert!(queue.mark(first, bit));
        reader.begin(queue);
        // the reader is between its look at the tail and the stub: this is
        // `mark (late)` up to the swap, then the stub, as `pop` puts it
        late.dirty.fetch_or(1 << late_bit, SeqCst);
        let late = (&raw const *late).cast_mut();
        assert!(reader.head == Arc::as_ptr(&queue.stub).cast_mut());
        reader.head = (&raw const *first).cast_mut();
        let before = queue.tail.swap(late, SeqCst);
        queue.push(Arc::as_ptr(&queue.stub).cast_mut());
        assert!(reader.next(queue).is_none(), "not linked yet");
        assert!(!reader.is_at_end(queue), "two groups wait");
        // SAFETY: `before` is `first`.
        unsafe { (*before).next.store(late, Release) };
        let mut seen = Vec::new();
        for _ in 0..2 {
            reader.begin(queue);
            seen.extend(reader.next(queue).map(name));
        }
        assert_eq!(seen, ["0", "10"]);
        assert!(reader.is_at_end(queue));
    }

    #[test]
    fn nothing_is_lost_between_threads() {
        let (n, rounds) = if cfg!(miri) { (3, 20) } else { (100, 20_000) };
        let (registry, readers, names) = registry(n);
        let (mut reader, queue) = (readers.numbers, &registry.numbers);
        let (done, recorded) = (AtomicBool::new(false), AtomicU64::new(0));
        let mut seen: HashMap<u32, i128> = HashMap::new();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for i in 0..rounds {
                        let metric = metric(&registry, &names[i % n]);
                        if metric.add(1) {
                            registry.mark_dirty(metric);
                        }
                    }
                    recorded.fetch_add(rounds as u64, SeqCst);
                });
            }
            while !done.load(SeqCst) {
                done.store(recorded.load(SeqCst) == 3 * rounds as u64, SeqCst);
                reader.begin(queue);
                while reader.has_more() {
                    if let Some(metric) = reader.next(queue) {
                        *seen.entry(metric.hash()).or_default() += metric.take_sum().0;
                    }
                }
            }
        });
        assert!(reader.is_at_end(queue));
        assert_eq!(seen.values().sum::<i128>(), 3 * rounds as i128);
    }
}
