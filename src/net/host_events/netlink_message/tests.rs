use super::*;
use proptest::prelude::*;

/// Messages and lists of a Linux 6 kernel, in hex, after the command that caused them (`ip link`, `ip addr`, `ip route`).
pub const RECORDED: &str = include_str!("../recorded_messages.txt");

/// A recorded line's name and bytes; `None` for a command.
pub fn datagram(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, hex) = line.split_once(' ').filter(|(name, _)| *name != "#")?;
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    Some((name, hex.as_bytes().chunks(2).map(byte).collect()))
}

fn all() -> Vec<Vec<u8>> {
    RECORDED.lines().filter_map(datagram).map(|(_, bytes)| bytes).collect()
}

#[test]
fn lists_of_the_start_are_read() {
    let start = RECORDED.lines().skip(1).take_while(|line| !line.starts_with('#'));
    let messages: Vec<_> = start.filter_map(datagram).flat_map(|(_, bytes)| parse(&bytes)).collect();
    let link = |index, name: &str| {
        NetlinkMessage::Link(LinkState { index, name: UntrustedText::new(name), is_up: true })
    };
    let route = ListedRoute {
        family: AddressFamily::V4,
        table: 254,
        destination: None,
        metric: 0,
        gateway: Some("192.0.2.1".parse().unwrap()),
        interface: Some(3),
    };
    let address = LinkAddress { index: 3, address: "192.0.2.2".parse().unwrap(), prefix_length: 24 };
    for expected in [
        link(1, "lo"),
        link(2, "v1"),
        link(3, "v0"),
        NetlinkMessage::Address { address, is_usable: true },
        NetlinkMessage::ListedRoute(route),
    ] {
        assert!(messages.contains(&expected), "{expected:?} in {messages:#?}");
    }
    let is_end = |message: &&NetlinkMessage| **message == NetlinkMessage::ListEnd { is_complete: true };
    assert_eq!(messages.iter().filter(is_end).count(), 3);
}

#[test]
fn address_is_usable_after_duplicate_detection() {
    let address = LinkAddress { index: 3, address: "2001:db8::2".parse().unwrap(), prefix_length: 64 };
    let is_it = |message: &NetlinkMessage| match message {
        NetlinkMessage::Address { address: of, is_usable } if *of == address => Some(*is_usable),
        _ => None,
    };
    let usable: Vec<bool> = all().iter().flat_map(|bytes| parse(bytes)).filter_map(|m| is_it(&m)).collect();
    assert_eq!(usable, [false, true]);
}

#[test]
fn bridge_ports_are_no_links() {
    let is_link = |bytes: &Vec<u8>| {
        matches!(parse(bytes)[..], [NetlinkMessage::Link(_) | NetlinkMessage::LinkRemoved { .. }])
    };
    let mut links = Vec::from_iter(all().into_iter().filter(is_link));
    assert!(links.len() > 3);
    for link in &mut links {
        link[MESSAGE_HEADER] = FAMILY_BRIDGE;
        assert_eq!(parse(link), []);
    }
}

#[test]
fn refused_list_is_incomplete() {
    let mut refused = [36u32.to_ne_bytes(), u32::from(LIST_REFUSED).to_le_bytes(), [0; 4], [0; 4]].concat();
    refused[4..6].copy_from_slice(&LIST_REFUSED.to_ne_bytes());
    refused.extend((-libc::EBUSY).to_ne_bytes());
    refused.extend([0; 16]);
    assert_eq!(parse(&refused), [NetlinkMessage::ListEnd { is_complete: false }]);
}

#[test]
fn truncated_datagrams_are_read_as_far_as_they_go() {
    for bytes in all() {
        let whole = parse(&bytes);
        for length in (0..bytes.len()).step_by(1 + bytes.len() / 512) {
            let part = parse(&bytes[..length]);
            assert!(whole.starts_with(&part), "{length} of {}", bytes.len());
        }
    }
}

proptest! {
    #[test]
    fn damaged_datagrams_are_survived(index in any::<prop::sample::Index>(), edits in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 1..20)) {
        let mut bytes = index.get(&all()).clone();
        for (at, byte) in edits {
            let at = at.index(bytes.len().min(200));
            bytes[at] = byte;
        }
        let _ = parse(&bytes);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }
}
