//! What values are multiplied or divided by, so that curves share an axis: the
//! same in `top` and in reports.

use std::collections::BTreeMap;
use std::str::FromStr;

use regex::bytes::Regex;

use crate::figure::grouped;

/// Powers of ten that curves may be apart and share an axis: a factor of five.
const NEAR: f64 = 0.7;

/// A factor that the user gave for names of a pattern.
#[derive(Clone, Debug)]
pub struct Scale {
    pattern: Regex,
    pub factor: f64,
    /// The factor as it was written.
    pub shown: String,
    /// Of what comes out.
    pub unit: String,
}

impl Scale {
    pub fn applies(&self, name: &str) -> bool {
        self.pattern.is_match(name.as_bytes())
    }
}

impl FromStr for Scale {
    type Err = String;

    /// Reads `content-cache.*.size=1/1048576 MiB`.
    fn from_str(text: &str) -> Result<Scale, String> {
        let (pattern, rest) = text
            .rsplit_once('=')
            .filter(|(pattern, _)| !pattern.is_empty())
            .ok_or("say PATTERN=FACTOR, as in '*.size=1/1024'")?;
        let (shown, unit) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
        let factor = match shown.split_once('/') {
            Some((above, below)) => number(above).zip(number(below)).map(|(a, b)| a / b),
            None => number(shown),
        };
        let factor = factor
            .filter(|factor| factor.is_finite() && *factor > 0.0)
            .ok_or_else(|| format!("'{shown}' is no factor: say a number, or 1/1024"))?;
        // the whole name or what follows a dot; tags may follow
        let glob = pattern.split('*').map(regex::escape).collect::<Vec<_>>().join(".*");
        let pattern =
            Regex::new(&format!(r"(?-u)^(?:.*\.)?{glob}(?:;.*)?$")).map_err(|w| w.to_string())?;
        Ok(Scale { pattern, factor, shown: shown.to_owned(), unit: unit.trim().to_owned() })
    }
}

fn number(text: &str) -> Option<f64> {
    crate::wire::number(text.trim().as_bytes())
}

/// What the values of a curve are divided by, to be read beside others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Divisor {
    pub divisor: f64,
    /// `KiB` to `TiB`, of bytes.
    pub unit: &'static str,
}

/// A curve that shares an axis with others.
pub struct Shared<'a> {
    /// The metric's name.
    pub name: &'a str,
    /// The largest magnitude of its values.
    pub largest: f64,
    /// Whether its values are bytes.
    pub is_bytes: bool,
}

const BYTES: [(f64, &str); 5] = [
    (1.0, ""),
    (1024.0, "KiB"),
    (1_048_576.0, "MiB"),
    (1_073_741_824.0, "GiB"),
    (1_099_511_627_776.0, "TiB"),
];

impl Divisor {
    pub const NONE: Divisor = Divisor { divisor: 1.0, unit: "" };

    /// The unit in which so many bytes are a number of a few digits.
    pub fn of_bytes(most: f64) -> Divisor {
        let (divisor, unit) = *BYTES.iter().rfind(|(bytes, _)| most >= *bytes).unwrap_or(&BYTES[0]);
        Divisor { divisor, unit }
    }

    /// What brings values that are `ratio` times as large as others near to
    /// those.
    fn of_ratio(ratio: f64, is_bytes: bool) -> Divisor {
        let power = ratio.log10();
        if !power.is_finite() || power.abs() <= NEAR {
            return Divisor::NONE;
        }
        if is_bytes && ratio > 1.0 {
            let off = |bytes: f64| (ratio / bytes).ln().abs();
            let nearest = BYTES.iter().min_by(|a, b| off(a.0).total_cmp(&off(b.0)));
            let (divisor, unit) = *nearest.unwrap_or(&BYTES[0]);
            return Divisor { divisor, unit };
        }
        Divisor { divisor: 10f64.powi(power.round() as i32), unit: "" }
    }

    /// What a legend says after the curve's name: ` ÷ 100`, ` × 10`, ` in MiB`.
    pub fn legend(&self) -> String {
        match (self.divisor, self.unit) {
            (1.0, _) => String::new(),
            (divisor, "") if divisor < 1.0 => format!(" × {}", grouped((1.0 / divisor).round())),
            (divisor, "") => format!(" ÷ {}", grouped(divisor)),
            (_, unit) => format!(" in {unit}"),
        }
    }
}

