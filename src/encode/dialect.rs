//! Dialects: how the families of StatsD servers differ, as one table. All of
//! it was observed on running servers, or read from their source.

#![forbid(unsafe_code)]

use crate::encode::packet::MAX_PACKET;
use crate::metric::kind::Kind;

/// A family of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Dialect {
    /// brubeck.
    Brubeck,
    /// etsy's statsd, and whatever is not another.
    Statsd,
    /// The Datadog agent.
    Dogstatsd,
    /// Telegraf, InfluxDB's tags.
    Telegraf,
    /// statsd in front of Graphite 1.1's tags.
    Graphite,
    /// Vector.
    Vector,
    /// The OpenTelemetry collector.
    Otel,
    /// Prometheus' statsd_exporter.
    Exporter,
    /// gostatsd.
    Gostatsd,
    /// collectd. C has no number for it.
    Collectd,
}

/// How a dialect writes tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tagging {
    /// Not at all.
    None,
    /// `|#k:v,k2:v2` at the end of the line.
    Suffix,
    /// `name,k=v` or `name;k=v`, with this byte.
    InName(u8),
}

/// The form of a dialect: what its servers count right.
#[derive(Debug)]
pub struct Form {
    /// The dialect's name.
    pub name: &'static str,
    /// Other names for the same form.
    pub other_names: &'static [&'static str],
    /// The servers that read it, as the guide has them.
    pub servers: &'static str,
    /// How tags are written.
    pub tags: Tagging,
    /// Whether a tag may go without a value.
    pub bare_tags: bool,
    /// Whether several values go in one line, `n:1:2|ms`. Other servers
    /// mangle such a line, or count it wrong.
    pub packs: bool,
    /// Whether a running total goes whole, as `C`. Others add it up.
    pub totals: bool,
    /// Whether `-5|g` sets a gauge to -5. Elsewhere it takes 5 away, and the
    /// gauge has to be set to 0 first.
    pub negative_gauges: bool,
    /// Whether a counter's increment may be below 0.
    pub negative_counters: bool,
    /// Whether a sample may be below 0.
    pub negative_samples: bool,
    /// The letters of a histogram.
    pub histogram: &'static str,
    /// Whether there are distributions, `d`, as well.
    pub distributions: bool,
    /// Whether a sample's rate goes with it. collectd multiplies the sample by
    /// it, and counts it once.
    pub rates: bool,
    /// Whether there are sets.
    pub sets: bool,
    /// Whether a set's member may begin with a sign.
    pub signed_members: bool,
    /// Whether a line that begins `_sc` or `_e` is something else.
    pub reserved_names: bool,
    /// Whether a line may say which container it comes from, `|c:id`.
    pub origins: bool,
    /// Whether what is no letter or digit of a tag's key becomes `_`, and a
    /// key must not begin with two of them then.
    pub escapes_keys: bool,
    /// The longest name with its prefix, in bytes.
    pub max_name: usize,
    /// The longest datagram of a flush on a path that takes any: what each of
    /// the servers is known to read.
    pub datagram: usize,
}

/// Bytes of a datagram for servers that read 8,192 or more: the kernel takes
/// 8 KiB of a receive buffer for it, and 16 for a longer one.
const LARGE: usize = 7_680;

/// What most servers have in common.
const PLAIN: Form = Form {
    name: "",
    other_names: &[],
    servers: "",
    tags: Tagging::None,
    bare_tags: false,
    packs: false,
    totals: false,
    negative_gauges: false,
    negative_counters: true,
    negative_samples: true,
    histogram: "h",
    distributions: false,
    rates: true,
    sets: true,
    signed_members: true,
    reserved_names: false,
    origins: false,
    escapes_keys: false,
    max_name: 512,
    datagram: MAX_PACKET,
};

/// What statsd reads, and what is like it.
const STATSD: Form = Form {
    name: "statsd",
    other_names: &["netdata", "statsite"],
    servers: "statsd (etsy's), netdata, statsite, bioyino",
    negative_samples: false,
    // it takes `h` for a counter
    histogram: "ms",
    ..PLAIN
};

/// The forms, in the order of the dialects' numbers.
static FORMS: [Form; 10] = [
    Form {
        name: "brubeck",
        servers: "brubeck",
        totals: true,
        sets: false,
        // it dies of 1,024 in line mode, and cuts at 255 in pickle mode
        max_name: 240,
        ..PLAIN
    },
    STATSD,
    Form {
        name: "dogstatsd",
        other_names: &["datadog"],
        servers: "the Datadog agent",
        tags: Tagging::Suffix,
        bare_tags: true,
        packs: true,
        negative_gauges: true,
        distributions: true,
        reserved_names: true,
        origins: true,
        // its dogstatsd_buffer_size is 8192
        datagram: LARGE,
        ..PLAIN
    },
    Form {
        name: "telegraf",
        other_names: &["influx"],
        servers: "Telegraf, InfluxDB",
        tags: Tagging::InName(b','),
        negative_samples: false,
        signed_members: false,
        ..PLAIN
    },
    Form {
        name: "graphite",
        servers: "statsd in front of Graphite 1.1 or newer, with tags",
        tags: Tagging::InName(b';'),
        negative_samples: false,
        histogram: "ms",
        ..PLAIN
    },
    Form {
        name: "vector",
        servers: "Vector",
        tags: Tagging::Suffix,
        bare_tags: true,
        distributions: true,
        ..PLAIN
    },
    Form {
        name: "otel",
        servers: "the OpenTelemetry collector",
        tags: Tagging::Suffix,
        distributions: true,
        sets: false,
        ..PLAIN
    },
    Form {
        name: "exporter",
        other_names: &["prometheus"],
        servers: "Prometheus' statsd_exporter",
        tags: Tagging::Suffix,
        packs: true,
        negative_counters: false,
        distributions: true,
        sets: false,
        escapes_keys: true,
        // it reads 65,535 bytes, as gostatsd does
        datagram: LARGE,
        ..PLAIN
    },
    Form {
        name: "gostatsd",
        servers: "gostatsd",
        tags: Tagging::Suffix,
        bare_tags: true,
        negative_gauges: true,
        datagram: LARGE,
        ..PLAIN
    },
    Form { name: "collectd", other_names: &[], servers: "collectd", rates: false, ..STATSD },
];

