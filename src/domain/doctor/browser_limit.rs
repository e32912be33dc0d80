//! Why browsers would not even ask for a target.

use url::Host;

use crate::domain::connection::target::Target;

/// Why browsers would not even ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrowserLimit {
    /// Pages that came by https may not open it (W3C Mixed Content, 4.4; loopback addresses are exempt).
    MixedContent,
    /// Its port is one that browsers never connect to (WHATWG Fetch, "port blocking").
    Port(u16),
}

/// The bad ports of WHATWG Fetch.
const BLOCKED_PORTS: [u16; 83] = [
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103,
    104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514,
    515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723,
    2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

/// Why browsers would not even ask for this target.
pub fn limits(target: &Target) -> Vec<BrowserLimit> {
    let is_mixed = !target.secure() && !is_loopback(target.host());
    let is_blocked = BLOCKED_PORTS.contains(&target.port());
    let mixed = is_mixed.then_some(BrowserLimit::MixedContent);
    mixed.into_iter().chain(is_blocked.then_some(BrowserLimit::Port(target.port()))).collect()
}

fn is_loopback(host: &Host<String>) -> bool {
    match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits_of(url: &str) -> Vec<BrowserLimit> {
        limits(&url.parse().unwrap())
    }

    #[test]
    fn pages_by_https_may_not_open_ws_except_on_loopback() {
        assert_eq!(limits_of("ws://node.example/"), [BrowserLimit::MixedContent]);
        for url in [
            "wss://node.example/",
            "ws://localhost:9001/",
            "ws://a.localhost/",
            "ws://127.9.0.1/",
            "ws://[::1]/",
        ] {
            assert_eq!(limits_of(url), [], "{url}");
        }
        assert_eq!(limits_of("ws://localhost.example/"), [BrowserLimit::MixedContent]);
    }

    #[test]
    fn bad_ports_are_named() {
        assert_eq!(limits_of("wss://node.example:6667/"), [BrowserLimit::Port(6667)]);
        assert_eq!(limits_of("ws://localhost:10080/"), [BrowserLimit::Port(10080)]);
        assert_eq!(limits_of("ws://localhost:8080/"), []);
    }
}
