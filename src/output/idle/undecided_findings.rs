//! Why a search found no answer: what it says, what to do about it, and the figures.

use std::time::Duration;

use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::format::{at_least, counted, duration as show};
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::idle::refresh::KeepaliveMethod;
use crate::domain::idle::{DeathCount, LifetimeCap, UndecidedCause, VisibleEnd};
use crate::domain::label::Label;
use crate::output::flow_control;
use crate::output::view::Explanation;

/// The cause with its remedy and figures.
pub fn explain(cause: &UndecidedCause) -> Explanation {
    match cause {
        UndecidedCause::ConnectionLimit { open, ended, visible_end, allowed } => {
            connection_limit(*open, *ended, visible_end.as_ref(), *allowed)
        }
        UndecidedCause::SessionReplaced { ended, visible_end } => {
            session_replaced(*ended, visible_end.as_ref())
        }
        UndecidedCause::NoConnectionStayed { within, visible_end } => {
            no_connection_stayed(*within, visible_end.as_ref())
        }
        UndecidedCause::AllEndBelowMin { shortest, longest, min, visible_end } => {
            all_end_below_min((*shortest, *longest), *min, visible_end.as_ref())
        }
        UndecidedCause::ServerBecameUnreachable { why } => {
            Explanation::new(format!("the server became unreachable: {why}"))
                .remedy("run it again when the server is reachable")
        }
        UndecidedCause::LaterConnectionsRefused { why } => later_connections_refused(why),
        UndecidedCause::TooFewConnections { open, why } => too_few_connections(*open, why),
        UndecidedCause::ControlEndedAtOnce { visible_end } => Explanation::new(immediate_end(visible_end))
            .remedy("`wscheck ping` shows what ends the connection"),
        UndecidedCause::ControlUnanswered { kind } => control_unanswered(*kind),
        UndecidedCause::HeldBackByFlowControl { window } => held_back(*window),
        UndecidedCause::ControlEndedToo { age } => control_ended_too(*age),
        UndecidedCause::RepeatedRestarts { rounds, moments } => repeated_restarts(*rounds, moments),
        UndecidedCause::PathUnsteady { rounds, ages } => path_unsteady(*rounds, ages),
        UndecidedCause::EndsDisagree => {
            Explanation::new("the connections' ends do not agree on a timeout").remedy(MORE_REPEATS)
        }
        UndecidedCause::LifetimeOrIdleTimeout { age, messages_tried } => {
            lifetime_or_idle_timeout(*age, *messages_tried)
        }
        UndecidedCause::LifetimeOutlived { age, by } => lifetime_outlived(*age, *by),
        UndecidedCause::MixedOutcomes { deaths } => mixed_outcomes(deaths),
        UndecidedCause::LimitReached { connections, elapsed, deaths } => {
            limit_reached(*connections, *elapsed, deaths)
        }
        UndecidedCause::Interrupted => Explanation::new("interrupted"),
    }
}

const MORE_REPEATS: &str = "run it again with a higher --repeat";
const MORE_CONNECTIONS: &str = "allow this client at least 3 connections at once";

fn with_deaths(found: Explanation, deaths: &DeathCount) -> Explanation {
    found.with("died", deaths.spans.len()).with("survived", deaths.survived)
}

/// How connections ended: ` (peer closed TCP (FIN) without a close frame)`.
fn how(visible_end: Option<&VisibleEnd>) -> String {
    visible_end.map_or_else(String::new, |end| {
        format!(" ({})", CloseCause::describe(ClosedBy::Peer, &end.how, None))
    })
}

/// Why there is nothing to search; names what the server sent, if wscheck closed because of it.
fn immediate_end(visible_end: &VisibleEnd) -> String {
    let twice = "the control connection ended at once, twice";
    let by = match visible_end.how {
        CloseKind::Violation { .. } => ClosedBy::Peer,
        CloseKind::TooLarge { .. } => ClosedBy::Us,
        CloseKind::CloseFrame { .. }
        | CloseKind::Fin
        | CloseKind::Rst
        | CloseKind::TlsClose
        | CloseKind::H2EndStream
        | CloseKind::H2RstStream { .. }
        | CloseKind::H2Goaway { .. }
        | CloseKind::TlsAlert { .. }
        | CloseKind::Silent
        | CloseKind::Timeout
        | CloseKind::Error => return twice.to_string(),
    };
    format!("{twice}: {}", CloseCause::describe(by, &visible_end.how, None))
}

