//! What the kernel has reported of links, addresses and default routes, and what changed in it.
//!
//! 1. A message that repeats what is known is no event: the kernel sends one for each statistic, and for each router
//!    advertisement that extends an address.
//! 2. The state before the start is listed once, and is no event.
//! 3. Routes are listed anew when a default route changed, a link went down or an address was removed, because the kernel
//!    removes the IPv4 routes of a link without a message. The routes then differ from those before, or not.
//! 4. After messages were lost everything is listed anew; what differs is an event.

use std::collections::{BTreeMap, BTreeSet};

use super::netlink_message::{LinkAddress, LinkState, ListedRoute, NetlinkMessage};
use crate::domain::connection::address_family::AddressFamily;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::watch::host_event::{DefaultRoute, HostEvent};

/// The kernel's own table of routes.
const MAIN_TABLE: u32 = libc::RT_TABLE_MAIN as u32;

/// A list to ask the kernel for. Links come first: the others refer to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListKind {
    Links,
    Addresses,
    Routes,
}

/// Links, addresses and default routes.
#[derive(Debug, Default)]
pub struct NetworkState {
    links: BTreeMap<u32, LinkState>,
    addresses: BTreeSet<LinkAddress>,
    routes: BTreeSet<ListedRoute>,
    /// Lists to ask for, one after the other.
    wanted: BTreeSet<ListKind>,
    running: Option<ListInProgress>,
    /// Whether all lists were complete once.
    is_known: bool,
}

/// A list that was asked for, and what has been reported since.
#[derive(Debug)]
struct ListInProgress {
    kind: ListKind,
    links: BTreeSet<u32>,
    addresses: BTreeSet<LinkAddress>,
    routes: BTreeSet<ListedRoute>,
}

/// What a route is for.
type RoutePurpose = (AddressFamily, u32, Option<std::net::IpAddr>);

impl NetworkState {
    /// Nothing is known.
    pub fn unknown() -> NetworkState {
        NetworkState { wanted: all_lists(), ..NetworkState::default() }
    }

    /// Messages were lost: everything must be listed anew.
    pub fn invalidate(&mut self) {
        self.wanted = all_lists();
        self.running = None;
    }

    /// The next list to ask for; `None` if one is on its way, or none is needed.
    pub fn next_list(&mut self) -> Option<ListKind> {
        if self.running.is_some() {
            return None;
        }
        let kind = self.wanted.pop_first()?;
        let (links, addresses, routes) = Default::default();
        self.running = Some(ListInProgress { kind, links, addresses, routes });
        Some(kind)
    }

    /// Whether no list is needed or on its way.
    pub fn is_complete(&self) -> bool {
        self.running.is_none() && self.wanted.is_empty()
    }

    /// Takes a message; returns what changed by it.
    pub fn apply(&mut self, message: NetlinkMessage) -> Vec<HostEvent> {
        let events = match message {
            NetlinkMessage::Link(link) => self.set_link(link),
            NetlinkMessage::LinkRemoved { index } => self.remove_link(index),
            NetlinkMessage::Address { address, is_usable: true } => self.add_address(address),
            NetlinkMessage::Address { address, is_usable: false }
            | NetlinkMessage::AddressRemoved(address) => self.remove_address(address),
            NetlinkMessage::ListedRoute(route) => {
                if let Some(list) = &mut self.running {
                    list.routes.insert(route);
                }
                Vec::new()
            }
            NetlinkMessage::RouteChanged => {
                self.wanted.insert(ListKind::Routes);
                Vec::new()
            }
            NetlinkMessage::ListEnd { is_complete } => self.end_list(is_complete),
        };
        if self.is_known { events } else { self.without_events() }
    }

    /// Before everything is known, nothing is an event.
    fn without_events(&mut self) -> Vec<HostEvent> {
        self.is_known = self.is_complete();
        Vec::new()
    }

    fn set_link(&mut self, link: LinkState) -> Vec<HostEvent> {
        if let Some(list) = &mut self.running {
            list.links.insert(link.index);
        }
        let was_up = self.links.insert(link.index, link.clone()).is_some_and(|before| before.is_up);
        match (was_up, link.is_up) {
            (false, true) => vec![HostEvent::LinkUp { interface: link.name }],
            (true, false) => self.link_down(link.name),
            (true, true) | (false, false) => Vec::new(),
        }
    }

