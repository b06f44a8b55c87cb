//! The lines of one flush from pieces of fixed sizes. What all lines have in
//! common is made ready once, a line is then a few copies whose sizes the
//! compiler knows. `line` formats what does not fit.

#![forbid(unsafe_code)]

use crate::encode::dialect::Tagging;
use crate::encode::settings::Settings;
use crate::encode::spare::{Spare, copy};
use crate::encode::{line, number, tags};
use crate::metric::Metric;
use crate::metric::key::INLINE;
use crate::metric::kind::Kind;

/// The most bytes of a piece.
const PIECE: usize = 64;
/// The most bytes of what follows a value: a container's id fits.
pub const TAIL: usize = 96;
/// Of most pieces so much is enough to copy.
const SHORT: usize = 16;

const _: () = assert!(PIECE + INLINE + PIECE + number::MOST < 256);

#[derive(Clone, Copy, Debug)]
struct Piece<const M: usize> {
    bytes: [u8; M],
    len: usize,
}

impl<const M: usize> Piece<M> {
    const EMPTY: Piece<M> = Piece { bytes: [0; M], len: 0 };

    /// Puts these parts in. Whether they fit.
    fn set(&mut self, parts: [&[u8]; 3]) -> bool {
        self.len = 0;
        parts.into_iter().all(|part| {
            let end = self.len + part.len();
            let Some(room) = self.bytes.get_mut(self.len..end) else { return false };
            room.copy_from_slice(part);
            self.len = end;
            true
        })
    }

    /// Copies it to `at`, so many bytes, which are enough. Where it ends.
    #[inline(always)]
    fn write<const N: usize>(&self, out: &mut Spare, at: usize) -> usize {
        if let Some(bytes) = self.bytes.first_chunk::<N>() {
            copy(out, at, bytes);
        }
        at + self.len
    }
}

/// What the lines of a flush have in common.
#[derive(Debug)]
pub struct Pieces {
    /// A newline, and the prefix.
    prefix: Piece<PIECE>,
    /// What stands between name and value: the context's tags, where they
    /// belong into the name, and a `:`.
    joint: Piece<PIECE>,
    /// What follows a value, by kind.
    tails: [Piece<TAIL>; Kind::ALL.len()],
    /// Names up to this long can be taken: none where a piece is too long.
    longest: usize,
    /// Some names may begin with what they must not.
    looks_at_names: bool,
    /// No piece is longer than `SHORT`.
    is_short: bool,
}

impl Pieces {
    /// Makes the pieces of the settings, with `text` at hand. If one is too
    /// long, no line is made of them.
    pub fn new(settings: &Settings, text: &mut Vec<u8>) -> Pieces {
        let form = settings.dialect.form();
        let mut prefix = &settings.prefix[..];
        if form.reserved_names && line::is_reserved(prefix) {
            prefix = &prefix[1..];
        }
        let mut pieces = Pieces {
            prefix: Piece::EMPTY,
            joint: Piece::EMPTY,
            tails: [Piece::EMPTY; Kind::ALL.len()],
            longest: 0,
            // a prefix is empty, or at least a byte and a dot: longer than
            // `_e`, and no beginning of `_sc`
            looks_at_names: form.reserved_names && prefix.is_empty(),
            is_short: false,
        };
        let mut fits = pieces.prefix.set([b"\n", prefix, b""]);
        text.clear();
        if let Tagging::InName(separator) = form.tags {
            tags::write_in_name(separator, &settings.tags, b"", text);
        }
        fits &= pieces.joint.set([text, b":", b""]);
        text.clear();
        line::suffix(text, settings, b"");
        let mut longest_piece = pieces.prefix.len.max(pieces.joint.len);
        for kind in Kind::ALL {
            let letters = settings.dialect.letters(kind, settings.distributions);
            let tail = &mut pieces.tails[kind as usize];
            fits &= tail.set([b"|", letters, text]);
            longest_piece = longest_piece.max(tail.len);
        }
        pieces.is_short = longest_piece <= SHORT;
        pieces.longest = if fits { INLINE } else { 0 };
        pieces
    }

    /// Writes what stands before a value, a newline in front. Where it ends;
    /// `None` where a metric has tags or a long name.
    #[inline]
    pub fn head(&self, out: &mut Spare, metric: &Metric) -> Option<usize> {
        if self.is_short {
            self.head_of::<SHORT>(out, metric)
        } else {
            self.head_of::<PIECE>(out, metric)
        }
    }

    #[inline(always)]
    fn head_of<const N: usize>(&self, out: &mut Spare, metric: &Metric) -> Option<usize> {
        let (name, len) = metric.short_name(self.longest)?;
        if self.looks_at_names && name[0] == b'_' {
            return None;
        }
        let at = self.prefix.write::<N>(out, 0);
        copy(out, at, name);
        Some(self.joint.write::<N>(out, at + len))
    }

    /// Writes what follows the value of a kind, of a metric that has a `head`.
    /// Its length.
    #[inline(always)]
    pub fn tail(&self, out: &mut [u8; TAIL], kind: Kind) -> usize {
        let tail = &self.tails[kind as usize];
        *out = tail.bytes;
        tail.len
    }

