//! The lines of a timer, a histogram or a set: one for each sample or
//! member, or more in one where the dialect has that.

#![forbid(unsafe_code)]

use std::collections::hash_set;

use crate::encode::line;
use crate::encode::packet::Packer;
use crate::encode::settings::Settings;
use crate::metric::Metric;
use crate::metric::kind::Kind;
use crate::metric::members::Distinct;
use crate::metric::samples::{Budget, Drained};

/// A line of packed values is begun where there is room for two like this.
const VALUE: usize = 24;

/// What a metric had recorded, on its way into lines.
#[derive(Debug)]
pub struct ValueLines {
    kind: Kind,
    /// What stands before a value.
    head: Vec<u8>,
    /// What stands behind it.
    tail: Vec<u8>,
    samples: Vec<f64>,
    next: usize,
    members: hash_set::IntoIter<Box<[u8]>>,
}

impl Default for ValueLines {
    fn default() -> ValueLines {
        ValueLines {
            kind: Kind::Timer,
            head: Vec::new(),
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
    pub fn open(&mut self, settings: &Settings, budget: &Budget, metric: &Metric) -> bool {
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
        self.head.clear();
        self.tail.clear();
        line::head(&mut self.head, settings, metric);
        line::tail(&mut self.tail, settings, metric.tags(), self.kind, drained.k);
        !drained.left
    }

    /// How many values are left.
    pub fn left(&self) -> usize {
        self.samples.len() - self.next + self.members.len()
    }

    /// Writes the next line, which is to go into `packer`; with `packs`, of
    /// as many samples as fit. False where none is left.
    pub fn write_line(&mut self, out: &mut Vec<u8>, packs: bool, packer: &Packer) -> bool {
        let Some(first) = self.samples.get(self.next) else {
            let Some(member) = self.members.next() else { return false };
            for part in [&self.head[..], &member, &self.tail] {
                out.extend_from_slice(part);
            }
            return true;
        };
        out.extend_from_slice(&self.head);
        line::sample(out, self.kind, *first);
        self.next += 1;
        if packs {
            let least = out.len() + self.tail.len() + 2 * VALUE;
            let most = if packer.room() > least { packer.room() } else { packer.limit() };
            while let Some(value) = self.samples.get(self.next) {
                let end = out.len();
                out.push(b':');
                line::sample(out, self.kind, *value);
                if out.len() + self.tail.len() > most {
                    out.truncate(end);
                    break;
                }
                self.next += 1;
            }
        }
        out.extend_from_slice(&self.tail);
        true
    }
}
