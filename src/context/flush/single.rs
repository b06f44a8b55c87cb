//! What one metric has, outside a flush: a call that forgets it, or that
//! records under other settings, takes what it has. Few values are sent by the
//! call, many by turns after it.

#![forbid(unsafe_code)]

use crate::context::flush::{Flush, Work};
use crate::encode::line;
use crate::encode::pieces::Pieces;
use crate::encode::value_lines::ValueLines;
use crate::metric::Metric;
use crate::send::connection::Sent;
use crate::send::delivery::Retain;

/// A call makes lines of so many values.
const AT_ONCE: usize = 64;

impl Flush {
    /// Sends what one metric has now, outside a flush; with `again` a gauge
    /// or total that did not change too.
    pub fn send_one(&mut self, work: &mut Work<'_>, metric: &Metric, again: bool, retain: Retain) {
        self.put_one(work, metric, again, retain);
        self.send(work);
    }

    /// Puts that into the datagram.
    pub(super) fn put_one(
        &mut self,
        work: &mut Work<'_>,
        metric: &Metric,
        again: bool,
        retain: Retain,
    ) {
        let again = again && line::is_whole(work.settings, metric);
        self.send_number(work, metric, again, retain);
        if metric.kind().is_number() {
            return;
        }
        let pieces = Pieces::new(work.settings, &mut self.block);
        let mut lines = self.take_values(work, &pieces, metric);
        if lines.left() > AT_ONCE {
            return self.detach(work, metric, lines);
        }
        while let Some(line) = lines.next_line(&self.packer) {
            work.put(&mut self.packer, &mut self.retain, Retain::IfRoom, (line, 1));
        }
        self.spare = lines;
    }

    /// Takes what a timer, histogram or set has.
    pub(super) fn take_values(
        &mut self,
        work: &Work<'_>,
        pieces: &Pieces,
        metric: &Metric,
    ) -> ValueLines {
        let mut lines = std::mem::take(&mut self.spare);
        if !lines.open(work.settings, pieces, work.budget, metric) {
            work.leave(metric);
        }
        lines
    }

    /// Leaves it to turns to send what was taken.
    pub(super) fn detach(&mut self, work: &Work<'_>, metric: &Metric, mut lines: ValueLines) {
        if let Some(samples) = metric.samples() {
            samples.release(work.budget);
        }
        if self.detached.try_reserve(1).is_ok() {
            lines.hold(work.budget);
            self.detached.push_back(lines);
        } else {
            work.budget.lose(lines.left() as u64);
        }
    }

    /// Puts the next line of that into the datagram. `None` where none is left.
    pub(super) fn put_detached(&mut self, work: &mut Work<'_>) -> Option<Sent> {
        while let Some(lines) = self.detached.front_mut() {
            if let Some(line) = lines.next_line(&self.packer) {
                let line = (line, 1);
                return Some(work.put(&mut self.packer, &mut self.retain, Retain::IfRoom, line));
            }
            lines.release(work.budget);
            self.spare = self.detached.pop_front().unwrap_or_default();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::flush::Mode;
    use crate::metric::kind::Kind;
    use crate::metric::value::Value;
    use crate::sys;
    use crate::uri::Uri;

    #[test]
    #[cfg_attr(miri, ignore = "it has no sockets")]
    fn what_a_call_leaves_is_the_budgets_until_it_is_sent() {
        let uri = Uri::parse(b"unix:@fripp-nobody?period=86400&dialect=statsd").unwrap();
        let context = uri.context(None).unwrap();
        for i in 0..1000 {
            context.record(Kind::Timer, b"t", Value::Sample(f64::from(i))).unwrap();
            context.record(Kind::Set, b"s", Value::Member(i.to_string().as_bytes())).unwrap();
        }
        let (active, mut out) = context.lock().unwrap();
        let (flush, mut work) = out.work(active, sys::now(), Mode::Park);
        for metric in [(Kind::Timer, b"t"), (Kind::Set, b"s")] {
            let metric = active.registry.known(metric.0, metric.1).unwrap();
            flush.put_one(&mut work, metric, false, Retain::IfRoom);
        }
        assert!(flush.has_detached() && active.budget.used() > 12_000);
        assert_eq!(flush.unsent_lines(), 2000);
        drop(out);
        let _ = context.flush();
        assert!(!context.lock().unwrap().1.flush.has_detached());
        assert_eq!(active.budget.used(), 0);
        assert!(context.stats().1 > 14_000, "it waits");
        context.close();
    }
}
