//! What happened to this host that may have ended a kept connection without a word.

use core::net::IpAddr;
use std::fmt;
use std::time::Duration;

use crate::domain::connection::address_family::AddressFamily;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::format::{counted, duration};

/// A change of this host's network, or the end of its suspension.
///
/// The name of an interface is any text without spaces and slashes, so it is escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostEvent {
    /// An address can be used: it was added, or its duplicate address detection (RFC 4862 5.4) succeeded.
    AddressAdded {
        interface: UntrustedText,
        address: IpAddr,
    },
    AddressRemoved {
        interface: UntrustedText,
        address: IpAddr,
    },
    /// An interface is enabled and has its carrier.
    LinkUp {
        interface: UntrustedText,
    },
    /// An interface was disabled or removed, or lost its carrier.
    LinkDown {
        interface: UntrustedText,
    },
    /// Where traffic to everywhere else goes; `None` if there is no such route any more.
    DefaultRouteChanged {
        family: AddressFamily,
        route: Option<DefaultRoute>,
    },
    /// Further changes that were too many to list; `None`: the kernel dropped them, so their number is unknown.
    NetworkChanged {
        changes: Option<u64>,
    },
    /// This host was suspended for this long, and runs again. A stopped process is none.
    Resumed {
        slept: Duration,
    },
}

/// A default route: its gateway, and its interface. A tunnel has no gateway; a route of several gateways neither.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DefaultRoute {
    pub gateway: Option<IpAddr>,
    pub interface: Option<UntrustedText>,
}

impl HostEvent {
    /// Whether it is about this host's end of a container's link: those come and go with containers, and lead to no server
    /// outside.
    pub fn is_of_a_container(&self) -> bool {
        match self {
            HostEvent::AddressAdded { interface, .. }
            | HostEvent::AddressRemoved { interface, .. }
            | HostEvent::LinkUp { interface }
            | HostEvent::LinkDown { interface } => interface.as_str().starts_with("veth"),
            HostEvent::DefaultRouteChanged { .. }
            | HostEvent::NetworkChanged { .. }
            | HostEvent::Resumed { .. } => false,
        }
    }
}

impl fmt::Display for HostEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostEvent::AddressAdded { interface, address } => {
                write!(f, "{interface} has the address {address}")
            }
            HostEvent::AddressRemoved { interface, address } => {
                write!(f, "{interface} lost the address {address}")
            }
            HostEvent::LinkUp { interface } => write!(f, "{interface} is up"),
            HostEvent::LinkDown { interface } => write!(f, "{interface} is down"),
            HostEvent::DefaultRouteChanged { family, route: Some(route) } => {
                write!(f, "the {family} default route is now {route}")
            }
            HostEvent::DefaultRouteChanged { family, route: None } => {
                write!(f, "there is no {family} default route any more")
            }
            HostEvent::NetworkChanged { changes: Some(number) } => {
                write!(f, "{} of the network", counted(*number, "further change"))
            }
            HostEvent::NetworkChanged { changes: None } => {
                f.write_str("the network changed more often than the kernel could report")
            }
            HostEvent::Resumed { slept } => {
                write!(f, "this host resumed after {} of suspension", duration(*slept))
            }
        }
    }
}

impl fmt::Display for DefaultRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.gateway, &self.interface) {
            (Some(gateway), Some(interface)) => write!(f, "via {gateway} on {interface}"),
            (Some(gateway), None) => write!(f, "via {gateway}"),
            (None, Some(interface)) => write!(f, "through {interface}"),
            (None, None) => f.write_str("through several gateways"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_is_a_sentence() {
        let interface = UntrustedText::new("eth\x1b0");
        let gateway = Some("192.0.2.1".parse().unwrap());
        let route = |gateway, interface| Some(DefaultRoute { gateway, interface });
        let changed = |route| HostEvent::DefaultRouteChanged { family: AddressFamily::V4, route }.to_string();
        assert_eq!(HostEvent::LinkDown { interface: interface.clone() }.to_string(), "eth\\u{1b}0 is down");
        assert_eq!(
            changed(route(gateway, Some(interface))),
            "the IPv4 default route is now via 192.0.2.1 on eth\\u{1b}0"
        );
        assert_eq!(changed(route(None, None)), "the IPv4 default route is now through several gateways");
        assert_eq!(changed(None), "there is no IPv4 default route any more");
        assert_eq!(
            HostEvent::NetworkChanged { changes: Some(1) }.to_string(),
            "1 further change of the network"
        );
        assert_eq!(
            HostEvent::Resumed { slept: Duration::from_secs(35) }.to_string(),
            "this host resumed after 35 s of suspension"
        );
    }
}
