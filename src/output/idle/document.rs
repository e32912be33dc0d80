//! An idle search in JSON: the document at the end.

use schemars::JsonSchema;
use serde::Serialize;

use super::trials::{Trial, TrialEnd};
use crate::domain::connection::close_cause::{CloseKindName, ClosedBy, Violation, close_code_meaning};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::idle::middleboxes::{Candidate, RuledOut, SettingChange};
use crate::domain::idle::refresh::{self, KeepaliveMethod, KeepaliveOutcome, RefreshConclusion};
use crate::domain::idle::report::{Direction, IdleInfo, IdleReport, TwoEnded, VerifyOutcome};
use crate::domain::idle::{
    CutManner, CutMannerName, DeathCause, EndSpread, IdleVerdict, Incident, IncidentKind, ProbeRole,
    ProvisionalTimeout, Recommendation, ResetBy, ServerActivity, Strategy, VisibleEnd, report,
};
use crate::domain::run::bracket::Bracket;
use crate::domain::run::expectation::Expectation;
use crate::domain::run::run_result::RunResult;
use crate::domain::run::truth::Truth;
use crate::output::json::{
    FailureDocument, JsonEndingDocument, Ms, Name, OpeningDocument, PresetName, SCHEMA_VERSION, Timestamp,
    WSCHECK_VERSION, broken_rule, close_frame, ms,
};

/// What `wscheck probe-idle -o json` prints. A value that is not known is null; no field is ever left out.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct IdleDocument {
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    #[schemars(extend("const" = "probe-idle"))]
    command: &'static str,
    wscheck_version: &'static str,
    started_at: Timestamp,
    elapsed_ms: Ms,
    /// Without its secrets.
    url: String,
    settings: IdleSettings,
    /// What the path does with an idle connection.
    verdict: Name<IdleVerdict>,
    /// Between which idle spans the timeout lies.
    bracket: BracketDocument,
    /// The idle spans after which connections were seen to end; null when none was.
    samples: Option<Samples>,
    /// How idle connections are cut; null when none was.
    cut: Option<CutDocument>,
    /// The hop lets go before it says so: what is sent in between is lost.
    lingers: bool,
    /// About when connections end, before it was confirmed.
    provisional: Option<ProvisionalDocument>,
    /// The age up to which connections were alive, of `lifetime_cap`, and where an idle timeout is shorter than it.
    lifetime_ms: Option<Ms>,
    /// The age at which they were gone: about the same where the end was seen; else the age at which the first
    /// question was not answered.
    lifetime_hi_ms: Option<Ms>,
    /// The age at which connections ended that sent Ping frames all the time, where no messages were tried: a lifetime, or
    /// an idle timeout that only messages reset. Of `inconclusive`.
    lifetime_or_idle_ms: Option<Ms>,
    /// The only kind of heartbeat that resets the timer; null: any kind that was tried does.
    reset_by: Option<Name<ResetBy>>,
    /// How the server speaks unasked; null when it does not.
    chatter: Option<ChatterDocument>,
    /// Known timers that the evidence singles out, best first, at most three; never an assertion.
    candidates: Vec<CandidateDocument>,
    /// Known timers that fit as well as one another, where the evidence singles none out.
    undecided: Vec<UndecidedDocument>,
    /// Products that a header names and the evidence contradicts, or says nothing of.
    ruled_out: Vec<RuledOutDocument>,
    /// Null when there is nothing to do, or nothing known.
    prescription: Option<PrescriptionDocument>,
    /// Null unless `--refresh` was asked for and there was something to try.
    refresh: Option<RefreshDocument>,
    /// Null unless `--verify` was asked for and there was something to verify.
    verified: Option<VerifiedDocument>,
    expectation: Option<ExpectationDocument>,
    /// Null unless it was asked for and something opened.
    two_ended: Option<Name<TwoEnded>>,
    /// Every connection that was asked, or was seen to end, in the order in which it happened.
    trials: Vec<TrialDocument>,
    /// What ended connections and is no timeout; it entered no bracket, lifetime or advice.
    incidents: Vec<IncidentDocument>,
    /// Rounds that did not count because the control died, or all connections ended at the same moment.
    void_rounds: u32,
    /// Connections that were opened for the search; at most `settings.most_connections`.
    connections: u32,
    /// The user ended it before it was done.
    partial: bool,
    /// What the run comes to; the exit code says the same.
    result: Name<RunResult>,
    exit_code: u8,
    /// Why.
    reasons: Vec<String>,
    /// What was asked for and was done otherwise, or not at all, and what else a reader of the figures must know.
    notes: Vec<String>,
    /// How the first connection opened; null when none did.
    opening: Option<OpeningDocument>,
    /// The last failure to open, where there was one.
    error: Option<FailureDocument>,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct IdleSettings {
    min_ms: Ms,
    max_ms: Ms,
    /// The bracket is narrow enough within the larger of this and of `precision_part`.
    precision_ms: Ms,
    /// A part of the bracket's lower end, from 0 to 1.
    precision_part: f64,
    /// How the search narrows the bracket.
    strategy: Name<Strategy>,
    /// Samples that make an end certain.
    repeat: usize,
    max_connections: usize,
    /// So many connections are opened in all, at most.
    most_connections: u32,
    /// The search takes no longer; what is undecided then stays so.
    longest_ms: Ms,
    answer_timeout_ms: Ms,
    control_interval_ms: Ms,
    /// What the questions are.
    question: Name<HeartbeatKind>,
    two_ended: bool,
    refresh: bool,
    verify: bool,
    expect: Option<String>,
    /// Whose heartbeats they are; null where no preset was asked for.
    preset: Option<PresetName>,
}

