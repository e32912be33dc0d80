//! Paths for `probe-idle`, and what is true of them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use wscheck::domain::connection::close_cause::CloseKind;
use wscheck::domain::heartbeat::HeartbeatKind;
use wscheck::domain::idle::product_naming::ProductNaming;
use wscheck::domain::idle::report::{IdleInfo, IdleReport};
use wscheck::domain::idle::{
    CutManner, CutMannerName, IdleFinding, IdleFindings, ResetBy, SearchPlan, Strategy, UndecidedCause,
    findings_of,
};
use wscheck::domain::label::Label;
use wscheck::domain::run::bracket::Bracket;
use wscheck::domain::run::run_result::RunResult;

use super::dice::Dice;
use super::judged::{Judge, Judged, is};
use crate::simulated_path::{SimCut, SimPath, SimTimer, close, play};

/// The idle timeout; all times in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Timer {
    #[default]
    Never,
    Exact {
        ms: u64,
    },
    /// Varies by up to this part in either direction.
    Jittered {
        ms: u64,
        part: f64,
    },
    /// Varies by up to this time in either direction.
    Coarse {
        ms: u64,
        by_ms: u64,
    },
    /// Of no fixed length.
    Between {
        from_ms: u64,
        to_ms: u64,
    },
    /// A connection ends at the first check after the timeout.
    Checked {
        ms: u64,
        every_ms: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    #[default]
    Fin,
    HalfClose,
    Rst,
    /// With code 1000.
    CloseFrame,
    /// With code 4000, an application's.
    AppCloseFrame,
    Silent,
    RstOnUse,
    /// The direction from the server is lost until the client sends.
    ServerUnheard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetKind {
    Messages,
    Pings,
}

/// A path and how it is probed; all times in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdleWorld {
    pub timer: Timer,
    pub cut: Cut,
    /// How long after it let go a hop closes visibly.
    pub linger_ms: u64,
    pub lifetime_ms: Option<u64>,
    pub restarts_ms: Vec<u64>,
    /// How long nothing opens after a restart.
    pub down_ms: u64,
    pub server_sends_every_ms: Option<u64>,
    pub closes_silent_clients_after_ms: Option<u64>,
    pub reset_by: Option<ResetKind>,
    /// The part of the connections that ends at random.
    pub ends_early: f64,
    /// Answers take at least and at most this long.
    pub answer_ms: (u64, u64),
    /// By how much questions are late at most.
    pub ask_delay_ms: u64,
    pub accepts: Option<usize>,
    /// Further connections are closed right after opening.
    pub keeps_open: Option<usize>,
    pub replaces_session: bool,
    /// One in this many connections has this timeout.
    pub node: Option<(u32, u64)>,
    /// This part of the connections ends at random within this time.
    pub random: Option<(f64, u64)>,
    /// The age at which the server violates the protocol.
    pub broken_ms: Option<u64>,
    pub max_ms: u64,
    pub bisect: bool,
    pub app_heartbeats: bool,
    pub two_ended: bool,
}

impl Default for IdleWorld {
    fn default() -> IdleWorld {
        IdleWorld {
            timer: Timer::Never,
            cut: Cut::Fin,
            linger_ms: 0,
            lifetime_ms: None,
            restarts_ms: Vec::new(),
            down_ms: 0,
            server_sends_every_ms: None,
            closes_silent_clients_after_ms: None,
            reset_by: None,
            ends_early: 0.0,
            answer_ms: (20, 20),
            ask_delay_ms: 0,
            accepts: None,
            keeps_open: None,
            replaces_session: false,
            node: None,
            random: None,
            broken_ms: None,
            max_ms: 300_000,
            bisect: false,
            app_heartbeats: false,
            two_ended: false,
        }
    }
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// How far observations are off: latency, late questions, and the resolution of the visible ends.
const SLACK: Duration = Duration::from_millis(50);

impl IdleWorld {
    fn plan(&self) -> SearchPlan {
        SearchPlan {
            max: ms(self.max_ms),
            strategy: if self.bisect { Strategy::Bisect } else { Strategy::Parallel },
            kind: if self.app_heartbeats { HeartbeatKind::App } else { HeartbeatKind::Protocol },
            two_ended: self.two_ended,
            ..SearchPlan::default()
        }
    }

