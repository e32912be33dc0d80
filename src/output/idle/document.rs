//! An idle search in JSON: the document at the end.

use schemars::JsonSchema;
use serde::Serialize;

use super::findings::keepalive_methods;
use super::trials::{Trial, TrialEnd};
use crate::domain::catalogue::SettingChange;
use crate::domain::connection::close_cause::{CloseKindName, ClosedBy, Violation, close_code_meaning};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::idle::product_naming::{Candidate, RuledOut};
use crate::domain::idle::refresh::{self, KeepaliveMethod, KeepaliveOutcome, RefreshConclusion};
use crate::domain::idle::report::{Direction, IdleInfo, IdleReport, TwoEnded, VerifyOutcome};
use crate::domain::idle::{
    CutManner, CutMannerName, DeathCause, EndSpread, IdleVerdict, Incident, IncidentKind, ProbeRole,
    ProvisionalTimeout, Recommendation, ResetBy, ServerActivity, Strategy, VisibleEnd, report,
};
use crate::domain::run::bracket::Bracket;
use crate::domain::run::expectation::Expectation;
use crate::output::envelope::DocumentBody;
use crate::output::json::{
    FailureDocument, JsonEndingDocument, Ms, Name, OpeningDocument, PresetName, Timestamp, broken_rule,
    close_frame, ms,
};

/// What `wscheck probe-idle -o json` prints. Unknown values are null; no field is ever omitted.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct IdleDocument {
    /// The target, with secrets redacted.
    url: String,
    settings: IdleSettings,
    /// What the path does with an idle connection.
    verdict: Name<IdleVerdict>,
    /// The range in which the idle timeout lies.
    bracket: BracketDocument,
    /// The idle times after which connections visibly ended; null if none did.
    samples: Option<Samples>,
    /// How idle connections are cut; null if none was cut.
    cut: Option<CutDocument>,
    /// Whether the hop drops a connection some time before it closes it visibly; data sent in between is lost.
    stops_forwarding_before_closing: bool,
    /// The first estimate of the timeout, before it was confirmed.
    provisional: Option<ProvisionalDocument>,
    /// For a maximum connection age (`lifetime_cap`, or beside a shorter idle timeout): the highest age at which a
    /// connection was still alive.
    lifetime_ms: Option<Ms>,
    /// The age at which connections had ended: about `lifetime_ms` if the end was visible, else the age at the first
    /// unanswered question.
    lifetime_hi_ms: Option<Ms>,
    /// For `inconclusive`: the age at which connections ended although they kept sending Ping frames, if no messages
    /// were tried. It is either a maximum age, or an idle timeout that only messages reset.
    lifetime_or_idle_ms: Option<Ms>,
    /// The only kind of heartbeat that resets the timer; null if every kind that was tried resets it.
    reset_by: Option<Name<ResetBy>>,
    /// The messages that the server sends by itself; null if it sends none.
    server_activity: Option<ServerActivityDocument>,
    /// At most three known timers to which the evidence points, the best match first. None of them is certain.
    candidates: Vec<CandidateDocument>,
    /// Known timers that fit equally well, if the evidence points to none in particular.
    undecided: Vec<UndecidedDocument>,
    /// Products that a response header names, but that the evidence contradicts or does not support.
    ruled_out: Vec<RuledOutDocument>,
    /// The recommendation; null if nothing needs to be done, or nothing is known.
    recommendation: Option<RecommendationDocument>,
    /// Results of `--refresh`; null without that option, or if there was nothing to try.
    refresh: Option<RefreshDocument>,
    /// Result of `--verify`; null without that option, or if there was nothing to verify.
    verified: Option<VerifiedDocument>,
    /// Whether the server supports two-ended mode; null if it was not requested, or nothing opened.
    two_ended: Option<Name<TwoEnded>>,
    /// Every connection that was tested by a question, or that visibly ended, in order of time.
    trials: Vec<TrialDocument>,
    /// Ends of connections that are not timeouts; they do not count for the bracket, the lifetime or the
    /// recommendation.
    incidents: Vec<IncidentDocument>,
    /// Number of rounds that did not count, because the control ended or all connections ended at the same moment.
    void_rounds: u32,
    /// Number of connections opened for the search; at most `settings.most_connections`.
    connections: u32,
    /// Details of the first connection's opening; null if none opened.
    opening: Option<OpeningDocument>,
    /// The last failure to open a connection, if any.
    error: Option<FailureDocument>,
}

