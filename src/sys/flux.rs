//! Flux, as far as its broker has it in the process: found at run time, so
//! that the library loads and works where there is none.

use std::ffi::{CStr, c_char, c_double, c_int, c_void};
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use once_cell::sync::OnceCell;

use crate::log::Message;
use crate::sys;

/// libflux-core in all versions known, 0.28 to 0.88.
const SONAME: &CStr = c"libflux-core.so.2";

type Handle = *mut c_void;
type ReactorPtr = *mut c_void;
type Watcher = *mut c_void;
/// `flux_watcher_f`
pub type Callback = unsafe extern "C" fn(ReactorPtr, Watcher, c_int, *mut c_void);

struct Api {
    log: unsafe extern "C" fn(Handle, c_int, *const c_char, ...) -> c_int,
    get_rank: unsafe extern "C" fn(Handle, *mut u32) -> c_int,
    get_reactor: unsafe extern "C" fn(Handle) -> ReactorPtr,
    timer_create:
        unsafe extern "C" fn(ReactorPtr, c_double, c_double, Callback, *mut c_void) -> Watcher,
    /// Fires at the end of each turn, before the reactor waits.
    prepare_create: Option<unsafe extern "C" fn(ReactorPtr, Callback, *mut c_void) -> Watcher>,
    timer_reset: unsafe extern "C" fn(Watcher, c_double, c_double),
    start: unsafe extern "C" fn(Watcher),
    stop: unsafe extern "C" fn(Watcher),
    destroy: unsafe extern "C" fn(Watcher),
    /// The reactor's time is that of its last look at the clock.
    now_update: Option<unsafe extern "C" fn(ReactorPtr)>,
    /// Not in 0.28.
    unref: Option<unsafe extern "C" fn(Watcher)>,
}

/// A Flux handle, and what watches its reactor: a timer that turns the context,
/// a watcher that reports the end of a turn, and a timer that reports the end
/// of a hold in its place.
pub struct Flux {
    api: &'static Api,
    handle: Handle,
    /// The thread that the handle belongs to.
    owner: usize,
    rank: u32,
    timer: AtomicPtr<c_void>,
    turn_end: AtomicPtr<c_void>,
    /// Made when it is needed first, of `report`.
    hold_end: AtomicPtr<c_void>,
    report: OnceCell<(Callback, *mut c_void)>,
}

// SAFETY: the handle and the watchers are used by the owner's thread alone,
// which `is_owner` checks; the rest is plain data.
unsafe impl Send for Flux {}
// SAFETY: as above.
unsafe impl Sync for Flux {}

impl Flux {
    /// Takes a handle on its own thread, and asks Flux for the rank. `None`
    /// for a NULL handle, or where the process has no libflux-core.
    ///
    /// # Safety
    /// The handle is NULL or open, and outlives the value.
    pub unsafe fn new(handle: *mut c_void) -> Option<Flux> {
        let api = if handle.is_null() { None } else { api() }?;
        let mut rank = 0;
        // SAFETY: as above.
        if unsafe { (api.get_rank)(handle, &mut rank) } < 0 {
            rank = 0;
        }
        let (timer, turn_end, hold_end, report) = Default::default();
        Some(Flux { api, handle, owner: sys::thread_id(), rank, timer, turn_end, hold_end, report })
    }

    /// The broker's rank; 0 if Flux did not give it.
    pub fn rank(&self) -> u32 {
        self.rank
    }

    /// Whether the calling thread is the handle's.
    pub fn is_owner(&self) -> bool {
        sys::thread_id() == self.owner
    }

    /// Whether there is a timer, so that this context needs no thread.
    pub fn has_timer(&self) -> bool {
        !self.timer.load(Relaxed).is_null()
    }

    /// Makes the timer, which calls `on_timer (…, arg)` on the handle's
    /// thread, and what calls `on_turn_end (…, arg)`. They rest until
    /// `fire_after`, `watch_turn` and `hold`.
    ///
    /// # Safety
    /// On the handle's thread; both can be called with `arg` until
    /// `destroy_watchers`.
    pub unsafe fn create_watchers(
        &self,
        on_timer: Callback,
        on_turn_end: Callback,
        arg: *mut c_void,
    ) {
        // SAFETY: as above.
        let (timer, turn_end) = unsafe {
            let reactor = (self.api.get_reactor)(self.handle);
            let timer = (self.api.timer_create)(reactor, 1.0, 1.0, on_timer, arg);
            (timer, self.api.prepare_create.map(|create| create(reactor, on_turn_end, arg)))
        };
        self.timer.store(timer, Relaxed);
        self.turn_end.store(turn_end.unwrap_or(std::ptr::null_mut()), Relaxed);
        let _ = self.report.set((on_turn_end, arg));
        if let (false, Some(unref)) = (timer.is_null(), self.api.unref) {
            // SAFETY: a live watcher, on its thread; unref needs it started.
            unsafe {
                (self.api.start)(timer);
                unref(timer);
                (self.api.stop)(timer);
            }
        }
    }

    /// Whether the timer keeps a reactor running as long as it runs.
    pub fn keeps_reactor(&self) -> bool {
        self.api.unref.is_none()
    }

