//! Which charts a recording has: those of the content cache, and then what
//! there is, by prefix and kind.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use crate::dialect::Kind;
use regex::Regex;

use super::chart::{Curve, Section};
use super::collect::Collection;
use super::family::{Family, families};
use super::name::{Name, list, natural, stars};
use super::palette::{Colour, LINES, RAMP};
use super::ranks;
use crate::scale::{self, Divisor, Shared};
use crate::statistic::{OF_SAMPLES, PERCENTILES, Statistic};

/// Charts of a page, beside those that were asked for.
pub const MAX_CHARTS: usize = 60;

/// Lines of a chart.
const LINES_AT_MOST: usize = LINES.len();

/// A metric of a section; metrics whose names differ only in numbers, such as
/// ranks, are one.
pub struct Member {
    pub tracks: Vec<usize>,
    pub label: String,
    /// What the '*' of its prefix is, where it is alone among ranks.
    rank: Option<String>,
    pub kind: Kind,
}

impl Member {
    fn shown(&self) -> String {
        match &self.rank {
            Some(rank) => format!("{} (* = {rank})", self.label),
            None => self.label.clone(),
        }
    }
}

/// A section for each prefix.
pub fn by_prefix(collection: &Collection) -> Vec<Section> {
    let families = families(collection, |_| true);
    let mut prefixes: BTreeMap<&str, Vec<&Family>> = BTreeMap::new();
    for family in &families {
        prefixes.entry(Name::of(&family.name).prefix).or_default().push(family);
    }
    // a metric that is alone goes with its prefix's neighbours
    let alone: Vec<&str> = prefixes.iter().filter(|(_, f)| f.len() == 1).map(|(p, _)| *p).collect();
    for prefix in alone.into_iter().filter(|prefix| !prefix.is_empty()) {
        let families = prefixes.remove(prefix).unwrap_or_default();
        prefixes.entry(Name::of(prefix).prefix).or_default().extend(families);
    }
    let mut sections: Vec<(bool, bool, &str, Section)> = prefixes
        .into_iter()
        .map(|(prefix, families)| {
            let skipped = if prefix.is_empty() { 0 } else { prefix.len() + 1 };
            let members = members(collection, &families, skipped);
            let has_cache = !cache(&members).is_empty();
            let has_samples = members.iter().any(|m| is_samples(m.kind));
            (!has_cache, !has_samples, prefix, section(collection, prefix, &members))
        })
        .collect();
    sections.sort_by(|a, b| (a.0, a.1, natural(a.2)).cmp(&(b.0, b.1, natural(b.2))));
    sections.into_iter().map(|(.., section)| section).collect()
}

/// A section of the metrics that match.
pub fn of_pattern(collection: &Collection, pattern: &Regex) -> Section {
    let families = families(collection, |name| pattern.is_match(name));
    section(
        collection,
        pattern.as_str(),
        &members(collection, &families.iter().collect::<Vec<_>>(), 0),
    )
}

fn members(collection: &Collection, families: &[&Family], skipped: usize) -> Vec<Member> {
    let member = |family: &&Family| {
        let label = family.name[skipped..].to_owned();
        let name = &collection.tally.metrics[collection.tracks[family.tracks[0]].metric].name;
        let is_alone = family.tracks.len() == 1 && family.name != *name;
        let rank = is_alone.then(|| stars(name));
        Member { tracks: family.tracks.clone(), label, rank, kind: family.kind }
    };
    let mut members: Vec<Member> = families.iter().map(member).collect();
    members.sort_by(|a, b| natural(&a.label).cmp(&natural(&b.label)));
    members
}

fn is_samples(kind: Kind) -> bool {
    matches!(kind, Kind::Timer | Kind::Histogram)
}

