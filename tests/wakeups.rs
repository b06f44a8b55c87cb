//! Every interleaving of a model of the queue of dirty metrics: what its
//! module, `registry::dirty`, says of threads that record and of the flush.
//! Each access to memory that several threads use is one step. A state that
//! was seen before is not explored again, so all are.

use std::collections::HashSet;

/// Metrics 0 and 1 are of one group, 2 is of another.
const METRICS: usize = 3;
const GROUP_OF: [usize; METRICS] = [0, 0, 1];
const BIT_OF: [u8; METRICS] = [1, 2, 1];
/// The stub of the queue, after the two groups.
const STUB: usize = 2;

/// What differs from the protocol.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// The queue is taken for empty by its tail alone.
    EmptyByTail,
    /// The flush takes a group's bits before it takes it out of the queue.
    BitsFirst,
    /// It takes a value before the bits.
    ValueFirst,
    /// It looks at the queue before it says that no flush is scheduled.
    LooksFirst,
    /// A thread looks for a flush before it marks the metric.
    TicksFirst,
}

/// What a thread does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Record {
    /// Its next record, or nothing more.
    Value,
    TicksFirst,
    LookAtBit,
    SetBit,
    ClearLink,
    SwapTail,
    Link(usize),
    LookForFlush,
    Schedule,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Thread {
    at: Record,
    /// What it has still to record; the first is at hand.
    metrics: Vec<usize>,
    /// It set the bit of the metric at hand.
    marked: bool,
    /// No flush was scheduled, for `Fault::TicksFirst`.
    idle: bool,
}

/// What the flush does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Flush {
    /// It waits until one is scheduled.
    Idle,
    Begin,
    /// The link of the head, which may be the stub.
    Head,
    /// The link of the group at the head.
    Next,
    /// The tail, because the group has no next one.
    Tail,
    ClearStub,
    SwapStub,
    LinkStub(usize),
    /// The group's link again.
    Again,
    TakeValueFirst,
    TakeBits,
    Values,
    Unschedule,
    IsEmpty,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    // what all have
    values: [u8; METRICS],
    bits: [u8; 2],
    links: [Option<usize>; 3],
    tail: usize,
    scheduled: bool,
    threads: Vec<Thread>,
    // what the flush has
    flush: Flush,
    head: usize,
    last: Option<usize>,
    group: usize,
    taken: u8,
    sent: [u8; METRICS],
    // what no one has, but a check
    queued: [bool; 2],
}

impl State {
    fn new(records: &[&[usize]]) -> State {
        let thread = |metrics: &&[usize]| Thread {
            at: Record::Value,
            metrics: metrics.to_vec(),
            marked: false,
            idle: false,
        };
        State {
            values: [0; METRICS],
            bits: [0; 2],
            links: [None; 3],
            tail: STUB,
            scheduled: false,
            threads: records.iter().map(thread).collect(),
            flush: Flush::Idle,
            head: STUB,
            last: None,
            group: 0,
            taken: 0,
            sent: [0; METRICS],
            queued: [false; 2],
        }
    }

    /// A step of a thread; false where it has nothing to do. A counter is
    /// marked only if it was 0.
    fn record(&mut self, i: usize, counters: bool, fault: Fault) -> bool {
        let mut thread = self.threads[i].clone();
        let Some(&metric) = thread.metrics.first() else { return false };
        let (group, bit) = (GROUP_OF[metric], BIT_OF[metric]);
        let mut next = |ends: bool, at: Record| {
            thread.at = if ends { Record::Value } else { at };
            if ends {
                thread.metrics.remove(0);
            }
        };
        match self.threads[i].at {
            Record::Value => {
                let before = self.values[metric];
                self.values[metric] += 1;
                let first =
                    if fault == Fault::TicksFirst { Record::TicksFirst } else { Record::LookAtBit };
                next(counters && before != 0, first);
            }
            Record::TicksFirst => {
                next(false, Record::LookAtBit);
                thread.idle = !self.scheduled;
            }
            Record::LookAtBit => next(self.bits[group] & bit != 0, Record::SetBit),
            Record::SetBit => {
                let before = self.bits[group];
                self.bits[group] |= bit;
                let marked = before & bit == 0;
                let at = if before == 0 { Record::ClearLink } else { Record::LookForFlush };
                next(before != 0 && !marked, at);
                thread.marked = marked;
            }
            Record::ClearLink => {
                self.links[group] = None;
                next(false, Record::SwapTail);
            }
            Record::SwapTail => {
                assert!(!self.queued[group], "a group is in the queue twice");
                self.queued[group] = true;
                let before = std::mem::replace(&mut self.tail, group);
                next(false, Record::Link(before));
            }
            Record::Link(before) => {
                self.links[before] = Some(group);
                next(!thread.marked, Record::LookForFlush);
            }
            Record::LookForFlush => {
                let idle = if fault == Fault::TicksFirst { thread.idle } else { !self.scheduled };
                next(!idle, Record::Schedule);
            }
            Record::Schedule => {
                self.scheduled = true;
                next(true, Record::Value);
            }
        }
        self.threads[i] = thread;
        true
    }

