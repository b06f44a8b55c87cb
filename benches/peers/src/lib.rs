//! Other StatsD clients at their best settings, for `make bench`, which loads
//! this and calls it in turns with the library.
//!
//! Each runs a batch of calls in a loop of its own language, compiled with
//! the same optimisation as the library, with names that it knows at compile
//! time where it has a form for that. Histograms keep every sample. The
//! exporter flushes each second, as the library does.
//!
//! `faults` has the same clients for `make check-faults`.

mod faults;

use std::ffi::c_long;
use std::net::UdpSocket;
use std::sync::OnceLock;
use std::time::Duration;

use cadence::prelude::*;
use cadence::{BufferedUdpMetricSink, QueuingMetricSink, StatsdClient, UdpMetricSink};
use metrics::{Counter, Histogram, counter, gauge, histogram};
use metrics_exporter_dogstatsd::DogStatsDBuilder;

/// A datagram's bytes, as the library's.
const DATAGRAM: usize = 1440;

struct Peers {
    counter: Counter,
    histogram: Histogram,
    udp: StatsdClient,
    buffered: StatsdClient,
    queued: StatsdClient,
}

static PEERS: OnceLock<Peers> = OnceLock::new();

/// Makes all of them, for a server at this port on loopback. 0, or -1.
#[unsafe(no_mangle)]
pub extern "C" fn peers_open(port: u16) -> i32 {
    match open(port).map(|peers| PEERS.set(peers)) {
        Some(Ok(())) => 0,
        _ => -1,
    }
}

fn open(port: u16) -> Option<Peers> {
    let address = ("127.0.0.1", port);
    let socket = || {
        let socket = UdpSocket::bind("127.0.0.1:0").ok()?;
        socket.set_nonblocking(true).ok()?;
        Some(socket)
    };
    let buffered =
        || BufferedUdpMetricSink::with_capacity(address, socket()?, DATAGRAM).ok();
    DogStatsDBuilder::default()
        .with_remote_address(format!("127.0.0.1:{port}"))
        .ok()?
        .with_telemetry(false)
        .with_histogram_sampling(false)
        .with_flush_interval(Duration::from_secs(1))
        .install()
        .ok()?;
    Some(Peers {
        counter: counter!("flux.content-cache.load.handle"),
        histogram: histogram!("flux.content-cache.store.handle"),
        udp: StatsdClient::from_sink("flux", UdpMetricSink::from(address, socket()?).ok()?),
        buffered: StatsdClient::from_sink("flux", buffered()?),
        queued: StatsdClient::from_sink("flux", QueuingMetricSink::from(buffered()?)),
    })
}

/// Makes so many calls of a peer's, by its number in `benches/subjects.c`.
#[unsafe(no_mangle)]
pub extern "C" fn peers_run(which: i32, n: c_long) {
    let Some(peers) = PEERS.get() else { return };
    let count = |client: &StatsdClient| {
        for _ in 0..n {
            let _ = client.count("content-cache.load", 1);
        }
    };
    match which {
        0 => (0..n).for_each(|_| counter!("flux.content-cache.load").increment(1)),
        1 => (0..n).for_each(|_| peers.counter.increment(1)),
        2 => (0..n).for_each(|i| gauge!("flux.content-cache.size").set(i as f64)),
        3 => (0..n)
            .for_each(|i| histogram!("flux.content-cache.store").record(0.25 + i as f64 * 1e-6)),
        4 => (0..n).for_each(|i| peers.histogram.record(0.25 + i as f64 * 1e-6)),
        5 => count(&peers.udp),
        6 => count(&peers.buffered),
        _ => count(&peers.queued),
    }
}
