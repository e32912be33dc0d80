//! An idle search in JSON: the document at the end.

use serde::Serialize;

use super::refresh_findings;
use super::trials::Trial;
use crate::domain::catalogue::SettingChange;
use crate::domain::connection::close_cause::{CloseKindName, ClosedBy, Violation, close_code_meaning};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::idle::product_naming::{Candidate, RuledOut};
use crate::domain::idle::refresh::{
    KeepaliveMethod, KeepaliveOutcome, MethodResult, RefreshConclusion, RefreshResults, TimerScope,
};
use crate::domain::idle::report::{Direction, IdleInfo, IdleReport, TwoEnded, Verification, VerifyOutcome};
use crate::domain::idle::{
    CutManner, CutMannerName, EndSpread, IdleVerdict, Incident, IncidentKind, ProbeRole, ProvisionalTimeout,
    Recommendation, ResetBy, ServerActivity, Strategy, VisibleEnd,
};
use crate::domain::run::bracket::Bracket;
use crate::domain::run::expectation::Expectation;
use crate::output::envelope::DocumentBody;
use crate::output::json::document;
use crate::output::json::{
    FailureDocument, JsonEndingDocument, Ms, Name, OpeningDocument, PresetName, Timestamp, broken_rule,
    close_frame, ms,
};

document! {
    /// What `wscheck probe-idle -o json` prints. Unknown values are null; no field is ever omitted.
    pub struct IdleDocument from (report, trials): (&IdleReport, &[Trial]) {
        /// The target, with secrets redacted.
        url: String = report.info.url.clone(),
        settings: IdleSettings = report.info.as_ref(),
        /// What the path does with an idle connection.
        verdict: Name<IdleVerdict> = report.findings.verdict,
        /// The range in which the idle timeout lies.
        bracket: BracketDocument = report.findings.bracket,
        /// The idle times after which connections visibly ended; null if none did.
        samples: Option<Samples> = report.findings.spread.map(Samples::from),
        /// How idle connections are cut; null if none was cut.
        cut: Option<CutDocument> = report.findings.manner.as_ref().map(|manner| (manner, report.lost).into()),
        /// Whether the hop drops a connection some time before it closes it visibly; data sent in between is lost.
        stops_forwarding_before_closing: bool = report.findings.stops_forwarding_before_closing,
        /// The first estimate of the timeout, before it was confirmed.
        provisional: Option<ProvisionalDocument> = report.findings.provisional.map(ProvisionalDocument::from),
        /// For a maximum connection age (`lifetime_cap`, or beside a shorter idle timeout): the highest age at which a
        /// connection was still alive.
        lifetime_ms: Option<Ms> = ms(report.findings.lifetime.map(|lifetime| lifetime.lo)),
        /// The age at which connections had ended: about `lifetime_ms` if the end was visible, else the age at the first
        /// unanswered question.
        lifetime_hi_ms: Option<Ms> = ms(report.findings.lifetime.map(|lifetime| lifetime.hi)),
        /// For `inconclusive`: the age at which connections ended although they kept sending Ping frames, if no messages
        /// were tried. It is either a maximum age, or an idle timeout that only messages reset.
        lifetime_or_idle_ms: Option<Ms> = ms(report.findings.lifetime_or_idle.map(|age| age.lo)),
        /// The only kind of heartbeat that resets the timer; null if every kind that was tried resets it.
        reset_by: Option<Name<ResetBy>> = report.findings.reset_by.map(Name),
        /// The messages that the server sends by itself; null if it sends none.
        server_activity: Option<ServerActivityDocument> =
            report.findings.server_activity.map(ServerActivityDocument::from),
        /// At most three known timers to which the evidence points, the best match first. None of them is certain.
        candidates: Vec<CandidateDocument> =
            Vec::from_iter(report.naming.candidates.iter().map(CandidateDocument::from)),
        /// Known timers that fit equally well, if the evidence points to none in particular.
        undecided: Vec<UndecidedDocument> =
            Vec::from_iter(report.naming.undecided.iter().map(UndecidedDocument::from)),
        /// Products that a response header names, but that the evidence contradicts or does not support.
        ruled_out: Vec<RuledOutDocument> =
            Vec::from_iter(report.naming.ruled_out.iter().map(RuledOutDocument::from)),
        /// The recommendation; null if nothing needs to be done, or nothing is known.
        recommendation: Option<RecommendationDocument> = report.recommendation.map(RecommendationDocument::from),
        /// Results of `--refresh`; null without that option, or if there was nothing to try.
        refresh: Option<RefreshDocument> = report.refresh.as_ref().map(RefreshDocument::from),
        /// Result of `--verify`; null without that option, or if there was nothing to verify.
        verified: Option<VerifiedDocument> = report.verified.as_ref().map(VerifiedDocument::from),
        /// Whether the server supports two-ended mode; null if it was not requested, or nothing opened.
        two_ended: Option<Name<TwoEnded>> = report.two_ended.map(Name),
        /// Every connection that was tested by a question, or that visibly ended, in order of time.
        trials: Vec<TrialDocument> = Vec::from_iter(trials.iter().map(TrialDocument::from)),
        /// Ends of connections that are not timeouts; they do not count for the bracket, the lifetime or the
        /// recommendation.
        incidents: Vec<IncidentDocument> =
            Vec::from_iter(report.findings.incidents.iter().map(IncidentDocument::from)),
        /// Number of rounds that did not count, because the control ended or all connections ended at the same moment.
        void_rounds: u32 = report.findings.void_rounds,
        /// Number of connections opened for the search; at most `settings.most_connections`.
        connections: u32 = report.findings.connections,
        /// Details of the first connection's opening; null if none opened.
        opening: Option<OpeningDocument> = report.opened.as_deref().map(OpeningDocument::from),
        /// The last failure to open a connection, if any.
        error: Option<FailureDocument> = report.error.as_deref().map(FailureDocument::from),
    }
}

