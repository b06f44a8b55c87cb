//! Turns: what makes a context send. They come from the background thread,
//! from a reactor, from the resolver, and from flush and destroy.

#![forbid(unsafe_code)]

use std::sync::MutexGuard;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use crate::context::scheduler;
use crate::context::{Context, Live, Way, timer_period};
use crate::error::Error;
use crate::send::delivery::Progress;
use crate::send::pace::{Burst, GAP};
use crate::sys;
use crate::sys::memory;

/// The longest that a flush or a destroy takes, in ns.
pub const FLUSH_LIMIT: u64 = 100_000_000;

/// A turn for which there is no memory is made this much later, in ns.
const NO_MEMORY: u64 = 100_000_000;

/// When the next turn is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// At this time (ns), to go on with what waits.
    At(u64),
    /// When the next flush begins.
    Flush,
    /// When there is something to do again.
    Never,
}

impl Context {
    /// A turn on the background thread.
    pub fn scheduled_turn(&self) {
        let Some((live, mut way)) = self.lock() else { return };
        let now = sys::now();
        if way.turn_at.is_none_or(|at| at > now) {
            return;
        }
        way.turn_at = None;
        let begin = now >= way.next_flush;
        let next = self.turn(live, &mut way, now, begin);
        self.wake_for(live, &mut way, next);
        self.report(way);
    }

    /// A turn on the handle's reactor.
    pub fn reactor_turn(&self) {
        let (Some((live, mut way)), Some(flux)) = (self.lock(), self.flux()) else { return };
        let now = sys::now();
        let begin = !std::mem::take(&mut way.continuing);
        if begin {
            way.next_flush = now;
        }
        let next = self.turn(live, &mut way, now, begin);
        let period = timer_period(way.settings.period);
        let delay = match next {
            Next::At(at) => Some(at.saturating_sub(now).max(GAP)).filter(|delay| *delay < period),
            Next::Flush | Next::Never => None,
        };
        way.continuing = delay.is_some();
        let reset = delay.is_some() || way.timer_period != period;
        way.timer_period = period;
        let mut messages = Vec::new();
        if way.heard {
            self.report(way);
        } else {
            messages = way.delivery.book().problems.take();
            drop(way);
        }
        for message in &messages {
            flux.log(message);
        }
        if next == Next::Never {
            flux.rest();
        } else if reset {
            flux.fire_after(delay.unwrap_or(period) as f64 / 1e9, period as f64 / 1e9);
        }
    }

    /// Sends what is due, and with `begin` what was recorded.
    fn turn(&self, live: &Live, way: &mut Way, now: u64, begin: bool) -> Next {
        if way.closed {
            return Next::Never;
        }
        if memory::check().is_err() {
            return Next::At(now + NO_MEMORY);
        }
        self.resolve(way, now);
        if begin {
            let period = timer_period(way.settings.period);
            let late = now - way.next_flush.min(now);
            way.next_flush += (late / period + 1) * period;
            if way.flush.is_open() {
                way.flush.begin_lists(&live.registry);
            } else {
                way.flush.begin(&live.registry, now);
            }
        }
        let open = way.flush.is_open();
        let progress = if open {
            let (flush, mut work) = way.work(live, now, Some(Burst::of_flush(now)));
            flush.turn(&mut work)
        } else {
            way.delivery.drain(&mut Burst::of_flush(now), now)
        };
        let (link, book) = way.delivery.link();
        book.problems.settle(now);
        match progress {
            Progress::More => {
                let period = timer_period(way.settings.period);
                Next::At(now + way.flush.gap(now, period))
            }
            Progress::Blocked => {
                let retry = link.addresses().lookup_at().unwrap_or(link.retry_at()).max(now + GAP);
                if retry < way.next_flush { Next::At(retry) } else { Next::Flush }
            }
            Progress::Done if link.addresses().is_looking_up() => Next::Flush,
            Progress::Done => self.rest(live, way, begin),
        }
    }

    /// Nothing is left to be sent: the next turn is that of the next flush,
    /// or none where this one had nothing either.
    fn rest(&self, live: &Live, way: &mut Way, begin: bool) -> Next {
        let recorded = || !live.registry.numbers.is_empty() || !live.registry.lists.is_empty();
        // a timer that keeps its reactor running rests even if gauges are to
        // be refreshed
        let lasting = self.flux().is_none_or(|flux| !flux.keeps_reactor());
        let busy = !begin || way.flush.was_busy() || lasting && way.flush.has_refreshes();
        if busy || recorded() || way.delivery.has_appended() {
            return Next::Flush;
        }
        live.ticking.store(false, SeqCst);
        if recorded() {
            live.ticking.store(true, SeqCst);
            return Next::Flush;
        }
        Next::Never
    }