fn section(collection: &Collection, title: &str, members: &[Member]) -> Section {
    let mut section = Section::new(title);
    let (one, many): (Vec<&Member>, Vec<&Member>) =
        members.iter().partition(|member| member.tracks.len() == 1);
    let of = |wanted: &[Kind]| -> Vec<&Member> {
        one.iter().copied().filter(|member| wanted.contains(&member.kind)).collect()
    };
    let mut gauges = of(&[Kind::Gauge]);
    let cache = cache(members);
    if !cache.is_empty() {
        cache_charts(&mut section, collection, &cache);
        gauges.retain(|gauge| !cache.iter().any(|member| member.tracks == gauge.tracks));
    }
    for (kind, unit) in [(Kind::Timer, "ms"), (Kind::Histogram, "")] {
        sample_charts(&mut section, &of(&[kind]), unit);
    }
    gauge_charts(&mut section, collection, &gauges);
    rate_charts(&mut section, &of(&[Kind::Counter, Kind::Total]));
    for some in of(&[Kind::Set]).chunks(LINES_AT_MOST) {
        let title = format!("Distinct members of {}", names(some, "sets"));
        section.add(title, "in each interval", plain(some));
    }
    for member in many {
        ranks::charts(&mut section, collection, member);
    }
    section
}

// -- the content cache ---------------------------------------------------

/// The gauges of a content cache, if this is one.
fn cache(members: &[Member]) -> Vec<&Member> {
    let known = |member: &&Member| {
        member.kind == Kind::Gauge
            && member.tracks.len() == 1
            && (["count", "valid", "dirty", "size"].contains(&&member.label[..])
                || is_batch(member))
    };
    let found: Vec<&Member> = members.iter().filter(known).collect();
    if found.len() >= 4 { found } else { Vec::new() }
}

fn is_batch(member: &Member) -> bool {
    member.label.replace('_', "-").starts_with("flush-batch")
}

fn cache_charts(section: &mut Section, collection: &Collection, cache: &[&Member]) {
    let some = |wanted: &dyn Fn(&Member) -> bool| -> Vec<&Member> {
        cache.iter().copied().filter(|member| wanted(member)).collect()
    };
    let few = some(&|m| m.label == "dirty" || is_batch(m));
    let many = some(&|m| m.label == "count" || m.label == "valid");
    let size = some(&|m| m.label == "size");
    // most entries are valid: the two lines lie on each other
    let dash = |mut curves: Vec<Curve>| {
        curves.iter_mut().for_each(|curve| curve.is_dashed = curve.label.starts_with("valid"));
        curves
    };
    let all = dash(together(collection, cache));
    section.add("content cache, scaled".to_owned(), "scaled", all);
    let title = names(&few, "gauges");
    let few = together(collection, &few);
    let is_plain = few.iter().all(|curve| curve.scale == Divisor::NONE);
    section.add(title, if is_plain { "entries" } else { "scaled" }, few);
    section.add(names(&many, "gauges"), "entries", dash(plain(&many)));
    sized(section, collection, names(&size, "gauges"), &size);
}

// -- by kind -------------------------------------------------------------

fn gauge_charts<'m>(section: &mut Section, collection: &Collection, gauges: &[&'m Member]) {
    let max = |member: &&Member| largest(collection, member);
    let (bytes, others): (Vec<&Member>, Vec<&Member>) =
        gauges.iter().partition(|member| scale::is_bytes(&member.label));
    // bytes have an axis of their own
    let sized_groups = |some: Vec<&'m Member>| {
        scale::groups(some.into_iter().map(|member| (max(&member), member)).collect())
    };
    let groups = [sized_groups(others), sized_groups(bytes)].concat();
    if groups.len() > 1 && gauges.len() <= LINES_AT_MOST {
        let title = format!("{}, scaled", names(gauges, "gauges"));
        section.add(title, "scaled", together(collection, gauges));
    }
    for some in groups.iter().flat_map(|group| group.chunks(LINES_AT_MOST)) {
        sized(section, collection, names(some, "gauges"), some);
    }
}

/// Counters and totals; what was sent and what was received of one thing
/// have one colour.
fn rate_charts(section: &mut Section, members: &[&Member]) {
    for some in members.chunks(LINES_AT_MOST) {
        let stem = |member: &Member| {
            let label = &member.label[..];
            label.strip_suffix("_rx").or(label.strip_suffix("_tx")).unwrap_or(label).to_owned()
        };
        let messages = some.iter().filter(|m| m.label != stem(m)).count();
        let mut stems: Vec<String> = some.iter().map(|m| stem(m)).collect();
        stems.dedup();
        let mut curves = plain(some);
        for (curve, member) in curves.iter_mut().zip(some) {
            let at = stems.iter().position(|s| *s == stem(member)).unwrap_or(0);
            curve.colour = &LINES[at];
            curve.is_dashed = member.label.ends_with("_rx");
        }
        let title = if messages == some.len() { "Messages" } else { &names(some, "counters") };
        section.add(title.to_owned(), "a second", curves);
    }
}