    fn path(&self) -> SimPath {
        let timer = match self.timer {
            Timer::Never => SimTimer::Never,
            Timer::Exact { ms: after } => SimTimer::Exact(ms(after)),
            Timer::Jittered { ms: after, part } => SimTimer::Jittered(ms(after), part),
            Timer::Coarse { ms: after, by_ms } => SimTimer::Coarse(ms(after), ms(by_ms)),
            Timer::Between { from_ms, to_ms } => SimTimer::Between(ms(from_ms), ms(to_ms)),
            Timer::Checked { ms: after, every_ms } => SimTimer::Ticking(ms(after), ms(every_ms)),
        };
        SimPath {
            linger: ms(self.linger_ms),
            lifetime: self.lifetime_ms.map(ms),
            outages: self.restarts_ms.iter().copied().map(ms).collect(),
            down: ms(self.down_ms),
            chatter: self.server_sends_every_ms.map(ms),
            patience: self.closes_silent_clients_after_ms.map(ms),
            reset_by: self.reset_by.map(|kind| match kind {
                ResetKind::Messages => ResetBy::Messages,
                ResetKind::Pings => ResetBy::Pings,
            }),
            ending_early: self.ends_early,
            answer: (ms(self.answer_ms.0), ms(self.answer_ms.1)),
            ask_delay: ms(self.ask_delay_ms),
            capacity: self.accepts.unwrap_or(usize::MAX),
            node: self.node.map(|(every, after)| (every, ms(after))),
            random: self.random.map(|(part, within)| (part, ms(within))),
            admits: self.keeps_open.map(|most| (most, close(1013, "too many connections"))),
            replaces: self.replaces_session.then(|| close(4001, "replaced")),
            broken: self.broken_ms.map(ms),
            ..SimPath::new(timer, self.sim_cut())
        }
    }

    fn sim_cut(&self) -> SimCut {
        match self.cut {
            Cut::Fin => SimCut::Fin,
            Cut::HalfClose => SimCut::HalfClose,
            Cut::Rst => SimCut::Rst,
            Cut::CloseFrame => SimCut::CloseFrame(1000),
            Cut::AppCloseFrame => SimCut::CloseFrame(4000),
            Cut::Silent => SimCut::Silent,
            Cut::RstOnUse => SimCut::RstOnUse,
            Cut::ServerUnheard => SimCut::Healing,
        }
    }

    /// The shortest and the longest idle span that the timer allows; `None` without a timer.
    fn timeout(&self) -> Option<(Duration, Duration)> {
        let of_timer = match self.timer {
            Timer::Never => None,
            Timer::Exact { ms: after } => Some((after, after)),
            Timer::Jittered { ms: after, part } => {
                Some(((after as f64 * (1.0 - part)) as u64, (after as f64 * (1.0 + part)) as u64 + 1))
            }
            Timer::Coarse { ms: after, by_ms } => Some((after.saturating_sub(by_ms), after + by_ms)),
            Timer::Between { from_ms, to_ms } => Some((from_ms, to_ms)),
            Timer::Checked { ms: after, every_ms } => Some((after, after + every_ms)),
        };
        // Without messages of the server, a client that it finds silent for too long is an idle one.
        let patience = self
            .closes_silent_clients_after_ms
            .filter(|after| self.server_sends_every_ms.is_none_or(|every| *after < every))
            .map(|after| (after, after));
        let shorter = |one: Option<(u64, u64)>, other: Option<(u64, u64)>| match (one, other) {
            (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.min(other.1))),
            (one, other) => one.or(other),
        };
        let (from, to) = shorter(of_timer, patience)?;
        // Only one direction is lost, and a question restores it; two-ended mode sees it.
        let is_seen = self.cut != Cut::ServerUnheard || self.two_ended;
        // If the server sends more often, the timer never fires.
        let fires = self.server_sends_every_ms.is_none_or(|every| from < every);
        (is_seen && fires).then_some((ms(from), ms(to)))
    }

