//! The report of `listen` in JSON: the document at the end.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::listen::report::{ListenInfo, ListenReport};
use crate::domain::listen::{
    CoveredTimeouts, IntervalOrigin, IntervalSpan, ListenVerdict, Periodic, Sameness, ServerEventKind,
    UnansweredPolicy,
};
use crate::output::envelope::DocumentBody;
use crate::output::json::{
    CloseReplyDocument, FailureDocument, JsonEndingDocument, Ms, Name, OpeningDocument, PresetName,
};
use crate::output::server_events::{IntervalDocument, ReceivedKindDocument};

/// What `wscheck listen -o json` prints. Unknown values are null; no field is ever omitted.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ListenDocument {
    /// The target, with secrets redacted.
    url: String,
    settings: ListenSettings,
    /// What heartbeats the server sends.
    verdict: Name<ListenVerdict>,
    /// The kind of heartbeat that the verdict is about; null if there was none.
    heartbeat: Option<Name<ServerEventKind>>,
    /// The name of the known format that this kind has, if any.
    heartbeat_shape: Option<&'static str>,
    /// The interval of that kind; null if it has no established interval.
    interval: Option<IntervalDocument>,
    /// What the interval is measured between; null without an interval.
    interval_spans: Option<Name<IntervalSpan>>,
    /// Messages of unknown format at a fixed interval, perhaps heartbeats; null if there are none.
    periodic: Option<PeriodicDocument>,
    /// How long wscheck listened since the opening.
    listened_ms: Ms,
    /// The longest time in which the server sent nothing.
    longest_quiet_ms: Ms,
    /// The longest time in which neither side sent anything except answers.
    longest_still_ms: Ms,
    /// What starts the server's interval: a fixed clock, or the last traffic. Null if unknown; a fixed clock shows only
    /// if the client sends messages.
    counted_from: Option<Name<IntervalOrigin>>,
    /// What the server does if its heartbeats stay unanswered; null if they were answered, or too few came.
    unanswered: Option<UnansweredDocument>,
    /// Which well-known idle timeouts the heartbeats prevent; null without an interval.
    covered_timeouts: Option<CoveredTimeoutsDocument>,
    /// Every kind of event that the server sent, heartbeats first.
    received: Vec<ReceivedKindDocument>,
    /// How the connection ended early; null if it did not.
    ending: Option<JsonEndingDocument>,
    /// How the server reacted to our close; null if it ended the connection, and with `--no-answer`.
    close_reply: Option<CloseReplyDocument>,
    /// Details of the opening; null if the connection did not open.
    opening: Option<OpeningDocument>,
    /// Why the connection did not open.
    error: Option<FailureDocument>,
}

/// The settings of the run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ListenSettings {
    for_ms: Ms,
    count: Option<u64>,
    /// Whether the client answers heartbeats.
    answer: bool,
    /// Whether the client sends messages between heartbeats.
    talk: bool,
    /// The preset; null if none was requested.
    preset: Option<PresetName>,
}

/// Messages that come at an interval and have one form; counters, times and ids in them may change.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PeriodicDocument {
    /// The first of these messages; control characters are escaped, and secrets redacted.
    payload: String,
    count: u64,
    interval: IntervalDocument,
    /// How the messages differ: not at all (`constant`), only in counters, times and ids (`counting`), or in other
    /// numbers such as prices (`changing`).
    sameness: Name<Sameness>,
    /// Whether the messages look more like heartbeats than like data: only counters, times and ids change, or they
    /// contain a word such as "heartbeat". They need not be heartbeats.
    like_heartbeat: bool,
    /// A value for `--app-ping` that matches these messages; null if they have too little in common.
    app_ping: Option<String>,
}

/// What the server does if its heartbeats stay unanswered.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct UnansweredDocument {
    /// What the server did.
    outcome: Name<UnansweredPolicy>,
    /// Number of unanswered heartbeats before this outcome. If the connection ended, they need not be the cause. If the
    /// server continued, more of them may still change that.
    after: u64,
}

/// Which well-known idle timeouts the server's heartbeats prevent. A timeout is prevented if the interval, or the
/// longest time without traffic if that is longer, is at most 75 % of it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CoveredTimeoutsDocument {
    covered_ms: Vec<Ms>,
    not_covered_ms: Vec<Ms>,
}

impl From<&ListenInfo> for ListenSettings {
    fn from(info: &ListenInfo) -> ListenSettings {
        ListenSettings {
            for_ms: info.listen_for.into(),
            count: info.count,
            answer: info.answer,
            talk: info.talk,
            preset: info.preset.as_ref().map(PresetName::from),
        }
    }
}

impl From<&Periodic> for PeriodicDocument {
    fn from(periodic: &Periodic) -> PeriodicDocument {
        PeriodicDocument {
            payload: periodic.sample.to_string(),
            count: periodic.count,
            interval: periodic.interval.into(),
            sameness: periodic.sameness.into(),
            like_heartbeat: periodic.is_like_heartbeat(),
            app_ping: periodic.pattern.clone(),
        }
    }
}

impl From<UnansweredPolicy> for UnansweredDocument {
    fn from(unanswered: UnansweredPolicy) -> UnansweredDocument {
        let (UnansweredPolicy::GoesOn { after }
        | UnansweredPolicy::Stops { after }
        | UnansweredPolicy::Ends { after }) = unanswered;
        UnansweredDocument { outcome: unanswered.into(), after }
    }
}

impl From<&CoveredTimeouts> for CoveredTimeoutsDocument {
    fn from(covered_timeouts: &CoveredTimeouts) -> CoveredTimeoutsDocument {
        let spans = |spans: &[Duration]| spans.iter().map(|span| Ms::from(*span)).collect();
        CoveredTimeoutsDocument {
            covered_ms: spans(&covered_timeouts.covered),
            not_covered_ms: spans(&covered_timeouts.not_covered),
        }
    }
}

impl From<&ListenReport> for ListenDocument {
    fn from(report: &ListenReport) -> ListenDocument {
        let findings = &report.findings;
        ListenDocument {
            url: report.info.url.clone(),
            settings: report.info.as_ref().into(),
            verdict: findings.verdict.into(),
            heartbeat: findings.heartbeat.map(|kind| kind.event_kind.into()),
            heartbeat_shape: findings.heartbeat.and_then(|kind| kind.shape),
            interval: findings.interval().map(IntervalDocument::from),
            interval_spans: findings.spanning().map(Name),
            periodic: findings.periodic.as_ref().map(PeriodicDocument::from),
            listened_ms: findings.listened.into(),
            longest_quiet_ms: findings.longest_quiet.into(),
            longest_still_ms: findings.longest_still.into(),
            counted_from: findings.origin.map(Name),
            unanswered: findings.unanswered.map(UnansweredDocument::from),
            covered_timeouts: findings.covered_timeouts.as_ref().map(CoveredTimeoutsDocument::from),
            received: findings.kinds.iter().map(ReceivedKindDocument::from).collect(),
            ending: report.ending.as_deref().map(JsonEndingDocument::from),
            close_reply: report.close_reply.as_ref().map(CloseReplyDocument::from),
            opening: report.opened.as_deref().map(OpeningDocument::from),
            error: report.error.as_deref().map(FailureDocument::from),
        }
    }
}

impl DocumentBody for ListenDocument {
    const COMMAND: &'static str = "listen";
}
