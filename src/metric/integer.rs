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
    /// Takes a gauge's integer, as `take` does.
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
    /// whole, or what it grew by.
    #[inline(always)]
    pub fn take_integer_total(&self, whole: bool, refresh: bool) -> Integer {
        // in this order: see `take_growth`
        let restarts = self.upper.load(SeqCst);
        let total = self.value.load(SeqCst);
        let before = self.sent.load(Relaxed) as i64;
        if restarts != 0 || total < before {
            return Integer::Other;
        }
        let taken = if whole {
            let known = self.has_been_sent();
            match total {
                // the server is led up to a first one, and never sees a 0
                0 => Integer::Other,
                _ if !known && total != before => Integer::Other,
                _ if known && total == before && !refresh => Integer::Same,
                _ => Integer::New(total),
            }
        } else {
            match total.checked_sub(before) {
                Some(growth) if growth != 0 || !refresh => Integer::New(growth),
                _ => Integer::Other,
            }
        };
        if taken != Integer::Other {
            self.sent.store(total as u64, Relaxed);
        }
        taken
    }
}
