//! The fast path: a call whose metric is known and plain is a lookup, one
//! atomic operation, and a mark for the flush. Nothing here takes a lock,
//! allocates, panics, or reaches a system call; the slow path, in `record`,
//! has everything else.

#![forbid(unsafe_code)]

use std::sync::atomic::Ordering::SeqCst;

use crate::context::Active;
use crate::metric::Metric;
use crate::metric::kind::Kind;

// a metric is plain where its state is its type and nothing else
const TOTAL: u8 = Kind::Total as u8;
const GAUGE: u8 = Kind::Gauge as u8;
const TIMER: u8 = Kind::Timer as u8;
const HISTOGRAM: u8 = Kind::Histogram as u8;

/// What became of a call on the fast path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fast {
    /// Recorded, and a flush will come.
    Recorded,
    /// Recorded, but no flush is scheduled: `Context::tick` has to be called.
    NoFlush,
    /// Nothing was done: the slow path has to do it.
    Slow,
}

/// What a function that records says: whether it marked the metric for the
/// flush, which others have done already otherwise. `None` where it did
/// nothing, because the metric is not plain, or does not take the value.
pub type Marked = Option<bool>;

/// Keeps the code of a branch out of the way of the others.
#[cold]
fn unlikely() {}

/// Whether a real number takes no more digits than fit into any line, and
/// no sign, which not every server reads. Others have to be looked at.
#[inline]
pub(super) fn is_short(value: f64) -> bool {
    value == 0.0 || (1e-20..1e15).contains(&value)
}

impl Active {
    /// Looks a metric up by name, and records by `op`, one of the functions
    /// below.
    #[inline(always)]
    pub fn try_by_name(
        &self,
        kind: Kind,
        name: &[u8],
        op: impl FnOnce(&Active, &Metric) -> Marked,
    ) -> Fast {
        match self.registry.find_at(kind, name) {
            Some(metric) => self.try_by_handle(metric, op),
            None => Fast::Slow,
        }
    }

    /// Records by `op` if a flush is scheduled. One that ends meanwhile may
    /// have missed a metric that this call marked. A metric that another call
    /// marked is that call's to look after.
    #[inline(always)]
    pub fn try_by_handle(
        &self,
        metric: &Metric,
        op: impl FnOnce(&Active, &Metric) -> Marked,
    ) -> Fast {
        if !self.ticks() {
            return Fast::Slow;
        }
        match op(self, metric) {
            None => Fast::Slow,
            Some(marked) if marked && !self.ticks() => Fast::NoFlush,
            Some(_) => Fast::Recorded,
        }
    }

    /// Adds to a counter. Not every server takes less than 0.
    #[inline(always)]
    pub fn add(&self, metric: &Metric, n: i64) -> Marked {
        if n <= 0 {
            return None;
        }
        let first = metric.add_again(n).or_else(|| {
            unlikely();
            metric.add_shared(n).or_else(|| metric.add_noted(n))
        })?;
        Some(first && self.registry.mark_number(metric))
    }

    /// Adds to a gauge.
    #[inline(always)]
    pub fn add_to_gauge(&self, metric: &Metric, n: i64) -> Marked {
        let plain = metric.state() == GAUGE && metric.add_to_gauge(n).is_ok();
        plain.then(|| self.registry.mark_number(metric))
    }

    /// Sets a gauge.
    #[inline(always)]
    pub fn set_gauge(&self, metric: &Metric, value: i64) -> Marked {
        let plain = metric.state() == GAUGE;
        plain.then(|| {
            metric.set(value);
            self.registry.mark_number(metric)
        })
    }

    /// Sets a running total.
    #[inline(always)]
    pub fn set_total(&self, metric: &Metric, total: i64) -> Marked {
        let plain = metric.state() == TOTAL && total >= 0 && metric.set_total(total);
        plain.then(|| self.registry.mark_number(metric))
    }

    /// Sets what the metric is: a gauge or a running total.
    #[inline(always)]
    pub fn set(&self, metric: &Metric, value: i64) -> Marked {
        self.set_gauge(metric, value).or_else(|| self.set_total(metric, value))
    }

    /// Keeps a sample of a timer (ms).
    #[inline(always)]
    pub fn time(&self, metric: &Metric, ms: f64) -> Marked {
        let plain = metric.state() == TIMER && (0.0..1e15).contains(&ms);
        if plain { self.keep(metric, ms) } else { None }
    }

    /// Keeps a sample of a histogram.
    #[inline(always)]
    pub fn observe(&self, metric: &Metric, value: f64) -> Marked {
        let plain = metric.state() == HISTOGRAM && is_short(value);
        if plain { self.keep(metric, value) } else { None }
    }

    /// Keeps a sample of what the metric is: a timer or a histogram.
    #[inline(always)]
    pub fn sample(&self, metric: &Metric, value: f64) -> Marked {
        self.time(metric, value).or_else(|| self.observe(metric, value))
    }

    #[inline(always)]
    fn keep(&self, metric: &Metric, value: f64) -> Marked {
        let first = metric.keep_sample(value, &self.budget)?;
        Some(first && self.registry.mark_value(metric))
    }

    /// Whether a flush is scheduled.
    #[inline]
    pub(super) fn ticks(&self) -> bool {
        self.ticking.load(SeqCst)
    }
}
