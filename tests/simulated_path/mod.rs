//! A simulated path in virtual time, which drives a [`Search`] as real connections would. It serves the tests
//! and the benchmark; whoever reads it may see what the search has to cope with.

use std::time::Duration;

use wscheck::domain::connection::close_cause::{CloseKind, Violation};
use wscheck::domain::connection::untrusted_text::UntrustedText;
use wscheck::domain::heartbeat::HeartbeatKind as Heartbeats;
use wscheck::domain::idle::{
    DeathCause, IdleFindings, Observation, ProbeEvent, ProbeId, ProbeOrder, ProbeRole, ResetBy, Search,
    SearchPlan, SearchStep, VisibleEnd,
};

/// How long a connection may be idle.
#[derive(Debug, Clone, Copy)]
pub enum SimTimer {
    Never,
    Exact(Duration),
    /// Off by up to this part of itself, either way.
    Jittered(Duration, f64),
    /// Off by up to so much, either way.
    Coarse(Duration, Duration),
    /// Anything between the two.
    Between(Duration, Duration),
    /// Looked at only so often (the second): a connection ends at the first look when it is so long idle.
    Ticking(Duration, Duration),
}

/// What a cut looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimCut {
    Fin,
    HalfClose,
    Rst,
    CloseFrame(u16),
    Silent,
    RstOnUse,
    /// The way from the server is lost until the client speaks.
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

    fn cut(self) -> VisibleEnd {
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

/// What is between the two ends, and how it errs.
#[derive(Debug, Clone)]
pub struct SimPath {
    pub timer: SimTimer,
    pub kind: SimCut,
    /// A visible cut is told so much later than the hop lets go.
    pub linger: Duration,
    /// The age at which every connection ends.
    pub lifetime: Option<Duration>,
    /// Moments at which all connections die.
    pub outages: Vec<Duration>,
    /// After an outage nothing can be opened for so long.
    pub down: Duration,
    /// The server speaks so often.
    pub chatter: Option<Duration>,
    /// It lets go of clients that said nothing for so long.
    pub patience: Option<Duration>,
    /// The only kind of heartbeat that resets the timer.
    pub reset_by: Option<ResetBy>,
    /// This part of all connections dies for no reason.
    pub doomed: f64,
    /// An answer takes between so long and so long.
    pub answer: (Duration, Duration),
    /// So many connections are accepted at once.
    pub capacity: usize,
    /// Of every so many connections one has this idle timeout, and the others have `timer`: one of several nodes.
    pub node: Option<(u32, Duration)>,
    /// This part of all connections ends visibly within so long of opening, at any moment.
    pub random: Option<(f64, Duration)>,
    /// So many connections stay open at once; those beyond end so right after opening.
    pub admits: Option<(usize, VisibleEnd)>,
    /// A connection that opens ends all others, so.
    pub replaces: Option<VisibleEnd>,
    /// At this age the server breaks the protocol.
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
            doomed: 0.0,
            answer: (Duration::from_millis(20), Duration::from_millis(20)),
            capacity: usize::MAX,
            node: None,
            random: None,
            admits: None,
            replaces: None,
            broken: None,
        }
    }

    /// What happens on a path that is not quite quiet: 2 % of the connections die for no reason, and
    /// answers take up to 300 ms.
    pub fn noisy(self) -> SimPath {
        SimPath { doomed: 0.02, answer: (Duration::from_millis(5), Duration::from_millis(300)), ..self }
    }
}

/// How a server closes a connection that it takes no more.
pub fn close(code: u16, reason: &str) -> VisibleEnd {
    CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::new(reason) }.into()
}

/// A run's course.
#[derive(Debug, Clone)]
pub struct SimRun {
    pub findings: IdleFindings,
    pub cost: Duration,
    /// The most connections at once.
    pub peak: usize,
}

