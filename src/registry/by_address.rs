//! Metrics by the address of the caller's name, which saves hashing the name
//! and looking it up. Most programs call with literals, whose addresses stay.
//!
//! The address only says where to look: a metric is found if its kind and its
//! key are the caller's, byte by byte. So a buffer that has another text by now
//! finds no wrong metric.
//!
//! Only metrics that the tables have are here, and these are never used again
//! for another name. So nothing is to be done here when one is forgotten.
//!
//! A slot keeps its first metric until the next flush. So threads that use more
//! names than there are slots do not write to these cache lines in turns, and
//! names that were frequent once do not stay for ever.

use std::sync::atomic::{
    AtomicPtr,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::metric::kind::Kind;
use crate::metric::{Metric, state};

/// The number of slots, a power of 2.
const SLOTS: usize = 64;
/// Metrics are aligned to 128 bytes: the low bits of a slot are as many bits
/// of the address's hash, which avoid most reads of other metrics.
const TAG: usize = align_of::<Metric>() - 1;
/// The bits of a hash that count.
const BITS: u32 = (SLOTS * (TAG + 1)).ilog2();
/// 2^64 / the golden ratio: its products differ in their upper bits.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A few metrics by the address of the caller's name. No line of it is one that
/// others write to.
#[derive(Debug)]
#[repr(align(64))]
pub struct ByAddress([AtomicPtr<Metric>; SLOTS]);

/// What is in the slot of an address and a kind.
#[derive(Clone, Copy, Debug)]
pub enum Found<'a> {
    /// The metric of this name.
    Metric(&'a Metric),
    /// That of another one.
    Other,
    /// Nothing yet.
    Empty,
}

impl Default for ByAddress {
    fn default() -> ByAddress {
        ByAddress([const { AtomicPtr::new(std::ptr::null_mut()) }; SLOTS])
    }
}

impl ByAddress {
    /// Looks for the metric of a name.
    #[inline(always)]
    pub fn find(&self, kind: Kind, name: &[u8]) -> Found<'_> {
        let (slot, tag) = self.slot(kind, name);
        let slot = slot.load(Acquire);
        if slot.is_null() {
            return Found::Empty;
        }
        let metric = slot.map_addr(|addr| addr ^ tag);
        if metric.addr() & TAG != 0 {
            return Found::Other;
        }
        // SAFETY: a slot is the address of a metric of the same registry, and
        // its tag. Metrics live as long as their registry.
        let metric = unsafe { &*metric };
        let is_it = metric.state() & state::KIND == kind as u8 && metric.key() == name;
        if is_it { Found::Metric(metric) } else { Found::Other }
    }

    /// Puts a metric that is in the tables into the slot of this name, which
    /// was empty.
    pub fn fill(&self, kind: Kind, name: &[u8], metric: &Metric) {
        let (slot, tag) = self.slot(kind, name);
        slot.store((&raw const *metric).cast_mut().map_addr(|addr| addr ^ tag), Release);
    }

    /// Empties all slots.
    pub fn clear(&self) {
        self.0.iter().for_each(|slot| slot.store(std::ptr::null_mut(), Relaxed));
    }

    /// The slot of a name at its address, and the tag of what is there.
    #[inline(always)]
    fn slot(&self, kind: Kind, name: &[u8]) -> (&AtomicPtr<Metric>, usize) {
        let address = name.as_ptr().addr() as u64;
        let hash = address.wrapping_add(kind as u64).wrapping_mul(SPREAD);
        let bits = (hash >> (u64::BITS - BITS)) as usize;
        (&self.0[bits / (TAG + 1) % SLOTS], bits & TAG)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::budget::Budget;
    use crate::registry::Registry;

    const NOBODY: *mut () = std::ptr::null_mut();

    fn get<'a>(registry: &'a Registry, kind: Kind, name: &[u8]) -> &'a Metric {
        registry.get(kind, name, 0, NOBODY, false).unwrap()
    }

    fn is_in(slots: &ByAddress, kind: Kind, name: &[u8], metric: &Metric) -> bool {
        matches!(slots.find(kind, name), Found::Metric(found) if std::ptr::eq(found, metric))
    }

    #[test]
    fn the_text_decides() {
        let (registry, _) = Registry::new(10);
        let long = b"n".repeat(100);
        let (name, other) = (*b"a.name", *b"a.namf");
        let metric = get(&registry, Kind::Gauge, &name);
        let slots = ByAddress::default();
        let mut buf = [&name[..], &b"n".repeat(100)].concat();
        assert!(matches!(slots.find(Kind::Gauge, &buf[..6]), Found::Empty));
        slots.fill(Kind::Gauge, &buf[..6], metric);
        assert!(is_in(&slots, Kind::Gauge, &buf[..6], metric));
        for len in [0, 1, 5, 7, 100] {
            assert!(matches!(slots.find(Kind::Gauge, &buf[..len]), Found::Other), "{len}");
        }
        buf[..6].copy_from_slice(&other);
        assert!(matches!(slots.find(Kind::Gauge, &buf[..6]), Found::Other));
        // the same address may be that of another kind's name
        let kind = Kind::Counter;
        assert!(!matches!(slots.find(kind, &buf[..6]), Found::Metric(_)));
        let metric = get(&registry, kind, &long);
        slots.fill(kind, &buf[6..], metric);
        assert!(is_in(&slots, kind, &buf[6..], metric));
        assert!(matches!(slots.find(kind, &buf[6..105]), Found::Other));
        slots.clear();
        assert!(matches!(slots.find(kind, &buf[6..]), Found::Empty));
    }

    #[test]
    fn a_thousand_names_of_one_buffer() {
        let n = if cfg!(miri) { 100 } else { 1000 };
        let (registry, _) = Registry::new(2 * n);
        let mut buf = [0; 60];
        for round in 0..3 {
            for i in 0..n {
                let text = format!("{}.{i}", "n".repeat(i % 50));
                let name = &mut buf[..text.len()];
                name.copy_from_slice(text.as_bytes());
                for kind in [Kind::Counter, Kind::Gauge] {
                    let metric = get(&registry, kind, text.as_bytes());
                    for _ in 0..2 {
                        let found = registry.find_at(kind, name).unwrap();
                        assert!(std::ptr::eq(found, metric), "{kind:?} {text}");
                    }
                }
            }
            if round == 1 {
                registry.clear_addresses();
            }
        }
    }

    #[test]
    fn the_first_stays_until_a_flush() {
        let n = if cfg!(miri) { 200 } else { 1000 };
        let (registry, _) = Registry::new(n);
        let names: Vec<String> = (0..n).map(|i| format!("n{i}")).collect();
        let find = |name: &str| registry.find_at(Kind::Counter, name.as_bytes()).unwrap();
        let all = || -> Vec<*mut Metric> {
            let slots = registry.by_address.get().unwrap();
            slots.0.iter().map(|slot| slot.load(Relaxed)).collect()
        };
        for name in &names {
            get(&registry, Kind::Counter, name.as_bytes());
            find(name);
        }
        let before = all();
        names.iter().rev().for_each(|name| assert_eq!(find(name).name(), name.as_bytes()));
        assert_eq!(all(), before);
        registry.clear_addresses();
        names.iter().rev().for_each(|name| assert_eq!(find(name).name(), name.as_bytes()));
        assert_ne!(all(), before);
    }

    #[test]
    fn a_name_that_passes_is_not_here() {
        let (registry, _) = Registry::new(10);
        let budget = Budget::new(0, 0);
        let forget = |name: &[u8]| {
            for metric in registry.named(name).unwrap() {
                registry.forget(metric);
                registry.recycle(metric, &budget);
            }
        };
        let (first, second) = (*b"first", *b"second");
        let metric = get(&registry, Kind::Counter, &first);
        assert!(registry.find_at(Kind::Counter, &first).is_some());
        forget(&first);
        // it is here, and its state says so
        let found = registry.find_at(Kind::Counter, &first).unwrap();
        assert!(std::ptr::eq(found, metric) && found.state() & state::FORGOTTEN != 0);
        for _ in 0..3 {
            get(&registry, Kind::Counter, &second);
            assert!(registry.find_at(Kind::Counter, &second).is_none());
            forget(&second);
        }
    }
}
