//! Tags: `k:v,k2:v2`, in the order given.

#![forbid(unsafe_code)]

use crate::encode::dialect::Tagging;
use crate::encode::name::clean_bytes;
use crate::error::{Error, quoted};

/// More than any name with its tags may have.
const TOO_LONG: usize = 4096;

/// Writes the tags that `raw` stands for, as `k:v,k2:v2`, each byte that has
/// a meaning on the wire as `_`. A tag without `:`, a key or a value: an
/// error.
pub fn clean(raw: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    if raw.is_empty() {
        return Ok(());
    }
    if raw.len() > TOO_LONG {
        let len = raw.len();
        return Err(Error::NameTooLong
            .because(format_args!("the tags have {len} bytes, of {TOO_LONG} at most")));
    }
    for (i, tag) in raw.split(|b| *b == b',').enumerate() {
        let colon = tag.iter().position(|b| *b == b':').ok_or_else(|| no_tag(tag))?;
        let (key, value) = (&tag[..colon], &tag[colon + 1..]);
        if key.is_empty() || value.is_empty() {
            return Err(no_tag(tag));
        }
        if i > 0 {
            out.push(b',');
        }
        clean_bytes(key, out);
        out.push(b':');
        clean_bytes(value, out);
    }
    Ok(())
}

fn no_tag(tag: &[u8]) -> Error {
    Error::Invalid.because(format_args!("the tag {} is not key:value", quoted(tag)))
}

/// Writes cleaned tags the way they go into a name: `,k=v,k2=v2`.
pub fn write_in_name(tags: &[u8], separator: u8, out: &mut Vec<u8>) {
    if tags.is_empty() {
        return;
    }
    out.push(separator);
    out.extend(tags.iter().map(|b| match b {
        b':' => b'=',
        b',' => separator,
        b => *b,
    }));
}

/// The number of bytes that the tags of a context and of a metric take in a
/// line.
pub fn len(context: &[u8], metric: &[u8], tagging: Tagging) -> usize {
    let lead = match tagging {
        Tagging::Suffix => 2,
        Tagging::InName(_) | Tagging::None => 1,
    };
    match (context.len(), metric.len()) {
        (0, 0) => 0,
        (0, len) | (len, 0) => lead + len,
        (a, b) => lead + a + 1 + b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(raw: &str) -> Result<String, Error> {
        let mut out = Vec::new();
        clean(raw.as_bytes(), &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn tags() {
        assert_eq!(cleaned("").unwrap(), "");
        assert_eq!(cleaned("k:v,k2:v2").unwrap(), "k:v,k2:v2");
        assert_eq!(cleaned("url:http://x y").unwrap(), "url:http_//x_y");
        for bad in ["k", "k:", ":v", "k:v,", ",k:v", "k:v,,l:w", "k:v,l"] {
            assert_eq!(cleaned(bad), Err(Error::Invalid), "{bad}");
        }
    }

    #[test]
    fn in_a_name() {
        let mut out = b"n".to_vec();
        write_in_name(b"k:v,l:w", b';', &mut out);
        assert_eq!(out, b"n;k=v;l=w");
        assert_eq!(out.len() - 1, len(b"k:v", b"l:w", Tagging::InName(b';')));
    }
}
