//! The distinct members of a set since the last flush.

#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError, TryLockError};

use foldhash::fast::FixedState;

use crate::metric::budget::Budget;
use crate::sys::memory;

/// What a member costs besides its bytes, roughly.
const OVERHEAD: usize = 48;

/// Distinct members.
pub type Distinct = HashSet<Box<[u8]>, FixedState>;

/// The members of one set.
#[derive(Debug, Default)]
pub struct Members(Mutex<Distinct>);

impl Members {
    /// Keeps a member. Whether it is the first since the last flush.
    pub fn record(&self, member: &[u8], budget: &Budget) -> bool {
        let mut members = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if members.contains(member) {
            return false;
        }
        let mut own = Vec::new();
        let cost = member.len() + OVERHEAD;
        if !budget.take(cost) {
            budget.lose(1);
            return false;
        }
        if memory::room(&mut own, member.len()).is_err() || members.try_reserve(1).is_err() {
            budget.give_back(cost);
            budget.lose(1);
            return false;
        }
        own.extend_from_slice(member);
        members.insert(own.into_boxed_slice());
        members.len() == 1
    }

    /// Takes all members out, which leaves the set empty.
    pub fn take(&self, budget: &Budget) -> Distinct {
        let members = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        members.iter().for_each(|member| budget.give_back(member.len() + OVERHEAD));
        members
    }

    /// Forgets all members; in a child process one that another thread was at
    /// is not touched.
    pub fn clear(&self, budget: &Budget) {
        let members = match self.0.try_lock() {
            Ok(mut members) => std::mem::take(&mut *members),
            Err(TryLockError::Poisoned(mut error)) => std::mem::take(&mut **error.get_mut()),
            Err(TryLockError::WouldBlock) => return,
        };
        members.iter().for_each(|member| budget.give_back(member.len() + OVERHEAD));
    }
}