/// The settings of the run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct IdleSettings {
    min_ms: Ms,
    max_ms: Ms,
    /// The search stops when the bracket is at most this wide, or at most `precision_part` of its lower end, whichever
    /// is larger.
    precision_ms: Ms,
    /// The precision as a part of the bracket's lower end, from 0 to 1.
    precision_part: f64,
    /// How the search narrows the bracket.
    strategy: Name<Strategy>,
    /// Number of samples that confirm an end.
    repeat: usize,
    max_connections: usize,
    /// Maximum number of connections opened in the whole search.
    most_connections: u32,
    /// Maximum duration of the search.
    longest_ms: Ms,
    answer_timeout_ms: Ms,
    control_interval_ms: Ms,
    /// What connections are tested with: Ping frames (`protocol`) or messages (`app`).
    question: Name<HeartbeatKind>,
    two_ended: bool,
    refresh: bool,
    verify: bool,
    expect: Option<String>,
    /// The preset; null if none was requested.
    preset: Option<PresetName>,
}

/// The range in which the idle timeout lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BracketDocument {
    /// Lower end: the longest idle time after which a connection still answered, below every idle time that it did not
    /// survive.
    lo_ms: Option<Ms>,
    /// Upper end: the shortest idle time that is confirmed not to survive.
    hi_ms: Option<Ms>,
}

/// The idle times after which connections visibly ended.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Samples {
    count: usize,
    min_ms: Ms,
    /// The median; of an even number of samples, the lower of the middle two.
    median_ms: Ms,
    max_ms: Ms,
    /// `max_ms` less `min_ms`.
    spread_ms: Ms,
}

/// How idle connections are cut.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CutDocument {
    /// How idle connections are cut.
    manner: Name<CutMannerName>,
    /// The visible end; null if there was none.
    ending: Option<CutEnding>,
    /// In which direction data was lost; known only if a two-ended run found a silent cut.
    lost: Option<Name<Direction>>,
}

/// A visible end of a connection.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CutEnding {
    /// How the connection ended.
    how: Name<CloseKindName>,
    /// The close code; null without a close frame, or if that was empty.
    code: Option<u16>,
    code_meaning: Option<&'static str>,
    /// The reason in the close frame; control characters are escaped.
    reason: Option<String>,
    /// The rule of RFC 6455 that the peer broke.
    violation: Option<Name<Violation>>,
    /// Details of the violation.
    detail: Option<String>,
    /// Whether only one direction was closed, so that the peer still accepted data; null if it was not tested.
    half_closed: Option<bool>,
}

/// The first estimate of the timeout, before it is confirmed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ProvisionalDocument {
    /// The median of the ends seen so far: an upper bound.
    timeout_ms: Ms,
    samples: usize,
    /// When it was known: time since the start of the run.
    after_ms: Ms,
}

/// The messages that the server sends by itself.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ServerActivityDocument {
    /// The median of the gaps.
    period_ms: Ms,
    /// The longest time without a server message; an idle connection survived it.
    longest_gap_ms: Ms,
    count: usize,
    /// Median age at which the server closed clients that sent nothing; null when it closed none.
    closes_silent_after_ms: Option<Ms>,
    /// Whether the server sent messages that need an answer and got one, so that longer idle times could not be tested.
    answered: bool,
}

/// A known timer that the measurement is consistent with.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CandidateDocument {
    /// The name of the timer in `wscheck timeouts`.
    id: &'static str,
    product: &'static str,
    setting: &'static str,
    /// The value that the setting would need to have.
    value_ms: Ms,
    /// The setting and value to look for.
    look_for: String,
    /// The response header that names the product; null if the way it cuts identifies it.
    header: Option<String>,
    /// The evidence for it.
    reasons: Vec<String>,
    /// What else may have cut the connection, and how to find out.
    caveat: Option<String>,
    /// A configuration line or a command that sets the value; null if it cannot be set.
    change: Option<&'static str>,
    /// The argument for `wscheck timeouts` that shows this product.
    topic: &'static str,
    source: &'static str,
}

