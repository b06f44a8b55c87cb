//! One metric of many ranks as one chart: a line for each rank, or what the
//! ranks have at least, in the middle and at most.
#![forbid(unsafe_code)]

use super::chart::{Curve, Section};
use super::collect::Collection;
use super::layout::{Member, curve, largest};
use super::name::stars;
use super::palette::LINES;
use super::series::Series;
use crate::dialect::Kind;
use crate::scale::{self, Divisor};
use crate::statistic::{OF_SAMPLES, Statistic};

/// What is shown of many ranks, in place of a line for each.
#[derive(Clone, Copy)]
pub enum Over {
    Max,
    Median,
    Min,
}

impl Over {
    pub fn label(self) -> &'static str {
        match self {
            Over::Max => "max",
            Over::Median => "median",
            Over::Min => "min",
        }
    }

    /// The series of so many tracks together.
    pub fn series(self, collection: &Collection, tracks: &[usize], series: usize) -> Series {
        let of_rank =
            |track: &usize, row: usize| collection.tracks[*track].series[series].1.values()[row];
        let values = (0..collection.times.rows()).map(|row| {
            let mut values: Vec<f64> = tracks.iter().map(|track| of_rank(track, row)).collect();
            self.of(&mut values)
        });
        Series::of(collection.times, values.collect())
    }

    /// Of the ranks that have a value; NaN without any.
    pub fn of(self, values: &mut [f64]) -> f64 {
        values.sort_unstable_by(f64::total_cmp);
        let n = values.iter().filter(|value| !value.is_nan()).count();
        match (n, self) {
            (0, _) => f64::NAN,
            (_, Over::Min) => values[0],
            (n, Over::Median) => values[(n - 1) / 2],
            (n, Over::Max) => values[n - 1],
        }
    }
}

/// A chart of each statistic.
pub fn charts(section: &mut Section, collection: &Collection, member: &Member) {
    let unit = if member.kind == Kind::Timer { "ms" } else { "" };
    let statistics = match member.kind {
        Kind::Timer | Kind::Histogram => &OF_SAMPLES[..],
        Kind::Counter | Kind::Total => &[Statistic::Rate],
        Kind::Gauge => &[Statistic::Value],
        Kind::Set => &[Statistic::Members],
    };
    let is_bytes = member.kind == Kind::Gauge && scale::is_bytes(&member.label);
    for statistic in statistics {
        let (title, unit) = match statistic {
            Statistic::Value | Statistic::Rate | Statistic::Members => (member.label.clone(), ""),
            _ => (format!("{}: {}", member.label, statistic.label()), unit),
        };
        let unit = match statistic {
            Statistic::Count | Statistic::Rate => "a second".to_owned(),
            Statistic::Sum => format!("{unit} a second").trim_start().to_owned(),
            Statistic::Members => "in each interval".to_owned(),
            _ => unit.to_owned(),
        };
        let mut curves = curves(collection, member, *statistic);
        if is_bytes {
            let divisor = Divisor::of_bytes(largest(collection, member));
            curves.iter_mut().for_each(|curve| curve.scale = divisor);
        }
        section.add(title, &unit, curves);
        section.say(highest(collection, member, *statistic));
    }
}

/// Which of many ranks has the highest value, if it has that alone.
fn highest(collection: &Collection, member: &Member, statistic: Statistic) -> String {
    if member.tracks.len() <= LINES.len() {
        return String::new();
    }
    let max = |track: &usize| {
        let series = &collection.tracks[*track].series;
        series.iter().find(|(of, _)| *of == statistic).map_or(f64::NAN, |(_, s)| s.overall.max)
    };
    let most = member.tracks.iter().map(max).fold(0.0, f64::max);
    let mut highest = member.tracks.iter().filter(|track| max(track) == most);
    let (Some(track), None) = (highest.next(), highest.next()) else { return String::new() };
    let name = &collection.tally.metrics[collection.tracks[*track].metric].name;
    format!("The highest value is of * = {}.", stars(name))
}

fn curves(collection: &Collection, member: &Member, statistic: Statistic) -> Vec<Curve> {
    let tracks = &member.tracks;
    if tracks.len() <= LINES.len() {
        let name = |track: usize| &collection.tally.metrics[collection.tracks[track].metric].name;
        let line = |(track, colour)| {
            let label = format!("* = {}", stars(name(track)));
            curve(track, label, statistic, colour)
        };
        return tracks.iter().copied().zip(&LINES).map(line).collect();
    }
    let overs = [Over::Max, Over::Median, Over::Min].into_iter().zip(&LINES);
    let over = |(over, colour): (Over, _)| {
        let label = format!("{} of {}", over.label(), tracks.len());
        let mut curve = curve(tracks[0], label, statistic, colour);
        curve.over = Some((over, over.series(collection, tracks, curve.series)));
        curve
    };
    overs.map(over).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_those_that_have_a_value() {
        let of = |over: Over| over.of(&mut [3.0, f64::NAN, 1.0, 2.0, 9.0]);
        assert_eq!([of(Over::Min), of(Over::Median), of(Over::Max)], [1.0, 2.0, 9.0]);
        assert!(Over::Max.of(&mut [f64::NAN]).is_nan());
    }
}
