//! What comes as a stream, cut into lines, or into the frames of DogStatsD's
//! UNIX streams: 4 bytes, the length as a little-endian number, and so many
//! bytes.

/// The longest line or frame; a longer one is passed over.
const LONGEST: usize = super::LONGEST;
/// Whole lines are given together, as many as a datagram would have.
const TOGETHER: usize = 1_432;
/// The bytes of a frame's length.
const HEAD: usize = 4;

#[derive(Debug)]
enum Form {
    /// The first four bytes are to tell.
    Unknown,
    Lines,
    Frames,
}

#[derive(Debug)]
pub struct Splitter {
    form: Form,
    /// The beginning of a line or frame.
    rest: Vec<u8>,
    /// Of a line that is too long nothing is kept up to its newline.
    is_passing_over: bool,
    /// Bytes that are left of a frame that is too long.
    to_skip: usize,
    /// Lines and frames that were too long.
    pub too_long: u64,
}

impl Splitter {
    pub fn of_lines() -> Splitter {
        Splitter::new(Form::Lines)
    }

    /// Frames, or lines: the length of a frame has a 0 where text has none.
    pub fn of_lines_or_frames() -> Splitter {
        Splitter::new(Form::Unknown)
    }

    fn new(form: Form) -> Splitter {
        Splitter { form, rest: Vec::new(), is_passing_over: false, to_skip: 0, too_long: 0 }
    }

    /// Gives what is whole with these bytes.
    pub fn feed(&mut self, bytes: &[u8], give: &mut dyn FnMut(&[u8])) {
        if matches!(self.form, Form::Unknown) {
            self.rest.extend_from_slice(bytes);
            let Some(head) = self.rest.first_chunk::<HEAD>() else { return };
            self.form = if head[HEAD - 1] == 0 { Form::Frames } else { Form::Lines };
            let first = std::mem::take(&mut self.rest);
            return self.feed(&first, give);
        }
        match self.form {
            Form::Frames => self.feed_frames(bytes, give),
            _ => self.feed_lines(bytes, give),
        }
    }

    /// Gives the last line, which may have no newline. A frame that is not
    /// whole is lost.
    pub fn end(&mut self, give: &mut dyn FnMut(&[u8])) {
        let rest = std::mem::take(&mut self.rest);
        if !rest.is_empty() && !matches!(self.form, Form::Frames) {
            give(&rest);
        }
    }

    fn feed_lines(&mut self, bytes: &[u8], give: &mut dyn FnMut(&[u8])) {
        let mut bytes = bytes;
        // what had begun before
        if self.is_passing_over || !self.rest.is_empty() {
            let (head, tail) = match newline(bytes) {
                Some(at) => (&bytes[..at], Some(&bytes[at + 1..])),
                None => (bytes, None),
            };
            self.begin(head);
            let Some(tail) = tail else { return };
            let rest = std::mem::take(&mut self.rest);
            if !std::mem::take(&mut self.is_passing_over) {
                give(&rest);
            }
            bytes = tail;
        }
        while let Some(at) = newline(bytes) {
            // as many lines as go together, or one
            let most = bytes.len().min(TOGETHER);
            let last = bytes[..most].iter().rposition(|b| *b == b'\n').unwrap_or(at);
            if last > LONGEST {
                self.too_long += 1;
            } else {
                give(&bytes[..last]);
            }
            bytes = &bytes[last + 1..];
        }
        self.begin(bytes);
    }

    /// Keeps the beginning of a line, if it is not too long by now.
    fn begin(&mut self, bytes: &[u8]) {
        if self.is_passing_over {
            return;
        }
        if self.rest.len() + bytes.len() > LONGEST {
            self.too_long += 1;
            self.is_passing_over = true;
            self.rest = Vec::new();
        } else {
            self.rest.extend_from_slice(bytes);
        }
    }

    fn feed_frames(&mut self, mut bytes: &[u8], give: &mut dyn FnMut(&[u8])) {
        while !bytes.is_empty() {
            let wanted = match self.rest.first_chunk::<HEAD>() {
                _ if self.to_skip > 0 => self.to_skip,
                Some(head) => HEAD + u32::from_le_bytes(*head) as usize - self.rest.len(),
                None => HEAD - self.rest.len(),
            };
            let (some, others) = bytes.split_at(wanted.min(bytes.len()));
            bytes = others;
            if self.to_skip > 0 {
                self.to_skip -= some.len();
                continue;
            }
            self.rest.extend_from_slice(some);
            let Some(head) = self.rest.first_chunk::<HEAD>() else { continue };
            let length = u32::from_le_bytes(*head) as usize;
            if length > LONGEST {
                self.too_long += 1;
                self.to_skip = length;
                self.rest.clear();
            } else if self.rest.len() == HEAD + length {
                let frame = std::mem::take(&mut self.rest);
                if length > 0 {
                    give(&frame[HEAD..]);
                }
            }
        }
    }
}

