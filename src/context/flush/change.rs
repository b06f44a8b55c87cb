//! A change of settings. It is noted at once, and applied in turns: each
//! metric sends what it has under the settings that it was recorded under,
//! and is then adapted to those of now: first those that were recorded, then all
//! others. A metric has the generation of its
//! settings. While there are older ones, no call takes the fast path, and the
//! slow path brings a metric up to date before it records.

#![forbid(unsafe_code)]

use std::collections::VecDeque;

use crate::context::flush::{Flush, Looks, Work};
use crate::encode::pieces::Pieces;
use crate::encode::settings::Settings;
use crate::encode::value_lines::ValueLines;
use crate::error::Error;
use crate::metric::{Metric, state};
use crate::registry::{Place, Registry};
use crate::send::connection::Sent;
use crate::send::delivery::Retain;

/// Settings of before that metrics are still recorded under.
#[derive(Debug)]
pub struct Change {
    past: VecDeque<Settings>,
    /// The generation of the first of them.
    first: u16,
    /// Where the walk through the metrics is.
    place: Place,
    /// At its end, none is of a generation before this one.
    target: u16,
    /// The timer, histogram or set that it is at.
    lines: ValueLines,
}

impl Change {
    /// The settings of a metric, unless they are those of now.
    fn settings<'a>(
        past: &'a VecDeque<Settings>,
        first: u16,
        metric: &Metric,
    ) -> Option<&'a Settings> {
        past.get(usize::from(metric.generation().wrapping_sub(first)))
    }

    /// Walks again, up to `generation`.
    fn walk_again(&mut self, generation: u16) {
        while self.first != self.target && self.past.pop_front().is_some() {
            self.first = self.first.wrapping_add(1);
        }
        self.target = generation;
        self.place = Place::default();
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

fn adapt_from(before: &Settings, work: &Work<'_>, metric: &Metric) {
    let settings = work.settings;
    let renamed = (&before.prefix, &before.tags, before.dialect)
        != (&settings.prefix, &settings.tags, settings.dialect);
    adapt(settings, metric, renamed);
    metric.set_generation(work.registry.generation());
}

impl Flush {
    /// Makes room to note a change of settings. Returns how many were noted
    /// and not applied yet.
    pub fn reserve_change(&mut self) -> Result<usize, Error> {
        let Some(change) = &mut self.change else { return Ok(0) };
        change.past.try_reserve(1).map_err(|_| Error::NoMemory)?;
        Ok(change.past.len())
    }

    /// Notes that the settings were `before` up to now.
    pub fn note_change(&mut self, registry: &Registry, before: Settings) {
        let first = registry.generation();
        registry.next_generation();
        let change = self.change.get_or_insert_with(|| Change {
            past: VecDeque::new(),
            first,
            place: Place::default(),
            target: registry.generation(),
            lines: ValueLines::default(),
        });
        change.past.push_back(before);
        self.begin_readers(registry);
        self.open = true;
    }

    /// Whether a change of settings is being applied.
    pub fn is_changing(&self) -> bool {
        self.change.is_some()
    }

    /// Applies changes, as far as the turn allows. Whether all are. What the
    /// kernel does not take waits, within the bounds of the buffer.
    pub(super) fn apply_changes(
        &mut self,
        work: &mut Work<'_>,
        mut blocked: bool,
        looks: &mut Looks,
    ) -> bool {
        let Some(mut change) = self.change.take() else { return true };
        while !work.is_to_pause(blocked, looks) {
            let Change { past, first, place, lines, .. } = &mut change;
            if let Some(line) = lines.next_line(&self.packer) {
                let line = (line, 1);
                let sent = work.put(&mut self.packer, &mut self.retain, Retain::IfRoom, line);
                blocked |= sent == Sent::Retry;
                continue;
            }
            let recorded = self.next_recorded(work.registry);
            let walk = || work.registry.next(place).map(|metric| (metric, false));
            let Some((metric, taken)) = recorded.map(|metric| (metric, true)).or_else(walk) else {
                if change.target == work.registry.generation() {
                    return true;
                }
                change.walk_again(work.registry.generation());
                self.begin_readers(work.registry);
                continue;
            };
            if metric.is_spelling() {
                continue;
            }
            let Some(before) = Change::settings(past, *first, metric) else {
                if taken {
                    // recorded since: the flush has it
                    work.leave(metric);
                }
                continue;
            };
            if taken || metric.is_queued() {
                let sent = work.under(before, |work| self.take_pending(work, metric, lines));
                blocked |= sent == Sent::Retry;
            }
            adapt_from(before, work, metric);
        }
        self.change = Some(change);
        false
    }

    fn take_pending(
        &mut self,
        work: &mut Work<'_>,
        metric: &Metric,
        lines: &mut ValueLines,
    ) -> Sent {
        if metric.kind().is_number() {
            return self.send_number(work, metric, false, Retain::IfRoom);
        }
        if !lines.open(work.settings, &Pieces::new(work.settings), work.budget, metric) {
            work.leave(metric);
        }
        Sent::Done
    }

    /// Sends what a metric has under settings of before, and adapts it to
    /// those of now. Whether there were such.
    pub fn bring_up_to_date(&mut self, work: &mut Work<'_>, metric: &Metric) -> bool {
        let Some(change) = self.change.take() else { return false };
        let before = Change::settings(&change.past, change.first, metric);
        if let Some(before) = before {
            if metric.is_queued() {
                work.under(before, |work| self.put_one(work, metric, false, Retain::IfRoom));
            }
            adapt_from(before, work, metric);
        }
        let was_old = before.is_some();
        self.change = Some(change);
        was_old
    }
}
