//! `fripp record`: what arrives, into a file.
#![forbid(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::Outcome;
use crate::args::Record;
use crate::intake::{End, Event, Intake, Limits};
use crate::recording::{Start, Writer};

/// What came is in the file after this at the latest.
const FLUSH: Duration = Duration::from_millis(500);

pub fn run(args: Record) -> Outcome {
    let path = &args.output;
    let wrong = |error: io::Error| format!("{}: {error}", path.display());
    let file = create(path, args.force)?;
    let mut intake = Intake::open(&args.source, None).inspect_err(|_| {
        // nothing will be in it
        let _ = std::fs::remove_file(path);
    })?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let start = Instant::now();
    let command: Vec<String> =
        args.source.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let mut writer = Writer::new(
        file,
        &Start {
            unix_us: since.as_micros() as u64,
            address: intake.receiver.bound.to_string(),
            command: command.join(" "),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
    )
    .map_err(wrong)?;
    if !intake.has_command() {
        eprintln!("fripp: receiving at {}", intake.receiver.bound);
    }
    let losses = intake.receiver.losses();
    let mut failed = None;
    let limits = Limits { tick: Some(FLUSH), ..Limits::default() };
    let end = intake.run(limits, &mut |event| {
        let written = match event {
            Event::Datagram(datagram) => {
                writer.datagram(start.elapsed().as_micros() as u64, datagram)
            }
            Event::Tick => {
                writer.drops(losses.count());
                writer.flush()
            }
            Event::Wake => Ok(()),
        };
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    if let Some(error) = failed {
        return Err(wrong(error));
    }
    writer.drops(losses.count());
    let counts = writer.end(start.elapsed().as_micros() as u64).map_err(wrong)?;
    eprintln!(
        "fripp: {} lines in {} datagrams, {} bytes: {}; {} dropped by the kernel",
        counts.lines,
        counts.datagrams,
        counts.bytes,
        path.display(),
        counts.drops
    );
    match end {
        End::Command(status) => Ok(status),
        _ => Ok(0),
    }
}

fn create(path: &Path, force: bool) -> Result<File, String> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    options.open(path).map_err(|wrong| match wrong.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{}: is there already; --force overwrites it", path.display())
        }
        _ => format!("{}: {wrong}", path.display()),
    })
}
