//! The numbers of counters, totals and gauges: recorded by many threads, taken
//! by the flush.

#![forbid(unsafe_code)]

use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use crate::error::Error;
use crate::metric::Metric;
use crate::metric::kind::Kind;
use crate::sys::thread;

/// How a metric's value was sent last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum SentAs {
    /// Not since it was made or forgotten.
    Never,
    Integer,
    Real,
    /// By a name that has changed since.
    RenamedInteger,
    RenamedReal,
}

impl SentAs {
    fn from_byte(byte: u8) -> SentAs {
        match byte {
            0 => SentAs::Never,
            1 => SentAs::Integer,
            2 => SentAs::Real,
            3 => SentAs::RenamedInteger,
            _ => SentAs::RenamedReal,
        }
    }

    /// The same under another name.
    fn renamed(self) -> SentAs {
        match self {
            SentAs::Integer => SentAs::RenamedInteger,
            SentAs::Real => SentAs::RenamedReal,
            other => other,
        }
    }
}

/// What a flush takes from a counter, total or gauge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Taken {
    /// Nothing is to be sent.
    Nothing,
    /// A counter's sum, or what a total grew by.
    Sum(i64),
    /// One beyond 64 bits.
    LargeSum(i128),
    /// A total to be sent whole.
    Total {
        /// What it was at the last flush.
        before: i64,
        /// What it grew by since, call by call.
        growth: i128,
        /// What it is.
        total: i64,
        /// The server was sent it before, by this name.
        known: bool,
    },
    /// A gauge's value.
    Gauge(Number),
}

impl Taken {
    fn sum(sum: i128) -> Taken {
        match i64::try_from(sum) {
            Ok(sum) => Taken::Sum(sum),
            Err(_) => Taken::LargeSum(sum),
        }
    }

    /// The value that the server knows when this has been sent; `None` where
    /// the server adds up.
    pub fn sent_value(self) -> Option<Number> {
        match self {
            Taken::Total { total, .. } => Some(Number::Integer(total)),
            Taken::Gauge(value) => Some(value),
            Taken::Nothing | Taken::Sum(_) | Taken::LargeSum(_) => None,
        }
    }
}

/// What a call records.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// A counter's events, or what is added to a gauge.
    Add(i64),
    /// A running total.
    Total(i64),
    /// A gauge's value.
    Set(i64),
    /// A gauge's value.
    Real(f64),
    /// A timer's or histogram's sample.
    Sample(f64),
    /// A set's member.
    Member(&'a [u8]),
}

/// A gauge's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// All 64 bits of it.
    Integer(i64),
    /// Finite.
    Real(f64),
}

impl Number {
    fn bits(self) -> (u64, SentAs) {
        match self {
            Number::Integer(value) => (value as u64, SentAs::Integer),
            Number::Real(value) => (value.to_bits(), SentAs::Real),
        }
    }

    /// Whether it is below zero.
    pub fn is_negative(self) -> bool {
        match self {
            Number::Integer(value) => value < 0,
            Number::Real(value) => value < 0.0,
        }
    }
}

impl Metric {
    /// More events, above 0. Whether it has to be taken into the list.
    #[inline]
    pub fn add(&self, n: i64) -> bool {
        let before = self.value.fetch_add(n, SeqCst);
        let (_, overflow) = before.overflowing_add(n);
        if overflow {
            self.carry(n);
            return true;
        }
        before == 0
    }

    /// The same of a counter whose state is its kind alone, if this thread
    /// added last: this look at one word is all that a call needs.
    #[inline(always)]
    pub fn add_again(&self, n: i64) -> Option<bool> {
        if self.last.load(Relaxed) == thread::number() { Some(self.add(n)) } else { None }
    }

    /// The same, if another thread added last, which is noted. `None` where
    /// the state is another.
    #[inline(always)]
    pub fn add_noted(&self, n: i64) -> Option<bool> {
        self.note_thread(thread::number()).then(|| self.add(n))
    }

