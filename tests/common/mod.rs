//! A server for the tests: it takes datagrams on loopback and reads their
//! lines as the servers of a dialect do.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use fripp::context::Context;
use fripp::encode::dialect::Dialect;
use fripp::uri::Uri;

pub use known::Known;

mod known;

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
        Uri::parse(uri.as_bytes()).unwrap().context(None).unwrap()
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
            known.read(dialect, &datagram);
        }
    }
}
