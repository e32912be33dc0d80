use super::*;
use crate::net::host_events::netlink_message::parse;
use crate::net::host_events::netlink_message::tests::{RECORDED, datagram};

/// Replays what a kernel sent; returns each command, and what it changed.
fn replayed() -> Vec<(&'static str, Vec<String>)> {
    let mut state = NetworkState::unknown();
    let mut commands: Vec<(&str, Vec<String>)> = Vec::new();
    for line in RECORDED.lines() {
        let Some((name, bytes)) = datagram(line) else {
            commands.push((line.trim_start_matches("# "), Vec::new()));
            continue;
        };
        // A list that was not asked for would not have come.
        if name != "message" && state.next_list().is_none() && state.is_complete() {
            continue;
        }
        let events = parse(&bytes).into_iter().flat_map(|message| state.apply(message));
        let events = events.map(|event| event.to_string());
        commands.last_mut().unwrap().1.extend(events);
    }
    assert!(state.is_complete());
    commands
}

#[test]
fn recorded_session_gives_its_changes_only() {
    let link_local = |events: Vec<String>| {
        events.into_iter().filter(|event| !event.contains("address fe80:")).collect::<Vec<_>>()
    };
    let commands = replayed().into_iter().map(|(command, events)| (command, link_local(events)));
    let commands = Vec::from_iter(commands);
    let expected: &[(&str, &[&str])] = &[
        ("at the start", &[]),
        ("ip addr change 192.0.2.2/24 dev v0 valid_lft 1000 preferred_lft 1000", &[]),
        ("ip link set v0 mtu 1400", &[]),
        ("ip route add 198.51.100.0/24 via 192.0.2.1", &[]),
        ("ip addr add 2001:db8::2/64 dev v0", &[]),
        ("sleep 2.5", &["v0 has the address 2001:db8::2"]),
        ("ip route add default via 192.0.2.9 metric 50", &[]),
        (
            "ip link set v0 down",
            &[
                "v0 is down",
                "v0 lost the address 2001:db8::2",
                "v1 is down",
                "there is no IPv4 default route any more",
            ],
        ),
        ("ip link set v0 up", &["v0 is up", "v1 is up"]),
        ("sleep 2.5", &[]),
        ("ip route add default via 192.0.2.1", &["the IPv4 default route is now via 192.0.2.1 on v0"]),
        (
            "ip addr del 192.0.2.2/24 dev v0",
            &["v0 lost the address 192.0.2.2", "there is no IPv4 default route any more"],
        ),
        ("ip link del v0", &["v0 is down", "v1 is down"]),
    ];
    let expected: Vec<(&str, Vec<String>)> = expected
        .iter()
        .map(|(command, events)| (*command, events.iter().map(|event| event.to_string()).collect()))
        .collect();
    assert_eq!(commands, expected);
}

fn link(index: u32, is_up: bool) -> NetlinkMessage {
    NetlinkMessage::Link(LinkState { index, name: UntrustedText::new(&format!("eth{index}")), is_up })
}

fn address(last: u8) -> NetlinkMessage {
    let address = LinkAddress { index: 1, address: [192, 0, 2, last].into(), prefix_length: 24 };
    NetlinkMessage::Address { address, is_usable: true }
}

fn route(table: u32, destination: Option<[u8; 4]>, metric: u32, gateway: u8) -> NetlinkMessage {
    NetlinkMessage::ListedRoute(ListedRoute {
        family: AddressFamily::V4,
        table,
        destination: destination.map(Into::into),
        metric,
        gateway: Some([192, 0, 2, gateway].into()),
        interface: Some(1),
    })
}

/// Answers all lists that are needed; returns what changed.
fn listed(state: &mut NetworkState, lists: [&[NetlinkMessage]; 3]) -> Vec<String> {
    let mut events = Vec::new();
    while let Some(kind) = state.next_list() {
        let messages = match kind {
            ListKind::Links => lists[0],
            ListKind::Addresses => lists[1],
            ListKind::Routes => lists[2],
        };
        let end = NetlinkMessage::ListEnd { is_complete: true };
        for message in messages.iter().cloned().chain([end]) {
            events.extend(state.apply(message).iter().map(HostEvent::to_string));
        }
    }
    events
}

#[test]
fn after_a_loss_only_differences_are_events() {
    let mut state = NetworkState::unknown();
    let main = MAIN_TABLE;
    let before = [link(1, true), link(2, true)];
    assert!(listed(&mut state, [&before, &[address(1), address(2)], &[route(main, None, 0, 7)]]).is_empty());
    state.invalidate();
    let events = listed(
        &mut state,
        [&[link(1, true), link(3, true)], &[address(2), address(3)], &[route(main, None, 9, 8)]],
    );
    assert_eq!(
        events,
        [
            "eth3 is up",
            "eth2 is down",
            "eth1 has the address 192.0.2.3",
            "eth1 lost the address 192.0.2.1",
            "the IPv4 default route is now via 192.0.2.8 on eth1"
        ]
    );
    state.invalidate();
    let same = [&[link(1, true), link(3, true)][..], &[address(2), address(3)], &[route(main, None, 5, 8)]];
    assert_eq!(listed(&mut state, same), [""; 0]);
}

#[test]
fn refused_list_removes_nothing() {
    let mut state = NetworkState::unknown();
    listed(&mut state, [&[link(1, true)], &[address(1)], &[]]);
    state.invalidate();
    while state.next_list().is_some() {
        assert_eq!(state.apply(NetlinkMessage::ListEnd { is_complete: false }), []);
    }
    assert!(state.is_complete());
    assert_eq!(state.apply(link(1, false)).len(), 1, "the link is still known to have been up");
}

#[test]
fn route_in_use_decides_and_a_tunnel_comes_and_goes() {
    let (mut state, main) = (NetworkState::unknown(), MAIN_TABLE);
    let mut routes = |routes: &[NetlinkMessage]| {
        state.apply(NetlinkMessage::RouteChanged);
        listed(&mut state, [&[link(1, true)], &[], routes])
    };
    let plain = route(main, None, 100, 1);
    assert_eq!(routes(std::slice::from_ref(&plain)), [""; 0]);
    assert_eq!(routes(&[plain.clone(), route(main, None, 600, 2)]), [""; 0], "a worse one is not used");
    let halves = [route(main, Some([0; 4]), 0, 9), route(main, Some([128, 0, 0, 0]), 0, 9)];
    assert_eq!(
        routes(&[&halves[..], std::slice::from_ref(&plain)].concat()),
        ["the IPv4 default route is now via 192.0.2.9 on eth1"]
    );
    assert_eq!(
        routes(std::slice::from_ref(&plain)),
        ["the IPv4 default route is now via 192.0.2.1 on eth1"],
        "the plain one is used again"
    );
    assert_eq!(
        routes(&[plain.clone(), route(51820, None, 0, 5)]),
        ["the IPv4 default route is now via 192.0.2.5 on eth1"],
        "a tunnel's own table"
    );
    assert_eq!(routes(&[plain]), ["the IPv4 default route is now via 192.0.2.1 on eth1"]);
}
