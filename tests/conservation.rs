//! Whatever is recorded, through whatever changes of settings: what a simple
//! reader of the lines adds up is the same.

#[path = "common/known.rs"]
mod known;
mod model;

use model::{Call, Server, Step, run};
use proptest::prelude::*;

/// What C's `ssize_t` holds.
fn word() -> impl Strategy<Value = i64> {
    any::<isize>().prop_map(|n| n as i64)
}

fn call() -> impl Strategy<Value = Call> {
    let real = prop_oneof![
        4 => -1e6..1e6,
        2 => (-20..20i32).prop_map(f64::from),
        1 => any::<f64>(),
    ];
    prop_oneof![
        4 => prop_oneof![any::<i64>(), -5..50i64].prop_map(Call::Add),
        4 => prop_oneof![word(), 0..50i64].prop_map(Call::Total),
        3 => prop_oneof![word(), -5..5i64].prop_map(Call::Gauge),
        3 => prop_oneof![word(), -5..5i64].prop_map(Call::GaugeInc),
        2 => real.clone().prop_map(Call::Real),
        4 => prop_oneof![0.0..1e6, real.clone()].prop_map(Call::Timing),
        2 => real.prop_map(Call::Histogram),
        2 => any::<u8>().prop_map(Call::Unique),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let n = any::<u8>;
    prop_oneof![
        20 => (n(), call()).prop_map(|(name, call)| Step::Named(name, call)),
        3 => (n(), -9.5..9.5, n()).prop_map(|(name, value, kind)| Step::Send(name, value, kind)),
        20 => (n(), n(), n(), call())
            .prop_map(|(kind, name, tags, call)| Step::Handled(kind, name, tags, call)),
        3 => (n(), any::<bool>()).prop_map(|(text, later)| Step::Text(text, later)),
        2 => n().prop_map(Step::Forget),
        2 => n().prop_map(Step::Prefix),
        2 => n().prop_map(Step::Tags),
        2 => n().prop_map(Step::Dialect),
        2 => n().prop_map(Step::Period),
        3 => Just(Step::Flush),
        2 => Just(Step::Turns),
        2 => any::<bool>().prop_map(Step::Server),
        1 => any::<bool>().prop_map(Step::Slow),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_recorded_is_what_arrives(
        dialect: u8,
        room in prop_oneof![Just(6), Just(1000)],
        steps in prop::collection::vec(step(), 1..80),
    ) {
        run(&mut Server::new(), dialect, room, steps.into_iter());
    }
}
