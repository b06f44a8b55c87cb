//! `fripp report`: a recording as a page of charts, one chart as a picture,
//! or the figures of all metrics.
#![forbid(unsafe_code)]

mod axis;
mod chart;
mod collect;
mod compare;
mod csv;
mod facts;
mod family;
mod json;
mod layout;
mod name;
mod page;
mod pairs;
mod palette;
mod picture;
mod ranks;
mod series;
mod table;
mod track;
mod versus;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::args::Report;
use crate::{Outcome, record};
use chart::{Chart, Section};
use collect::{Collection, Length, Wanted};
use page::Page;
use versus::Comparison;

pub fn run(args: Report) -> Outcome {
    if let Some(after) = &args.other {
        return run_compare(&args, after);
    }
    let output = args.output.clone().unwrap_or_else(|| args.recording.with_extension("html"));
    let form = Form::of(&output)?;
    if output == args.recording {
        return Err(format!("{}: the report would overwrite the recording", output.display()));
    }
    if args.series && !matches!(form, Form::Csv) {
        return Err("--series goes with a .csv: -o FILE.csv".to_owned());
    }
    let wanted = wanted(&args)?;
    let mut collection = Collection::read(&args.recording, &wanted)?;
    let sections = layout::by_prefix(&collection);
    let contents = match form {
        Form::Page => {
            page(&mut collection, sections, &wanted.names, &name(&args.recording)).into_bytes()
        }
        Form::Csv if args.series => csv::series(&collection).into_bytes(),
        Form::Csv => csv::metrics(&mut collection).into_bytes(),
        Form::Json => json::series(&collection).into_bytes(),
        Form::Svg | Form::Png => {
            let [name] = &args.chart[..] else {
                return Err(format!("a picture has one chart: {}", choice(&sections)));
            };
            let asked = layout::of_pattern(&collection, &wanted.names[0]);
            let chart = chosen(name, &sections, &asked)?;
            match form {
                Form::Svg => picture::svg(&collection, chart)?.into_bytes(),
                _ => picture::png(&collection, chart)?,
            }
        }
    };
    record::write_whole(&output, args.force, &contents)?;
    say!("{}", output.display());
    Ok(0)
}

fn wanted(args: &Report) -> Result<Wanted, String> {
    let names = args.chart.iter().map(|text| pattern(text)).collect::<Result<Vec<_>, _>>()?;
    Ok(Wanted { interval: args.interval, dialect: args.dialect, names, least_us: 0 })
}

/// Prints what differs between two recordings, or makes a page of it; 1 where
/// a figure differs by more than the bound.
fn run_compare(args: &Report, later: &Path) -> Outcome {
    if let Some(output) = &args.output {
        if !matches!(Form::of(output), Ok(Form::Page)) {
            return Err(format!("{}: two recordings make an .html", output.display()));
        }
        if *output == args.recording || output == later {
            return Err(format!("{}: the report would overwrite it", output.display()));
        }
    }
    let mut wanted = wanted(args)?;
    for path in [&args.recording, later] {
        wanted.least_us = wanted.least_us.max(Length::of(path)?.end_us);
    }
    let mut before = Collection::read(&args.recording, &wanted)?;
    let mut after = Collection::read(later, &wanted)?;
    let all = compare::differences(&mut before, &mut after, &wanted.names);
    if let Some(output) = &args.output {
        let names = [name(&args.recording), name(later)];
        let comparison = Comparison {
            title: &format!("{} and {}", names[0], names[1]),
            names: [&names[0], &names[1]],
            collections: [&before, &after],
            differences: &all,
            patterns: &wanted.names,
            bound: args.bound,
        };
        record::write_whole(output, args.force, comparison.page().as_bytes())?;
        say!("{}", output.display());
    } else {
        let mut out = std::io::stdout().lock();
        let size = ratatui::crossterm::terminal::size().ok().filter(|_| out.is_terminal());
        let width = size.map(|(columns, _)| usize::from(columns));
        match compare::write(&mut out, &all, width).and_then(|()| out.flush()) {
            // the reader has seen enough
            Err(wrong) if wrong.kind() == std::io::ErrorKind::BrokenPipe => {}
            written => written.map_err(|wrong| format!("standard output: {wrong}"))?,
        }
    }
    let beyond = args.bound.map_or(0, |bound| all.iter().filter(|d| d.exceeds(bound)).count());
    if beyond > 0 {
        say!("{beyond} of {} figures differ by more than the bound", all.len());
    }
    Ok(u8::from(beyond > 0))
}

#[derive(Clone, Copy)]
enum Form {
    Page,
    Svg,
    Png,
    Csv,
    Json,
}

impl Form {
    fn of(output: &Path) -> Result<Form, String> {
        match output.extension().and_then(|extension| extension.to_str()) {
            Some("html" | "htm") => Ok(Form::Page),
            Some("svg") => Ok(Form::Svg),
            Some("png") => Ok(Form::Png),
            Some("csv") => Ok(Form::Csv),
            Some("json") => Ok(Form::Json),
            _ => Err(format!(
                "{}: a report is an .html, .svg, .png, .csv or .json",
                output.display()
            )),
        }
    }
}

fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|wrong| format!("the pattern '{text}': {wrong}"))
}

/// A recording's name on a page.
fn name(recording: &Path) -> String {
    let name: PathBuf = recording.with_extension("");
    name.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The charts that were asked for, and then the others as far as there is
/// place.
fn page(
    collection: &mut Collection,
    sections: Vec<Section>,
    patterns: &[Regex],
    title: &str,
) -> String {
    let mut all: Vec<Section> =
        patterns.iter().map(|pattern| layout::of_pattern(collection, pattern)).collect();
    for section in all.iter().filter(|section| section.charts.is_empty()) {
        say!("no metric matches '{}'", section.title);
    }
    let mut place = layout::MAX_CHARTS;
    let mut left_out = 0;
    for mut section in sections {
        let n = section.charts.len();
        section.charts.truncate(place);
        place -= section.charts.len();
        left_out += n - section.charts.len();
        all.push(section);
    }
    all.retain(|section| !section.charts.is_empty());
    let table = table::metrics(collection);
    let mut page = Page::default();
    for section in &all {
        let charts = section.charts.iter().map(|chart| chart.drawn(collection));
        page.section(&section.id, &section.title, charts);
    }
    page.finish(&page::Frame {
        title,
        start: Some(collection.start.unix_us as f64 / 1e6),
        times: collection.times,
        facts: &facts::list(collection),
        notes: &facts::notes(collection, left_out, facts::RANKS, palette::LINES.len()),
        table: ("All metrics", &table),
    })
}

/// The chart of this name, or the only one of what the pattern matches.
fn chosen<'a>(
    name: &str,
    sections: &'a [Section],
    asked: &'a Section,
) -> Result<&'a Chart, String> {
    let named = sections.iter().flat_map(|section| &section.charts).find(|c| c.id == name);
    match (named, &asked.charts[..]) {
        (Some(chart), _) | (None, [chart]) => Ok(chart),
        (None, []) => Err(format!("no chart '{name}': {}", choice(sections))),
        (None, _) => {
            Err(format!("'{name}' makes several charts: {}", choice(std::slice::from_ref(asked))))
        }
    }
}

fn choice(sections: &[Section]) -> String {
    let charts = sections.iter().flat_map(|section| &section.charts);
    let names: Vec<String> = charts.map(|chart| format!("\n  {}", chart.id)).collect();
    if names.is_empty() {
        return "the recording has no charts".to_owned();
    }
    format!("say --chart with one of{}", names.concat())
}
