//! The connection where it is a stream: opened without waiting, and opened
//! again where it was lost.

#![forbid(unsafe_code)]

use std::io;

use crate::log::Journal;
use crate::send::connection::{Connection, Datagram, Sent};

impl Connection {
    /// Whether nothing is left of what was `Done`: of a stream some of it may
    /// still have to be taken.
    pub fn is_clear(&self) -> bool {
        self.stream.as_ref().is_none_or(|stream| stream.is_clear())
    }

    /// How many bytes are left of it.
    pub fn left(&self) -> usize {
        self.stream.as_ref().map_or(0, |stream| stream.left())
    }

    /// Gives up what is left; the number of lines.
    pub fn give_up(&mut self) -> u64 {
        self.stream.as_mut().map_or(0, |stream| stream.drop_lines())
    }

    /// Sends what is left.
    pub fn finish(&mut self, now: u64, journal: &mut Journal) -> Sent {
        if now < self.retry_at {
            return Sent::Retry;
        }
        while self.open_stream(now, journal) {
            let Some(stream) = &mut self.stream else { break };
            let before = journal.stats.bytes;
            let written = stream.write(&mut journal.stats);
            let is_late = stream.is_late(now);
            if journal.stats.bytes > before {
                self.stream_takes(now, journal);
            }
            let error = match written {
                Ok(()) => return Sent::Done,
                Err(error) if is_full(&error) && is_late => io::ErrorKind::TimedOut.into(),
                Err(error) if is_full(&error) => {
                    self.stall(now);
                    break;
                }
                Err(error) => error,
            };
            if !self.cut(&error, now, journal) {
                break;
            }
        }
        Sent::Retry
    }

    /// Sends the lines of a datagram after what is left. It is `Done` if the
    /// kernel has taken some of it.
    pub(super) fn send_lines(
        &mut self,
        Datagram { bytes, .. }: Datagram<'_>,
        now: u64,
        journal: &mut Journal,
    ) -> Sent {
        if now < self.retry_at || !self.is_clear() && self.finish(now, journal) == Sent::Retry {
            return Sent::Retry;
        }
        if !self.stream.as_mut().is_some_and(|stream| stream.put(bytes)) {
            return Sent::Retry;
        }
        let sent = self.finish(now, journal);
        match &mut self.stream {
            Some(stream) if sent == Sent::Retry && stream.is_whole(bytes.len()) => {
                stream.drop_lines();
                Sent::Retry
            }
            _ => Sent::Done,
        }
    }

    /// Opens the connection where there is none.
    fn open_stream(&mut self, now: u64, journal: &mut Journal) -> bool {
        let Some(stream) = &mut self.stream else { return false };
        match stream.look(now) {
            Ok(true) => return true,
            Ok(false) => {}
            Err(error) => {
                if !self.cut(&error, now, journal) {
                    return false;
                }
            }
        }
        while let (Some(stream), Some(address)) =
            (&mut self.stream, self.addresses.list().get(self.current))
        {
            match stream.connect(address, now) {
                Ok(()) => return true,
                // of a UNIX socket: too many wait for the server to accept them
                Err(error) if is_full(&error) => {
                    self.stall(now);
                    return false;
                }
                Err(error) => {
                    if !self.refused(&error, now, journal) {
                        return false;
                    }
                }
            }
        }
        false
    }

    fn stream_takes(&mut self, now: u64, journal: &mut Journal) {
        self.stall = 0;
        let Some(stream) = &mut self.stream else { return };
        if stream.is_first_use() {
            journal.stats.reconnects += u64::from(std::mem::replace(&mut self.opened, true));
        }
        // a server that accepts connections and closes them does not serve
        if self.verify_next && stream.is_lasting(now) {
            self.answers(journal);
        }
    }

    /// The connection is lost. Whether another can be tried at once.
    fn cut(&mut self, error: &io::Error, now: u64, journal: &mut Journal) -> bool {
        if let Some(stream) = &mut self.stream {
            if stream.is_lasting(now) {
                self.wait = 0;
            }
            stream.lose();
        }
        self.refused(error, now, journal)
    }
}

fn is_full(error: &io::Error) -> bool {
    let code = error.raw_os_error().unwrap_or(0);
    matches!(code, libc::EAGAIN | libc::ENOBUFS | libc::EINTR | libc::ENOMEM)
}
