//! Servers for `probe-zombie`, and what is true of them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use wscheck::domain::label::Label;
use wscheck::domain::listen::ServerEventKind;
use wscheck::domain::stats::interval::tolerance;
use wscheck::domain::zombie::{
    Behaviour, ObservationQuality, ReapingPolicy, RequiredTraffic, TrafficEvidence, ZombieFinding,
    ZombieFindings,
};

use super::dice::Dice;
use super::judged::{Judge, Judged, is};
use crate::zombie::{
    ClaimCheck, STEP_MS, SimClient, SimHeartbeat, SimIdleTimer, SimLife, SimNetwork, SimOrigin, SimPatience,
    SimServer, clients, ms,
};

/// What a server counts as a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Needs {
    AnyFrame,
    OwnFrames,
    Messages,
}

impl Needs {
    fn required(self) -> RequiredTraffic {
        match self {
            Needs::AnyFrame => RequiredTraffic::AnyFrame,
            Needs::OwnFrames => RequiredTraffic::OwnFrames,
            Needs::Messages => RequiredTraffic::Messages,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    #[default]
    Clock,
    LastFrame,
    LastMessage,
}

/// One kind of heartbeat, and what follows if it is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// A message instead of a Ping frame.
    #[serde(default)]
    pub app: bool,
    pub interval_ms: u64,
    pub first_ms: u64,
    #[serde(default)]
    pub from: Origin,
    /// It skips clients that sent such a frame since the last tick.
    #[serde(default)]
    pub skips: Option<Needs>,
    /// It closes a client after this many unanswered ones ...
    #[serde(default)]
    pub misses: Option<u64>,
    /// ... and this time.
    #[serde(default)]
    pub timeout_ms: u64,
    /// What counts as an answer too.
    #[serde(default)]
    pub takes: Option<Needs>,
}

/// An idle timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdleTimer {
    pub after_ms: u64,
    pub needs: Needs,
    /// It checks at this interval and phase.
    #[serde(default)]
    pub checks_ms: Option<(u64, u64)>,
}

/// A server and how it is probed; all times in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ZombieWorld {
    pub heartbeats: Vec<Heartbeat>,
    pub idle: Option<IdleTimer>,
    pub closes_half_closed: bool,
    /// How long after its first unread frame a client that does not read is closed.
    pub closes_stalled_ms: Option<u64>,
    pub lifetime_ms: Option<u64>,
    pub restart_ms: Option<u64>,
    pub restart_code: Option<u16>,
    pub jitter_ms: u64,
    pub latency_ms: u64,
    pub lost: f64,
    pub stall_ms: Option<u64>,
    pub every_ms: u64,
    pub max_ms: u64,
}

impl Default for ZombieWorld {
    fn default() -> ZombieWorld {
        ZombieWorld {
            heartbeats: Vec::new(),
            idle: None,
            closes_half_closed: true,
            closes_stalled_ms: None,
            lifetime_ms: None,
            restart_ms: None,
            restart_code: None,
            jitter_ms: 0,
            latency_ms: 0,
            lost: 0.0,
            stall_ms: None,
            every_ms: 500,
            max_ms: 24_000,
        }
    }
}

/// The longest path of a lost frame: a tenth of the usual one, as all times are.
const LONGEST_REPEAT_MS: u64 = 160;

impl ZombieWorld {
    fn server(&self) -> SimServer {
        let heart = |beat: &Heartbeat| SimHeartbeat {
            event_kind: if beat.app { ServerEventKind::AppPing } else { ServerEventKind::Ping },
            interval: beat.interval_ms,
            first: beat.first_ms.max(STEP_MS),
            from: match beat.from {
                Origin::Clock => SimOrigin::Clock,
                Origin::LastFrame => SimOrigin::LastFrame,
                Origin::LastMessage => SimOrigin::LastMessage,
            },
            skips: beat.skips.map(Needs::required),
            patience: beat.misses.map(|misses| SimPatience {
                misses,
                timeout: beat.timeout_ms,
                takes: beat.takes.map(Needs::required),
            }),
        };
        let idle = |timer: IdleTimer| SimIdleTimer {
            after: timer.after_ms,
            needs: timer.needs.required(),
            looks: timer.checks_ms,
        };
        SimServer { hearts: self.heartbeats.iter().map(heart).collect(), idle: self.idle.map(idle) }
    }