/// The divisors that bring curves together on one axis, near to the middle
/// one of them. Metrics that differ only in what is before the last part of
/// their names, such as a rank, have one divisor.
pub fn automatic(curves: &[Shared<'_>]) -> Vec<Divisor> {
    let mut largest: BTreeMap<&str, f64> = BTreeMap::new();
    for curve in curves.iter().filter(|curve| curve.largest.is_finite()) {
        let most = largest.entry(leaf(curve.name)).or_default();
        *most = most.max(curve.largest.abs());
    }
    let mut sizes: Vec<f64> = largest.values().copied().filter(|size| *size > 0.0).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    let middle = sizes.get(sizes.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN);
    let of = |curve: &Shared| {
        let most = largest.get(leaf(curve.name)).copied().unwrap_or(0.0);
        Divisor::of_ratio(most / middle, curve.is_bytes)
    };
    curves.iter().map(of).collect()
}

/// The last part of a name, without tags.
pub fn leaf(name: &str) -> &str {
    let name = name.split(';').next().unwrap_or(name);
    name.rsplit('.').next().unwrap_or(name)
}

/// Whether a gauge of this name counts bytes.
pub fn is_bytes(name: &str) -> bool {
    let leaf = leaf(name).to_ascii_lowercase();
    ["size", "bytes", "memory", "rss"].iter().any(|word| leaf.contains(word))
}

/// Puts together what can be read on one axis: each group's largest is at
/// most 20 times its smallest. The order within a group is kept.
pub fn groups<T>(mut items: Vec<(f64, T)>) -> Vec<Vec<T>> {
    let mut by_size: Vec<usize> = (0..items.len()).collect();
    by_size.sort_by(|a, b| items[*a].0.total_cmp(&items[*b].0));
    let mut group_of = vec![0; items.len()];
    let (mut smallest, mut n) = (f64::NAN, 0);
    for at in by_size {
        let max = items[at].0;
        // what was always 0 goes with the smallest
        if smallest > 0.0 && max > smallest * 20.0 {
            n += 1;
            smallest = max;
        } else if smallest.is_nan() || smallest == 0.0 {
            smallest = max;
        }
        group_of[at] = n;
    }
    let mut groups: Vec<Vec<T>> = (0..=n).map(|_| Vec::new()).collect();
    for (group, (_, item)) in group_of.into_iter().zip(items.drain(..)) {
        groups[group].push(item);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales() {
        let scale: Scale = "content-cache.*.size=1/1048576 MiB".parse().unwrap();
        assert_eq!((scale.factor, &scale.unit[..]), (1.0 / 1_048_576.0, "MiB"));
        assert_eq!(scale.shown, "1/1048576");
        for (name, applies) in [
            ("content-cache.0.size", true),
            ("flux.content-cache.12.size", true),
            ("flux.content-cache.0.size;host=a", true),
            ("my-content-cache.0.size", false),
            ("content-cache.0.sizes", false),
            ("content-cache-0.size", false),
        ] {
            assert_eq!(scale.applies(name), applies, "{name}");
        }
        assert_eq!("a=.5".parse::<Scale>().unwrap().factor, 0.5);
    }

    #[test]
    fn what_is_wrong() {
        for (text, why) in [
            ("size", "say PATTERN=FACTOR"),
            ("=1", "say PATTERN=FACTOR"),
            ("a=", "'' is no factor"),
            ("a=b", "'b' is no factor"),
            ("a=1/0", "'1/0' is no factor"),
            ("a=-1", "'-1' is no factor"),
        ] {
            let wrong = text.parse::<Scale>().unwrap_err();
            assert!(wrong.starts_with(why), "{text}: {wrong}");
        }
    }

    fn divisors(curves: &[(&str, f64)]) -> Vec<Divisor> {
        let shared = |&(name, largest)| Shared { name, largest, is_bytes: is_bytes(name) };
        automatic(&curves.iter().map(shared).collect::<Vec<_>>())
    }

    #[test]
    fn most_curves_keep_their_values() {
        let of = |largest: &[f64]| {
            let names = ["a", "b", "c", "d"];
            let curves: Vec<_> = names.into_iter().zip(largest.iter().copied()).collect();
            divisors(&curves).iter().map(|divisor| divisor.divisor).collect::<Vec<_>>()
        };
        assert_eq!(of(&[10.0, 12.0, 0.0, 1359.0]), [1.0, 1.0, 1.0, 100.0]);
        assert_eq!(of(&[60.0, 20.0, 105.0, 200.0]), [1.0; 4]);
        assert_eq!(of(&[60.0, 2.0, 105.0, 200.0]), [1.0, 0.1, 1.0, 1.0]);
        assert_eq!(of(&[0.003, 700.0]), [1.0, 1e5]);
        assert_eq!(of(&[f64::NAN]), [1.0]);
        let legend = |divisor| Divisor { divisor, unit: "" }.legend();
        assert_eq!([legend(100.0), legend(0.01), legend(1e5)], [" ÷ 100", " × 100", " ÷ 100,000"]);
    }

    #[test]
    fn a_content_cache() {
        let divisors = divisors(&[
            ("cache.0.dirty", 40.0),
            ("cache.0.count", 250e3),
            ("cache.0.size", 180e6),
            ("cache.0.batch", 35.0),
        ]);
        let legends: Vec<_> = divisors.iter().map(Divisor::legend).collect();
        assert_eq!(legends, ["", " ÷ 10,000", " in MiB", ""]);
        assert_eq!(Divisor::of_bytes(5e9).unit, "GiB");
    }

    #[test]
    fn ranks_have_one_divisor() {
        let divisors = divisors(&[
            ("cache.0.dirty", 40.0),
            ("cache.1.dirty", 30.0),
            ("cache.0.size", 180e6),
            ("cache.1.size", 5e3),
            ("cache.size;rank=2", 0.0),
        ]);
        assert_eq!(divisors[0], divisors[1]);
        assert_eq!(divisors[2], divisors[3]);
        assert_eq!((divisors[2], divisors[2].unit), (divisors[4], "MiB"));
    }

    #[test]
    fn groups_keep_their_order() {
        let items =
            vec![(40.0, "dirty"), (250e3, "count"), (8.0, "batch"), (0.0, "none"), (180e6, "size")];
        assert_eq!(groups(items), [vec!["dirty", "batch", "none"], vec!["count"], vec!["size"]]);
    }
}
