//! Runs after a search: keeps connections busy to learn which traffic keeps the path open and whether the
//! recommendation holds.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::plan::IdlePlan;
use super::probe_task::open;
use crate::commands::connect::Connected;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::format::duration;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::idle::refresh::{self, KeepaliveMethod, KeepaliveOutcome, MethodResult, RefreshResults};
use crate::domain::idle::report::{IdleEvent, Verification, VerifyOutcome};
use crate::domain::idle::{
    IdleFinding, IdleFindings, IdleVerdict, MIN_SURVIVED_SPAN, Recommendation, SkipCause, shown_by_controls,
};
use crate::domain::run::reporter::Reporter;
use crate::net::client::closing::close_briefly;
use crate::net::client::disconnect::Disconnect;
use crate::net::client::idle_probe::keepalive::{self, KeepalivePlan, KeepaliveResult, KeepaliveTraffic};
use crate::net::transport::http2::signals::Http2Signals;

/// What to try.
#[derive(Default)]
pub struct FollowupPlan {
    refresh: Option<KeepaliveTrial>,
    /// What the controls showed of the methods.
    known: Vec<(KeepaliveMethod, bool)>,
    /// The interval to verify, and for how long.
    verify: Option<(Duration, Duration)>,
    /// Verify with heartbeats of both kinds, because the usual kind does not reset the timer.
    verify_by_both: bool,
    /// Requested steps that are skipped, each with the reason.
    pub skipped: Vec<IdleFinding>,
}

/// Parameters for trying each keepalive method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct KeepaliveTrial {
    /// The longest idle span that survived.
    lo: Duration,
    held: Duration,
    every: Duration,
}

impl KeepaliveTrial {
    fn between(lo: Duration, hi: Duration) -> KeepaliveTrial {
        let (held, every) = refresh::schedule(lo, hi);
        KeepaliveTrial { lo, held, every }
    }

    /// The parameters for these findings; the error says why trying is useless.
    fn after(findings: &IdleFindings) -> Result<KeepaliveTrial, SkipCause> {
        let lo =
            findings.bracket.lo.filter(|lo| *lo >= MIN_SURVIVED_SPAN).ok_or(SkipCause::NoSilenceSurvived);
        let above =
            |hi: Option<Duration>| Ok(KeepaliveTrial::between(lo?, hi.ok_or(SkipCause::NoUpperEndKnown)?));
        match findings.verdict {
            IdleVerdict::IdleTimeout | IdleVerdict::ServerPolicy => above(findings.bracket.hi),
            IdleVerdict::Stochastic => above(findings.spread.map(|range| range.max)),
            IdleVerdict::LifetimeCap => {
                let age = findings.lifetime.ok_or(SkipCause::LifetimeUnknown)?;
                Ok(KeepaliveTrial::between(age.lo, age.hi))
            }
            IdleVerdict::NoTimeoutUpToMax => Err(SkipCause::NothingWasCut),
            IdleVerdict::ServerKeepsItBusy => Err(SkipCause::ServerKeepsItOpen),
            IdleVerdict::Inconclusive => {
                let age = findings.lifetime_or_idle.ok_or(SkipCause::NoAnswerFound)?;
                Ok(KeepaliveTrial::between(age.lo, age.hi))
            }
        }
    }
}

/// The interval to verify and for how long; the error says why there is nothing to verify.
fn to_verify(findings: &IdleFindings) -> Result<(Duration, Duration), SkipCause> {
    let interval = match (findings.verdict, Recommendation::of(findings)) {
        (IdleVerdict::Stochastic, _) => return Err(SkipCause::NoIntervalIsCertain),
        (_, Some(Recommendation::Reconnect { .. })) => return Err(SkipCause::NoHeartbeatPreventsLifetime),
        (_, Some(Recommendation::Heartbeat { found: false, .. })) => return Err(SkipCause::NoTimeoutFound),
        (_, None) => return Err(SkipCause::NoIntervalRecommended),
        (_, Some(Recommendation::Heartbeat { interval, .. })) => interval,
    };
    let hi = findings.bracket.hi.ok_or(SkipCause::NoUpperEndKnown)?;
    Ok((interval, hi * 2 + interval))
}

/// Outcome of the followup.
#[derive(Default)]
pub struct FollowupResult {
    pub refresh: Option<RefreshResults>,
    pub verified: Option<Verification>,
    pub skipped: Vec<IdleFinding>,
    /// The user interrupted.
    pub interrupted: bool,
}

