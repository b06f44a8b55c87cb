//! What is written can be read, whole or damaged.

use std::io::Cursor;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

type Datagrams = Vec<(u64, Vec<u8>)>;

fn start() -> Start {
    let text = |text: &str| text.to_owned();
    Start {
        unix_us: 7,
        address: text("h:1"),
        command: text("a b"),
        version: text("1"),
        dialect: text("statsd"),
    }
}

/// A recording with a block for each part.
fn written(parts: &[Datagrams]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file, &start()).unwrap();
    for part in parts {
        for (at, datagram) in part {
            writer.datagram(*at, datagram).unwrap();
        }
        writer.flush().unwrap();
    }
    writer.drops(3);
    writer.end(1_000_000).unwrap();
    file
}

fn read(file: &[u8]) -> (Datagrams, Vec<Item>) {
    let mut reader = Reader::new(Cursor::new(file)).unwrap();
    let (mut datagrams, mut others) = (Vec::new(), Vec::new());
    while let Some(item) = reader.next_item().unwrap() {
        match item {
            Item::Block(block) => {
                block.each(|at, datagram| datagrams.push((at, datagram.to_vec()))).unwrap()
            }
            item => others.push(item),
        }
    }
    (datagrams, others)
}

fn faults(items: &[Item]) -> Vec<&Fault> {
    items.iter().filter_map(|i| if let Item::Fault(f) = i { Some(f) } else { None }).collect()
}

/// Blocks of datagrams, in order of time.
fn parts() -> impl Strategy<Value = Vec<Datagrams>> {
    let datagram = (0u64..2_000, vec(any::<u8>(), 0..60));
    vec(vec(datagram, 1..8), 1..5).prop_map(|mut parts| {
        let mut at = 0;
        for (later, _) in parts.iter_mut().flatten() {
            at += *later;
            *later = at;
        }
        parts
    })
}

/// Where each record begins, and where the last one ends.
fn places(file: &[u8]) -> Vec<usize> {
    let mut places = vec![HEADER.len()];
    while *places.last().unwrap() < file.len() {
        let at = *places.last().unwrap();
        let length = u32::from_le_bytes(file[at + 5..at + 9].try_into().unwrap());
        places.push(at + HEAD + length as usize);
    }
    places
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn whole(parts in parts()) {
        let (datagrams, others) = read(&written(&parts));
        let (lines, bytes) = datagrams.iter().fold((0, 0), |(lines, bytes), (_, datagram)| {
            let more = datagram.split(|b| *b == b'\n').filter(|line| !line.is_empty()).count();
            (lines + more as u64, bytes + datagram.len() as u64)
        });
        let counts = Counts { lines, datagrams: datagrams.len() as u64, bytes, drops: 3 };
        let end = End { at_us: 1_000_000, counts };
        prop_assert_eq!(others, [Item::Start(start()), Item::End(end)]);
        prop_assert_eq!(datagrams, parts.concat());
    }

    #[test]
    fn cut_anywhere_it_is_read_up_to_the_last_whole_record(parts in parts(), at in any::<prop::sample::Index>()) {
        let file = written(&parts);
        let cut = HEADER.len() + at.index(file.len() - HEADER.len());
        let places = places(&file);
        let records = places.iter().filter(|place| **place <= cut).count() - 1;
        let (datagrams, others) = read(&file[..cut]);
        prop_assert_eq!(datagrams, parts[..records.saturating_sub(1).min(parts.len())].concat());
        let faults = faults(&others);
        if places.contains(&cut) {
            prop_assert!(faults.is_empty());
        } else {
            let (offset, record) = (places[records] as u64, records as u64 + 1);
            let skipped = cut as u64 - offset;
            prop_assert_eq!(faults, [&Fault { record, offset, skipped, why: "the file ends in it" }]);
        }
    }

    #[test]
    fn a_damaged_block_is_named_and_the_others_are_kept(
        parts in parts(),
        at in any::<prop::sample::Index>(),
        bit in 0..8u32,
    ) {
        let mut file = written(&parts);
        let places = places(&file);
        // in a block: the records between the first and the last
        let blocks = places[1]..places[places.len() - 2];
        let at = blocks.start + at.index(blocks.len());
        file[at] ^= 1u8 << bit;
        let hit = places.iter().rposition(|place| *place <= at).unwrap();
        let (datagrams, others) = read(&file);
        let mut kept = parts.clone();
        kept.remove(hit - 1);
        prop_assert_eq!(datagrams, kept.concat());
        let faults = faults(&others);
        prop_assert_eq!(faults.len(), 1);
        prop_assert_eq!((faults[0].record, faults[0].offset), (hit as u64 + 1, places[hit] as u64));
        prop_assert_eq!(faults[0].skipped, (places[hit + 1] - places[hit]) as u64);
    }

    #[test]
    fn rubbish_between_records_is_passed_over(parts in parts(), rubbish in vec(any::<u8>(), 1..300)) {
        let mut file = written(&parts);
        let at = places(&file)[1];
        file.splice(at..at, rubbish.iter().copied());
        let (datagrams, others) = read(&file);
        prop_assert_eq!(datagrams, parts.concat());
        prop_assert_eq!(faults(&others)[0].skipped, rubbish.len() as u64);
    }

    #[test]
    fn any_bytes_are_read_to_their_end(bytes in vec(any::<u8>(), 0..2_000)) {
        read(&[&HEADER[..], &bytes].concat());
    }
}

