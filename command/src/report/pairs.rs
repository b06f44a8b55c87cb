//! What two recordings have of one metric, or of several whose names differ in
//! numbers.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use regex::Regex;

use super::collect::Collection;
use super::compare::Difference;
use super::family::families;
use super::name::numbers_as_stars;
use super::palette::Colour;
use super::ranks::Over;
use crate::dialect::Kind;
use crate::statistic::{OF_SAMPLES, Statistic};

/// A recording with its name on the page, and the colour of its lines.
pub struct Side<'a> {
    pub label: &'static str,
    pub collection: &'a Collection,
    pub colour: &'static Colour,
}

/// A statistic of a metric, or of several whose names differ in numbers.
pub struct Pair<'a> {
    pub name: &'a str,
    pub kind: Kind,
    pub statistic: Statistic,
    /// Of each side.
    pub tracks: [&'a [usize]; 2],
    pub difference: Difference,
}

/// By name and type.
pub type Tracks = BTreeMap<(String, u8), [Vec<usize>; 2]>;

/// The tracks of each side, of metrics whose names differ in numbers together.
pub fn tracks(sides: &[Side; 2], patterns: &[Regex]) -> Tracks {
    let is_wanted = |name: &str| patterns.is_empty() || patterns.iter().any(|re| re.is_match(name));
    let mut tracks = Tracks::new();
    for (at, side) in sides.iter().enumerate() {
        for family in families(side.collection, is_wanted) {
            let key = (numbers_as_stars(&family.name), family.kind as u8);
            tracks.entry(key).or_default()[at] = family.tracks;
        }
    }
    // one that is alone on each side has its own name, if that is the same
    let name = |side: &Side, track: usize| {
        side.collection.tally.metrics[side.collection.tracks[track].metric].name.clone()
    };
    tracks
        .into_iter()
        .map(|((stars, kind), of)| match [&of[0][..], &of[1][..]] {
            [[a], [b]] if name(&sides[0], *a) == name(&sides[1], *b) => {
                ((name(&sides[0], *a), kind), of)
            }
            [[a], []] => ((name(&sides[0], *a), kind), of),
            [[], [b]] => ((name(&sides[1], *b), kind), of),
            _ => ((stars, kind), of),
        })
        .collect()
}

pub fn pairs<'a>(
    tracks: &'a Tracks,
    sides: &[Side; 2],
    differences: &[Difference],
) -> Vec<Pair<'a>> {
    let figures: BTreeMap<_, _> = differences.iter().map(|d| (&d.key, d)).collect();
    let mut pairs = Vec::new();
    for ((name, _), of) in tracks {
        let side = usize::from(of[0].is_empty());
        let metric = |side: usize, track: usize| {
            let collection = sides[side].collection;
            &collection.tally.metrics[collection.tracks[track].metric]
        };
        let kind = metric(side, of[side][0]).kind;
        for &(statistic, figure) in statistics(kind) {
            // of several metrics the one in the middle
            let middle = |side: usize| {
                let of_track = |track: &usize| {
                    let key = (metric(side, *track).name.clone(), kind.name(), figure);
                    let known = figures.get(&key);
                    known.map_or(f64::NAN, |d| if side == 0 { d.before } else { d.after })
                };
                Over::Median.of(&mut of[side].iter().map(of_track).collect::<Vec<_>>())
            };
            let key = (name.clone(), kind.name(), figure);
            let difference = Difference { key, before: middle(0), after: middle(1) };
            let tracks = [&of[0][..], &of[1][..]];
            pairs.push(Pair { name, kind, statistic, tracks, difference });
        }
    }
    pairs
}

/// What is drawn of a type, and the figure of a whole recording beside it.
fn statistics(kind: Kind) -> &'static [(Statistic, &'static str)] {
    match kind {
        Kind::Timer | Kind::Histogram => {
            &[(Statistic::Median, "median"), (Statistic::P99, "p99"), (Statistic::Count, "count/s")]
        }
        Kind::Counter | Kind::Total => &[(Statistic::Rate, "rate")],
        Kind::Gauge => &[(Statistic::Value, "mean")],
        Kind::Set => &[(Statistic::Members, "members")],
    }
}

pub fn order(statistic: Statistic) -> usize {
    OF_SAMPLES.iter().position(|s| *s == statistic).unwrap_or(0)
}

/// How much differs; what one side lacks, most.
pub fn size(difference: &Difference) -> f64 {
    difference.percent().abs()
}
