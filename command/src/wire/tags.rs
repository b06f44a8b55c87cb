//! Tags: key and value, in the styles of the servers.

use std::borrow::Cow;

use super::find;
use crate::dialect::Dialect;

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
    /// `name#k=v,l=w`
    Librato,
    /// `na[k=v,l=w]me`
    SignalFx,
}

impl<'a> Tags<'a> {
    /// A section `|#...`, from after the '#'.
    pub fn of_section(text: &'a [u8]) -> Tags<'a> {
        Tags { style: TagStyle::Dogstatsd, text }
    }

    /// The name and the tags of what stands before the colon.
    pub fn in_name(whole: &'a [u8], dialect: Option<Dialect>) -> (Cow<'a, [u8]>, Tags<'a>) {
        let style = match dialect {
            // statsd_exporter reads all styles, as who knows no dialect does
            None | Some(Dialect::Exporter) => style_of(whole),
            Some(Dialect::Telegraf) => TagStyle::Telegraf,
            Some(Dialect::Graphite) => TagStyle::Graphite,
            Some(
                Dialect::Brubeck
                | Dialect::Statsd
                | Dialect::Dogstatsd
                | Dialect::Vector
                | Dialect::Otel
                | Dialect::Gostatsd
                | Dialect::Collectd,
            ) => TagStyle::None,
        };
        let separator = match style {
            TagStyle::Telegraf => b",",
            TagStyle::Graphite => b";",
            TagStyle::Librato => b"#",
            TagStyle::SignalFx => return in_brackets(whole),
            TagStyle::Dogstatsd | TagStyle::None => return (whole.into(), Tags::default()),
        };
        match find(whole, 0, separator) {
            // without a '=' after it, it belongs to the name
            Some(at) if whole[at..].contains(&b'=') => {
                (whole[..at].into(), Tags { style, text: &whole[at + 1..] })
            }
            _ => (whole.into(), Tags::default()),
        }
    }

    /// Keys and values, in their order; a key alone has no value.
    pub fn pairs(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let (separator, equals) = match self.style {
            TagStyle::Graphite => (b';', b"="),
            TagStyle::Telegraf | TagStyle::Librato | TagStyle::SignalFx => (b',', b"="),
            TagStyle::Dogstatsd | TagStyle::None => (b',', b":"),
        };
        // Datadog's client for PHP writes a '#' before each tag
        let is_suffix = self.style == TagStyle::Dogstatsd;
        let tags = self.text.split(move |b| *b == separator);
        let tags = tags.map(move |tag| match tag {
            [b'#', tag @ ..] if is_suffix => tag,
            tag => tag,
        });
        // only Datadog's servers keep a key without a value
        tags.filter_map(move |tag| match find(tag, 0, equals) {
            Some(at) => Some((&tag[..at], Some(&tag[at + 1..]))),
            None => (is_suffix && !tag.is_empty()).then_some((tag, None)),
        })
    }

    /// The same as a set: sorted, each once.
    pub fn sorted(&self) -> Vec<(&'a [u8], Option<&'a [u8]>)> {
        let mut pairs: Vec<_> = self.pairs().collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }
}

/// The style of tags in a name; brackets go before the others.
fn style_of(whole: &[u8]) -> TagStyle {
    if find(whole, 0, b"[]").is_some() {
        return TagStyle::SignalFx;
    }
    match find(whole, 0, b",;#").map(|at| whole[at]) {
        Some(b',') => TagStyle::Telegraf,
        Some(b';') => TagStyle::Graphite,
        Some(_) => TagStyle::Librato,
        None => TagStyle::None,
    }
}

/// SignalFx's tags, anywhere in the name. A bracket without the other one
/// belongs to the name, and so does all that stands around it.
fn in_brackets(whole: &[u8]) -> (Cow<'_, [u8]>, Tags<'_>) {
    let Some((open, close)) = find(whole, 0, b"[").and_then(|open| {
        let close = find(whole, open, b"]")?;
        Some((open, close))
    }) else {
        return (whole.into(), Tags::default());
    };
    let name = [&whole[..open], &whole[close + 1..]].concat();
    (name.into(), Tags { style: TagStyle::SignalFx, text: &whole[open + 1..close] })
}