#[test]
fn a_long_recording_has_many_blocks() {
    let datagram = vec![b'x'; 1_400];
    let parts = [(0..500).map(|at| (at, datagram.clone())).collect::<Datagrams>()];
    let file = written(&parts);
    // start, ten blocks of 64 KiB and what is left, end
    assert_eq!(places(&file).len() - 1, 1 + 11 + 1);
    assert_eq!(read(&file).0, parts[0]);
}

#[test]
fn what_is_no_recording_is_refused() {
    let refusal = |bytes: &[u8]| Reader::new(Cursor::new(bytes)).err().unwrap().to_string();
    assert_eq!(refusal(b""), "not a recording");
    assert_eq!(refusal(b"<!doctype html>"), "not a recording");
    assert!(refusal(b"FRIPPREC\x02\0\0\0").contains("version"));
}

#[test]
fn crafted_times_are_damage() {
    let file = |first_us: u64, last_us: u64, at: u64| {
        let mut file = Vec::new();
        let mut writer = Writer::new(&mut file, &start()).unwrap();
        writer.datagram(at, b"a:1|c").unwrap();
        writer.datagram(at + 5, b"a:1|c").unwrap();
        (writer.block.first_us, writer.block.last_us) = (first_us, last_us);
        writer.flush().unwrap();
        file
    };
    let whys = |file: &[u8]| {
        let mut reader = Reader::new(Cursor::new(file)).unwrap();
        let mut whys = Vec::new();
        while let Some(item) = reader.next_item().unwrap() {
            match item {
                Item::Block(block) => whys.extend(block.each(|_, _| {}).err()),
                Item::Fault(fault) => whys.push(fault.why),
                _ => {}
            }
        }
        whys
    };
    assert_eq!(whys(&file(0, 5, 0)), [""; 0]);
    assert_eq!(whys(&file(0, 4, 0)), ["a time is out of range"]);
    assert_eq!(whys(&file(1 << 60, 1 << 60, 1 << 60)), ["its times are out of range"]);
}

#[test]
fn ten_megabytes_of_markers_end_soon() {
    let began = std::time::Instant::now();
    // each begins a record of a megabyte
    let head = [&MARKER[..], &[KIND_BLOCK], &(MAX_BODY as u32).to_le_bytes(), &[0; 4]].concat();
    for head in [&MARKER[..], &head] {
        let mut file = written(&[]);
        file.extend(head.iter().cycle().take(10 << 20));
        let mut reader = Reader::new(std::io::BufReader::new(Cursor::new(&file))).unwrap();
        while reader.next_item().unwrap().is_some() {}
    }
    // a second each in a release, which is several times faster
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
}