    fn network(&self, dice: &mut Dice) -> SimNetwork {
        let is_calm = self.latency_ms == 0 && self.lost == 0.0;
        SimNetwork {
            delays: if is_calm {
                Vec::new()
            } else {
                dice.delays(self.latency_ms, 5, self.lost, LONGEST_REPEAT_MS)
            },
            lateness: if self.jitter_ms == 0 {
                Vec::new()
            } else {
                (0..61).map(|_| dice.between(0, self.jitter_ms + 1)).collect()
            },
            lifetime: self.lifetime_ms,
            restart: self.restart_ms.map(|at| (at, self.restart_code)),
            closes_half_closed: self.closes_half_closed,
            closes_stalled: self.closes_stalled_ms,
        }
    }

    /// Plays it and compares each claim with the truth.
    pub fn judge(&self, seed: u64) -> Vec<Judged> {
        let mut dice = Dice::new(seed);
        let (server, network) = (self.server(), self.network(&mut dice));
        let records = clients(&server, &network, self.every_ms, self.max_ms);
        let watch = ObservationQuality {
            every: ms(self.every_ms),
            whole: true,
            control_confirmed: true,
            stood_still: self.stall_ms.map(ms),
            unanswered: ms(self.latency_ms * 2),
            held_back: None,
        };
        let findings = ZombieFindings::of(records, watch);
        let mut judge = Judge::default();
        for finding in findings.learned().iter().chain(&findings.reasons) {
            self.judge_finding(&mut judge, finding, &findings, &server);
        }
        self.add_possible(&mut judge, &findings);
        judge.claims()
    }

    fn judge_finding(
        &self,
        judge: &mut Judge,
        finding: &ZombieFinding,
        findings: &ZombieFindings,
        server: &SimServer,
    ) {
        let code = finding.label();
        let network = SimNetwork { delays: vec![self.latency_ms], ..SimNetwork::default() };
        let check = ClaimCheck { server, network: &network, every: self.every_ms, max: self.max_ms };
        // If a healthy client lives by chance, nothing is true of such clients.
        if !self.life(server, Behaviour::Control).is_kept() || self.is_decided_by_chance(server, findings) {
            return;
        }
        let truth = match finding {
            ZombieFinding::ReapsDeadClients { .. } => self.try_reaps(server),
            ZombieFinding::ZombiesKept { clients, .. } => {
                let kept = clients.iter().all(|behaviour| self.life(server, *behaviour).is_kept());
                is(kept, "the server closes such clients")
            }
            ZombieFinding::HalfClosedKept { .. } => is(!self.closes_half_closed, "it closes such clients"),
            ZombieFinding::GivesUpUnanswered(_)
            | ZombieFinding::UnansweredTolerated { .. }
            | ZombieFinding::NoHeartbeatAndNoTimer { .. } => check.try_policy(&findings.policy),
            ZombieFinding::IdleTimer { idle, .. } => check.try_policy(&ReapingPolicy::Idle(*idle, None)),
            ZombieFinding::LongestDetection { at_most } => self.try_longest(server, *at_most),
            ZombieFinding::SkipsActiveClients => is(self.skips(), "it skips nobody"),
            ZombieFinding::AppTrafficNeeded(evidence) => self.try_needed(&check, *evidence),
            ZombieFinding::AppTrafficNotNeeded { .. } => {
                let kept = |behaviour| self.life(server, behaviour).is_kept();
                is(kept(Behaviour::Quiet) && kept(Behaviour::PingsOnly), "such a client is closed")
            }
            ZombieFinding::PerhapsRestart { .. } => is(self.restart_ms.is_some(), "nothing restarted"),
            _ => return,
        };
        judge.claimed(code, truth);
    }

    /// Such a client, if nothing else ends connections.
    fn life(&self, server: &SimServer, behaviour: Behaviour) -> wscheck::domain::zombie::ClientRecord {
        let network = SimNetwork {
            delays: vec![self.latency_ms],
            closes_half_closed: self.closes_half_closed,
            closes_stalled: self.closes_stalled_ms,
            ..SimNetwork::default()
        };
        SimLife::new(server, &network, behaviour, SimClient::of(behaviour, self.every_ms)).record(self.max_ms)
    }

