//! What follows from several checks together.

use std::time::Duration;

use super::check::Check;
use super::check_result::CheckResult;
use super::doctor_finding::DoctorFinding;
use super::evidence::PathEvidence;
use super::measured::{idle_bracket, loses_pings, server_interval};
use crate::domain::catalogue::{ProductFamily, timeouts};
use crate::domain::idle::report::IdleReport;
use crate::domain::idle::{IdleVerdict, NeededTraffic, Recommendation};
use crate::domain::run::bracket::Bracket;
use crate::domain::zombie::ZombieFinding;

/// Heartbeats cover a timeout if they come at most this far apart: one may be late.
pub const COVERED: f64 = 0.75;

/// A silence of at least this part of the longest that survived is the timeout's.
const SAME_TIMEOUT: f64 = 0.9;

/// A connection in use that ends at most this much later than idle ones ended at the same age.
const AGE_SLACK: Duration = Duration::from_secs(2);

/// A shorter timeout makes battery-powered clients send too often: mobile systems keep their radio on for tens of
/// seconds after each packet.
const SHORT_TIMEOUT: Duration = Duration::from_secs(30);

/// The conclusions about one path.
pub fn advise(evidence: &PathEvidence) -> Vec<CheckResult> {
    let Some(idle) = evidence.idle.as_deref() else { return Vec::new() };
    if evidence.ping.as_deref().is_some_and(loses_pings) {
        return Vec::new();
    }
    let found = match idle_bracket(idle).filter(|(timeout, _)| !ends_in_use_too(evidence, *timeout)) {
        Some((timeout, _)) => cut_path(evidence, idle, timeout),
        None => uncut_path(idle),
    };
    let margin = found.iter().find_map(nat_margin);
    found.into_iter().chain(margin).map(|finding| CheckResult::new(check_of(&finding), finding)).collect()
}

/// How the advised heartbeats compare with the NAT that forgets soonest of those known: clients on other networks pass
/// one that this path does not show.
fn nat_margin(finding: &DoctorFinding) -> Option<DoctorFinding> {
    let interval = match finding {
        DoctorFinding::ServerHeartbeatsKeepPathOpen { interval } => *interval,
        DoctorFinding::ClientMustKeepPathOpen { interval, tolerant, .. }
        | DoctorFinding::HeartbeatAdvised { interval, tolerant, .. } => tolerant.unwrap_or(*interval),
        _ => return None,
    };
    let nats = timeouts().filter(|timeout| timeout.family == ProductFamily::Nat);
    let of_span = nats.filter_map(|timeout| Some((timeout.value.span()?, timeout.product)));
    let (forgets_after, nat) = of_span.min_by_key(|(span, _)| *span)?;
    Some(DoctorFinding::NatMargin { interval, nat, forgets_after })
}

/// What judges the timeout belongs to its check.
fn check_of(finding: &DoctorFinding) -> Check {
    match finding {
        DoctorFinding::ServerHeartbeatsTooSeldom { .. }
        | DoctorFinding::ClientMustKeepPathOpen { .. }
        | DoctorFinding::IdleTimeoutShort { .. } => Check::IdleTimeout,
        _ => Check::Advice,
    }
}

/// Whether the connection that was in use ended after about the same time: then its age ended it, not its silence.
fn ends_in_use_too(evidence: &PathEvidence, timeout: Bracket) -> bool {
    let lost = evidence.ping.as_deref().and_then(|report| report.only_connection()?.lost.as_ref());
    let (from, to) =
        (timeout.lo.unwrap_or_default().mul_f64(SAME_TIMEOUT), timeout.hi.unwrap_or(Duration::MAX));
    lost.is_some_and(|ending| ending.age >= from && ending.age <= to.saturating_add(AGE_SLACK))
}

