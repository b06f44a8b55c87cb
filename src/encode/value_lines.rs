//! The lines of a timer, a histogram or a set: one for each sample or
//! member, or more in one where the dialect has that.

#![forbid(unsafe_code)]

use std::collections::hash_set;

use crate::encode::line;
use crate::encode::packet::Packer;
use crate::encode::pieces::{BLANK, Pieces};
use crate::encode::settings::Settings;
use crate::metric::Metric;
use crate::metric::budget::Budget;
use crate::metric::kind::Kind;
use crate::metric::members::Distinct;
use crate::metric::samples::Drained;

/// A line of packed values is begun where two of this size fit.
const VALUE: usize = 24;

/// The recorded values of a metric, as they become lines.
#[derive(Debug)]
pub struct ValueLines {
    kind: Kind,
    /// The dialect takes several samples in a line.
    packs: bool,
    /// A newline, what stands before a value, and the line made last.
    line: Vec<u8>,
    /// Where the value is.
    head: usize,
    /// What follows it.
    tail: Vec<u8>,
    samples: Vec<f64>,
    next: usize,
    members: hash_set::IntoIter<Box<[u8]>>,
}

impl Default for ValueLines {
    fn default() -> ValueLines {
        ValueLines {
            kind: Kind::Timer,
            packs: false,
            line: Vec::new(),
            head: 0,
            tail: Vec::new(),
            samples: Vec::new(),
            next: 0,
            members: Distinct::default().into_iter(),
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
        let mut drained = Drained { k: 1, left: false };
        if let Some(samples) = metric.samples() {
            drained = samples.drain(&mut self.samples, budget);
        }
        if let Some(members) = metric.members() {
            self.members = members.take(budget).into_iter();
        }
        self.kind = metric.kind();
        self.packs = settings.dialect.form().packs;
        self.line.clear();
        self.tail.clear();
        let mut scratch = BLANK;
        match pieces.head(&mut scratch, metric) {
            Some(head) => self.line.extend_from_slice(&scratch[..head]),
            None => {
                self.line.push(b'\n');
                line::head(&mut self.line, settings, metric);
            }
        }
        self.head = self.line.len();
        match pieces.short_tail(self.kind) {
            Some(tail) if drained.k == 1 && metric.tags().is_empty() => {
                self.tail.extend_from_slice(tail);
            }
            _ => line::tail(&mut self.tail, settings, metric.tags(), self.kind, drained.k),
        }
        !drained.left
    }

    /// How many values are left.
    pub fn left(&self) -> usize {
        self.samples.len() - self.next + self.members.len()
    }

    /// The next line, a newline in front, which is to go into `packer`: of as
    /// many samples as fit, where the dialect has that.
    #[inline]
    pub fn next_line(&mut self, packer: &Packer) -> Option<&[u8]> {
        let line = &mut self.line;
        line.truncate(self.head);
        if let Some(first) = self.samples.get(self.next) {
            line::sample(line, self.kind, *first);
            self.next += 1;
            if self.packs {
                self.pack(packer);
            }
        } else {
            line.extend_from_slice(&self.members.next()?);
        }
        self.line.extend_from_slice(&self.tail);
        Some(&self.line)
    }

    fn pack(&mut self, packer: &Packer) {
        // the newline is not counted
        let least = self.line.len() - 1 + self.tail.len() + 2 * VALUE;
        let most = if packer.room() > least { packer.room() } else { packer.limit() };
        while let Some(value) = self.samples.get(self.next) {
            let end = self.line.len();
            self.line.push(b':');
            line::sample(&mut self.line, self.kind, *value);
            if self.line.len() - 1 + self.tail.len() > most {
                self.line.truncate(end);
                break;
            }
            self.next += 1;
        }
    }
}
