//! The same clients, one metric a call, for `make check-faults`: each at the
//! settings with which it loses least.
//!
//! cadence: an unbounded queue that its own thread reads, full datagrams,
//! the host's name looked up each second. Who uses it has to flush it: so does
//! a thread here, as often as the library flushes. On a UNIX socket it may
//! wait in its thread, where a socket that never waits would lose.
//!
//! metrics-exporter-dogstatsd: every sample kept, its telemetry on (what it
//! dropped is told to the server alone), a flush as often as the library's.

use std::ffi::{CStr, c_char, c_int};
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use cadence::prelude::*;
use cadence::{BufferedUdpMetricSink, BufferedUnixMetricSink, MetricSink};
use cadence::{QueuingMetricSink, StatsdClient};
use metrics::{Counter, Histogram, counter, gauge, histogram};
use metrics_exporter_dogstatsd::DogStatsDBuilder;

use crate::DATAGRAM;

const PREFIX: &str = "faults";

/// A client that sends to an endpoint.
pub struct Peer(Kind);

enum Kind {
    Cadence { client: Arc<StatsdClient>, sink: QueuingMetricSink, _flusher: mpsc::Sender<()> },
    Exporter { counter: Counter, histogram: Histogram },
}

fn cadence(endpoint: &str, period: Duration) -> Option<Kind> {
    let sink = match endpoint.strip_prefix("unix:") {
        Some(path) => {
            let socket = UnixDatagram::unbound().ok()?;
            QueuingMetricSink::from(BufferedUnixMetricSink::with_capacity(path, socket, DATAGRAM))
        }
        None => {
            let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
            socket.set_nonblocking(true).ok()?;
            QueuingMetricSink::from(
                BufferedUdpMetricSink::builder()
                    .with_capacity(DATAGRAM)
                    .with_resolver_period(Duration::from_secs(1))
                    .build(endpoint.to_owned(), socket)
                    .ok()?,
            )
        }
    };
    let client = Arc::new(StatsdClient::from_sink(PREFIX, sink.clone()));
    let (flusher, stop) = mpsc::channel::<()>();
    let flushed = Arc::downgrade(&client);
    thread::spawn(move || {
        while stop.recv_timeout(period) == Err(mpsc::RecvTimeoutError::Timeout) {
            let Some(client) = flushed.upgrade() else { return };
            let _ = client.flush();
        }
    });
    Some(Kind::Cadence { client, sink, _flusher: flusher })
}

/// Only one in a process: it is the recorder of all.
fn exporter(endpoint: &str, period: Duration) -> Option<Kind> {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    if INSTALLED.swap(true, Relaxed) {
        return None;
    }
    DogStatsDBuilder::default()
        .with_remote_address(endpoint.replacen("unix:", "unixgram://", 1))
        .ok()?
        .with_histogram_sampling(false)
        .send_histograms_as_distributions(false)
        .with_flush_interval(period)
        .set_global_prefix(PREFIX)
        .install()
        .ok()?;
    Some(Kind::Exporter { counter: counter!("n"), histogram: histogram!("t") })
}

/// Makes one (0: cadence, 1: the exporter) that flushes so often. NULL where
/// it cannot be made.
///
/// # Safety
///
/// `endpoint` is a C string, `host:port` or `unix:/path`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_open(
    which: c_int,
    endpoint: *const c_char,
    period_ms: c_int,
) -> *mut Peer {
    // SAFETY: the caller's promise.
    let endpoint = unsafe { CStr::from_ptr(endpoint) }.to_string_lossy();
    let period = Duration::from_millis(period_ms as u64);
    let kind = if which == 0 { cadence(&endpoint, period) } else { exporter(&endpoint, period) };
    kind.map_or(std::ptr::null_mut(), |kind| Box::into_raw(Box::new(Peer(kind))))
}

/// A counter, one more.
#[unsafe(no_mangle)]
pub extern "C" fn peer_inc(peer: &Peer) -> c_int {
    match &peer.0 {
        Kind::Cadence { client, .. } => result(client.count("n", 1)),
        Kind::Exporter { counter, .. } => {
            counter.increment(1);
            0
        }
    }
}

/// A timing.
#[unsafe(no_mangle)]
pub extern "C" fn peer_sample(peer: &Peer, value: u64) -> c_int {
    match &peer.0 {
        Kind::Cadence { client, .. } => result(client.time("t", value)),
        Kind::Exporter { histogram, .. } => {
            histogram.record(value as f64);
            0
        }
    }
}

/// A gauge, by name.
///
/// # Safety
///
/// `name` is a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_gauge(peer: &Peer, name: *const c_char, value: u64) -> c_int {
    // SAFETY: the caller's promise.
    let Ok(name) = unsafe { CStr::from_ptr(name) }.to_str() else { return -1 };
    match &peer.0 {
        Kind::Cadence { client, .. } => result(client.gauge(name, value)),
        Kind::Exporter { .. } => {
            gauge!(name.to_owned()).set(value as f64);
            0
        }
    }
}

/// Sends what is pending, where there is a call for it.
#[unsafe(no_mangle)]
pub extern "C" fn peer_flush(peer: &Peer) {
    if let Kind::Cadence { client, sink, .. } = &peer.0 {
        // the queue first, for a time: a flush does not wait for it
        for _ in 0..100 {
            if sink.queued() == 0 {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        let _ = client.flush();
    }
}

/// How many datagrams it says that it dropped. The exporter says that to the
/// server.
#[unsafe(no_mangle)]
pub extern "C" fn peer_dropped(peer: &Peer) -> u64 {
    match &peer.0 {
        Kind::Cadence { sink, .. } => sink.stats().packets_dropped,
        Kind::Exporter { .. } => 0,
    }
}

/// The end of it.
///
/// # Safety
///
/// `peer` is of `peer_open`, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_close(peer: *mut Peer) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(peer) });
}

fn result<T, E>(result: Result<T, E>) -> c_int {
    if result.is_ok() { 0 } else { -1 }
}
