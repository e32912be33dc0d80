//! What the findings about the server's policy say.

use std::time::Duration;

use crate::domain::catalogue::{Goodbye, ReapingDefault};
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::format;
use crate::domain::label::Label;
use crate::domain::listen::ServerEventKind;
use crate::domain::zombie::{
    HeartbeatPolicy, IdlePolicy, LibraryMatch, ReapingRule, RequiredTraffic, ServerSchedule, TimerKind,
};
use crate::output::view::Explanation;

/// `the server sends a Ping frame every 30 s, gives up 10 s after an unanswered one`
pub fn gives_up(policy: &HeartbeatPolicy) -> Explanation {
    let ReapingRule::After { misses, timeout, total } = policy.reaping else { return Explanation::default() };
    let next = if policy.is_when_next_is_due() { ", when the next was due" } else { "" };
    let which = match misses {
        1 => "an unanswered one".to_string(),
        misses => format!("the last of {misses} unanswered ones"),
    };
    let (beat, timeout_words) = (beat(&policy.beats), format::duration(timeout));
    let said =
        Explanation::new(format!("the server sends {beat}, gives up {timeout_words} after {which}{next}"));
    with_schedule(said, &policy.beats)
        .with("misses", misses)
        .with_duration("timeout", timeout)
        .with_duration("first_unanswered_to_end", total)
}

/// `the server sends a Ping frame every 30 s; no reaction within 60 s of an unanswered one`
pub fn tolerates(beats: &ServerSchedule, waited: Duration) -> Explanation {
    let (beat, waited_for) = (beat(beats), format::duration(waited));
    let message = format!("the server sends {beat}; no reaction within {waited_for} of an unanswered one");
    with_schedule(Explanation::new(message), beats).with_duration("waited", waited)
}

pub fn keeps_all(waited: Duration, one_way: bool) -> Explanation {
    let (none, waited_for) = (no_heartbeat(one_way), format::duration(waited));
    Explanation::new(format!(
        "the server sends {none} and closed no idle client in {waited_for}: a client that vanishes stays connected for at least this long"
    ))
    .with_duration("waited", waited)
}

pub fn longest_detection(at_most: Duration) -> Explanation {
    Explanation::new(format!(
        "a client that dies just after an answer may stay connected for up to {} (by the policy)",
        format::duration(at_most)
    ))
    .with_duration("at_most", at_most)
}

fn with_schedule(said: Explanation, beats: &ServerSchedule) -> Explanation {
    said.with("heartbeat", beats.event_kind.label()).with_some("interval", beats.interval)
}

/// A timer beside another rule, which closes clients that do not answer.
pub fn timer_besides(idle: &IdlePolicy, beats: Option<&ServerSchedule>) -> Explanation {
    with_timer(format!("clients that only answer are closed by {}", timer(idle)), idle, beats)
}

/// The only rule. `closed`: how the mute client was closed.
pub fn idle_timer(
    idle: &IdlePolicy,
    beats: Option<&ServerSchedule>,
    closed: Option<&CloseKind>,
    one_way: bool,
) -> Explanation {
    let (timer, whose) = (timer(idle), whose(closed));
    let message = match beats.map(beat) {
        Some(beat) => format!(
            "the server sends {beat}, but answers to it do not keep a client connected: it has {timer}{whose}"
        ),
        None => format!("the server sends {}, but has {timer}{whose}", no_heartbeat(one_way)),
    };
    with_timer(message, idle, beats)
}

fn with_timer(message: String, idle: &IdlePolicy, beats: Option<&ServerSchedule>) -> Explanation {
    let said = Explanation::new(message)
        .with_duration("timeout", idle.after)
        .with("edge", idle.edge.label())
        .with("needs", idle.needs.label());
    match beats {
        Some(beats) => with_schedule(said, beats),
        None => said,
    }
}

fn no_heartbeat(one_way: bool) -> &'static str {
    if one_way { "no heartbeat that needs an answer" } else { "no heartbeat" }
}

/// What closes a connection without a close frame may know no WebSocket.
fn whose(closed: Option<&CloseKind>) -> &'static str {
    match closed {
        Some(
            CloseKind::Fin
            | CloseKind::Rst
            | CloseKind::H2EndStream
            | CloseKind::H2RstStream { .. }
            | CloseKind::H2Goaway { .. },
        ) => "; it is the server's, or that of a proxy in front of it",
        Some(_) | None => "",
    }
}

/// `a timer of about 61.2 s; Pings of the client restart it`
fn timer(IdlePolicy { after, edge, needs }: &IdlePolicy) -> String {
    let needs = match needs {
        RequiredTraffic::AnyFrame => "Pings of the client restart it",
        RequiredTraffic::OwnFrames => {
            "frames that the client sends by itself restart it, Pings too; answers do not"
        }
        RequiredTraffic::Messages => "only messages restart it, Pings do not",
    };
    let after = format::duration(*after);
    let length = match edge {
        TimerKind::Sharp => format!("about {after}"),
        TimerKind::Swept => {
            format!("at most {after} (all were closed at one moment: the server checks at intervals)")
        }
        TimerKind::Unknown => format!("at most {after}"),
    };
    format!("a timer of {length}; {needs}")
}

/// `a Ping frame every 30 s`
fn beat(beats: &ServerSchedule) -> String {
    let what = match beats.event_kind {
        ServerEventKind::AppPing => "an app ping",
        ServerEventKind::Ping
        | ServerEventKind::Pong
        | ServerEventKind::KeepAlive
        | ServerEventKind::Message => "a Ping frame",
    };
    let every = beats.interval.map_or_else(
        || " at an unknown interval".to_string(),
        |interval| format!(" every {}", format::duration(interval)),
    );
    format!("{what}{every}")
}

/// `consistent with Python websockets: pings every 20 s ...; it closes with ...`
pub fn library(found: &LibraryMatch) -> Explanation {
    let ReapingDefault { id, name, goodbye, words, .. } = found.library;
    let goodbye = match goodbye {
        Goodbye::Unknown => String::new(),
        Goodbye::Frame(_) | Goodbye::Words(..) | Goodbye::Terminates => format!("; it {goodbye}"),
    };
    let message = if found.is_default {
        format!("consistent with {name}: {words}{goodbye}")
    } else {
        format!("consistent with {name}{goodbye} with other settings than its defaults ({words})")
    };
    Explanation::new(message).with("library", *id).with("is_default", found.is_default)
}
