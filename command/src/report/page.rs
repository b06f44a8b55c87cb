//! The report as one HTML file: charts for a browser, and tables that need no
//! script.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::axis;
use super::palette::{self, Colour};
use super::ranks::Over;
use super::series::{Series, Times};
use crate::figure::grouped;
use crate::scale::Divisor;
use crate::statistic::Statistic;

const TEMPLATE: &str = include_str!("page/page.html");

/// What the page says beside its charts.
pub struct Frame<'a> {
    pub title: &'a str,
    /// When the times begin, in seconds since 1970; none where they are of
    /// several recordings.
    pub start: Option<f64>,
    pub times: Times,
    pub facts: &'a str,
    pub notes: &'a str,
    /// The heading of the table after the charts, and the table.
    pub table: (&'a str, &'a str),
}

/// A chart as the page has it.
pub struct Drawn<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub unit: &'a str,
    /// A sentence below the title, or nothing.
    pub said: &'a str,
    pub lines: Vec<Line<'a>>,
}

pub struct Line<'a> {
    pub label: String,
    pub metric: &'a str,
    pub statistic: Statistic,
    pub over: Option<Over>,
    /// Which of two recordings it is of.
    pub side: Option<&'static str>,
    /// What other lines of the same series have, too.
    pub key: Option<(usize, usize)>,
    pub series: &'a Series,
    pub scale: Divisor,
    pub colour: &'static Colour,
    pub is_dashed: bool,
}

/// A page that is being made.
#[derive(Default)]
pub struct Page {
    charts: Vec<Value>,
    body: String,
    nav: String,
    /// The series that charts draw, each of them once.
    columns: Vec<Vec<Value>>,
    index: HashMap<(usize, usize), usize>,
}

impl Page {
    pub fn section<'a>(
        &mut self,
        id: &str,
        title: &str,
        charts: impl IntoIterator<Item = Drawn<'a>>,
    ) {
        let (id, title) = (escape(id), escape(title));
        let _ = writeln!(self.nav, "<a href=\"#{id}\">{title}</a>");
        let _ =
            writeln!(self.body, "<section id=\"{id}\">\n<h2>{title}</h2>\n<div class=\"charts\">");
        charts.into_iter().for_each(|chart| self.chart(&chart));
        self.body.push_str("</div>\n</section>\n");
    }

    pub fn finish(self, frame: &Frame) -> String {
        let (heading, table) = frame.table;
        let nav = format!("{}<a href=\"#metrics\">{heading}</a>", self.nav);
        let times = frame.times;
        let x: Vec<f64> = (0..times.rows()).map(|row| rounded(times.at(row))).collect();
        let data = json!({
            "start": frame.start,
            "interval": times.interval,
            "step": times.step,
            "x": x,
            "columns": self.columns,
            "charts": self.charts,
        });
        // '<' could end the script that it stands in
        let data = data.to_string().replace('<', "\\u003c");
        let zone = match frame.start {
            Some(_) => "Times are UTC.",
            None => "Times count from the start of each recording.",
        };
        fill(&[
            ("title", &escape(frame.title)),
            ("uplot.css", include_str!("page/uplot/uPlot.min.css")),
            ("uplot.js", include_str!("page/uplot/uPlot.iife.min.js")),
            ("palette", &palette::style()),
            ("page.css", include_str!("page/page.css")),
            ("page.js", include_str!("page/page.js")),
            ("facts", frame.facts),
            ("notes", frame.notes),
            ("zone", zone),
            ("nav", &nav),
            ("sections", &self.body),
            ("heading", heading),
            ("table", table),
            ("footer", concat!("Made by fripp ", env!("CARGO_PKG_VERSION"), " with uPlot.")),
            ("data", &data),
        ])
    }

    fn chart(&mut self, chart: &Drawn) {
        self.write(chart);
        let curves: Vec<Value> = chart.lines.iter().map(|line| self.curve(line)).collect();
        self.charts.push(json!({
            "id": chart.id,
            "title": chart.title,
            "unit": chart.unit,
            "log": axis::needs_log(&chart.lines),
            "curves": curves,
        }));
    }

    fn curve(&mut self, line: &Line) -> Value {
        let known = line.key.and_then(|key| self.index.get(&key).copied());
        let column = known.unwrap_or_else(|| {
            self.columns.push(line.series.values().iter().map(|value| number(*value)).collect());
            self.columns.len() - 1
        });
        if let Some(key) = line.key {
            self.index.insert(key, column);
        }
        json!({
            "label": line.label,
            "metric": line.metric,
            "statistic": line.statistic.label(),
            "over": line.over.map(Over::label),
            "side": line.side,
            "column": column,
            "divisor": line.scale.divisor,
            "colour": line.colour.name,
            "dashed": line.is_dashed,
        })
    }

    fn write(&mut self, chart: &Drawn) {
        let (id, title, unit) = (escape(chart.id), escape(chart.title), escape(chart.unit));
        let labels: Vec<&str> = chart.lines.iter().map(|line| &line.label[..]).collect();
        let spoken = escape(&format!("{}: chart of {}", chart.title, labels.join(", ")));
        let said = match chart.said {
            "" => String::new(),
            said => format!("<p class=\"said\">{}</p>\n", escape(said)),
        };
        let at = self.charts.len();
        let _ = writeln!(
            self.body,
            "<figure class=\"chart\" id=\"{id}\">\n\
             <figcaption><h3>{title}</h3><span class=\"unit\">{unit}</span>\
             <button class=\"log\" type=\"button\" aria-pressed=\"false\" \
             title=\"Logarithmic axis (key: l)\" aria-label=\"log axis of {title}\">log</button>\
             </figcaption>\n{said}\
             <div class=\"plot\" data-chart=\"{at}\" role=\"group\" tabindex=\"0\" \
             aria-label=\"{spoken}\"></div>\n\
             <details><summary>Figures</summary>\n<div class=\"scroll\"><table class=\"figures\">\n\
             <thead><tr><th>line</th><th>lowest</th><th>mean</th><th>highest</th><th>last</th></tr>\
             </thead>\n<tbody>"
        );
        for line in &chart.lines {
            let overall = line.series.overall;
            let figures = [overall.min, overall.mean(), overall.max, overall.last];
            let cells = figures.map(|v| format!("<td>{}</td>", grouped(v / line.scale.divisor)));
            let label = escape(&line.label);
            let _ = writeln!(self.body, "<tr><th>{label}</th>{}</tr>", cells.concat());
        }
        self.body.push_str("</tbody>\n</table></div></details>\n</figure>\n");
    }
}

/// The template with each `{{key}}` replaced, in one go: what is put in is not
/// looked at again.
fn fill(parts: &[(&str, &str)]) -> String {
    let mut page = String::new();
    let mut rest = TEMPLATE;
    while let Some((before, behind)) = rest.split_once("{{") {
        page.push_str(before);
        let (key, after) = behind.split_once("}}").unwrap_or((behind, ""));
        page.push_str(parts.iter().find(|(k, _)| *k == key).map_or("", |(_, text)| text));
        rest = after;
    }
    page + rest
}

/// A number in as few bytes as it takes: whole ones as they are, others to
/// seven digits.
fn number(value: f64) -> Value {
    let value = rounded(value);
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

fn rounded(value: f64) -> f64 {
    if value.fract() == 0.0 { value } else { format!("{value:.6e}").parse().unwrap_or(value) }
}

pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}
