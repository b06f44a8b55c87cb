//! A metric's series: what each interval adds to them.
#![forbid(unsafe_code)]

use super::series::Series;
use crate::statistic::Statistic;
use crate::tally::{Metric, Value};

/// A gauge ends with its last line if it was sent in this many intervals, and
/// then not for `SILENCE` seconds and `PAUSES` times its longest pause.
const REGULAR: usize = 3;
const SILENCE: f64 = 10.0;
const PAUSES: usize = 3;

/// A metric with its series.
pub struct Track {
    pub metric: usize,
    pub series: Vec<(Statistic, Series)>,
    sent: Sent,
}

/// In which intervals a gauge was sent.
#[derive(Default)]
struct Sent {
    intervals: usize,
    /// Intervals since the last of them, of which nothing is pushed yet.
    pause: usize,
    longest_pause: usize,
    value: f64,
}

impl Track {
    pub fn new(metric: usize, series: Vec<(Statistic, Series)>) -> Track {
        Track { metric, series, sent: Sent::default() }
    }

    /// Adds what came in an interval of so many seconds.
    pub fn tick(&mut self, metric: &mut Metric, seconds: f64) {
        let lines = metric.lines_now;
        match &mut metric.value {
            Value::Counter { now, .. } | Value::Total { now, .. } => self.push(|_| *now / seconds),
            Value::Gauge { newest } => self.tick_gauge(*newest, lines),
            Value::Members { now, .. } => self.push(|_| now.len() as f64),
            Value::Samples { now, .. } => {
                let summary = now.summary();
                self.push(|statistic| statistic.of_samples(summary.as_ref(), seconds));
            }
        }
    }

    fn push(&mut self, figure: impl Fn(Statistic) -> f64) {
        for (statistic, series) in &mut self.series {
            series.push(figure(*statistic));
        }
    }

    /// A gauge keeps its value until another one comes, if one comes.
    fn tick_gauge(&mut self, newest: f64, lines: u64) {
        if lines == 0 {
            self.sent.pause += 1;
            return;
        }
        let Sent { intervals, pause, longest_pause, value } = &mut self.sent;
        let (n, before) = (std::mem::take(pause), *value);
        *intervals += 1;
        *longest_pause = n.max(*longest_pause);
        *value = newest;
        (0..n).for_each(|_| self.push(|_| before));
        self.push(|_| newest);
    }

    /// To be called after the last interval.
    pub fn finish(&mut self, interval: f64) {
        self.end_gauge((SILENCE / interval).ceil() as usize);
        self.series.iter_mut().for_each(|(_, series)| series.finish());
    }

    /// The intervals since a gauge's last line: whether it has a value there.
    fn end_gauge(&mut self, silence: usize) {
        let Sent { intervals, pause, longest_pause, value } = self.sent;
        let has_ended =
            intervals >= REGULAR && pause > silence && pause > PAUSES * (longest_pause + 1);
        let value = if has_ended { f64::NAN } else { value };
        (0..pause).for_each(|_| self.push(|_| value));
    }
}

#[cfg(test)]
mod tests {
    use super::super::series::Times;
    use super::*;

    fn gauge(lines: &[u64]) -> Vec<f64> {
        let times = Times::new(1.0, lines.len());
        let series = vec![(Statistic::Value, Series::new(times, 0))];
        let mut track = Track::new(0, series);
        lines.iter().enumerate().for_each(|(at, lines)| track.tick_gauge(at as f64, *lines));
        track.end_gauge(2);
        let series = &mut track.series[0].1;
        series.finish();
        series.values().iter().map(|value| if value.is_nan() { -1.0 } else { *value }).collect()
    }

    #[test]
    fn a_gauge_that_is_sent_no_more_ends() {
        assert_eq!(gauge(&[1, 1, 1, 0, 0, 0, 0]), [0.0, 1.0, 2.0, -1.0, -1.0, -1.0, -1.0]);
        assert_eq!(gauge(&[1, 1, 1, 0, 0, 0]), [0.0, 1.0, 2.0, 2.0, 2.0, 2.0]);
        assert_eq!(gauge(&[1, 0, 1, 0, 1, 0]), [0.0, 0.0, 2.0, 2.0, 4.0, 4.0]);
        // one that is sent when it changes
        assert_eq!(gauge(&[1, 0, 0, 0, 0, 0]), [0.0; 6]);
    }
}