    /// Notes which thread adds to a counter, by its number. False where its
    /// state is not its kind alone. One that changes the state at this moment
    /// does so before the look at it here, or clears `last` after it was set.
    #[inline(always)]
    pub fn note_thread(&self, thread: usize) -> bool {
        let is_plain = || self.state.load(SeqCst) == Kind::Counter as u8;
        if !is_plain() {
            return false;
        }
        self.last.swap(thread, SeqCst);
        self.sent_at.store(self.sent_at.load(Relaxed) + 1, Relaxed);
        let plain = is_plain();
        if !plain {
            self.last.store(0, SeqCst);
        }
        plain
    }

    /// More events of a shared counter. Whether it has to be taken into the
    /// list; `None` where it is not one, or not plain.
    #[inline(always)]
    pub fn add_shared(&self, n: i64) -> Option<bool> {
        let before = self.plain_cells()?.own().fetch_add(n, SeqCst);
        let (_, overflow) = before.overflowing_add(n);
        if overflow {
            self.carry(n);
        }
        Some(before == 0 || overflow)
    }

    /// Whether threads took turns on a counter since the last flush.
    #[inline]
    pub fn has_turns(&self) -> bool {
        self.sent_at.load(Relaxed) != 0
    }

    /// How often they did, since the last call.
    pub fn take_turns(&self) -> u64 {
        self.sent_at.swap(0, Relaxed)
    }

    /// Any number of events, after which the metric has to be taken into the
    /// list: a sum of 0 is sent as well.
    pub fn add_any(&self, n: i64) {
        if n <= 0 {
            self.is_real.store(true, SeqCst);
        }
        self.add(n);
    }

    #[cold]
    fn carry(&self, n: i64) {
        self.upper.fetch_add(if n > 0 { 1 } else { u64::MAX }, SeqCst);
    }

    /// Takes what a counter, total or gauge has for a flush. Totals are taken
    /// whole with `whole_totals`. With `refresh` a gauge or a whole total is
    /// taken although it did not change.
    #[inline(always)]
    pub fn take(&self, whole_totals: bool, refresh: bool) -> Taken {
        match self.kind() {
            Kind::Counter => {
                let (low, carries) = self.take_sum();
                self.counted(low, carries)
            }
            Kind::Total => {
                let known = self.has_been_sent();
                let Some((total, growth, before)) = self.take_growth() else {
                    return Taken::Nothing;
                };
                if !whole_totals && growth == 0 && refresh {
                    Taken::Nothing
                } else if !whole_totals {
                    Taken::sum(growth)
                } else if known && growth == 0 && total == before && !refresh {
                    Taken::Nothing
                } else {
                    Taken::Total { before, growth, total, known }
                }
            }
            Kind::Gauge => {
                let value = self.gauge();
                if self.was_sent(value) && !refresh { Taken::Nothing } else { Taken::Gauge(value) }
            }
            Kind::Timer | Kind::Histogram | Kind::Set => Taken::Nothing,
        }
    }

    /// Takes a counter's sum, which restarts at 0, where it is all: neither 0
    /// nor beyond 64 bits. What it has else is to be taken by `take_after`.
    #[inline(always)]
    pub fn take_plain(&self) -> Result<i64, i64> {
        let low = self.value.swap(0, SeqCst);
        if low != 0 && self.upper.load(SeqCst) == 0 { Ok(low) } else { Err(low) }
    }

    /// What a counter has of which `low` was taken.
    #[cold]
    pub fn take_after(&self, low: i64) -> Taken {
        self.counted(low.into(), self.take_carries())
    }

    fn counted(&self, low: i128, carries: i64) -> Taken {
        match low + (i128::from(carries) << 64) {
            0 if !self.is_real.swap(false, SeqCst) => Taken::Nothing,
            sum => Taken::sum(sum),
        }
    }

    fn take_carries(&self) -> i64 {
        if self.upper.load(SeqCst) == 0 { 0 } else { self.upper.swap(0, SeqCst) as i64 }
    }

