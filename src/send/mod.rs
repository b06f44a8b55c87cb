//! Datagrams on their way to the server: what goes now, what waits, and over
//! which socket.

#![forbid(unsafe_code)]

pub mod addresses;
pub mod backoff;
pub mod connection;
pub mod delivery;
pub mod endpoint;
pub mod pace;
pub mod queue;
pub mod resolver;
pub mod socket;
pub mod socket_pool;