document! {
    /// The settings of the run.
    pub struct IdleSettings from info: &IdleInfo {
        min_ms: Ms = info.search.min,
        max_ms: Ms = info.search.max,
        /// The search stops when the bracket is at most this wide, or at most `precision_part` of its lower end, whichever
        /// is larger.
        precision_ms: Ms = info.search.precision.absolute,
        /// The precision as a part of the bracket's lower end, from 0 to 1.
        precision_part: f64 = info.search.precision.relative,
        /// How the search narrows the bracket.
        strategy: Name<Strategy> = info.search.strategy,
        /// Number of samples that confirm an end.
        repeat: usize = info.search.repeat,
        max_connections: usize = info.search.max_connections,
        /// Maximum number of connections opened in the whole search.
        most_connections: u32 = info.search.most_connections(),
        /// Maximum duration of the search.
        longest_ms: Ms = info.search.longest(),
        answer_timeout_ms: Ms = info.search.answer_timeout,
        control_interval_ms: Ms = info.search.control_interval,
        /// What connections are tested with: Ping frames (`protocol`) or messages (`app`).
        question: Name<HeartbeatKind> = info.search.kind,
        two_ended: bool = info.search.two_ended,
        refresh: bool = info.refresh,
        verify: bool = info.verify,
        expect: Option<String> = info.expectation.as_ref().map(Expectation::to_string),
        /// The preset; null if none was requested.
        preset: Option<PresetName> = info.preset.as_ref().map(PresetName::from),
    }

    /// The range in which the idle timeout lies.
    pub struct BracketDocument from bracket: Bracket {
        /// Lower end: the longest idle time after which a connection still answered, below every idle time that it did not
        /// survive.
        lo_ms: Option<Ms> = ms(bracket.lo),
        /// Upper end: the shortest idle time that is confirmed not to survive.
        hi_ms: Option<Ms> = ms(bracket.hi),
    }

    /// The idle times after which connections visibly ended.
    pub struct Samples from spread: EndSpread {
        count: usize = spread.count,
        min_ms: Ms = spread.min,
        /// The median; of an even number of samples, the lower of the middle two.
        median_ms: Ms = spread.median,
        max_ms: Ms = spread.max,
        /// `max_ms` less `min_ms`.
        spread_ms: Ms = spread.max.saturating_sub(spread.min),
    }

    /// How idle connections are cut.
    pub struct CutDocument from (manner, lost): (&CutManner, Option<Direction>) {
        /// How idle connections are cut.
        manner: Name<CutMannerName> = CutMannerName::from(manner),
        /// Whether TCP acknowledged what was sent after the silence and not answered: then the cut is above TCP. Null if that is
        /// unknown, or if nothing stayed unanswered.
        tcp_acknowledged: Option<bool> = manner.acked(),
        /// The visible end; null if there was none.
        ending: Option<CutEnding> = manner.visible_end().map(CutEnding::from),
        /// In which direction data was lost; known only if a two-ended run found a silent cut.
        lost: Option<Name<Direction>> = lost.map(Name),
    }
}