/// A known timer that fits as well as others.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct UndecidedDocument {
    /// The name of the timer in `wscheck timeouts`.
    id: &'static str,
    product: &'static str,
    setting: &'static str,
    /// The value that the setting would need to have.
    value_ms: Ms,
    /// The setting and value to look for.
    look_for: String,
    /// Why it fits.
    reasons: Vec<String>,
    /// How to find out whether this timer cut the connection.
    log: Option<&'static str>,
    /// The argument for `wscheck timeouts` that shows this product.
    topic: &'static str,
    source: &'static str,
}

/// A product that a response header names, but that is not the likely cause.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RuledOutDocument {
    product: &'static str,
    header: String,
    why: String,
}

/// The recommendation for keeping connections open on this path.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
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

/// One or more ends of connections that say nothing about a timeout.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct IncidentDocument {
    /// The cause: several connections ended at the same moment (`one_moment`), the control got no answers (`path_lost`),
    /// connections ended right after opening or when another one opened (`ended_at_once`), or the server violated the
    /// protocol (`violation`).
    kind: Name<IncidentKind>,
    /// When the first of the connections ended: time since the start of the run.
    after_ms: Ms,
    /// Number of connections that ended, including the control.
    connections: usize,
    /// How the first of them ended.
    ending: CutEnding,
    /// The incident as a sentence.
    text: String,
}

/// Which traffic keeps connections open.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RefreshDocument {
    rows: Vec<RefreshRow>,
    /// The conclusion from all rows.
    conclusion: Name<RefreshConclusion>,
    conclusion_in_words: String,
}

/// Whether one kind of traffic keeps a connection open.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RefreshRow {
    /// What was sent to keep the connection open.
    method: Name<KeepaliveMethod>,
    /// How often it was sent; null if nothing was sent, or the operating system sent it.
    every_ms: Option<Ms>,
    /// How long the connection was to be kept open.
    held_ms: Ms,
    /// Whether the connection survived; null if it was not tried, or the result proves nothing.
    survived: Option<bool>,
    /// How long after its start the connection was found dead.
    died_after_ms: Option<Ms>,
    /// How the connection ended, or why the result is unknown.
    why: Option<String>,
}

/// The result of keeping one connection open with the recommended heartbeat interval.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct VerifiedDocument {
    interval_ms: Ms,
    /// How long the connection was to be kept open: longer than two timeouts.
    wanted_ms: Ms,
    held_ms: Ms,
    /// Number of answered heartbeats.
    heartbeats: u64,
    /// Whether the connection stayed open to the end; null if unknown.
    held: Option<bool>,
    ending: Option<JsonEndingDocument>,
    /// Why the result is unknown.
    why: Option<String>,
}

/// The result of the trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
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

/// A connection that was tested by a question, or that visibly ended.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TrialDocument {
    /// The connection's number in the search, from 1.
    probe: u32,
    /// The connection's role. A `control` is never idle. A `second_control` is never idle either, and sends messages
    /// besides Ping frames. A `watcher` is silent all the time. A `trial` is silent for a set time, and then sends one
    /// question.
    role: Name<ProbeRole>,
    /// Time without traffic; for a control, time since its last answer.
    idle_ms: Ms,
    outcome: TrialOutcome,
    /// For `survived`: the RTT of the question.
    rtt_ms: Option<Ms>,
    /// How the connection visibly ended.
    ending: Option<CutEnding>,
    at: Timestamp,
}

impl From<&IdleInfo> for IdleSettings {
    fn from(info: &IdleInfo) -> IdleSettings {
        let search = &info.search;
        IdleSettings {
            min_ms: search.min.into(),
            max_ms: search.max.into(),
            precision_ms: search.precision.absolute.into(),
            precision_part: search.precision.relative,
            strategy: search.strategy.into(),
            repeat: search.repeat,
            max_connections: search.max_connections,
            most_connections: search.most_connections(),
            longest_ms: search.longest().into(),
            answer_timeout_ms: search.answer_timeout.into(),
            control_interval_ms: search.control_interval.into(),
            question: search.kind.into(),
            two_ended: search.two_ended,
            refresh: info.refresh,
            verify: info.verify,
            expect: info.expectation.as_ref().map(Expectation::to_string),
            preset: info.preset.as_ref().map(PresetName::from),
        }
    }
}

impl From<Bracket> for BracketDocument {
    fn from(bracket: Bracket) -> BracketDocument {
        BracketDocument { lo_ms: ms(bracket.lo), hi_ms: ms(bracket.hi) }
    }
}

