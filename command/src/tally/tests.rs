//! Each type is added up by its rules, and memory is bounded.

use super::*;

fn tally(datagrams: &[&str]) -> Tally {
    let mut tally = Tally::new(None);
    datagrams.iter().for_each(|datagram| tally.add_datagram(datagram.as_bytes()));
    tally
}

/// Of the whole time.
fn value(tally: &mut Tally, name: &str) -> f64 {
    let metric = tally.metrics.iter_mut().find(|metric| metric.name == name).expect(name);
    match &mut metric.value {
        Value::Counter { all, .. } | Value::Total { all, .. } => *all,
        Value::Gauge { newest } => *newest,
        Value::Samples { all, .. } => all.summary().unwrap().sum,
        Value::Members { all, .. } => all.len() as f64,
    }
}

#[test]
fn each_type_in_its_way() {
    let mut tally = tally(&[
        "c:1|c\nc:2|c|@0.1\nt:10|C\nt:30|C\nt:5|C\nt:6|C",
        "g:7|g\ng:-2|g\ng:+5|g\nn:0|g\nn:-5|g",
        "ms:1|ms\nms:2|ms|@0.5\ns:a|s\ns:b|s\ns:a|s",
    ]);
    for (name, want) in
        [("c", 21.0), ("t", 26.0), ("g", 10.0), ("n", -5.0), ("ms", 5.0), ("s", 2.0)]
    {
        assert_eq!(value(&mut tally, name), want, "{name}");
    }
    assert_eq!(tally.seen.lines, 16);
}

#[test]
fn datadogs_gauges_have_no_steps() {
    let mut tally = Tally::new(Some(Dialect::Dogstatsd));
    tally.add_datagram(b"g:7|g\ng:-5|g");
    assert_eq!(value(&mut tally, "g"), -5.0);
}

#[test]
fn a_metric_is_a_name_a_type_and_tags_in_any_style() {
    let tally = tally(&["a:1|c\na:1|g\na,k=v:1|c\na;k=v:1|c\na:1|c|#k:v\na:1|c|#k:w"]);
    let names: Vec<_> = tally.metrics.iter().map(|metric| &metric.name[..]).collect();
    assert_eq!(names, ["a", "a", "a;k=v", "a;k=w"]);
    assert_eq!(tally.metrics[2].lines, 3);
}

#[test]
fn a_name_is_safe_to_show() {
    let tally = tally(&["a\x1b[2J\u{202e}:1|c|#k:\u{9b}"]);
    assert_eq!(tally.metrics[0].name, "a\\u{1b}[2J\\u{202e};k=\\u{9b}");
}

#[test]
fn tags_are_a_set() {
    let tally = tally(&["a:1|c|#k:v,l\na:1|c|#l,k:v\na:1|c|#l,k:v,l\na:1|c|#k:v"]);
    let names: Vec<_> = tally.metrics.iter().map(|metric| &metric.name[..]).collect();
    assert_eq!(names, ["a;k=v;l", "a;k=v"]);
}

#[test]
fn events_and_checks_are_not_malformed() {
    let tally = tally(&["_e{1,1}:a|b\r\n\r\n_sc|a|0\n", "_e{1,1}:a\n_sc|a|0\n\na:1|c\r\n"]);
    let Seen { lines, malformed, events, checks, .. } = tally.seen;
    assert_eq!((lines, malformed, events, checks), (5, 1, 1, 2));
    assert_eq!(tally.metrics.len(), 1);
}

#[test]
fn a_tick_begins_anew() {
    let mut tally = tally(&["c:1|c\nms:1|ms\ns:a|s\nt:1|C"]);
    tally.tick();
    tally.add_datagram(b"c:5|c\nms:3|ms\ns:a|s\nt:4|C");
    for metric in &mut tally.metrics {
        let (now, all) = match &mut metric.value {
            Value::Counter { now, all } | Value::Total { now, all, .. } => (*now, *all),
            Value::Samples { now, all, .. } => {
                (now.summary().unwrap().sum, all.summary().unwrap().sum)
            }
            Value::Members { now, all } => (now.len() as f64, all.len() as f64),
            Value::Gauge { .. } => unreachable!(),
        };
        let want = match &metric.name[..] {
            "c" => (5.0, 6.0),
            "ms" => (3.0, 4.0),
            "s" => (1.0, 1.0),
            _ => (3.0, 3.0),
        };
        assert_eq!((now, all), want, "{}", metric.name);
        assert_eq!((metric.lines_now, metric.lines), (1, 2));
    }
}

#[test]
fn what_is_beyond_is_counted() {
    let mut tally = Tally::with_most(None, 2);
    tally.add_datagram(b"a:1|c\nb:1|c\nc:1|c\na:1|c\nbad\n");
    let Seen { lines, malformed, beyond, .. } = tally.seen;
    assert_eq!((lines, malformed, beyond, tally.metrics.len()), (5, 1, 1, 2));
    assert_eq!(value(&mut tally, "a"), 2.0);
}

#[test]
fn memory_for_members_and_values_is_bounded() {
    let mut tally = Tally::new(None);
    tally.budget = Budget(4 * MEMBER + 200);
    for n in 0..1000 {
        tally.add_datagram(format!("s:{n}|s\nms:{n}|ms").as_bytes());
    }
    assert!(tally.seen.unkept > 1900, "{:?}", tally.seen);
    assert_eq!(value(&mut tally, "ms"), 499_500.0);
}
