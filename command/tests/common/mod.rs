//! The command as a process.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

pub const FRIPP: &str = env!("CARGO_BIN_EXE_fripp");

/// A command with this command line, cut at blanks, and nothing of the
/// caller's environment that could change what it does.
pub fn fripp(line: &str) -> Command {
    program(FRIPP, line)
}

/// The same of another program that runs the command.
pub fn program(program: &str, line: &str) -> Command {
    let mut command = Command::new(program);
    command.args(line.split_whitespace());
    command.env_remove("FLUX_FRIPP_STATSD").env_remove("NO_COLOR").env("FRIPP", FRIPP);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The same with `-- sh -c SCRIPT`.
pub fn fripp_script(line: &str, script: &str) -> Output {
    fripp(line).args(["--", "sh", "-c", script]).output().unwrap()
}

/// Sends it a signal, where no program `kill` is installed as well.
pub fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid as i32).unwrap(), signal).unwrap();
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// One that receives, once it does, and where. It is killed in the end.
pub struct Receiving {
    pub child: Child,
    pub address: String,
    stderr: BufReader<ChildStderr>,
}

impl Receiving {
    pub fn start(line: &str) -> Receiving {
        Receiving::of(&mut fripp(line))
    }

    pub fn of(command: &mut Command) -> Receiving {
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        stderr.read_line(&mut said).unwrap();
        let address = said.trim().strip_prefix("fripp: receiving at ").expect(&said).to_owned();
        Receiving { child, address, stderr }
    }

    /// Waits for its end: its status, and what it wrote.
    pub fn end(mut self) -> (i32, String, String) {
        let (mut out, mut err) = (String::new(), String::new());
        if let Some(stdout) = &mut self.child.stdout {
            stdout.read_to_string(&mut out).unwrap();
        }
        self.stderr.read_to_string(&mut err).unwrap();
        (self.child.wait().unwrap().code().unwrap_or(-1), out, err)
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
