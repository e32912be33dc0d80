//! What follows a search: connections that are kept busy, to see what keeps the path open and whether the
//! prescription holds.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::plan::IdlePlan;
use super::probe_task::{EstablishedProbe, open};
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::format::duration;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::idle::refresh::{self, KeepaliveMethod, KeepaliveOutcome, MethodResult, RefreshResults};
use crate::domain::idle::report::{IdleEvent, IdleReporter, Verification, VerifyOutcome};
use crate::domain::idle::{IdleFindings, IdleVerdict, MIN_SURVIVED_SPAN, Recommendation};
use crate::net::client::idle_probe::keepalive::{self, KeepalivePlan, KeepaliveResult, KeepaliveTraffic};
use crate::net::client::idle_probe::say_goodbye;

/// What is to be tried.
#[derive(Default)]
pub struct FollowupPlan {
    refresh: Option<KeepaliveTrial>,
    /// The interval, and how long to hold.
    verify: Option<(Duration, Duration)>,
    /// Heartbeats of both kinds hold it, since the usual kind does not count.
    verify_by_both: bool,
    /// What was asked for and is not tried, each with why.
    pub untried: Vec<String>,
}

/// How each way of keeping a path open is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct KeepaliveTrial {
    /// So long an idle span survives.
    lo: Duration,
    held: Duration,
    every: Duration,
}

impl KeepaliveTrial {
    fn between(lo: Duration, hi: Duration) -> KeepaliveTrial {
        let (held, every) = refresh::schedule(lo, hi);
        KeepaliveTrial { lo, held, every }
    }

    /// What to try after these findings; the error says why nothing is to be learned.
    fn after(findings: &IdleFindings) -> Result<KeepaliveTrial, &'static str> {
        let lo = findings.bracket.lo.filter(|lo| *lo >= MIN_SURVIVED_SPAN).ok_or("no silence survived");
        let above =
            |hi: Option<Duration>| Ok(KeepaliveTrial::between(lo?, hi.ok_or("no upper end is known")?));
        match findings.verdict {
            IdleVerdict::IdleTimeout | IdleVerdict::ServerPolicy => above(findings.bracket.hi),
            IdleVerdict::Stochastic => above(findings.spread.map(|range| range.max)),
            IdleVerdict::LifetimeCap => {
                let age = findings.lifetime.ok_or("the lifetime is not known")?;
                Ok(KeepaliveTrial::between(age.lo, age.hi))
            }
            IdleVerdict::NoTimeoutUpToMax => Err("nothing was cut"),
            IdleVerdict::ServerKeepsItBusy => Err("the server keeps it open by itself"),
            IdleVerdict::Inconclusive => {
                let age = findings.lifetime_or_idle.ok_or("the search found no answer")?;
                Ok(KeepaliveTrial::between(age.lo, age.hi))
            }
        }
    }
}

/// The interval to verify, and for how long to hold a connection; the error says why there is nothing to verify.
fn to_verify(findings: &IdleFindings) -> Result<(Duration, Duration), &'static str> {
    let interval = match (findings.verdict, Recommendation::of(findings)) {
        (IdleVerdict::Stochastic, _) => return Err("no interval is sure"),
        (_, Some(Recommendation::Reconnect { .. })) => return Err("no heartbeat helps against a lifetime"),
        (_, Some(Recommendation::Heartbeat { found: false, .. })) => return Err("no timeout was found"),
        (_, None) => return Err("no interval is prescribed"),
        (_, Some(Recommendation::Heartbeat { interval, .. })) => interval,
    };
    let hi = findings.bracket.hi.ok_or("no upper end is known")?;
    Ok((interval, hi * 2 + interval))
}

/// What came of it.
#[derive(Default)]
pub struct FollowupResult {
    pub refresh: Option<RefreshResults>,
    pub verified: Option<Verification>,
    pub untried: Vec<String>,
    /// The user wanted no more.
    pub interrupted: bool,
}

enum FollowupEvent {
    Row(MethodResult),
    Beat { beats: u64, held: Duration, until: Duration },
    Verified(Verification),
}

