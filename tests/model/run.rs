//! Steps carried out, and held against the model.

use std::collections::BTreeMap;
use std::ffi::{CString, c_char, c_int, c_void};
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use fripp::encode::dialect::Dialect;

use fripp::ffi::by_handle::*;
use fripp::ffi::by_name::*;
use fripp::ffi::context::{fripp_ctx, fripp_ctx_create_uri, fripp_ctx_destroy};
use fripp::ffi::settings::*;
use fripp::ffi::stats::{fripp_flush, fripp_get_stats, fripp_stats};
use fripp::metric::Metric;
use fripp::metric::kind::Kind;

use super::expect::{
    DIALECTS, Key, MEMBERS, Model, NAMES, OWN_TAGS, PREFIXES, TAGS, Told, is_bare,
};
use super::{Call, Step};
use crate::known::Known;

unsafe extern "C" {
    // with the `...` that stable Rust cannot define
    fn fripp_format_send(ctx: *mut c_void, fmt: *const c_char, ...) -> c_int;
    fn fripp_packet_appendf(ctx: *mut c_void, fmt: *const c_char, ...) -> c_int;
}

/// No flush comes by itself.
const NEVER: f64 = 86_400.0;
/// The longest datagram of a packet, and of a flush unless its dialect says more.
const LIMIT: usize = 1440;
/// The longest of any dialect.
const LONGEST: usize = 7680;
/// So many datagrams the kernel takes before they are read.
const QUEUE: u64 = 10;
/// The longest that destroy tries.
const DESTROY_LIMIT: Duration = Duration::from_millis(100);
/// After so many steps since a flush destroy is to send what is left.
const FOR_DESTROY: usize = 4;

/// A server that can be closed and opened again.
pub struct Server {
    name: String,
    address: SocketAddr,
    socket: Option<UnixDatagram>,
    buffer: Vec<u8>,
}

impl Server {
    pub fn new() -> Server {
        static SERVERS: AtomicU64 = AtomicU64::new(0);
        let name = format!("fripp-{}-{}", std::process::id(), SERVERS.fetch_add(1, Relaxed));
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        Server { name, address, socket: None, buffer: vec![0; LONGEST + 1] }
    }

    fn open(&mut self) {
        if self.socket.is_none() {
            let socket = UnixDatagram::bind_addr(&self.address).unwrap();
            socket.set_nonblocking(true).unwrap();
            self.socket = Some(socket);
        }
    }

    /// Takes nothing more: what is there can be read.
    fn shut(&self) {
        if let Some(socket) = &self.socket {
            socket.shutdown(Shutdown::Read).unwrap();
        }
    }

    /// Reads what is there.
    fn read(&mut self, dialect: Option<Dialect>, known: &mut Known) {
        let Some(socket) = &self.socket else { return };
        while let Ok(len @ 1..) = socket.recv(&mut self.buffer) {
            let limit = dialect.map_or(LONGEST, |dialect| dialect.form().datagram);
            assert!(len <= limit, "a datagram of {len} bytes");
            known.read(dialect, std::str::from_utf8(&self.buffer[..len]).unwrap());
        }
    }
}

struct Run<'a> {
    server: &'a mut Server,
    context: *mut fripp_ctx,
    model: Model,
    known: Known,
    handles: BTreeMap<Key, *mut fripp_metric>,
    slow: bool,
    /// What waits may be in the dialect of before.
    mixed: bool,
    since_flush: usize,
}

/// Carries `steps` out on a new context of a dialect's number, which may have
/// `room` metrics; panics where the server does not come to know what it
/// should.
pub fn run(server: &mut Server, dialect: u8, room: usize, steps: impl Iterator<Item = Step>) {
    let at = dialect as usize % DIALECTS.len();
    let uri = format!(
        "unix:@{}?period={NEVER}&dialect={}&max_metrics={room}",
        server.name,
        DIALECTS[at].form().name
    );
    let uri = CString::new(uri).unwrap();
    server.open();
    // SAFETY: no handle, and a C string.
    let context = unsafe { fripp_ctx_create_uri(std::ptr::null_mut(), uri.as_ptr()) };
    assert!(!context.is_null());
    let mut run = Run {
        server,
        context,
        model: Model::new(DIALECTS[at], room),
        known: Known::default(),
        handles: BTreeMap::new(),
        slow: false,
        mixed: false,
        since_flush: 0,
    };
    steps.for_each(|step| run.step(step));
    run.end();
}

