//! Other StatsD clients at their best settings, for `make bench`, which loads
//! this and calls it in turns with the library.
//!
//! Each runs a batch of calls in a loop of its own language, compiled with
//! the same optimisation as the library, with names that it knows at compile
//! time where it has a form for that. Histograms keep every sample. The
//! exporter flushes each second, as the library does. rylv-metrics and
//! prometheus send nothing by themselves: what is measured is the calls.
//!
//! `faults` has the same clients for `make check-faults`.

mod faults;

use std::collections::HashMap;
use std::ffi::c_long;
use std::net::UdpSocket;
use std::sync::OnceLock;
use std::time::Duration;

use ahash::RandomState;
use cadence::prelude::*;
use cadence::{BufferedUdpMetricSink, QueuingMetricSink, StatsdClient, UdpMetricSink};
use metrics::{Counter, Histogram, counter, gauge, histogram};
use metrics_exporter_dogstatsd::DogStatsDBuilder;
use prometheus::{IntCounter, IntCounterVec, Opts};
use rylv_metrics::{
    HistogramConfig, MetricCollectorTrait, PreparedMetric, RylvStr, SharedCollector,
    SharedCollectorOptions, TLSCollector, TLSCollectorOptions,
};

/// A datagram's bytes, as the library's.
const DATAGRAM: usize = 1440;

struct Peers {
    counter: Counter,
    histogram: Histogram,
    udp: StatsdClient,
    buffered: StatsdClient,
    queued: StatsdClient,
    rylv_shared: Rylv<SharedCollector<RandomState>>,
    rylv_local: Rylv<TLSCollector<RandomState>>,
    labels: IntCounterVec,
    prometheus: IntCounter,
}

/// A collector of rylv-metrics, and metrics prepared for it.
struct Rylv<C: MetricCollectorTrait> {
    collector: C,
    counter: PreparedMetric<C::Hasher>,
    histogram: PreparedMetric<C::Hasher>,
}

impl<C: MetricCollectorTrait> Rylv<C> {
    fn new(collector: C) -> Rylv<C> {
        let prepare = |name| {
            let tags = collector.prepare_sorted_tags([]);
            collector.prepare_metric(RylvStr::from_static(name), tags)
        };
        let counter = prepare("flux.content-cache.load.handle");
        let histogram = prepare("flux.content-cache.store.handle");
        Rylv { counter, histogram, collector }
    }

    /// Counters by name and prepared, then a histogram in microseconds.
    fn run(&self, which: i32, n: c_long) {
        let name = || RylvStr::from_static("flux.content-cache.load");
        match which {
            0 => (0..n).for_each(|_| self.collector.count_add(name(), 1, &mut [])),
            1 => (0..n).for_each(|_| self.collector.count_add_prepared(&self.counter, 1)),
            _ => (0..n).for_each(|i| {
                self.collector.histogram_prepared(&self.histogram, 250 + i as u64 % 1000);
            }),
        }
    }
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
    // the hasher of its own benchmarks
    let shared = SharedCollectorOptions {
        stats_prefix: String::new(),
        histogram_configs: HashMap::with_hasher(RandomState::new()),
        default_histogram_config: HistogramConfig::default(),
        hasher_builder: RandomState::new(),
    };
    let local = TLSCollectorOptions {
        stats_prefix: String::new(),
        histogram_configs: HashMap::with_hasher(RandomState::new()),
        default_histogram_config: HistogramConfig::default(),
        hasher_builder: RandomState::new(),
    };
    let labels = IntCounterVec::new(Opts::new("load", "loads"), &["module"]).ok()?;
    Some(Peers {
        rylv_shared: Rylv::new(SharedCollector::new(shared)),
        rylv_local: Rylv::new(TLSCollector::new(local)),
        prometheus: IntCounter::new("handle", "by handle").ok()?,
        labels,
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
        7 => count(&peers.queued),
        8 | 9 => peers.rylv_shared.run(which - 8, n),
        10..=12 => peers.rylv_local.run(which - 10, n),
        13 => (0..n).for_each(|_| peers.labels.with_label_values(&["content-cache"]).inc()),
        _ => (0..n).for_each(|_| peers.prometheus.inc()),
    }
}
