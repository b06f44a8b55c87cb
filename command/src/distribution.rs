//! The values of a timing or histogram: exact while they are few, then in
//! buckets of a thousandth of their size.

use hdrhistogram::Histogram;

/// Values that are kept as they are.
const EXACT: usize = 16_384;
/// Buckets are for whole numbers: a value of a millionth is one.
const UNIT: f64 = 1e6;
/// Digits that buckets distinguish.
const DIGITS: u8 = 3;

/// Bytes that all values together may take.
#[derive(Clone, Copy, Debug)]
pub struct Budget(pub usize);

/// What brubeck says of a timer, all in the values' own unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Each value as often as its sample rate says.
    pub count: f64,
    pub sum: f64,
    pub mean: f64,
    pub min: f64,
    pub max: f64,
    pub median: f64,
    pub p75: f64,
    pub p95: f64,
    pub p98: f64,
    pub p99: f64,
    pub p999: f64,
}

#[derive(Debug, Default)]
pub struct Distribution {
    count: f64,
    sum: f64,
    min: f64,
    max: f64,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    /// Values, each with how many it stands for.
    Exact(Vec<(f64, f32)>),
    /// Those from 0 up, and the others without their sign.
    Buckets(Box<[Histogram<u64>; 2]>),
}

impl Default for Kept {
    fn default() -> Kept {
        Kept::Exact(Vec::new())
    }
}

impl Distribution {
    /// Adds a value that stands for `weight`. False where no memory is left
    /// to keep it: then it is missing in the percentiles alone.
    pub fn push(&mut self, value: f64, weight: f64, budget: &mut Budget) -> bool {
        if self.count == 0.0 {
            (self.min, self.max) = (value, value);
        }
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.count += weight;
        self.sum += value * weight;
        if let Kept::Exact(values) = &mut self.kept {
            if values.len() < values.capacity() || grow(values, budget) {
                values.push((value, weight as f32));
                return true;
            }
            if values.len() < EXACT {
                return false;
            }
            let values = std::mem::take(values);
            self.kept = Kept::Buckets(Box::new([buckets(), buckets()]));
            for (value, weight) in values {
                self.push_bucket(value, weight.into());
            }
        }
        self.push_bucket(value, weight);
        true
    }

    fn push_bucket(&mut self, value: f64, weight: f64) {
        let Kept::Buckets(buckets) = &mut self.kept else { return };
        let bucket = (value.abs() * UNIT).round().min((u64::MAX >> 2) as f64) as u64;
        // it grows by itself, and is told no value that it could refuse
        let _ = buckets[usize::from(value < 0.0)].record_n(bucket, weight.round() as u64);
    }

    /// How many samples were pushed, each as often as its weight says.
    pub fn count(&self) -> f64 {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0.0
    }

    /// Forgets the values and keeps their memory.
    pub fn clear(&mut self) {
        (self.count, self.sum) = (0.0, 0.0);
        match &mut self.kept {
            Kept::Exact(values) => values.clear(),
            Kept::Buckets(buckets) => buckets.iter_mut().for_each(Histogram::reset),
        }
    }

    /// What there is to say; nothing without values. Sorts them.
    pub fn summary(&mut self) -> Option<Summary> {
        if self.is_empty() {
            return None;
        }
        let whole = match &mut self.kept {
            Kept::Exact(values) => {
                values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
                values.iter().map(|(_, weight)| f64::from(*weight)).sum()
            }
            Kept::Buckets(buckets) => buckets.iter().map(|b| b.len() as f64).sum(),
        };
        let at = |rank| self.percentile(rank, whole).clamp(self.min, self.max);
        Some(Summary {
            count: self.count,
            sum: self.sum,
            mean: self.sum / self.count,
            min: self.min,
            max: self.max,
            median: at(0.5),
            p75: at(0.75),
            p95: at(0.95),
            p98: at(0.98),
            p99: at(0.99),
            p999: at(0.999),
        })
    }

    /// brubeck's percentile: of n sorted values the one at rank * n, rounded.
    fn percentile(&self, rank: f64, whole: f64) -> f64 {
        let wanted = (rank * whole + 0.5).floor().max(1.0);
        match &self.kept {
            Kept::Exact(values) => {
                let mut seen = 0.0;
                let weighty = values.iter().find(|(_, weight)| {
                    seen += f64::from(*weight);
                    seen >= wanted
                });
                weighty.or(values.last()).map_or(f64::NAN, |(value, _)| *value)
            }
            Kept::Buckets(buckets) => {
                let [up, down] = &**buckets;
                let (below, wanted) = (down.len(), wanted as u64);
                // the lowest values are the largest of those below 0
                if wanted <= below {
                    -(at_rank(down, below - wanted + 1) / UNIT)
                } else {
                    at_rank(up, wanted - below) / UNIT
                }
            }
        }
    }
}

