//! The contexts of a process: what happens to them at fork and at exit.

pub mod exit;
pub mod fork;
