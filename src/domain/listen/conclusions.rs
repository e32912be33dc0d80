//! All findings of a run: the conclusion, what else was learned, and the reasons of the result.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use super::findings::{ListenFindings, ListenVerdict, UnansweredPolicy};
use super::listen_finding::ListenFinding;
use super::report::ListenReport;
use super::server_event::ServerEventKind;
use super::timer::timer_finding;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::run::finding::Finding;
use crate::domain::run::run_result::RunResult;

impl ListenReport {
    /// All findings, the most severe first.
    pub fn all_findings(&self) -> Vec<ListenFinding> {
        let mut all: Vec<ListenFinding> = self.findings.conclusion().into_iter().collect();
        if self.opened.is_some() {
            all.extend(self.timer());
            all.extend(self.findings.one_way());
            all.extend(self.findings.coverage());
            all.extend(self.findings.besides());
            all.extend(self.findings.unanswered.map(unanswered));
        }
        all.extend(self.reasons.iter().cloned());
        all.sort_by_key(|finding| Reverse(finding.severity()));
        all
    }

    /// Whether traffic restarts the timer of the heartbeats.
    pub fn timer(&self) -> Option<ListenFinding> {
        let kind = self.findings.heartbeat()?;
        timer_finding(kind, self.findings.origin, self.info.answer, self.info.talk)
    }
}

impl ListenFindings {
    /// The reasons of this result: first why the run is not complete, then those of the findings.
    pub fn reasons_of(
        &self,
        result: RunResult,
        ending: Option<&Arc<CloseCause>>,
        planned: Duration,
    ) -> Vec<ListenFinding> {
        let ended = ending
            .filter(|_| result != RunResult::Passed)
            .map(|ending| ListenFinding::ConnectionEndedEarly { ending: Arc::clone(ending), planned });
        let interrupted = (result == RunResult::Interrupted { measured: true })
            .then_some(ListenFinding::Interrupted { after: self.listened, planned });
        interrupted.into_iter().chain(ended).chain(self.reasons.iter().cloned()).collect()
    }

    /// The finding that is the verdict; `None` if the verdict is inconclusive.
    pub fn conclusion(&self) -> Option<ListenFinding> {
        match self.verdict {
            ListenVerdict::ServerPingsEvery => self.heartbeats(),
            ListenVerdict::ServerIsSilentFor => Some(self.no_heartbeats()),
            ListenVerdict::PeriodicMessages => self.perhaps(false),
            ListenVerdict::Irregular => self.irregular(),
            ListenVerdict::Inconclusive => None,
        }
    }

    fn heartbeats(&self) -> Option<ListenFinding> {
        let (kind, interval, spans) = (self.heartbeat()?, self.interval()?, self.spanning()?);
        Some(ListenFinding::ServerSendsHeartbeats {
            kind: kind.kind(),
            count: kind.count,
            interval,
            spans,
            per_second: kind.per_second().filter(|_| interval.is_fast()),
        })
    }

    fn no_heartbeats(&self) -> ListenFinding {
        ListenFinding::NoHeartbeats {
            listened: self.listened,
            messages: self.kinds.first().map(|kind| (kind.event_kind, kind.count)),
            longest_quiet: self.longest_quiet,
            longest_still: self.longest_still,
        }
    }

    fn perhaps(&self, besides: bool) -> Option<ListenFinding> {
        let (periodic, longest_quiet) = (self.periodic.clone()?, self.longest_quiet);
        Some(ListenFinding::PerhapsHeartbeats { periodic, longest_quiet, besides })
    }

    fn irregular(&self) -> Option<ListenFinding> {
        let (kind, longest_quiet) = (self.heartbeat()?, self.longest_quiet);
        Some(ListenFinding::IrregularHeartbeats { kind: kind.kind(), gaps: kind.interval, longest_quiet })
    }

    /// Messages beside known heartbeats that may be another kind.
    pub fn besides(&self) -> Option<ListenFinding> {
        let is_besides = self.verdict != ListenVerdict::PeriodicMessages
            && self.periodic.as_ref().is_some_and(|found| found.has_word);
        self.perhaps(true).filter(|_| is_besides)
    }

    /// Heartbeats that nobody answers.
    pub fn one_way(&self) -> Option<ListenFinding> {
        let one_way = [ServerEventKind::Pong, ServerEventKind::KeepAlive];
        let is_one_way = self.heartbeat.is_some_and(|kind| one_way.contains(&kind.event_kind));
        (is_one_way && self.verdict == ListenVerdict::ServerPingsEvery)
            .then_some(ListenFinding::OneWayHeartbeats)
    }

    /// Which idle timeouts the heartbeats cover.
    pub fn coverage(&self) -> Option<ListenFinding> {
        let (covered, event_kind) = (self.covered_timeouts.clone()?, self.heartbeat?.event_kind);
        Some(if covered.covered.is_empty() {
            ListenFinding::CoversNoTimeout
        } else {
            ListenFinding::CoversTimeouts { covered, event_kind }
        })
    }
}

/// What the server does when its heartbeats stay unanswered.
pub fn unanswered(policy: UnansweredPolicy) -> ListenFinding {
    match policy {
        UnansweredPolicy::GoesOn { after } => ListenFinding::UnansweredTolerated { after },
        UnansweredPolicy::Stops { after } => ListenFinding::StopsWhenUnanswered { after },
        UnansweredPolicy::Ends { after } => ListenFinding::EndedAfterUnanswered { after },
    }
}
