//! A context: what the caller holds. Everything meets here and goes through
//! one lock on its way out.

#![forbid(unsafe_code)]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::delivery::{BURST, Delivery, Drained, GAP};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::flux::Flux;
use crate::link::Link;
use crate::log::Message;
use crate::packet::MAX_PACKET;
use crate::scheduler;
use crate::stats::Stats;
use crate::sys;

/// The longest that a flush or a destroy takes, in ns.
const FLUSH_LIMIT: u64 = 100_000_000;
/// Bytes that wait at the most, by default.
const BUFFER: usize = 16 * 1024 * 1024;
/// The period of the timer on a reactor, in seconds.
pub const PERIOD: f64 = 1.0;

/// Where messages go that are not Flux's to hear.
pub type Sink = Box<dyn Fn(&Message) + Send>;

/// A context. It is enabled where it has a way out.
#[derive(Debug)]
pub struct Context {
    me: Weak<Context>,
    way: Option<Mutex<Way>>,
    flux: Option<Flux>,
    sink: Mutex<Silent>,
}

#[derive(Debug)]
struct Way {
    delivery: Delivery,
    /// When the background thread turns this context next (ns).
    turn_at: Option<u64>,
    /// The background thread knows this context.
    joined: bool,
    closed: bool,
}

/// A sink, or none; it has nothing to show.
struct Silent(Option<Sink>);

impl std::fmt::Debug for Silent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "a sink" } else { "no sink" })
    }
}

impl Context {
    /// A context that sends to `endpoint`, or that is disabled where there
    /// is none. `complaint` goes before the message of a look-up that fails.
    pub fn new(
        endpoint: Option<Endpoint>,
        flux: Option<Flux>,
        complaint: &'static str,
    ) -> Arc<Context> {
        let context = Arc::new_cyclic(|me| Context {
            me: me.clone(),
            way: endpoint.map(|endpoint| {
                let link = Link::new(endpoint, complaint);
                let delivery = Delivery::new(link, MAX_PACKET, BUFFER);
                Mutex::new(Way { delivery, turn_at: None, joined: false, closed: false })
            }),
            flux,
            sink: Mutex::new(Silent(None)),
        });
        if let Some(mut way) = context.lock() {
            context.resolve(&mut way, sys::now());
        }
        context
    }

    /// Whether an end point is configured.
    pub fn is_enabled(&self) -> bool {
        self.way.is_some()
    }

    /// The Flux handle of this context.
    pub fn flux(&self) -> Option<&Flux> {
        self.flux.as_ref()
    }

    /// Sends a text now, or keeps what the kernel does not take.
    pub fn send_text(&self, text: &[u8]) -> Result<(), Error> {
        let Some(mut way) = self.lock() else { return Ok(()) };
        let now = sys::now();
        let sent = way.delivery.send_text(text, now);
        if way.delivery.pending() > 0 {
            self.wake(&mut way, now + GAP);
        }
        self.report(way);
        sent
    }

    /// The counts, and how many bytes wait.
    pub fn stats(&self) -> (Stats, usize) {
        match self.lock() {
            Some(mut way) => (way.delivery.book().stats, way.delivery.pending()),
            None => Default::default(),
        }
    }

