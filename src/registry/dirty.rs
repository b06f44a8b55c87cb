//! The list of metrics that were recorded since the last flush: many threads
//! put in, without a lock, and the flush takes out, in order. It is Dmitry
//! Vyukov's intrusive queue: each metric carries its own link.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicPtr,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};

use crate::metric::{Metric, state};

/// Where threads put metrics in.
#[derive(Debug)]
pub struct DirtyQueue {
    tail: AtomicPtr<Metric>,
    /// Stands in for a metric where the list would be empty. Not in a `Box`,
    /// which asserts when it moves that nothing else points there.
    stub: Arc<Metric>,
}

/// Where the flush takes metrics out: one for each `DirtyQueue`.
#[derive(Debug)]
pub struct Reader {
    head: *mut Metric,
    /// The last metric of this flush: those after it belong to the next one.
    last: *mut Metric,
}

// SAFETY: it is used under the lock of its context only.
unsafe impl Send for Reader {}

impl DirtyQueue {
    /// An empty list and its one reader.
    pub fn new() -> (DirtyQueue, Reader) {
        let stub = Arc::new(Metric::blank(state::INERT));
        let first = Arc::as_ptr(&stub).cast_mut();
        let reader = Reader { head: first, last: std::ptr::null_mut() };
        (DirtyQueue { tail: AtomicPtr::new(first), stub }, reader)
    }

    /// Puts a metric in, which `Metric::enqueue` has let through.
    pub fn push(&self, metric: &Metric) {
        self.push_raw((&raw const *metric).cast_mut());
    }

    fn push_raw(&self, metric: *mut Metric) {
        // SAFETY: the metric, or the stub, lives as long as the list does.
        unsafe { (*metric).next.store(std::ptr::null_mut(), Relaxed) };
        let before = self.tail.swap(metric, SeqCst);
        // SAFETY: as above; only this thread links after `before`.
        unsafe { (*before).next.store(metric, Release) };
    }
}

impl Reader {
    /// Makes the list empty, whatever state it is in: in a child process,
    /// which has one thread. Its metrics are taken for not being in it.
    pub fn reset(&mut self, list: &DirtyQueue) {
        let stub = Arc::as_ptr(&list.stub).cast_mut();
        list.stub.next.store(std::ptr::null_mut(), SeqCst);
        list.tail.store(stub, SeqCst);
        *self = Reader { head: stub, last: std::ptr::null_mut() };
    }

    /// Starts a flush, which ends with what is in the list now.
    pub fn begin(&mut self, list: &DirtyQueue) {
        self.last = list.tail.load(SeqCst);
    }

    /// Whether nothing is in the list. Its tail alone does not show it: the
    /// stub may follow a metric that a thread was about to link when
    /// this reader looked.
    pub fn is_at_end(&self, list: &DirtyQueue) -> bool {
        let stub = Arc::as_ptr(&list.stub);
        std::ptr::eq(self.head, stub) && std::ptr::eq(list.tail.load(SeqCst), stub)
    }

    /// Whether the flush that was begun has more to take out.
    pub fn has_more(&self) -> bool {
        !self.last.is_null()
    }

    /// The next metric of this flush. The reader is that of `list`.
    pub fn next<'a>(&mut self, list: &'a DirtyQueue) -> Option<&'a Metric> {
        if self.last.is_null() {
            return None;
        }
        let Some(metric) = self.pop(list) else {
            // empty, or a thread is about to link what it put in: it is in
            // the next flush then
            self.last = std::ptr::null_mut();
            return None;
        };
        if std::ptr::eq(metric, self.last) {
            self.last = std::ptr::null_mut();
        }
        // SAFETY: metrics live as long as their list.
        let metric = unsafe { &*metric };
        metric.dequeue();
        Some(metric)
    }

    fn pop(&mut self, list: &DirtyQueue) -> Option<*mut Metric> {
        let stub = Arc::as_ptr(&list.stub).cast_mut();
        // SAFETY: metrics and the stub live as long as the list, and there is
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
            let metric = self.head;
            if next.is_null() {
                if list.tail.load(SeqCst) != metric {
                    return None;
                }
                list.push_raw(stub);
                next = (*metric).next.load(Acquire);
                if next.is_null() {
                    return None;
                }
            }
            self.head = next;
            ahead(next);
            Some(metric)
        }
    }
}

