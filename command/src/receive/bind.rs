//! Binds what an address names, and says why it cannot.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixDatagram, UnixListener};
use std::path::Path;

use fripp::send::endpoint::{Endpoint, Host};

use super::datagrams::Socket;
use super::multicast;
use super::streams::Listener;

pub enum Sockets {
    Datagrams(Vec<Socket>),
    Streams(Vec<Listener>),
}

/// The sockets of an endpoint, and where they receive.
pub fn bind(endpoint: Endpoint) -> Result<(Sockets, Endpoint), String> {
    let datagrams = |socket: UnixDatagram| Sockets::Datagrams(vec![Socket::Unix(socket)]);
    let streams = |listener: UnixListener| Sockets::Streams(vec![Listener::Unix(listener)]);
    let sockets = match &endpoint {
        Endpoint::Udp { host, port } => {
            let bind = |at: SocketAddr| match at.ip().is_multicast() {
                true => multicast::join(at),
                false => UdpSocket::bind(at),
            };
            let sockets = hosts(host, *port, &bind, &UdpSocket::local_addr);
            let (sockets, at) = sockets.map_err(|wrong| refused(&endpoint, &wrong))?;
            let sockets = sockets.into_iter().map(Socket::Udp).collect();
            let bound = Endpoint::Udp { host: Host::Ip(at.ip()), port: at.port() };
            return Ok((Sockets::Datagrams(sockets), bound));
        }
        Endpoint::Tcp { host, port } => {
            let listeners = hosts(host, *port, &TcpListener::bind, &TcpListener::local_addr);
            let (listeners, at) = listeners.map_err(|wrong| refused(&endpoint, &wrong))?;
            let listeners = listeners.into_iter().map(Listener::Tcp).collect();
            let bound = Endpoint::Tcp { host: Host::Ip(at.ip()), port: at.port() };
            return Ok((Sockets::Streams(listeners), bound));
        }
        Endpoint::Path(path) => replacing(path, &|| UnixDatagram::bind(path)).map(datagrams),
        Endpoint::StreamPath(path) => replacing(path, &|| UnixListener::bind(path)).map(streams),
        Endpoint::Abstract(name) => UnixAddr::from_abstract_name(name)
            .and_then(|address| UnixDatagram::bind_addr(&address))
            .map(datagrams),
        Endpoint::StreamAbstract(name) => UnixAddr::from_abstract_name(name)
            .and_then(|address| UnixListener::bind_addr(&address))
            .map(streams),
    };
    let sockets = sockets.map_err(|wrong| refused(&endpoint, &wrong))?;
    Ok((sockets, endpoint))
}

/// Binds a host: for `localhost` both of its addresses, since senders take
/// either. Port 0 is the system's to choose.
fn hosts<S>(
    host: &Host,
    port: u16,
    bind: &dyn Fn(SocketAddr) -> io::Result<S>,
    local: &dyn Fn(&S) -> io::Result<SocketAddr>,
) -> io::Result<(Vec<S>, SocketAddr)> {
    let is_localhost = matches!(host, Host::Name(name) if name.eq_ignore_ascii_case("localhost"));
    let socket = match host {
        Host::Ip(ip) => bind((*ip, port).into()),
        Host::Name(_) if is_localhost => bind((Ipv4Addr::LOCALHOST, port).into()),
        Host::Name(name) => first(name, port, bind),
    }?;
    let address = local(&socket)?;
    let mut sockets = vec![socket];
    if is_localhost {
        match bind((Ipv6Addr::LOCALHOST, address.port()).into()) {
            Ok(socket) => sockets.push(socket),
            Err(wrong) if wrong.kind() == ErrorKind::AddrInUse => return Err(wrong),
            // this machine has no IPv6
            Err(_) => {}
        }
    }
    Ok((sockets, address))
}

/// Binds the first of a name's addresses that can be.
fn first<S>(name: &str, port: u16, bind: &dyn Fn(SocketAddr) -> io::Result<S>) -> io::Result<S> {
    let mut last = io::Error::other("no address");
    for address in (name, port).to_socket_addrs()? {
        match bind(address) {
            Ok(socket) => return Ok(socket),
            Err(wrong) => last = wrong,
        }
    }
    Err(last)
}

/// Replaces a socket that no process has open any more.
fn replacing<S>(path: &Path, bind: &dyn Fn() -> io::Result<S>) -> io::Result<S> {
    match bind() {
        Err(wrong) if wrong.kind() == ErrorKind::AddrInUse && is_abandoned(path) => {
            std::fs::remove_file(path)?;
            bind()
        }
        bound => bound,
    }
}

fn is_abandoned(path: &Path) -> bool {
    let refused = |wrong: io::Error| wrong.kind() == ErrorKind::ConnectionRefused;
    let socket = UnixDatagram::unbound();
    socket.and_then(|socket| socket.connect(path)).is_err_and(refused)
        && std::fs::symlink_metadata(path)
            .is_ok_and(|file| std::os::unix::fs::FileTypeExt::is_socket(&file.file_type()))
}

fn refused(address: &dyn std::fmt::Display, wrong: &io::Error) -> String {
    let why = match wrong.kind() {
        ErrorKind::AddrInUse => {
            "in use: another program receives there (move it, and see --forward)".to_owned()
        }
        ErrorKind::PermissionDenied => "no permission to receive there".to_owned(),
        ErrorKind::AddrNotAvailable => "no address of this machine".to_owned(),
        ErrorKind::NotFound => "no such folder".to_owned(),
        _ => wrong.to_string(),
    };
    format!("{address}: {why}")
}
