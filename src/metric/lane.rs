//! A lane of a timer's or histogram's samples: what one thread at a time
//! records into. It keeps every sample, up to a bound, and thins them beyond.

#![forbid(unsafe_code)]

use crate::metric::budget::Budget;
use crate::sys::memory;

/// A lane thins no further than to one sample of so many: all lanes together
/// may double that twice, and once more to become few enough.
pub const MAX_STRIDE: u32 = 1 << 28;
/// To copy more samples than this at once would take too long.
const MANY: usize = 65_536;
/// A lane is not shrunk below this capacity.
pub const SMALL: usize = 64;

/// Samples in the order in which they were recorded.
#[derive(Debug)]
pub struct Lane {
    /// Those that are kept.
    pub values: Vec<f64>,
    /// Of every so many samples one is kept: a power of two.
    pub stride: u32,
    /// What chooses it.
    pub random: Random,
    /// How many were recorded since the last flush.
    pub recorded: u64,
    /// The thread that recorded last, by the low bits of its number.
    thread: u32,
    /// How often it was another one than before, since the last flush.
    pub turns: u32,
}

/// Numbers for choosing one of several (Marsaglia's xorshift).
#[derive(Clone, Copy, Debug)]
pub struct Random(u32);

impl Random {
    /// The next number, of which each bit is as random.
    fn bits(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// One of the numbers below `n`.
    pub fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.bits()) * u64::from(n)) >> 32) as u32
    }
}

impl Default for Random {
    fn default() -> Random {
        Random(0x9e37_79b9)
    }
}

impl Default for Lane {
    fn default() -> Lane {
        Lane {
            values: Vec::new(),
            stride: 1,
            random: Random::default(),
            recorded: 0,
            thread: 0,
            turns: 0,
        }
    }
}

impl Lane {
    /// Keeps a sample of a thread, which has this number. Whether it is the
    /// first.
    #[inline]
    pub fn record(&mut self, thread: usize, value: f64, budget: &Budget) -> bool {
        if self.thread != thread as u32 {
            self.thread = thread as u32;
            self.turns = self.turns.saturating_add(1);
        }
        let at = self.recorded & u64::from(self.stride - 1);
        self.recorded += 1;
        if at > 0 {
            self.choose(value, at as u32 + 1);
            return false;
        }
        if self.values.len() == self.values.capacity() {
            self.make_room(budget);
        }
        let first = self.values.is_empty();
        self.values.push(value);
        first
    }

    /// The `nth` of the samples of which one is kept: one in `nth` times it
    /// takes the place of that which is kept so far. So each is as likely,
    /// and no pattern in them shows.
    fn choose(&mut self, value: f64, nth: u32) {
        if self.random.below(nth) == 0 {
            if let Some(kept) = self.values.last_mut() {
                *kept = value;
            }
        }
    }

    /// Takes more memory; where there are as many samples as may be, thins
    /// them. Without memory it drops the oldest.
    #[cold]
    fn make_room(&mut self, budget: &Budget) {
        let len = self.values.len();
        // an even number, so that each sample kept stands for as many
        let most = budget.max_samples().next_multiple_of(2);
        if len >= most && self.stride < MAX_STRIDE {
            halve(&mut self.values, 0, &mut self.random);
            self.stride *= 2;
            return;
        }
        let more = len.max(4).min(most.saturating_sub(len));
        if more > 0 && budget.take(more * size_of::<f64>()) {
            if self.values.try_reserve_exact(more).is_ok() {
                return;
            }
            budget.give_back(more * size_of::<f64>());
        }
        let oldest = len.div_ceil(4);
        self.values.drain(..oldest);
        let lost = (oldest as u64 * u64::from(self.stride)).min(self.recorded);
        self.recorded -= lost;
        budget.lose(lost);
    }

    /// Moves the samples to the end of `out`: with their memory, in exchange
    /// for that of `out`, where this is too small for them or they are many.
    /// False without memory.
    #[inline(always)]
    pub fn move_to(&mut self, out: &mut Vec<f64>, budget: &Budget) -> bool {
        let len = self.values.len();
        if out.is_empty() && (out.capacity() < len || len > MANY) {
            std::mem::swap(out, &mut self.values);
            budget.give_back(out.capacity() * size_of::<f64>());
            if !budget.take(self.values.capacity() * size_of::<f64>()) {
                self.values = Vec::new();
            }
        } else if memory::room(out, self.values.len()).is_ok() {
            match self.values[..] {
                [value] => out.push(value),
                _ => out.extend_from_slice(&self.values),
            }
        } else {
            return false;
        }
        true
    }

    /// Forgets all samples.
    pub fn reset(&mut self, budget: &Budget) {
        let (len, capacity) = (self.values.len(), self.values.capacity());
        self.values.clear();
        self.stride = 1;
        self.recorded = 0;
        self.turns = 0;
        if capacity > SMALL && len < capacity / 8 {
            self.values.shrink_to(capacity / 2);
            budget.give_back((capacity - self.values.capacity()) * size_of::<f64>());
        }
    }
}

/// Takes one of each two values out from `start` on. A call does this with as
/// many as there may be.
pub fn halve(values: &mut Vec<f64>, start: usize, random: &mut Random) {
    let pairs = (values.len() - start) / 2;
    let mut bits = 0;
    for i in 0..pairs {
        if i % 32 == 0 {
            bits = random.bits();
        }
        values[start + i] = values[start + 2 * i + (bits >> (i % 32) & 1) as usize];
    }
    // the last of an odd number
    let rest = start + 2 * pairs..values.len();
    let kept = pairs + rest.len();
    values.copy_within(rest, start + pairs);
    values.truncate(start + kept);
}
