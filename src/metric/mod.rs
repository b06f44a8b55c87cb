//! A metric: one name, kind and set of tags, and what was recorded of it
//! since the last flush. Recording is one atomic operation.
//!
//! A metric takes 128 bytes, two cache lines that it shares with no other. One
//! has what each call changes, the other what calls only read, or change once
//! between flushes: its state and key. A thread that records what another one
//! does as well waits for the first of them alone.
//!
//! | field | counter | total | gauge | timer, histogram, set |
//! |---|---|---|---|---|
//! | `value` | sum since the flush | newest total | integer | |
//! | `upper` | carries of 2^64 | sum of the tops before restarts | bits of the real number | |
//! | `extra` | | | | samples or members |
//! | `sent`, `sent_at` | how often threads took turns | total at the last flush | value sent last, and when | how threads are spread over lanes |
//! | `last` | the thread that added last | | | |
//! | `next_refresh` | cells, if it is shared | in the refresh wheel | in the refresh wheel | |
//!
//! - A **counter** is a `fetch_add`. If it was 0 before, the metric is marked
//!   dirty. An overflow of 64 bits is a carry in `upper`. If threads keep taking
//!   turns on it, the flush makes it a *shared* one: then each thread adds to a
//!   cell of its own lane (`stripes`), and the flush takes the sum of `value`
//!   and all cells.
//! - A **total** is one `swap`. Each swap returns a different previous value,
//!   so exactly one thread sees each restart; it adds the top to `upper`. The
//!   flush reads `upper`, then `value`: `value - sent + upper` is the sum of all
//!   steps. If it reads between a swap and its addition, this can be below
//!   zero; then the flush takes nothing, and the next one has everything.
//! - A **gauge** is a `swap` of the integer or of the real number; an increment
//!   is a loop of compare and exchange.
//! - A **sample** is pushed into one of four lanes, which one depends on the
//!   thread; into the next one whose lock is free, where that is not. If threads
//!   keep taking turns on a lane, the flush chooses the lanes in another way.
//! - A **member** goes into a hash set, under the context's lock.

use std::sync::atomic::{
    AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};

use once_cell::race::OnceBox;

use crate::error::Error;
use crate::metric::budget::Budget;
use crate::metric::key::{INLINE, KeyBytes};
use crate::metric::kind::Kind;
use crate::metric::members::Members;
use crate::metric::samples::Samples;
use crate::metric::stripes::Cells;

pub mod budget;
pub mod integer;
pub mod key;
pub mod kind;
pub mod lane;
pub mod members;
pub mod samples;
pub mod stripes;
pub mod value;

/// A metric. Two cache lines that it shares with no other.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct Metric {
    /// A counter's sum since the last flush; the newest total; a gauge's
    /// integer.
    value: AtomicI64,
    /// A counter's carries, each 2^64; what a total was before each restart
    /// since the last flush; the bits of a gauge's real number.
    upper: AtomicU64,
    sent: AtomicU64,
    /// When it was sent; how often threads took turns on a counter; how a
    /// timer's or histogram's threads are spread over its lanes.
    sent_at: AtomicU64,
    extra: OnceBox<Extra>,
    /// The thread that added last to a counter whose state is its kind alone;
    /// 0 of any other.
    last: AtomicUsize,
    /// The next in a slot of the refresh wheel; of a counter, its cells.
    pub(crate) next_refresh: AtomicPtr<Metric>,
    /// The place of a long key is in the first cache line, a short key itself
    /// in the second, where all is that a call reads.
    key: KeyBytes,
    hash: AtomicU32,
    key_len: AtomicU16,
    name_len: AtomicU16,
    state: AtomicU8,
    /// The newest value of a gauge is its real number; 0 or less was added to
    /// a counter since the last flush.
    is_real: AtomicBool,
    sent_as: AtomicU8,
    in_wheel: AtomicBool,
    /// The bytes from here to what its group has in the dirty queues: as many
    /// times -128 as its place in the group, from 1.
    head: i16,
    /// Of the settings that it is recorded under.
    generation: AtomicU16,
    /// The context that it belongs to; of another spelling, the metric meant.
    owner: AtomicPtr<()>,
}