impl FollowupPlan {
    /// What is asked for, and of use after these findings.
    pub fn of(plan: &IdlePlan, findings: &IdleFindings) -> FollowupPlan {
        let mut trials = FollowupPlan::default();
        if findings.partial {
            return trials;
        }
        if plan.refresh {
            let told = |why| format!("what keeps the path open was not tried: {why}");
            trials.refresh = trials.noting(KeepaliveTrial::after(findings).map_err(told));
        }
        if plan.verify {
            let told = |why| format!("there was nothing to verify: {why}");
            trials.verify = trials.noting(to_verify(findings).map_err(told));
            trials.verify_by_both = findings.reset_by.is_some();
        }
        trials
    }

    /// For how long connections are held; `None` where none is.
    fn lasts(&self) -> Option<Duration> {
        self.refresh.map(|upkeep| upkeep.held).max(self.verify.map(|(_, until)| until))
    }

    fn noting<T>(&mut self, tried: Result<T, String>) -> Option<T> {
        tried.map_err(|why| self.untried.push(why)).ok()
    }

    /// Tries it all at once, and tells what comes of it.
    pub async fn run(
        self,
        plan: IdlePlan,
        start: Instant,
        reporter: &mut dyn IdleReporter,
        interrupt: &CancellationToken,
    ) -> FollowupResult {
        let (news, mut heard) = mpsc::unbounded_channel();
        let mut tasks = self.begin(plan, &news, interrupt);
        drop(news);
        if let Some(lasts) = self.lasts() {
            reporter.report(&IdleEvent::Following { lasts });
        }
        let (mut rows, mut outcome) = (Vec::new(), FollowupResult::default());
        while let Some(item) = heard.recv().await {
            reporter.report(&item.event(start.elapsed()));
            match item {
                FollowupEvent::Row(row) => rows.push(row),
                FollowupEvent::Verified(verified) => outcome.verified = Some(verified),
                FollowupEvent::Beat { .. } => {}
            }
        }
        while tasks.join_next().await.is_some() {}
        let lacks_rows = self.refresh.is_some() && rows.len() < KeepaliveMethod::ALL.len();
        outcome.interrupted = lacks_rows || (self.verify.is_some() && outcome.verified.is_none());
        outcome.refresh = self.refresh.map(|_| RefreshResults::of(rows));
        outcome.untried = self.untried;
        outcome
    }

    /// A connection for each way of keeping it open, and one for the prescription; no more of them at once than are
    /// allowed. An interrupt ends each, and nothing is told of it.
    fn begin(
        &self,
        plan: IdlePlan,
        news: &mpsc::UnboundedSender<FollowupEvent>,
        interrupt: &CancellationToken,
    ) -> JoinSet<()> {
        let places = Arc::new(Semaphore::new(plan.search.max_connections));
        let (mut tasks, plan) = (JoinSet::new(), Arc::new(plan));
        let trial = || (Arc::clone(&plan), news.clone(), interrupt.clone(), Arc::clone(&places));
        if let Some(upkeep) = self.refresh {
            for method in KeepaliveMethod::ALL {
                let (plan, news, stop, places) = trial();
                tasks.spawn(async move {
                    let _place = places.acquire().await;
                    if let Some(row) = try_method(&plan, method, upkeep, &stop).await {
                        let _ = news.send(FollowupEvent::Row(row));
                    }
                });
            }
        }
        if let Some((every, until)) = self.verify {
            let (plan, news, stop, places) = trial();
            let traffic =
                if self.verify_by_both { KeepaliveTraffic::Both } else { KeepaliveTraffic::Questions };
            tasks.spawn(async move {
                let _place = places.acquire().await;
                if let Some(verified) = verify(&plan, traffic, (every, until), &news, &stop).await {
                    let _ = news.send(FollowupEvent::Verified(verified));
                }
            });
        }
        tasks
    }
}

impl FollowupEvent {
    fn event(&self, elapsed: Duration) -> IdleEvent {
        match self {
            FollowupEvent::Row(row) => IdleEvent::RefreshRow { row: row.clone(), elapsed },
            FollowupEvent::Beat { beats, held, until } => {
                IdleEvent::VerifyBeat { beats: *beats, held: *held, until: *until }
            }
            FollowupEvent::Verified(verified) => IdleEvent::Verified { verified: verified.clone(), elapsed },
        }
    }
}