impl Dialect {
    /// All dialects, in the order of their numbers. C knows all but the last.
    pub const ALL: [Dialect; 10] = [
        Dialect::Brubeck,
        Dialect::Statsd,
        Dialect::Dogstatsd,
        Dialect::Telegraf,
        Dialect::Graphite,
        Dialect::Vector,
        Dialect::Otel,
        Dialect::Exporter,
        Dialect::Gostatsd,
        Dialect::Collectd,
    ];

    /// The dialect of a URI's name.
    pub fn from_name(name: &[u8]) -> Option<Dialect> {
        Dialect::ALL.into_iter().find(|dialect| {
            let Form { name: own, other_names, .. } = dialect.form();
            std::iter::once(own).chain(*other_names).any(|own| own.as_bytes() == name)
        })
    }

    /// All names, the dialects' own first, then the other ones.
    pub fn names() -> impl Iterator<Item = &'static str> + Clone {
        let own = FORMS.iter().map(|form| form.name);
        own.chain(FORMS.iter().flat_map(|form| form.other_names.iter().copied()))
    }

    /// What its servers count right.
    #[inline]
    pub fn form(self) -> &'static Form {
        &FORMS[self as usize]
    }

    /// The letters after the `|`; a histogram's as a distribution's where
    /// there are both and `distribution` says so.
    pub fn letters(self, kind: Kind, distribution: bool) -> &'static [u8] {
        let form = self.form();
        match kind {
            Kind::Counter => b"c",
            Kind::Total if form.totals => b"C",
            Kind::Total => b"c",
            Kind::Gauge => b"g",
            Kind::Timer => b"ms",
            Kind::Histogram if distribution && form.distributions => b"d",
            Kind::Histogram => form.histogram.as_bytes(),
            Kind::Set => b"s",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (i, dialect) in Dialect::ALL.into_iter().enumerate() {
            assert_eq!(dialect as usize, i);
            assert_eq!(Dialect::from_name(dialect.form().name.as_bytes()), Some(dialect));
        }
        let mut names: Vec<_> = Dialect::names().collect();
        assert_eq!((names[0], names.len()), ("brubeck", 15));
        assert!(names.iter().all(|name| Dialect::from_name(name.as_bytes()).is_some()));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 15, "no name is that of two");
        assert_eq!(Dialect::from_name(b"netdata"), Some(Dialect::Statsd));
        assert_eq!(Dialect::from_name(b"prometheus"), Some(Dialect::Exporter));
        assert_eq!(Dialect::from_name(b""), None);
    }

    /// The guide's table, as it is made from the forms.
    fn table() -> String {
        let mut table = String::from(
            "| your server | `dialect=` | tags | values `n:1:2` | gauge of -5 | histogram | sets | refused |\n\
             |---|---|---|---|---|---|---|---|\n",
        );
        for form in &FORMS {
            let names: Vec<_> = std::iter::once(&form.name)
                .chain(form.other_names)
                .map(|name| format!("`{name}`"))
                .collect();
            let tags = match form.tags {
                Tagging::None => "no".to_owned(),
                Tagging::Suffix => "`\\|#k:v`".to_owned(),
                Tagging::InName(separator) => format!("`{}k=v`", char::from(separator)),
            };
            let packs = if form.packs { "yes" } else { "no" };
            let gauge = if form.negative_gauges { "`-5`" } else { "`0`, `-5`" };
            let distribution = if form.distributions { " or `d`" } else { "" };
            let sets = if form.sets { "yes" } else { "no" };
            let refused: Vec<_> = [
                (form.negative_samples, "samples below 0"),
                (form.negative_counters, "counters' steps below 0"),
                (form.signed_members, "members with a sign"),
            ]
            .into_iter()
            .filter_map(|(takes, what)| (!takes).then_some(what))
            .collect();
            table += &format!(
                "| {} | {} | {tags} | {packs} | {gauge} | `{}`{distribution} | {sets} | {} |\n",
                form.servers,
                names.join(", "),
                form.histogram,
                refused.join(", "),
            );
        }
        table
    }

    #[test]
    #[cfg_attr(miri, ignore = "it reads a file")]
    fn the_guide_has_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/dialects.md");
        let guide = std::fs::read_to_string(path).unwrap();
        assert!(guide.contains(&table()), "docs/dialects.md is to have:\n{}", table());
    }
}
