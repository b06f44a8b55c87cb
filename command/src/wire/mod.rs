//! One line of StatsD, read where it lies, as the servers of a dialect read
//! it. Without a dialect it is read leniently: whatever any server accepts.

mod fault;
mod notice;
#[cfg(test)]
mod peers;
mod reader;
mod tags;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::dialect::Kind;

pub use fault::{Fault, What};
pub use notice::{Check, Event};
pub use reader::read;
pub use tags::Tags;

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub enum Item<'a> {
    Metric(Line<'a>),
    /// Datadog's, `_e{5,4}:title|text`
    Event(Event<'a>),
    /// Datadog's, `_sc|name|0`
    Check(Check<'a>),
}

/// A metric's line, or one of the parts of a line that packs several as
/// statsd does, `name:1|ms:2|ms`.
#[derive(Clone, Debug, PartialEq)]
pub struct Line<'a> {
    /// Without the tags that some dialects write into it.
    pub name: Cow<'a, [u8]>,
    /// The letters of the type, as they stand in the line.
    pub letters: &'a [u8],
    pub kind: Kind,
    /// The number after `@`, or 1: the part of the events that is sent.
    pub rate: f64,
    pub tags: Tags<'a>,
    /// The value, or several with colons between them.
    pub text: &'a [u8],
}

impl<'a> Line<'a> {
    /// The values as they stand in the line: one, or several as dogstatsd
    /// packs them. They are numbers, except for a set's member, which may
    /// have colons.
    pub fn values(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let is_set = self.kind == Kind::Set;
        self.text.split(move |b| *b == b':' && !is_set).filter(|value| !value.is_empty())
    }

    /// The values as numbers; a set has none.
    pub fn numbers(&self) -> impl Iterator<Item = f64> + use<'a> {
        let values = if self.kind == Kind::Set { &b""[..] } else { self.text };
        values.split(|b| *b == b':').filter_map(number)
    }
}

#[cfg(test)]
impl<'a> Item<'a> {
    pub fn metric(self) -> Option<Line<'a>> {
        match self {
            Item::Metric(line) => Some(line),
            Item::Event(_) | Item::Check(_) => None,
        }
    }
}

/// The lines of a datagram. Servers pass over empty lines, and most of them
/// over a carriage return before the newline.
pub fn lines(datagram: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = datagram.split(|b| *b == b'\n');
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).filter(|line| !line.is_empty())
}

/// A decimal, with a sign, a dot and an exponent where it has them; never
/// `nan` nor `inf`.
pub fn number(text: &[u8]) -> Option<f64> {
    let plain = text.iter().all(|b| b.is_ascii_digit() || b"+-.eE".contains(b));
    let text = std::str::from_utf8(text).ok().filter(|_| plain)?;
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Whether a gauge's value is a step, "so much more or less", where the
/// dialect has steps.
pub fn has_sign(value: &[u8]) -> bool {
    matches!(value.first(), Some(b'+' | b'-'))
}

fn find(text: &[u8], from: usize, any: &[u8]) -> Option<usize> {
    text[from..].iter().position(|b| any.contains(b)).map(|at| from + at)
}