    fn overlaps(&self, bracket: Bracket, slack: Duration) -> bool {
        let fits = |from: Duration, to: Duration| {
            bracket.lo.is_none_or(|lo| lo <= to + slack) && bracket.hi.is_none_or(|hi| from <= hi + slack)
        };
        let node = self.node.map(|(_, after)| (ms(after), ms(after)));
        self.timeout().into_iter().chain(node).any(|(from, to)| fits(from, to))
    }

    fn is_chancy(&self) -> bool {
        self.ends_early > 0.0 || self.random.is_some()
    }

    /// Whether nothing but the timer ends connections, and the search sees enough of it.
    fn is_plain(&self) -> bool {
        self.lifetime_ms.is_none()
            && self.restarts_ms.is_empty()
            && self.reset_by.is_none()
            && self.ends_early <= 0.02
            && self.accepts.is_none_or(|most| most >= 8)
            && self.keeps_open.is_none_or(|most| most >= 16)
            && !self.replaces_session
            && self.node.is_none()
            && self.random.is_none()
            && self.broken_ms.is_none()
    }

    /// Plays it and compares each claim with the truth.
    pub fn judge(&self, seed: u64) -> Vec<Judged> {
        let findings = play(&self.plan(), &self.path(), seed).findings;
        let mut judge = Judge::default();
        for finding in findings_of(&self.report(findings)) {
            self.judge_finding(&mut judge, &finding);
        }
        self.add_possible(&mut judge);
        judge.claims()
    }

    fn report(&self, findings: IdleFindings) -> IdleReport {
        let info = IdleInfo {
            url: String::new(),
            search: self.plan(),
            refresh: false,
            verify: false,
            expectation: None,
            preset: None,
        };
        IdleReport {
            info: Arc::new(info),
            started_at: SystemTime::UNIX_EPOCH,
            elapsed: findings.elapsed,
            opened: None,
            error: None,
            findings,
            naming: ProductNaming::default(),
            recommendation: None,
            refresh: None,
            verified: None,
            expectation: None,
            two_ended: None,
            lost: None,
            verdict: RunResult::Passed,
            reasons: Vec::new(),
            notes: Vec::new(),
            partial: false,
        }
    }

    fn judge_finding(&self, judge: &mut Judge, finding: &IdleFinding) {
        let code = finding.label();
        match finding {
            IdleFinding::IdleTimeout { bracket, manner, .. } => {
                let truth = self.try_bracket(*bracket).and_then(|()| self.try_manner(manner.as_ref()));
                judge.claimed_range(code, truth, bracket.width());
            }
            IdleFinding::ServerPolicy { bracket, .. } => {
                let is_app =
                    self.cut == Cut::AppCloseFrame || self.replaces_session || self.keeps_open.is_some();
                // Its rule may be another one than an idle timeout; then nothing is claimed to have an upper end.
                let fits = if bracket.hi.is_some() { self.try_bracket(*bracket) } else { Ok(()) };
                let truth = fits.and_then(|()| is(is_app, "no such close frame"));
                judge.claimed_range(code, truth, bracket.width());
            }
            IdleFinding::LifetimeCap { age, .. } => {
                judge.claimed(code, self.try_lifetime(age.map(|age| (age.lo, age.hi))));
            }
            IdleFinding::AlsoLifetimeCap { age } => {
                judge.claimed(code, self.try_lifetime(Some((age.lo, age.hi))))
            }
            IdleFinding::NoTimeoutUpToMax { longest, .. } => {
                let longest = longest.unwrap_or_default();
                let survives = self.timeout().is_none_or(|(_, to)| longest <= to + SLACK);
                judge.claimed(code, is(survives, format!("such an idle connection is cut ({longest:?})")));
            }
            IdleFinding::ServerKeepsItBusy { activity, .. } => {
                let period = activity.map(|activity| activity.period);
                judge.claimed(code, self.try_busy(period));
            }
            IdleFinding::Stochastic { .. } => judge.claimed(code, self.try_stochastic()),
            IdleFinding::OnlySomeConnectionsCut { .. } => {
                let varies = self.timeout().is_some_and(|(from, to)| to > from.mul_f64(1.05));
                judge.claimed(
                    code,
                    is(varies || self.node.is_some() || self.is_chancy(), "all are cut alike"),
                );
            }
            IdleFinding::OnlyMessagesResetTimer => {
                judge.claimed(code, is(self.reset_by == Some(ResetKind::Messages), "Pings reset it"));
            }
            IdleFinding::OnlyPingsResetTimer => {
                judge.claimed(code, is(self.reset_by == Some(ResetKind::Pings), "messages reset it"));
            }
            IdleFinding::TimeoutBelowMin { min } => {
                let is_below = self.timeout().is_some_and(|(from, _)| from <= *min + SLACK);
                judge.claimed(code, is(is_below, "the timeout is longer"));
            }
            IdleFinding::TimerIsCoarse { spread } => {
                judge.claimed(code, self.try_coarse(spread.max - spread.min))
            }
            IdleFinding::StopsForwardingBeforeClosing => {
                judge.claimed(code, is(self.linger_ms > 0, "it closes at once"));
            }
            IdleFinding::ServerClosesSilentClients { age } => {
                let is_so = |after: u64| age.abs_diff(ms(after)) <= SLACK + ms(self.answer_ms.1) * 2;
                judge.claimed(
                    code,
                    is(self.closes_silent_clients_after_ms.is_some_and(is_so), "not at that age"),
                );
            }
            // It tells what was seen, and does not say that one event was the cause.
            IdleFinding::EndedAtOneMoment { .. } => judge.claimed(code, Ok(())),
            IdleFinding::EndedRightAfterOpening { .. } => {
                let is_so = self.keeps_open.is_some() || self.replaces_session || self.is_chancy();
                judge.claimed(code, is(is_so || self.ends_at_once(), "nothing ends connections so early"));
            }
            IdleFinding::ServerBrokeProtocol { .. } => {
                judge.claimed(code, is(self.broken_ms.is_some(), "it did not"))
            }
            IdleFinding::Undecided(cause) => self.judge_undecided(judge, code, cause),
            // The others tell what was seen.
            _ => {}
        }
    }

