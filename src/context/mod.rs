//! A context: what the caller holds. Numbers and samples are recorded into
//! its registry without a lock; everything on its way out goes through one.

#![forbid(unsafe_code)]

pub mod configure;
pub mod flush;
pub mod record;
pub mod scheduler;
pub mod turn;

use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicU64,
    Ordering::{Relaxed, SeqCst},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::context::flush::{Flush, Work};
use crate::encode::settings::Settings;
use crate::error::Error;
use crate::log::Message;
use crate::metric::samples::Budget;
use crate::process::exit;
use crate::registry::Registry;
use crate::send::connection::Link;
use crate::send::delivery::Delivery;
use crate::send::endpoint::Endpoint;
use crate::send::pace::{Burst, GAP};
use crate::stats::Stats;
use crate::sys;
use crate::sys::flux::Flux;

/// Where messages go that are not Flux's to hear.
pub type Sink = Box<dyn Fn(&Message) + Send>;

/// A context.
#[derive(Debug)]
pub struct Context {
    pub(crate) me: Weak<Context>,
    flux: Option<Flux>,
    /// There is an end point: otherwise the context is disabled.
    pub(crate) live: Option<Live>,
    sink: Mutex<Silent>,
    /// At exit.
    number: usize,
    /// Of the process that it was made in.
    generation: u32,
}

/// What a context has that is not disabled.
#[derive(Debug)]
pub struct Live {
    /// The metrics.
    pub registry: Registry,
    /// The memory for samples and members.
    pub budget: Budget,
    /// Turns come, by a thread or a reactor: what is recorded will go.
    pub(crate) ticking: AtomicBool,
    /// The generation of the process that it was made in, or cleaned up in.
    generation: AtomicU32,
    pub(crate) way: Mutex<Way>,
}

/// The way out of a context.
#[derive(Debug)]
pub(crate) struct Way {
    pub settings: Settings,
    pub delivery: Delivery,
    pub flush: Flush,
    /// When the next flush begins, on the background thread (ns).
    pub next_flush: u64,
    /// When the background thread turns this context next (ns).
    pub turn_at: Option<u64>,
    /// The background thread knows this context.
    pub joined: bool,
    /// The reactor's timer was set to go on with a flush.
    pub continuing: bool,
    /// The period of the reactor's timer (ns).
    pub timer_period: u64,
    pub closed: bool,
    /// There is a sink.
    pub heard: bool,
}

/// A sink, or none; it has nothing to show.
struct Silent(Option<Sink>);

impl std::fmt::Debug for Silent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "a sink" } else { "no sink" })
    }
}

impl Way {
    /// Borrows it for a piece of work of the flush.
    pub fn work<'a>(
        &'a mut self,
        live: &'a Live,
        now: u64,
        burst: Option<Burst>,
    ) -> (&'a mut Flush, Work<'a>) {
        let Way { settings, delivery, flush, .. } = self;
        let Live { registry, budget, .. } = live;
        (flush, Work { registry, settings, budget, delivery, now, burst })
    }

    /// In a child process: gauges and the base of totals are kept; all else
    /// that was recorded or waits is the parent's to send.
    #[cold]
    fn after_fork(&mut self, live: &Live) {
        live.generation.store(sys::generation(), Relaxed);
        live.ticking.store(false, SeqCst);
        live.registry.for_each(|metric| metric.after_fork(&live.budget));
        self.flush.after_fork(&live.registry);
        self.delivery.after_fork();
        self.next_flush = sys::now() + phase(self.settings.period);
        self.turn_at = None;
        self.joined = false;
        self.continuing = false;
    }
}

impl Context {
    /// A context that is disabled: it takes everything and does nothing.
    pub fn disabled(flux: Option<Flux>) -> Arc<Context> {
        let sink = Mutex::new(Silent(None));
        Arc::new(Context { me: Weak::new(), flux, live: None, sink, number: 0, generation: 0 })
    }

    /// A context that sends to `endpoint`. `complaint` goes before the
    /// message of a look-up that fails.
    pub fn new(
        endpoint: Endpoint,
        settings: Settings,
        flux: Option<Flux>,
        complaint: &'static str,
    ) -> Arc<Context> {
        let now = sys::now();
        let link = Link::new(endpoint, complaint);
        let (registry, readers) = Registry::new(settings.max_metrics);
        let way = Way {
            delivery: Delivery::new(link, settings.mtu, settings.buffer),
            flush: Flush::new(readers, &settings, now),
            next_flush: now + phase(settings.period),
            turn_at: None,
            joined: false,
            continuing: false,
            timer_period: settings.period,
            closed: false,
            heard: false,
            settings,
        };
        let budget = Budget::new(way.settings.buffer);
        let ticking = AtomicBool::new(false);
        let generation = AtomicU32::new(sys::generation());
        let live = Some(Live { registry, budget, ticking, generation, way: Mutex::new(way) });
        let sink = Mutex::new(Silent(None));
        let context = Arc::new_cyclic(|me: &Weak<Context>| {
            let number = exit::add(me.clone());
            Context { me: me.clone(), flux, live, sink, number, generation: sys::generation() }
        });
        if let Some((_, mut way)) = context.lock() {
            context.resolve(&mut way, now);
        }
        context
    }

    /// Whether an end point is configured.
    pub fn is_enabled(&self) -> bool {
        self.live.is_some()
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
        let generation = self.live.as_ref().map(|live| live.generation.load(Relaxed));
        generation == Some(sys::generation())
    }

