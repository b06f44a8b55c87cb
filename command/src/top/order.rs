//! Which metrics are shown, and in which order.

use super::State;
use super::view::Filter;
use crate::tally::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Name,
    Type,
    Rate,
    Newest,
}

pub struct Order {
    pub sort: Sort,
    pub reversed: bool,
    /// By number, in order.
    pub shown: Vec<usize>,
    /// Metrics that went through the filter.
    filtered: usize,
    /// The tick of the last sorting.
    sorted: Option<u64>,
}

impl Order {
    pub fn new(sort: Sort) -> Order {
        Order { sort, reversed: false, shown: Vec::new(), filtered: 0, sorted: None }
    }

    /// Sorts by the next column.
    pub fn next(&mut self) {
        self.sort = match self.sort {
            Sort::Name => Sort::Type,
            Sort::Type => Sort::Rate,
            Sort::Rate => Sort::Newest,
            Sort::Newest => Sort::Name,
        };
        self.sorted = None;
    }

    pub fn reverse(&mut self) {
        self.reversed = !self.reversed;
        self.sorted = None;
    }

    /// To be called when the filter is another one.
    pub fn begin_anew(&mut self) {
        self.shown.clear();
        self.filtered = 0;
        self.sorted = None;
    }

    /// Takes new metrics in, and sorts: by what changes once a tick.
    pub fn update(&mut self, state: &State, filter: &Filter) {
        let metrics = &state.tally.metrics;
        let new = self.filtered..metrics.len();
        let is_new = !new.is_empty();
        self.shown.extend(new.filter(|n| filter.is_match(&metrics[*n])));
        self.filtered = metrics.len();
        let is_old = match self.sort {
            Sort::Name | Sort::Type => self.sorted.is_none(),
            Sort::Rate | Sort::Newest => self.sorted != Some(state.history.ticks),
        };
        if is_new || is_old {
            self.sort(state);
            self.sorted = Some(state.history.ticks);
        }
    }

    fn sort(&mut self, state: &State) {
        let metrics = &state.tally.metrics;
        let rate = |n: &usize| state.history.tracks.get(*n).map_or(0.0, |track| track.figures.rate);
        let newest = |n: &usize| newest(&metrics[*n].value);
        let name = |a: &usize, b: &usize| metrics[*a].name.cmp(&metrics[*b].name);
        // the largest first
        self.shown.sort_by(|a, b| {
            let order = match self.sort {
                Sort::Name => name(a, b),
                Sort::Type => (metrics[*a].kind as u8).cmp(&(metrics[*b].kind as u8)),
                Sort::Rate => rate(b).total_cmp(&rate(a)),
                Sort::Newest => newest(b).total_cmp(&newest(a)),
            };
            order.then_with(|| name(a, b))
        });
        if self.reversed {
            self.shown.reverse();
        }
    }
}

/// The newest value, or the sum or number so far of types without one.
pub fn newest(value: &Value) -> f64 {
    value.newest().or(value.all()).unwrap_or(f64::NAN)
}
