//! The whole screen: a line on top, the chart, the table, the figures of the
//! timing under the cursor, and a line of keys.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::order::Sort;
use super::view::View;
use super::{State, chart, keys, table};
use crate::figure::short;
use crate::statistic::OF_SAMPLES;

/// Colours that can be told apart on dark and light.
const COLOURS: [Color; 8] = [
    Color::Cyan,
    Color::Yellow,
    Color::Green,
    Color::Magenta,
    Color::Red,
    Color::Blue,
    Color::LightCyan,
    Color::LightRed,
];
/// Below this height there is no chart.
const SMALL: u16 = 14;

/// The style of the chart's curve of this number.
pub fn curve_style(view: &View, number: usize) -> Style {
    if view.coloured { Style::new().fg(COLOURS[number % COLOURS.len()]) } else { Style::new() }
}

/// What stands beside the main thing.
pub fn quiet() -> Style {
    Style::new().dim()
}

pub fn draw(frame: &mut Frame<'_>, state: &mut State, view: &mut View, title: &str) {
    let area = frame.area();
    let is_wide = table::is_wide(area.width);
    let chart_height = if area.height < SMALL { 0 } else { area.height * 2 / 5 };
    let has_figures = view.cursor.is_some_and(|number| view.row(state, number).summary.is_some());
    let has_detail = has_figures && !is_wide && area.height >= SMALL;
    let detail_height = if has_detail { table::DETAIL } else { 0 };
    let [top, chart, table, detail, bottom] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(chart_height),
        Constraint::Min(1),
        Constraint::Length(detail_height),
        Constraint::Length(1),
    ])
    .areas(area);
    view.update(state, usize::from(table.height.saturating_sub(1)));
    draw_top(frame, top, state, view, title);
    chart::draw(frame, chart, state, view);
    table::draw(frame, table, state, view);
    table::draw_detail(frame, detail, state, view);
    draw_bottom(frame, bottom, view);
    if view.help {
        draw_help(frame, area);
    }
}

fn draw_top(frame: &mut Frame<'_>, area: Rect, state: &State, view: &View, title: &str) {
    let seconds = state.started.elapsed().as_secs();
    let seen = &state.tally.seen;
    let mut spans = vec![
        Span::from("fripp top ").bold(),
        Span::from(title.to_owned()),
        Span::from(format!(
            "   {}:{:02}   {} metrics   {} lines/s",
            seconds / 60,
            seconds % 60,
            state.tally.metrics.len(),
            short(state.history.lines_per_second.round()),
        )),
    ];
    if view.frozen.is_some() {
        spans.push(Span::from("   PAUSED").bold());
    }
    for (number, what) in [
        (state.lost, "datagrams lost"),
        (seen.malformed, "malformed"),
        (seen.beyond, "lines beyond the metrics kept"),
        (seen.unkept, "values beyond memory"),
    ] {
        if number > 0 {
            let text = format!("   {} {what}", short(number as f64));
            let span = Span::from(text).bold();
            spans.push(if view.coloured { span.red() } else { span });
        }
    }
    frame.render_widget(Line::from(spans), area);
}

fn draw_bottom(frame: &mut Frame<'_>, area: Rect, view: &View) {
    if view.filter.typing {
        let mut line = Line::from(vec![Span::from("/"), Span::from(view.filter.text.clone())]);
        line.push_span(Span::from(" ").reversed());
        match &view.filter.wrong {
            Some(wrong) => line.push_span(Span::from(format!("  {wrong}")).bold()),
            None => line.push_span(Span::from("  Enter keeps it, Esc takes it away").dim()),
        }
        frame.render_widget(line, area);
        return;
    }
    if !view.note.is_empty() {
        frame.render_widget(Line::from(view.note).bold(), area);
        return;
    }
    let sort = match view.order.sort {
        Sort::Name => "by name",
        Sort::Type => "by type",
        Sort::Rate => "by rate",
        Sort::Newest => "by newest",
    };
    let window = if view.whole { "of all" } else { "of 1 s" };
    let curve = view.statistic.map_or("curve", |statistic| OF_SAMPLES[statistic].label());
    let filter = if view.filter.text.is_empty() { "filter" } else { &view.filter.text };
    let mut line = Line::default();
    let keys = [
        ("q", "quit"),
        ("?", "help"),
        ("/", filter),
        ("s", sort),
        ("␣", "chart"),
        ("a", if view.automatic { "scaled" } else { "scale" }),
        ("v", curve),
        ("w", window),
        ("p", "pause"),
    ];
    // as far apart as they fit
    let needed: usize = keys.iter().map(|(_, what)| 2 + what.chars().count()).sum();
    let gap = (usize::from(area.width).saturating_sub(needed) / (keys.len() - 1)).clamp(1, 4);
    for (key, what) in keys {
        line.push_span(Span::from(key.to_owned()).bold());
        line.push_span(Span::from(format!(" {what}{:gap$}", "")).dim());
    }
    frame.render_widget(line, area);
}

fn draw_help(frame: &mut Frame<'_>, area: Rect) {
    let [area] = Layout::vertical([Constraint::Length(keys::HELP.len() as u16 + 2)])
        .flex(ratatui::layout::Flex::Center)
        .areas(area);
    let [area] =
        Layout::horizontal([Constraint::Max(80)]).flex(ratatui::layout::Flex::Center).areas(area);
    let lines = keys::HELP.map(|(key, what)| {
        Line::from(vec![Span::from(format!("{key:<14}")).bold(), Span::from(what)])
    });
    let block = Block::bordered().title(" keys ");
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines.to_vec()).block(block), area);
}
