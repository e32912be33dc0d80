//! What became of dead clients, in JSON: the document at the end.

use serde::Serialize;

use super::log::held_back;
use crate::domain::format::duration;
use crate::domain::listen::ServerEventKind;
use crate::domain::run::expectation::Expectation;
use crate::domain::zombie::report::{ZombieInfo, ZombieReport};
use crate::domain::zombie::{
    Behaviour, ClientEnd, ClientEndName, ClientRecord, HeartbeatPolicy, IdlePolicy, LibraryMatch,
    ReapingPolicy, ReapingRule, RequiredTraffic, ServerSchedule, TimerKind, ZombieFindings, ZombieVerdict,
};
use crate::output::envelope::DocumentBody;
use crate::output::json::document;
use crate::output::json::{FailureDocument, JsonEndingDocument, Ms, Name, OpeningDocument, PresetName, ms};
use crate::output::server_events::ReceivedKindDocument;

document! {
    /// What `wscheck probe-zombie -o json` prints. Unknown values are null; no field is ever omitted.
    pub struct ZombieDocument from report: &ZombieReport {
        /// The target, with secrets redacted.
        url: String = report.info.url.clone(),
        settings: ZombieSettings = report.info.as_ref(),
        /// Whether the server closes dead clients.
        verdict: Name<ZombieVerdict> = report.findings.verdict,
        /// The longest time that the server kept a dead client before it closed it.
        longest_ms: Option<Ms> = ms(report.findings.longest),
        /// The server's policy for silent clients, inferred from its behaviour.
        policy: PolicyDocument = &report.findings,
        /// At most three libraries whose defaults match the behaviour. None of them is certain.
        consistent_with: Vec<LibraryDocument> =
            Vec::from_iter(report.findings.consistent_with.iter().map(LibraryDocument::from)),
        /// The result of each client, the control first.
        clients: Vec<ClientDocument> = Vec::from_iter(report.findings.clients.iter().map(ClientDocument::from)),
        /// Details of the first connection's opening; null if none opened.
        opening: Option<OpeningDocument> = report.opened.as_deref().map(OpeningDocument::from),
        /// The last failure to open a connection, if any.
        error: Option<FailureDocument> = report.error.as_deref().map(FailureDocument::from),
    }
}

document! {
    /// The settings of the run.
    pub struct ZombieSettings from info: &ZombieInfo {
        max_ms: Ms = info.max,
        /// How often the `control` and the `pings_only` client send.
        every_ms: Ms = info.every,
        expect: Option<String> = info.expectation.as_ref().map(Expectation::to_string),
        /// The preset; null if none was requested.
        preset: Option<PresetName> = info.preset.as_ref().map(PresetName::from),
    }

    /// A library that the server's behaviour is consistent with.
    pub struct LibraryDocument from found: &LibraryMatch {
        id: &'static str = found.library.id,
        name: &'static str = found.library.name,
        defaults: &'static str = found.library.words,
        /// Whether the behaviour matches the library's defaults; if not, its close frame or its header identifies it.
        is_default: bool = found.is_default,
        /// How the library closes a client that does not answer.
        closes: String = found.library.goodbye.to_string(),
        source: &'static str = found.library.source,
    }

    /// The result of one client.
    pub struct ClientDocument from client: &ClientRecord {
        /// How the client behaves after it has sent a Ping and a message: `control` is healthy; `mute` reads but answers
        /// nothing; `stalled` stops reading; `half_closed` sends a FIN and continues to read; `quiet` answers but sends
        /// nothing of its own; `pings_only` sends Ping frames but no messages.
        client: Name<Behaviour> = client.behaviour,
        /// The result: `unopened` (never opened), `kept` (still connected at the end), `lost` (the peer no longer knew the
        /// connection), or `ended`.
        result: Name<ClientEndName> = ClientEndName::from(&client.end),
        /// When this behaviour began: time since the start of the run; null if it never began.
        began_ms: Option<Ms> = ms(client.was_open().then_some(client.began)),
        /// How long the client stayed connected after this behaviour began.
        kept_ms: Option<Ms> = ms(client.kept()),
        /// Whether `kept_ms` is only an upper bound, because the end was read later than it came.
        at_latest: bool = client.end.is_at_latest(),
        ending: Option<JsonEndingDocument> = client.ending().map(JsonEndingDocument::from),
        /// Number of heartbeats that the client left unanswered; null for a client that answers.
        unanswered: Option<u64> = client.unanswered().filter(|_| client.was_open()),
        /// What the client received; empty for a client that does not read.
        received: Vec<ReceivedKindDocument> =
            Vec::from_iter(client.listening.kinds().iter().map(ReceivedKindDocument::from)),
        /// For `unopened`: why it never opened. For `lost`: when that was found. For `kept`: why the client may not really
        /// be kept.
        why: Option<String> = why(client),
    }
}

/// The kind of policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PolicyName {
    /// Heartbeats, and an end when they stay unanswered; maybe a timer besides.
    Heartbeat,
    /// Heartbeats, and nothing follows when they stay unanswered.
    HeartbeatOnly,
    /// A timer that what the client sends starts afresh; answers to heartbeats, if there are any, do not suffice.
    IdleTimeout,
    /// No heartbeats, and everybody is kept.
    None,
    #[default]
    Unknown,
}

