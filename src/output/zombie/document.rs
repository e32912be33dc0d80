//! What became of dead clients, in JSON: the document at the end.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::format::duration;
use crate::domain::listen::ServerEventKind;
use crate::domain::run::expectation::Expectation;
use crate::domain::run::run_result::RunResult;
use crate::domain::run::truth::Truth;
use crate::domain::zombie::report::{ZombieInfo, ZombieReport};
use crate::domain::zombie::{
    Behaviour, ClientEnd, ClientEndName, ClientRecord, HeartbeatPolicy, IdlePolicy, Library, LibraryMatch,
    ReapingPolicy, ReapingRule, RequiredTraffic, ServerSchedule, TimerKind, ZombieVerdict,
};
use crate::output::json::{
    FailureDocument, JsonEndingDocument, Ms, Name, OpeningDocument, PresetName, SCHEMA_VERSION, Timestamp,
    WSCHECK_VERSION, ms,
};
use crate::output::listen::ListenedTo;

/// What `wscheck probe-zombie -o json` prints. A value that is not known is null; no field is ever left out.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ZombieDocument {
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    #[schemars(extend("const" = "probe-zombie"))]
    command: &'static str,
    wscheck_version: &'static str,
    started_at: Timestamp,
    elapsed_ms: Ms,
    /// Without its secrets.
    url: String,
    settings: ZombieSettings,
    /// Whether the server lets go of dead clients.
    verdict: Name<ZombieVerdict>,
    /// Of the dead clients that were let go, how long the last one was kept.
    longest_ms: Option<Ms>,
    /// What the server does about clients that say nothing, as it looks from outside.
    policy: PolicyDocument,
    /// Libraries whose defaults look so, at most three; never an assertion.
    consistent_with: Vec<LibraryDocument>,
    /// What became of each client, the control first.
    clients: Vec<LifeDocument>,
    expectation: Option<MetDocument>,
    /// The user ended it before it was done.
    partial: bool,
    /// What the run comes to; the exit code says the same.
    result: Name<RunResult>,
    exit_code: u8,
    /// Why.
    reasons: Vec<String>,
    /// How the first connection opened; null when none did.
    opening: Option<OpeningDocument>,
    /// The last failure to open, where there was one.
    error: Option<FailureDocument>,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ZombieSettings {
    max_ms: Ms,
    /// How often the control, and the client of Pings only, send something.
    every_ms: Ms,
    expect: Option<String>,
    /// Whose heartbeats they are; null where no preset was asked for.
    preset: Option<PresetName>,
}

/// What kind of policy it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
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
    Unknown,
}

/// What the server does about clients that say nothing.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PolicyDocument {
    kind: PolicyName,
    /// The kind of its heartbeats that need an answer.
    heartbeat: Option<Name<ServerEventKind>>,
    /// Their interval; null when too few came or the clients disagree.
    interval_ms: Option<Ms>,
    /// From the last unanswered heartbeat to the end.
    timeout_ms: Option<Ms>,
    /// Number of unanswered heartbeats before the server closes. A timeout longer than the interval looks the same as a
    /// higher number.
    misses: Option<u64>,
    /// From the first unanswered heartbeat to the end.
    first_unanswered_to_end_ms: Option<Ms>,
    /// How long a client that dies just after an answer stays connected: one interval and the time above. Null when it is
    /// unknown, when active clients may be pinged later, or when another client stayed longer.
    at_worst_ms: Option<Ms>,
    /// For `heartbeat_only`: how long wscheck waited for an end after the first unanswered heartbeat.
    unanswered_for_ms: Option<Ms>,
    /// Whether clients that have just sent a message get no heartbeat; null when unknown.
    skips_active: Option<bool>,
    /// The timer of `idle_timeout`, or a timer beside heartbeats that closes clients which only answer.
    idle_timeout_ms: Option<Ms>,
    /// What shows that this is the timer's length: `sharp`, clients that began at different moments were let go at the
    /// same age; `swept`, they were at the same moment, so it is an upper bound; `unknown`, neither was seen, and it is
    /// one too. Null without a timer.
    idle_timeout_edge: Option<Name<TimerKind>>,
    /// What a client must send to be kept by that timer.
    needs: Option<Name<RequiredTraffic>>,
}

/// A library that the server's behaviour is consistent with.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LibraryDocument {
    id: &'static str,
    name: &'static str,
    defaults: &'static str,
    /// What was found are its defaults; else its close frame or its header names it.
    is_default: bool,
    /// How it lets go of a client that does not answer.
    closes: String,
    source: &'static str,
}

/// A client's life.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LifeDocument {
    /// How it behaves, once it has sent a Ping and a message: `control` is healthy; `mute` reads and answers nothing;
    /// `stalled` stops reading; `half_closed` sends a FIN and reads on; `quiet` answers, and sends nothing of its own;
    /// `pings_only` sends Ping frames and no messages.
    client: Name<Behaviour>,
    /// What became of it.
    fate: Name<ClientEndName>,
    /// When it began to behave so, since the run began; null of one that never did.
    began_ms: Option<Ms>,
    /// For how long it was there, from the moment at which it began to behave so.
    kept_ms: Option<Ms>,
    /// Nobody saw when it was closed, for what tells of it was read only later: `kept_ms` is an upper bound.
    at_latest: bool,
    ending: Option<JsonEndingDocument>,
    /// Heartbeats that it left unanswered; null of a client that answers.
    unanswered: Option<u64>,
    /// What it heard; of a client that does not read, nothing.
    heard: Vec<ListenedTo>,
    /// Why it was never open, when it was found lost; of one that looks kept, why that may not be so.
    why: Option<String>,
}

