//! The settings of a context, as they are now.

#![forbid(unsafe_code)]

use crate::encode::dialect::{Dialect, Tagging};
use crate::encode::name;
use crate::encode::number;
use crate::encode::origin::Origin;
use crate::encode::packet::MAX_PACKET;
use crate::encode::tags;
use crate::error::Error;
use crate::metric::Metric;
use crate::metric::key::has_bare_tag;
use crate::metric::kind::Kind;

/// Nanoseconds in a second.
pub const SECOND: u64 = 1_000_000_000;
/// The periods that there may be besides 0, in seconds.
const PERIODS: std::ops::RangeInclusive<f64> = 0.01..=86_400.0;
/// How many samples of a metric there may be in a period.
pub const MAX_SAMPLES_RANGE: std::ops::RangeInclusive<usize> = 1..=1_000_000;
/// Bytes for `:0|g`, a newline, and `:` and 20 digits and `|g`.
const GAUGE_ROOM: usize = 32;
/// Bytes for `:`, `|ms`, a sample rate and a newline.
const AROUND_VALUE: usize = 24;
/// Bytes for a value and what follows it, in a datagram that is shorter than
/// the dialect's names are.
const VALUE_ROOM: usize = 64;

/// The settings of a context.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Cleaned, with its dot; or empty.
    pub prefix: Vec<u8>,
    /// The prefix as it was set, and the rank, where it has `{{pid}}`.
    pub pid_prefix: Option<(Vec<u8>, u32)>,
    /// On every metric; cleaned, `k:v,k2:v2`; or empty.
    pub tags: Vec<u8>,
    /// What the server reads.
    pub dialect: Dialect,
    /// Histograms are sent as distributions, where the dialect has both.
    pub distributions: bool,
    /// Between flushes, in ns; 0: each metric goes at once.
    pub period: u64,
    /// An unchanged gauge or total is sent again after this long, in ns; 0:
    /// never.
    pub refresh: u64,
    /// The longest datagram.
    pub mtu: usize,
    /// It was given: no datagram is longer, whatever the path.
    pub mtu_is_given: bool,
    /// The most metrics.
    pub max_metrics: usize,
    /// The most samples of one metric in a period: more are thinned.
    pub max_samples: usize,
    /// The most bytes that samples, members and packets take that wait.
    pub buffer: usize,
    /// What each line ends with, in a dialect that has it.
    pub origin: Origin,
    /// Goes before the message of a lookup that fails: where the endpoint
    /// came from.
    pub source: &'static str,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            prefix: Vec::new(),
            pid_prefix: None,
            tags: Vec::new(),
            dialect: Dialect::Brubeck,
            distributions: false,
            period: SECOND,
            refresh: 10 * SECOND,
            mtu: MAX_PACKET,
            mtu_is_given: false,
            max_metrics: 1_000_000,
            // brubeck takes 65,535 of a metric
            max_samples: 32_768,
            buffer: 16 * 1024 * 1024,
            source: "",
            origin: Origin::default(),
        }
    }
}

impl Settings {
    /// Sets the period, in seconds.
    pub fn set_period(&mut self, seconds: f64) -> Result<(), Error> {
        if seconds != 0.0 && !PERIODS.contains(&seconds) {
            return Err(Error::Invalid.because(format_args!(
                "the period is 0, or 0.01 to 86400 seconds, not {}",
                number::Shown(seconds)
            )));
        }
        self.period = (seconds * SECOND as f64) as u64;
        Ok(())
    }

    /// Sets the prefix; `{{rank}}` in it is `rank`.
    pub fn set_prefix(&mut self, prefix: &[u8], rank: u32) -> Result<(), Error> {
        self.prefix = name::prefix(prefix, rank)?;
        self.pid_prefix = name::has_pid(prefix).then(|| (prefix.to_vec(), rank));
        Ok(())
    }

