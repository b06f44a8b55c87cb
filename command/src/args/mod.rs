//! The command line.

mod recording;

use std::ffi::OsString;
use std::path::PathBuf;

use crate::dialect::Dialect;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand};

use crate::dialect;
use crate::scale::Scale;

pub use recording::{Record, Report};

/// Shows what a program sends to a StatsD server, in place of one
#[derive(Parser)]
#[command(name = "fripp", version, max_term_width = 80)]
#[command(after_help = "\
Exit status:
  0  it did what it was asked for
  1  what was waited for did not come, or was refused, or differs
  2  an error, which standard error says
  COMMAND's own, where that is not 0

Environment:
  FLUX_FRIPP_STATSD  where `send` sends; set for each COMMAND that is run
  NO_COLOR           no colours, if it is not empty

Examples:
  fripp listen
  fripp top -- ./app
  fripp record -o run.rec -- ./app; fripp report run.rec")]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    Listen(Listen),
    Send(Send),
    Top(Top),
    Record(Record),
    Report(Report),
    #[command(hide = true)]
    Pages(Pages),
}

/// Where metrics come from, in every subcommand that receives.
#[derive(clap::Args)]
pub struct Source {
    /// Where to receive: host:port, :port, port, [v6]:port, unix:path or unix:@name; or a file of
    /// lines, or '-'
    ///
    /// tcp://host:port, unixstream:path and unixstream:@name receive streams of lines; over a UNIX
    /// socket they may be frames, as the Datadog agent reads them. At a multicast address it joins
    /// the group. For port 0 the system chooses one. Settings after a '?', as in
    /// 127.0.0.1:0?dialect=statsd&period=0.1, are handed on to COMMAND. The default is
    /// 127.0.0.1:8125, with a COMMAND 127.0.0.1:0.
    ///
    /// '-' reads lines from standard input, and the name of a file reads that, to its end; write
    /// ./NAME for a file whose name looks like an address.
    #[arg(value_name = "ADDRESS|FILE|-")]
    pub address: Option<String>,

    /// Read lines as servers of this dialect do, and have COMMAND send it
    ///
    /// The default is the dialect that the settings of the address name. Without either, a line
    /// is read if any server reads it. `listen` also warns of what the servers would refuse or
    /// misread.
    #[arg(short, long, value_parser = dialects())]
    pub dialect: Option<Dialect>,

    /// Send each datagram on, as it came, to the server at this address
    ///
    /// It receives UDP, or has a UNIX datagram socket. Lines of a stream or a file go in datagrams.
    ///
    /// So you can watch what a running server receives: let it receive elsewhere, receive at its
    /// address, and forward to it.
    #[arg(long, value_name = "HOST:PORT")]
    pub forward: Option<String>,

    /// Run COMMAND with FLUX_FRIPP_STATSD set to the address, until it ends
    ///
    /// Its exit status is handed on. So are SIGTERM and SIGHUP, to COMMAND.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Print what arrives
///
/// Each line that arrives is printed as it is, in colour on a terminal. What a server would not
/// read is told on standard error, or with the line where that is in colour or JSON.
#[derive(clap::Args)]
#[command(after_help = "\
Exit status:
  0  what was waited for came, or nothing was asked for
  1  it did not come; or, with --dialect, a line came that a server would
     refuse or misread
  2  an error
  COMMAND's own, where that is not 0

Environment:
  FLUX_FRIPP_STATSD  is set for COMMAND, to the address that receives
  NO_COLOR           no colours, if it is not empty

Examples:
  fripp listen
      show what a program sends to port 8125
  fripp listen --match 'store:.*ms' --count 3 -- ./app
      did ./app send three such timings?
  fripp listen --dialect statsd -- make check
      would statsd read all that the tests send?
  tail -f app.log | grep --line-buffered -o '[a-z.]*:[0-9]*|ms' | fripp listen -
      lines of another program")]
pub struct Listen {
    #[command(flatten)]
    pub source: Source,

    /// Only lines that match this regular expression
    #[arg(short, long = "match", value_name = "RE", value_parser = regex)]
    pub matching: Option<regex::bytes::Regex>,

    /// End after N lines; with a COMMAND, print N and wait for its end
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// End after so many seconds
    #[arg(short, long, value_name = "S", value_parser = seconds)]
    pub timeout: Option<f64>,

