//! The axis of values: from 0 unless the values stay far from it, or
//! logarithmic where most would lie at the bottom of a linear one.
#![forbid(unsafe_code)]

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;

use super::page::Line;
use super::ranks::Over;

/// A value that is so many times larger than nine of ten others has them lie
/// at the bottom.
const SPIKE: f64 = 20.0;
/// Values from which that is asked.
const ENOUGH: usize = 10;

/// Whether lines need a logarithmic axis.
pub fn needs_log(lines: &[Line]) -> bool {
    let mut sizes: Vec<f64> = values(lines).filter(|value| *value > 0.0).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    let Some(most) = sizes.last().filter(|_| sizes.len() > ENOUGH) else { return false };
    // of many ranks most are where their median is
    let medians = lines.iter().filter(|line| matches!(line.over, Some(Over::Median)));
    let median = medians.map(|line| line.series.overall.max / line.scale.divisor);
    let median = median.fold(f64::NAN, f64::max);
    *most > SPIKE * sizes[sizes.len() * 9 / 10] || median > 0.0 && *most > SPIKE * median
}

fn values<'a>(lines: &'a [Line]) -> impl Iterator<Item = f64> + use<'a> {
    let of = |line: &'a Line| {
        let values = line.series.values().iter().filter(|value| !value.is_nan());
        values.map(|value| value / line.scale.divisor)
    };
    lines.iter().flat_map(of)
}

/// The axis of a picture.
pub struct Axis {
    low: f64,
    high: f64,
    /// Linear around 0, up to this value, and logarithmic beyond.
    log_from: Option<f64>,
}

impl Axis {
    pub fn of(lines: &[Line]) -> Axis {
        let (low, high) = values(lines)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        if low > high || (low == 0.0 && high == 0.0) {
            return Axis { low: 0.0, high: 1.0, log_from: None };
        }
        if needs_log(lines) {
            let sizes = values(lines).map(f64::abs).filter(|size| *size > 0.0);
            let least = decade(sizes.fold(f64::INFINITY, f64::min));
            let top = if high > decade(high) { decade(high) * 10.0 } else { high };
            let bottom = if low > 0.0 { least } else { low };
            return Axis { low: bottom, high: top, log_from: Some(least) };
        }
        let room = if low == high { high.abs() } else { high - low } * 0.08;
        let from = if low >= 0.0 && low < high * 0.7 { 0.0 } else { low - room };
        let low = if low >= 0.0 { from.max(0.0) } else { from };
        Axis { low, high: high + room, log_from: None }
    }

    pub fn low(&self) -> f64 {
        self.low
    }

    /// Where a value is, in a unit of its own.
    fn place(&self, value: f64) -> f64 {
        self.log_from.map_or(value, |from| (value / from).asinh())
    }

    /// Powers of ten, and 0.
    fn powers(&self, from: f64, most: usize) -> Vec<f64> {
        let mut powers = vec![0.0];
        let mut power = from;
        while power <= self.high.max(-self.low) * (1.0 + 1e-9) && powers.len() < 700 {
            powers.extend([-power, power]);
            power *= 10.0;
        }
        powers.retain(|power| (self.low..=self.high * (1.0 + 1e-9)).contains(power));
        powers.sort_unstable_by(f64::total_cmp);
        let step = powers.len().div_ceil(most.max(1)).max(1);
        powers.into_iter().rev().step_by(step).collect()
    }
}

fn decade(value: f64) -> f64 {
    10f64.powf(value.log10().floor())
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (bottom, top): (i32, i32)) -> i32 {
        let (low, high) = (self.place(self.low), self.place(self.high));
        let part = (self.place(*value) - low) / (high - low);
        bottom + (part * f64::from(top - bottom)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match self.log_from {
            Some(from) => self.powers(from, hint.max_num_points()),
            None => RangedCoordf64::from(self.range()).key_points(hint),
        }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

#[cfg(test)]
mod tests {
    use super::super::palette::LINES;
    use super::super::series::{Series, Times};
    use super::*;
    use crate::scale::Divisor;
    use crate::statistic::Statistic;

    fn series(values: &[f64]) -> Series {
        Series::of(Times::new(1.0, values.len()), values.to_vec())
    }

    fn line(series: &Series, over: Option<Over>) -> Line<'_> {
        let (label, statistic, scale) = (String::new(), Statistic::Value, Divisor::NONE);
        let colour = &LINES[0];
        let (metric, side, key, is_dashed) = ("", None, None, false);
        Line { label, metric, statistic, over, side, key, series, scale, colour, is_dashed }
    }

    #[test]
    fn a_spike_has_a_logarithmic_axis() {
        let mut values = vec![1.0; 30];
        assert!(!needs_log(&[line(&series(&values), None)]));
        values[7] = 1_000.0;
        let spike = series(&values);
        assert!(needs_log(&[line(&spike, None)]));
        let axis = Axis::of(&[line(&spike, None)]);
        let at = |value| axis.map(&value, (300, 0));
        assert_eq!((at(1.0), at(1_000.0)), (300, 0));
        assert!((190..210).contains(&at(10.0)) || (195..205).contains(&at(10.0)), "{}", at(10.0));
        assert_eq!(axis.powers(1.0, 9), [1_000.0, 100.0, 10.0, 1.0]);
    }

    #[test]
    fn ranks_that_lie_at_the_bottom_have_one_too() {
        let (low, high) = (series(&[1.0; 20]), series(&[50.0; 20]));
        assert!(!needs_log(&[line(&low, None), line(&high, None)]));
        assert!(needs_log(&[line(&low, Some(Over::Median)), line(&high, Some(Over::Max))]));
    }
}
