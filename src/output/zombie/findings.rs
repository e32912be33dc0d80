//! What the findings of `probe-zombie` say, what to do, and their data: the only place of these sentences.

use std::time::Duration;

use super::client_names::{labels, list, names};
use super::{policy_words, run_limits};
use crate::domain::connection::close_cause::close_code_meaning;
use crate::domain::format;
use crate::domain::label::Label;
use crate::domain::run::run_result::RunResult;
use crate::domain::run::truth::Truth;
use crate::domain::zombie::report::ZombieReport;
use crate::domain::zombie::{Behaviour, TrafficEvidence, ZombieFinding};
use crate::output::view::Explanation;

/// The reasons of the result, one line each: first an expectation that is not met or unknown.
pub fn reasons(report: &ZombieReport) -> Vec<String> {
    expected(report).into_iter().chain(report.reasons.iter().map(line)).collect()
}

fn expected(report: &ZombieReport) -> Option<String> {
    let (expectation, truth) = report.expectation.as_ref()?;
    let expected = format!("expected dead clients to be closed {}", expectation.words());
    match (report.verdict, truth) {
        (RunResult::Failed, Truth::False(found)) => Some(format!("{expected}, but {found}")),
        // In an inconclusive run the findings say why.
        (RunResult::Inconclusive, Truth::Unknown(why)) if report.findings.conclusion().is_some() => {
            Some(format!("{expected}, which is unknown: {why}"))
        }
        (_, _) => None,
    }
}

/// What a finding says and what to do, on one line.
fn line(finding: &ZombieFinding) -> String {
    explain(finding).line()
}

/// What a finding says, what to do, and its data.
pub fn explain(finding: &ZombieFinding) -> Explanation {
    match finding {
        ZombieFinding::ReapsDeadClients { .. }
        | ZombieFinding::ZombiesKept { .. }
        | ZombieFinding::HalfClosedKept { .. } => conclusion(finding),
        ZombieFinding::GivesUpUnanswered(_)
        | ZombieFinding::UnansweredTolerated { .. }
        | ZombieFinding::IdleTimer { .. }
        | ZombieFinding::NoHeartbeatAndNoTimer { .. }
        | ZombieFinding::PolicyUnclear
        | ZombieFinding::LongestDetection { .. }
        | ZombieFinding::SkipsActiveClients
        | ZombieFinding::ConsistentWithLibrary(_) => policy_words::explain(finding),
        ZombieFinding::AppTrafficNeeded(_) | ZombieFinding::AppTrafficNotNeeded { .. } => {
            app_traffic(finding)
        }
        ZombieFinding::UnknownMessages { .. }
        | ZombieFinding::ServerRelaysMessages
        | ZombieFinding::HostStalled { .. }
        | ZombieFinding::ControlNotOpened { .. }
        | ZombieFinding::ControlEnded { .. }
        | ZombieFinding::ControlUnanswered { .. }
        | ZombieFinding::ServerPaused { .. }
        | ZombieFinding::ControlUnconfirmed
        | ZombieFinding::ControlNotOutlived { .. }
        | ZombieFinding::KeptAtInterrupt { .. }
        | ZombieFinding::WaitedTooShort { .. }
        | ZombieFinding::Interrupted { .. }
        | ZombieFinding::InterruptedWhileOpening { .. }
        | ZombieFinding::NotOpened(_) => run_limits::explain(finding),
        ZombieFinding::PerhapsConnectionLimit { .. }
        | ZombieFinding::ClientNotOpened { .. }
        | ZombieFinding::ClientNotClosedByServer { .. }
        | ZombieFinding::PathDropped { .. }
        | ZombieFinding::LastPingUnanswered { .. }
        | ZombieFinding::UnrelatedCloseCode { .. }
        | ZombieFinding::PerhapsRestart { .. }
        | ZombieFinding::SilenceNotTheReason { .. } => client(finding),
    }
}

fn conclusion(finding: &ZombieFinding) -> Explanation {
    let (claim, detail) = headline(finding).unwrap_or_default();
    let said = Explanation::new(format!("{claim}{detail}"));
    match finding {
        ZombieFinding::ReapsDeadClients { longest: Some(longest), at_latest } => {
            said.with_duration("longest", *longest).with("at_latest", *at_latest)
        }
        ZombieFinding::ZombiesKept { clients, kept } => said
            .remedy("use a longer --max to see whether it closes them later")
            .with("clients", labels(clients))
            .with_duration("kept", *kept),
        ZombieFinding::HalfClosedKept { kept } => said.with_duration("kept", *kept),
        _ => said,
    }
}

/// The claim of a conclusion, and the detail after it; `None` for any other finding.
pub fn headline(finding: &ZombieFinding) -> Option<(&'static str, String)> {
    Some(match finding {
        ZombieFinding::ReapsDeadClients { longest, at_latest } => {
            let most = if *at_latest { "at most " } else { "" };
            let longest = longest.map(format::duration).unwrap_or_default();
            ("the server closes dead clients", format!(": it closed the last one after {most}{longest}"))
        }
        ZombieFinding::ZombiesKept { clients, kept } => {
            let (names, kept) = (list(clients), format::duration(*kept));
            ("the server keeps dead clients", format!(": {names} still open after {kept}"))
        }
        ZombieFinding::HalfClosedKept { kept } => {
            let kept = format::duration(*kept);
            ("the server keeps a client that has sent FIN", format!(": it was still open after {kept}"))
        }
        _ => return None,
    })
}

