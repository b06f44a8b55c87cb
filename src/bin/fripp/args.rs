//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Shows what a program sends to a StatsD server, in place of one
#[derive(Parser)]
#[command(version, max_term_width = 80)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    Listen(Listen),
    Top(Top),
    #[command(hide = true)]
    Pages(Pages),
}

/// Where metrics come from, in every subcommand that receives.
#[derive(clap::Args)]
pub struct Source {
    /// Where to receive: host:port, [v6]:port, unix:/path or unix:@name
    ///
    /// Port 0 is one of the system's choice. Settings behind a '?', as in
    /// 127.0.0.1:0?dialect=statsd&period=0.1, are COMMAND's. The default is
    /// 127.0.0.1:8125, and with a COMMAND 127.0.0.1:0.
    pub address: Option<String>,

    /// Run COMMAND with FLUX_FRIPP_STATSD set to the address, until it ends
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Print what arrives
#[derive(clap::Args)]
pub struct Listen {
    #[command(flatten)]
    pub source: Source,
}

/// Show each metric's figures
#[derive(clap::Args)]
pub struct Top {
    #[command(flatten)]
    pub source: Source,
}

/// Write the man pages and the completions of shells into a folder
#[derive(clap::Args)]
pub struct Pages {
    pub folder: PathBuf,
}
