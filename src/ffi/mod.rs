//! The C surface. Each function checks its arguments, calls the core once,
//! and turns the result into 0, or -1 with errno, inside one shared guard.

// the comments here become those of the header, which has no such headings:
// their text says what a caller must do
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
