//! Turns: what makes a context send. They come from the background thread,
//! from a reactor, from the resolver, and from flush and destroy.

#![forbid(unsafe_code)]

use std::sync::MutexGuard;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use crate::context::flush::Mode;
use crate::context::scheduler::{self, Turn};
use crate::context::{Active, Context, Outbound, timer_period};
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

impl Turn for Context {
    fn scheduled_turn(&self) {
        let Some((active, mut out)) = self.lock() else { return };
        let now = sys::now();
        if out.turn_at.is_none_or(|at| at > now) {
            return;
        }
        out.turn_at = None;
        let begin = now >= out.next_flush;
        let next = self.turn(active, &mut out, now, begin);
        self.wake_for(active, &mut out, next);
        self.unlock_and_log(out);
    }
}

impl Context {
    /// A turn on the handle's reactor.
    pub fn reactor_turn(&self) {
        let (Some((active, mut out)), Some(flux)) = (self.lock(), self.flux()) else { return };
        let now = sys::now();
        let begin = !std::mem::take(&mut out.continuing);
        if begin {
            out.next_flush = now;
        }
        let next = self.turn(active, &mut out, now, begin);
        let period = timer_period(out.settings.period);
        let delay = match next {
            Next::At(at) => Some(at.saturating_sub(now).max(GAP)).filter(|delay| *delay < period),
            Next::Flush | Next::Never => None,
        };
        out.continuing = delay.is_some();
        let reset = delay.is_some() || out.timer_period != period;
        out.timer_period = period;
        let mut messages = Vec::new();
        if out.has_logger {
            self.unlock_and_log(out);
        } else {
            messages = out.journal.problems.take();
            drop(out);
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
    fn turn(&self, active: &Active, out: &mut Outbound, now: u64, begin: bool) -> Next {
        if out.closed {
            return Next::Never;
        }
        if memory::probe().is_err() {
            return Next::At(now + NO_MEMORY);
        }
        self.resolve(out, now);
        if begin {
            let period = timer_period(out.settings.period);
            let late = now - out.next_flush.min(now);
            out.next_flush += (late / period + 1) * period;
            if out.flush.is_open() {
                out.flush.begin_values(&active.registry);
            } else {
                out.flush.begin(&active.registry, now);
            }
        }
        let open = out.flush.is_open();
        let progress = if open {
            let (flush, mut work) = out.work(active, now, Mode::Send(Burst::of_flush(now)));
            flush.turn(&mut work)
        } else {
            {
                let Outbound { delivery, journal, .. } = &mut *out;
                delivery.drain(&mut Burst::of_flush(now), now, journal)
            }
        };
        let Outbound { delivery, journal, .. } = &mut *out;
        let connection = delivery.connection();
        journal.problems.settle(now);
        match progress {
            Progress::More => {
                let period = timer_period(out.settings.period);
                Next::At(now + out.flush.gap(now, period))
            }
            Progress::Blocked => {
                let retry = connection
                    .addresses()
                    .lookup_at()
                    .unwrap_or(connection.retry_at())
                    .max(now + GAP);
                if retry < out.next_flush { Next::At(retry) } else { Next::Flush }
            }
            Progress::Done if connection.addresses().is_looking_up() => Next::Flush,
            Progress::Done => self.rest(active, out, begin),
        }
    }

    /// Nothing is left to be sent: the next turn is that of the next flush,
    /// or none where this one had nothing either.
    fn rest(&self, active: &Active, out: &mut Outbound, begin: bool) -> Next {
        let recorded = |out: &Outbound| !out.flush.is_at_end(&active.registry);
        // a timer that keeps its reactor running rests even if gauges are to
        // be refreshed
        let lasting = self.flux().is_none_or(|flux| !flux.keeps_reactor());
        let busy = !begin || out.flush.was_busy() || lasting && out.flush.has_refreshes();
        if busy || recorded(out) || !out.appended.is_empty() {
            return Next::Flush;
        }
        active.ticking.store(false, SeqCst);
        if recorded(out) {
            active.ticking.store(true, SeqCst);
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
            let Some((active, mut out)) = self.lock() else { return Ok(()) };
            let now = sys::now();
            memory::probe()?;
            self.resolve(&mut out, now);
            if !begun {
                out.delivery.connection().hurry();
            }
            if !begun && !out.flush.is_open() {
                out.flush.begin(&active.registry, now);
                begun = true;
            }
            let (flush, mut work) = out.work(active, now, Mode::Send(Burst::of_flush(now)));
            let progress = flush.turn(&mut work);
            if progress == Progress::Done && begun {
                self.unlock_and_log(out);
                return Ok(());
            }
            if now >= deadline {
                if out.pending() > 0 || out.flush.is_open() {
                    self.wake(active, &mut out, now + GAP);
                }
                self.unlock_and_log(out);
                return Err(Error::Again);
            }
            self.unlock_and_log(out);
            if progress != Progress::Done {
                std::thread::sleep(Duration::from_nanos(GAP));
            }
        }
    }

    /// Looks the host's name up where that is due.
    pub(crate) fn resolve(&self, out: &mut Outbound, now: u64) {
        let Outbound { delivery, journal, .. } = &mut *out;
        let connection = delivery.connection();
        connection.resolve(now, journal, || {
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
        let Some((_, mut out)) = self.lock() else { return };
        let Outbound { delivery, journal, .. } = &mut *out;
        let connection = delivery.connection();
        if connection.addresses().is_looking_up() || journal.problems.any() {
            self.flux().map(|flux| flux.wake());
        }
    }

    /// The resolver has an answer: what waited for it can go.
    fn looked_up(&self) {
        let Some((active, mut out)) = self.lock() else { return };
        let next = self.turn(active, &mut out, sys::now(), false);
        if !out.delivery.is_clear() {
            self.wake_for(active, &mut out, next);
        }
        self.unlock_and_log(out);
    }

    fn wake_for(&self, active: &Active, out: &mut Outbound, next: Next) {
        match next {
            Next::At(at) => self.wake(active, out, at),
            Next::Flush => {
                let at = out.next_flush;
                self.wake(active, out, at);
            }
            Next::Never => {}
        }
    }

    /// Something was recorded while no turns came.
    #[cold]
    pub fn tick(&self) {
        // without memory the next call tries again
        if let Some((active, mut out)) = self.lock()
            && memory::probe().is_ok()
        {
            self.start_ticking(active, &mut out);
            self.unlock_and_log(out);
        }
    }

    pub(crate) fn start_ticking(&self, active: &Active, out: &mut MutexGuard<'_, Outbound>) {
        if active.ticking.swap(true, SeqCst) {
            return;
        }
        if self.flux().is_some_and(|flux| flux.has_timer()) {
            let woken = self.flux().is_some_and(|flux| flux.wake());
            active.ticking.store(woken, SeqCst);
            return;
        }
        let (now, period) = (sys::now(), timer_period(out.settings.period));
        if out.next_flush <= now {
            out.next_flush += ((now - out.next_flush) / period + 1) * period;
        }
        let at = out.next_flush;
        self.wake(active, out, at);
    }

    /// Sees to it that a turn comes at the time `at`.
    pub(crate) fn wake(&self, active: &Active, out: &mut Outbound, at: u64) {
        if out.closed {
            return;
        }
        if let Some(flux) = self.flux().filter(|flux| flux.has_timer()) {
            flux.wake();
            return;
        }
        active.ticking.store(true, SeqCst);
        if out.turn_at.is_some_and(|turn_at| turn_at <= at) {
            return;
        }
        if !std::mem::replace(&mut out.joined, true) {
            scheduler::join();
        }
        let before = out.turn_at.replace(at);
        let started = scheduler::turn_at(self.me.clone(), at, before);
        if started.is_err() {
            // the next call asks again
            out.turn_at = None;
            active.ticking.store(false, SeqCst);
        }
        out.journal.thread(started, sys::now());
    }
}