    fn judge_undecided(&self, judge: &mut Judge, code: &'static str, cause: &UndecidedCause) {
        let truth = match cause {
            UndecidedCause::ConnectionLimit { .. } => is(self.keeps_open.is_some(), "there is no limit"),
            UndecidedCause::SessionReplaced { .. } => is(self.replaces_session, "no session is replaced"),
            // It names both: a restart, and a timer that is checked now and then.
            UndecidedCause::RepeatedRestarts { .. } => is(
                self.restarts_ms.len() > 1 || matches!(self.timer, Timer::Checked { .. }),
                "it did not restart, and checks nothing",
            ),
            UndecidedCause::LifetimeOrIdleTimeout { age, .. } => {
                let fits = |from: Duration, to: Duration| age.lo <= to + SLACK && from <= age.hi + SLACK;
                let lifetime = self.lifetime_ms.map(ms);
                let is_so = lifetime.is_some_and(|age| fits(age, age))
                    || self.timeout().is_some_and(|(from, to)| self.reset_by.is_some() && fits(from, to));
                is(is_so, format!("neither is {age:?}"))
            }
            _ => return,
        };
        judge.claimed(code, truth);
    }

    fn try_bracket(&self, bracket: Bracket) -> Result<(), String> {
        is(self.overlaps(bracket, SLACK), format!("the timeout is not in {bracket:?}"))
    }

    fn try_manner(&self, manner: Option<&CutManner>) -> Result<(), String> {
        let Some(manner) = manner else { return Ok(()) };
        let found = CutMannerName::from(manner).label();
        let cut = match self.cut {
            Cut::Fin | Cut::HalfClose | Cut::Rst | Cut::CloseFrame | Cut::AppCloseFrame => "visible",
            Cut::Silent => "silent",
            Cut::RstOnUse => "rst_on_use",
            Cut::ServerUnheard => "server_unheard",
        };
        // A question that meets the close on its way is closed on use; one before the hop closes is not answered.
        let is_late = cut == "visible" && (found == "rst_on_use" || found == "silent" && self.linger_ms > 0);
        let is_fin = matches!(manner.visible_end().map(|end| &end.how), Some(CloseKind::Fin) | None);
        let is_kind = self.cut != Cut::Fin || is_fin || self.is_chancy();
        is((found == cut || is_late) && is_kind, format!("it is not cut like this: {found}"))
    }

