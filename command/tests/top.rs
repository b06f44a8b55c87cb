//! `fripp top`, with real processes, and in a real terminal.

#[allow(dead_code)]
#[path = "common/mod.rs"]
mod command;

use std::process::Command;
use std::time::{Duration, Instant};

use command::{FRIPP, Receiving, fripp, fripp_script, signal, stderr, stdout};
use rustix::process::Signal;

#[test]
fn a_table_at_the_end_of_a_command() {
    let script = "for n in 1 2 3; do echo \"q $n total\"; echo \"load $n ms\"; done | \
        $FRIPP send -d statsd; echo 'load:9|ms' | $FRIPP send; exit 3";
    let output = fripp_script("top", script);
    let text = stdout(&output);
    let row = |name: &str| -> Vec<String> {
        let line =
            text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{text}"));
        line.split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(row("q ")[..3], ["q", "counter", "1"]);
    let load = row("load ");
    assert_eq!((&load[1][..], &load[3..5]), ("4", &["3.75".to_owned(), "2".to_owned()][..]));
    assert_eq!(load[11..], ["9", "15"]);
    assert!(text.ends_with("5 lines in 2 datagrams\n"), "{text}");
    assert_eq!((output.status.code(), stderr(&output)), (Some(3), String::new()));
}

#[test]
fn without_a_command_until_a_signal_or_a_time() {
    let top = Receiving::start("top 127.0.0.1:0 --timeout 0.2");
    let (status, out, _) = top.end();
    assert_eq!((status, &out[..]), (0, "0 lines in 0 datagrams\n"));
    let top = Receiving::start("top 127.0.0.1:0");
    let sent = fripp(&format!("send a 5 c --to {}", top.address)).status().unwrap();
    assert!(sent.success());
    signal(top.child.id(), Signal::INT);
    let (status, out, _) = top.end();
    assert!(out.contains("a       counter      1"), "{out}");
    assert_eq!(status, 0);
}

#[test]
fn who_reads_the_table_has_seen_enough() {
    let mut top = Receiving::start("top 127.0.0.1:0 --timeout 0.2");
    drop(top.child.stdout.take());
    let (status, _, err) = top.end();
    assert_eq!((status, &err[..]), (0, ""));
}

#[test]
fn what_is_wrong_is_told() {
    for (line, said) in [
        ("top --filter [ 127.0.0.1:0", "--filter: unclosed character class"),
        ("top --scale size 127.0.0.1:0", "say PATTERN=FACTOR, as in '*.size=1/1024'"),
        ("top --scale size=big 127.0.0.1:0", "'big' is no factor: say a number, or 1/1024"),
        ("top nowhere", "'nowhere' is no address"),
        ("top -- /no/such/program", "/no/such/program: No such file"),
    ] {
        let output = fripp(line).output().unwrap();
        let text = stderr(&output);
        assert!(text.contains(said), "{line}: {text}");
        assert_eq!(output.status.code(), Some(2), "{line}");
    }
}

#[test]
fn man_pages_and_completions() {
    let folder = std::env::temp_dir().join(format!("fripp-pages-{}", std::process::id()));
    let output = fripp(&format!("pages {}", folder.display())).output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    for (file, text) in [
        ("fripp.1", "fripp\\-top(1)"),
        ("fripp-listen.1", "\\-\\-match"),
        ("fripp-send.1", "\\-\\-prefix"),
        ("fripp-top.1", "\\-\\-scale"),
        ("fripp.bash", "listen"),
        ("_fripp", "--timeout"),
        ("fripp.fish", "dialect"),
    ] {
        let page = std::fs::read_to_string(folder.join(file)).expect(file);
        assert!(page.contains(text), "{file}");
    }
    assert!(!folder.join("fripp-pages.1").exists());
    std::fs::remove_dir_all(folder).unwrap();
}

/// A terminal of tmux's own server, which goes with it.
struct Tmux(String);

impl Tmux {
    fn new(name: &str) -> Option<Tmux> {
        Command::new("tmux").arg("-V").output().ok()?;
        let tmux = Tmux(format!("fripp-{name}-{}", std::process::id()));
        tmux.run(&["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "sh"]);
        Some(tmux)
    }

    fn run(&self, args: &[&str]) -> String {
        let output = Command::new("tmux").args(["-L", &self.0]).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        stdout(&output)
    }

    fn keys(&self, keys: &[&str]) {
        self.run(&[&["send-keys"], keys].concat());
    }

    /// Waits until the screen is as it should be.
    #[track_caller]
    fn wait(&self, what: &str, is_right: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let screen = self.run(&["capture-pane", "-p"]);
            if is_right(&screen) {
                return screen;
            }
            assert!(Instant::now() < deadline, "{what}:\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux").args(["-L", &self.0, "kill-server"]).output();
    }
}

#[test]
fn in_a_terminal() {
    let Some(tmux) = Tmux::new("top") else {
        eprintln!("without tmux this is not tried");
        return;
    };
    let sends =
        format!("{FRIPP} send first 7 gauge; {FRIPP} send load 2.5 timer; echo noise; sleep 600");
    let line = format!("{FRIPP} top -- sh -c '{sends}'; echo status $?");
    tmux.keys(&[&line, "Enter"]);
    // not the line that was typed, which has their names, too
    tmux.wait("both metrics", |screen| screen.contains("2 metrics"));
    tmux.keys(&["Down"]);
    tmux.wait("the timing's figures", |screen| screen.contains("load in its last second, ms"));
    tmux.keys(&["?"]);
    tmux.wait("help", |screen| screen.contains("this help"));
    tmux.keys(&["Escape"]);
    // another size
    tmux.run(&["resize-window", "-x", "180", "-y", "40"]);
    let wide = tmux.wait("the figures in the row", |screen| screen.contains("p99.9      min"));
    assert!(!wide.contains("noise") && !wide.contains("this help"), "{wide}");
    tmux.keys(&["q"]);
    // what the command wrote, the table, and a shell that works
    let end = tmux.wait("the end", |screen| screen.contains("status 0"));
    assert!(end.contains("noise") && end.contains("2 lines in 2 datagrams"), "{end}");
    tmux.keys(&["echo back again", "Enter"]);
    tmux.wait("a shell", |screen| screen.contains("\nback again"));
}

/// The command, which the terminal's shell runs, or a shell of that shell.
fn in_front(tmux: &Tmux) -> String {
    let panes = tmux.run(&["list-panes", "-F", "#{pane_pid}"]);
    let mut pid = panes.trim().to_owned();
    while std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap().trim() != "fripp" {
        pid = child_of(&pid);
    }
    pid
}

/// A process whose parent this is.
fn child_of(pid: &str) -> String {
    let processes = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap());
    let mut names = processes.filter_map(|entry| entry.file_name().into_string().ok());
    let child = names.find(|name| {
        // name, in parentheses, state, parent
        let stat = std::fs::read_to_string(format!("/proc/{name}/stat")).unwrap_or_default();
        let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        after_name.split(' ').nth(1) == Some(pid)
    });
    child.unwrap()
}

fn wait_for_end(pid: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    // a zombie is one that no process has reaped yet
    let state = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    while !state().is_empty() && !state().contains(") Z ") {
        assert!(Instant::now() < deadline, "{pid} goes on: {}", state());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_terminal_that_goes_is_the_end() {
    let with_child = " -- sh -c 'echo $$ >$PIDS; exec sleep 600'";
    for (name, command) in [("gone", ""), ("gone-child", with_child)] {
        let Some(tmux) = Tmux::new(name) else {
            eprintln!("without tmux this is not tried");
            return;
        };
        let pids = std::env::temp_dir().join(format!("fripp-pids-{}", std::process::id()));
        std::fs::write(&pids, "").unwrap();
        let line = format!("PIDS={} {FRIPP} top 127.0.0.1:0{command}", pids.display());
        tmux.keys(&[&line, "Enter"]);
        tmux.wait("a screen", |screen| screen.contains("nothing has come yet"));
        let top = in_front(&tmux);
        drop(tmux);
        wait_for_end(&top);
        let child = std::fs::read_to_string(&pids).unwrap();
        if !command.is_empty() {
            wait_for_end(child.trim());
        }
        std::fs::remove_file(&pids).unwrap();
    }
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let Some(tmux) = Tmux::new("signal") else {
        eprintln!("without tmux this is not tried");
        return;
    };
    let line = format!("{FRIPP} top 127.0.0.1:0; echo status $?");
    tmux.keys(&[&line, "Enter"]);
    tmux.wait("a screen", |screen| screen.contains("nothing has come yet"));
    signal(in_front(&tmux).parse().unwrap(), Signal::TERM);
    let end = tmux.wait("the end", |screen| screen.contains("status 0"));
    assert!(end.contains("0 lines in 0 datagrams"), "{end}");
    tmux.keys(&["echo back again", "Enter"]);
    tmux.wait("a shell", |screen| screen.contains("\nback again"));
}

#[test]
fn ctrl_z_suspends_and_fg_goes_on() {
    let Some(tmux) = Tmux::new("suspend") else {
        eprintln!("without tmux this is not tried");
        return;
    };
    tmux.keys(&[&format!("{FRIPP} top 127.0.0.1:0"), "Enter"]);
    tmux.wait("a screen", |screen| screen.contains("nothing has come yet"));
    tmux.keys(&["C-z"]);
    // what is typed before the shell reads stands before its prompt
    tmux.wait("no screen", |screen| screen.contains("Stopped"));
    tmux.keys(&["echo the shell", "Enter"]);
    tmux.wait("a shell", |screen| screen.contains("\nthe shell"));
    tmux.keys(&["fg", "Enter"]);
    tmux.wait("the screen", |screen| screen.contains("nothing has come yet"));
    tmux.keys(&["q"]);
    tmux.wait("the end", |screen| screen.contains("0 lines in 0 datagrams"));
}

#[test]
fn a_dumb_terminal_has_a_table_only() {
    let Some(tmux) = Tmux::new("dumb") else {
        eprintln!("without tmux this is not tried");
        return;
    };
    let line = format!("TERM=dumb {FRIPP} top 127.0.0.1:0 --timeout 0.2; echo status $?");
    tmux.keys(&[&line, "Enter"]);
    let end = tmux.wait("the end", |screen| screen.contains("status 0"));
    assert!(end.contains("receiving at 127.0.0.1:"), "{end}");
    assert!(end.contains("0 lines in 0 datagrams"), "{end}");
}
