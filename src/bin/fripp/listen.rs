//! `fripp listen`: what arrives, line by line.

use std::io::{self, ErrorKind, Write};
use std::ops::ControlFlow;

use crate::args::Listen;
use crate::intake::{End, Event, Intake, Limits};
use crate::{Outcome, wire};

pub fn run(args: Listen) -> Outcome {
    let mut intake = Intake::open(&args.source, None)?;
    if !intake.has_command() {
        eprintln!("fripp: receiving at {}", intake.receiver.bound);
    }
    let mut output = io::stdout().lock();
    let mut wrong = None;
    let end = intake.run(Limits::default(), &mut |event| {
        let Event::Datagram(datagram) = event else { return ControlFlow::Continue(()) };
        match write(&mut output, datagram) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                wrong = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    match (wrong, end) {
        // who reads has seen enough
        (Some(wrong), _) if wrong.kind() == ErrorKind::BrokenPipe => Ok(0),
        (Some(wrong), _) => Err(format!("standard output: {wrong}")),
        (None, End::Command(status)) => Ok(status),
        (None, _) => Ok(0),
    }
}

/// A datagram is out before the next one is taken.
fn write(output: &mut impl Write, datagram: &[u8]) -> io::Result<()> {
    for line in wire::lines(datagram) {
        output.write_all(line)?;
        output.write_all(b"\n")?;
    }
    output.flush()
}
