//! What happens, a line each, in the manner of ping(8).

use std::time::Duration;

use crate::domain::connection::connect_info::ConnectError;
use crate::domain::connection::goaway::GoawayNotice;
use crate::domain::format::{self, counted};
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome, StrayPong};
use crate::domain::label::Label;
use crate::domain::ping::event::{HeartbeatResult, ServerPingKind, StatusChange};
use crate::domain::ping::run_info::RunInfo;
use crate::output::human::Styler;

/// What is measured: `protocol heartbeats every 1 s, timeout 10 s`.
pub fn plan(info: &RunInfo) -> String {
    let kinds = format::list(&info.kinds.iter().map(|kind| kind.label()).collect::<Vec<_>>());
    let preset = info.preset.as_ref().and_then(|used| used.preset);
    let whose = preset.map(|preset| format!(", preset {}", preset.name)).unwrap_or_default();
    let pace = match info.interval {
        Some(interval) => format!("every {}", format::duration(interval)),
        None => "as soon as the last is answered".to_string(),
    };
    format!("{kinds} heartbeats {pace}, timeout {}{whose}", format::duration(info.timeout))
}

/// One heartbeat's outcome: `seq=3 protocol rtt=0.214 ms`.
pub fn beat(paint: Styler, info: &RunInfo, beat: &HeartbeatResult) -> String {
    let kind_width = info.kinds.iter().map(|kind| kind.label().len()).max().unwrap_or(0);
    let seq = format!("seq={}", beat.seq);
    let seq_width = info.count.map_or(0, |count| 4 + count.saturating_sub(1).to_string().len());
    let what = paint.outcome(beat.outcome, &outcome(info.timeout, beat));
    format!("{seq:<seq_width$} {:<kind_width$} {what}", beat.kind.label())
}

fn outcome(timeout: Duration, beat: &HeartbeatResult) -> String {
    let rtt = beat.rtt.map_or_else(|| "rtt unknown".to_string(), |rtt| format!("rtt={}", format::rtt(rtt)));
    let was = beat.was.map(|was| format!(" (was {was})")).unwrap_or_default();
    match beat.outcome {
        HeartbeatOutcome::Ok => format!("{rtt}{was}{}", rivals(beat.rivals)),
        HeartbeatOutcome::Late => format!("late: {rtt}{was}{}", rivals(beat.rivals)),
        HeartbeatOutcome::Missed => format!("missed: {}{was}", why_missed(timeout, beat)),
        HeartbeatOutcome::Superseded => format!(
            "superseded: no pong of its own (a later ping was answered; the server may have held both){was}"
        ),
        HeartbeatOutcome::Unsent => format!("unsent: {}{was}", why_unsent(beat)),
    }
}

fn why_unsent(beat: &HeartbeatResult) -> String {
    match beat.exhausted_window {
        Some(window) => format!("the server grants no room for it ({})", window.sentence()),
        None if beat.kind == HeartbeatKind::Http2 => {
            "the PING before it is not acknowledged, and only one can be in flight".to_string()
        }
        None => "it did not leave this machine".to_string(),
    }
}

fn why_missed(timeout: Duration, beat: &HeartbeatResult) -> String {
    let answer = answer(beat.kind);
    match (beat.kind, beat.later_answered) {
        (_, false) => format!("no {answer} within {}", format::duration(timeout)),
        (HeartbeatKind::Protocol, true) => format!("no {answer} of its own (a later ping was answered)"),
        (HeartbeatKind::App | HeartbeatKind::Http2, true) => {
            format!("no {answer} within {} (others were answered since)", format::duration(timeout))
        }
    }
}

fn answer(kind: HeartbeatKind) -> &'static str {
    match kind {
        HeartbeatKind::Protocol => "pong",
        HeartbeatKind::App => "answer",
        HeartbeatKind::Http2 => "acknowledgement",
    }
}

fn rivals(rivals: u32) -> String {
    match rivals {
        0 | 1 => String::new(),
        several => format!(" (no id: matched in order, {several} outstanding)"),
    }
}

/// A pong that answers nothing.
pub fn stray(paint: Styler, kind: HeartbeatKind, stray: StrayPong) -> String {
    let why = match stray {
        StrayPong::Unsolicited => "no ping was outstanding",
        StrayPong::Mismatched => "it matches no ping of ours",
        StrayPong::Duplicate => "that ping was already answered",
    };
    paint.caution(&format!("stray {kind} {}: {}: {why}", answer(kind), stray.label()))
}

/// `status: healthy -> timeout: 1 heartbeat missed in a row`
pub fn status(paint: Styler, change: &StatusChange) -> String {
    let of = change.kind.map(|kind| format!("{kind} ")).unwrap_or_default();
    let to = paint.status(change.to, change.to.label());
    format!("{of}status: {} -> {to}: {}", change.from.label(), change.reason)
}

/// `the peer ends the connection of HTTP/2 after 2 s (GOAWAY NO_ERROR, last stream 1): …`
pub fn goaway(paint: Styler, notice: &GoawayNotice) -> String {
    let GoawayNotice { goaway, age } = notice;
    let age = format::duration(*age);
    paint.caution(&format!(
        "the peer announced after {age} that it ends the HTTP/2 connection ({goaway}): no new streams; this one may go on"
    ))
}

/// An attempt to open it again that failed.
pub fn failed_again(error: &ConnectError) -> String {
    format!("reconnect failed: {}: {}", error.phase, error.cause)
}

/// A server's own heartbeat, shown once.
pub fn server_ping(kind: ServerPingKind, answered: bool) -> String {
    let answered = if answered { "answered" } else { "not answered" };
    format!("the server sends its own {kind} pings ({answered}); from here on they are only counted")
}

/// Our own app ping came back, shown once.
pub fn echo() -> String {
    "our app ping came back unchanged: the server echoes messages and does not answer them".to_string()
}

/// `attempt` counts from the last connection that lasted, not only in this outage.
pub fn retry(attempt: u32, after: Duration) -> String {
    let after = format::duration(after);
    format!("reconnecting in {after} (attempt {attempt} since the last lasting connection)")
}

pub fn reconnected(outage: Duration, attempts: u32) -> String {
    let (outage, attempts) = (format::duration(outage), counted(attempts, "attempt"));
    format!("reconnected after {outage} without a connection ({attempts})")
}

pub fn gave_up(outage: Duration, attempts: u32, is_stopped: bool) -> String {
    let (attempts, outage) = (counted(attempts, "attempt"), format::duration(outage));
    if is_stopped {
        format!("not connected when the run ended: no connection for {outage} ({attempts})")
    } else {
        format!("gave up after {attempts}: no connection for {outage}")
    }
}
