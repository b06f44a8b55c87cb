//! A connection that takes a stream of lines: TCP, or a UNIX stream socket.
//! The kernel takes any number of bytes of what there is; what it took of the
//! lines is counted here, so that after a lost connection the next one begins
//! with the first line that was not wholly taken.

#![forbid(unsafe_code)]

use std::io;
use std::net::Shutdown;
use std::time::Duration;

use socket2::{TcpKeepalive, Type};

use crate::send::address::Address;
use crate::send::backoff::MS;
use crate::send::descriptor::Descriptor;
use crate::stats::Stats;
use crate::sys::memory;

/// A connection that does not open within this time (ns) is given up.
const OPENS: u64 = 3_000 * MS;
/// One that was open for so long (ns) was with a server that reads.
const LASTS: u64 = 500 * MS;
/// A peer that answers nothing for so long is gone.
const DEAD: Duration = Duration::from_secs(60);
/// Between the probes of an idle connection.
const PROBES: Duration = Duration::from_secs(15);
/// The most bytes that the kernel keeps beyond those that are under way: what
/// it has taken is lost with the connection.
const UNSENT: u32 = 64 * 1024;

/// A stream, and what is left of the lines that it is given.
#[derive(Debug, Default)]
pub struct Stream {
    open: Option<Open>,
    /// Lines that the kernel has not wholly taken, each with its newline...
    lines: Vec<u8>,
    /// ...and how many bytes of them it has.
    taken: usize,
}

/// A connection that is open, or opens.
#[derive(Debug)]
struct Open {
    descriptor: Descriptor,
    address: Address,
    /// When it was begun (ns).
    since: u64,
    /// It has taken something.
    used: bool,
    /// When it was last looked at (ns).
    looked: u64,
    /// The host's name has other addresses: it is closed between two lines.
    leaving: bool,
}

