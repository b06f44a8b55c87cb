//! What was received, added up by metric: since the last tick, and in all.
//! Its memory is bounded, and what goes beyond is counted.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

use crate::dialect::{Dialect, Kind};
use foldhash::fast::RandomState;

use crate::distribution::{Budget, Distribution, Summary};
use crate::safe;
use crate::wire::{self, Item, Line};

/// At most so many metrics are kept.
const MAX_METRICS: usize = 100_000;
/// The values of timings and the members of sets take at most so many bytes.
const MAX_BYTES: usize = 256 << 20;
/// What a member takes, with its part of the table.
const MEMBER: usize = 2 * size_of::<u64>();

pub struct Tally {
    pub metrics: Vec<Metric>,
    pub seen: Seen,
    index: HashMap<Box<[u8]>, usize, RandomState>,
    max_metrics: usize,
    budget: Budget,
    pub dialect: Option<Dialect>,
    key: Vec<u8>,
    /// Tells the members of sets apart.
    members: RandomState,
}

/// How much came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub datagrams: u64,
    pub bytes: u64,
    /// Well formed or not.
    pub lines: u64,
    pub malformed: u64,
    /// Datadog's events and service checks, which are not metrics.
    pub events: u64,
    pub checks: u64,
    /// Lines of metrics beyond the most.
    pub beyond: u64,
    /// Values and members for which there was no memory.
    pub unkept: u64,
}

/// One name, type and set of tags.
#[derive(Debug)]
pub struct Metric {
    /// As it is shown: with its tags, as `name;k=v`, and safe for a terminal.
    pub name: String,
    pub kind: Kind,
    pub lines: u64,
    /// Lines since the last tick.
    pub lines_now: u64,
    pub value: Value,
}

/// `now` is what came since the last tick, `all` what came since the start.
#[derive(Debug)]
pub enum Value {
    Counter {
        now: f64,
        all: f64,
    },
    /// What it grew by; the first total is where it starts from.
    Total {
        newest: f64,
        now: f64,
        all: f64,
    },
    Gauge {
        newest: f64,
    },
    Samples {
        newest: f64,
        now: Distribution,
        all: Distribution,
    },
    Members {
        now: HashSet<u64, RandomState>,
        all: HashSet<u64, RandomState>,
    },
}

impl Tally {
    pub fn new(dialect: Option<Dialect>) -> Tally {
        Tally::with_most(dialect, MAX_METRICS)
    }

    pub fn with_most(dialect: Option<Dialect>, max_metrics: usize) -> Tally {
        Tally {
            metrics: Vec::new(),
            seen: Seen::default(),
            index: HashMap::default(),
            max_metrics,
            budget: Budget(MAX_BYTES),
            dialect,
            key: Vec::new(),
            members: RandomState::default(),
        }
    }

    /// Adds the lines of a datagram.
    pub fn add_datagram(&mut self, datagram: &[u8]) {
        self.seen.datagrams += 1;
        self.seen.bytes += datagram.len() as u64;
        for line in wire::lines(datagram) {
            self.seen.lines += 1;
            for part in wire::read(line, self.dialect) {
                match part {
                    Ok(item) => self.add(&item),
                    Err(_) => self.seen.malformed += 1,
                }
            }
        }
    }

    /// Adds a line, or a part of one that is packed.
    pub fn add(&mut self, item: &Item<'_>) {
        match item {
            Item::Metric(line) => self.add_metric(line),
            Item::Event(_) => self.seen.events += 1,
            Item::Check(_) => self.seen.checks += 1,
        }
    }

