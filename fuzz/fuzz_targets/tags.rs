//! Any bytes as tags: taken where each has a key, a colon and a value, and
//! written so that a server reads the same keys and values, in this order, in
//! every way that a dialect writes them.

#![no_main]

use fripp::encode::dialect::Tagging;
use fripp::error::Error;
use fripp::encode::tags;
use fripp_fuzz::{clean_bytes, is_clean, with_buffers};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &[u8]| {
    with_buffers(|buffers| {
        let (told, wanted) = (&mut buffers.told, &mut buffers.wanted);
        let fits = raw.is_empty()
            || raw.split(|b| *b == b',').all(|tag| {
                let colon = tag.iter().position(|b| *b == b':');
                colon.is_some_and(|at| at > 0 && at + 1 < tag.len())
            });
        let result = tags::clean(raw, told);
        assert_eq!(result, if fits { Ok(()) } else { Err(Error::Invalid) });
        if !fits {
            return;
        }
        let mut read = told.split(|b| *b == b',');
        for tag in raw.split(|b| *b == b',').filter(|tag| !tag.is_empty()) {
            let colon = tag.iter().position(|b| *b == b':').unwrap();
            wanted.clear();
            clean_bytes(&tag[..colon], wanted);
            wanted.push(b':');
            clean_bytes(&tag[colon + 1..], wanted);
            assert_eq!(read.next(), Some(&wanted[..]));
        }
        assert_eq!(read.next(), told.is_empty().then_some(&b""[..]));
        let len = told.len();
        for separator in [b',', b';'] {
            wanted.clear();
            tags::write_in_name(told, separator, wanted);
            let mut read = wanted.split(|b| *b == separator);
            assert_eq!(read.next(), Some(&b""[..]));
            for tag in told[..len].split(|b| *b == b',').filter(|tag| !tag.is_empty()) {
                let (key, value) = halves(read.next().unwrap(), b'=');
                assert_eq!((key, value), halves(tag, b':'));
                assert!(is_clean(key) && is_clean(value));
            }
            assert_eq!(read.next(), None);
            assert_eq!(wanted.len(), tags::len(b"", told, Tagging::InName(separator)));
            assert_eq!(wanted.len(), tags::len(told, b"", Tagging::InName(separator)));
        }
    });
});

fn halves(tag: &[u8], separator: u8) -> (&[u8], &[u8]) {
    let at = tag.iter().position(|b| *b == separator).unwrap();
    (&tag[..at], &tag[at + 1..])
}
