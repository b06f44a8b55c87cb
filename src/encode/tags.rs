//! Tags: a set of `k:v`, or of `k` where the server takes that, joined by
//! commas. They are sent in the order in which they were given first.

#![forbid(unsafe_code)]

use crate::encode::dialect::{Form, Tagging};
use crate::encode::name::clean_bytes;
use crate::error::{Error, quoted};

/// The most bytes that the tags of a line may have, written `k:v,k2:v2`.
pub const MAX_TAGS: usize = 1024;
/// More than this is not looked at.
const TOO_LONG: usize = 4096;

/// Key and value of a tag.
fn halves(tag: &[u8]) -> (&[u8], Option<&[u8]>) {
    match tag.iter().position(|b| *b == b':') {
        Some(colon) => (&tag[..colon], Some(&tag[colon + 1..])),
        None => (tag, None),
    }
}

fn each(tags: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    tags.split(|b| *b == b',').filter(|tag| !tag.is_empty())
}

/// The tags that `raw` stands for, each byte that has a meaning on the wire as
/// `_`, but for a `:` in a value. No key begins with `__`. A tag without a
/// key, or with an empty value: an error.
fn cleaned(raw: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    if raw.is_empty() {
        return Ok(Vec::new());
    }
    if raw.len() > TOO_LONG {
        let len = raw.len();
        return Err(Error::NameTooLong
            .because(format_args!("the tags have {len} bytes, of {TOO_LONG} at most")));
    }
    let mut tags = Vec::new();
    for tag in raw.split(|b| *b == b',') {
        let (key, value) = halves(tag);
        if key.is_empty() || value.is_some_and(<[u8]>::is_empty) {
            return Err(no_tag(tag));
        }
        let mut cleaned = Vec::new();
        clean_bytes(key, &mut cleaned);
        let marks = cleaned.iter().take_while(|b| **b == b'_').count();
        cleaned.drain(..marks.saturating_sub(1));
        for part in value.into_iter().flat_map(|value| value.split(|b| *b == b':')) {
            cleaned.push(b':');
            clean_bytes(part, &mut cleaned);
        }
        tags.push(cleaned);
    }
    Ok(tags)
}

/// Writes the tags that `raw` stands for, in the order given, each once.
pub fn clean(raw: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let mut tags: Vec<Vec<u8>> = Vec::new();
    for tag in cleaned(raw)? {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    out.extend_from_slice(&tags.join(&b','));
    Ok(())
}

fn no_tag(tag: &[u8]) -> Error {
    Error::Invalid.because(format_args!("the tag {} is not key:value", quoted(tag)))
}

/// Writes cleaned tags in the one order that stands for all their orders.
pub fn sort(tags: &[u8], out: &mut Vec<u8>) {
    // few tags, and the library's sort would take 12 KiB of its code
    let mut sorted: Vec<&[u8]> = Vec::new();
    for tag in each(tags) {
        let at = sorted.iter().position(|other| halves(other) > halves(tag));
        sorted.insert(at.unwrap_or(sorted.len()), tag);
    }
    out.extend_from_slice(&sorted.join(&b','));
}

/// The tags of a line: the context's except those of which the metric has
/// the key, then the metric's.
fn merged<'a>(context: &'a [u8], metric: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let replaced = |tag: &&[u8]| each(metric).any(|own| halves(own).0 == halves(tag).0);
    each(context).filter(move |tag| metric.is_empty() || !replaced(tag)).chain(each(metric))
}

/// Writes what goes into the name: `,k=v,k2=v2`.
pub fn write_in_name(separator: u8, context: &[u8], metric: &[u8], out: &mut Vec<u8>) {
    for tag in merged(context, metric) {
        let (key, value) = halves(tag);
        out.push(separator);
        out.extend_from_slice(key);
        out.push(b'=');
        // one in a value would end the name
        let value = value.unwrap_or_default().iter();
        out.extend(value.map(|b| if *b == b':' { b'_' } else { *b }));
    }
}

