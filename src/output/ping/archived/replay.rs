//! The events of a run that was cut off: its NDJSON lines, recorded again.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use super::run::parsed;
use crate::domain::connection::connect_info::TimestampSource;
use crate::domain::connection::untrusted_text::without_controls;
use crate::domain::ping::event::{ConnEvent, ConnId, Event, HeartbeatResult, PeerTraffic, StatusChange};
use crate::domain::ping::health::StatusMetrics;
use crate::domain::ping::recorder::Recorder;
use crate::domain::ping::report::PingReport;
use crate::domain::ping::verdict::PassCriteria;
use crate::domain::run::run_result::RunResult;
use crate::output::json::{FailedOpening, FieldError, OpeningDocument, Text, Timestamp, strings};
use crate::output::ndjson::{ConnectionId, EventBody};
use crate::output::ping::ndjson_events::{
    ConnectionOpening, Echo, Ended, GaveUp, GoawayReceived, Heartbeat, Message, OpenFailed, Opened,
    Reconnected, Retry, ServerPing, Started, StatusChanged, StrayPong, Unjudged,
};
use crate::output::ping::settings::Settings;
use crate::output::ping::{COMMAND, WATCH};

/// More connections than any run opens; each takes memory.
const MAX_CONNECTIONS: usize = 200_000;

/// The report of a run of which only the events were kept, from the first to the last line that is whole. `None` if the text
/// does not begin as a run of ping does.
///
/// # Errors
///
/// A line is no line of ping: its number, the field and why.
pub fn replay(text: &str) -> Option<Result<PingReport, FieldError>> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (_, first) = lines.next()?;
    let head: Head = serde_json::from_str(first).ok()?;
    let is_of_ping = head.event == Started::EVENT && matches!(head.command.as_deref(), Some(COMMAND | WATCH));
    is_of_ping.then(|| {
        let mut log = RunLog::new(first, timestamps(text))?;
        let mut lines = lines.peekable();
        while let Some((number, line)) = lines.next() {
            match log.record(line) {
                Ok(()) => {}
                // The end of the last one is missing.
                Err(_) if lines.peek().is_none() && !text.ends_with('\n') => break,
                Err(error) => return Err(error.within(&format!("line {}", number + 1))),
            }
        }
        Ok(log.report())
    })
}

/// A group of a watch of which only the events were kept.
#[derive(Debug)]
pub struct ReplayedGroup {
    pub name: String,
    pub report: PingReport,
    /// When its connections had ended, if the configuration file had it no more.
    pub removed_at: Option<SystemTime>,
}

/// The groups of a watch of a configuration file of which only the events were kept, in the order of their starts. `None` if
/// the text does not begin as one does.
///
/// # Errors
///
/// As [`replay`].
pub fn replay_groups(text: &str) -> Option<Result<Vec<ReplayedGroup>, FieldError>> {
    let read = |line: &str| serde_json::from_str::<Grouped>(line).ok();
    read(text.lines().next()?)?.group?;
    let mut groups: Vec<LinesOfGroup> = Vec::new();
    for line in text.lines() {
        let Some(Grouped { group: Some(group), event, at }) = read(line) else { continue };
        let is_of = |lines: &LinesOfGroup| lines.name == group && lines.removed_at.is_none();
        let index = groups.iter().position(is_of).unwrap_or_else(|| {
            groups.push(LinesOfGroup::new(group));
            groups.len() - 1
        });
        let lines = &mut groups[index];
        lines.text += &format!("{line}\n");
        lines.removed_at = (event == "removed").then_some(at.into());
    }
    Some(groups.into_iter().filter_map(LinesOfGroup::replay).collect())
}

/// The lines of a group, from its start to its end.
struct LinesOfGroup {
    name: String,
    text: String,
    removed_at: Option<SystemTime>,
}

impl LinesOfGroup {
    fn new(name: String) -> LinesOfGroup {
        LinesOfGroup { name, text: String::new(), removed_at: None }
    }

    fn replay(self) -> Option<Result<ReplayedGroup, FieldError>> {
        let report = replay(&self.text)?.map_err(|why| why.within(&self.name));
        let name = without_controls(&self.name, false);
        Some(report.map(|report| ReplayedGroup { name, report, removed_at: self.removed_at }))
    }
}

/// The group that a line is of.
#[derive(Deserialize)]
struct Grouped {
    group: Option<String>,
    event: String,
    at: Timestamp,
}

/// Where the RTTs' timestamps came from: the lines of an opening do not say it, those of heartbeats show it.
fn timestamps(text: &str) -> TimestampSource {
    let has =
        |name: &str| text.match_indices(name).any(|(at, _)| !text[at + name.len()..].starts_with("null"));
    if has("\"to_wire_ms\":") {
        TimestampSource::Kernel
    } else if has("\"from_wire_ms\":") {
        TimestampSource::KernelReceive
    } else {
        TimestampSource::User
    }
}

struct RunLog {
    recorder: Recorder,
    started_at: SystemTime,
    last_at: SystemTime,
    timestamps: TimestampSource,
}

impl RunLog {
    fn new(line: &str, timestamps: TimestampSource) -> Result<RunLog, FieldError> {
        let StartedLine { at, targets, settings } = parsed(line)?;
        let at = SystemTime::from(at);
        let info = settings.info(strings(targets))?;
        if info.connections_each.saturating_mul(info.targets.len()) > MAX_CONNECTIONS {
            return Err(FieldError::new("settings.connections_each", "it is too many"));
        }
        let policy = PassCriteria::of(&info.demands).map_err(|why| FieldError::new("settings", why))?;
        Ok(RunLog { recorder: Recorder::new(info, policy, at), started_at: at, last_at: at, timestamps })
    }

