//! The curves of the chart, scaled.

use crate::dialect::Kind;

use super::State;
use super::view::View;
use crate::scale::{self, Shared, is_bytes};
use crate::statistic::{OF_SAMPLES, Statistic};

/// Of a timing that is alone in the chart: mean, median, p95, p99.
const SPREAD: [usize; 4] = [0, 1, 3, 5];

pub struct Curve {
    pub name: String,
    /// Which of a timing's curves.
    pub statistic: &'static str,
    /// What it was multiplied or divided by, as text with a blank before it;
    /// empty where by nothing.
    pub scaled: String,
    pub unit: String,
    /// Whether the points are bytes.
    pub is_bytes: bool,
    /// From the oldest on, one a second; NaN where there was none.
    pub points: Vec<f64>,
}

/// The curves of what is in the chart, so many seconds of them.
pub fn curves(state: &State, view: &View, seconds: usize) -> Vec<Curve> {
    let ago = view.ago(state);
    let charted = view.charted();
    let mut curves = Vec::new();
    for number in &charted {
        // it is there from the next tick on
        let Some(track) = state.history.tracks.get(*number) else { continue };
        let metric = &state.tally.metrics[*number];
        let is_sampled = matches!(metric.kind, Kind::Timer | Kind::Histogram);
        let wanted = match view.statistic {
            _ if !is_sampled => vec![0],
            Some(statistic) => vec![statistic],
            None if charted.len() == 1 => SPREAD.to_vec(),
            None => vec![0],
        };
        let scale = view.scale(&metric.name);
        for statistic in wanted {
            let is_count = is_sampled && OF_SAMPLES[statistic] == Statistic::Count;
            let scale = scale.filter(|_| !is_count);
            let factor = scale.map_or(1.0, |scale| scale.factor);
            let own_unit = match metric.kind {
                _ if is_count => "/s",
                Kind::Timer => "ms",
                Kind::Counter | Kind::Total => "/s",
                _ => "",
            };
            let unit = scale.map(|scale| &scale.unit[..]).filter(|unit| !unit.is_empty());
            curves.push(Curve {
                name: metric.name.clone(),
                statistic: if is_sampled { OF_SAMPLES[statistic].label() } else { "" },
                scaled: scale.map_or(String::new(), |scale| format!(" × {}", scale.shown)),
                is_bytes: metric.kind == Kind::Gauge && scale.is_none() && is_bytes(&metric.name),
                unit: unit.unwrap_or(own_unit).to_owned(),
                points: track.curve(statistic, ago, seconds).map(|point| point * factor).collect(),
            });
        }
    }
    if view.automatic {
        bring_together(&mut curves);
    }
    curves
}

fn bring_together(curves: &mut [Curve]) {
    let largest = |curve: &Curve| curve.points.iter().fold(0.0, |most: f64, n| most.max(n.abs()));
    let shared = |curve| {
        let Curve { name, is_bytes, .. }: &Curve = curve;
        Shared { name, largest: largest(curve), is_bytes: *is_bytes }
    };
    let divisors = scale::automatic(&curves.iter().map(shared).collect::<Vec<_>>());
    for (curve, divisor) in curves.iter_mut().zip(divisors) {
        curve.points.iter_mut().for_each(|point| *point /= divisor.divisor);
        // a unit of bytes stands beside the number
        if divisor.unit.is_empty() {
            curve.scaled += &divisor.legend();
        } else {
            curve.unit = divisor.unit.to_owned();
        }
    }
}

/// The least and most of an axis for these curves: 0 and what is above and
/// below it, to a round number.
pub fn bounds(curves: &[Curve]) -> [f64; 2] {
    let [least, most] = bounds_of(curves.iter().flat_map(|curve| curve.points.iter().copied()));
    match (round_up(-least), round_up(most)) {
        (0.0, 0.0) => [0.0, 1.0],
        (0.0, most) => [0.0, most],
        (below, most) => [-below, most],
    }
}

/// The least and most of values and 0.
pub fn bounds_of(values: impl Iterator<Item = f64>) -> [f64; 2] {
    // neither takes NaN for a value
    values.fold([0.0, 0.0], |[least, most]: [f64; 2], n| [least.min(n), most.max(n)])
}

/// The next 1, 2, 4, 5 or 8 with zeros.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 0.0;
    }
    let power = 10f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 4.0, 5.0, 8.0, 10.0];
    let step = steps.iter().find(|step| *step * power >= value * 0.999_999).unwrap_or(&10.0);
    step * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[f64]) -> Curve {
        let text = String::new;
        let name = format!("a{}", points.first().copied().unwrap_or(0.0));
        let points = points.to_vec();
        Curve { name, statistic: "", scaled: text(), unit: text(), is_bytes: false, points }
    }

    #[test]
    fn axes() {
        assert_eq!(bounds(&[]), [0.0, 1.0]);
        assert_eq!(bounds(&[curve(&[f64::NAN, 3.0])]), [0.0, 4.0]);
        assert_eq!(bounds(&[curve(&[-0.3, 1.0])]), [-0.4, 1.0]);
        assert_eq!(bounds(&[curve(&[-3.0])]), [-4.0, 0.0]);
        assert_eq!(bounds(&[curve(&[99_000.0])]), [0.0, 100_000.0]);
    }

    #[test]
    fn one_axis_for_all() {
        let mut curves = [curve(&[10.0]), curve(&[20.0, f64::NAN]), curve(&[1359.0])];
        curves[2].scaled = " × 1/2".to_owned();
        bring_together(&mut curves);
        assert_eq!(curves[2].points, [13.59]);
        assert_eq!((&curves[0].scaled[..], &curves[2].scaled[..]), ("", " × 1/2 ÷ 100"));
    }
}
