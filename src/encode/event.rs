//! DogStatsD's events and service checks.

#![forbid(unsafe_code)]

use std::io::Write;

use crate::encode::dialect::Dialect;
use crate::encode::settings::Settings;
use crate::encode::{line, name, tags};
use crate::error::Error;

/// How an event is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alert {
    /// Information.
    Info,
    /// Something went well.
    Success,
    /// A warning.
    Warning,
    /// An error.
    Error,
}

impl Alert {
    /// All of them, by their numbers in C.
    pub const ALL: [Alert; 4] = [Alert::Info, Alert::Success, Alert::Warning, Alert::Error];

    fn word(self) -> &'static str {
        match self {
            Alert::Info => "info",
            Alert::Success => "success",
            Alert::Warning => "warning",
            Alert::Error => "error",
        }
    }
}

/// What a service check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The service works.
    Ok,
    /// It works, with a warning.
    Warning,
    /// It does not work.
    Critical,
    /// The check could not find out.
    Unknown,
}

impl Status {
    /// All of them, by their numbers in C and on the wire.
    pub const ALL: [Status; 4] = [Status::Ok, Status::Warning, Status::Critical, Status::Unknown];
}

/// The line of an event.
pub fn event(
    settings: &Settings,
    title: &[u8],
    text: &[u8],
    alert: Alert,
    raw_tags: &[u8],
) -> Result<Vec<u8>, Error> {
    check(settings, "events")?;
    if title.is_empty() {
        return Err(Error::Invalid.because(format_args!("the title is empty")));
    }
    let (title, text) = (one_line(title), one_line(text));
    // to a Vec, this cannot fail
    let mut line = Vec::new();
    let _ = write!(line, "_e{{{},{}}}:", title.len(), text.len());
    line.extend_from_slice(&title);
    line.push(b'|');
    line.extend_from_slice(&text);
    let _ = write!(line, "|t:{}", alert.word());
    write_tags(settings, raw_tags, &mut line)?;
    Ok(line)
}

/// The line of a service check.
pub fn service_check(
    settings: &Settings,
    raw_name: &[u8],
    status: Status,
    message: &[u8],
    raw_tags: &[u8],
) -> Result<Vec<u8>, Error> {
    check(settings, "service checks")?;
    let mut line = b"_sc|".to_vec();
    if name::clean(raw_name, &mut line) == 0 {
        return Err(Error::Invalid.because(format_args!("the name is empty")));
    }
    let _ = write!(line, "|{}", status as u8);
    write_tags(settings, raw_tags, &mut line)?;
    if !message.is_empty() {
        line.extend_from_slice(b"|m:");
        let mut before = 0;
        for b in one_line(message) {
            // the server looks for `m:`, and cuts at `|`
            if before == b'm' && b == b':' {
                line.push(b'\\');
            }
            line.push(if b == b'|' { b'_' } else { b });
            before = b;
        }
    }
    Ok(line)
}

fn check(settings: &Settings, what: &str) -> Result<(), Error> {
    let dialect = settings.dialect;
    if dialect == Dialect::Dogstatsd {
        return Ok(());
    }
    let name = dialect.form().name;
    Err(Error::NotSupported.because(format_args!("dialect {name} has no {what}")))
}

fn write_tags(settings: &Settings, raw: &[u8], line: &mut Vec<u8>) -> Result<(), Error> {
    let mut own = Vec::new();
    tags::clean(raw, &mut own)?;
    settings.check_tags(&own)?;
    line::suffix(line, settings, &own);
    Ok(())
}

/// A text on one line: newlines as `\n`, which the server reads as one; other
/// control bytes, and each byte of invalid UTF-8, as `_`.
fn one_line(text: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for b in chunk.valid().bytes() {
            match b {
                b'\n' => line.extend_from_slice(b"\\n"),
                b'\r' => {}
                b if b.is_ascii_control() => line.push(b'_'),
                b => line.push(b),
            }
        }
        line.extend(chunk.invalid().iter().map(|_| b'_'));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::origin::Origin;

    fn settings() -> Settings {
        let mut settings = Settings { dialect: Dialect::Dogstatsd, ..Settings::default() };
        settings.set_tags(b"cluster:one").unwrap();
        settings
    }

    fn text(line: Result<Vec<u8>, Error>) -> String {
        String::from_utf8(line.unwrap()).unwrap()
    }

    #[test]
    fn lengths_are_those_of_the_escaped_text() {
        let event = |title: &str, body: &[u8], tags: &str| {
            text(event(&settings(), title.as_bytes(), body, Alert::Error, tags.as_bytes()))
        };
        assert_eq!(event("t", b"", ""), "_e{1,0}:t||t:error|#cluster:one");
        assert_eq!(
            event("a\nb", "\u{e9}|\r\n\t".as_bytes(), "k:v"),
            "_e{4,6}:a\\nb|\u{e9}|\\n_|t:error|#cluster:one,k:v"
        );
        assert_eq!(event("t", b"\xff", "cluster:two"), "_e{1,1}:t|_|t:error|#cluster:two");
    }

    #[test]
    fn they_have_their_origin() {
        let mut settings = settings();
        settings.origin = Origin::new(Some(b"pod"), Some(b"id"));
        let end = "|#cluster:one,dd.internal.entity_id:pod|c:id";
        let event = event(&settings, b"t", b"", Alert::Info, b"");
        assert_eq!(text(event), format!("_e{{1,0}}:t||t:info{end}"));
        let check = service_check(&settings, b"db", Status::Ok, b"up", b"");
        assert_eq!(text(check), format!("_sc|db|0{end}|m:up"));
    }

    #[test]
    fn a_message_is_the_last_field() {
        let line = |message: &str| {
            let message = message.as_bytes();
            text(service_check(&settings(), b"db|up", Status::Critical, message, b"k:v"))
        };
        assert_eq!(line(""), "_sc|db_up|2|#cluster:one,k:v");
        assert_eq!(line("a|m:b\nc"), "_sc|db_up|2|#cluster:one,k:v|m:a_m\\:b\\nc");
    }

    #[test]
    fn what_cannot_be_sent() {
        let settings = settings();
        assert_eq!(event(&settings, b"", b"x", Alert::Info, b""), Err(Error::Invalid));
        assert_eq!(event(&settings, b"t", b"x", Alert::Info, b"k:"), Err(Error::Invalid));
        assert_eq!(service_check(&settings, b".", Status::Ok, b"", b""), Err(Error::Invalid));
        let long = format!("k:{}", "v".repeat(tags::MAX_TAGS));
        let told = event(&settings, b"t", b"x", Alert::Info, long.as_bytes());
        assert_eq!(told, Err(Error::NameTooLong));
        let vector = Settings { dialect: Dialect::Vector, ..Settings::default() };
        let told = event(&vector, b"t", b"x", Alert::Info, b"");
        assert_eq!(told.unwrap_err().reason(), "dialect vector has no events");
        let told = service_check(&vector, b"n", Status::Ok, b"", b"");
        assert_eq!(told.unwrap_err().reason(), "dialect vector has no service checks");
    }
}
