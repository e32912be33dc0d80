//! A server with heartbeats and timers and the six clients of `probe-zombie`, in virtual time. A claim about the server is
//! tested by further clients: those that the policy closes are closed, and those it keeps are kept.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use strum::IntoEnumIterator;
use wscheck::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use wscheck::domain::connection::untrusted_text::UntrustedText;
use wscheck::domain::listen::{Interarrival, ServerEvent, ServerEventKind};
use wscheck::domain::stats::interval::tolerance;
use wscheck::domain::zombie::{
    Behaviour, ClientEnd, ClientRecord, HeartbeatPolicy, IdlePolicy, ReapingPolicy, ReapingRule,
    RequiredTraffic, ServerSchedule, TimerKind,
};

/// Times are in milliseconds; this is one step.
pub const STEP_MS: u64 = 5;
/// How long an answer takes.
pub const TRIP_DELAY: u64 = 5;
pub const TRIP_MS: Duration = Duration::from_millis(TRIP_DELAY);

pub fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What a client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimFrame {
    Ping,
    Pong,
    Message,
    /// A message that answers an app ping.
    Answer,
}

impl SimFrame {
    fn is_message(self) -> bool {
        matches!(self, SimFrame::Message | SimFrame::Answer)
    }

    fn counts(self, needs: RequiredTraffic) -> bool {
        match needs {
            RequiredTraffic::AnyFrame => true,
            RequiredTraffic::OwnFrames => matches!(self, SimFrame::Ping | SimFrame::Message),
            RequiredTraffic::Messages => self.is_message(),
        }
    }
}

/// What starts a server's interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimOrigin {
    Clock,
    LastFrame,
    LastMessage,
}

/// When a server closes a client that does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimPatience {
    pub misses: u64,
    pub timeout: u64,
    /// What counts as an answer besides the requested one.
    pub takes: Option<RequiredTraffic>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimHeartbeat {
    pub event_kind: ServerEventKind,
    pub interval: u64,
    pub first: u64,
    pub from: SimOrigin,
    /// A tick skips clients that sent such a frame since the last tick.
    pub skips: Option<RequiredTraffic>,
    pub patience: Option<SimPatience>,
}

/// Closes clients from which nothing that counts came for this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimIdleTimer {
    pub after: u64,
    pub needs: RequiredTraffic,
    /// It checks for such clients at this interval and phase; `None`: it notices at once.
    pub looks: Option<(u64, u64)>,
}

impl SimIdleTimer {
    fn strikes(&self, silence: u64, at: u64) -> bool {
        let looks = self.looks.is_none_or(|(every, phase)| at % every == phase % every);
        looks && silence >= self.after
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimServer {
    pub hearts: Vec<SimHeartbeat>,
    pub idle: Option<SimIdleTimer>,
}

/// What a client sends and answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SimClient {
    pub pongs: bool,
    pub answers: bool,
    pub pings: Option<u64>,
    pub messages: Option<u64>,
    /// From then on it sends nothing.
    pub dies_at: Option<u64>,
}

impl SimClient {
    pub fn of(behaviour: Behaviour, every: u64) -> SimClient {
        let silent = SimClient::default();
        match behaviour {
            Behaviour::Control => SimClient {
                pongs: true,
                answers: true,
                pings: Some(every),
                messages: Some(every),
                dies_at: None,
            },
            Behaviour::Quiet => SimClient { pongs: true, answers: true, ..silent },
            Behaviour::PingsOnly => SimClient { pongs: true, pings: Some(every), ..silent },
            Behaviour::Mute | Behaviour::Stalled | Behaviour::HalfClosed => silent,
        }
    }

