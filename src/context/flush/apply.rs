//! Applies changes of settings, see `change`.

#![forbid(unsafe_code)]

use crate::context::flush::change::{Change, adapt_from};
use crate::context::flush::{Flush, Looks, Work};
use crate::encode::pieces::Pieces;
use crate::encode::settings::Settings;
use crate::error::Error;
use crate::metric::Metric;
use crate::registry::Registry;
use crate::send::connection::Sent;
use crate::send::delivery::Retain;

impl Flush {
    /// Makes room to note a change of settings. Returns how many were noted
    /// and not applied yet.
    pub fn reserve_change(&mut self) -> Result<usize, Error> {
        self.change.as_mut().map_or(Ok(0), |change| change.past.reserve())
    }

    /// Notes that the settings were `before` up to now.
    pub fn note_change(&mut self, registry: &Registry, before: Settings) {
        let change = self.change.get_or_insert_with(|| Change::new(registry.generation()));
        change.past.push(before);
        registry.next_generation();
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
        let mut cached: Option<(u16, Pieces)> = None;
        while !work.is_to_pause(blocked, looks) {
            let Change { past, place, .. } = &mut change;
            if let Some(sent) = self.put_detached(work) {
                blocked |= sent == Sent::Retry;
                continue;
            }
            let recorded = self.next_recorded(work.registry);
            let walk = || work.registry.next(place).map(|metric| (metric, false));
            let Some((metric, taken)) = recorded.map(|metric| (metric, true)).or_else(walk) else {
                if !change.walks_again(work.registry.generation()) {
                    return true;
                }
                self.begin_readers(work.registry);
                continue;
            };
            if metric.is_spelling() {
                continue;
            }
            let Some(before) = past.of(metric) else {
                if taken {
                    // recorded since: the flush has it
                    work.leave(metric);
                }
                continue;
            };
            if taken || work.registry.is_dirty(metric) {
                let (_, pieces) = match cached.take() {
                    Some((of, pieces)) if of == metric.generation() => cached.insert((of, pieces)),
                    _ => cached.insert((metric.generation(), Pieces::new(before, &mut self.block))),
                };
                let sent = work.under(before, |work| self.take_pending(work, pieces, metric));
                blocked |= sent == Sent::Retry;
            }
            adapt_from(before, work.settings, metric, work.registry.generation());
        }
        self.change = Some(change);
        false
    }

    fn take_pending(&mut self, work: &mut Work<'_>, pieces: &Pieces, metric: &Metric) -> Sent {
        if metric.kind().is_number() {
            return self.send_number(work, metric, false, Retain::IfRoom);
        }
        let lines = self.take_values(work, pieces, metric);
        self.detach(work, metric, lines);
        Sent::Done
    }

    /// Sends what a metric has under settings of before, and adapts it to
    /// those of now. Whether there were such.
    pub fn bring_up_to_date(&mut self, work: &mut Work<'_>, metric: &Metric) -> bool {
        let Some(change) = self.change.take() else { return false };
        let before = change.past.of(metric);
        if let Some(before) = before {
            if work.registry.is_dirty(metric) {
                work.under(before, |work| self.put_one(work, metric, false, Retain::IfRoom));
            }
            adapt_from(before, work.settings, metric, work.registry.generation());
        }
        let was_old = before.is_some();
        self.change = Some(change);
        was_old
    }
}