/// Whether a client that only answers, or only pings, is kept.
fn app_traffic(finding: &ZombieFinding) -> Explanation {
    match finding {
        ZombieFinding::AppTrafficNotNeeded { kept }
        | ZombieFinding::AppTrafficNeeded(TrafficEvidence::NotNeeded { kept }) => Explanation::new(format!(
            "app traffic is not needed: clients that only answer or only ping stayed connected for {}",
            format::duration(*kept)
        ))
        .with_duration("kept", *kept),
        ZombieFinding::AppTrafficNeeded(TrafficEvidence::Pings { quiet }) => Explanation::new(format!(
            "app traffic is needed: a client that only answers was closed after {}; Pings were enough",
            format::duration(*quiet)
        ))
        .with_duration("quiet_closed", *quiet),
        ZombieFinding::AppTrafficNeeded(TrafficEvidence::Messages { quiet, pings }) => Explanation::new(format!(
            "app traffic is needed, as messages: a client that only answers was closed after {}, one that only pings after {}",
            format::duration(*quiet),
            format::duration(*pings)
        ))
        .with_duration("quiet_closed", *quiet)
        .with_duration("pings_only_closed", *pings),
        ZombieFinding::AppTrafficNeeded(TrafficEvidence::Answers { pings }) => Explanation::new(format!(
            "app traffic is needed, as answers to app pings: a client that only sends Ping frames was closed after {}, one that only \
             answers was not",
            format::duration(*pings)
        ))
        .with_duration("pings_only_closed", *pings),
        _ => Explanation::default(),
    }
}

/// What the end of one client does not show.
fn client(finding: &ZombieFinding) -> Explanation {
    match finding {
        ZombieFinding::PerhapsConnectionLimit { client, after } => connection_limit(*client, *after),
        ZombieFinding::ClientNotOpened { client, why } => {
            unusable(*client, format!("could not be opened: {why}"))
        }
        ZombieFinding::ClientNotClosedByServer { client, ending } => {
            unusable(*client, format!("was not closed by the server: {ending}"))
        }
        ZombieFinding::PathDropped { clients, after } => path_dropped(clients, *after),
        ZombieFinding::LastPingUnanswered { client } => unusable(
            *client,
            "was still connected, but its last Ping was not answered: the server, or the path, had dropped it \
             silently",
        ),
        ZombieFinding::UnrelatedCloseCode { client, code } => {
            let meaning = close_code_meaning(*code);
            about(*client, format!("was closed by close {code} ({meaning}): silence may not be the reason"))
                .with("code", *code)
        }
        ZombieFinding::PerhapsRestart { client } => about(
            *client,
            format!(
                "was closed by close 1001 ({}), and others of any age with it: perhaps a restart",
                close_code_meaning(1001)
            ),
        ),
        ZombieFinding::SilenceNotTheReason { client, after, kept } => not_the_reason(*client, *after, *kept),
        _ => Explanation::default(),
    }
}

/// A client that shows nothing. Only the quiet and the pings-only client show how their like are treated.
fn unusable(client: Behaviour, what: impl AsRef<str>) -> Explanation {
    let so = if client.is_dead() { "" } else { "; so it is unknown how the server treats such clients" };
    about(client, format!("{}{so}", what.as_ref()))
}

/// `the mute client was ...`
fn about(client: Behaviour, what: impl AsRef<str>) -> Explanation {
    Explanation::new(format!("the {} client {}", client.name(), what.as_ref())).with("client", client.label())
}

fn connection_limit(client: Behaviour, after: Duration) -> Explanation {
    let closed = format::duration(after);
    about(
        client,
        format!("was closed after {closed}, but a client that sent no more than it was not: perhaps a connection limit"),
    )
    .remedy("test with a smaller --every, and with fewer other connections")
    .with_duration("after", after)
}

fn not_the_reason(client: Behaviour, after: Duration, kept: Behaviour) -> Explanation {
    let received = match client {
        Behaviour::Stalled => "it had received nothing by then",
        _ => "it had nothing to answer by then",
    };
    let (closed, other) = (format::duration(after), kept.name());
    about(
        client,
        format!(
            "was closed after {closed}, but the {other} one, equally silent because {received}, was not: silence may \
             not be the reason"
        ),
    )
    .with_duration("after", after)
}

fn path_dropped(clients: &[Behaviour], after: Option<Duration>) -> Explanation {
    let names = names(clients);
    let said = match after {
        Some(after) => Explanation::new(format!(
            "after {} the peer no longer knew the connection of {names}, and no end had been received: the path dropped \
             it, or lost the server's close",
            format::duration(after)
        ))
        .remedy("`wscheck probe-idle` measures after how long a path drops connections; use a shorter --max"),
        None => Explanation::new(format!(
            "{names} lost its connection on the path; so it is unknown how the server treats such clients"
        )),
    };
    said.with("clients", labels(clients))
}
