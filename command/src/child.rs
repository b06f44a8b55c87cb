//! The COMMAND that is run: it sends to us, and its exit status is ours.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use fripp::uri::Uri;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How long a command has to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);

pub struct Child {
    process: std::process::Child,
    /// It has a process group of its own, with all that it starts.
    is_group: bool,
    /// When it is killed, once it was told to end.
    kill_at: Option<Instant>,
}

impl Child {
    /// Starts a command that is to send to `statsd`. It has our terminal, or
    /// none: what it writes goes to `output` then.
    pub fn start(
        command: &[OsString],
        statsd: &str,
        output: Option<&File>,
    ) -> Result<Child, String> {
        let [program, args @ ..] = command else { return Err("no COMMAND".to_owned()) };
        let shown = program.display();
        let mut command = Command::new(program);
        command.args(args).env(Uri::VARIABLE, statsd);
        if let Some(output) = output {
            let clone = || output.try_clone().map_err(|wrong| format!("{shown}: {wrong}"));
            command.stdin(Stdio::null()).stdout(clone()?).stderr(clone()?).process_group(0);
        }
        let process = command.spawn().map_err(|wrong| format!("{shown}: {wrong}"))?;
        Ok(Child { process, is_group: output.is_some(), kill_at: None })
    }

    /// Its exit status once it has ended, as a shell would say it.
    pub fn ended(&mut self) -> Result<Option<u8>, String> {
        let ended = self.process.try_wait().map_err(|wrong| format!("the command: {wrong}"))?;
        if ended.is_none() && self.kill_at.is_some_and(|at| at <= Instant::now()) {
            self.kill_at = None;
            self.signal(Signal::KILL);
        }
        Ok(ended.map(status))
    }

    /// Tells it to end. It is killed if it does not.
    pub fn end(&mut self) {
        if self.kill_at.is_none() {
            self.signal(Signal::TERM);
            self.kill_at = Some(Instant::now() + GRACE);
        }
    }

    /// When `ended` is to be asked next, whatever happens.
    pub fn next_look(&self) -> Option<Instant> {
        self.kill_at
    }

    fn signal(&self, signal: Signal) {
        // it is not reaped yet, so that the number is its own
        let pid = Pid::from_child(&self.process);
        let _ = match self.is_group {
            true => kill_process_group(pid, signal),
            false => kill_process(pid, signal),
        };
    }
}

/// A file without a name for what a command writes while the screen is not
/// its own.
pub fn output_file() -> Result<File, String> {
    let folder = std::env::temp_dir();
    let path = folder.join(format!("fripp-{}", std::process::id()));
    let opened = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path);
    let file = opened.map_err(|wrong| format!("{}: {wrong}", path.display()))?;
    std::fs::remove_file(&path).map_err(|wrong| format!("{}: {wrong}", path.display()))?;
    Ok(file)
}

fn status(status: ExitStatus) -> u8 {
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
