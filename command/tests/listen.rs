//! `fripp listen`, with real processes and sockets.

#[allow(dead_code)]
#[path = "common/mod.rs"]
mod command;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::UnixDatagram;
use std::process::{Output, Stdio};

use command::{FRIPP, Receiving, fripp, fripp_script, program, signal, stderr, stdout};
use rustix::process::Signal;

fn send(to: &str, datagram: &str) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(datagram.as_bytes(), to).unwrap();
}

#[test]
fn a_commands_lines_and_its_status() {
    let output = fripp_script("listen", "$FRIPP send a.b 1 c; $FRIPP send t 2.5 ms; exit 7");
    assert_eq!(stdout(&output), "a.b:1|c\nt:2.5|ms\n");
    assert_eq!((output.status.code(), stderr(&output)), (Some(7), String::new()));
}

#[test]
fn settings_are_the_commands() {
    let output =
        fripp_script("listen [::1]:0?prefix=p", "echo $FLUX_FRIPP_STATSD; $FRIPP send a 1 c");
    let lines = stdout(&output);
    let (uri, line) = lines.split_once('\n').unwrap();
    assert!(uri.starts_with("[::1]:") && uri.ends_with("?prefix=p"), "{uri}");
    assert_eq!(line, "p.a:1|c\n");
}

#[test]
fn a_line_is_out_before_the_next_datagram() {
    let mut listen = Receiving::start("listen 127.0.0.1:0 --count 3");
    let mut lines = BufReader::new(listen.child.stdout.take().unwrap()).lines();
    for n in 0..3 {
        send(&listen.address, &format!("a:{n}|c"));
        assert_eq!(lines.next().unwrap().unwrap(), format!("a:{n}|c"));
    }
    assert_eq!(listen.end().0, 0);
}

#[test]
fn what_is_waited_for() {
    let listen = Receiving::start("listen 127.0.0.1:0 --match ^b:\\d+ --count 2");
    for datagram in ["a:1|c\nb:2|c", "b:x|s", "b:3|c", "b:4|c"] {
        send(&listen.address, datagram);
    }
    let (status, out, _) = listen.end();
    assert_eq!((status, &out[..]), (0, "b:2|c\nb:3|c\n"));

    let listen = Receiving::start("listen 127.0.0.1:0 --match b --timeout 0.2");
    send(&listen.address, "a:1|c");
    let (status, out, _) = listen.end();
    assert_eq!((status, &out[..]), (1, ""));

    let listen = Receiving::start("listen 127.0.0.1:0 --timeout 0.2");
    assert_eq!(listen.end().0, 0);
}

#[test]
fn what_a_command_was_to_send() {
    let script = "$FRIPP send a 1 c; $FRIPP send b 1 c; $FRIPP send a 2 c";
    for (options, status, out) in [
        ("listen --match ^a --count 2", 0, "a:1|c\na:2|c\n"),
        ("listen --match ^a --count 1", 0, "a:1|c\n"),
        ("listen --match ^a --count 3", 1, "a:1|c\na:2|c\n"),
        ("listen --match ^c", 1, ""),
    ] {
        let output = fripp_script(options, script);
        assert_eq!((output.status.code(), &stdout(&output)[..]), (Some(status), out), "{options}");
    }
    // one that does not end is ended
    let output =
        fripp_script("listen --match ^a --timeout 0.3", "$FRIPP send a 1 c; exec sleep 60");
    assert_eq!((output.status.code(), &stdout(&output)[..]), (Some(1), "a:1|c\n"));
}

