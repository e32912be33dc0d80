//! The events of a run that was cut off: its NDJSON lines, recorded again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde::Deserialize;

use super::connection::{Attempt, Ending, Failure, Opened, Phases, Tls};
use super::fields::{Count, FieldError, Instant, Millis, Named, Text, strings};
use super::run::{Settings, parsed};
use crate::domain::connection::connect_info::{ConnectError, TimestampSource};
use crate::domain::connection::untrusted_text::without_controls;
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome, StrayPong};
use crate::domain::ping::event::{ConnEvent, ConnId, Event, HeartbeatResult, PeerTraffic, StatusChange};
use crate::domain::ping::health::{Status, StatusMetrics};
use crate::domain::ping::recorder::Recorder;
use crate::domain::ping::report::PingReport;
use crate::domain::ping::verdict::PassCriteria;
use crate::domain::run::run_result::RunResult;
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
    let is_of_ping = head.event == "started" && matches!(head.command.as_deref(), Some(COMMAND | WATCH));
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
        lines.removed_at = (event == "removed").then_some(at.0);
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
    at: Instant,
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
        let Started { at: Instant(at), targets, settings } = parsed(line)?;
        let info = settings.info(strings(targets))?;
        if info.connections_each.saturating_mul(info.targets.len()) > MAX_CONNECTIONS {
            return Err(FieldError::new("settings.connections_each", "it is too many"));
        }
        let policy = PassCriteria::of(&info.demands).map_err(|why| FieldError::new("settings", why))?;
        Ok(RunLog { recorder: Recorder::new(info, policy, at), started_at: at, last_at: at, timestamps })
    }

    fn record(&mut self, line: &str) -> Result<(), FieldError> {
        let head: Head = parsed(line)?;
        self.last_at = self.last_at.max(head.at.0);
        let Some(id) = head.connection else { return Ok(()) };
        let id = ConnId { target: id.target, index: id.index };
        if let Some(event) = self.event(&head.event, line)? {
            self.recorder.observe(&Event::Connection { id, at: head.at.0, event });
        }
        Ok(())
    }

    /// The event of a line; `None` for one that another version added.
    fn event(&self, name: &str, line: &str) -> Result<Option<ConnEvent>, FieldError> {
        Ok(Some(match name {
            "opening" => ConnEvent::Opening,
            "opened" => parsed::<OpenedLine>(line)?.event(self.timestamps),
            "open_failed" => {
                let failed: FailedLine = parsed(line)?;
                let error = ConnectError { took: failed.took_ms.0, ..failed.error.report()? };
                ConnEvent::OpenFailed(Arc::new(error))
            }
            "heartbeat" => parsed::<HeartbeatLine>(line)?.event()?,
            "stray" => {
                let StrayLine { kind, stray, count } = parsed(line)?;
                ConnEvent::PeerTraffic(PeerTraffic::Stray(kind.0, stray.0), count.0)
            }
            "server_heartbeat" => {
                let ServerLine { kind, answered, count } = parsed(line)?;
                ConnEvent::PeerTraffic(PeerTraffic::ServerPing { kind: kind.0, answered }, count.0)
            }
            "message" => ConnEvent::PeerTraffic(PeerTraffic::Message, parsed::<CountLine>(line)?.count.0),
            "echo" => ConnEvent::PeerTraffic(PeerTraffic::Echo, parsed::<CountLine>(line)?.count.0),
            "status" => parsed::<StatusLine>(line)?.event(),
            "unjudged" => {
                let UnjudgedLine { kind, count } = parsed(line)?;
                ConnEvent::Unjudged { kind: kind.0, count: count.0 }
            }
            "closed" => ConnEvent::Ended(Arc::new(parsed::<ClosedLine>(line)?.ending.cause("ending")?)),
            "reconnecting" => {
                let RetryLine { attempt, after_ms } = parsed(line)?;
                ConnEvent::Retry { attempt, after: after_ms.0 }
            }
            "reconnected" => {
                let OutageLine { outage_ms, attempts, .. } = parsed(line)?;
                ConnEvent::Reconnected { outage: outage_ms.0, attempts }
            }
            "gave_up" => {
                let OutageLine { outage_ms, attempts, stopped } = parsed(line)?;
                ConnEvent::GaveUp { outage: outage_ms.0, attempts, is_stopped: stopped }
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
    at: Instant,
    connection: Option<Id>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Id {
    target: usize,
    index: usize,
}

#[derive(Debug, Deserialize)]
struct Started {
    at: Instant,
    targets: Vec<Text>,
    settings: Settings,
}

#[derive(Debug, Deserialize)]
struct OpenedLine {
    remote: Option<Text>,
    local: Option<Text>,
    proxy: Option<Text>,
    phases: Option<Phases>,
    attempts: Vec<Attempt>,
    tls: Option<Tls>,
    subprotocols_offered: Vec<Text>,
    subprotocol: Option<Text>,
    headers: BTreeMap<String, Text>,
}

impl OpenedLine {
    fn event(self, timestamps: TimestampSource) -> ConnEvent {
        let phases = self.phases.map(Into::into).unwrap_or_default();
        let opened = Opened {
            remote: self.remote,
            local: self.local,
            proxy: self.proxy,
            attempts: self.attempts,
            tls: self.tls,
            subprotocols_offered: self.subprotocols_offered,
            subprotocol: self.subprotocol,
            headers: self.headers,
        };
        ConnEvent::Opened(Arc::new(opened.info(phases, timestamps)))
    }
}

#[derive(Debug, Deserialize)]
struct FailedLine {
    error: Failure,
    took_ms: Millis,
}

#[derive(Debug, Deserialize)]
struct HeartbeatLine {
    kind: Named<HeartbeatKind>,
    #[serde(default)]
    extra: bool,
    seq: u64,
    outcome: Named<HeartbeatOutcome>,
    was: Option<Named<HeartbeatOutcome>>,
    rtt_ms: Option<Millis>,
    lag_ms: Option<Millis>,
    to_wire_ms: Option<Millis>,
    from_wire_ms: Option<Millis>,
    acknowledged: Option<bool>,
    later_answered: bool,
    sent_again: Option<u32>,
    rivals: u32,
}

impl HeartbeatLine {
    fn event(self) -> Result<ConnEvent, FieldError> {
        if self.outcome.0.is_answered() != self.rtt_ms.is_some() {
            return Err(FieldError::new("rtt_ms", "an answered heartbeat has an RTT, and no other"));
        }
        let result = HeartbeatResult {
            kind: self.kind.0,
            seq: self.seq,
            outcome: self.outcome.0,
            was: self.was.map(|was| was.0),
            rtt: self.rtt_ms.map(|ms| ms.0),
            lag: self.lag_ms.map(|ms| ms.0),
            to_wire: self.to_wire_ms.map(|ms| ms.0.into()),
            from_wire: self.from_wire_ms.map(|ms| ms.0.into()),
            acked: self.acknowledged,
            later_answered: self.later_answered,
            sent_again: self.sent_again,
            rivals: self.rivals,
        };
        Ok(if self.extra { ConnEvent::ExtraHeartbeat(result) } else { ConnEvent::Heartbeat(result) })
    }
}

#[derive(Debug, Deserialize)]
struct StrayLine {
    kind: Named<HeartbeatKind>,
    stray: Named<StrayPong>,
    count: Count,
}

#[derive(Debug, Deserialize)]
struct ServerLine {
    kind: Named<HeartbeatKind>,
    answered: bool,
    count: Count,
}

#[derive(Debug, Deserialize)]
struct CountLine {
    count: Count,
}

#[derive(Debug, Deserialize)]
struct UnjudgedLine {
    kind: Named<HeartbeatKind>,
    count: Count,
}

#[derive(Debug, Deserialize)]
struct StatusLine {
    kind: Option<Named<HeartbeatKind>>,
    from: Named<Status>,
    to: Named<Status>,
    reason: Text,
}

impl StatusLine {
    /// The report needs no figures of the moment.
    fn event(self) -> ConnEvent {
        ConnEvent::Status(StatusChange {
            kind: self.kind.map(|kind| kind.0),
            from: self.from.0,
            to: self.to.0,
            reason: self.reason.0,
            metrics: StatusMetrics::default(),
        })
    }
}

#[derive(Debug, Deserialize)]
struct ClosedLine {
    ending: Ending,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct RetryLine {
    attempt: u32,
    after_ms: Millis,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct OutageLine {
    outage_ms: Millis,
    attempts: u32,
    #[serde(default)]
    stopped: bool,
}