fn newline(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|b| *b == b'\n')
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// What is given of these pieces, and at their end.
    fn given(mut splitter: Splitter, pieces: &[&[u8]]) -> (Vec<Vec<u8>>, u64) {
        let mut all = Vec::new();
        let mut give = |some: &[u8]| all.push(some.to_vec());
        for piece in pieces {
            splitter.feed(piece, &mut give);
        }
        splitter.end(&mut give);
        (all, splitter.too_long)
    }

    /// The bytes in pieces of these lengths, over and over.
    fn pieces<'a>(mut bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
        let mut pieces = Vec::new();
        for length in lengths.iter().cycle() {
            if bytes.is_empty() {
                break;
            }
            let (piece, others) = bytes.split_at((*length).min(bytes.len()));
            pieces.push(piece);
            bytes = others;
        }
        pieces
    }

    fn frame(body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32).to_le_bytes(), body].concat()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

        #[test]
        fn lines_are_whole(
            lines in vec("[a-z:|]{4,40}", 1..200),
            lengths in vec(1usize..3_000, 1..5),
            ends in any::<bool>(),
        ) {
            let mut text = lines.join("\n");
            if ends {
                text.push('\n');
            }
            let pieces = pieces(text.as_bytes(), &lengths);
            for splitter in [Splitter::of_lines(), Splitter::of_lines_or_frames()] {
                let (all, too_long) = given(splitter, &pieces);
                prop_assert!(all.iter().all(|some| some.len() <= TOGETHER));
                prop_assert_eq!(all.join(&b'\n'), lines.join("\n").into_bytes());
                prop_assert_eq!(too_long, 0);
            }
        }

        #[test]
        fn frames_are_as_they_came(
            bodies in vec(vec(any::<u8>(), 1..400), 1..30),
            lengths in vec(1usize..900, 1..5),
        ) {
            let bytes: Vec<u8> = bodies.iter().flat_map(|body| frame(body)).collect();
            let (all, too_long) = given(Splitter::of_lines_or_frames(), &pieces(&bytes, &lengths));
            prop_assert_eq!(all, bodies);
            prop_assert_eq!(too_long, 0);
        }
    }

    #[test]
    fn a_line_without_an_end_is_passed_over() {
        let long = vec![b'x'; LONGEST + 1];
        let whole = [&long[..], b"\na:1|c\n", &long, b"\nb:1|c\n"].concat();
        for pieces in [vec![&whole[..]], whole.chunks(1_000).collect()] {
            let (all, too_long) = given(Splitter::of_lines(), &pieces);
            assert_eq!((all, too_long), (vec![b"a:1|c".to_vec(), b"b:1|c".to_vec()], 2));
        }
        let mut splitter = Splitter::of_lines();
        for _ in 0..1_000 {
            splitter.feed(&long, &mut |_| panic!("nothing is whole"));
            assert!(splitter.rest.capacity() <= LONGEST);
        }
    }

    #[test]
    fn a_frame_that_is_too_long_is_passed_over() {
        let long = vec![b'x'; LONGEST + 1];
        let whole = [frame(b"a:1|c"), frame(&long), frame(b""), frame(b"b:1|c\nc:1|c")].concat();
        for pieces in [vec![&whole[..]], whole.chunks(999).collect()] {
            let (all, too_long) = given(Splitter::of_lines_or_frames(), &pieces);
            assert_eq!((all, too_long), (vec![b"a:1|c".to_vec(), b"b:1|c\nc:1|c".to_vec()], 1));
        }
    }

    #[test]
    fn a_frame_that_is_cut_is_lost_and_a_short_text_is_a_line() {
        let cut = &frame(b"a:1|c")[..6];
        assert_eq!(given(Splitter::of_lines_or_frames(), &[cut]).0, [b""; 0]);
        assert_eq!(given(Splitter::of_lines_or_frames(), &[b"a"]).0, [b"a"]);
    }
}
