//! A figure over time, thinned as it comes: where there are more intervals
//! than a chart has room for, of every so many the lowest and the highest
//! value are kept, in the order in which they came.
#![forbid(unsafe_code)]

/// A series has at most so many values.
const ROWS: usize = 1_200;

/// The times that all series of a report have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// Seconds that a value is of.
    pub interval: f64,
    /// Intervals that the recording has.
    pub intervals: usize,
    /// Intervals that two values stand for; 1: each has its own.
    pub step: usize,
}

impl Times {
    pub fn new(interval: f64, intervals: usize) -> Times {
        let intervals = intervals.max(1);
        let step = if intervals <= ROWS { 1 } else { intervals.div_ceil(ROWS / 2) };
        Times { interval, intervals, step }
    }

    pub fn rows(&self) -> usize {
        match self.step {
            1 => self.intervals,
            step => 2 * self.intervals.div_ceil(step),
        }
    }

    /// When the interval of a row begins, in seconds since the start.
    pub fn at(&self, row: usize) -> f64 {
        match self.step {
            1 => row as f64 * self.interval,
            step => row as f64 * self.interval * step as f64 / 2.0,
        }
    }

    fn row_of(&self, interval: usize) -> usize {
        if self.step == 1 { interval } else { interval / self.step * 2 }
    }
}

/// A figure for each interval; none is NaN.
#[derive(Debug)]
pub struct Series {
    times: Times,
    next: usize,
    values: Vec<f64>,
    bucket: Option<Bucket>,
    pub overall: Overall,
}

/// The lowest and the highest value, and whether the lowest came first.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    low: f64,
    high: f64,
    low_first: bool,
}

/// Of all values, before thinning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overall {
    pub n: u64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
    pub last: f64,
}

impl Series {
    /// A series that begins with a later interval has no values before.
    pub fn new(times: Times, first: usize) -> Series {
        let values = vec![f64::NAN; times.row_of(first)];
        let none = Overall { n: 0, sum: 0.0, min: f64::NAN, max: f64::NAN, last: f64::NAN };
        Series { times, next: first, values, bucket: None, overall: none }
    }

    /// A series of values that are thinned already.
    pub fn of(times: Times, values: Vec<f64>) -> Series {
        let mut series = Series::new(times, 0);
        values.iter().filter(|value| !value.is_nan()).for_each(|value| series.overall.add(*value));
        series.values = values;
        series
    }

    pub fn push(&mut self, value: f64) {
        if !value.is_nan() {
            self.overall.add(value);
            self.bucket = Some(match self.bucket {
                None => Bucket { low: value, high: value, low_first: true },
                Some(b) if value < b.low => Bucket { low: value, low_first: false, ..b },
                Some(b) if value > b.high => Bucket { high: value, low_first: true, ..b },
                Some(b) => b,
            });
        }
        self.next += 1;
        if self.next.is_multiple_of(self.times.step) {
            self.close();
        }
    }

    fn close(&mut self) {
        let (first, second) = match self.bucket.take() {
            None => (f64::NAN, f64::NAN),
            Some(Bucket { low, high, low_first: true }) => (low, high),
            Some(Bucket { low, high, low_first: false }) => (high, low),
        };
        self.values.push(first);
        if self.times.step > 1 {
            self.values.push(second);
        }
    }

    /// All values, when the last interval has been pushed.
    pub fn finish(&mut self) {
        if !self.next.is_multiple_of(self.times.step) {
            self.close();
        }
        self.values.resize(self.times.rows(), f64::NAN);
    }

    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

impl Overall {
    fn add(&mut self, value: f64) {
        self.n += 1;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.last = value;
    }

    pub fn mean(&self) -> f64 {
        self.sum / self.n as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_one_is_kept_as_it_is() {
        let times = Times::new(1.0, 5);
        let mut series = Series::new(times, 2);
        for value in [3.0, f64::NAN, 1.0] {
            series.push(value);
        }
        series.finish();
        assert_eq!(format!("{:?}", series.values()), "[NaN, NaN, 3.0, NaN, 1.0]");
        let Overall { n, sum, min, max, last } = series.overall;
        assert_eq!((n, sum, min, max, last), (2, 4.0, 1.0, 3.0, 1.0));
        assert_eq!(times.at(4), 4.0);
    }

    #[test]
    fn of_a_long_one_each_lowest_and_highest_is_kept() {
        let n = 10 * ROWS + 7;
        let times = Times::new(0.5, n);
        let values: Vec<f64> = (0..n).map(|i| ((i * 7919) % 1013) as f64).collect();
        let mut series = Series::new(times, 0);
        values.iter().for_each(|value| series.push(*value));
        series.finish();
        assert_eq!(series.values().len(), times.rows());
        assert!(times.rows() <= ROWS);
        for (chunk, pair) in values.chunks(times.step).zip(series.values().chunks(2)) {
            let place = |value| chunk.iter().position(|v| *v == value).unwrap();
            let low = chunk.iter().copied().fold(f64::NAN, f64::min);
            let high = chunk.iter().copied().fold(f64::NAN, f64::max);
            let mut expected = [low, high];
            expected.sort_by_key(|value| place(*value));
            assert_eq!(pair, expected);
        }
        assert_eq!(times.at(2), times.step as f64 * 0.5);
    }
}
