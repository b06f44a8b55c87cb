//! Reads a recording, and continues after what is damaged.
#![forbid(unsafe_code)]

use super::bytes::Bytes;
use super::{Block, Counts, End, HEAD, HEADER, KIND_BLOCK, KIND_END, KIND_START};
use super::{MARKER, MAX_BODY, MAX_TIME, Start};
use std::fmt;
use std::io::{self, BufRead, ErrorKind, Seek, SeekFrom};

/// A recording that is being read.
pub struct Reader<R> {
    input: R,
    /// Where the next record begins, and where the last one did.
    offset: u64,
    began: u64,
    record: u64,
    body: Vec<u8>,
    /// Bytes of records that were read while looking for one, in vain.
    in_vain: u64,
}

/// How many of them there may be. A file that is crafted could have a new
/// record begin in each of its bytes.
const MAX_IN_VAIN: u64 = 32 << 20;
/// What it costs to look at a marker, in bytes.
const TRY: u64 = 256;

/// A record, or the place of one that cannot be read.
#[derive(Debug, PartialEq)]
pub enum Item {
    Start(Start),
    Block(Block),
    End(End),
    Fault(Fault),
}

/// A record that cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Its number, from 1, and its place in the file.
    pub record: u64,
    pub offset: u64,
    /// Bytes from there to the next one.
    pub skipped: u64,
    pub why: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Fault { record, offset, skipped, why } = self;
        write!(f, "record {record} at byte {offset}: {why}; {skipped} bytes are left out")
    }
}

impl<R: BufRead + Seek> Reader<R> {
    /// Looks at the header; anything else than a recording is an error.
    pub fn new(mut input: R) -> io::Result<Reader<R>> {
        let mut header = [0; HEADER.len()];
        fill(&mut input, &mut header)?;
        if header[..8] != HEADER[..8] {
            return Err(io::Error::other("not a recording"));
        }
        if header != HEADER {
            return Err(io::Error::other("a recording of a version that this fripp cannot read"));
        }
        Ok(Reader {
            input,
            offset: HEADER.len() as u64,
            began: 0,
            record: 0,
            body: Vec::new(),
            in_vain: 0,
        })
    }

    /// How far it has read.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The number of the last record, and where it begins.
    pub fn place(&self) -> (u64, u64) {
        (self.record, self.began)
    }

    /// The next record, or the next damage; `None` at the end. Records of an
    /// unknown kind are passed over.
    pub fn next_item(&mut self) -> io::Result<Option<Item>> {
        loop {
            let at = self.offset;
            let kind = match self.read_record()? {
                Ok(None) => return Ok(None),
                Ok(Some(kind)) => kind,
                Err(why) => return self.skip(at, why).map(|fault| Some(Item::Fault(fault))),
            };
            self.record += 1;
            self.began = at;
            let item = match kind {
                KIND_START => start(&self.body).map(Item::Start),
                KIND_BLOCK => block(&self.body).map(Item::Block),
                KIND_END => end(&self.body).map(Item::End),
                _ => continue,
            };
            let skipped = self.offset - at;
            return Ok(Some(item.unwrap_or_else(|why| {
                Item::Fault(Fault { record: self.record, offset: at, skipped, why })
            })));
        }
    }

