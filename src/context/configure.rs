//! Settings changed in mid-flight: what is pending goes out under the old
//! ones.

#![forbid(unsafe_code)]

use crate::context::flush::Mode;
use crate::context::{Context, Outbound, phase, timer_period};
use crate::encode::dialect::{Dialect, Tagging};
use crate::encode::settings::Settings;
use crate::encode::tags;
use crate::error::Error;
use crate::metric::state;
use crate::send::pace::{Burst, GAP};
use crate::sys;
use crate::sys::flux::Flux;
use crate::sys::memory;

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
            let (tagged, sets) = active.registry.in_use();
            let tagged = tagged || !settings.tags.is_empty();
            let form = dialect.form();
            let mut bare = tags::has_bare(&settings.tags);
            if tagged && !form.bare_tags {
                active.registry.for_each(|metric| {
                    let live = metric.state() & state::FORGOTTEN == 0;
                    bare |= live && tags::has_bare(metric.tags());
                });
            }
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

    /// Turns what is pending into lines under the settings of now, and then
    /// changes them.
    fn change(&self, f: &mut dyn FnMut(&mut Settings) -> Result<(), Error>) -> Result<(), Error> {
        let Some((active, mut out)) = self.lock() else { return Ok(()) };
        memory::probe()?;
        let mut settings = out.settings.clone();
        f(&mut settings)?;
        if settings == out.settings {
            return Ok(());
        }
        let now = sys::now();
        // a flush that is under way ends, and then another has the rest
        let (flush, mut work) = out.work(active, now, Mode::Park);
        flush.turn(&mut work);
        flush.begin(&active.registry, now);
        flush.turn(&mut work);
        let before = std::mem::replace(&mut out.settings, settings);
        let settings = &out.settings;
        let renamed = (&before.prefix, &before.tags, before.dialect)
            != (&settings.prefix, &settings.tags, settings.dialect);
        active.adapt(settings, renamed);
        {
            let Outbound { delivery, journal, .. } = &mut *out;
            delivery.drain(&mut Burst::of_flush(now), now, journal)
        };
        self.start_ticking(active, &mut out);
        if !out.delivery.is_clear() {
            self.wake(active, &mut out, now + GAP);
        }
        self.unlock_and_log(out);
        Ok(())
    }
}
