//! Writes a recording, record by record: what is in the file stays as it is.
#![forbid(unsafe_code)]

use super::bytes::{put_text, put_varint};
use super::{BLOCK, Block, Counts, HEADER, KIND_BLOCK, KIND_END, KIND_START, MARKER, Start};
use std::io::{self, Write};

/// A recording that is being written.
pub struct Writer<W: Write> {
    out: W,
    pub(super) block: Block,
    counts: Counts,
    record: Vec<u8>,
}

impl<W: Write> Writer<W> {
    pub fn new(mut out: W, start: &Start) -> io::Result<Writer<W>> {
        out.write_all(&HEADER)?;
        let mut body = start.unix_us.to_le_bytes().to_vec();
        for text in [&start.address, &start.command, &start.version, &start.dialect] {
            put_text(&mut body, text);
        }
        let mut writer =
            Writer { out, block: Block::default(), counts: Counts::default(), record: Vec::new() };
        writer.append(KIND_START, &body)?;
        Ok(writer)
    }

    /// A datagram that came, in order of time.
    pub fn datagram(&mut self, at_us: u64, datagram: &[u8]) -> io::Result<()> {
        if self.block.datagrams == 0 {
            self.block.first_us = at_us;
            self.block.last_us = at_us;
        }
        put_varint(&mut self.block.data, at_us.saturating_sub(self.block.last_us));
        put_varint(&mut self.block.data, datagram.len() as u64);
        self.block.data.extend_from_slice(datagram);
        self.block.last_us = self.block.last_us.max(at_us);
        self.block.datagrams += 1;
        self.counts.datagrams += 1;
        self.counts.bytes += datagram.len() as u64;
        self.counts.lines +=
            datagram.split(|&b| b == b'\n').filter(|l| !l.is_empty()).count() as u64;
        if self.block.data.len() >= BLOCK { self.flush() } else { Ok(()) }
    }

    /// The kernel's count of what it dropped.
    pub fn drops(&mut self, drops: u64) {
        self.counts.drops = drops;
    }

    /// All that came is in the file then, as the kernel has it.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.block.datagrams == 0 {
            return Ok(());
        }
        let block = &self.block;
        let mut body = Vec::with_capacity(block.data.len() / 2);
        body.extend_from_slice(&block.first_us.to_le_bytes());
        body.extend_from_slice(&block.last_us.to_le_bytes());
        body.extend_from_slice(&block.datagrams.to_le_bytes());
        body.extend_from_slice(&self.counts.drops.to_le_bytes());
        body.extend_from_slice(&(block.data.len() as u32).to_le_bytes());
        body.extend_from_slice(&lz4_flex::block::compress(&block.data));
        self.append(KIND_BLOCK, &body)?;
        self.block.datagrams = 0;
        self.block.data.clear();
        Ok(())
    }

    /// The last record.
    pub fn end(mut self, at_us: u64) -> io::Result<Counts> {
        self.flush()?;
        let Counts { lines, datagrams, bytes, drops } = self.counts;
        let mut body = Vec::new();
        for n in [at_us, lines, datagrams, bytes, drops] {
            body.extend_from_slice(&n.to_le_bytes());
        }
        self.append(KIND_END, &body)?;
        Ok(self.counts)
    }

    /// A record, by one write.
    fn append(&mut self, kind: u8, body: &[u8]) -> io::Result<()> {
        let mut checked = crc32fast::Hasher::new();
        let length = (body.len() as u32).to_le_bytes();
        checked.update(&[kind]);
        checked.update(&length);
        checked.update(body);
        self.record.clear();
        self.record.extend_from_slice(&MARKER);
        self.record.push(kind);
        self.record.extend_from_slice(&length);
        self.record.extend_from_slice(&checked.finalize().to_le_bytes());
        self.record.extend_from_slice(body);
        self.out.write_all(&self.record)?;
        self.out.flush()
    }
}