/// Writes the tags, which follow the value: `|#k:v,k2:v2`.
pub fn write_suffix(form: &Form, context: &[u8], metric: &[u8], out: &mut Vec<u8>) {
    let mut lead = &b"|#"[..];
    for tag in merged(context, metric) {
        out.extend_from_slice(lead);
        lead = b",";
        let marks = tag.iter().take_while(|b| **b != b':' && !b.is_ascii_alphanumeric()).count();
        if form.escapes_keys && marks > 1 {
            // the server makes `_` of each, and two of them fail its scrapes
            out.push(b'_');
            out.extend_from_slice(&tag[marks..]);
        } else {
            out.extend_from_slice(tag);
        }
    }
}

/// The number of bytes of a line's tags, written `k:v,k2:v2`.
pub fn text_len(context: &[u8], metric: &[u8]) -> usize {
    let len: usize = merged(context, metric).map(|tag| tag.len() + 1).sum();
    len.saturating_sub(1)
}

/// The most bytes that they take in a line.
pub fn len(tagging: Tagging, context: &[u8], metric: &[u8]) -> usize {
    let lead = if tagging == Tagging::Suffix { 2 } else { 1 };
    match text_len(context, metric) {
        0 => 0,
        len => lead + len,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::dialect::Dialect;

    fn cleaned(raw: &str) -> Result<String, Error> {
        let mut out = Vec::new();
        clean(raw.as_bytes(), &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    fn suffix(dialect: Dialect, context: &str, metric: &str) -> String {
        let mut out = Vec::new();
        write_suffix(dialect.form(), context.as_bytes(), metric.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_set() {
        assert_eq!(cleaned("").unwrap(), "");
        assert_eq!(cleaned("k2:v2,k:v,k:v").unwrap(), "k2:v2,k:v");
        assert_eq!(cleaned("k:v,k2:v2").unwrap(), "k:v,k2:v2");
        assert_eq!(cleaned("url:http://x y").unwrap(), "url:http://x_y");
        assert_eq!(cleaned("a[0]:{b}").unwrap(), "a_0_:_b_");
        assert_eq!(cleaned("__name__:x,#|:y,k").unwrap(), "_name__:x,_:y,k");
        for bad in ["k:", ":v", "k:v,", ",k:v", "k:v,,l:w", ":"] {
            assert_eq!(cleaned(bad), Err(Error::Invalid), "{bad}");
        }
        let mut out = Vec::new();
        sort(b"z,k2:v2,k:v,k:a", &mut out);
        assert_eq!(out, b"k:a,k:v,k2:v2,z");
    }

    #[test]
    fn in_a_name() {
        let mut out = b"n".to_vec();
        write_in_name(b';', b"k:v", b"l:a:b", &mut out);
        assert_eq!(out, b"n;k=v;l=a_b");
        assert_eq!(out.len() - 1, len(Tagging::InName(b';'), b"k:v", b"l:a:b"));
    }

    #[test]
    fn a_metrics_tag_replaces_the_contexts() {
        assert_eq!(suffix(Dialect::Vector, "h:x,k:old", "k:new"), "|#h:x,k:new");
        assert_eq!(suffix(Dialect::Vector, "k:old", "k"), "|#k");
        assert_eq!(suffix(Dialect::Vector, "", ""), "");
        assert_eq!(len(Tagging::Suffix, b"h:x,k:old", b"k:new"), "|#h:x,k:new".len());
    }

    #[test]
    fn a_key_that_the_server_would_escape() {
        assert_eq!(suffix(Dialect::Vector, "", "-_a:b"), "|#-_a:b");
        assert_eq!(suffix(Dialect::Exporter, "_a:b", "-_a:b,\u{e9}\u{e9}:c"), "|#_a:b,_a:b,_:c");
    }
}