impl FollowupPlan {
    /// The requested steps that are useful after these findings.
    pub fn of(plan: &IdlePlan, findings: &IdleFindings) -> FollowupPlan {
        let mut trials = FollowupPlan::default();
        if findings.partial {
            return trials;
        }
        if plan.refresh {
            let skipped_because = |cause| IdleFinding::KeepaliveMethodsSkipped { cause };
            trials.known = shown_by_controls(findings, plan.search.kind);
            trials.refresh = trials.or_skip(KeepaliveTrial::after(findings).map_err(skipped_because));
        }
        if plan.verify {
            let skipped_because = |cause| IdleFinding::VerificationSkipped { cause };
            trials.verify = trials.or_skip(to_verify(findings).map_err(skipped_because));
            trials.verify_by_both = findings.reset_by.is_some();
        }
        trials
    }

    /// How long connections are kept; `None` if none are.
    fn duration_needed(&self) -> Option<Duration> {
        self.refresh.map(|trial_plan| trial_plan.held).max(self.verify.map(|(_, until)| until))
    }

    fn or_skip<T>(&mut self, tried: Result<T, IdleFinding>) -> Option<T> {
        tried.map_err(|why| self.skipped.push(why)).ok()
    }

    /// Runs all steps at once and reports their results.
    pub async fn run(
        self,
        plan: IdlePlan,
        start: Instant,
        reporter: &mut dyn Reporter<IdleEvent>,
        interrupt: &CancellationToken,
    ) -> FollowupResult {
        let (events, mut results) = mpsc::unbounded_channel();
        let methods = KeepaliveMethod::all(plan.connect.dial.http).count();
        let mut tasks = self.begin(plan, start, &events, interrupt);
        drop(events);
        if let Some(duration_needed) = self.duration_needed() {
            reporter.report(&IdleEvent::Following { lasts: duration_needed });
        }
        let (mut rows, mut outcome) = (Vec::new(), FollowupResult::default());
        while let Some(event) = results.recv().await {
            reporter.report(&event);
            match event {
                IdleEvent::RefreshRow { row, .. } => rows.push(row),
                IdleEvent::Verified { verified, .. } => outcome.verified = Some(verified),
                _ => {}
            }
        }
        while tasks.join_next().await.is_some() {}
        let has_missing_rows = self.refresh.is_some() && rows.len() < methods;
        outcome.interrupted = has_missing_rows || (self.verify.is_some() && outcome.verified.is_none());
        outcome.refresh = self.refresh.map(|_| RefreshResults::of(rows, &self.known));
        outcome.skipped = self.skipped;
        outcome
    }

    /// Starts a connection for each keepalive method and one to verify the recommendation, within the limit on open
    /// connections. An interrupt ends them without a report.
    fn begin(
        &self,
        plan: IdlePlan,
        start: Instant,
        events: &mpsc::UnboundedSender<IdleEvent>,
        interrupt: &CancellationToken,
    ) -> JoinSet<()> {
        let slots = Arc::new(Semaphore::new(plan.search.max_connections));
        let (mut tasks, plan) = (JoinSet::new(), Arc::new(plan));
        let trial = || (Arc::clone(&plan), events.clone(), interrupt.clone(), Arc::clone(&slots));
        if let Some(trial_plan) = self.refresh {
            for method in KeepaliveMethod::all(plan.connect.dial.http) {
                let (plan, events, stop, slots) = trial();
                tasks.spawn(async move {
                    let _slot = slots.acquire().await;
                    if let Some(row) = try_method(&plan, method, trial_plan, &stop).await {
                        let _ = events.send(IdleEvent::RefreshRow { row, elapsed: start.elapsed() });
                    }
                });
            }
        }
        if let Some((every, until)) = self.verify {
            let (plan, events, stop, slots) = trial();
            let traffic =
                if self.verify_by_both { KeepaliveTraffic::Both } else { KeepaliveTraffic::Questions };
            tasks.spawn(async move {
                let _slot = slots.acquire().await;
                if let Some(verified) = verify(&plan, traffic, (every, until), &events, &stop).await {
                    let _ = events.send(IdleEvent::Verified { verified, elapsed: start.elapsed() });
                }
            });
        }
        tasks
    }
}

/// A method's traffic and the kind of its questions.
fn traffic(method: KeepaliveMethod, kind: HeartbeatKind) -> (KeepaliveTraffic, HeartbeatKind) {
    match method {
        KeepaliveMethod::PingPong => (KeepaliveTraffic::Questions, HeartbeatKind::Protocol),
        KeepaliveMethod::UnsolicitedPong => (KeepaliveTraffic::Pongs, kind),
        KeepaliveMethod::TcpKeepalive => (KeepaliveTraffic::Nothing, kind),
        KeepaliveMethod::AppMessage => (KeepaliveTraffic::Questions, HeartbeatKind::App),
        KeepaliveMethod::Http2Ping => (KeepaliveTraffic::Http2Pings, kind),
    }
}

