//! `fripp send`, with real processes and sockets.

#[allow(dead_code)]
#[path = "common/mod.rs"]
mod command;

use std::io::Write;
use std::net::UdpSocket;
use std::process::Output;
use std::time::Duration;

use command::{fripp, stderr};

struct Server(UdpSocket);

impl Server {
    fn new() -> Server {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Server(socket)
    }

    fn uri(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }

    /// The next datagram; what was sent is there.
    fn datagram(&self) -> String {
        let mut buffer = [0; 2048];
        let len = self.0.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..len].to_vec()).unwrap()
    }

    fn is_silent(&self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        let silent = self.0.recv(&mut [0; 1]).is_err();
        self.0.set_nonblocking(false).unwrap();
        silent
    }

    fn sent(&self, line: &str) -> Output {
        fripp(&format!("send {line}")).env("FLUX_FRIPP_STATSD", self.uri()).output().unwrap()
    }

    fn piped(&self, options: &str, input: &[u8]) -> Output {
        let mut command = fripp(&format!("send {options}"));
        command.env("FLUX_FRIPP_STATSD", self.uri()).stdin(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }
}

#[test]
fn each_type() {
    let server = Server::new();
    for (line, sent) in [
        ("a 3 counter", "a:3|c"),
        ("a -3 c", "a:-3|c"),
        ("a 3 total", "a:0.000000001|C\na:3|C"),
        ("a 3 total --dialect statsd", "a:3|c"),
        ("a 9007199254740993 gauge", "a:9007199254740993|g"),
        ("a -5 gauge", "a:0|g\na:-5|g"),
        ("a -5 gauge --dialect dogstatsd", "a:-5|g"),
        ("a 1.5 g", "a:1.5|g"),
        ("a 81.25 timer", "a:81.25|ms"),
        ("a 81.25 h", "a:81.25|h"),
        ("a anna set --dialect statsd", "a:anna|s"),
        ("a 1 c --prefix p", "p.a:1|c"),
        ("a 1 c --dialect telegraf --tags k:v", "a,k=v:1|c"),
        ("a:b|c 1 c", "a_b_c:1|c"),
    ] {
        let output = server.sent(line);
        assert_eq!((stderr(&output), output.status.code()), (String::new(), Some(0)), "{line}");
        assert_eq!(server.datagram(), sent, "{line}");
    }
    let to = format!("send a 1 c --to {}?prefix=q&dialect=graphite --tags k:v", server.uri());
    let output = fripp(&to).env("FLUX_FRIPP_STATSD", "elsewhere").output().unwrap();
    assert_eq!((server.datagram(), output.status.code()), ("q.a;k=v:1|c".to_owned(), Some(0)));
}

#[test]
fn lines_of_standard_input() {
    let server = Server::new();
    let output = server.piped("-p p", b"# name value type\na 1 c\n\na 2 c\nraw:7|ms|@0.5\n");
    assert_eq!((stderr(&output), output.status.code()), (String::new(), Some(0)));
    assert_eq!(server.datagram(), "p.a:3|c\nraw:7|ms|@0.5");
}

#[test]
fn what_is_dropped_is_said_and_the_rest_sent() {
    let server = Server::new();
    let output = server.piped("", b"a one c\nb 1 c\nc 1 s\nd:1|x\ne 1.5 c\nf -1 ms\n");
    assert_eq!(server.datagram(), "b:1|c");
    let said = "fripp: a one c: 'one' is not a number\n\
        fripp: c 1 s: the dialect has no sets; see --dialect\n\
        fripp: d:1|x: neither NAME VALUE TYPE, nor a line of StatsD: an unknown type (byte 5)\n\
        fripp: e 1.5 c: '1.5' is not a whole number of 64 bits\n\
        fripp: f -1 ms: an empty name, or a value below 0 that may not be\n";
    assert_eq!((stderr(&output), output.status.code()), (said.to_owned(), Some(1)));

    let long = format!("{} 1 c", "n".repeat(241));
    for (line, said) in [
        ("a 1 apple", "'apple' is no type: say counter, total"),
        (&long[..], "longer than 240 bytes"),
        ("a +1 gauge", "NAME:+N|g"),
        ("... 1 c", "an empty name"),
        ("a nan gauge", "'nan' is not a number"),
    ] {
        let output = server.sent(line);
        assert!(stderr(&output).contains(said), "{line}: {}", stderr(&output));
        assert_eq!(output.status.code(), Some(1), "{line}");
    }
    assert!(server.is_silent());
}

#[test]
fn nobody_takes_it() {
    let server = Server::new();
    let address = server.uri();
    drop(server);
    let output = fripp(&format!("send a 1 c --to {address}")).output().unwrap();
    let said = format!("fripp: 1 lines were not sent: nobody takes them at {address}\n");
    assert_eq!((stderr(&output), output.status.code()), (said, Some(1)));
}

#[test]
fn what_is_wrong_is_told() {
    let server = Server::new();
    for (line, said) in [
        ("a 1", "3 values required"),
        ("a 1 c --to localhost", "--to: no port in 'localhost'"),
        ("a 1 c --tags k:v", "--tags: the dialect has no tags; see --dialect"),
        ("a 1 c --dialect telegraf --tags k", "--tags: 'k' is not key:value"),
        ("a 1 c --dialect french", "possible values: brubeck"),
    ] {
        let output = server.sent(line);
        let text = stderr(&output);
        assert!(text.contains(said), "{line}: {text}");
        assert_eq!(output.status.code(), Some(2), "{line}");
    }
    let output = fripp("send a 1 c").env("FLUX_FRIPP_STATSD", "nowhere").output().unwrap();
    assert!(stderr(&output).starts_with("fripp: FLUX_FRIPP_STATSD: no port in 'nowhere'"));
    assert!(server.is_silent());
}
