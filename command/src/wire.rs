//! One line of StatsD, read where it lies: a name, values, a type, a sample
//! rate and tags, in the ways that any dialect writes them. Takes whatever a
//! server could; of the rest it says what is wrong, and where.

use std::fmt;

use fripp::metric::kind::Kind;

/// A line, or one of the parts of a line that packs several as statsd does,
/// `name:1|ms:2|ms`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line<'a> {
    /// Without the tags that some dialects write into it.
    pub name: &'a [u8],
    /// Of the type, as they stand there.
    pub letters: &'a [u8],
    pub kind: Kind,
    /// What `@` says, or 1: the part of the events that is told.
    pub rate: f64,
    pub tags: Tags<'a>,
    values: &'a [u8],
}

/// Tags, as they stand in the line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tags<'a> {
    pub style: TagStyle,
    text: &'a [u8],
}

/// How tags are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TagStyle {
    #[default]
    None,
    /// `|#k:v,l:w`
    Dogstatsd,
    /// `name,k=v,l=w`
    Telegraf,
    /// `name;k=v;l=w`
    Graphite,
}

/// What is wrong with a line, and at which of its bytes (from 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub at: usize,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    EmptyLine,
    NoColon,
    NoName,
    NoValue,
    NotANumber,
    NoType,
    UnknownType,
    BadRate,
    UnknownSection,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            What::EmptyLine => "an empty line",
            What::NoColon => "no ':' behind a name",
            What::NoName => "no name before the ':'",
            What::NoValue => "no value",
            What::NotANumber => "not a number",
            What::NoType => "no '|' and type behind the value",
            What::UnknownType => "an unknown type",
            What::BadRate => "not a sample rate above 0 and up to 1",
            What::UnknownSection => "an unknown section",
        };
        write!(f, "{what} (byte {})", self.at + 1)
    }
}

/// The lines of a datagram. A newline at its end is not an empty line.
pub fn lines(datagram: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = datagram.len() - usize::from(datagram.last() == Some(&b'\n'));
    datagram[..end].split(|b| *b == b'\n')
}

/// Reads a line. There is one item, but for lines that statsd's way packs.
/// Nothing comes behind a fault.
pub fn read(line: &[u8]) -> Reader<'_> {
    Reader { line, name: b"", tags: Tags::default(), at: Some(0) }
}

pub struct Reader<'a> {
    line: &'a [u8],
    name: &'a [u8],
    tags: Tags<'a>,
    /// Where the next value begins; `None` at the end.
    at: Option<usize>,
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Line<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at.take()?;
        let start = if at == 0 { self.read_name() } else { Ok(at) };
        Some(start.and_then(|at| self.read_values(at)))
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
        let whole = &self.line[..colon];
        self.name = whole;
        // a comma or semicolon without a '=' behind it is the name's own
        for (separator, style) in [(b',', TagStyle::Telegraf), (b';', TagStyle::Graphite)] {
            if let Some(end) = find(whole, 0, &[separator])
                && whole[end..].contains(&b'=')
                && self.tags.style == TagStyle::None
            {
                self.name = &whole[..end];
                self.tags = Tags { style, text: &whole[end + 1..] };
            }
        }
        if self.name.is_empty() { fault(0, What::NoName) } else { Ok(colon + 1) }
    }

    fn read_values(&mut self, start: usize) -> Result<Line<'a>, Fault> {
        let line = self.line;
        let fault = |at, what| Err(Fault { at, what });
        let Some(bar) = find(line, start, b"|") else {
            let what = if start == line.len() { What::NoValue } else { What::NoType };
            return fault(line.len(), what);
        };
        let mut end = find(line, bar + 1, b"|:").unwrap_or(line.len());
        let letters = &line[bar + 1..end];
        let Some(kind) = kind(letters) else {
            let what = if letters.is_empty() { What::NoType } else { What::UnknownType };
            return fault(bar + 1, what);
        };
        let values = &line[start..bar];
        check_values(values, kind).map_err(|(at, what)| Fault { at: start + at, what })?;
        let (mut rate, mut tags) = (1.0, self.tags);
        while line.get(end) == Some(&b'|') {
            let from = end + 1;
            match line.get(from) {
                // a tag may hold colons; so may what is none of a line's
                // older sections
                Some(b'@') => end = find(line, from, b"|:").unwrap_or(line.len()),
                _ => end = find(line, from, b"|").unwrap_or(line.len()),
            }
            match (&line[from..end], tags.style) {
                ([b'@', text @ ..], _) => match number(text) {
                    Some(part) if part > 0.0 && part <= 1.0 => rate = part,
                    _ => return fault(from + 1, What::BadRate),
                },
                ([b'#', text @ ..], _) => tags = Tags { style: TagStyle::Dogstatsd, text },
                // Datadog's container, external data, cardinality, time
                ([b'c' | b'e', b':', ..], _) | ([b'T', b'0'..=b'9', ..], _) => {}
                (section, _) if section.starts_with(b"card:") => {}
                _ => return fault(from, What::UnknownSection),
            }
        }
        self.at = (end < line.len()).then_some(end + 1);
        Ok(Line { name: self.name, letters, kind, rate, tags, values })
    }
}

