//! Hands datagrams on, as they came, to the server that they were meant for.

use std::io;
use std::net::UdpSocket;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixDatagram};

use fripp::send::endpoint::Endpoint;

use crate::address::{Address, Place};

enum Socket {
    Udp(UdpSocket),
    Unix(UnixDatagram),
}

pub struct Forward {
    socket: Socket,
    to: String,
    /// Datagrams that could not be sent.
    pub lost: u64,
}

impl Forward {
    /// Connects to a server, which need not be there yet over UDP.
    pub fn open(text: &str) -> Result<Forward, String> {
        let address = Address::parse(text).map_err(|wrong| format!("--forward: {wrong}"))?;
        let endpoint = match address.place {
            Place::Socket(Endpoint::Udp { port: 0, .. }) | Place::File(_) | Place::Stdin => {
                return Err(format!("--forward: '{text}' is not the address of a server"));
            }
            Place::Socket(_) if address.query.is_some() => {
                return Err(format!("--forward: '{text}' is not the address of a server"));
            }
            Place::Socket(endpoint) => endpoint,
        };
        let to = endpoint.to_string();
        let socket = connect(&endpoint, &to);
        let socket = socket.map_err(|wrong| format!("--forward {to}: {wrong}"))?;
        Ok(Forward { socket, to, lost: 0 })
    }

    /// Sends a datagram without waiting; where the server does not take it,
    /// it is lost, as it would be without us.
    pub fn send(&mut self, datagram: &[u8]) {
        let send = || match &self.socket {
            Socket::Udp(socket) => socket.send(datagram),
            Socket::Unix(socket) => socket.send(datagram),
        };
        // an error of UDP is the answer to an earlier datagram
        let sent = match send() {
            Err(wrong) if wrong.kind() == io::ErrorKind::ConnectionRefused => {
                self.lost += 1;
                send()
            }
            sent => sent,
        };
        self.lost += u64::from(sent.is_err());
    }

    pub fn report(&self) {
        if self.lost > 0 {
            say!("{} datagrams could not be forwarded to {}", self.lost, self.to);
        }
    }
}

fn connect(endpoint: &Endpoint, to: &str) -> io::Result<Socket> {
    let unix = |address: &UnixAddr| -> io::Result<Socket> {
        let socket = UnixDatagram::unbound()?;
        socket.connect_addr(address)?;
        socket.set_nonblocking(true)?;
        Ok(Socket::Unix(socket))
    };
    match endpoint {
        Endpoint::Tcp { .. } | Endpoint::StreamPath(_) | Endpoint::StreamAbstract(_) => {
            Err(io::Error::other("datagrams go to UDP or to a UNIX datagram socket"))
        }
        Endpoint::Path(path) => unix(&UnixAddr::from_pathname(path)?),
        Endpoint::Abstract(name) => unix(&UnixAddr::from_abstract_name(name)?),
        Endpoint::Udp { .. } => {
            let mut last = io::Error::other("no address");
            for address in std::net::ToSocketAddrs::to_socket_addrs(to)? {
                let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let connected = UdpSocket::bind(any).and_then(|socket| {
                    socket.connect(address)?;
                    socket.set_nonblocking(true)?;
                    Ok(socket)
                });
                match connected {
                    Ok(socket) => return Ok(Socket::Udp(socket)),
                    Err(wrong) => last = wrong,
                }
            }
            Err(last)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_go_on_as_they_came() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let to = server.local_addr().unwrap().to_string();
        let mut forward = Forward::open(&to).unwrap();
        let mut buffer = [0; 64];
        for datagram in [&b"a:1|c\nb:2|c\n"[..], b"", b"\xff\0"] {
            forward.send(datagram);
            let len = server.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..len], datagram);
        }
        assert_eq!(forward.lost, 0);
        drop(server);
        for _ in 0..3 {
            forward.send(b"a:1|c");
        }
        assert!(forward.lost > 0);
    }

    #[test]
    fn what_is_wrong() {
        let wrong = |text| Forward::open(text).err().unwrap();
        assert!(wrong("127.0.0.1:0").contains("'127.0.0.1:0' is not the address of a server"));
        assert!(wrong("tcp://127.0.0.1:8125").contains("datagrams go to UDP"));
        assert!(wrong("nowhere").contains("--forward: 'nowhere' is no address"));
        assert!(wrong("unix:@fripp-nobody-is-here").starts_with("--forward unix:@"));
    }
}
