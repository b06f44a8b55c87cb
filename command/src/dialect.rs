//! The library's dialects and kinds of metrics, as the command uses them.

pub use fripp::encode::dialect::{Dialect, Tagging};
pub use fripp::metric::kind::Kind;

/// The dialect of a name.
pub fn named(name: &str) -> Option<Dialect> {
    Dialect::from_name(name.as_bytes())
}

/// The name of a dialect.
pub fn name(dialect: Dialect) -> &'static str {
    dialect.form().name
}
