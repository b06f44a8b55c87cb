//! The metrics of a context: each stays where it is made until the context
//! goes, so that handles are plain pointers.

pub mod dirty;
pub mod refresh;
pub mod table;

use std::hash::{BuildHasher, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::FixedState;

use crate::error::Error;
use crate::metric::kind::Kind;
use crate::metric::{Metric, state};
use crate::registry::dirty::{DirtyQueue, Reader};
use crate::registry::table::{Key, Tables, Writer};

/// Metrics are made in chunks of this many at first, then in twice as many.
const FIRST_CHUNK: usize = 8;
/// But never in more: a chunk is made within a call.
const LAST_CHUNK: usize = 512;

/// Spellings of more bytes are not kept.
const LONGEST_SPELLING: usize = 2048;

/// All metrics of a context.
#[derive(Debug)]
pub struct Registry {
    tables: Tables,
    store: Mutex<Store>,
    /// Counters, totals and gauges that were recorded.
    pub numbers: DirtyQueue,
    /// Timers, histograms and sets that were.
    pub values: DirtyQueue,
    max: usize,
}

#[derive(Debug, Default)]
struct Store {
    writer: Writer,
    chunks: Vec<Vec<Metric>>,
    /// Metrics that are not forgotten.
    live: usize,
    spellings: usize,
    /// Those with tags, and those that are sets, as indexes into `chunks`.
    tagged: Vec<(u32, u32)>,
    live_tagged: usize,
    live_sets: usize,
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
    /// Of `Registry::lists`.
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
        let registry = Registry { tables: Tables::default(), store, numbers, values, max };
        (registry, Readers { numbers: numbers_reader, values: values_reader })
    }

    /// The metric of a name as it was spelled, without a lock.
    #[inline]
    pub fn find(&self, kind: Kind, spelling: &[u8]) -> Option<&Metric> {
        self.tables.find(key(kind, spelling))
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

    /// The metric of a cleaned key, made where it is not there, in `state`.
    pub fn get(
        &self,
        kind: Kind,
        bytes: &[u8],
        extra_state: u8,
        owner: *mut (),
    ) -> Result<&Metric, Error> {
        let key = key(kind, bytes);
        let mut store = self.lock();
        if let Some(metric) = self.tables.find(key) {
            return Ok(self.meant(metric));
        }
        if store.live >= self.max {
            return Err(self.is_full());
        }
        let state = kind as u8 | extra_state;
        let metric = Metric::new(state, bytes, key.hash, owner);
        metric.allocate();
        let tagged = !metric.tags().is_empty();
        let metric = self.insert(&mut store, metric)?;
        store.live += 1;
        if tagged {
            let chunk = store.chunks.len() - 1;
            let at = (chunk as u32, store.chunks[chunk].len() as u32 - 1);
            store.tagged.push(at);
            store.live_tagged += 1;
        }
        store.live_sets += usize::from(kind == Kind::Set);
        Ok(metric)
    }

    /// Keeps a spelling of a metric's name, so that the next call with it is
    /// as fast as with the name. A longer one, and those beyond as many as
    /// there may be metrics, are cleaned each time.
    pub fn add_spelling(&self, kind: Kind, spelling: &[u8], metric: &Metric) {
        let key = key(kind, spelling);
        let mut store = self.lock();
        let is_long = spelling.len() > LONGEST_SPELLING;
        if is_long || store.spellings >= self.max || self.tables.find(key).is_some() {
            return;
        }
        let meant = (&raw const *metric).cast_mut().cast();
        let entry = Metric::new(kind as u8 | state::SPELLING, spelling, key.hash, meant);
        store.spellings += usize::from(self.insert(&mut store, entry).is_ok());
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
    }

    /// All metrics of a cleaned name that are not forgotten.
    pub fn named(&self, name: &[u8]) -> Vec<&Metric> {
        let store = self.lock();
        let plain = Kind::ALL.into_iter().filter_map(|kind| self.tables.find(key(kind, name)));
        let plain = plain.map(|metric| self.meant(metric));
        let tagged = store.tagged.iter().map(|at| {
            let metric = &raw const store.chunks[at.0 as usize][at.1 as usize];
            // SAFETY: metrics stay where they are as long as the registry.
            unsafe { &*metric }
        });
        plain
            .chain(tagged.filter(|metric| metric.name() == name))
            .filter(|metric| metric.state() & state::FORGOTTEN == 0)
            .collect()
    }

    /// Whether any metric has tags, and whether any is a set.
    pub fn in_use(&self) -> (bool, bool) {
        let store = self.lock();
        (store.live_tagged > 0, store.live_sets > 0)
    }

    /// Shows each metric to `f`.
    pub fn for_each(&self, mut f: impl FnMut(&Metric)) {
        let store = self.lock();
        for metric in store.chunks.iter().flatten() {
            if !metric.is_spelling() {
                f(metric);
            }
        }
    }

    /// How many metrics there are that are not forgotten.
    pub fn len(&self) -> usize {
        self.lock().live
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn insert(&self, store: &mut Store, metric: Metric) -> Result<&Metric, Error> {
        if store.chunks.last().is_none_or(|chunk| chunk.len() == chunk.capacity()) {
            let shift = store.chunks.len().min(LAST_CHUNK.ilog2() as usize);
            let mut chunk = Vec::new();
            let size = (FIRST_CHUNK << shift).min(LAST_CHUNK);
            chunk.try_reserve_exact(size).map_err(|_| Error::NoMemory)?;
            store.chunks.push(chunk);
        }
        let Some(chunk) = store.chunks.last_mut() else { return Err(Error::NoMemory) };
        chunk.push(metric);
        let metric = &raw const chunk[chunk.len() - 1];
        // SAFETY: a chunk never holds more than its capacity, so its metrics
        // stay where they are, as long as the registry.
        let metric = unsafe { &*metric };
        if store.writer.insert(&self.tables, metric) {
            Ok(metric)
        } else {
            if let Some(chunk) = store.chunks.last_mut() {
                chunk.pop();
            }
            Err(Error::NoMemory)
        }
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    fn count(&mut self, metric: &Metric, by: isize) {
        self.live = self.live.wrapping_add_signed(by);
        if !metric.tags().is_empty() {
            self.live_tagged = self.live_tagged.wrapping_add_signed(by);
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
        let get = |kind, i: usize| registry.get(kind, name(i).as_bytes(), 0, NOBODY);
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
                                registry.get(Kind::Counter, name.as_bytes(), 0, NOBODY).unwrap();
                            }
                        }
                    }
                });
            }
            for (i, name) in names.iter().enumerate() {
                registry.get(Kind::Counter, name.as_bytes(), 0, NOBODY).unwrap();
                made.store(i + 1, std::sync::atomic::Ordering::Release);
            }
        });
        assert_eq!(registry.len(), n);
    }

    #[test]
    fn forgotten_ones_make_room() {
        let (registry, _) = Registry::new(2);
        let a = registry.get(Kind::Counter, b"a", 0, NOBODY).unwrap();
        registry.get(Kind::Counter, b"a\0k:v", 0, NOBODY).unwrap();
        assert_eq!(registry.in_use(), (true, false));
        assert_eq!(registry.get(Kind::Counter, b"b", 0, NOBODY).err(), Some(Error::NoSpace));
        for metric in registry.named(b"a") {
            registry.forget(metric);
        }
        assert_eq!((registry.len(), registry.in_use()), (0, (false, false)));
        registry.get(Kind::Set, b"b", 0, NOBODY).unwrap();
        registry.revive(a).unwrap();
        registry.revive(a).unwrap();
        assert_eq!((registry.len(), registry.in_use()), (2, (false, true)));
        assert_eq!(registry.named(b"a").len(), 1);
    }

    #[test]
    fn spellings() {
        let (registry, _) = Registry::new(2);
        let metric = registry.get(Kind::Gauge, b"a_b", 0, NOBODY).unwrap();
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
