//! What was heard of a server, in JSON: the document at the end.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::listen::report::{ListenInfo, ListenReport};
use crate::domain::listen::{
    CoveredTimeouts, FirstHeartbeat, IntervalOrigin, IntervalSpan, KindFindings, ListenVerdict,
    PayloadVariation, Periodic, Sameness, ServerEventKind, TrafficEffect, TrafficEffects, UnansweredPolicy,
};
use crate::domain::run::run_result::RunResult;
use crate::domain::stats::interval::Interval;
use crate::output::json::{
    CloseReplyDocument, FailureDocument, JsonEndingDocument, Ms, Name, OpeningDocument, PresetName,
    SCHEMA_VERSION, Timestamp, WSCHECK_VERSION, ms,
};

/// What `wscheck listen -o json` prints. A value that is not known is null; no field is ever left out.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ListenDocument {
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    #[schemars(extend("const" = "listen"))]
    command: &'static str,
    wscheck_version: &'static str,
    started_at: Timestamp,
    elapsed_ms: Ms,
    /// Without its secrets.
    url: String,
    settings: ListenSettings,
    /// What the server does about heartbeats.
    verdict: Name<ListenVerdict>,
    /// Which kind the verdict is about; null when there was none.
    heartbeat: Option<Name<ServerEventKind>>,
    /// The known shape that this kind has.
    heartbeat_shape: Option<&'static str>,
    /// The interval of that kind; null when the heartbeats do not establish one.
    interval: Option<IntervalDocument>,
    /// How that interval is measured; null when there is none.
    interval_spans: Option<Name<IntervalSpan>>,
    /// Messages of unknown shape at a fixed interval, perhaps heartbeats; null when there are none.
    periodic: Option<PeriodicDocument>,
    /// How long wscheck listened, from the opening.
    listened_ms: Ms,
    /// The longest time in which the server sent nothing.
    longest_quiet_ms: Ms,
    /// The longest time in which neither side sent anything except answers.
    longest_still_ms: Ms,
    /// From what the server counts its intervals; null when nothing tells. Only what the client says shows a fixed clock.
    counted_from: Option<Name<IntervalOrigin>>,
    /// Null when they were answered, or too few came.
    unanswered: Option<UnansweredDocument>,
    /// Null without an interval.
    clears: Option<ClearsDocument>,
    /// Every kind that was heard, heartbeats first.
    heard: Vec<ListenedTo>,
    /// How the connection ended before its time; null when it did not.
    ending: Option<JsonEndingDocument>,
    /// How the server took our close; null where it ended the connection, and with `--no-answer`.
    close_reply: Option<CloseReplyDocument>,
    /// The user ended it before it was done.
    partial: bool,
    /// What the run comes to; the exit code says the same.
    result: Name<RunResult>,
    exit_code: u8,
    /// Why.
    reasons: Vec<String>,
    /// How the connection opened; null when it did not.
    opening: Option<OpeningDocument>,
    /// Why it did not open.
    error: Option<FailureDocument>,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ListenSettings {
    for_ms: Ms,
    count: Option<u64>,
    /// The client answers.
    answer: bool,
    /// The client says something between heartbeats.
    talk: bool,
    /// Whose heartbeats they are; null where no preset was asked for.
    preset: Option<PresetName>,
}

/// How far heartbeats are apart.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct IntervalDocument {
    /// Of an even number of gaps, the mean of the middle two.
    median_ms: Ms,
    min_ms: Ms,
    max_ms: Ms,
    /// `max_ms` less `min_ms`.
    spread_ms: Ms,
    gaps: usize,
}

/// Messages of one form, in which counters, times and ids may change, that come at an interval.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PeriodicDocument {
    /// The first of them; control characters are escaped, and secrets hidden.
    payload: String,
    count: u64,
    interval: IntervalDocument,
    /// What the messages say: the same each time, the same but for counters, times and ids, or with other numbers that
    /// change, as prices do.
    sameness: Name<Sameness>,
    /// It looks more like a heartbeat than like data: nothing but counters, times and ids changes, or a heartbeat's word
    /// is in it. That it is one is not known.
    like_heartbeat: bool,
    /// A value for `--app-ping` that matches these messages; null when they have too little in common.
    app_ping: Option<String>,
}

/// What the server does when its heartbeats stay unanswered.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct UnansweredDocument {
    /// What the server did then.
    outcome: Name<UnansweredPolicy>,
    /// Number of unanswered heartbeats before this outcome. If the connection ended, they need not be the cause. If the
    /// server continued, more of them may still change that.
    after: u64,
}

