//! Lines of a file or of standard input.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::split::Splitter;
use crate::recording;

const CHUNK: usize = 64 << 10;

#[derive(Debug)]
pub struct Input {
    file: File,
    name: String,
    pub splitter: Splitter,
    is_new: bool,
    pub has_ended: bool,
    buffer: Box<[u8]>,
}

impl Input {
    pub fn file(path: &Path) -> Result<Input, String> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|wrong| refused(&name, &wrong))?;
        Ok(Input::new(file, name))
    }

    pub fn stdin() -> Result<Input, String> {
        let name = "standard input".to_owned();
        let stdin: io::Result<OwnedFd> = io::stdin().as_fd().try_clone_to_owned();
        let file = stdin.map_err(|wrong| refused(&name, &wrong))?;
        Ok(Input::new(file.into(), name))
    }

    fn new(file: File, name: String) -> Input {
        let buffer = vec![0; CHUNK].into_boxed_slice();
        let splitter = Splitter::of_lines();
        Input { file, name, splitter, is_new: true, has_ended: false, buffer }
    }

    /// Gives the lines of a chunk, if one is there; false if none is.
    pub fn receive(&mut self, give: &mut dyn FnMut(&[u8])) -> Result<bool, String> {
        if self.has_ended || !is_ready(&self.file) {
            return Ok(false);
        }
        let n = self.file.read(&mut self.buffer).map_err(|wrong| refused(&self.name, &wrong))?;
        let chunk = &self.buffer[..n];
        if std::mem::take(&mut self.is_new) && chunk.starts_with(&recording::HEADER[..8]) {
            return Err(format!("{}: a recording: see fripp report", self.name));
        }
        if n == 0 {
            self.has_ended = true;
            self.splitter.end(give);
        } else {
            self.splitter.feed(chunk, give);
        }
        Ok(true)
    }
}

impl AsFd for Input {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Whether a read returns at once. Standard input is shared: it cannot be
/// made one that never waits.
fn is_ready(file: &File) -> bool {
    let mut fds = [PollFd::new(file, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::default())).is_ok_and(|n| n > 0)
}

fn refused(name: &str, wrong: &io::Error) -> String {
    let why = match wrong.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "no permission to read it".to_owned(),
        io::ErrorKind::IsADirectory => "a folder".to_owned(),
        _ => wrong.to_string(),
    };
    format!("{name}: {why}")
}
