//! The report as one HTML file: charts for a browser, and tables that need no
//! script.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::fmt::Write;

use serde_json::json;

use super::chart::{Chart, Curve, Section};
use super::collect::Collection;
use super::{facts, palette, table};
use crate::figure::grouped;

const TEMPLATE: &str = include_str!("page/page.html");

/// What the page says beside its charts.
pub struct Frame<'a> {
    pub title: &'a str,
    /// Charts for which there was no place.
    pub left_out: usize,
}

pub fn render(collection: &mut Collection, sections: &[Section], frame: &Frame) -> String {
    let summary = table::metrics(collection);
    let mut columns = Columns::default();
    let mut charts = Vec::new();
    let (mut body, mut nav) = (String::new(), String::new());
    for section in sections {
        let (id, title) = (escape(&section.id), escape(&section.title));
        let _ = writeln!(nav, "<a href=\"#{id}\">{title}</a>");
        let _ = writeln!(body, "<section id=\"{id}\">\n<h2>{title}</h2>\n<div class=\"charts\">");
        for chart in &section.charts {
            write_chart(&mut body, collection, chart, charts.len());
            let curves: Vec<_> =
                chart.curves.iter().map(|curve| columns.curve(collection, curve)).collect();
            charts.push(json!({
                "id": chart.id,
                "title": chart.title,
                "unit": chart.unit,
                "curves": curves,
            }));
        }
        body.push_str("</div>\n</section>\n");
    }
    nav.push_str("<a href=\"#metrics\">All metrics</a>");
    let times = collection.times;
    let x: Vec<f64> = (0..times.rows()).map(|row| rounded(times.at(row))).collect();
    let data = json!({
        "start": collection.start.unix_us as f64 / 1e6,
        "interval": times.interval,
        "step": times.step,
        "x": x,
        "columns": columns.values,
        "charts": charts,
    });
    // '<' could end the script that it stands in
    let data = data.to_string().replace('<', "\\u003c");
    fill(&[
        ("title", &escape(frame.title)),
        ("uplot.css", include_str!("page/uplot/uPlot.min.css")),
        ("uplot.js", include_str!("page/uplot/uPlot.iife.min.js")),
        ("palette", &palette::style()),
        ("page.css", include_str!("page/page.css")),
        ("page.js", include_str!("page/page.js")),
        ("facts", &facts::list(collection)),
        ("notes", &facts::notes(collection, frame.left_out)),
        ("nav", &nav),
        ("sections", &body),
        ("summary", &summary),
        ("footer", concat!("Made by fripp ", env!("CARGO_PKG_VERSION"), " with uPlot.")),
        ("data", &data),
    ])
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

/// The series that charts draw, each of them once.
#[derive(Default)]
struct Columns {
    index: HashMap<(usize, usize), usize>,
    values: Vec<Vec<serde_json::Value>>,
}

impl Columns {
    fn curve(&mut self, collection: &Collection, curve: &Curve) -> serde_json::Value {
        let track = &collection.tracks[curve.track];
        let key = Some((curve.track, curve.series)).filter(|_| curve.over.is_none());
        let known = key.and_then(|key| self.index.get(&key).copied());
        let column = known.unwrap_or_else(|| {
            let values = curve.of(collection).values();
            self.values.push(values.iter().map(|value| number(*value)).collect());
            self.values.len() - 1
        });
        if let Some(key) = key {
            self.index.insert(key, column);
        }
        json!({
            "label": curve.legend(),
            "metric": collection.tally.metrics[track.metric].name,
            "statistic": track.series[curve.series].0.label(),
            "over": curve.over.as_ref().map(|(over, _)| over.label()),
            "column": column,
            "divisor": curve.scale.divisor,
            "colour": curve.colour.name,
            "dashed": curve.is_dashed,
        })
    }
}

/// A number in as few bytes as it takes: whole ones as they are, others to
/// seven digits.
fn number(value: f64) -> serde_json::Value {
    let value = rounded(value);
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

fn rounded(value: f64) -> f64 {
    if value.fract() == 0.0 { value } else { format!("{value:.6e}").parse().unwrap_or(value) }
}

fn write_chart(html: &mut String, collection: &Collection, chart: &Chart, at: usize) {
    let (id, title, unit) = (escape(&chart.id), escape(&chart.title), escape(&chart.unit));
    let labels: Vec<String> = chart.curves.iter().map(Curve::legend).collect();
    let spoken = escape(&format!("{}: chart of {}", chart.title, labels.join(", ")));
    let _ = writeln!(
        html,
        "<figure class=\"chart\" id=\"{id}\">\n\
         <figcaption><h3>{title}</h3><span class=\"unit\">{unit}</span>\
         <button class=\"log\" type=\"button\" aria-pressed=\"false\" \
         title=\"Logarithmic axis (key: l)\" aria-label=\"Logarithmic axis of {title}\">log</button>\
         </figcaption>\n\
         <div class=\"plot\" data-chart=\"{at}\" role=\"group\" tabindex=\"0\" \
         aria-label=\"{spoken}\"></div>\n\
         <details><summary>Figures</summary>\n<div class=\"scroll\"><table class=\"figures\">\n\
         <thead><tr><th>line</th><th>lowest</th><th>mean</th><th>highest</th><th>last</th></tr>\
         </thead>\n<tbody>"
    );
    for (curve, label) in chart.curves.iter().zip(&labels) {
        let overall = curve.of(collection).overall;
        let figures = [overall.min, overall.mean(), overall.max, overall.last];
        let cells = figures.map(|v| format!("<td>{}</td>", grouped(v / curve.scale.divisor)));
        let _ = writeln!(html, "<tr><th>{}</th>{}</tr>", escape(label), cells.concat());
    }
    html.push_str("</tbody>\n</table></div></details>\n</figure>\n");
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
