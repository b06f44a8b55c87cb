//! The distinct members of a set since the last flush.

#![forbid(unsafe_code)]

use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use foldhash::fast::FixedState;

use crate::metric::budget::Budget;
use crate::sys::{self, memory};

/// What a member costs besides its bytes, at most.
const OVERHEAD: usize = 32;
/// Bytes of a member's length, which go before it.
const HEAD: usize = 2;
/// A set gives more memory than this back when it is taken.
const SMALL: usize = 64 * 1024;

/// The members of one set.
#[derive(Debug, Default)]
pub struct Members(Mutex<Distinct>);

/// Members one after the other, and a table of where they are.
#[derive(Debug, Default)]
struct Distinct {
    /// Each after its length.
    bytes: Vec<u8>,
    /// Where a member is in `bytes`, plus 1, at its hash or after it; 0 where
    /// none is. A power of two of them, no more than half in use.
    slots: Vec<u32>,
    /// Half as many, of before: while there are any, some of the members they
    /// have are not in `slots`. No call moves more than a few.
    old: Vec<u32>,
    /// The first member that is not moved.
    moved: usize,
    len: usize,
    /// What they take of the budget.
    cost: usize,
}

/// Members that a flush has taken.
#[derive(Debug, Default)]
pub struct Taken {
    bytes: Vec<u8>,
    at: usize,
    left: usize,
}

impl Members {
    /// Keeps a member. Whether it is the first since the last flush.
    pub fn record(&self, member: &[u8], budget: &Budget) -> bool {
        let mut members = self.lock();
        if members.has(member) {
            return false;
        }
        let cost = member.len() + OVERHEAD;
        if !budget.take(cost) {
            budget.lose(1);
            return false;
        }
        if !members.insert(member) {
            budget.give_back(cost);
            budget.lose(1);
            return false;
        }
        members.cost += cost;
        members.len == 1
    }

    /// Moves all members to `out`, which leaves the set empty.
    pub fn take(&self, out: &mut Taken, budget: &Budget) {
        let mut members = self.lock();
        out.bytes.clear();
        if out.bytes.capacity() > SMALL {
            out.bytes = Vec::new();
        }
        (out.at, out.left) = (0, members.len);
        if members.bytes.len() > SMALL {
            out.bytes = std::mem::take(&mut members.bytes);
        } else if memory::room(&mut out.bytes, members.bytes.len()).is_ok() {
            out.bytes.extend_from_slice(&members.bytes);
        } else {
            budget.lose(members.len as u64);
            out.left = 0;
        }
        budget.give_back(members.cost);
        members.clear();
    }

    /// Forgets all members; in a child process one that another thread was at
    /// is not touched.
    pub fn clear(&self, budget: &Budget) {
        let mut members = match self.0.try_lock() {
            Ok(members) => members,
            Err(TryLockError::Poisoned(error)) => error.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        budget.give_back(members.cost);
        members.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Distinct> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Distinct {
    fn has(&self, member: &[u8]) -> bool {
        let is_in = |slots: &[u32]| self.slot(slots, member).is_some_and(|slot| slots[slot] > 0);
        is_in(&self.slots) || is_in(&self.old)
    }

    /// The slot of a member, or that which would be its; `None` where there
    /// are no slots.
    fn slot(&self, slots: &[u32], member: &[u8]) -> Option<usize> {
        let mask = slots.len().checked_sub(1)?;
        let mut slot = FixedState::default().hash_one(member) as usize & mask;
        while slots[slot] > 0 && self.member(slots[slot] as usize - 1) != member {
            slot = (slot + 1) & mask;
        }
        Some(slot)
    }

    fn member(&self, at: usize) -> &[u8] {
        first(&self.bytes[at..]).unwrap_or_default()
    }

    /// Puts a member in that is not in. False without memory for it.
    fn insert(&mut self, member: &[u8]) -> bool {
        let at = self.bytes.len();
        let fits = u16::try_from(member.len()).is_ok() && u32::try_from(at + 1).is_ok();
        if !fits
            || memory::room(&mut self.bytes, HEAD + member.len()).is_err()
            || self.len * 2 >= self.slots.len() && !self.grow()
        {
            return false;
        }
        self.bytes.extend_from_slice(&(member.len() as u16).to_ne_bytes());
        self.bytes.extend_from_slice(member);
        self.place(at);
        self.len += 1;
        self.move_some();
        true
    }

    /// Notes where a member is.
    fn place(&mut self, at: usize) {
        if let Some(slot) = self.slot(&self.slots, self.member(at)) {
            self.slots[slot] = at as u32 + 1;
        }
    }

    fn grow(&mut self) -> bool {
        let Some(slots) = sys::zeroed((2 * self.slots.len()).max(8)) else { return false };
        self.old = std::mem::replace(&mut self.slots, slots);
        self.moved = 0;
        true
    }

    /// Moves members from the old slots: twice as many as are put in, so that
    /// none is left when the new ones are half full.
    fn move_some(&mut self) {
        for _ in 0..2 {
            if self.old.is_empty() {
                return;
            }
            self.place(self.moved);
            self.moved += HEAD + self.member(self.moved).len();
            if self.moved == self.bytes.len() {
                self.old = Vec::new();
            }
        }
    }

    fn clear(&mut self) {
        if self.slots.len() * size_of::<u32>() > SMALL {
            self.slots = Vec::new();
        }
        self.slots.fill(0);
        self.old = Vec::new();
        self.bytes.clear();
        (self.len, self.cost) = (0, 0);
    }
}

impl Taken {
    /// How many are left.
    #[inline(always)]
    pub fn left(&self) -> usize {
        self.left
    }

    /// Bytes of memory.
    pub fn size(&self) -> usize {
        self.bytes.capacity()
    }

    /// The next one.
    pub fn take_next(&mut self) -> Option<&[u8]> {
        self.left = self.left.checked_sub(1)?;
        let member = first(&self.bytes[self.at..])?;
        self.at += HEAD + member.len();
        Some(member)
    }
}

/// The member at the beginning of some bytes.
fn first(bytes: &[u8]) -> Option<&[u8]> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
    rest.get(..u16::from_ne_bytes(*head).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn distinct_ones_in_order() {
        let (set, budget) = (Members::default(), Budget::new(1 << 20, 32_768));
        let mut taken = Taken::default();
        for count in [1, 7, 8, 9, 3000, 2, 20_000] {
            let mut want = BTreeSet::new();
            for i in 0..2 * count {
                let member = format!("member {}", i * 7919 % count);
                let first = set.record(member.as_bytes(), &budget);
                assert_eq!(first, i == 0);
                want.insert(member.into_bytes());
            }
            set.take(&mut taken, &budget);
            assert_eq!((taken.left(), budget.used()), (count, 0));
            let mut got = BTreeSet::new();
            while let Some(member) = taken.take_next() {
                assert!(got.insert(member.to_vec()));
            }
            assert_eq!(got, want);
            assert_eq!(taken.left(), 0);
        }
        let kept = set.lock();
        assert!(
            kept.slots.is_empty() && kept.bytes.capacity() <= SMALL,
            "a large set is given back"
        );
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let (set, budget) = (Members::default(), Budget::new(100, 10));
        let mut first = 0;
        (0..10).for_each(|i| first += u32::from(set.record(&[b'x', i], &budget)));
        assert_eq!((first, budget.take_lost()), (1, 8));
        set.clear(&budget);
        assert_eq!(budget.used(), 0);
        assert!(set.record(b"", &budget));
    }
}