    /// In a child process: what is recorded next finds out that nothing is
    /// set up here.
    pub fn stop_ticking(&self) {
        if let Some(live) = &self.live {
            live.ticking.store(false, SeqCst);
        }
    }

    /// How long after its creation the first flush of a context comes, and
    /// its period, in seconds.
    pub fn first_flush(&self) -> (f64, f64) {
        let period = self.lock().map_or(0, |(_, way)| timer_period(way.settings.period));
        (phase(period) as f64 / 1e9, period as f64 / 1e9)
    }

    /// Sends a text now, or keeps what the kernel does not take.
    pub fn send_text(&self, text: &[u8]) -> Result<(), Error> {
        let Some((live, mut way)) = self.lock() else { return Ok(()) };
        let now = sys::roughly_now();
        if way.delivery.link().0.addresses().is_lookup_due(now) {
            self.resolve(&mut way, now);
        }
        let sent = way.delivery.send_text(text, now, &live.budget);
        if !way.delivery.is_clear() {
            self.wake(live, &mut way, now + GAP);
        }
        self.report(way);
        sent
    }

    /// Keeps a text for the next flush, or sends it where the period is 0.
    pub fn append_text(&self, text: &[u8]) -> Result<(), Error> {
        let Some((live, mut way)) = self.lock() else { return Ok(()) };
        if way.settings.period == 0 {
            drop(way);
            return self.send_text(text);
        }
        let now = sys::now();
        way.delivery.drain(&mut Burst::of_flush(now), now);
        let kept = way.delivery.append_text(text, now, &live.budget);
        if way.delivery.has_appended() {
            self.start_ticking(live, &mut way);
        }
        self.report(way);
        kept
    }

    /// The counts, and how many bytes wait.
    pub fn stats(&self) -> (Stats, usize) {
        match self.lock() {
            Some((_, mut way)) => (way.delivery.book().stats, way.delivery.pending()),
            None => Default::default(),
        }
    }

    /// Gives messages to `sink` from now on, or to Flux where it is `None`.
    pub fn set_sink(&self, sink: Option<Sink>) {
        let heard = sink.is_some();
        if let Some(mut own) = self.lock_sink() {
            own.0 = sink;
        }
        if let Some((_, mut way)) = self.lock() {
            way.heard = heard;
            self.report(way);
        }
    }

    /// Sends what is pending, for 100 ms at the most, and lets go of
    /// everything.
    pub fn close(&self) {
        if self.is_enabled() {
            exit::remove(self.number);
        }
        if let Some(flux) = self.flux() {
            flux.destroy_timer();
        }
        if let Some((_, mut way)) = self.lock() {
            // no turn, and no thread for one, comes any more
            way.closed = true;
        }
        let _ = self.flush();
        let Some((_, mut way)) = self.lock() else { return };
        let lines = way.flush.unsent_lines();
        way.delivery.give_up();
        way.delivery.book().stats.dropped_send += lines;
        way.delivery.link().0.close();
        let joined = std::mem::take(&mut way.joined);
        let turn_at = way.turn_at.take();
        drop(way);
        if let Some(mut sink) = self.lock_sink() {
            sink.0 = None;
        }
        if joined {
            scheduler::leave(&self.me, turn_at);
        }
    }

    pub(crate) fn lock(&self) -> Option<(&Live, MutexGuard<'_, Way>)> {
        let (live, mut way) = self.lock_as_it_is()?;
        if live.generation.load(Relaxed) != sys::generation() {
            way.after_fork(live);
        }
        Some((live, way))
    }

    /// Locks without the clean-up that a child process does first.
    pub(crate) fn lock_as_it_is(&self) -> Option<(&Live, MutexGuard<'_, Way>)> {
        let live = self.live.as_ref()?;
        Some((live, live.way.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Waits for a message that is being told. A child's sink may be locked by
    /// a thread that is not here.
    fn lock_sink(&self) -> Option<MutexGuard<'_, Silent>> {
        if sys::generation() == self.generation {
            Some(self.sink.lock().unwrap_or_else(PoisonError::into_inner))
        } else {
            self.sink.try_lock().ok()
        }
    }

    /// Unlocks, and says what is to be said where there is a sink. Flux is
    /// told by the next turn of its reactor.
    pub(crate) fn report(&self, mut way: MutexGuard<'_, Way>) {
        if !way.delivery.book().problems.any() {
            return;
        }
        if let Some(flux) = self.flux() {
            flux.wake();
        }
        if !way.heard {
            return;
        }
        drop(way);
        // busy: this is a call from within a sink, or another thread's turn
        // to tell, which looks again before it ends
        while let Ok(sink) = self.sink.try_lock() {
            let Some(sink) = &sink.0 else { return };
            let messages = self.lock().map(|(_, mut way)| way.delivery.book().problems.take());
            match messages {
                Some(messages) if !messages.is_empty() => messages.iter().for_each(sink),
                _ => return,
            }
        }
    }
}

/// The period of the timer: where metrics go at once, it is there for what
/// could not.
pub(crate) fn timer_period(period: u64) -> u64 {
    if period == 0 { crate::encode::settings::SECOND } else { period }
}

/// A part of the period, another for each context, so that not all flush at
/// the same instant: multiples of the golden ratio spread evenly.
pub(crate) fn phase(period: u64) -> u64 {
    static CONTEXTS: AtomicU64 = AtomicU64::new(1);
    let n = CONTEXTS.fetch_add(1, Relaxed) as f64;
    let part = (n * 0.618_033_988_749_895).fract();
    ((0.25 + 0.75 * part) * timer_period(period) as f64) as u64
}
