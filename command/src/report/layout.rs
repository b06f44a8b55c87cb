//! Which charts a recording has: those of the content cache, and then what
//! there is, by prefix and kind.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use crate::dialect::Kind;
use regex::Regex;

use super::chart::{Curve, Section};
use super::collect::Collection;
use super::name::{Name, list, natural};
use super::palette::{Colour, LINES, RAMP};
use crate::scale::{self, Divisor, Shared};
use crate::statistic::{OF_SAMPLES, PERCENTILES, Statistic};

/// Charts of a page, beside those that were asked for.
pub const MAX_CHARTS: usize = 60;

/// Lines of a chart.
const LINES_AT_MOST: usize = LINES.len();

/// A metric of a section.
struct Member<'a> {
    track: usize,
    label: &'a str,
    kind: Kind,
}

/// A section for each prefix.
pub fn by_prefix(collection: &Collection) -> Vec<Section> {
    let mut prefixes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, track) in collection.tracks.iter().enumerate() {
        let name = &collection.tally.metrics[track.metric].name;
        prefixes.entry(Name::of(name).prefix).or_default().push(at);
    }
    // a metric that is alone goes with its prefix's neighbours
    let alone: Vec<&str> = prefixes.iter().filter(|(_, t)| t.len() == 1).map(|(p, _)| *p).collect();
    for prefix in alone.into_iter().filter(|prefix| !prefix.is_empty()) {
        let tracks = prefixes.remove(prefix).unwrap_or_default();
        prefixes.entry(Name::of(prefix).prefix).or_default().extend(tracks);
    }
    let mut sections: Vec<(bool, bool, &str, Section)> = prefixes
        .into_iter()
        .map(|(prefix, tracks)| {
            let skipped = if prefix.is_empty() { 0 } else { prefix.len() + 1 };
            let members = members(collection, &tracks, skipped);
            let has_cache = !cache(&members).is_empty();
            let has_samples = members.iter().any(|m| is_samples(m.kind));
            (!has_cache, !has_samples, prefix, section(collection, prefix, members))
        })
        .collect();
    sections.sort_by(|a, b| (a.0, a.1, natural(a.2)).cmp(&(b.0, b.1, natural(b.2))));
    sections.into_iter().map(|(.., section)| section).collect()
}

/// A section of the metrics that match.
pub fn of_pattern(collection: &Collection, pattern: &Regex) -> Section {
    let name = |track: usize| &collection.tally.metrics[collection.tracks[track].metric].name;
    let tracks: Vec<usize> =
        (0..collection.tracks.len()).filter(|track| pattern.is_match(name(*track))).collect();
    section(collection, pattern.as_str(), members(collection, &tracks, 0))
}

fn members<'a>(collection: &'a Collection, tracks: &[usize], skipped: usize) -> Vec<Member<'a>> {
    let mut members: Vec<Member> = tracks
        .iter()
        .map(|&track| {
            let metric = &collection.tally.metrics[collection.tracks[track].metric];
            Member { track, label: &metric.name[skipped..], kind: metric.kind }
        })
        .collect();
    members.sort_by_key(|member| natural(member.label));
    members
}

fn is_samples(kind: Kind) -> bool {
    matches!(kind, Kind::Timer | Kind::Histogram)
}