/// The server's policy for silent clients.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PolicyDocument {
    kind: PolicyName,
    /// The kind of heartbeat that the client must answer.
    heartbeat: Option<Name<ServerEventKind>>,
    /// The interval of these heartbeats; null if too few came, or the clients saw different intervals.
    interval_ms: Option<Ms>,
    /// Time from the last unanswered heartbeat to the end.
    timeout_ms: Option<Ms>,
    /// Number of unanswered heartbeats before the server closes. A timeout longer than the interval looks the same as a
    /// higher number.
    misses: Option<u64>,
    /// Time from the first unanswered heartbeat to the end.
    first_unanswered_to_end_ms: Option<Ms>,
    /// How long a client stays connected that dies just after an answer: one interval plus
    /// `first_unanswered_to_end_ms`. Null if that is unknown, if active clients may be pinged later, or if another
    /// client stayed longer.
    at_worst_ms: Option<Ms>,
    /// For `heartbeat_only`: how long wscheck waited for an end after the first unanswered heartbeat.
    unanswered_for_ms: Option<Ms>,
    /// Whether clients that have just sent a message get no heartbeat; null if unknown.
    skips_active: Option<bool>,
    /// The idle timeout: that of `idle_timeout`, or an additional one that closes clients which only answer heartbeats.
    idle_timeout_ms: Option<Ms>,
    /// How exact `idle_timeout_ms` is. `sharp`: clients that started at different times were closed at the same age, so
    /// it is the timeout. `swept`: they were closed at the same moment, so it is an upper bound. `unknown`: neither was
    /// observed, so it is an upper bound. Null without a timer.
    idle_timeout_edge: Option<Name<TimerKind>>,
    /// What a client must send so that this timer does not close it.
    needs: Option<Name<RequiredTraffic>>,
}

impl PolicyDocument {
    fn bare(kind: PolicyName) -> PolicyDocument {
        PolicyDocument { kind, ..PolicyDocument::default() }
    }

    fn heartbeat(policy: &HeartbeatPolicy) -> PolicyDocument {
        let bare = |kind| PolicyDocument::bare(kind).with(Some(&policy.beats), policy.idle.as_ref());
        match policy.reaping {
            ReapingRule::Never { waited } => {
                PolicyDocument { unanswered_for_ms: Some(waited.into()), ..bare(PolicyName::HeartbeatOnly) }
            }
            ReapingRule::After { misses, timeout, total } => PolicyDocument {
                misses: Some(misses),
                timeout_ms: Some(timeout.into()),
                first_unanswered_to_end_ms: Some(total.into()),
                ..bare(PolicyName::Heartbeat)
            },
        }
    }

    fn with(self, beats: Option<&ServerSchedule>, idle: Option<&IdlePolicy>) -> PolicyDocument {
        PolicyDocument {
            heartbeat: beats.map(|beats| beats.event_kind.into()),
            interval_ms: ms(beats.and_then(|beats| beats.interval)),
            skips_active: beats.and_then(|beats| beats.skips_active),
            idle_timeout_ms: ms(idle.map(|idle| idle.after)),
            idle_timeout_edge: idle.map(|idle| idle.edge.into()),
            needs: idle.map(|idle| idle.needs.into()),
            ..self
        }
    }
}

impl From<&ZombieFindings> for PolicyDocument {
    fn from(findings: &ZombieFindings) -> PolicyDocument {
        let policy = match &findings.policy {
            ReapingPolicy::Heartbeat(policy) => PolicyDocument::heartbeat(policy),
            ReapingPolicy::Idle(idle, beats) => {
                PolicyDocument::bare(PolicyName::IdleTimeout).with(beats.as_ref(), Some(idle))
            }
            ReapingPolicy::KeepsAll => PolicyDocument::bare(PolicyName::None),
            ReapingPolicy::Unknown => PolicyDocument::bare(PolicyName::Unknown),
        };
        PolicyDocument { at_worst_ms: ms(findings.at_worst()), ..policy }
    }
}

/// Why a client did not open or was lost, or may not really be kept.
fn why(client: &ClientRecord) -> Option<String> {
    match &client.end {
        ClientEnd::Unopened { why } => Some(why.clone()),
        ClientEnd::Lost { after } => {
            Some(format!("the peer no longer knew the connection after {}", duration(*after)))
        }
        ClientEnd::Kept { .. } if client.last_ping_unanswered => {
            Some("its last Ping was not answered".to_string())
        }
        ClientEnd::Kept { proven: false, .. } => {
            Some("the run ended before the other end answered whether it was still there".to_string())
        }
        ClientEnd::HeldBack { window, .. } => Some(held_back(*window)),
        ClientEnd::Kept { .. } | ClientEnd::Ended { .. } => None,
    }
}

impl DocumentBody for ZombieDocument {
    const COMMAND: &'static str = "probe-zombie";
}
