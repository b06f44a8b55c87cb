//! What values are multiplied by, so that curves share an axis.

use std::str::FromStr;

use regex::bytes::Regex;

/// Powers of ten that curves may be apart and share an axis: a factor of five.
const NEAR: f64 = 0.7;

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
        // the whole name or what is behind a dot; tags may follow
        let glob = pattern.split('*').map(regex::escape).collect::<Vec<_>>().join(".*");
        let pattern =
            Regex::new(&format!(r"(?-u)^(?:.*\.)?{glob}(?:;.*)?$")).map_err(|w| w.to_string())?;
        Ok(Scale { pattern, factor, shown: shown.to_owned(), unit: unit.trim().to_owned() })
    }
}

fn number(text: &str) -> Option<f64> {
    crate::wire::number(text.trim().as_bytes())
}

/// Powers of ten that bring the largest values of curves together, near to the
/// middle one of them: what is near to it keeps its own. So does a curve
/// without a value other than 0.
pub fn automatic(largest: &[f64]) -> Vec<f64> {
    let is_value = |value: &f64| value.is_finite() && *value != 0.0;
    let mut sizes: Vec<_> = largest.iter().filter(|n| is_value(n)).map(|n| n.abs()).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    let Some(middle) = sizes.get(sizes.len().saturating_sub(1) / 2).copied() else {
        return vec![1.0; largest.len()];
    };
    let factor = |value: &f64| match (middle / value.abs()).log10() {
        power if is_value(value) && power.abs() > NEAR => 10f64.powi(power.round() as i32),
        _ => 1.0,
    };
    largest.iter().map(factor).collect()
}

/// A power of ten, or 1, as it stands in a legend.
pub fn shown(factor: f64) -> String {
    if factor >= 1.0 { format!("{factor}") } else { format!("1/{}", (1.0 / factor).round()) }
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

    #[test]
    fn most_curves_keep_their_values() {
        assert_eq!(automatic(&[10.0, 12.0, 0.0, 1359.0]), [1.0, 1.0, 1.0, 0.01]);
        assert_eq!(automatic(&[60.0, 20.0, 105.0, 200.0]), [1.0; 4]);
        assert_eq!(automatic(&[60.0, 2.0, 105.0, 200.0]), [1.0, 10.0, 1.0, 1.0]);
        assert_eq!(automatic(&[0.003, 700.0]), [1.0, 1e-5]);
        assert_eq!(automatic(&[f64::NAN]), [1.0]);
        assert_eq!([shown(100.0), shown(0.01), shown(1e-5)], ["100", "1/100", "1/100000"]);
    }
}
