//! Whatever is recorded, through whatever changes of settings: what a simple
//! reader of the lines adds up is the same.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Known, Server};
use fripp::dialect::{Dialect, Kind};
use fripp::error::Error;
use fripp::record::Value;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Inc(u8, i64),
    Total(u8, i64),
    Gauge(u8, i64),
    GaugeInc(u8, i32),
    GaugeReal(u8, f64),
    Timing(u8, f64),
    Unique(u8, u8),
    Flush,
    Period(bool),
    Forget(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0..6u8;
    prop_oneof![
        4 => (name.clone(), prop_oneof![any::<i64>(), -5..50i64]).prop_map(|(n, v)| Step::Inc(n, v)),
        4 => (name.clone(), prop_oneof![0..i64::MAX, 0..50i64]).prop_map(|(n, v)| Step::Total(n, v)),
        3 => (name.clone(), prop_oneof![any::<i64>(), -5..5i64]).prop_map(|(n, v)| Step::Gauge(n, v)),
        3 => (name.clone(), any::<i32>()).prop_map(|(n, v)| Step::GaugeInc(n, v)),
        2 => (name.clone(), -1e6..1e6).prop_map(|(n, v)| Step::GaugeReal(n, v)),
        4 => (name.clone(), 0.0..1e6).prop_map(|(n, v)| Step::Timing(n, v)),
        2 => (name.clone(), any::<u8>()).prop_map(|(n, v)| Step::Unique(n, v)),
        2 => Just(Step::Flush),
        1 => any::<bool>().prop_map(Step::Period),
        1 => name.prop_map(Step::Forget),
    ]
}

/// Spellings of one name each, as they would be cleaned.
const NAMES: [(&str, &str); 6] = [
    ("plain", "plain"),
    ("a:b", "a_b"),
    ("a b", "a_b"),
    (".dots..in.", "dots.in"),
    ("tab\there", "tab_here"),
    ("größe", "größe"),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Held {
    Integer(i64),
    Real(f64),
}

#[derive(Default)]
struct Model {
    counters: BTreeMap<String, i128>,
    totals: BTreeMap<String, i64>,
    gauges: BTreeMap<String, Held>,
    /// The newest value of each gauge that was ever sent.
    seen: BTreeMap<String, Held>,
    timings: BTreeMap<String, Vec<f64>>,
    sets: BTreeMap<String, BTreeSet<String>>,
}

fn run(dialect: Dialect, name: &str, steps: &[Step]) {
    let server = Server::new();
    let context = server.context(&format!("dialect={name}&period=86400"));
    let mut known = Known::default();
    let mut model = Model::default();
    let key = |n: u8| format!("p.{}", NAMES[n as usize].1);
    let raw = |n: u8| format!("p.{}", NAMES[n as usize].0).into_bytes();
    for step in steps {
        match *step {
            Step::Inc(n, v) => {
                context
                    .record(Kind::Counter, &[b"c", &raw(n)[..]].concat(), Value::Add(v))
                    .unwrap();
                *model.counters.entry("c".to_owned() + &key(n)).or_default() += i128::from(v);
            }
            Step::Total(n, v) => {
                context
                    .record(Kind::Total, &[b"t", &raw(n)[..]].concat(), Value::Total(v))
                    .unwrap();
                let before = model.totals.insert("t".to_owned() + &key(n), v).unwrap_or(0);
                let grown = if v < before { v } else { v - before };
                *model.counters.entry("t".to_owned() + &key(n)).or_default() += i128::from(grown);
            }
            Step::Gauge(n, v) => {
                context.record(Kind::Gauge, &raw(n), Value::Set(v)).unwrap();
                model.gauges.insert(key(n), Held::Integer(v));
            }
            Step::GaugeInc(n, v) => {
                let held = model.gauges.get(&key(n)).copied().unwrap_or(Held::Integer(0));
                let sum = match held {
                    Held::Integer(held) => held.checked_add(v.into()).map(Held::Integer),
                    Held::Real(held) => Some(Held::Real(held + f64::from(v))),
                };
                let told = context.record(Kind::Gauge, &raw(n), Value::Add(v.into()));
                match sum {
                    Some(sum) => {
                        told.unwrap();
                        model.gauges.insert(key(n), sum);
                    }
                    None => assert_eq!(told, Err(Error::Range)),
                }
            }
            Step::GaugeReal(n, v) => {
                context.record(Kind::Gauge, &raw(n), Value::Real(v)).unwrap();
                let held = if v == v.trunc() { Held::Integer(v as i64) } else { Held::Real(v) };
                model.gauges.insert(key(n), held);
            }
            Step::Timing(n, v) => {
                context.record(Kind::Timer, &raw(n), Value::Sample(v)).unwrap();
                model.timings.entry(key(n)).or_default().push(v);
            }
            Step::Unique(n, v) => {
                let member = format!("m{v}");
                let told = context.record(Kind::Set, &raw(n), Value::Member(member.as_bytes()));
                if dialect == Dialect::Brubeck {
                    assert_eq!(told, Err(Error::NotSupported));
                } else {
                    told.unwrap();
                    model.sets.entry(key(n)).or_default().insert(member);
                }
            }
            Step::Flush => context.flush().unwrap(),
            Step::Period(zero) => context.set_period(if zero { 0.0 } else { 86_400.0 }).unwrap(),
            Step::Forget(n) => {
                context.forget(&raw(n)).unwrap();
                if let Some(held) = model.gauges.remove(&key(n)) {
                    model.seen.insert(key(n), held);
                }
            }
        }
        server.read(dialect, &mut known);
    }
    context.close();
    server.read(dialect, &mut known);
    model.counters.retain(|_, sum| *sum != 0);
    known.counters.retain(|_, sum| *sum != 0);
    assert_eq!(known.counters, model.counters);
    model.seen.extend(model.gauges);
    for (name, held) in &model.seen {
        let digits = &known.digits[name];
        match held {
            Held::Integer(held) => assert_eq!(digits.parse::<i64>(), Ok(*held), "{name}"),
            Held::Real(held) => assert_eq!(digits.parse::<f64>(), Ok(*held), "{name}"),
        }
    }
    let told = known.samples.into_iter().map(|(name, samples)| {
        let mut values: Vec<f64> = samples.into_iter().map(|(value, _)| value).collect();
        values.sort_by(f64::total_cmp);
        (name, values)
    });
    let rounded = model.timings.into_iter().map(|(name, values)| {
        let mut values: Vec<f64> =
            values.iter().map(|value| format!("{value:.6}").parse().unwrap()).collect();
        values.sort_by(f64::total_cmp);
        (name, values)
    });
    assert_eq!(told.collect::<Vec<_>>(), rounded.collect::<Vec<_>>());
    assert_eq!(known.sets, model.sets);
    let (stats, pending) = context.stats();
    assert_eq!((stats.lines, stats.datagrams), (known.lines, known.datagrams));
    assert_eq!((stats.dropped_full, stats.dropped_send, pending), (0, 0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_recorded_is_what_arrives(steps in prop::collection::vec(step(), 1..80)) {
        for (dialect, name) in [
            (Dialect::Brubeck, "brubeck"),
            (Dialect::Statsd, "statsd"),
            (Dialect::Dogstatsd, "dogstatsd"),
            (Dialect::Telegraf, "telegraf"),
            (Dialect::Graphite, "graphite"),
        ] {
            run(dialect, name, &steps);
        }
    }
}
