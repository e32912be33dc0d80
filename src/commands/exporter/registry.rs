//! The metrics of all kept targets, and of the configuration.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::ExportedTarget;
use crate::commands::kept::{KeptConnection, KeptId};
use crate::domain::exporter::idle::IdleProbeResult;
use crate::domain::exporter::kept::{KeptTarget, families};
use crate::domain::exporter::live::{LiveTargets, MAX_SHOWN_TARGETS};
use crate::domain::exporter::reload::ReloadState;
use crate::domain::exposition::encode;
use crate::domain::idle::report::IdleReport;
use crate::domain::ping::event::ConnEvent;

/// What is counted since `began`.
#[derive(Debug)]
pub struct Registry {
    began: Instant,
    started_at: SystemTime,
    counts: Mutex<Counts>,
}

#[derive(Debug, Clone, Default)]
struct Counts {
    targets: BTreeMap<KeptId, KeptTarget>,
    /// `None` without a configuration file.
    reload: Option<ReloadState>,
}

impl Registry {
    /// No target is counted yet.
    pub fn start() -> Registry {
        Registry { began: Instant::now(), started_at: SystemTime::now(), counts: Mutex::default() }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts these targets from now on, and no others. Those that were counted before go on, with their new labels.
    pub fn replace<'a>(&self, targets: impl Iterator<Item = (KeptId, &'a ExportedTarget)>) {
        let mut counts = self.counts();
        let mut before = std::mem::take(&mut counts.targets);
        for (id, ExportedTarget { connection, .. }) in targets {
            let KeptConnection { plan, labels, .. } = connection;
            let url = plan.targets.first().map(ToString::to_string).unwrap_or_default();
            let times = (plan.session.timeout, plan.outage_after);
            let target = match before.remove(&id) {
                None => KeptTarget::new(url, labels, &plan.session.kinds, times),
                Some(mut known) => {
                    known.relabel(url, labels);
                    known
                }
            };
            counts.targets.insert(id, target);
        }
    }

    /// Counts one more target from now on.
    pub fn add(&self, id: KeptId, target: KeptTarget) {
        self.counts().targets.insert(id, target);
    }

    /// Counts a target no more.
    pub fn remove(&self, id: KeptId) {
        self.counts().targets.remove(&id);
    }

    /// Notes that the configuration was read, or could not be.
    pub fn note_reload(&self, at: SystemTime, is_successful: bool) {
        let mut counts = self.counts();
        let last_success = if is_successful {
            at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
        } else {
            counts.reload.map_or(0.0, |before| before.last_success)
        };
        counts.reload = Some(ReloadState { is_successful, last_success });
    }

    /// Notes what a scheduled `probe-idle` found. Without a connection, or when it was cut short, it found nothing.
    pub fn note_idle(&self, id: KeptId, report: &IdleReport) {
        if report.opened.is_none() || report.findings.partial {
            return;
        }
        let (verdict, bracket) = (report.findings.verdict, report.findings.bracket);
        let at = self.began.elapsed();
        if let Some(target) = self.counts().targets.get_mut(&id) {
            target.note_idle(IdleProbeResult { verdict, bracket, at });
        }
    }

    /// Counts an event of a target.
    pub fn observe(&self, id: KeptId, event: &ConnEvent) {
        if let Some(target) = self.counts().targets.get_mut(&id) {
            target.observe(self.began.elapsed(), event);
        }
    }

    /// The targets as they are now. Of more than fit on a page those that are not up come first.
    pub fn live(&self) -> LiveTargets {
        let now = self.began.elapsed();
        let counts = self.counts();
        let mut chosen: Vec<(&KeptId, &KeptTarget)> = counts.targets.iter().collect();
        let (all, up) = (chosen.len(), chosen.iter().filter(|(_, target)| target.is_up()).count());
        if all > MAX_SHOWN_TARGETS {
            chosen.sort_by_key(|(_, target)| target.is_up());
        }
        let shown = chosen.into_iter().take(MAX_SHOWN_TARGETS);
        let shown = shown.map(|(id, target)| target.live(*id, now)).collect();
        LiveTargets { shown, all, up, started_at: self.started_at, now }
    }

    /// The metrics as text. The copy is short, so that heartbeats wait for no page.
    pub fn page(&self) -> String {
        let Counts { targets, reload } = self.counts().clone();
        let targets: Vec<KeptTarget> = targets.into_values().collect();
        let mut families = families(&targets, self.began.elapsed());
        families.extend(reload.into_iter().flat_map(ReloadState::families));
        encode(&families)
    }
}
