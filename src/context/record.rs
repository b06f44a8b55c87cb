//! Recording: from a call to the metric it is for.

#![forbid(unsafe_code)]

use std::sync::atomic::Ordering::SeqCst;

use crate::context::{Context, Live};
use crate::encode::line;
use crate::encode::name;
use crate::encode::tags;
use crate::error::Error;
use crate::metric::kind::Kind;
use crate::metric::{Metric, state};
use crate::send::pace::{Burst, GAP};
use crate::sys;
use crate::sys::memory;

/// What a call records.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// A counter's events, or what a gauge grows by.
    Add(i64),
    /// A running total.
    Total(i64),
    /// A gauge's value.
    Set(i64),
    /// A gauge's value.
    Real(f64),
    /// A timer's or histogram's sample.
    Sample(f64),
    /// A set's member.
    Member(&'a [u8]),
}

impl Live {
    /// Takes a metric that was recorded into the list for the flush.
    #[inline]
    pub fn list(&self, metric: &Metric) {
        if metric.enqueue() {
            let kind = metric.state() & state::KIND;
            let list = if kind <= Kind::Gauge as u8 {
                &self.registry.numbers
            } else {
                &self.registry.lists
            };
            list.push(metric);
        }
    }

    /// Whether a flush comes. If not, `Context::tick` has to be called after
    /// `list`.
    #[inline]
    pub fn ticks(&self) -> bool {
        self.ticking.load(SeqCst)
    }

    /// Records a sample of a timer or histogram. False where the metric is
    /// none, or is not plain.
    #[inline]
    pub fn sample(&self, metric: &Metric, value: f64) -> bool {
        let Some(samples) = metric.samples() else { return false };
        if samples.record(value, &self.budget) {
            self.list(metric);
        }
        true
    }
}

/// Whether a real number takes no more digits than there is room for in any
/// line. Others have to be looked at.
#[inline]
pub fn is_short(value: f64) -> bool {
    value == 0.0 || (1e-20..1e15).contains(&value.abs())
}

impl<'a> Value<'a> {
    /// What a number of no particular type is for a kind.
    fn of_kind(kind: Kind, value: f64, text: &'a mut Vec<u8>) -> Result<Value<'a>, Error> {
        // 2^63: the first that does not fit
        let whole = value == value.trunc() && (-(2f64.powi(63))..2f64.powi(63)).contains(&value);
        Ok(match kind {
            Kind::Counter if whole => Value::Add(value as i64),
            Kind::Total if whole => Value::Total(value as i64),
            Kind::Counter | Kind::Total => return Err(Error::Invalid),
            Kind::Gauge => Value::Real(value),
            Kind::Timer | Kind::Histogram => Value::Sample(value),
            Kind::Set if value.is_finite() => {
                crate::encode::number::real(text, value);
                Value::Member(text)
            }
            Kind::Set => return Err(Error::Invalid),
        })
    }

    fn check(self, kind: Kind) -> Result<(), Error> {
        let fits = match self {
            Value::Add(_) => matches!(kind, Kind::Counter | Kind::Gauge),
            Value::Total(total) => kind == Kind::Total && total >= 0,
            Value::Set(_) => kind == Kind::Gauge,
            Value::Real(value) => kind == Kind::Gauge && value.is_finite(),
            Value::Sample(value) => match kind {
                Kind::Timer => value.is_finite() && value >= 0.0,
                Kind::Histogram => value.is_finite(),
                _ => false,
            },
            Value::Member(member) => kind == Kind::Set && !member.is_empty(),
        };
        if fits { Ok(()) } else { Err(Error::Invalid) }
    }
}

impl Context {
    /// Records a value of a metric by name: the path of the first call, and
    /// of what is not plain.
    pub fn record(&self, kind: Kind, raw: &[u8], value: Value<'_>) -> Result<(), Error> {
        let Some(live) = &self.live else { return Ok(()) };
        let metric = value.check(kind).and_then(|()| self.metric(live, kind, raw, b""));
        self.counted(metric.and_then(|metric| self.apply(live, metric, value)))
    }

    /// Records a number as what it is for the kind.
    pub fn record_number(&self, kind: Kind, raw: &[u8], number: f64) -> Result<(), Error> {
        if !self.is_enabled() {
            return Ok(());
        }
        let mut member = Vec::new();
        match Value::of_kind(kind, number, &mut member) {
            Ok(value) => self.record(kind, raw, value),
            Err(error) => self.counted(Err(error)),
        }
    }

    /// Records a value of a metric by handle, where that is not plain.
    pub fn record_to(&self, metric: &Metric, value: Value<'_>) -> Result<(), Error> {
        let Some(live) = &self.live else { return Ok(()) };
        // a mismatch of handle and call is the caller's mistake, not a metric
        value.check(metric.kind())?;
        self.counted(self.apply(live, metric, value))
    }

    /// The metric of a kind, name and tags, as the caller spells them.
    pub fn metric_get(&self, kind: Kind, raw: &[u8], tags: &[u8]) -> Result<&Metric, Error> {
        let Some(live) = &self.live else { return Ok(&INERT) };
        let metric = self.metric(live, kind, raw, tags);
        self.counted(metric.as_ref().map(drop).map_err(|error| *error))?;
        metric
    }

    /// Sends what the metrics of a name have pending, and forgets them.
    pub fn forget(&self, raw: &[u8]) -> Result<(), Error> {
        let Some((live, mut way)) = self.lock() else { return Ok(()) };
        let mut cleaned = Vec::new();
        if name::clean(raw, &mut cleaned) == 0 {
            return Err(Error::Invalid);
        }
        let now = sys::now();
        for metric in live.registry.named(&cleaned) {
            if !metric.is_told() {
                let (flush, mut work) = way.work(live, now, Some(Burst::at_once()));
                flush.send_one(&mut work, metric, false);
            }
            live.registry.forget(metric);
            metric.forget_value();
        }
        if !way.delivery.is_clear() {
            self.wake(live, &mut way, now + GAP);
        }
        self.report(way);
        Ok(())
    }

