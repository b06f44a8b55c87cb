//! Events and service checks, as Datadog's clients send them.

use super::{Fault, What, find};

/// `_e{5,4}:title|text`, and what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    pub title: &'a [u8],
    pub text: &'a [u8],
}

/// `_sc|name|0`, and what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check<'a> {
    pub name: &'a [u8],
    /// 0 is OK, 1 a warning, 2 critical, 3 unknown.
    pub status: u8,
}

impl<'a> Event<'a> {
    pub const START: &'static [u8] = b"_e{";

    pub fn read(line: &'a [u8]) -> Result<Event<'a>, Fault> {
        Event::parts(line).ok_or(Fault { at: 0, what: What::BadEvent })
    }

    fn parts(line: &'a [u8]) -> Option<Event<'a>> {
        let head = find(line, 0, b"}")?;
        let lengths = std::str::from_utf8(line.get(Event::START.len()..head)?).ok()?;
        let (title, text) = lengths.split_once(',')?;
        let (title, text): (usize, usize) = (title.parse().ok()?, text.parse().ok()?);
        let rest = line[head + 1..].strip_prefix(b":")?;
        let (title, rest) = rest.split_at_checked(title).filter(|(title, _)| !title.is_empty())?;
        let (text, rest) = rest.strip_prefix(b"|")?.split_at_checked(text)?;
        (rest.is_empty() || rest.starts_with(b"|")).then_some(Event { title, text })
    }
}

impl<'a> Check<'a> {
    pub const START: &'static [u8] = b"_sc|";

    pub fn read(line: &'a [u8]) -> Result<Check<'a>, Fault> {
        Check::parts(line).ok_or(Fault { at: 0, what: What::BadCheck })
    }

    fn parts(line: &'a [u8]) -> Option<Check<'a>> {
        let mut parts = line.strip_prefix(Check::START)?.split(|b| *b == b'|');
        let name = parts.next().filter(|name| !name.is_empty())?;
        match parts.next()? {
            [status @ b'0'..=b'3'] => Some(Check { name, status: status - b'0' }),
            _ => None,
        }
    }
}
