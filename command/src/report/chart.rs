//! A chart: its lines, and what is said about them.
#![forbid(unsafe_code)]

use super::collect::Collection;
use super::name::slug;
use super::page::{Drawn, Line};
use super::palette::Colour;
use super::ranks::Over;
use super::series::Series;
use crate::scale::Divisor;

pub struct Chart {
    /// Its name on the command line, and its anchor on the page.
    pub id: String,
    pub title: String,
    pub unit: String,
    /// A sentence about it, or nothing.
    pub said: String,
    pub curves: Vec<Curve>,
}

pub struct Curve {
    pub label: String,
    /// Which series: of a track, and within it.
    pub track: usize,
    pub series: usize,
    /// In place of that series: what many ranks have together.
    pub over: Option<(Over, Series)>,
    pub scale: Divisor,
    pub colour: &'static Colour,
    pub is_dashed: bool,
}

/// The charts of a prefix, or of a pattern.
pub struct Section {
    pub id: String,
    pub title: String,
    pub charts: Vec<Chart>,
}

impl Section {
    pub fn new(title: &str) -> Section {
        let shown = if title.is_empty() { "Names without a prefix" } else { title };
        Section { id: slug(shown), title: shown.to_owned(), charts: Vec::new() }
    }

    /// A sentence about the chart that was added last.
    pub fn say(&mut self, said: String) {
        if let Some(chart) = self.charts.last_mut() {
            chart.said = said;
        }
    }

    /// Adds a chart, if it has lines.
    pub fn add(&mut self, title: String, unit: &str, curves: Vec<Curve>) {
        if curves.is_empty() {
            return;
        }
        let wanted = format!("{}.{}", self.id, slug(&title));
        let mut id = wanted.clone();
        let mut n = 1;
        while self.charts.iter().any(|chart| chart.id == id) {
            n += 1;
            id = format!("{wanted}-{n}");
        }
        let said = String::new();
        self.charts.push(Chart { id, title, unit: unit.to_owned(), said, curves });
    }
}

impl Chart {
    pub fn drawn<'a>(&'a self, collection: &'a Collection) -> Drawn<'a> {
        let lines = self.curves.iter().map(|curve| curve.line(collection)).collect();
        Drawn { id: &self.id, title: &self.title, unit: &self.unit, said: &self.said, lines }
    }
}

impl Curve {
    pub fn of<'a>(&'a self, collection: &'a Collection) -> &'a Series {
        match &self.over {
            Some((_, series)) => series,
            None => &collection.tracks[self.track].series[self.series].1,
        }
    }

    pub fn line<'a>(&'a self, collection: &'a Collection) -> Line<'a> {
        let track = &collection.tracks[self.track];
        Line {
            label: self.legend(),
            metric: &collection.tally.metrics[track.metric].name,
            statistic: track.series[self.series].0,
            over: self.over.as_ref().map(|(over, _)| *over),
            side: None,
            key: self.over.is_none().then_some((self.track, self.series)),
            series: self.of(collection),
            scale: self.scale,
            colour: self.colour,
            is_dashed: self.is_dashed,
        }
    }

    /// The label with its scale.
    pub fn legend(&self) -> String {
        self.label.clone() + &self.scale.legend()
    }
}
