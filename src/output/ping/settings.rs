//! The settings of a run, in JSON and read back.

use serde::Deserialize;

use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::ping::expected_ending::ExpectedEnding;
use crate::domain::ping::health::StatusLimits;
use crate::domain::ping::run_info::{Demands, RunInfo};
use crate::domain::ping::run_status::RunStatusLimits;
use crate::output::json::{FieldError, Ms, Name, PresetName, Text, document, ms, strings};

document! {
    /// The settings of the run.
    #[derive(Deserialize)]
    pub struct Settings from info: &RunInfo {
        /// The kinds of heartbeat that are sent.
        heartbeats: Vec<Name<HeartbeatKind>> = info.kinds.iter().copied().map(Name).collect::<Vec<Name<HeartbeatKind>>>(),
        /// Null: each heartbeat is sent as soon as the previous one is answered or missed.
        interval_ms: Option<Ms> = ms(info.interval),
        timeout_ms: Ms = info.timeout,
        /// A silence of this length after a heartbeat left is an outage.
        outage_after_ms: Ms = info.outage_after,
        /// Number of heartbeats of each kind on each connection; null: until stopped, or merged runs had different numbers.
        count: Option<u64> = info.count,
        /// The run ends after this time; null: when all heartbeats are judged, or when it is stopped. Also null if merged runs
        /// had different times.
        deadline_ms: Option<Ms> = ms(info.deadline),
        /// Number of connections to each target; null if merged runs had different numbers to different targets.
        connections_each: Option<u64> = Some(info.connections_each as u64),
        /// Number of connections that `worst` lists.
        worst: usize = info.worst,
        /// Every connection is listed, however many there are.
        all_connections: bool = info.lists_all,
        /// The preset; null if none was requested.
        preset: Option<PresetName> = info.preset.as_ref().map(PresetName::from),
        /// When a heartbeat, a connection and the run are healthy, degraded, poor, critical, in timeout or dead.
        thresholds: Thresholds = info.demands.limits,
        /// The best status that fails the run.
        fail_on: Text = (&info.demands.fail_on),
        /// Conditions that fail the run: `rtt.p95>300ms`.
        fail_if: Vec<Text> = info.demands.fail_if.iter().map(Into::into).collect::<Vec<Text>>(),
        /// The conditions of `--warn`.
        warn: Vec<Text> = info.demands.warn_if.iter().map(Into::into).collect::<Vec<Text>>(),
        /// Close codes of the peer with which every connection must end; empty if none is expected.
        expect_close: Vec<u16> = info.demands.endings.close_codes.clone(),
        /// HTTP statuses with which every connection must be refused; empty if none is expected.
        expect_refused: Vec<u16> = info.demands.endings.refused_with.clone(),
    }
}

document! {
    /// The limits of statuses, so that an archived run can be judged again.
    #[derive(Deserialize)]
    struct Thresholds from limits: RunStatusLimits {
        /// The largest mean RTT of a healthy connection.
        healthy_ms: Ms = limits.connection.healthy,
        /// The largest mean RTT of a degraded connection.
        degraded_ms: Ms = limits.connection.degraded,
        /// The largest mean RTT of a poor connection; above it is critical.
        poor_ms: Ms = limits.connection.poor,
        /// Consecutive missed heartbeats after which a connection is dead.
        dead_after: u32 = limits.connection.dead_after,
        /// Consecutive missed heartbeats at the end with which a run has status timeout.
        timeout_after: u32 = limits.timeout_after,
        /// Loss above which a run is at least poor, from 0 to 1.
        poor_loss: f64 = limits.poor_loss,
        /// Loss above which a run is at least critical, from 0 to 1.
        critical_loss: f64 = limits.critical_loss,
        /// Missed heartbeats from which on loss makes a run poor or critical.
        loss_min_missed: u64 = limits.loss_min_missed,
        /// Answered heartbeats in the window of the live status.
        window: usize = limits.connection.window,
    }
}

impl Settings {
    /// The same with another number of connections to each target.
    pub fn with_connections_each(self, connections_each: Option<u64>) -> Settings {
        Settings { connections_each, ..self }
    }

    /// What the run measured, read back; `targets` are its URLs.
    pub fn info(self, targets: Vec<String>) -> Result<RunInfo, FieldError> {
        let preset = self.preset.map(PresetName::selection).transpose();
        let connections_each = u32::try_from(self.connections_each.unwrap_or_default())
            .map_err(|_| FieldError::new("settings.connections_each", "it is too many"))?;
        Ok(RunInfo {
            targets,
            connections_each: connections_each as usize,
            worst: self.worst,
            lists_all: self.all_connections,
            kinds: self.heartbeats.into_iter().map(|kind| kind.0).collect(),
            interval: self.interval_ms.map(Into::into),
            timeout: self.timeout_ms.into(),
            outage_after: self.outage_after_ms.into(),
            count: self.count,
            deadline: self.deadline_ms.map(Into::into),
            preset: preset.map_err(|why| FieldError::new("settings.preset", why))?,
            demands: Demands {
                limits: self.thresholds.into(),
                fail_on: self.fail_on.into(),
                fail_if: strings(self.fail_if),
                warn_if: strings(self.warn),
                endings: ExpectedEnding { close_codes: self.expect_close, refused_with: self.expect_refused },
            },
        })
    }
}

impl From<Thresholds> for RunStatusLimits {
    fn from(limits: Thresholds) -> RunStatusLimits {
        RunStatusLimits {
            connection: StatusLimits {
                healthy: limits.healthy_ms.into(),
                degraded: limits.degraded_ms.into(),
                poor: limits.poor_ms.into(),
                dead_after: limits.dead_after,
                window: limits.window,
            },
            poor_loss: limits.poor_loss,
            critical_loss: limits.critical_loss,
            loss_min_missed: limits.loss_min_missed,
            timeout_after: limits.timeout_after,
        }
    }
}
