//! Any bytes as tags: taken where each has a key and no empty value, and
//! written so that a server reads the same keys and values, in this order and
//! each once, in every way that a dialect writes them.

#![no_main]

use fripp::encode::dialect::{Dialect, Tagging};
use fripp::encode::tags;
use fripp::error::Error;
use fripp_fuzz::{clean_tag, is_clean, with_buffers};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &[u8]| {
    with_buffers(|buffers| {
        let (told, wanted) = (&mut buffers.told, &mut buffers.wanted);
        let all: Option<Vec<_>> = match raw {
            b"" => Some(Vec::new()),
            raw => raw.split(|b| *b == b',').map(clean_tag).collect(),
        };
        let result = tags::clean(raw, told);
        if raw.len() > 4096 {
            return assert_eq!(result, Err(Error::NameTooLong));
        }
        assert_eq!(result, if all.is_some() { Ok(()) } else { Err(Error::Invalid) });
        let Some(tags) = all else { return };
        let mut all: Vec<Vec<u8>> = Vec::new();
        tags.into_iter().for_each(|tag| {
            if !all.contains(&tag) {
                all.push(tag);
            }
        });
        assert_eq!(*told, all.join(&b','));
        let mut sorted = all.clone();
        sorted.sort_by(|a, b| halves(a).cmp(&halves(b)));
        tags::sort(told, wanted);
        assert_eq!(*wanted, sorted.join(&b','));
        for separator in [b',', b';'] {
            wanted.clear();
            tags::write_in_name(separator, b"", told, wanted);
            let mut read = wanted.split(|b| *b == separator);
            assert_eq!(read.next(), Some(&b""[..]));
            for tag in &all {
                let (key, value) = halves(tag);
                let (key_read, value_read) = read.next().unwrap().split_once_byte(b'=');
                assert_eq!(key, key_read);
                assert!(is_clean(key_read) && is_clean(value_read));
                assert_eq!(value.unwrap_or_default().len(), value_read.len());
            }
            assert_eq!(read.next(), None);
            // a tag without a value has a '=' there, too
            let most = tags::len(Tagging::InName(separator), b"", told) + all.len();
            assert!(wanted.len() <= most);
        }
        wanted.clear();
        tags::write_suffix(Dialect::Dogstatsd.form(), told, told, wanted);
        assert_eq!(wanted.len(), tags::len(Tagging::Suffix, told, told));
        assert_eq!(wanted.get(2..).unwrap_or_default(), &told[..]);
    });
});

trait SplitOnce {
    fn split_once_byte(&self, separator: u8) -> (&[u8], &[u8]);
}

impl SplitOnce for [u8] {
    fn split_once_byte(&self, separator: u8) -> (&[u8], &[u8]) {
        let at = self.iter().position(|b| *b == separator).unwrap();
        (&self[..at], &self[at + 1..])
    }
}

fn halves(tag: &[u8]) -> (&[u8], Option<&[u8]>) {
    match tag.iter().position(|b| *b == b':') {
        Some(at) => (&tag[..at], Some(&tag[at + 1..])),
        None => (tag, None),
    }
}
