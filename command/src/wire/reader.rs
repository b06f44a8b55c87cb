//! Reads a line, part by part.

use std::borrow::Cow;

use super::{Check, Event, Fault, Item, Line, Tags, What, find, has_sign, number};
use crate::dialect::{Dialect, Kind, Tagging};

/// Reads a line. There is one item, except for lines that are packed as
/// statsd packs them. Nothing follows a fault.
pub fn read(line: &[u8], dialect: Option<Dialect>) -> Reader<'_> {
    let manner = Manner(dialect);
    Reader { line, manner, name: b"".into(), tags: Tags::default(), at: Some(0) }
}

pub struct Reader<'a> {
    line: &'a [u8],
    manner: Manner,
    name: Cow<'a, [u8]>,
    tags: Tags<'a>,
    /// Where the next value begins; `None` at the end.
    at: Option<usize>,
}

/// How the servers of a dialect read; leniently without one.
#[derive(Clone, Copy)]
struct Manner(Option<Dialect>);

impl Manner {
    fn has_events(self) -> bool {
        matches!(self.0, None | Some(Dialect::Dogstatsd))
    }

    /// `name:1|ms:2|ms`
    fn packs_types(self) -> bool {
        self.0 != Some(Dialect::Dogstatsd)
    }

    /// Passes over sections that it does not know.
    fn passes_over(self) -> bool {
        matches!(self.0, None | Some(Dialect::Dogstatsd | Dialect::Telegraf))
    }

    /// `|#k:v`
    fn has_tags(self) -> bool {
        self.passes_over() || self.0.is_some_and(|dialect| dialect.form().tags == Tagging::Suffix)
    }

    /// Passes over sample rates that are no number.
    fn passes_over_rates(self) -> bool {
        matches!(self.0, None | Some(Dialect::Telegraf))
    }

    fn is_rate(self, rate: f64) -> bool {
        rate > 0.0 && (rate <= 1.0 || self.0 != Some(Dialect::Brubeck))
    }

    /// Why the server refuses a number of this type.
    fn refusal(self, kind: Kind, value: &[u8]) -> Option<What> {
        match self.0 {
            Some(Dialect::Statsd | Dialect::Graphite | Dialect::Collectd)
                if kind == Kind::Timer && number(value).is_some_and(|n| n < 0.0) =>
            {
                Some(What::NegativeTiming)
            }
            Some(Dialect::Telegraf)
                if !matches!(kind, Kind::Gauge | Kind::Counter) && has_sign(value) =>
            {
                Some(What::Sign)
            }
            _ => None,
        }
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Item<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at.take()?;
        if at == 0 && self.manner.has_events() {
            if self.line.starts_with(Event::START) {
                return Some(Event::read(self.line).map(Item::Event));
            }
            if self.line.starts_with(Check::START) {
                return Some(Check::read(self.line).map(Item::Check));
            }
        }
        let start = if at == 0 { self.read_name() } else { Ok(at) };
        Some(start.and_then(|at| self.read_values(at)).map(Item::Metric))
    }
}

impl<'a> Reader<'a> {
    /// Returns where the values begin.
    fn read_name(&mut self) -> Result<usize, Fault> {
        let fault = |at, what| Err(Fault { at, what });
        if self.line.is_empty() {
            return fault(0, What::EmptyLine);
        }
        let Some(colon) = find(self.line, 0, b":") else {
            return fault(self.line.len(), What::NoColon);
        };
        (self.name, self.tags) = Tags::in_name(&self.line[..colon], self.manner.0);
        if self.name.is_empty() { fault(0, What::NoName) } else { Ok(colon + 1) }
    }

    fn read_values(&mut self, start: usize) -> Result<Line<'a>, Fault> {
        let line = self.line;
        let fault = |at, what| Err(Fault { at, what });
        let Some(bar) = find(line, start, b"|") else {
            let what = if start == line.len() { What::NoValue } else { What::NoType };
            return fault(line.len(), what);
        };
        let ends: &[u8] = if self.manner.packs_types() { b"|:" } else { b"|" };
        let mut end = find(line, bar + 1, ends).unwrap_or(line.len());
        let letters = &line[bar + 1..end];
        let Some(kind) = kind(letters) else {
            let what = if letters.is_empty() { What::NoType } else { What::UnknownType };
            return fault(bar + 1, what);
        };
        let text = &line[start..bar];
        self.check_values(text, kind).map_err(|(at, what)| Fault { at: start + at, what })?;
        let (mut rate, mut tags) = (1.0, self.tags);
        while line.get(end) == Some(&b'|') {
            let from = end + 1;
            end = self.section_end(from);
            match &line[from..end] {
                [b'@', text @ ..] => match number(text) {
                    Some(part) if self.manner.is_rate(part) => rate = part,
                    _ if self.manner.passes_over_rates() => {}
                    _ => return fault(from + 1, What::BadRate),
                },
                [b'#', ..] if !self.manner.has_tags() => return fault(from, What::NoTags),
                [b'#', text @ ..] => tags = Tags::of_section(text),
                [b'T', digits @ ..] if self.manner.0 == Some(Dialect::Dogstatsd) => {
                    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                        return fault(from + 1, What::BadTime);
                    }
                }
                _ if self.manner.passes_over() => {}
                _ => return fault(from, What::UnknownSection),
            }
        }
        self.at = (end < line.len()).then_some(end + 1);
        Ok(Line { name: self.name.clone(), letters, kind, rate, tags, text })
    }

    /// Where a section ends: at a '|', or before another value. A tag may
    /// have colons, and so may a section that is not known.
    fn section_end(&self, from: usize) -> usize {
        let line = self.line;
        let bar = find(line, from, b"|").unwrap_or(line.len());
        if !self.manner.packs_types() {
            return bar;
        }
        match &line[from..bar] {
            // an empty section before the next value
            [b':', value @ ..] if number(value).is_some() => from,
            [b'@', ..] => find(line, from, b"|:").unwrap_or(line.len()),
            _ => bar,
        }
    }

    /// Checks each value; there has to be one. Some of several may be empty.
    fn check_values(&self, values: &[u8], kind: Kind) -> Result<(), (usize, What)> {
        if kind == Kind::Set && !values.is_empty() {
            let refusal = self.manner.refusal(kind, values);
            return refusal.map_or(Ok(()), |what| Err((0, what)));
        }
        let (mut at, mut is_empty) = (0, true);
        for value in values.split(|b| *b == b':') {
            if !value.is_empty() {
                is_empty = false;
                if number(value).is_none() {
                    return Err((at, What::NotANumber));
                }
                if let Some(what) = self.manner.refusal(kind, value) {
                    return Err((at, what));
                }
            }
            at += value.len() + 1;
        }
        if is_empty { Err((0, What::NoValue)) } else { Ok(()) }
    }
}

fn kind(letters: &[u8]) -> Option<Kind> {
    Some(match letters {
        b"c" | b"m" => Kind::Counter,
        b"C" => Kind::Total,
        b"g" => Kind::Gauge,
        b"ms" => Kind::Timer,
        b"h" | b"d" => Kind::Histogram,
        b"s" => Kind::Set,
        _ => return None,
    })
}
