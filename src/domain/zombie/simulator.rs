//! Simulates servers of every kind and tests each claim about them: clients that the policy closes are
//! closed, and those it keeps are kept. An inference may be unknown, but never wrong.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use strum::IntoEnumIterator;

use super::behaviour::Behaviour;
use super::client_record::{ClientEnd, ClientRecord};
use super::inference::infer;
use super::policy::{HeartbeatPolicy, IdlePolicy, ReapingPolicy, ReapingRule, RequiredTraffic};
use super::server_schedule::ServerSchedule;
use super::timer_kind::TimerKind;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::listen::{Interarrival, ServerEvent, ServerEventKind};
use crate::domain::stats::interval::tolerance;

/// Times are in milliseconds; this is one step.
const STEP_MS: u64 = 5;
/// How long an answer takes.
const TRIP_DELAY: u64 = 5;
const TRIP_MS: Duration = Duration::from_millis(TRIP_DELAY);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What a client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SimFrame {
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
enum SimOrigin {
    Clock,
    LastFrame,
    LastMessage,
}

/// When a server closes a client that does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SimPatience {
    misses: u64,
    timeout: u64,
    /// What counts as an answer besides the requested one.
    takes: Option<RequiredTraffic>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SimHeartbeat {
    event_kind: ServerEventKind,
    interval: u64,
    first: u64,
    from: SimOrigin,
    /// A tick skips clients that sent such a frame since the last tick.
    skips: Option<RequiredTraffic>,
    patience: Option<SimPatience>,
}

/// Closes clients from which nothing that counts came for this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SimIdleTimer {
    after: u64,
    needs: RequiredTraffic,
    /// It checks for such clients at this interval and phase; `None`: it notices at once.
    looks: Option<(u64, u64)>,
}