    fn answers_all_but(event_kind: ServerEventKind) -> SimClient {
        SimClient {
            pongs: event_kind != ServerEventKind::Ping,
            answers: event_kind != ServerEventKind::AppPing,
            ..SimClient::default()
        }
    }
}

/// The server's state of one kind of heartbeat.
#[derive(Debug, Clone, Copy)]
struct SimSchedule {
    heart: SimHeartbeat,
    next: u64,
    last_ask: u64,
    unanswered: u64,
    /// When the tolerated number was unanswered.
    due: Option<u64>,
}

/// A connection, from the server's side.
struct SimConnection {
    beating: Vec<SimSchedule>,
    idle: Option<SimIdleTimer>,
    /// When it began, by the server's clock.
    began: u64,
    counted: u64,
    last: [(SimFrame, Option<u64>); 4],
    /// By how much each heartbeat is late, used in turn.
    lateness: Vec<u64>,
    sent: usize,
}

impl SimConnection {
    fn new(server: &SimServer, began: u64) -> SimConnection {
        let beating = server.hearts.iter().map(|heart| SimSchedule {
            heart: *heart,
            next: heart.first,
            last_ask: 0,
            unanswered: 0,
            due: None,
        });
        let last =
            [SimFrame::Ping, SimFrame::Pong, SimFrame::Message, SimFrame::Answer].map(|frame| (frame, None));
        SimConnection {
            beating: beating.collect(),
            idle: server.idle,
            began,
            counted: 0,
            last,
            lateness: Vec::new(),
            sent: 0,
        }
    }

    fn last(&self, needs: RequiredTraffic) -> Option<u64> {
        self.last.iter().filter(|(frame, _)| frame.counts(needs)).filter_map(|(_, at)| *at).max()
    }

    fn takes(&mut self, frame: SimFrame, at: u64) {
        self.last.iter_mut().filter(|(known, _)| *known == frame).for_each(|(_, last)| *last = Some(at));
        if self.idle.is_some_and(|timer| frame.counts(timer.needs)) {
            self.counted = at;
        }
        for beating in &mut self.beating {
            let Some(patience) = beating.heart.patience else { continue };
            let answer = match beating.heart.event_kind {
                ServerEventKind::Ping => SimFrame::Pong,
                _ => SimFrame::Answer,
            };
            if frame == answer || patience.takes.is_some_and(|needs| frame.counts(needs)) {
                (beating.unanswered, beating.due) = (0, None);
            }
        }
    }

    /// Whether the server closes the client now.
    fn ends(&self, now: u64) -> bool {
        let idle = self.idle.is_some_and(|timer| timer.strikes(now - self.counted, self.began + now));
        let due = |beating: &SimSchedule| beating.due.is_some_and(|due| now >= due);
        idle || self.beating.iter().any(due)
    }

    /// The heartbeats it sends now.
    fn asks(&mut self, now: u64) -> Vec<ServerEventKind> {
        let (frame, message) = (self.last(RequiredTraffic::AnyFrame), self.last(RequiredTraffic::Messages));
        let skipped_since: Vec<Option<u64>> = self
            .beating
            .iter()
            .map(|beating| beating.heart.skips.and_then(|needs| self.last(needs)))
            .collect();
        let mut asks = Vec::new();
        for (beating, active) in self.beating.iter_mut().zip(skipped_since) {
            let heart = beating.heart;
            let due = match heart.from {
                SimOrigin::Clock => beating.next,
                SimOrigin::LastFrame => frame.unwrap_or(0).max(beating.last_ask) + heart.interval,
                SimOrigin::LastMessage => message.unwrap_or(0).max(beating.last_ask) + heart.interval,
            };
            let late = self.lateness.get(self.sent % self.lateness.len().max(1)).copied().unwrap_or(0);
            if now < due + late {
                continue;
            }
            self.sent += 1;
            beating.next += heart.interval;
            if active.is_some_and(|active| active + heart.interval > now) {
                continue;
            }
            beating.last_ask = now;
            beating.unanswered += 1;
            if let Some(patience) = heart.patience.filter(|patience| beating.unanswered == patience.misses) {
                beating.due = Some(now + patience.timeout);
            }
            asks.push(heart.event_kind);
        }
        asks
    }
}

/// What else happens between the clients and the server, in milliseconds.
#[derive(Debug, Clone, Default)]
pub struct SimNetwork {
    /// By how much each frame is late, used in turn. No frame overtakes another.
    pub delays: Vec<u64>,
    /// By how much each heartbeat is late, used in turn.
    pub lateness: Vec<u64>,
    /// The age at which every connection ends.
    pub lifetime: Option<u64>,
    /// When all connections end, by the server's clock, and with which close code.
    pub restart: Option<(u64, Option<u16>)>,
    /// The server closes a client that sends FIN.
    pub closes_half_closed: bool,
    /// How long after its first unread frame the server closes a client that does not read.
    pub closes_stalled: Option<u64>,
}

impl SimNetwork {
    /// When such a client ends for another reason than what it sends, and with which close code.
    fn end(&self, behaviour: Behaviour, began: u64) -> Option<(u64, Option<u16>)> {
        let at_once =
            || (self.closes_half_closed && behaviour == Behaviour::HalfClosed).then_some((TRIP_DELAY, None));
        let restart = self.restart.map(|(at, code)| (at.saturating_sub(began), code));
        [self.lifetime.map(|age| (age, None)), restart, at_once()]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }
}

/// Frames on their way, in one direction.
#[derive(Debug, Clone)]
struct SimPipe<T> {
    frames: Vec<(u64, T)>,
    count: usize,
    last: u64,
}

impl<T: Copy> SimPipe<T> {
    fn new() -> SimPipe<T> {
        SimPipe { frames: Vec::new(), count: 0, last: 0 }
    }