impl From<EndSpread> for Samples {
    fn from(spread: EndSpread) -> Samples {
        Samples {
            count: spread.count,
            min_ms: spread.min.into(),
            median_ms: spread.median.into(),
            max_ms: spread.max.into(),
            spread_ms: spread.max.saturating_sub(spread.min).into(),
        }
    }
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

impl From<ProvisionalTimeout> for ProvisionalDocument {
    fn from(provisional: ProvisionalTimeout) -> ProvisionalDocument {
        ProvisionalDocument {
            timeout_ms: provisional.timeout.into(),
            samples: provisional.samples,
            after_ms: provisional.at.into(),
        }
    }
}

impl From<ServerActivity> for ServerActivityDocument {
    fn from(server_activity: ServerActivity) -> ServerActivityDocument {
        ServerActivityDocument {
            period_ms: server_activity.period.into(),
            longest_gap_ms: server_activity.longest_gap.into(),
            count: server_activity.count,
            closes_silent_after_ms: ms(server_activity.closes_silent_after),
            answered: server_activity.answered,
        }
    }
}

impl From<&Candidate> for CandidateDocument {
    fn from(candidate: &Candidate) -> CandidateDocument {
        let timeout = candidate.timeout;
        CandidateDocument {
            id: timeout.id,
            product: timeout.product,
            setting: timeout.setting,
            value_ms: candidate.value.into(),
            look_for: candidate.setting(),
            header: candidate.header().map(str::to_string),
            reasons: candidate.reasons.clone(),
            caveat: candidate.caveat(),
            change: match timeout.change {
                SettingChange::Set(example) => Some(example),
                SettingChange::Fixed | SettingChange::Nothing => None,
            },
            topic: timeout.topic(),
            source: timeout.source,
        }
    }
}

impl From<&Candidate> for UndecidedDocument {
    fn from(candidate: &Candidate) -> UndecidedDocument {
        let timeout = candidate.timeout;
        UndecidedDocument {
            id: timeout.id,
            product: timeout.product,
            setting: timeout.setting,
            value_ms: candidate.value.into(),
            look_for: candidate.setting(),
            reasons: candidate.reasons.clone(),
            log: timeout.log,
            topic: timeout.topic(),
            source: timeout.source,
        }
    }
}

impl From<&RuledOut> for RuledOutDocument {
    fn from(RuledOut { product, header, why }: &RuledOut) -> RuledOutDocument {
        RuledOutDocument { product, header: header.clone(), why: why.clone() }
    }
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
            Recommendation::Reconnect { before } => RecommendationDocument {
                interval_ms: None,
                survived_ms: None,
                timeout_found: None,
                tolerates_one_lost: None,
                interval_with_one_lost_ms: None,
                reconnect_before_ms: Some(before.into()),
            },
        }
    }
}

impl From<&Incident> for IncidentDocument {
    fn from(incident: &Incident) -> IncidentDocument {
        IncidentDocument {
            kind: incident.kind.into(),
            after_ms: incident.at.into(),
            connections: incident.connections,
            ending: CutEnding::from(&incident.visible_end),
            text: incident.to_string(),
        }
    }
}

impl From<&refresh::RefreshResults> for RefreshDocument {
    fn from(refresh: &refresh::RefreshResults) -> RefreshDocument {
        RefreshDocument {
            rows: refresh.rows.iter().map(RefreshRow::from).collect(),
            conclusion: refresh.conclusion.into(),
            conclusion_in_words: keepalive_methods(refresh.conclusion).line(),
        }
    }
}

impl From<&refresh::MethodResult> for RefreshRow {
    fn from(row: &refresh::MethodResult) -> RefreshRow {
        let (survived, died_after, why) = match &row.outcome {
            KeepaliveOutcome::Survived => (Some(true), None, None),
            KeepaliveOutcome::Died { after, how } => (Some(false), Some(*after), Some(how)),
            KeepaliveOutcome::Unknown { why } => (None, None, Some(why)),
        };
        RefreshRow {
            method: row.method.into(),
            every_ms: ms(row.every),
            held_ms: row.held.into(),
            survived,
            died_after_ms: ms(died_after),
            why: why.cloned(),
        }
    }
}

