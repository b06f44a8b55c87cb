//! A StatsD client for C programs, and for the broker of the Flux resource
//! manager first of all. The C surface is `include/fripp.h`; this crate is
//! what stands behind it.
//!
//! A metric goes one way through the modules: [`ffi`] -> [`record`] ->
//! [`registry`] ([`metric`], [`samples`], [`set`]) -> [`flush`] -> [`line`] ->
//! [`packet`] -> [`delivery`] -> [`link`] -> [`socket`]; a packet that the
//! caller wrote enters at [`delivery`]. What the kernel does not take waits
//! in a [`queue`].

pub mod configure;
pub mod context;
pub mod delivery;
pub mod dialect;
pub mod endpoint;
pub mod error;
pub mod exit;
pub mod ffi;
pub mod flush;
pub mod flux;
pub mod fork;
pub mod line;
pub mod link;
pub mod list;
pub mod log;
pub mod memory;
pub mod metric;
pub mod name;
pub mod number;
pub mod pace;
pub mod packet;
pub mod pool;
pub mod queue;
pub mod record;
pub mod recorded;
pub mod registry;
pub mod resolver;
pub mod samples;
pub mod scheduler;
pub mod set;
pub mod settings;
pub mod socket;
pub mod stats;
pub mod sys;
pub mod table;
pub mod tags;
pub mod turn;
pub mod uri;
pub mod wheel;
