//! A StatsD client for C programs, and for the broker of the Flux resource
//! manager first of all. The C surface is `include/fripp.h`; this crate is
//! its implementation.
//!
//! Each folder is a layer, and imports point down: [`ffi`] -> [`process`] ->
//! [`context`] -> [`send`] -> [`encode`], [`registry`] -> [`metric`] -> [`sys`].
//! `ARCHITECTURE.md` shows the path of a metric through them.
//!
//! # From Rust
//!
//! The crate is made for C, and its modules may change with any version; but
//! a Rust program can record, too, in safe code:
//!
//! ```
//! use fripp::metric::kind::Kind;
//! use fripp::metric::value::Value;
//! use fripp::uri::Uri;
//!
//! let uri = Uri::parse(b"127.0.0.1:8125?dialect=statsd&prefix=app")?;
//! let context = uri.context(None)?;
//! // by name, and by handle
//! context.record(Kind::Counter, b"requests", Value::Add(1))?;
//! let store = context.metric_get(Kind::Timer, b"store", b"")?;
//! context.record_to(store, Value::Sample(0.264))?;
//! // sends what is pending
//! context.close();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `examples/from_rust.rs` has more.

pub mod context;
pub mod encode;
pub mod error;
pub mod ffi;
pub mod log;
pub mod metric;
pub mod process;
pub mod registry;
pub mod send;
pub mod stats;
pub mod sys;
pub mod uri;