impl From<&report::Verification> for VerifiedDocument {
    fn from(verified: &report::Verification) -> VerifiedDocument {
        let (held, ending, why) = match &verified.outcome {
            VerifyOutcome::Held => (Some(true), None, None),
            VerifyOutcome::Ended(ending) => {
                (Some(false), Some(JsonEndingDocument::from(ending.as_ref())), None)
            }
            VerifyOutcome::Unknown(why) => (None, None, Some(why.clone())),
        };
        VerifiedDocument {
            interval_ms: verified.interval.into(),
            wanted_ms: verified.wanted.into(),
            held_ms: verified.held.into(),
            heartbeats: verified.beats,
            held,
            ending,
            why,
        }
    }
}

impl From<&TrialEnd> for TrialOutcome {
    fn from(outcome: &TrialEnd) -> TrialOutcome {
        match outcome {
            TrialEnd::Survived { .. } => TrialOutcome::Survived,
            TrialEnd::Died(DeathCause::Unanswered) => TrialOutcome::Unanswered,
            TrialEnd::Died(DeathCause::CutOnUse(_)) => TrialOutcome::CutOnUse,
            TrialEnd::Died(DeathCause::ServerUnheard) => TrialOutcome::ServerUnheard,
            TrialEnd::Died(DeathCause::ClientUnheard) => TrialOutcome::ClientUnheard,
            TrialEnd::Ended(_) => TrialOutcome::Ended,
        }
    }
}

impl From<&Trial> for TrialDocument {
    fn from(trial: &Trial) -> TrialDocument {
        let rtt = match trial.outcome {
            TrialEnd::Survived { rtt } => Some(rtt),
            TrialEnd::Died(_) | TrialEnd::Ended(_) => None,
        };
        TrialDocument {
            probe: trial.probe.0,
            role: trial.role.into(),
            idle_ms: trial.idle.into(),
            outcome: (&trial.outcome).into(),
            rtt_ms: ms(rtt),
            ending: trial.outcome.visible_end().map(CutEnding::from),
            at: trial.at.into(),
        }
    }
}

impl IdleDocument {
    /// The run as scripts see it.
    pub fn new(report: &IdleReport, trials: &[Trial]) -> IdleDocument {
        let findings = &report.findings;
        IdleDocument {
            url: report.url.clone(),
            settings: report.info.as_ref().into(),
            verdict: findings.verdict.into(),
            bracket: findings.bracket.into(),
            samples: findings.spread.map(Samples::from),
            cut: findings.manner.as_ref().map(|manner| CutDocument::new(manner, report.lost)),
            stops_forwarding_before_closing: findings.stops_forwarding_before_closing,
            provisional: findings.provisional.map(ProvisionalDocument::from),
            lifetime_ms: ms(findings.lifetime.map(|lifetime| lifetime.lo)),
            lifetime_hi_ms: ms(findings.lifetime.map(|lifetime| lifetime.hi)),
            lifetime_or_idle_ms: ms(findings.lifetime_or_idle.map(|age| age.lo)),
            reset_by: findings.reset_by.map(Name),
            server_activity: findings.server_activity.map(ServerActivityDocument::from),
            candidates: report.naming.candidates.iter().map(CandidateDocument::from).collect(),
            undecided: report.naming.undecided.iter().map(UndecidedDocument::from).collect(),
            ruled_out: report.naming.ruled_out.iter().map(RuledOutDocument::from).collect(),
            recommendation: report.recommendation.map(RecommendationDocument::from),
            refresh: report.refresh.as_ref().map(RefreshDocument::from),
            verified: report.verified.as_ref().map(VerifiedDocument::from),
            two_ended: report.two_ended.map(Name),
            trials: trials.iter().map(TrialDocument::from).collect(),
            incidents: findings.incidents.iter().map(IncidentDocument::from).collect(),
            void_rounds: findings.void_rounds,
            connections: findings.connections,
            opening: report.opened.as_deref().map(OpeningDocument::from),
            error: report.error.as_deref().map(FailureDocument::from),
        }
    }
}

impl CutDocument {
    fn new(manner: &CutManner, lost: Option<Direction>) -> CutDocument {
        CutDocument {
            manner: Name(CutMannerName::from(manner)),
            ending: manner.visible_end().map(CutEnding::from),
            lost: lost.map(Name),
        }
    }
}

impl DocumentBody for IdleDocument {
    const COMMAND: &'static str = "probe-idle";
}
