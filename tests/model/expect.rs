//! What a server is to know.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CStr;

use fripp::encode::dialect::{Dialect, Tagging};

use fripp::metric::kind::Kind;

use super::Call;
use crate::known::Known;

/// 210 bytes: too long for brubeck behind a long prefix.
const LONG: &str = "\
    nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\
    nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\
    nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";
/// Spellings of names, and what they are cleaned to.
pub const NAMES: [(&[u8], &str); 10] = [
    (b"plain", "plain"),
    (b"a:b", "a_b"),
    (b"a b", "a_b"),
    (b"a_b", "a_b"),
    (b".dots..in.", "dots.in"),
    (b"tab\there|c\n", "tab_here_c_"),
    (b"gr\xc3\xb6\xc3\x9fe\xff", "größe_"),
    (
        b"longer.than.the.forty.bytes.of.a.metric.itself",
        "longer.than.the.forty.bytes.of.a.metric.itself",
    ),
    (LONG.as_bytes(), LONG),
    (b"...", ""),
];
/// Tags, and what they are cleaned to; `None` for what is none.
pub const TAGS: [(&CStr, Option<&str>); 6] = [
    (c"", Some("")),
    (c"k:v", Some("k:v")),
    (c"k:v,url:http://x y", Some("k:v,url:http://x_y")),
    (c"e:p", Some("e:p")),
    (c"k", Some("k")),
    (c"k:v,", None),
];
/// The same for metrics: none is the context's, so that no two metrics are one
/// to the server.
pub const OWN_TAGS: [(&CStr, Option<&str>); 6] = [
    (c"", Some("")),
    (c"k:w", Some("k:w")),
    (c"k:w,url:ftp://x y", Some("k:w,url:ftp://x_y")),
    (c"e:q", Some("e:q")),
    (c"b", Some("b")),
    (c"k:w,", None),
];

/// Whether tags are one without a value.
pub fn is_bare(tags: &str) -> bool {
    !tags.is_empty() && !tags.contains(':')
}

/// Millionths that a total's restarts at 0 may add or take.
const RESTARTS: i128 = 1000;
/// Prefixes, with the dot behind them; `None` for what is too long.
pub const PREFIXES: [(&CStr, Option<&str>); 6] = [
    (c"", Some("")),
    (c"p", Some("p.")),
    (c"..job {{rank}}.", Some("job_0.")),
    (c".", Some("")),
    (c"a.prefix.of.forty.bytes.which.is.a.lot..", Some("a.prefix.of.forty.bytes.which.is.a.lot.")),
    (
        c"ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp",
        None,
    ),
];
pub const DIALECTS: [Dialect; 10] = Dialect::ALL;
/// Members, and what they are cleaned to.
pub const MEMBERS: [(&CStr, &str); 5] =
    [(c"a", "a"), (c"b:c|d", "b_c_d"), (c"\xff", "_"), (c"1.5", "1.5"), (c"", "")];

/// What a caller can tell from another: kind, name and tags.
pub type Key = (u8, &'static str, &'static str);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Held {
    Integer(i64),
    Real(f64),
}

/// A total that a server of brubeck's kind sees.
#[derive(Default)]
struct Seen {
    newest: i64,
    growth: i128,
    /// It was not always this server that saw it: only the newest value is
    /// sure.
    apart: bool,
}

/// What was recorded, under which settings.
pub struct Model {
    pub dialect: Dialect,
    pub prefix: &'static str,
    pub tags: &'static str,
    pub immediate: bool,
    room: usize,
    /// Metrics that there are, and those of them that are not forgotten.
    known: BTreeSet<Key>,
    live: BTreeSet<Key>,
    /// Something was forgotten: names that are new from then on, and have no
    /// handle, are gone when they are.
    forgets: bool,
    passing: BTreeSet<Key>,
    held: BTreeMap<Key, Held>,
    bases: BTreeMap<Key, i64>,
    counters: BTreeMap<String, i128>,
    totals: BTreeMap<String, Seen>,
    gauges: BTreeMap<String, Held>,
    samples: BTreeMap<String, Vec<f64>>,
    sets: BTreeMap<String, BTreeSet<String>>,
    /// Lines of texts, sent at once and appended, in order.
    pub texts: [u32; 2],
}

/// What a call is to return.
#[derive(Debug, PartialEq)]
pub enum Told {
    Done,
    /// One of these, with no effect.
    Error(Vec<i32>),
    /// 0, or one of these: another spelling of its name has made a metric
    /// that a prefix has made too long.
    Either(Vec<i32>),
}