impl Run<'_> {
    fn step(&mut self, step: Step) {
        self.since_flush += 1;
        match step {
            Step::Named(name, call) => self.named(name, call),
            Step::Send(name, value, kind) => self.send(name, value, kind % 5),
            Step::Handled(kind, name, tags, call) => self.handled(kind % 6, name, tags, call),
            Step::Text(text, later) => self.text(text, later),
            Step::Forget(name) => {
                let (raw, cleaned) = NAMES[name as usize % NAMES.len()];
                let raw = CString::new(raw).unwrap();
                let told = self.model.forget(cleaned);
                // SAFETY: a living context and a C string, as in all below.
                check(unsafe { fripp_forget(self.context, raw.as_ptr()) }, told);
            }
            Step::Prefix(n) => {
                let (raw, cleaned) = PREFIXES[n as usize % PREFIXES.len()];
                // SAFETY: as above.
                let code = unsafe { fripp_set_prefix(self.context, raw.as_ptr()) };
                check(code, cleaned.map_or(Told::Error(vec![libc::EINVAL]), |_| Told::Done));
                self.model.prefix = cleaned.unwrap_or(self.model.prefix);
            }
            Step::Tags(n) => {
                let (raw, cleaned) = TAGS[n as usize % TAGS.len()];
                let none = self.model.dialect.form().tags == fripp::encode::dialect::Tagging::None;
                let bare = self.model.dialect.form().bare_tags;
                let told = match cleaned {
                    Some(tags) if !none && is_bare(tags) && !bare => {
                        Told::Error(vec![libc::EINVAL])
                    }
                    None => Told::Error(vec![libc::EINVAL]),
                    Some(tags) if !tags.is_empty() && none => Told::Error(vec![libc::ENOTSUP]),
                    Some(_) => Told::Done,
                };
                if told == Told::Done {
                    self.model.tags = cleaned.unwrap_or_default();
                }
                // SAFETY: as above.
                check(unsafe { fripp_set_tags(self.context, raw.as_ptr()) }, told);
            }
            Step::Dialect(n) => self.dialect(n as usize % DIALECTS.len()),
            Step::Period(n) => {
                let period = [0.0, NEVER, 0.001, f64::NAN][n as usize % 4];
                let told = match n % 4 {
                    0 | 1 => Told::Done,
                    _ => Told::Error(vec![libc::EINVAL]),
                };
                if told == Told::Done {
                    self.model.immediate = period == 0.0;
                }
                // SAFETY: as above.
                check(unsafe { fripp_set_agg_period(self.context, period) }, told);
            }
            Step::Flush => self.flush(),
            Step::Turns => self.turns(),
            Step::Server(true) => self.server.open(),
            Step::Server(false) => {
                // what the background thread sends between the two is refused
                self.server.shut();
                self.read();
                self.server.socket = None;
            }
            Step::Slow(slow) => self.slow = slow,
        }
        if !self.slow {
            self.read();
        }
    }

    /// So many turns that a flush gives the counters cells of several threads.
    fn turns(&mut self) {
        let is_counter = |key: &&Key| key.0 == Kind::Counter as u8;
        let counters: Vec<Key> = self.handles.keys().filter(is_counter).copied().collect();
        for flushed in [false, true] {
            for key in &counters {
                let metric = self.handles[key];
                // SAFETY: a handle is a metric of the context, which lives.
                let code = unsafe {
                    for thread in 0..1000 {
                        (*metric.cast::<Metric>()).note_thread(thread);
                    }
                    fripp_metric_add(metric, 1)
                };
                check(code, self.model.record(*key, Call::Add(1)));
            }
            if !flushed && !counters.is_empty() {
                self.flush();
            }
        }
    }

    fn named(&mut self, name: u8, call: Call) {
        let (raw, cleaned) = NAMES[name as usize % NAMES.len()];
        let name = CString::new(raw).unwrap();
        let (context, name) = (self.context, name.as_ptr());
        // SAFETY: as above.
        let (kind, code) = unsafe {
            match call {
                Call::Add(n) => (Kind::Counter, fripp_inc(context, name, n)),
                Call::Total(n) => (Kind::Total, fripp_count(context, name, n as isize)),
                Call::Gauge(n) => (Kind::Gauge, fripp_gauge(context, name, n as isize, false)),
                Call::GaugeInc(n) => (Kind::Gauge, fripp_gauge(context, name, n as isize, true)),
                Call::Real(value) => (Kind::Gauge, fripp_gauge_real(context, name, value)),
                Call::Timing(ms) => (Kind::Timer, fripp_timing(context, name, ms)),
                Call::Histogram(value) => (Kind::Histogram, fripp_histogram(context, name, value)),
                Call::Unique(n) => {
                    let member = MEMBERS[n as usize % MEMBERS.len()].0;
                    (Kind::Set, fripp_unique(context, name, member.as_ptr()))
                }
            }
        };
        check(code, self.model.record((kind as u8, cleaned, ""), call));
    }

    /// A value whose type is known at run time only.
    fn send(&mut self, name: u8, value: f64, kind: u8) {
        let (raw, cleaned) = NAMES[name as usize % NAMES.len()];
        let name = CString::new(raw).unwrap();
        // SAFETY: as above.
        let code = unsafe { fripp_send(self.context, name.as_ptr(), value, kind.into()) };
        let whole = value == value.trunc() && (-(2f64.powi(63))..2f64.powi(63)).contains(&value);
        let call = match Kind::ALL[kind as usize] {
            Kind::Counter if whole => Call::Add(value as i64),
            Kind::Total if whole => Call::Total(value as i64),
            Kind::Counter | Kind::Total => return check(code, Told::Error(vec![libc::EINVAL])),
            Kind::Gauge => Call::Real(value),
            Kind::Timer => Call::Timing(value),
            Kind::Histogram => Call::Histogram(value),
            Kind::Set => unreachable!("its members are those of other steps"),
        };
        check(code, self.model.record((kind, cleaned, ""), call));
    }

    fn handled(&mut self, kind: u8, name: u8, tags: u8, call: Call) {
        let (raw, name) = NAMES[name as usize % NAMES.len()];
        let (raw_tags, tags) = OWN_TAGS[tags as usize % OWN_TAGS.len()];
        let key = (kind, name, tags.unwrap_or_default());
        let raw = CString::new(raw).unwrap();
        // SAFETY: as above.
        let metric =
            unsafe { fripp_metric_get(self.context, kind.into(), raw.as_ptr(), raw_tags.as_ptr()) };
        let told = match tags {
            Some(_) => self.model.get(key),
            None => Told::Error(vec![libc::EINVAL]),
        };
        check(if metric.is_null() { -1 } else { 0 }, told);
        if metric.is_null() {
            return;
        }
        assert_eq!(*self.handles.entry(key).or_insert(metric), metric, "the same arguments");
        let kind = Kind::ALL[kind as usize];
        // SAFETY: a metric of a living context, as in all below.
        let (code, call) = unsafe {
            match call {
                Call::Add(n) | Call::GaugeInc(n) => (
                    fripp_metric_add(metric, n),
                    if kind == Kind::Gauge { Call::GaugeInc(n) } else { Call::Add(n) },
                ),
                Call::Total(n) | Call::Gauge(n) => (
                    fripp_metric_set(metric, n),
                    if kind == Kind::Total { Call::Total(n) } else { Call::Gauge(n) },
                ),
                Call::Real(value) => (fripp_metric_set_real(metric, value), call),
                Call::Timing(value) | Call::Histogram(value) => (
                    fripp_metric_record(metric, value),
                    if kind == Kind::Timer { Call::Timing(value) } else { Call::Histogram(value) },
                ),
                Call::Unique(n) => {
                    let member = MEMBERS[n as usize % MEMBERS.len()].0;
                    (fripp_metric_unique(metric, member.as_ptr()), call)
                }
            }
        };
        check(code, self.model.record(key, call));
    }

    fn text(&mut self, text: u8, later: bool) {
        let label = if later { "later" } else { "now" };
        let next = &mut self.model.texts[usize::from(later)];
        let mut line = || {
            *next += 1;
            format!("{label}:{}|ms", *next - 1)
        };
        let (text, error) = match text % 7 {
            0 => (line(), None),
            1 => (format!("\n\n{}\n{}\n\n\n{}\n", line(), line(), line()), None),
            2 => (String::new(), None),
            3 => ("\n".to_owned(), None),
            4 => {
                (format!("{}\n{}\n{}", line(), "l".repeat(LIMIT + 1), line()), Some(libc::EMSGSIZE))
            }
            5 => (format!("{}\na:\0|c\n{}", line(), line()), Some(libc::EINVAL)),
            _ => ((0..200).map(|_| line()).collect::<Vec<_>>().join("\n"), None),
        };
        let send = if later { fripp_packet_appendf } else { fripp_format_send };
        let (before, behind) = text.split_once('\0').unwrap_or((&text, ""));
        let [before, behind] = [before, behind].map(|part| CString::new(part).unwrap());
        // SAFETY: the arguments are those of the formats.
        let code = unsafe {
            if error == Some(libc::EINVAL) {
                send(self.context.cast(), c"%s%c%s".as_ptr(), before.as_ptr(), 0, behind.as_ptr())
            } else {
                send(self.context.cast(), c"%s".as_ptr(), before.as_ptr())
            }
        };
        check(code, error.map_or(Told::Done, |error| Told::Error(vec![error])));
    }

    fn dialect(&mut self, n: usize) {
        // SAFETY: as above.
        let code = unsafe { fripp_set_dialect(self.context, n as u32) };
        // collectd's has no number
        let told = match DIALECTS.get(n).filter(|dialect| **dialect != Dialect::Collectd) {
            None => Told::Error(vec![libc::EINVAL]),
            Some(dialect) if self.model.can_change_to(*dialect) => {
                self.model.dialect = *dialect;
                self.mixed = true;
                Told::Done
            }
            Some(_) => Told::Error(vec![libc::ENOTSUP]),
        };
        check(code, told);
    }

    /// All that was recorded has to arrive now.
    fn flush(&mut self) {
        self.server.open();
        self.read();
        if self.stats().pending > QUEUE * LIMIT as u64 / 2 {
            self.flush_much();
        }
        for tries in 0.. {
            // SAFETY: as above.
            if unsafe { fripp_flush(self.context) } == 0 {
                break;
            }
            assert_eq!((errno(), tries < 50), (libc::EAGAIN, true));
            self.read();
        }
        self.read();
        (self.mixed, self.since_flush) = (false, 0);
        let stats = self.stats();
        let told = (stats.lines, stats.datagrams, stats.pending);
        assert_eq!(told, (self.known.lines, self.known.datagrams, 0));
        assert_eq!(
            stats.dropped,
            stats.dropped_invalid + stats.dropped_oversize + stats.dropped_full
        );
        assert_eq!(stats.dropped_send, 0);
    }

    /// More than the kernel's queue holds: somebody has to read meanwhile.
    fn flush_much(&mut self) {
        let (server, known, context) = (&mut *self.server, &mut self.known, self.context);
        let dialect = (!self.mixed).then_some(self.model.dialect);
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    server.read(dialect, known);
                    std::thread::yield_now();
                }
            });
            // SAFETY: as above.
            unsafe { fripp_flush(context) };
            done.store(true, Relaxed);
        });
    }

    fn stats(&self) -> fripp_stats {
        let mut stats = std::mem::MaybeUninit::zeroed();
        let size = size_of::<fripp_stats>();
        // SAFETY: a living context, and a struct of numbers, which may be 0.
        unsafe {
            fripp_get_stats(self.context, stats.as_mut_ptr(), size);
            stats.assume_init()
        }
    }

    fn read(&mut self) {
        let dialect = (!self.mixed).then_some(self.model.dialect);
        self.server.read(dialect, &mut self.known);
    }

    /// Destroy sends what is left.
    fn end(mut self) {
        self.server.open();
        self.read();
        if self.since_flush > FOR_DESTROY || self.stats().pending > LIMIT as u64 {
            self.flush();
        }
        let start = Instant::now();
        // SAFETY: the context is not used any more.
        unsafe { fripp_ctx_destroy(self.context) };
        if start.elapsed() >= DESTROY_LIMIT {
            // the machine had no time for it, and it gives up then: what it
            // sent is not the next one's
            self.server.socket = None;
            return;
        }
        self.read();
        self.model.check_known(self.known);
    }
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn check(code: c_int, told: Told) {
    let error = errno();
    let right = match &told {
        Told::Done => code == 0,
        Told::Error(errors) => code == -1 && errors.contains(&error),
        Told::Either(errors) => code == 0 || errors.contains(&error),
    };
    assert!(right, "{code} with errno {error}, to be {told:?}");
}
