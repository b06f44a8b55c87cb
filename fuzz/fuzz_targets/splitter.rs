//! Any text, cut into datagrams of any length: all lines that can be sent, in
//! order; none too long, each as full as it can be; no newline at an end, no
//! empty line, no NUL; the lines that cannot be sent counted.

#![no_main]

use std::cell::RefCell;

use fripp::encode::packet::{Packer, Rejected, each_line};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static PACKERS: RefCell<Vec<Packer>> =
        RefCell::new((1..=64).map(Packer::new).collect());
}

/// The lines that can be sent, and how many cannot.
fn lines(text: &[u8], limit: usize) -> (impl Iterator<Item = &[u8]>, Rejected) {
    let all = || text.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    let invalid = all().filter(|line| line.contains(&0)).count() as u64;
    let oversize = all().filter(|line| !line.contains(&0) && line.len() > limit).count() as u64;
    let sent = all().filter(move |line| line.len() <= limit && !line.contains(&0));
    (sent, Rejected { oversize, invalid, no_memory: 0 })
}

fuzz_target!(|data: &[u8]| {
    let Some((limit, text)) = data.split_first() else { return };
    let limit = usize::from(limit % 64) + 1;
    let (mut wanted, rejected) = lines(text, limit);
    let mut next = wanted.next();
    PACKERS.with_borrow_mut(|packers| {
        let packer = &mut packers[limit - 1];
        let mut room_before = 0;
        let told = packer.split(text, |datagram, count| {
            assert!(!datagram.is_empty() && datagram.len() <= limit);
            let mut counted = 0;
            for line in datagram.split(|b| *b == b'\n') {
                assert_eq!(Some(line), next);
                // the datagram before had no room for the first of these
                assert!(counted > 0 || line.len() + 1 > room_before);
                counted += 1;
                next = wanted.next();
            }
            assert_eq!(counted, count);
            room_before = limit - datagram.len();
        });
        assert_eq!(told, rejected);
        assert_eq!(next, None);
        // nothing of it is left for the next text
        assert!(packer.datagram().is_none() && packer.has_room(limit));
    });
    let (mut wanted, rejected) = lines(text, limit);
    let told = each_line(text, limit, |line| assert_eq!(Some(line), wanted.next()));
    assert_eq!((told, wanted.next()), (rejected, None));
});
