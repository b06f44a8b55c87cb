//! From metrics to the bytes of a dialect, and lines into datagrams.

#![forbid(unsafe_code)]

pub mod dialect;
pub mod event;
pub mod line;
pub mod name;
pub mod number;
pub mod origin;
pub mod packet;
pub mod pieces;
pub mod settings;
pub mod spare;
pub mod tags;
pub mod value_lines;