    /// Nothing is left to do: stops the timer. Only from its callback.
    pub fn rest(&self) {
        // SAFETY: a live watcher, on its thread.
        unsafe { (self.api.stop)(self.timer.load(Relaxed)) };
    }

    /// Lets the timer fire after `delay` seconds, then each `repeat`. Only
    /// on the handle's thread.
    pub fn fire_after(&self, delay: f64, repeat: f64) {
        self.start(self.timer.load(Relaxed), delay, repeat);
    }

    /// Starts one of the timers, unless it is NULL; whether it was.
    fn start(&self, timer: Watcher, delay: f64, repeat: f64) -> bool {
        if timer.is_null() {
            return false;
        }
        // SAFETY: a live watcher, on its thread; reset needs it stopped.
        unsafe {
            if let Some(update) = self.api.now_update {
                update((self.api.get_reactor)(self.handle));
            }
            (self.api.stop)(timer);
            (self.api.timer_reset)(timer, delay, repeat);
            (self.api.start)(timer);
        }
        true
    }

    /// Reports the end of the turn that the reactor is at, or of its first
    /// when it runs. It counts as a watcher that keeps the reactor running,
    /// so that the reactor comes to the end of the turn. False if Flux
    /// cannot report it. Only on the handle's thread.
    pub fn watch_turn(&self) -> bool {
        let turn_end = self.turn_end.load(Relaxed);
        if !turn_end.is_null() {
            // SAFETY: a live watcher, on its thread.
            unsafe { (self.api.start)(turn_end) };
        }
        !turn_end.is_null()
    }

    /// Stops reporting ends of turns. Only from the callback that reports them.
    pub fn leave_turn(&self) {
        // SAFETY: a live watcher, on its thread.
        unsafe { (self.api.stop)(self.turn_end.load(Relaxed)) };
    }

    /// Reports once more, after `delay` seconds, as at the end of a turn. False
    /// if Flux cannot. Only from the callback that reports ends of turns.
    pub fn hold(&self, delay: f64) -> bool {
        let mut timer = self.hold_end.load(Relaxed);
        if let (true, Some((report, arg))) = (timer.is_null(), self.report.get()) {
            // SAFETY: on the handle's thread; `create_watchers` got both.
            timer = unsafe {
                let reactor = (self.api.get_reactor)(self.handle);
                (self.api.timer_create)(reactor, delay, 0.0, *report, *arg)
            };
            self.hold_end.store(timer, Relaxed);
        }
        self.start(timer, delay, 0.0)
    }

    /// Logs through Flux. Only from create and the timer's callback.
    pub fn log(&self, message: &Message) {
        let text = message.c_text();
        // SAFETY: on the handle's thread; the format takes one string.
        unsafe { (self.api.log)(self.handle, message.level, c"%s".as_ptr(), text.as_ptr()) };
    }

    /// The one function of Flux that destroy calls.
    pub fn destroy_watchers(&self) {
        for watcher in [&self.timer, &self.turn_end, &self.hold_end] {
            let watcher = watcher.swap(std::ptr::null_mut(), Relaxed);
            if !watcher.is_null() {
                // SAFETY: created above, destroyed once, on the handle's thread.
                unsafe { (self.api.destroy)(watcher) };
            }
        }
    }
}

impl std::fmt::Debug for Flux {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flux").field("rank", &self.rank).finish_non_exhaustive()
    }
}

fn api() -> Option<&'static Api> {
    // not found is not for ever: Flux may be loaded later
    static API: OnceCell<Api> = OnceCell::new();
    API.get_or_try_init(|| find_api().ok_or(())).ok()
}

fn find_api() -> Option<Api> {
    // SAFETY: dlopen with NOLOAD only finds what is loaded already, where a
    // plug-in loaded it without making it global.
    let local = unsafe { libc::dlopen(SONAME.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
    let find = |name: &CStr| {
        [libc::RTLD_DEFAULT, local].into_iter().enumerate().find_map(|(i, library)| {
            if i > 0 && library.is_null() {
                return None;
            }
            // SAFETY: the library is open, the name a C string.
            let found = unsafe { libc::dlsym(library, name.as_ptr()) };
            (!found.is_null()).then_some(found)
        })
    };
    /// # Safety
    /// `address` is that of an `F`, with the prototype that <flux/core.h>
    /// has in 0.28 and 0.88.
    unsafe fn function<F>(address: *mut c_void) -> F {
        // SAFETY: as above; a function pointer has the size of an address.
        unsafe { std::mem::transmute_copy(&address) }
    }
    // SAFETY: each name goes with the type of its field.
    unsafe {
        Some(Api {
            log: function(find(c"flux_log")?),
            get_rank: function(find(c"flux_get_rank")?),
            get_reactor: function(find(c"flux_get_reactor")?),
            timer_create: function(find(c"flux_timer_watcher_create")?),
            prepare_create: find(c"flux_prepare_watcher_create").map(|create| function(create)),
            timer_reset: function(find(c"flux_timer_watcher_reset")?),
            start: function(find(c"flux_watcher_start")?),
            stop: function(find(c"flux_watcher_stop")?),
            destroy: function(find(c"flux_watcher_destroy")?),
            now_update: find(c"flux_reactor_now_update").map(|update| function(update)),
            unref: find(c"flux_watcher_unref").map(|unref| function(unref)),
        })
    }
}
