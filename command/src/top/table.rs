//! The table of metrics, and all figures of one timing.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Style, Stylize};
use ratatui::text::{Line, Span};

use super::screen::{curve_style, quiet};
use super::view::{Row, View};
use super::{State, curves};
use crate::figure::short;
use crate::statistic::{FIGURES, Statistic};
use crate::table::end_of;

/// Of a figure, with a blank before it.
const COLUMN: usize = 9;
/// Of the type.
const TYPE: usize = 10;
/// Lines that all figures of one timing take.
pub const DETAIL: u16 = 4;
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Whether a timing's figures fit into its row of the screen.
pub fn is_wide(width: u16) -> bool {
    usize::from(width) >= 56 + TYPE + COLUMN * (2 + FIGURES.len())
}

/// What a row has, and how wide its name and its small chart are. A narrow
/// screen leaves out the chart and the type first, and then the rate.
struct Columns {
    name: usize,
    spark: usize,
    has_type: bool,
    has_rate: bool,
    has_figures: bool,
}

impl Columns {
    fn of(width: u16) -> Columns {
        let (has_figures, width) = (is_wide(width), usize::from(width));
        let (has_type, has_rate) = (width >= 48, width >= 30);
        let figures = usize::from(has_rate) + 1 + if has_figures { FIGURES.len() } else { 0 };
        let left = width.saturating_sub(2 + if has_type { TYPE } else { 0 } + COLUMN * figures);
        let spark = if has_type { (left / 3).min(30) } else { 0 };
        let name = left - spark;
        Columns { name, spark: spark.saturating_sub(1), has_type, has_rate, has_figures }
    }
}

pub fn draw(frame: &mut Frame<'_>, area: Rect, state: &mut State, view: &View) {
    let columns = Columns::of(area.width);
    let mut head = format!("  {:1$}", "metric", columns.name);
    if columns.has_type {
        head += &format!("{:TYPE$}", "type");
    }
    if columns.has_rate {
        head += &format!("{:>COLUMN$}", "rate/s");
    }
    head += &format!("{:>COLUMN$}", "newest");
    if columns.has_figures {
        FIGURES.iter().for_each(|figure| head += &format!("{:>COLUMN$}", figure.label()));
    }
    let head = Line::from(head).bold().underlined();
    frame.render_widget(head, Rect { height: 1.min(area.height), ..area });
    let shown = view.order.shown.iter().skip(view.first).take(view.rows);
    for (at, number) in shown.copied().enumerate() {
        let row = view.row(state, number);
        let line = line(state, view, number, &row, &columns);
        let y = area.y + 1 + at as u16;
        frame.render_widget(line, Rect { y, height: 1, ..area });
    }
    if view.order.shown.is_empty() && area.height > 1 {
        let text = match state.tally.metrics.len() {
            0 => "nothing has come yet",
            _ => "no metric's name matches the filter",
        };
        let line = Line::from(format!("  {text}")).style(quiet());
        frame.render_widget(line, Rect { y: area.y + 1, height: 1, ..area });
    }
}

fn line(state: &State, view: &View, number: usize, row: &Row, columns: &Columns) -> Line<'static> {
    let metric = &state.tally.metrics[number];
    let chosen = view.chosen.iter().position(|n| *n == number);
    let mark = match chosen {
        Some(at) => Span::styled("● ", curve_style(view, at)),
        None => Span::from("  "),
    };
    let &Columns { name, spark, .. } = columns;
    let mut text = format!("{:name$}", end_of(&metric.name, name.saturating_sub(1)));
    if columns.has_type {
        text += &format!("{:TYPE$}", metric.kind.name());
    }
    if columns.has_rate {
        text += &format!("{:>COLUMN$}", short(row.rate));
    }
    text += &format!("{:>COLUMN$}", short(row.newest));
    if columns.has_figures {
        match &row.summary {
            Some(summary) => FIGURES.iter().for_each(|figure| {
                text += &format!("{:>COLUMN$}", short(figure.of_summary(summary)));
            }),
            None => text += &" ".repeat(COLUMN * FIGURES.len()),
        }
    }
    let points: Vec<_> = match state.history.tracks.get(number) {
        Some(track) => track.curve(0, view.ago(state), spark).collect(),
        None => Vec::new(),
    };
    let style = if view.cursor == Some(number) { Style::new().reversed() } else { Style::new() };
    let spark = Span::styled(format!(" {:>spark$}", sparkline(&points)), curve_style(view, 0));
    Line::from(vec![mark, Span::from(text), spark]).style(style)
}

/// All figures of the timing under the cursor, where rows are too short.
pub fn draw_detail(frame: &mut Frame<'_>, area: Rect, state: &mut State, view: &View) {
    let Some(number) = view.cursor.filter(|_| area.height > 0) else { return };
    let row = view.row(state, number);
    let metric = &state.tally.metrics[number];
    let Some(summary) = row.summary else { return };
    let window = if view.whole { "the whole time" } else { "its last second" };
    let count =
        if view.whole { ("count", summary.count) } else { (Statistic::Count.label(), row.rate) };
    let unit = view.scale(&metric.name).map_or("", |scale| &scale.unit[..]);
    let unit = match unit {
        "" if metric.kind == crate::dialect::Kind::Timer => " ms",
        unit => unit,
    };
    let title = format!("  {} in {window},{unit}", end_of(&metric.name, 40));
    let title = title.trim_end_matches(',').to_owned();
    frame.render_widget(Line::from(title).bold(), Rect { height: 1, ..area });
    let all = std::iter::once(count)
        .chain(FIGURES.map(|figure| (figure.label(), figure.of_summary(&summary))));
    let cells: Vec<_> = all.map(|(what, value)| (what, short(value))).collect();
    for (at, cells) in cells.chunks(4).enumerate() {
        let mut line = Line::from(" ");
        for (what, value) in cells {
            line.push_span(Span::styled(format!(" {what:<8}"), quiet()));
            line.push_span(Span::from(format!("{value:>COLUMN$} ")));
        }
        let y = area.y + 1 + at as u16;
        if y < area.bottom() {
            frame.render_widget(line, Rect { y, height: 1, ..area });
        }
    }
}

/// Values as blocks between 0 and the largest, or what is below 0.
fn sparkline(points: &[f64]) -> String {
    let curve = curves::bounds_of(points.iter().copied());
    let [least, most] = curve;
    let block = |value: f64| {
        if value.is_nan() {
            return ' ';
        }
        let part = (value - least) / (most - least).max(f64::MIN_POSITIVE);
        BLOCKS[((part * 7.0).round() as usize).min(7)]
    };
    points.iter().map(|value| block(*value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_charts() {
        assert_eq!(sparkline(&[0.0, 1.0, f64::NAN, 3.5, 7.0]), "▁▂ ▅█");
        assert_eq!(sparkline(&[0.0, 0.0]), "▁▁");
        assert_eq!(sparkline(&[-1.0, 0.0, 1.0]), "▁▅█");
        assert_eq!(sparkline(&[]), "");
    }
}
