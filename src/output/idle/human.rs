//! An idle search for people: the answer first, then the evidence.

use std::collections::HashSet;
use std::time::Duration;

use super::format::{between, lost, manner};
use super::trials::Trial;
use super::{HumanOptions, evidence, naming};
use crate::domain::connection::connect_info::{ConnectError, FailureKind};
use crate::domain::format::{self, counted};
use crate::domain::idle::refresh::RefreshConclusion;
use crate::domain::idle::report::{IdleEvent, IdleInfo, IdleReport, TwoEnded, Verification, VerifyOutcome};
use crate::domain::idle::{
    CutManner, EndSpread, IdleFindings, IdleVerdict, LifetimeCap, Recommendation, ResetBy,
};
use crate::domain::run::expectation::Expectation;
use crate::domain::run::truth::Truth;
use crate::output::human::{self, LabelledRows, Styler, failed_opening, phases, way};

/// What is told while it runs, on stderr.
#[derive(Debug)]
pub struct SearchLog {
    quiet: bool,
    paint: Styler,
    /// The failures to open that were told.
    reported: HashSet<FailureKind>,
}

impl SearchLog {
    pub fn new(options: HumanOptions) -> SearchLog {
        SearchLog {
            quiet: options.quiet,
            paint: Styler { color: options.stderr_color },
            reported: HashSet::new(),
        }
    }

    /// What people read of an event while the run goes on, newline included.
    pub fn lines(&mut self, event: &IdleEvent) -> Option<String> {
        match event {
            IdleEvent::Started { info, .. } => (!self.quiet).then(|| introduction(info)),
            IdleEvent::OpenFailed { error, .. } => self.open_failed(error),
            IdleEvent::Finished(report) => never_opened(report).and_then(|error| self.open_failed(error)),
            IdleEvent::Provisional(guess) => (!self.quiet).then(|| {
                let ends = counted(guess.samples as u64, "connection");
                format!("{ends} ended after about {}; confirming\n", format::duration(guess.timeout))
            }),
            IdleEvent::ProbeOpened { .. }
            | IdleEvent::Seen(_)
            | IdleEvent::Bracket { .. }
            | IdleEvent::Progress(_)
            | IdleEvent::Following { .. }
            | IdleEvent::RefreshRow { .. }
            | IdleEvent::VerifyBeat { .. }
            | IdleEvent::Verified { .. } => None,
        }
    }

    /// Each kind of failure once, in full.
    fn open_failed(&mut self, error: &ConnectError) -> Option<String> {
        self.reported.insert(error.kind).then(|| failed_opening(self.paint, error))
    }
}

/// `wscheck probe-idle ws://a.example/: idle spans from 1 s to 5m, to 1 s or 2 %, on at most 16 connections at once and 264
/// in all, within 20m 30s`
fn introduction(info: &IdleInfo) -> String {
    let search = &info.search;
    format!(
        "wscheck probe-idle {}: idle spans from {} to {}, to {}, on at most {} connections at once and {} in all, \
         within {}\n",
        info.url,
        format::duration(search.min),
        format::duration(search.max),
        precision(info),
        search.max_connections,
        search.most_connections(),
        format::duration(search.longest())
    )
}

fn precision(info: &IdleInfo) -> String {
    let precision = info.search.precision;
    match (precision.absolute.is_zero(), precision.relative > 0.0) {
        (true, _) => format::exact_percent(precision.relative),
        (false, false) => format::duration(precision.absolute),
        (false, true) => format!(
            "{} or {}",
            format::duration(precision.absolute),
            format::exact_percent(precision.relative)
        ),
    }
}

/// Why nothing was measured.
fn never_opened(report: &IdleReport) -> Option<&ConnectError> {
    report.error.as_deref().filter(|_| report.opened.is_none())
}

