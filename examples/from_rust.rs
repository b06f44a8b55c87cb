//! Metrics of a Rust program: by name, by handle from several threads, a log
//! of what goes wrong, and counts of what was sent.
//!
//! It sends to a socket of its own and prints what arrives:
//! cargo run --example from_rust

use std::error::Error;
use std::net::UdpSocket;
use std::thread;
use std::time::{Duration, Instant};

use fripp::metric::kind::Kind;
use fripp::metric::value::Value;
use fripp::uri::Uri;

fn main() -> Result<(), Box<dyn Error>> {
    let server = UdpSocket::bind("127.0.0.1:0")?;
    server.set_read_timeout(Some(Duration::from_secs(10)))?;

    // an endpoint, and settings as in C
    let uri = format!("{}?dialect=dogstatsd&prefix=app&tags=lang:rust", server.local_addr()?);
    let context = Uri::parse(uri.as_bytes())?.context(None)?;
    context.set_logger(Some(Box::new(|message| eprintln!("metrics: {}", message.text))));

    context.record(Kind::Total, b"messages.tx", Value::Total(1000))?;
    context.record(Kind::Gauge, b"queue", Value::Set(12))?;
    context.record(Kind::Gauge, b"queue", Value::Add(-5))?;
    context.record(Kind::Set, b"users", Value::Member(b"ann"))?;

    // a handle saves the lookup of the name, and may have tags
    let requests = context.metric_get(Kind::Counter, b"requests", b"op:get")?;
    let duration = context.metric_get(Kind::Timer, b"duration", b"")?;
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    let begin = Instant::now();
                    let ms = Value::Sample(begin.elapsed().as_secs_f64() * 1e3);
                    let recorded = context
                        .record_to(requests, Value::Add(1))
                        .and_then(|()| context.record_to(duration, ms));
                    if let Err(error) = recorded {
                        eprintln!("{error}");
                    }
                }
            });
        }
    });

    // what is wrong with a call is its error
    if let Err(error) = context.record(Kind::Timer, b"duration", Value::Sample(f64::NAN)) {
        println!("not recorded: {}", error.reason());
    }

    // sends what is pending, as the end of a program would
    context.close();
    let (stats, _) = context.stats();
    println!("{} dropped", stats.dropped());
    print_lines(&server, stats.datagrams)
}

/// Prints what came, and of the durations how many there were.
fn print_lines(server: &UdpSocket, datagrams: u64) -> Result<(), Box<dyn Error>> {
    let mut buffer = [0; 65536];
    let mut durations = 0;
    for _ in 0..datagrams {
        let length = server.recv(&mut buffer)?;
        for line in std::str::from_utf8(&buffer[..length])?.lines() {
            match line.strip_prefix("app.duration:") {
                Some(values) => {
                    durations += values.split('|').next().unwrap_or("").split(':').count()
                }
                None => println!("{line}"),
            }
        }
    }
    println!("app.duration: {durations} times");
    Ok(())
}
