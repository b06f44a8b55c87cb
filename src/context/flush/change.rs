//! A change of settings. It is noted at once, and applied in turns: each
//! metric sends what it has under the settings that it was recorded under, and
//! is then adapted to those of now. First come those that were recorded, then
//! all others. A metric has the generation of its settings. While there are
//! older ones, no call takes the fast path, and the slow path brings a metric
//! up to date before it records.

#![forbid(unsafe_code)]

use std::collections::VecDeque;

use crate::encode::settings::Settings;
use crate::error::Error;
use crate::metric::{Metric, state};
use crate::registry::chunks::Place;

/// Settings of before that metrics are still recorded under.
#[derive(Debug)]
pub struct Change {
    /// The settings of before.
    pub past: Past,
    /// Where the walk through the metrics is.
    pub place: Place,
    /// At its end, none is of a generation before this one.
    target: u16,
}

/// Settings by generation.
#[derive(Debug)]
pub struct Past {
    settings: VecDeque<Settings>,
    /// The generation of the first of them.
    first: u16,
}

impl Past {
    /// Those of a metric, unless they are those of now.
    pub fn of(&self, metric: &Metric) -> Option<&Settings> {
        self.settings.get(usize::from(metric.generation().wrapping_sub(self.first)))
    }

    /// Reserves memory for one more. How many there are.
    pub fn reserve(&mut self) -> Result<usize, Error> {
        self.settings.try_reserve(1).map_err(|_| Error::NoMemory)?;
        Ok(self.settings.len())
    }

    /// Adds those that have just been replaced.
    pub fn push(&mut self, settings: Settings) {
        self.settings.push_back(settings);
    }
}

impl Change {
    /// The first, from the settings of `generation` to those of the next.
    pub fn new(generation: u16) -> Change {
        Change {
            past: Past { settings: VecDeque::new(), first: generation },
            place: Place::default(),
            target: generation.wrapping_add(1),
        }
    }

    /// At the end of a walk: another one is needed where the settings, which
    /// are of `generation` by now, have changed since it began.
    pub fn walks_again(&mut self, generation: u16) -> bool {
        while self.past.first != self.target && self.past.settings.pop_front().is_some() {
            self.past.first = self.past.first.wrapping_add(1);
        }
        self.place = Place::default();
        std::mem::replace(&mut self.target, generation) != generation
    }
}

/// Adapts a metric to settings that changed.
pub fn adapt(settings: &Settings, metric: &Metric, renamed: bool) {
    let fits = settings.check(metric.kind(), metric.name().len(), metric.tags());
    metric.set_state(state::TOO_LONG, fits == Err(Error::NameTooLong));
    metric.set_state(state::IMMEDIATE, settings.period == 0);
    if renamed {
        metric.rename();
    }
}

/// Adapts a metric that was recorded under the settings `before` to those of
/// now, which are of `generation`.
pub fn adapt_from(before: &Settings, settings: &Settings, metric: &Metric, generation: u16) {
    let renamed = (&before.prefix, &before.tags, before.dialect)
        != (&settings.prefix, &settings.tags, settings.dialect);
    adapt(settings, metric, renamed);
    metric.set_generation(generation);
}
