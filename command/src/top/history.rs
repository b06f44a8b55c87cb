//! What each metric was, second by second, for as long as there is memory.

use std::collections::VecDeque;

use crate::distribution::Summary;
use crate::statistic::{OF_SAMPLES, Statistic};
use crate::tally::{Metric, Tally, Value};

/// Points of all curves together: 32 MiB.
const ALL_POINTS: usize = 8 << 20;
/// Of one curve: an hour, and what a small chart needs.
const POINTS: std::ops::RangeInclusive<usize> = 60..=3600;

#[derive(Default)]
pub struct History {
    pub tracks: Vec<Track>,
    /// Seconds that were closed.
    pub ticks: u64,
    /// Curves of all metrics.
    curves: usize,
    /// Lines in the last second.
    pub lines_per_second: f64,
    lines: u64,
}

/// A metric's curves and its figures of the last second.
pub struct Track {
    pub figures: Figures,
    /// A point of each curve, the second after those.
    points: VecDeque<f32>,
    curves: usize,
}

/// What a row of the table says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// A second: events, growth, values, members; a gauge's lines.
    pub rate: f64,
    /// Of the last second that had any.
    pub summary: Option<Summary>,
}

impl History {
    /// Closes an interval of so many seconds.
    pub fn tick(&mut self, tally: &mut Tally, seconds: f64) {
        let new = &tally.metrics[self.tracks.len()..];
        self.tracks.extend(new.iter().map(Track::new));
        self.curves = self.tracks.iter().map(|track| track.curves).sum();
        let most = (ALL_POINTS / self.curves.max(1)).clamp(*POINTS.start(), *POINTS.end());
        for (track, metric) in self.tracks.iter_mut().zip(&mut tally.metrics) {
            track.tick(metric, seconds, most);
        }
        self.lines_per_second = (tally.seen.lines - self.lines) as f64 / seconds;
        self.lines = tally.seen.lines;
        self.ticks += 1;
        tally.tick();
    }
}

impl Track {
    fn new(metric: &Metric) -> Track {
        let curves = Statistic::of(&metric.value).len();
        let figures = Figures { rate: 0.0, summary: None };
        Track { figures, points: VecDeque::new(), curves }
    }

    fn tick(&mut self, metric: &mut Metric, seconds: f64, most: usize) {
        let Figures { rate, summary } = &mut self.figures;
        let value = match &mut metric.value {
            Value::Counter { now, .. } | Value::Total { now, .. } => {
                *rate = *now / seconds;
                *rate
            }
            Value::Gauge { newest } => {
                *rate = metric.lines_now as f64 / seconds;
                *newest
            }
            Value::Members { now, .. } => {
                *rate = now.len() as f64 / seconds;
                now.len() as f64
            }
            Value::Samples { now, .. } => {
                let closed = now.summary();
                *rate = closed.map_or(0.0, |closed| closed.count / seconds);
                *summary = closed.or(*summary);
                let of = |statistic: Statistic| statistic.of_samples(closed.as_ref(), seconds);
                self.points.extend(OF_SAMPLES.map(|statistic| of(statistic) as f32));
                self.trim(most);
                return;
            }
        };
        self.points.push_back(value as f32);
        self.trim(most);
    }

    fn trim(&mut self, most: usize) {
        let over = self.points.len().saturating_sub(most * self.curves);
        self.points.drain(..over);
    }

    /// The newest values of a curve, as it was some ticks ago; the newest one
    /// last, and NaN where there was none.
    pub fn curve(&self, curve: usize, ago: usize, most: usize) -> impl Iterator<Item = f64> + '_ {
        let ticks = (self.points.len() / self.curves).saturating_sub(ago);
        let from = ticks.saturating_sub(most);
        (from..ticks).map(move |tick| f64::from(self.points[tick * self.curves + curve]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(history: &History, name: usize, curve: usize) -> Vec<f64> {
        history.tracks[name].curve(curve, 0, 100).collect()
    }

    #[test]
    fn second_by_second() {
        let (mut tally, mut history) = (Tally::new(None), History::default());
        tally.add_datagram(b"c:6|c\nt:10|C\ng:5|g\nms:1|ms\nms:3|ms");
        history.tick(&mut tally, 2.0);
        tally.add_datagram(b"c:1|c\nt:14|C\nnew:1|c");
        history.tick(&mut tally, 1.0);
        let mean = curve(&history, 3, 0);
        assert_eq!(curve(&history, 0, 0), [3.0, 1.0]);
        assert_eq!(curve(&history, 1, 0), [0.0, 4.0]);
        assert_eq!(curve(&history, 2, 0), [5.0, 5.0]);
        assert_eq!(mean[0], 2.0);
        assert!(mean[1].is_nan());
        assert_eq!(curve(&history, 3, 10), [1.0, 0.0]);
        assert_eq!(curve(&history, 4, 0), [1.0]);
        // the figures of a timing stay when nothing comes
        let Figures { rate, summary } = history.tracks[3].figures;
        assert_eq!((rate, summary.unwrap().max), (0.0, 3.0));
        assert_eq!(history.tracks[0].curve(0, 1, 100).collect::<Vec<_>>(), [3.0]);
        assert_eq!(history.lines_per_second, 3.0);
    }

    #[test]
    fn memory_is_bounded() {
        let (mut tally, mut history) = (Tally::new(None), History::default());
        tally.add_datagram(b"ms:1|ms");
        for _ in 0..4000 {
            history.tick(&mut tally, 1.0);
        }
        assert_eq!(history.tracks[0].points.len(), 3600 * 11);
        let names: Vec<_> = (0..20_000).map(|n| format!("n{n}:1|ms")).collect();
        tally.add_datagram(names.join("\n").as_bytes());
        history.tick(&mut tally, 1.0);
        assert_eq!(history.tracks[0].points.len(), 60 * 11);
    }
}
