//! Every finding of an idle search in words: what it says, what to do about it, and the figures behind it.

use std::time::Duration;

use super::format::{between, lost, visible_end};
use super::{product_findings, refresh_findings, undecided_findings};
use crate::domain::connection::close_cause::{CloseCause, CloseKind, close_code_meaning};
use crate::domain::format::{at_least, at_most, counted, duration};
use crate::domain::idle::report::{Verification, VerifyOutcome};
use crate::domain::idle::{
    CutManner, CutMannerName, EndSpread, IdleFinding, IdleReason, Incident, LifetimeCap, NeededTraffic,
    Recommendation, ServerActivity, SkipCause, VisibleEnd, VoidCause,
};
use crate::domain::label::Label;
use crate::domain::run::bracket::Bracket;
use crate::output::goaway_finding;
use crate::output::view::Explanation;

/// What a reason of the result says.
pub fn reason(reason: &IdleReason) -> String {
    match reason {
        IdleReason::Undecided(cause) => undecided_findings::explain(cause).message,
        IdleReason::Text(text) => text.clone(),
    }
}

/// What a finding says and what to do about it.
pub fn explain(finding: &IdleFinding) -> Explanation {
    match finding {
        IdleFinding::IdleTimeout { bracket, manner, advice, traffic } => {
            idle_timeout(*bracket, manner.as_ref(), *advice, *traffic)
        }
        IdleFinding::LifetimeCap { age, advice } => lifetime_cap(*age, *advice),
        IdleFinding::NoTimeoutUpToMax { longest, advice } => no_timeout(*longest, *advice),
        IdleFinding::ServerKeepsItBusy { activity, advice, traffic } => busy(*activity, *advice, *traffic),
        IdleFinding::ServerPolicy { bracket, visible_end, advice, traffic } => {
            policy(*bracket, visible_end.as_ref(), *advice, *traffic)
        }
        IdleFinding::Stochastic { spread } => stochastic(*spread),
        IdleFinding::Undecided(cause) => undecided_findings::explain(cause),
        IdleFinding::AlsoLifetimeCap { age } => also_lifetime_cap(*age),
        IdleFinding::OnlySomeConnectionsCut { survived_longer } => only_some_cut(*survived_longer),
        IdleFinding::OnlyMessagesResetTimer => only_messages(),
        IdleFinding::OnlyPingsResetTimer => only_pings(),
        IdleFinding::TimeoutBelowMin { min } => below_min(*min),
        IdleFinding::TimerIsCoarse { spread } => coarse(*spread),
        IdleFinding::StopsForwardingBeforeClosing => Explanation::new(
            "the hop stops forwarding before it closes: what is sent in between is lost, so the end that was seen is \
             later than the timeout",
        ),
        IdleFinding::CutAboveTcp { through_proxy } => above_tcp(*through_proxy),
        IdleFinding::DirectionLost { direction } => {
            Explanation::new(lost(*direction)).with("direction", direction.label())
        }
        IdleFinding::ServerClosesSilentClients { age } => silent_clients(*age),
        IdleFinding::KeepaliveMethodsCompared { conclusion, scope } => {
            refresh_findings::explain(*conclusion, *scope)
        }
        IdleFinding::LikelyProduct { candidate } => product_findings::likely(candidate),
        IdleFinding::PossibleProducts { candidates, manner } => {
            product_findings::possible(candidates, manner.as_ref())
        }
        IdleFinding::HeaderNamesOtherProduct { ruled_out } => product_findings::other(ruled_out),
        IdleFinding::NoKnownTimerFits { not_compared } => product_findings::none_fits(*not_compared),
        IdleFinding::EndedAtOneMoment { incident }
        | IdleFinding::PathLost { incident }
        | IdleFinding::EndedRightAfterOpening { incident }
        | IdleFinding::ServerBrokeProtocol { incident } => describe_incident(incident),
        IdleFinding::RoundsVoid { rounds, cause } => void(*rounds, *cause),
        IdleFinding::RecommendationHeld { verification }
        | IdleFinding::RecommendationFailed { verification }
        | IdleFinding::RecommendationUnverified { verification } => verified(verification),
        IdleFinding::TwoEndedRefused => two_ended_refused(),
        IdleFinding::OneSpanAtATime => {
            Explanation::new("two-ended mode tests one idle span at a time (bisect)")
        }
        IdleFinding::PrecisionReduced { precision } => precision_reduced(*precision),
        IdleFinding::H2GoawayReceived { goaways } => goaway_finding::explain(goaways),
        IdleFinding::HostStalled { stall } => host_stalled(*stall),
        IdleFinding::AnswersNotRecognized { ask, answer, came } => not_recognized(ask, answer, came),
        IdleFinding::KeepaliveMethodsSkipped { cause } => skipped("keepalive methods were not tried", *cause),
        IdleFinding::VerificationSkipped { cause } => skipped("there was nothing to verify", *cause),
    }
}

