//! Settings changed in mid-flight: what is pending goes out under the old
//! ones.

#![forbid(unsafe_code)]

use std::sync::atomic::Ordering::SeqCst;

use crate::context::flush::Mode;
use crate::context::{Context, phase, timer_period};
use crate::encode::dialect::{Dialect, Tagging};
use crate::encode::settings::Settings;
use crate::error::Error;
use crate::metric::key::has_bare_tag;
use crate::registry::InUse;
use crate::send::pace::{Burst, GAP};
use crate::sys;
use crate::sys::flux::Flux;
use crate::sys::memory;

/// So many changes may be noted before one works off what those before it
/// left, whether it can be sent or not.
const MANY: usize = 16;

impl Context {
    /// Changes the prefix.
    pub fn set_prefix(&self, prefix: &[u8]) -> Result<(), Error> {
        let rank = self.rank();
        self.change(&mut |settings| settings.set_prefix(prefix, rank))
    }

    /// Changes the tags that every metric has.
    pub fn set_tags(&self, tags: &[u8]) -> Result<(), Error> {
        self.change(&mut |settings| settings.set_tags(tags))
    }

    /// Changes the dialect, unless tags or sets are in use that it lacks.
    pub fn set_dialect(&self, dialect: Dialect) -> Result<(), Error> {
        let Some(active) = &self.active else { return Ok(()) };
        self.change(&mut |settings| {
            let InUse { tagged, bare_tags, sets } = active.registry.in_use();
            let tagged = tagged || !settings.tags.is_empty();
            let form = dialect.form();
            let bare = bare_tags || has_bare_tag(&settings.tags);
            if tagged && form.tags == Tagging::None || bare && !form.bare_tags || sets && !form.sets
            {
                let lacking = match () {
                    () if sets && !form.sets => "sets",
                    () if bare && !form.bare_tags && form.tags != Tagging::None => {
                        "tags without a value"
                    }
                    () => "tags",
                };
                let name = form.name;
                return Err(Error::NotSupported
                    .because(format_args!("dialect {name} has no {lacking}, which are in use")));
            }
            settings.dialect = dialect;
            Ok(())
        })
    }

    /// Changes the period, in seconds.
    pub fn set_period(&self, seconds: f64) -> Result<(), Error> {
        self.change(&mut |settings| settings.set_period(seconds))?;
        if let Some((_, mut out)) = self.lock() {
            out.next_flush = phase::after(sys::now(), timer_period(out.settings.period));
            if self.flux().is_some_and(Flux::is_owner) {
                // `wake` sets the timer again below
                out.timer_runs = false;
            }
            if let Some(active) = &self.active {
                let at = out.next_flush;
                self.wake(active, &mut out, at);
            }
        }
        Ok(())
    }

    /// Changes the settings. What is pending becomes lines under those of
    /// before, what there is time for in this call and the rest in turns.
    fn change(&self, f: &mut dyn FnMut(&mut Settings) -> Result<(), Error>) -> Result<(), Error> {
        let Some((active, mut out)) = self.lock() else { return Ok(()) };
        memory::probe()?;
        let mut settings = out.settings.clone();
        f(&mut settings)?;
        if settings == out.settings {
            return Ok(());
        }
        let now = sys::now();
        let changes = out.flush.reserve_change()?;
        // the fast path is open again when all metrics are adapted
        active.ticking.store(false, SeqCst);
        let before = std::mem::replace(&mut out.settings, settings);
        out.flush.note_change(&active.registry, before);
        // many changes one after the other: those from before are not to pile
        // up where nothing can be sent
        let mode = if changes < MANY { Mode::Send(Burst::of_flush(now)) } else { Mode::Park };
        let (flush, mut work) = out.work(active, now, mode);
        flush.turn_of_call(&mut work);
        if out.flush.is_changing() && self.flux().is_some_and(Flux::is_owner) {
            // `wake` sets the timer again, for the next turn of the change
            out.timer_runs = false;
        }
        self.start_ticking(active, &mut out);
        if out.flush.is_open() || !out.delivery.is_clear() {
            self.wake(active, &mut out, now + GAP);
        }
        self.unlock_and_log(out);
        Ok(())
    }
}