/// Between which idle spans the timeout lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BracketDocument {
    /// The longest idle span that was asked and answered, below every span that was not.
    lo_ms: Option<Ms>,
    /// The shortest that is confirmed not to survive.
    hi_ms: Option<Ms>,
}

/// The idle spans after which connections were seen to end.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Samples {
    count: usize,
    min_ms: Ms,
    /// The lower of the middle two, where the count is even.
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
    /// The end that was seen; null when none was.
    ending: Option<CutEnding>,
    /// Known only of a two-ended run that found a silent cut.
    lost: Option<Name<Direction>>,
}

/// An end that was seen.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CutEnding {
    /// How the connection ended.
    how: Name<CloseKindName>,
    /// The close code; null without a close frame, or when it was empty.
    code: Option<u16>,
    code_meaning: Option<&'static str>,
    /// The reason in the close frame, as the peer gave it; control characters are escaped.
    reason: Option<String>,
    /// The rule of RFC 6455 that the peer broke.
    violation: Option<Name<Violation>>,
    /// What was wrong about it.
    detail: Option<String>,
    /// Closed on one side only: what we wrote was still taken; null when it was not tried.
    half_closed: Option<bool>,
}

/// About when connections end, before it is confirmed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ProvisionalDocument {
    /// The median of the ends seen so far: an upper bound.
    timeout_ms: Ms,
    samples: usize,
    /// When it was known, since the run's start.
    after_ms: Ms,
}

/// How the server speaks unasked.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ChatterDocument {
    /// The median of the gaps.
    period_ms: Ms,
    /// The longest time without a server message; an idle connection survived it.
    longest_gap_ms: Ms,
    count: usize,
    /// Median age at which the server closed clients that sent nothing; null when it closed none.
    lets_go_ms: Option<Ms>,
    /// It asked by messages and was answered, so that longer silences could not be tested.
    answered: bool,
}

/// A known timer that the measurement is consistent with.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CandidateDocument {
    /// Its name in the table that `wscheck timeouts` prints.
    id: &'static str,
    product: &'static str,
    setting: &'static str,
    /// The value that the setting would have.
    value_ms: Ms,
    /// The setting to look for, with that value.
    look_for: String,
    /// The header of the response that names the product; null when it is named by how it cuts.
    header: Option<String>,
    /// Why it is named.
    reasons: Vec<String>,
    /// What else may have cut, and what tells.
    caveat: Option<String>,
    /// A line of configuration, or a command, that sets it; null when nothing can.
    change: Option<&'static str>,
    /// What to ask `wscheck timeouts` for.
    topic: &'static str,
    source: &'static str,
}

/// A known timer that fits, like others.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct UndecidedDocument {
    /// Its name in the table that `wscheck timeouts` prints.
    id: &'static str,
    product: &'static str,
    setting: &'static str,
    /// The value that the setting would have.
    value_ms: Ms,
    /// The setting to look for, with that value.
    look_for: String,
    /// Why it fits.
    reasons: Vec<String>,
    /// What would tell that it cut.
    tells: Option<&'static str>,
    /// What to ask `wscheck timeouts` for.
    topic: &'static str,
    source: &'static str,
}

