//! The library's dialects and kinds of metrics, as the command uses them.

pub use fripp::dialect::{Dialect, Kind};
