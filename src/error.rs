//! What can go wrong with a call, in the core's terms.

#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::fmt::{self, Write};

/// The longest reason, in bytes: the rest of a longer one is cut.
pub const MAX_REASON: usize = 383;
/// The most bytes of a caller's text that a reason repeats.
const MAX_QUOTED: usize = 64;

thread_local! {
    /// The error that the reason of this thread belongs to, if there is one.
    static ABOUT: Cell<Option<Error>> = const { Cell::new(None) };
    static REASON: RefCell<Text> = const { RefCell::new(Text::new()) };
}

/// Why a call failed. The C surface turns each into an `errno` value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// An invalid argument (`EINVAL`).
    Invalid,
    /// A line is longer than a datagram (`EMSGSIZE`).
    TooBig,
    /// The kernel has not accepted everything yet (`EAGAIN`).
    Again,
    /// The name is longer than the server accepts (`ENAMETOOLONG`).
    NameTooLong,
    /// The context has `max_metrics` metrics already (`ENOSPC`).
    NoSpace,
    /// The dialect has no tags, no sets or no events (`ENOTSUP`).
    NotSupported,
    /// The sum of a gauge does not fit into 64 bits (`ERANGE`).
    Range,
    /// No memory (`ENOMEM`).
    NoMemory,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::Invalid => "invalid argument",
            Error::TooBig => "the line is longer than a datagram",
            Error::Again => "the kernel has not accepted everything yet; the rest is sent later",
            Error::NameTooLong => "the name is longer than the server accepts",
            Error::NoSpace => "the context holds max_metrics metrics already",
            Error::NotSupported => "the dialect does not support this",
            Error::Range => "the increment takes the gauge out of 64 bits",
            Error::NoMemory => "out of memory",
        })
    }
}

impl std::error::Error for Error {}

impl Error {
    /// The `errno` value of this error.
    pub const fn errno(self) -> i32 {
        match self {
            Error::Invalid => libc::EINVAL,
            Error::TooBig => libc::EMSGSIZE,
            Error::Again => libc::EAGAIN,
            Error::NameTooLong => libc::ENAMETOOLONG,
            Error::NoSpace => libc::ENOSPC,
            Error::NotSupported => libc::ENOTSUP,
            Error::Range => libc::ERANGE,
            Error::NoMemory => libc::ENOMEM,
        }
    }

    /// Keeps the reason of this error for the calling thread, without an
    /// allocation.
    #[cold]
    pub fn because(self, reason: fmt::Arguments<'_>) -> Error {
        REASON.with_borrow_mut(|text| {
            text.clear();
            // what does not fit is cut
            let _ = text.write_fmt(reason);
        });
        ABOUT.set(Some(self));
        self
    }

    /// Calls `f` with the reason that this thread kept for this error, or with
    /// the meaning of the error if it kept none.
    pub fn with_reason<T>(self, f: impl FnOnce(&str) -> T) -> T {
        if ABOUT.get() != Some(self) {
            self.because(format_args!("{self}"));
        }
        REASON.with_borrow(|text| f(text.as_str()))
    }

    /// The same as a text of its own.
    pub fn reason(self) -> String {
        self.with_reason(str::to_owned)
    }
}

/// Forgets the reason that this thread kept.
pub fn forget_reason() {
    ABOUT.set(None);
}

/// A caller's text as a reason shows it: in quotes, on one line, and cut if it
/// is long.
pub fn quoted(text: &[u8]) -> Quoted<'_> {
    Quoted(text)
}

/// What `quoted` returns.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(&'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, rest) = self.0.split_at(self.0.len().min(MAX_QUOTED));
        f.write_char('\'')?;
        for chunk in shown.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() { write!(f, "{}", c.escape_default())? } else { f.write_char(c)? }
            }
            write!(f, "{}", chunk.invalid().escape_ascii())?;
        }
        f.write_str(if rest.is_empty() { "'" } else { "...'" })
    }
}

/// A text in a buffer of a fixed size.
#[derive(Debug)]
struct Text {
    bytes: [u8; MAX_REASON],
    len: usize,
}

impl Text {
    const fn new() -> Text {
        Text { bytes: [0; MAX_REASON], len: 0 }
    }

    fn clear(&mut self) {
        self.len = 0;
    }

    fn as_str(&self) -> &str {
        // it is cut between characters
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let mut fits = s.len().min(MAX_REASON - self.len);
        while !s.is_char_boundary(fits) {
            fits -= 1;
        }
        self.bytes[self.len..self.len + fits].copy_from_slice(&s.as_bytes()[..fits]);
        self.len += fits;
        if fits < s.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_for_its_error_and_is_cut_where_it_is_too_long() {
        let error = Error::Invalid.because(format_args!("no port in {}", quoted(b"localhost")));
        assert_eq!(error.reason(), "no port in 'localhost'");
        assert_eq!(Error::TooBig.reason(), Error::TooBig.to_string());
        error.because(format_args!("{}", "ö".repeat(MAX_REASON)));
        assert_eq!(error.reason(), "ö".repeat(MAX_REASON / 2));
        forget_reason();
        assert_eq!(error.reason(), "invalid argument");
    }

    #[test]
    fn quotes_are_one_short_line() {
        assert_eq!(quoted(b"a\n\xffz").to_string(), "'a\\n\\xffz'");
        assert_eq!(quoted(&[b'n'; 65]).to_string(), format!("'{}...'", "n".repeat(64)));
    }
}
