//! What the findings of `probe-zombie` say, what to do, and their data: the only place of these sentences.

use std::time::Duration;

use super::client_names::{labels, list, names};
use super::policy_words;
use super::run_limits::{
    control_ended, control_not_opened, control_not_outlived, control_unanswered, control_unconfirmed,
    held_back, interrupted, kept_at_interrupt, relays_messages, server_paused, stalled, unknown_messages,
    waited_too_short,
};
use crate::domain::connection::close_cause::close_code_meaning;
use crate::domain::format;
use crate::domain::label::Label;
use crate::domain::run::run_result::RunResult;
use crate::domain::run::truth::Truth;
use crate::domain::zombie::report::ZombieReport;
use crate::domain::zombie::{Behaviour, TrafficEvidence, ZombieFinding};
use crate::output::goaway_finding;
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
        ZombieFinding::ReapsDeadClients { longest, at_latest } => reaps(*longest, *at_latest),
        ZombieFinding::ZombiesKept { clients, kept } => zombies_kept(clients, *kept),
        ZombieFinding::HalfClosedKept { kept } => half_closed_kept(*kept),
        ZombieFinding::GivesUpUnanswered(policy) => policy_words::gives_up(policy),
        ZombieFinding::UnansweredTolerated { beats, waited } => policy_words::tolerates(beats, *waited),
        ZombieFinding::IdleTimer { idle, beats, besides: true, .. } => {
            policy_words::timer_besides(idle, beats.as_ref())
        }
        ZombieFinding::IdleTimer { idle, beats, besides: false, closed, one_way } => {
            policy_words::idle_timer(idle, beats.as_ref(), closed.as_ref(), *one_way)
        }
        ZombieFinding::NoHeartbeatAndNoTimer { waited, one_way } => {
            policy_words::keeps_all(*waited, *one_way)
        }
        ZombieFinding::PolicyUnclear => policy_unclear(),
        ZombieFinding::LongestDetection { at_most } => policy_words::longest_detection(*at_most),
        ZombieFinding::SkipsActiveClients => {
            Explanation::new("active clients get no heartbeat: the control received none")
        }
        ZombieFinding::ConsistentWithLibrary(found) => policy_words::library(found),
        ZombieFinding::AppTrafficNeeded(evidence) => app_traffic(evidence),
        ZombieFinding::AppTrafficNotNeeded { kept } => app_traffic_not_needed(*kept),
        ZombieFinding::UnknownMessages { sample } => unknown_messages(sample),
        ZombieFinding::ServerRelaysMessages => relays_messages(),
        ZombieFinding::H2GoawayReceived { goaways } => goaway_finding::explain(goaways),
        ZombieFinding::HostStalled { span } => stalled(*span),
        ZombieFinding::ControlNotOpened { why } => control_not_opened(why),
        ZombieFinding::ControlEnded { after, ending, explanation } => {
            control_ended(*after, ending, explanation)
        }
        ZombieFinding::ControlUnanswered { after, silent } => control_unanswered(*after, *silent),
        ZombieFinding::HeldBackByFlowControl { client, window } => held_back(*client, *window),
        ZombieFinding::ServerPaused { unanswered } => server_paused(*unanswered),
        ZombieFinding::ControlUnconfirmed => control_unconfirmed(),
        ZombieFinding::ControlNotOutlived { control, quiet } => control_not_outlived(*control, *quiet),
        ZombieFinding::PerhapsConnectionLimit { client, after } => connection_limit(*client, *after),
        ZombieFinding::KeptAtInterrupt { clients, proven } => kept_at_interrupt(clients, *proven),
        ZombieFinding::ClientNotOpened { client, why } => {
            unusable(*client, format!("could not be opened: {why}"))
        }
        ZombieFinding::ClientNotClosedByServer { client, ending } => {
            unusable(*client, format!("was not closed by the server: {ending}"))
        }
        ZombieFinding::PathDropped { clients, after } => path_dropped(clients, *after),
        ZombieFinding::LastPingUnanswered { client } => last_ping_unanswered(*client),
        ZombieFinding::UnrelatedCloseCode { client, code } => unrelated_code(*client, *code),
        ZombieFinding::PerhapsRestart { client } => perhaps_restart(*client),
        ZombieFinding::SilenceNotTheReason { client, after, kept } => not_the_reason(*client, *after, *kept),
        ZombieFinding::WaitedTooShort { client, kept, needed, interval_known } => {
            waited_too_short(*client, *kept, *needed, *interval_known)
        }
        ZombieFinding::Interrupted { after, planned } => interrupted(*after, *planned),
        ZombieFinding::InterruptedWhileOpening { url } => {
            Explanation::new(format!("the interrupt came while {url} was still being opened"))
        }
        ZombieFinding::NotOpened(error) => Explanation::new(error.to_string()),
    }
}

