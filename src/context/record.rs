//! The slow path of recording: the first call of a name, and whatever is not
//! plain. It takes the context's lock once.

#![forbid(unsafe_code)]

use crate::context::fast::is_short;
use crate::context::flush::Mode;
use crate::context::{Active, Context, Outbound};
use crate::encode::dialect::Form;
use crate::encode::{line, name, number, tags};
use crate::error::{Error, quoted};
use crate::metric::kind::Kind;
use crate::metric::value::Value;
use crate::metric::{Metric, state};
use crate::send::delivery::Retain;
use crate::send::pace::{Burst, GAP};
use crate::sys;
use crate::sys::fork_lock::Guard;
use crate::sys::memory;

impl<'a> Value<'a> {
    /// What a number of no particular type is for a kind.
    fn of_kind(kind: Kind, value: f64, text: &'a mut Vec<u8>) -> Result<Value<'a>, Error> {
        // 2^63: the first that does not fit
        let whole = value == value.trunc() && (-(2f64.powi(63))..2f64.powi(63)).contains(&value);
        Ok(match kind {
            Kind::Counter if whole => Value::Add(value as i64),
            Kind::Total if whole => Value::Total(value as i64),
            Kind::Counter | Kind::Total => {
                return Err(Error::Invalid.because(format_args!(
                    "the value {} is not a whole number of 64 bits",
                    number::Shown(value)
                )));
            }
            Kind::Gauge => Value::Real(value),
            Kind::Timer | Kind::Histogram => Value::Sample(value),
            Kind::Set if value.is_finite() => {
                number::real(text, value);
                Value::Member(text)
            }
            Kind::Set => return Err(not_finite(value)),
        })
    }

    fn check(self, kind: Kind) -> Result<(), Error> {
        let (what, fits) = match self {
            Value::Add(_) => ("number to add", matches!(kind, Kind::Counter | Kind::Gauge)),
            Value::Total(_) => ("running total", kind == Kind::Total),
            Value::Set(_) | Value::Real(_) => ("value of a gauge", kind == Kind::Gauge),
            Value::Sample(_) => ("sample", matches!(kind, Kind::Timer | Kind::Histogram)),
            Value::Member(_) => ("member", kind == Kind::Set),
        };
        if !fits {
            let kind = kind.name();
            return Err(Error::Invalid.because(format_args!("a {kind} does not take a {what}")));
        }
        match self {
            Value::Total(total) if total < 0 => {
                Err(Error::Invalid.because(format_args!("the running total {total} is negative")))
            }
            Value::Real(value) | Value::Sample(value) if !value.is_finite() => {
                Err(not_finite(value))
            }
            Value::Sample(value) if kind == Kind::Timer && value < 0.0 => Err(Error::Invalid
                .because(format_args!("the timing {} ms is negative", number::Shown(value)))),
            Value::Member([]) => Err(Error::Invalid.because(format_args!("the member is empty"))),
            _ => Ok(()),
        }
    }

    /// Whether the servers of a dialect count it right.
    fn check_for(self, form: &Form, kind: Kind) -> Result<(), Error> {
        let (what, fits) = match self {
            Value::Add(n) => {
                ("a negative counter", n >= 0 || form.negative_counters || kind == Kind::Gauge)
            }
            Value::Sample(value) => ("a negative sample", value >= 0.0 || form.negative_samples),
            Value::Member([b'+' | b'-', ..]) => {
                ("a set's member that begins with a sign", form.signed_members)
            }
            Value::Member(_) | Value::Total(_) | Value::Set(_) | Value::Real(_) => return Ok(()),
        };
        if fits {
            return Ok(());
        }
        let name = form.name;
        Err(Error::Invalid.because(format_args!("servers of dialect {name} misread {what}")))
    }
}

fn not_finite(value: f64) -> Error {
    let what = if value.is_nan() { "not a number" } else { "infinite" };
    Error::Invalid.because(format_args!("the value is {what}"))
}

fn empty_name(raw: &[u8]) -> Error {
    let name = quoted(raw);
    Error::Invalid.because(format_args!("the name {name} is empty, or nothing but dots"))
}

impl Context {
    /// Records a value of a metric by name.
    pub fn record(&self, kind: Kind, raw: &[u8], value: Value<'_>) -> Result<(), Error> {
        let Some((active, mut out)) = self.lock() else { return Ok(()) };
        let recorded = value
            .check(kind)
            .and_then(|()| value.check_for(out.settings.dialect.form(), kind))
            .and_then(|()| self.find_or_make(active, &out, kind, raw, None))
            .and_then(|metric| self.apply(active, &mut out, metric, value));
        self.count_failure(out, recorded, raw)
    }