/// The whole report; `None` when nothing opened, for why was said already.
pub fn report(report: &IdleReport, trials: &[Trial], options: HumanOptions) -> Option<String> {
    if never_opened(report).is_some() {
        return None;
    }
    let paint = Styler { color: options.color };
    let mut rows = LabelledRows::new(paint, options.width);
    rows.add_raw(&format!("{}\n", paint.strong(&format!("--- {} ---", report.url))));
    answer(&mut rows, report, paint);
    consequences(&mut rows, report);
    tables(&mut rows, report, trials, options.width);
    closing(&mut rows, report, paint);
    Some(rows.into_text())
}

fn answer(rows: &mut LabelledRows, report: &IdleReport, paint: Styler) {
    let findings = &report.findings;
    let so_far = if report.partial { " (interrupted: so far)" } else { "" };
    rows.add("answer", &format!("{}{so_far}", headline(findings, paint)));
    rows.add_some("cut", findings.manner.as_ref().map(manner));
    rows.add_some("samples", findings.spread.map(|spread| samples(findings.verdict, spread)));
    rows.add_some("lingers", findings.lingers.then(|| LINGERS.to_string()));
    rows.add_some("lost", report.lost.map(|direction| lost(direction).to_string()));
    rows.add_some("two-ended", report.two_ended.and_then(two_ended));
    naming::consistent(rows, report);
    for (place, incident) in findings.incidents.iter().take(MAX_INCIDENTS).enumerate() {
        rows.add(if place == 0 { "event" } else { "" }, &incident.to_string());
    }
    rows.add_some("lifetime", lifetime_beside(findings));
}

/// More incidents say no more to people.
const MAX_INCIDENTS: usize = 5;

/// The age at which connections end, where an idle timeout is the verdict.
fn lifetime_beside(findings: &IdleFindings) -> Option<String> {
    let lifetime = findings.lifetime.filter(|_| findings.verdict != IdleVerdict::LifetimeCap)?;
    Some(format!("connections also end at the age of {}, idle or not", age(lifetime)))
}

/// Ends that lie further apart come from a timer that is looked at now and then.
const COARSE_TIMER_SPREAD: Duration = Duration::from_millis(200);

const LINGERS: &str = "the hop lets go before it says so: what is sent in between is lost, so the end that was seen \
                       is later than the timeout";

/// The verdict and the bracket.
fn headline(findings: &IdleFindings, paint: Styler) -> String {
    let bracket = between(findings.bracket);
    let head = |text: &str| paint.strong(text);
    match findings.verdict {
        IdleVerdict::IdleTimeout => {
            let by_whom = by_whom(findings.manner.as_ref());
            let whose = on_some_only(findings.bracket.hi, &findings.survived);
            format!("{} {bracket}{by_whom}{}{whose}", head("idle timeout"), only_reset_by(findings.reset_by))
        }
        IdleVerdict::ServerPolicy => {
            let policy = head("the server's own policy");
            match findings.bracket.hi {
                Some(_) => {
                    let reset_by = only_reset_by(findings.reset_by);
                    format!("{policy}, not a proxy's: idle timeout {bracket}{reset_by}")
                }
                None => format!("{policy}, not a proxy's: it closes connections and states why"),
            }
        }
        IdleVerdict::LifetimeCap => {
            let age = findings.lifetime.map_or_else(|| "an age that is not known".to_string(), age);
            format!("{} of {age}: connections end at that age, idle or not", head("lifetime cap"))
        }
        IdleVerdict::NoTimeoutUpToMax => {
            let longest = findings.bracket.lo.or(findings.survived.last().copied());
            let longest =
                longest.map(|longest| format!(" {}", format::at_least(longest))).unwrap_or_default();
            format!("{}{longest}: the longest span that was tried survived", head("no idle timeout up to"))
        }
        IdleVerdict::ServerKeepsItBusy => {
            format!("{}{}", head("the server keeps the path busy"), chatter(findings))
        }
        IdleVerdict::Stochastic => {
            format!("{}: idle connections end, but at no particular span", head("stochastic"))
        }
        IdleVerdict::Inconclusive if findings.lifetime_or_idle.is_some() => {
            let age = findings.lifetime_or_idle.map(age).unwrap_or_default();
            format!(
                "{}: a lifetime of {age}, or an idle timeout of as much that only messages reset",
                head("inconclusive")
            )
        }
        IdleVerdict::Inconclusive if findings.bracket.lo.is_none() && findings.bracket.hi.is_none() => {
            head("inconclusive")
        }
        IdleVerdict::Inconclusive => {
            format!("{}: if there is a timeout, it is {bracket}", head("inconclusive"))
        }
    }
}

