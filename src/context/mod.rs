//! A context, which the caller has a pointer to. Numbers and samples are
//! recorded into its registry without a lock; everything that is sent goes
//! through one.

#![forbid(unsafe_code)]

pub mod collected;
pub mod configure;
pub mod fast;
pub mod flush;
pub mod notice;
pub mod outage;
pub mod packets;
pub mod phase;
pub mod record;
pub mod scheduler;
pub mod telemetry;
pub mod turn;

use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::context::collected::Collected;
use crate::context::flush::{Flush, Mode, Work, change};
use crate::context::outage::Outage;
use crate::encode::packet::each_line;
use crate::encode::settings::Settings;
use crate::error::Error;
use crate::log::{Journal, Message, Problem};
use crate::metric::budget::Budget;
use crate::registry::Registry;
use crate::send::connection::Connection;
use crate::send::delivery::{Delivery, count_rejected};
use crate::send::endpoint::Endpoint;
use crate::send::pace::Burst;
use crate::send::queue::Queue;
use crate::stats::{Stats, Told};
use crate::sys;
use crate::sys::flux::Flux;
use crate::sys::fork_lock::{Guard, Lock};

/// Where messages go that are not Flux's to hear.
pub type Logger = Box<dyn Fn(&Message) + Send>;

/// A context.
#[derive(Debug)]
pub struct Context {
    pub(crate) me: Weak<Context>,
    flux: Option<Flux>,
    /// `None` if the context is disabled: no endpoint is configured.
    pub(crate) active: Option<Active>,
    logger: Mutex<Sink>,
    /// Where the list of the process's contexts has it.
    pub(crate) entry: AtomicUsize,
    /// Of the process that it was made in.
    generation: u32,
}

/// What a context has that is not disabled.
#[derive(Debug)]
pub struct Active {
    /// The metrics.
    pub registry: Registry,
    /// The memory for samples and members.
    pub budget: Budget,
    /// Turns come, by a thread or a reactor: what is recorded will go.
    pub(crate) ticking: AtomicBool,
    /// The generation of the process that it was made in, or cleaned up in.
    generation: AtomicU32,
    pub(crate) outbound: Lock<Outbound>,
}

/// What a context needs to send, behind one lock.
#[derive(Debug)]
pub(crate) struct Outbound {
    pub settings: Settings,
    pub journal: Journal,
    pub delivery: Delivery,
    /// Lines that the caller wrote for the next flush.
    pub appended: Queue,
    /// Lines that go at the end of a reactor's turn.
    pub collected: Collected,
    pub flush: Flush,
    /// When the next flush begins, on the background thread (ns).
    pub next_flush: u64,
    /// When the background thread turns this context next (ns).
    pub turn_at: Option<u64>,
    /// The background thread knows this context.
    pub joined: bool,
    /// The reactor's timer runs: a turn comes within a period.
    pub timer_runs: bool,
    /// The reactor's timer was set to go on with a flush.
    pub continuing: bool,
    /// The period of the reactor's timer (ns).
    pub timer_period: u64,
    pub closed: bool,
    /// There is a sink.
    pub has_logger: bool,
    /// The server does not answer, and Flux's log has a message about it.
    pub outage: Option<Outage>,
    /// A set's member that is being recorded, cleaned.
    member: Vec<u8>,
    /// Whoever reads stderr was told that the environment's host has no
    /// address.
    pub noticed: bool,
    /// The counts are sent, too: what is known of them.
    pub told: Option<Box<Told>>,
}

/// Where messages go.
#[derive(Default)]
struct Sink {
    logger: Option<Logger>,
    /// Why the context is disabled: for the first logger.
    reason: Option<Message>,
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.logger.is_some() { "a logger" } else { "no logger" })
    }
}