/// A product that is not named although a header of the response names it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RuledOutDocument {
    product: &'static str,
    header: String,
    why: String,
}

/// What keeps connections open on this path.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PrescriptionDocument {
    /// The heartbeats' interval: 75 % of the bracket's lower end; null when no heartbeat helps.
    interval_ms: Option<Ms>,
    /// The longest silence that survived.
    survived_ms: Option<Ms>,
    /// Whether a timeout was found; else nothing longer was tried.
    timeout_found: Option<bool>,
    /// Whether the path also survives the loss of one heartbeat at this interval.
    clears_one_lost: Option<bool>,
    /// The interval that survives the loss of one.
    interval_with_one_lost_ms: Option<Ms>,
    /// Connections end at an age, whatever is sent: reconnect before a connection is so old.
    reconnect_before_ms: Option<Ms>,
}

/// Ends of connections that show nothing about a timeout.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct IncidentDocument {
    /// What ended connections and is no timeout: one event, a control without answers, a limit or a replaced session, the
    /// server's breach of the protocol.
    kind: Name<IncidentKind>,
    /// When the first of the connections ended, since the run's start.
    after_ms: Ms,
    /// How many connections ended, the control included.
    connections: usize,
    /// How the first of them ended.
    ending: CutEnding,
    /// The same in a sentence.
    text: String,
}

/// What keeps the path open.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RefreshDocument {
    rows: Vec<RefreshRow>,
    /// What follows from the rows together.
    conclusion: Name<RefreshConclusion>,
    conclusion_in_words: &'static str,
}

/// Whether one kind of traffic keeps the path open.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RefreshRow {
    /// What was sent to keep the path open.
    method: Name<KeepaliveMethod>,
    /// How often it was sent; null when nothing was, or the system did it.
    every_ms: Option<Ms>,
    /// How long it was to last.
    held_ms: Ms,
    /// Null when it was not tried, or proves nothing.
    survived: Option<bool>,
    /// When it was found dead.
    died_after_ms: Option<Ms>,
    /// How it died, or why nothing is known.
    why: Option<String>,
}

/// What became of the connection that was held at the prescribed interval.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct VerifiedDocument {
    interval_ms: Ms,
    /// For how long it was to be held: past two timeouts.
    wanted_ms: Ms,
    held_ms: Ms,
    /// Heartbeats that were answered.
    heartbeats: u64,
    /// Whether it was held to the end; null when it was not to be known.
    held: Option<bool>,
    ending: Option<JsonEndingDocument>,
    /// Why it was not to be known.
    why: Option<String>,
}

/// What the user expected, and whether the evidence bears it out.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ExpectationDocument {
    expect: String,
    /// Null when the evidence allows either.
    met: Option<bool>,
    why: Option<String>,
}

/// What became of a silent connection.
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

/// A connection that was asked, or was seen to end.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TrialDocument {
    /// The connection's number in the search, from 1.
    probe: u32,
    /// What the connection is for: the control is never idle, nor is the second control, which sends messages besides
    /// Ping frames; a watcher is silent all the time; a trial is silent for one span and then asked once.
    role: Name<ProbeRole>,
    /// For how long nothing had passed; of a control, since its last answer.
    idle_ms: Ms,
    outcome: TrialOutcome,
    /// Of `survived`.
    rtt_ms: Option<Ms>,
    /// The end that was seen.
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

impl From<ServerActivity> for ChatterDocument {
    fn from(chatter: ServerActivity) -> ChatterDocument {
        ChatterDocument {
            period_ms: chatter.period.into(),
            longest_gap_ms: chatter.longest_gap.into(),
            count: chatter.count,
            lets_go_ms: ms(chatter.lets_go),
            answered: chatter.answered,
        }
    }
}

impl From<&Candidate> for CandidateDocument {
    fn from(candidate: &Candidate) -> CandidateDocument {
        let middlebox = candidate.middlebox;
        CandidateDocument {
            id: middlebox.id,
            product: middlebox.product,
            setting: middlebox.setting,
            value_ms: candidate.value.into(),
            look_for: candidate.setting(),
            header: candidate.header().map(str::to_string),
            reasons: candidate.reasons.clone(),
            caveat: candidate.caveat(),
            change: match middlebox.change {
                SettingChange::Set(example) => Some(example),
                SettingChange::Fixed | SettingChange::Nothing => None,
            },
            topic: middlebox.topic(),
            source: middlebox.source,
        }
    }
}

