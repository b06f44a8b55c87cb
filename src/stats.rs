//! What a context counts of its own work.

#![forbid(unsafe_code)]

/// The counts of a context since its creation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Lines that the kernel took.
    pub lines: u64,
    /// Datagrams that the kernel took.
    pub datagrams: u64,
    /// Bytes that the kernel took.
    pub bytes: u64,
    /// Lines that no server could read: a NUL byte, not a number.
    pub dropped_invalid: u64,
    /// Lines longer than a datagram, names longer than the dialect's bound.
    pub dropped_oversize: u64,
    /// Lines dropped because a buffer was full or there was no memory.
    pub dropped_full: u64,
    /// Lines that were sent and then refused by the server's host, or still
    /// waited when the context went.
    pub dropped_send: u64,
    /// Errors that the kernel reported of sending.
    pub send_errors: u64,
    /// Sockets opened after the first one.
    pub reconnects: u64,
    /// DNS lookups that ended, whether or not they found an address.
    pub resolutions: u64,
}

impl Stats {
    /// All lines lost, for any reason.
    pub fn dropped(&self) -> u64 {
        self.dropped_invalid + self.dropped_oversize + self.dropped_full + self.dropped_send
    }
}