impl Model {
    pub fn new(dialect: Dialect, room: usize) -> Model {
        Model {
            dialect,
            prefix: "",
            tags: "",
            immediate: false,
            room,
            known: BTreeSet::new(),
            live: BTreeSet::new(),
            forgets: false,
            passing: BTreeSet::new(),
            held: BTreeMap::new(),
            bases: BTreeMap::new(),
            counters: BTreeMap::new(),
            totals: BTreeMap::new(),
            gauges: BTreeMap::new(),
            samples: BTreeMap::new(),
            sets: BTreeMap::new(),
            texts: [0; 2],
        }
    }

    /// A metric as the server sees it: name, and tags as they are written.
    fn on_the_wire(&self, name: &str, tags: &str) -> String {
        let mut all = format!("{}{name}", self.prefix);
        let key = |tag: &str| tag.split(':').next().map(str::to_owned);
        let own: Vec<_> = tags.split(',').filter(|tag| !tag.is_empty()).collect();
        let others = self.tags.split(',').filter(|tag| !tag.is_empty());
        let others = others.filter(|tag| own.iter().all(|own| key(own) != key(tag)));
        let tags = others.chain(own.iter().copied()).collect::<Vec<_>>().join(",");
        match self.dialect.form().tags {
            _ if tags.is_empty() => {}
            Tagging::None => unreachable!("no tags are taken"),
            Tagging::Suffix => all = format!("{all}#{tags}"),
            Tagging::InName(separator) => {
                let separator = char::from(separator);
                for tag in tags.split(',') {
                    all.push(separator);
                    all += &tag.replacen(':', "=", 1).replace(':', "_");
                }
            }
        }
        all
    }

    /// What is wrong with a metric, now.
    fn check(&self, (kind, name, tags): Key, errors: &mut Vec<i32>) {
        if name.is_empty() {
            errors.push(libc::EINVAL);
        }
        let tagging = self.dialect.form().tags;
        if !tags.is_empty() && tagging == Tagging::None
            || kind == Kind::Set as u8 && !self.dialect.form().sets
        {
            errors.push(libc::ENOTSUP);
        } else if is_bare(tags) && !self.dialect.form().bare_tags {
            errors.push(libc::EINVAL);
        } else {
            if self.prefix.len() + name.len() > self.dialect.form().max_name {
                errors.push(libc::ENAMETOOLONG);
            }
        }
    }

    /// A handle is asked for.
    pub fn get(&mut self, key: Key) -> Told {
        let mut errors = Vec::new();
        self.check(key, &mut errors);
        if key.2.is_empty() && self.known.contains(&key) {
            self.passing.remove(&key);
            return Told::Either(errors);
        }
        if !self.known.contains(&key) && self.live.len() >= self.room {
            errors.push(libc::ENOSPC);
        }
        if !errors.is_empty() {
            return Told::Error(errors);
        }
        if self.known.insert(key) {
            self.live.insert(key);
        }
        Told::Done
    }

    /// A value is recorded.
    pub fn record(&mut self, key: Key, call: Call) -> Told {
        let mut errors = Vec::new();
        let fits = match call {
            Call::Add(_) => key.0 == Kind::Counter as u8,
            Call::Total(total) => key.0 == Kind::Total as u8 && total >= 0,
            Call::Gauge(_) | Call::GaugeInc(_) => key.0 == Kind::Gauge as u8,
            Call::Real(value) => key.0 == Kind::Gauge as u8 && value.is_finite(),
            Call::Timing(ms) => key.0 == Kind::Timer as u8 && ms.is_finite() && ms >= 0.0,
            Call::Histogram(value) => key.0 == Kind::Histogram as u8 && value.is_finite(),
            Call::Unique(n) => {
                key.0 == Kind::Set as u8 && !MEMBERS[n as usize % MEMBERS.len()].0.is_empty()
            }
        };
        let form = self.dialect.form();
        let taken = match call {
            Call::Histogram(value) => value >= 0.0 || form.negative_samples,
            Call::Add(n) => n >= 0 || form.negative_counters,
            _ => true,
        };
        if !fits || !taken {
            return Told::Error(vec![libc::EINVAL]);
        }
        self.check(key, &mut errors);
        if !self.live.contains(&key) && self.live.len() >= self.room {
            errors.push(libc::ENOSPC);
        }
        if !errors.is_empty() {
            return Told::Error(errors);
        }
        if self.known.insert(key) && self.forgets {
            self.passing.insert(key);
        }
        self.live.insert(key);
        self.take(key, call)
    }

