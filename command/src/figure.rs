//! Numbers and times as people read them, in terminals and on pages.

use jiff::Timestamp;

use crate::scale::Divisor;

/// Letters for thousands, millions, ….
const THOUSANDS: [&str; 6] = ["k", "M", "G", "T", "P", "E"];

/// A number for a terminal: up to five significant digits or a whole number of
/// seven, which takes eight characters except for the largest.
pub fn short(value: f64) -> String {
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
        // plain digits would round this to 0
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

/// A number for a page: digits in groups of three, or about five digits; NaN is
/// a dash.
pub fn grouped(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let magnitude = value.abs();
    if value.fract() == 0.0 || magnitude >= 1e5 {
        return thousands(value.round());
    }
    let decimals = (4 - magnitude.log10().floor() as i32).clamp(0, 9) as usize;
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let sign = if whole.starts_with('-') { "-" } else { "" };
    let whole = thousands(whole.trim_start_matches('-').parse().unwrap_or(0.0));
    match fraction {
        "" => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{fraction}"),
    }
}

fn thousands(whole: f64) -> String {
    let digits = format!("{:.0}", whole.abs());
    let mut text = String::from(if whole < 0.0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A value on an axis: `1,500`, `15 k`, `2.5 M`.
pub fn tick(value: f64) -> String {
    let magnitude = value.abs();
    for (unit, least, letter) in
        [(1e12, 1e12, "T"), (1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e3, 1e4, "k")]
    {
        if magnitude >= least {
            return format!("{} {letter}", grouped(value / unit));
        }
    }
    grouped(value)
}

/// A length of time: `0.4 s`, `12.3 s`, `5 min 20 s`, `3 h 2 min`, `2 d 4 h`.
pub fn duration(seconds: f64) -> String {
    if seconds < 120.0 {
        return format!("{} s", grouped((seconds * 1e3).round() / 1e3));
    }
    let s = seconds.round() as u64;
    match s {
        0..3_600 => format!("{} min {} s", s / 60, s % 60),
        3_600..172_800 => format!("{} h {} min", s / 3_600, s % 3_600 / 60),
        _ => format!("{} d {} h", s / 86_400, s % 86_400 / 3_600),
    }
}

/// Bytes: `640 B`, `1.25 MiB`.
pub fn bytes(n: u64) -> String {
    let Divisor { divisor, unit } = Divisor::of_bytes(n as f64);
    let value = n as f64 / divisor;
    match unit {
        "" => format!("{n} B"),
        unit => format!("{} {unit}", grouped((value * 100.0).round() / 100.0)),
    }
}

/// A time as UTC, by a format of strftime.
pub fn utc(unix_us: u64, format: &str) -> String {
    let time = i64::try_from(unix_us).ok().and_then(|us| Timestamp::from_microsecond(us).ok());
    time.map_or_else(|| "–".to_owned(), |time| time.strftime(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers() {
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
            assert_eq!(short(value), want);
        }
    }

    #[test]
    fn grouped_numbers() {
        for (value, text) in [
            (0.0, "0"),
            (1234567.0, "1,234,567"),
            (-1234.5, "-1,234.5"),
            (0.0123456, "0.012346"),
            (99999.6, "100,000"),
            (123456.7, "123,457"),
            (-0.5, "-0.5"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(grouped(value), text);
        }
        assert_eq!(tick(1500.0), "1,500");
        assert_eq!(tick(15e3), "15 k");
        assert_eq!(tick(2.5e6), "2.5 M");
    }

    #[test]
    fn times() {
        assert_eq!(utc(951_782_400_000_000, "%F %T"), "2000-02-29 00:00:00");
        assert_eq!(utc(u64::MAX, "%F %T"), "–");
        assert_eq!(duration(12.3456), "12.346 s");
        assert_eq!(duration(320.0), "5 min 20 s");
        assert_eq!(duration(10_920.0), "3 h 2 min");
        assert_eq!(bytes(1_310_720), "1.25 MiB");
    }
}