/// Returns `None` if interrupted.
async fn try_method(
    plan: &IdlePlan,
    method: KeepaliveMethod,
    trial_plan: KeepaliveTrial,
    stop: &CancellationToken,
) -> Option<MethodResult> {
    let KeepaliveTrial { lo, held, every } = trial_plan;
    let (mut plan, mut sent) = (plan.clone(), Some(every));
    let row = |every, outcome| Some(MethodResult { method, every, held, outcome });
    let untried = |why: &str| row(None, KeepaliveOutcome::Unknown { why: why.to_string() });
    if method == KeepaliveMethod::TcpKeepalive {
        // Systems count TCP keepalive in whole seconds.
        let seconds = Duration::from_secs(every.as_secs().max(1));
        if seconds >= lo {
            return untried(
                "systems count TCP keepalive in whole seconds, and the timeout is too short for that",
            );
        }
        if plan.connect.dial.unix_socket.is_some() {
            return untried("a Unix socket has no TCP keepalive");
        }
        sent = Some(seconds);
        plan.connect.dial.tcp_keepalive = sent;
    }
    if let Some(why) = plan.no_messages_because.as_ref().filter(|_| method == KeepaliveMethod::AppMessage) {
        return untried(why);
    }
    let mut probe = match stop.run_until_cancelled(open(&plan)).await? {
        Ok(probe) => probe,
        Err(error) => return row(sent, KeepaliveOutcome::Unknown { why: error.to_string() }),
    };
    if method == KeepaliveMethod::Http2Ping && !probe.socket.stream_mut().claim_http2_pings() {
        close_briefly(&mut probe.socket).await;
        return untried("the server did not choose HTTP/2");
    }
    let (traffic, kind) = traffic(method, plan.search.kind);
    let question = plan.question(kind);
    let keepalive_plan = KeepalivePlan { question: &question, traffic, every, until: Some(held) };
    let mut answers = 0_u64;
    let (result, after) = keep_until(stop, &mut probe, keepalive_plan, &mut |_| answers += 1).await?;
    row(sent, outcome_of(result, after, lo, method, answers))
}

/// Keeps a connection; returns the result and its duration, or `None` if stopped. Closes the connection in both cases.
async fn keep_until(
    stop: &CancellationToken,
    probe: &mut Connected,
    keepalive_plan: KeepalivePlan<'_>,
    beat: &mut (dyn FnMut(Instant) + Send),
) -> Option<(KeepaliveResult, Duration)> {
    let began = Instant::now();
    let result = stop.run_until_cancelled(keepalive::run(&mut probe.socket, keepalive_plan, beat)).await;
    let after = began.elapsed();
    close_briefly(&mut probe.socket).await;
    Some((result?, after))
}

/// Why a method or an interval is not judged.
fn held_back(window: ExhaustedWindow) -> String {
    format!("the peer's flow control held the heartbeats back ({})", window.sentence())
}

fn outcome_of(
    result: KeepaliveResult,
    after: Duration,
    lo: Duration,
    method: KeepaliveMethod,
    answers: u64,
) -> KeepaliveOutcome {
    let is_app = method == KeepaliveMethod::AppMessage;
    match result {
        KeepaliveResult::Answered => KeepaliveOutcome::Survived,
        KeepaliveResult::HeldBack { window } => KeepaliveOutcome::Unknown { why: held_back(window) },
        KeepaliveResult::Unanswered { .. } if is_app && answers == 0 => {
            KeepaliveOutcome::Unknown { why: "no message was answered, so survival is unknown".to_string() }
        }
        KeepaliveResult::Unanswered { .. } if answers == 0 => {
            KeepaliveOutcome::Died { after, how: "no answer to the last question".to_string() }
        }
        KeepaliveResult::Unanswered { silent } => {
            let alive = duration(after.saturating_sub(silent));
            KeepaliveOutcome::Died { after, how: format!("no more answers; the last came at {alive}") }
        }
        KeepaliveResult::Ended { disconnect, .. } if is_app && after < lo.mul_f64(0.9) => {
            KeepaliveOutcome::Unknown { why: format!("the server rejects such a message: {disconnect}") }
        }
        KeepaliveResult::Ended { disconnect, .. } => {
            KeepaliveOutcome::Died { after, how: disconnect.to_string() }
        }
    }
}