    fn send(&mut self, at: u64, frame: T, delays: &[u64]) {
        let delay = delays.get(self.count % delays.len().max(1)).copied().unwrap_or(0);
        self.count += 1;
        self.last = self.last.max(at + delay);
        self.frames.push((self.last, frame));
    }

    fn arrived(&mut self, now: u64) -> Vec<(u64, T)> {
        let arrived = self.frames.iter().filter(|(at, _)| *at <= now).copied().collect();
        self.frames.retain(|(at, _)| *at > now);
        arrived
    }
}

/// One client and its connection.
pub struct SimLife<'a> {
    network: &'a SimNetwork,
    client: SimClient,
    connection: SimConnection,
    record: ClientRecord,
    to_server: SimPipe<SimFrame>,
    to_client: SimPipe<ServerEventKind>,
    /// When the server closes the client that does not read.
    unread_end: Option<u64>,
}

impl<'a> SimLife<'a> {
    pub fn new(
        server: &SimServer,
        network: &'a SimNetwork,
        behaviour: Behaviour,
        client: SimClient,
    ) -> SimLife<'a> {
        let began = behaviour.begins_later();
        let mut connection = SimConnection::new(server, began.as_millis() as u64);
        connection.lateness.clone_from(&network.lateness);
        let record = ClientRecord { began, ..ClientRecord::new(behaviour) };
        let mut to_server = SimPipe::new();
        // Each client first sends a Ping and a message.
        [SimFrame::Ping, SimFrame::Message].into_iter().for_each(|frame| to_server.send(0, frame, &[]));
        SimLife {
            network,
            client,
            connection,
            record,
            to_server,
            to_client: SimPipe::new(),
            unread_end: None,
        }
    }

    /// Its record after this long.
    pub fn record(mut self, max: u64) -> ClientRecord {
        self.record.end = ClientEnd::Kept { so_far: ms(max), proven: true };
        let disturbance = self.network.end(self.record.behaviour, self.connection.began);
        for now in (0..max).step_by(STEP_MS as usize) {
            self.send(now);
            let arrived = self.to_server.arrived(now);
            arrived.into_iter().for_each(|(at, frame)| self.connection.takes(frame, at));
            let is_unread = self.unread_end.is_some_and(|end| now >= end);
            let disturbed = disturbance.filter(|(at, _)| now >= *at);
            if self.connection.ends(now) || is_unread || disturbed.is_some() {
                let ending = Arc::new(ending(now, disturbed.and_then(|(_, code)| code)));
                self.record.end = ClientEnd::Ended { after: ms(now), ending, at_latest: false };
                break;
            }
            let asks = self.connection.asks(now);
            asks.into_iter().for_each(|kind| self.to_client.send(now, kind, &self.network.delays));
            self.to_client.arrived(now).into_iter().for_each(|(_, kind)| self.read(now, kind));
        }
        self.record
    }

    fn send(&mut self, now: u64) {
        if self.client.dies_at.is_some_and(|at| now >= at) {
            return;
        }
        let is_due = |every: Option<u64>| every.is_some_and(|every| now > 0 && now.is_multiple_of(every));
        for (every, frame) in [(self.client.pings, SimFrame::Ping), (self.client.messages, SimFrame::Message)]
        {
            if is_due(every) {
                self.to_server.send(now, frame, &self.network.delays);
            }
        }
    }

    fn read(&mut self, now: u64, event_kind: ServerEventKind) {
        if self.record.behaviour == Behaviour::Stalled {
            let end = self.network.closes_stalled.map(|after| now + after);
            self.unread_end = self.unread_end.or(end);
        }
        self.record
            .listening
            .record_event(ms(now), &ServerEvent::plain(event_kind, UntrustedText::default()));
        if self.client.dies_at.is_some_and(|at| now >= at) {
            return;
        }
        let answer = match event_kind {
            ServerEventKind::Ping => self.client.pongs.then_some(SimFrame::Pong),
            ServerEventKind::AppPing => self.client.answers.then_some(SimFrame::Answer),
            ServerEventKind::Pong | ServerEventKind::KeepAlive | ServerEventKind::Message => None,
        };
        if let Some(frame) = answer {
            self.to_server.send(now + TRIP_DELAY, frame, &self.network.delays);
        }
    }
}

