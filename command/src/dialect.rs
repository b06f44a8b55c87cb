//! The library's dialects and kinds of metrics, as the command uses them.

pub use fripp::dialect::{Dialect, Kind};

/// The dialects by the names that they have in a URI.
pub const NAMES: [(&str, Dialect); 5] = [
    ("brubeck", Dialect::Brubeck),
    ("statsd", Dialect::Statsd),
    ("dogstatsd", Dialect::Dogstatsd),
    ("telegraf", Dialect::Telegraf),
    ("graphite", Dialect::Graphite),
];

/// The dialect of a name.
pub fn named(name: &str) -> Option<Dialect> {
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, dialect)| *dialect)
}

/// The name of a dialect.
pub fn name(dialect: Dialect) -> &'static str {
    let found = NAMES.iter().find(|(_, known)| *known == dialect);
    found.map_or("", |(name, _)| name)
}