/// Keeps a connection at the recommended interval; `None` if interrupted.
async fn verify(
    plan: &IdlePlan,
    traffic: KeepaliveTraffic,
    (interval, wanted): (Duration, Duration),
    events: &mpsc::UnboundedSender<IdleEvent>,
    stop: &CancellationToken,
) -> Option<Verification> {
    match stop.run_until_cancelled(open(plan)).await? {
        Err(error) => {
            let outcome = VerifyOutcome::Unknown(error.to_string());
            Some(Verification { interval, wanted, held: Duration::ZERO, beats: 0, outcome })
        }
        Ok(mut probe) => {
            let question = plan.question(plan.search.kind);
            let keepalive_plan =
                KeepalivePlan { question: &question, traffic, every: interval, until: Some(wanted) };
            keep_at_interval(&mut probe, keepalive_plan, wanted, events, stop).await
        }
    }
}

async fn keep_at_interval(
    probe: &mut Connected,
    keepalive_plan: KeepalivePlan<'_>,
    wanted: Duration,
    events: &mpsc::UnboundedSender<IdleEvent>,
    stop: &CancellationToken,
) -> Option<Verification> {
    let interval = keepalive_plan.every;
    let (began, mut beats) = (Instant::now(), 0);
    let mut beat = |at: Instant| {
        beats += 1;
        let held = at.saturating_duration_since(began);
        let _ = events.send(IdleEvent::VerifyBeat { beats, held, until: wanted });
    };
    let (result, held) = keep_until(stop, probe, keepalive_plan, &mut beat).await?;
    Some(Verification { interval, wanted, held, beats, outcome: verify_outcome(result, held) })
}

fn verify_outcome(result: KeepaliveResult, age: Duration) -> VerifyOutcome {
    let (Disconnect { who, how, os_error }, idle) = match result {
        KeepaliveResult::Answered => return VerifyOutcome::Held,
        KeepaliveResult::HeldBack { window } => return VerifyOutcome::Unknown(held_back(window)),
        KeepaliveResult::Unanswered { silent } => {
            (Disconnect { who: ClosedBy::Us, how: CloseKind::Timeout, os_error: None }, silent)
        }
        KeepaliveResult::Ended { disconnect, idle, .. } => (disconnect, idle),
    };
    let at = SystemTime::now();
    VerifyOutcome::Ended(Arc::new(CloseCause { who, how, reply: None, os_error, tcp: None, age, idle, at }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::idle::{EndSpread, LifetimeCap, Search, SearchPlan};
    use crate::domain::run::bracket::Bracket;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn found(verdict: IdleVerdict, lo: Option<u64>, hi: Option<u64>) -> IdleFindings {
        let nothing = Search::new(SearchPlan::default()).unwrap().findings(Duration::ZERO);
        let bracket = Bracket { lo: lo.map(s), hi: hi.map(s) };
        let spread = EndSpread::of(&[s(30), s(90)]);
        let lifetime = Some(LifetimeCap { lo: s(100), hi: s(110) });
        IdleFindings { verdict, bracket, spread, lifetime, ..nothing }
    }

    #[test]
    fn refresh_is_kept_past_the_longest_lifetime() {
        let trial_plan = |verdict, hi| KeepaliveTrial::after(&found(verdict, Some(20), hi));
        assert_eq!(trial_plan(IdleVerdict::IdleTimeout, Some(60)), Ok(KeepaliveTrial::between(s(20), s(60))));
        assert_eq!(trial_plan(IdleVerdict::Stochastic, None), Ok(KeepaliveTrial::between(s(20), s(90))));
        assert_eq!(trial_plan(IdleVerdict::LifetimeCap, None), Ok(KeepaliveTrial::between(s(100), s(110))));
        assert_eq!(trial_plan(IdleVerdict::NoTimeoutUpToMax, None), Err(SkipCause::NothingWasCut));
        assert_eq!(
            KeepaliveTrial::after(&found(IdleVerdict::Stochastic, None, None)),
            Err(SkipCause::NoSilenceSurvived)
        );
    }

    #[test]
    fn only_an_interval_is_verified() {
        let verify = |verdict, lo, hi| to_verify(&found(verdict, lo, hi));
        assert_eq!(verify(IdleVerdict::IdleTimeout, Some(40), Some(60)), Ok((s(30), s(150))));
        assert_eq!(verify(IdleVerdict::NoTimeoutUpToMax, Some(40), None), Err(SkipCause::NoTimeoutFound));
        assert_eq!(
            verify(IdleVerdict::LifetimeCap, Some(40), None),
            Err(SkipCause::NoHeartbeatPreventsLifetime)
        );
        assert_eq!(verify(IdleVerdict::IdleTimeout, None, Some(60)), Err(SkipCause::NoIntervalRecommended));
        assert_eq!(verify(IdleVerdict::Stochastic, Some(40), None), Err(SkipCause::NoIntervalIsCertain));
    }
}