impl Outbound {
    /// Borrows it for a piece of work of the flush.
    pub fn work<'a>(
        &'a mut self,
        active: &'a Active,
        now: u64,
        mode: Mode,
    ) -> (&'a mut Flush, Work<'a>) {
        let Outbound { settings, journal, delivery, appended, flush, .. } = self;
        let Active { registry, budget, .. } = active;
        (flush, Work { registry, settings, budget, appended, delivery, journal, now, mode })
    }

    /// How many bytes wait.
    pub fn pending(&self) -> usize {
        self.delivery.pending() + self.appended.len() + self.collected.len()
    }

    /// Whether a call took what turns have to send.
    pub fn has_more(&self) -> bool {
        !self.delivery.is_clear() || self.flush.has_detached()
    }

    /// A host that the environment names has no address: that is said where
    /// nobody else hears of it.
    fn notice_lookup(&mut self) {
        if self.noticed {
            return;
        }
        if let Some(message) = self.journal.problems.begun(Problem::Resolve) {
            self.noticed = true;
            notice::wait(message);
        }
    }

    /// In a child process: gauges and the base of totals are kept; all else
    /// that was recorded or waits is the parent's to send.
    #[cold]
    fn after_fork(&mut self, active: &Active) {
        active.generation.store(sys::generation(), Relaxed);
        active.ticking.store(false, SeqCst);
        let adapts = self.settings.after_fork() || self.flush.is_changing();
        active.registry.for_each(|metric| {
            metric.after_fork(&active.budget);
            if adapts {
                change::adapt(&self.settings, metric, true);
            }
            metric.set_generation(active.registry.generation());
        });
        self.flush.after_fork(&active.registry, &active.budget);
        self.delivery.after_fork();
        self.appended.clear();
        self.collected = Collected::new(self.settings.mtu);
        // the parent's, whose list another thread may have locked
        std::mem::forget(self.outage.take());
        self.next_flush = phase::after(sys::now(), timer_period(self.settings.period));
        self.turn_at = None;
        self.joined = false;
        self.timer_runs = false;
        self.continuing = false;
    }
}

impl Context {
    /// A context that is disabled: every call succeeds and does nothing. The
    /// reason is that of a wrong setting, where there is one.
    pub fn disabled(flux: Option<Flux>, reason: Option<Message>) -> Arc<Context> {
        let logger = Mutex::new(Sink { logger: None, reason });
        Arc::new(Context {
            me: Weak::new(),
            flux,
            active: None,
            logger,
            entry: AtomicUsize::new(usize::MAX),
            generation: sys::generation(),
        })
    }

    /// A context that sends to `endpoint`.
    pub(crate) fn new(endpoint: Endpoint, settings: Settings, flux: Option<Flux>) -> Arc<Context> {
        let now = sys::now();
        let connection = Connection::new(endpoint, settings.source);
        let (registry, readers) = Registry::new(settings.max_metrics);
        let out = Outbound {
            journal: Journal::default(),
            appended: Queue::default(),
            collected: Collected::new(settings.mtu),
            delivery: Delivery::new(connection, settings.mtu, settings.buffer),
            flush: Flush::new(readers, &settings, now),
            next_flush: phase::after(now, timer_period(settings.period)),
            turn_at: None,
            joined: false,
            timer_runs: false,
            continuing: false,
            timer_period: settings.period,
            closed: false,
            has_logger: false,
            outage: None,
            member: Vec::new(),
            noticed: false,
            told: None,
            settings,
        };
        let budget = Budget::new(out.settings.buffer, out.settings.max_samples);
        let ticking = AtomicBool::new(false);
        let generation = AtomicU32::new(sys::generation());
        let active =
            Some(Active { registry, budget, ticking, generation, outbound: Lock::new(out) });
        let logger = Mutex::default();
        let generation = sys::generation();
        let entry = AtomicUsize::new(usize::MAX);
        let context = Arc::new_cyclic(|me: &Weak<Context>| Context {
            me: me.clone(),
            flux,
            active,
            logger,
            entry,
            generation,
        });
        if let Some((_, mut out)) = context.lock() {
            context.resolve(&mut out, now);
        }
        context
    }

    /// Whether an endpoint is configured.
    pub fn is_enabled(&self) -> bool {
        self.active.is_some()
    }

    /// The Flux handle of this context. A child process has none.
    pub fn flux(&self) -> Option<&Flux> {
        self.flux.as_ref().filter(|_| self.generation == sys::generation())
    }

    /// The broker's rank, 0 without Flux.
    pub fn rank(&self) -> u32 {
        self.flux.as_ref().map_or(0, Flux::rank)
    }

    /// Whether this process has used the context.
    pub fn is_adopted(&self) -> bool {
        let generation = self.active.as_ref().map(|active| active.generation.load(Relaxed));
        generation == Some(sys::generation())
    }

    /// In a child process: what is recorded next finds out that nothing is
    /// set up here.
    pub fn stop_ticking(&self) {
        if let Some(active) = &self.active {
            active.ticking.store(false, SeqCst);
        }
    }

    /// Keeps a text for the next flush, or sends it where the period is 0.
    pub fn append_text(&self, text: &[u8]) -> Result<(), Error> {
        let Some((active, mut out)) = self.lock() else { return Ok(()) };
        if out.settings.period == 0 {
            drop(out);
            return self.send_text(text);
        }
        let now = sys::now();
        let Outbound { settings, journal, delivery, appended, .. } = &mut *out;
        delivery.drain(&mut Burst::of_flush(now), now, journal);
        let bound = settings.buffer.saturating_sub(delivery.waiting() + active.budget.used());
        let mut full = 0;
        let rejected = each_line(text, settings.mtu, |line| full += appended.push(line, 1, bound));
        journal.dropped_full(full, settings.buffer, now);
        let kept = count_rejected(rejected, settings.buffer, now, journal);
        if !out.appended.is_empty() {
            self.start_ticking(active, &mut out);
        }
        self.unlock_and_log(out);
        kept
    }

