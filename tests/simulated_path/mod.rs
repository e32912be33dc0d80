//! A simulated path in virtual time that drives a [`Search`] like real connections would, for tests and benchmarks. It
//! also documents what the search has to cope with.

use std::time::Duration;

use wscheck::domain::connection::close_cause::{CloseKind, Violation};
use wscheck::domain::connection::untrusted_text::UntrustedText;
use wscheck::domain::heartbeat::HeartbeatKind as Heartbeats;
use wscheck::domain::idle::{
    DeathCause, IdleFindings, Observation, ProbeEvent, ProbeId, ProbeOrder, ProbeRole, ResetBy, Search,
    SearchPlan, SearchStep, VisibleEnd,
};

/// The idle timeout.
#[derive(Debug, Clone, Copy)]
pub enum SimTimer {
    Never,
    Exact(Duration),
    /// Varies by up to this fraction in either direction.
    Jittered(Duration, f64),
    /// Varies by up to this time in either direction.
    Coarse(Duration, Duration),
    /// Uniform between the two.
    Between(Duration, Duration),
    /// Checked only at this interval (the second value): a connection ends at the first check after the timeout.
    Ticking(Duration, Duration),
}

/// How a cut is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimCut {
    Fin,
    HalfClose,
    Rst,
    CloseFrame(u16),
    Silent,
    RstOnUse,
    /// The direction from the server is lost until the client sends.
    Healing,
}

impl SimCut {
    pub const ALL: [SimCut; 6] = [
        SimCut::Fin,
        SimCut::HalfClose,
        SimCut::Rst,
        SimCut::CloseFrame(1000),
        SimCut::Silent,
        SimCut::RstOnUse,
    ];

    pub fn is_visible(self) -> bool {
        matches!(self, SimCut::Fin | SimCut::HalfClose | SimCut::Rst | SimCut::CloseFrame(_))
    }

    fn visible_end(self) -> VisibleEnd {
        let how = match self {
            SimCut::Fin | SimCut::HalfClose => CloseKind::Fin,
            SimCut::CloseFrame(code) => {
                CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::default() }
            }
            SimCut::Rst | SimCut::Silent | SimCut::RstOnUse | SimCut::Healing => CloseKind::Rst,
        };
        VisibleEnd { how, half_open: Some(self == SimCut::HalfClose) }
    }
}

/// The path between the two ends, and its disturbances.
#[derive(Debug, Clone)]
pub struct SimPath {
    pub timer: SimTimer,
    pub kind: SimCut,
    /// Delay of a visible cut after the hop drops the connection.
    pub linger: Duration,
    /// Age at which every connection ends.
    pub lifetime: Option<Duration>,
    /// Times at which all connections end.
    pub outages: Vec<Duration>,
    /// Time after an outage during which nothing can be opened.
    pub down: Duration,
    /// Interval of the server's messages.
    pub chatter: Option<Duration>,
    /// Time after which the server closes silent clients.
    pub patience: Option<Duration>,
    /// The only kind of heartbeat that resets the timer.
    pub reset_by: Option<ResetBy>,
    /// Fraction of connections that end at random.
    pub ending_early: f64,
    /// Range of answer times.
    pub answer: (Duration, Duration),
    /// The longest time by which a question is sent late.
    pub ask_delay: Duration,
    /// Number of connections accepted concurrently.
    pub capacity: usize,
    /// One in this many connections has this idle timeout, the others `timer`: one of several nodes differs.
    pub node: Option<(u32, Duration)>,
    /// Fraction of connections that end visibly at a random time within this span of opening.
    pub random: Option<(f64, Duration)>,
    /// Number of connections kept open concurrently; further ones end like this right after opening.
    pub admits: Option<(usize, VisibleEnd)>,
    /// A new connection ends all others like this.
    pub replaces: Option<VisibleEnd>,
    /// Age at which the server violates the protocol.
    pub broken: Option<Duration>,
}

impl SimPath {
    pub fn new(timer: SimTimer, kind: SimCut) -> SimPath {
        SimPath {
            timer,
            kind,
            linger: Duration::ZERO,
            lifetime: None,
            outages: Vec::new(),
            down: Duration::ZERO,
            chatter: None,
            patience: None,
            reset_by: None,
            ending_early: 0.0,
            answer: (Duration::from_millis(20), Duration::from_millis(20)),
            ask_delay: Duration::ZERO,
            capacity: usize::MAX,
            node: None,
            random: None,
            admits: None,
            replaces: None,
            broken: None,
        }
    }

