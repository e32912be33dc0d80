//! What each check concludes from what was measured on one path.

use std::sync::Arc;
use std::time::Duration;

use super::browser;
use super::browser_features;
use super::check::{Check, CheckSelection};
use super::check_result::CheckResult;
use super::doctor_finding::{DoctorFinding, LatencyFigures, RefusalCause, Unchecked};
use super::evidence::{FragmentsOutcome, PathEvidence, Resolution, UpgradeChange, UpgradeVariant};
use super::measured;
use super::report::Depth;
use super::tls::{self, TlsFinding};
use crate::domain::connection::connect_info::{ConnectAttempt, ConnectError};
use crate::domain::connection::phase::Phase;
use crate::domain::label::Label;
use crate::domain::run::finding::{Finding, Severity};

/// The conditions of the run.
#[derive(Debug, Clone, Copy)]
pub struct Conditions<'a> {
    pub selection: &'a CheckSelection,
    pub depth: Depth,
    /// Several paths are compared.
    pub has_hops: bool,
    /// The user ended the run.
    pub interrupted: bool,
}

/// What every check of one path concludes, in the order of the checks; without those that compare paths.
pub fn examine(evidence: &PathEvidence, conditions: Conditions<'_>) -> Vec<CheckResult> {
    let examiner = Examiner { evidence, conditions };
    let checks = [
        (Check::Resolve, examiner.resolve()),
        (Check::Tcp, examiner.tcp()),
        (Check::Proxy, examiner.proxy()),
        (Check::Tls, examiner.tls(false)),
        (Check::Certificate, examiner.tls(true)),
        (Check::Upgrade, examiner.upgrade()),
        (Check::Origin, examiner.origin()),
        (Check::Subprotocol, examiner.subprotocol()),
        (Check::Browser, browser::examine(evidence).unwrap_or_else(|| examiner.missing())),
        (Check::Http2, examiner.http2()),
        (Check::Compression, examiner.compression()),
        (Check::Convention, examiner.convention()),
        (Check::Pings, examiner.of_report(evidence.ping.as_deref(), measured::pings)),
        (Check::Fragments, examiner.fragments()),
        (Check::Close, examiner.close()),
        (Check::Latency, examiner.of_report(evidence.ping.as_deref(), measured::latency)),
        (
            Check::ServerHeartbeats,
            examiner.of_report(evidence.listen.as_deref(), measured::server_heartbeats),
        ),
        (Check::IdleTimeout, examiner.idle_timeout()),
        (Check::DeadClients, examiner.dead_clients()),
        (Check::Lifetime, examiner.lifetime()),
    ];
    let wanted = checks.into_iter().filter(|(check, _)| conditions.selection.has(*check));
    wanted
        .flat_map(|(check, found)| found.into_iter().map(move |finding| CheckResult::new(check, finding)))
        .collect()
}

/// Whether a server says that it does not want this client, not that it fails or is busy.
fn forbids(error: &ConnectError) -> bool {
    error.refusal.as_ref().is_some_and(|refusal| matches!(refusal.status, 400 | 401 | 403))
}

struct Examiner<'a> {
    evidence: &'a PathEvidence,
    conditions: Conditions<'a>,
}

/// People notice an opening that takes longer.
const SLOW_OPENING: Duration = Duration::from_secs(3);

/// What a check says if TLS failed.
const TLS_FAILED: &str = "TLS failed (where nothing secret would be sent, the rest is measured without verification; -k always does)";
/// What a check says if no address accepted a connection.
const NO_ADDRESS: &str = "no address accepted a connection";
/// What a check says if the same request is refused once and accepted once.
const UNSTEADY: &str = "the same request was accepted once and refused once";
/// What a check says if the connection did not open.
const NEEDS_OPEN: &str = "the connection did not open";

fn not_applicable(why: &'static str) -> Vec<DoctorFinding> {
    vec![DoctorFinding::NotChecked(Unchecked::NotApplicable(why))]
}