#[derive(Debug)]
enum Extra {
    Samples(Samples),
    Members(Members),
}

/// A metric whose recording takes the fast path has its kind for a state, or
/// is a shared counter; any other has another one of these besides.
pub mod state {
    /// Each call sends at once.
    pub const IMMEDIATE: u8 = 0x08;
    /// The name is too long with the prefix of now.
    pub const TOO_LONG: u8 = 0x10;
    /// Not recorded since it was forgotten.
    pub const FORGOTTEN: u8 = 0x20;
    /// Another spelling of a metric.
    pub const SPELLING: u8 = 0x40;
    /// A counter with cells for several threads.
    pub const SHARED: u8 = 0x80;
    /// The bits of the kind.
    pub const KIND: u8 = 0x07;
    /// No kind: a disabled context's.
    pub const INERT: u8 = 0x07;
}

impl Metric {
    /// A metric that belongs to no context.
    pub const fn blank(state: u8) -> Metric {
        Metric {
            value: AtomicI64::new(0),
            upper: AtomicU64::new(0),
            state: AtomicU8::new(state),
            is_real: AtomicBool::new(false),
            sent_as: AtomicU8::new(0),
            key_len: AtomicU16::new(0),
            name_len: AtomicU16::new(0),
            last: AtomicUsize::new(0),
            extra: OnceBox::new(),
            sent: AtomicU64::new(0),
            sent_at: AtomicU64::new(0),
            hash: AtomicU32::new(0),
            in_wheel: AtomicBool::new(false),
            head: 0,
            generation: AtomicU16::new(0),
            next_refresh: AtomicPtr::new(std::ptr::null_mut()),
            owner: AtomicPtr::new(std::ptr::null_mut()),
            key: KeyBytes::empty(),
        }
    }

    /// A metric with this key: a name, a NUL byte, and its tags.
    pub fn new(state: u8, key: &[u8], hash: u32, owner: *mut ()) -> Result<Metric, Error> {
        let metric = Metric::blank(state);
        // SAFETY: no other thread knows it yet.
        unsafe { metric.set_key(key, hash) }?;
        metric.set_owner(owner);
        Ok(metric)
    }

    /// Replaces the key.
    ///
    /// # Safety
    /// No other thread uses the metric, and no one has a reference to its key.
    pub unsafe fn set_key(&self, key: &[u8], hash: u32) -> Result<(), Error> {
        // SAFETY: the caller vouches for it.
        unsafe { self.key.replace(self.key_len.load(Relaxed).into(), key) }?;
        let name_len = key.iter().position(|b| *b == 0).unwrap_or(key.len());
        self.key_len.store(key.len() as u16, Relaxed);
        self.name_len.store(name_len as u16, Relaxed);
        self.hash.store(hash, Relaxed);
        Ok(())
    }

    /// Nothing was ever recorded.
    pub fn reset(&self, state: u8) {
        self.value.store(0, SeqCst);
        self.upper.store(0, SeqCst);
        self.is_real.store(false, SeqCst);
        self.sent.store(0, Relaxed);
        self.sent_at.store(0, Relaxed);
        self.forget_sent();
        self.state.store(state, SeqCst);
        self.last.store(0, SeqCst);
    }

    /// What was given as the owner.
    #[inline]
    pub fn owner(&self) -> *mut () {
        self.owner.load(Relaxed)
    }

    /// Takes the place of the owner.
    pub fn set_owner(&self, owner: *mut ()) {
        self.owner.store(owner, Relaxed);
    }

    /// The key's hash.
    #[inline]
    pub fn hash(&self) -> u32 {
        self.hash.load(Relaxed)
    }

    /// Name and tags, with a NUL between them where there are tags.
    #[inline]
    pub fn key(&self) -> &[u8] {
        self.key.get(self.key_len.load(Relaxed).into())
    }