/// Numbers that look random (splitmix64; Steele, Lea and Flood 2014).
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
    /// The question is on its way, and what will come of it is known.
    Asked {
        told: Duration,
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
    /// Its own timeout, if there is one.
    timeout: Option<Duration>,
    /// When it dies for no reason, and whether that is seen.
    doom: Option<(Duration, bool)>,
    /// How that is seen.
    doom_cut: VisibleEnd,
    /// Of a control: when its next heartbeat is told.
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
    lines: Vec<SimProbe>,
    /// Connections that were ordered.
    ordered: u32,
}

/// Lets a search play against a path.
pub fn play(plan: &SearchPlan, path: &SimPath, seed: u64) -> SimRun {
    let mut search = Search::new(plan.clone()).expect("the plan is sound");
    let mut world = SimWorld { path, plan: plan.clone(), dice: SimRng(seed), lines: Vec::new(), ordered: 0 };
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
        peak = peak.max(world.lines.len());
    }
    panic!("no end of it: {path:?}, seed {seed}");
}

impl SimWorld<'_> {
    fn carry_out(&mut self, order: ProbeOrder, now: Duration) {
        match order {
            ProbeOrder::Open { probe, role, ask_at } => self.open(probe, role, ask_at, now),
            ProbeOrder::Cancel { probe } => self.lines.retain(|line| line.id != probe),
            ProbeOrder::Ask { probe, at } => {
                let found = self.lines.iter_mut().find(|line| line.id == probe);
                found.into_iter().for_each(|line| line.ask_at = Some(at));
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
        let doomed = dice.part() < self.path.doomed;
        let doom = (ready + span.mul_f64(dice.part()), dice.part() < 0.5);
        let doom = doomed.then_some(doom);
        let random = self.path.random.filter(|(part, _)| dice.part() < *part);
        let doom = random.map(|(_, within)| (ready + within.mul_f64(dice.part()), true)).or(doom);
        let state = SimState::Opening { ready };
        self.lines.push(SimProbe {
            id,
            role,
            state,
            opened: never,
            since: never,
            ask_at,
            timeout,
            doom,
            doom_cut: CloseKind::Rst.into(),
            beat: None,
        });
    }

    fn next_moment(&self) -> Duration {
        self.lines.iter().map(|line| self.moment(line)).min().unwrap_or(FOREVER)
    }

    /// When something happens next on a line.
    fn moment(&self, line: &SimProbe) -> Duration {
        match &line.state {
            SimState::Opening { ready } => *ready,
            SimState::Asked { told, .. } => *told,
            SimState::Silent if is_control(line.role) => {
                let end = self.control_end(line);
                line.beat.filter(|beat| *beat < end).unwrap_or_else(|| self.control_told(line, end))
            }
            SimState::Silent => {
                let ask = line.ask_at.map_or(FOREVER, |at| line.since + at);
                self.visible_end(line).min(ask).min(self.next_words(line))
            }
        }
    }

    fn next_words(&self, line: &SimProbe) -> Duration {
        let words = self.path.chatter.map_or(FOREVER, |period| line.since + period);
        if words < self.gone(line) { words } else { FOREVER }
    }

    fn outage(&self, line: &SimProbe) -> Duration {
        self.path.outages.iter().copied().filter(|at| *at >= line.opened).min().unwrap_or(FOREVER)
    }

    fn death_of_age(&self, line: &SimProbe) -> Duration {
        self.path.lifetime.or(self.path.broken).map_or(FOREVER, |age| line.opened + age)
    }

    fn impatience(&self, line: &SimProbe) -> Duration {
        self.path.patience.map_or(FOREVER, |patience| line.opened + patience)
    }

    /// When the timer ends a silent line.
    fn idle_end(&self, line: &SimProbe) -> Duration {
        let Some(timeout) = line.timeout else { return FOREVER };
        let end = line.since + timeout;
        match self.path.timer {
            SimTimer::Ticking(_, tick) => {
                let ticks = end.as_nanos().div_ceil(tick.as_nanos().max(1));
                tick.saturating_mul(ticks as u32)
            }
            _ => end,
        }
    }

    /// Whether ends are seen; a broken protocol always is.
    fn is_visible(&self) -> bool {
        self.path.kind.is_visible() || self.path.broken.is_some()
    }

    /// How the server ends a connection by its own hand.
    fn cut(&self) -> VisibleEnd {
        let garbage = || CloseKind::Violation {
            rule: Violation::Garbage,
            detail: UntrustedText::default(),
            close: None,
        };
        self.path.broken.map_or_else(|| self.path.kind.cut(), |_| garbage().into())
    }

    /// When a silent line is lost, seen or not.
    fn gone(&self, line: &SimProbe) -> Duration {
        let idle = self.idle_end(line);
        let doom = line.doom.map_or(FOREVER, |(at, _)| at);
        idle.min(doom).min(self.outage(line)).min(self.death_of_age(line)).min(self.impatience(line))
    }

    fn visible_end(&self, line: &SimProbe) -> Duration {
        let doom = line.doom.filter(|(_, visible)| *visible).map_or(FOREVER, |(at, _)| at);
        if !self.is_visible() {
            return doom;
        }
        let idle = self.idle_end(line).saturating_add(self.path.linger);
        idle.min(doom).min(self.outage(line)).min(self.death_of_age(line)).min(self.impatience(line))
    }

    /// Whether the heartbeats of a control do not reset the timer.
    fn is_idle_to_the_timer(&self, role: ProbeRole) -> bool {
        let sends = match self.plan.kind {
            Heartbeats::Protocol => ResetBy::Pings,
            Heartbeats::App => ResetBy::Messages,
        };
        role == ProbeRole::Control && self.path.reset_by.is_some_and(|wanted| wanted != sends)
    }

    fn control_end(&self, line: &SimProbe) -> Duration {
        let doom = line.doom.map_or(FOREVER, |(at, _)| at);
        // Its heartbeats do not count, or come too late for the shortest timeouts.
        let is_idle = |timeout: &Duration| {
            self.is_idle_to_the_timer(line.role) || *timeout < self.plan.control_interval
        };
        let idle = line.timeout.filter(is_idle);
        let idle = idle.map_or(FOREVER, |timeout| line.opened + timeout);
        doom.min(idle).min(self.outage(line)).min(self.death_of_age(line))
    }

    /// When a control's end is told: at once where it shows, else when a heartbeat stayed unanswered.
    fn control_told(&self, line: &SimProbe, end: Duration) -> Duration {
        let shows = self.is_visible() || line.doom.is_some_and(|(_, visible)| visible);
        if shows || end == FOREVER {
            end
        } else {
            end + self.plan.control_interval + self.plan.answer_timeout
        }
    }

    fn happen(&mut self, now: Duration) -> Vec<Observation> {
        let mut seen = Vec::new();
        for index in 0..self.lines.len() {
            if self.moment(&self.lines[index]) <= now {
                let line = self.lines[index].clone();
                self.advance(index, &line, now, &mut seen);
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
        let gone: Vec<_> = seen.iter().filter(|o| over(&o.seen)).map(|o| o.probe).collect();
        self.lines.retain(|line| !gone.contains(&line.id));
        if !gone.is_empty() {
            self.expect_beat(now);
        }
        seen
    }

    /// Heartbeats matter to the search after a death, so only then they are told.
    fn expect_beat(&mut self, now: Duration) {
        let interval = self.plan.control_interval;
        let controls = self.lines.iter_mut().filter(|line| is_control(line.role) && line.opened < FOREVER);
        controls.for_each(|line| line.beat = line.beat.or(Some(now + interval)));
    }

    fn advance(&mut self, index: usize, line: &SimProbe, now: Duration, seen: &mut Vec<Observation>) {
        let mut tell = |what: ProbeEvent| seen.push(Observation { probe: line.id, at: now, seen: what });
        match (&line.state, line.role) {
            (SimState::Opening { .. }, _) => tell(self.finish_opening(index, now)),
            (SimState::Asked { seen, .. }, _) => tell(seen.clone()),
            (SimState::Silent, ProbeRole::Control | ProbeRole::SecondControl) => {
                tell(self.control_moment(index, line, now))
            }
            (SimState::Silent, _) if self.visible_end(line) <= now => {
                let doom = line.doom.is_some_and(|(at, visible)| visible && at <= now);
                let cut = if doom { line.doom_cut.clone() } else { self.cut() };
                tell(ProbeEvent::Ended { idle: now - line.since, cut });
            }
            (SimState::Silent, _) if self.next_words(line) <= now => {
                tell(ProbeEvent::Spoke { gap: now - line.since });
                self.lines[index].since = now;
            }
            (SimState::Silent, _) => {
                tell(ProbeEvent::Asked { idle: now - line.since });
                let (told, seen) = self.answer(line, now);
                self.lines[index].state = SimState::Asked { told, seen };
            }
        }
    }

    fn finish_opening(&mut self, index: usize, now: Duration) -> ProbeEvent {
        let open = self.lines.iter().filter(|line| line.opened < FOREVER).count();
        let down = |at: &Duration| (*at..*at + self.path.down).contains(&now);
        if self.path.outages.iter().any(down) {
            return ProbeEvent::OpenFailed { why: "connection refused".to_string() };
        }
        if open >= self.path.capacity {
            return ProbeEvent::OpenFailed { why: "429 too many requests".to_string() };
        }
        self.bring_about_ends(index, open, now);
        let line = &mut self.lines[index];
        (line.state, line.opened, line.since) = (SimState::Silent, now, now);
        line.beat = Some(now + self.plan.control_interval).filter(|_| is_control(line.role));
        ProbeEvent::Opened
    }

    /// What the opening of one connection ends.
    fn bring_about_ends(&mut self, index: usize, open: usize, now: Duration) {
        let at = now + Duration::from_millis(3);
        if let Some((_, cut)) = self.path.admits.as_ref().filter(|(most, _)| open >= *most) {
            self.lines[index].doom = Some((at, true));
            self.lines[index].doom_cut = cut.clone();
        }
        let Some(cut) = &self.path.replaces else { return };
        for line in self.lines.iter_mut().filter(|line| line.opened < FOREVER && line.doom.is_none()) {
            (line.doom, line.doom_cut) = (Some((at, true)), cut.clone());
        }
    }

    fn control_moment(&mut self, index: usize, line: &SimProbe, now: Duration) -> ProbeEvent {
        let end = self.control_end(line);
        match line.beat {
            Some(beat) if beat < end => {
                self.lines[index].beat = None;
                ProbeEvent::Beat
            }
            _ if self.control_told(line, end) == end => {
                let doom = line.doom.is_some_and(|(at, visible)| visible && at <= end);
                let cut = if doom { line.doom_cut.clone() } else { self.cut() };
                ProbeEvent::Ended { idle: Duration::ZERO, cut }
            }
            _ => ProbeEvent::Ended { idle: now - end, cut: CloseKind::Timeout.into() },
        }
    }

    /// What comes of a question, and when that is told.
    fn answer(&mut self, line: &SimProbe, now: Duration) -> (Duration, ProbeEvent) {
        let idle = now - line.since;
        let rtt = self.dice.between(self.path.answer.0, self.path.answer.1);
        let gone = self.gone(line);
        if now < gone {
            return (now + rtt, ProbeEvent::Survived { idle, rtt });
        }
        let idle_cut = self.idle_end(line) == gone;
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
            kind => match self.visible_end(line) {
                end if end < timeout => {
                    (end.max(now), ProbeEvent::Died { idle, death: DeathCause::CutOnUse(kind.cut()) })
                }
                _ => (timeout, ProbeEvent::Died { idle, death: DeathCause::Unanswered }),
            },
        }
    }
}
