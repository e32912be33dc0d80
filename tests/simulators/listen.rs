//! A server that sends heartbeats and messages to one client, in virtual time: what `listen` has to infer from. Tests, the
//! corpus and `examples/score.rs` play it.

use std::collections::VecDeque;
use std::time::Duration;

use wscheck::domain::connection::untrusted_text::UntrustedText;
use wscheck::domain::heartbeat::inbound::MessageRef;
use wscheck::domain::listen::{
    EndedBy, ListenFindings, ListenState, ObservationConditions, RepeatedContent, ServerEvent,
    ServerEventKind, Stimulus,
};

/// What a simulated server counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimCounting {
    FixedClock,
    /// The same, but its tick skips a client that sent since the last tick.
    SkippingTheActive,
    FromItsOwn,
    FromWhatItHears,
    FromBoth,
    AtRandom,
}

/// What a simulated server does after this many unanswered heartbeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimUnanswered {
    GoesOn,
    Stops { after: u64 },
    Closes { after: u64, timeout: u64 },
}

/// A server and its planned messages, in milliseconds since the opening.
#[derive(Debug, Clone)]
pub struct SimPinger {
    pub counts: SimCounting,
    pub event_kind: ServerEventKind,
    pub interval: u64,
    /// When the next heartbeat is due; beyond any run: it sends none.
    pub due: u64,
    pub was_spoken_to: bool,
    pub messages: Vec<u64>,
    /// The text of all messages; `None`: messages that cannot be heartbeats.
    pub message_text: Option<&'static str>,
    /// The intervals of a server at random, the next one last.
    pub dice: Vec<u64>,
    /// By how much each heartbeat is late, used in turn.
    pub lateness: Vec<u64>,
    /// It sends no more than this many heartbeats.
    pub stops_after: Option<u64>,
    /// It sends no heartbeat from the first time to the second.
    pub pause: Option<(u64, u64)>,
    pub unanswered: SimUnanswered,
}

impl SimPinger {
    pub fn new(counts: SimCounting, interval: u64) -> SimPinger {
        SimPinger {
            counts,
            event_kind: ServerEventKind::Ping,
            interval,
            due: interval,
            was_spoken_to: false,
            messages: Vec::new(),
            message_text: None,
            dice: Vec::new(),
            lateness: Vec::new(),
            stops_after: None,
            pause: None,
            unanswered: SimUnanswered::GoesOn,
        }
    }

    fn next_message(&self) -> u64 {
        self.messages.first().copied().unwrap_or(u64::MAX)
    }

    /// When the next heartbeat leaves.
    fn next_beat(&self, sent: u64) -> u64 {
        let late = self.lateness.get(sent as usize % self.lateness.len().max(1)).copied().unwrap_or(0);
        self.due.saturating_add(late)
    }

    fn sent(&mut self, at: u64) {
        if matches!(self.counts, SimCounting::FromItsOwn | SimCounting::FromBoth) {
            self.due = at + self.interval;
        }
    }

    fn received(&mut self, at: u64) {
        self.was_spoken_to = true;
        if matches!(self.counts, SimCounting::FromWhatItHears | SimCounting::FromBoth) {
            self.due = at + self.interval;
        }
    }

    /// Whether a due heartbeat is sent now.
    fn ticks(&mut self, now: u64) -> bool {
        let dice = if self.counts == SimCounting::AtRandom { self.dice.pop() } else { None };
        let is_clock = matches!(self.counts, SimCounting::FixedClock | SimCounting::SkippingTheActive);
        self.due = if is_clock { self.due } else { now } + dice.unwrap_or(self.interval);
        let is_skipped =
            std::mem::take(&mut self.was_spoken_to) && self.counts == SimCounting::SkippingTheActive;
        !is_skipped && !self.pause.is_some_and(|(from, to)| (from..to).contains(&now))
    }
}

/// The client, the path and this host.
#[derive(Debug, Clone)]
pub struct SimObserver {
    /// It sends between heartbeats.
    pub talks: bool,
    /// The server answers what the client sends.
    pub is_answered: bool,
    /// It answers heartbeats.
    pub answers: bool,
    /// How long it listens.
    pub until: u64,
    /// How long each frame is on its way, used in turn. No frame overtakes another.
    pub delays: Vec<u64>,
    /// This host does not run from the first time to the second.
    pub stall: Option<(u64, u64)>,
    /// The server ends the connection.
    pub ends: Option<u64>,
}

