//! The lines of a timer, a histogram or a set: one for each sample or
//! member, or more in one where the dialect has that.

#![forbid(unsafe_code)]

use crate::encode::packet::Packer;
use crate::encode::pieces::{Pieces, TAIL, put_sample};
use crate::encode::settings::Settings;
use crate::encode::spare::{Spare, copy, copy_start};
use crate::encode::{line, number};
use crate::metric::Metric;
use crate::metric::budget::Budget;
use crate::metric::kind::Kind;
use crate::metric::members::Taken;
use crate::metric::samples::Drained;

/// A line of packed values is begun where two of this size fit.
const VALUE: usize = 24;

/// The memory of so many samples is kept.
const FEW: usize = 64;

/// So many bytes before a value are copied in fixed sizes.
const SHORT_HEAD: usize = 160;

const _: () = assert!(SHORT_HEAD + number::MOST < 256);

/// The recorded values of a metric, as they become lines.
#[derive(Debug)]
pub struct ValueLines {
    kind: Kind,
    /// A newline, and what stands before a value; then any bytes, up to the
    /// size of a `Spare`.
    head: Vec<u8>,
    head_len: usize,
    /// What follows it; then any bytes, up to `TAIL`.
    tail: Vec<u8>,
    tail_len: usize,
    /// From this sample on lines are short, and of one sample each.
    short_from: usize,
    /// The line made last, where it was not made elsewhere.
    line: Vec<u8>,
    samples: Vec<f64>,
    next: usize,
    members: Taken,
    /// Bytes of the budget that it has.
    held: usize,
    /// The dialect takes several samples in a line.
    packs: bool,
}

impl Default for ValueLines {
    fn default() -> ValueLines {
        ValueLines {
            kind: Kind::Timer,
            head: Vec::new(),
            head_len: 0,
            tail: Vec::new(),
            tail_len: 0,
            short_from: 0,
            line: Vec::new(),
            samples: Vec::new(),
            next: 0,
            members: Taken::default(),
            held: 0,
            packs: false,
        }
    }
}

impl ValueLines {
    /// Takes what `metric` has recorded, in place of what is left here. False
    /// where some of it was in use, and stays.
    pub fn open(
        &mut self,
        settings: &Settings,
        pieces: &Pieces,
        budget: &Budget,
        metric: &Metric,
    ) -> bool {
        self.samples.clear();
        self.next = 0;
        let mut drained = Drained::default();
        if let Some(samples) = metric.samples() {
            drained = samples.drain(&mut self.samples, budget);
            if drained.crowded {
                metric.spread_threads();
            }
        } else if let Some(members) = metric.members() {
            members.take(&mut self.members, budget);
        }
        self.kind = metric.kind();
        self.packs = settings.dialect.form().packs;
        let head = self.head.first_chunk_mut().and_then(|head| pieces.head(head, metric));
        match (head, self.tail.first_chunk_mut()) {
            (Some(len), Some(tail)) if drained.k == 1 => {
                self.head_len = len;
                self.tail_len = pieces.tail(tail, self.kind);
            }
            _ => self.write_around(settings, metric, drained.k),
        }
        let last = self.samples.len().saturating_sub(1);
        self.short_from = match () {
            () if self.head_len > SHORT_HEAD || self.tail_len > TAIL => usize::MAX,
            () if self.packs => last,
            () => 0,
        };
        !drained.left
    }

    /// Takes the memory of what is left from the budget. Without enough there,
    /// nothing is left, which is counted.
    pub fn hold(&mut self, budget: &Budget) {
        let bytes = self.samples.capacity() * size_of::<f64>() + self.members.size();
        if budget.take(bytes) {
            self.held += bytes;
        } else {
            budget.lose(self.left() as u64);
            self.release(budget);
        }
    }

    /// Gives the memory of all values back. None is left.
    pub fn release(&mut self, budget: &Budget) {
        budget.give_back(std::mem::take(&mut self.held));
        self.samples.clear();
        self.samples.shrink_to(FEW);
        self.next = 0;
        self.members = Taken::default();
    }

    /// Writes what stands before a value and what follows it.
    #[inline(never)]
    fn write_around(&mut self, settings: &Settings, metric: &Metric, k: u32) {
        let ValueLines { head, tail, .. } = self;
        head.clear();
        head.push(b'\n');
        line::head(head, settings, metric);
        self.head_len = head.len();
        head.resize(head.len().max(size_of::<Spare>()), 0);
        tail.clear();
        line::tail(tail, settings, metric.tags(), self.kind, k);
        self.tail_len = tail.len();
        tail.resize(tail.len().max(TAIL), 0);
    }