    fn record(&mut self, line: &str) -> Result<(), FieldError> {
        let head: Head = parsed(line)?;
        let at = SystemTime::from(head.at);
        self.last_at = self.last_at.max(at);
        let Some(id) = head.connection else { return Ok(()) };
        let id = ConnId { target: id.target, index: id.index };
        if let Some(event) = self.event(&head.event, line)? {
            self.recorder.observe(&Event::Connection { id, at, event });
        }
        Ok(())
    }

    /// The event of a line; `None` for one that another version added.
    fn event(&self, name: &str, line: &str) -> Result<Option<ConnEvent>, FieldError> {
        Ok(Some(match name {
            ConnectionOpening::EVENT => ConnEvent::Opening,
            Opened::EVENT => {
                let opening: OpeningDocument = parsed(line)?;
                ConnEvent::Opened(Arc::new(opening.info(self.timestamps)))
            }
            OpenFailed::EVENT => ConnEvent::OpenFailed(Arc::new(parsed::<FailedOpening>(line)?.error()?)),
            Heartbeat::EVENT => heartbeat(parsed(line)?)?,
            StrayPong::EVENT => {
                let StrayPong { kind, stray, count } = parsed(line)?;
                ConnEvent::PeerTraffic(PeerTraffic::Stray(kind.0, stray.0), count.0)
            }
            ServerPing::EVENT => {
                let ServerPing { kind, answered, count } = parsed(line)?;
                ConnEvent::PeerTraffic(PeerTraffic::ServerPing { kind: kind.0, answered }, count.0)
            }
            Message::EVENT => ConnEvent::PeerTraffic(PeerTraffic::Message, parsed::<Message>(line)?.count.0),
            Echo::EVENT => ConnEvent::PeerTraffic(PeerTraffic::Echo, parsed::<Echo>(line)?.count.0),
            StatusChanged::EVENT => ConnEvent::Status(parsed::<StatusChanged>(line)?.into()),
            Unjudged::EVENT => {
                let Unjudged { kind, count } = parsed(line)?;
                ConnEvent::Unjudged { kind: kind.0, count: count.0 }
            }
            GoawayReceived::EVENT => {
                ConnEvent::Goaway(Arc::new(parsed::<GoawayReceived>(line)?.goaway.into()))
            }
            Ended::EVENT => ConnEvent::Ended(Arc::new(parsed::<Ended>(line)?.ending.cause("ending")?)),
            Retry::EVENT => {
                let Retry { attempt, after_ms } = parsed(line)?;
                ConnEvent::Retry { attempt, after: after_ms.into() }
            }
            Reconnected::EVENT => {
                let Reconnected { outage_ms, attempts } = parsed(line)?;
                ConnEvent::Reconnected { outage: outage_ms.into(), attempts }
            }
            GaveUp::EVENT => {
                let GaveUp { outage_ms, attempts, stopped } = parsed(line)?;
                ConnEvent::GaveUp { outage: outage_ms.into(), attempts, is_stopped: stopped }
            }
            _ => return Ok(None),
        }))
    }

    /// What the lines show. Nobody knows what came after them, so that a run without a fault has not passed.
    fn report(self) -> PingReport {
        let elapsed = self.last_at.duration_since(self.started_at).unwrap_or_default();
        let mut report = self.recorder.report(elapsed, true);
        if report.verdict == RunResult::Passed {
            report.verdict = RunResult::Interrupted { measured: true };
            report.reasons.insert(0, "cut off".to_string());
        }
        report
    }
}

#[derive(Debug, Deserialize)]
struct Head {
    event: String,
    command: Option<String>,
    at: Timestamp,
    connection: Option<ConnectionId>,
}

#[derive(Debug, Deserialize)]
struct StartedLine {
    at: Timestamp,
    targets: Vec<Text>,
    settings: Settings,
}

fn heartbeat(line: Heartbeat) -> Result<ConnEvent, FieldError> {
    if line.outcome.0.is_answered() != line.rtt_ms.is_some() {
        return Err(FieldError::new("rtt_ms", "an answered heartbeat has an RTT, and no other"));
    }
    let result = HeartbeatResult {
        kind: line.kind.0,
        seq: line.seq,
        outcome: line.outcome.0,
        was: line.was.map(|was| was.0),
        rtt: line.rtt_ms.map(Into::into),
        lag: line.lag_ms.map(Into::into),
        to_wire: line.to_wire_ms.map(|ms| Duration::from(ms).into()),
        from_wire: line.from_wire_ms.map(|ms| Duration::from(ms).into()),
        acked: line.acknowledged,
        later_answered: line.later_answered,
        exhausted_window: line.exhausted_window.map(|window| window.0),
        sent_again: line.sent_again,
        rivals: line.rivals,
    };
    Ok(if line.extra { ConnEvent::ExtraHeartbeat(result) } else { ConnEvent::Heartbeat(result) })
}

impl From<StatusChanged> for StatusChange {
    /// The report needs no figures of the moment.
    fn from(line: StatusChanged) -> StatusChange {
        StatusChange {
            kind: line.kind.map(|kind| kind.0),
            from: line.from.0,
            to: line.to.0,
            reason: line.reason.into(),
            metrics: StatusMetrics::default(),
        }
    }
}