/// A visible end of a connection.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CutEnding {
    /// How the connection ended.
    how: Name<CloseKindName>,
    /// The close code; null without a close frame, or if that was empty.
    code: Option<u16>,
    code_meaning: Option<&'static str>,
    /// The reason in the close frame; control characters are escaped.
    reason: Option<String>,
    /// The rule of RFC 6455, or of RFC 7692, that the peer broke.
    violation: Option<Name<Violation>>,
    /// Details of the violation.
    detail: Option<String>,
    /// Whether only one direction was closed, so that the peer still accepted data; null if it was not tested.
    half_closed: Option<bool>,
}

impl From<&VisibleEnd> for CutEnding {
    fn from(end: &VisibleEnd) -> CutEnding {
        let (code, reason) = close_frame(&end.how, ClosedBy::Peer).unzip();
        let code = code.flatten();
        let (violation, detail) = broken_rule(&end.how).unzip();
        CutEnding {
            how: Name(CloseKindName::from(&end.how)),
            code,
            code_meaning: code.map(close_code_meaning),
            reason: reason.filter(|reason| !reason.is_empty()),
            violation: violation.map(Name),
            detail: detail.map(UntrustedText::to_string),
            half_closed: end.half_open,
        }
    }
}

document! {
    /// The first estimate of the timeout, before it is confirmed.
    pub struct ProvisionalDocument from provisional: ProvisionalTimeout {
        /// The median of the ends seen so far: an upper bound.
        timeout_ms: Ms = provisional.timeout,
        samples: usize = provisional.samples,
        /// When it was known: time since the start of the run.
        after_ms: Ms = provisional.at,
    }

    /// The messages that the server sends by itself.
    pub struct ServerActivityDocument from activity: ServerActivity {
        /// The median of the gaps.
        period_ms: Ms = activity.period,
        /// The longest time without a server message; an idle connection survived it.
        longest_gap_ms: Ms = activity.longest_gap,
        count: usize = activity.count,
        /// Median age at which the server closed clients that sent nothing; null when it closed none.
        closes_silent_after_ms: Option<Ms> = ms(activity.closes_silent_after),
        /// Whether the server sent messages that need an answer and got one, so that longer idle times could not be tested.
        answered: bool = activity.answered,
    }

    /// A known timer that the measurement is consistent with.
    pub struct CandidateDocument from candidate: &Candidate {
        /// The name of the timer in `wscheck timeouts`.
        id: &'static str = candidate.timeout.id,
        product: &'static str = candidate.timeout.product,
        setting: &'static str = candidate.timeout.setting,
        /// The value that the setting would need to have.
        value_ms: Ms = candidate.value,
        /// The setting and value to look for.
        look_for: String = candidate.setting(),
        /// The response header that names the product; null if the way it cuts identifies it.
        header: Option<String> = candidate.header().map(str::to_string),
        /// The evidence for it.
        reasons: Vec<String> = candidate.reasons.clone(),
        /// What else may have cut the connection, and how to find out.
        caveat: Option<String> = candidate.caveat(),
        /// A configuration line or a command that sets the value; null if it cannot be set.
        change: Option<&'static str> = match candidate.timeout.change {
            SettingChange::Set(example) => Some(example),
            SettingChange::Fixed | SettingChange::Nothing => None,
        },
        /// The argument for `wscheck timeouts` that shows this product.
        topic: &'static str = candidate.timeout.topic(),
        source: &'static str = candidate.timeout.source,
    }

    /// A known timer that fits as well as others.
    pub struct UndecidedDocument from candidate: &Candidate {
        /// The name of the timer in `wscheck timeouts`.
        id: &'static str = candidate.timeout.id,
        product: &'static str = candidate.timeout.product,
        setting: &'static str = candidate.timeout.setting,
        /// The value that the setting would need to have.
        value_ms: Ms = candidate.value,
        /// The setting and value to look for.
        look_for: String = candidate.setting(),
        /// Why it fits.
        reasons: Vec<String> = candidate.reasons.clone(),
        /// How to find out whether this timer cut the connection.
        log: Option<&'static str> = candidate.timeout.log,
        /// The argument for `wscheck timeouts` that shows this product.
        topic: &'static str = candidate.timeout.topic(),
        source: &'static str = candidate.timeout.source,
    }

    /// A product that a response header names, but that is not the likely cause.
    pub struct RuledOutDocument from ruled_out: &RuledOut {
        product: &'static str = ruled_out.product,
        header: String = ruled_out.header.clone(),
        why: String = ruled_out.why.clone(),
    }

    /// One or more ends of connections that say nothing about a timeout.
    pub struct IncidentDocument from incident: &Incident {
        /// The cause: several connections ended at the same moment (`one_moment`), the control got no answers (`path_lost`),
        /// connections ended right after opening or when another one opened (`ended_at_once`), or the server violated the
        /// protocol (`violation`).
        kind: Name<IncidentKind> = incident.kind,
        /// When the first of the connections ended: time since the start of the run.
        after_ms: Ms = incident.at,
        /// Number of connections that ended, including the control.
        connections: usize = incident.connections,
        /// How the first of them ended.
        ending: CutEnding = &incident.visible_end,
        /// The incident as a sentence.
        text: String = incident.to_string(),
    }

    /// Which traffic keeps connections open.
    pub struct RefreshDocument from refresh: &RefreshResults {
        rows: Vec<RefreshRow> = Vec::from_iter(refresh.rows.iter().map(RefreshRow::from)),
        /// The conclusion from all rows.
        conclusion: Name<RefreshConclusion> = refresh.conclusion,
        /// What the timer belongs to, as PINGs of HTTP/2 show it; null over HTTP/1.1, or if they do not show it.
        timer_of: Option<Name<TimerScope>> = refresh.scope.map(Name),
        conclusion_in_words: String = refresh_findings::explain(refresh.conclusion, refresh.scope).line(),
    }

    /// Whether one kind of traffic keeps a connection open.
    pub struct RefreshRow from row: &MethodResult {
        /// What was sent to keep the connection open.
        method: Name<KeepaliveMethod> = row.method,
        /// How often it was sent; null if nothing was sent, or the operating system sent it.
        every_ms: Option<Ms> = ms(row.every),
        /// How long the connection was to be kept open.
        held_ms: Ms = row.held,
        /// Whether the connection survived; null if it was not tried, or the result proves nothing.
        survived: Option<bool> = row.outcome.survived(),
        /// How long after its start the connection was found dead.
        died_after_ms: Option<Ms> = ms(match row.outcome {
            KeepaliveOutcome::Died { after, .. } => Some(after),
            KeepaliveOutcome::Survived | KeepaliveOutcome::Unknown { .. } => None,
        }),
        /// How the connection ended, or why the result is unknown.
        why: Option<String> = match &row.outcome {
            KeepaliveOutcome::Died { how: why, .. } | KeepaliveOutcome::Unknown { why } => Some(why.clone()),
            KeepaliveOutcome::Survived => None,
        },
    }

    /// The result of keeping one connection open with the recommended heartbeat interval.
    pub struct VerifiedDocument from verified: &Verification {
        interval_ms: Ms = verified.interval,
        /// How long the connection was to be kept open: longer than two timeouts.
        wanted_ms: Ms = verified.wanted,
        held_ms: Ms = verified.held,
        /// Number of answered heartbeats.
        heartbeats: u64 = verified.beats,
        /// Whether the connection stayed open to the end; null if unknown.
        held: Option<bool> = match verified.outcome {
            VerifyOutcome::Held => Some(true),
            VerifyOutcome::Ended(_) => Some(false),
            VerifyOutcome::Unknown(_) => None,
        },
        ending: Option<JsonEndingDocument> = match &verified.outcome {
            VerifyOutcome::Ended(ending) => Some(JsonEndingDocument::from(ending.as_ref())),
            VerifyOutcome::Held | VerifyOutcome::Unknown(_) => None,
        },
        /// Why the result is unknown.
        why: Option<String> = match &verified.outcome {
            VerifyOutcome::Unknown(why) => Some(why.clone()),
            VerifyOutcome::Held | VerifyOutcome::Ended(_) => None,
        },
    }

    /// A connection that was tested by a question, or that visibly ended.
    pub struct TrialDocument from trial: &Trial {
        /// The connection's number in the search, from 1.
        probe: u32 = trial.probe.0,
        /// The connection's role. A `control` is never idle. A `second_control` is never idle either, and sends messages
        /// besides Ping frames. A `watcher` is silent all the time. A `trial` is silent for a set time, and then sends one
        /// question.
        role: Name<ProbeRole> = trial.role,
        /// Time without traffic; for a control, time since its last answer.
        idle_ms: Ms = trial.idle,
        outcome: TrialOutcome = trial,
        /// For `survived`: the RTT of the question.
        rtt_ms: Option<Ms> = ms(trial.outcome.as_ref().ok().copied()),
        /// How the connection visibly ended.
        ending: Option<CutEnding> = trial.visible_end().map(CutEnding::from),
        at: Timestamp = trial.at,
    }
}

