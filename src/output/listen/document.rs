//! The report of `listen` in JSON: the document at the end.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::listen::report::{ListenInfo, ListenReport};
use crate::domain::listen::{
    CoveredTimeouts, FirstHeartbeat, IntervalOrigin, IntervalSpan, KindFindings, ListenVerdict,
    PayloadVariation, Periodic, Sameness, ServerEventKind, TrafficEffect, TrafficEffects, UnansweredPolicy,
};
use crate::domain::stats::interval::Interval;
use crate::output::envelope::DocumentBody;
use crate::output::json::{
    CloseReplyDocument, FailureDocument, JsonEndingDocument, Ms, Name, OpeningDocument, PresetName, ms,
};

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

/// The interval of heartbeats.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct IntervalDocument {
    /// The median; of an even number of gaps, the mean of the middle two.
    median_ms: Ms,
    min_ms: Ms,
    max_ms: Ms,
    /// `max_ms` less `min_ms`.
    spread_ms: Ms,
    gaps: usize,
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

/// The effect of traffic between two heartbeats on the second one.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EffectsDocument {
    /// The effect on the second heartbeat.
    effect: Name<TrafficEffect>,
    /// How often this effect was observed.
    count: usize,
    /// How often there was such traffic; only the latest 64 times count.
    of: usize,
    /// The longest time from the traffic to the next heartbeat, in intervals.
    longest_in_intervals: f64,
}

/// One kind of event that the server sent.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ReceivedKindDocument {
    /// A Ping frame (`ping`), a message that needs an answer (`app_ping`), a Pong frame that answers no Ping
    /// (`unsolicited_pong`), a message that only keeps the connection busy (`keep_alive`), or any other message
    /// (`message`).
    kind: Name<ServerEventKind>,
    count: u64,
    /// Time from the opening to the first; null if earlier ones may have been missed.
    first_ms: Option<Ms>,
    /// When the first heartbeat came, compared with the interval; null without an interval.
    first: Option<Name<FirstHeartbeat>>,
    /// Time from one to the next; null with fewer than two.
    interval: Option<IntervalDocument>,
    /// Whether they come at an established interval.
    regular: bool,
    /// Times from the server's previous event of any kind to each heartbeat; null unless these are regular and the
    /// times between heartbeats are not.
    since_traffic: Option<IntervalDocument>,
    /// Whether all payloads are the same.
    payloads: Name<PayloadVariation>,
    /// The first payload; control characters are escaped.
    payload: String,
    /// The last payload that differed from the first; null if none did.
    last_payload: Option<String>,
    /// The name of its known format, if any.
    shape: Option<&'static str>,
    /// The effect of the client's own traffic on them; null without such traffic.
    by_client: Option<EffectsDocument>,
    /// The effect of the server's other messages on them; null without such messages.
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

impl From<&CoveredTimeouts> for CoveredTimeoutsDocument {
    fn from(covered_timeouts: &CoveredTimeouts) -> CoveredTimeoutsDocument {
        let spans = |spans: &[Duration]| spans.iter().map(|span| Ms::from(*span)).collect();
        CoveredTimeoutsDocument {
            covered_ms: spans(&covered_timeouts.covered),
            not_covered_ms: spans(&covered_timeouts.not_covered),
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

impl From<&KindFindings> for ReceivedKindDocument {
    fn from(kind: &KindFindings) -> ReceivedKindDocument {
        ReceivedKindDocument {
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