impl Explanation {
    fn with_bracket(self, bracket: Bracket) -> Explanation {
        self.with_some("bracket_lo", bracket.lo).with_some("bracket_hi", bracket.hi)
    }

    /// With what to do, if that is known.
    fn advising(self, advice: Option<Recommendation>, traffic: NeededTraffic) -> Explanation {
        let remedy = advice.map(|advice| recommend(advice, traffic));
        Explanation { remedy, ..self }.with_advice(advice)
    }

    fn with_advice(self, advice: Option<Recommendation>) -> Explanation {
        match advice {
            Some(Recommendation::Heartbeat { interval, survived, before, .. }) => self
                .with_duration("interval", interval)
                .with_duration("survived", survived)
                .with_some("reconnect_before", before),
            Some(Recommendation::Reconnect { before }) => self.with_duration("reconnect_before", before),
            None => self,
        }
    }
}

fn idle_timeout(
    bracket: Bracket,
    manner: Option<&CutManner>,
    advice: Option<Recommendation>,
    traffic: NeededTraffic,
) -> Explanation {
    let remedy = advice.map_or_else(|| NO_INTERVAL.to_string(), |advice| recommend(advice, traffic));
    let found =
        Explanation::conclusion("idle timeout", format!(" {}{}", between(bracket), visibility(manner)))
            .remedy(remedy)
            .with_bracket(bracket)
            .with_advice(advice)
            .with("traffic", traffic.label());
    match manner {
        Some(manner) => found.with("cut", CutMannerName::from(manner).label()),
        None => found,
    }
}

const NO_INTERVAL: &str = "no interval can be recommended, since no silence survived: lower --min";

/// The kind of cut in the answer; its details have a row of their own.
fn visibility(manner: Option<&CutManner>) -> &'static str {
    match manner {
        Some(CutManner::Visible(_)) => ", cut visibly",
        Some(CutManner::Silent { .. } | CutManner::ServerUnheard | CutManner::ClientUnheard { .. }) => {
            ", cut silently"
        }
        Some(CutManner::OnUse(_)) => ", visible only on use",
        None => "",
    }
}

fn lifetime_cap(age: Option<LifetimeCap>, advice: Option<Recommendation>) -> Explanation {
    let shown = age.map_or_else(|| "an unknown age".to_string(), |age| age.to_string());
    Explanation::conclusion("lifetime cap", format!(" of {shown}: connections end at that age, idle or not"))
        .with_some("age", age.map(|age| age.lo))
        .advising(advice, NeededTraffic::Any)
}

fn no_timeout(longest: Option<Duration>, advice: Option<Recommendation>) -> Explanation {
    let span = longest.map(|longest| format!(" {}", at_least(longest))).unwrap_or_default();
    Explanation::conclusion(
        "no idle timeout up to",
        format!("{span}: the longest span that was tried survived"),
    )
    .with_some("survived", longest)
    .advising(advice, NeededTraffic::Any)
}

fn busy(
    activity: Option<ServerActivity>,
    advice: Option<Recommendation>,
    traffic: NeededTraffic,
) -> Explanation {
    let Some(ServerActivity { period, longest_gap, closes_silent_after, answered, .. }) = activity else {
        return Explanation::conclusion(BUSY, "");
    };
    let (every, gap) = (duration(period), at_least(longest_gap));
    let detail = format!(": it sends about every {every}, and the longest quiet gap was {gap}");
    let found = Explanation::conclusion(BUSY, detail)
        .with_duration("period", period)
        .with_duration("longest_gap", longest_gap)
        .advising(advice, traffic);
    if !answered || closes_silent_after.is_some() {
        return found;
    }
    found.remedy(format!(
        "answer the server's app pings, as this run did: no heartbeat of your own is needed, and no silence longer \
         than {gap} was tested"
    ))
}

const BUSY: &str = "the server keeps the path busy";

fn policy(
    bracket: Bracket,
    closed: Option<&VisibleEnd>,
    advice: Option<Recommendation>,
    traffic: NeededTraffic,
) -> Explanation {
    let timeout =
        bracket.hi.map(|_| format!(", with an idle timeout {}", between(bracket))).unwrap_or_default();
    let why = closed.and_then(|end| stated(&end.how)).map(|why| format!(": {why}")).unwrap_or_default();
    let remedy = match (advice, bracket.hi) {
        (Some(advice), _) => recommend(advice, traffic),
        (None, Some(_)) => NO_INTERVAL.to_string(),
        (None, None) => {
            "look up what the server's reason means: Ping frames did not keep it from closing".to_string()
        }
    };
    Explanation::conclusion("probably the server's own policy", format!("{timeout}{why}"))
        .remedy(remedy)
        .with_bracket(bracket)
        .with_advice(advice)
}

