//! `fripp record`: what arrives, into a file.
#![forbid(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::args::{Record, Source};
use crate::intake::{End, Event, Intake, Limits};
use crate::receive::Losses;
use crate::recording::{Counts, Start, Writer};
use crate::{Outcome, dialect};

/// What came is in the file after this at the latest.
const FLUSH: Duration = Duration::from_millis(500);

pub fn run(args: Record) -> Outcome {
    let (mut intake, mut recorder) = Recorder::open(&args.output, args.force, &args.source, None)?;
    intake.announce();
    let mut failed = None;
    let limits = Limits { tick: Some(FLUSH), ..Limits::default() };
    let end = intake.run(limits, &mut |event| match recorder.take(&event) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    })?;
    failed.map_or(Ok(()), Err)?;
    intake.report();
    let counts = recorder.end()?;
    say!(
        "{} lines in {} datagrams, {} bytes: {}; {} dropped by the kernel",
        counts.lines,
        counts.datagrams,
        counts.bytes,
        args.output.display(),
        counts.drops
    );
    match end {
        End::Command(status) => Ok(status),
        _ => Ok(0),
    }
}

/// Keeps what comes in.
pub struct Recorder {
    path: PathBuf,
    writer: Writer<File>,
    start: Instant,
    losses: Losses,
}

impl Recorder {
    /// An intake, and the recording of what it will give. Where there is no
    /// intake, there is no file.
    pub fn open(
        path: &Path,
        force: bool,
        source: &Source,
        output: Option<&File>,
    ) -> Result<(Intake, Recorder), String> {
        let (file, is_new) = open(path, force)?;
        let intake = Intake::open(source, output).inspect_err(|_| {
            if is_new {
                let _ = std::fs::remove_file(path);
            }
        })?;
        // only now is what was there before not needed
        empty(&file).map_err(|error| named(path, &error))?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let command: Vec<String> =
            source.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let start = Start {
            unix_us: since.as_micros() as u64,
            address: intake.receiver.bound.clone(),
            command: command.join(" "),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            dialect: intake.dialect.map(dialect::name).unwrap_or_default().to_owned(),
        };
        let writer = Writer::new(file, &start).map_err(|error| named(path, &error))?;
        let losses = intake.receiver.losses();
        Ok((intake, Recorder { path: path.to_owned(), writer, start: Instant::now(), losses }))
    }

    /// A tick: all that came before is in the file then.
    pub fn take(&mut self, event: &Event<'_>) -> Result<(), String> {
        let taken = match event {
            Event::Datagram(datagram, _) => {
                self.writer.datagram(self.start.elapsed().as_micros() as u64, datagram)
            }
            Event::Tick => {
                self.writer.drops(self.losses.count());
                self.writer.flush()
            }
            Event::Wake => Ok(()),
        };
        taken.map_err(|error| named(&self.path, &error))
    }

    /// Ends the recording. What is in it.
    pub fn end(mut self) -> Result<Counts, String> {
        self.writer.drops(self.losses.count());
        let at_us = self.start.elapsed().as_micros() as u64;
        self.writer.end(at_us).map_err(|error| named(&self.path, &error))
    }
}

fn named(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// Opens a file to write, with what was in it if `force` allows that; and
/// whether it is new.
fn open(path: &Path, force: bool) -> Result<(File, bool), String> {
    let new = OpenOptions::new().write(true).create_new(true).open(path);
    let opened = match new {
        Err(wrong) if wrong.kind() == io::ErrorKind::AlreadyExists => {
            if !force {
                return Err(format!("{}: is there already; --force overwrites it", path.display()));
            }
            OpenOptions::new().write(true).open(path).map(|file| (file, false))
        }
        new => new.map(|file| (file, true)),
    };
    opened.map_err(|wrong| named(path, &wrong))
}

/// Empties a file; a pipe or a device is empty.
fn empty(file: &File) -> io::Result<()> {
    if file.metadata()?.is_file() { file.set_len(0) } else { Ok(()) }
}

/// Writes a whole file, which may only be there before if `force` allows it.
pub fn write_whole(path: &Path, force: bool, contents: &[u8]) -> Result<(), String> {
    let (mut file, _) = open(path, force)?;
    let written = empty(&file).and_then(|()| file.write_all(contents));
    written.map_err(|error| named(path, &error))
}
