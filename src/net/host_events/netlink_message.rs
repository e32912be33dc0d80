//! The messages of rtnetlink(7) about changes of links, addresses and default routes.
//!
//! Three fixed headers and ten attributes are read. The crate for it, netlink-packet-route, is kept well, but has 52,000
//! lines for all that rtnetlink can say, and refuses a whole message for one attribute that it does not know.
//!
//! All numbers are in the host's byte order. What is too short is left out.

use std::net::IpAddr;

use crate::domain::connection::address_family::AddressFamily;
use crate::domain::connection::untrusted_text::UntrustedText;

/// Length of nlmsghdr, in bytes (netlink(7)).
const MESSAGE_HEADER: usize = 16;
/// Lengths of the family headers, in bytes: ifinfomsg, ifaddrmsg, rtmsg.
const LINK_HEADER: usize = 16;
const ADDRESS_HEADER: usize = 8;
const ROUTE_HEADER: usize = 12;
/// Length of an attribute's header, in bytes.
const ATTRIBUTE_HEADER: usize = 4;
/// Messages and attributes begin at multiples of this, in bytes.
const ALIGNMENT: usize = 4;
/// The flags of an attribute's type (`NLA_F_NESTED`, `NLA_F_NET_BYTEORDER`) are not part of it.
const ATTRIBUTE_TYPE_MASK: u16 = 0x3fff;
/// Default routes have a prefix of at most this many bits: VPNs set two routes of one bit instead of one of none.
const MAX_DEFAULT_PREFIX: u8 = 1;

/// The end of a list, with an error number of 0 if it is complete.
const LIST_DONE: u16 = libc::NLMSG_DONE as u16;
/// The answer to a request that the kernel refuses.
const LIST_REFUSED: u16 = libc::NLMSG_ERROR as u16;

const FAMILY_V4: u8 = libc::AF_INET as u8;
const FAMILY_V6: u8 = libc::AF_INET6 as u8;
const FAMILY_BRIDGE: u8 = libc::AF_BRIDGE as u8;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetlinkMessage {
    /// A link exists and is in this state.
    Link(LinkState),
    LinkRemoved {
        index: u32,
    },
    /// An address exists; `is_usable` is false during duplicate address detection, and after it failed.
    Address {
        address: LinkAddress,
        is_usable: bool,
    },
    AddressRemoved(LinkAddress),
    /// A default route, in the list of all routes that was asked for.
    ListedRoute(ListedRoute),
    /// A default route was added, changed or removed.
    RouteChanged,
    /// The end of a list that was asked for.
    ListEnd {
        is_complete: bool,
    },
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkState {
    pub index: u32,
    pub name: UntrustedText,
    /// Enabled, and with a carrier.
    pub is_up: bool,
}

/// An address of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkAddress {
    pub index: u32,
    pub address: IpAddr,
    pub prefix_length: u8,
}

/// A default route in the kernel's tables; of those of one table and destination the one with the lowest metric is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListedRoute {
    pub family: AddressFamily,
    pub table: u32,
    /// `None` for all addresses; for a half of them, its first.
    pub destination: Option<IpAddr>,
    pub metric: u32,
    pub gateway: Option<IpAddr>,
    /// The interface's index.
    pub interface: Option<u32>,
}

