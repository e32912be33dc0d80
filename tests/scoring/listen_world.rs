//! Servers for `listen`, and what is true of them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use wscheck::domain::label::Label;
use wscheck::domain::listen::report::{ListenInfo, ListenReport};
use wscheck::domain::listen::{ListenFinding, ListenFindings, ServerEventKind, TimerEvidence, unanswered};
use wscheck::domain::run::run_result::RunResult;
use wscheck::domain::stats::interval::{Interval, tolerance};

use super::dice::Dice;
use super::judged::{Judge, Judged, is};
use crate::listen::{SimCounting, SimHeard, SimObserver, SimPinger, SimUnanswered, listen_to, ms};

/// What the server counts its intervals from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    #[default]
    Connection,
    /// A tick skips a client that sent since the last one.
    ConnectionSkippingActive,
    OwnTraffic,
    ClientTraffic,
    AnyTraffic,
    /// From a third to three times the interval.
    Random,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Ping,
    AppPing,
    /// An unsolicited Pong.
    Pong,
    KeepAlive,
    /// Messages of no known form.
    Unknown,
    None,
}

/// A server and how it is listened to; all times in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListenWorld {
    pub kind: Kind,
    pub counting: Counting,
    pub interval_ms: u64,
    /// When the first comes: a global clock starts before the connection.
    pub first_ms: Option<u64>,
    /// By how much heartbeats are late at most.
    pub jitter_ms: u64,
    pub stops_after: Option<u64>,
    pub pause_ms: Option<(u64, u64)>,
    /// After this many unanswered heartbeats it sends no more.
    pub stops_unanswered_after: Option<u64>,
    /// After this many unanswered heartbeats and this time it closes.
    pub closes_unanswered_after: Option<(u64, u64)>,
    /// The mean distance of its other messages, which come at random.
    pub messages_every_ms: Option<u64>,
    /// Times of further messages.
    pub messages_ms: Vec<u64>,
    pub listen_ms: u64,
    pub answers: bool,
    pub talks: bool,
    /// The server answers what the client sends.
    pub client_is_answered: bool,
    pub latency_ms: u64,
    pub latency_jitter_ms: u64,
    /// The part of the frames that is lost and sent again.
    pub lost: f64,
    /// This host does not run from the first time to the second.
    pub stall_ms: Option<(u64, u64)>,
    /// The server ends the connection.
    pub ends_ms: Option<u64>,
}

impl Default for ListenWorld {
    fn default() -> ListenWorld {
        ListenWorld {
            kind: Kind::Ping,
            counting: Counting::Connection,
            interval_ms: 30_000,
            first_ms: None,
            jitter_ms: 0,
            stops_after: None,
            pause_ms: None,
            stops_unanswered_after: None,
            closes_unanswered_after: None,
            messages_every_ms: None,
            messages_ms: Vec::new(),
            listen_ms: 300_000,
            answers: true,
            talks: false,
            client_is_answered: false,
            latency_ms: 10,
            latency_jitter_ms: 0,
            lost: 0.0,
            stall_ms: None,
            ends_ms: None,
        }
    }
}

/// The longest path of a lost frame, as [`Dice::delays`] draws it.
const LONGEST_REPEAT: Duration = Duration::from_millis(1600);

