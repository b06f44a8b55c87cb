//! Sockets of each kind receive, and say why they cannot.

use std::io::{ErrorKind, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{netdevice, sockopt};

use super::datagrams::drops_of;
use super::*;

fn receiver(address: &str) -> Result<Receiver, String> {
    Receiver::bind(Address::parse(address).unwrap())
}

fn one(receiver: &mut Receiver) -> Vec<u8> {
    let mut all = Vec::new();
    receiver.receive(1, &mut |datagram, _| all.extend_from_slice(datagram)).unwrap();
    all
}

#[test]
fn udp_on_a_port_of_the_systems() {
    for (address, from) in [("127.0.0.1:0?period=0", "127.0.0.1:0"), ("[::1]:0", "[::1]:0")] {
        let mut receiver = receiver(address).unwrap();
        assert_eq!(one(&mut receiver), b"");
        let uri = receiver.uri();
        let (place, query) = uri.split_once('?').unwrap_or((&uri, ""));
        assert_eq!(query, address.split_once('?').map_or("", |(_, query)| query));
        UdpSocket::bind(from).unwrap().send_to(b"a:1|c", place).unwrap();
        assert_eq!(one(&mut receiver), b"a:1|c");
        assert_eq!(receiver.losses().count(), 0);
    }
}

#[test]
fn localhost_has_two_addresses() {
    let mut receiver = receiver("localhost:0").unwrap();
    let uri = receiver.uri();
    let port = uri.strip_prefix("127.0.0.1:").expect(&uri).to_owned();
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"a:1|c", &uri).unwrap();
    assert_eq!(one(&mut receiver), b"a:1|c");
    if let Ok(sender) = UdpSocket::bind("[::1]:0") {
        sender.send_to(b"b:1|c", format!("[::1]:{port}")).unwrap();
        assert_eq!(one(&mut receiver), b"b:1|c");
    }
}

#[test]
fn what_is_in_use_is_said() {
    let first = receiver("127.0.0.1:0").unwrap();
    let second = receiver(&first.uri()).unwrap_err();
    assert_eq!(
        second,
        format!(
            "{}: in use: another program receives there (move it, and see --forward)",
            first.uri()
        )
    );
    let elsewhere = receiver("192.0.2.1:8125").unwrap_err();
    assert_eq!(elsewhere, "192.0.2.1:8125: no address of this machine");
}

