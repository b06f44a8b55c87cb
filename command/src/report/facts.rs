//! What the page says of the recording as a whole.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::fmt::Write;

use super::collect::Collection;
use super::layout::MAX_CHARTS;
use super::name::stars;
use super::page::escape;
use crate::figure::{bytes, duration, grouped, utc};

/// Faults that are listed.
const SHOWN: usize = 5;

pub fn list(collection: &Collection) -> String {
    let Collection { start, counts, tally, .. } = collection;
    let mut facts = vec![
        ("Recorded", format!("{} UTC", utc(start.unix_us, "%F %T"))),
        ("Duration", duration(collection.seconds)),
        ("Lines", grouped(counts.lines as f64)),
        ("Datagrams", grouped(counts.datagrams as f64)),
        ("Bytes", bytes(counts.bytes)),
        ("Metrics", grouped(tally.metrics.len() as f64)),
        ("Dropped by the kernel", grouped(counts.drops as f64)),
        ("Received at", start.address.clone()),
    ];
    if !start.command.is_empty() {
        facts.push(("Command", start.command.clone()));
    }
    let mut html = "<dl class=\"facts\">\n".to_owned();
    for (name, value) in facts {
        let _ = writeln!(html, "<div><dt>{name}</dt><dd>{}</dd></div>", escape(&value));
    }
    html + "</dl>\n"
}

/// What lines stand for where there are many ranks.
pub const RANKS: &str = "A name with * stands for metrics that differ in a number, such as a rank: of \
                         more than 8 their maximum, median and minimum are drawn.";

/// What is to be known to read the charts rightly. `ranks` says what lines of
/// more than `most` ranks stand for.
pub fn notes(collection: &Collection, left_out: usize, ranks: &str, most: usize) -> String {
    let Collection { times, counts, tally, .. } = collection;
    let mut notes = Vec::new();
    if times.step > 1 {
        notes.push(format!(
            "Each value covers {}. For every {} the lowest and the highest value are drawn; the \
             tables have all.",
            duration(times.interval),
            duration(times.interval * times.step as f64)
        ));
    } else if times.interval != 1.0 {
        notes.push(format!("Each value covers {}.", duration(times.interval)));
    }
    let names = tally.metrics.iter().map(|metric| stars(&metric.name));
    if names.filter(|stars| !stars.is_empty()).collect::<BTreeSet<_>>().len() > most {
        notes.push(format!("{ranks} --chart PATTERN chooses one."));
    }
    if !collection.is_whole {
        notes.push(
            "The recording was not ended in order: it is still being written, or its end is \
             missing."
                .to_owned(),
        );
    }
    if counts.drops > 0 {
        notes.push(format!(
            "The kernel dropped {} datagrams: they came faster than they were recorded, and are \
             missing here.",
            grouped(counts.drops as f64)
        ));
    }
    let faults = &collection.faults;
    if !faults.is_empty() {
        let n = faults.len();
        notes.push(format!("Records that cannot be read: {n}. The rest is here."));
        notes.extend(faults.iter().take(SHOWN).map(ToString::to_string));
    }
    if collection.wrong > 0 {
        notes.push(format!("Lines that are not StatsD: {}.", grouped(collection.wrong as f64)));
        notes.extend(collection.wrong_shown.iter().cloned());
    }
    if tally.seen.events + tally.seen.checks > 0 {
        notes.push(format!(
            "Lines that are not metrics: {} events, {} service checks.",
            grouped(tally.seen.events as f64),
            grouped(tally.seen.checks as f64)
        ));
    }
    if collection.untracked > 0 {
        notes.push(format!(
            "{} of {} metrics have series to draw; the others are in the table alone. --chart \
             chooses.",
            collection.tracks.len(),
            tally.metrics.len()
        ));
    }
    if tally.seen.beyond > 0 {
        notes.push(format!(
            "Lines of metrics beyond the first {}: {}. They are counted, and nowhere else.",
            grouped(tally.metrics.len() as f64),
            grouped(tally.seen.beyond as f64)
        ));
    }
    if tally.seen.unkept > 0 {
        notes.push(format!(
            "For {} values there was no memory: they are missing in percentiles.",
            grouped(tally.seen.unkept as f64)
        ));
    }
    if left_out > 0 {
        notes.push(format!(
            "{MAX_CHARTS} charts are drawn, {left_out} more are not: --chart PATTERN chooses others."
        ));
    }
    notes.iter().fold(String::new(), |mut html, note| {
        let _ = writeln!(html, "<p class=\"note\">{}</p>", escape(note));
        html
    })
}
