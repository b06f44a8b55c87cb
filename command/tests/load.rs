//! What `fripp top` bears: too long for each `make check`, see `make
//! check-command`. Run with --nocapture these tell their figures.

#[allow(dead_code)]
#[path = "common/mod.rs"]
mod command;

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use command::{FRIPP, Receiving, program, signal};
use rustix::process::Signal;

/// Lines a second, and for how many seconds.
const RATE: usize = 100_000;
const SECONDS: usize = 30;
/// The library's datagrams.
const DATAGRAM: usize = 1440;

fn field(file: &str, pid: u32, name: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    line.trim_start_matches(name).trim().trim_end_matches(" kB").to_owned()
}

/// Seconds of a core that a process has taken.
fn cpu(pid: u32) -> f64 {
    let stat = field("stat", pid, "");
    let (_, rest) = stat.rsplit_once(')').unwrap();
    let ticks = |at: usize| rest.split_whitespace().nth(at).unwrap().parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

/// Sends a second's lines in a hundred bursts.
fn send_at_rate(socket: &UdpSocket, datagrams: &[Vec<u8>], lines: usize) -> usize {
    let start = Instant::now();
    let per_burst = RATE / 100;
    let (mut at, mut sent) = (0, 0);
    for burst in 1..=SECONDS * 100 {
        while sent < burst * per_burst {
            socket.send(&datagrams[at % datagrams.len()]).unwrap();
            at += 1;
            sent += lines;
        }
        let due = start + Duration::from_millis(10 * burst as u64);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    sent
}

fn interrupt(top: &Receiving) {
    signal(top.child.id(), Signal::INT);
}

/// What is said of a load on one core: all of it counted, none lost.
fn bears(lines_per_datagram: usize) {
    let line = format!("-c 0 {FRIPP} top --summary 127.0.0.1:0");
    let top = Receiving::of(&mut program("taskset", &line));
    let pid = top.child.id();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(&top.address).unwrap();
    let datagrams: Vec<_> = (0..1000)
        .map(|n| {
            let lines = (0..lines_per_datagram).map(|line| {
                let at = n * lines_per_datagram + line;
                match at % 4 {
                    0 => format!("cache.{}.size:{at}|g", at % 50),
                    1 => format!("module.{}.rx:{at}|c", at % 50),
                    _ => format!("cache.load:{}.{:03}|ms", at % 10, at % 1000),
                }
            });
            lines.collect::<Vec<_>>().join("\n").into_bytes()
        })
        .collect();
    assert!(datagrams.iter().all(|datagram| datagram.len() <= DATAGRAM));
    let (before, start) = (cpu(pid), Instant::now());
    let sent = send_at_rate(&socket, &datagrams, lines_per_datagram);
    let lasted = start.elapsed().as_secs_f64();
    let used = cpu(pid) - before;
    let memory = field("status", pid, "VmHWM:");
    interrupt(&top);
    let (status, out, _) = top.end();
    let last = out.lines().last().unwrap_or_default();
    println!(
        "{:.0} lines/s in datagrams of {lines_per_datagram} for {lasted:.1} s: {last}; {:.1} % of a core, {memory} kB",
        sent as f64 / lasted,
        100.0 * used / lasted,
    );
    assert_eq!(
        (status, last),
        (0, &format!("{sent} lines in {} datagrams", sent / lines_per_datagram)[..])
    );
}

#[test]
#[ignore = "half a minute: make check-command"]
fn a_hundred_thousand_lines_a_second_in_full_datagrams() {
    bears(50);
}

#[test]
#[ignore = "half a minute: make check-command"]
fn a_hundred_thousand_datagrams_a_second() {
    bears(1);
}

#[test]
#[ignore = "it takes memory: make check-command"]
fn a_million_names() {
    let top = Receiving::start("top --summary 127.0.0.1:0");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(&top.address).unwrap();
    let names: Vec<_> = (0..1_000_000).map(|n| format!("name.of.a.metric.{n:07}:1|ms")).collect();
    for (at, names) in names.chunks(40).enumerate() {
        socket.send(names.join("\n").as_bytes()).unwrap();
        if at % 50 == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    // a tick, and what it makes of them
    std::thread::sleep(Duration::from_millis(2500));
    let memory = field("status", top.child.id(), "VmHWM:");
    interrupt(&top);
    let (_, out, _) = top.end();
    let last = out.lines().last().unwrap_or_default();
    println!("a million names: {memory} kB; {last}");
    assert_eq!(last, "1000000 lines in 25000 datagrams, 900000 of more metrics than are kept");
    assert!(memory.parse::<u64>().unwrap() < 400 << 10, "{memory} kB");
}
