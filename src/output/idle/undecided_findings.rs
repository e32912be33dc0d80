//! Why a search found no answer: what to do about it, and the figures.

use crate::domain::format::at_least;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::idle::{DeathCount, UndecidedCause};
use crate::domain::label::Label;
use crate::output::view::Explanation;

/// The cause with its remedy and figures.
pub fn explain(cause: &UndecidedCause) -> Explanation {
    let found = with_figures(Explanation::new(cause.to_string()), cause);
    match remedy(cause) {
        Some(remedy) => found.remedy(remedy),
        None => found,
    }
}

fn remedy(cause: &UndecidedCause) -> Option<String> {
    Some(match cause {
        UndecidedCause::ConnectionLimit { open, allowed, .. } if *open >= 3 && open < allowed => {
            format!("try --max-connections {open}")
        }
        UndecidedCause::LifetimeOrIdleTimeout { age, .. } => {
            let before = at_least(age.reconnect_before());
            format!(
                "either send an app heartbeat (a message) every {before}, or reconnect before a connection is \
                 {before} old: --app-ping TEMPLATE or --allow-messages shows which"
            )
        }
        cause => fixed_remedy(cause)?.to_string(),
    })
}

fn fixed_remedy(cause: &UndecidedCause) -> Option<&'static str> {
    Some(match cause {
        UndecidedCause::ConnectionLimit { .. } | UndecidedCause::TooFewConnections { .. } => {
            "allow this client at least 3 connections at once"
        }
        UndecidedCause::SessionReplaced { .. } => "use credentials that allow several sessions at once",
        UndecidedCause::NoConnectionStayed { .. } => {
            "if the server expects a message first, give it with --send"
        }
        UndecidedCause::AllEndBelowMin { .. } => "lower --min to measure it",
        UndecidedCause::ServerBecameUnreachable { .. } => "run it again when the server is reachable",
        UndecidedCause::LaterConnectionsRefused { .. } => "use a token that is valid for several connections",
        UndecidedCause::ControlEndedAtOnce { .. } => "`wscheck ping` shows what ends the connection",
        UndecidedCause::ControlUnanswered { kind: HeartbeatKind::Protocol } => {
            "use app heartbeats: --heartbeat app with --app-ping TEMPLATE or --preset NAME"
        }
        UndecidedCause::ControlUnanswered { kind: HeartbeatKind::App } => {
            "check the message of --app-ping and the pattern of --app-pong"
        }
        UndecidedCause::ControlEndedToo { .. } => "run it again: ends at the same age show a lifetime",
        UndecidedCause::RepeatedRestarts { .. } => "run it again when the server does not restart",
        UndecidedCause::PathUnsteady { .. } => {
            "run it again on a steadier path; `wscheck ping` shows its losses"
        }
        UndecidedCause::EndsDisagree | UndecidedCause::MixedOutcomes { .. } => {
            "run it again with a higher --repeat"
        }
        UndecidedCause::LifetimeOutlived { .. } => "run it again: something else may have ended connections",
        UndecidedCause::LimitReached { .. } => "run it again with a lower --max or a wider --precision",
        UndecidedCause::LifetimeOrIdleTimeout { .. } | UndecidedCause::Interrupted => return None,
    })
}

fn with_figures(found: Explanation, cause: &UndecidedCause) -> Explanation {
    match cause {
        UndecidedCause::ConnectionLimit { open, ended, .. } => {
            found.with("open", *open).with("ended", *ended)
        }
        UndecidedCause::SessionReplaced { ended, .. } => found.with("ended", *ended),
        UndecidedCause::NoConnectionStayed { within, .. } => found.with_duration("within", *within),
        UndecidedCause::AllEndBelowMin { shortest, longest, min, .. } => found
            .with_duration("shortest", *shortest)
            .with_duration("longest", *longest)
            .with_duration("min", *min),
        UndecidedCause::TooFewConnections { open, .. } => found.with("open", *open),
        UndecidedCause::ControlUnanswered { kind } => found.with("kind", kind.label()),
        UndecidedCause::ControlEndedToo { age } | UndecidedCause::LifetimeOutlived { age, .. } => {
            found.with_duration("age", *age)
        }
        UndecidedCause::RepeatedRestarts { rounds, .. } | UndecidedCause::PathUnsteady { rounds, .. } => {
            found.with("rounds", *rounds)
        }
        UndecidedCause::LifetimeOrIdleTimeout { age, messages_tried } => {
            found.with_duration("age", age.lo).with("messages_tried", *messages_tried)
        }
        UndecidedCause::MixedOutcomes { deaths } => with_deaths(found, deaths),
        UndecidedCause::LimitReached { connections, elapsed, deaths } => {
            with_deaths(found.with("connections", *connections).with_duration("elapsed", *elapsed), deaths)
        }
        UndecidedCause::ServerBecameUnreachable { .. }
        | UndecidedCause::LaterConnectionsRefused { .. }
        | UndecidedCause::ControlEndedAtOnce { .. }
        | UndecidedCause::EndsDisagree
        | UndecidedCause::Interrupted => found,
    }
}

fn with_deaths(found: Explanation, deaths: &DeathCount) -> Explanation {
    found.with("died", deaths.spans.len()).with("survived", deaths.survived)
}
