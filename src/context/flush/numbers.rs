//! Counters, totals and gauges: what was recorded, and what is to be sent
//! again.

#![forbid(unsafe_code)]

use crate::context::flush::{Flush, Looks, Work};
use crate::encode::line;
use crate::encode::pieces::Pieces;
use crate::metric::integer::Integer;
use crate::metric::kind::Kind;
use crate::metric::value::{Number, Taken};
use crate::metric::{Metric, state};
use crate::send::connection::Sent;
use crate::send::delivery::{Progress, Retain};

/// What a metric has for a flush.
enum Found {
    Nothing,
    /// What is one line.
    Integer(Kind, i64),
    Other(Taken),
}

impl Flush {
    #[inline(never)]
    pub(super) fn send_numbers(
        &mut self,
        work: &mut Work<'_>,
        pieces: &Pieces,
        looks: &mut Looks,
    ) -> Progress {
        let registry = work.registry;
        let ms = (work.now - self.epoch) / 1_000_000;
        // a flush comes a little sooner after one that was late: the refresh
        // is due all the same
        let early = work.settings.period.min(work.settings.refresh) / 8 / 1_000_000;
        let whole_totals = work.settings.dialect.form().totals;
        loop {
            if work.is_to_pause(false, looks) {
                return Progress::More;
            }
            let recorded = self.readers.numbers.next(&registry.numbers);
            let due = || self.wheel.pop(registry, ms + early).map(|metric| (metric, true));
            let Some((metric, refresh)) = recorded.map(|metric| (metric, false)).or_else(due)
            else {
                return Progress::Done;
            };
            let sent = match self.find(work, metric, whole_totals, (refresh, ms)) {
                Found::Nothing => continue,
                Found::Integer(kind, value) => {
                    let spare = self.packer.spare();
                    match spare.and_then(|spare| pieces.integer(spare, metric, kind, value)) {
                        Some(len) => {
                            let sent = self.put_made(work, len);
                            self.retain = Retain::Always;
                            sent
                        }
                        None => self.put_integer(work, metric, kind, value),
                    }
                }
                Found::Other(taken) => match self.make_block(work, metric, taken) {
                    0 => continue,
                    lines => self.put_block(work, lines, Retain::Always),
                },
            };
            self.busy |= !refresh;
            if sent == Sent::Retry {
                return Progress::Blocked;
            }
        }
    }

    /// Takes what is to be sent of a counter, total or gauge, and notes that
    /// it is.
    #[inline(always)]
    fn find(
        &mut self,
        work: &Work<'_>,
        metric: &Metric,
        whole_totals: bool,
        (refresh, ms): (bool, u64),
    ) -> Found {
        const COUNTER: u8 = Kind::Counter as u8;
        const TOTAL: u8 = Kind::Total as u8;
        const GAUGE: u8 = Kind::Gauge as u8;
        let (kind, taken, whole) = match metric.state() {
            COUNTER => {
                if metric.has_turns() {
                    work.registry.stripe(metric);
                }
                return match metric.take_plain() {
                    Ok(sum) => Found::Integer(Kind::Counter, sum),
                    Err(low) => Found::Other(metric.take_after(low)),
                };
            }
            TOTAL => (Kind::Total, metric.take_integer_total(whole_totals, refresh), whole_totals),
            GAUGE => (Kind::Gauge, metric.take_integer_gauge(refresh), true),
            _ => return Found::Other(self.take(work, metric, refresh, ms)),
        };
        match taken {
            Integer::Same => Found::Nothing,
            Integer::New(value) => {
                if whole {
                    metric.mark_sent(Number::Integer(value), ms);
                    self.wheel.insert(metric);
                }
                Found::Integer(kind, value)
            }
            Integer::Other => Found::Other(self.take(work, metric, refresh, ms)),
        }
    }

    /// Puts in a line with an integer that pieces are not enough for.
    #[cold]
    fn put_integer(
        &mut self,
        work: &mut Work<'_>,
        metric: &Metric,
        kind: Kind,
        value: i64,
    ) -> Sent {
        self.block.clear();
        line::integer(&mut self.block, work.settings, metric, kind, value);
        self.put_block(work, 1, Retain::Always)
    }

    /// Makes lines that belong together, in `block`. How many.
    fn make_block(&mut self, work: &Work<'_>, metric: &Metric, taken: Taken) -> u64 {
        self.block.clear();
        line::numbers(&mut self.block, work.settings, metric, taken)
    }

    /// Takes what is to be sent of a metric, and notes that it is.
    fn take(&mut self, work: &Work<'_>, metric: &Metric, refresh: bool, ms: u64) -> Taken {
        let forgotten = metric.state() & state::FORGOTTEN != 0;
        if forgotten && (!metric.has_number() || work.registry.revive(metric).is_err()) {
            return Taken::Nothing;
        }
        let taken = metric.take(work.settings.dialect.form().totals, refresh);
        match taken.sent_value() {
            Some(value) => {
                metric.mark_sent(value, ms);
                self.wheel.insert(metric);
            }
            // a total that goes as differences now is not sent again
            None if refresh => metric.forget_sent(),
            None => {}
        }
        taken
    }

    /// Sends what a counter, total or gauge has, outside a flush.
    pub(super) fn send_number(
        &mut self,
        work: &mut Work<'_>,
        metric: &Metric,
        again: bool,
        retain: Retain,
    ) -> Sent {
        let ms = (work.now - self.epoch) / 1_000_000;
        let taken = self.take(work, metric, again, ms);
        match self.make_block(work, metric, taken) {
            0 => Sent::Done,
            lines => self.put_block(work, lines, retain),
        }
    }

    fn put_block(&mut self, work: &mut Work<'_>, lines: u64, kept: Retain) -> Sent {
        let Flush { packer, retain, block, .. } = self;
        let limit = packer.limit();
        let mut put = |block, lines| work.put(packer, retain, kept, (block, lines));
        // the newline in front is not counted
        if block.len() - 1 <= limit {
            return put(block, lines);
        }
        // sums beyond 64 bits, totals that restarted: only their order counts
        let mut sent = Sent::Done;
        for line in block.chunk_by(|_, next| *next != b'\n') {
            if put(line, 1) == Sent::Retry {
                sent = Sent::Retry;
            }
        }
        sent
    }
}
