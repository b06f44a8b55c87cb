//! Divisors that bring values of different sizes onto one chart.
#![forbid(unsafe_code)]

/// How a curve is scaled: what it is divided by, and what that is called.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    pub divisor: f64,
    /// `KiB` to `TiB`, of bytes.
    pub unit: &'static str,
}

const BYTES: [(f64, &str); 5] = [
    (1.0, ""),
    (1024.0, "KiB"),
    (1_048_576.0, "MiB"),
    (1_073_741_824.0, "GiB"),
    (1_099_511_627_776.0, "TiB"),
];

impl Scale {
    pub const NONE: Scale = Scale { divisor: 1.0, unit: "" };

    /// The unit in which bytes are read easily.
    pub fn of_bytes(max: f64) -> Scale {
        let (divisor, unit) = *BYTES.iter().rfind(|(b, _)| max >= *b).unwrap_or(&BYTES[0]);
        Scale { divisor, unit }
    }

    /// What makes `max` about as large as `reference`.
    pub fn beside(max: f64, reference: f64, is_bytes: bool) -> Scale {
        let ratio = max / reference;
        if !ratio.is_finite() || ratio < 10.0 {
            return Scale::NONE;
        }
        if is_bytes {
            let off = |divisor: f64| (ratio / divisor).ln().abs();
            let nearest = BYTES.iter().min_by(|a, b| off(a.0).total_cmp(&off(b.0)));
            let (divisor, unit) = *nearest.unwrap_or(&BYTES[0]);
            return Scale { divisor, unit };
        }
        Scale { divisor: 10f64.powf(ratio.log10().floor()), unit: "" }
    }
}

/// Whether a gauge of this name is of bytes.
pub fn is_bytes(label: &str) -> bool {
    let label = label.to_ascii_lowercase();
    ["size", "bytes", "memory", "rss"].iter().any(|word| label.contains(word))
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
    fn the_document_s_cache() {
        // dirty 40, count 250,000, size 180 MB
        assert_eq!(Scale::beside(250e3, 40.0, false).divisor, 1000.0);
        assert_eq!(Scale::beside(180e6, 40.0, true), Scale { divisor: 1_048_576.0, unit: "MiB" });
        assert_eq!(Scale::beside(60.0, 40.0, false), Scale::NONE);
        assert_eq!(Scale::beside(60.0, 0.0, false), Scale::NONE);
        assert_eq!(Scale::of_bytes(5e9).unit, "GiB");
        let items =
            vec![(40.0, "dirty"), (250e3, "count"), (8.0, "batch"), (0.0, "none"), (180e6, "size")];
        assert_eq!(groups(items), [vec!["dirty", "batch", "none"], vec!["count"], vec!["size"]]);
    }
}
