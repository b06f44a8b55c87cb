//! The bytes that each server is sent for each type: those that it was seen
//! to count right, and nothing else.

#[allow(dead_code, reason = "the bytes are wanted here, not what a server reads of them")]
mod common;

use common::Server;
use fripp::error::Error;
use fripp::metric::kind::Kind;
use fripp::metric::value::Value;

/// A server, by its name in the URI, with what it is sent.
struct Form {
    server: &'static str,
    /// A counter of 5, then 3 less.
    counter: &'static str,
    /// A total of 10, then 12, and at the next flush a restart at 3.
    totals: [&'static str; 2],
    /// A gauge of -5.
    gauge: &'static str,
    /// Timings of 1.5 and 2.
    timings: &'static str,
    /// A histogram of 3 and 4, and as a distribution.
    histogram: &'static str,
    distribution: &'static str,
    /// A set with the member "a".
    set: &'static str,
    /// A timing of 7 with tags: the context's h:x, and its own k:v.
    tags: &'static str,
}

/// There is no such thing: ENOTSUP, or no such URI.
const NONE: &str = "none";

const LIKE_STATSD: Form = Form {
    server: "statsd",
    counter: "n:2|c",
    totals: ["n:12|c", "n:3|c"],
    gauge: "n:0|g\nn:-5|g",
    timings: "n:1.5|ms\nn:2|ms",
    histogram: "n:3|ms\nn:4|ms",
    distribution: NONE,
    set: "n:a|s",
    tags: NONE,
};
const TAGGED: Form = Form {
    histogram: "n:3|h\nn:4|h",
    distribution: "n:3|d\nn:4|d",
    tags: "n:7|ms|#h:x,k:v",
    ..LIKE_STATSD
};
const DATADOG: Form = Form {
    server: "dogstatsd",
    gauge: "n:-5|g",
    timings: "n:1.5:2|ms",
    histogram: "n:3:4|h",
    distribution: "n:3:4|d",
    ..TAGGED
};
const TELEGRAF: Form =
    Form { server: "telegraf", histogram: "n:3|h\nn:4|h", tags: "n,h=x,k=v:7|ms", ..LIKE_STATSD };
const EXPORTER: Form = Form {
    server: "exporter",
    counter: "refused\nn:5|c",
    timings: "n:1.5:2|ms",
    histogram: "n:3:4|h",
    distribution: "n:3:4|d",
    set: NONE,
    ..TAGGED
};

const FORMS: [Form; 15] = [
    Form {
        server: "brubeck",
        totals: ["n:0.000000001|C\nn:12|C", "n:3|C"],
        histogram: "n:3|h\nn:4|h",
        set: NONE,
        ..LIKE_STATSD
    },
    LIKE_STATSD,
    Form { server: "collectd", ..LIKE_STATSD },
    Form { server: "netdata", ..LIKE_STATSD },
    Form { server: "statsite", ..LIKE_STATSD },
    DATADOG,
    Form { server: "datadog", ..DATADOG },
    TELEGRAF,
    Form { server: "influx", ..TELEGRAF },
    Form { server: "graphite", tags: "n;h=x;k=v:7|ms", ..LIKE_STATSD },
    Form { server: "vector", ..TAGGED },
    Form { server: "otel", set: NONE, ..TAGGED },
    EXPORTER,
    Form { server: "prometheus", ..EXPORTER },
    Form { server: "gostatsd", gauge: "n:-5|g", distribution: NONE, ..TAGGED },
];

impl Form {
    /// What arrives of each flush, in which values were recorded as `n`.
    fn sent(&self, settings: &str, kind: Kind, flushes: &[&[Value<'_>]]) -> Vec<String> {
        let server = Server::new();
        let context = server.context(&format!("dialect={}&period=3600{settings}", self.server));
        let mut sent = Vec::new();
        for values in flushes {
            let mut refused = "";
            for value in *values {
                match context.record(kind, b"n", *value) {
                    Err(Error::NotSupported) => return vec![NONE.to_owned()],
                    Err(error) => {
                        assert_eq!(error, Error::Invalid);
                        refused = "refused\n";
                    }
                    Ok(()) => {}
                }
            }
            context.flush().unwrap();
            sent.push(format!("{refused}{}", server.datagrams().join("\n")));
        }
        context.close();
        sent
    }

    fn one(&self, settings: &str, kind: Kind, values: &[Value<'_>]) -> String {
        self.sent(settings, kind, &[values]).join("\n")
    }
}

#[test]
fn every_server_and_type() {
    use Value::{Add, Member, Sample, Set, Total};
    for form in &FORMS {
        let name = form.server;
        assert_eq!(form.one("", Kind::Counter, &[Add(5), Add(-3)]), form.counter, "{name}");
        let totals = form.sent("", Kind::Total, &[&[Total(10), Total(12)], &[Total(3)]]);
        assert_eq!(totals, form.totals, "{name}");
        assert_eq!(form.one("", Kind::Gauge, &[Set(-5)]), form.gauge, "{name}");
        let timings = [Sample(1.5), Sample(2.0)];
        assert_eq!(form.one("", Kind::Timer, &timings), form.timings, "{name}");
        let sizes = [Sample(3.0), Sample(4.0)];
        assert_eq!(form.one("&histogram=h", Kind::Histogram, &sizes), form.histogram, "{name}");
        if form.distribution != NONE {
            let sent = form.one("&histogram=d", Kind::Histogram, &sizes);
            assert_eq!(sent, form.distribution, "{name}");
        } else {
            let uri = format!("127.0.0.1:8125?histogram=d&dialect={name}");
            assert!(fripp::uri::Uri::parse(uri.as_bytes()).is_err(), "{name}");
        }
        assert_eq!(form.one("", Kind::Set, &[Member(b"a")]), form.set, "{name}");
    }
}

#[test]
fn rates_of_every_server() {
    for form in &FORMS {
        // collectd would multiply the value
        let rate = if form.server == "collectd" { "" } else { "|@0.5" };
        let sent = form.one("&max_samples=1", Kind::Timer, &[Value::Sample(7.0); 2]);
        assert_eq!(sent, format!("n:7|ms{rate}"), "{}", form.server);
    }
}

#[test]
fn what_a_server_would_refuse_is_counted() {
    use Value::{Add, Member, Sample};
    for (server, kind, value, refused) in [
        ("statsd", Kind::Histogram, Sample(-0.5), true),
        ("graphite", Kind::Histogram, Sample(-0.5), true),
        ("telegraf", Kind::Histogram, Sample(-0.5), true),
        ("dogstatsd", Kind::Histogram, Sample(-0.5), false),
        ("telegraf", Kind::Set, Member(b"+5"), true),
        ("telegraf", Kind::Set, Member(b"-5"), true),
        ("telegraf", Kind::Set, Member(b"5-"), false),
        ("vector", Kind::Set, Member(b"-5"), false),
        ("exporter", Kind::Counter, Add(-1), true),
        ("exporter", Kind::Gauge, Add(-1), false),
        ("statsd", Kind::Counter, Add(-1), false),
    ] {
        let arrives = Server::new();
        let context = arrives.context(&format!("dialect={server}"));
        let metric = context.metric_get(kind, b"n", b"").unwrap();
        let told = [context.record(kind, b"n", value), context.record_to(metric, value)];
        let want = if refused { Err(Error::Invalid) } else { Ok(()) };
        assert_eq!(told, [want; 2], "{server} {value:?}");
        assert_eq!(context.stats().0.dropped_invalid, if refused { 2 } else { 0 });
        context.flush().unwrap();
        assert_eq!(arrives.datagrams().is_empty(), refused, "{server} {value:?}");
        context.close();
    }
}

#[test]
fn names_that_the_agent_reads_as_something_else() {
    for (dialect, raw, want) in [
        ("dogstatsd", "_sc", "sc:1|c"),
        ("dogstatsd", "_e{5,4}:x", "e_5_4__x:1|c"),
        ("dogstatsd", "_other", "_other:1|c"),
        ("statsd", "_sc", "_sc:1|c"),
        ("dogstatsd&prefix=_event", "n", "event.n:1|c"),
        ("dogstatsd&prefix=p", "_sc", "p._sc:1|c"),
    ] {
        let server = Server::new();
        let context = server.context(&format!("dialect={dialect}"));
        context.record(Kind::Counter, raw.as_bytes(), Value::Add(1)).unwrap();
        context.flush().unwrap();
        assert_eq!(server.datagrams(), [want], "{dialect} {raw}");
        context.close();
    }
}

#[test]
fn tags_are_a_set() {
    let server = Server::new();
    let context = server.context("dialect=dogstatsd&tags=z:1,k:old");
    let metric = context.metric_get(Kind::Gauge, b"n", b"url:a:b,k:new").unwrap();
    let other = context.metric_get(Kind::Gauge, b"n", b"k:new,url:a:b,k:new").unwrap();
    assert!(std::ptr::eq(metric, other), "in any order");
    context.record_to(metric, Value::Set(1)).unwrap();
    let bare = context.metric_get(Kind::Counter, b"n", b"k").unwrap();
    context.record_to(bare, Value::Add(1)).unwrap();
    context.flush().unwrap();
    assert_eq!(server.datagrams(), ["n:1|g|#z:1,url:a:b,k:new\nn:1|c|#z:1,k"]);
    let telegraf = fripp::encode::dialect::Dialect::Telegraf;
    assert_eq!(context.set_dialect(telegraf), Err(Error::NotSupported), "a tag without a value");
    context.forget(b"n").unwrap();
    context.set_dialect(telegraf).unwrap();
    assert_eq!(context.record_to(bare, Value::Add(1)), Err(Error::Invalid));
    context.record_to(metric, Value::Set(2)).unwrap();
    context.flush().unwrap();
    assert_eq!(server.datagrams(), ["n,z=1,url=a_b,k=new:2|g"]);
    context.close();
}

#[test]
fn brubeck_counts_all_that_was_recorded() {
    for flushes in [
        &[&[1000][..], &[1010]][..],
        &[&[0], &[5], &[8]],
        &[&[0], &[0], &[2103]],
        &[&[20], &[0], &[8]],
        &[&[20, 0, 8], &[7, 9, 3], &[1]],
        &[&[1], &[1], &[0], &[1, 0, 1, 0, 1]],
    ] {
        let server = Server::new();
        let context = server.context("dialect=brubeck");
        let mut known = common::Known::default();
        let (mut before, mut grown) = (0, 0);
        for total in flushes.iter().map(|totals| totals.iter()).flat_map(|totals| {
            let last = totals.len() - 1;
            totals.enumerate().map(move |(i, total)| (*total, i == last))
        }) {
            let (total, ends) = total;
            context.record(Kind::Total, b"n", Value::Total(total)).unwrap();
            grown += i128::from(if total < before { total } else { total - before });
            before = total;
            if ends {
                context.flush().unwrap();
                server.read(fripp::encode::dialect::Dialect::Brubeck, &mut known);
            }
        }
        let (_, counted) = known.totals["n"];
        assert!((counted - grown * 1_000_000_000).abs() <= 5, "{flushes:?}: {counted} of {grown}");
        context.close();
    }
}

#[test]
fn tags_of_every_server() {
    for form in &FORMS {
        let server = Server::new();
        let context = server.context(&format!("dialect={}", form.server));
        if form.tags == NONE {
            assert_eq!(context.set_tags(b"h:x"), Err(Error::NotSupported), "{}", form.server);
            continue;
        }
        context.set_tags(b"h:x").unwrap();
        let metric = context.metric_get(Kind::Timer, b"n", b"k:v").unwrap();
        context.record_to(metric, Value::Sample(7.0)).unwrap();
        context.flush().unwrap();
        assert_eq!(server.datagrams(), [form.tags], "{}", form.server);
        context.close();
    }
}
