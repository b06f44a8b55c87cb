//! Turns: what makes a context send. They come from the background thread,
//! from a reactor, from the resolver, and from flush and destroy.

#![forbid(unsafe_code)]

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use crate::context::flush::Mode;
use crate::context::outage::Outage;
use crate::context::scheduler::{self, Turn};
use crate::context::{Active, Context, Outbound, phase, timer_period};
use crate::error::Error;
use crate::log::{About, DEBUG, Message, Problem};
use crate::send::delivery::Progress;
use crate::send::pace::{Burst, GAP};
use crate::sys;
use crate::sys::flux::Flux;
use crate::sys::fork_lock::Guard;
use crate::sys::memory;

/// The longest that a flush or a destroy takes, in ns.
pub const FLUSH_LIMIT: u64 = 100_000_000;

/// While a server refuses what there is, and the period is longer than this
/// (ns), it is tried again after this long.
const LONGEST_RETRY: u64 = 10_000_000_000;

/// A turn for which there is no memory is made this much later, in ns.
const NO_MEMORY: u64 = 100_000_000;

/// When the next turn is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// At this time (ns), to go on with what waits.
    At(u64),
    /// When the next flush begins.
    Flush,
    /// With the flush at this time (ns), for a refresh, unless something is
    /// recorded.
    Refresh(u64),
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
        let next = self.turn(active, &mut out, now, begin);
        let period = timer_period(out.settings.period);
        let until = |at: u64| at.saturating_sub(now).max(GAP);
        out.continuing = matches!(next, Next::At(at) if until(at) < period);
        out.timer_runs = matches!(next, Next::At(_) | Next::Flush);
        let delay = match next {
            Next::At(at) if out.continuing => Some(until(at)),
            Next::Refresh(at) => Some(until(at)),
            // else it goes on by itself
            _ if !begin || out.timer_period != period => Some(until(out.next_flush)),
            _ => None,
        };
        out.timer_period = period;
        // what wakes it next takes the same lock
        match delay {
            _ if next == Next::Never => flux.rest(),
            Some(delay) => flux.fire_after(delay as f64 / 1e9, period as f64 / 1e9),
            None => {}
        }
        let mut messages = Vec::new();
        if out.has_logger {
            self.unlock_and_log(out);
        } else {
            messages = out.journal.problems.take();
            drop(out);
        }
        for message in &messages {
            self.log_to_flux(flux, message);
        }
    }

    /// Logs a message through Flux, on its reactor. A server that does not
    /// answer is news once a process.
    fn log_to_flux(&self, flux: &Flux, message: &Message) {
        let Some(About { problem: Problem::Send, begins }) = message.about else {
            return flux.log(message);
        };
        let Some((_, mut out)) = self.lock() else { return };
        let is_news = if begins {
            let endpoint = out.delivery.connection().endpoint().to_string();
            let (outage, is_first) = Outage::begin(endpoint);
            out.outage = Some(outage);
            is_first
        } else {
            out.outage.take().is_none_or(Outage::end)
        };
        drop(out);
        if is_news {
            flux.log(&Message { level: DEBUG, ..message.clone() });
        }
    }

    /// Sends what is due, and with `begin` what was recorded.
    fn turn(&self, active: &Active, out: &mut Outbound, now: u64, begin: bool) -> Next {
        if out.closed {
            return Next::Never;
        }
        if memory::check().is_err() {
            return Next::At(now + NO_MEMORY);
        }
        self.resolve(out, now);
        if begin {
            let period = timer_period(out.settings.period);
            // a reactor's timer may come a little early
            out.next_flush = phase::after(now + period / 16, period);
            if out.flush.is_open() && !out.flush.is_changing() {
                out.flush.begin_values(&active.registry);
            } else {
                out.record_counts(active);
                out.flush.begin(&active.registry, now);
            }
        }
        let progress = if out.flush.is_open() || out.flush.has_detached() {
            self.turn_of_flush(active, out, now)
        } else {
            let Outbound { delivery, journal, .. } = &mut *out;
            delivery.drain(&mut Burst::of_flush(now), now, journal)
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
                let period = timer_period(out.settings.period).min(LONGEST_RETRY);
                let retry = if retry - now < period / 4 {
                    retry
                } else {
                    // the back-off has come to the period: with the flush
                    phase::after(now, period)
                };
                if retry < out.next_flush { Next::At(retry) } else { Next::Flush }
            }
            Progress::Done if connection.addresses().is_looking_up() => Next::Flush,
            Progress::Done if !out.flush.release_idle(&active.registry, &active.budget, now) => {
                Next::At(now + GAP)
            }
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
        let busy = !begin || out.flush.was_busy();
        if busy || recorded(out) || !out.appended.is_empty() {
            return Next::Flush;
        }
        active.ticking.store(false, SeqCst);
        if recorded(out) {
            active.ticking.store(true, SeqCst);
            return Next::Flush;
        }
        let refresh = out.flush.refresh_at(&active.registry).filter(|_| lasting);
        refresh.map_or(Next::Never, |due| {
            let period = timer_period(out.settings.period);
            Next::Refresh(phase::after(due - period / 8, period).max(out.next_flush))
        })
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
            memory::check()?;
            self.resolve(&mut out, now);
            self.send_collected(active, &mut out, now);
            if !begun {
                out.delivery.connection().hurry();
            }
            if !begun && !out.flush.is_open() {
                out.record_counts(active);
                out.flush.begin(&active.registry, now);
                begun = true;
            }
            let progress = self.turn_of_flush(active, &mut out, now);
            if progress == Progress::Done && begun {
                if !out.flush.release_idle(&active.registry, &active.budget, now) {
                    self.wake(active, &mut out, now + GAP);
                }
                self.unlock_and_log(out);
                return Ok(());
            }
            if now >= deadline {
                if out.pending() > 0 || out.flush.is_open() || out.flush.has_detached() {
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

    /// Goes on with a flush, or with a change of settings.
    fn turn_of_flush(&self, active: &Active, out: &mut Outbound, now: u64) -> Progress {
        let was_changing = out.flush.is_changing();
        let (flush, mut work) = out.work(active, now, Mode::Send(Burst::of_flush(now)));
        let progress = flush.turn(&mut work);
        if was_changing && !out.flush.is_changing() {
            // opens the fast path again
            let at = out.next_flush;
            self.wake(active, out, at);
        }
        progress
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
        if self.flux.is_none() && !out.settings.source.is_empty() && !out.has_logger {
            out.notice_lookup();
        }
    }

    /// The same, if the time shows that it is due.
    pub(crate) fn resolve_if_due(&self, out: &mut Outbound, now: u64) {
        if out.delivery.connection().addresses().is_lookup_due(now) {
            self.resolve(out, now);
        }
    }

    /// The first turn takes the answer of a lookup that is under way, or
    /// reports that there was none.
    pub fn wake_for_lookup(&self) {
        let Some((_, mut out)) = self.lock() else { return };
        let Outbound { delivery, journal, .. } = &mut *out;
        let connection = delivery.connection();
        if connection.addresses().is_looking_up() || journal.problems.any() {
            self.start_timer(&mut out);
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
            // ticking is not set: what is recorded asks for a sooner turn
            Next::Refresh(at) => self.turn_at(active, out, at),
            Next::Never => {}
        }
    }

    /// Something was recorded while no turns came.
    #[cold]
    pub fn tick(&self) {
        // without memory the next call tries again
        if let Some((active, mut out)) = self.lock() {
            if memory::probe().is_ok() {
                self.start_ticking(active, &mut out);
                self.unlock_and_log(out);
            }
        }
    }

    pub(crate) fn start_ticking(&self, active: &Active, out: &mut Guard<'_, Outbound>) {
        if out.flush.is_changing() {
            return self.wake(active, out, sys::now() + GAP);
        }
        if active.ticking.swap(true, SeqCst) {
            return;
        }
        out.next_flush = phase::after(sys::now(), timer_period(out.settings.period));
        let at = out.next_flush;
        self.wake(active, out, at);
    }

    /// Sees to it that a turn comes at the time `at`.
    pub(crate) fn wake(&self, active: &Active, out: &mut Outbound, at: u64) {
        if out.closed {
            return;
        }
        active.ticking.store(!out.flush.is_changing(), SeqCst);
        if !self.start_timer(out) {
            self.turn_at(active, out, at);
        }
    }

    /// Whether the reactor's timer runs. Starts it, on its handle's thread;
    /// on another the background thread does the work while it rests.
    pub(crate) fn start_timer(&self, out: &mut Outbound) -> bool {
        let Some(flux) = self.flux().filter(|flux| flux.has_timer() && !out.closed) else {
            return false;
        };
        if !out.timer_runs && flux.is_owner() {
            let (now, period) = (sys::now(), timer_period(out.settings.period));
            let changing = out.flush.is_changing();
            let delay = if changing { GAP } else { phase::after(now, period) - now };
            flux.fire_after(delay as f64 / 1e9, period as f64 / 1e9);
            (out.timer_runs, out.continuing, out.timer_period) = (true, changing, period);
        }
        out.timer_runs
    }

    /// Asks the background thread for a turn at the time `at`.
    fn turn_at(&self, active: &Active, out: &mut Outbound, at: u64) {
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