    /// Whether lateness alone decided if a client that answers was kept, so that neither is true of such clients.
    fn is_decided_by_chance(&self, server: &SimServer, findings: &ZombieFindings) -> bool {
        let is_other = |behaviour: &Behaviour| {
            let was_kept = findings.client(*behaviour).is_some_and(|client| client.is_kept());
            self.life(server, *behaviour).is_kept() != was_kept
        };
        let is_left_alone = self.lifetime_ms.is_none() && self.restart_ms.is_none() && self.lost == 0.0;
        is_left_alone && [Behaviour::Quiet, Behaviour::PingsOnly].iter().any(is_other)
    }

    fn try_reaps(&self, server: &SimServer) -> Result<(), String> {
        let dead = [Behaviour::Mute, Behaviour::Stalled, Behaviour::HalfClosed];
        let kept = dead.into_iter().find(|behaviour| self.life(server, *behaviour).is_kept());
        is(kept.is_none(), format!("it keeps {kept:?}"))
    }

    /// A client that dies just after an answer, at several moments.
    fn try_longest(&self, server: &SimServer, at_most: Duration) -> Result<(), String> {
        let healthy = SimClient { pongs: true, answers: true, ..SimClient::default() };
        let network = SimNetwork::default();
        for dies_at in (1..8).map(|n| n * self.max_ms / 17) {
            let client = SimClient { dies_at: Some(dies_at), ..healthy };
            let lived = SimLife::new(server, &network, Behaviour::Quiet, client).record(self.max_ms).ended();
            let kept = lived.map_or(ms(self.max_ms), |lived| lived).saturating_sub(ms(dies_at));
            if kept > at_most + tolerance(at_most) + ms(self.jitter_ms * 2) {
                return Err(format!("a client that dies after {dies_at} ms is kept for {kept:?}"));
            }
        }
        Ok(())
    }

    fn skips(&self) -> bool {
        self.heartbeats.iter().any(|beat| beat.skips.is_some() || beat.from != Origin::Clock)
    }

    fn try_needed(&self, check: &ClaimCheck<'_>, evidence: TrafficEvidence) -> Result<(), String> {
        let quiet = SimClient { pongs: true, answers: true, ..SimClient::default() };
        let pings = SimClient { answers: false, pings: Some(self.every_ms), ..quiet };
        let closed = |client: SimClient| check.kept(client).is_some();
        match evidence {
            TrafficEvidence::NotNeeded { .. } => is(!closed(quiet) && !closed(pings), "more is needed"),
            TrafficEvidence::Pings { .. } => {
                is(closed(quiet) && !closed(pings), "Pings are not what it needs")
            }
            TrafficEvidence::Messages { .. } => {
                is(closed(quiet) && closed(pings), "messages are not what it needs")
            }
            TrafficEvidence::Answers { .. } => {
                is(!closed(quiet) && closed(pings), "answers are not what it needs")
            }
        }
    }

    fn add_possible(&self, judge: &mut Judge, findings: &ZombieFindings) {
        let is_calm = self.lifetime_ms.is_none()
            && self.restart_ms.is_none()
            && self.stall_ms.is_none()
            && self.lost == 0.0
            && self.closes_stalled_ms.is_none()
            && self.jitter_ms <= 10;
        let closes_in_time = |total: u64| total * 3 < self.max_ms;
        let of_heart = |beat: &Heartbeat| {
            beat.misses.map(|misses| beat.first_ms + (misses - 1) * beat.interval_ms + beat.timeout_ms)
        };
        let plain =
            |beat: &Heartbeat| beat.from == Origin::Clock && beat.skips.is_none() && beat.takes.is_none();
        let (beats, idle) = (self.heartbeats.as_slice(), self.idle);
        let is_mute_closed = findings.client(Behaviour::Mute).is_some_and(|mute| mute.ended().is_some());
        let one = match (beats, idle) {
            ([beat], None) if plain(beat) => Some(beat),
            _ => None,
        };
        let gives_up = one.and_then(of_heart).is_some_and(closes_in_time);
        judge.possible("gives_up_unanswered", is_calm && gives_up);
        let tolerates = one.is_some_and(|beat| beat.misses.is_none() && beat.interval_ms * 8 < self.max_ms);
        judge.possible("unanswered_tolerated", is_calm && tolerates);
        let is_timer = beats.is_empty()
            && idle.is_some_and(|timer| {
                timer.checks_ms.is_none()
                    && timer.needs != Needs::OwnFrames
                    && closes_in_time(timer.after_ms)
                    && timer.after_ms > self.every_ms * 2
            });
        judge.possible("idle_timer", is_calm && is_timer);
        judge.possible("no_heartbeat_and_no_timer", is_calm && beats.is_empty() && idle.is_none());
        judge.possible("reaps_dead_clients", is_calm && (gives_up || is_timer) && is_mute_closed);
        judge.possible("zombies_kept", is_calm && beats.is_empty() && idle.is_none());
        let skips = |beat: &Heartbeat| {
            beat.skips.is_some_and(|skips| skips != Needs::AnyFrame)
                && beat.from == Origin::Clock
                && self.every_ms < beat.interval_ms
        };
        judge.possible("skips_active_clients", is_calm && idle.is_none() && matches!(beats, [beat] if skips(beat) && beat.misses.is_some() && of_heart(beat).is_some_and(closes_in_time)));
        judge.possible(
            "longest_detection",
            is_calm && gives_up && one.is_some_and(|beat| beat.interval_ms * 5 < self.max_ms),
        );
        judge.possible("app_traffic_needed", is_calm && is_timer);
        judge.possible("app_traffic_not_needed", is_calm && gives_up && one.is_some_and(|beat| !beat.app));
        judge.possible(
            "half_closed_kept",
            is_calm && beats.is_empty() && idle.is_none() && !self.closes_half_closed,
        );
    }