impl<'a> Line<'a> {
    /// The values as they stand there: one, or several as dogstatsd packs
    /// them. They are numbers, but for a set's.
    pub fn values(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.values.split(|b| *b == b':')
    }

    /// The values as numbers; a set has none.
    pub fn numbers(&self) -> impl Iterator<Item = f64> + use<'a> {
        let values = if self.kind == Kind::Set { &b""[..] } else { self.values };
        values.split(|b| *b == b':').filter_map(number)
    }
}

impl<'a> Tags<'a> {
    /// Keys and values; a key alone has none.
    pub fn pairs(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let (separator, equals) = match self.style {
            TagStyle::Telegraf => (b',', b"="),
            TagStyle::Graphite => (b';', b"="),
            TagStyle::Dogstatsd | TagStyle::None => (b',', b":"),
        };
        let tags = self.text.split(move |b| *b == separator).filter(|tag| !tag.is_empty());
        tags.map(move |tag| match find(tag, 0, equals) {
            Some(at) => (&tag[..at], Some(&tag[at + 1..])),
            None => (tag, None),
        })
    }
}

/// A decimal, with a sign, a dot and an exponent where it has them; never
/// `nan` nor `inf`.
pub fn number(text: &[u8]) -> Option<f64> {
    let plain = text.iter().all(|b| b.is_ascii_digit() || b"+-.eE".contains(b));
    let text = std::str::from_utf8(text).ok().filter(|_| plain)?;
    text.parse().ok().filter(|number: &f64| number.is_finite())
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

fn check_values(values: &[u8], kind: Kind) -> Result<(), (usize, What)> {
    let mut at = 0;
    for value in values.split(|b| *b == b':') {
        if value.is_empty() {
            return Err((at, What::NoValue));
        }
        if kind != Kind::Set && number(value).is_none() {
            return Err((at, What::NotANumber));
        }
        at += value.len() + 1;
    }
    Ok(())
}

fn find(text: &[u8], from: usize, any: &[u8]) -> Option<usize> {
    text[from..].iter().position(|b| any.contains(b)).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Line<'_> {
        let mut lines = read(line.as_bytes());
        let read = lines.next().unwrap().unwrap();
        assert!(lines.next().is_none(), "{line}");
        read
    }

    fn fault(line: &str) -> (usize, What) {
        let fault = read(line.as_bytes()).find_map(Result::err).expect(line);
        (fault.at, fault.what)
    }

    fn tags(line: &str) -> Vec<(String, Option<String>)> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        one(line).tags.pairs().map(|(key, value)| (text(key), value.map(text))).collect()
    }

    #[test]
    fn types() {
        for (line, kind, value) in [
            ("a:1|c", Kind::Counter, 1.0),
            ("a:12|C", Kind::Total, 12.0),
            ("a:-5|g", Kind::Gauge, -5.0),
            ("a:+5|g", Kind::Gauge, 5.0),
            ("a:0.264|ms", Kind::Timer, 0.264),
            ("a:1e3|h", Kind::Histogram, 1000.0),
            ("a:.5|d", Kind::Histogram, 0.5),
        ] {
            let read = one(line);
            assert_eq!((read.name, read.kind, read.rate), (&b"a"[..], kind, 1.0), "{line}");
            assert_eq!(read.numbers().collect::<Vec<_>>(), [value], "{line}");
        }
        let set = one("users:anna|s");
        assert_eq!((set.kind, set.numbers().count()), (Kind::Set, 0));
        assert_eq!(set.values().collect::<Vec<_>>(), [b"anna"]);
    }

    #[test]
    fn rates_and_tags() {
        let read = one("a:1:2:3|ms|@0.25|#k:v:w,l|T1656581400|c:abc");
        assert_eq!(read.rate, 0.25);
        assert_eq!(read.numbers().collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
        let some = |text: &str| Some(text.to_owned());
        let want = [("k".to_owned(), some("v:w")), ("l".to_owned(), None)];
        assert_eq!(tags("a:1:2:3|ms|@0.25|#k:v:w,l|T1656581400|c:abc"), want);
        for line in ["a,k=v,l=w:1|c", "a;k=v;l=w:1|c", "a:1|c|#k:v,l:w"] {
            assert_eq!(one(line).name, b"a", "{line}");
            assert_eq!(
                tags(line),
                [("k".to_owned(), some("v")), ("l".to_owned(), some("w"))],
                "{line}"
            );
        }
        assert_eq!(one("a,b:1|c").name, b"a,b");
    }

    #[test]
    fn packed_as_statsd_does() {
        let read: Vec<_> = read(b"a:1|ms|@0.5:2|c:x|s").map(Result::unwrap).collect();
        let seen: Vec<_> = read.iter().map(|line| (line.kind, line.rate)).collect();
        assert_eq!(seen, [(Kind::Timer, 0.5), (Kind::Counter, 1.0), (Kind::Set, 1.0)]);
        assert!(read.iter().all(|line| line.name == b"a"));
        assert_eq!(read[2].values().collect::<Vec<_>>(), [b"x"]);
    }

    #[test]
    fn faults_and_where() {
        for (line, want) in [
            ("", (0, What::EmptyLine)),
            ("a", (1, What::NoColon)),
            (":1|c", (0, What::NoName)),
            (",k=v:1|c", (0, What::NoName)),
            ("a:", (2, What::NoValue)),
            ("a:|c", (2, What::NoValue)),
            ("a:1", (3, What::NoType)),
            ("a:1|", (4, What::NoType)),
            ("a:1|x", (4, What::UnknownType)),
            ("a:1|ms2", (4, What::UnknownType)),
            ("a:1:x|ms", (4, What::NotANumber)),
            ("a:nan|g", (2, What::NotANumber)),
            ("a:inf|g", (2, What::NotANumber)),
            ("a:1e999|g", (2, What::NotANumber)),
            ("a:1,5|g", (2, What::NotANumber)),
            ("a:1|c|@0", (7, What::BadRate)),
            ("a:1|c|@2.0", (7, What::BadRate)),
            ("a:1|c|@", (7, What::BadRate)),
            ("a:1|c|x", (6, What::UnknownSection)),
            ("a:1|c|", (6, What::UnknownSection)),
            ("a:1|ms:2", (8, What::NoType)),
            ("a:5|g\0", (4, What::UnknownType)),
            ("a:5|g\r", (4, What::UnknownType)),
        ] {
            assert_eq!(fault(line), want, "{line:?}");
        }
        let shown = read(b"a:1|x").find_map(Result::err).unwrap().to_string();
        assert_eq!(shown, "an unknown type (byte 5)");
    }

    #[test]
    fn a_last_newline_is_none() {
        let split = |text: &'static str| lines(text.as_bytes()).count();
        assert_eq!([split("a"), split("a\n"), split("a\nb\n"), split("a\n\nb")], [1, 1, 2, 3]);
    }
}
