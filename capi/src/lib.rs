//! `libfripp.so` and `libfripp.a`: the C functions of the library's `ffi`
//! folder, and nothing else. A crate of its own, because rustc does no
//! link-time optimisation for a crate that is a Rust library as well.

mod reserve;

pub use libfripp::ffi::*;

#[global_allocator]
static MEMORY: reserve::Reserve = reserve::Reserve::new();