    /// A step of the flush; false where none is scheduled.
    fn flush(&mut self, fault: Fault) -> bool {
        let in_queue = |state: &mut State| {
            // the group at the head is taken out
            let group = std::mem::replace(&mut state.head, STUB);
            state.group = group;
            state.queued[group] = false;
            if state.last == Some(group) {
                state.last = None;
            }
            group
        };
        let taken_out = match fault {
            Fault::BitsFirst => Flush::Values,
            Fault::ValueFirst => Flush::TakeValueFirst,
            _ => Flush::TakeBits,
        };
        // the flush ends, or ends early because a thread is about to link
        let end = if fault == Fault::LooksFirst { Flush::IsEmpty } else { Flush::Unschedule };
        match self.flush {
            Flush::Idle => {
                if !self.scheduled {
                    return false;
                }
                self.flush = Flush::Begin;
            }
            Flush::Begin => {
                self.last = Some(self.tail);
                self.flush = Flush::Head;
            }
            Flush::Head if self.last.is_none() => self.flush = end,
            Flush::Head if self.head == STUB => match self.links[STUB] {
                None => (self.last, self.flush) = (None, end),
                Some(next) => (self.head, self.flush) = (next, Flush::Next),
            },
            Flush::Head | Flush::Next | Flush::Again => {
                if fault == Fault::BitsFirst && self.flush != Flush::Again {
                    self.taken = std::mem::take(&mut self.bits[self.head]);
                }
                match (self.links[self.head], self.flush) {
                    (Some(next), _) => {
                        in_queue(self);
                        (self.head, self.flush) = (next, taken_out);
                    }
                    (None, Flush::Again) => (self.last, self.flush) = (None, end),
                    (None, _) => self.flush = Flush::Tail,
                }
            }
            Flush::Tail if self.tail != self.head => (self.last, self.flush) = (None, end),
            Flush::Tail => self.flush = Flush::ClearStub,
            Flush::ClearStub => {
                self.links[STUB] = None;
                self.flush = Flush::SwapStub;
            }
            Flush::SwapStub => {
                let before = std::mem::replace(&mut self.tail, STUB);
                self.flush = Flush::LinkStub(before);
            }
            Flush::LinkStub(before) => {
                self.links[before] = Some(STUB);
                self.flush = Flush::Again;
            }
            Flush::TakeValueFirst => {
                self.take(self.bits[self.group]);
                self.flush = Flush::TakeBits;
            }
            Flush::TakeBits => {
                let bits = std::mem::take(&mut self.bits[self.group]);
                (self.taken, self.flush) = match fault {
                    Fault::ValueFirst => (0, Flush::Head),
                    _ => (bits, Flush::Values),
                };
            }
            Flush::Values => {
                // one metric a step
                let bit = self.taken & self.taken.wrapping_neg();
                self.take(bit);
                self.taken &= !bit;
                if self.taken == 0 {
                    self.flush = Flush::Head;
                }
            }
            Flush::Unschedule => {
                self.scheduled = false;
                self.flush = if fault == Fault::LooksFirst { Flush::Idle } else { Flush::IsEmpty };
            }
            Flush::IsEmpty => {
                let at_stub = self.head == STUB || fault == Fault::EmptyByTail;
                let empty = at_stub && self.tail == STUB;
                self.flush = match fault {
                    _ if !empty => Flush::Begin,
                    Fault::LooksFirst => Flush::Unschedule,
                    _ => Flush::Idle,
                };
                self.scheduled |= !empty;
            }
        }
        true
    }

    fn take(&mut self, bits: u8) {
        for metric in 0..METRICS {
            if GROUP_OF[metric] == self.group && BIT_OF[metric] & bits != 0 {
                self.sent[metric] += std::mem::take(&mut self.values[metric]);
            }
        }
    }
}

/// Explores all that can happen. How many states there are, and what is wrong
/// with the first end that is wrong.
fn explore(records: &[&[usize]], counters: bool, fault: Fault) -> (usize, Option<State>) {
    let mut recorded = [0; METRICS];
    records.iter().copied().flatten().for_each(|metric| recorded[*metric] += 1);
    let mut seen = HashSet::new();
    let mut open = vec![State::new(records)];
    while let Some(state) = open.pop() {
        let mut ended = true;
        for who in 0..=state.threads.len() {
            let mut next = state.clone();
            let went = match who.checked_sub(1) {
                Some(thread) => next.record(thread, counters, fault),
                None => next.flush(fault),
            };
            ended &= !went;
            if went && seen.insert(next.clone()) {
                open.push(next);
            }
        }
        if ended && state.sent != recorded {
            return (seen.len(), Some(state));
        }
    }
    (seen.len(), None)
}

const RECORDS: [&[&[usize]]; 5] = [
    &[&[0, 0], &[0]],
    &[&[0, 1], &[1, 0]],
    &[&[0, 2], &[2, 0]],
    &[&[0, 2], &[1], &[2]],
    &[&[0], &[1, 0], &[0]],
];

#[test]
fn nothing_is_left_behind_in_any_order() {
    for records in RECORDS {
        for counters in [false, true] {
            let (states, wrong) = explore(records, counters, Fault::None);
            assert!(wrong.is_none(), "{wrong:#?}");
            assert!(states > 500, "{states} states of {records:?}");
        }
    }
}

/// The model finds what is wrong with other protocols.
#[test]
fn each_part_is_needed() {
    for fault in [Fault::EmptyByTail, Fault::ValueFirst, Fault::LooksFirst, Fault::TicksFirst] {
        let wrong = RECORDS.iter().any(|records| {
            [false, true].iter().any(|counters| explore(records, *counters, fault).1.is_some())
        });
        assert!(wrong, "{fault:?}");
    }
    let twice = || explore(&[&[0], &[1]], false, Fault::BitsFirst);
    assert!(std::panic::catch_unwind(twice).is_err(), "it is in the queue twice");
}