    /// Writes a line with an integer. Its length, with the newline in front;
    /// `None` where it does not fit.
    #[inline(always)]
    pub fn integer(
        &self,
        out: &mut Spare,
        metric: &Metric,
        kind: Kind,
        value: i64,
    ) -> Option<usize> {
        if self.is_short {
            self.integer_of::<SHORT, SHORT>(out, metric, kind, value)
        } else {
            self.integer_of::<PIECE, TAIL>(out, metric, kind, value)
        }
    }

    /// The same, of pieces of up to `N` bytes, and `T` after the value.
    #[inline(always)]
    fn integer_of<const N: usize, const T: usize>(
        &self,
        out: &mut Spare,
        metric: &Metric,
        kind: Kind,
        value: i64,
    ) -> Option<usize> {
        let mut at = self.head_of::<N>(out, metric)?;
        if value < 0 {
            copy(out, at, b"-");
            at += 1;
        }
        let at = number::put_integer(out, at, value.unsigned_abs());
        Some(self.tails[kind as usize].write::<T>(out, at))
    }

    /// Writes a line with a sample, as `integer` does.
    #[inline(always)]
    pub fn sample(&self, out: &mut Spare, metric: &Metric, value: f64) -> Option<usize> {
        if self.is_short {
            self.sample_of::<SHORT, SHORT>(out, metric, value)
        } else {
            self.sample_of::<PIECE, TAIL>(out, metric, value)
        }
    }

    #[inline(always)]
    fn sample_of<const N: usize, const T: usize>(
        &self,
        out: &mut Spare,
        metric: &Metric,
        value: f64,
    ) -> Option<usize> {
        let kind = metric.kind();
        let at = self.head_of::<N>(out, metric)?;
        let at = put_sample(out, at, kind, value)?;
        Some(self.tails[kind as usize].write::<T>(out, at))
    }
}

/// Writes a sample's value to `at`. Where it ends; `None` for a value that is
/// written in general.
#[inline(always)]
pub fn put_sample(out: &mut Spare, at: usize, kind: Kind, value: f64) -> Option<usize> {
    if kind == Kind::Timer {
        number::put_timing(out, at, value)
    } else {
        number::put_real(out, at, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::dialect::Dialect;
    use crate::metric::value::{Number, Taken};

    const NOBODY: *mut () = std::ptr::null_mut();

    /// Every line is the same as that of `line`, or left to `line`.
    #[test]
    fn the_same_lines_as_in_general() {
        let long = "p".repeat(PIECE);
        let mut made = 0;
        for dialect in Dialect::ALL {
            for prefix in ["", "flux.", "_e.", "_sc.", "_.", &long, &format!("{long}p")] {
                for tags in ["", "k:v,host:n1", "k:v:w,_a:b", &format!("k:{long}{long}")] {
                    for name in ["n", "_e", "_sc", "_x", &"n".repeat(40), &"n".repeat(41), "n\0k:w"]
                    {
                        made += usize::from(is_the_same(dialect, prefix, tags, name));
                    }
                }
            }
        }
        assert!(made > 400, "{made}");
    }

    fn is_the_same(dialect: Dialect, prefix: &str, tags: &str, name: &str) -> bool {
        let settings =
            Settings { dialect, prefix: prefix.into(), tags: tags.into(), ..Settings::default() };
        let metric = Metric::new(0, name.as_bytes(), 0, NOBODY).unwrap();
        let pieces = Pieces::new(&settings, &mut Vec::new());
        let mut scratch = [0; size_of::<Spare>()];
        for value in [0, 7, 10, 99, 100, 12_345, 123_456, -1, -10, i64::MIN, i64::MAX] {
            let mut want = Vec::new();
            line::numbers(&mut want, &settings, &metric, Taken::Sum(value));
            let Some(len) = pieces.integer(&mut scratch, &metric, Kind::Counter, value) else {
                return false;
            };
            assert_eq!(scratch[..len], want);
            if value >= 0 {
                want.clear();
                let gauge = Taken::Gauge(Number::Integer(value));
                line::numbers(&mut want, &settings, &metric, gauge);
                let len = pieces.integer(&mut scratch, &metric, Kind::Gauge, value);
                assert_eq!(scratch[..len.unwrap()], want);
            }
        }
        for kind in [Kind::Timer, Kind::Histogram] {
            let metric = Metric::new(kind as u8, name.as_bytes(), 0, NOBODY).unwrap();
            for value in [0.0, 7.0, 0.25, 12_345.678_901, 1e-3, 99.999_999_9, 1e15, 1e300] {
                let mut want = vec![b'\n'];
                line::head(&mut want, &settings, &metric);
                line::sample(&mut want, kind, value);
                line::tail(&mut want, &settings, b"", kind, 1);
                match pieces.sample(&mut scratch, &metric, value) {
                    Some(len) => assert_eq!(scratch[..len], want),
                    None => assert!(value > 1e14, "{value}"),
                }
            }
        }
        true
    }
}
