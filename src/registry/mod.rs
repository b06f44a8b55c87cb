//! The metrics of a context: each stays where it is made until the context
//! goes, so that handles are plain pointers.
//!
//! Where names are forgotten, their memory is used again. That must not happen
//! under a call that has found a metric without a lock and is about to record
//! into it, and such a call leaves no trace. So from the first `forget` on, a
//! new name that is used by name alone is *passing*:
//!
//! - It is not in the tables. Calls without a lock do not find it, and take the
//!   slow path, which finds it in `Store::passing`, under the context's lock.
//! - So only a thread with that lock has a reference to it, and the lists of
//!   the flush, which is under the same lock. The thread that forgets it, under
//!   the lock too, can give it another name at once.
//! - It stays in the lists in which it is: one of numbers becomes one of
//!   numbers, and so on. What a flush finds there has nothing to send, or what
//!   was recorded by the new name.
//! - A handle makes it lasting: it goes to the tables, and is never used again
//!   for another name. So are all names from before the first `forget`, which
//!   are at most `max_metrics`.

pub mod by_address;
pub mod chunks;
pub mod dirty;
pub mod index;
pub mod refresh;
pub mod table;

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::FixedState;
use once_cell::race::OnceBox;

use crate::error::Error;
use crate::metric::budget::Budget;
use crate::metric::key::has_bare_tag;
use crate::metric::kind::Kind;
use crate::metric::stripes::Stripes;
use crate::metric::{Metric, state};
use crate::registry::by_address::{ByAddress, Found};
use crate::registry::chunks::{Chunks, Place};
use crate::registry::dirty::{DirtyQueue, Reader};
use crate::registry::index::Index;
use crate::registry::table::{Key, Tables, Writer};
use crate::sys::memory;

/// Threads that take turns on a counter more often than this between two
/// flushes get cells of their own: each time costs the time of ten calls.
const OFTEN: u64 = 500;

/// Spellings of more bytes are not kept.
const LONGEST_SPELLING: usize = 2048;

/// All metrics of a context.
#[derive(Debug)]
pub struct Registry {
    tables: Tables,
    /// Made with the first metric.
    by_address: OnceBox<ByAddress>,
    store: Mutex<Store>,
    /// Counters, totals and gauges that were recorded.
    pub numbers: DirtyQueue,
    /// Timers, histograms and sets that were.
    pub values: DirtyQueue,
    max: usize,
    /// Of the settings, for new metrics.
    generation: AtomicU16,
}

/// What not every dialect has, of metrics that are not forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InUse {
    /// One has tags.
    pub tagged: bool,
    /// One has a tag without a value.
    pub bare_tags: bool,
    /// One is a set.
    pub sets: bool,
}

#[derive(Debug, Default)]
struct Store {
    writer: Writer,
    chunks: Chunks,
    /// Metrics that are not forgotten.
    live: usize,
    spellings: usize,
    /// Those with tags, by the hash of their names.
    tagged: Index,
    live_tagged: usize,
    live_bare: usize,
    live_sets: usize,
    /// Something was forgotten: new names are passing.
    forgets: bool,
    /// Those that are not in the tables, by hash.
    passing: Index,
    /// Those that can have another name, by class; linked by owner.
    free: [Free; 3],
    /// What counters have that threads take turns on.
    stripes: Stripes,
}

/// The first of a list of metrics.
#[derive(Debug)]
struct Free(*mut Metric);

impl Default for Free {
    fn default() -> Free {
        Free(std::ptr::null_mut())
    }
}

/// Metrics of one class have values of the same form; a metric never changes
/// its class.
fn class(kind: Kind) -> usize {
    match kind {
        Kind::Counter | Kind::Total | Kind::Gauge => 0,
        Kind::Timer | Kind::Histogram => 1,
        Kind::Set => 2,
    }
}

// SAFETY: the pointers in it are to its own metrics, which are made of
// atomics.
unsafe impl Send for Registry {}
// SAFETY: as above.
unsafe impl Sync for Registry {}

