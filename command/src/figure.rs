//! Numbers, as short as can be read at a glance: eight characters at the most
//! but for the largest.

/// Letters for thousands, millions, ….
const THOUSANDS: [&str; 6] = ["k", "M", "G", "T", "P", "E"];

/// A number with four digits that count, or a whole one of up to seven.
pub fn figure(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return "-".to_owned();
    }
    if size < 9_999_999.5 && (value == value.trunc() || size >= 1e5) {
        return format!("{value:.0}");
    }
    if size < 9_999_999.5 {
        let decimals = match size {
            1e3.. => 1,
            1e2.. => 2,
            1e1.. => 3,
            _ => 4,
        };
        let text = format!("{value:.decimals$}");
        // what would be shown as none at all
        if size < 0.001 {
            return format!("{value:.1e}");
        }
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let mut scaled = value;
    let mut letter = "";
    for next in THOUSANDS {
        if scaled.abs() < 999.95 {
            break;
        }
        scaled /= 1000.0;
        letter = next;
    }
    format!("{scaled:.2}{letter}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        for (value, want) in [
            (0.0, "0"),
            (-3.0, "-3"),
            (0.264, "0.264"),
            (0.00012, "1.2e-4"),
            (1.23456, "1.2346"),
            (12.3456, "12.346"),
            (-123.456, "-123.46"),
            (12345.67, "12345.7"),
            (123456.7, "123457"),
            (4063782.0, "4063782"),
            (40637821.0, "40.64M"),
            (1.5e18, "1.50E"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(figure(value), want);
        }
    }
}