/// A path that cuts idle connections.
fn cut_path(evidence: &PathEvidence, idle: &IdleReport, timeout: Bracket) -> Vec<DoctorFinding> {
    let least = timeout.lo.or(timeout.hi).unwrap_or_default();
    let mut found = Vec::new();
    match server_interval(evidence) {
        Some(interval) if interval > least.mul_f64(COVERED) => {
            found.push(DoctorFinding::ServerHeartbeatsTooSeldom { interval: Some(interval), timeout });
        }
        Some(interval) => {
            found.push(DoctorFinding::ServerHeartbeatsKeepPathOpen { interval });
        }
        None if is_cut_between_heartbeats(evidence, least) => {
            found.push(DoctorFinding::ServerHeartbeatsTooSeldom { interval: None, timeout });
        }
        None => found.extend(client_must(evidence, idle)),
    }
    // Where the server keeps the path open, a short timeout troubles nobody.
    let is_kept = matches!(found.first(), Some(DoctorFinding::ServerHeartbeatsKeepPathOpen { .. }));
    if least < SHORT_TIMEOUT && timeout.hi.is_some_and(|hi| hi < SHORT_TIMEOUT) && !is_kept {
        found.push(DoctorFinding::IdleTimeoutShort { timeout });
    }
    found
}

/// The silent connection got a heartbeat, and was cut in the silence after it.
fn is_cut_between_heartbeats(evidence: &PathEvidence, least: Duration) -> bool {
    let Some(listen) = evidence.listen.as_deref() else { return false };
    let has_heartbeat = listen.findings.kinds.iter().any(|kind| kind.event_kind.is_heartbeat());
    let ending = listen.ending.as_ref();
    has_heartbeat && ending.is_some_and(|ending| ending.idle >= least.mul_f64(SAME_TIMEOUT))
}

fn client_must(evidence: &PathEvidence, idle: &IdleReport) -> Option<DoctorFinding> {
    let (bracket, _) = idle_bracket(idle)?;
    let advice = idle.recommendation.or_else(|| unconfirmed_advice(bracket));
    let Some(Recommendation::Heartbeat { interval, .. }) = advice else { return None };
    let tolerant = advice.and_then(|advice| advice.interval_tolerating_one_loss());
    Some(DoctorFinding::ClientMustKeepPathOpen { interval, tolerant, traffic: needed_traffic(evidence) })
}

/// From a timeout that was not confirmed.
fn unconfirmed_advice(bracket: Bracket) -> Option<Recommendation> {
    let survived = bracket.lo.or_else(|| Some(bracket.hi?.mul_f64(0.9)))?;
    let whole = |span: Duration| Duration::from_millis((span.as_millis() / 100 * 100) as u64);
    let interval = whole(survived.mul_f64(COVERED));
    (!interval.is_zero()).then_some(Recommendation::Heartbeat {
        interval,
        survived,
        found: true,
        before: None,
    })
}

/// Which traffic keeps the connection open, as far as the search or the dead clients show it.
fn needed_traffic(evidence: &PathEvidence) -> NeededTraffic {
    let reset_by = evidence.idle.as_ref().and_then(|idle| idle.findings.reset_by);
    let refresh = evidence.idle.as_ref().and_then(|idle| idle.refresh.as_ref());
    let of_zombies = evidence.zombie.as_ref().is_some_and(|zombie| {
        zombie.all_findings().iter().any(|finding| matches!(finding, ZombieFinding::AppTrafficNeeded(_)))
    });
    match NeededTraffic::of(reset_by, refresh.map(|results| results.conclusion)) {
        NeededTraffic::Any if of_zombies => NeededTraffic::Messages,
        traffic => traffic,
    }
}

/// A path on which no idle connection was cut.
fn uncut_path(idle: &IdleReport) -> Vec<DoctorFinding> {
    let advised = |advice: Option<Recommendation>| match advice {
        Some(Recommendation::Heartbeat { interval, before, .. }) => Some(DoctorFinding::HeartbeatAdvised {
            interval,
            tolerant: advice.and_then(|advice| advice.interval_tolerating_one_loss()),
            reconnect_before: before,
        }),
        Some(Recommendation::Reconnect { .. }) | None => None,
    };
    match idle.findings.verdict {
        IdleVerdict::ServerKeepsItBusy => {
            let gap = idle.findings.server_activity.map(|activity| activity.longest_gap);
            vec![DoctorFinding::ServerKeepsPathBusy { gap }]
        }
        IdleVerdict::NoTimeoutUpToMax => advised(idle.recommendation).into_iter().collect(),
        IdleVerdict::IdleTimeout
        | IdleVerdict::LifetimeCap
        | IdleVerdict::ServerPolicy
        | IdleVerdict::Stochastic
        | IdleVerdict::Inconclusive => Vec::new(),
    }
}