    /// Reads the record at `offset`, checks it, and moves past it; returns its
    /// kind.
    fn read_record(&mut self) -> io::Result<Result<Option<u8>, &'static str>> {
        let mut head = [0; HEAD];
        match fill(&mut self.input, &mut head)? {
            0 => return Ok(Ok(None)),
            HEAD => {}
            _ => return Ok(Err("the file ends in it")),
        }
        let (marker, head) = head.split_at(MARKER.len());
        if marker != MARKER {
            return Ok(Err("it has no marker"));
        }
        let (kind, len) = (head[0], [head[1], head[2], head[3], head[4]]);
        let length = u32::from_le_bytes(len) as usize;
        if length > MAX_BODY {
            return Ok(Err("its length is out of range"));
        }
        self.body.resize(length, 0);
        if fill(&mut self.input, &mut self.body)? < length {
            return Ok(Err("the file ends in it"));
        }
        let mut checked = crc32fast::Hasher::new();
        checked.update(&[kind]);
        checked.update(&len);
        checked.update(&self.body);
        if checked.finalize().to_le_bytes() != head[5..] {
            return Ok(Err("its checksum is wrong"));
        }
        self.offset += (HEAD + length) as u64;
        Ok(Ok(Some(kind)))
    }

    /// Goes from damage at `at` to the next record that can be read, or to the
    /// end of the file.
    fn skip(&mut self, at: u64, why: &'static str) -> io::Result<Fault> {
        self.record += 1;
        let mut from = at + 1;
        let next = loop {
            let found = self.find_marker(from)?.filter(|_| self.in_vain < MAX_IN_VAIN);
            let Some(found) = found else {
                break self.input.seek(SeekFrom::End(0))?;
            };
            self.go_to(found)?;
            self.body.clear();
            if self.read_record()?.is_ok() {
                self.go_to(found)?;
                break found;
            }
            self.in_vain += TRY + self.body.len() as u64;
            from = found + 1;
        };
        self.offset = next;
        Ok(Fault { record: self.record, offset: at, skipped: next - at, why })
    }

    /// Goes to a byte, and keeps what is in the buffer if it is near.
    fn go_to(&mut self, to: u64) -> io::Result<()> {
        let at = self.input.stream_position()?;
        self.input.seek_relative(to.wrapping_sub(at) as i64)
    }

    /// Where the next marker is.
    fn find_marker(&mut self, from: u64) -> io::Result<Option<u64>> {
        self.go_to(from)?;
        let mut at = from;
        let mut seen = 0;
        loop {
            let bytes = self.input.fill_buf()?;
            if bytes.is_empty() {
                return Ok(None);
            }
            for &byte in bytes {
                seen = if byte == MARKER[seen] { seen + 1 } else { (byte == MARKER[0]).into() };
                at += 1;
                if seen == MARKER.len() {
                    return Ok(Some(at - seen as u64));
                }
            }
            let n = bytes.len();
            self.input.consume(n);
        }
    }
}

fn start(body: &[u8]) -> Result<Start, &'static str> {
    let mut rest = Bytes(body);
    let mut read = || {
        let unix_us = rest.u64()?;
        let (address, command, version) = (rest.text()?, rest.text()?, rest.text()?);
        // older recordings have none
        let dialect = if rest.0.is_empty() { String::new() } else { rest.text()? };
        Some(Start { unix_us, address, command, version, dialect })
    };
    read().ok_or("its fields end early")
}

fn block(body: &[u8]) -> Result<Block, &'static str> {
    let mut rest = Bytes(body);
    let mut read = || {
        let (first_us, last_us) = (rest.u64()?, rest.u64()?);
        let (datagrams, drops, length) = (rest.u32()?, rest.u64()?, rest.u32()?);
        Some((Block { first_us, last_us, datagrams, drops, data: Vec::new() }, length as usize))
    };
    let (mut block, length) = read().ok_or("its fields end early")?;
    if length > MAX_BODY {
        return Err("its length is out of range");
    }
    if block.first_us > block.last_us || block.last_us > MAX_TIME {
        return Err("its times are out of range");
    }
    block.data = lz4_flex::block::decompress(rest.0, length).map_err(|_| "it does not unpack")?;
    Ok(block)
}

fn end(body: &[u8]) -> Result<End, &'static str> {
    let mut rest = Bytes(body);
    let mut read = || {
        let at_us = rest.u64()?;
        let (lines, datagrams, bytes) = (rest.u64()?, rest.u64()?, rest.u64()?);
        Some(End { at_us, counts: Counts { lines, datagrams, bytes, drops: rest.u64()? } })
    };
    match read() {
        Some(End { at_us, .. }) if at_us > MAX_TIME => Err("its time is out of range"),
        end => end.ok_or("its fields end early"),
    }
}

/// Reads until `buffer` is full or the input ends; how much there was.
fn fill(input: &mut impl BufRead, buffer: &mut [u8]) -> io::Result<usize> {
    let mut n = 0;
    while n < buffer.len() {
        match input.read(&mut buffer[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(n)
}
