//! Recordings. Any bytes, and any bodies in whole records: they are read to
//! their end, each byte once, and times are in order. Datagrams that were
//! written: read as they were, and with a byte changed all but one block.

#![no_main]

use std::io::Cursor;

use arbitrary::{Arbitrary, Unstructured};
use fripp_command::recording::{HEAD, HEADER, Item, MARKER, MAX_TIME, Reader, Start, Writer};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Raw(&'a [u8]),
    /// Kind, body, and whether that is packed as a block's datagrams are.
    Records(Vec<(u8, Block<'a>)>),
    Written {
        blocks: Vec<Vec<(u16, &'a [u8])>>,
        changed: Option<(u16, u8)>,
    },
}

#[derive(Arbitrary, Debug)]
enum Block<'a> {
    Body(&'a [u8]),
    Packed { first_us: u64, last_us: u64, datagrams: u32, length: Option<u32>, data: &'a [u8] },
}

type Datagrams = Vec<(u64, Vec<u8>)>;

fuzz_target!(|data: &[u8]| {
    match Input::arbitrary_take_rest(Unstructured::new(data)) {
        Ok(Input::Raw(bytes)) => {
            read(&[&HEADER, bytes].concat());
        }
        Ok(Input::Records(records)) => {
            let mut file = HEADER.to_vec();
            records
                .iter()
                .for_each(|(kind, block)| push_record(&mut file, kind % 5, &block.body()));
            let (_, faults) = read(&file);
            assert!(faults <= records.len());
        }
        Ok(Input::Written { blocks, changed }) => written(&blocks, changed),
        Err(_) => {}
    }
});

impl Block<'_> {
    fn body(&self) -> Vec<u8> {
        match self {
            Block::Body(body) => body.to_vec(),
            Block::Packed { first_us, last_us, datagrams, length, data } => {
                let mut body = [first_us.to_le_bytes(), last_us.to_le_bytes()].concat();
                body.extend_from_slice(&datagrams.to_le_bytes());
                body.extend_from_slice(&[0; 8]);
                body.extend_from_slice(&length.unwrap_or(data.len() as u32).to_le_bytes());
                // as literals of LZ4, or as anything
                if length.is_none() {
                    body.extend(lz4(data));
                } else {
                    body.extend_from_slice(data);
                }
                body
            }
        }
    }
}

/// One sequence of literals, which is how an LZ4 block may end.
fn lz4(data: &[u8]) -> Vec<u8> {
    let mut out = vec![(data.len().min(15) << 4) as u8];
    if let Some(mut more) = data.len().checked_sub(15) {
        while more >= 255 {
            out.push(255);
            more -= 255;
        }
        out.push(more as u8);
    }
    out.extend_from_slice(data);
    out
}

fn push_record(file: &mut Vec<u8>, kind: u8, body: &[u8]) {
    let head = [&[kind][..], &(body.len() as u32).to_le_bytes()].concat();
    file.extend_from_slice(&MARKER);
    file.extend_from_slice(&head);
    file.extend_from_slice(&crc32(&[&head, body].concat()).to_le_bytes());
    file.extend_from_slice(body);
}

/// IEEE 802.3, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    })
}

/// All datagrams, and how many faults there are.
fn read(file: &[u8]) -> (Datagrams, usize) {
    let mut reader = Reader::new(Cursor::new(file)).unwrap();
    let (mut datagrams, mut faults, mut offset) = (Vec::new(), 0, HEADER.len() as u64);
    while let Some(item) = reader.next_item().unwrap() {
        assert!(reader.offset() > offset && reader.offset() <= file.len() as u64);
        offset = reader.offset();
        match item {
            Item::Block(block) => {
                assert!(block.first_us <= block.last_us && block.last_us <= MAX_TIME);
                let mut now = block.first_us;
                let whole = block.each(|at, datagram| {
                    assert!(now <= at && at <= block.last_us);
                    now = at;
                    datagrams.push((at, datagram.to_vec()));
                });
                faults += usize::from(whole.is_err());
            }
            Item::Fault(fault) => {
                assert!(fault.offset + fault.skipped <= file.len() as u64);
                faults += 1;
            }
            Item::Start(_) | Item::End(_) => {}
        }
    }
    (datagrams, faults)
}

fn written(blocks: &[Vec<(u16, &[u8])>], changed: Option<(u16, u8)>) {
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file, &Start::default()).unwrap();
    let (mut at, mut wanted, mut longest) = (0, Datagrams::new(), 0);
    for block in blocks {
        for (later, datagram) in block {
            at += u64::from(*later);
            wanted.push((at, datagram.to_vec()));
            writer.datagram(at, datagram).unwrap();
        }
        longest = longest.max(block.len());
        writer.flush().unwrap();
    }
    writer.end(at).unwrap();
    assert_eq!(read(&file), (wanted.clone(), 0));
    // a byte of a record other than the first
    let first = HEADER.len() + HEAD + 8 + 4;
    let Some((place, bits)) = changed.filter(|(_, bits)| *bits != 0) else { return };
    let place = first + usize::from(place) % (file.len() - first);
    file[place] ^= bits;
    let (kept, faults) = read(&file);
    assert_eq!(faults, 1);
    assert!(kept.len() + longest >= wanted.len());
    let mut rest = wanted.iter();
    assert!(kept.iter().all(|datagram| rest.any(|other| other == datagram)));
}