/// What makes a close frame look like the server's own: `close 4008 is an application code`.
fn stated(how: &CloseKind) -> Option<String> {
    let CloseKind::CloseFrame { code, reason } = how else { return None };
    Some(match code {
        Some(code @ 3000..=4999) => format!("close {code} is an application code"),
        Some(code @ 1008) => format!("close {code} means {}", close_code_meaning(*code)),
        Some(code) => format!("close {code} gives the reason \"{reason}\""),
        None => return None,
    })
}

const SCATTERED: &str = "idle connections end at different times";

fn stochastic(spread: Option<EndSpread>) -> Explanation {
    let Some(EndSpread { min, max, .. }) = spread else {
        return Explanation::conclusion(SCATTERED, ": no fixed timeout");
    };
    let range = format!(", from {} to {}: no fixed timeout", duration(min), duration(max));
    Explanation::conclusion(SCATTERED, range)
        .remedy(format!(
            "no interval is safe: a silence of {} ended a connection; stay well below it",
            at_most(min)
        ))
        .with_duration("min", min)
        .with_duration("max", max)
}

/// What to send and how often.
fn recommend(advice: Recommendation, traffic: NeededTraffic) -> String {
    let (interval, survived, found, before) = match advice {
        Recommendation::Heartbeat { interval, survived, found, before } => {
            (at_least(interval), at_least(survived), found, before)
        }
        Recommendation::Reconnect { before } => {
            return format!("no heartbeat helps: reconnect before a connection is {} old", at_least(before));
        }
    };
    if !found {
        return format!(
            "the idle timeout demands no change: {survived} of silence survived, and a heartbeat every {interval} stays below that"
        );
    }
    let lost = match (advice.tolerates_one_loss(), advice.interval_tolerating_one_loss()) {
        (Some(true), _) => "; one lost heartbeat does not break the connection".to_string(),
        (_, Some(half)) => {
            format!("; if one lost heartbeat must not break the connection, use {}", at_least(half))
        }
        (_, None) => String::new(),
    };
    let before = before.map_or_else(String::new, |before| {
        format!("; and reconnect before a connection is {} old", at_least(before))
    });
    format!(
        "send {} every {interval} (75 % of the longest silence that survived){lost}{before}",
        heartbeat(traffic)
    )
}

/// Not every heartbeat counts everywhere.
fn heartbeat(traffic: NeededTraffic) -> &'static str {
    match traffic {
        NeededTraffic::Any => "a heartbeat",
        NeededTraffic::Messages => "an app heartbeat (a message)",
        NeededTraffic::Pings => "a Ping frame",
        NeededTraffic::Answered => "a heartbeat that the server answers",
        NeededTraffic::Both => "a Ping frame and a message, since it is unknown which of them count,",
    }
}

fn also_lifetime_cap(age: LifetimeCap) -> Explanation {
    Explanation::new(format!("connections also end at the age of {age}, idle or not"))
        .with_duration("age", age.lo)
}

fn only_some_cut(survived_longer: usize) -> Explanation {
    let survivors = counted(survived_longer as u64, "connection");
    Explanation::new(format!("only some connections are cut: {survivors} survived a longer silence"))
        .remedy("compare the nodes and paths behind the address: one of them has another timeout")
        .with("survived_longer", survived_longer)
}

fn only_messages() -> Explanation {
    Explanation::new("messages reset the timer, Ping frames do not").remedy("send app heartbeats")
}

fn only_pings() -> Explanation {
    Explanation::new("Ping frames reset the timer, messages do not").remedy("send Ping frames")
}

fn below_min(min: Duration) -> Explanation {
    Explanation::new(format!(
        "the timeout is not above the shortest silence that was tried, {}",
        duration(min)
    ))
    .remedy("lower --min to measure it")
    .with_duration("min", min)
}

fn coarse(spread: EndSpread) -> Explanation {
    let width = spread.max.saturating_sub(spread.min);
    Explanation::new(format!(
        "the timer is coarse: connections ended within {} of each other",
        at_most(width)
    ))
    .with_duration("spread", width)
}

fn above_tcp(through_proxy: bool) -> Explanation {
    let text = match through_proxy {
        false => {
            "TCP acknowledged what was sent after the silence, so no NAT or firewall dropped the connection up to what ends TCP, \
             the server or the first proxy: that one, or something behind it, no longer serves the WebSocket"
        }
        true => {
            "the HTTP proxy's TCP acknowledged what was sent after the silence, so nothing dropped the connection up to \
             the proxy: the proxy, or something behind it, no longer serves the WebSocket"
        }
    };
    Explanation::new(text)
        .remedy("look at the server and at each proxy before it; probe from behind each hop")
        .with("through_proxy", through_proxy)
}

