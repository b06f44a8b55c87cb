//! From the call to the bytes, dialect by dialect. What is wanted is written
//! down from what the servers were seen to accept.

mod common;

use common::Server;
use fripp::context::Context;
use fripp::encode::dialect::Dialect;
use fripp::encode::origin::Origin;
use fripp::encode::settings::Settings;
use fripp::error::Error;
use fripp::metric::kind::Kind;
use fripp::metric::value::Value;
use fripp::send::endpoint::Endpoint;

const DIALECTS: [&str; 5] = ["brubeck", "statsd", "dogstatsd", "telegraf", "graphite"];

/// The datagrams of one flush in which `values` were recorded as `n`.
fn sent(dialect: &str, query: &str, kind: Kind, values: &[Value<'_>]) -> Vec<String> {
    let server = Server::new();
    let context = server.context(&format!("dialect={dialect}{query}"));
    for value in values {
        context.record(kind, b"n", *value).unwrap();
    }
    context.flush().unwrap();
    let datagrams = server.datagrams();
    context.close();
    assert!(server.datagrams().is_empty(), "destroy had nothing left");
    datagrams
}

#[test]
fn numbers() {
    use Kind::{Counter, Gauge, Total};
    use Value::{Add, Real, Set, Total as Sum};
    // brubeck; statsd, telegraf and graphite; dogstatsd
    type Row<'a> = (Kind, &'a [Value<'a>], &'a str, &'a str, &'a str);
    #[rustfmt::skip]
    let rows: &[Row<'_>] = &[
        (Counter, &[Add(1)], "n:1|c", "n:1|c", "n:1|c"),
        (Counter, &[Add(5), Add(-8)], "n:-3|c", "n:-3|c", "n:-3|c"),
        (Counter, &[Add(i64::MAX)], "n:9223372036854775807|c", "n:9223372036854775807|c", "n:9223372036854775807|c"),
        (Counter, &[Add(i64::MIN)], "n:-9223372036854775808|c", "n:-9223372036854775808|c", "n:-9223372036854775808|c"),
        (Counter, &[Add(i64::MAX), Add(2)], "n:9223372036854775807|c\nn:2|c", "n:9223372036854775807|c\nn:2|c", "n:9223372036854775807|c\nn:2|c"),
        (Counter, &[Add((1 << 53) + 1)], "n:9007199254740993|c", "n:9007199254740993|c", "n:9007199254740993|c"),
        (Total, &[Sum(10), Sum(20), Sum(30)], "n:0.000000001|C\nn:30|C", "n:30|c", "n:30|c"),
        (Total, &[Sum(i64::MAX)], "n:0.000000001|C\nn:9223372036854775807|C", "n:9223372036854775807|c", "n:9223372036854775807|c"),
        (Total, &[Sum(0)], "n:0.000000001|C", "n:0|c", "n:0|c"),
        (Counter, &[Add(0)], "n:0|c", "n:0|c", "n:0|c"),
        (Counter, &[Add(3), Add(-3)], "n:0|c", "n:0|c", "n:0|c"),
        (Gauge, &[Set(0)], "n:0|g", "n:0|g", "n:0|g"),
        (Gauge, &[Set(1), Set(-1)], "n:0|g\nn:-1|g", "n:0|g\nn:-1|g", "n:-1|g"),
        (Gauge, &[Set(i64::MIN)], "n:0|g\nn:-9223372036854775808|g", "n:0|g\nn:-9223372036854775808|g", "n:-9223372036854775808|g"),
        (Gauge, &[Set((1 << 53) + 1)], "n:9007199254740993|g", "n:9007199254740993|g", "n:9007199254740993|g"),
        (Gauge, &[Add(3), Add(-1)], "n:2|g", "n:2|g", "n:2|g"),
        (Gauge, &[Real(-0.0)], "n:0|g", "n:0|g", "n:0|g"),
        (Gauge, &[Real(1e-9)], "n:0.000000001|g", "n:0.000000001|g", "n:0.000000001|g"),
        (Gauge, &[Real(-2.5)], "n:0|g\nn:-2.5|g", "n:0|g\nn:-2.5|g", "n:-2.5|g"),
        (Gauge, &[Real(0.5), Add(1)], "n:1.5|g", "n:1.5|g", "n:1.5|g"),
        (Gauge, &[Real(0.5), Set(7)], "n:7|g", "n:7|g", "n:7|g"),
    ];
    for (kind, values, brubeck, statsd, dogstatsd) in rows {
        for dialect in DIALECTS {
            let want = match dialect {
                "brubeck" => brubeck,
                "dogstatsd" => dogstatsd,
                _ => statsd,
            };
            let want: Vec<&str> = if want.is_empty() { vec![] } else { vec![want] };
            assert_eq!(sent(dialect, "", *kind, values), want, "{dialect} {values:?}");
        }
    }
    let large = format!("n:1{}|g", "0".repeat(300));
    assert_eq!(sent("statsd", "", Gauge, &[Real(1e300)]), [large]);
}

#[test]
fn samples() {
    use Value::Sample;
    let values = [Sample(1.5), Sample(1.5), Sample(0.1234567), Sample(0.0)];
    for (dialect, timer, histogram) in [
        ("brubeck", "ms", "h"),
        ("statsd", "ms", "ms"),
        ("telegraf", "ms", "h"),
        ("graphite", "ms", "ms"),
    ] {
        let want = format!("n:1.5|{timer}\nn:1.5|{timer}\nn:0.123457|{timer}\nn:0|{timer}");
        assert_eq!(sent(dialect, "", Kind::Timer, &values), [want]);
        let want = format!("n:2.25|{histogram}\nn:0.1234567|{histogram}");
        let values = [Sample(2.25), Sample(0.1234567)];
        assert_eq!(sent(dialect, "", Kind::Histogram, &values), [want]);
    }
    assert_eq!(sent("dogstatsd", "", Kind::Timer, &values), ["n:1.5:1.5:0.123457:0|ms"]);
    assert_eq!(sent("dogstatsd", "", Kind::Histogram, &values[..1]), ["n:1.5|h"]);
}

#[test]
fn packed_timings_fill_their_datagrams() {
    let values = vec![Value::Sample(123.456); 1000];
    let datagrams = sent("dogstatsd", "&mtu=1440", Kind::Timer, &values);
    let told: usize = datagrams.iter().map(|d| d.matches(":123.456").count()).sum();
    assert_eq!(told, 1000);
    assert!(datagrams[..datagrams.len() - 1].iter().all(|d| d.len() > 1400 && d.len() <= 1440));
}

#[test]
fn packed_values_of_many_digits_fit_their_datagrams() {
    let server = Server::new();
    let context = server.context("dialect=dogstatsd&mtu=1440");
    let values: Vec<f64> = (1..40).map(|i| f64::from(i) * -1e-300).collect();
    for value in &values {
        context.record(Kind::Histogram, b"n", Value::Sample(*value)).unwrap();
    }
    context.flush().unwrap();
    let datagrams = server.datagrams().join("\n");
    let read = datagrams.split('\n').flat_map(|line| {
        let line = line.strip_prefix("n:").unwrap().strip_suffix("|h").unwrap();
        line.split(':').map(|value| value.parse::<f64>().unwrap())
    });
    assert_eq!(read.collect::<Vec<_>>(), values);
}

#[test]
fn sets() {
    let members = [Value::Member(b"a"), Value::Member(b"b:c|d"), Value::Member(b"a")];
    for dialect in &DIALECTS[1..] {
        let mut lines: Vec<String> = sent(dialect, "", Kind::Set, &members)
            .iter()
            .flat_map(|datagram| datagram.split('\n').map(str::to_owned))
            .collect();
        lines.sort();
        assert_eq!(lines, ["n:a|s", "n:b_c_d|s"]);
    }
    let context = Server::new().context("");
    let error = context.record(Kind::Set, b"n", members[0]).unwrap_err();
    assert_eq!(error, fripp::error::Error::NotSupported);
}

#[test]
fn tags() {
    let line = |dialect: &str| {
        let server = Server::new();
        let context = server.context(&format!("dialect={dialect}&tags=h:x,r:1&prefix=p"));
        let metric = context.metric_get(Kind::Timer, b"n", b"k:v w").unwrap();
        context.record_to(metric, Value::Sample(2.0)).unwrap();
        context.flush().unwrap();
        server.datagrams().join("\n")
    };
    assert_eq!(line("dogstatsd"), "p.n:2|ms|#h:x,r:1,k:v_w");
    assert_eq!(line("telegraf"), "p.n,h=x,r=1,k=v_w:2|ms");
    assert_eq!(line("graphite"), "p.n;h=x;r=1;k=v_w:2|ms");
    for dialect in ["brubeck", "statsd"] {
        let context = Server::new().context(&format!("dialect={dialect}"));
        let error = context.metric_get(Kind::Timer, b"n", b"k:v").unwrap_err();
        assert_eq!(error, fripp::error::Error::NotSupported);
    }
}

#[test]
fn a_negative_gauge_and_its_zero_share_a_datagram() {
    let server = Server::new();
    let context = server.context("mtu=512");
    for i in 0..200 {
        let name = format!("{}{i}", "g".repeat(i % 90));
        context.record(Kind::Gauge, name.as_bytes(), Value::Set(-7)).unwrap();
    }
    context.flush().unwrap();
    for datagram in server.datagrams() {
        let lines: Vec<&str> = datagram.split('\n').collect();
        for pair in lines.chunks(2) {
            assert_eq!(pair[0].strip_suffix(":0|g"), pair[1].strip_suffix(":-7|g"));
        }
    }
}

/// What a server makes of `n` samples of one timer in a period: each, and how
/// many it stands for.
fn thinned(query: &str, n: i32) -> Vec<(f64, f64)> {
    let mut server = Server::new();
    server.limit = 65_507;
    let context = server.context(&format!("dialect=dogstatsd&mtu=65507&period=3600{query}"));
    for i in 0..n {
        context.record(Kind::Timer, b"n", Value::Sample(f64::from(i))).unwrap();
    }
    context.flush().unwrap();
    let mut known = common::Known::default();
    server.read(Dialect::Dogstatsd, &mut known);
    context.close();
    known.samples.remove("n").unwrap()
}

#[test]
fn thinned_samples_say_how_many_they_stand_for() {
    let n = 3 * 32_768 + 11;
    let samples = thinned("", n);
    assert!(samples.len() <= 32_768 && samples.iter().all(|(_, k)| *k == 4.0));
    assert!((samples.len() as i32 * 4 - n).abs() < 4);
}

#[test]
fn max_samples_is_how_many_are_sent() {
    for (max, n, k) in [(100, 100, 1), (100, 101, 2), (1, 3, 4), (100_000, 100_000, 1)] {
        let samples = thinned(&format!("&max_samples={max}"), n);
        assert!(samples.iter().all(|(_, each)| *each == f64::from(k)), "{max} of {n}");
        assert_eq!(samples.len(), (n as usize).div_ceil(k as usize), "{max} of {n}");
    }
}

#[test]
fn each_line_has_its_origin() {
    let server = Server::new();
    let id = "c".repeat(64);
    let endpoint = Endpoint::from_host_port(b"127.0.0.1", server.port().into()).unwrap();
    let settings = Settings {
        dialect: Dialect::Dogstatsd,
        origin: Origin::new(Some(b"pod-1"), Some(id.as_bytes())),
        mtu: 512,
        ..Settings::default()
    };
    let context = Context::open(endpoint, settings, None).unwrap();
    let sent = || {
        context.flush().unwrap();
        server.datagrams().join("\n").replace(&id, "ID")
    };
    let tagged = context.metric_get(Kind::Gauge, b"g", b"k:v").unwrap();
    context.record_to(tagged, Value::Set(-5)).unwrap();
    context.record(Kind::Counter, b"n", Value::Add(1)).unwrap();
    assert_eq!(
        sent(),
        "g:-5|g|#k:v,dd.internal.entity_id:pod-1|c:ID\nn:1|c|#dd.internal.entity_id:pod-1|c:ID"
    );
    let long = "n".repeat(512 - 64 - 24);
    let told = context.record(Kind::Counter, long.as_bytes(), Value::Add(1));
    assert_eq!(told, Err(Error::NameTooLong), "what is in each line counts");
    context.set_dialect(Dialect::Vector).unwrap();
    context.record(Kind::Counter, b"n", Value::Add(1)).unwrap();
    assert_eq!(sent(), "n:1|c", "another server would not read it");
    context.close();
}

#[test]
fn by_a_new_name_an_unchanged_gauge_is_sent_again() {
    let server = Server::new();
    let context = server.context("dialect=dogstatsd&refresh=0");
    let record = || {
        context.record(Kind::Gauge, b"g", Value::Set(5)).unwrap();
        context.flush().unwrap();
        server.datagrams().join("\n")
    };
    assert_eq!([record(), record()], ["g:5|g", ""]);
    context.set_prefix(b"p").unwrap();
    assert_eq!([record(), record()], ["p.g:5|g", ""]);
    context.set_tags(b"k:v").unwrap();
    assert_eq!([record(), record()], ["p.g:5|g|#k:v", ""]);
    context.set_period(0.5).unwrap();
    assert_eq!(record(), "");
    // nothing of it is pending
    context.set_prefix(b"q").unwrap();
    context.forget(b"g").unwrap();
    assert!(server.datagrams().is_empty());
}

#[test]
fn by_a_new_name_an_unchanged_total_is_sent_again() {
    let server = Server::new();
    let context = server.context("refresh=0");
    let record = || {
        context.record(Kind::Total, b"t", Value::Total(5)).unwrap();
        context.flush().unwrap();
        server.datagrams().join("\n")
    };
    assert_eq!([record(), record()], ["t:0.000000001|C\nt:5|C", ""]);
    context.set_prefix(b"p").unwrap();
    assert_eq!([record(), record()], ["p.t:5|C", ""]);
    context.set_dialect(Dialect::Statsd).unwrap();
    assert_eq!(record(), "p.t:0|c");
    context.set_dialect(Dialect::Brubeck).unwrap();
    context.forget(b"t").unwrap();
    assert!(server.datagrams().is_empty());
}

#[test]
fn forgetting_what_was_never_recorded_sends_nothing() {
    let server = Server::new();
    let context = server.context("");
    for kind in [Kind::Counter, Kind::Total, Kind::Gauge, Kind::Timer] {
        context.metric_get(kind, b"n", b"").unwrap();
    }
    context.forget(b"n").unwrap();
    context.close();
    assert!(server.datagrams().is_empty());
}

#[test]
fn a_forgotten_metric_that_the_dialect_lacks_is_refused() {
    use fripp::encode::dialect::Dialect;
    use fripp::error::Error;
    let server = Server::new();
    let context = server.context("dialect=dogstatsd");
    let tagged = context.metric_get(Kind::Counter, b"n", b"k:v").unwrap();
    let set = context.metric_get(Kind::Set, b"n", b"").unwrap();
    let values = [(tagged, Value::Add(1)), (set, Value::Member(b"m"))];
    context.forget(b"n").unwrap();
    context.set_dialect(Dialect::Brubeck).unwrap();
    for (metric, value) in values {
        assert_eq!(context.record_to(metric, value), Err(Error::NotSupported));
    }
    assert_eq!(context.record(Kind::Set, b"n", values[1].1), Err(Error::NotSupported));
    context.flush().unwrap();
    assert!(server.datagrams().is_empty());
    // they are none, so another dialect may come
    context.set_dialect(Dialect::Statsd).unwrap();
    context.set_dialect(Dialect::Dogstatsd).unwrap();
    for (metric, value) in values {
        context.record_to(metric, value).unwrap();
    }
    context.flush().unwrap();
    assert_eq!(server.datagrams(), ["n:1|c|#k:v\nn:m|s"]);
}

#[test]
fn numbers_and_samples_share_a_datagram() {
    let server = Server::new();
    let context = server.context("dialect=statsd");
    context.record(Kind::Timer, b"t", Value::Sample(1.0)).unwrap();
    context.record(Kind::Counter, b"c", Value::Add(1)).unwrap();
    context.record(Kind::Gauge, b"g", Value::Set(2)).unwrap();
    context.append_text(b"own:1|c").unwrap();
    context.flush().unwrap();
    assert_eq!(server.datagrams(), ["c:1|c\ng:2|g\nt:1|ms\nown:1|c"]);
    context.close();
}