/// Prefetches the next metric while this one is processed. Its key is in its
/// second cache line.
#[inline]
fn ahead(metric: *const Metric) {
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
    use std::collections::HashMap;
    use std::sync::atomic::{AtomicBool, AtomicU64};

    fn metrics(n: u64) -> Vec<Metric> {
        (0..n)
            .map(|i| {
                Metric::new(0, i.to_string().as_bytes(), i as u32, std::ptr::null_mut()).unwrap()
            })
            .collect()
    }

    #[test]
    fn in_order_and_up_to_where_the_flush_began() {
        let metrics = metrics(5);
        let (list, mut reader) = DirtyQueue::new();
        assert!(reader.is_at_end(&list));
        let record = |i: usize| metrics[i].enqueue().then(|| list.push(&metrics[i]));
        record(3);
        record(1);
        record(3);
        reader.begin(&list);
        record(2);
        let mut next = || reader.next(&list).map(Metric::hash);
        assert_eq!([next(), next(), next()], [Some(3), Some(1), None]);
        record(3);
        reader.begin(&list);
        let mut next = || reader.next(&list).map(Metric::hash);
        assert_eq!([next(), next(), next()], [Some(2), Some(3), None]);
        assert!(!reader.has_more());
    }

    /// Steps of two threads: one is about to link `late` after `first` when
    /// the reader takes that out, and puts the stub after `late`.
    #[test]
    fn a_push_half_done_is_not_an_empty_list() {
        let metrics = metrics(2);
        let (list, mut reader) = DirtyQueue::new();
        let [first, late] = [&metrics[0], &metrics[1]];
        assert!(first.enqueue() && late.enqueue());
        list.push(first);
        reader.begin(&list);
        // the reader is between its look at the tail and the stub: this is
        // `push (late)` up to its first step, then the stub, as `pop` puts it
        let late = (&raw const *late).cast_mut();
        assert!(reader.head == Arc::as_ptr(&list.stub).cast_mut());
        reader.head = (&raw const *first).cast_mut();
        let before = list.tail.swap(late, SeqCst);
        list.push_raw(Arc::as_ptr(&list.stub).cast_mut());
        assert!(reader.next(&list).is_none(), "not linked yet");
        assert!(!reader.is_at_end(&list), "two metrics wait");
        // SAFETY: `before` is `first`.
        unsafe { (*before).next.store(late, Release) };
        let mut hashes = Vec::new();
        for _ in 0..2 {
            reader.begin(&list);
            hashes.extend(reader.next(&list).map(Metric::hash));
        }
        assert_eq!(hashes, [0, 1]);
        assert!(reader.is_at_end(&list));
    }

    #[test]
    fn nothing_is_lost_between_threads() {
        let (n, rounds) = if cfg!(miri) { (3, 20) } else { (50, 20_000) };
        let metrics = metrics(n);
        let (list, mut reader) = DirtyQueue::new();
        let (done, recorded) = (AtomicBool::new(false), AtomicU64::new(0));
        let mut seen: HashMap<u32, i128> = HashMap::new();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for i in 0..rounds {
                        let metric = &metrics[i % metrics.len()];
                        if metric.add(1) && metric.enqueue() {
                            list.push(metric);
                        }
                    }
                    recorded.fetch_add(rounds as u64, SeqCst);
                });
            }
            while !done.load(SeqCst) {
                done.store(recorded.load(SeqCst) == 3 * rounds as u64, SeqCst);
                reader.begin(&list);
                while reader.has_more() {
                    if let Some(metric) = reader.next(&list) {
                        *seen.entry(metric.hash()).or_default() += metric.take_sum().0;
                    }
                }
            }
        });
        assert_eq!(seen.values().sum::<i128>(), 3 * rounds as i128);
    }
}