    /// Records a number as what it is for the kind.
    pub fn record_number(&self, kind: Kind, raw: &[u8], number: f64) -> Result<(), Error> {
        let mut member = Vec::new();
        match Value::of_kind(kind, number, &mut member) {
            Ok(value) => self.record(kind, raw, value),
            Err(error) => match self.lock() {
                Some((_, out)) => self.count_failure(out, Err(error), raw),
                None => Ok(()),
            },
        }
    }

    /// Records a value of a metric by handle.
    pub fn record_to(&self, metric: &Metric, value: Value<'_>) -> Result<(), Error> {
        let Some((active, mut out)) = self.lock() else { return Ok(()) };
        // a handle of another type is the caller's mistake, not a lost metric
        value.check(metric.kind())?;
        let recorded = value
            .check_for(out.settings.dialect.form(), metric.kind())
            .and_then(|()| self.apply(active, &mut out, metric, value));
        self.count_failure(out, recorded, metric.name())
    }

    /// The metric of a kind, name and tags, as the caller spells them.
    pub fn metric_get(&self, kind: Kind, raw: &[u8], tags: &[u8]) -> Result<&Metric, Error> {
        let Some((active, out)) = self.lock() else { return Ok(&INERT) };
        let metric = self.find_or_make(active, &out, kind, raw, Some(tags));
        self.count_failure(out, metric.as_ref().map(drop).map_err(|error| *error), raw)?;
        metric
    }

    /// Sends what the metrics of a name have pending, and forgets them.
    pub fn forget(&self, raw: &[u8]) -> Result<(), Error> {
        let Some((active, mut out)) = self.lock() else { return Ok(()) };
        let mut cleaned = Vec::new();
        if name::clean(raw, &mut cleaned) == 0 {
            return Err(empty_name(raw));
        }
        let now = sys::now();
        for metric in active.registry.named(&cleaned)? {
            let (flush, mut work) = out.work(active, now, Mode::Send(Burst::at_once()));
            let is_pending = || active.registry.is_dirty(metric) || !metric.server_has_it();
            if !flush.bring_up_to_date(&mut work, metric) && is_pending() {
                flush.send_one(&mut work, metric, false, Retain::IfRoom);
            }
            active.registry.forget(metric);
            metric.forget_value();
            active.registry.recycle(metric, &active.budget);
        }
        if out.has_more() {
            self.wake(active, &mut out, now + GAP);
        }
        self.unlock_and_log(out);
        Ok(())
    }