    fn try_lifetime(&self, age: Option<(Duration, Duration)>) -> Result<(), String> {
        let slack = SLACK + ms(self.answer_ms.1) * 2;
        let is_so = |cap: u64| age.is_none_or(|(lo, hi)| lo <= ms(cap) + slack && ms(cap) <= hi + slack);
        let cap = self.lifetime_ms.or(self.broken_ms);
        is(cap.is_some_and(is_so), format!("no connection ends at that age: {age:?}"))
    }

    fn try_busy(&self, period: Option<Duration>) -> Result<(), String> {
        let is_so =
            |every: u64| period.is_none_or(|period| period.abs_diff(ms(every)) <= ms(every) / 10 + SLACK);
        is(self.server_sends_every_ms.is_some_and(is_so), "it does not send that often")
    }

    fn try_stochastic(&self) -> Result<(), String> {
        let varies = self.timeout().is_some_and(|(from, to)| to > from.mul_f64(1.08));
        is(varies || self.is_chancy() || self.node.is_some(), "there is a fixed timeout, or none")
    }

    fn try_coarse(&self, spread: Duration) -> Result<(), String> {
        let width = self.timeout().map_or(Duration::ZERO, |(from, to)| to - from);
        let is_so = width + SLACK >= spread || self.is_chancy() || self.node.is_some();
        is(is_so, format!("the ends are not {spread:?} apart"))
    }

    fn ends_at_once(&self) -> bool {
        let shortest = [self.lifetime_ms, self.broken_ms, self.closes_silent_clients_after_ms];
        let shortest = shortest.into_iter().flatten().map(ms).chain(self.timeout().map(|(from, _)| from));
        shortest.min().is_some_and(|shortest| shortest <= ms(1000)) || !self.restarts_ms.is_empty()
    }

    fn add_possible(&self, judge: &mut Judge) {
        let plan = self.plan();
        let (is_plain, is_app) = (self.is_plain(), self.cut == Cut::AppCloseFrame);
        let is_in_reach = self.timeout().is_some_and(|(from, to)| {
            from > plan.min.mul_f64(1.2) && to < plan.max.mul_f64(0.9) && to <= from.mul_f64(1.1)
        });
        let is_busy = self.server_sends_every_ms.is_some();
        judge.possible("idle_timeout", is_plain && is_in_reach && !is_app && !is_busy);
        judge.possible("server_policy", is_plain && is_in_reach && is_app && !is_busy);
        judge.possible(
            "no_timeout_up_to_max",
            is_plain && self.timeout().is_none_or(|(from, _)| from > plan.max.mul_f64(1.2)) && !is_busy,
        );
        let is_often = self.server_sends_every_ms.is_some_and(|every| every < self.max_ms / 4);
        judge.possible(
            "server_keeps_it_busy",
            is_plain && is_often && self.timeout().is_none() && self.closes_silent_clients_after_ms.is_none(),
        );
        let only = |kind| {
            self.reset_by == Some(kind)
                && is_in_reach
                && IdleWorld { reset_by: None, ..self.clone() }.is_plain()
                && !is_busy
        };
        judge.possible("only_messages_reset_timer", only(ResetKind::Messages) && !self.app_heartbeats);
        judge.possible("only_pings_reset_timer", only(ResetKind::Pings) && self.app_heartbeats);
        let cap = self.lifetime_ms.filter(|cap| (2_000..self.max_ms / 2).contains(cap));
        let is_capped =
            IdleWorld { lifetime_ms: None, ..self.clone() }.is_plain() && !is_busy && cap.is_some();
        judge.possible("lifetime_cap", is_capped && self.timeout().is_none());
    }