    /// Sends a line that is made of the settings, as `send_text` does. One that
    /// cannot be made is counted.
    pub fn send_line(
        &self,
        what: &str,
        make: impl FnOnce(&Settings) -> Result<Vec<u8>, Error>,
    ) -> Result<(), Error> {
        let Some((_, mut out)) = self.lock() else { return Ok(()) };
        match make(&out.settings) {
            Ok(line) => {
                drop(out);
                self.send_text(&line)
            }
            Err(error) => {
                out.journal.dropped_bad(error, what, sys::now());
                self.unlock_and_log(out);
                Err(error)
            }
        }
    }

    /// The counts, and how many bytes wait.
    pub fn stats(&self) -> (Stats, usize) {
        match self.lock() {
            Some((_, out)) => (out.journal.stats, out.pending()),
            None => Default::default(),
        }
    }

    /// Gives messages to `sink` from now on, or to Flux where it is `None`.
    pub fn set_logger(&self, logger: Option<Logger>) {
        let has_logger = logger.is_some();
        if let Some(mut own) = self.lock_logger() {
            let Sink { logger: own, reason } = &mut *own;
            *own = logger;
            if let Some(logger) = own {
                if let Some(message) = reason.take() {
                    logger(&message);
                    notice::heard();
                }
            }
        }
        if let Some((_, mut out)) = self.lock() {
            out.has_logger = has_logger;
            self.unlock_and_log(out);
        }
    }

    /// Sends what is pending, for at most 100 ms, and releases everything.
    pub(crate) fn end(&self) {
        if let Some(flux) = self.flux() {
            flux.destroy_watchers();
        }
        if let Some((_, mut out)) = self.lock() {
            // no turn, and no thread for one, comes any more
            out.closed = true;
        }
        let _ = self.flush();
        let Some((_, mut out)) = self.lock() else { return };
        let lines = out.flush.unsent_lines();
        out.journal.stats.dropped_send +=
            lines + out.delivery.give_up() + out.appended.clear() + out.collected.clear();
        out.delivery.connection().close();
        out.outage = None;
        let joined = std::mem::take(&mut out.joined);
        let turn_at = out.turn_at.take();
        drop(out);
        if let Some(mut logger) = self.lock_logger() {
            logger.logger = None;
        }
        if joined {
            scheduler::leave(self.me.clone(), turn_at);
        }
    }

    pub(crate) fn lock(&self) -> Option<(&Active, Guard<'_, Outbound>)> {
        let (active, mut out) = self.lock_as_it_is()?;
        if active.generation.load(Relaxed) != sys::generation() {
            out.after_fork(active);
        }
        Some((active, out))
    }

    /// Locks without the clean-up that a child process does first.
    #[inline(always)]
    pub(crate) fn lock_as_it_is(&self) -> Option<(&Active, Guard<'_, Outbound>)> {
        let active = self.active.as_ref()?;
        Some((active, active.outbound.lock()))
    }

    /// Whether its `Outbound` is unlocked at this moment.
    pub fn is_free(&self) -> bool {
        self.active.as_ref().is_none_or(|active| active.outbound.is_free())
    }

    /// Waits for a message that is being logged. A child's sink may be locked by
    /// a thread that is not here.
    fn lock_logger(&self) -> Option<MutexGuard<'_, Sink>> {
        if sys::generation() == self.generation {
            Some(self.logger.lock().unwrap_or_else(PoisonError::into_inner))
        } else {
            self.logger.try_lock().ok()
        }
    }

    /// Unlocks, and says what is to be said where there is a sink. Flux is
    /// told by the next turn of its reactor.
    pub(crate) fn unlock_and_log(&self, mut out: Guard<'_, Outbound>) {
        if !out.journal.problems.any() {
            return;
        }
        self.start_timer(&mut out);
        if !out.has_logger {
            return;
        }
        drop(out);
        // busy: this is a call from within a sink, or another thread is
        // logging, which looks again before it ends
        while let Ok(logger) = self.logger.try_lock() {
            let Some(logger) = &logger.logger else { return };
            let Some((_, mut out)) = self.lock() else { return };
            let (messages, noticed) = (out.journal.problems.take(), out.noticed);
            drop(out);
            if messages.is_empty() {
                return;
            }
            messages.iter().for_each(logger);
            if noticed {
                notice::heard();
            }
        }
    }
}

/// The period of the timer: where metrics go at once, it is there for what
/// could not.
pub(crate) fn timer_period(period: u64) -> u64 {
    if period == 0 { crate::encode::settings::SECOND } else { period }
}
