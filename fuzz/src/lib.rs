//! What the targets hold the library's results against: written from the
//! contract, the plain way, and not from the code.

#![forbid(unsafe_code)]

/// Whether a byte of a valid character may stand in a name.
fn is_plain(b: u8) -> bool {
    b >= 0x80 || b.is_ascii_graphic() && !b":|@#,;=[]{}".contains(&b)
}

/// The length of the character that `raw` begins with; `None` where it begins
/// with a byte that belongs to no character.
fn character(raw: &[u8]) -> Option<usize> {
    (1..=raw.len().min(4)).find(|len| std::str::from_utf8(&raw[..*len]).is_ok())
}

/// Each byte that means something on the wire, and each of invalid UTF-8, as
/// `_`.
pub fn clean_bytes(mut raw: &[u8], out: &mut Vec<u8>) {
    while !raw.is_empty() {
        let len = character(raw);
        let (head, tail) = raw.split_at(len.unwrap_or(1));
        out.extend(head.iter().map(|b| if len.is_some() && is_plain(*b) { *b } else { b'_' }));
        raw = tail;
    }
}

/// The same without leading, trailing and double dots.
pub fn clean(raw: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    clean_bytes(raw, out);
    let cleaned = out.split_off(start);
    for part in cleaned.split(|b| *b == b'.').filter(|part| !part.is_empty()) {
        if out.len() > start {
            out.push(b'.');
        }
        out.extend_from_slice(part);
    }
}

/// A tag as it is to be kept; `None` where its key or its value is empty.
pub fn clean_tag(tag: &[u8]) -> Option<Vec<u8>> {
    let mut parts = tag.split(|b| *b == b':');
    let mut out = Vec::new();
    clean_bytes(parts.next()?, &mut out);
    while out.starts_with(b"__") {
        out.remove(0);
    }
    if out.is_empty()
        || tag.last() == Some(&b':') && tag.iter().filter(|b| **b == b':').count() == 1
    {
        return None;
    }
    for part in parts {
        out.push(b':');
        clean_bytes(part, &mut out);
    }
    Some(out)
}

/// Whether nothing in a name, a tag's part or a member would be read as
/// something else.
pub fn is_clean(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok() && text.iter().all(|b| is_plain(*b))
}

/// Buffers that a target keeps from run to run, so that it allocates nothing.
pub struct Buffers {
    /// What the library wrote.
    pub told: Vec<u8>,
    /// What it was to write.
    pub wanted: Vec<u8>,
}

thread_local! {
    static BUFFERS: std::cell::RefCell<Buffers> =
        const { std::cell::RefCell::new(Buffers { told: Vec::new(), wanted: Vec::new() }) };
}

/// Runs `f` with empty buffers.
pub fn with_buffers(f: impl FnOnce(&mut Buffers)) {
    BUFFERS.with_borrow_mut(|buffers| {
        buffers.told.clear();
        buffers.wanted.clear();
        f(buffers);
    });
}

/// Percent-decoding; `None` for what is no escape, or a NUL.
pub fn percent_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut parts = text.split(|b| *b == b'%');
    let mut out = parts.next()?.to_vec();
    for part in parts {
        let (hex, rest) = part.split_at_checked(2)?;
        let hex = std::str::from_utf8(hex).ok().filter(|hex| !hex.contains('+'))?;
        out.push(u8::from_str_radix(hex, 16).ok()?);
        out.extend_from_slice(rest);
    }
    (!out.contains(&0)).then_some(out)
}

/// Every byte as its escape, in upper or lower case.
pub fn percent_encoded(text: &[u8]) -> Vec<u8> {
    text.iter().flat_map(|b| format!("%{b:02x}").into_bytes()).collect()
}
