//! The report of `listen` in JSON: the document at the end.

use serde::Serialize;

use crate::domain::listen::report::{ListenInfo, ListenReport};
use crate::domain::listen::{
    CoveredTimeouts, IntervalOrigin, IntervalSpan, ListenVerdict, Periodic, Sameness, ServerEventKind,
    UnansweredPolicy,
};
use crate::output::envelope::DocumentBody;
use crate::output::json::{
    CloseReplyDocument, FailureDocument, JsonEndingDocument, Ms, Name, OpeningDocument, PresetName, document,
};
use crate::output::server_events::{IntervalDocument, ReceivedKindDocument};

document! {
    /// What `wscheck listen -o json` prints. Unknown values are null; no field is ever omitted.
    pub struct ListenDocument from report: &ListenReport {
        /// The target, with secrets redacted.
        url: String = report.info.url.clone(),
        settings: ListenSettings = report.info.as_ref(),
        /// What heartbeats the server sends.
        verdict: Name<ListenVerdict> = report.findings.verdict,
        /// The kind of heartbeat that the verdict is about; null if there was none.
        heartbeat: Option<Name<ServerEventKind>> =
            report.findings.heartbeat.map(|kind| kind.event_kind.into()),
        /// The name of the known format that this kind has, if any.
        heartbeat_shape: Option<&'static str> = report.findings.heartbeat.and_then(|kind| kind.shape),
        /// The interval of that kind; null if it has no established interval.
        interval: Option<IntervalDocument> = report.findings.interval().map(IntervalDocument::from),
        /// What the interval is measured between; null without an interval.
        interval_spans: Option<Name<IntervalSpan>> = report.findings.spanning().map(Name),
        /// Messages of unknown format at a fixed interval, perhaps heartbeats; null if there are none.
        periodic: Option<PeriodicDocument> = report.findings.periodic.as_ref().map(PeriodicDocument::from),
        /// How long wscheck listened since the opening.
        listened_ms: Ms = report.findings.listened,
        /// The longest time in which the server sent nothing.
        longest_quiet_ms: Ms = report.findings.longest_quiet,
        /// The longest time in which neither side sent anything except answers.
        longest_still_ms: Ms = report.findings.longest_still,
        /// What starts the server's interval: a fixed clock, or the last traffic. Null if unknown; a fixed clock shows only
        /// if the client sends messages.
        counted_from: Option<Name<IntervalOrigin>> = report.findings.origin.map(Name),
        /// What the server does if its heartbeats stay unanswered; null if they were answered, or too few came.
        unanswered: Option<UnansweredDocument> = report.findings.unanswered.map(UnansweredDocument::from),
        /// Which well-known idle timeouts the heartbeats prevent; null without an interval.
        covered_timeouts: Option<CoveredTimeoutsDocument> =
            report.findings.covered_timeouts.as_ref().map(Into::into),
        /// Every kind of event that the server sent, heartbeats first.
        received: Vec<ReceivedKindDocument> = report.findings.kinds.iter().map(Into::into).collect::<Vec<ReceivedKindDocument>>(),
        /// How the connection ended early; null if it did not.
        ending: Option<JsonEndingDocument> = report.ending.as_deref().map(JsonEndingDocument::from),
        /// How the server reacted to our close; null if it ended the connection, and with `--no-answer`.
        close_reply: Option<CloseReplyDocument> = report.close_reply.as_ref().map(CloseReplyDocument::from),
        /// Details of the opening; null if the connection did not open.
        opening: Option<OpeningDocument> = report.opened.as_deref().map(OpeningDocument::from),
        /// Why the connection did not open.
        error: Option<FailureDocument> = report.error.as_deref().map(FailureDocument::from),
    }
}

document! {
    /// The settings of the run.
    pub struct ListenSettings from info: &ListenInfo {
        for_ms: Ms = info.listen_for,
        count: Option<u64> = info.count,
        /// Whether the client answers heartbeats.
        answer: bool = info.answer,
        /// Whether the client sends messages between heartbeats.
        talk: bool = info.talk,
        /// The preset; null if none was requested.
        preset: Option<PresetName> = info.preset.as_ref().map(PresetName::from),
    }
}

document! {
    /// Messages that come at an interval and have one form; counters, times and ids in them may change.
    pub struct PeriodicDocument from periodic: &Periodic {
        /// The first of these messages; control characters are escaped, and secrets redacted.
        payload: String = periodic.sample.to_string(),
        count: u64 = periodic.count,
        interval: IntervalDocument = periodic.interval,
        /// How the messages differ: not at all (`constant`), only in counters, times and ids (`counting`), or in other
        /// numbers such as prices (`changing`).
        sameness: Name<Sameness> = periodic.sameness,
        /// Whether the messages look more like heartbeats than like data: only counters, times and ids change, or they
        /// contain a word such as "heartbeat". They need not be heartbeats.
        like_heartbeat: bool = periodic.is_like_heartbeat(),
        /// A value for `--app-ping` that matches these messages; null if they have too little in common.
        app_ping: Option<String> = periodic.pattern.clone(),
    }
}

/// What the server does if its heartbeats stay unanswered.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UnansweredDocument {
    /// What the server did.
    outcome: Name<UnansweredPolicy>,
    /// Number of unanswered heartbeats before this outcome. If the connection ended, they need not be the cause. If the
    /// server continued, more of them may still change that.
    after: u64,
}

document! {
    /// Which well-known idle timeouts the server's heartbeats prevent. A timeout is prevented if the interval, or the
    /// longest time without traffic if that is longer, is at most 75 % of it.
    pub struct CoveredTimeoutsDocument from timeouts: &CoveredTimeouts {
        covered_ms: Vec<Ms> = timeouts.covered.iter().map(|span| Ms::from(*span)).collect::<Vec<Ms>>(),
        not_covered_ms: Vec<Ms> = timeouts.not_covered.iter().map(|span| Ms::from(*span)).collect::<Vec<Ms>>(),
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

impl DocumentBody for ListenDocument {
    const COMMAND: &'static str = "listen";
}