    /// Print an object a line: time, line, sender, metrics, and what is wrong
    #[arg(short, long)]
    pub json: bool,
}

/// Send a metric, or lines from standard input
///
/// Metrics go through the library. Without one here, lines are read from standard input: NAME
/// VALUE TYPE, or lines of StatsD, which go as they are. Empty ones and those that begin with
/// '#' are left out.
#[derive(clap::Args)]
#[command(after_help = "\
Types:
  counter (c)    VALUE more events            timer (ms)     a duration in ms
  total (C)      a running total              histogram (h)  one of many values
  gauge (g)      a value, which may be < 0    set (s)        a member

Exit status:
  0  all was sent
  1  something was dropped, and standard error says what and why
  2  an error

Environment:
  FLUX_FRIPP_STATSD  the server with its settings, where there is no --to

Examples:
  fripp send backup.files 4711 gauge
  fripp send --to stats:8125 --dialect statsd --prefix cron backup.ms 81.5 timer
  fripp send < metrics.txt")]
pub struct Send {
    /// NAME VALUE TYPE
    #[arg(num_args = 3, value_names = ["NAME", "VALUE", "TYPE"], allow_negative_numbers = true)]
    pub metric: Vec<String>,

    /// The server, with settings as in host:port?dialect=statsd
    ///
    /// Without it FLUX_FRIPP_STATSD says it, or else it is 127.0.0.1:8125.
    #[arg(long, value_name = "URI")]
    pub to: Option<String>,

    /// Goes before the name, with a dot
    #[arg(short, long)]
    pub prefix: Option<String>,

    /// Tags on each metric: key:value,key2:value2
    #[arg(short = 'T', long)]
    pub tags: Option<String>,

    /// What the server reads; brubeck without it
    #[arg(short, long, value_parser = dialects())]
    pub dialect: Option<Dialect>,
}

/// Show each metric's figures, as they come in
///
/// There is a row a metric, with its type, rate, newest value and a small chart; timings with
/// mean, median, percentiles, least, most and sum; and a large chart of the metrics that you
/// choose. Press '?' for help. At the end a table of all is printed; where standard output is no
/// terminal, nothing else.
#[derive(clap::Args)]
#[command(after_help = "\
Exit status:
  0  it was ended by q, a signal or --timeout
  2  an error
  COMMAND's own, where that is not 0

Environment:
  FLUX_FRIPP_STATSD  is set for COMMAND, to the address that receives
  NO_COLOR           no colours, if it is not empty
  TERM               no screen but a table at the end, if it is dumb

Examples:
  fripp top                                    what comes to port 8125
  fripp top -- ./app                           what ./app sends, until it ends
  fripp top --scale 'content-cache.*.size=1/1048576 MiB' -- flux start")]
pub struct Top {
    #[command(flatten)]
    pub source: Source,

    /// Multiply values: PATTERN=FACTOR, or PATTERN=FACTOR UNIT
    ///
    /// PATTERN is a name, or the end of one after a dot, with '*' for any text. FACTOR is a
    /// number, or 1/1024. If several are given, the first whose pattern fits counts.
    #[arg(short, long, value_name = "PATTERN=FACTOR")]
    pub scale: Vec<Scale>,

    /// Show only metrics whose name matches this regular expression
    #[arg(short, long, value_name = "RE", default_value = "", hide_default_value = true)]
    pub filter: String,

    /// No screen, but a table at the end
    #[arg(long)]
    pub summary: bool,

    /// End after so many seconds
    #[arg(short, long, value_name = "S", value_parser = seconds)]
    pub timeout: Option<f64>,

    /// Keep what comes in as well, for a report, as `fripp record` does
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Overwrite FILE if it is there
    #[arg(long, requires = "output")]
    pub force: bool,
}

/// Write the man pages and the completions of shells into a folder
#[derive(clap::Args)]
pub struct Pages {
    pub folder: PathBuf,
}

/// A regular expression over bytes.
pub fn regex(text: &str) -> Result<regex::bytes::Regex, String> {
    let regex = regex::bytes::RegexBuilder::new(text).unicode(false).build();
    regex.map_err(|wrong| match wrong {
        regex::Error::Syntax(text) => {
            // the last line of a drawing says what is wrong
            let why = text.lines().last().unwrap_or_default();
            why.trim_start_matches("error: ").to_owned()
        }
        wrong => wrong.to_string(),
    })
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..=1e9).contains(seconds));
    seconds.ok_or_else(|| "not a number of seconds".to_owned())
}

fn dialects() -> impl TypedValueParser<Value = Dialect> {
    PossibleValuesParser::new(dialect::Dialect::names())
        .map(|name| dialect::named(&name).expect("they are all dialects"))
}
