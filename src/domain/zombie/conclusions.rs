//! All findings of a run: the conclusion, the policy, what else was learned, and the reasons of the result.

use std::cmp::Reverse;
use std::time::Duration;

use super::behaviour::Behaviour;
use super::client_record::{ClientRecord, dead};
use super::findings::{ZombieFindings, ZombieVerdict, end_of_mute};
use super::policy::{HeartbeatPolicy, ReapingPolicy, ReapingRule, TrafficEvidence};
use super::report::ZombieReport;
use super::zombie_finding::ZombieFinding;
use crate::domain::listen::ServerEventKind;
use crate::domain::run::finding::Finding;
use crate::domain::run::run_result::RunResult;

impl ZombieReport {
    /// All findings, the most severe first.
    pub fn all_findings(&self) -> Vec<ZombieFinding> {
        let mut all = if self.opened.is_some() { self.findings.learned() } else { Vec::new() };
        all.extend(self.reasons.iter().cloned());
        all.sort_by_key(|finding| Reverse(finding.severity()));
        all
    }
}

impl ZombieFindings {
    /// What was learned, except the reasons.
    pub fn learned(&self) -> Vec<ZombieFinding> {
        let libraries = self.consistent_with.iter().copied().map(ZombieFinding::ConsistentWithLibrary);
        let half_closed = self.half_closed_kept();
        let before = [self.conclusion(), half_closed, self.policy_finding(), self.timer_besides()];
        let after = [self.longest_detection(), self.skips_active(), self.app_traffic()];
        before.into_iter().chain(after).flatten().chain(libraries).collect()
    }

    /// The finding that is the verdict; `None` if the verdict is inconclusive.
    pub fn conclusion(&self) -> Option<ZombieFinding> {
        match self.verdict {
            ZombieVerdict::ReapsDeadClients => {
                let is_last = |client: &&ClientRecord| client.ended() == self.longest;
                let at_latest = dead(&self.clients).filter(is_last).any(|client| client.end.is_at_latest());
                Some(ZombieFinding::ReapsDeadClients { longest: self.longest, at_latest })
            }
            ZombieVerdict::ZombiesKept => {
                let kept = || dead(&self.clients).filter(|client| client.is_kept());
                let clients = kept().map(|client| client.behaviour).collect();
                let kept = kept().filter_map(ClientRecord::kept).min().unwrap_or_default();
                Some(ZombieFinding::ZombiesKept { clients, kept })
            }
            ZombieVerdict::Inconclusive => None,
        }
    }

    fn half_closed_kept(&self) -> Option<ZombieFinding> {
        let client = self.client(Behaviour::HalfClosed).filter(|client| client.is_kept())?;
        let kept = client.kept().filter(|_| self.verdict == ZombieVerdict::ZombiesKept)?;
        Some(ZombieFinding::HalfClosedKept { kept })
    }

    /// The policy; `None` if the run is inconclusive and shows none.
    pub fn policy_finding(&self) -> Option<ZombieFinding> {
        Some(match &self.policy {
            ReapingPolicy::Heartbeat(HeartbeatPolicy {
                beats,
                reaping: ReapingRule::Never { waited },
                ..
            }) => ZombieFinding::UnansweredTolerated { beats: *beats, waited: *waited },
            ReapingPolicy::Heartbeat(policy) => ZombieFinding::GivesUpUnanswered(*policy),
            ReapingPolicy::Idle(idle, beats) => ZombieFinding::IdleTimer {
                idle: *idle,
                beats: *beats,
                besides: false,
                closed: end_of_mute(&self.clients).cloned(),
                one_way: self.sends_one_way(),
            },
            ReapingPolicy::KeepsAll => {
                let waited = self.client(Behaviour::Mute).and_then(ClientRecord::kept).unwrap_or_default();
                ZombieFinding::NoHeartbeatAndNoTimer { waited, one_way: self.sends_one_way() }
            }
            ReapingPolicy::Unknown if self.verdict == ZombieVerdict::Inconclusive => return None,
            ReapingPolicy::Unknown => ZombieFinding::PolicyUnclear,
        })
    }

    /// The timer beside the heartbeats.
    pub fn timer_besides(&self) -> Option<ZombieFinding> {
        let ReapingPolicy::Heartbeat(HeartbeatPolicy { idle: Some(idle), .. }) = self.policy else {
            return None;
        };
        Some(ZombieFinding::IdleTimer { idle, beats: None, besides: true, closed: None, one_way: false })
    }

    pub fn longest_detection(&self) -> Option<ZombieFinding> {
        self.at_worst().map(|at_most| ZombieFinding::LongestDetection { at_most })
    }

    pub fn skips_active(&self) -> Option<ZombieFinding> {
        let (ReapingPolicy::Heartbeat(HeartbeatPolicy { beats, .. }) | ReapingPolicy::Idle(_, Some(beats))) =
            &self.policy
        else {
            return None;
        };
        (beats.skips_active == Some(true)).then_some(ZombieFinding::SkipsActiveClients)
    }

    /// Whether a client that only answers, or only pings, is kept.
    pub fn app_traffic(&self) -> Option<ZombieFinding> {
        Some(match TrafficEvidence::of(self)? {
            TrafficEvidence::NotNeeded { kept } => ZombieFinding::AppTrafficNotNeeded { kept },
            needed => ZombieFinding::AppTrafficNeeded(needed),
        })
    }

    /// Whether the server sends heartbeats that nobody answers.
    fn sends_one_way(&self) -> bool {
        let one_way = [ServerEventKind::Pong, ServerEventKind::KeepAlive];
        let receives =
            |client: &ClientRecord| one_way.iter().any(|kind| client.listening.arrivals(*kind).is_some());
        self.clients.iter().any(receives)
    }

    /// The reasons of this result: first or last how far an interrupted run got.
    pub fn reasons_of(
        &self,
        result: RunResult,
        interrupted: Option<(Duration, Duration)>,
    ) -> Vec<ZombieFinding> {
        let interrupted = interrupted.map(|(after, planned)| ZombieFinding::Interrupted { after, planned });
        let reasons = self.reasons.iter().cloned();
        match result {
            RunResult::Interrupted { measured: true } => interrupted.into_iter().chain(reasons).collect(),
            RunResult::Failed => reasons.chain(interrupted).collect(),
            _ => reasons.collect(),
        }
    }
}