#[test]
fn json() {
    let output = fripp_script("listen --json --dialect statsd", "$FRIPP send -d brubeck a 1 C");
    let read: serde_json::Value =
        serde_json::from_str(stdout(&output).lines().last().unwrap()).unwrap();
    assert_eq!(read["metrics"][0]["type"], "total");
    assert!(read["problems"][0].as_str().unwrap().contains("added up"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_a_server_would_refuse() {
    let output = fripp_script(
        "listen --dialect telegraf",
        "$FRIPP send -d brubeck a 1 C; $FRIPP send b 1 c",
    );
    assert_eq!(output.status.code(), Some(1));
    // what brubeck adds up from goes first
    assert_eq!(stdout(&output), "a:0.000000001|C\na:1|C\nb:1|c\n");
    let said = "a:1|C: a running total (C) is refused: only brubeck has them\n";
    assert!(stderr(&output).ends_with(said));
    let output = fripp_script("listen --dialect brubeck", "$FRIPP send a 1 C; $FRIPP send b 1 c");
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
}

#[test]
fn a_server_behind_it_has_all() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = server.local_addr().unwrap();
    let listen = Receiving::start(&format!("listen 127.0.0.1:0 -n 2 --forward {to}"));
    send(&listen.address, "a:1|c\nb:1|c");
    let mut buffer = [0; 64];
    let len = server.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..len], b"a:1|c\nb:1|c");
    let (status, out, err) = listen.end();
    assert_eq!((status, &out[..], &err[..]), (0, "a:1|c\nb:1|c\n", ""));
}

#[test]
fn json_has_the_senders_address() {
    let listen = Receiving::start("listen 127.0.0.1:0 --json -n 1");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(b"a:1|c", &listen.address).unwrap();
    let read: serde_json::Value = serde_json::from_str(&listen.end().1).unwrap();
    assert_eq!(read["from"], socket.local_addr().unwrap().to_string());

    let path = std::env::temp_dir().join(format!("fripp-from-{}", std::process::id()));
    let listen = Receiving::start(&format!("listen unix:@{} --json -n 2", path.display()));
    let to = std::os::unix::net::SocketAddr::from_abstract_name(path.to_str().unwrap()).unwrap();
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.send_to_addr(b"a:1|c", &to).unwrap();
    UnixDatagram::unbound().unwrap().send_to_addr(b"b:1|c", &to).unwrap();
    let out = listen.end().1;
    std::fs::remove_file(&path).unwrap();
    let mut lines = out.lines().map(|line| serde_json::from_str(line).unwrap());
    let named: serde_json::Value = lines.next().unwrap();
    assert_eq!(named["from"], format!("unix:{}", path.display()));
    let unnamed: serde_json::Value = lines.next().unwrap();
    assert!(unnamed.get("from").is_none(), "{unnamed}");
}