fn sample_charts(section: &mut Section, members: &[&Member], unit: &str) {
    for member in members {
        let title = format!("Percentiles of {}", member.shown());
        // the largest is drawn first, so that it hides none of the others
        let curves = PERCENTILES.iter().zip(&RAMP).rev().map(|(statistic, colour)| {
            curve(member.tracks[0], statistic.label().to_owned(), *statistic, colour)
        });
        section.add(title, unit, curves.collect());
    }
    for some in members.chunks(LINES_AT_MOST / 2) {
        let title = format!("Mean and median of {}", names(some, "timings"));
        let mut curves = Vec::new();
        for (member, colour) in some.iter().zip(&LINES) {
            for statistic in [Statistic::Mean, Statistic::Median] {
                let label = format!("{}: {}", member.shown(), statistic.label());
                let mut curve = curve(member.tracks[0], label, statistic, colour);
                curve.is_dashed = statistic == Statistic::Median;
                curves.push(curve);
            }
        }
        section.add(title, unit, curves);
    }
    for statistic in [Statistic::Count, Statistic::Max, Statistic::Min, Statistic::Sum] {
        for some in members.chunks(LINES_AT_MOST) {
            let title = format!("{} of {}", statistic.label(), names(some, "timings"));
            let unit = match statistic {
                Statistic::Count => "a second".to_owned(),
                Statistic::Sum => format!("{unit} a second").trim_start().to_owned(),
                _ => unit.to_owned(),
            };
            let curves = some
                .iter()
                .zip(&LINES)
                .map(|(member, colour)| curve(member.tracks[0], member.shown(), statistic, colour));
            section.add(title, &unit, curves.collect());
        }
    }
}

// -- curves --------------------------------------------------------------

pub fn curve(track: usize, label: String, statistic: Statistic, colour: &'static Colour) -> Curve {
    let series = OF_SAMPLES.iter().position(|s| *s == statistic).unwrap_or(0);
    let scale = Divisor::NONE;
    Curve { label, track, series, over: None, scale, colour, is_dashed: false }
}

/// A line for each, of the one series that it has.
fn plain(members: &[&Member]) -> Vec<Curve> {
    let each = members.iter().zip(&LINES);
    each.map(|(m, colour)| curve(m.tracks[0], m.shown(), Statistic::Value, colour)).collect()
}

/// Gauges beside each other on one axis, some of them scaled.
fn together(collection: &Collection, members: &[&Member]) -> Vec<Curve> {
    let shared = members.iter().map(|member| Shared {
        name: &member.label,
        largest: largest(collection, member),
        is_bytes: scale::is_bytes(&member.label),
    });
    let divisors = scale::automatic(&shared.collect::<Vec<_>>());
    let mut curves = plain(members);
    curves.iter_mut().zip(divisors).for_each(|(curve, divisor)| curve.scale = divisor);
    curves
}

/// Gauges on one axis: of bytes, if all are.
fn sized(section: &mut Section, collection: &Collection, title: String, members: &[&Member]) {
    let mut curves = plain(members);
    let mut unit = "";
    if !members.is_empty() && members.iter().all(|member| scale::is_bytes(&member.label)) {
        let max = members.iter().map(|m| largest(collection, m)).fold(0.0, f64::max);
        let scale = Divisor::of_bytes(max);
        unit = scale.unit;
        curves.iter_mut().for_each(|curve| curve.scale = scale);
    }
    section.add(title, unit, curves);
}

pub fn largest(collection: &Collection, member: &Member) -> f64 {
    let of = |track: &usize| {
        let overall = &collection.tracks[*track].series[0].1.overall;
        overall.max.abs().max(overall.min.abs())
    };
    member.tracks.iter().map(of).fold(0.0, f64::max)
}

/// Up to three by name, others by number.
fn names(members: &[&Member], what: &str) -> String {
    let labels: Vec<String> = members.iter().map(|member| member.shown()).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    if labels.len() <= 3 { list(&labels) } else { format!("{} {what}", labels.len()) }
}
