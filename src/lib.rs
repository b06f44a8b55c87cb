//! A StatsD client for C programs, and for the broker of the Flux resource
//! manager first of all. The C surface is `include/fripp.h`; this crate is
//! what stands behind it.
//!
//! A packet goes one way through the modules: [`ffi`] -> [`context`] ->
//! [`delivery`] -> [`packet`] -> [`link`] -> [`socket`]; what the kernel does
//! not take waits in a [`queue`].

pub mod context;
pub mod delivery;
pub mod endpoint;
pub mod error;
pub mod ffi;
pub mod flux;
pub mod link;
pub mod log;
pub mod packet;
pub mod queue;
pub mod resolver;
pub mod scheduler;
pub mod socket;
pub mod stats;
pub mod sys;
pub mod uri;