/// The recommendation for keeping connections open on this path.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RecommendationDocument {
    /// The recommended heartbeat interval: 75 % of the bracket's lower end; null if heartbeats do not help.
    interval_ms: Option<Ms>,
    /// The longest silence that a connection survived.
    survived_ms: Option<Ms>,
    /// Whether a timeout was found; if not, longer times were not tried.
    timeout_found: Option<bool>,
    /// Whether a connection survives the loss of one heartbeat at this interval.
    tolerates_one_lost: Option<bool>,
    /// An interval at which a connection survives the loss of one heartbeat.
    interval_with_one_lost_ms: Option<Ms>,
    /// Reconnect before a connection reaches this age, because connections end then whatever is sent.
    reconnect_before_ms: Option<Ms>,
}

impl From<Recommendation> for RecommendationDocument {
    fn from(recommendation: Recommendation) -> RecommendationDocument {
        match recommendation {
            Recommendation::Heartbeat { interval, survived, found, before } => RecommendationDocument {
                interval_ms: Some(interval.into()),
                survived_ms: Some(survived.into()),
                timeout_found: Some(found),
                tolerates_one_lost: recommendation.tolerates_one_loss(),
                interval_with_one_lost_ms: ms(recommendation.interval_tolerating_one_loss()),
                reconnect_before_ms: ms(before),
            },
            Recommendation::Reconnect { before } => {
                RecommendationDocument { reconnect_before_ms: Some(before.into()), ..Default::default() }
            }
        }
    }
}

/// The result of the trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TrialOutcome {
    /// It was asked and answered.
    Survived,
    /// It was asked, and nothing answered; no sign came.
    Unanswered,
    /// It was asked, which was answered with a cut.
    CutOnUse,
    /// Our request was answered, but what the server sent before it was lost.
    ServerUnheard,
    /// The server was heard, but our request was not answered.
    ClientUnheard,
    /// It was seen to end before it was asked.
    Ended,
}

impl From<&Trial> for TrialOutcome {
    fn from(trial: &Trial) -> TrialOutcome {
        match &trial.outcome {
            Ok(_) => TrialOutcome::Survived,
            Err(CutManner::Silent { .. }) => TrialOutcome::Unanswered,
            Err(CutManner::OnUse(_)) => TrialOutcome::CutOnUse,
            Err(CutManner::ServerUnheard) => TrialOutcome::ServerUnheard,
            Err(CutManner::ClientUnheard { .. }) => TrialOutcome::ClientUnheard,
            Err(CutManner::Visible(_)) => TrialOutcome::Ended,
        }
    }
}

impl DocumentBody for IdleDocument {
    const COMMAND: &'static str = "probe-idle";
}