    fn add_metric(&mut self, line: &Line<'_>) {
        let has_steps = !self.dialect.is_some_and(|dialect| dialect.form().negative_gauges);
        let Some(at) = self.find(line) else {
            self.seen.beyond += 1;
            return;
        };
        let metric = &mut self.metrics[at];
        metric.lines += 1;
        metric.lines_now += 1;
        match &mut metric.value {
            Value::Counter { now, all } => {
                let more: f64 = line.numbers().map(|n| n / line.rate).sum();
                *now += more;
                *all += more;
            }
            Value::Total { newest, now, all } => {
                for total in line.numbers() {
                    // a lower one is a restart, and counts whole
                    let grown = if newest.is_nan() {
                        0.0
                    } else if total < *newest {
                        total
                    } else {
                        total - *newest
                    };
                    *newest = total;
                    *now += grown;
                    *all += grown;
                }
            }
            Value::Gauge { newest } => {
                for (text, number) in line.values().zip(line.numbers()) {
                    let is_step = has_steps && wire::has_sign(text);
                    *newest = if is_step { *newest + number } else { number };
                }
            }
            Value::Samples { newest, now, all } => {
                for number in line.numbers() {
                    *newest = number;
                    for values in [now as &mut Distribution, all] {
                        if !values.push(number, 1.0 / line.rate, &mut self.budget) {
                            self.seen.unkept += 1;
                        }
                    }
                }
            }
            Value::Members { now, all } => {
                for member in line.values().map(|member| self.members.hash_one(member)) {
                    if all.contains(&member) {
                        now.insert(member);
                    } else if self.budget.0 >= 2 * MEMBER {
                        self.budget.0 -= 2 * MEMBER;
                        all.insert(member);
                        now.insert(member);
                    } else {
                        self.seen.unkept += 1;
                    }
                }
            }
        }
    }

    /// Resets what is counted from tick to tick.
    pub fn tick(&mut self) {
        for metric in &mut self.metrics {
            metric.lines_now = 0;
            match &mut metric.value {
                Value::Counter { now, .. } | Value::Total { now, .. } => *now = 0.0,
                Value::Gauge { .. } => {}
                Value::Samples { now, .. } => now.clear(),
                Value::Members { now, .. } => now.clear(),
            }
        }
    }

    fn find(&mut self, line: &Line<'_>) -> Option<usize> {
        self.key.clear();
        self.key.push(line.kind as u8);
        self.key.extend_from_slice(&line.name);
        for (key, value) in line.tags.sorted() {
            self.key.push(b';');
            self.key.extend_from_slice(key);
            if let Some(value) = value {
                self.key.push(b'=');
                self.key.extend_from_slice(value);
            }
        }
        if let Some(at) = self.index.get(&self.key[..]) {
            return Some(*at);
        }
        if self.metrics.len() == self.max_metrics {
            return None;
        }
        let name = safe::shown(&self.key[1..]).into_owned();
        self.index.insert(self.key.clone().into_boxed_slice(), self.metrics.len());
        let (kind, value) = (line.kind, Value::new(line.kind));
        self.metrics.push(Metric { name, kind, lines: 0, lines_now: 0, value });
        Some(self.metrics.len() - 1)
    }
}

impl Value {
    fn new(kind: Kind) -> Value {
        match kind {
            Kind::Counter => Value::Counter { now: 0.0, all: 0.0 },
            Kind::Total => Value::Total { newest: f64::NAN, now: 0.0, all: 0.0 },
            Kind::Gauge => Value::Gauge { newest: 0.0 },
            Kind::Timer | Kind::Histogram => Value::Samples {
                newest: f64::NAN,
                now: Distribution::default(),
                all: Distribution::default(),
            },
            Kind::Set => Value::Members { now: HashSet::default(), all: HashSet::default() },
        }
    }

    /// The newest value, of types that have one.
    pub fn newest(&self) -> Option<f64> {
        match self {
            Value::Total { newest, .. }
            | Value::Gauge { newest }
            | Value::Samples { newest, .. } => Some(*newest),
            Value::Counter { .. } | Value::Members { .. } => None,
        }
    }

    /// The sum of a counter, the growth of a total, the number of samples or
    /// of members; a gauge has none.
    pub fn all(&self) -> Option<f64> {
        match self {
            Value::Counter { all, .. } | Value::Total { all, .. } => Some(*all),
            Value::Samples { all, .. } => Some(all.count()),
            Value::Members { all, .. } => Some(all.len() as f64),
            Value::Gauge { .. } => None,
        }
    }

    /// `all` per second; members do not add up, and have none.
    pub fn rate(&self, seconds: f64) -> Option<f64> {
        let adds_up = !matches!(self, Value::Members { .. }) && seconds > 0.0;
        self.all().filter(|_| adds_up).map(|all| all / seconds)
    }

    /// The statistics of all samples.
    pub fn summary(&mut self) -> Option<Summary> {
        match self {
            Value::Samples { all, .. } => all.summary(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