/// The readers of the two lists, for the flush.
#[derive(Debug)]
pub struct Readers {
    /// Of `Registry::numbers`.
    pub numbers: Reader,
    /// Of `Registry::values`.
    pub values: Reader,
}

/// The hash of a key of a kind.
#[inline]
pub fn hash(kind: Kind, bytes: &[u8]) -> u32 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    hasher.write(bytes);
    let hash = hasher.finish();
    ((hash >> 32) as u32 ^ hash as u32).wrapping_add(kind as u32)
}

#[inline]
fn key(kind: Kind, bytes: &[u8]) -> Key<'_> {
    Key { bytes, kind: kind as u8, hash: hash(kind, bytes) }
}

impl Registry {
    fn is_full(&self) -> Error {
        let max = self.max;
        Error::NoSpace.because(format_args!("the context holds {max} metrics, its max_metrics"))
    }

    /// An empty registry of at most `max` metrics, and its readers.
    pub fn new(max: usize) -> (Registry, Readers) {
        let (numbers, numbers_reader) = DirtyQueue::new();
        let (values, values_reader) = DirtyQueue::new();
        let store = Mutex::default();
        let generation = AtomicU16::new(0);
        let (tables, by_address) = (Tables::default(), OnceBox::new());
        let registry = Registry { tables, by_address, store, numbers, values, max, generation };
        (registry, Readers { numbers: numbers_reader, values: values_reader })
    }

    /// The metric of a name as it was spelled, without a lock.
    #[inline(always)]
    pub fn find(&self, kind: Kind, spelling: &[u8]) -> Option<&Metric> {
        self.tables.find(key(kind, spelling))
    }

    /// The same of a caller's name, which may be where it was at an earlier
    /// call.
    #[inline(always)]
    pub fn find_at(&self, kind: Kind, spelling: &[u8]) -> Option<&Metric> {
        let slots = self.by_address.get()?;
        match slots.find(kind, spelling) {
            Found::Metric(metric) => Some(metric),
            Found::Other => self.find(kind, spelling),
            Found::Empty => self.find_and_fill(slots, kind, spelling),
        }
    }

    #[cold]
    fn find_and_fill(&self, slots: &ByAddress, kind: Kind, spelling: &[u8]) -> Option<&Metric> {
        let metric = self.find(kind, spelling)?;
        slots.fill(kind, spelling, metric);
        Some(metric)
    }

    /// A flush begins: other names than before may be the frequent ones.
    pub fn clear_addresses(&self) {
        if let Some(by_address) = self.by_address.get() {
            by_address.clear();
        }
    }

    /// The metric that a spelling's entry stands for.
    pub fn meant<'a>(&'a self, metric: &'a Metric) -> &'a Metric {
        if metric.is_spelling() {
            // SAFETY: the owner of a spelling is a metric of this registry.
            unsafe { &*metric.owner().cast::<Metric>() }
        } else {
            metric
        }
    }

    /// The metric of a spelling, if one is known, under the context's lock.
    pub fn known(&self, kind: Kind, spelling: &[u8]) -> Option<&Metric> {
        let passing = || self.lock().passing(key(kind, spelling));
        self.lasting(kind, spelling).or_else(passing)
    }

    /// The same of those that are found without a lock.
    #[inline(never)]
    pub fn lasting(&self, kind: Kind, spelling: &[u8]) -> Option<&Metric> {
        self.find(kind, spelling).map(|metric| self.meant(metric))
    }