fn section(collection: &Collection, title: &str, members: Vec<Member>) -> Section {
    let mut section = Section::new(title);
    let of = |wanted: &[Kind]| -> Vec<&Member> {
        members.iter().filter(|member| wanted.contains(&member.kind)).collect()
    };
    let mut gauges = of(&[Kind::Gauge]);
    let cache = cache(&members);
    if !cache.is_empty() {
        cache_charts(&mut section, collection, &cache);
        gauges.retain(|gauge| !cache.iter().any(|member| member.track == gauge.track));
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
    section
}

// -- the content cache ---------------------------------------------------

/// The gauges of a content cache, if this is one.
fn cache<'a>(members: &'a [Member<'a>]) -> Vec<&'a Member<'a>> {
    let known = |member: &&Member| {
        member.kind == Kind::Gauge
            && (["count", "valid", "dirty", "size"].contains(&member.label) || is_batch(member))
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
        curves.iter_mut().for_each(|curve| curve.is_dashed = curve.label == "valid");
        curves
    };
    let all = dash(together(collection, cache));
    section.add("Cache: all of it, scaled".to_owned(), "scaled", all);
    let title = "Dirty entries and flush batches".to_owned();
    section.add(title, "entries", together(collection, &few));
    section.add("Count and valid entries".to_owned(), "entries", dash(plain(&many)));
    sized(section, collection, "Cache size".to_owned(), &size);
}

// -- by kind -------------------------------------------------------------

fn gauge_charts(section: &mut Section, collection: &Collection, gauges: &[&Member]) {
    let max = |member: &&Member| largest(collection, member);
    let groups = scale::groups(gauges.iter().map(|member| (max(member), *member)).collect());
    if groups.len() > 1 && gauges.len() <= LINES_AT_MOST {
        let title = format!("{}, scaled", capital(&names(gauges, "gauges")));
        section.add(title, "scaled", together(collection, gauges));
    }
    for some in groups.iter().flat_map(|group| group.chunks(LINES_AT_MOST)) {
        sized(section, collection, capital(&names(some, "gauges")), some);
    }
}

/// Counters and totals; what was sent and what was received of one thing
/// have one colour.
fn rate_charts(section: &mut Section, members: &[&Member]) {
    for some in members.chunks(LINES_AT_MOST) {
        let stem = |member: &Member| {
            let label = member.label;
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
        section.add(capital(title), "a second", curves);
    }
}

fn sample_charts(section: &mut Section, members: &[&Member], unit: &str) {
    for member in members {
        let title = format!("Percentiles of {}", member.label);
        let curves = PERCENTILES.iter().zip(&RAMP).map(|(statistic, colour)| {
            curve(member, statistic.label().to_owned(), *statistic, colour)
        });
        section.add(title, unit, curves.collect());
    }
    for some in members.chunks(LINES_AT_MOST / 2) {
        let title = format!("Mean and median of {}", names(some, "timings"));
        let mut curves = Vec::new();
        for (member, colour) in some.iter().zip(&LINES) {
            for statistic in [Statistic::Mean, Statistic::Median] {
                let label = format!("{}: {}", member.label, statistic.label());
                let mut curve = curve(member, label, statistic, colour);
                curve.is_dashed = statistic == Statistic::Median;
                curves.push(curve);
            }
        }
        section.add(title, unit, curves);
    }
    for statistic in [Statistic::Count, Statistic::Max, Statistic::Min, Statistic::Sum] {
        for some in members.chunks(LINES_AT_MOST) {
            let title = format!("{} of {}", capital(statistic.label()), names(some, "timings"));
            let unit = match statistic {
                Statistic::Count => "a second".to_owned(),
                Statistic::Sum => format!("{unit}, of each interval"),
                _ => unit.to_owned(),
            };
            let curves = some
                .iter()
                .zip(&LINES)
                .map(|(member, colour)| curve(member, member.label.to_owned(), statistic, colour));
            section.add(title, &unit, curves.collect());
        }
    }
}

// -- curves --------------------------------------------------------------

fn curve(member: &Member, label: String, statistic: Statistic, colour: &'static Colour) -> Curve {
    let series = OF_SAMPLES.iter().position(|s| *s == statistic).unwrap_or(0);
    let (track, scale) = (member.track, Divisor::NONE);
    Curve { label, track, series, scale, colour, is_dashed: false }
}

/// A line for each, of the one series that it has.
fn plain(members: &[&Member]) -> Vec<Curve> {
    let each = members.iter().zip(&LINES);
    each.map(|(m, colour)| curve(m, m.label.to_owned(), Statistic::Value, colour)).collect()
}

/// Gauges beside each other on one axis, some of them scaled.
fn together(collection: &Collection, members: &[&Member]) -> Vec<Curve> {
    let shared = members.iter().map(|member| Shared {
        name: member.label,
        largest: largest(collection, member),
        is_bytes: scale::is_bytes(member.label),
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
    if !members.is_empty() && members.iter().all(|member| scale::is_bytes(member.label)) {
        let max = members.iter().map(|m| largest(collection, m)).fold(0.0, f64::max);
        let scale = Divisor::of_bytes(max);
        unit = scale.unit;
        curves.iter_mut().for_each(|curve| curve.scale = scale);
    }
    section.add(title, unit, curves);
}

fn largest(collection: &Collection, member: &Member) -> f64 {
    let overall = &collection.tracks[member.track].series[0].1.overall;
    overall.max.abs().max(overall.min.abs())
}

/// Up to three by name, others by number.
fn names(members: &[&Member], what: &str) -> String {
    let labels: Vec<&str> = members.iter().map(|member| member.label).collect();
    if labels.len() <= 3 { list(&labels) } else { format!("{} {what}", labels.len()) }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
