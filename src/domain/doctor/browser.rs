//! What a browser would make of the endpoint: whether a page may open it, and what the page sees of a failure.

use super::browser_limit::BrowserLimit;
use super::doctor_finding::DoctorFinding;
use super::evidence::{BrowserPart, PathEvidence, UpgradeChange};
use super::measured;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::connection::connect_info::FailureKind;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::idle::CutManner;

/// Code of a connection that ended without a close frame (RFC 6455 7.1.5); no page learns more.
const ABNORMAL: u16 = 1006;
/// Code of a close frame without a code (RFC 6455 7.1.5).
const NO_STATUS: u16 = 1005;

/// What a browser would make of it; `None` if nothing was measured.
pub fn examine(evidence: &PathEvidence) -> Option<Vec<DoctorFinding>> {
    let upgrade = evidence.upgrade.as_ref()?;
    let of_limit = |limit: &BrowserLimit| match limit {
        BrowserLimit::MixedContent => DoctorFinding::MixedContentBlocked,
        BrowserLimit::Port(port) => DoctorFinding::PortBlockedByBrowsers { port: *port },
    };
    let request = of_request(evidence);
    let refused = upgrade.as_ref().err().filter(|_| !evidence.is_open());
    let failure = refused.map(|error| sees(ABNORMAL, "", error.cause.clone()));
    let ending = failure.or_else(|| of_ending(evidence));
    let limits = evidence.browser_limits.iter().map(of_limit);
    let found: Vec<DoctorFinding> = limits.chain(request).chain(ending).collect();
    (!found.is_empty()).then_some(found)
}

/// What the answer to a browser's request shows beside the plain one.
fn of_request(evidence: &PathEvidence) -> Option<DoctorFinding> {
    let outcome = &evidence.variants.iter().find(|variant| variant.change == UpgradeChange::Browser)?.outcome;
    if evidence.is_unsteady() {
        return Some(measured::no_answer("the same request was accepted once and refused once"));
    }
    match (evidence.upgrade.as_ref()?, outcome) {
        (Ok(_), Ok(_)) => Some(DoctorFinding::PagesAccepted),
        // It was accepted, with an answer that no browser takes.
        (Ok(_), Err(error)) if error.kind == FailureKind::BadUpgrade => {
            Some(DoctorFinding::BrowserAnswerInvalid { error: error.clone(), part: failing_part(evidence) })
        }
        (Ok(_), Err(error)) => {
            Some(DoctorFinding::PagesRefused { error: error.clone(), part: failing_part(evidence) })
        }
        (Err(error), Ok(_)) => Some(DoctorFinding::OnlyBrowsersAccepted { error: error.clone() }),
        (Err(_), Err(_)) => None,
    }
}

/// The part of a browser's request that fails by itself.
fn failing_part(evidence: &PathEvidence) -> Option<BrowserPart> {
    evidence.variants.iter().find_map(|variant| match (&variant.change, &variant.outcome) {
        (UpgradeChange::PartOfBrowser(part), Err(_)) => Some(*part),
        (_, _) => None,
    })
}

/// What a page sees of the connection's end: one in use, otherwise one that was idle.
fn of_ending(evidence: &PathEvidence) -> Option<DoctorFinding> {
    let in_use = evidence.ping.as_deref().and_then(|report| report.only_connection()?.lost.clone());
    if let Some(ending) = in_use {
        return Some(of_close(&ending.how, CloseCause::describe(ending.who, &ending.how, None)));
    }
    let idle = evidence.idle.as_deref().filter(|idle| measured::idle_bracket(idle).is_some())?;
    match idle.findings.manner.as_ref()? {
        CutManner::Visible(end) | CutManner::OnUse(end) => {
            Some(of_close(&end.how, CloseCause::describe(ClosedBy::Peer, &end.how, None)))
        }
        manner @ (CutManner::Silent { .. } | CutManner::ServerUnheard | CutManner::ClientUnheard { .. }) => {
            let page = of_silent_cut(manner.acked());
            page.map(|happened| sees(ABNORMAL, "", happened.to_string()))
        }
    }
}

/// What a page sees of a cut that sends no sign; `None` if that depends on what is unknown.
fn of_silent_cut(acked: Option<bool>) -> Option<&'static str> {
    match acked {
        Some(false) => Some(
            "the path dropped the connection without a word, and the page stays unaware until it has sent something and the \
             operating system gives up, minutes later",
        ),
        Some(true) | None => None,
    }
}

fn of_close(how: &CloseKind, happened: String) -> DoctorFinding {
    match how {
        CloseKind::CloseFrame { code, reason } => sees(code.unwrap_or(NO_STATUS), reason.as_str(), happened),
        _ => sees(ABNORMAL, "", happened),
    }
}

fn sees(code: u16, reason: &str, happened: String) -> DoctorFinding {
    DoctorFinding::PageSees { code, reason: UntrustedText::new(reason), happened }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_a_close_frame_reaches_the_page() {
        let frame = |code| CloseKind::CloseFrame { code, reason: UntrustedText::new("slow down") };
        let code = |how: &CloseKind| match of_close(how, String::new()) {
            DoctorFinding::PageSees { code, reason, .. } => (code, reason.as_str().to_string()),
            _ => unreachable!(),
        };
        assert_eq!(code(&frame(Some(4008))), (4008, "slow down".to_string()));
        assert_eq!(code(&frame(None)).0, NO_STATUS);
        assert_eq!(code(&CloseKind::Rst), (ABNORMAL, String::new()));
    }
}