fn policy_unclear() -> Explanation {
    Explanation::new("the policy is not clear from the results of the clients")
}

fn reaps(longest: Option<Duration>, at_latest: bool) -> Explanation {
    let most = if at_latest { "at most " } else { "" };
    let shown = longest.map(format::duration).unwrap_or_default();
    let detail = format!(": it closed the last one after {most}{shown}");
    let said =
        Explanation::conclusion("the server closes dead clients", detail).with_some("longest", longest);
    if longest.is_some() { said.with("at_latest", at_latest) } else { said }
}

fn zombies_kept(clients: &[Behaviour], kept: Duration) -> Explanation {
    let (names, after) = (list(clients), format::duration(kept));
    Explanation::conclusion("the server keeps dead clients", format!(": {names} still open after {after}"))
        .remedy("use a longer --max to see whether it closes them later")
        .with("clients", labels(clients))
        .with_duration("kept", kept)
}

fn half_closed_kept(kept: Duration) -> Explanation {
    let after = format::duration(kept);
    Explanation::new(format!("the server keeps a client that has sent FIN: it was still open after {after}"))
        .with_duration("kept", kept)
}

fn app_traffic_not_needed(kept: Duration) -> Explanation {
    Explanation::new(format!(
        "app traffic was not needed for {}: clients that only answer or only ping stayed connected",
        format::duration(kept)
    ))
    .with_duration("kept", kept)
}

/// Whether a client that only answers, or only pings, is kept.
fn app_traffic(evidence: &TrafficEvidence) -> Explanation {
    match evidence {
        TrafficEvidence::NotNeeded { kept } => app_traffic_not_needed(*kept),
        TrafficEvidence::Pings { quiet } => Explanation::new(format!(
            "a client must send by itself: one that only answers was closed after {}; Ping frames were enough",
            format::duration(*quiet)
        ))
        .with_duration("quiet_closed", *quiet),
        TrafficEvidence::Messages { quiet, pings } => Explanation::new(format!(
            "app traffic is needed, as messages: a client that only answers was closed after {}, one that only pings after {}",
            format::duration(*quiet),
            format::duration(*pings)
        ))
        .with_duration("quiet_closed", *quiet)
        .with_duration("pings_only_closed", *pings),
        TrafficEvidence::Answers { pings } => Explanation::new(format!(
            "app traffic is needed, as answers to app pings: a client that only sends Ping frames was closed after {}, one that only \
             answers was not",
            format::duration(*pings)
        ))
        .with_duration("pings_only_closed", *pings),
    }
}

fn last_ping_unanswered(client: Behaviour) -> Explanation {
    unusable(
        client,
        "was still connected, but its last Ping was not answered: the server, or the path, had dropped it silently",
    )
}

fn unrelated_code(client: Behaviour, code: u16) -> Explanation {
    let meaning = close_code_meaning(code);
    about(client, format!("was closed by close {code} ({meaning}): silence may not be the reason"))
        .with("code", code)
}

fn perhaps_restart(client: Behaviour) -> Explanation {
    let meaning = close_code_meaning(1001);
    about(
        client,
        format!("was closed by close 1001 ({meaning}), and others of any age with it: perhaps a restart"),
    )
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
    let received = if client == Behaviour::Stalled {
        "it had received nothing by then"
    } else {
        "it had nothing to answer by then"
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