/// Which of the well-known idle timeouts the server's heartbeats clear, by the 75 % rule: the interval, or the
/// longest time in which neither side sent anything, if that is longer.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ClearsDocument {
    cleared_ms: Vec<Ms>,
    not_cleared_ms: Vec<Ms>,
}

/// What traffic between two heartbeats did to the second.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EffectsDocument {
    /// What the traffic did to the second heartbeat.
    effect: Name<TrafficEffect>,
    /// Number of times that this effect was seen.
    count: usize,
    /// Number of times that there was such traffic, at most the latest 64.
    of: usize,
    /// The longest time from the traffic to the next heartbeat, in intervals.
    longest_in_intervals: f64,
}

/// One kind of thing that the server said.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ListenedTo {
    /// A Ping frame, a message that asks for an answer, a Pong frame that answers nothing, a message that only keeps the
    /// path busy, or any other message.
    kind: Name<ServerEventKind>,
    count: u64,
    /// From the opening to the first; null when some may have been missed before.
    first_ms: Option<Ms>,
    /// When the first heartbeat came, compared with the interval; null when there is no interval to compare with.
    first: Option<Name<FirstHeartbeat>>,
    /// From one heartbeat to the next. Null with fewer than two.
    interval: Option<IntervalDocument>,
    /// Whether the heartbeats establish an interval.
    regular: bool,
    /// The times from the server's last event of any kind to each heartbeat; null unless these establish an interval
    /// and the times between heartbeats do not.
    since_traffic: Option<IntervalDocument>,
    /// Whether the payloads are one and the same.
    payloads: Name<PayloadVariation>,
    /// The first payload; control characters are escaped.
    payload: String,
    /// The last payload that differed from the first; null when none did.
    last_payload: Option<String>,
    /// The known shape that it has.
    shape: Option<&'static str>,
    /// What the client's own traffic did to them; null when there was none.
    by_client: Option<EffectsDocument>,
    /// What the server's other messages did to them; null when there was none.
    by_server: Option<EffectsDocument>,
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

impl From<Interval> for IntervalDocument {
    fn from(interval: Interval) -> IntervalDocument {
        IntervalDocument {
            median_ms: interval.median.into(),
            min_ms: interval.min.into(),
            max_ms: interval.max.into(),
            spread_ms: interval.spread().into(),
            gaps: interval.gaps,
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

impl From<&CoveredTimeouts> for ClearsDocument {
    fn from(clearance: &CoveredTimeouts) -> ClearsDocument {
        let spans = |spans: &[Duration]| spans.iter().map(|span| Ms::from(*span)).collect();
        ClearsDocument {
            cleared_ms: spans(&clearance.cleared),
            not_cleared_ms: spans(&clearance.not_cleared),
        }
    }
}

impl From<TrafficEffects> for EffectsDocument {
    fn from(effects: TrafficEffects) -> EffectsDocument {
        EffectsDocument {
            effect: effects.effect.into(),
            count: effects.count,
            of: effects.of,
            longest_in_intervals: (effects.longest * 1e3).round() / 1e3,
        }
    }
}

impl From<&KindFindings> for ListenedTo {
    fn from(kind: &KindFindings) -> ListenedTo {
        ListenedTo {
            kind: kind.event_kind.into(),
            count: kind.count,
            first_ms: ms(kind.first),
            first: kind.early.map(Name),
            interval: kind.interval.map(IntervalDocument::from),
            regular: kind.sure,
            since_traffic: kind.since_traffic.map(IntervalDocument::from),
            payloads: kind.payloads.into(),
            payload: kind.sample.to_string(),
            last_payload: kind.latest.as_ref().map(UntrustedText::to_string),
            shape: kind.shape,
            by_client: kind.by_client.map(EffectsDocument::from),
            by_server: kind.by_server.map(EffectsDocument::from),
        }
    }
}

impl From<&ListenReport> for ListenDocument {
    fn from(report: &ListenReport) -> ListenDocument {
        let findings = &report.findings;
        ListenDocument {
            schema_version: SCHEMA_VERSION,
            command: "listen",
            wscheck_version: WSCHECK_VERSION,
            started_at: report.started_at.into(),
            elapsed_ms: report.elapsed.into(),
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
            clears: findings.clearance.as_ref().map(ClearsDocument::from),
            heard: findings.kinds.iter().map(ListenedTo::from).collect(),
            ending: report.ending.as_deref().map(JsonEndingDocument::from),
            close_reply: report.close_reply.as_ref().map(CloseReplyDocument::from),
            partial: report.partial,
            result: report.verdict.into(),
            exit_code: report.verdict.exit_code(),
            reasons: report.reasons.clone(),
            opening: report.opened.as_deref().map(OpeningDocument::from),
            error: report.error.as_deref().map(FailureDocument::from),
        }
    }
}
