//! `fripp top`: each metric's figures.

use std::io;
use std::ops::ControlFlow;
use std::time::Instant;

use crate::args::Top;
use crate::intake::{End, Event, Intake, Limits};
use crate::tally::Tally;
use crate::{Outcome, table};

pub fn run(args: Top) -> Outcome {
    let mut intake = Intake::open(&args.source, None)?;
    let mut tally = Tally::new(None);
    let start = Instant::now();
    let end = intake.run(Limits::default(), &mut |event| {
        if let Event::Datagram(datagram) = event {
            tally.add_datagram(datagram);
        }
        ControlFlow::Continue(())
    })?;
    let lost = intake.receiver.lost();
    table::write(&mut io::stdout().lock(), &mut tally, start.elapsed(), lost)
        .map_err(|wrong| format!("standard output: {wrong}"))?;
    match end {
        End::Command(status) => Ok(status),
        _ => Ok(0),
    }
}