/// Room for twice as many values; not for more than are kept.
fn grow(values: &mut Vec<(f64, f32)>, budget: &mut Budget) -> bool {
    let more = values.len().clamp(4, EXACT);
    let bytes = more * size_of::<(f64, f32)>();
    if values.len() >= EXACT || budget.0 < bytes {
        return false;
    }
    budget.0 -= bytes;
    values.reserve_exact(more);
    true
}

fn buckets() -> Histogram<u64> {
    Histogram::new(DIGITS).expect("three digits are up to five")
}

/// The middle of the bucket with the value of this rank, from 1.
fn at_rank(buckets: &Histogram<u64>, rank: u64) -> f64 {
    let mut seen = 0;
    for step in buckets.iter_recorded() {
        seen += step.count_since_last_iteration();
        if seen >= rank {
            return buckets.median_equivalent(step.value_iterated_to()) as f64;
        }
    }
    buckets.max() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl Iterator<Item = f64>) -> Summary {
        let mut distribution = Distribution::default();
        let mut budget = Budget(usize::MAX);
        for value in values {
            assert!(distribution.push(value, 1.0, &mut budget));
        }
        distribution.summary().unwrap()
    }

    /// A shuffle of 0 to n - 1, for n a power of two.
    fn shuffled(n: u64) -> impl Iterator<Item = u64> {
        (0..n).map(move |i| (i * 0x9E37_79B1 + 7) & (n - 1))
    }

    #[test]
    fn exact_while_few() {
        let all = of(shuffled(1024).map(|n| n as f64 / 8.0 - 3.0));
        let value = |n: usize| n as f64 / 8.0 - 3.0;
        let want = [(all.median, 511), (all.p75, 767), (all.p95, 972), (all.p98, 1003)];
        for (have, rank) in want {
            assert_eq!(have, value(rank));
        }
        assert_eq!((all.p99, all.p999), (value(1013), value(1022)));
        assert_eq!((all.min, all.max, all.count), (value(0), value(1023), 1024.0));
        assert_eq!(all.sum, (0..1024).map(value).sum::<f64>());
        assert_eq!(all.mean, all.sum / 1024.0);
    }

    #[test]
    fn one_value_is_all_percentiles() {
        let all = of([0.264].into_iter());
        assert_eq!([all.median, all.p999, all.min, all.mean], [0.264; 4]);
    }

    #[test]
    fn buckets_are_a_thousandth_wide() {
        let n = 1 << 17;
        for (offset, scale) in [(0.0, 0.01), (-60_000.0, 1.0)] {
            let value = |n: u64| (n as f64 + offset) * scale;
            let all = of(shuffled(n).map(value));
            for (have, rank) in
                [(all.median, 0.5), (all.p75, 0.75), (all.p99, 0.99), (all.p999, 0.999)]
            {
                let want = value((rank * n as f64 + 0.5) as u64 - 1);
                assert!((have - want).abs() <= want.abs() / 1000.0 + 1e-6, "{have} {want}");
            }
            assert_eq!((all.min, all.max), (value(0), value(n - 1)));
            assert_eq!(all.count, n as f64);
        }
    }

    #[test]
    fn a_weight_counts_as_that_many() {
        let mut distribution = Distribution::default();
        let mut budget = Budget(usize::MAX);
        distribution.push(1.0, 1.0, &mut budget);
        distribution.push(2.0, 10.0, &mut budget);
        let all = distribution.summary().unwrap();
        assert_eq!((all.count, all.sum, all.median), (11.0, 21.0, 2.0));
    }

    #[test]
    fn no_memory_is_said_and_the_sum_is_right() {
        let mut distribution = Distribution::default();
        let mut budget = Budget(100);
        let kept = (0..100).filter(|n| distribution.push(f64::from(*n), 1.0, &mut budget)).count();
        assert!(kept < 10, "{kept}");
        assert_eq!(distribution.summary().unwrap().sum, 4950.0);
    }
}