#[test]
fn a_dialect_is_the_commands_too() {
    for options in ["listen -d statsd", "listen 127.0.0.1:0?dialect=statsd"] {
        let output =
            fripp_script(options, "$FRIPP send a 3 C; $FRIPP send --to $FLUX_FRIPP_STATSD b 1 h");
        assert_eq!(stdout(&output), "a:3|c\nb:1|ms\n", "{options}");
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    }
    let output = fripp("listen -d statsd 127.0.0.1:0?dialect=telegraf").output().unwrap();
    assert!(stderr(&output).contains("but the address has dialect=telegraf"));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn unix_sockets() {
    let path = std::env::temp_dir().join(format!("fripp-listen-{}", std::process::id()));
    let listen = Receiving::start(&format!("listen unix:{} -n 1", path.display()));
    assert_eq!(listen.address, format!("unix:{}", path.display()));
    UnixDatagram::unbound().unwrap().send_to(b"a:1|c", &path).unwrap();
    assert_eq!(listen.end().1, "a:1|c\n");
    assert!(!path.exists());

    let name = format!("unix:@fripp-listen-{}", std::process::id());
    let output = fripp_script(&format!("listen {name}"), "$FRIPP send a 1 c");
    assert_eq!(stdout(&output), "a:1|c\n");
}

#[test]
fn a_relative_path_is_in_this_folder_also_for_the_command() {
    let folder = std::env::temp_dir();
    let name = format!("fripp-relative-{}", std::process::id());
    let mut command = fripp(&format!("listen unix:{name}"));
    command.args(["--", "sh", "-c", "cd /; $FRIPP send a 1 c"]).current_dir(&folder);
    let output = command.output().unwrap();
    assert_eq!((stdout(&output), stderr(&output)), ("a:1|c\n".to_owned(), String::new()));
    assert!(!folder.join(name).exists());
}

/// What the command prints of this standard input.
fn piped(line: &str, input: &[&[u8]]) -> Output {
    let mut child = fripp(line).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for piece in input {
        stdin.write_all(piece).unwrap();
    }
    drop(stdin);
    child.wait_with_output().unwrap()
}

#[test]
fn lines_of_standard_input_and_of_files() {
    let output = piped("listen -", &[b"a:1|c\nb:", b"2|g\n\nc:3|ms"]);
    assert_eq!(stdout(&output), "a:1|c\nb:2|g\nc:3|ms\n");
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    let output = piped("listen - --match ^b -n 2", &[b"a:1|c\nb:1|c\n"]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(1), "b:1|c\n".to_owned()));
    let output = piped("listen - -d statsd --json", &[b"a:1|C\n"]);
    assert_eq!(output.status.code(), Some(1));
    let read: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert!(read.get("from").is_none() && read["problems"][0].is_string(), "{read}");
    let output = piped("top - --summary", &[b"a:1|c\na:2|c\n"]);
    assert!(stdout(&output).contains("counter      2       -    3"), "{}", stdout(&output));

    let path = std::env::temp_dir().join(format!("fripp-lines-{}", std::process::id()));
    let text: String = (0..10_000).map(|n| format!("a.{n}:{n}|c\n")).collect();
    std::fs::write(&path, &text).unwrap();
    let output = fripp(&format!("listen {}", path.display())).output().unwrap();
    assert_eq!(stdout(&output), text);
    // a command has nowhere to send to
    let output = fripp_script(&format!("listen {}", path.display()), "true");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stderr(&output), format!("fripp: a COMMAND cannot send to {}\n", path.display()));
    std::fs::remove_file(&path).unwrap();
    // an endless line has no end in memory either
    let long = vec![b'x'; 300_000];
    let output = piped("listen -", &[&long, &long, b"\na:1|c\n"]);
    assert_eq!(stdout(&output), "a:1|c\n");
    assert_eq!(stderr(&output), "fripp: 1 lines were longer than 262144 bytes, and left out\n");
}

#[test]
fn streams_of_more_senders_than_it_has_descriptors() {
    let mut command = program("sh", "-c");
    command.arg("ulimit -n 24; exec $FRIPP listen tcp://127.0.0.1:0 -n 60");
    let listen = Receiving::of(&mut command);
    let to = listen.address.strip_prefix("tcp://").unwrap();
    let mut senders: Vec<_> = (0..60).map(|_| TcpStream::connect(to).unwrap()).collect();
    for sender in &mut senders {
        sender.write_all(b"a:1|c\n").unwrap();
    }
    drop(senders);
    let (status, out, err) = listen.end();
    assert_eq!((status, out.lines().count(), &err[..]), (0, 60, ""));
}

#[test]
fn a_command_sends_over_a_stream() {
    let name = format!("unixstream:@fripp-stream-{}", std::process::id());
    for (address, dialect) in
        [("tcp://127.0.0.1:0", "statsd"), (&name, "statsd"), (&name, "dogstatsd")]
    {
        let listen = format!("listen {address} -d {dialect}");
        let output =
            fripp_script(&listen, "$FRIPP send a 1 c; printf 'b 1 c\\nc 1 c' | $FRIPP send");
        assert_eq!(stdout(&output), "a:1|c\nb:1|c\nc:1|c\n", "{address} {dialect}");
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    }
}

#[test]
fn json_has_a_streams_sender() {
    let listen = Receiving::start("listen tcp://127.0.0.1:0 --json -n 1");
    let mut sender = TcpStream::connect(listen.address.strip_prefix("tcp://").unwrap()).unwrap();
    sender.write_all(b"a:1|c\n").unwrap();
    let read: serde_json::Value = serde_json::from_str(&listen.end().1).unwrap();
    assert_eq!(read["from"], sender.local_addr().unwrap().to_string());
}