/// What the user expected, and whether the evidence bears it out.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MetDocument {
    expect: String,
    /// Null when the evidence allows either.
    met: Option<bool>,
    why: Option<String>,
}

impl From<&ZombieInfo> for ZombieSettings {
    fn from(info: &ZombieInfo) -> ZombieSettings {
        ZombieSettings {
            max_ms: info.max.into(),
            every_ms: info.every.into(),
            expect: info.expectation.as_ref().map(Expectation::to_string),
            preset: info.preset.as_ref().map(PresetName::from),
        }
    }
}

impl PolicyDocument {
    fn bare(kind: PolicyName) -> PolicyDocument {
        PolicyDocument {
            kind,
            heartbeat: None,
            interval_ms: None,
            timeout_ms: None,
            misses: None,
            first_unanswered_to_end_ms: None,
            at_worst_ms: None,
            unanswered_for_ms: None,
            skips_active: None,
            idle_timeout_ms: None,
            idle_timeout_edge: None,
            needs: None,
        }
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

impl From<&ReapingPolicy> for PolicyDocument {
    fn from(policy: &ReapingPolicy) -> PolicyDocument {
        match policy {
            ReapingPolicy::Heartbeat(policy) => PolicyDocument::heartbeat(policy),
            ReapingPolicy::Idle(idle, beats) => {
                PolicyDocument::bare(PolicyName::IdleTimeout).with(beats.as_ref(), Some(idle))
            }
            ReapingPolicy::KeepsAll => PolicyDocument::bare(PolicyName::None),
            ReapingPolicy::Unknown => PolicyDocument::bare(PolicyName::Unknown),
        }
    }
}

impl From<&LibraryMatch> for LibraryDocument {
    fn from(found: &LibraryMatch) -> LibraryDocument {
        let Library { id, name, goodbye, words, source, .. } = *found.library;
        let closes = goodbye.to_string();
        LibraryDocument { id, name, defaults: words, is_default: found.is_default, closes, source }
    }
}

/// Whether nobody saw when it ended.
pub fn at_latest(end: &ClientEnd) -> bool {
    matches!(end, ClientEnd::Ended { at_latest: true, .. })
}

impl From<&ClientRecord> for LifeDocument {
    fn from(client: &ClientRecord) -> LifeDocument {
        let why = match &client.end {
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
            ClientEnd::Kept { .. } | ClientEnd::Ended { .. } => None,
        };
        let opened = client.was_open();
        LifeDocument {
            client: client.behaviour.into(),
            fate: Name(ClientEndName::from(&client.end)),
            began_ms: ms(opened.then_some(client.began)),
            kept_ms: ms(client.kept()),
            at_latest: at_latest(&client.end),
            ending: client.ending().map(JsonEndingDocument::from),
            unanswered: client.unanswered().filter(|_| opened),
            heard: client.listening.kinds().iter().map(ListenedTo::from).collect(),
            why,
        }
    }
}

impl From<&(Expectation, Truth)> for MetDocument {
    fn from((expectation, truth): &(Expectation, Truth)) -> MetDocument {
        let (met, why) = match truth {
            Truth::True(why) | Truth::TrueOfBounds(why) => (Some(true), Some(why)),
            Truth::False => (Some(false), None),
            Truth::Unknown(why) => (None, Some(why)),
        };
        MetDocument { expect: expectation.to_string(), met, why: why.cloned() }
    }
}

impl From<&ZombieReport> for ZombieDocument {
    fn from(report: &ZombieReport) -> ZombieDocument {
        let findings = &report.findings;
        ZombieDocument {
            schema_version: SCHEMA_VERSION,
            command: "probe-zombie",
            wscheck_version: WSCHECK_VERSION,
            started_at: report.started_at.into(),
            elapsed_ms: report.elapsed.into(),
            url: report.info.url.clone(),
            settings: report.info.as_ref().into(),
            verdict: findings.verdict.into(),
            longest_ms: ms(findings.longest),
            policy: PolicyDocument { at_worst_ms: ms(findings.at_worst()), ..(&findings.policy).into() },
            consistent_with: findings.consistent_with.iter().map(LibraryDocument::from).collect(),
            clients: findings.clients.iter().map(LifeDocument::from).collect(),
            expectation: report.expectation.as_ref().map(MetDocument::from),
            partial: report.partial,
            result: report.verdict.into(),
            exit_code: report.verdict.exit_code(),
            reasons: report.reasons.clone(),
            opening: report.opened.as_deref().map(OpeningDocument::from),
            error: report.error.as_deref().map(FailureDocument::from),
        }
    }
}
