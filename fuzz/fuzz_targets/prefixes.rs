//! Any bytes as a prefix, with tokens: filled in from left to right, within
//! the limit before and after, cleaned, and followed by a dot.

#![no_main]

use std::sync::LazyLock;

use fripp::encode::name::{self, MAX_PREFIX};
use fripp::error::Error;
use fripp_fuzz::{clean, with_buffers};
use libfuzzer_sys::fuzz_target;

static HOSTNAME: LazyLock<String> = LazyLock::new(fripp::sys::hostname);
static FIRST_LABEL: LazyLock<String> =
    LazyLock::new(|| HOSTNAME.split('.').next().unwrap_or_default().to_owned());
static FQDN: LazyLock<String> = LazyLock::new(|| HOSTNAME.replace('.', "_"));
static PID: LazyLock<String> = LazyLock::new(|| std::process::id().to_string());

fuzz_target!(|data: &[u8]| {
    let Some((rank, text)) = data.split_first_chunk() else { return };
    let rank = u32::from_le_bytes(*rank);
    with_buffers(|buffers| {
        let (filled, wanted) = (&mut buffers.told, &mut buffers.wanted);
        let mut digits = [b'0'; 10];
        let mut rest = text;
        while let Some((first, tail)) = rest.split_first() {
            let (value, behind) = if let Some(behind) = rest.strip_prefix(b"{{rank}}") {
                (decimal(rank, &mut digits), behind)
            } else if let Some(behind) = rest.strip_prefix(b"{{hostname}}") {
                (FIRST_LABEL.as_bytes(), behind)
            } else if let Some(behind) = rest.strip_prefix(b"{{fqdn}}") {
                (FQDN.as_bytes(), behind)
            } else if let Some(behind) = rest.strip_prefix(b"{{pid}}") {
                (PID.as_bytes(), behind)
            } else {
                (std::slice::from_ref(first), tail)
            };
            filled.extend_from_slice(value);
            rest = behind;
        }
        let told = name::prefix(text, rank);
        if text.len() > MAX_PREFIX || filled.len() > MAX_PREFIX {
            assert_eq!(told, Err(Error::Invalid));
            return;
        }
        clean(filled, wanted);
        if !wanted.is_empty() {
            wanted.push(b'.');
        }
        assert_eq!(told.as_ref(), Ok(&*wanted));
    });
});

fn decimal(mut n: u32, digits: &mut [u8; 10]) -> &[u8] {
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            return &digits[at..];
        }
    }
}
