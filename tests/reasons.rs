//! The message for each wrong URI and argument: what is wrong, and what is
//! right.

use fripp::error::Error;
use fripp::metric::kind::Kind;
use fripp::metric::value::Value;
use fripp::uri::Uri;

const DIALECTS: &str = "brubeck, statsd, dogstatsd, telegraf, graphite, vector, otel, exporter, \
                        gostatsd, collectd, netdata, statsite, datadog, influx, prometheus";
const KEYS: &str = "dialect, period, prefix, tags, mtu, refresh, max_metrics, max_samples, buffer, \
                    histogram, origin, telemetry";

#[test]
fn wrong_uris() {
    let long = format!("unix:/{}", "p".repeat(107));
    let host = format!("{}:8125", "h".repeat(254));
    let table = [
        ("", "no port in ''".to_owned()),
        ("localhost", "no port in 'localhost'".to_owned()),
        ("localhost:", "no port in 'localhost:'".to_owned()),
        ("localhost?period=1", "no port in 'localhost'".to_owned()),
        ("[::1]", "no port in '[::1]'".to_owned()),
        (":8125", "no host in ':8125'".to_owned()),
        ("localhost:0", "port '0' is not 1 to 65535".to_owned()),
        ("localhost:70000", "port '70000' is not 1 to 65535".to_owned()),
        ("localhost:http", "port 'http' is not 1 to 65535".to_owned()),
        ("localhost:+25", "port '+25' is not 1 to 65535".to_owned()),
        ("a b:8125", "'a b' is not a host name or an address".to_owned()),
        (&host, format!("the host '{}...' has 254 bytes, of 253 at most", "h".repeat(64))),
        ("::1:8125", "'::1:8125': an IPv6 address needs brackets, as in [::1]:8125".to_owned()),
        ("[::1:8125", "no ']' in '[::1:8125'".to_owned()),
        ("[localhost]:8125", "'localhost' is not an IPv6 address".to_owned()),
        (
            "http://h:8125",
            "unknown scheme 'http' (one of: udp, tcp, unix, unixgram, unixstream)".to_owned(),
        ),
        ("tcp://localhost", "no port in 'tcp://localhost'".to_owned()),
        ("tcp://:8125", "no host in 'tcp://:8125'".to_owned()),
        ("tcp://h:8125x", "port '8125x' is not 1 to 65535".to_owned()),
        (
            "tcp://udp://h:1",
            "unknown scheme 'udp' (one of: udp, tcp, unix, unixgram, unixstream)".to_owned(),
        ),
        ("unixstream:run/x", "the UNIX socket 'run/x' is neither /path nor @name".to_owned()),
        ("unixstream://", "the UNIX socket '' is neither /path nor @name".to_owned()),
        ("unix:", "the UNIX socket '' is neither /path nor @name".to_owned()),
        ("unix:@", "the UNIX socket '@' is neither /path nor @name".to_owned()),
        ("unix:run/x", "the UNIX socket 'run/x' is neither /path nor @name".to_owned()),
        (&long, format!("the UNIX socket '/{}...' has 108 bytes, of 107 at most", "p".repeat(63))),
        ("h:1?", "'' is not key=value".to_owned()),
        ("h:1?period", "'period' is not key=value".to_owned()),
        ("h:1?period=1&", "'' is not key=value".to_owned()),
        ("h:1?color=red", format!("unknown key 'color' (one of: {KEYS})")),
        ("h:1?dialect=statds", format!("unknown dialect 'statds' (one of: {DIALECTS})")),
        ("h:1?dialect=", format!("unknown dialect '' (one of: {DIALECTS})")),
        ("h:1?period=-1", "the period is 0, or 0.01 to 86400 seconds, not '-1'".to_owned()),
        ("h:1?period=1s", "the period is 0, or 0.01 to 86400 seconds, not '1s'".to_owned()),
        ("h:1?period=.001", "the period is 0, or 0.01 to 86400 seconds, not '.001'".to_owned()),
        ("h:1?refresh=86401", "the refresh is 0 to 86400 seconds, not '86401'".to_owned()),
        ("h:1?mtu=511", "the mtu is 512 to 65507 bytes, not '511'".to_owned()),
        ("h:1?max_metrics=-1", "max_metrics is a whole number, not '-1'".to_owned()),
        ("h:1?buffer=16M", "the buffer is a number of bytes, not '16M'".to_owned()),
        ("h:1?max_samples=0", "max_samples is 1 to 1000000, not '0'".to_owned()),
        ("h:1?telemetry=yes", "telemetry is 0 or 1, not 'yes'".to_owned()),
        ("h:1?origin=yes", "origin is auto or none, not 'yes'".to_owned()),
        ("h:1?origin=auto", "dialect brubeck has no origin".to_owned()),
        ("h:1?histogram=x", "histogram is h or d, not 'x'".to_owned()),
        ("h:1?histogram=d", "dialect brubeck has no distributions".to_owned()),
        ("h:1?tags=k:v", "dialect brubeck has no tags".to_owned()),
        ("h:1?prefix=%4", "'%4' has a '%' without two hexadecimal digits".to_owned()),
        ("h:1?prefix=a%00", "'a%00' holds a NUL byte".to_owned()),
    ];
    for (uri, want) in &table {
        assert_eq!(Uri::parse(uri.as_bytes()).unwrap_err(), *want, "{uri}");
    }
    let prefix = format!("h:1?prefix={}", "p".repeat(128));
    let told = Uri::parse(prefix.as_bytes()).unwrap_err();
    assert_eq!(told, "the prefix has 128 bytes, of 127 at most");
}

