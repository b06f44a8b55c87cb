//! The arguments of `record` and `report`.

use std::path::PathBuf;

use super::{Source, dialects};
use crate::dialect::Dialect;

/// Keep what arrives in a file, for a report
#[derive(clap::Args)]
#[command(after_help = "\
Exit status:
  0  what arrived is in FILE
  2  an error
  COMMAND's own, where that is not 0

Environment:
  FLUX_FRIPP_STATSD  is set for COMMAND, to the address that receives

Examples:
  fripp record -o run.rec -- ./app
      record what ./app sends, until it ends
  fripp record -o run.rec :8125
      record what comes to port 8125, until Ctrl-C")]
pub struct Record {
    #[command(flatten)]
    pub source: Source,

    /// The recording to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,

    /// Overwrite FILE if it is there
    #[arg(long)]
    pub force: bool,
}

/// Make a page of charts of a recording, or a picture of one chart, or compare two recordings
#[derive(clap::Args)]
#[command(after_help = "\
Exit status:
  0  the report is written, or the figures of LATER are within the bound
  1  a figure of LATER is beyond the bound
  2  an error

Environment:
  TZ  does not count: all times are UTC

Examples:
  fripp report run.rec
      write the page run.html
  fripp report run.rec -o load.svg --chart 'cache.*load: p99'
      one chart as a picture
  fripp report run.rec --chart 'flux\\.3\\.'
      a page that begins with the charts of rank 3
  fripp report run.rec -o run.csv --series
      each value over time, for a spreadsheet or a program
  fripp report before.rec after.rec --chart 'load' --bound 10
      did the figures of load change by more than 10 percent?
  fripp report before.rec after.rec -o change.html
      a page with each metric before and after")]
pub struct Report {
    /// A file that `fripp record` wrote
    #[arg(value_name = "FILE")]
    pub recording: PathBuf,

    /// A later recording: print how its figures differ from those of FILE, or
    /// with -o make a page of both
    ///
    /// The page has a chart of each metric before and after, with the difference. --chart chooses
    /// metrics.
    #[arg(value_name = "LATER", conflicts_with = "series")]
    pub other: Option<PathBuf>,

    /// Exit with 1 if a figure of LATER differs by more than so many percent,
    /// or if one recording lacks it
    #[arg(long, value_name = "PERCENT", requires = "other", value_parser = percent)]
    pub bound: Option<f64>,

    /// What to write: an .html, .svg, .png, .csv (figures of all metrics) or .json (values over
    /// time); FILE with .html if not said
    #[arg(short, long, value_name = "REPORT")]
    pub output: Option<PathBuf>,

    /// Overwrite REPORT if it is there
    #[arg(long)]
    pub force: bool,

    /// Read lines as servers of this dialect do, whatever FILE says
    #[arg(short, long, value_parser = dialects())]
    pub dialect: Option<Dialect>,

    /// A chart of the metrics whose names this regular expression matches;
    /// for a picture also the name of a chart
    ///
    /// On a page these charts come before the others.
    #[arg(long, value_name = "PATTERN")]
    pub chart: Vec<String>,

    /// Write a .csv with the values over time, in place of figures of the whole
    /// time: time, metric, type, statistic, value
    #[arg(long)]
    pub series: bool,

    /// Length of the intervals that values are computed for; by default 1, or
    /// more for a recording of more than 10 minutes
    #[arg(long, value_name = "SECONDS", value_parser = interval)]
    pub interval: Option<f64>,
}

fn interval(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.001..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("not a number of seconds from 0.001 to 86400".to_owned()),
    }
}

fn percent(text: &str) -> Result<f64, String> {
    let percent = text.parse().ok().filter(|percent| (0.0..=1e9).contains(percent));
    percent.ok_or_else(|| "not a number of percent".to_owned())
}