    fn take(&mut self, key: Key, call: Call) -> Told {
        let wire = self.on_the_wire(key.1, key.2);
        match call {
            Call::Add(n) => *self.counters.entry(wire).or_default() += i128::from(n),
            Call::Total(total) => {
                let base = self.bases.insert(key, total).unwrap_or(0);
                let step = i128::from(if total < base { total } else { total - base });
                if self.dialect.form().totals {
                    let seen = self.totals.entry(wire).or_default();
                    seen.apart |= seen.newest != base;
                    seen.newest = total;
                    seen.growth += step;
                } else {
                    *self.counters.entry(wire).or_default() += step;
                }
            }
            Call::Gauge(value) => self.hold(key, wire, Held::Integer(value)),
            Call::GaugeInc(n) => {
                let sum = match self.held.get(&key).copied().unwrap_or(Held::Integer(0)) {
                    Held::Integer(held) => held.checked_add(n).map(Held::Integer),
                    Held::Real(held) => Some(Held::Real(held + n as f64)),
                };
                let Some(sum) = sum else { return Told::Error(vec![libc::ERANGE]) };
                self.hold(key, wire, sum);
            }
            Call::Real(value) if value == value.trunc() && value.abs() < 9e15 => {
                self.hold(key, wire, Held::Integer(value as i64));
            }
            Call::Real(value) => self.hold(key, wire, Held::Real(value)),
            Call::Timing(ms) => {
                let rounded = format!("{ms:.6}").parse().unwrap();
                self.samples.entry(wire).or_default().push(rounded);
            }
            Call::Histogram(value) => self.samples.entry(wire).or_default().push(value),
            Call::Unique(n) => {
                let member = MEMBERS[n as usize % MEMBERS.len()].1;
                self.sets.entry(wire).or_default().insert(member.to_owned());
            }
        }
        Told::Done
    }

    fn hold(&mut self, key: Key, wire: String, value: Held) {
        self.held.insert(key, value);
        self.gauges.insert(wire, value);
    }

    /// `fripp_forget`.
    pub fn forget(&mut self, name: &str) -> Told {
        if name.is_empty() {
            return Told::Error(vec![libc::EINVAL]);
        }
        self.forgets |= self.live.iter().any(|key| key.1 == name);
        self.live.retain(|key| key.1 != name);
        let passing = &mut self.passing;
        self.known.retain(|key| key.1 != name || !passing.contains(key));
        passing.retain(|key| key.1 != name);
        self.held.retain(|key, _| key.1 != name);
        self.bases.retain(|key, _| key.1 != name);
        Told::Done
    }

    /// Whether the metrics and tags in use all exist in `dialect`.
    pub fn can_change_to(&self, dialect: Dialect) -> bool {
        let tagged = !self.tags.is_empty() || self.live.iter().any(|key| !key.2.is_empty());
        let sets = self.live.iter().any(|key| key.0 == Kind::Set as u8);
        let mut all = self.live.iter().map(|key| key.2).chain([self.tags]);
        let bare = all.any(is_bare);
        !(bare && !dialect.form().bare_tags
            || tagged && dialect.form().tags == Tagging::None
            || sets && !dialect.form().sets)
    }

    /// Whether a server that was told everything knows all this, and nothing
    /// else.
    pub fn check_known(self, mut known: Known) {
        for (name, lines) in ["now", "later"].into_iter().zip(self.texts) {
            let told = known.samples.remove(name).unwrap_or_default();
            let in_order = told.iter().map(|(value, _)| *value).eq((0..lines).map(f64::from));
            assert!(in_order, "{lines} lines '{name}': {told:?}");
        }
        // a total that was sent at once is in the next flush, too, with 0
        known.counters.retain(|name, sum| *sum != 0 || self.counters.contains_key(name));
        assert_eq!(known.counters, self.counters);
        assert!(known.totals.keys().eq(self.totals.keys()), "{:?}", known.totals);
        for ((name, seen), (newest, growth)) in self.totals.iter().zip(known.totals.values()) {
            // what was 0 is told as a billionth
            let wanted = (i128::from(seen.newest) * 1_000_000_000).max(1);
            assert_eq!(wanted, *newest, "{name}");
            let apart = (growth - seen.growth * 1_000_000_000).abs();
            assert!(seen.apart || apart <= RESTARTS, "{name}: {} {growth}", seen.growth);
        }
        assert!(known.digits.keys().eq(self.gauges.keys()), "{:?}", known.digits);
        for ((name, held), digits) in self.gauges.iter().zip(known.digits.values()) {
            match held {
                Held::Integer(held) => assert_eq!(digits.parse::<i64>(), Ok(*held), "{name}"),
                Held::Real(held) => assert_eq!(digits.parse::<f64>(), Ok(*held), "{name}"),
            }
        }
        let told = known.samples.into_iter().map(|(name, samples)| {
            let values = samples.into_iter().inspect(|(_, k)| assert_eq!(*k, 1.0));
            (name, sorted(values.map(|(value, _)| value)))
        });
        let wanted = self.samples.into_iter().map(|(name, values)| (name, sorted(values)));
        assert_eq!(told.collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
        assert_eq!(known.sets, self.sets);
    }
}

fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().map(|value| value + 0.0).collect();
    values.sort_by(f64::total_cmp);
    values
}