    /// Draws a path.
    pub fn draw(dice: &mut Dice) -> IdleWorld {
        let max_ms = dice.pick(&[120_000, 300_000, 300_000, 900_000]);
        let after = if dice.chance(0.3) {
            // Near a span that is asked at: a well-known timeout.
            let known = dice.pick(&[15_000, 30_000, 60_000, 75_000, 100_000, 120_000, 300_000]);
            (known + dice.between(0, 80)).saturating_sub(40)
        } else {
            dice.of_any_size(800, max_ms * 5 / 4)
        };
        let timer = Self::draw_timer(dice, after);
        let cuts = [
            Cut::Fin,
            Cut::HalfClose,
            Cut::Rst,
            Cut::CloseFrame,
            Cut::AppCloseFrame,
            Cut::Silent,
            Cut::Silent,
            Cut::RstOnUse,
        ];
        let two_ended = dice.chance(0.04);
        let cut = if two_ended { Cut::ServerUnheard } else { dice.pick(&cuts) };
        let slow = dice.between(1, 300);
        let world = IdleWorld {
            timer,
            cut,
            two_ended,
            max_ms,
            bisect: dice.chance(0.15),
            app_heartbeats: dice.chance(0.3),
            answer_ms: (slow, slow + dice.between(0, 400)),
            ask_delay_ms: dice.perhaps(0.2, |dice| dice.between(1, 400)).unwrap_or(0),
            ends_early: dice.perhaps(0.2, |dice| 0.02 * dice.part()).unwrap_or(0.0),
            ..IdleWorld::default()
        };
        world.disturbed(dice)
    }

    fn draw_timer(dice: &mut Dice, ms: u64) -> Timer {
        match dice.between(0, 12) {
            0 | 1 => Timer::Never,
            2 | 3 => Timer::Jittered { ms, part: 0.02 * dice.part() },
            4 => Timer::Coarse { ms, by_ms: dice.between(100, 2_000).min(ms / 2) },
            5 => Timer::Checked { ms, every_ms: dice.pick(&[500, 1_000, 5_000, 10_000]) },
            6 => Timer::Between { from_ms: ms / 3 + 1, to_ms: ms },
            _ => Timer::Exact { ms },
        }
    }

    /// The same with a cut that is seen: what a server closes, it closes visibly.
    fn visible(self) -> IdleWorld {
        let cut = if self.sim_cut().is_visible() { self.cut } else { Cut::Fin };
        IdleWorld { cut, two_ended: false, ..self }
    }

    /// Adds at most one thing besides the timer.
    fn disturbed(self, dice: &mut Dice) -> IdleWorld {
        let max = self.max_ms;
        match dice.between(0, 24) {
            0 | 1 => IdleWorld { lifetime_ms: Some(dice.of_any_size(2_000, max)), ..self },
            2 => IdleWorld {
                restarts_ms: vec![dice.between(1_000, max)],
                down_ms: dice.between(0, 3_000),
                ..self
            },
            3 => {
                IdleWorld { restarts_ms: (1..5).map(|n| n * dice.between(5_000, max / 2)).collect(), ..self }
            }
            4 => IdleWorld { server_sends_every_ms: Some(dice.of_any_size(1_000, max)), ..self },
            5 => {
                let every = dice.of_any_size(1_000, max / 4);
                let patience = dice.of_any_size(2_000, max);
                IdleWorld {
                    server_sends_every_ms: Some(every),
                    closes_silent_clients_after_ms: Some(patience),
                    ..self.visible()
                }
            }
            6 => IdleWorld {
                closes_silent_clients_after_ms: Some(dice.of_any_size(2_000, max)),
                ..self.visible()
            },
            7 | 8 => {
                IdleWorld { reset_by: Some(dice.pick(&[ResetKind::Messages, ResetKind::Pings])), ..self }
            }
            9 => IdleWorld { accepts: Some(dice.between(1, 20) as usize), ..self },
            10 => IdleWorld { keeps_open: Some(dice.between(1, 20) as usize), ..self },
            11 => IdleWorld { replaces_session: true, ..self },
            12 => IdleWorld { node: Some((dice.between(2, 6) as u32, dice.of_any_size(2_000, max))), ..self },
            13 => IdleWorld { random: Some((dice.part(), dice.of_any_size(5_000, max))), ..self },
            14 => IdleWorld { broken_ms: Some(dice.of_any_size(1_000, max)), ..self },
            15 => IdleWorld { linger_ms: dice.of_any_size(100, 10_000), ..self },
            _ => self,
        }
    }
}
