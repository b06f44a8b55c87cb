//! The C surface. Each function checks its arguments, calls the core once,
//! and turns the result into 0, or -1 with errno, inside one shared guard.

// the comments here are the header's, where such a heading means nothing:
// what a caller must see to is in their text
#![allow(clippy::missing_safety_doc, rustdoc::broken_intra_doc_links)]

pub mod by_handle;
pub mod by_name;
pub mod context;
pub mod event;
mod guard;
pub mod packet;
pub mod reason;
pub mod settings;
pub mod stats;
pub mod timer;
pub mod types;
pub mod variadic;
pub mod version;