    fn remove_link(&mut self, index: u32) -> Vec<HostEvent> {
        self.addresses.retain(|address| address.index != index);
        match self.links.remove(&index) {
            Some(link) if link.is_up => self.link_down(link.name),
            Some(_) | None => Vec::new(),
        }
    }

    fn link_down(&mut self, interface: UntrustedText) -> Vec<HostEvent> {
        self.wanted.insert(ListKind::Routes);
        vec![HostEvent::LinkDown { interface }]
    }

    fn add_address(&mut self, address: LinkAddress) -> Vec<HostEvent> {
        if let Some(list) = &mut self.running {
            list.addresses.insert(address);
        }
        if !self.addresses.insert(address) {
            return Vec::new();
        }
        vec![HostEvent::AddressAdded { interface: self.name(address.index), address: address.address }]
    }

    fn remove_address(&mut self, address: LinkAddress) -> Vec<HostEvent> {
        if !self.addresses.remove(&address) {
            return Vec::new();
        }
        self.wanted.insert(ListKind::Routes);
        vec![HostEvent::AddressRemoved { interface: self.name(address.index), address: address.address }]
    }

    /// The name of a link; its index if it is unknown.
    fn name(&self, index: u32) -> UntrustedText {
        let unknown = || UntrustedText::escaped(format!("interface {index}"));
        self.links.get(&index).map_or_else(unknown, |link| link.name.clone())
    }

    fn end_list(&mut self, is_complete: bool) -> Vec<HostEvent> {
        match self.running.take() {
            Some(list) if is_complete => self.remove_unlisted(list),
            Some(_) | None => Vec::new(),
        }
    }

    /// Removes what is not in a complete list.
    fn remove_unlisted(&mut self, list: ListInProgress) -> Vec<HostEvent> {
        match list.kind {
            ListKind::Links => {
                let is_gone = |index: &u32| !list.links.contains(index);
                let gone = Vec::from_iter(self.links.keys().copied().filter(is_gone));
                gone.into_iter().flat_map(|index| self.remove_link(index)).collect()
            }
            ListKind::Addresses => {
                let gone = Vec::from_iter(self.addresses.difference(&list.addresses).copied());
                gone.into_iter().flat_map(|address| self.remove_address(address)).collect()
            }
            ListKind::Routes => self.set_routes(list.routes),
        }
    }

    fn set_routes(&mut self, routes: BTreeSet<ListedRoute>) -> Vec<HostEvent> {
        let before = used_routes(&self.routes);
        let now = used_routes(&routes);
        self.routes = routes;
        let purposes: BTreeSet<&RoutePurpose> = before.keys().chain(now.keys()).collect();
        let way = |route: Option<&ListedRoute>| route.map(|route| (route.gateway, route.interface));
        let is_changed = |purpose: &&&RoutePurpose| way(before.get(**purpose)) != way(now.get(**purpose));
        let changed = purposes.iter().filter(is_changed);
        let event = |purpose: &&RoutePurpose| HostEvent::DefaultRouteChanged {
            family: purpose.0,
            route: now.get(*purpose).or_else(|| main_route(&now, purpose.0)).map(|route| self.shown(route)),
        };
        let mut events: Vec<HostEvent> = changed.map(event).collect();
        // The two halves of a VPN's default route are one change.
        events.dedup();
        events
    }

    fn shown(&self, route: &ListedRoute) -> DefaultRoute {
        DefaultRoute { gateway: route.gateway, interface: route.interface.map(|index| self.name(index)) }
    }
}

fn all_lists() -> BTreeSet<ListKind> {
    BTreeSet::from([ListKind::Links, ListKind::Addresses, ListKind::Routes])
}

/// The route that is used for each purpose: that with the lowest metric.
fn used_routes(routes: &BTreeSet<ListedRoute>) -> BTreeMap<RoutePurpose, ListedRoute> {
    let mut used = BTreeMap::new();
    for route in routes {
        // They are in the order of family, table, destination and metric.
        used.entry((route.family, route.table, route.destination)).or_insert(*route);
    }
    used
}

/// The route that most traffic of a family takes: in the main table, and the most special one there.
fn main_route(used: &BTreeMap<RoutePurpose, ListedRoute>, family: AddressFamily) -> Option<&ListedRoute> {
    let of_family = used.values().filter(|route| route.family == family);
    of_family.max_by_key(|route| (route.table == MAIN_TABLE, route.destination.is_some()))
}

#[cfg(test)]
mod tests;