    /// Takes a counter's sum, which restarts at 0, and how often 2^64 is to be
    /// added to it.
    pub(crate) fn take_sum(&self) -> (i128, i64) {
        let mut low = i128::from(self.value.swap(0, SeqCst));
        if let Some(cells) = self.cells() {
            let dirty = cells.all().filter(|cell| cell.load(SeqCst) != 0);
            low += dirty.map(|cell| i128::from(cell.swap(0, SeqCst))).sum::<i128>();
        }
        (low, self.take_carries())
    }

    /// A new total. One that is lower than the one before is a restart. False
    /// where it restarted too often since the last flush to be added up: then
    /// it has to be flushed first.
    #[inline]
    pub fn set_total(&self, total: i64) -> bool {
        let full = || self.upper.load(SeqCst) > i64::MAX as u64;
        if total < self.value.load(SeqCst) && full() {
            return false;
        }
        let before = self.value.swap(total, SeqCst);
        if total < before {
            self.upper.fetch_add(before as u64, SeqCst);
        }
        true
    }

    /// The newest total, what it grew by, call by call, since the last time,
    /// and what it was then. `None` while another thread is between the steps
    /// of a restart: the next time has all.
    fn take_growth(&self) -> Option<(i64, i128, i64)> {
        // in this order: a restart adds to `upper` after its new total is seen
        let tops = self.upper.load(SeqCst);
        let total = self.value.load(SeqCst);
        let base = self.sent.load(Relaxed) as i64;
        let growth = i128::from(total) - i128::from(base) + i128::from(tops);
        if growth < 0 {
            return None;
        }
        self.upper.fetch_sub(tops, SeqCst);
        self.sent.store(total as u64, Relaxed);
        Some((total, growth, base))
    }

    /// A gauge's new value.
    #[inline]
    pub fn set(&self, value: i64) {
        self.value.swap(value, SeqCst);
        if self.is_real.load(SeqCst) {
            self.is_real.store(false, SeqCst);
        }
    }

    /// A gauge's new value, a real number.
    #[inline]
    pub fn set_real(&self, value: f64) {
        self.upper.swap(value.to_bits(), SeqCst);
        if !self.is_real.load(SeqCst) {
            self.is_real.store(true, SeqCst);
        }
    }

    /// Adds to a gauge. An integer that does not fit is an error, and the
    /// gauge keeps its value.
    #[inline]
    pub fn add_to_gauge(&self, n: i64) -> Result<(), Error> {
        if self.is_real.load(SeqCst) {
            let sum = |bits: u64| Some((f64::from_bits(bits) + n as f64).to_bits());
            let _ = self.upper.fetch_update(SeqCst, SeqCst, sum);
            return Ok(());
        }
        let sum = |value: i64| value.checked_add(n);
        self.value.fetch_update(SeqCst, SeqCst, sum).map(drop).map_err(|_| Error::Range)
    }

    /// A gauge's newest value.
    pub fn gauge(&self) -> Number {
        if self.is_real.load(SeqCst) {
            Number::Real(f64::from_bits(self.upper.load(SeqCst)))
        } else {
            Number::Integer(self.value.load(SeqCst))
        }
    }

    /// Forgets the value of a gauge, and what a total grows from, of which
    /// all that was recorded has been taken. What another thread records at
    /// this moment stays, and is sent.
    pub fn forget_value(&self) {
        match self.kind() {
            Kind::Gauge => {
                self.set(0);
                self.upper.store(0, SeqCst);
            }
            Kind::Total => {
                let taken = self.sent.load(Relaxed) as i64;
                if self.value.compare_exchange(taken, 0, SeqCst, SeqCst).is_err() {
                    return;
                }
                self.sent.store(0, Relaxed);
            }
            Kind::Counter | Kind::Timer | Kind::Histogram | Kind::Set => {}
        }
        self.forget_sent();
    }

    fn sent_as(&self) -> SentAs {
        SentAs::from_byte(self.sent_as.load(Relaxed))
    }