#[test]
fn wrong_values() {
    let context = Uri::parse(b"127.0.0.1:9?max_metrics=1").unwrap().context(None).unwrap();
    let told = |kind, name: &str, value| {
        context.record(kind, name.as_bytes(), value).map_err(Error::reason).unwrap_err()
    };
    let name = |name: &str| told(Kind::Gauge, name, Value::Set(1));
    assert_eq!(name(""), "the name '' is empty, or nothing but dots");
    assert_eq!(name(".."), "the name '..' is empty, or nothing but dots");
    assert_eq!(name(&"n".repeat(241)), "the name has 241 bytes with its prefix, of 240 at most");
    for (kind, value, want) in [
        (Kind::Gauge, Value::Real(f64::NAN), "the value is not a number"),
        (Kind::Gauge, Value::Real(f64::INFINITY), "the value is infinite"),
        (Kind::Timer, Value::Sample(-0.5), "the timing -0.5 ms is negative"),
        (Kind::Total, Value::Total(-1), "the running total -1 is negative"),
        (Kind::Set, Value::Member(b""), "the member is empty"),
        (Kind::Set, Value::Member(b"m"), "dialect brubeck has no sets"),
        (Kind::Timer, Value::Add(1), "a timer does not take a number to add"),
    ] {
        assert_eq!(told(kind, "n", value), want);
    }
    let number = context.record_number(Kind::Counter, b"n", 0.5).map_err(Error::reason);
    assert_eq!(number.unwrap_err(), "the value 0.5 is not a whole number of 64 bits");
    context.record(Kind::Counter, b"n", Value::Add(1)).unwrap();
    assert_eq!(name("one.more"), "the context holds 1 metrics, its max_metrics");
    assert_eq!(
        context.set_period(1e9).map_err(Error::reason).unwrap_err(),
        "the period is 0, or 0.01 to 86400 seconds, not 1000000000"
    );
    let long = [b'x'; 1441];
    assert_eq!(
        context.send_text(&long).map_err(Error::reason).unwrap_err(),
        "a line is longer than a datagram"
    );
    context.close();
}

#[test]
fn wrong_tags() {
    let uri = Uri::parse(b"127.0.0.1:9?dialect=dogstatsd").unwrap();
    let context = uri.context(None).unwrap();
    let told = |tags: &[u8]| context.set_tags(tags).map_err(Error::reason).unwrap_err();
    assert_eq!(told(b":v"), "the tag ':v' is not key:value");
    assert_eq!(told(&[b'k'; 5000]), "the tags have 5000 bytes, of 4096 at most");
    context.close();
}
