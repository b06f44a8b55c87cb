//! Sockets of each kind receive, and say why they cannot.

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
    sockopt::set_socket_recv_buffer_size(receiver.sockets[0].as_fd(), 4096).unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..100 {
        sender.send_to(&[b'x'; 500], receiver.uri()).unwrap();
    }
    assert!((1..100).contains(&receiver.losses().count()), "{}", receiver.losses().count());
}