    /// The metric of a cleaned key, made where it is not there, in `state`:
    /// a lasting one for a handle.
    pub fn get(
        &self,
        kind: Kind,
        bytes: &[u8],
        extra_state: u8,
        owner: *mut (),
        handle: bool,
    ) -> Result<&Metric, Error> {
        let key = key(kind, bytes);
        let mut store = self.lock();
        if let Some(metric) = self.tables.find(key) {
            return Ok(self.meant(metric));
        }
        if let Some(metric) = store.passing(key) {
            if handle {
                self.publish(&mut store, metric)?;
                store.passing.remove(key.hash, metric);
            }
            return Ok(metric);
        }
        if store.live >= self.max {
            return Err(self.is_full());
        }
        let state = kind as u8 | extra_state;
        let passing = store.forgets && !handle;
        let metric = if passing { store.used_again(key, state, owner)? } else { None };
        let metric: &Metric = match metric {
            Some(metric) => metric,
            None => {
                let metric = Metric::new(state, bytes, key.hash, owner)?;
                memory::probe()?;
                metric.allocate();
                store.chunks.keep(metric)?
            }
        };
        let at = (&raw const *metric).cast_mut();
        let tagged = !metric.tags().is_empty();
        let by_name = hash(Kind::Counter, metric.name());
        let placed = if passing {
            store.passing.insert(key.hash, at)
        } else if tagged {
            store.tagged.insert(by_name, at).and_then(|()| self.publish(&mut store, metric))
        } else {
            self.publish(&mut store, metric)
        };
        if placed.is_err() {
            metric.set_state(state::FORGOTTEN, true);
            store.tagged.remove(by_name, at);
            return Err(Error::NoMemory);
        }
        store.count(metric, 1);
        metric.set_generation(self.generation());
        Ok(metric)
    }

    /// The generation of the settings. The lock of the context is held.
    pub fn generation(&self) -> u16 {
        self.generation.load(Relaxed)
    }

    /// The settings have changed: new metrics are of the next generation.
    pub fn next_generation(&self) {
        self.generation.store(self.generation().wrapping_add(1), Relaxed);
    }

    /// Keeps a spelling of a metric's name, so that the next call with it is
    /// as fast as with the name. A longer one, and those beyond as many as
    /// there may be metrics, are cleaned each time; so are those of names that
    /// may pass.
    pub fn add_spelling(&self, kind: Kind, spelling: &[u8], metric: &Metric) {
        let key = key(kind, spelling);
        let own = Key { bytes: metric.key(), kind: kind as u8, hash: metric.hash() };
        let mut store = self.lock();
        let is_long = spelling.len() > LONGEST_SPELLING;
        let is_lasting = self.tables.find(own).is_some();
        if is_long || !is_lasting || store.spellings >= self.max || self.tables.find(key).is_some()
        {
            return;
        }
        let meant = (&raw const *metric).cast_mut().cast();
        let entry = Metric::new(kind as u8 | state::SPELLING, spelling, key.hash, meant);
        let entry = entry.and_then(|entry| {
            let entry = store.chunks.keep(entry)?;
            self.publish(&mut store, entry)
        });
        store.spellings += usize::from(entry.is_ok());
    }

    /// Counts a metric that was forgotten in again.
    pub fn revive(&self, metric: &Metric) -> Result<(), Error> {
        let mut store = self.lock();
        if metric.state() & state::FORGOTTEN == 0 {
            return Ok(());
        }
        if store.live >= self.max {
            return Err(self.is_full());
        }
        store.count(metric, 1);
        metric.set_state(state::FORGOTTEN, false);
        Ok(())
    }

    /// Counts a metric out.
    pub fn forget(&self, metric: &Metric) {
        let mut store = self.lock();
        if metric.state() & state::FORGOTTEN == 0 {
            metric.set_state(state::FORGOTTEN, true);
            store.count(metric, -1);
        }
        store.forgets = true;
    }

    /// Lets a metric that is forgotten and empty have another name, if it is a
    /// passing one.
    pub fn recycle(&self, metric: &Metric, budget: &Budget) {
        let mut store = self.lock();
        if store.passing.remove(metric.hash(), metric) {
            if let Some(samples) = metric.samples() {
                samples.release(budget);
            }
            let free = &mut store.free[class(metric.kind())];
            metric.set_owner(free.0.cast());
            free.0 = (&raw const *metric).cast_mut();
        }
    }

    /// Marks a metric for the next flush. Whether it was not marked yet.
    pub fn mark_dirty(&self, metric: &Metric) -> bool {
        if metric.is_number() { self.mark_number(metric) } else { self.mark_value(metric) }
    }