/// The messages in a datagram; other ones are left out.
pub fn parse(mut datagram: &[u8]) -> Vec<NetlinkMessage> {
    let mut messages = Vec::new();
    while let Some(length) = u32_at(datagram, 0).and_then(|length| usize::try_from(length).ok()) {
        let Some(message) = datagram.get(..length).filter(|_| length >= MESSAGE_HEADER) else { break };
        messages.extend(parse_message(message));
        datagram = datagram.get(length.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
    }
    messages
}

fn parse_message(message: &[u8]) -> Option<NetlinkMessage> {
    let (kind, flags) = (u16_at(message, 4)?, u16_at(message, 6)?);
    let body = &message[MESSAGE_HEADER..];
    let is_listed = i32::from(flags) & libc::NLM_F_MULTI != 0;
    match kind {
        libc::RTM_NEWLINK => link(body).map(NetlinkMessage::Link),
        libc::RTM_DELLINK => link(body).map(|link| NetlinkMessage::LinkRemoved { index: link.index }),
        libc::RTM_NEWADDR => {
            address(body).map(|(address, is_usable)| NetlinkMessage::Address { address, is_usable })
        }
        libc::RTM_DELADDR => address(body).map(|(address, _)| NetlinkMessage::AddressRemoved(address)),
        libc::RTM_NEWROUTE if is_default_route(body) && is_listed => {
            route(body).map(NetlinkMessage::ListedRoute)
        }
        libc::RTM_NEWROUTE | libc::RTM_DELROUTE if is_default_route(body) => {
            Some(NetlinkMessage::RouteChanged)
        }
        LIST_DONE => Some(NetlinkMessage::ListEnd { is_complete: u32_at(body, 0) == Some(0) }),
        LIST_REFUSED => Some(NetlinkMessage::ListEnd { is_complete: false }),
        _ => None,
    }
}

/// A link; `None` for what a bridge says of its ports, which looks alike.
fn link(body: &[u8]) -> Option<LinkState> {
    if *body.first()? == FAMILY_BRIDGE {
        return None;
    }
    let (index, flags) = (u32_at(body, 4)?, u32_at(body, 8)?);
    let name = attributes(body, LINK_HEADER).find(|(kind, _)| *kind == libc::IFLA_IFNAME)?.1;
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    let up = (libc::IFF_UP | libc::IFF_RUNNING) as u32;
    Some(LinkState { index, name: UntrustedText::from_bytes(name), is_up: flags & up == up })
}

/// An address, and whether it can be used.
fn address(body: &[u8]) -> Option<(LinkAddress, bool)> {
    let (mut flags, mut local, mut general) = (u32::from(*body.get(2)?), None, None);
    for (kind, value) in attributes(body, ADDRESS_HEADER) {
        match kind {
            libc::IFA_FLAGS => flags = u32_at(value, 0)?,
            libc::IFA_LOCAL => local = ip(value),
            // The peer's on a point-to-point link, where the own one is IFA_LOCAL.
            libc::IFA_ADDRESS => general = ip(value),
            _ => {}
        }
    }
    let (index, prefix_length) = (u32_at(body, 4)?, body[1]);
    let is_checked = flags & libc::IFA_F_TENTATIVE == 0 || flags & libc::IFA_F_OPTIMISTIC != 0;
    let is_usable = is_checked && flags & libc::IFA_F_DADFAILED == 0;
    Some((LinkAddress { index, address: local.or(general)?, prefix_length }, is_usable))
}

/// Whether a route's header is that of a default route of IPv4 or IPv6.
fn is_default_route(body: &[u8]) -> bool {
    let is_ip = body.first().is_some_and(|family| [FAMILY_V4, FAMILY_V6].contains(family));
    is_ip && body.get(1).is_some_and(|prefix| *prefix <= MAX_DEFAULT_PREFIX)
}

/// A default route; `None` if it leads nowhere, or is a copy for one destination.
fn route(body: &[u8]) -> Option<ListedRoute> {
    let flags = u32_at(body, 8)?;
    if body[7] != libc::RTN_UNICAST || flags & libc::RTM_F_CLONED != 0 {
        return None;
    }
    let family = if body[0] == FAMILY_V4 { AddressFamily::V4 } else { AddressFamily::V6 };
    let mut route = ListedRoute {
        family,
        table: u32::from(body[4]),
        destination: None,
        metric: 0,
        gateway: None,
        interface: None,
    };
    for (kind, value) in attributes(body, ROUTE_HEADER) {
        match kind {
            libc::RTA_TABLE => route.table = u32_at(value, 0)?,
            libc::RTA_DST => route.destination = ip(value),
            libc::RTA_PRIORITY => route.metric = u32_at(value, 0)?,
            libc::RTA_GATEWAY => route.gateway = ip(value),
            // The gateway of another family: two bytes of it, then the address.
            libc::RTA_VIA => route.gateway = value.get(2..).and_then(ip),
            libc::RTA_OIF => route.interface = u32_at(value, 0),
            _ => {}
        }
    }
    Some(route)
}

/// The attributes behind a header of this length: type and value.
fn attributes(body: &[u8], header: usize) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = body.get(header..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, kind) = (usize::from(u16_at(rest, 0)?), u16_at(rest, 2)?);
        let value = rest.get(ATTRIBUTE_HEADER..length)?;
        rest = rest.get(length.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
        Some((kind & ATTRIBUTE_TYPE_MASK, value))
    })
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

#[cfg(test)]
pub mod tests;