fn silent_clients(age: Duration) -> Explanation {
    Explanation::new(format!("the server closes clients that sent nothing for {}", at_most(age)))
        .remedy("send messages more often than that")
        .with_duration("age", age)
}

fn describe_incident(incident: &Incident) -> Explanation {
    Explanation::new(incident.to_string())
        .with_duration("after", incident.at_shown())
        .with("connections", incident.connections)
        .with("ending", visible_end(&incident.visible_end))
}

fn void(rounds: u32, cause: VoidCause) -> Explanation {
    let why = match cause {
        VoidCause::OneMoment => "connections ended at the same moment",
        VoidCause::ControlDied => "the control died",
        VoidCause::ControlUnanswered => "the control got no answer",
    };
    Explanation::new(format!("{} did not count: {why}", counted(u64::from(rounds), "round")))
        .with("rounds", rounds)
        .with("cause", cause.label())
}

fn verified(verification: &Verification) -> Explanation {
    let Verification { interval, wanted, held, beats, outcome } = verification;
    let (every, after) = (at_least(*interval), duration(*held));
    let answered = counted(*beats, "heartbeat");
    let text = match outcome {
        VerifyOutcome::Held => {
            format!("a heartbeat every {every} kept a connection open for {after} ({answered} answered)")
        }
        VerifyOutcome::Ended(ending) => format!(
            "the recommendation did not hold: with a heartbeat every {every}, {} after {after} of {}",
            CloseCause::describe(ending.who, &ending.how, ending.os_error.as_deref()),
            duration(*wanted)
        ),
        VerifyOutcome::Unknown(why) => format!("it is unknown whether the recommendation holds: {why}"),
    };
    Explanation::new(text)
        .with_duration("interval", *interval)
        .with_duration("wanted", *wanted)
        .with_duration("held", *held)
        .with("heartbeats", *beats)
}

fn two_ended_refused() -> Explanation {
    Explanation::new(
        "the server does not support two-ended mode, so only answers to wscheck's own requests were tested",
    )
    .remedy("run it against `wscheck serve`")
}

fn precision_reduced(precision: Duration) -> Explanation {
    Explanation::new(format!(
        "connections open too slowly for the requested precision; using {}",
        duration(precision)
    ))
    .with_duration("precision", precision)
}

fn host_stalled(stall: Duration) -> Explanation {
    Explanation::new(format!(
        "this host was stalled for {} during the search: what ended meanwhile was read late",
        duration(stall)
    ))
    .remedy("run it on a host with less load")
    .with_duration("stall", stall)
}

fn not_recognized(ask: &str, answer: &str, came: &str) -> Explanation {
    Explanation::new(format!("no message answered '{ask}' by the pattern '{answer}'; what came: {came}"))
        .remedy("correct --app-pong")
}

fn skipped(what: &str, cause: SkipCause) -> Explanation {
    Explanation::new(format!("{what}: {}", skipped_because(cause))).with("cause", cause.label())
}

fn skipped_because(cause: SkipCause) -> &'static str {
    match cause {
        SkipCause::NoSilenceSurvived => "no silence survived",
        SkipCause::NoUpperEndKnown => "no upper end is known",
        SkipCause::LifetimeUnknown => "the lifetime is unknown",
        SkipCause::NothingWasCut => "nothing was cut",
        SkipCause::ServerKeepsItOpen => "the server keeps it open by itself",
        SkipCause::NoAnswerFound => "the search found no answer",
        SkipCause::NoIntervalIsCertain => "no interval is certain",
        SkipCause::NoHeartbeatPreventsLifetime => "no heartbeat prevents a lifetime limit",
        SkipCause::NoTimeoutFound => "no timeout was found",
        SkipCause::NoIntervalRecommended => "no interval is recommended",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_of_an_unseen_end_is_a_range() {
        let ms = Duration::from_millis;
        assert_eq!(LifetimeCap { lo: ms(29_990), hi: ms(30_010) }.to_string(), "29.99 s");
        assert_eq!(LifetimeCap { lo: ms(4_502), hi: ms(5_003) }.to_string(), "4.502 s to 5.003 s");
    }

    #[test]
    fn stated_reason_is_named_by_its_code() {
        use crate::domain::connection::untrusted_text::UntrustedText;
        let close = |code, reason| {
            stated(&CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::new(reason) })
        };
        assert_eq!(close(4008, "bye").as_deref(), Some("close 4008 is an application code"));
        assert_eq!(close(1008, "").as_deref(), Some("close 1008 means policy violation"));
        assert_eq!(close(1001, "idle").as_deref(), Some("close 1001 gives the reason \"idle\""));
        assert_eq!(stated(&CloseKind::Fin), None);
    }
}
