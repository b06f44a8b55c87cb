//! A server for the tests: it takes datagrams on loopback and reads their
//! lines as the servers of a dialect do.

use std::collections::{BTreeMap, BTreeSet};
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use fripp::context::Context;
use fripp::dialect::Dialect;
use fripp::uri::Uri;

/// What a server knows, by name (with its tags, as they stand in the line).
#[derive(Debug, Default, PartialEq)]
pub struct Known {
    pub counters: BTreeMap<String, i128>,
    pub gauges: BTreeMap<String, f64>,
    /// The newest gauge in the digits that arrived.
    pub digits: BTreeMap<String, String>,
    /// Value and how many it stands for.
    pub samples: BTreeMap<String, Vec<(f64, f64)>>,
    pub sets: BTreeMap<String, BTreeSet<String>>,
    totals: BTreeMap<String, i128>,
    pub lines: u64,
    pub datagrams: u64,
}

pub struct Server {
    socket: UdpSocket,
    pub limit: usize,
}

impl Server {
    pub fn new() -> Server {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let room = socket2::SockRef::from(&socket);
        // as much as the system lets a user have
        room.set_recv_buffer_size(8 << 20).unwrap();
        Server { socket, limit: 1440 }
    }

    pub fn port(&self) -> u16 {
        self.socket.local_addr().unwrap().port()
    }

    /// A context that sends here, with these settings of a URI.
    pub fn context(&self, query: &str) -> Arc<Context> {
        let mark = if query.is_empty() { "" } else { "?" };
        let uri = format!("127.0.0.1:{}{mark}{query}", self.port());
        Uri::parse(uri.as_bytes()).unwrap().context(None, "").unwrap()
    }

    /// The datagrams that are there.
    pub fn datagrams(&self) -> Vec<String> {
        self.socket.set_nonblocking(true).unwrap();
        let mut buf = vec![0; 1 << 16];
        let mut datagrams = Vec::new();
        while let Ok(n) = self.socket.recv(&mut buf) {
            assert!(n <= self.limit, "a datagram of {n} bytes");
            datagrams.push(String::from_utf8(buf[..n].to_vec()).unwrap());
        }
        datagrams
    }

    /// Reads the datagrams that are there.
    pub fn read(&self, dialect: Dialect, known: &mut Known) {
        for datagram in self.datagrams() {
            known.datagrams += 1;
            known.read(dialect, &datagram);
        }
    }
}

impl Known {
    fn read(&mut self, dialect: Dialect, datagram: &str) {
        assert!(!datagram.is_empty() && !datagram.ends_with('\n'));
        assert!(!datagram.contains("\n\n"), "{datagram:?}");
        for line in datagram.split('\n') {
            self.lines += 1;
            self.line(dialect, line);
        }
    }

    fn line(&mut self, dialect: Dialect, line: &str) {
        let (name, rest) = line.split_once(':').expect("a colon");
        let mut parts = rest.split('|');
        let values = parts.next().unwrap();
        let letters = parts.next().expect("letters");
        let mut weight = 1.0;
        let mut name = name.to_owned();
        for part in parts {
            match part.split_at(1) {
                ("@", rate) => weight = 1.0 / rate.parse::<f64>().unwrap(),
                ("#", tags) => name = format!("{name}#{tags}"),
                _ => panic!("{line}"),
            }
        }
        if letters == "s" {
            assert_ne!(dialect, Dialect::Brubeck);
            self.sets.entry(name).or_default().insert(values.to_owned());
            return;
        }
        for value in values.split(':') {
            assert!(dialect == Dialect::Dogstatsd || value == values, "packed: {line}");
            assert!(value.bytes().all(|b| b"-.0123456789".contains(&b)), "{line}");
            let number = || value.parse::<f64>().unwrap();
            match letters {
                "c" => *self.counters.entry(name.clone()).or_default() += whole(value),
                "C" => {
                    assert_eq!(dialect, Dialect::Brubeck);
                    let total = whole(value);
                    let before = self.totals.insert(name.clone(), total).unwrap_or(0);
                    let grown = if total < before { total } else { total - before };
                    *self.counters.entry(name.clone()).or_default() += grown;
                }
                "g" => {
                    let gauge = self.gauges.entry(name.clone()).or_default();
                    let relative = value.starts_with('-') && dialect != Dialect::Dogstatsd;
                    *gauge = if relative { *gauge + number() } else { number() };
                    self.digits.insert(name.clone(), value.to_owned());
                }
                "ms" | "h" => {
                    self.samples.entry(name.clone()).or_default().push((number(), weight));
                }
                _ => panic!("{line}"),
            }
        }
    }
}

fn whole(value: &str) -> i128 {
    value.parse().unwrap()
}
