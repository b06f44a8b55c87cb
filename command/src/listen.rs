//! `fripp listen`: what arrives, line by line, and whether it is what was
//! waited for.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::dialect::Dialect;
use regex::bytes::Regex;

use crate::args::Listen;
use crate::intake::{End, Event, Intake, Limits};
use crate::receive::Sender;
use crate::{Outcome, colour, json, lint, safe, wire};

/// The exit status where less came than was asked for, or what a server would
/// refuse.
const NOT_FOUND: u8 = 1;

struct Listener {
    matching: Option<Regex>,
    dialect: Option<Dialect>,
    json: bool,
    coloured: bool,
    /// Standard output is one: it gets no bytes that it would obey.
    is_terminal: bool,
    /// Matching lines that are still wanted, where a number was given.
    left: Option<u64>,
    found: u64,
    /// Lines and datagrams that a server would refuse or misread.
    refused: u64,
    text: Vec<u8>,
}

pub fn run(args: Listen) -> Outcome {
    let mut intake = Intake::open(&args.source, None)?;
    let is_terminal = io::stdout().is_terminal();
    let mut listener = Listener {
        matching: args.matching,
        dialect: intake.dialect,
        json: args.json,
        coloured: colour::wanted(is_terminal),
        is_terminal,
        left: args.count,
        found: 0,
        refused: 0,
        text: Vec::new(),
    };
    let has_command = intake.has_command();
    intake.announce();
    let end = args.timeout.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds));
    let mut wrong = None;
    let end = intake.run(Limits { end, tick: None }, &mut |event| {
        if let Event::Datagram(datagram, sender) = event
            && let Err(error) = listener.take(datagram, sender)
        {
            wrong = Some(error);
            return ControlFlow::Break(());
        }
        // a command goes on to its own end
        if listener.left == Some(0) && !has_command {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    intake.report();
    match intake.receiver.losses().count() {
        0 => {}
        lost => say!("{lost} datagrams were lost: they came too fast"),
    }
    match wrong {
        // who reads it has seen enough
        Some(wrong) if wrong.kind() == ErrorKind::BrokenPipe => Ok(0),
        Some(wrong) => Err(format!("standard output: {wrong}")),
        None => Ok(listener.status(end, has_command)),
    }
}

impl Listener {
    /// Prints the lines of a datagram that match; all of them are out before
    /// the next datagram is taken.
    fn take(&mut self, datagram: &[u8], sender: &Sender) -> io::Result<()> {
        self.text.clear();
        let from = if self.json { sender.address() } else { None };
        if let Some(dialect) = self.dialect {
            for why in lint::datagram(dialect, datagram) {
                self.refused += 1;
                say!("a datagram of {} bytes: {why}", datagram.len());
            }
        }
        for line in wire::lines(datagram) {
            let is_match = self.matching.as_ref().is_none_or(|regex| regex.is_match(line));
            if is_match && self.left != Some(0) {
                self.found += 1;
                self.left = self.left.map(|left| left - 1);
                let problems = self.dialect.map(|dialect| lint::line(dialect, line));
                self.print(line, from.as_deref(), &problems.unwrap_or_default());
            }
        }
        let mut output = io::stdout().lock();
        output.write_all(&self.text)?;
        output.flush()
    }

    fn print(&mut self, line: &[u8], from: Option<&str>, problems: &[String]) {
        self.refused += u64::from(!problems.is_empty());
        if self.json {
            self.text.extend_from_slice(json::line(line, from, self.dialect, problems).as_bytes());
        } else if self.coloured {
            colour::line(line, self.dialect, problems, &mut self.text);
        } else {
            if self.is_terminal {
                self.text.extend_from_slice(safe::shown(line).as_bytes());
            } else {
                self.text.extend_from_slice(line);
            }
            for why in problems {
                say!("{}: {why}", line.escape_ascii());
            }
        }
        self.text.push(b'\n');
    }

    fn status(&self, end: End, has_command: bool) -> u8 {
        let wanted = self.left.is_some() || self.matching.is_some();
        let missing = self.left.is_some_and(|left| left > 0) || self.found == 0;
        match end {
            End::Command(status) if status != 0 => status,
            // it had to be stopped
            End::TimeUp if has_command => NOT_FOUND,
            _ if wanted && missing || self.refused > 0 => NOT_FOUND,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_without_colours_does_not_obey_what_came() {
        let printed = |is_terminal| {
            let mut listener = Listener {
                matching: None,
                dialect: None,
                json: false,
                coloured: false,
                is_terminal,
                left: None,
                found: 0,
                refused: 0,
                text: Vec::new(),
            };
            listener.print("a\x1b[2J\u{202e}:1|c".as_bytes(), None, &[]);
            String::from_utf8(listener.text).unwrap()
        };
        assert_eq!(printed(true), "a\\u{1b}[2J\\u{202e}:1|c\n");
        assert_eq!(printed(false), "a\x1b[2J\u{202e}:1|c\n");
    }
}