    /// The cleaned name.
    pub fn name(&self) -> &[u8] {
        &self.key()[..usize::from(self.name_len.load(Relaxed))]
    }

    /// The cleaned tags, `k:v,k2:v2`.
    pub fn tags(&self) -> &[u8] {
        self.key().get(usize::from(self.name_len.load(Relaxed)) + 1..).unwrap_or_default()
    }

    /// The cleaned name and its length, of a metric without tags whose name
    /// has at most `longest` bytes, itself at most `INLINE`.
    #[inline]
    pub fn short_name(&self, longest: usize) -> Option<(&[u8; INLINE], usize)> {
        let len = self.name_len.load(Relaxed);
        let is_short = self.key_len.load(Relaxed) == len && usize::from(len) <= longest;
        is_short.then(|| (self.key.inline(), usize::from(len)))
    }

    /// The kind, with what keeps recording from the fast path.
    #[inline]
    pub fn state(&self) -> u8 {
        self.state.load(Relaxed)
    }

    /// What was recorded, as a kind.
    #[inline]
    pub fn kind(&self) -> Kind {
        Kind::ALL[usize::from(self.state() & state::KIND).min(5)]
    }

    /// Sets or takes away one of the `state` bits.
    pub fn set_state(&self, bit: u8, on: bool) {
        if on {
            self.state.fetch_or(bit, SeqCst);
            // see `note_thread`: no call takes the fast path unseen
            self.last.store(0, SeqCst);
        } else {
            self.state.fetch_and(!bit, SeqCst);
        }
    }

    /// Whether a flush sends one number of it.
    #[inline]
    pub fn is_number(&self) -> bool {
        self.state() & state::KIND <= Kind::Gauge as u8
    }

    /// The bytes to what its group has in the dirty queues.
    #[inline(always)]
    pub fn head(&self) -> i16 {
        self.head
    }

    /// Notes its place in its group, from 1.
    pub fn set_place(&mut self, place: usize) {
        self.head = -((place * size_of::<Metric>()) as i16);
    }

    /// Whether the refresh wheel has it.
    #[inline]
    pub(crate) fn is_in_wheel(&self) -> bool {
        self.in_wheel.load(Relaxed)
    }

    /// The refresh wheel has it, or not. The lock of the context is held.
    pub(crate) fn set_in_wheel(&self, is: bool) {
        self.in_wheel.store(is, Relaxed);
    }

    /// The generation of the settings that it is recorded under. The lock of
    /// the context is held.
    pub fn generation(&self) -> u16 {
        self.generation.load(Relaxed)
    }

    /// Sets it.
    pub fn set_generation(&self, generation: u16) {
        self.generation.store(generation, Relaxed);
    }

    /// Whether a number was recorded since the last flush, or a gauge has a
    /// value.
    pub fn has_number(&self) -> bool {
        let in_cell = || self.cells().is_some_and(|c| c.all().any(|cell| cell.load(SeqCst) != 0));
        self.value.load(SeqCst) != 0 || self.upper.load(SeqCst) != 0 || in_cell()
    }

    /// The cells of a shared counter whose recording takes the fast path.
    #[inline(always)]
    fn plain_cells(&self) -> Option<Cells> {
        if self.state() == Kind::Counter as u8 | state::SHARED { self.load_cells() } else { None }
    }

    /// The cells of a shared counter.
    fn cells(&self) -> Option<Cells> {
        if self.state() & state::SHARED != 0 { self.load_cells() } else { None }
    }

    #[inline(always)]
    fn load_cells(&self) -> Option<Cells> {
        // SAFETY: of a shared counter, `share` put them there before it
        // changed the state; they live as long as the registry that has both.
        unsafe { Cells::at(self.next_refresh.load(Acquire).cast()) }
    }