#[test]
fn unix_sockets() {
    let path = std::env::temp_dir().join(format!("fripp-receive-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let address = format!("unix:{}", path.display());
    // one that no process has open any more
    drop(UnixDatagram::bind(&path).unwrap());
    let mut first = receiver(&address).unwrap();
    assert_eq!(first.uri(), address);
    UnixDatagram::unbound().unwrap().send_to(b"a:1|c", &path).unwrap();
    assert_eq!(one(&mut first), b"a:1|c");
    assert!(receiver(&address).unwrap_err().contains("in use"));
    drop(first);
    assert!(!path.exists());
    std::fs::write(&path, "a file").unwrap();
    assert!(receiver(&address).unwrap_err().contains("in use"));
    std::fs::remove_file(&path).unwrap();

    let name = format!("fripp-receive-{}", std::process::id());
    let mut abstracted = receiver(&format!("unix:@{name}")).unwrap();
    let to = UnixAddr::from_abstract_name(&name).unwrap();
    UnixDatagram::unbound().unwrap().send_to_addr(b"b:1|c", &to).unwrap();
    assert_eq!(one(&mut abstracted), b"b:1|c");
}

#[test]
fn what_the_kernel_dropped() {
    let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
15604: 0100007F:8CA7 00000000:0000 07 00000000:00001E00 00:00000000 00000000     0        0 21669 2 0000000081bae952 994";
    assert_eq!(drops_of(table, "21669"), Some(994));
    assert_eq!(drops_of(table, "994"), None);

    let receiver = receiver("127.0.0.1:0").unwrap();
    let Inlet::Datagrams(datagrams) = &receiver.inlet else { panic!("no datagrams") };
    sockopt::set_socket_recv_buffer_size(datagrams.sockets[0].as_fd(), 4096).unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..100 {
        sender.send_to(&[b'x'; 500], receiver.uri()).unwrap();
    }
    assert!((1..100).contains(&receiver.losses().count()), "{}", receiver.losses().count());
}

/// What comes until `n` lines are there.
fn lines(receiver: &mut Receiver, n: usize) -> Vec<String> {
    let mut all = Vec::new();
    while all.len() < n {
        let fds = receiver.fds();
        let mut fds: Vec<_> =
            fds.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        poll(&mut fds, Some(&Timespec { tv_sec: 10, tv_nsec: 0 })).unwrap();
        assert!(fds.iter().any(|fd| !fd.revents().is_empty()), "{all:?}");
        let mut take = |some: &[u8], _: &Sender| {
            all.extend(
                some.split(|b| *b == b'\n').map(|l| String::from_utf8_lossy(l).into_owned()),
            );
        };
        receiver.receive(16, &mut take).unwrap();
    }
    all.sort();
    all
}

#[test]
fn tcp_has_many_connections() {
    let mut receiver = receiver("tcp://localhost:0").unwrap();
    let uri = receiver.uri();
    let to = uri.strip_prefix("tcp://").expect(&uri).to_owned();
    let mut senders: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(&to).unwrap()).collect();
    for (n, sender) in senders.iter_mut().enumerate() {
        write!(sender, "a{n:03}:1|c\nb{n:03}").unwrap();
    }
    let wanted = |letter: char| (0..200).map(|n| format!("{letter}{n:03}:1|c")).collect::<Vec<_>>();
    assert_eq!(lines(&mut receiver, 200), wanted('a'));
    // the rest of a line, which has no newline at the end
    for sender in &mut senders {
        sender.write_all(b":1|c").unwrap();
    }
    drop(senders);
    assert_eq!(lines(&mut receiver, 200), wanted('b'));
    let port = to.rsplit_once(':').unwrap().1;
    if let Ok(mut sender) = TcpStream::connect(format!("[::1]:{port}")) {
        sender.write_all(b"c:1|c\n").unwrap();
        assert_eq!(lines(&mut receiver, 1), ["c:1|c"]);
    }
    let second = Receiver::bind(Address::parse(&uri).unwrap()).unwrap_err();
    assert!(second.contains("in use"), "{second}");
    assert!(TcpListener::bind(&to).is_err());
}

#[test]
fn unix_streams_have_lines_or_frames() {
    let path = std::env::temp_dir().join(format!("fripp-stream-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    // one that no process has open any more
    drop(UnixListener::bind(&path).unwrap());
    let mut receiver = receiver(&format!("unixstream:{}", path.display())).unwrap();
    let (mut framed, mut plain) =
        (UnixStream::connect(&path).unwrap(), UnixStream::connect(&path).unwrap());
    let frames = [&[11, 0, 0, 0][..], b"a:1|c\nb:1|c", &[5, 0, 0, 0], b"c:1|c"].concat();
    let mut all = Vec::new();
    for piece in frames.chunks(3) {
        framed.write_all(piece).unwrap();
        receiver.receive(1, &mut |some, _| all.push(some.to_vec())).unwrap();
    }
    plain.write_all(b"d:1|c\ne:1|c\n").unwrap();
    while all.len() < 3 {
        receiver.receive(1, &mut |some, _| all.push(some.to_vec())).unwrap();
    }
    assert_eq!(all, [&b"a:1|c\nb:1|c"[..], b"c:1|c", b"d:1|c\ne:1|c"]);
    drop(receiver);
    assert!(!path.exists());
}

#[test]
fn a_multicast_group_is_joined() {
    for group in ["239.255.81.25:0", "[ff15::8125]:0", "[ff11::8125%25lo]:0"] {
        let v6 = group.starts_with('[');
        if v6 && UdpSocket::bind("[::1]:0").is_err() {
            continue;
        }
        let mut first = receiver(group).unwrap();
        // a server that is there already stays there
        let (uri, place) = (first.uri(), group.trim_end_matches('0'));
        let port = uri.rsplit_once(':').unwrap().1;
        let mut second = receiver(&format!("{place}{port}")).unwrap();
        let sender = UdpSocket::bind(if v6 { "[::]:0" } else { "0.0.0.0:0" }).unwrap();
        let options = socket2::SockRef::from(&sender);
        let to: SocketAddr = first.uri().parse().unwrap();
        if v6 {
            let loopback = netdevice::name_to_index(&sender, "lo").unwrap();
            options.set_multicast_if_v6(loopback).unwrap();
        } else {
            options.set_multicast_if_v4(&std::net::Ipv4Addr::LOCALHOST).unwrap();
        }
        match sender.send_to(b"a:1|c", to) {
            // the loopback interface has no route for groups of IPv6
            Err(wrong) if v6 && wrong.kind() == ErrorKind::NetworkUnreachable => continue,
            sent => sent.unwrap(),
        };
        assert_eq!(lines(&mut first, 1), ["a:1|c"], "{group}");
        assert_eq!(lines(&mut second, 1), ["a:1|c"], "{group}");
    }
    let wrong = receiver("[ff12::8125]:0").unwrap_err();
    assert!(wrong.ends_with("say its interface, as in [ff02::1%25eth0]:8125"), "{wrong}");
}

#[test]
fn a_file_has_an_end() {
    let path = std::env::temp_dir().join(format!("fripp-file-{}", std::process::id()));
    std::fs::write(&path, "a:1|c\nb:1|c\r\n\nc:1|c").unwrap();
    let mut file = receiver(path.to_str().unwrap()).unwrap();
    let mut all = Vec::new();
    while !file.has_ended() {
        file.receive(1, &mut |some, _| all.push(String::from_utf8(some.to_vec()).unwrap()))
            .unwrap();
    }
    assert_eq!(all, ["a:1|c\nb:1|c\r\n", "c:1|c"]);
    std::fs::write(&path, crate::recording::HEADER).unwrap();
    let mut file = receiver(path.to_str().unwrap()).unwrap();
    let wrong = file.receive(1, &mut |_, _| {}).unwrap_err();
    assert!(wrong.ends_with("a recording: see fripp report"), "{wrong}");
    std::fs::remove_file(&path).unwrap();
    assert!(receiver(path.to_str().unwrap()).unwrap_err().ends_with(": no such file"));
    assert!(receiver("/").unwrap().receive(1, &mut |_, _| {}).unwrap_err().ends_with(": a folder"));
}