fn all_shown(times: &[Duration]) -> String {
    times.iter().map(|time| show(*time)).collect::<Vec<_>>().join(", ")
}

fn connection_limit(
    open: usize,
    ended: usize,
    visible_end: Option<&VisibleEnd>,
    allowed: usize,
) -> Explanation {
    let number = counted(open as u64, "connection");
    let accepted = if open == 1 { "one connection" } else { &number };
    let is_enough = open >= 3 && open < allowed;
    Explanation::new(format!(
        "{number} stayed open, and {} ended right after opening{}: perhaps the server accepts only {accepted} per client",
        counted(ended as u64, "connection"),
        how(visible_end)
    ))
    .remedy(if is_enough { format!("try --max-connections {open}") } else { MORE_CONNECTIONS.to_string() })
    .with("open", open)
    .with("ended", ended)
}

fn session_replaced(ended: usize, visible_end: Option<&VisibleEnd>) -> Explanation {
    Explanation::new(format!(
        "{} ended when the next one opened{}: perhaps the server allows one session per client, and a new one \
         replaces it",
        counted(ended as u64, "connection"),
        how(visible_end)
    ))
    .remedy("use credentials that allow several sessions at once")
    .with("ended", ended)
}

fn no_connection_stayed(within: Duration, visible_end: Option<&VisibleEnd>) -> Explanation {
    Explanation::new(format!(
        "every connection ended right after opening{}, at most {} later: perhaps the server accepts one connection \
         per client, a ticket is valid only once, or the server expects a message first",
        how(visible_end),
        show(within)
    ))
    .remedy("if the server expects a message first, give it with --send")
    .with_duration("within", within)
}

fn all_end_below_min(
    (shortest, longest): (Duration, Duration),
    min: Duration,
    visible_end: Option<&VisibleEnd>,
) -> Explanation {
    Explanation::new(format!(
        "every connection ended within {} of opening{}, none before {}: an idle timeout or a lifetime below --min {}",
        show(longest),
        how(visible_end),
        show(shortest),
        show(min)
    ))
    .remedy("lower --min to measure it")
    .with_duration("shortest", shortest)
    .with_duration("longest", longest)
    .with_duration("min", min)
}

fn later_connections_refused(why: &str) -> Explanation {
    Explanation::new(format!(
        "the first connection opened, and every later one was refused ({why}): perhaps a ticket or token is valid \
         only once, or the server accepts one connection per client"
    ))
    .remedy("use a token that is valid for several connections")
}

fn too_few_connections(open: usize, why: &str) -> Explanation {
    let number = counted(open as u64, "connection");
    Explanation::new(format!("only {number} could be open at once: {why}"))
        .remedy(MORE_CONNECTIONS)
        .with("open", open)
}

fn control_unanswered(kind: HeartbeatKind) -> Explanation {
    let (what, remedy) = match kind {
        HeartbeatKind::Protocol | HeartbeatKind::Http2 => {
            ("Ping frames", "use app heartbeats: --heartbeat app with --app-ping TEMPLATE or --preset NAME")
        }
        HeartbeatKind::App => {
            ("such messages", "check the message of --app-ping and the pattern of --app-pong")
        }
    };
    Explanation::new(format!(
        "the control was not answered, twice: perhaps the server does not answer {what}"
    ))
    .remedy(remedy)
    .with("kind", kind.label())
}

fn held_back(window: ExhaustedWindow) -> Explanation {
    Explanation::new(format!(
        "a heartbeat did not leave in time, because the peer's flow control granted no room for it ({}): its missing answer \
         shows nothing about the path or the server",
        window.sentence()
    ))
    .remedy(flow_control::REMEDY)
    .with("window", window.label())
}

fn control_ended_too(age: Duration) -> Explanation {
    Explanation::new(format!(
        "the control, which is never idle, ended at the age of {}, too: a lifetime or restarts may explain all ends",
        show(age)
    ))
    .remedy("run it again: ends at the same age show a lifetime")
    .with_duration("age", age)
}