    /// The metric of a name; with tags, which may be none, of a handle.
    fn find_or_make<'a>(
        &'a self,
        active: &'a Active,
        out: &Outbound,
        kind: Kind,
        raw: &[u8],
        handle: Option<&[u8]>,
    ) -> Result<&'a Metric, Error> {
        let raw_tags = handle.unwrap_or_default();
        if raw_tags.is_empty() {
            let known = match handle {
                None => active.registry.known(kind, raw),
                Some(_) => active.registry.lasting(kind, raw),
            };
            if let Some(metric) = known {
                return Ok(metric);
            }
        }
        memory::probe()?;
        let mut key = Vec::new();
        let len = name::clean(raw, &mut key);
        if len == 0 {
            return Err(empty_name(raw));
        }
        if !raw_tags.is_empty() {
            key.push(0);
            tags::clean(raw_tags, &mut key)?;
        }
        let settings = &out.settings;
        settings.check(kind, len, key.get(len + 1..).unwrap_or_default())?;
        let immediate = if settings.period == 0 { state::IMMEDIATE } else { 0 };
        let owner = self.me.as_ptr().cast_mut().cast();
        // in another order they are the same tags
        let mut sorted = key[..(len + 1).min(key.len())].to_vec();
        tags::sort(key.get(len + 1..).unwrap_or_default(), &mut sorted);
        if sorted != key && active.registry.lasting(kind, &key).is_none() {
            if let Some(metric) = active.registry.lasting(kind, &sorted) {
                active.registry.add_spelling(kind, &key, metric);
                return Ok(metric);
            }
        }
        let metric = active.registry.get(kind, &key, immediate, owner, handle.is_some())?;
        if sorted != key {
            active.registry.add_spelling(kind, &sorted, metric);
        }
        if raw_tags.is_empty() && raw != key {
            active.registry.add_spelling(kind, raw, metric);
        }
        Ok(metric)
    }

    fn apply(
        &self,
        active: &Active,
        out: &mut Guard<'_, Outbound>,
        metric: &Metric,
        value: Value<'_>,
    ) -> Result<(), Error> {
        if out.flush.is_changing() {
            let (flush, mut work) = out.work(active, sys::now(), Mode::Park);
            flush.bring_up_to_date(&mut work, metric);
        }
        if metric.state() & state::FORGOTTEN != 0 {
            // the dialect may be one that has no such metrics by now
            out.settings.check(metric.kind(), metric.name().len(), metric.tags())?;
            active.registry.revive(metric)?;
        }
        if metric.state() & state::TOO_LONG != 0 {
            return Err(Error::NameTooLong
                .because(format_args!("a new prefix, tags or dialect made the name too long")));
        }
        if let Value::Real(number) | Value::Sample(number) = value {
            if !is_short(number.abs()) {
                let mut digits = Vec::new();
                line::sample(&mut digits, metric.kind(), number);
                if !out.settings.has_room(metric, digits.len()) {
                    return Err(Error::TooBig.because(format_args!(
                        "the value has {} digits: its line is longer than a datagram",
                        digits.len()
                    )));
                }
            }
        }
        match value {
            Value::Add(n) if metric.kind() == Kind::Gauge => metric.add_to_gauge(n)?,
            Value::Add(n) => metric.add_any(n),
            Value::Total(total) => {
                while !metric.set_total(total) {
                    // too many restarts to be added up: they become lines now
                    let (flush, mut work) = out.work(active, sys::now(), Mode::Park);
                    flush.send_one(&mut work, metric, false, Retain::IfRoom);
                }
            }
            Value::Set(value) => metric.set(value),
            // an integer compares equal however it was given
            Value::Real(real) if real == real.trunc() && real.abs() < 9e15 => {
                metric.set(real as i64);
            }
            Value::Real(real) => metric.set_real(real),
            Value::Sample(sample) => {
                metric.keep_sample(sample, &active.budget);
            }
            Value::Member(raw) => add_member(active, out, metric, raw)?,
        }
        if metric.state() & state::IMMEDIATE != 0 && self.send_now(active, out, metric) {
            return Ok(());
        }
        active.registry.mark_dirty(metric);
        if !active.ticks() {
            self.start_ticking(active, out);
        }
        Ok(())
    }

    /// Sends a metric at once, because the period is 0. False where others
    /// wait before it: then it goes with the next flush.
    fn send_now(&self, active: &Active, out: &mut Guard<'_, Outbound>, metric: &Metric) -> bool {
        if out.settings.period != 0 || !out.delivery.is_clear() {
            return false;
        }
        let now = sys::now();
        let (flush, mut work) = out.work(active, now, Mode::Send(Burst::at_once()));
        flush.send_one(&mut work, metric, true, Retain::Always);
        if out.has_more() {
            self.wake(active, out, now + GAP);
        }
        true
    }

    /// Counts what a call lost, if it did, and unlocks.
    fn count_failure(
        &self,
        mut out: Guard<'_, Outbound>,
        result: Result<(), Error>,
        name: &[u8],
    ) -> Result<(), Error> {
        if let Err(error) = result {
            let name = quoted(name);
            out.journal.dropped_bad(error, format_args!("metric {name}"), sys::now());
        }
        self.unlock_and_log(out);
        result
    }
}

fn add_member(
    active: &Active,
    out: &mut Outbound,
    metric: &Metric,
    raw: &[u8],
) -> Result<(), Error> {
    // a byte stays one when it is cleaned
    if !out.settings.has_room(metric, raw.len()) {
        let len = raw.len();
        return Err(Error::TooBig.because(format_args!(
            "the member has {len} bytes, more than a datagram has room for"
        )));
    }
    let member = &mut out.member;
    member.clear();
    memory::room(member, raw.len())?;
    name::clean_bytes(raw, member);
    if let Some(members) = metric.members() {
        members.record(member, &active.budget);
    }
    Ok(())
}

/// What a disabled context gives for a handle.
static INERT: Metric = Metric::blank(state::INERT);