impl From<&Candidate> for UndecidedDocument {
    fn from(candidate: &Candidate) -> UndecidedDocument {
        let middlebox = candidate.middlebox;
        UndecidedDocument {
            id: middlebox.id,
            product: middlebox.product,
            setting: middlebox.setting,
            value_ms: candidate.value.into(),
            look_for: candidate.setting(),
            reasons: candidate.reasons.clone(),
            tells: middlebox.tells,
            topic: middlebox.topic(),
            source: middlebox.source,
        }
    }
}

impl From<&RuledOut> for RuledOutDocument {
    fn from(RuledOut { product, header, why }: &RuledOut) -> RuledOutDocument {
        RuledOutDocument { product, header: header.clone(), why: why.clone() }
    }
}

impl From<Recommendation> for PrescriptionDocument {
    fn from(prescription: Recommendation) -> PrescriptionDocument {
        match prescription {
            Recommendation::Heartbeat { interval, survived, found, before } => PrescriptionDocument {
                interval_ms: Some(interval.into()),
                survived_ms: Some(survived.into()),
                timeout_found: Some(found),
                clears_one_lost: prescription.tolerates_one_loss(),
                interval_with_one_lost_ms: ms(prescription.interval_tolerating_one_loss()),
                reconnect_before_ms: ms(before),
            },
            Recommendation::Reconnect { before } => PrescriptionDocument {
                interval_ms: None,
                survived_ms: None,
                timeout_found: None,
                clears_one_lost: None,
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
            conclusion_in_words: refresh.conclusion.sentence(),
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

impl From<&(Expectation, Truth)> for ExpectationDocument {
    fn from((expectation, truth): &(Expectation, Truth)) -> ExpectationDocument {
        let (met, why) = match truth {
            Truth::True(why) | Truth::TrueOfBounds(why) => (Some(true), Some(why)),
            Truth::False => (Some(false), None),
            Truth::Unknown(why) => (None, Some(why)),
        };
        ExpectationDocument { expect: expectation.to_string(), met, why: why.cloned() }
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
            schema_version: SCHEMA_VERSION,
            command: "probe-idle",
            wscheck_version: WSCHECK_VERSION,
            started_at: report.started_at.into(),
            elapsed_ms: report.elapsed.into(),
            url: report.url.clone(),
            settings: report.info.as_ref().into(),
            verdict: findings.verdict.into(),
            bracket: findings.bracket.into(),
            samples: findings.spread.map(Samples::from),
            cut: findings.manner.as_ref().map(|manner| CutDocument::new(manner, report.lost)),
            lingers: findings.lingers,
            provisional: findings.provisional.map(ProvisionalDocument::from),
            lifetime_ms: ms(findings.lifetime.map(|lifetime| lifetime.lo)),
            lifetime_hi_ms: ms(findings.lifetime.map(|lifetime| lifetime.hi)),
            lifetime_or_idle_ms: ms(findings.lifetime_or_idle.map(|age| age.lo)),
            reset_by: findings.reset_by.map(Name),
            chatter: findings.chatter.map(ChatterDocument::from),
            candidates: report.naming.candidates.iter().map(CandidateDocument::from).collect(),
            undecided: report.naming.undecided.iter().map(UndecidedDocument::from).collect(),
            ruled_out: report.naming.ruled_out.iter().map(RuledOutDocument::from).collect(),
            prescription: report.prescription.map(PrescriptionDocument::from),
            refresh: report.refresh.as_ref().map(RefreshDocument::from),
            verified: report.verified.as_ref().map(VerifiedDocument::from),
            expectation: report.expectation.as_ref().map(ExpectationDocument::from),
            two_ended: report.two_ended.map(Name),
            trials: trials.iter().map(TrialDocument::from).collect(),
            incidents: findings.incidents.iter().map(IncidentDocument::from).collect(),
            void_rounds: findings.void_rounds,
            connections: findings.connections,
            partial: report.partial,
            result: report.verdict.into(),
            exit_code: report.verdict.exit_code(),
            reasons: report.reasons.clone(),
            notes: report.notes.clone(),
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
