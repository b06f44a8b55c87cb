//! Locks that are all taken around a fork. While they are, the thread that
//! forks may take them again: a host's own `pthread_atfork` handlers may make
//! calls, on either side of the library's.

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicUsize, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use crate::sys::thread_id;

/// The thread that has all locks because it forks, or 0. Not in a variable
/// of the thread, which may have to be allocated.
static FORKER: AtomicUsize = AtomicUsize::new(0);
/// The process that forks.
static PARENT: AtomicI32 = AtomicI32::new(0);
/// What a child does first.
static IN_CHILD: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());

/// The calling thread has all locks, and forks.
pub fn begin(in_child: fn()) {
    PARENT.store(pid(), Relaxed);
    IN_CHILD.store(in_child as *mut (), Relaxed);
    FORKER.store(thread_id(), Relaxed);
}

/// The fork is over.
pub fn end() {
    FORKER.store(0, Relaxed);
}

/// Whether the calling thread is one that forks: a handler of the host calls.
/// In the child the fork is over with that.
#[inline]
pub fn is_forking() -> bool {
    let forker = FORKER.load(Relaxed);
    if forker == 0 || forker != thread_id() {
        return false;
    }
    is_parent()
}

#[cold]
fn is_parent() -> bool {
    if PARENT.load(Relaxed) != pid() {
        let in_child = IN_CHILD.load(Relaxed);
        // SAFETY: `begin` stored a function of this type.
        unsafe { std::mem::transmute::<*mut (), fn()>(in_child)() };
        return false;
    }
    true
}

fn pid() -> i32 {
    // SAFETY: it cannot fail.
    unsafe { libc::getpid() }
}

/// A lock around a value.
#[derive(Debug)]
pub struct Lock<T> {
    mutex: Mutex<()>,
    value: UnsafeCell<T>,
}

// SAFETY: one thread at a time gets at the value: the one that has `mutex`.
// The one that forks has it from before to after the fork, in a guard that is
// not looked into meanwhile; and a call that took the same lock twice would
// wait for itself for ever at any other time, so none does.
unsafe impl<T: Send> Sync for Lock<T> {}

/// The value, locked.
#[derive(Debug)]
pub struct Guard<'a, T> {
    lock: &'a Lock<T>,
    /// `None` in a handler of a fork, which has it already.
    mutex: Option<MutexGuard<'a, ()>>,
}

impl<T> Lock<T> {
    /// A lock around `value`.
    pub const fn new(value: T) -> Lock<T> {
        Lock { mutex: Mutex::new(()), value: UnsafeCell::new(value) }
    }

    /// Locks it.
    #[inline(always)]
    pub fn lock(&self) -> Guard<'_, T> {
        let wait = || self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        let mutex = if is_forking() { None } else { Some(wait()) };
        Guard { lock: self, mutex }
    }

    /// Locks it, unless it is locked.
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        if is_forking() {
            return Some(Guard { lock: self, mutex: None });
        }
        let mutex = match self.mutex.try_lock() {
            Ok(mutex) => mutex,
            Err(TryLockError::Poisoned(error)) => error.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(Guard { lock: self, mutex: Some(mutex) })
    }

    /// Whether it is unlocked at this moment.
    pub fn is_free(&self) -> bool {
        self.try_lock().is_some()
    }
}

impl<T> Guard<'_, T> {
    /// Unlocks it until `wake` is notified, or for so long.
    pub fn wait(&mut self, wake: &Condvar, time: Option<Duration>) {
        let Some(mutex) = self.mutex.take() else { return };
        self.mutex = Some(match time {
            Some(time) => wake.wait_timeout(mutex, time).unwrap_or_else(PoisonError::into_inner).0,
            None => wake.wait(mutex).unwrap_or_else(PoisonError::into_inner),
        });
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the calling thread has the lock: see `Lock`.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut *self.lock.value.get() }
    }
}
