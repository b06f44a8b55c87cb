//! The large chart, with what its curves are beside it.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Stylize;
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Chart, Dataset, GraphType};

use super::State;
use super::curves::{Curve, bounds, curves};
use super::screen::{curve_style, quiet};
use super::view::View;
use crate::figure::short;
use crate::table::end_of;

/// The seconds of the axis, at least: a chart that is new has space for them.
const SECONDS: usize = 60;
/// What distinguishes curves without colours.
const MARKERS: [Marker; 4] = [Marker::Braille, Marker::Dot, Marker::HalfBlock, Marker::Block];

pub fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, view: &View) {
    if area.height < 4 {
        return;
    }
    let legend_width = (area.width / 3).clamp(20, 52).min(area.width / 2);
    let [chart, legend] =
        Layout::horizontal([Constraint::Min(20), Constraint::Length(legend_width)]).areas(area);
    // two points a column, less the axis
    let seconds = (usize::from(chart.width.saturating_sub(10)) * 2).max(SECONDS);
    let curves = curves(state, view, seconds);
    draw_curves(frame, chart, view, &curves);
    draw_legend(frame, legend, view, &curves);
}

fn draw_curves(frame: &mut Frame<'_>, area: Rect, view: &View, curves: &[Curve]) {
    let longest = curves.iter().map(|curve| curve.points.len()).max().unwrap_or(0).max(SECONDS);
    let [least, most] = bounds(curves);
    let points: Vec<Vec<(f64, f64)>> = curves
        .iter()
        .map(|curve| {
            let first = 1.0 - curve.points.len() as f64;
            let points = curve.points.iter().enumerate();
            let points = points.map(|(at, value)| (first + at as f64, *value));
            points.filter(|(_, value)| value.is_finite()).collect()
        })
        .collect();
    let datasets = points.iter().enumerate().map(|(at, points)| {
        let dataset = Dataset::default().data(points).graph_type(GraphType::Line);
        dataset.marker(marker(view, at)).style(curve_style(view, at))
    });
    let middle = (least + most) / 2.0;
    let oldest = longest as f64 - 1.0;
    let y = Axis::default().bounds([least, most]).labels([least, middle, most].map(short));
    let x = Axis::default().bounds([-oldest, 0.0]).labels([
        format!("-{} s", oldest + 1.0),
        format!("-{} s", ((oldest + 1.0) / 2.0).round()),
        "now".to_owned(),
    ]);
    let chart = Chart::new(datasets.collect()).legend_position(None);
    frame.render_widget(chart.x_axis(x.style(quiet())).y_axis(y.style(quiet())), area);
}

/// Name, statistic, scale and newest point of each curve.
fn draw_legend(frame: &mut Frame<'_>, area: Rect, view: &View, curves: &[Curve]) {
    let width = usize::from(area.width);
    let mut lines = Vec::new();
    let mut last_name = "";
    for (at, curve) in curves.iter().enumerate() {
        let newest = curve.points.iter().rev().find(|point| point.is_finite());
        let newest = newest.map_or("-".to_owned(), |newest| short(*newest));
        let newest = format!("{newest} {}", curve.unit).trim_end().to_owned();
        let mark = Span::styled(format!(" {} ", mark(view, at)), curve_style(view, at));
        let room = width.saturating_sub(4 + newest.chars().count());
        let is_same = curve.name == last_name;
        last_name = &curve.name;
        // a timing's curves below each other, with its name once
        if !curve.statistic.is_empty() && !is_same {
            let name = end_of(&curve.name, width.saturating_sub(2));
            lines.push(Line::from(format!(" {name}")).bold());
        }
        let what = if curve.statistic.is_empty() { &curve.name } else { curve.statistic };
        let scale_room = curve.scaled.chars().count().min(room / 2);
        let what = end_of(what, room.saturating_sub(scale_room));
        let text = format!("{:room$}", format!("{what}{}", curve.scaled));
        lines.push(Line::from(vec![mark, Span::from(text), Span::from(format!(" {newest}"))]));
    }
    for (line, y) in lines.into_iter().zip(area.y..area.bottom()) {
        frame.render_widget(line, Rect { y, height: 1, ..area });
    }
}

fn marker(view: &View, at: usize) -> Marker {
    if view.coloured { Marker::Braille } else { MARKERS[at % MARKERS.len()] }
}

fn mark(view: &View, at: usize) -> &'static str {
    match marker(view, at) {
        Marker::Braille => "⣿",
        Marker::Dot => "•",
        Marker::HalfBlock => "▀",
        _ => "█",
    }
}
