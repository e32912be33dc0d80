//! With the kernel, in a network namespace that ends with its thread.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::timeout;

use crate::domain::watch::host_event::HostEvent;
use crate::net::host_events::HostEvents;

/// A test that hangs fails.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs a test on a thread in a network namespace of its own; both ends with it, and with them its links.
#[expect(unsafe_code, reason = "there is no safe unshare(2)")]
fn in_namespace(test: impl AsyncFnOnce() + Send + 'static) {
    let run = move || {
        // SAFETY: unshare(2) has no memory effects; a network namespace may be of one thread.
        let result = unsafe { libc::unshare(libc::CLONE_NEWNET) };
        assert_eq!(result, 0, "no network namespace: {}", std::io::Error::last_os_error());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { timeout(LIMIT, test()).await.unwrap() });
    };
    std::thread::spawn(run).join().unwrap();
}

/// Runs commands of ip(8), one a line.
fn ip(commands: &str) {
    let mut ip = Command::new("ip");
    ip.args(["-batch", "-"]).env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin").stdin(Stdio::piped());
    let mut ip = ip.spawn().unwrap();
    ip.stdin.take().unwrap().write_all(commands.as_bytes()).unwrap();
    assert!(ip.wait().unwrap().success(), "{commands}");
}

/// The events up to one, without those of the links' own IPv6 addresses.
async fn until(events: &mut HostEvents, last: &str) -> Vec<String> {
    let mut seen = Vec::new();
    while seen.last().is_none_or(|seen| seen != last) {
        let event = events.next().await.to_string();
        if !event.contains("address fe80:") {
            seen.push(event);
        }
    }
    seen
}

/// The same without the event of the other end of the link, which comes at a time of the kernel's own: it tells carriers from
/// a queue of at most one a second.
async fn without_peer(events: &mut HostEvents, mut seen: Vec<String>, of_peer: &str) -> Vec<String> {
    match seen.iter().position(|event| event == of_peer) {
        Some(at) => drop(seen.remove(at)),
        None => assert_eq!(until(events, of_peer).await, [of_peer]),
    }
    seen
}

#[test]
#[ignore = "makes a network namespace: needs root and ip"]
fn changes_are_reported_in_their_order() {
    in_namespace(async || {
        ip("link add v0 type veth peer name v1\n\
            link set v1 up\n\
            link set v0 up\n\
            addr add 192.0.2.2/24 dev v0\n\
            route add default via 192.0.2.1");
        let mut events = HostEvents::start().await;
        assert!(events.network_error().is_none());
        ip("link set v0 mtu 1400\nlink set v0 down");
        let down = until(&mut events, "there is no IPv4 default route any more").await;
        let down = without_peer(&mut events, down, "v1 is down").await;
        assert_eq!(down, ["v0 is down", "there is no IPv4 default route any more"]);
        ip("link set v0 up\n\
            addr add 203.0.113.3/24 dev v0\n\
            route add 198.51.100.0/24 via 192.0.2.1\n\
            addr del 192.0.2.2/24 dev v0\n\
            addr add 192.0.2.2/24 dev v0\n\
            route add default via 192.0.2.1");
        let up = until(&mut events, "the IPv4 default route is now via 192.0.2.1 on v0").await;
        let up = without_peer(&mut events, up, "v1 is up").await;
        let expected = [
            "v0 is up",
            "v0 has the address 203.0.113.3",
            "v0 lost the address 192.0.2.2",
            "v0 has the address 192.0.2.2",
            "the IPv4 default route is now via 192.0.2.1 on v0",
        ];
        assert_eq!(up, expected);
        ip("route replace default via 192.0.2.9");
        until(&mut events, "the IPv4 default route is now via 192.0.2.9 on v0").await;
        ip("link del v0");
        let gone = until(&mut events, "v1 is down").await;
        assert!(gone.iter().any(|event| event == "v0 is down"), "{gone:?}");
    });
}

#[test]
#[ignore = "makes a network namespace: needs root and ip"]
fn lost_messages_are_reported_and_made_up_for() {
    in_namespace(async || {
        ip("link add v0 type veth peer name v1\nlink set v0 up");
        let mut events = HostEvents::start().await;
        let added: String = (0..5000u32)
            .map(|number| format!("addr add 10.1.{}.{}/32 dev v0\n", number / 250, number % 250))
            .collect();
        // Nobody reads meanwhile.
        ip(&added);
        assert_eq!(events.next().await, HostEvent::NetworkChanged { changes: None });
        let mut changes = 0;
        while changes < 5000 {
            changes += match events.next().await {
                HostEvent::AddressAdded { .. } => 1,
                HostEvent::NetworkChanged { changes: Some(number) } => number,
                event => panic!("{event}"),
            };
        }
        assert_eq!(changes, 5000);
    });
}