    /// Gives messages to `sink` from now on, or to Flux where it is `None`.
    pub fn set_sink(&self, sink: Option<Sink>) {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner).0 = sink;
        if let Some(way) = self.lock() {
            self.report(way);
        }
    }

    /// Sends what waits, for 100 ms at the most, and lets go of everything.
    pub fn close(&self) {
        if let Some(flux) = &self.flux {
            flux.destroy_timer();
        }
        let _ = self.drain_all();
        let Some(mut way) = self.lock() else { return };
        way.closed = true;
        way.delivery.give_up();
        way.delivery.link().0.close();
        let joined = std::mem::take(&mut way.joined);
        drop(way);
        self.sink.lock().unwrap_or_else(PoisonError::into_inner).0 = None;
        if joined {
            scheduler::leave();
        }
    }

    /// A turn on the background thread.
    pub fn scheduled_turn(&self) {
        let Some(mut way) = self.lock() else { return };
        let now = sys::now();
        if way.turn_at.is_none_or(|at| at > now) {
            return;
        }
        way.turn_at = None;
        if let Some(next) = self.turn(way, now) {
            self.wake_at(next);
        }
    }

    /// A turn on the handle's reactor.
    pub fn reactor_turn(&self) {
        let (Some(way), Some(flux)) = (self.lock(), &self.flux) else { return };
        let now = sys::now();
        let next = self.turn(way, now);
        let messages = self.lock().map(|mut way| way.delivery.book().problems.take());
        for message in messages.iter().flatten() {
            flux.log(message);
        }
        match next {
            Some(next) => {
                let delay = next.saturating_sub(now).max(GAP) as f64 / 1e9;
                if delay < PERIOD {
                    flux.fire_after(delay, PERIOD);
                }
            }
            None => flux.rest(),
        }
    }

    /// Sends what is due. When the next turn is, if there is more to do.
    fn turn(&self, mut way: MutexGuard<'_, Way>, now: u64) -> Option<u64> {
        if way.closed {
            return None;
        }
        self.resolve(&mut way, now);
        let mut left = BURST;
        let drained = way.delivery.drain(&mut left, now);
        let (link, book) = way.delivery.link();
        book.problems.settle(now);
        let next = match drained {
            Drained::Empty => link.lookup_at(),
            Drained::More => Some(now + GAP),
            Drained::Blocked => Some(link.lookup_at().unwrap_or(link.retry_at()).max(now + GAP)),
        };
        self.report(way);
        next
    }

    /// Sends all that waits, in bursts, for 100 ms at the most.
    fn drain_all(&self) -> Result<(), Error> {
        let deadline = sys::now() + FLUSH_LIMIT;
        if let Some(mut way) = self.lock() {
            way.delivery.link().0.hurry();
        }
        loop {
            let Some(mut way) = self.lock() else { return Ok(()) };
            if way.delivery.pending() == 0 {
                return Ok(());
            }
            let now = sys::now();
            if now >= deadline {
                return Err(Error::Again);
            }
            self.resolve(&mut way, now);
            let mut left = BURST;
            way.delivery.drain(&mut left, now);
            self.report(way);
            std::thread::sleep(Duration::from_nanos(GAP));
        }
    }

    fn resolve(&self, way: &mut Way, now: u64) {
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
        let Some(way) = self.lock() else { return };
        if let Some(next) = self.turn(way, sys::now()) {
            self.wake_at(next);
        }
    }

    fn wake_at(&self, at: u64) {
        if let Some(mut way) = self.lock() {
            self.wake(&mut way, at);
        }
    }

    /// Sees to it that a turn comes at the time `at`.
    fn wake(&self, way: &mut Way, at: u64) {
        if way.closed {
            return;
        }
        if let Some(flux) = self.flux.as_ref().filter(|flux| flux.has_timer()) {
            flux.wake();
            return;
        }
        if way.turn_at.is_some_and(|turn_at| turn_at <= at) {
            return;
        }
        if !std::mem::replace(&mut way.joined, true) {
            scheduler::join();
        }
        way.turn_at = Some(at);
        scheduler::turn_at(self.me.clone(), at);
    }

    fn lock(&self) -> Option<MutexGuard<'_, Way>> {
        Some(self.way.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Unlocks, and says what is to be said where there is a sink. Flux is
    /// told by the next turn of its reactor.
    fn report(&self, mut way: MutexGuard<'_, Way>) {
        if !way.delivery.book().problems.any() {
            return;
        }
        if let Some(flux) = &self.flux {
            flux.wake();
        }
        drop(way);
        // busy: this is a call from within a sink, or another thread's turn
        // to tell, which looks again before it ends
        while let Ok(sink) = self.sink.try_lock() {
            let Some(sink) = &sink.0 else { return };
            let messages = self.lock().map(|mut way| way.delivery.book().problems.take());
            match messages {
                Some(messages) if !messages.is_empty() => messages.iter().for_each(sink),
                _ => return,
            }
        }
    }
}