    /// The same of a counter, total or gauge.
    #[inline(always)]
    pub fn mark_number(&self, metric: &Metric) -> bool {
        // SAFETY: the metric is this registry's.
        let (group, bit) = unsafe { chunks::group_of(metric, false) };
        self.numbers.mark(group, bit)
    }

    /// The same of a timer, histogram or set.
    #[inline(always)]
    pub fn mark_value(&self, metric: &Metric) -> bool {
        // SAFETY: as above.
        let (group, bit) = unsafe { chunks::group_of(metric, true) };
        self.values.mark(group, bit)
    }

    /// Whether a metric is marked, and no flush has looked at it since. The
    /// lock of the context is held.
    pub fn is_dirty(&self, metric: &Metric) -> bool {
        // SAFETY: as above.
        let (group, bit) = unsafe { chunks::group_of(metric, !metric.is_number()) };
        group.is_dirty(bit)
    }

    /// Marks none, in a child process.
    pub fn clear_dirty(&self, readers: &mut Readers) {
        self.lock().chunks.reset_groups();
        readers.numbers.reset(&self.numbers);
        readers.values.reset(&self.values);
    }

    /// Looks at how often threads took turns on a counter since the last
    /// flush. If they often did, it gets a cell for each of several threads,
    /// where there is memory.
    #[cold]
    pub fn stripe(&self, metric: &Metric) {
        if metric.take_turns() < OFTEN {
            return;
        }
        // without memory it stays as it is
        if let Ok(cells) = self.lock().stripes.cells() {
            metric.share(cells);
        }
    }

    /// All metrics of a cleaned name that are not forgotten.
    pub fn named(&self, name: &[u8]) -> Result<Vec<&Metric>, Error> {
        let store = self.lock();
        let plain = Kind::ALL
            .into_iter()
            .filter_map(|kind| self.lasting(kind, name).or_else(|| store.passing(key(kind, name))));
        // SAFETY: metrics stay where they are as long as the registry.
        let tagged = store.tagged.of_hash(hash(Kind::Counter, name)).map(|at| unsafe { &*at });
        let mut all = Vec::new();
        for metric in plain.chain(tagged.filter(|metric| metric.name() == name)) {
            if metric.state() & state::FORGOTTEN == 0 {
                memory::room(&mut all, 1)?;
                all.push(metric);
            }
        }
        Ok(all)
    }

    /// What metrics there are that not every dialect has.
    pub fn in_use(&self) -> InUse {
        let store = self.lock();
        InUse {
            tagged: store.live_tagged > 0,
            bare_tags: store.live_bare > 0,
            sets: store.live_sets > 0,
        }
    }

    /// Shows each metric to `f`.
    pub fn for_each(&self, mut f: impl FnMut(&Metric)) {
        let store = self.lock();
        for metric in store.chunks.iter() {
            if !metric.is_spelling() {
                f(metric);
            }
        }
    }

    /// The metric at `place`, or another spelling of one; `place` moves on to
    /// the next. Metrics that are made meanwhile may be left out.
    pub fn next(&self, place: &mut Place) -> Option<&Metric> {
        self.lock().chunks.next(place)
    }

    /// How many metrics there are that are not forgotten.
    pub fn len(&self) -> usize {
        self.lock().live
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lets calls without a lock find a metric by its key.
    fn publish(&self, store: &mut Store, metric: &Metric) -> Result<(), Error> {
        if self.by_address.get().is_none() {
            memory::probe()?;
            let _ = self.by_address.set(Box::default());
        }
        if store.writer.insert(&self.tables, metric) { Ok(()) } else { Err(Error::NoMemory) }
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    fn passing<'a>(&self, key: Key<'_>) -> Option<&'a Metric> {
        // SAFETY: as above.
        let mut of_hash = self.passing.of_hash(key.hash).map(|at| unsafe { &*at });
        of_hash.find(|metric| key.is_of(metric))
    }