impl Stream {
    /// Begins to open a connection. It takes nothing until it is open.
    pub fn connect(&mut self, address: &Address, now: u64) -> io::Result<()> {
        let descriptor = Descriptor::open(address, Type::STREAM)?;
        let socket = descriptor.socket()?;
        if !address.0.is_unix() {
            let keepalive = TcpKeepalive::new().with_time(DEAD).with_interval(PROBES);
            // none of these is needed
            let _ = socket.set_tcp_nodelay(true);
            let _ = socket.set_tcp_keepalive(&keepalive);
            let _ = socket.set_tcp_user_timeout(Some(DEAD));
            let _ = socket.set_tcp_notsent_lowat(UNSENT);
        }
        match socket.connect(&address.0) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
            _ => {}
        }
        let address = address.clone();
        let (used, looked, leaving) = (false, now, false);
        self.open = Some(Open { descriptor, address, since: now, used, looked, leaving });
        Ok(())
    }

    /// Whether there is a connection that can be written to. The error is that
    /// of one that is lost.
    pub fn look(&mut self, now: u64) -> io::Result<bool> {
        let is_clear = self.is_clear();
        let Some(open) = &mut self.open else { return Ok(false) };
        // once a tick of the clock that packets go by
        if std::mem::replace(&mut open.looked, now) != now && !open.descriptor.is_own() {
            self.lose();
            return Ok(false);
        }
        if open.leaving && is_clear {
            self.close();
            return Ok(false);
        }
        open.hear()?;
        Ok(true)
    }

    /// Takes over lines with a newline between them. False where there is no
    /// memory.
    pub fn put(&mut self, lines: &[u8]) -> bool {
        if memory::room(&mut self.lines, lines.len() + 1).is_err() {
            return false;
        }
        self.lines.extend_from_slice(lines);
        self.lines.push(b'\n');
        true
    }

    /// Hands over what is left of the lines, and counts what the kernel takes.
    pub fn write(&mut self, stats: &mut Stats) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Err(io::ErrorKind::NotConnected.into()) };
        while self.taken < self.lines.len() {
            let left = &self.lines[self.taken..];
            let len = open.descriptor.socket()?.send_with_flags(left, libc::MSG_NOSIGNAL)?;
            stats.bytes += len as u64;
            stats.lines += newlines(&left[..len]);
            self.taken += len;
            if self.taken == self.lines.len() {
                stats.datagrams += 1;
            }
        }
        self.drop_lines();
        Ok(())
    }

    /// The connection is lost. Of a line that it took in part the next one
    /// takes the whole: no server reads a line without its newline.
    pub fn lose(&mut self) {
        self.open = None;
        let whole = self.lines[..self.taken].iter().rposition(|b| *b == b'\n');
        self.lines.drain(..whole.map_or(0, |last| last + 1));
        self.taken = 0;
    }

    /// Whether all lines were taken.
    pub fn is_clear(&self) -> bool {
        self.lines.is_empty()
    }

    /// How many bytes were not taken.
    pub fn left(&self) -> usize {
        self.lines.len() - self.taken
    }

    /// Whether, of lines of so many bytes that were just put, nothing was taken.
    pub fn is_whole(&self, len: usize) -> bool {
        self.taken == 0 && self.lines.len() == len + 1
    }

    /// Gives the lines up; how many were not wholly taken.
    pub fn drop_lines(&mut self) -> u64 {
        let left = newlines(&self.lines[self.taken..]);
        self.lines.clear();
        self.taken = 0;
        left
    }

    /// Whether the connection has not opened for too long.
    pub fn is_late(&self, now: u64) -> bool {
        self.open.as_ref().is_some_and(|open| !open.used && now >= open.since + OPENS)
    }

    /// Whether it has been open for a while.
    pub fn is_lasting(&self, now: u64) -> bool {
        self.open.as_ref().is_some_and(|open| open.used && now >= open.since + LASTS)
    }

    /// It has taken something. Whether that is the first time.
    pub fn is_first_use(&mut self) -> bool {
        self.open.as_mut().is_some_and(|open| !std::mem::replace(&mut open.used, true))
    }

    /// The host's name has these addresses now.
    pub fn moved(&mut self, addresses: &[Address]) {
        if let Some(open) = &mut self.open {
            open.leaving = !addresses.contains(&open.address);
        }
    }

    /// Closes the connection. What the kernel has taken still goes.
    pub fn close(&mut self) {
        let Some(Open { descriptor, .. }) = self.open.take() else { return };
        if let Some(socket) = descriptor.socket().ok().filter(|_| descriptor.is_own()) {
            // a child may have it, too
            let _ = socket.shutdown(Shutdown::Write);
        }
    }

    /// In a child process: the connection is the parent's, and so are the
    /// lines.
    pub fn after_fork(&mut self) {
        *self = Stream::default();
    }
}

impl Open {
    /// Reads what the server says, which is nothing that is of use, and learns
    /// whether it has closed the connection.
    fn hear(&self) -> io::Result<()> {
        let mut said = [const { std::mem::MaybeUninit::uninit() }; 512];
        match self.descriptor.socket()?.recv(&mut said) {
            Ok(0) => Err(io::Error::other("the server has closed the connection")),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|b| **b == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_connection_begins_with_the_line_that_was_cut() {
        let taken_of = |taken| {
            let mut stream = Stream::default();
            assert!(stream.put(b"a:1|c\nbb:2|c\nc:3|c"));
            stream.taken = taken;
            stream.lose();
            String::from_utf8(stream.lines).unwrap()
        };
        for (taken, left) in [
            (0, "a:1|c\nbb:2|c\nc:3|c\n"),
            (5, "a:1|c\nbb:2|c\nc:3|c\n"),
            (6, "bb:2|c\nc:3|c\n"),
            (12, "bb:2|c\nc:3|c\n"),
            (13, "c:3|c\n"),
            (18, "c:3|c\n"),
            (19, ""),
        ] {
            assert_eq!(taken_of(taken), left, "{taken} bytes were taken");
        }
    }

    #[test]
    fn what_is_given_up_is_counted() {
        let mut stream = Stream::default();
        assert!(stream.put(b"a:1|c\nbb:2|c"));
        assert!(stream.is_whole(12) && stream.left() == 13);
        stream.taken = 7;
        assert!(!stream.is_whole(12));
        assert_eq!((stream.left(), stream.drop_lines()), (6, 1));
        assert!(stream.is_clear());
    }
}