    /// In a child process: `{{pid}}` is its own. Whether the prefix changed.
    pub fn after_fork(&mut self) -> bool {
        let Some((prefix, rank)) = &self.pid_prefix else { return false };
        // one that has become too long stays as it is
        name::prefix(prefix, *rank).map(|filled| self.prefix = filled).is_ok()
    }

    /// Sets the tags.
    pub fn set_tags(&mut self, raw: &[u8]) -> Result<(), Error> {
        let mut cleaned = Vec::new();
        tags::clean(raw, &mut cleaned)?;
        let form = self.dialect.form();
        self.check_bare(&cleaned)?;
        if !cleaned.is_empty() && form.tags == Tagging::None {
            return Err(self.lacks("tags"));
        }
        if cleaned.len() > tags::MAX_TAGS {
            return Err(too_many_tags(cleaned.len()));
        }
        self.tags = cleaned;
        Ok(())
    }

    /// The longest datagram of a flush, on a path within this host or not.
    pub fn datagram(&self, is_local: bool) -> usize {
        if is_local && !self.mtu_is_given { self.dialect.form().datagram } else { self.mtu }
    }

    /// Whether a value of so many bytes goes into a datagram with its metric.
    pub fn has_room(&self, metric: &Metric, len: usize) -> bool {
        let tags = tags::len(self.dialect.form().tags, &self.tags, metric.tags());
        let line = self.prefix.len() + metric.name().len() + tags + self.origin_room();
        let line = line + len + AROUND_VALUE;
        let pair = metric.kind() == Kind::Gauge && !self.dialect.form().negative_gauges;
        (if pair { 2 * line } else { line }) <= self.mtu
    }

    /// Whether a metric can be had at all: what is wrong with it otherwise.
    pub fn check(&self, kind: Kind, name: usize, own_tags: &[u8]) -> Result<(), Error> {
        let form = self.dialect.form();
        if !own_tags.is_empty() && form.tags == Tagging::None {
            return Err(self.lacks("tags"));
        }
        if kind == Kind::Set && !form.sets {
            return Err(self.lacks("sets"));
        }
        self.check_bare(own_tags)?;
        let name = self.prefix.len() + name;
        let whole = name + tags::len(form.tags, &self.tags, own_tags) + self.origin_room();
        let mut most = self.mtu - VALUE_ROOM;
        if kind == Kind::Gauge && !form.negative_gauges {
            // a zero goes before a negative value, in the same datagram
            most = most.min((self.mtu - GAUGE_ROOM) / 2);
        }
        self.check_tags(own_tags)?;
        if name > form.max_name {
            let most = form.max_name;
            return Err(Error::NameTooLong.because(format_args!(
                "the name has {name} bytes with its prefix, of {most} at most"
            )));
        }
        if whole > most {
            return Err(Error::NameTooLong.because(format_args!(
                "the name has {whole} bytes with its prefix and tags, of {most} at most"
            )));
        }
        Ok(())
    }

    /// Whether cleaned tags, with those of the context, are not too long.
    pub fn check_tags(&self, own_tags: &[u8]) -> Result<(), Error> {
        let len = tags::text_len(&self.tags, own_tags);
        if len > tags::MAX_TAGS { Err(too_many_tags(len)) } else { Ok(()) }
    }

    fn origin_room(&self) -> usize {
        if self.dialect.form().origins { self.origin.room() } else { 0 }
    }

    fn check_bare(&self, cleaned: &[u8]) -> Result<(), Error> {
        let form = self.dialect.form();
        if form.tags != Tagging::None && !form.bare_tags && has_bare_tag(cleaned) {
            let name = form.name;
            return Err(
                Error::Invalid.because(format_args!("dialect {name} has no tags without a value"))
            );
        }
        Ok(())
    }

    fn lacks(&self, what: &str) -> Error {
        let name = self.dialect.form().name;
        Error::NotSupported.because(format_args!("dialect {name} has no {what}"))
    }
}

fn too_many_tags(len: usize) -> Error {
    let most = tags::MAX_TAGS;
    Error::NameTooLong.because(format_args!("the tags have {len} bytes, of {most} at most"))
}
