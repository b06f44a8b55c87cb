//! When gauges and totals are to be sent again though they did not change:
//! a timing wheel whose slots are linked through the metrics themselves.

use std::sync::atomic::Ordering::Relaxed;

use crate::metric::Metric;
use crate::registry::Registry;

const SLOTS: usize = 64;
/// So many slots are one refresh: the rest is for a flush that comes late.
const SLOTS_PER_REFRESH: u64 = 32;
/// So many of a slot are looked at to see when the first is due.
const MOST_LOOKS: usize = 64;

/// Metrics by the time when they are due, in ms.
#[derive(Debug)]
pub struct Wheel {
    slots: [*mut Metric; SLOTS],
    /// Taken out of a slot, to be looked at.
    taken: *mut Metric,
    /// Ms that one slot spans.
    span: u64,
    /// The slot to be looked at next, counted since the beginning of time.
    next: u64,
    refresh: u64,
    len: usize,
}

// SAFETY: it is used under the lock of its context only.
unsafe impl Send for Wheel {}

impl Wheel {
    /// A wheel for what is due `refresh` ms after it was sent.
    pub fn new(refresh: u64) -> Wheel {
        let none = std::ptr::null_mut();
        let span = (refresh / SLOTS_PER_REFRESH).max(1);
        Wheel { slots: [none; SLOTS], taken: none, span, next: 0, refresh, len: 0 }
    }

    /// Puts a metric in that was sent, if it is not in.
    #[inline(always)]
    pub fn insert(&mut self, metric: &Metric) {
        if !metric.is_in_wheel() {
            self.insert_new(metric);
        }
    }

    #[inline(never)]
    fn insert_new(&mut self, metric: &Metric) {
        if self.refresh > 0 {
            let slot = (metric.sent_at() + self.refresh) / self.span;
            let slot = &mut self.slots[slot as usize % SLOTS];
            metric.next_refresh.store(*slot, Relaxed);
            *slot = (&raw const *metric).cast_mut();
            metric.set_in_wheel(true);
            self.len += 1;
        }
    }

    /// Takes everything out: the metrics are taken for not being in it.
    pub fn clear(&mut self) {
        self.slots = [std::ptr::null_mut(); SLOTS];
        self.taken = std::ptr::null_mut();
        self.len = 0;
    }

    /// When the next one is due (ms), where nothing was recorded till then;
    /// no later than that where there are many.
    pub fn next_due(&self, _registry: &Registry) -> Option<u64> {
        let mut first = None;
        for slot in self.next..self.next + SLOTS as u64 {
            let begin = slot * self.span;
            if self.len == 0 || first.is_some_and(|first| first <= begin) {
                break;
            }
            let mut next = self.slots[slot as usize % SLOTS];
            for looks in 0.. {
                // SAFETY: metrics live as long as their registry.
                let Some(metric) = (unsafe { next.as_ref() }) else { break };
                let due = metric.sent_at() + self.refresh;
                if looks == MOST_LOOKS {
                    first = Some(begin);
                    break;
                }
                // one that was forgotten has no refresh
                if metric.has_been_sent() {
                    first = Some(first.map_or(due, |first: u64| first.min(due)));
                }
                next = metric.next_refresh.load(Relaxed);
            }
        }
        first
    }

    /// Takes a metric out that is due at the time `now`, or that has been
    /// forgotten. All in the wheel are the registry's.
    pub fn pop<'a>(&mut self, _registry: &'a Registry, now: u64) -> Option<&'a Metric> {
        let end = now / self.span;
        loop {
            // SAFETY: metrics live as long as their registry.
            while let Some(metric) = unsafe { self.taken.as_ref() } {
                self.taken = metric.next_refresh.swap(std::ptr::null_mut(), Relaxed);
                metric.set_in_wheel(false);
                self.len -= 1;
                if metric.sent_at() + self.refresh <= now || !metric.has_been_sent() {
                    return Some(metric);
                }
                self.insert(metric);
            }
            if self.next > end {
                // what is not due yet in this moment's slot may be next time
                self.next = end;
                return None;
            }
            // a wheel that stood still for long: each slot once is enough
            self.next = self.next.max(end.saturating_sub(SLOTS as u64 - 1));
            let slot = &mut self.slots[self.next as usize % SLOTS];
            self.taken = std::mem::replace(slot, std::ptr::null_mut());
            self.next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::kind::Kind;
    use crate::metric::value::Number;

    #[test]
    fn due_at_the_first_look_after_the_refresh() {
        let (registry, _) = Registry::new(10);
        let mut wheel = Wheel::new(10_000);
        let metric = registry.get(Kind::Gauge, b"g", 0, std::ptr::null_mut(), true).unwrap();
        let mut sent = 100;
        metric.mark_sent(Number::Integer(1), sent);
        wheel.insert(metric);
        let mut popped = Vec::new();
        for now in (500..100_000).step_by(777) {
            while let Some(metric) = wheel.pop(&registry, now) {
                assert!(now >= sent + 10_000 && now < sent + 10_000 + 777);
                metric.mark_sent(Number::Integer(1), now);
                wheel.insert(metric);
                sent = now;
                popped.push(now);
            }
        }
        assert_eq!(popped.len(), 9);
        // sent again in between: due later
        metric.mark_sent(Number::Integer(2), sent + 5_000);
        assert!(wheel.pop(&registry, sent + 10_001).is_none());
        assert!(wheel.pop(&registry, sent + 15_000).is_some());
    }

    #[test]
    fn when_the_next_is_due() {
        let (registry, _) = Registry::new(1000);
        let mut wheel = Wheel::new(10_000);
        assert_eq!(wheel.next_due(&registry), None);
        let add = |wheel: &mut Wheel, i: u64, sent: u64| {
            let name = format!("g{i}");
            let metric =
                registry.get(Kind::Gauge, name.as_bytes(), 0, std::ptr::null_mut(), true).unwrap();
            metric.mark_sent(Number::Integer(1), sent);
            wheel.insert(metric);
            metric
        };
        let first = add(&mut wheel, 0, 700);
        add(&mut wheel, 1, 5_000);
        assert_eq!(wheel.next_due(&registry), Some(10_700));
        // sent again meanwhile: it stays in its slot, and is due later
        first.mark_sent(Number::Integer(2), 6_000);
        assert_eq!(wheel.next_due(&registry), Some(15_000));
        assert!(wheel.pop(&registry, 14_999).is_none());
        assert_eq!(wheel.next_due(&registry), Some(15_000));
        assert!(wheel.pop(&registry, 15_000).is_some());
        assert_eq!(wheel.next_due(&registry), Some(16_000));
        first.forget_sent();
        assert_eq!(wheel.next_due(&registry), None);
        for i in 2..200 {
            add(&mut wheel, i, 12_300);
        }
        let due = wheel.next_due(&registry).unwrap();
        assert!((22_300 - wheel.span..=22_300).contains(&due));
    }

    #[test]
    fn a_wheel_that_stood_still() {
        let (registry, _) = Registry::new(100);
        let mut wheel = Wheel::new(320);
        for i in 0..100 {
            let name = format!("g{i}");
            let metric =
                registry.get(Kind::Gauge, name.as_bytes(), 0, std::ptr::null_mut(), true).unwrap();
            metric.mark_sent(Number::Integer(1), i * 7);
            wheel.insert(metric);
        }
        let mut n = 0;
        while wheel.pop(&registry, 1_000_000_000).is_some() {
            n += 1;
        }
        assert_eq!(n, 100);
    }
}
