//! The journal of a context: its counts, and its problems, which it logs once
//! when they begin and once when they end.

#![forbid(unsafe_code)]

use std::fmt::Display;

use crate::error::Error;
use crate::stats::Stats;

/// The most messages that wait to be logged. Beyond it, the oldest is dropped.
const MAX_WAITING: usize = 16;
/// Dropping has ended when nothing was dropped for this long, in ns.
const QUIET: u64 = 10_000_000_000;

/// syslog's level of an error (`LOG_ERR`).
const ERR: i32 = 3;
/// syslog's level of information (`LOG_INFO`).
const INFO: i32 = 6;
/// syslog's level of debug messages (`LOG_DEBUG`).
pub const DEBUG: i32 = 7;

/// A line for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// syslog's number.
    pub level: i32,
    /// One line.
    pub text: String,
    /// The problem that begins or ends, if the message is about one.
    pub about: Option<About>,
}

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// The problem.
    pub problem: Problem,
    /// It begins; otherwise it ends.
    pub begins: bool,
}

impl Message {
    /// A setting is wrong.
    pub fn error(text: String) -> Message {
        Message { level: ERR, text, about: None }
    }

    /// The text for C: one line, with control characters escaped.
    pub fn c_text(&self) -> std::ffi::CString {
        let mut text = String::with_capacity(self.text.len());
        for c in self.text.chars() {
            if c.is_control() { text.extend(c.escape_default()) } else { text.push(c) }
        }
        std::ffi::CString::new(text).unwrap_or_default()
    }
}

/// The kinds of problems of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The host's name has no address.
    Resolve,
    /// The server does not answer.
    Send,
    /// Lines are dropped.
    Drop,
    /// No descriptor is left for a socket.
    Share,
    /// A thread to send, or for a DNS lookup, cannot be started.
    Thread,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    active: bool,
    count: u64,
    last: u64,
}

/// What happened to a context's metrics: counts, and problems for the log.
#[derive(Debug, Default)]
pub struct Journal {
    /// The counts.
    pub stats: Stats,
    /// The log.
    pub problems: Problems,
}

impl Journal {
    /// Lines were dropped because `bound` bytes are pending already.
    pub fn dropped_full(&mut self, lines: u64, bound: usize, now: u64) {
        if lines > 0 {
            self.stats.dropped_full += lines;
            self.problems.met(Problem::Drop, lines, now, || {
                format!("more waits than fits in {bound} bytes: the oldest lines are dropped")
            });
        }
    }

    /// A thread was started, or could not be.
    pub fn thread(&mut self, started: std::io::Result<()>, now: u64) {
        match started {
            Ok(()) => self.problems.over(Problem::Thread, |count| {
                format!("a thread was started, after {count} failures")
            }),
            Err(error) => self.problems.met(Problem::Thread, 1, now, || {
                let error = error.to_string();
                let reason = error.split(" (os error").next().unwrap_or_default();
                format!("cannot start a thread: {reason}: what is recorded waits for a flush")
            }),
        }
    }

    /// Reports that a metric or a line is dropped because of `error`.
    pub fn dropped_bad(&mut self, error: Error, what: impl Display, now: u64) {
        let stats = &mut self.stats;
        match error {
            Error::TooBig | Error::NameTooLong => stats.dropped_oversize += 1,
            Error::NoSpace | Error::NoMemory => stats.dropped_full += 1,
            Error::NotSupported | Error::Invalid | Error::Range | Error::Again => {
                stats.dropped_invalid += 1;
            }
        }
        self.problems.met(Problem::Drop, 1, now, || {
            error.with_reason(|reason| format!("{what} is dropped: {reason}"))
        });
    }
}

/// The state of each problem, and the messages that wait.
#[derive(Debug, Default)]
pub struct Problems {
    states: [State; 5],
    waiting: Vec<Message>,
}

impl Problems {
    /// A problem occurred `count` times at the time `now`. The text is made only
    /// for the first one.
    pub fn met(&mut self, problem: Problem, count: u64, now: u64, text: impl FnOnce() -> String) {
        let state = &mut self.states[problem as usize];
        state.count += count;
        state.last = now;
        if !std::mem::replace(&mut state.active, true) {
            self.say(problem, true, text());
        }
    }

    /// A problem is over. This does nothing if it had not begun.
    pub fn over(&mut self, problem: Problem, text: impl FnOnce(u64) -> String) {
        let state = std::mem::take(&mut self.states[problem as usize]);
        if state.active {
            self.say(problem, false, text(state.count));
        }
    }

    /// Ends the problem that nothing else ends: dropping, if there was none for a
    /// while.
    pub fn settle(&mut self, now: u64) {
        let drop = self.states[Problem::Drop as usize];
        if drop.active && now.saturating_sub(drop.last) > QUIET {
            self.over(Problem::Drop, |count| format!("no more lines dropped, {count} in all"));
        }
    }

    /// The message that a problem began with, if it waits.
    pub fn begun(&self, problem: Problem) -> Option<&Message> {
        let about = Some(About { problem, begins: true });
        self.waiting.iter().find(|message| message.about == about)
    }

    /// Takes the messages that wait.
    pub fn take(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.waiting)
    }

    /// Whether a message waits.
    pub fn any(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn say(&mut self, problem: Problem, begins: bool, text: String) {
        if self.waiting.len() == MAX_WAITING {
            self.waiting.remove(0);
        }
        let level = if begins { ERR } else { INFO };
        let about = Some(About { problem, begins });
        self.waiting.push(Message { level, text, about });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_when_it_begins_and_once_when_it_ends() {
        let mut problems = Problems::default();
        for i in 0..1000 {
            problems.met(Problem::Send, 1, i, || "refused".to_owned());
        }
        problems.over(Problem::Send, |count| format!("taken again after {count}"));
        problems.over(Problem::Send, |_| unreachable!("it was over"));
        let texts: Vec<String> = problems.take().into_iter().map(|m| m.text).collect();
        assert_eq!(texts, ["refused", "taken again after 1000"]);
        assert!(!problems.any());
    }

    #[test]
    fn a_drop_names_the_metric_and_the_reason() {
        let mut journal = Journal::default();
        let error = Error::NotSupported.because(format_args!("dialect brubeck has no sets"));
        journal.dropped_bad(error, "metric 'users'", 0);
        let messages = journal.problems.take();
        assert_eq!(messages[0].text, "metric 'users' is dropped: dialect brubeck has no sets");
        assert_eq!(journal.stats.dropped_invalid, 1);
    }

    #[test]
    fn control_characters_are_escaped() {
        let message = Message::error("a\n\u{1b}[31m\0\u{9b}\u{e9}".to_owned());
        let escaped = "a\\n\\u{1b}[31m\\u{0}\\u{9b}\u{e9}";
        assert_eq!(message.c_text().to_str(), Ok(escaped));
    }

    #[test]
    fn dropping_ends_when_it_is_quiet() {
        let mut problems = Problems::default();
        problems.met(Problem::Drop, 2, 5, || "drops".to_owned());
        problems.settle(5 + QUIET);
        assert_eq!(problems.take().len(), 1);
        problems.settle(6 + QUIET);
        assert_eq!(problems.take()[0].text, "no more lines dropped, 2 in all");
    }
}
