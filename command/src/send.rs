//! `fripp send`: metrics from a shell, through the library.

use std::io::{self, BufRead};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::dialect::{Dialect, Kind};
use fripp::context::Context;
use fripp::encode::name;
use fripp::error::Error;
use fripp::metric::value::Value;
use fripp::uri::Uri;

use crate::address::Address;
use crate::args::Send;
use crate::{Outcome, wire};

/// How long what was given waits for a server to be found and to take it.
const PATIENCE: Duration = Duration::from_secs(3);
/// The exit status where something was dropped.
const DROPPED: u8 = 1;

struct Sender {
    context: Arc<Context>,
    dialect: Dialect,
    dropped: u64,
}

pub fn run(args: Send) -> Outcome {
    let uri = uri(&args)?;
    let to = uri.endpoint.to_string();
    let dialect = uri.settings.dialect;
    let context = Context::open(uri.endpoint, uri.settings, None)
        .map_err(|error| format!("cannot send to {to}: {error}"))?;
    let mut sender = Sender { context, dialect, dropped: 0 };
    match &args.metric[..] {
        [] => sender.send_lines(&mut io::stdin().lock())?,
        words => {
            if let Err(why) = sender.send_words(words) {
                sender.drop_line(&words.join(" "), &why);
            }
        }
    }
    Ok(sender.finish(&to))
}

/// The URI with the options, which go before what it says.
fn uri(args: &Send) -> Result<Uri, String> {
    let named = args.to.clone().map(|to| ("--to", to));
    let variable = || std::env::var(Uri::VARIABLE).ok().map(|to| (Uri::VARIABLE, to));
    let (from, text) =
        named.or_else(variable).unwrap_or(("the default", Address::DEFAULT.to_owned()));
    let mut uri = Uri::parse(text.as_bytes()).map_err(|wrong| format!("{from}: {wrong}"))?;
    let settings = &mut uri.settings;
    if let Some(dialect) = args.dialect {
        settings.dialect = dialect;
    }
    if let Some(prefix) = args.prefix.as_deref().map(str::as_bytes).or(uri.prefix.as_deref()) {
        settings
            .set_prefix(prefix, 0)
            .map_err(|_| format!("--prefix: more than {} bytes", name::MAX_PREFIX))?;
    }
    if let Some(tags) = &args.tags {
        settings.set_tags(tags.as_bytes()).map_err(|wrong| match wrong {
            Error::NotSupported => "--tags: the dialect has no tags; see --dialect".to_owned(),
            Error::NameTooLong => "--tags: longer than a name may be".to_owned(),
            _ => format!("--tags: '{tags}' is not key:value,key2:value2"),
        })?;
    }
    Ok(uri)
}

impl Sender {
    fn send_lines(&mut self, input: &mut dyn BufRead) -> Result<(), String> {
        for line in input.split(b'\n') {
            let line = line.map_err(|wrong| format!("standard input: {wrong}"))?;
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            if let Err(why) = self.send_line(line) {
                self.drop_line(&line.escape_ascii().to_string(), &why);
            }
        }
        Ok(())
    }

    /// Three words, or a line of StatsD that goes as it is.
    fn send_line(&self, line: &[u8]) -> Result<(), String> {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        if let (Some(name), Some(value), Some(kind), None) =
            (words.next(), words.next(), words.next(), words.next())
        {
            let text = |word| std::str::from_utf8(word).map_err(|_| "no UTF-8".to_owned());
            return self.send(text(name)?, text(value)?, text(kind)?);
        }
        if let Some(fault) = wire::read(line, None).find_map(Result::err) {
            return Err(format!("neither NAME VALUE TYPE, nor a line of StatsD: {fault}"));
        }
        self.context.append_text(line).map_err(|error| self.told(error, ""))
    }

    fn send_words(&self, words: &[String]) -> Result<(), String> {
        match words {
            [name, value, kind] => self.send(name, value, kind),
            _ => Err("say NAME VALUE TYPE".to_owned()),
        }
    }

    fn send(&self, name: &str, value: &str, kind: &str) -> Result<(), String> {
        let kind = self::kind(kind).ok_or_else(|| {
            format!("'{kind}' is no type: say counter, total, gauge, timer, histogram or set")
        })?;
        let whole = value.parse::<i64>();
        let real = wire::number(value.as_bytes());
        let value = match (kind, whole, real) {
            (Kind::Set, _, _) => Value::Member(value.as_bytes()),
            (_, _, None) => return Err(format!("'{value}' is not a number")),
            (Kind::Gauge, _, _) if value.starts_with('+') => {
                return Err("a gauge is sent whole: for a step send the line NAME:+N|g".to_owned());
            }
            (Kind::Counter, Ok(n), _) => Value::Add(n),
            (Kind::Total, Ok(n), _) => Value::Total(n),
            (Kind::Counter | Kind::Total, _, _) => {
                return Err(format!("'{value}' is not a whole number of 64 bits"));
            }
            (Kind::Gauge, Ok(n), _) => Value::Set(n),
            (Kind::Gauge, _, Some(real)) => Value::Real(real),
            (Kind::Timer | Kind::Histogram, _, Some(real)) => Value::Sample(real),
        };
        self.context.record(kind, name.as_bytes(), value).map_err(|error| self.told(error, name))
    }

    fn told(&self, error: Error, name: &str) -> String {
        match error {
            Error::Invalid if name.is_empty() => "an empty name".to_owned(),
            Error::Invalid => "an empty name, or a value below 0 that may not be".to_owned(),
            Error::NameTooLong => format!(
                "the name with prefix and tags is longer than {} bytes",
                self.dialect.form().max_name
            ),
            Error::NotSupported => "the dialect has no sets; see --dialect".to_owned(),
            Error::TooBig => "longer than a datagram".to_owned(),
            Error::Range => "out of 64 bits".to_owned(),
            Error::Again | Error::NoSpace | Error::NoMemory => "no room".to_owned(),
        }
    }

    fn drop_line(&mut self, line: &str, why: &str) {
        self.dropped += 1;
        say!("{line}: {why}");
    }

    /// Sends what is pending, while there is hope, and says what was lost.
    fn finish(self, to: &str) -> u8 {
        let deadline = Instant::now() + PATIENCE;
        let mut taken = None;
        loop {
            let flushed = self.context.flush();
            let lines = self.context.stats().0.lines;
            // it has all gone; or it does not go on, and time is up
            if flushed.is_ok() || Instant::now() >= deadline && taken == Some(lines) {
                break;
            }
            taken = Some(lines);
        }
        // what was pending then is counted as lost
        self.context.close();
        let stats = self.context.stats().0;
        let lost = stats.dropped_send + stats.dropped_full;
        if lost > 0 {
            say!("{lost} lines were not sent: nobody takes them at {to}");
        }
        if lost + self.dropped > 0 { DROPPED } else { 0 }
    }
}

/// A type by its word, or as StatsD writes it.
fn kind(word: &str) -> Option<Kind> {
    Some(match word {
        "counter" | "c" => Kind::Counter,
        "total" | "C" => Kind::Total,
        "gauge" | "g" => Kind::Gauge,
        "timer" | "ms" => Kind::Timer,
        "histogram" | "h" => Kind::Histogram,
        "set" | "s" => Kind::Set,
        _ => return None,
    })
}
