//! The terminal's keys, while there is a terminal.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyEvent};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

pub struct Keyboard(OwnedFd);

impl Keyboard {
    /// Where crossterm reads, too.
    pub fn open() -> io::Result<Keyboard> {
        let stdin = rustix::stdio::stdin();
        match stdin.is_terminal() {
            true => stdin.try_clone_to_owned().map(Keyboard),
            false => File::open("/dev/tty").map(|tty| Keyboard(tty.into())),
        }
    }

    /// The next key, until some time; none also where the screen has another
    /// size. A terminal that has gone is an error: crossterm would read its
    /// end for ever.
    pub fn key(&self, until: Instant) -> io::Result<Option<KeyEvent>> {
        let left = until.saturating_duration_since(Instant::now());
        let timeout =
            Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(wrong) => return Err(wrong.into()),
        }
        if fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return Err(io::Error::other("it has gone"));
        }
        if !event::poll(Duration::ZERO)? {
            return Ok(None);
        }
        match event::read()? {
            Event::Key(key) => Ok(Some(key)),
            _ => Ok(None),
        }
    }
}
