//! The command: what a program sends, seen without a server. What is public
//! beside `main` is for the fuzz targets.

#![forbid(unsafe_code)]

/// Writes a line to standard error; who reads it may have gone.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), "fripp: {}", format_args!($($text)*));
    }};
}

mod address;
mod args;
mod child;
mod colour;
#[doc(hidden)]
pub mod dialect;
mod distribution;
mod figure;
mod forward;
mod intake;
mod json;
mod lint;
mod listen;
mod pages;
mod receive;
mod record;
#[doc(hidden)]
pub mod recording;
mod report;
mod safe;
mod scale;
mod send;
mod signals;
mod statistic;
mod table;
mod tally;
mod top;
#[doc(hidden)]
pub mod wire;

use std::process::ExitCode;

use clap::Parser;

/// What a subcommand ends with: its exit status, or what is wrong, for the
/// user to read.
type Outcome = Result<u8, String>;

/// The exit status that goes with an error.
const ERROR: u8 = 2;

/// The program: reads the command line, and does what it says.
pub fn main() -> ExitCode {
    let outcome = match args::Args::parse().command {
        args::Command::Listen(args) => listen::run(args),
        args::Command::Send(args) => send::run(args),
        args::Command::Top(args) => top::run(args),
        args::Command::Record(args) => record::run(args),
        args::Command::Report(args) => report::run(args),
        args::Command::Pages(args) => pages::run(&args),
    };
    ExitCode::from(outcome.unwrap_or_else(|wrong| {
        say!("{wrong}");
        ERROR
    }))
}