    /// Draws a server.
    pub fn draw(dice: &mut Dice) -> ZombieWorld {
        let steps = |dice: &mut Dice, from: u64, to: u64| dice.between(from, to) * STEP_MS;
        let heartbeat = |dice: &mut Dice, app: bool| {
            let interval_ms = steps(dice, 30, 400);
            Heartbeat {
                app,
                interval_ms,
                first_ms: ((interval_ms as f64 * dice.part()) as u64 / STEP_MS * STEP_MS).max(STEP_MS),
                from: dice.pick(&[
                    Origin::Clock,
                    Origin::Clock,
                    Origin::Clock,
                    Origin::LastFrame,
                    Origin::LastMessage,
                ]),
                skips: dice.perhaps(0.25, Self::draw_needs),
                misses: dice.perhaps(0.75, |dice| dice.between(1, 4)),
                timeout_ms: steps(dice, 10, 300),
                takes: dice.perhaps(0.25, Self::draw_needs),
            }
        };
        let ping = dice.perhaps(0.6, |dice| heartbeat(dice, false));
        let app = dice.perhaps(0.35, |dice| heartbeat(dice, true));
        let idle = dice.perhaps(0.4, |dice| IdleTimer {
            after_ms: steps(dice, 60, 800),
            needs: Self::draw_needs(dice),
            checks_ms: dice.perhaps(0.4, |dice| (steps(dice, 20, 600), steps(dice, 0, 600))),
        });
        let world = ZombieWorld {
            heartbeats: ping.into_iter().chain(app).collect(),
            idle,
            closes_half_closed: dice.chance(0.6),
            jitter_ms: dice.perhaps(0.25, |dice| dice.between(0, 30)).unwrap_or(0),
            // The intervals are a tenth of usual ones, so the latency is, too.
            latency_ms: dice.perhaps(0.3, |dice| dice.between(0, 20)).unwrap_or(0),
            every_ms: steps(dice, 40, 200),
            ..ZombieWorld::default()
        };
        let max = world.max_ms;
        match dice.between(0, 20) {
            0 => ZombieWorld { lifetime_ms: Some(dice.of_any_size(500, max)), ..world },
            1 => ZombieWorld {
                restart_ms: Some(dice.between(500, max)),
                restart_code: dice.pick(&[None, Some(1001), Some(1012)]),
                ..world
            },
            2 => ZombieWorld { lost: 0.02 * dice.part(), ..world },
            3 => ZombieWorld { stall_ms: Some(dice.between(300, 3_000)), ..world },
            4 => ZombieWorld { closes_stalled_ms: Some(dice.between(200, 5_000)), ..world },
            _ => world,
        }
    }

    fn draw_needs(dice: &mut Dice) -> Needs {
        dice.pick(&[Needs::AnyFrame, Needs::OwnFrames, Needs::Messages])
    }
}
