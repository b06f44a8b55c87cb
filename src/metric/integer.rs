//! Gauges and totals that are one line with an integer, as most are.

#![forbid(unsafe_code)]

use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use crate::metric::Metric;
use crate::metric::value::Number;

/// What a flush takes from a gauge or total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integer {
    /// The server has it.
    Same,
    /// It is to be sent.
    New(i64),
    /// Nothing was taken: it is no integer, below 0, or more than one line.
    Other,
}

impl Metric {
    /// Takes a gauge's integer, as `take` does. What is new is to be marked as
    /// sent.
    #[inline(always)]
    pub fn take_integer_gauge(&self, refresh: bool) -> Integer {
        let value = self.value.load(SeqCst);
        if value < 0 || self.is_real.load(SeqCst) {
            Integer::Other
        } else if self.was_sent(Number::Integer(value)) && !refresh {
            Integer::Same
        } else {
            Integer::New(value)
        }
    }

    /// Takes a total without a restart since the last flush, as `take` does:
    /// what it grew by, or itself, which is to be marked as sent.
    #[inline(always)]
    pub fn take_integer_total(&self, whole: bool, refresh: bool) -> Integer {
        // in this order: see `take_growth`
        let restarts = self.upper.load(SeqCst);
        let total = self.value.load(SeqCst);
        let before = self.sent.load(Relaxed) as i64;
        if restarts != 0 || total < before {
            return Integer::Other;
        }
        if whole {
            let known = self.has_been_sent();
            return match total {
                // the server is led up to a first one, and never sees a 0
                0 => Integer::Other,
                _ if total == before && known && !refresh => Integer::Same,
                _ if total == before || known => Integer::New(total),
                _ => Integer::Other,
            };
        }
        match total.checked_sub(before) {
            Some(growth) if growth != 0 || !refresh => {
                self.sent.store(total as u64, Relaxed);
                Integer::New(growth)
            }
            _ => Integer::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::kind::Kind;
    use crate::metric::value::Taken;

    /// What is taken so and so is the same, and leaves the same.
    fn check(kind: Kind, whole: bool, values: &[i64]) -> usize {
        let [metric, other] =
            [0, 1].map(|_| Metric::new(kind as u8, b"n", 0, std::ptr::null_mut()).unwrap());
        let mut fast = 0;
        for (at, value) in values.iter().enumerate() {
            for metric in [&metric, &other] {
                // a value of -1: nothing is recorded
                match kind {
                    _ if *value == -1 => {}
                    Kind::Gauge => metric.set(*value),
                    _ => assert!(metric.set_total(*value)),
                }
            }
            let refresh = at % 3 == 2;
            let want = other.take(whole, refresh);
            let taken = match kind {
                Kind::Gauge => metric.take_integer_gauge(refresh),
                _ => metric.take_integer_total(whole, refresh),
            };
            let same = match (taken, want) {
                (Integer::Other, want) => metric.take(whole, refresh) == want,
                (Integer::Same, want) => want == Taken::Nothing,
                (Integer::New(new), Taken::Gauge(Number::Integer(value)) | Taken::Sum(value)) => {
                    new == value
                }
                (Integer::New(new), Taken::Total { before, growth, total, known }) => {
                    let goes_on = growth == i128::from(total - before);
                    new == total && total != 0 && goes_on && (known || growth == 0)
                }
                (Integer::New(_), _) => false,
            };
            assert!(same, "{kind:?} {value} after {:?}: {taken:?}, {want:?}", &values[..at]);
            fast += usize::from(taken != Integer::Other);
            if let Some(value) = want.sent_value() {
                metric.mark_sent(value, 0);
                other.mark_sent(value, 0);
            }
            assert_eq!(metric.sent.load(Relaxed), other.sent.load(Relaxed));
        }
        fast
    }

    #[test]
    fn the_same_as_in_general() {
        let values = [0, 0, 5, -1, -1, -1, 5, 9, 9, 3, 3, 12, i64::MAX, -1, 0, -1, 1, 2, 3];
        assert_eq!(check(Kind::Gauge, false, &values), values.len());
        assert!(check(Kind::Total, true, &values) > values.len() / 2);
        assert!(check(Kind::Total, false, &values) > values.len() / 2);
        assert_eq!(check(Kind::Gauge, false, &[-7, -7]), 0);
    }
}
