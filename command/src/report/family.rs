//! Metrics whose names differ only in numbers, such as ranks.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use super::collect::Collection;
use super::name::{Name, natural, numbers_as_stars};
use crate::dialect::Kind;

/// Metrics of one type whose names differ only in numbers: its name has `*`
/// for numbers that differ.
pub struct Family {
    pub name: String,
    pub kind: Kind,
    pub tracks: Vec<usize>,
}

/// The families of the metrics whose names are wanted.
pub fn families(collection: &Collection, is_wanted: impl Fn(&str) -> bool) -> Vec<Family> {
    let name = |track: usize| &collection.tally.metrics[collection.tracks[track].metric].name[..];
    let mut families: BTreeMap<(String, u8), Vec<usize>> = BTreeMap::new();
    for (track, of) in collection.tracks.iter().enumerate() {
        if is_wanted(name(track)) {
            let kind = collection.tally.metrics[of.metric].kind;
            families.entry((numbers_as_stars(name(track)), kind as u8)).or_default().push(track);
        }
    }
    // one section has one prefix: with a star where any of its metrics has one
    let has_many = |stars: &str| {
        let of_prefix = Name::of(stars).prefix;
        let several = families.iter().filter(|((name, _), _)| Name::of(name).prefix == of_prefix);
        several.map(|(_, tracks)| tracks.len()).max().unwrap_or(0) > 1
    };
    let starred: Vec<bool> = families.keys().map(|(stars, _)| has_many(stars)).collect();
    let named = families.into_iter().zip(starred).map(|(((stars, _), mut tracks), starred)| {
        tracks.sort_by_key(|track| natural(name(*track)));
        let kind = collection.tally.metrics[collection.tracks[tracks[0]].metric].kind;
        let name = if starred { stars } else { name(tracks[0]).to_owned() };
        Family { name, kind, tracks }
    });
    named.collect()
}
