//! Two recordings as a page: each metric before and after in one chart, with
//! the difference.
#![forbid(unsafe_code)]

use std::fmt::Write;

use regex::Regex;

use super::collect::Collection;
use super::compare::Difference;
use super::facts;
use super::layout::MAX_CHARTS;
use super::name::{Name, natural, slug};
use super::page::{Drawn, Frame, Line, Page, escape};
use super::pairs::{Pair, Side, order, pairs, size, tracks};
use super::palette::LINES;
use super::ranks::Over;
use super::series::Series;
use crate::dialect::Kind;
use crate::figure::grouped;
use crate::scale::{self, Divisor};
use crate::statistic::Statistic;

/// What lines of several ranks stand for.
const RANKS: &str = "A name with * stands for metrics that differ in a number, such as a rank: their \
                     median and maximum are drawn.";
/// Rows of the table.
const ROWS: usize = 2_000;

/// What one line draws.
struct Curve<'a> {
    side: &'a Side<'a>,
    track: usize,
    at: usize,
    over: Option<(Over, Series)>,
}

pub struct Comparison<'a> {
    pub title: &'a str,
    pub names: [&'a str; 2],
    pub collections: [&'a Collection; 2],
    pub differences: &'a [Difference],
    /// Which metrics have charts.
    pub patterns: &'a [Regex],
    pub bound: Option<f64>,
}

impl Comparison<'_> {
    pub fn page(&self) -> String {
        let [before, after] = self.collections;
        let sides = [
            Side { label: "before", collection: before, colour: &LINES[1] },
            Side { label: "after", collection: after, colour: &LINES[0] },
        ];
        let tracks = tracks(&sides, self.patterns);
        let mut pairs = pairs(&tracks, &sides, self.differences);
        // those that differ most, should there be too many
        let left_out = pairs.len().saturating_sub(MAX_CHARTS);
        pairs.sort_by(|a, b| size(&b.difference).total_cmp(&size(&a.difference)));
        pairs.truncate(MAX_CHARTS);
        pairs.sort_by_key(|pair| (natural(pair.name), pair.kind as u8, order(pair.statistic)));
        let mut page = Page::default();
        for pairs in pairs.chunk_by(|a, b| Name::of(a.name).prefix == Name::of(b.name).prefix) {
            let prefix = Name::of(pairs[0].name).prefix;
            let title = if prefix.is_empty() { "Names without a prefix" } else { prefix };
            section(&mut page, title, pairs, &sides);
        }
        let told = sides.iter().zip(self.names).map(|(side, name)| told(side, name, left_out));
        page.finish(&Frame {
            title: self.title,
            start: None,
            times: before.times,
            facts: &told.collect::<String>(),
            notes: "",
            table: ("All figures", &self.table()),
        })
    }

    fn table(&self) -> String {
        let mut html = String::new();
        let (all, shown) = (self.differences.len(), self.differences.len().min(ROWS));
        if shown < all {
            let _ = writeln!(html, "<p class=\"note\">The table has {shown} of {all} figures.</p>");
        }
        html.push_str(
            "<div class=\"scroll\" tabindex=\"0\"><table class=\"figures\">\n<thead><tr><th>metric</th>\
             <th class=\"text\">type</th><th class=\"text\">statistic</th><th>before</th>\
             <th>after</th><th>change</th></tr></thead>\n<tbody>\n",
        );
        for difference in &self.differences[..shown] {
            let (name, kind, statistic) = &difference.key;
            let [before, after] = [difference.before, difference.after].map(grouped);
            let is_beyond = self.bound.is_some_and(|bound| difference.exceeds(bound));
            let class = if is_beyond { " class=\"beyond\"" } else { "" };
            let (name, change) = (escape(name), difference.change());
            let _ = writeln!(
                html,
                "<tr><th>{name}</th><td class=\"text\">{kind}</td><td class=\"text\">{statistic}</td>\
                 <td>{before}</td><td>{after}</td><td{class}>{change}</td></tr>"
            );
        }
        html + "</tbody>\n</table></div>"
    }
}

/// What is to be known of one side.
fn told(side: &Side, name: &str, left_out: usize) -> String {
    let (label, name) = (side.label, escape(name));
    // what holds for both is said once
    let (left_out, most) = if label == "before" { (left_out, 1) } else { (0, usize::MAX) };
    let facts = facts::list(side.collection);
    let notes = facts::notes(side.collection, left_out, RANKS, most);
    format!("<h2 class=\"side\">{label}: {name}</h2>\n{facts}{notes}")
}

