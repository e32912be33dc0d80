//! What follows a search: connections that are kept busy, to see what keeps the path open and whether the
//! prescription holds.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::line::{Ready, open};
use super::plan::IdlePlan;
use crate::domain::ending::{Ending, How, Who};
use crate::domain::heartbeat::Kind;
use crate::domain::idle::refresh::{self, Fate, Method, Refresh, Row};
use crate::domain::idle::report::{IdleEvent, IdleReporter, Verified, VerifyOutcome};
use crate::domain::idle::{Findings, Prescription, Verdict};
use crate::net::trial::keep::{self, KeepPlan, Kept, Traffic};
use crate::net::trial::part;

/// What is to be tried.
pub struct Trials {
    refresh: Option<Upkeep>,
    /// The interval, and how long to hold.
    verify: Option<(Duration, Duration)>,
}

/// How each way of keeping a path open is tried.
#[derive(Clone, Copy)]
struct Upkeep {
    /// So long an idle span survives.
    lo: Duration,
    held: Duration,
    every: Duration,
}

impl Upkeep {
    fn between(lo: Duration, hi: Duration) -> Upkeep {
        let (held, every) = refresh::schedule(lo, hi);
        Upkeep { lo, held, every }
    }
}

/// What came of it.
#[derive(Default)]
pub struct Outcome {
    pub refresh: Option<Refresh>,
    pub verified: Option<Verified>,
    /// The user wanted no more.
    pub interrupted: bool,
}

enum News {
    Row(Row),
    Beat { beats: u64, held: Duration, until: Duration },
    Verified(Verified),
}

impl Trials {
    /// What is asked for, and of use after these findings.
    pub fn of(plan: &IdlePlan, findings: &Findings, prescription: Option<Prescription>) -> Option<Trials> {
        if !findings.conclusive() {
            return None;
        }
        let lo = findings.bracket.lo.filter(|lo| !lo.is_zero());
        let hi = findings.bracket.hi;
        let refresh = match findings.verdict {
            Verdict::IdleTimeout | Verdict::ServerPolicy | Verdict::Stochastic => {
                lo.zip(hi).map(|(lo, hi)| Upkeep::between(lo, hi))
            }
            Verdict::LifetimeCap => {
                findings.lifetime.map(|lifetime| Upkeep::between(lifetime.lo, lifetime.hi))
            }
            Verdict::NoTimeoutUpToMax | Verdict::ServerKeepsItBusy | Verdict::Inconclusive => None,
        };
        let verify = match prescription {
            Some(Prescription::Heartbeat { interval, .. }) => hi.map(|hi| (interval, hi * 2 + interval)),
            Some(Prescription::Reconnect { .. }) | None => None,
        };
        let trials =
            Trials { refresh: refresh.filter(|_| plan.refresh), verify: verify.filter(|_| plan.verify) };
        (trials.refresh.is_some() || trials.verify.is_some()).then_some(trials)
    }

    /// Tries it all at once, and tells what comes of it.
    pub async fn run(
        self,
        plan: IdlePlan,
        start: Instant,
        reporter: &mut dyn IdleReporter,
        interrupt: &CancellationToken,
    ) -> Outcome {
        let (news, mut heard) = mpsc::unbounded_channel();
        let mut tasks = self.begin(plan, news);
        let (mut rows, mut outcome) = (Vec::new(), Outcome::default());
        loop {
            let item = tokio::select! {
                biased;
                () = interrupt.cancelled() => { outcome.interrupted = true; break }
                item = heard.recv() => item,
            };
            let Some(item) = item else { break };
            reporter.report(&item.event(start.elapsed()));
            match item {
                News::Row(row) => rows.push(row),
                News::Verified(verified) => outcome.verified = Some(verified),
                News::Beat { .. } => {}
            }
        }
        tasks.shutdown().await;
        outcome.refresh = self.refresh.map(|_| Refresh::of(rows));
        outcome
    }

    /// A connection for each way of keeping it open, and one for the prescription.
    fn begin(&self, plan: IdlePlan, news: mpsc::UnboundedSender<News>) -> JoinSet<()> {
        let (mut tasks, plan) = (JoinSet::new(), Arc::new(plan));
        if let Some(upkeep) = self.refresh {
            for method in Method::ALL {
                let (plan, news) = (Arc::clone(&plan), news.clone());
                let tried =
                    async move { drop(news.send(News::Row(try_method(&plan, method, upkeep).await))) };
                tasks.spawn(tried);
            }
        }
        if let Some((every, until)) = self.verify {
            tasks.spawn(async move { verify(&plan, every, until, &news).await });
        }
        tasks
    }
}

impl News {
    fn event(&self, elapsed: Duration) -> IdleEvent {
        match self {
            News::Row(row) => IdleEvent::RefreshRow { row: row.clone(), elapsed },
            News::Beat { beats, held, until } => {
                IdleEvent::VerifyBeat { beats: *beats, held: *held, until: *until }
            }
            News::Verified(verified) => IdleEvent::Verified { verified: verified.clone(), elapsed },
        }
    }
}