    fn metric<'a>(
        &'a self,
        live: &'a Live,
        kind: Kind,
        raw: &[u8],
        raw_tags: &[u8],
    ) -> Result<&'a Metric, Error> {
        if raw_tags.is_empty()
            && let Some(metric) = live.registry.find(kind, raw)
        {
            return Ok(live.registry.meant(metric));
        }
        memory::check()?;
        let mut key = Vec::new();
        let len = name::clean(raw, &mut key);
        if len == 0 {
            return Err(Error::Invalid);
        }
        let way = self.lock();
        let Some((_, way)) = &way else { return Err(Error::Invalid) };
        if !raw_tags.is_empty() {
            key.push(0);
            tags::clean(raw_tags, &mut key)?;
        }
        let settings = &way.settings;
        settings.check(kind, len, key.get(len + 1..).unwrap_or_default())?;
        let immediate = if settings.period == 0 { state::IMMEDIATE } else { 0 };
        let owner = self.me.as_ptr().cast_mut().cast();
        let metric = live.registry.get(kind, &key, immediate, owner)?;
        if raw_tags.is_empty() && raw != key {
            live.registry.add_spelling(kind, raw, metric);
        }
        Ok(metric)
    }

    fn apply(&self, live: &Live, metric: &Metric, value: Value<'_>) -> Result<(), Error> {
        // a child process cleans up before it records
        if let Some((_, way)) = self.lock()
            && metric.state() & state::FORGOTTEN != 0
        {
            // the dialect may be one that has no such metrics by now
            way.settings.check(metric.kind(), metric.name().len(), metric.tags())?;
            live.registry.revive(metric)?;
            drop(way);
        }
        if metric.state() & state::TOO_LONG != 0 {
            return Err(Error::NameTooLong);
        }
        if let Value::Real(number) | Value::Sample(number) = value
            && !is_short(number)
        {
            self.check_room(metric, number)?;
        }
        match value {
            Value::Add(n) if metric.kind() == Kind::Gauge => metric.add_to_gauge(n)?,
            Value::Add(n) => {
                metric.add(n);
            }
            Value::Total(total) => {
                while !metric.set_total(total) {
                    self.keep(live, metric);
                }
            }

            Value::Set(value) => metric.set(value),
            // an integer compares equal however it was given
            Value::Real(real) if real == real.trunc() && real.abs() < 9e15 => {
                metric.set(real as i64);
            }
            Value::Real(real) => metric.set_real(real),
            Value::Sample(sample) => {
                if let Some(samples) = metric.samples() {
                    samples.record(sample, &live.budget);
                }
            }
            Value::Member(raw) => self.add_member(live, metric, raw)?,
        }
        if metric.state() & state::IMMEDIATE != 0 && self.send_now(live, metric) {
            return Ok(());
        }
        live.list(metric);
        if !live.ticks() {
            self.tick();
        }
        Ok(())
    }

    /// Makes lines of what a metric has, ahead of the flush.
    fn keep(&self, live: &Live, metric: &Metric) {
        let Some((_, mut way)) = self.lock() else { return };
        let (flush, mut work) = way.work(live, sys::now(), None);
        flush.send_one(&mut work, metric, false);
    }

    /// Whether a datagram holds the line of this value.
    fn check_room(&self, metric: &Metric, number: f64) -> Result<(), Error> {
        let mut digits = Vec::new();
        line::sample(&mut digits, metric.kind(), number);
        let Some((_, way)) = self.lock() else { return Ok(()) };
        if way.settings.has_room(metric, digits.len()) { Ok(()) } else { Err(Error::TooBig) }
    }

    fn add_member(&self, live: &Live, metric: &Metric, raw: &[u8]) -> Result<(), Error> {
        let Some((_, way)) = self.lock() else { return Ok(()) };
        // the name, which was checked, and `:…|s` around it
        let most = way.settings.mtu.saturating_sub(way.settings.dialect.max_name() + 8);
        // a byte stays one when it is cleaned
        if raw.len() > most {
            return Err(Error::TooBig);
        }
        let mut member = Vec::new();
        memory::room(&mut member, raw.len())?;
        name::clean_bytes(raw, &mut member);
        if let Some(members) = metric.members() {
            members.record(&member, &live.budget);
        }
        Ok(())
    }

    /// Sends a metric at once, for the period is 0. False where others wait
    /// before it: then it goes with the next flush.
    fn send_now(&self, live: &Live, metric: &Metric) -> bool {
        let Some((_, mut way)) = self.lock() else { return true };
        if way.settings.period != 0 || !way.delivery.is_clear() {
            return false;
        }
        let now = sys::now();
        let (flush, mut work) = way.work(live, now, Some(Burst::at_once()));
        flush.send_one(&mut work, metric, true);
        if !way.delivery.is_clear() {
            self.wake(live, &mut way, now + GAP);
        }
        self.report(way);
        true
    }

    /// Counts what a call lost, if it did.
    fn counted(&self, result: Result<(), Error>) -> Result<(), Error> {
        if let (Err(error), Some((_, mut way))) = (&result, self.lock()) {
            way.delivery.dropped_bad(*error, sys::now());
            self.report(way);
        }
        result
    }
}

/// What a disabled context gives for a handle.
static INERT: Metric = Metric::blank(state::INERT);
