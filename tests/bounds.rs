//! What a context may take, and what it gives back.

mod common;

use common::{Known, Server};
use fripp::encode::dialect::Dialect;
use fripp::error::Error;
use fripp::metric::kind::Kind;
use fripp::metric::value::Value;

#[test]
fn timers_that_are_not_used_any_more_give_their_memory_back() {
    let server = Server::new();
    let context = server.context("period=86400&buffer=4000000");
    let mut known = Known::default();
    for round in 0..20 {
        for timer in 0..10 {
            let name = format!("t.{round}.{timer}");
            for i in 0..10_000 {
                context.record(Kind::Timer, name.as_bytes(), Value::Sample(f64::from(i))).unwrap();
            }
        }
        // the receive buffer is larger than what a burst brings, not than all
        while context.flush() == Err(Error::Again) {
            server.read(Dialect::Brubeck, &mut known);
        }
        server.read(Dialect::Brubeck, &mut known);
    }
    assert_eq!(context.stats().0.dropped(), 0);
    assert_eq!(context.stats().0.lines, 20 * 10 * 10_000);
}

#[test]
fn what_a_call_took_fits_the_smallest_datagrams() {
    let server = Server::new();
    for dialect in ["brubeck", "statsd", "graphite&tags=k:v"] {
        let context = server.context(&format!("mtu=512&dialect={dialect}"));
        let mut taken = 0;
        for len in [1, 100, 140, 145, 150, 200, 239, 240, 400, 446, 448, 500] {
            for (kind, values) in [
                (Kind::Total, &[Value::Total(100), Value::Total(5), Value::Total(i64::MAX)][..]),
                (Kind::Gauge, &[Value::Set(i64::MIN)]),
                (Kind::Gauge, &[Value::Real(-5e-324)]),
                (Kind::Counter, &[Value::Add(i64::MIN)]),
                (Kind::Timer, &[Value::Sample(123456789.123456)]),
                (Kind::Timer, &[Value::Sample(1e300)]),
                (Kind::Histogram, &[Value::Sample(-1.7976931348623157e-19)]),
            ] {
                for value in values {
                    let name = format!("{}{}", "n".repeat(len - 1), kind as u8);
                    match context.record(kind, name.as_bytes(), *value) {
                        Ok(()) => taken += 1,
                        // below 0, which not every server takes
                        Err(Error::Invalid) if kind == Kind::Histogram => {}
                        Err(error) => {
                            assert!(
                                matches!(error, Error::NameTooLong | Error::TooBig),
                                "{error:?}"
                            );
                        }
                    }
                }
                let oversize = context.stats().0.dropped_oversize;
                context.flush().unwrap();
                let dropped = context.stats().0.dropped_oversize - oversize;
                assert_eq!(dropped, 0, "{dialect} {kind:?} of {len} bytes {values:?}");
            }
        }
        assert!(taken > 40);
        server.datagrams();
    }
}

#[test]
fn an_outage_thins_no_more_than_a_period_does() {
    let path = std::env::temp_dir().join(format!("fripp-outage-{}", std::process::id()));
    let uri = format!("unix://{}?period=0.01", path.display());
    let uri = fripp::uri::Uri::parse(uri.as_bytes()).unwrap();
    let context = fripp::context::Context::open(uri.endpoint, uri.settings, None).unwrap();
    let n = 100_000;
    for i in 0..n {
        context.record(Kind::Timer, b"t", Value::Sample(1.0)).unwrap();
        if i % 10_000 == 0 {
            // until turns have made lines of what there is, but for a datagram
            // that is not full
            while context.stats().1 + 1440 < i * "t:1|ms".len() {
                std::thread::yield_now();
            }
        }
    }
    let server = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    server.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    let mut lines = 0;
    let mut buf = [0; 2000];
    while lines < n {
        let len = server.recv(&mut buf).unwrap();
        let text = std::str::from_utf8(&buf[..len]).unwrap();
        assert!(text.split('\n').all(|line| line == "t:1|ms"));
        lines += text.split('\n').count();
    }
    context.close();
    std::fs::remove_file(path).unwrap();
    assert_eq!(lines, n);
}
