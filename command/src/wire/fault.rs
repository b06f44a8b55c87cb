//! Why a line cannot be read.

use std::fmt;

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
    BadTime,
    UnknownSection,
    NoTags,
    NegativeTiming,
    Sign,
    BadEvent,
    BadCheck,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            What::EmptyLine => "an empty line",
            What::NoColon => "no ':' after a name",
            What::NoName => "no name before the ':'",
            What::NoValue => "no value",
            What::NotANumber => "not a number",
            What::NoType => "no '|' and type after the value",
            What::UnknownType => "an unknown type",
            What::BadRate => "not a sample rate above 0",
            What::BadTime => "not a time in seconds since 1970",
            What::UnknownSection => "a section that the server does not accept",
            What::NoTags => "tags in a style that the server does not accept",
            What::NegativeTiming => "the server refuses a negative timing",
            What::Sign => "the server refuses a sign before a value of this type",
            What::BadEvent => "not an event, _e{BYTES,BYTES}:TITLE|TEXT",
            What::BadCheck => "not a service check, _sc|NAME|STATUS with a status from 0 to 3",
        };
        write!(f, "{what} (byte {})", self.at + 1)
    }
}
