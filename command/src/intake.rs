//! What comes in: datagrams from the receiver, until the command or the input
//! has ended, a signal came, time is up, or who looks at them has seen enough.

use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::SIGINT;

use crate::address::Address;
use crate::args::Source;
use crate::child::Child;
use crate::dialect::Dialect;
use crate::forward::Forward;
use crate::receive::{Receiver, Sender};
use crate::signals::{Signals, Waker};

/// Datagrams between looks at anything else.
const BATCH: usize = 256;
/// How long to go on with what has come when there is to be an end.
const REST: Duration = Duration::from_secs(3);

pub struct Intake {
    pub receiver: Receiver,
    /// How lines are read: as the option says, or the address.
    pub dialect: Option<Dialect>,
    forward: Option<Forward>,
    signals: Signals,
    child: Option<Child>,
    interrupted: bool,
    limits: Limits,
}

/// When to look up from datagrams.
#[derive(Default)]
pub struct Limits {
    /// The end of it all.
    pub end: Option<Instant>,
    /// Between ticks.
    pub tick: Option<Duration>,
}

pub enum Event<'a> {
    Datagram(&'a [u8], &'a Sender),
    /// A tick's time has come.
    Tick,
    /// Somebody waked.
    Wake,
}

/// Why nothing more comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Who looks has seen enough.
    Enough,
    TimeUp,
    Signal(i32),
    /// The command ended with this status; what it had sent was taken.
    Command(u8),
    /// A file has been read to its end.
    File,
}

impl Intake {
    /// Binds the address, and starts the command if there is one. `output` is
    /// for what it writes.
    pub fn open(source: &Source, output: Option<&std::fs::File>) -> Result<Intake, String> {
        let default = if source.command.is_empty() { Address::DEFAULT } else { Address::ANY_PORT };
        let mut address = Address::parse(source.address.as_deref().unwrap_or(default))?;
        if let Some(dialect) = source.dialect {
            address.set_dialect(dialect)?;
        }
        let dialect = address.dialect;
        let receiver = Receiver::bind(address)?;
        if receiver.is_file() && !source.command.is_empty() {
            return Err(format!("a COMMAND cannot send to {}", receiver.bound));
        }
        let forward = source.forward.as_deref().map(Forward::open).transpose()?;
        let signals = Signals::new().map_err(|wrong| format!("signals: {wrong}"))?;
        let child = match &source.command[..] {
            [] => None,
            command => Some(Child::start(command, &receiver.uri(), output)?),
        };
        let limits = Limits::default();
        Ok(Intake { receiver, dialect, forward, signals, child, interrupted: false, limits })
    }

    /// Makes a `Wake` come at once, from any thread.
    pub fn waker(&self) -> Result<Waker, String> {
        self.signals.waker().map_err(|wrong| format!("signals: {wrong}"))
    }

    /// Whether a COMMAND is run.
    pub fn has_command(&self) -> bool {
        self.child.is_some()
    }

    /// Gives `look` what comes, until it breaks or there is another end.
    /// A command that still runs then is told to end, and waited for.
    pub fn run(
        &mut self,
        limits: Limits,
        look: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<End, String> {
        self.limits = limits;
        let end = self.take_all(look)?;
        if matches!(end, End::Signal(_) | End::TimeUp) {
            self.take_rest(look)?;
        }
        if let Some(child) = self.child.as_mut().filter(|_| !matches!(end, End::Command(_))) {
            child.end();
            while self.child_ended()?.is_none() {
                self.wait(self.child.as_ref().and_then(Child::next_look))?;
                self.signals.take();
            }
        }
        Ok(end)
    }

    /// Says where it receives, unless a COMMAND is told that or it is known.
    pub fn announce(&self) {
        if self.child.is_none() && !self.receiver.is_file() {
            say!("receiving at {}", self.receiver.bound);
        }
    }

    /// Says what was left out, or not forwarded.
    pub fn report(&self) {
        self.receiver.report();
        if let Some(forward) = &self.forward {
            forward.report();
        }
    }

    fn take_all(
        &mut self,
        look: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<End, String> {
        let mut next_tick = self.limits.tick.map(|tick| Instant::now() + tick);
        loop {
            // in this order: what it sent before it ended is there by now
            let ended = self.child_ended()?;
            let (taken, flow) = self.take_batch(look)?;
            if flow.is_break() {
                return Ok(End::Enough);
            }
            if let (Some(status), true) = (ended, taken < BATCH) {
                return Ok(End::Command(status));
            }
            if self.receiver.has_ended() {
                return Ok(End::File);
            }
            let now = Instant::now();
            if let (Some(at), Some(tick)) = (next_tick, self.limits.tick)
                && at <= now
            {
                // none is made up for, if we were held up
                next_tick = Some(if at + tick > now { at + tick } else { now + tick });
                if look(Event::Tick).is_break() {
                    return Ok(End::Enough);
                }
            }
            if self.limits.end.is_some_and(|end| end <= now) {
                return Ok(End::TimeUp);
            }
            let until =
                [self.limits.end, next_tick, self.child.as_ref().and_then(Child::next_look)]
                    .into_iter()
                    .flatten()
                    .min();
            let woken = if taken == BATCH { self.wait(Some(now))? } else { self.wait(until)? };
            if woken {
                if let Some(end) = self.signal() {
                    return Ok(end);
                }
                if look(Event::Wake).is_break() {
                    return Ok(End::Enough);
                }
            }
        }
    }

    /// Takes what had come by now.
    fn take_rest(
        &mut self,
        look: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<(), String> {
        let end = Instant::now() + REST;
        while Instant::now() < end {
            let (taken, flow) = self.take_batch(look)?;
            if flow.is_break() || taken < BATCH {
                break;
            }
        }
        Ok(())
    }

    /// Takes at most a batch of datagrams, all of which are forwarded; how many
    /// there were, and whether that is enough.
    fn take_batch(
        &mut self,
        look: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<(usize, ControlFlow<()>), String> {
        let mut flow = ControlFlow::Continue(());
        let forward = &mut self.forward;
        let taken = self.receiver.receive(BATCH, &mut |datagram, sender| {
            if let Some(forward) = forward {
                forward.send(datagram);
            }
            if flow.is_continue() {
                flow = look(Event::Datagram(datagram, sender));
            }
        })?;
        Ok((taken, flow))
    }

    /// A signal ends this, or goes on to the command. The terminal's own has
    /// gone there already.
    fn signal(&mut self) -> Option<End> {
        let signal = self.signals.take()?;
        let Some(child) = &mut self.child else { return Some(End::Signal(signal)) };
        if signal != SIGINT || std::mem::replace(&mut self.interrupted, true) {
            child.end();
        }
        None
    }

    fn child_ended(&mut self) -> Result<Option<u8>, String> {
        self.child.as_mut().map_or(Ok(None), Child::ended)
    }

    /// Waits for a datagram or a signal; true if there was a signal, or a
    /// wake.
    fn wait(&self, until: Option<Instant>) -> Result<bool, String> {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let timeout = left.map(|left| Timespec {
            tv_sec: left.as_secs() as i64,
            tv_nsec: left.subsec_nanos().into(),
        });
        let all = [vec![self.signals.as_fd()], self.receiver.fds()].concat();
        let mut fds: Vec<_> =
            all.into_iter().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(!fds[0].revents().is_empty()),
            Err(wrong) => Err(format!("poll: {wrong}")),
        }
    }
}