/// `30 s`; where the end was not seen, `4.5 s to 5.01 s`.
fn age(LifetimeCap { lo, hi }: LifetimeCap) -> String {
    let close = hi.saturating_sub(lo) <= hi.mul_f64(0.01).max(Duration::from_millis(50));
    if close { format::duration(lo) } else { format!("{} to {}", format::at_least(lo), format::at_most(hi)) }
}

/// Whether connections survived a clearly longer silence: perhaps one of several nodes or paths differs.
fn on_some_only(hi: Option<Duration>, survived: &[Duration]) -> String {
    let Some(hi) = hi else { return String::new() };
    match survived.iter().filter(|span| **span > hi.mul_f64(1.05)).count() {
        0 => String::new(),
        longer => {
            let survivors = counted(longer as u64, "connection");
            format!(", on some connections only: {survivors} survived a longer silence")
        }
    }
}

/// The kind of cut in the headline; its words have a row of their own.
fn by_whom(manner: Option<&CutManner>) -> &'static str {
    match manner {
        Some(CutManner::Visible(_)) => ", cut visibly",
        Some(CutManner::Silent | CutManner::ServerUnheard | CutManner::ClientUnheard) => ", cut silently",
        Some(CutManner::OnUse(_)) => ", visible only on use",
        None => "",
    }
}

fn only_reset_by(reset_by: Option<ResetBy>) -> &'static str {
    match reset_by {
        Some(ResetBy::Messages) => "; only messages reset it, Ping frames do not",
        Some(ResetBy::Pings) => "; only Ping frames reset it, messages do not",
        None => "",
    }
}

fn chatter(findings: &IdleFindings) -> String {
    findings.chatter.map_or_else(String::new, |chatter| {
        let (period, gap) = (format::duration(chatter.period), format::at_least(chatter.longest_gap));
        let lets_go = chatter.lets_go.map_or_else(String::new, |age| {
            format!("; but it lets clients go that said nothing for {}", format::at_most(age))
        });
        format!(": it speaks about every {period}, and the longest quiet gap was {gap}{lets_go}")
    })
}

/// `3 connections ended, after 60.013 s (median), within 7 ms of each other`
fn samples(verdict: IdleVerdict, spread: EndSpread) -> String {
    let count = counted(spread.count as u64, "connection");
    let (min, median, max) =
        (format::duration(spread.min), format::duration(spread.median), format::duration(spread.max));
    let width = format::at_most(spread.max.saturating_sub(spread.min));
    match (verdict, spread.count) {
        (IdleVerdict::Stochastic, _) => format!("{count} died, after {min} to {max} (median {median})"),
        (_, 1) => format!("{count} was seen to end, after {max}; one is an anecdote"),
        _ if spread.max.saturating_sub(spread.min) > COARSE_TIMER_SPREAD => {
            format!("{count} ended, after {min} to {max} (median {median}): the timer is coarse")
        }
        _ => format!("{count} ended, after {median} (median), within {width} of each other"),
    }
}

fn two_ended(two_ended: TwoEnded) -> Option<String> {
    let refused = "the server does not speak when asked to, so only what follows our own words was seen";
    (two_ended == TwoEnded::Refused).then(|| refused.to_string())
}

/// What to do, what to change, and what was asked.
fn consequences(rows: &mut LabelledRows, report: &IdleReport) {
    let what =
        what_to_send(report.findings.reset_by, report.refresh.as_ref().map(|refresh| refresh.conclusion));
    let advice = report.prescription.map(|advice| prescription(advice, what));
    let advice = answer_the_server(&report.findings).or(advice);
    rows.add_some("do", advice.or_else(|| no_sure_interval(&report.findings)));
    naming::change(rows, report);
    rows.add_some("verified", report.verified.as_ref().map(verified));
    rows.add_some(
        "expected",
        report.expectation.as_ref().map(|(expectation, truth)| expected(expectation, truth)),
    );
}

