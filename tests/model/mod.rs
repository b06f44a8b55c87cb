//! Steps of a context's life, and a model of what comes of them: what a server
//! has to know after any calls, through any changes of settings, whatever
//! becomes of the server in between. The calls are those of the C surface.
//! A test draws steps at random, and the fuzzer looks for new ones.

mod expect;
mod run;

pub use run::{Server, run};

/// One call, or what becomes of the server. Numbers that choose from a list
/// are taken modulo its length.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A metric by name.
    Named(u8, Call),
    /// `fripp_send`: a name, a value, a type's number.
    Send(u8, f64, u8),
    /// A metric by handle: a type's number, a name, tags.
    Handled(u8, u8, u8, Call),
    /// A text, sent now, or with the next flush.
    Text(u8, bool),
    Forget(u8),
    Prefix(u8),
    Tags(u8),
    Dialect(u8),
    Period(u8),
    Flush,
    /// Threads keep taking turns on all counters of which there are handles.
    Turns,
    /// The server opens its socket, or closes it.
    Server(bool),
    /// It reads nothing for some time, or reads again.
    Slow(bool),
}

/// What is recorded.
#[derive(Clone, Copy, Debug)]
pub enum Call {
    Add(i64),
    Total(i64),
    Gauge(i64),
    GaugeInc(i64),
    Real(f64),
    Timing(f64),
    Histogram(f64),
    Unique(u8),
}