impl SimObserver {
    /// A client on a path without delay.
    pub fn new(until: u64) -> SimObserver {
        SimObserver {
            talks: false,
            is_answered: false,
            answers: true,
            until,
            delays: Vec::new(),
            stall: None,
            ends: None,
        }
    }

    /// When this host reads what arrives at this time.
    fn read_at(&self, at: u64) -> u64 {
        match self.stall {
            Some((from, to)) if (from..to).contains(&at) => to,
            Some(_) | None => at,
        }
    }
}

/// What the run showed, and what the server did.
#[derive(Debug, Clone)]
pub struct SimHeard {
    pub findings: ListenFindings,
    /// When each heartbeat left.
    pub beats: Vec<u64>,
    /// How often the client sent something of its own.
    pub stimuli: u64,
    /// When the connection or the run ended.
    pub ended: u64,
    /// The server gave up.
    pub gave_up: bool,
}

pub fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Frames on their way, in one direction.
#[derive(Debug, Default)]
struct SimPipe<T> {
    frames: VecDeque<(u64, T)>,
    count: usize,
    last: u64,
}

impl<T> SimPipe<T> {
    fn send(&mut self, at: u64, frame: T, delays: &[u64]) {
        let delay = delays.get(self.count % delays.len().max(1)).copied().unwrap_or(0);
        self.count += 1;
        self.last = self.last.max(at + delay);
        self.frames.push_back((self.last, frame));
    }