/// Not every heartbeat counts everywhere.
fn what_to_send(reset_by: Option<ResetBy>, conclusion: Option<RefreshConclusion>) -> &'static str {
    match reset_by {
        Some(ResetBy::Messages) => return "an app heartbeat (a message)",
        Some(ResetBy::Pings) => return "a Ping frame",
        None => {}
    }
    match conclusion {
        Some(RefreshConclusion::MessagesOnly) => "an app heartbeat (a message)",
        Some(RefreshConclusion::ServerToClient) => "a heartbeat that the server answers",
        Some(
            RefreshConclusion::BelowApplication
            | RefreshConclusion::AnyByte
            | RefreshConclusion::Lifetime
            | RefreshConclusion::Pings
            | RefreshConclusion::Messages
            | RefreshConclusion::NotPings
            | RefreshConclusion::Contradictory
            | RefreshConclusion::Untried,
        )
        | None => "a heartbeat",
    }
}

fn prescription(prescription: Recommendation, what: &str) -> String {
    let (interval, survived, found, before) = match prescription {
        Recommendation::Heartbeat { interval, survived, found, before } => {
            (format::at_least(interval), format::at_least(survived), found, before)
        }
        Recommendation::Reconnect { before } => {
            return format!(
                "no heartbeat helps: reconnect before a connection is {} old",
                format::at_least(before)
            );
        }
    };
    if !found {
        return format!(
            "nothing to do: a heartbeat every {interval} would be safe, for a silence of {survived} survived"
        );
    }
    let lost = match (prescription.tolerates_one_loss(), prescription.interval_tolerating_one_loss()) {
        (Some(true), _) => "; that survives the loss of one, too".to_string(),
        (_, Some(half)) => {
            format!("; if one lost heartbeat must not break the connection, use {}", format::at_least(half))
        }
        (_, None) => String::new(),
    };
    let before = before.map_or_else(String::new, |before| {
        format!("; and reconnect before a connection is {} old", format::at_least(before))
    });
    format!("send {what} every {interval} (75 % of the longest silence that survived){lost}{before}")
}

/// The server asks, and its answers keep the path open.
fn answer_the_server(findings: &IdleFindings) -> Option<String> {
    let gap = findings.chatter.filter(|chatter| chatter.answered && chatter.lets_go.is_none())?.longest_gap;
    (findings.verdict == IdleVerdict::ServerKeepsItBusy).then(|| {
        format!(
            "answer the server's app pings, as this run did: no heartbeat of your own is needed, and no silence longer than {} \
             was tested",
            format::at_least(gap)
        )
    })
}

/// Why no interval is told. Where chance cuts, there is only what was seen.
fn no_sure_interval(findings: &IdleFindings) -> Option<String> {
    if let Some(age) = findings.lifetime_or_idle {
        let before = format::at_least(age.lo.mul_f64(0.75));
        return Some(format!(
            "either send an app heartbeat (a message) every {before}, or reconnect before a connection is {before} \
             old: --app-ping TEMPLATE or --allow-messages tells which"
        ));
    }
    if findings.verdict == IdleVerdict::ServerPolicy && findings.bracket.hi.is_none() {
        return Some(
            "look up what the server's reason means: Ping frames did not keep it from closing".to_string(),
        );
    }
    if matches!(findings.verdict, IdleVerdict::IdleTimeout | IdleVerdict::ServerPolicy) {
        return Some("no interval can be told, since no silence survived: lower --min".to_string());
    }
    let shortest = findings.spread.filter(|_| findings.verdict == IdleVerdict::Stochastic)?.min;
    Some(format!(
        "no interval is sure: a silence of {} ended a connection; stay well below it",
        format::at_most(shortest)
    ))
}