impl Examiner<'_> {
    /// Why a measurement is missing.
    fn missing(&self) -> Vec<DoctorFinding> {
        let was_refused = matches!(self.evidence.upgrade, Some(Err(_)));
        let is_reached = self.evidence.is_reached() || self.evidence.proxy.is_some();
        let why = match (self.evidence.is_open(), self.conditions.interrupted) {
            (_, true) => Unchecked::Interrupted,
            (false, false) if was_refused || !is_reached => Unchecked::Needs(NEEDS_OPEN),
            (_, false) => Unchecked::NoAnswer("the time ran out".to_string()),
        };
        vec![DoctorFinding::NotChecked(why)]
    }

    fn resolve(&self) -> Vec<DoctorFinding> {
        let addresses = self.evidence.addresses.iter().map(|attempt| attempt.address.clone()).collect();
        match &self.evidence.resolution {
            None => self.missing(),
            Some(Resolution::Given) => vec![DoctorFinding::AddressGiven { addresses }],
            Some(Resolution::Answered { name, took }) => {
                vec![DoctorFinding::NameResolved { name: name.clone(), addresses, took: *took }]
            }
            Some(Resolution::Failed(error)) => vec![DoctorFinding::NameNotResolved(error.clone())],
        }
    }

    fn tcp(&self) -> Vec<DoctorFinding> {
        let (failed, reached): (Vec<ConnectAttempt>, Vec<ConnectAttempt>) =
            self.evidence.addresses.iter().cloned().partition(|attempt| attempt.error.is_some());
        match (reached.is_empty(), failed.is_empty()) {
            (true, true) => vec![DoctorFinding::NotChecked(Unchecked::Needs("no address is known"))],
            (false, true) => vec![DoctorFinding::AllAddressesReached { reached }],
            (false, false) => vec![DoctorFinding::SomeAddressesNotReached { reached, failed }],
            (true, false) => vec![DoctorFinding::NoAddressReached { failed }],
        }
    }

    fn proxy(&self) -> Vec<DoctorFinding> {
        match &self.evidence.proxy {
            Some(proxy) => vec![DoctorFinding::ThroughProxy { proxy: proxy.clone() }],
            None => not_applicable("there is no proxy on this side"),
        }
    }

    /// What the handshake showed: of the certificates, or of all else.
    fn tls(&self, of_certificates: bool) -> Vec<DoctorFinding> {
        let found = match &self.evidence.tls {
            None => return not_applicable("the URL is not wss://"),
            Some(Err(_)) if of_certificates => {
                return vec![DoctorFinding::NotChecked(Unchecked::Needs("TLS failed before"))];
            }
            Some(Err(error)) => return vec![DoctorFinding::TlsFailed(error.clone())],
            Some(Ok(inspection)) => tls::judge(inspection),
        };
        let is_unverified = |variant: &UpgradeVariant| variant.change == UpgradeChange::WithoutVerification;
        let unverified = self.evidence.accepted_variant().is_some_and(is_unverified) && of_certificates;
        let is_wanted = |finding: &TlsFinding| finding.label().starts_with("certificate_") == of_certificates;
        let wanted = found.into_iter().filter(is_wanted).map(DoctorFinding::Tls);
        wanted.chain(unverified.then_some(DoctorFinding::MeasuredUnverified)).collect()
    }

    fn upgrade(&self) -> Vec<DoctorFinding> {
        if let (true, Some(error)) = (self.evidence.is_unsteady(), self.refused_once()) {
            return vec![DoctorFinding::UpgradeUnsteady(error)];
        }
        let further = self.evidence.further_refused.clone().map(DoctorFinding::FurtherConnectionRefused);
        self.plain_upgrade().into_iter().chain(further).collect()
    }

    /// The refusal of a request that was also accepted.
    fn refused_once(&self) -> Option<Arc<ConnectError>> {
        let both = [&self.evidence.upgrade, &self.evidence.repeated];
        both.into_iter().flatten().find_map(|upgrade| upgrade.as_ref().err().cloned())
    }

    fn plain_upgrade(&self) -> Vec<DoctorFinding> {
        match (&self.evidence.upgrade, self.evidence.accepted_variant()) {
            (None, _) => self.missing(),
            (Some(Ok(info)), _) if info.phases.total > SLOW_OPENING => {
                vec![DoctorFinding::UpgradeSlow(info.clone())]
            }
            (Some(Ok(info)), _) => vec![DoctorFinding::UpgradeAccepted(info.clone())],
            // The change that it needs is another check's finding.
            (Some(Err(_)), Some(variant)) => {
                let opened = variant.outcome.as_ref().ok();
                opened.map(|info| DoctorFinding::UpgradeAccepted(info.clone())).into_iter().collect()
            }
            (Some(Err(error)), None) if matches!(error.phase, Phase::Dns | Phase::Tcp) => {
                vec![DoctorFinding::NotChecked(Unchecked::Needs(NO_ADDRESS))]
            }
            // What is wrong with TLS, its checks say.
            (Some(Err(error)), None) if self.is_of_tls(error) => {
                vec![DoctorFinding::NotChecked(Unchecked::Needs(TLS_FAILED))]
            }
            (Some(Err(error)), None) => {
                let cause = RefusalCause::of(error);
                vec![DoctorFinding::UpgradeFailed { error: error.clone(), cause }]
            }
        }
    }

    /// Whether TLS failed, and its checks found the problem.
    fn is_of_tls(&self, error: &ConnectError) -> bool {
        let checks = [self.tls(false), self.tls(true)];
        let is_problem = |finding: &DoctorFinding| finding.severity() == Severity::Problem;
        error.phase == Phase::Tls && checks.iter().flatten().any(is_problem)
    }

    fn origin(&self) -> Vec<DoctorFinding> {
        let plain = self.evidence.upgrade.as_ref().and_then(|upgrade| upgrade.as_ref().err());
        if self.evidence.is_unsteady() {
            return vec![measured::no_answer(UNSTEADY)];
        }
        let found = self.evidence.variants.iter().find_map(|variant| {
            match (&variant.change, &variant.outcome, plain) {
                (UpgradeChange::OwnOrigin(origin), Ok(_), Some(error)) => {
                    Some(DoctorFinding::OriginRequired { origin: origin.clone(), error: error.clone() })
                }
                (UpgradeChange::ForeignOrigin(origin), Ok(_), None) => {
                    Some(DoctorFinding::AnyOriginAccepted { origin: origin.clone() })
                }
                (UpgradeChange::ForeignOrigin(origin), Err(error), None) if forbids(error) => {
                    Some(DoctorFinding::OriginRestricted { origin: origin.clone(), error: error.clone() })
                }
                (_, _, _) => None,
            }
        });
        match found {
            Some(finding) => vec![finding],
            None if !self.evidence.is_open() => self.missing(),
            None if !self.evidence.tried_an_origin() => not_applicable("an Origin was given"),
            None => vec![measured::no_answer("the answers to other requests do not show it")],
        }
    }

    fn subprotocol(&self) -> Vec<DoctorFinding> {
        let needed = self.evidence.variants.iter().find_map(|variant| {
            let error = self.evidence.upgrade.as_ref()?.as_ref().err()?;
            let info = variant.outcome.as_ref().ok()?;
            matches!(variant.change, UpgradeChange::Subprotocols(_)).then(|| {
                DoctorFinding::SubprotocolRequired { chosen: info.subprotocol.clone(), error: error.clone() }
            })
        });
        match (needed, &self.evidence.upgrade) {
            _ if self.evidence.is_unsteady() => {
                vec![measured::no_answer(UNSTEADY)]
            }
            (Some(finding), _) => vec![finding],
            (None, Some(Ok(info))) if info.subprotocols_offered.is_empty() => {
                vec![DoctorFinding::NoSubprotocolNeeded]
            }
            (None, Some(Ok(_))) => not_applicable("subprotocols were offered as an option says"),
            (None, Some(Err(_)) | None) if self.evidence.is_open() => {
                vec![DoctorFinding::NoSubprotocolNeeded]
            }
            (None, Some(Err(_)) | None) => self.missing(),
        }
    }

    fn http2(&self) -> Vec<DoctorFinding> {
        match (&self.evidence.http2, &self.evidence.upgrade) {
            _ if self.evidence.is_unsteady() => vec![measured::no_answer(UNSTEADY)],
            (_, Some(Err(error))) if self.needs_http2() => {
                vec![DoctorFinding::OnlyHttp2Accepted { error: error.clone() }]
            }
            (Some(trial), _) => browser_features::http2(trial),
            (None, Some(Ok(info))) if info.tls.is_none() => {
                not_applicable("without TLS browsers use no HTTP/2")
            }
            (None, _) => self.missing(),
        }
    }

    /// Whether the upgrade of HTTP/1.1 was refused, and a WebSocket opened over HTTP/2.
    fn needs_http2(&self) -> bool {
        self.evidence.accepted_variant().is_some_and(|variant| variant.change == UpgradeChange::Http2)
    }

    fn compression(&self) -> Vec<DoctorFinding> {
        match &self.evidence.compression {
            _ if self.evidence.is_unsteady() => vec![measured::no_answer(UNSTEADY)],
            Some(trial) => vec![browser_features::compression(trial)],
            None => self.missing(),
        }
    }

    fn convention(&self) -> Vec<DoctorFinding> {
        let Some(detection) = &self.evidence.convention else { return self.missing() };
        let evidence = detection.evidence.clone();
        vec![match detection.preset {
            Some(preset) => {
                DoctorFinding::ConventionDetected { preset: preset.name, title: preset.title, evidence }
            }
            None => DoctorFinding::ConventionUnknown { evidence },
        }]
    }

    fn fragments(&self) -> Vec<DoctorFinding> {
        vec![match &self.evidence.fragments {
            None => return self.missing(),
            Some(FragmentsOutcome::Answered) => DoctorFinding::FragmentsAllowControlFrames,
            Some(FragmentsOutcome::PingUnanswered { waited }) => {
                DoctorFinding::FragmentsBlockControlFrames { waited: *waited }
            }
            Some(FragmentsOutcome::Ended(how)) => DoctorFinding::EndedAtFragments { how: how.clone() },
            Some(FragmentsOutcome::NotTried(why)) => DoctorFinding::NotChecked(Unchecked::NotApplicable(why)),
        }]
    }

    fn close(&self) -> Vec<DoctorFinding> {
        let replies = [
            self.evidence.ping.as_deref().and_then(measured::close_reply),
            self.evidence.listen.as_ref().and_then(|listen| listen.close_reply.clone()),
        ];
        let reply = replies.into_iter().flatten().next();
        let is_hung = self.evidence.ping.as_deref().is_some_and(measured::is_unanswered);
        match reply {
            Some(_) if is_hung => vec![measured::no_answer("the server answers nothing")],
            Some(reply) => vec![measured::close(reply)],
            None if self.evidence.ping.is_some() => {
                vec![measured::no_answer("the peer ended the connection first")]
            }
            None => self.missing(),
        }
    }

    /// What a report shows, or why it is missing.
    fn of_report<R>(
        &self,
        report: Option<&R>,
        shows: impl FnOnce(&R) -> Vec<DoctorFinding>,
    ) -> Vec<DoctorFinding> {
        report.map_or_else(|| self.missing(), shows)
    }

    fn idle_timeout(&self) -> Vec<DoctorFinding> {
        let loses_pings = self.evidence.ping.as_deref().is_some_and(measured::loses_pings);
        let held_back = self.evidence.ping.as_deref().and_then(measured::held_back);
        self.of_report(self.evidence.idle.as_deref(), |report| {
            measured::idle_timeout(report, loses_pings, held_back)
        })
    }

    fn dead_clients(&self) -> Vec<DoctorFinding> {
        match (&self.evidence.zombie, self.conditions.depth) {
            (None, Depth::Quick | Depth::Normal) => not_applicable("only --thorough looks for dead clients"),
            (None, Depth::Thorough) if self.conditions.has_hops => {
                not_applicable("beside other paths there are too few connections for it")
            }
            (None, Depth::Thorough) => self.missing(),
            (Some(report), _) => measured::dead_clients(report),
        }
    }

    fn lifetime(&self) -> Vec<DoctorFinding> {
        let found = measured::lifetime(self.evidence);
        if found.is_empty() { self.missing() } else { found }
    }
}

/// The figures of one path's latency.
pub fn figures(evidence: &PathEvidence) -> Option<LatencyFigures> {
    Some(measured::latency_figures(evidence.ping.as_deref()?))
}