/// How a method is carried out: its traffic, the kind of its questions, and TCP's keepalive.
fn traffic(method: KeepaliveMethod, kind: HeartbeatKind) -> (KeepaliveTraffic, HeartbeatKind) {
    match method {
        KeepaliveMethod::PingPong => (KeepaliveTraffic::Questions, HeartbeatKind::Protocol),
        KeepaliveMethod::UnsolicitedPong => (KeepaliveTraffic::Pongs, kind),
        KeepaliveMethod::TcpKeepalive => (KeepaliveTraffic::Nothing, kind),
        KeepaliveMethod::AppMessage => (KeepaliveTraffic::Questions, HeartbeatKind::App),
    }
}

/// `None`: interrupted.
async fn try_method(
    plan: &IdlePlan,
    method: KeepaliveMethod,
    upkeep: KeepaliveTrial,
    stop: &CancellationToken,
) -> Option<MethodResult> {
    let KeepaliveTrial { lo, held, every } = upkeep;
    let mut plan = plan.clone();
    let row = |every, outcome| Some(MethodResult { method, every, held, outcome });
    if method == KeepaliveMethod::TcpKeepalive {
        // Systems count it in whole seconds.
        let seconds = Duration::from_secs(every.as_secs().max(1));
        if seconds >= lo {
            let why = "systems count TCP keepalive in whole seconds, and the timeout is too short for that";
            return row(None, KeepaliveOutcome::Unknown { why: why.to_string() });
        }
        plan.dial.tcp_keepalive = Some(seconds);
    }
    if let Some(why) = plan.mute.clone().filter(|_| method == KeepaliveMethod::AppMessage) {
        return row(None, KeepaliveOutcome::Unknown { why });
    }
    if method == KeepaliveMethod::TcpKeepalive && plan.dial.unix_socket.is_some() {
        return row(
            None,
            KeepaliveOutcome::Unknown { why: "a Unix socket has no TCP keepalive".to_string() },
        );
    }
    let sent = if method == KeepaliveMethod::TcpKeepalive { plan.dial.tcp_keepalive } else { Some(every) };
    let mut ready = match stop.run_until_cancelled(open(&plan)).await? {
        Ok(ready) => ready,
        Err(error) => return row(sent, KeepaliveOutcome::Unknown { why: error.to_string() }),
    };
    let (traffic, kind) = traffic(method, plan.search.kind);
    let question = plan.question(kind);
    let keeping = KeepalivePlan { question: &question, traffic, every, until: Some(held) };
    let mut answers = 0_u64;
    let (kept, after) = kept_until(stop, &mut ready, keeping, &mut |_| answers += 1).await?;
    row(sent, keepalive_outcome(kept, after, lo, method, answers))
}

/// What became of a connection that was kept, and after how long; `None`: it was stopped. Either way it says goodbye.
async fn kept_until(
    stop: &CancellationToken,
    ready: &mut EstablishedProbe,
    keeping: KeepalivePlan<'_>,
    beat: &mut (dyn FnMut(Instant) + Send),
) -> Option<(KeepaliveResult, Duration)> {
    let began = Instant::now();
    let kept = stop.run_until_cancelled(keepalive::run(&mut ready.socket, keeping, beat)).await;
    let after = began.elapsed();
    say_goodbye(&mut ready.socket).await;
    Some((kept?, after))
}

fn keepalive_outcome(
    kept: KeepaliveResult,
    after: Duration,
    lo: Duration,
    method: KeepaliveMethod,
    answers: u64,
) -> KeepaliveOutcome {
    let is_app = method == KeepaliveMethod::AppMessage;
    match kept {
        KeepaliveResult::Answered => KeepaliveOutcome::Survived,
        KeepaliveResult::Unanswered { .. } if is_app && answers == 0 => KeepaliveOutcome::Unknown {
            why: "no message was answered, so that nothing tells whether it lived".to_string(),
        },
        KeepaliveResult::Ended { cut, .. } if is_app && after < lo.mul_f64(0.9) => {
            let how = CloseCause::describe(cut.who, &cut.how, cut.os_error.as_deref());
            KeepaliveOutcome::Unknown { why: format!("the server does not want such a message: {how}") }
        }
        KeepaliveResult::Unanswered { .. } if answers == 0 => {
            KeepaliveOutcome::Died { after, how: "no answer when it was asked at last".to_string() }
        }
        KeepaliveResult::Unanswered { silent } => {
            let alive = duration(after.saturating_sub(silent));
            KeepaliveOutcome::Died { after, how: format!("no answer any more; the last came at {alive}") }
        }
        KeepaliveResult::Ended { cut, .. } => KeepaliveOutcome::Died {
            after,
            how: CloseCause::describe(cut.who, &cut.how, cut.os_error.as_deref()),
        },
    }
}

