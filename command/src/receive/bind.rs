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

/// Sockets for datagrams, and where they receive.
pub fn datagrams(endpoint: Endpoint) -> Result<(Vec<Socket>, Endpoint), String> {
    match &endpoint {
        Endpoint::Udp { host, port } => {
            let (sockets, bound) = hosts(
                host,
                *port,
                &|at| match at.ip().is_multicast() {
                    true => multicast::join(at),
                    false => UdpSocket::bind(at),
                },
                &|socket: &UdpSocket| socket.local_addr(),
            )?;
            Ok((sockets.into_iter().map(Socket::Udp).collect(), bound))
        }
        Endpoint::Path(path) => {
            let bind = || UnixDatagram::bind(path);
            let socket = replacing(path, &bind).map_err(|wrong| refused(&endpoint, &wrong))?;
            Ok((vec![Socket::Unix(socket)], endpoint))
        }
        Endpoint::Abstract(name) => {
            let socket = UnixAddr::from_abstract_name(name)
                .and_then(|address| UnixDatagram::bind_addr(&address));
            let socket = socket.map_err(|wrong| refused(&endpoint, &wrong))?;
            Ok((vec![Socket::Unix(socket)], endpoint))
        }
    }
}

/// Sockets for streams, and where they receive.
pub fn streams(endpoint: Endpoint) -> Result<(Vec<Listener>, Endpoint), String> {
    match &endpoint {
        Endpoint::Udp { host, port } => {
            let (listeners, bound) =
                hosts(host, *port, &TcpListener::bind, &|listener: &TcpListener| {
                    listener.local_addr()
                })?;
            Ok((listeners.into_iter().map(Listener::Tcp).collect(), bound))
        }
        Endpoint::Path(path) => {
            let bind = || UnixListener::bind(path);
            let listener = replacing(path, &bind).map_err(|wrong| refused(&endpoint, &wrong))?;
            Ok((vec![Listener::Unix(listener)], endpoint))
        }
        Endpoint::Abstract(name) => {
            let listener = UnixAddr::from_abstract_name(name)
                .and_then(|address| UnixListener::bind_addr(&address));
            let listener = listener.map_err(|wrong| refused(&endpoint, &wrong))?;
            Ok((vec![Listener::Unix(listener)], endpoint))
        }
    }
}

/// Binds a host: for `localhost` both of its addresses, since senders take
/// either. Port 0 is the system's to choose.
fn hosts<S>(
    host: &Host,
    port: u16,
    bind: &dyn Fn(SocketAddr) -> io::Result<S>,
    local: &dyn Fn(&S) -> io::Result<SocketAddr>,
) -> Result<(Vec<S>, Endpoint), String> {
    let shown = Endpoint::Udp { host: host.clone(), port };
    let refused = |wrong| refused(&shown, &wrong);
    let is_localhost = matches!(host, Host::Name(name) if name.eq_ignore_ascii_case("localhost"));
    let socket = match host {
        Host::Ip(ip) => bind((*ip, port).into()),
        Host::Name(_) if is_localhost => bind((Ipv4Addr::LOCALHOST, port).into()),
        Host::Name(name) => first(name, port, bind),
    };
    let socket = socket.map_err(refused)?;
    let address = local(&socket).map_err(refused)?;
    let endpoint = Endpoint::Udp { host: Host::Ip(address.ip()), port: address.port() };
    let mut sockets = vec![socket];
    if is_localhost {
        match bind((Ipv6Addr::LOCALHOST, address.port()).into()) {
            Ok(socket) => sockets.push(socket),
            Err(wrong) if wrong.kind() == ErrorKind::AddrInUse => return Err(refused(wrong)),
            // this machine has no IPv6
            Err(_) => {}
        }
    }
    Ok((sockets, endpoint))
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