/// How a method is carried out: its traffic, the kind of its questions, and TCP's keepalive.
fn traffic(method: Method, kind: Kind) -> (Traffic, Kind) {
    match method {
        Method::PingPong => (Traffic::Questions, Kind::Protocol),
        Method::UnsolicitedPong => (Traffic::Pongs, kind),
        Method::TcpKeepalive => (Traffic::Nothing, kind),
        Method::AppMessage => (Traffic::Questions, Kind::App),
    }
}

async fn try_method(plan: &IdlePlan, method: Method, upkeep: Upkeep) -> Row {
    let Upkeep { lo, held, every } = upkeep;
    let mut plan = plan.clone();
    let row = |every, fate| Row { method, every, held, fate };
    if method == Method::TcpKeepalive {
        // Systems count it in whole seconds.
        let seconds = Duration::from_secs(every.as_secs().max(1));
        if seconds >= lo {
            let why = "systems count TCP keepalive in whole seconds, and the timeout is too short for that";
            return row(None, Fate::Untold { why: why.to_string() });
        }
        plan.dial.tcp_keepalive = Some(seconds);
    }
    let sent = if method == Method::TcpKeepalive { plan.dial.tcp_keepalive } else { Some(every) };
    let mut ready = match open(&plan).await {
        Ok(ready) => ready,
        Err(error) => return row(sent, Fate::Untold { why: error.to_string() }),
    };
    let (traffic, kind) = traffic(method, plan.search.kind);
    let question = plan.question(kind);
    let keeping = KeepPlan { question: &question, traffic, every, until: Some(held) };
    let (began, mut answers) = (Instant::now(), 0_u64);
    let kept = keep::run(&mut ready.socket, keeping, &mut |_| answers += 1).await;
    part(&mut ready.socket).await;
    row(sent, fate(kept, began.elapsed(), lo, method, answers))
}

fn fate(kept: Kept, after: Duration, lo: Duration, method: Method, answers: u64) -> Fate {
    let is_app = method == Method::AppMessage;
    match kept {
        Kept::Answered => Fate::Survived,
        Kept::Unanswered { .. } if is_app && answers == 0 => Fate::Untold {
            why: "no message was answered, so that nothing tells whether it lived".to_string(),
        },
        Kept::Ended { cut, .. } if is_app && after < lo.mul_f64(0.9) => {
            let how = Ending::describe(cut.who, &cut.how, cut.os_error.as_deref());
            Fate::Untold { why: format!("the server does not want such a message: {how}") }
        }
        Kept::Unanswered { .. } => Fate::Died { after, how: "no answer any more".to_string() },
        Kept::Ended { cut, .. } => {
            Fate::Died { after, how: Ending::describe(cut.who, &cut.how, cut.os_error.as_deref()) }
        }
    }
}

/// Holds a connection at the prescribed interval.
async fn verify(plan: &IdlePlan, interval: Duration, wanted: Duration, news: &mpsc::UnboundedSender<News>) {
    let untold = |why| Verified {
        interval,
        wanted,
        held: Duration::ZERO,
        beats: 0,
        outcome: VerifyOutcome::Untold(why),
    };
    let verified = match open(plan).await {
        Err(error) => untold(error.to_string()),
        Ok(mut ready) => {
            let verified = hold(plan, &mut ready, interval, wanted, news).await;
            part(&mut ready.socket).await;
            verified
        }
    };
    let _ = news.send(News::Verified(verified));
}

async fn hold(
    plan: &IdlePlan,
    ready: &mut Ready,
    interval: Duration,
    wanted: Duration,
    news: &mpsc::UnboundedSender<News>,
) -> Verified {
    let question = plan.question(plan.search.kind);
    let keeping =
        KeepPlan { question: &question, traffic: Traffic::Questions, every: interval, until: Some(wanted) };
    let (began, mut beats) = (Instant::now(), 0);
    let mut beat = |at: Instant| {
        beats += 1;
        let held = at.saturating_duration_since(began);
        let _ = news.send(News::Beat { beats, held, until: wanted });
    };
    let kept = keep::run(&mut ready.socket, keeping, &mut beat).await;
    let held = began.elapsed();
    let ending = |who, how, os_error, idle| {
        VerifyOutcome::Ended(Arc::new(Ending { who, how, os_error, age: held, idle, at: SystemTime::now() }))
    };
    let outcome = match kept {
        Kept::Answered => VerifyOutcome::Held,
        Kept::Unanswered { silent } => ending(Who::Us, How::Timeout, None, silent),
        Kept::Ended { cut, idle } => ending(cut.who, cut.how, cut.os_error, idle),
    };
    Verified { interval, wanted, held, beats, outcome }
}