    /// Whether the server was sent this value last.
    #[inline(always)]
    pub(super) fn was_sent(&self, value: Number) -> bool {
        let (bits, kind) = value.bits();
        self.sent_as() == kind && self.sent.load(Relaxed) == bits
    }

    /// Whether anything was sent by this name since it was made or forgotten.
    pub fn has_been_sent(&self) -> bool {
        const FIRST: u8 = SentAs::Integer as u8;
        const LAST: u8 = SentAs::Real as u8;
        matches!(self.sent_as.load(Relaxed), FIRST..=LAST)
    }

    /// The server is taken to know nothing of it.
    pub fn forget_sent(&self) {
        self.sent_as.store(SentAs::Never as u8, Relaxed);
    }

    /// A prefix, tags or a dialect have changed: by its new name the server
    /// knows nothing of it.
    pub fn rename(&self) {
        self.sent_as.store(self.sent_as().renamed() as u8, Relaxed);
    }

    /// Whether the server has a gauge or total as it is now, if only by
    /// another name; or it was never recorded. One that is dirty may have been
    /// recorded all the same.
    pub fn server_has_it(&self) -> bool {
        let (bits, kind) = self.gauge().bits();
        let same = self.sent.load(Relaxed) == bits;
        match self.kind() {
            Kind::Total => same && self.upper.load(SeqCst) == 0,
            Kind::Gauge => match self.sent_as() {
                SentAs::Never => !self.has_number(),
                sent_as => same && (sent_as == kind || sent_as == kind.renamed()),
            },
            Kind::Counter | Kind::Timer | Kind::Histogram | Kind::Set => false,
        }
    }

    /// The server is sent this value, at the time `at` in ms.
    pub fn mark_sent(&self, value: Number, at: u64) {
        let (bits, kind) = value.bits();
        self.sent.store(bits, Relaxed);
        self.sent_at.store(at, Relaxed);
        self.sent_as.store(kind as u8, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_beyond_64_bits() {
        let metric = Metric::new(0, b"n", 0, std::ptr::null_mut()).unwrap();
        for n in [i64::MAX, i64::MAX, 5, i64::MAX] {
            metric.add(n);
        }
        let sum = || {
            let (low, carries) = metric.take_sum();
            low + (i128::from(carries) << 64)
        };
        assert_eq!(sum(), 3 * i128::from(i64::MAX) + 5);
        metric.add(i64::MIN);
        metric.add(-1);
        assert_eq!(sum(), i128::from(i64::MIN) - 1);
        assert_eq!(sum(), 0);
    }

    #[test]
    fn a_total_grows_call_by_call() {
        let metric = Metric::new(1, b"n", 0, std::ptr::null_mut()).unwrap();
        assert!([10, 20, 5, 5, 8].into_iter().all(|total| metric.set_total(total)));
        assert_eq!(metric.take_growth(), Some((8, 28, 0)));
        assert_eq!(metric.take_growth(), Some((8, 0, 8)));
        assert!([i64::MAX, 0, i64::MAX, 1].into_iter().all(|total| metric.set_total(total)));
        assert!(metric.set_total(2) && !metric.set_total(1));
        assert_eq!(metric.take_growth(), Some((2, 2 * i128::from(i64::MAX) - 6, 8)));
    }

    #[test]
    fn a_gauge_of_both_kinds() {
        let metric = Metric::new(2, b"n", 0, std::ptr::null_mut()).unwrap();
        metric.add_to_gauge(5).unwrap();
        assert_eq!(metric.gauge(), Number::Integer(5));
        metric.set_real(0.5);
        metric.add_to_gauge(-1).unwrap();
        assert_eq!(metric.gauge(), Number::Real(-0.5));
        metric.set(i64::MAX);
        assert_eq!(metric.add_to_gauge(1), Err(Error::Range));
        assert_eq!(metric.gauge(), Number::Integer(i64::MAX));
    }
}
