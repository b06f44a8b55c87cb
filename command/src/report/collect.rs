//! From a recording to series: one pass for its length, one for its lines.
//! Memory is bounded by the numbers below, whatever the recording's length.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use regex::Regex;

use super::name::Name;
use super::series::{Series, Times};
use super::track::Track;
use crate::dialect::{self, Dialect};
use crate::recording::{Block, Counts, Fault, Item, Reader, Start};
use crate::statistic::Statistic;
use crate::tally::Tally;
use crate::wire;

/// Metrics that have series: of all, of one prefix and kind, and beside these
/// those that were asked for.
const TRACKS: usize = 2_048;
const OF_PREFIX: usize = 32;
const WANTED: usize = 512;
/// Wrong lines that are shown.
const SHOWN: usize = 5;
/// Faults of a recording that are named on standard error.
const FAULTS: usize = 20;
/// At most so many intervals: a recording of years has longer ones.
const INTERVALS: f64 = 1e5;
/// At most so many intervals where the user does not choose their length.
const CHOSEN_INTERVALS: f64 = 600.0;
/// Lengths of an interval, in seconds, from which one is chosen.
const LENGTHS: [f64; 13] =
    [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 86_400.0];

/// What a report shows.
pub struct Collection {
    pub start: Start,
    /// Whether it was ended in order.
    pub is_whole: bool,
    pub seconds: f64,
    pub counts: Counts,
    pub times: Times,
    pub tally: Tally,
    pub tracks: Vec<Track>,
    /// Metrics without a series, because there were too many.
    pub untracked: usize,
    pub faults: Vec<Fault>,
    pub wrong: u64,
    pub wrong_shown: Vec<String>,
}

/// What to collect.
pub struct Wanted {
    /// Seconds of an interval; by default they follow from the recording's
    /// length.
    pub interval: Option<f64>,
    /// How lines are read, whatever the recording says.
    pub dialect: Option<Dialect>,
    /// Metrics of which series are wanted before those of others.
    pub names: Vec<Regex>,
    /// What the times of series cover at least: the length of another
    /// recording.
    pub least_us: u64,
}

impl Collection {
    pub fn read(path: &Path, wanted: &Wanted) -> Result<Collection, String> {
        let wrong = |error: std::io::Error| format!("{}: {error}", path.display());
        let Length { end_us, bytes, is_whole, dialect } = Length::of(path)?;
        let dialect = wanted.dialect.or(dialect);
        let longest_us = end_us.max(wanted.least_us);
        let (seconds, longest) = (end_us as f64 / 1e6, longest_us as f64 / 1e6);
        let interval = wanted.interval.unwrap_or_else(|| chosen_interval(longest));
        let interval = interval * (longest / interval / INTERVALS).ceil().max(1.0);
        let interval_us = (interval * 1e6).round() as u64;
        // a rest of less than half an interval is part of the one before
        let intervals = |us: u64| ((us + interval_us / 2) / interval_us).max(1);
        let (intervals, all) = (intervals(end_us), intervals(longest_us));
        let last_us = end_us - (intervals - 1) * interval_us;
        let mut collector = Collector {
            interval_us,
            intervals,
            last: if last_us > 0 { last_us as f64 / 1e6 } else { interval },
            now: 0,
            has_more: false,
            untold: 0,
            bar: ProgressBar::hidden(),
            groups: HashMap::new(),
            wanted: (wanted, 0),
            collection: Collection {
                start: Start::default(),
                is_whole,
                seconds,
                counts: Counts::default(),
                times: Times::new(interval, all as usize),
                tally: Tally::new(dialect),
                tracks: Vec::new(),
                untracked: 0,
                faults: Vec::new(),
                wrong: 0,
                wrong_shown: Vec::new(),
            },
        };
        collector.bar = bar(bytes);
        let mut reader = open(path).map_err(wrong)?;
        while let Some(item) = reader.next_item().map_err(wrong)? {
            collector.bar.set_position(reader.offset());
            match item {
                Item::Start(start) => collector.collection.start = start,
                Item::Block(block) => collector.block(&block, reader.place()),
                Item::End(end) => collector.collection.counts.drops = end.counts.drops,
                Item::Fault(fault) => collector.fault(fault),
            }
        }
        Ok(collector.finish())
    }
}

/// How long a recording is, and how its lines are read.
pub struct Length {
    pub end_us: u64,
    bytes: u64,
    is_whole: bool,
    dialect: Option<Dialect>,
}

impl Length {
    pub fn of(path: &Path) -> Result<Length, String> {
        let wrong = |error: std::io::Error| format!("{}: {error}", path.display());
        let mut reader = open(path).map_err(wrong)?;
        let (mut end_us, mut is_whole, mut dialect) = (0, false, None);
        while let Some(item) = reader.next_item().map_err(wrong)? {
            match item {
                Item::Block(block) => end_us = end_us.max(block.last_us),
                Item::End(end) => (end_us, is_whole) = (end_us.max(end.at_us), true),
                Item::Start(start) => dialect = dialect.or_else(|| dialect::named(&start.dialect)),
                Item::Fault(_) => {}
            }
        }
        Ok(Length { end_us, bytes: reader.offset(), is_whole, dialect })
    }
}