fn ending(age: u64, code: Option<u16>) -> CloseCause {
    let how = match code {
        Some(_) => CloseKind::CloseFrame { code, reason: UntrustedText::default() },
        None => CloseKind::Fin,
    };
    let (who, at) = (ClosedBy::Peer, SystemTime::UNIX_EPOCH);
    CloseCause { who, how, reply: None, os_error: None, tcp: None, age: ms(age), idle: ms(0), at }
}

/// All clients of a run, as the command opens them.
pub fn clients(server: &SimServer, network: &SimNetwork, every: u64, max: u64) -> Vec<ClientRecord> {
    let life = |behaviour| SimLife::new(server, network, behaviour, SimClient::of(behaviour, every));
    Behaviour::iter().map(|behaviour| life(behaviour).record(max)).collect()
}

/// Tests the claims about a server.
pub struct ClaimCheck<'a> {
    pub server: &'a SimServer,
    pub network: &'a SimNetwork,
    pub every: u64,
    pub max: u64,
}

impl ClaimCheck<'_> {
    fn live(&self, behaviour: Behaviour, client: SimClient) -> ClientRecord {
        SimLife::new(self.server, self.network, behaviour, client).record(self.max)
    }

    /// How long such a client is kept (ms); `None`: to the end.
    pub fn kept(&self, client: SimClient) -> Option<u64> {
        self.live(Behaviour::Quiet, client).ended().map(|ended| ended.as_millis() as u64)
    }

    pub fn try_policy(&self, policy: &ReapingPolicy) -> Result<(), String> {
        match policy {
            ReapingPolicy::Unknown => Ok(()),
            ReapingPolicy::KeepsAll => self.try_keeps_all(),
            ReapingPolicy::Heartbeat(heartbeat) => self.try_heartbeat(heartbeat),
            ReapingPolicy::Idle(idle, beats) => {
                self.try_timer(idle)?;
                beats.as_ref().map_or(Ok(()), |beats| self.try_beats(beats))
            }
        }
    }

    fn try_keeps_all(&self) -> Result<(), String> {
        let client = SimClient::default();
        claim(self.kept(client).is_none(), "a silent client is kept")?;
        let late = |heart: &SimHeartbeat| heart.first.max(heart.interval) >= self.max;
        claim(self.server.hearts.iter().all(late), "it asks no client")
    }

    fn try_heartbeat(&self, found: &HeartbeatPolicy) -> Result<(), String> {
        self.try_beats(&found.beats)?;
        let event_kind = found.beats.event_kind;
        let answers = self.kept(SimClient::of(Behaviour::Quiet, 0));
        match (found.reaping, found.idle) {
            (ReapingRule::Never { .. }, _) => {
                claim(self.kept(SimClient::default()).is_none(), "a silent client is kept")?
            }
            (ReapingRule::After { .. }, None) => claim(answers.is_none(), "a client that answers is kept")?,
            (ReapingRule::After { .. }, Some(idle)) => {
                let after = answers.is_some_and(|after| is_about(after, idle.after));
                claim(after, "the timer closes a client that answers")?;
                self.try_timer(&idle)?;
            }
        }
        let takes_all =
            self.server.hearts.iter().any(|heart| heart.patience.is_some_and(|p| p.takes.is_some()));
        let takes_all =
            takes_all || self.server.idle.is_some_and(|timer| timer.needs != RequiredTraffic::OwnFrames);
        if let (ReapingRule::After { misses, .. }, false) = (found.reaping, takes_all) {
            let record = self.live(Behaviour::Mute, SimClient::answers_all_but(event_kind));
            // Its other answers may keep it from being asked.
            let asked = record.listening.arrivals(event_kind).map_or(0, |arrivals| arrivals.count);
            claim(
                record.ended().is_some() || asked < misses,
                "a client that answers all but that is closed",
            )?;
        }
        Ok(())
    }

    fn try_beats(&self, beats: &ServerSchedule) -> Result<(), String> {
        let mut hearts = self.server.hearts.iter().filter(|heart| heart.event_kind == beats.event_kind);
        claim(hearts.clone().next().is_some(), "it sends such heartbeats")?;
        if let Some(interval) = beats.interval {
            let is = |heart: &SimHeartbeat| is_about(heart.interval, interval);
            let seen = beats.event_kind == ServerEventKind::Ping && self.is_seen_by_who_answers(interval);
            claim(hearts.clone().any(is) || seen, "its interval")?;
        }
        match beats.skips_active {
            Some(false) => claim(
                hearts.any(|heart| heart.skips.is_none() && heart.from == SimOrigin::Clock),
                "it skips no client",
            ),
            Some(true) | None => Ok(()),
        }
    }

    /// A client that answers may get fewer Pings: the interval is what a healthy client sees.
    fn is_seen_by_who_answers(&self, interval: Duration) -> bool {
        let good = SimClient::of(Behaviour::Quiet, 0);
        [good, SimClient { answers: false, ..good }].into_iter().any(|client| {
            let record = self.live(Behaviour::Quiet, client);
            let seen = record.listening.arrivals(ServerEventKind::Ping).and_then(Interarrival::sure_interval);
            seen.is_some_and(|seen| seen.fits(interval))
        })
    }

    /// A client that sends what is needed in time is kept; one that does not is closed after that time.
    fn try_timer(&self, &IdlePolicy { after, edge, needs }: &IdlePolicy) -> Result<(), String> {
        let often = match edge {
            TimerKind::Sharp => (after.as_millis() as u64 / 4).next_multiple_of(STEP_MS),
            // A client that sends as often as those that were kept.
            TimerKind::Swept | TimerKind::Unknown => self.every,
        };
        let often = Some(often);
        let quiet = SimClient::of(Behaviour::Quiet, 0);
        let (pings, messages) = (SimClient { pings: often, ..quiet }, SimClient { messages: often, ..quiet });
        claim(self.kept(messages).is_none(), "a client that sends messages is kept")?;
        match needs {
            RequiredTraffic::Messages => claim(self.kept(pings).is_some(), "Pings do not help")?,
            RequiredTraffic::OwnFrames | RequiredTraffic::AnyFrame => {
                claim(self.kept(pings).is_none(), "a client that sends Pings is kept")?
            }
        }
        let SimIdleTimer { after: timer, needs: counts, looks } =
            self.server.idle.ok_or("there is no timer")?;
        let late = Behaviour::Stalled.begins_later() + tolerance(ms(timer));
        match edge {
            // A check interval as short as the distance of the starts looks exact, and is no later than that.
            TimerKind::Sharp => {
                claim(after + TRIP_MS >= ms(timer) && after <= ms(timer) + late, "the timer")?
            }
            TimerKind::Swept => {
                claim(looks.is_some() && after + TRIP_MS >= ms(timer), "it checks at intervals")?
            }
            TimerKind::Unknown => claim(after + TRIP_MS >= ms(timer), "it is no longer than that")?,
        }
        claim(
            counts == needs || needs == RequiredTraffic::AnyFrame && counts == RequiredTraffic::OwnFrames,
            "what it needs",
        )
    }
}

pub fn claim(so: bool, what: &str) -> Result<(), String> {
    so.then_some(()).ok_or_else(|| what.to_string())
}

pub fn is_about(truth: u64, found: Duration) -> bool {
    found.abs_diff(ms(truth)) <= tolerance(ms(truth))
}
