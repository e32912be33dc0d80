//! What browsers use besides the plain request: WebSockets over HTTP/2 (RFC 8441), and compression (RFC 7692).

use std::time::Duration;

use super::doctor_finding::{DoctorFinding, FeatureRtts, Unchecked};
use super::feature_trial::{FeatureTrial, TrialFailure, TrialVerdict, failure, opened, verdict};
use super::measured::no_answer;
use crate::domain::compare::medians_differ;
use crate::domain::connection::connect_info::{ConnectError, FailureKind, HttpVersion};
use crate::domain::connection::phase::Phase;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::ping::report::{KindReport, PingReport};
use crate::domain::stats::decoded;

/// Medians that differ by less are not reported as different, even if chance does not explain it.
const LEAST_DIFFERENCE: Duration = Duration::from_millis(1);
/// The same, as a share of the shorter median.
const LEAST_RELATIVE_DIFFERENCE: f64 = 0.1;

/// What a trial of HTTP/2 shows.
pub fn http2(trial: &FeatureTrial) -> Vec<DoctorFinding> {
    if is_not_allowed(&trial.with) {
        return vec![DoctorFinding::H2WebsocketsNotAllowed];
    }
    if opened(&trial.with).is_some_and(|opened| opened.http == HttpVersion::Http1) {
        return vec![DoctorFinding::NotChecked(Unchecked::NotApplicable(
            "the server does not choose HTTP/2",
        ))];
    }
    match verdict(trial) {
        TrialVerdict::Works => {
            let difference = rtt_difference(trial).map(DoctorFinding::H2RttDiffers);
            std::iter::once(DoctorFinding::H2Works(rtts(trial))).chain(difference).collect()
        }
        TrialVerdict::Fails(TrialFailure::NotOpened(error)) if error.phase != Phase::Upgrade => {
            vec![no_answer(format!("with HTTP/2 offered, {} failed: {}", error.phase, error.cause))]
        }
        TrialVerdict::Fails(failure) => vec![DoctorFinding::H2WebsocketsFail { failure }],
        TrialVerdict::Undecided(why) => vec![no_answer(format!("over HTTP/2: {why}"))],
    }
}

/// Whether the server chose HTTP/2 and does not allow WebSockets on it.
pub fn is_not_allowed(report: &PingReport) -> bool {
    let is_kind = |error: &ConnectError| error.kind == FailureKind::WebsocketsNotAllowed;
    matches!(failure(report), Some(TrialFailure::NotOpened(error)) if is_kind(&error))
}

/// Whether the server chose HTTP/2; `None`: it is not known.
pub fn is_chosen(trial: &FeatureTrial) -> Option<bool> {
    match opened(&trial.with) {
        Some(opened) => Some(opened.http == HttpVersion::Http2),
        None => is_allowed(trial).map(|_| true),
    }
}

/// Whether the server chose HTTP/2 and allows WebSockets on it; `None`: it is not known.
pub fn is_allowed(trial: &FeatureTrial) -> Option<bool> {
    let is_http2 = |finding: &DoctorFinding| match finding {
        DoctorFinding::H2WebsocketsNotAllowed => Some(false),
        DoctorFinding::H2Works(_) | DoctorFinding::H2WebsocketsFail { .. } => Some(true),
        _ => None,
    };
    http2(trial).iter().find_map(is_http2)
}

/// The compression that the server agreed to.
pub fn agreed(trial: &FeatureTrial) -> Option<&str> {
    let last = trial.repeated.as_ref().map_or(&trial.with, |repeated| &repeated.with);
    opened(last)?.compression.as_deref()
}

/// What a trial of compression shows.
pub fn compression(trial: &FeatureTrial) -> DoctorFinding {
    match (verdict(trial), agreed(trial)) {
        (TrialVerdict::Works, Some(agreed)) => {
            let of_app = trial.with.kinds.iter().filter(|kind| kind.kind == HeartbeatKind::App);
            let has_message = of_app.map(|kind| kind.counts.ok + kind.counts.late).sum::<u64>() > 0;
            DoctorFinding::CompressionWorks { agreed: agreed.to_string(), has_message }
        }
        (TrialVerdict::Works, None) => DoctorFinding::NotChecked(Unchecked::NotApplicable(
            "permessage-deflate was offered, and the server did not agree to it",
        )),
        (TrialVerdict::Fails(failure), agreed) => {
            DoctorFinding::CompressionBreaks { failure, agreed: agreed.map(str::to_string) }
        }
        (TrialVerdict::Undecided(why), _) => no_answer(format!("with compression offered: {why}")),
    }
}

/// The medians of both runs.
pub fn rtts(trial: &FeatureTrial) -> FeatureRtts {
    let median = |report: &PingReport| Some(report.kinds.first()?.rtt?.p50);
    FeatureRtts { with: median(&trial.with), without: trial.without.as_ref().and_then(median) }
}

/// The medians, if they differ beyond chance and by at least the least differences above.
fn rtt_difference(trial: &FeatureTrial) -> Option<FeatureRtts> {
    let (with, without) = (&trial.with, trial.without.as_ref()?);
    let kinds = (with.kinds.first()?, without.kinds.first()?);
    let is_exact = with.upper_bounds(kinds.0).is_none() && without.upper_bounds(kinds.1).is_none();
    let rtts = rtts(trial);
    let (longer, shorter) = (rtts.with?.max(rtts.without?), rtts.with?.min(rtts.without?));
    let is_large =
        longer - shorter >= LEAST_DIFFERENCE.max(shorter.mul_f64(LEAST_RELATIVE_DIFFERENCE)) && is_exact;
    let differs = || Some(medians_differ(&counts(kinds.0)?, &counts(kinds.1)?));
    (is_large && differs().unwrap_or(false)).then_some(rtts)
}

/// The RTTs of a kind, and how often each occurred.
fn counts(kind: &KindReport) -> Option<Vec<(u64, u64)>> {
    decoded(&kind.pooled.as_ref()?.rtts.encoded()?)
}

#[cfg(test)]
mod tests;