    /// A slightly disturbed path: 2 % of the connections end at random, and answers take up to 300 ms.
    pub fn noisy(self) -> SimPath {
        SimPath { ending_early: 0.02, answer: (Duration::from_millis(5), Duration::from_millis(300)), ..self }
    }
}

/// The close of a connection that the server refuses.
pub fn close(code: u16, reason: &str) -> VisibleEnd {
    CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::new(reason) }.into()
}

/// Course of a run.
#[derive(Debug, Clone)]
pub struct SimRun {
    pub findings: IdleFindings,
    pub cost: Duration,
    /// Maximum number of concurrent connections.
    pub peak: usize,
}

/// Pseudo-random numbers (splitmix64; Steele, Lea and Flood 2014).
struct SimRng(u64);

impl SimRng {
    fn part(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, from: Duration, to: Duration) -> Duration {
        from + to.saturating_sub(from).mul_f64(self.part())
    }
}

#[derive(Debug, Clone)]
enum SimState {
    Opening {
        ready: Duration,
    },
    Silent,
    /// The question was sent, and its result is known.
    Asked {
        told_at: Duration,
        seen: ProbeEvent,
    },
}

#[derive(Debug, Clone)]
struct SimProbe {
    id: ProbeId,
    role: ProbeRole,
    state: SimState,
    opened: Duration,
    since: Duration,
    ask_at: Option<Duration>,
    /// By how much its question is sent late.
    ask_delay: Duration,
    /// The connection's own timeout, if any.
    timeout: Option<Duration>,
    /// When it ends at random, and whether that is visible.
    early_end: Option<(Duration, bool)>,
    /// How that end is seen.
    early_visible_end: VisibleEnd,
    /// When a control's next heartbeat is reported.
    beat: Option<Duration>,
}

fn is_control(role: ProbeRole) -> bool {
    matches!(role, ProbeRole::Control | ProbeRole::SecondControl)
}

const FOREVER: Duration = Duration::from_secs(1 << 32);

struct SimWorld<'a> {
    path: &'a SimPath,
    plan: SearchPlan,
    dice: SimRng,
    probes: Vec<SimProbe>,
    /// Number of connections ordered.
    ordered: u32,
}

/// Runs a search against a path.
pub fn play(plan: &SearchPlan, path: &SimPath, seed: u64) -> SimRun {
    let mut search = Search::new(plan.clone()).expect("the plan is sound");
    let mut world = SimWorld { path, plan: plan.clone(), dice: SimRng(seed), probes: Vec::new(), ordered: 0 };
    let (mut now, mut peak) = (Duration::ZERO, 0);
    for _ in 0..60_000 {
        match search.next(now) {
            SearchStep::Done => return SimRun { findings: search.findings(now), cost: now, peak },
            SearchStep::Act(orders) => orders.iter().for_each(|order| world.carry_out(*order, now)),
            SearchStep::Wait { until } => {
                assert!(until > now, "the search waits for {until:?} at {now:?}");
                now = world.next_moment().min(until).max(now);
                world.happen(now).iter().for_each(|observation| search.observe(observation));
            }
        }
        peak = peak.max(world.probes.len());
    }
    panic!("no end of it: {path:?}, seed {seed}");
}

