//! The NDJSON lines of `watch`: those of `ping`, with the name of the group where there are several, and those of this host.

use std::collections::HashSet;
use std::net::IpAddr;

use serde::Serialize;

use crate::commands::watch::hook::HookEvent;
use crate::commands::watch::{HookMessage, WatchEvent};
use crate::domain::ping::event::{ConnEvent, ConnId, Event};
use crate::domain::watch::group::{ConfigChange, Group};
use crate::domain::watch::hook_result::{HookOutcome, HookResult};
use crate::domain::watch::host_event::{DefaultRoute, HostEvent};
use crate::output::json::{Ms, document};
use crate::output::ndjson::{EventBody, bodies, in_group, run_line};
use crate::output::ping::{WATCH, event_line};

document! {
    /// A command of `--on-change` ended.
    pub struct HookEnded = "hook_ended" from result: &HookResult {
        /// The command, without secrets.
        command: String = result.command.clone(),
        /// The event that it was started for.
        of: String = result.event.clone(),
        /// The target of that event.
        target: String = result.target.clone(),
        succeeded: bool = result.outcome == HookOutcome::Succeeded,
        /// What became of it, as a sentence.
        outcome: String = result.to_string(),
        elapsed_ms: Ms = result.elapsed,
    }
}

bodies! {
    /// This host's network changed, or it resumed from suspension.
    HostChanged = "host_changed" {
        /// `address_added`, `address_removed`, `link_up`, `link_down`, `default_route`, `network` or `resumed`.
        change: &'static str,
        description: String,
        /// The interface of a link, an address or the default route, where there is one.
        interface: Option<String>,
        /// The address that was added or removed.
        address: Option<IpAddr>,
        /// `IPv4` or `IPv6`: that of the default route.
        family: Option<String>,
        /// The gateway of the default route.
        gateway: Option<IpAddr>,
        /// How long this host was suspended.
        suspended_ms: Option<Ms>,
    }
    /// The configuration was read again. Both lists have a target whose entry changed.
    Reloaded = "reloaded" {
        /// The names of the targets that are watched from now on.
        added: Vec<String>,
        /// The names of the targets that are not watched any more.
        removed: Vec<String>,
        /// How many targets' connections stay as they are.
        unchanged: u64,
    }
    /// The configuration has a mistake, and the one before stays.
    NotReloaded = "not_reloaded" {
        /// The mistake.
        reason: String,
    }
    /// All connections of a target that the configuration has no more have ended. The last line of this target.
    Removed = "removed" {
        /// The targets' URLs.
        targets: Vec<String>,
    }
    /// The command of `--on-change` was not run for the last changes: the run ended first.
    HookSkipped = "hook_skipped" {
        count: u64,
    }
}

/// The line of an event; `None` when it has none.
pub fn line(event: &WatchEvent) -> Option<String> {
    match event {
        WatchEvent::OfGroup { group, event } => Some(of_group(group, event_line(WATCH, event)?)),
        WatchEvent::Removed { group, at } => {
            Some(of_group(group, run_line(*at, Removed { targets: group.targets.clone() })))
        }
        WatchEvent::Reloaded(ConfigChange { at, added, removed, unchanged }) => {
            let (added, removed, unchanged) = (added.clone(), removed.clone(), *unchanged as u64);
            Some(run_line(*at, Reloaded { added, removed, unchanged }))
        }
        WatchEvent::NotReloaded { at, why } => Some(run_line(*at, NotReloaded { reason: why.clone() })),
        WatchEvent::Host { at, event } => Some(run_line(*at, HostChanged::from(event))),
        WatchEvent::Hook { at, result } => Some(run_line(*at, HookEnded::from(result))),
        WatchEvent::HookSkipped { at, count } => Some(run_line(*at, HookSkipped { count: *count })),
        WatchEvent::NetworkNotWatched { .. } | WatchEvent::Interim(_) | WatchEvent::Finished(_) => None,
    }
}

/// The line, with the name of the group if it has one.
fn of_group(group: &Group, line: String) -> String {
    match &group.name {
        Some(name) => in_group(&line, name),
        None => line,
    }
}

fn change(event: &HostEvent) -> &'static str {
    match event {
        HostEvent::AddressAdded { .. } => "address_added",
        HostEvent::AddressRemoved { .. } => "address_removed",
        HostEvent::LinkUp { .. } => "link_up",
        HostEvent::LinkDown { .. } => "link_down",
        HostEvent::DefaultRouteChanged { .. } => "default_route",
        HostEvent::NetworkChanged { .. } => "network",
        HostEvent::Resumed { .. } => "resumed",
    }
}

impl From<&HostEvent> for HostChanged {
    fn from(event: &HostEvent) -> HostChanged {
        let mut changed = HostChanged {
            change: change(event),
            description: event.to_string(),
            interface: None,
            address: None,
            family: None,
            gateway: None,
            suspended_ms: None,
        };
        match event {
            HostEvent::AddressAdded { interface, address }
            | HostEvent::AddressRemoved { interface, address } => {
                changed.interface = Some(interface.to_string());
                changed.address = Some(*address);
            }
            HostEvent::LinkUp { interface } | HostEvent::LinkDown { interface } => {
                changed.interface = Some(interface.to_string());
            }
            HostEvent::DefaultRouteChanged { family, route } => {
                changed.family = Some(family.to_string());
                let DefaultRoute { gateway, interface } = route.clone().unwrap_or_default();
                (changed.gateway, changed.interface) = (gateway, interface.map(|name| name.to_string()));
            }
            HostEvent::NetworkChanged { .. } => {}
            HostEvent::Resumed { slept } => changed.suspended_ms = Some((*slept).into()),
        }
        changed
    }
}

/// What a command of `--on-change` is given: the name of the change, its target, and its document. `None` for an event
/// that is no change.
#[derive(Debug, Default)]
pub struct HookMessages {
    /// The connections that are tried again, which was told.
    retried: HashSet<(u64, ConnId)>,
}

impl HookMessages {
    /// What it is given for an event.
    pub fn message(&mut self, event: &WatchEvent) -> Option<HookMessage> {
        let (name, target) = match event {
            WatchEvent::OfGroup { group, event: Event::Connection { id, event, .. } } => {
                let name = self.changed((group.id, *id), event)?;
                (name, group.targets.get(id.target).cloned().unwrap_or_default())
            }
            WatchEvent::Removed { group, .. } => {
                self.retried.retain(|(of, _)| *of != group.id);
                return None;
            }
            WatchEvent::Host { .. } => ("host_changed", String::new()),
            _ => return None,
        };
        let line = line(event)?;
        let document = move |dropped: u64| match dropped {
            0 => line,
            dropped => line.replacen('{', &format!("{{\"dropped_before\":{dropped},"), 1),
        };
        Some((HookEvent { name: name.to_string(), target }, Box::new(document)))
    }

    /// The name of a change; `None` for what is none.
    fn changed(&mut self, connection: (u64, ConnId), event: &ConnEvent) -> Option<&'static str> {
        match event {
            ConnEvent::Opened(_) => {
                self.retried.remove(&connection);
                Some("opened")
            }
            // Those that follow are no change.
            ConnEvent::Retry { .. } => self.retried.insert(connection).then_some("reconnecting"),
            ConnEvent::Status(change) if change.kind.is_none() => Some("status"),
            ConnEvent::Ended(ending) if ending.is_loss() => Some("closed"),
            ConnEvent::Reconnected { .. } => Some("reconnected"),
            _ => None,
        }
    }
}