fn section(page: &mut Page, title: &str, pairs: &[Pair], sides: &[Side; 2]) {
    let id = slug(title);
    let prepared: Vec<Chart> = pairs.iter().map(|pair| Chart::of(pair, sides, &id)).collect();
    page.section(&id, title, prepared.iter().map(Chart::drawn));
}

struct Chart<'a> {
    id: String,
    title: String,
    unit: String,
    said: String,
    curves: Vec<Curve<'a>>,
    scale: Divisor,
}

impl<'a> Chart<'a> {
    fn of(pair: &Pair, sides: &'a [Side<'a>; 2], section: &str) -> Chart<'a> {
        let Pair { name, kind, statistic, .. } = *pair;
        let last = &name[Name::of(name).prefix.len()..];
        let last = last.strip_prefix('.').unwrap_or(last);
        let title = match statistic {
            Statistic::Value | Statistic::Rate | Statistic::Members => last.to_owned(),
            _ => format!("{last}: {}", statistic.label()),
        };
        let mut curves = Vec::new();
        for (side, tracks) in sides.iter().zip(pair.tracks) {
            let at = order(statistic);
            let overs: &[Option<Over>] = match tracks.len() {
                0 => &[],
                1 => &[None],
                _ => &[Some(Over::Median), Some(Over::Max)],
            };
            for over in overs {
                let over = over.map(|over| (over, over.series(side.collection, tracks, at)));
                curves.push(Curve { side, track: tracks[0], at, over });
            }
        }
        let is_bytes = kind == Kind::Gauge && scale::is_bytes(name);
        let most = curves.iter().map(|curve| curve.series().overall.max).fold(0.0, f64::max);
        let scale = if is_bytes { Divisor::of_bytes(most) } else { Divisor::NONE };
        let unit = match (statistic, kind) {
            (Statistic::Rate | Statistic::Count, _) => "a second",
            (Statistic::Members, _) => "in each interval",
            (_, Kind::Timer) => "ms",
            _ => scale.unit,
        };
        let id = format!("{section}.{}-{}", slug(&title), kind.name());
        let said = said(pair, scale);
        Chart { id, title, unit: unit.to_owned(), said, curves, scale }
    }

    fn drawn(&self) -> Drawn<'_> {
        let lines = self.curves.iter().map(|curve| curve.line(self.scale)).collect();
        Drawn { id: &self.id, title: &self.title, unit: &self.unit, said: &self.said, lines }
    }
}

/// The difference in words.
fn said(pair: &Pair, scale: Divisor) -> String {
    let Difference { key, before, after } = &pair.difference;
    let [before, after] = [before, after].map(|figure| match figure.is_nan() {
        true => "none".to_owned(),
        false => grouped(figure / scale.divisor),
    });
    let change = match pair.difference.percent() {
        percent if percent.is_finite() => format!(": {percent:+.1} %"),
        _ => String::new(),
    };
    let of = match pair.tracks.map(<[usize]>::len) {
        [0 | 1, 0 | 1] => String::new(),
        [before, after] if before == after => format!(", median of {before}"),
        [before, after] => format!(", median of {before} and of {after}"),
    };
    format!("{}{of}: {before} before, {after} after{change}", key.2)
}

impl Curve<'_> {
    fn line(&self, scale: Divisor) -> Line<'_> {
        Line {
            label: self.label(),
            metric: self.metric(),
            statistic: self.side.collection.tracks[self.track].series[self.at].0,
            over: self.over.as_ref().map(|(over, _)| *over),
            side: Some(self.side.label),
            key: None,
            series: self.series(),
            scale,
            colour: self.side.colour,
            is_dashed: matches!(self.over, Some((Over::Max, _))),
        }
    }

    fn series(&self) -> &Series {
        match &self.over {
            Some((_, series)) => series,
            None => &self.side.collection.tracks[self.track].series[self.at].1,
        }
    }

    fn metric(&self) -> &str {
        let collection = self.side.collection;
        &collection.tally.metrics[collection.tracks[self.track].metric].name
    }

    fn label(&self) -> String {
        match &self.over {
            Some((over, _)) => format!("{}: {}", self.side.label, over.label()),
            None => self.side.label.to_owned(),
        }
    }
}
