//! Turns: what makes a context send. They come from the background thread,
//! from a reactor, from the resolver, and from flush and destroy.

#![forbid(unsafe_code)]

use std::sync::MutexGuard;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use crate::context::{Context, Live, Way, timer_period};
use crate::delivery::{BURST, GAP, Progress};
use crate::error::Error;
use crate::scheduler;
use crate::sys;

/// The longest that a flush or a destroy takes, in ns.
pub const FLUSH_LIMIT: u64 = 100_000_000;

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
        if let Some(next) = next {
            self.wake(live, &mut way, next);
        }
        self.report(way);
    }

    /// A turn on the handle's reactor.
    pub fn reactor_turn(&self) {
        let (Some((live, mut way)), Some(flux)) = (self.lock(), &self.flux) else { return };
        let now = sys::now();
        let begin = !std::mem::take(&mut way.continuing);
        if begin {
            way.next_flush = now;
        }
        let next = self.turn(live, &mut way, now, begin);
        let period = timer_period(way.settings.period);
        let delay = next.map(|next| next.saturating_sub(now).max(GAP));
        let sooner = delay.filter(|delay| *delay < period);
        way.continuing = sooner.is_some();
        let reset = sooner.is_some() || way.timer_period != period;
        way.timer_period = period;
        let messages = way.delivery.book().problems.take();
        drop(way);
        for message in &messages {
            flux.log(message);
        }
        if delay.is_none() {
            flux.rest();
        } else if reset {
            let delay = sooner.unwrap_or(period);
            flux.fire_after(delay as f64 / 1e9, period as f64 / 1e9);
        }
    }

    /// Sends what is due, and with `begin` what was recorded. When the next
    /// turn is to be, if there is anything to do.
    fn turn(&self, live: &Live, way: &mut Way, now: u64, begin: bool) -> Option<u64> {
        if way.closed {
            return None;
        }
        self.resolve(way, now);
        if begin {
            let period = timer_period(way.settings.period);
            let late = now - way.next_flush.min(now);
            way.next_flush += (late / period + 1) * period;
            if !way.flush.is_open() {
                way.flush.begin(&live.registry);
            }
        }
        let open = way.flush.is_open();
        let (flush, mut work) = way.work(live, now, Some(BURST));
        let progress =
            if open { flush.turn(&mut work) } else { work.delivery.drain(&mut { BURST }, now) };
        let (link, book) = way.delivery.link();
        book.problems.settle(now);
        let (retry, lookup) = (link.retry_at(), link.lookup_at());
        match progress {
            Progress::More => Some(now + GAP),
            Progress::Blocked => Some(lookup.unwrap_or(retry).max(now + GAP).min(way.next_flush)),
            Progress::Done => self.rest(live, way, begin).or(lookup),
        }
    }

    /// Nothing is left to be sent: the next turn is that of the next flush,
    /// or none where this one had nothing either.
    fn rest(&self, live: &Live, way: &mut Way, begin: bool) -> Option<u64> {
        let something =
            |live: &Live| !live.registry.numbers.is_empty() || !live.registry.lists.is_empty();
        // a timer that keeps its reactor running rests even if gauges are to
        // be refreshed
        let lasting = self.flux.as_ref().is_none_or(|flux| !flux.keeps_reactor());
        let busy = !begin || way.flush.was_busy() || lasting && way.flush.has_refreshes();
        if busy || something(live) || way.delivery.has_appended() {
            return Some(way.next_flush);
        }
        live.ticking.store(false, SeqCst);
        if something(live) {
            live.ticking.store(true, SeqCst);
            return Some(way.next_flush);
        }
        None
    }

    /// Sends all that was recorded or waits, in bursts, for 100 ms at most.
    pub(crate) fn flush_all(&self) -> Result<(), Error> {
        self.flush_until(sys::now() + FLUSH_LIMIT)
    }

    /// The same, up to a time in ns.
    pub(crate) fn flush_until(&self, deadline: u64) -> Result<(), Error> {
        let mut begun = false;
        loop {
            let Some((live, mut way)) = self.lock() else { return Ok(()) };
            let now = sys::now();
            self.resolve(&mut way, now);
            if !begun {
                way.delivery.link().0.hurry();
            }
            if !begun && !way.flush.is_open() {
                way.flush.begin(&live.registry);
                begun = true;
            }
            let (flush, mut work) = way.work(live, now, Some(BURST));
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

    /// The resolver has an answer: what waited for it can go.
    fn looked_up(&self) {
        let Some((live, mut way)) = self.lock() else { return };
        let next = self.turn(live, &mut way, sys::now(), false);
        if let Some(next) = next {
            self.wake(live, &mut way, next);
        }
        self.report(way);
    }

    /// Something was recorded while no turns came.
    #[cold]
    pub fn tick(&self) {
        if let Some((live, mut way)) = self.lock() {
            self.start_ticking(live, &mut way);
        }
    }

    pub(crate) fn start_ticking(&self, live: &Live, way: &mut MutexGuard<'_, Way>) {
        if live.ticking.swap(true, SeqCst) {
            return;
        }
        if self.flux.as_ref().is_some_and(|flux| flux.has_timer()) {
            let woken = self.flux.as_ref().is_some_and(|flux| flux.wake());
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
        if let Some(flux) = self.flux.as_ref().filter(|flux| flux.has_timer()) {
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
        way.turn_at = Some(at);
        scheduler::turn_at(self.me.clone(), at);
    }
}