/// Holds a connection at the prescribed interval; `None`: interrupted.
async fn verify(
    plan: &IdlePlan,
    traffic: KeepaliveTraffic,
    (interval, wanted): (Duration, Duration),
    news: &mpsc::UnboundedSender<FollowupEvent>,
    stop: &CancellationToken,
) -> Option<Verification> {
    match stop.run_until_cancelled(open(plan)).await? {
        Err(error) => {
            let outcome = VerifyOutcome::Unknown(error.to_string());
            Some(Verification { interval, wanted, held: Duration::ZERO, beats: 0, outcome })
        }
        Ok(mut ready) => {
            let question = plan.question(plan.search.kind);
            let keeping =
                KeepalivePlan { question: &question, traffic, every: interval, until: Some(wanted) };
            hold(&mut ready, keeping, wanted, news, stop).await
        }
    }
}

async fn hold(
    ready: &mut EstablishedProbe,
    keeping: KeepalivePlan<'_>,
    wanted: Duration,
    news: &mpsc::UnboundedSender<FollowupEvent>,
    stop: &CancellationToken,
) -> Option<Verification> {
    let interval = keeping.every;
    let (began, mut beats) = (Instant::now(), 0);
    let mut beat = |at: Instant| {
        beats += 1;
        let held = at.saturating_duration_since(began);
        let _ = news.send(FollowupEvent::Beat { beats, held, until: wanted });
    };
    let (kept, held) = kept_until(stop, ready, keeping, &mut beat).await?;
    Some(Verification { interval, wanted, held, beats, outcome: outcome(kept, held) })
}

fn outcome(kept: KeepaliveResult, age: Duration) -> VerifyOutcome {
    let ending = |who, how, os_error, idle| {
        VerifyOutcome::Ended(Arc::new(CloseCause {
            who,
            how,
            reply: None,
            os_error,
            tcp: None,
            age,
            idle,
            at: SystemTime::now(),
        }))
    };
    match kept {
        KeepaliveResult::Answered => VerifyOutcome::Held,
        KeepaliveResult::Unanswered { silent } => ending(ClosedBy::Us, CloseKind::Timeout, None, silent),
        KeepaliveResult::Ended { cut, idle, .. } => ending(cut.who, cut.how, cut.os_error, idle),
    }
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
    fn refresh_is_held_past_the_longest_lifetime() {
        let upkeep = |verdict, hi| KeepaliveTrial::after(&found(verdict, Some(20), hi));
        assert_eq!(upkeep(IdleVerdict::IdleTimeout, Some(60)), Ok(KeepaliveTrial::between(s(20), s(60))));
        assert_eq!(upkeep(IdleVerdict::Stochastic, None), Ok(KeepaliveTrial::between(s(20), s(90))));
        assert_eq!(upkeep(IdleVerdict::LifetimeCap, None), Ok(KeepaliveTrial::between(s(100), s(110))));
        assert_eq!(upkeep(IdleVerdict::NoTimeoutUpToMax, None), Err("nothing was cut"));
        assert_eq!(
            KeepaliveTrial::after(&found(IdleVerdict::Stochastic, None, None)),
            Err("no silence survived")
        );
    }

    #[test]
    fn only_an_interval_is_verified() {
        let verify = |verdict, lo, hi| to_verify(&found(verdict, lo, hi));
        assert_eq!(verify(IdleVerdict::IdleTimeout, Some(40), Some(60)), Ok((s(30), s(150))));
        assert_eq!(verify(IdleVerdict::NoTimeoutUpToMax, Some(40), None), Err("no timeout was found"));
        assert_eq!(
            verify(IdleVerdict::LifetimeCap, Some(40), None),
            Err("no heartbeat helps against a lifetime")
        );
        assert_eq!(verify(IdleVerdict::IdleTimeout, None, Some(60)), Err("no interval is prescribed"));
        assert_eq!(verify(IdleVerdict::Stochastic, Some(40), None), Err("no interval is sure"));
    }
}
