//! A reserve of memory. Rust's standard library ends the process where a small
//! allocation fails. A call looks first whether there is memory, and fails
//! with ENOMEM where there is none; what it needs in small pieces, and does not
//! get because another thread took it meanwhile, comes from here.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering};

use libfripp::sys::memory::note_short;

const BLOCK: usize = 128;
const BLOCKS: usize = 1024;

/// The system's allocator, with a reserve behind it.
pub struct Reserve {
    /// Pages that are never touched take no memory.
    memory: UnsafeCell<Memory>,
    /// Each block's: whether it is in use.
    used: UnsafeCell<[bool; BLOCKS]>,
    locked: AtomicBool,
}

#[repr(align(128))]
struct Memory(#[expect(dead_code, reason = "pieces of it are given out")] [u8; BLOCK * BLOCKS]);

// SAFETY: `used` is looked at by who has `locked`, and a block is used by
// whom it was given to.
unsafe impl Sync for Reserve {}

impl Reserve {
    pub const fn new() -> Reserve {
        Reserve {
            memory: UnsafeCell::new(Memory([0; BLOCK * BLOCKS])),
            used: UnsafeCell::new([false; BLOCKS]),
            locked: AtomicBool::new(false),
        }
    }

    fn start(&self) -> *mut u8 {
        self.memory.get().cast()
    }

    /// Runs `f` on the list of blocks, which is short work; or not, where it
    /// is another thread's for long: that may be one that a fork left behind.
    fn with<T>(&self, none: T, f: impl FnOnce(&mut [bool; BLOCKS]) -> T) -> T {
        for _ in 0..10_000 {
            if !self.locked.swap(true, Ordering::Acquire) {
                // SAFETY: nobody else has it.
                let result = f(unsafe { &mut *self.used.get() });
                self.locked.store(false, Ordering::Release);
                return result;
            }
            std::thread::yield_now();
        }
        none
    }

    #[cold]
    fn take(&self, layout: Layout) -> *mut u8 {
        note_short();
        let none = std::ptr::null_mut();
        let wanted = layout.size().div_ceil(BLOCK).max(1);
        // a large one is asked for by who can do without
        if layout.align() > BLOCK || wanted > BLOCKS / 16 {
            return none;
        }
        self.with(none, |used| {
            let mut free = 0;
            for end in 0..BLOCKS {
                free = if used[end] { 0 } else { free + 1 };
                if free == wanted {
                    let first = end + 1 - wanted;
                    used[first..=end].fill(true);
                    // SAFETY: it is inside.
                    return unsafe { self.start().add(first * BLOCK) };
                }
            }
            none
        })
    }

    /// Which block begins there, if one does.
    #[inline]
    fn block(&self, at: *mut u8) -> Option<usize> {
        let offset = at.addr().wrapping_sub(self.start().addr());
        (offset < BLOCK * BLOCKS).then_some(offset / BLOCK)
    }

    #[cold]
    fn give_back(&self, first: usize, size: usize) {
        let end = first + size.div_ceil(BLOCK).max(1);
        self.with((), |used| used[first..end].fill(false));
    }
}

// SAFETY: what the system's allocator does not give is a block of its own, of
// the size and alignment wanted, and goes back where it came from.
unsafe impl GlobalAlloc for Reserve {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller vouches.
        let at = unsafe { System.alloc(layout) };
        if at.is_null() { self.take(layout) } else { at }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let mut at = unsafe { System.alloc_zeroed(layout) };
        if at.is_null() {
            at = self.take(layout);
            if !at.is_null() {
                // SAFETY: it is of this size, and nobody else's.
                unsafe { at.write_bytes(0, layout.size()) };
            }
        }
        at
    }

    #[inline]
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        match self.block(at) {
            // SAFETY: it came from there.
            None => unsafe { System.dealloc(at, layout) },
            Some(first) => self.give_back(first, layout.size()),
        }
    }

    #[inline]
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if self.block(at).is_none() {
            // SAFETY: it came from there.
            let new = unsafe { System.realloc(at, layout, size) };
            if !new.is_null() {
                return new;
            }
        }
        // SAFETY: the size is one that the caller may ask for; both pieces
        // have as many bytes as are copied.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                new.copy_from_nonoverlapping(at, layout.size().min(size));
                self.dealloc(at, layout);
            }
            new
        }
    }
}