fn open(path: &Path) -> std::io::Result<Reader<BufReader<File>>> {
    Reader::new(BufReader::with_capacity(1 << 18, File::open(path)?))
}

struct Collector<'a> {
    interval_us: u64,
    intervals: u64,
    /// Seconds of the last interval.
    last: f64,
    /// The interval that the tally has.
    now: u64,
    /// Whether it has anything of this interval.
    has_more: bool,
    /// Metrics from here on are new since the last interval.
    untold: usize,
    bar: ProgressBar,
    /// How many tracks a prefix and kind has.
    groups: HashMap<(String, u8), usize>,
    wanted: (&'a Wanted, usize),
    collection: Collection,
}

impl Collector<'_> {
    fn fault(&mut self, fault: Fault) {
        if self.collection.faults.len() < FAULTS {
            self.bar.suspend(|| say!("{fault}"));
        }
        self.collection.faults.push(fault);
    }

    fn block(&mut self, block: &Block, (record, offset): (u64, u64)) {
        self.collection.counts.drops = block.drops;
        let whole = block.each(|at_us, datagram| self.datagram(at_us, datagram));
        if let Err(why) = whole {
            self.fault(Fault { record, offset, skipped: 0, why });
        }
    }

    fn datagram(&mut self, at_us: u64, datagram: &[u8]) {
        while (at_us / self.interval_us).min(self.intervals - 1) > self.now {
            self.tick();
        }
        let Collection { counts, tally, wrong, wrong_shown, .. } = &mut self.collection;
        self.has_more = true;
        counts.datagrams += 1;
        counts.bytes += datagram.len() as u64;
        for line in wire::lines(datagram) {
            counts.lines += 1;
            for part in wire::read(line, tally.dialect) {
                match part {
                    Ok(item) => tally.add(&item),
                    Err(fault) => {
                        *wrong += 1;
                        if wrong_shown.len() < SHOWN {
                            let (n, at) = (counts.datagrams, at_us as f64 / 1e6);
                            let shown = String::from_utf8_lossy(&line[..line.len().min(120)]);
                            wrong_shown
                                .push(format!("{shown:?}, in datagram {n}, at {at:.3} s: {fault}"));
                        }
                    }
                }
            }
        }
    }

    /// Ends an interval.
    fn tick(&mut self) {
        for metric in self.untold..self.collection.tally.metrics.len() {
            self.meet(metric);
        }
        self.untold = self.collection.tally.metrics.len();
        let Collection { tally, tracks, times, .. } = &mut self.collection;
        let is_last = self.now + 1 == self.intervals;
        let seconds = if is_last { self.last } else { times.interval };
        for track in tracks {
            track.tick(&mut tally.metrics[track.metric], seconds);
        }
        // else all of it has been reset already
        if self.has_more {
            tally.tick();
        }
        self.has_more = false;
        self.now += 1;
    }

    /// Whether a new metric gets series.
    fn meet(&mut self, metric: usize) {
        let collection = &mut self.collection;
        let (name, kind) = {
            let metric = &collection.tally.metrics[metric];
            (&metric.name, metric.kind)
        };
        let group = (Name::of(name).prefix.to_owned(), kind as u8);
        let in_group = self.groups.entry(group).or_default();
        if *in_group < OF_PREFIX && collection.tracks.len() - self.wanted.1 < TRACKS {
            *in_group += 1;
        } else if self.wanted.1 < WANTED && self.wanted.0.names.iter().any(|re| re.is_match(name)) {
            self.wanted.1 += 1;
        } else {
            collection.untracked += 1;
            return;
        }
        let value = &collection.tally.metrics[metric].value;
        let (times, now) = (collection.times, self.now as usize);
        let series = Statistic::of(value).iter().map(|s| (*s, Series::new(times, now))).collect();
        collection.tracks.push(Track::new(metric, series));
    }

    fn finish(mut self) -> Collection {
        let interval = self.collection.times.interval;
        while self.now < self.intervals {
            self.tick();
        }
        for track in &mut self.collection.tracks {
            track.finish(interval);
        }
        self.bar.finish_and_clear();
        let more = self.collection.faults.len().saturating_sub(FAULTS);
        if more > 0 {
            say!("{more} more records cannot be read");
        }
        self.collection
    }
}

/// How far it is, on a terminal, if it takes its time.
fn bar(bytes: u64) -> ProgressBar {
    const LONG: u64 = 16 << 20;
    if bytes < LONG {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left");
    ProgressBar::new(bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// The interval that makes a recording of this length a chart that can be
/// read: a second, or more.
fn chosen_interval(seconds: f64) -> f64 {
    let fits = |length: &&f64| seconds / **length <= CHOSEN_INTERVALS;
    *LENGTHS.iter().find(fits).unwrap_or(&LENGTHS[LENGTHS.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_follow_from_the_length() {
        for (seconds, interval) in
            [(0.1, 1.0), (600.0, 1.0), (601.0, 2.0), (4_000.0, 10.0), (1e9, 86_400.0)]
        {
            assert_eq!(chosen_interval(seconds), interval, "{seconds}");
        }
    }
}
