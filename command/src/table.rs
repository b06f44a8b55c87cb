//! A plain table of a tally, for a terminal without cursor, a file or a log.

use std::io::{self, Write};
use std::time::Duration;

use crate::figure::short;
use crate::statistic::{FIGURES, Statistic};
use crate::tally::{Metric, Seen, Tally, Value};

const NUMBERS: [&str; 5] = ["type", "lines", "newest", "all", "all/s"];
/// Writes all that came in a time: a table of numbers and one of timings and
/// histograms, by name, and what was amiss. `width` is the terminal's.
pub fn write(
    out: &mut dyn Write,
    tally: &mut Tally,
    lasted: Duration,
    lost: u64,
    width: Option<usize>,
) -> io::Result<()> {
    let seconds = lasted.as_secs_f64();
    let mut metrics: Vec<&mut Metric> = tally.metrics.iter_mut().collect();
    metrics.sort_by(|a, b| a.name.cmp(&b.name));
    let mut numbers = Table::new("metric", &NUMBERS);
    let mut samples = Table::new("timing, histogram", &sample_head());
    for metric in metrics {
        if !matches!(metric.value, Value::Samples { .. }) {
            numbers.add(&metric.name, number_cells(metric, seconds).to_vec());
        } else if let Some(summary) = metric.value.summary() {
            let counts = [summary.count, summary.count / seconds];
            let figures = FIGURES.iter().map(|figure| figure.of_summary(&summary));
            samples.add(&metric.name, counts.into_iter().chain(figures).map(short).collect());
        }
    }
    for table in [numbers, samples] {
        table.write(out, width)?;
    }
    writeln!(out, "{}", footer(&tally.seen, lost))
}

/// Rows of a name and cells; the first row is the head.
pub struct Table(Vec<(String, Vec<String>)>);

impl Table {
    pub fn new(what: &str, head: &[&str]) -> Table {
        Table(vec![(what.to_owned(), head.iter().map(|cell| cell.to_string()).collect())])
    }

    pub fn add(&mut self, name: &str, cells: Vec<String>) {
        self.0.push((name.to_owned(), cells));
    }

    /// Writes the rows; where the terminal is too narrow for all columns, first
    /// with some of them, and then with the others.
    pub fn write(&self, out: &mut dyn Write, width: Option<usize>) -> io::Result<()> {
        if self.0.len() == 1 {
            return Ok(());
        }
        let len = |text: &str| text.chars().count();
        let columns: Vec<usize> = (0..self.0[0].1.len())
            .map(|at| 2 + self.0.iter().map(|(_, cells)| len(&cells[at])).max().unwrap_or(0))
            .collect();
        let longest = self.0.iter().map(|(name, _)| len(name)).max().unwrap_or(0);
        let width = width.unwrap_or(usize::MAX);
        // a name has half of the line, if it needs it
        let name_width = longest.min((width / 2).max(17));
        let mut from = 0;
        while from < columns.len() {
            let mut left = width.saturating_sub(name_width);
            let fits = |column: &&usize| {
                let fits = **column <= left;
                left = left.saturating_sub(**column);
                fits
            };
            let to = from + columns[from..].iter().take_while(fits).count().max(1);
            for (name, cells) in &self.0 {
                write!(out, "{:name_width$}", end_of(name, name_width))?;
                for at in from..to {
                    write!(out, "{:>1$}", cells[at], columns[at])?;
                }
                writeln!(out)?;
            }
            writeln!(out)?;
            from = to;
        }
        Ok(())
    }
}

/// The end of a name, which distinguishes it better than its beginning.
pub fn end_of(name: &str, width: usize) -> String {
    let len = name.chars().count();
    if len <= width {
        return name.to_owned();
    }
    let end: String = name.chars().skip(len + 1 - width.max(1)).collect();
    format!("…{end}")
}

fn number_cells(metric: &Metric, seconds: f64) -> [String; 5] {
    let Metric { value, lines, .. } = metric;
    let shown = |value: Option<f64>| value.map_or("-".to_owned(), short);
    let (newest, all, rate) = (value.newest(), value.all(), value.rate(seconds));
    [metric.kind.name().to_owned(), lines.to_string(), shown(newest), shown(all), shown(rate)]
}

/// The columns of timings and histograms.
fn sample_head() -> Vec<&'static str> {
    let counts = ["count", Statistic::Count.label()];
    counts.into_iter().chain(FIGURES.map(Statistic::label)).collect()
}

/// How much came, and what was amiss, where anything was.
pub fn footer(seen: &Seen, lost: u64) -> String {
    let mut text = format!("{} lines in {} datagrams", seen.lines, seen.datagrams);
    for (n, what) in [
        (seen.events, "events"),
        (seen.checks, "service checks"),
        (seen.malformed, "malformed"),
        (seen.beyond, "of more metrics than are kept"),
        (seen.unkept, "values beyond the memory for percentiles and sets"),
        (lost, "datagrams lost: they came too fast"),
    ] {
        if n > 0 {
            text += &format!(", {n} {what}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(end_of("content-cache", 20), "content-cache");
        assert_eq!(end_of("content-cache", 6), "…cache");
        assert_eq!(end_of("größe", 3), "…ße");
    }

    fn written(width: Option<usize>) -> String {
        let mut tally = Tally::new(None);
        for text in ["q:3|C\nq:10|C\nq:4|C", "load:1|ms\nload:3|ms", "bad", "g:1.5|g"] {
            tally.add_datagram(text.as_bytes());
        }
        let mut out = Vec::new();
        write(&mut out, &mut tally, Duration::from_secs(2), 7, width).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn tables() {
        let want = "\
metric   type  lines  newest  all  all/s
g       gauge      1     1.5    -      -
q       total      3       4   11    5.5

timing, histogram  count  count/s  mean  median  p75  p95  p98  p99  p99.9  min  max  sum
load                   2        1     2       1    3    3    3    3      3    1    3    4

7 lines in 4 datagrams, 1 malformed, 7 datagrams lost: they came too fast
";
        assert_eq!(written(None), want);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let text = written(Some(40));
        let tables = text.rsplit_once("\n\n").unwrap().0;
        assert!(tables.lines().all(|line| line.chars().count() <= 40), "{text}");
        for column in sample_head() {
            assert!(tables.contains(&format!("  {column}")), "{column}: {text}");
        }
    }
}