#[test]
fn a_stream_goes_on_in_datagrams() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = server.local_addr().unwrap();
    let listen = Receiving::start(&format!("listen tcp://127.0.0.1:0 -n 1000 --forward {to}"));
    let mut sender = TcpStream::connect(listen.address.strip_prefix("tcp://").unwrap()).unwrap();
    sender.write_all("a.long.name:1|c\n".repeat(1_000).as_bytes()).unwrap();
    let (mut buffer, mut lines) = ([0; 65_536], 0);
    while lines < 1_000 {
        let len = server.recv(&mut buffer).unwrap();
        assert!(len <= 1_432, "{len}");
        lines += buffer[..len].split(|b| *b == b'\n').filter(|l| l == b"a.long.name:1|c").count();
    }
    assert_eq!((lines, listen.end().0), (1_000, 0));
}

#[test]
fn signals() {
    // what had come before the signal is still taken, though it could not be
    let listen = Receiving::start("listen 127.0.0.1:0");
    signal(listen.child.id(), Signal::STOP);
    for n in 0..200 {
        send(&listen.address, &format!("a:{n}|c"));
    }
    signal(listen.child.id(), Signal::INT);
    signal(listen.child.id(), Signal::CONT);
    let (status, out, _) = listen.end();
    assert_eq!((status, out.lines().count()), (0, 200));

    // a command is told to end, and what it sends then is still taken
    let script =
        "trap '$FRIPP send end 1 c; exit 5' TERM; echo ready; while :; do sleep 0.05; done";
    let mut child = fripp("listen").args(["--", "sh", "-c", script]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    signal(child.id(), Signal::TERM);
    assert_eq!(lines.next().unwrap().unwrap(), "end:1|c");
    assert_eq!(child.wait().unwrap().code(), Some(5));

    let output = fripp_script("listen", "kill -9 $$");
    assert_eq!(output.status.code(), Some(128 + 9));
}

#[test]
fn who_reads_has_seen_enough() {
    let mut listen = Receiving::start("listen 127.0.0.1:0");
    drop(listen.child.stdout.take());
    // another test's process may have the pipe open for a moment, before its exec
    while listen.child.try_wait().unwrap().is_none() {
        send(&listen.address, "a:1|c");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let (status, _, err) = listen.end();
    assert_eq!((status, &err[..]), (0, ""));
}

#[test]
fn who_reads_what_is_said_has_gone() {
    for (line, wanted) in [("listen /no/such/file", 2), ("listen - -d statsd", 1)] {
        let mut child = fripp(line).stdin(Stdio::piped()).spawn().unwrap();
        drop(child.stderr.take());
        let _ = child.stdin.take().unwrap().write_all(b"no line\n");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(wanted), "{line}");
    }
}

#[test]
fn what_is_wrong_is_told() {
    let taken = Receiving::start("listen 127.0.0.1:0");
    let in_use = format!("listen {}", taken.address);
    for (line, said) in [
        (&in_use[..], "in use: another program receives there"),
        ("listen localhost", "'localhost' is no address: say host:port"),
        ("listen localhost:70000", "is no address"),
        ("listen 127.0.0.1:0?colour=red", "unknown key 'colour'"),
        ("listen /no/such/file", "/no/such/file: no such file"),
        ("listen unix:/no/such/folder/x", "/no/such/folder/x: no such folder"),
        ("listen 192.0.2.1:8125", "192.0.2.1:8125: no address of this machine"),
        ("listen --match (", "unclosed group"),
        ("listen --dialect french", "possible values: brubeck, statsd"),
        ("listen --timeout soon", "not a number of seconds"),
        ("listen --count 0", "0 is not in 1.."),
        ("listen -- /no/such/program", "/no/such/program: No such file"),
        ("listne", "similar subcommand exists: 'listen'"),
    ] {
        let output = fripp(line).output().unwrap();
        let text = stderr(&output);
        assert!(text.contains(said), "{line}: {text}");
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()), "{line}");
        assert!(!text.contains("panicked") && !text.contains("Err("), "{text}");
    }
    assert!(std::path::Path::new(FRIPP).exists());
}
