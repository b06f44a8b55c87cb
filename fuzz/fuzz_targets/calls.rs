//! Sequences of calls on a context, changes of its settings and failures of
//! its server, against a model of what the server has to know in the end.

#![no_main]

#[path = "../../tests/common/known.rs"]
mod known;
#[path = "../../tests/model/mod.rs"]
mod model;

use std::cell::RefCell;

use fripp::ffi::by_name::fripp_inc;
use fripp::ffi::context::fripp_ctx_create_uri;
use libfuzzer_sys::fuzz_target;
use model::{Call, Server, Step};

/// As many metrics as a context may have where room is short.
const FEW: usize = 6;
/// Each takes two bytes at least.
const MOST_STEPS: usize = 64;

thread_local! {
    static SERVER: RefCell<Server> = RefCell::new(Server::new());
}

/// A context that lives on, so that the background thread does not end with
/// each run's.
fn keep_the_thread() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let uri = c"unix:@fripp-nobody?period=86400";
        // SAFETY: no handle, C strings, and a context that is not destroyed.
        unsafe {
            let context = fripp_ctx_create_uri(std::ptr::null_mut(), uri.as_ptr());
            assert_eq!(fripp_inc(context, c"n".as_ptr(), 1), 0);
        }
    });
}

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    keep_the_thread();
    let room = if first & 0x80 == 0 { usize::MAX >> 1 } else { FEW };
    SERVER.with_borrow_mut(|server| {
        model::run(server, first & 7, room, Bytes(rest).take(MOST_STEPS));
    });
});

/// Steps, as few bytes each as may be.
struct Bytes<'a>(&'a [u8]);

impl Iterator for Bytes<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let (what, n) = (self.byte()?, self.byte()?);
        // the high half of a byte chooses again where there is more to choose
        let m = what >> 4;
        Some(match what & 0xf {
            0..=4 => Step::Named(n, self.call(m)?),
            5..=9 => {
                let which = self.byte()?;
                Step::Handled(m, n, which >> 4, self.call(which)?)
            }
            10 => match m % 4 {
                0 => Step::Forget(n),
                1 if n & 1 == 0 => Step::Turns,
                1 => Step::Flush,
                2 => Step::Server(n & 1 == 0),
                _ => Step::Slow(n & 1 == 0),
            },
            11 => Step::Text(n, m & 1 == 0),
            12 => Step::Prefix(n),
            13 => Step::Tags(n),
            14 if m & 1 == 0 => Step::Dialect(n),
            14 => Step::Period(n),
            _ => Step::Send(n, self.real()?, m),
        })
    }
}

impl Bytes<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn eight(&mut self) -> Option<[u8; 8]> {
        let (eight, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*eight)
    }

    /// A small number in a byte, or any in nine.
    fn integer(&mut self) -> Option<i64> {
        match self.byte()? {
            0xff => Some(i64::from_le_bytes(self.eight()?)),
            0xfe => Some(i64::MAX),
            0xfd => Some(i64::MIN),
            small => Some(i64::from(small) - 8),
        }
    }

    fn real(&mut self) -> Option<f64> {
        match self.byte()? {
            0xff => Some(f64::from_le_bytes(self.eight()?)),
            0xfe => Some(1e300),
            0xfd => Some(-1e-300),
            0xfc => Some(f64::NAN),
            small => Some(f64::from(i16::from(small) - 8) / 4.0),
        }
    }

    fn call(&mut self, n: u8) -> Option<Call> {
        Some(match n & 7 {
            0 => Call::Add(self.integer()?),
            1 => Call::Total(self.integer()?),
            2 => Call::Gauge(self.integer()?),
            3 => Call::GaugeInc(self.integer()?),
            4 => Call::Real(self.real()?),
            5 => Call::Timing(self.real()?),
            6 => Call::Histogram(self.real()?),
            _ => Call::Unique(self.byte()?),
        })
    }
}
