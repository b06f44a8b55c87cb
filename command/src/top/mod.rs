//! `fripp top`: each metric's figures, on the screen as they come in, and as
//! a table at the end.

mod chart;
mod curves;
mod history;
mod keyboard;
mod keys;
mod order;
mod screen;
mod table;
#[cfg(test)]
mod tests;
mod view;

use std::io::{self, IsTerminal, Seek};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::args::Top;
use crate::intake::{End, Event, Intake, Limits};
use crate::record::Recorder;
use crate::tally::Tally;
use crate::{Outcome, child, colour};
use history::History;
use keyboard::Keyboard;
use view::View;

/// Between ticks, of which each closes an interval.
const TICK: Duration = Duration::from_secs(1);
/// Between drawings, where no key calls for one.
const FRAME: Duration = Duration::from_millis(200);

/// What is received and what is drawn meet here.
pub struct State {
    pub tally: Tally,
    pub history: History,
    pub started: Instant,
    last_tick: Instant,
    /// Datagrams that the kernel dropped.
    pub lost: u64,
}

impl State {
    pub fn new(tally: Tally) -> State {
        let now = Instant::now();
        State { tally, history: History::default(), started: now, last_tick: now, lost: 0 }
    }

    /// Closes the interval since the tick before.
    fn tick(&mut self) {
        let now = Instant::now();
        // to a tenth: who sends once a second is to have a rate of 1
        let seconds = ((now - self.last_tick).as_secs_f64() * 10.0).round().max(1.0) / 10.0;
        self.last_tick = now;
        self.history.tick(&mut self.tally, seconds);
    }
}

pub fn run(args: Top) -> Outcome {
    let view = View::new(&args.filter, args.scale, colour::wanted(true))?;
    // a dumb terminal has no cursor to move
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let has_screen = io::stdout().is_terminal() && !args.summary && !is_dumb;
    // what a command writes would spoil the screen
    let output = has_screen.then(child::output_file).transpose()?;
    let (mut intake, recorder) = match &args.output {
        None => (Intake::open(&args.source, output.as_ref())?, None),
        Some(path) => {
            let opened = Recorder::open(path, args.force, &args.source, output.as_ref())?;
            (opened.0, Some(opened.1))
        }
    };
    let losses = intake.receiver.losses();
    let state = Mutex::new(State::new(Tally::new(intake.dialect)));
    let end = args.timeout.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds));
    let limits = Limits { end, tick: Some(TICK) };
    let end = if has_screen {
        on_screen(&mut intake, limits, &state, recorder, view)
    } else {
        intake.announce();
        receive(&mut intake, limits, &state, recorder, &AtomicBool::new(false))
    }?;
    intake.report();
    if let Some(mut output) = output {
        let copied = output.rewind().and_then(|()| io::copy(&mut output, &mut io::stdout()));
        copied.map_err(|wrong| format!("what the command wrote: {wrong}"))?;
    }
    let mut state = lock(&state);
    let lasted = state.started.elapsed();
    let size = ratatui::crossterm::terminal::size().ok().filter(|_| io::stdout().is_terminal());
    let width = size.map(|(columns, _)| usize::from(columns));
    let mut out = io::stdout().lock();
    let written = crate::table::write(&mut out, &mut state.tally, lasted, losses.count(), width);
    match written {
        // the reader has seen enough
        Err(wrong) if wrong.kind() == io::ErrorKind::BrokenPipe => {}
        written => written.map_err(|wrong| format!("standard output: {wrong}"))?,
    }
    Ok(match end {
        End::Command(status) => status,
        _ => 0,
    })
}

/// Receives on a thread of its own, and draws on this one.
fn on_screen(
    intake: &mut Intake,
    limits: Limits,
    state: &Mutex<State>,
    recorder: Option<Recorder>,
    mut view: View,
) -> Result<End, String> {
    let (waker, losses) = (intake.waker()?, intake.receiver.losses());
    let title = intake.receiver.bound.clone();
    let stop = AtomicBool::new(false);
    let keyboard = Keyboard::open().map_err(|wrong| format!("the terminal's keys: {wrong}"))?;
    // it gives the terminal back if there is a panic, on any thread
    let mut terminal = ratatui::try_init().map_err(|wrong| format!("the terminal: {wrong}"))?;
    let (drawn, end) = thread::scope(|scope| {
        let receiver = scope.spawn(|| receive(intake, limits, state, recorder, &stop));
        let mut draw = || -> io::Result<()> {
            let mut last_count = None;
            while !receiver.is_finished() {
                if last_count.is_none_or(|at: Instant| at.elapsed() >= TICK) {
                    let lost = losses.count();
                    lock(state).lost = lost;
                    last_count = Some(Instant::now());
                }
                terminal.draw(|frame| screen::draw(frame, &mut lock(state), &mut view, &title))?;
                let mut key = keyboard.key(Instant::now() + FRAME)?;
                // those that were typed ahead before the next drawing
                while let Some(pressed) = key {
                    if keys::is_suspend(&pressed) {
                        terminal = suspend()?;
                    } else if keys::press(pressed, &mut view, &mut lock(state)).is_break() {
                        stop.store(true, SeqCst);
                        waker.wake();
                    }
                    key = keyboard.key(Instant::now())?;
                }
            }
            Ok(())
        };
        let drawn = draw();
        stop.store(true, SeqCst);
        waker.wake();
        (drawn, receiver.join())
    });
    ratatui::restore();
    let end = end.unwrap_or_else(|_| Err("the receiving thread failed".to_owned()))?;
    // a terminal that has gone is a signal's doing
    match drawn {
        Err(wrong) if !matches!(end, End::Signal(_)) => Err(format!("the terminal: {wrong}")),
        _ => Ok(end),
    }
}

/// Gives the terminal back and stops, with the COMMAND, as Ctrl-Z does;
/// returns when the shell continues them.
fn suspend() -> io::Result<ratatui::DefaultTerminal> {
    ratatui::restore();
    rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
    ratatui::try_init()
}

fn receive(
    intake: &mut Intake,
    limits: Limits,
    state: &Mutex<State>,
    mut recorder: Option<Recorder>,
    stop: &AtomicBool,
) -> Result<End, String> {
    let mut failed = None;
    let end = intake.run(limits, &mut |event| {
        failed = recorder.as_mut().and_then(|recorder| recorder.take(&event).err());
        match event {
            Event::Datagram(datagram, _) => lock(state).tally.add_datagram(datagram),
            Event::Tick => lock(state).tick(),
            Event::Wake => {}
        }
        if failed.is_some() || stop.load(SeqCst) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    failed.map_or(Ok(()), Err)?;
    recorder.map(Recorder::end).transpose()?;
    Ok(end)
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