    /// Gives a counter cells for several threads. The lock of the context is
    /// held. They are of the same registry.
    pub(crate) fn share(&self, cells: Cells) {
        self.next_refresh.store(cells.address().cast(), Release);
        self.set_state(state::SHARED, true);
    }

    /// When `mark_sent` was, in ms.
    pub fn sent_at(&self) -> u64 {
        self.sent_at.load(Relaxed)
    }

    /// A timer's or histogram's samples.
    #[inline]
    pub fn samples(&self) -> Option<&Samples> {
        match self.extra.get() {
            Some(Extra::Samples(samples)) => Some(samples),
            _ => None,
        }
    }

    /// Keeps a sample of a timer or histogram. Whether it is the first of a
    /// lane since the last flush; `None` where the metric is another.
    #[inline(always)]
    pub fn keep_sample(&self, value: f64, budget: &Budget) -> Option<bool> {
        let spread = self.sent_at.load(Relaxed) as u32;
        Some(self.samples()?.record(value, spread, budget))
    }

    /// Threads met in one lane of a timer or histogram: from now on, others
    /// do.
    pub fn spread_threads(&self) {
        let spread = self.sent_at.load(Relaxed) as u32;
        self.sent_at.store(samples::next_spread(spread).into(), Relaxed);
    }

    /// A set's members.
    pub fn members(&self) -> Option<&Members> {
        match self.extra.get() {
            Some(Extra::Members(members)) => Some(members),
            _ => None,
        }
    }

    /// Makes what a timer, histogram or set needs.
    pub fn allocate(&self) {
        let extra = match self.kind() {
            Kind::Timer | Kind::Histogram => Extra::Samples(Samples::default()),
            Kind::Set => Extra::Members(Members::default()),
            Kind::Counter | Kind::Total | Kind::Gauge => return,
        };
        let _ = self.extra.set(Box::new(extra));
    }

    /// In a child process: only what a gauge or total is stays.
    pub fn after_fork(&self, budget: &Budget) {
        match self.kind() {
            Kind::Counter => {
                self.value.store(0, SeqCst);
                self.upper.store(0, SeqCst);
                self.is_real.store(false, SeqCst);
                if let Some(cells) = self.cells() {
                    cells.all().for_each(|cell| cell.store(0, SeqCst));
                }
            }
            Kind::Total => {
                self.upper.store(0, SeqCst);
                self.sent.store(self.value.load(SeqCst) as u64, Relaxed);
            }
            _ => {}
        }
        self.in_wheel.store(false, Relaxed);
        self.forget_sent();
        match self.extra.get() {
            Some(Extra::Samples(samples)) => samples.after_fork(budget),
            Some(Extra::Members(members)) => members.clear(budget),
            None => {}
        }
    }

    /// Of another spelling: the metric meant is ready.
    pub fn is_spelling(&self) -> bool {
        self.state.load(Acquire) & state::SPELLING != 0
    }
}

impl Drop for Metric {
    fn drop(&mut self) {
        self.key.clear((*self.key_len.get_mut()).into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    #[test]
    fn two_cache_lines() {
        assert_eq!(size_of::<Metric>(), 128);
        // what calls change is in one, what they read in the other
        assert!(offset_of!(Metric, last) < 64 && offset_of!(Metric, next_refresh) < 64);
        #[cfg(target_pointer_width = "64")]
        assert_eq!(offset_of!(Metric, key), 56, "a short key begins the second");
        assert!(offset_of!(Metric, owner) < 128);
    }

    #[test]
    fn a_long_key() {
        let key = [&b"n".repeat(200)[..], b"\0k:v"].concat();
        let metric = Metric::new(0, &key, 7, std::ptr::null_mut()).unwrap();
        assert_eq!((metric.name().len(), metric.tags()), (200, &b"k:v"[..]));
        assert_eq!(metric.key(), key);
        let metric = Metric::new(0, b"n\0k:v", 7, std::ptr::null_mut()).unwrap();
        assert_eq!((metric.name(), metric.tags()), (&b"n"[..], &b"k:v"[..]));
    }
}