    /// Whether no value is left.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.next == self.samples.len() && self.members.left() == 0
    }

    /// How many values are left.
    pub fn left(&self) -> usize {
        self.samples.len() - self.next + self.members.left()
    }

    /// Makes the next line, a newline in front, where it is short and of one
    /// sample: the last, where the dialect takes several. Its length.
    #[inline(always)]
    pub fn make_short(&mut self, out: &mut Spare) -> Option<usize> {
        let value = *self.samples.get(self.next)?;
        if self.next < self.short_from {
            return None;
        }
        copy_start(out, self.head.first_chunk()?, self.head_len);
        let end = put_sample(out, self.head_len, self.kind, value)?;
        copy(out, end, self.tail.first_chunk::<TAIL>()?);
        self.next += 1;
        Some(end + self.tail_len)
    }

    /// The next line, a newline in front, which is to go into `packer`: of as
    /// many samples as fit, where the dialect has that.
    pub fn next_line(&mut self, packer: &Packer) -> Option<&[u8]> {
        if self.is_empty() {
            return None;
        }
        let line = &mut self.line;
        line.clear();
        line.extend_from_slice(&self.head[..self.head_len]);
        if let Some(first) = self.samples.get(self.next) {
            line::sample(line, self.kind, *first);
            self.next += 1;
            if self.packs {
                self.pack(packer);
            }
        } else {
            line.extend_from_slice(self.members.take_next()?);
        }
        self.line.extend_from_slice(&self.tail[..self.tail_len]);
        Some(&self.line)
    }

    /// Puts more samples into the line, as long as they fit.
    fn pack(&mut self, packer: &Packer) {
        let mut end = self.line.len();
        // the newline is not counted
        let least = end - 1 + self.tail_len + 2 * VALUE;
        let room = if packer.room() > least { packer.room() } else { packer.limit() };
        let most = (1 + room).saturating_sub(self.tail_len).max(end);
        // a sample is written before it is known to fit
        self.line.resize(most + size_of::<Spare>(), 0);
        while let Some(value) = self.samples.get(self.next) {
            let Some(out) = self.line[end..].first_chunk_mut() else { break };
            let Some(len) = put_sample(out, 1, self.kind, *value) else { break };
            if end + len > most {
                break;
            }
            out[0] = b':';
            end += len;
            self.next += 1;
        }
        self.line.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::dialect::{Dialect, Tagging};

    const VALUES: [f64; 9] = [0.0, 7.0, 0.25, 12_345.678_901, 1e-3, 99.999_999_9, 1e15, 1e300, 5e7];

    /// The lines of `VALUES` have what stands around them, and their values.
    fn is_the_same(settings: &Settings, kind: Kind, key: &str) {
        let metric = Metric::new(kind as u8, key.as_bytes(), 0, std::ptr::null_mut()).unwrap();
        metric.allocate();
        let budget = Budget::new(1 << 20, 32_768);
        let mut lines = ValueLines::default();
        let mut packer = Packer::new(settings.mtu);
        packer.push_line(b"first:1|c");
        for _ in 0..2 {
            for value in VALUES {
                metric.keep_sample(value, &budget);
            }
            assert!(lines.open(
                settings,
                &Pieces::new(settings, &mut Vec::new()),
                &budget,
                &metric
            ));
            let mut made = Vec::new();
            while !lines.is_empty() {
                let spare = packer.spare().unwrap();
                match lines.make_short(spare) {
                    Some(len) => made.extend_from_slice(&spare[..len]),
                    None => made.extend_from_slice(lines.next_line(&packer).unwrap()),
                }
            }
            let (mut head, mut tail) = (Vec::new(), Vec::new());
            line::head(&mut head, settings, &metric);
            line::tail(&mut tail, settings, metric.tags(), kind, 1);
            let mut values = Vec::new();
            for line in made[1..].split(|b| *b == b'\n') {
                let value = line.strip_prefix(&head[..]).unwrap().strip_suffix(&tail[..]).unwrap();
                values.extend(value.split(|b| *b == b':').map(<[u8]>::to_vec));
            }
            let want = VALUES.map(|value| {
                let mut text = Vec::new();
                line::sample(&mut text, kind, value);
                text
            });
            assert_eq!(values, want);
        }
    }

    #[test]
    fn the_same_values_as_in_general() {
        for dialect in Dialect::ALL {
            for (prefix, tags) in [("", ""), ("flux.rank.", "k:v"), (&*"p".repeat(90), "k:v")] {
                let has_tags = dialect.form().tags != Tagging::None;
                let tags = if has_tags { tags } else { "" };
                let settings = Settings {
                    dialect,
                    prefix: prefix.into(),
                    tags: tags.into(),
                    mtu: 512,
                    ..Settings::default()
                };
                for key in ["n", &"n".repeat(40), &"n".repeat(160), "n\0a:b"] {
                    if has_tags || !key.contains('\0') {
                        is_the_same(&settings, Kind::Timer, key);
                        is_the_same(&settings, Kind::Histogram, key);
                    }
                }
            }
        }
    }
}