impl SimIdleTimer {
    fn strikes(&self, silence: u64, at: u64) -> bool {
        let looks = self.looks.is_none_or(|(every, phase)| at % every == phase % every);
        looks && silence >= self.after
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct SimServer {
    hearts: Vec<SimHeartbeat>,
    idle: Option<SimIdleTimer>,
}

/// What a client sends and answers.
#[derive(Debug, Clone, Copy, Default)]
struct SimClient {
    pongs: bool,
    answers: bool,
    pings: Option<u64>,
    messages: Option<u64>,
}

impl SimClient {
    fn of(behaviour: Behaviour, every: u64) -> SimClient {
        let silent = SimClient::default();
        match behaviour {
            Behaviour::Control => {
                SimClient { pongs: true, answers: true, pings: Some(every), messages: Some(every) }
            }
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
        SimConnection { beating: beating.collect(), idle: server.idle, began, counted: 0, last }
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
            if now < due {
                continue;
            }
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

/// The record of one client of a server.
fn live(server: &SimServer, behaviour: Behaviour, client: SimClient, max: u64) -> ClientRecord {
    let began = behaviour.begins_later();
    let mut connection = SimConnection::new(server, began.as_millis() as u64);
    let mut record = ClientRecord { began, ..ClientRecord::new(behaviour) };
    record.end = ClientEnd::Kept { so_far: ms(max), proven: true };
    // Each client first sends a Ping and a message.
    let mut coming: Vec<(u64, SimFrame)> = vec![(0, SimFrame::Ping), (0, SimFrame::Message)];
    let is_due =
        |every: Option<u64>, now: u64| every.is_some_and(|every| now > 0 && now.is_multiple_of(every));
    for now in (0..max).step_by(STEP_MS as usize) {
        coming.extend(is_due(client.pings, now).then_some((now, SimFrame::Ping)));
        coming.extend(is_due(client.messages, now).then_some((now, SimFrame::Message)));
        coming.iter().filter(|(at, _)| *at <= now).for_each(|(at, frame)| connection.takes(*frame, *at));
        coming.retain(|(at, _)| *at > now);
        if connection.ends(now) {
            record.end = ClientEnd::Ended { after: ms(now), ending: Arc::new(ending(now)), at_latest: false };
            break;
        }
        for event_kind in connection.asks(now) {
            record.listening.record_event(ms(now), &ServerEvent::plain(event_kind, UntrustedText::default()));
            coming.extend(
                (event_kind == ServerEventKind::Ping && client.pongs)
                    .then_some((now + TRIP_DELAY, SimFrame::Pong)),
            );
            coming.extend(
                (event_kind == ServerEventKind::AppPing && client.answers)
                    .then_some((now + TRIP_DELAY, SimFrame::Answer)),
            );
        }
    }
    record
}

fn ending(age: u64) -> CloseCause {
    let (who, how, at) = (ClosedBy::Peer, CloseKind::Fin, SystemTime::UNIX_EPOCH);
    CloseCause { who, how, reply: None, os_error: None, tcp: None, age: ms(age), idle: ms(0), at }
}

/// All clients of a run, as the command opens them.
fn clients(server: &SimServer, every: u64, max: u64) -> Vec<ClientRecord> {
    Behaviour::iter().map(|behaviour| live(server, behaviour, SimClient::of(behaviour, every), max)).collect()
}

/// Tests the claims about a server.
struct ClaimCheck<'a> {
    server: &'a SimServer,
    every: u64,
    max: u64,
}

impl ClaimCheck<'_> {
    /// How long such a client is kept (ms); `None`: to the end.
    fn kept(&self, client: SimClient) -> Option<u64> {
        live(self.server, Behaviour::Quiet, client, self.max).ended().map(|ended| ended.as_millis() as u64)
    }

    fn try_policy(&self, policy: &ReapingPolicy) -> Result<(), String> {
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
            let record = live(self.server, Behaviour::Mute, SimClient::answers_all_but(event_kind), self.max);
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
            let record = live(self.server, Behaviour::Quiet, client, self.max);
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

fn claim(so: bool, what: &str) -> Result<(), String> {
    so.then_some(()).ok_or_else(|| what.to_string())
}

fn is_about(truth: u64, found: Duration) -> bool {
    found.abs_diff(ms(truth)) <= tolerance(ms(truth))
}

fn needs() -> impl Strategy<Value = RequiredTraffic> {
    prop_oneof![
        Just(RequiredTraffic::AnyFrame),
        Just(RequiredTraffic::OwnFrames),
        Just(RequiredTraffic::Messages)
    ]
}

fn patience() -> impl Strategy<Value = SimPatience> {
    let takes = prop_oneof![3 => Just(None), 1 => needs().prop_map(Some)];
    (1..4_u64, 10..300_u64, takes).prop_map(|(misses, timeout, takes)| SimPatience {
        misses,
        timeout: timeout * STEP_MS,
        takes,
    })
}

fn heart(event_kind: ServerEventKind) -> impl Strategy<Value = SimHeartbeat> {
    let from = prop_oneof![3 => Just(SimOrigin::Clock), 1 => Just(SimOrigin::LastFrame), 1 => Just(SimOrigin::LastMessage)];
    let skips = prop_oneof![3 => Just(None), 1 => needs().prop_map(Some)];
    let patience = prop_oneof![1 => Just(None), 3 => patience().prop_map(Some)];
    (30..400_u64, 0.0..1.0_f64, from, skips, patience).prop_map(
        move |(interval, phase, from, skips, patience)| {
            let first = ((interval as f64 * phase) as u64 * STEP_MS).max(STEP_MS);
            SimHeartbeat { event_kind, interval: interval * STEP_MS, first, from, skips, patience }
        },
    )
}

fn server() -> impl Strategy<Value = SimServer> {
    let ping = proptest::option::weighted(0.6, heart(ServerEventKind::Ping));
    let app = proptest::option::weighted(0.4, heart(ServerEventKind::AppPing));
    let looks = proptest::option::weighted(0.4, (20..600_u64, 0..600_u64));
    let looks = looks.prop_map(|looks| looks.map(|(every, phase)| (every * STEP_MS, phase * STEP_MS)));
    let timer = (60..800_u64, needs(), looks);
    let timer = timer.prop_map(|(after, needs, looks)| SimIdleTimer { after: after * STEP_MS, needs, looks });
    let idle = proptest::option::weighted(0.4, timer);
    let server = (ping, app, idle)
        .prop_map(|(ping, app, idle)| SimServer { hearts: ping.into_iter().chain(app).collect(), idle });
    server.prop_filter("the timeout coincides with a check of the timer", |server| {
        let rare = server.idle.is_some_and(|timer| timer.needs == RequiredTraffic::OwnFrames);
        !rare || server.hearts.iter().all(|heart| heart.patience.is_none())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn inferred_policy_is_true_of_the_server(server in server(), every in 40..200_u64) {
        let (every, max) = (every * STEP_MS, 24_000);
        let clients = clients(&server, every, max);
        // A control that is not kept voids the run.
        prop_assume!(clients[0].is_kept());
        let policy = infer(&clients, ms(every));
        let court = ClaimCheck { server: &server, every, max };
        let judged = court.try_policy(&policy);
        prop_assert!(judged.is_ok(), "{}: {:#?}", judged.unwrap_err(), policy);
    }

    /// Always answering "unknown" would be easy, so the common servers must be recognized.
    #[test]
    fn common_heartbeats_are_recognized(
        usual in heart(ServerEventKind::Ping), app in any::<bool>(), patience in patience(), every in 40..200_u64,
    ) {
        let event_kind = if app { ServerEventKind::AppPing } else { ServerEventKind::Ping };
        let heart = SimHeartbeat { event_kind, from: SimOrigin::Clock, skips: None, patience: Some(patience), ..usual };
        let total = (patience.misses - 1) * heart.interval + patience.timeout;
        let clients = clients(&SimServer { hearts: vec![heart], idle: None }, every * STEP_MS, 24_000);
        let ReapingPolicy::Heartbeat(found) = infer(&clients, ms(every * STEP_MS)) else { panic!("not recognised") };
        prop_assert_eq!(found.beats.event_kind, event_kind);
        let ReapingRule::After { total: found_total, .. } = found.reaping else { panic!("{found:?}") };
        prop_assert_eq!((found_total, found.idle), (ms(total), None));
        let interval = found.beats.interval;
        prop_assert!(interval.is_none_or(|found| is_about(heart.interval, found)), "{:?}", interval);
        prop_assert!(app || interval.is_some(), "a client that answers Pings shows the interval");
    }

    #[test]
    fn common_timers_are_recognized(after in 60..800_u64, messages in any::<bool>()) {
        let needs = if messages { RequiredTraffic::Messages } else { RequiredTraffic::AnyFrame };
        let timer = SimIdleTimer { after: after * STEP_MS, needs, looks: None };
        let clients = clients(&SimServer { hearts: Vec::new(), idle: Some(timer) }, 200, 24_000);
        let found = IdlePolicy { after: ms(after * STEP_MS), edge: TimerKind::Sharp, needs };
        prop_assert_eq!(infer(&clients, ms(200)), ReapingPolicy::Idle(found, None));
    }

    /// A check that does not fall between the two ends is recognized; one that does makes the ages look like
    /// no timer.
    #[test]
    fn server_checking_at_intervals_is_recognized(after in 60..400_u64, every in 100..600_u64, phase in 0..600_u64) {
        let looks = Some((every * STEP_MS, phase * STEP_MS));
        let timer = SimIdleTimer { after: after * STEP_MS, needs: RequiredTraffic::AnyFrame, looks };
        let clients = clients(&SimServer { hearts: Vec::new(), idle: Some(timer) }, 200, 24_000);
        let record = |behaviour| clients.iter().find(|record| record.behaviour == behaviour).unwrap();
        let end = |behaviour| record(behaviour).ended().map(|ended| record(behaviour).began + ended);
        let age = |behaviour| record(behaviour).ended().unwrap_or_default();
        let together = end(Behaviour::Mute) == end(Behaviour::Stalled);
        match infer(&clients, ms(200)) {
            ReapingPolicy::Idle(found, None) => {
                prop_assert_eq!(found.edge, if together { TimerKind::Swept } else { TimerKind::Unknown })
            }
            policy => {
                prop_assert_eq!(policy, ReapingPolicy::Unknown);
                let apart = age(Behaviour::Mute).abs_diff(age(Behaviour::Stalled));
                prop_assert!(apart > tolerance(age(Behaviour::Mute)) * 2, "recognised");
            }
        }
    }
}
