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

    /// Each count, and the name that it is sent by.
    pub fn totals(&self) -> [(&'static [u8], u64); 11] {
        [
            (b"fripp.lines", self.lines),
            (b"fripp.datagrams", self.datagrams),
            (b"fripp.bytes", self.bytes),
            (b"fripp.dropped", self.dropped()),
            (b"fripp.dropped_invalid", self.dropped_invalid),
            (b"fripp.dropped_oversize", self.dropped_oversize),
            (b"fripp.dropped_full", self.dropped_full),
            (b"fripp.dropped_send", self.dropped_send),
            (b"fripp.send_errors", self.send_errors),
            (b"fripp.reconnects", self.reconnects),
            (b"fripp.resolutions", self.resolutions),
        ]
    }
}

/// Which counts were told to the server.
#[derive(Debug, Default)]
pub struct Told {
    /// `None` before the first time: all are told then, so that there is a
    /// series of each.
    last: Option<Stats>,
    /// How many lines that makes. They are no news themselves: else an idle
    /// context would count them for ever.
    own: u64,
}

impl Told {
    /// Tells by `tell` what has changed, if there is any news, or if the
    /// context is `busy` with something else.
    pub fn tell(&mut self, stats: &Stats, busy: bool, mut tell: impl FnMut(&[u8], u64) -> bool) {
        let before = self.last.unwrap_or_default();
        let news = stats.lines != before.lines + self.own
            || stats.dropped() != before.dropped()
            || stats.send_errors != before.send_errors;
        if !news && !busy {
            return;
        }
        self.own = 0;
        for ((name, count), (_, before)) in stats.totals().into_iter().zip(before.totals()) {
            let changed = self.last.is_none() || count != before;
            self.own += u64::from(changed && tell(name, count));
        }
        self.last = Some(*stats);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_told_and_the_telling_is_no_news() {
        let mut told = Told::default();
        let mut stats = Stats::default();
        let mut tell = |stats: &mut Stats, busy| {
            let mut names = Vec::new();
            told.tell(stats, busy, |name, count| {
                names.push(format!("{}:{count}", name.escape_ascii()));
                true
            });
            stats.lines += names.len() as u64;
            names
        };
        assert!(tell(&mut stats, false).is_empty());
        assert_eq!(tell(&mut stats, true).len(), 11);
        assert!(tell(&mut stats, false).is_empty());
        stats.lines += 1;
        stats.dropped_full += 2;
        let changed = ["fripp.lines:12", "fripp.dropped:2", "fripp.dropped_full:2"];
        assert_eq!(tell(&mut stats, false), changed);
        assert!(tell(&mut stats, false).is_empty());
    }
}