    fn next(&self) -> u64 {
        self.frames.front().map_or(u64::MAX, |(at, _)| *at)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SimFrame {
    Event(ServerEventKind),
    /// The server's answer to the client.
    Reply,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SimSent {
    Message,
    Pong,
}

/// One run.
struct SimListening<'a> {
    server: SimPinger,
    client: &'a SimObserver,
    state: ListenState,
    stimulus: Option<Stimulus>,
    to_client: SimPipe<SimFrame>,
    to_server: SimPipe<SimSent>,
    beats: Vec<u64>,
    stimuli: u64,
    unanswered: u64,
    closes_at: Option<u64>,
    has_stalled: bool,
}

/// Plays a server to a client.
pub fn listen_to(server: SimPinger, client: &SimObserver) -> SimHeard {
    let mut run = SimListening {
        server,
        client,
        state: ListenState::new(Duration::ZERO, false),
        stimulus: client.talks.then(Stimulus::default),
        to_client: SimPipe { frames: VecDeque::new(), count: 0, last: 0 },
        to_server: SimPipe { frames: VecDeque::new(), count: 1, last: 0 },
        beats: Vec::new(),
        stimuli: 0,
        unanswered: 0,
        closes_at: None,
        has_stalled: false,
    };
    let mut now = 0;
    loop {
        let next = run.next(now);
        let end = run.end();
        if next > end {
            return run.finish(end);
        }
        now = next;
        run.step(now);
    }
}

impl SimListening<'_> {
    /// When the run or the connection ends.
    fn end(&self) -> u64 {
        [self.client.ends, self.closes_at].into_iter().flatten().fold(self.client.until, u64::min)
    }

    /// When the server sends its next heartbeat.
    fn beat(&self) -> u64 {
        let has_stopped = match self.server.unanswered {
            SimUnanswered::Stops { after } => self.unanswered >= after,
            SimUnanswered::GoesOn | SimUnanswered::Closes { .. } => false,
        };
        let count = self.beats.len() as u64;
        if has_stopped || self.server.stops_after.is_some_and(|most| count >= most) {
            u64::MAX
        } else {
            self.server.next_beat(count)
        }
    }

    fn talk(&self, now: u64) -> u64 {
        let due = || self.stimulus.as_ref()?.due(&self.state.clock()?);
        due().map_or(u64::MAX, |due| self.client.read_at((due.as_millis() as u64).max(now + 1)))
    }

    fn arrival(&self) -> u64 {
        let at = self.to_client.next();
        if at == u64::MAX { at } else { self.client.read_at(at) }
    }

    fn next(&self, now: u64) -> u64 {
        let events =
            [self.arrival(), self.to_server.next(), self.server.next_message(), self.beat(), self.talk(now)];
        events.into_iter().min().unwrap_or(u64::MAX).max(now)
    }

    fn step(&mut self, now: u64) {
        self.notice_stall(now);
        if self.arrival() <= now {
            if let Some((_, frame)) = self.to_client.frames.pop_front() {
                self.read(now, frame);
            }
        } else if self.to_server.next() <= now {
            if let Some((_, frame)) = self.to_server.frames.pop_front() {
                self.serve(now, frame);
            }
        } else if self.server.next_message() <= now {
            self.server.messages.remove(0);
            self.server.sent(now);
            self.to_client.send(now, SimFrame::Event(ServerEventKind::Message), &self.client.delays);
        } else if self.beat() <= now {
            self.tick(now);
        } else {
            self.speak(now);
        }
    }

    fn notice_stall(&mut self, now: u64) {
        if let Some((_, to)) = self.client.stall.filter(|(_, to)| !self.has_stalled && now >= *to) {
            self.has_stalled = true;
            self.state.stood_still(ms(to));
        }
    }

    fn tick(&mut self, now: u64) {
        if !self.server.ticks(now) {
            return;
        }
        self.beats.push(now);
        self.unanswered += u64::from(self.server.event_kind.asks());
        if let SimUnanswered::Closes { after, timeout } = self.server.unanswered
            && self.unanswered == after
        {
            self.closes_at = Some(now + timeout);
        }
        self.to_client.send(now, SimFrame::Event(self.server.event_kind), &self.client.delays);
    }

    fn speak(&mut self, now: u64) {
        let last = self.state.clock().map(|clock| clock.last);
        self.state.record_client_message(ms(now));
        self.stimulus.iter_mut().zip(last).for_each(|(stimulus, last)| stimulus.record_sent(last));
        self.stimuli += 1;
        self.to_server.send(now, SimSent::Message, &self.client.delays);
    }

    fn serve(&mut self, now: u64, frame: SimSent) {
        match frame {
            SimSent::Pong => (self.unanswered, self.closes_at) = (0, None),
            SimSent::Message => {
                self.server.received(now);
                if self.client.is_answered {
                    self.server.sent(now);
                    self.to_client.send(now, SimFrame::Reply, &self.client.delays);
                }
            }
        }
    }

    fn read(&mut self, now: u64, frame: SimFrame) {
        let event_kind = match frame {
            SimFrame::Reply => return self.state.answered(ms(now)),
            SimFrame::Event(event_kind) => event_kind,
        };
        let before = self.state.arrivals(event_kind).map(|arrivals| arrivals.last);
        self.state.record_event(ms(now), &self.event(event_kind));
        if event_kind != ServerEventKind::Message
            && let (Some(stimulus), Some(before)) = (&mut self.stimulus, before)
        {
            stimulus.record_heartbeat(before, ms(now));
        }
        if event_kind.asks() && self.client.answers {
            self.to_server.send(now, SimSent::Pong, &self.client.delays);
        }
    }

    fn event(&self, event_kind: ServerEventKind) -> ServerEvent {
        let plain = ServerEvent::plain(event_kind, UntrustedText::new("x"));
        let text = self.server.message_text.filter(|_| event_kind == ServerEventKind::Message);
        let content = text.and_then(|text| RepeatedContent::of(MessageRef::Text(text)));
        ServerEvent { content, ..plain }
    }

    fn finish(mut self, end: u64) -> SimHeard {
        self.notice_stall(end);
        let gave_up = self.closes_at == Some(end) && self.client.until > end;
        let is_ended =
            gave_up || self.client.ends.is_some_and(|ends| ends == end && ends < self.client.until);
        let how = ObservationConditions {
            listened: ms(end),
            answered: self.client.answers,
            ended: is_ended.then_some(EndedBy::Server),
            stood_still: self.client.stall.filter(|(from, _)| *from < end).map(|(from, to)| ms(to - from)),
            ..ObservationConditions::default()
        };
        let findings = self.state.findings(&how);
        SimHeard { findings, beats: self.beats, stimuli: self.stimuli, ended: end, gave_up }
    }
}