impl ListenWorld {
    fn server(&self, dice: &mut Dice) -> SimPinger {
        let counts = match self.counting {
            // Nothing starts a clock of heartbeats that it does not send.
            _ if !self.has_beats() => SimCounting::FixedClock,
            Counting::Connection => SimCounting::FixedClock,
            Counting::ConnectionSkippingActive => SimCounting::SkippingTheActive,
            Counting::OwnTraffic => SimCounting::FromItsOwn,
            Counting::ClientTraffic => SimCounting::FromWhatItHears,
            Counting::AnyTraffic => SimCounting::FromBoth,
            Counting::Random => SimCounting::AtRandom,
        };
        let most = (self.listen_ms * 4 / self.interval_ms.max(1)).min(100_000) + 8;
        let (from, to) = (self.interval_ms / 3, self.interval_ms * 3);
        let mut chance: Vec<u64> = (0..most).map(|_| dice.between(from, to).max(1)).collect();
        let due = match (self.kind, self.counting) {
            (Kind::None | Kind::Unknown, _) => u64::MAX / 4,
            (_, Counting::Random) => self.first_ms.or(chance.pop()).unwrap_or(self.interval_ms),
            (_, _) => self.first_ms.unwrap_or(self.interval_ms),
        };
        SimPinger {
            due,
            event_kind: self.event_kind().unwrap_or(ServerEventKind::Ping),
            messages: self.messages(dice),
            message_text: (self.kind == Kind::Unknown).then_some(r#"{"t":"hb"}"#),
            dice: chance,
            lateness: (0..53).map(|_| dice.between(0, self.jitter_ms + 1)).collect(),
            stops_after: self.stops_after,
            pause: self.pause_ms,
            unanswered: match (self.stops_unanswered_after, self.closes_unanswered_after) {
                (_, Some((after, timeout))) => SimUnanswered::Closes { after, timeout },
                (Some(after), None) => SimUnanswered::Stops { after },
                (None, None) => SimUnanswered::GoesOn,
            },
            ..SimPinger::new(counts, self.interval_ms)
        }
    }

    /// The times of its messages: those of no known form at the interval, or others at random.
    fn messages(&self, dice: &mut Dice) -> Vec<u64> {
        if self.kind == Kind::Unknown {
            let first = self.first_ms.unwrap_or(self.interval_ms);
            let times = (0..).map(|n| first + n * self.interval_ms).take_while(|at| *at < self.listen_ms);
            return times.map(|at| at + dice.between(0, self.jitter_ms + 1)).collect();
        }
        let mut times = self.messages_ms.clone();
        if let Some(every) = self.messages_every_ms {
            let mut at = 0;
            while at < self.listen_ms {
                at += ((every as f64 * -(1.0 - dice.part()).ln()) as u64).max(1);
                times.push(at);
            }
        }
        times.sort_unstable();
        times
    }

    fn event_kind(&self) -> Option<ServerEventKind> {
        match self.kind {
            Kind::Ping => Some(ServerEventKind::Ping),
            Kind::AppPing => Some(ServerEventKind::AppPing),
            Kind::Pong => Some(ServerEventKind::Pong),
            Kind::KeepAlive => Some(ServerEventKind::KeepAlive),
            Kind::Unknown | Kind::None => None,
        }
    }

    fn observer(&self, dice: &mut Dice) -> SimObserver {
        SimObserver {
            talks: self.talks,
            is_answered: self.client_is_answered,
            answers: self.answers,
            delays: dice.delays(
                self.latency_ms,
                self.latency_jitter_ms,
                self.lost,
                LONGEST_REPEAT.as_millis() as u64,
            ),
            stall: self.stall_ms,
            ends: self.ends_ms,
            ..SimObserver::new(self.listen_ms)
        }
    }

    /// Plays it and compares each claim with the truth.
    pub fn judge(&self, seed: u64) -> Vec<Judged> {
        let mut dice = Dice::new(seed);
        let server = self.server(&mut dice);
        let heard = listen_to(server, &self.observer(&mut dice));
        let mut judge = Judge::default();
        let report = self.report(heard.findings.clone());
        let findings = &report.findings;
        let conclusions = [
            findings.conclusion(),
            report.timer(),
            findings.one_way(),
            findings.coverage(),
            findings.besides(),
        ];
        let claims = conclusions.into_iter().flatten().chain(findings.unanswered.map(unanswered));
        for finding in claims.chain(findings.reasons.iter().cloned()) {
            self.judge_finding(&mut judge, &finding, &heard);
        }
        self.add_possible(&mut judge, &heard);
        judge.claims()
    }

    fn report(&self, findings: ListenFindings) -> ListenReport {
        let info = ListenInfo {
            url: String::new(),
            listen_for: ms(self.listen_ms),
            count: None,
            answer: self.answers,
            talk: self.talks,
            preset: None,
        };
        ListenReport {
            info: Arc::new(info),
            started_at: SystemTime::UNIX_EPOCH,
            elapsed: findings.listened,
            opened: None,
            error: None,
            findings,
            ending: None,
            close_reply: None,
            verdict: RunResult::Passed,
            reasons: Vec::new(),
            partial: false,
        }
    }

    fn interval(&self) -> Duration {
        ms(self.interval_ms)
    }

    /// How far arrivals differ from the server's clock.
    fn noise(&self) -> Duration {
        let lost = if self.lost > 0.0 { LONGEST_REPEAT } else { Duration::ZERO };
        let stall = self.stall_ms.map_or(Duration::ZERO, |(from, to)| ms(to - from));
        ms(self.jitter_ms + self.latency_jitter_ms) + lost + stall
    }

    fn has_beats(&self) -> bool {
        self.event_kind().is_some()
    }

    fn is_clock(&self) -> bool {
        self.counting == Counting::Connection
    }

    fn is_by_traffic(&self) -> bool {
        matches!(self.counting, Counting::OwnTraffic | Counting::ClientTraffic | Counting::AnyTraffic)
    }

    /// Whether its heartbeats have an interval at all.
    fn is_regular(&self) -> bool {
        self.has_beats() && self.counting != Counting::Random
    }

    fn has_traffic(&self, heard: &SimHeard) -> bool {
        self.messages_every_ms.is_some() || !self.messages_ms.is_empty() || heard.stimuli > 0
    }

    fn judge_finding(&self, judge: &mut Judge, finding: &ListenFinding, heard: &SimHeard) {
        let code = finding.label();
        let arrived = heard
            .beats
            .iter()
            .copied()
            .filter(|at| ms(heard.ended - at) > ms(self.latency_ms) + self.noise());
        let last = arrived.max().unwrap_or(0);
        let truth = match finding {
            ListenFinding::ServerSendsHeartbeats { kind, interval, .. } => self
                .try_interval(interval)
                .and_then(|()| is(Some(kind.event_kind) == self.event_kind(), "another kind"))
                .and_then(|()| self.try_goes_on(heard, last)),
            ListenFinding::NoHeartbeats { .. } => is(last == 0, "it sent some"),
            ListenFinding::PerhapsHeartbeats { periodic, .. } => {
                is(self.kind == Kind::Unknown, "no message is periodic")
                    .and_then(|()| self.try_interval(&periodic.interval))
            }
            ListenFinding::IrregularHeartbeats { .. } => self.try_irregular(heard),
            ListenFinding::TimerIgnoresTraffic(evidence) => self.try_ignores(evidence, heard),
            ListenFinding::TimerRestartsOnTraffic(_) => {
                is(self.is_by_traffic(), "no traffic restarts its timer")
            }
            ListenFinding::SkipsActiveClients(_) => {
                is(self.counting == Counting::ConnectionSkippingActive, "it skips nobody")
            }
            ListenFinding::CoversTimeouts { covered, .. } => {
                let shortest = covered.covered.iter().min().copied().unwrap_or(Duration::MAX);
                self.try_covers(shortest, heard)
            }
            ListenFinding::CoversNoTimeout => is(self.is_regular(), "there is no interval"),
            ListenFinding::OneWayHeartbeats => {
                is(matches!(self.kind, Kind::Pong | Kind::KeepAlive), "clients answer them")
            }
            // More than it was seen to tolerate is not claimed.
            ListenFinding::UnansweredTolerated { .. } => is(!self.answers && !heard.gave_up, "it closed"),
            // That it stops is claimed; whether for that cannot be seen.
            ListenFinding::StopsWhenUnanswered { .. } => self.try_stopped(heard, last),
            ListenFinding::EndedAfterUnanswered { .. } => {
                is(heard.gave_up || self.ends_ms.is_some(), "it did not end")
            }
            ListenFinding::HeartbeatsStopped { .. } => self.try_stopped(heard, last),
            ListenFinding::HeartbeatOverdue { .. } => {
                let silence = ms(heard.ended.saturating_sub(last));
                is(silence + self.noise() >= self.interval(), "it is not due yet")
            }
            ListenFinding::HeartbeatsPaused { longest, .. } => self.try_paused(*longest, heard),
            ListenFinding::OnlyAfterMessages { .. } => is(
                matches!(self.counting, Counting::OwnTraffic | Counting::AnyTraffic),
                "they do not follow messages",
            ),
            _ => return,
        };
        judge.claimed(code, truth);
    }

    fn try_interval(&self, found: &Interval) -> Result<(), String> {
        let slack = tolerance(self.interval()) + ms(self.jitter_ms + self.latency_jitter_ms);
        // A flood is timed no more exactly than frames are read.
        let near = found.median.abs_diff(self.interval()) <= slack;
        let is_regular = self.is_regular() || self.kind == Kind::Unknown;
        is(is_regular && near, format!("its interval is not {:?}", found.median))
    }

    /// Heartbeats that stopped long ago are not sent every so often.
    fn try_goes_on(&self, heard: &SimHeard, last: u64) -> Result<(), String> {
        let silence = ms(heard.ended.saturating_sub(last));
        let has_stopped =
            self.stops_after.is_some_and(|most| heard.beats.len() as u64 >= most) && self.answers;
        let is_long = silence > self.interval() * 4 + self.noise() * 2 + ms(200);
        is(!has_stopped || !is_long, format!("it stopped {silence:?} ago"))
    }

    fn try_irregular(&self, heard: &SimHeard) -> Result<(), String> {
        let is_noisy = self.noise() > tolerance(self.interval());
        let is_moved = self.has_traffic(heard)
            && (self.is_by_traffic() || self.counting == Counting::ConnectionSkippingActive);
        is(
            self.counting == Counting::Random || is_noisy || is_moved || self.pause_ms.is_some(),
            "it keeps its interval",
        )
    }

    fn try_ignores(&self, evidence: &TimerEvidence, heard: &SimHeard) -> Result<(), String> {
        // One that counts from its own traffic shows that only if it sends something between heartbeats.
        let is_own =
            self.counting == Counting::OwnTraffic && evidence.by_server.is_none() && !self.client_is_answered;
        is(self.is_clock() || is_own, format!("traffic moves its timer ({} stimuli)", heard.stimuli))
    }

    /// Whether the path is never idle for longer than three quarters of this timeout, at worst.
    fn try_covers(&self, shortest: Duration, heard: &SimHeard) -> Result<(), String> {
        // A tick that skipped a client leaves it two intervals, at worst.
        let has_skipped = heard.beats.windows(2).any(|pair| pair[1] - pair[0] > self.interval_ms * 3 / 2);
        let skips = self.counting == Counting::ConnectionSkippingActive && has_skipped;
        let worst = if skips { self.interval() * 2 } else { self.interval() };
        is(self.is_regular() && worst <= shortest, format!("it may be idle for {worst:?}"))
    }

    fn try_stopped(&self, heard: &SimHeard, last: u64) -> Result<(), String> {
        let has_stopped = self.stops_after.is_some_and(|most| heard.beats.len() as u64 >= most)
            || self.stops_unanswered_after.is_some() && !self.answers;
        let is_pausing = self.pause_ms.is_some_and(|(from, to)| {
            from <= last + self.interval_ms * 3 && heard.ended <= to + self.interval_ms
        });
        is(has_stopped || is_pausing, "it goes on")
    }

    fn try_paused(&self, longest: Duration, heard: &SimHeard) -> Result<(), String> {
        let most = heard.beats.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        is(longest <= ms(most) + self.noise(), format!("the longest gap is {most} ms"))
    }

    fn add_possible(&self, judge: &mut Judge, heard: &SimHeard) {
        let count = heard.beats.len();
        let is_quiet = self.noise() <= tolerance(self.interval()) / 2;
        let is_seen = is_quiet
            && count >= 4
            && self.pause_ms.is_none()
            && self.stall_ms.is_none()
            && self.ends_ms.is_none()
            && !heard.gave_up;
        let goes_on = self.stops_after.is_none() && (self.answers || self.stops_unanswered_after.is_none());
        let has_traffic = self.has_traffic(heard);
        let is_steady = self.is_clock() || !has_traffic && self.is_regular();
        judge.possible("server_sends_heartbeats", is_seen && goes_on && is_steady && self.has_beats());
        judge.possible(
            "no_heartbeats",
            self.kind == Kind::None && self.stall_ms.is_none() && self.ends_ms.is_none(),
        );
        let unknown = self.listen_ms / self.interval_ms.max(1);
        judge.possible(
            "perhaps_heartbeats",
            self.kind == Kind::Unknown
                && is_quiet
                && unknown >= 6
                && self.stall_ms.is_none()
                && self.ends_ms.is_none()
                && self.interval_ms >= 200,
        );
        judge.possible(
            "irregular_heartbeats",
            self.counting == Counting::Random
                && self.has_beats()
                && self.stall_ms.is_none()
                && count >= 8
                && self.stops_after.is_none()
                && !has_traffic,
        );
        let is_timed = is_seen
            && goes_on
            && self.talks
            && heard.stimuli >= 3
            && self.has_beats()
            && self.interval_ms >= 500;
        judge.possible(
            "timer_ignores_traffic",
            is_timed && self.is_clock() && self.messages_every_ms.is_none(),
        );
        judge.possible(
            "timer_restarts_on_traffic",
            is_timed
                && matches!(self.counting, Counting::ClientTraffic | Counting::AnyTraffic)
                && self.messages_every_ms.is_none(),
        );
        judge.possible(
            "skips_active_clients",
            is_timed
                && self.counting == Counting::ConnectionSkippingActive
                && self.messages_every_ms.is_none(),
        );
        let is_one_way = matches!(self.kind, Kind::Pong | Kind::KeepAlive);
        judge.possible("one_way_heartbeats", is_seen && goes_on && is_steady && is_one_way);
        judge.possible(
            "covers_timeouts",
            is_seen && goes_on && is_steady && self.has_beats() && self.interval_ms < 60_000,
        );
        let is_ended = |most: u64| {
            heard.ended.saturating_sub(heard.beats.last().copied().unwrap_or(0)) > self.interval_ms * 3
                && most >= 4
        };
        judge.possible(
            "heartbeats_stopped",
            is_quiet
                && self.stall_ms.is_none()
                && self.ends_ms.is_none()
                && self.pause_ms.is_none()
                && self.answers
                && self.stops_after.is_some_and(is_ended)
                && is_steady
                && self.has_beats(),
        );
        let asks = matches!(self.kind, Kind::Ping | Kind::AppPing) && !self.answers && is_steady;
        let is_stopped = self.stops_unanswered_after.is_some_and(is_ended);
        judge.possible(
            "stops_when_unanswered",
            asks && is_stopped
                && is_quiet
                && self.stall_ms.is_none()
                && self.ends_ms.is_none()
                && self.pause_ms.is_none()
                && self.stops_after.is_none()
                && self.closes_unanswered_after.is_none(),
        );
        judge.possible(
            "unanswered_tolerated",
            asks && is_seen && goes_on && self.closes_unanswered_after.is_none(),
        );
        judge.possible("ended_after_unanswered", asks && heard.gave_up && self.stall_ms.is_none());
    }

    /// Draws a server.
    pub fn draw(dice: &mut Dice) -> ListenWorld {
        let interval_ms = dice.of_any_size(200, 90_000);
        let kinds = [
            Kind::Ping,
            Kind::Ping,
            Kind::Ping,
            Kind::AppPing,
            Kind::AppPing,
            Kind::KeepAlive,
            Kind::Pong,
            Kind::Unknown,
            Kind::None,
        ];
        let countings = [
            Counting::Connection,
            Counting::Connection,
            Counting::Connection,
            Counting::ConnectionSkippingActive,
            Counting::OwnTraffic,
            Counting::ClientTraffic,
            Counting::AnyTraffic,
            Counting::Random,
        ];
        let counting = dice.pick(&countings);
        let is_global =
            matches!(counting, Counting::Connection | Counting::ConnectionSkippingActive) && dice.chance(0.4);
        let jitter_ms = match dice.between(0, 5) {
            0 => (interval_ms as f64 * 0.03 * dice.part()) as u64,
            1 => dice.between(0, 30),
            2 if dice.chance(0.3) => interval_ms * 4 / 5,
            _ => 0,
        };
        let listen_ms = (interval_ms as f64
            * if dice.chance(0.3) { dice.part() * 6.0 } else { 4.0 + dice.part() * 36.0 })
            as u64
            + 300;
        let world = ListenWorld {
            kind: dice.pick(&kinds),
            counting,
            interval_ms,
            first_ms: is_global.then(|| dice.between(1, interval_ms)),
            jitter_ms,
            listen_ms,
            answers: dice.chance(0.8),
            talks: dice.chance(0.5),
            client_is_answered: dice.chance(0.4),
            // A round trip is short against the interval.
            latency_ms: dice.of_any_size(1, (interval_ms / 40).clamp(2, 300)),
            latency_jitter_ms: dice.perhaps(0.3, |dice| dice.between(0, 40)).unwrap_or(0),
            lost: dice.perhaps(0.15, |dice| 0.03 * dice.part()).unwrap_or(0.0),
            messages_every_ms: dice
                .perhaps(0.35, |dice| (interval_ms as f64 * (0.05 + 3.0 * dice.part())) as u64 + 1),
            ..ListenWorld::default()
        };
        world.disturbed(dice)
    }

    /// Adds at most one thing that happens once.
    fn disturbed(self, dice: &mut Dice) -> ListenWorld {
        let (interval, listen) = (self.interval_ms, self.listen_ms);
        let at = dice.between(0, listen);
        match dice.between(0, 20) {
            0 | 1 => ListenWorld { stops_after: Some(dice.between(1, 12)), ..self },
            2 => ListenWorld { pause_ms: Some((at, at + interval * dice.between(1, 8))), ..self },
            3 | 4 => ListenWorld { stops_unanswered_after: Some(dice.between(1, 6)), answers: false, ..self },
            5 | 6 => ListenWorld {
                closes_unanswered_after: Some((dice.between(1, 5), dice.between(1, interval * 2))),
                answers: dice.chance(0.3),
                ..self
            },
            7 | 8 => ListenWorld {
                stall_ms: Some((at, (at + dice.of_any_size(100, interval.max(300) * 3)).min(listen - 1))),
                ..self
            },
            9 => ListenWorld { ends_ms: Some(at), ..self },
            _ => self,
        }
    }
}
