//! What of the metrics is shown, and how.

use crate::dialect::Kind;
use regex::bytes::Regex;

use super::State;
use super::history::Figures;
use super::order::{Order, Sort, newest};
use crate::args;
use crate::distribution::Summary;
use crate::scale::Scale;
use crate::tally::Metric;

/// Metrics in the chart: as many as colours that can be told apart.
pub const MOST_CHOSEN: usize = 8;

pub struct View {
    pub order: Order,
    pub filter: Filter,
    pub frozen: Option<Frozen>,
    /// Timings of the whole time, not of the last second.
    pub whole: bool,
    /// Curves are brought to one power of ten.
    pub automatic: bool,
    /// Which of a timing's curves is shown, where that was chosen.
    pub statistic: Option<usize>,
    /// Metrics in the chart, by number; without any it has the cursor's.
    pub chosen: Vec<usize>,
    /// The metric under the cursor, by number.
    pub cursor: Option<usize>,
    /// Rows that the screen has, and the first of them.
    pub rows: usize,
    pub first: usize,
    pub help: bool,
    /// A word to the user, until the next key.
    pub note: &'static str,
    pub coloured: bool,
    scales: Vec<Scale>,
}

/// What is typed, and the last of it that was a pattern.
pub struct Filter {
    pub text: String,
    pub typing: bool,
    pub wrong: Option<String>,
    regex: Regex,
}

/// What the screen showed when it was paused.
pub struct Frozen {
    pub ticks: u64,
    rows: Vec<Row>,
}

/// A metric's figures, scaled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    pub rate: f64,
    pub newest: f64,
    pub summary: Option<Summary>,
}

impl View {
    pub fn new(filter: &str, scales: Vec<Scale>, coloured: bool) -> Result<View, String> {
        let regex = args::regex(filter).map_err(|wrong| format!("--filter: {wrong}"))?;
        Ok(View {
            order: Order::new(Sort::Name),
            filter: Filter { text: filter.to_owned(), typing: false, wrong: None, regex },
            frozen: None,
            whole: false,
            automatic: false,
            statistic: None,
            chosen: Vec::new(),
            cursor: None,
            rows: 0,
            first: 0,
            help: false,
            note: "",
            coloured,
            scales,
        })
    }

    pub fn scale(&self, name: &str) -> Option<&Scale> {
        self.scales.iter().find(|scale| scale.applies(name))
    }

    /// What a metric's row says now, or said when the screen was paused.
    pub fn row(&self, state: &mut State, number: usize) -> Row {
        match &self.frozen {
            Some(frozen) => frozen.rows.get(number).copied().unwrap_or(Row::EMPTY),
            None => self.row_now(state, number),
        }
    }

    fn row_now(&self, state: &mut State, number: usize) -> Row {
        let metric = &mut state.tally.metrics[number];
        let track = state.history.tracks.get(number).map(|track| track.figures);
        let Figures { rate, summary } = track.unwrap_or(Figures { rate: 0.0, summary: None });
        let factor = self.scale(&metric.name).map_or(1.0, |scale| scale.factor);
        let newest = newest(&metric.value);
        let summary = if self.whole { metric.value.summary() } else { summary };
        if metric.kind == Kind::Set {
            return Row { rate, newest, summary };
        }
        let counts = matches!(metric.kind, Kind::Counter | Kind::Total);
        Row {
            rate: if counts { rate * factor } else { rate },
            newest: newest * factor,
            summary: summary.map(|summary| scaled(summary, factor)),
        }
    }

    /// Holds the screen as it is, or lets it go on.
    pub fn pause(&mut self, state: &mut State) {
        self.frozen = match self.frozen {
            Some(_) => None,
            None => {
                let numbers = 0..state.tally.metrics.len();
                let rows = numbers.map(|number| self.row_now(state, number)).collect();
                Some(Frozen { ticks: state.history.ticks, rows })
            }
        };
    }

    /// How many ticks ago the screen was paused.
    pub fn ago(&self, state: &State) -> usize {
        self.frozen.as_ref().map_or(0, |frozen| (state.history.ticks - frozen.ticks) as usize)
    }

    /// Metrics in the chart.
    pub fn charted(&self) -> Vec<usize> {
        if self.chosen.is_empty() { self.cursor.into_iter().collect() } else { self.chosen.clone() }
    }

    /// Brings order, cursor and the first row up to date, for so many rows.
    pub fn update(&mut self, state: &State, rows: usize) {
        let rows = rows.max(1);
        self.rows = rows;
        if self.frozen.is_none() {
            self.order.update(state, &self.filter);
        }
        let shown = &self.order.shown;
        let at = self.cursor.and_then(|cursor| shown.iter().position(|n| *n == cursor));
        let at = at.unwrap_or(self.first.min(shown.len().saturating_sub(1)));
        self.cursor = shown.get(at).copied();
        self.first = self.first.clamp((at + 1).saturating_sub(rows), at);
        self.first = self.first.min(shown.len().saturating_sub(rows));
    }

    /// Moves the cursor by rows.
    pub fn move_by(&mut self, by: isize) {
        let shown = &self.order.shown;
        let at = self.cursor.and_then(|cursor| shown.iter().position(|n| *n == cursor));
        let to = at.unwrap_or(0).saturating_add_signed(by).min(shown.len().saturating_sub(1));
        self.cursor = shown.get(to).copied();
    }

    /// Takes the cursor's metric into the chart, or out of it.
    pub fn choose(&mut self) {
        let Some(cursor) = self.cursor else { return };
        if let Some(at) = self.chosen.iter().position(|n| *n == cursor) {
            self.chosen.remove(at);
        } else if self.chosen.len() < MOST_CHOSEN {
            self.chosen.push(cursor);
        } else {
            self.note = "eight metrics are the most that a chart shows";
        }
    }
}

impl Filter {
    pub fn is_match(&self, metric: &Metric) -> bool {
        self.regex.is_match(metric.name.as_bytes())
    }

    /// Takes what was typed, if it is a pattern by now. True if it is.
    pub fn read(&mut self) -> bool {
        match args::regex(&self.text) {
            Ok(regex) => {
                self.regex = regex;
                self.wrong = None;
                true
            }
            Err(wrong) => {
                self.wrong = Some(wrong);
                false
            }
        }
    }
}

impl Row {
    const EMPTY: Row = Row { rate: 0.0, newest: f64::NAN, summary: None };
}

/// All but the count.
fn scaled(summary: Summary, factor: f64) -> Summary {
    let Summary { count, sum, mean, min, max, median, p75, p95, p98, p99, p999 } = summary;
    let [sum, mean, min, max, median, p75, p95, p98, p99, p999] =
        [sum, mean, min, max, median, p75, p95, p98, p99, p999].map(|value| value * factor);
    Summary { count, sum, mean, min, max, median, p75, p95, p98, p99, p999 }
}
