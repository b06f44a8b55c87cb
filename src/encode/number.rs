//! Numbers as every server reads them: plain decimals, no exponent, no
//! locale, all digits that count and no more.

#![forbid(unsafe_code)]

use crate::encode::spare::{Spare, copy};

/// The most bytes that `put_integer`, `put_timing` and `put_real` write, with
/// a sign.
pub const MOST: usize = 24;

/// From this on a timing (ms) has no more than three decimals, as a double.
const LONG: f64 = 1e15;

/// The numbers below 100, of two digits each; up to a power of two, so that a
/// mask shows that an index is within.
static PAIRS: [[u8; 2]; 128] = {
    let mut pairs = [[b'0'; 2]; 128];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    pairs
};

/// Two digits of a number below 100.
#[inline(always)]
fn pair(value: u64) -> &'static [u8; 2] {
    &PAIRS[value as usize & 127]
}

/// Writes an integer to `at`. Where it ends.
#[inline(always)]
pub fn put_integer(out: &mut Spare, at: usize, value: u64) -> usize {
    if value < 100 {
        return put_pair(out, at, value);
    }
    if value < 10_000 {
        let high = value / 100;
        let at = put_pair(out, at, high);
        copy(out, at, pair(value - high * 100));
        return at + 2;
    }
    put_long(out, at, value)
}

#[inline(never)]
fn put_long(out: &mut Spare, at: usize, value: u64) -> usize {
    let high = value / 10_000;
    let low = value - high * 10_000;
    let at = put_integer(out, at, high);
    copy(out, at, pair(low / 100));
    copy(out, at + 2, pair(low % 100));
    at + 4
}

#[inline(always)]
fn put_pair(out: &mut Spare, at: usize, value: u64) -> usize {
    let digits = pair(value);
    if value < 10 {
        copy(out, at, &[digits[1]]);
        return at + 1;
    }
    copy(out, at, digits);
    at + 2
}

