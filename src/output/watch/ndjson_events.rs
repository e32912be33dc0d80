//! The NDJSON lines of `watch`: those of `ping`, with the name of the group where there are several, and those of this host.

use schemars::JsonSchema;
use serde::Serialize;

use super::GroupNames;
use crate::commands::watch::hook::HookEvent;
use crate::commands::watch::{HookMessage, WatchEvent};
use crate::domain::ping::event::{ConnEvent, Event};
use crate::domain::watch::hook_result::{HookOutcome, HookResult};
use crate::domain::watch::host_event::HostEvent;
use crate::output::json::Ms;
use crate::output::ndjson::{EventBody, bodies, in_group, run_line};
use crate::output::ping::{WATCH, event_line};

bodies! {
    /// This host's network changed, or it resumed from suspension.
    HostChanged = "host_changed" {
        /// `address_added`, `address_removed`, `link_up`, `link_down`, `default_route`, `network` or `resumed`.
        change: &'static str,
        description: String,
    }
    /// A command of `--on-change` ended.
    HookEnded = "hook_ended" {
        /// The command, without secrets.
        command: String,
        /// The event that it was started for.
        of: String,
        /// The target of that event.
        target: String,
        succeeded: bool,
        /// What became of it, as a sentence.
        outcome: String,
        elapsed_ms: Ms,
    }
}

/// The line of an event; `None` when it has none.
pub fn line(event: &WatchEvent, names: &GroupNames) -> Option<String> {
    match event {
        WatchEvent::OfGroup { group, event } => {
            let line = event_line(WATCH, event)?;
            Some(match names.get(*group) {
                Some(Some(name)) => in_group(&line, name),
                _ => line,
            })
        }
        WatchEvent::Host { at, event } => {
            let (change, description) = (change(event), event.to_string());
            Some(run_line(*at, HostChanged { change, description }))
        }
        WatchEvent::Hook { at, result } => Some(run_line(*at, HookEnded::from(result))),
        WatchEvent::NetworkNotWatched { .. } | WatchEvent::Interim(_) | WatchEvent::Finished(_) => None,
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

impl From<&HookResult> for HookEnded {
    fn from(result: &HookResult) -> HookEnded {
        HookEnded {
            command: result.command.clone(),
            of: result.event.clone(),
            target: result.target.clone(),
            succeeded: result.outcome == HookOutcome::Succeeded,
            outcome: result.to_string(),
            elapsed_ms: result.elapsed.into(),
        }
    }
}

/// What a command of `--on-change` is given: the name of the change, its target, and its document. `None` for an event
/// that is no change. `target`: the URL of a group's target, by both indices.
pub fn hook_message(
    event: &WatchEvent,
    names: &GroupNames,
    target: impl Fn(usize, usize) -> String,
) -> Option<HookMessage> {
    let (name, target) = match event {
        WatchEvent::OfGroup { group, event: Event::Connection { id, event, .. } } => {
            (changed(event)?, target(*group, id.target))
        }
        WatchEvent::Host { .. } => ("host_changed", String::new()),
        _ => return None,
    };
    let line = line(event, names)?;
    let document = move |dropped: u64| match dropped {
        0 => line,
        dropped => line.replacen('{', &format!("{{\"dropped_before\":{dropped},"), 1),
    };
    Some((HookEvent { name: name.to_string(), target }, Box::new(document)))
}

/// The name of a change; `None` for what is none.
fn changed(event: &ConnEvent) -> Option<&'static str> {
    match event {
        ConnEvent::Opened(_) => Some("opened"),
        // Those that follow are no change.
        ConnEvent::Retry { attempt: 1, .. } => Some("reconnecting"),
        ConnEvent::Status(change) if change.kind.is_none() => Some("status"),
        ConnEvent::Ended(ending) if ending.is_loss() => Some("closed"),
        ConnEvent::Reconnected { .. } => Some("reconnected"),
        _ => None,
    }
}