    /// Sends all that was recorded or waits, in bursts, for 100 ms at most.
    pub fn flush(&self) -> Result<(), Error> {
        self.flush_until(sys::now() + FLUSH_LIMIT)
    }

    /// The same, up to a time in ns.
    pub(crate) fn flush_until(&self, deadline: u64) -> Result<(), Error> {
        let mut begun = false;
        loop {
            let Some((live, mut way)) = self.lock() else { return Ok(()) };
            let now = sys::now();
            memory::check()?;
            self.resolve(&mut way, now);
            if !begun {
                way.delivery.link().0.hurry();
            }
            if !begun && !way.flush.is_open() {
                way.flush.begin(&live.registry, now);
                begun = true;
            }
            let (flush, mut work) = way.work(live, now, Some(Burst::of_flush(now)));
            let progress = flush.turn(&mut work);
            if progress == Progress::Done && begun {
                self.report(way);
                return Ok(());
            }
            if now >= deadline {
                if way.delivery.pending() > 0 || way.flush.is_open() {
                    self.wake(live, &mut way, now + GAP);
                }
                self.report(way);
                return Err(Error::Again);
            }
            self.report(way);
            if progress != Progress::Done {
                std::thread::sleep(Duration::from_nanos(GAP));
            }
        }
    }

    /// Looks the host's name up where that is due.
    pub(crate) fn resolve(&self, way: &mut Way, now: u64) {
        let (link, book) = way.delivery.link();
        link.resolve(now, book, || {
            let me = self.me.clone();
            Box::new(move || {
                if let Some(context) = me.upgrade() {
                    context.looked_up();
                }
            })
        });
    }

    /// The first turn is to take the answer of a look-up that is under way, or
    /// to tell that there was none.
    pub fn wake_for_lookup(&self) {
        let Some((_, mut way)) = self.lock() else { return };
        let (link, book) = way.delivery.link();
        if link.addresses().is_looking_up() || book.problems.any() {
            self.flux().map(|flux| flux.wake());
        }
    }

    /// The resolver has an answer: what waited for it can go.
    fn looked_up(&self) {
        let Some((live, mut way)) = self.lock() else { return };
        let next = self.turn(live, &mut way, sys::now(), false);
        if !way.delivery.is_clear() {
            self.wake_for(live, &mut way, next);
        }
        self.report(way);
    }

    fn wake_for(&self, live: &Live, way: &mut Way, next: Next) {
        match next {
            Next::At(at) => self.wake(live, way, at),
            Next::Flush => {
                let at = way.next_flush;
                self.wake(live, way, at);
            }
            Next::Never => {}
        }
    }

    /// Something was recorded while no turns came.
    #[cold]
    pub fn tick(&self) {
        // without memory the next call tries again
        if let Some((live, mut way)) = self.lock()
            && memory::check().is_ok()
        {
            self.start_ticking(live, &mut way);
        }
    }

    pub(crate) fn start_ticking(&self, live: &Live, way: &mut MutexGuard<'_, Way>) {
        if live.ticking.swap(true, SeqCst) {
            return;
        }
        if self.flux().is_some_and(|flux| flux.has_timer()) {
            let woken = self.flux().is_some_and(|flux| flux.wake());
            live.ticking.store(woken, SeqCst);
            return;
        }
        let (now, period) = (sys::now(), timer_period(way.settings.period));
        if way.next_flush <= now {
            way.next_flush += ((now - way.next_flush) / period + 1) * period;
        }
        let at = way.next_flush;
        self.wake(live, way, at);
    }

    /// Sees to it that a turn comes at the time `at`.
    pub(crate) fn wake(&self, live: &Live, way: &mut Way, at: u64) {
        if way.closed {
            return;
        }
        if let Some(flux) = self.flux().filter(|flux| flux.has_timer()) {
            flux.wake();
            return;
        }
        live.ticking.store(true, SeqCst);
        if way.turn_at.is_some_and(|turn_at| turn_at <= at) {
            return;
        }
        if !std::mem::replace(&mut way.joined, true) {
            scheduler::join();
        }
        let before = way.turn_at.replace(at);
        scheduler::turn_at(self.me.clone(), at, before);
    }
}