/// Writes an integer.
pub fn integer(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes a finite real number with the fewest digits that read back as it.
pub fn real(out: &mut Vec<u8>, value: f64) {
    if value == value.trunc() && value.abs() < 1e15 {
        return integer(out, value as i64);
    }
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(value).as_bytes();
    let (mantissa, exponent) = match text.iter().position(|b| *b == b'e') {
        Some(e) => (&text[..e], parse_exponent(&text[e + 1..])),
        None => (text, 0),
    };
    let mantissa = match mantissa {
        [b'-', rest @ ..] => {
            out.push(b'-');
            rest
        }
        _ => mantissa,
    };
    let dot = mantissa.iter().position(|b| *b == b'.');
    let (whole, fraction) = match dot {
        Some(dot) => (&mantissa[..dot], trim_zeros(&mantissa[dot + 1..])),
        None => (mantissa, &[][..]),
    };
    if exponent < 0 {
        // one digit before the dot, which moves after it
        out.extend_from_slice(b"0.");
        out.resize(out.len() + (-exponent) as usize - whole.len(), b'0');
        out.extend_from_slice(whole);
        out.extend_from_slice(fraction);
        return;
    }
    let moved = fraction.len().min(exponent as usize);
    out.extend_from_slice(whole);
    out.extend_from_slice(&fraction[..moved]);
    out.resize(out.len() + exponent as usize - moved, b'0');
    if moved < fraction.len() {
        out.push(b'.');
        out.extend_from_slice(&fraction[moved..]);
    }
}

/// Writes a finite real number to `at`, as `real` does. Where it ends; `None`
/// where it is very large or small.
#[inline(never)]
pub fn put_real(out: &mut Spare, mut at: usize, value: f64) -> Option<usize> {
    let whole = value as i64;
    if whole as f64 == value && whole.unsigned_abs() < 1_000_000_000_000_000 {
        if whole < 0 {
            copy(out, at, b"-");
            at += 1;
        }
        return Some(put_integer(out, at, whole.unsigned_abs()));
    }
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(value).as_bytes();
    if text.contains(&b'e') || text.ends_with(b".0") {
        return None;
    }
    out[at..at + text.len()].copy_from_slice(text);
    Some(at + text.len())
}

/// Writes a timing in ms, not negative, with at most six decimals, rounded.
pub fn timing(out: &mut Vec<u8>, ms: f64) {
    let mut text = [0; size_of::<Spare>()];
    match put_timing(&mut text, 0, ms) {
        Some(end) => out.extend_from_slice(&text[..end]),
        None => real(out, ms),
    }
}

/// Writes a timing to `at`. Where it ends; `None` from `LONG` on.
#[inline(always)]
pub fn put_timing(out: &mut Spare, at: usize, ms: f64) -> Option<usize> {
    let (whole, fraction) = match short_millionths(ms) {
        Some(all) => {
            let whole = all / 1_000_000;
            (whole, (all - whole * 1_000_000) as u32)
        }
        None => long_millionths(ms)?,
    };
    let dot = put_integer(out, at, whole);
    if fraction == 0 {
        return Some(dot);
    }
    let high = fraction / 100;
    let highest = high / 100;
    copy(out, dot, b".");
    copy(out, dot + 1, pair(highest.into()));
    copy(out, dot + 3, pair((high - highest * 100).into()));
    copy(out, dot + 5, pair((fraction - high * 100).into()));
    let mut end = dot + 7;
    while out[(end - 1) & 255] == b'0' {
        end -= 1;
    }
    Some(end)
}

/// Writes the sample rate 1/k as a decimal that gives k back. k is a power
/// of two, so the decimal is exact.
pub fn rate(out: &mut Vec<u8>, k: u32) {
    real(out, 1.0 / f64::from(k));
}

/// A timing in millionths, where a multiplication shows how it is rounded: it
/// is off by less than 1/4096 below 2^40, which counts only next to a half.
#[inline(always)]
fn short_millionths(ms: f64) -> Option<u64> {
    // a double of 2^52 and more has an integer in its low bits
    const INTEGERS: f64 = (1u64 << 52) as f64;
    let scaled = ms * 1e6;
    let rounded = scaled + INTEGERS;
    let off = (scaled - (rounded - INTEGERS)).abs();
    let is_sure = scaled < (1u64 << 40) as f64 && off < 0.499;
    is_sure.then_some(rounded.to_bits() ^ INTEGERS.to_bits())
}

/// A timing's ms, and its millionths besides; `None` from `LONG` on.
#[cold]
fn long_millionths(ms: f64) -> Option<(u64, u32)> {
    if ms >= LONG {
        return None;
    }
    let whole = ms as u64;
    let fraction = millionths(ms - whole as f64);
    let carry = u64::from(fraction == 1_000_000);
    Some((whole + carry, if carry > 0 { 0 } else { fraction as u32 }))
}

/// A fraction below 1 in millionths, rounded half to even as printf does,
/// exactly.
fn millionths(fraction: f64) -> u64 {
    let bits = fraction.to_bits();
    let exponent = (bits >> 52) as i32 - 1075;
    let mantissa = (bits & ((1 << 52) - 1)) | (1 << 52);
    let shift = -exponent;
    // below 2^-44 a millionth is out of reach; so is a zero
    if shift > 96 {
        return 0;
    }
    let scaled = u128::from(mantissa) * 1_000_000;
    let whole = (scaled >> shift) as u64;
    let rest = scaled & ((1u128 << shift) - 1);
    let half = 1u128 << (shift - 1);
    whole + u64::from(rest > half || (rest == half && whole & 1 == 1))
}

fn trim_zeros(digits: &[u8]) -> &[u8] {
    let end = digits.iter().rposition(|b| *b != b'0').map_or(0, |last| last + 1);
    &digits[..end]
}

fn parse_exponent(text: &[u8]) -> i32 {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    sign * digits.iter().fold(0, |n, b| n * 10 + i32::from(b - b'0'))
}

/// A real number in a message. The library's own digits: those of the standard
/// library's formatting would take 12 KiB.
pub struct Shown(pub f64);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.0.is_finite() {
            return f.write_str(if self.0.is_nan() { "NaN" } else { "inf" });
        }
        let mut digits = Vec::new();
        real(&mut digits, self.0);
        f.write_str(std::str::from_utf8(&digits).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn reals() {
        for (value, want) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-5.0, "-5"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (1e-9, "0.000000001"),
            (1.5e-9, "0.0000000015"),
            (9007199254740993.0, "9007199254740992"),
            (1e15, "1000000000000000"),
            (1.5e15, "1500000000000000"),
            (1e22, "10000000000000000000000"),
            (123456789.125, "123456789.125"),
            (0.3, "0.3"),
        ] {
            assert_eq!(text(|out| real(out, value)), want);
        }
        assert_eq!(text(|out| real(out, 1e300)), format!("1{}", "0".repeat(300)));
        assert_eq!(text(|out| real(out, 5e-324)), format!("0.{}5", "0".repeat(323)));
    }

    #[test]
    fn integers_of_every_length() {
        let mut out = [b'x'; size_of::<Spare>()];
        let mut values = vec![0, u64::MAX];
        for power in 1..20 {
            let power = 10u64.pow(power);
            values.extend([power - 1, power, power + 1, power / 10 * 11]);
        }
        for value in values {
            let end = put_integer(&mut out, 7, value);
            assert_eq!(out[7..end], *value.to_string().as_bytes());
        }
    }

    #[test]
    fn timings() {
        for (value, want) in [
            (0.0, "0"),
            (2.628741, "2.628741"),
            (0.1, "0.1"),
            (1e-9, "0"),
            (0.0000005, "0"),
            (0.00000051, "0.000001"),
            (0.9999999, "1"),
            // halves of a millionth, which go to the even one
            (0.0000152587890625, "0.000015"),
            (0.5 + 1.0 / 128.0, "0.507812"),
            (0.5 + 3.0 / 128.0, "0.523438"),
            (1099511.627775, "1099511.627775"),
            (999999999999999.9, "999999999999999.875"),
            (1234567.1234564, "1234567.123456"),
            (1e300, &*format!("1{}", "0".repeat(300))),
        ] {
            assert_eq!(text(|out| timing(out, value)), want);
        }
    }

    #[test]
    fn rates_give_k_back() {
        for power in 0..=20 {
            let k = 1u32 << power;
            let text = text(|out| rate(out, k));
            assert!(!text.contains('e'));
            assert_eq!(1.0 / text.parse::<f64>().unwrap(), f64::from(k));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_real_reads_back_and_is_as_short_as_the_standard_library_s(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let text = text(|out| real(out, value));
            prop_assert_eq!(text.parse::<f64>().unwrap(), value);
            prop_assert_eq!(text.len(), format!("{value}").len());
        }

        #[test]
        fn a_real_is_the_same_in_place(bits: u64, small in -1e6..1e6, whole: i32) {
            let mut out = [b'x'; size_of::<Spare>()];
            for value in [f64::from_bits(bits), small, f64::from(whole)] {
                let end = Some(value).filter(|value| value.is_finite()).and_then(|value| put_real(&mut out, 9, value));
                if let Some(end) = end {
                    let want = text(|out| real(out, value));
                    prop_assert_eq!(&out[9..end], want.as_bytes());
                    prop_assert!(end <= 9 + MOST);
                }
            }
            prop_assert!(put_real(&mut out, 9, small).is_some());
        }

        #[test]
        fn a_timing_is_printf_s(value in 0.0..1e9) {
            let printed = format!("{value:.6}");
            let want = printed.trim_end_matches('0').trim_end_matches('.');
            prop_assert_eq!(text(|out| timing(out, value)), want);
        }
    }
}