fn verified(verified: &Verification) -> String {
    let (every, held) = (format::at_least(verified.interval), format::duration(verified.held));
    let beats = counted(verified.beats, "heartbeat");
    match &verified.outcome {
        VerifyOutcome::Held => {
            format!("a heartbeat every {every} held a connection for {held} ({beats} answered)")
        }
        VerifyOutcome::Ended(ending) => {
            let wanted = format::duration(verified.wanted);
            format!("no: a heartbeat every {every} was to hold for {wanted}, but {}", human::ending(ending))
        }
        VerifyOutcome::Unknown(why) => format!("not known: {why}"),
    }
}

fn expected(expectation: &Expectation, truth: &Truth) -> String {
    match truth {
        Truth::True(why) | Truth::TrueOfBounds(why) => format!("{expectation}: met; {why}"),
        Truth::False(_) => format!("{expectation}: not met"),
        Truth::Unknown(why) => format!("{expectation}: not known; {why}"),
    }
}

fn tables(rows: &mut LabelledRows, report: &IdleReport, trials: &[Trial], width: Option<usize>) {
    if let Some(refresh) = &report.refresh {
        rows.add_raw(
            &evidence::refresh(&refresh.rows, width).map(|table| format!("\n{table}")).unwrap_or_default(),
        );
        rows.add("it follows", refresh.conclusion.sentence());
    }
    let table = evidence::trials(trials, width).map(|table| format!("\n{table}")).unwrap_or_default();
    rows.add_raw(&format!("{table}\n"));
}

fn closing(rows: &mut LabelledRows, report: &IdleReport, paint: Styler) {
    let findings = &report.findings;
    if let Some(opened) = report.opened.as_deref() {
        let way = way(opened).map(|way| format!(", {way}")).unwrap_or_default();
        rows.add("opened in", &format!("{}{way}", phases(&opened.phases)));
        human::facts(rows, opened);
    }
    human::preset(rows, report.info.preset.as_ref());
    for (place, note) in report.notes.iter().enumerate() {
        rows.add(if place == 0 { "note" } else { "" }, note);
    }
    let searched =
        format!("{}, {}", counted(findings.connections, "connection"), format::duration(report.elapsed));
    let void = findings.void_rounds;
    let void = if void == 0 {
        String::new()
    } else {
        let is_age = findings.verdict == IdleVerdict::LifetimeCap || findings.lifetime_or_idle.is_some();
        let why = if is_age { "" } else { ": the path itself failed" };
        format!("; {} void{why}", counted(void, "round"))
    };
    rows.add("search", &format!("{searched}{void}"));
    human::verdict(rows, report.verdict, &report.reasons, paint);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::idle::{Precision, SearchPlan};
    #[test]
    fn what_was_only_found_dead_has_two_ages() {
        let ms = Duration::from_millis;
        assert_eq!(age(LifetimeCap { lo: ms(29_990), hi: ms(30_010) }), "29.99 s");
        assert_eq!(age(LifetimeCap { lo: ms(4_502), hi: ms(5_003) }), "4.502 s to 5.003 s");
    }

    #[test]
    fn headline_says_that_only_some_connections_end() {
        let (second, hi) = (Duration::from_secs, Some(Duration::from_secs(3)));
        let expected = ", on some connections only: 2 connections survived a longer silence";
        assert_eq!(on_some_only(hi, &[second(2), second(10), second(10)]), expected);
        assert_eq!(on_some_only(hi, &[second(2), Duration::from_millis(3010)]), "");
        assert_eq!(on_some_only(None, &[second(10)]), "");
    }

    #[test]
    fn the_precision_is_told_as_it_was_asked_for() {
        let precision_of = |absolute, relative| {
            let search = SearchPlan { precision: Precision { absolute, relative }, ..SearchPlan::default() };
            let url = "ws://a/".to_string();
            precision(&IdleInfo {
                url,
                search,
                refresh: false,
                verify: false,
                expectation: None,
                preset: None,
            })
        };
        let second = Duration::from_secs(1);
        assert_eq!(
            [precision_of(second, 0.02), precision_of(second, 0.0), precision_of(Duration::ZERO, 0.05)],
            ["1 s or 2 %", "1 s", "5 %"]
        );
    }
}