    /// A metric that was forgotten, by another name.
    fn used_again<'a>(
        &mut self,
        key: Key<'_>,
        state: u8,
        owner: *mut (),
    ) -> Result<Option<&'a Metric>, Error> {
        let kind = Kind::ALL[usize::from(key.kind)];
        let free = &mut self.free[class(kind)];
        // SAFETY: as above.
        let Some(metric) = (unsafe { free.0.as_ref() }) else { return Ok(None) };
        let next = metric.owner().cast();
        // SAFETY: a passing metric: see the head of this file.
        unsafe { metric.set_key(key.bytes, key.hash) }?;
        metric.set_owner(owner);
        free.0 = next;
        metric.reset(state);
        Ok(Some(metric))
    }

    fn count(&mut self, metric: &Metric, by: isize) {
        self.live = self.live.wrapping_add_signed(by);
        if !metric.tags().is_empty() {
            self.live_tagged = self.live_tagged.wrapping_add_signed(by);
        }
        if has_bare_tag(metric.tags()) {
            self.live_bare = self.live_bare.wrapping_add_signed(by);
        }
        if metric.kind() == Kind::Set {
            self.live_sets = self.live_sets.wrapping_add_signed(by);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: *mut () = std::ptr::null_mut();

    #[test]
    fn one_key_one_metric_while_it_grows() {
        let n = if cfg!(miri) { 300 } else { 100_000 };
        let (registry, _) = Registry::new(n);
        let name = |i: usize| format!("metric.{i}");
        let get = |kind, i: usize| registry.get(kind, name(i).as_bytes(), 0, NOBODY, true);
        let made: Vec<*const Metric> =
            (0..n / 2).map(|i| &raw const *get(Kind::Counter, i).unwrap()).collect();
        for (i, metric) in made.iter().enumerate() {
            assert!(std::ptr::eq(get(Kind::Counter, i).unwrap(), *metric));
            let found = registry.find(Kind::Counter, name(i).as_bytes()).unwrap();
            assert!(std::ptr::eq(found, *metric));
            assert!(registry.find(Kind::Gauge, name(i).as_bytes()).is_none());
        }
        (0..n / 2).for_each(|i| {
            get(Kind::Gauge, i).unwrap();
        });
        assert_eq!(get(Kind::Timer, 0).err(), Some(Error::NoSpace));
        assert_eq!(registry.len(), n);
    }

    #[test]
    fn readers_find_what_was_put_in_while_it_grows() {
        let n = if cfg!(miri) { 100 } else { 30_000 };
        let (registry, _) = Registry::new(n);
        let names: Vec<String> = (0..n).map(|i| format!("m{i}")).collect();
        let made = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while made.load(std::sync::atomic::Ordering::Acquire) < n {
                        let known = made.load(std::sync::atomic::Ordering::Acquire);
                        for name in names[..known].iter().rev().take(20) {
                            let found = registry.find(Kind::Counter, name.as_bytes());
                            // it may just be moving: the slow path has a lock
                            if found.is_none() {
                                registry
                                    .get(Kind::Counter, name.as_bytes(), 0, NOBODY, true)
                                    .unwrap();
                            }
                        }
                    }
                });
            }
            for (i, name) in names.iter().enumerate() {
                registry.get(Kind::Counter, name.as_bytes(), 0, NOBODY, true).unwrap();
                made.store(i + 1, std::sync::atomic::Ordering::Release);
            }
        });
        assert_eq!(registry.len(), n);
    }

    #[test]
    fn forgotten_ones_make_room() {
        let (registry, _) = Registry::new(2);
        let in_use = |tagged, bare_tags, sets| InUse { tagged, bare_tags, sets };
        let a = registry.get(Kind::Counter, b"a", 0, NOBODY, true).unwrap();
        registry.get(Kind::Counter, b"a\0k", 0, NOBODY, true).unwrap();
        assert_eq!(registry.in_use(), in_use(true, true, false));
        assert_eq!(registry.get(Kind::Counter, b"b", 0, NOBODY, true).err(), Some(Error::NoSpace));
        for metric in registry.named(b"a").unwrap() {
            registry.forget(metric);
        }
        assert_eq!((registry.len(), registry.in_use()), (0, in_use(false, false, false)));
        registry.get(Kind::Set, b"b", 0, NOBODY, true).unwrap();
        registry.revive(a).unwrap();
        registry.revive(a).unwrap();
        assert_eq!((registry.len(), registry.in_use()), (2, in_use(false, false, true)));
        assert_eq!(registry.named(b"a").unwrap().len(), 1);
    }

    #[test]
    fn names_that_pass() {
        let (registry, _) = Registry::new(3);
        let budget = Budget::new(1 << 20, 100);
        let get = |name: &[u8], handle| {
            registry.get(Kind::Timer, name, 0, NOBODY, handle).map(|metric| &raw const *metric)
        };
        let forget = |name: &[u8]| {
            for metric in registry.named(name).unwrap() {
                registry.forget(metric);
                registry.recycle(metric, &budget);
            }
        };
        let first = get(b"first", false).unwrap();
        forget(b"first");
        let long = b"n".repeat(100);
        let second = get(&long, false).unwrap();
        assert_ne!(first, second, "it was there before anything was forgotten");
        assert!(registry.find(Kind::Timer, &long).is_none(), "only under the lock");
        assert_eq!(
            registry.known(Kind::Timer, &long).map(|metric| &raw const *metric),
            Some(second)
        );
        forget(&long);
        assert!(registry.known(Kind::Timer, &long).is_none());
        for i in 0..1000 {
            let name = format!("{}{i}", "n".repeat(i % 60));
            assert_eq!(get(name.as_bytes(), false), Ok(second));
            assert_eq!(get(name.as_bytes(), false), Ok(second));
            forget(name.as_bytes());
        }
        assert_eq!(get(b"kept", false), Ok(second));
        // a handle: it is kept, and found without a lock
        assert_eq!(get(b"kept", true), Ok(second));
        assert!(registry.find(Kind::Timer, b"kept").is_some());
        forget(b"kept");
        assert_ne!(get(b"other", false), Ok(second));
        assert_eq!(registry.len(), 1);
    }

    #[test]
    fn a_counter_gets_cells_when_threads_keep_taking_turns() {
        let (registry, _) = Registry::new(2);
        let metric = registry.get(Kind::Counter, b"a", 0, NOBODY, true).unwrap();
        let is_shared = || metric.state() & state::SHARED != 0;
        for _ in 0..1000 {
            metric.add_again(1).or_else(|| metric.add_noted(1)).unwrap();
        }
        registry.stripe(metric);
        assert!(!is_shared(), "one thread's");
        let turns = |n: u64| {
            assert!((0..n as usize).all(|i| metric.note_thread(i)));
            registry.stripe(metric);
        };
        turns(OFTEN - 1);
        turns(OFTEN - 1);
        assert!(!is_shared(), "seldom");
        turns(OFTEN);
        assert!(is_shared() && !metric.has_turns());
        assert_eq!(metric.add_shared(5), Some(true));
        assert_eq!(metric.add_shared(6), Some(false));
        assert_eq!(metric.take_sum(), (1011, 0));
        // a child of this process has nothing of it
        metric.add_shared(7);
        metric.after_fork(&Budget::new(0, 0));
        assert_eq!((metric.take_sum(), metric.has_number()), ((0, 0), false));
        assert_eq!(metric.add_shared(8), Some(true));
        assert!(metric.has_number());
    }

    #[test]
    fn spellings() {
        let (registry, _) = Registry::new(2);
        let metric = registry.get(Kind::Gauge, b"a_b", 0, NOBODY, true).unwrap();
        for i in 0..5 {
            registry.add_spelling(Kind::Gauge, format!("a:b{i}").as_bytes(), metric);
        }
        let found = registry.find(Kind::Gauge, b"a:b1").unwrap();
        assert!(std::ptr::eq(registry.meant(found), metric));
        assert!(registry.find(Kind::Gauge, b"a:b2").is_none());
        assert_eq!(registry.len(), 1);
        // as many bytes as are a short one's in 16 bits
        let long = [&b".".repeat(65_536)[..], b"a_b"].concat();
        let (other, _) = Registry::new(2);
        other.add_spelling(Kind::Gauge, &long, metric);
        assert_eq!(other.lock().spellings, 0);
    }
}