impl SimWorld<'_> {
    fn carry_out(&mut self, order: ProbeOrder, now: Duration) {
        match order {
            ProbeOrder::Open { probe, role, ask_at } => self.open(probe, role, ask_at, now),
            ProbeOrder::Cancel { probe } => self.probes.retain(|one| one.id != probe),
            ProbeOrder::Ask { probe, at } => {
                let found = self.probes.iter_mut().find(|one| one.id == probe);
                found.into_iter().for_each(|probe| probe.ask_at = Some(at));
            }
        }
    }

    fn open(&mut self, id: ProbeId, role: ProbeRole, ask_at: Option<Duration>, now: Duration) {
        self.ordered += 1;
        let dice = &mut self.dice;
        let delay = match self.path.timer {
            SimTimer::Ticking(..) if !is_control(role) => id.opening_delay(&self.plan),
            _ => Duration::ZERO,
        };
        let ready = now + delay + dice.between(self.path.answer.0, self.path.answer.1) * 2;
        let never = FOREVER;
        let timeout = match self.path.timer {
            SimTimer::Never => None,
            SimTimer::Exact(timeout) | SimTimer::Ticking(timeout, _) => Some(timeout),
            SimTimer::Jittered(timeout, part) => {
                Some(dice.between(timeout.mul_f64(1.0 - part), timeout.mul_f64(1.0 + part)))
            }
            SimTimer::Coarse(timeout, by) => Some(dice.between(timeout.saturating_sub(by), timeout + by)),
            SimTimer::Between(from, to) => Some(dice.between(from, to)),
        };
        let timeout = match self.path.node {
            Some((every, timeout)) if self.ordered.is_multiple_of(every) => Some(timeout),
            Some(_) | None => timeout,
        };
        let span = timeout.unwrap_or(self.plan.max).mul_f64(1.2) + Duration::from_secs(10);
        let ending_early = dice.part() < self.path.ending_early;
        let early_end = (ready + span.mul_f64(dice.part()), dice.part() < 0.5);
        let early_end = ending_early.then_some(early_end);
        let random = self.path.random.filter(|(part, _)| dice.part() < *part);
        let early_end = random.map(|(_, within)| (ready + within.mul_f64(dice.part()), true)).or(early_end);
        let late = self.path.ask_delay;
        let ask_delay = if late.is_zero() { late } else { dice.between(Duration::ZERO, late) };
        let state = SimState::Opening { ready };
        self.probes.push(SimProbe {
            id,
            role,
            state,
            opened: never,
            since: never,
            ask_at,
            ask_delay,
            timeout,
            early_end,
            early_visible_end: CloseKind::Rst.into(),
            beat: None,
        });
    }

    fn next_moment(&self) -> Duration {
        self.probes.iter().map(|probe| self.moment(probe)).min().unwrap_or(FOREVER)
    }

    /// The next time at which a connection has an event.
    fn moment(&self, probe: &SimProbe) -> Duration {
        match &probe.state {
            SimState::Opening { ready } => *ready,
            SimState::Asked { told_at, .. } => *told_at,
            SimState::Silent if is_control(probe.role) => {
                let end = self.control_end(probe);
                probe
                    .beat
                    .filter(|beat| *beat < end)
                    .unwrap_or_else(|| self.control_end_reported_at(probe, end))
            }
            SimState::Silent => {
                let ask = probe.ask_at.map_or(FOREVER, |at| probe.since + at + probe.ask_delay);
                self.visible_end_at(probe).min(ask).min(self.next_server_message(probe))
            }
        }
    }

    fn next_server_message(&self, probe: &SimProbe) -> Duration {
        let Some(period) = self.path.chatter else { return FOREVER };
        let server_message_at = probe.since + period;
        if server_message_at < self.dead_at(probe) { server_message_at } else { FOREVER }
    }

    fn outage(&self, probe: &SimProbe) -> Duration {
        self.path.outages.iter().copied().filter(|at| *at >= probe.opened).min().unwrap_or(FOREVER)
    }

    fn death_of_age(&self, probe: &SimProbe) -> Duration {
        self.path.lifetime.or(self.path.broken).map_or(FOREVER, |age| probe.opened + age)
    }

    fn patience_end(&self, probe: &SimProbe) -> Duration {
        self.path.patience.map_or(FOREVER, |patience| probe.opened + patience)
    }

    /// When the timer ends an idle connection.
    fn idle_end(&self, probe: &SimProbe) -> Duration {
        let Some(timeout) = probe.timeout else { return FOREVER };
        let end = probe.since + timeout;
        match self.path.timer {
            SimTimer::Ticking(_, tick) => {
                let ticks = end.as_nanos().div_ceil(tick.as_nanos().max(1));
                tick.saturating_mul(ticks as u32)
            }
            _ => end,
        }
    }

    /// Whether ends are visible; a protocol violation always is.
    fn is_visible(&self) -> bool {
        self.path.kind.is_visible() || self.path.broken.is_some()
    }

    /// How the server itself closes the connection.
    fn visible_end(&self) -> VisibleEnd {
        let garbage = || CloseKind::Violation {
            rule: Violation::Garbage,
            detail: UntrustedText::default(),
            close: None,
        };
        self.path.broken.map_or_else(|| self.path.kind.visible_end(), |_| garbage().into())
    }

    /// When an idle connection is lost, visibly or not.
    fn dead_at(&self, probe: &SimProbe) -> Duration {
        let idle = self.idle_end(probe);
        let early_end = probe.early_end.map_or(FOREVER, |(at, _)| at);
        idle.min(early_end)
            .min(self.outage(probe))
            .min(self.death_of_age(probe))
            .min(self.patience_end(probe))
    }

    fn visible_end_at(&self, probe: &SimProbe) -> Duration {
        let early_end = probe.early_end.filter(|(_, visible)| *visible).map_or(FOREVER, |(at, _)| at);
        if !self.is_visible() {
            return early_end;
        }
        let idle = self.idle_end(probe).saturating_add(self.path.linger);
        idle.min(early_end)
            .min(self.outage(probe))
            .min(self.death_of_age(probe))
            .min(self.patience_end(probe))
    }

    /// Whether a control's heartbeats do not reset the timer.
    fn is_idle_to_the_timer(&self, role: ProbeRole) -> bool {
        let sends = match self.plan.kind {
            Heartbeats::Protocol | Heartbeats::Http2 => ResetBy::Pings,
            Heartbeats::App => ResetBy::Messages,
        };
        role == ProbeRole::Control && self.path.reset_by.is_some_and(|wanted| wanted != sends)
    }

    fn control_end(&self, probe: &SimProbe) -> Duration {
        let early_end = probe.early_end.map_or(FOREVER, |(at, _)| at);
        // Its heartbeats do not count, or come too late for the shortest timeouts.
        let is_idle = |timeout: &Duration| {
            self.is_idle_to_the_timer(probe.role) || *timeout < self.plan.control_interval
        };
        let idle = probe.timeout.filter(is_idle);
        let idle = idle.map_or(FOREVER, |timeout| probe.opened + timeout);
        early_end.min(idle).min(self.outage(probe)).min(self.death_of_age(probe))
    }

    /// When a control's end is reported: at once if visible, else when a heartbeat is unanswered.
    fn control_end_reported_at(&self, probe: &SimProbe, end: Duration) -> Duration {
        let shows = self.is_visible() || probe.early_end.is_some_and(|(_, visible)| visible);
        if shows || end == FOREVER {
            end
        } else {
            end + self.plan.control_interval + self.plan.answer_timeout
        }
    }

    fn happen(&mut self, now: Duration) -> Vec<Observation> {
        let mut seen = Vec::new();
        for index in 0..self.probes.len() {
            if self.moment(&self.probes[index]) <= now {
                let probe = self.probes[index].clone();
                self.advance(index, &probe, now, &mut seen);
            }
        }
        let over = |seen: &ProbeEvent| {
            matches!(
                seen,
                ProbeEvent::OpenFailed { .. }
                    | ProbeEvent::Survived { .. }
                    | ProbeEvent::Died { .. }
                    | ProbeEvent::Ended { .. }
            )
        };
        let ended: Vec<_> = seen.iter().filter(|o| over(&o.seen)).map(|o| o.probe).collect();
        self.probes.retain(|probe| !ended.contains(&probe.id));
        if !ended.is_empty() {
            self.expect_beat(now);
        }
        seen
    }

    /// Reports control heartbeats only after a death, when the search needs them.
    fn expect_beat(&mut self, now: Duration) {
        let interval = self.plan.control_interval;
        let controls =
            self.probes.iter_mut().filter(|probe| is_control(probe.role) && probe.opened < FOREVER);
        controls.for_each(|probe| probe.beat = probe.beat.or(Some(now + interval)));
    }

    fn advance(&mut self, index: usize, probe: &SimProbe, now: Duration, seen: &mut Vec<Observation>) {
        let mut tell = |what: ProbeEvent| seen.push(Observation { probe: probe.id, at: now, seen: what });
        match (&probe.state, probe.role) {
            (SimState::Opening { .. }, _) => tell(self.finish_opening(index, now)),
            (SimState::Asked { seen, .. }, _) => tell(seen.clone()),
            (SimState::Silent, ProbeRole::Control | ProbeRole::SecondControl) => {
                tell(self.control_moment(index, probe, now))
            }
            (SimState::Silent, _) if self.visible_end_at(probe) <= now => {
                let early_end = probe.early_end.is_some_and(|(at, visible)| visible && at <= now);
                let visible_end =
                    if early_end { probe.early_visible_end.clone() } else { self.visible_end() };
                tell(ProbeEvent::Ended { idle: now - probe.since, visible_end });
            }
            (SimState::Silent, _) if self.next_server_message(probe) <= now => {
                tell(ProbeEvent::ServerMessage { gap: now - probe.since });
                self.probes[index].since = now;
            }
            (SimState::Silent, _) => {
                tell(ProbeEvent::Asked { idle: now - probe.since });
                let (told_at, seen) = self.answer(probe, now);
                self.probes[index].state = SimState::Asked { told_at, seen };
            }
        }
    }

    fn finish_opening(&mut self, index: usize, now: Duration) -> ProbeEvent {
        let open = self.probes.iter().filter(|probe| probe.opened < FOREVER).count();
        let down = |at: &Duration| (*at..*at + self.path.down).contains(&now);
        if self.path.outages.iter().any(down) {
            return ProbeEvent::OpenFailed { why: "connection refused".to_string() };
        }
        if open >= self.path.capacity {
            return ProbeEvent::OpenFailed { why: "429 too many requests".to_string() };
        }
        self.bring_about_ends(index, open, now);
        let probe = &mut self.probes[index];
        (probe.state, probe.opened, probe.since) = (SimState::Silent, now, now);
        probe.beat = Some(now + self.plan.control_interval).filter(|_| is_control(probe.role));
        ProbeEvent::Opened
    }

    /// Ends other connections when one opens, if configured.
    fn bring_about_ends(&mut self, index: usize, open: usize, now: Duration) {
        let at = now + Duration::from_millis(3);
        if let Some((_, visible_end)) = self.path.admits.as_ref().filter(|(most, _)| open >= *most) {
            self.probes[index].early_end = Some((at, true));
            self.probes[index].early_visible_end = visible_end.clone();
        }
        let Some(visible_end) = &self.path.replaces else { return };
        for probe in
            self.probes.iter_mut().filter(|probe| probe.opened < FOREVER && probe.early_end.is_none())
        {
            (probe.early_end, probe.early_visible_end) = (Some((at, true)), visible_end.clone());
        }
    }

    fn control_moment(&mut self, index: usize, probe: &SimProbe, now: Duration) -> ProbeEvent {
        let end = self.control_end(probe);
        match probe.beat {
            Some(beat) if beat < end => {
                self.probes[index].beat = None;
                ProbeEvent::Beat
            }
            _ if self.control_end_reported_at(probe, end) == end => {
                let early_end = probe.early_end.is_some_and(|(at, visible)| visible && at <= end);
                let visible_end =
                    if early_end { probe.early_visible_end.clone() } else { self.visible_end() };
                ProbeEvent::Ended { idle: Duration::ZERO, visible_end }
            }
            _ => ProbeEvent::Ended { idle: now - end, visible_end: CloseKind::Timeout.into() },
        }
    }

    /// The result of a question, and its time.
    fn answer(&mut self, probe: &SimProbe, now: Duration) -> (Duration, ProbeEvent) {
        let idle = now - probe.since;
        let rtt = self.dice.between(self.path.answer.0, self.path.answer.1);
        let dead_at = self.dead_at(probe);
        if now < dead_at {
            return (now + rtt, ProbeEvent::Survived { idle, rtt });
        }
        let idle_cut = self.idle_end(probe) == dead_at;
        let timeout = now + self.plan.answer_timeout;
        match self.path.kind {
            SimCut::Healing if idle_cut && !self.plan.two_ended => {
                (now + rtt, ProbeEvent::Survived { idle, rtt })
            }
            SimCut::Healing if idle_cut => {
                (timeout, ProbeEvent::Died { idle, death: DeathCause::ServerUnheard })
            }
            SimCut::RstOnUse => {
                (now + rtt, ProbeEvent::Died { idle, death: DeathCause::CutOnUse(CloseKind::Rst.into()) })
            }
            kind => match self.visible_end_at(probe) {
                end if end < timeout => {
                    (end.max(now), ProbeEvent::Died { idle, death: DeathCause::CutOnUse(kind.visible_end()) })
                }
                _ => {
                    (timeout, ProbeEvent::Died { idle, death: DeathCause::Unanswered { acked: Some(false) } })
                }
            },
        }
    }
}
