//! Any number: plain decimals that read back as it, real ones in as few
//! digits as there may be, timings as printf rounds them.

#![no_main]

use std::io::Write;

use fripp::encode::number;
use fripp_fuzz::with_buffers;
use libfuzzer_sys::fuzz_target;

/// A decimal as every server reads it: a minus or none, digits, and perhaps a
/// dot and more digits.
fn is_decimal(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, fraction) = match text.iter().position(|b| *b == b'.') {
        Some(dot) => (&text[..dot], Some(&text[dot + 1..])),
        None => (text, None),
    };
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    digits(whole)
        && (whole.len() == 1 || whole[0] != b'0')
        && fraction.is_none_or(|fraction| digits(fraction) && fraction.last() != Some(&b'0'))
}

fn read<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    assert!(is_decimal(text), "{}", text.escape_ascii());
    std::str::from_utf8(text).ok()?.parse().ok()
}

fuzz_target!(|data: &[u8]| {
    let Some((bits, rest)) = data.split_first_chunk::<8>() else { return };
    let bits = u64::from_le_bytes(*bits);
    with_buffers(|buffers| {
        let (told, wanted) = (&mut buffers.told, &mut buffers.wanted);
        number::integer(told, bits as i64);
        assert_eq!(read(told), Some(bits as i64));
        told.clear();
        number::rate(told, 1 << (bits % 32));
        assert_eq!(read(told).map(f64::recip), Some(f64::from(1u32 << (bits % 32))));
        // a number as it is, and one with few digits, as those of callers
        let few =
            (bits >> 20) as f64 / 10f64.powi(i32::from(rest.first().copied().unwrap_or(0) % 16));
        for value in [f64::from_bits(bits), few] {
            if !value.is_finite() {
                continue;
            }
            told.clear();
            number::real(told, value);
            let same = read::<f64>(told).map(f64::to_bits);
            assert_eq!(same, Some(if value == 0.0 { 0.0 } else { value }.to_bits()));
            wanted.clear();
            let _ = write!(wanted, "{value}");
            assert!(told.len() <= wanted.len());
            if value.is_sign_negative() || value > 1e20 {
                continue;
            }
            told.clear();
            number::timing(told, value);
            wanted.clear();
            let _ = write!(wanted, "{value:.6}");
            let end = wanted.iter().rposition(|b| *b != b'0').unwrap_or(0);
            wanted.truncate(if wanted[end] == b'.' { end } else { end + 1 });
            if value >= 1e15 {
                // fewer digits may say the same there
                let told: Option<f64> = read(told);
                assert_eq!(told, read(wanted));
            } else {
                assert!(is_decimal(told));
                assert_eq!(told, wanted);
            }
        }
    });
});