fn repeated_restarts(rounds: u32, moments: &[Duration]) -> Explanation {
    Explanation::new(format!(
        "{rounds} rounds were void: connections ended at the same moment {} into the run: the server restarts or \
         reloads, the path fails, or the server checks now and then which connections are idle",
        all_shown(moments)
    ))
    .remedy("run it again when the server does not restart")
    .with("rounds", rounds)
}

fn path_unsteady(rounds: u32, ages: &[Duration]) -> Explanation {
    let ages = all_shown(ages);
    Explanation::new(format!("{rounds} rounds were void: the control died at the age of {ages}"))
        .remedy("run it again on a steadier path; `wscheck ping` shows its losses")
        .with("rounds", rounds)
}

fn lifetime_or_idle_timeout(age: LifetimeCap, messages_tried: bool) -> Explanation {
    let why = if messages_tried {
        "the connection that also sent messages ended earlier, or did not open"
    } else {
        "no messages were tried (--app-ping, --allow-messages)"
    };
    let before = at_least(age.reconnect_before());
    Explanation::new(format!(
        "connections that sent Ping frames all the time ended at the age of {age}, too: a lifetime, or an idle \
         timeout that only messages reset; {why}"
    ))
    .remedy(format!(
        "either send an app heartbeat (a message) every {before}, or reconnect before a connection is \
         {before} old: --app-ping TEMPLATE or --allow-messages shows which"
    ))
    .with_duration("age", age.lo)
    .with("messages_tried", messages_tried)
}

fn lifetime_outlived(age: Duration, by: KeepaliveMethod) -> Explanation {
    Explanation::new(format!(
        "connections that were never idle ended at the age of {}, but {} outlived it",
        show(age),
        by.words()
    ))
    .remedy("run it again: something else may have ended connections")
    .with_duration("age", age)
}

fn mixed_outcomes(deaths: &DeathCount) -> Explanation {
    let message = format!("{deaths}, and others survived longer spans: too few to know why");
    with_deaths(Explanation::new(message).remedy(MORE_REPEATS), deaths)
}

fn limit_reached(connections: u32, elapsed: Duration, deaths: &DeathCount) -> Explanation {
    let (number, took) = (counted(u64::from(connections), "connection"), show(elapsed));
    let found = Explanation::new(format!("undecided after {number} in {took}, the limit: {deaths}"))
        .remedy("run it again with a lower --max or a wider --precision")
        .with("connections", connections)
        .with_duration("elapsed", elapsed);
    with_deaths(found, deaths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::untrusted_text::UntrustedText;

    #[test]
    fn suspected_limit_quotes_the_close_frame() {
        let reason = UntrustedText::new("too many");
        let visible_end = Some(CloseKind::CloseFrame { code: Some(1013), reason }.into());
        let cause = UndecidedCause::ConnectionLimit { open: 4, ended: 2, visible_end, allowed: 16 };
        assert_eq!(
            explain(&cause).message,
            "4 connections stayed open, and 2 connections ended right after opening (peer sent close 1013 (try again \
             later) \"too many\"): perhaps the server accepts only 4 connections per client"
        );
    }

    #[test]
    fn suspected_limit_is_named_with_the_end_that_was_seen() {
        let limit = |open| UndecidedCause::ConnectionLimit {
            open,
            ended: 2,
            visible_end: Some(CloseKind::Fin.into()),
            allowed: 16,
        };
        let says = |cause: UndecidedCause, part: &str| {
            let words = explain(&cause).message;
            assert!(words.contains(part), "{words}");
        };
        says(limit(1), "perhaps the server accepts only one connection per client");
        says(limit(4), "perhaps the server accepts only 4 connections per client");
        says(limit(4), "FIN");
        let (shortest, longest, min) =
            (Duration::from_millis(200), Duration::from_millis(300), Duration::from_secs(1));
        let all = UndecidedCause::AllEndBelowMin { shortest, longest, min, visible_end: None };
        says(
            all,
            "within 300 ms of opening, none before 200 ms: an idle timeout or a lifetime below --min 1 s",
        );
    }
}
