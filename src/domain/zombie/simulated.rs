//! Servers of every kind, simulated, and each claim about one put to the test: whoever behaves so is let go, and who
//! behaves so is kept. An inference may say that it does not know; what it says must be so.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::beats::Beats;
use super::edge::Edge;
use super::inference::infer;
use super::life::{Fate, Life};
use super::policy::{HeartbeatPolicy, IdlePolicy, Needs, Policy, Reaping};
use super::way::Way;
use crate::domain::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::listen::{Rhythm, Sound, Utterance, tolerance};
use crate::domain::untrusted_text::UntrustedText;

/// All moments are in milliseconds; a step is so long.
const STEP: u64 = 5;
/// How long an answer is on its way.
const TRIP: u64 = 5;
const TRIP_MS: Duration = Duration::from_millis(TRIP);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What comes from a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frame {
    Ping,
    Pong,
    Message,
    /// A message that answers an app ping.
    Answer,
}

impl Frame {
    fn is_message(self) -> bool {
        matches!(self, Frame::Message | Frame::Answer)
    }

    fn counts(self, needs: Needs) -> bool {
        match needs {
            Needs::AnyFrame => true,
            Needs::OwnFrames => matches!(self, Frame::Ping | Frame::Message),
            Needs::Messages => self.is_message(),
        }
    }
}

/// From what a server counts an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Clock,
    LastFrame,
    LastMessage,
}

/// When a server gives up who does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Patience {
    misses: u64,
    timeout: u64,
    /// What counts as an answer, besides the one that was asked for.
    takes: Option<Needs>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Heart {
    sound: Sound,
    interval: u64,
    first: u64,
    from: From,
    /// A tick passes over whom such a frame came from since the last.
    skips: Option<Needs>,
    patience: Option<Patience>,
}

/// Lets go of whom nothing that counts came from for so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Timer {
    after: u64,
    needs: Needs,
    /// It looks for such clients this often, at these moments; `None`: it sees them at once.
    looks: Option<(u64, u64)>,
}

impl Timer {
    fn strikes(&self, silence: u64, at: u64) -> bool {
        let looks = self.looks.is_none_or(|(every, phase)| at % every == phase % every);
        looks && silence >= self.after
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Server {
    hearts: Vec<Heart>,
    idle: Option<Timer>,
}

/// How a client behaves.
#[derive(Debug, Clone, Copy, Default)]
struct Client {
    pongs: bool,
    answers: bool,
    pings: Option<u64>,
    messages: Option<u64>,
}

impl Client {
    fn of(way: Way, every: u64) -> Client {
        let silent = Client::default();
        match way {
            Way::Control => Client { pongs: true, answers: true, pings: Some(every), messages: Some(every) },
            Way::Quiet => Client { pongs: true, answers: true, ..silent },
            Way::PingsOnly => Client { pongs: true, pings: Some(every), ..silent },
            Way::Mute | Way::Stalled | Way::HalfClosed => silent,
        }
    }

    fn answers_all_but(sound: Sound) -> Client {
        Client { pongs: sound != Sound::Ping, answers: sound != Sound::AppPing, ..Client::default() }
    }
}

/// A server's view of one kind of its heartbeats.
#[derive(Debug, Clone, Copy)]
struct Beating {
    heart: Heart,
    next: u64,
    last_ask: u64,
    unanswered: u64,
    /// When as many as it tolerates were unanswered.
    due: Option<u64>,
}

/// One connection, from the server's side.
struct Connection {
    beating: Vec<Beating>,
    idle: Option<Timer>,
    /// When it began, by the server's clock.
    began: u64,
    counted: u64,
    last: [(Frame, Option<u64>); 4],
}

impl Connection {
    fn new(server: &Server, began: u64) -> Connection {
        let beating = server.hearts.iter().map(|heart| Beating {
            heart: *heart,
            next: heart.first,
            last_ask: 0,
            unanswered: 0,
            due: None,
        });
        let last = [Frame::Ping, Frame::Pong, Frame::Message, Frame::Answer].map(|frame| (frame, None));
        Connection { beating: beating.collect(), idle: server.idle, began, counted: 0, last }
    }

    fn last(&self, needs: Needs) -> Option<u64> {
        self.last.iter().filter(|(frame, _)| frame.counts(needs)).filter_map(|(_, at)| *at).max()
    }

    fn takes(&mut self, frame: Frame, at: u64) {
        self.last.iter_mut().filter(|(known, _)| *known == frame).for_each(|(_, last)| *last = Some(at));
        if self.idle.is_some_and(|timer| frame.counts(timer.needs)) {
            self.counted = at;
        }
        for beating in &mut self.beating {
            let Some(patience) = beating.heart.patience else { continue };
            let answer = match beating.heart.sound {
                Sound::Ping => Frame::Pong,
                _ => Frame::Answer,
            };
            if frame == answer || patience.takes.is_some_and(|needs| frame.counts(needs)) {
                (beating.unanswered, beating.due) = (0, None);
            }
        }
    }

    /// Whether it lets go of the client now.
    fn ends(&self, now: u64) -> bool {
        let idle = self.idle.is_some_and(|timer| timer.strikes(now - self.counted, self.began + now));
        let due = |beating: &Beating| beating.due.is_some_and(|due| now >= due);
        idle || self.beating.iter().any(due)
    }

    /// What it asks now.
    fn asks(&mut self, now: u64) -> Vec<Sound> {
        let (frame, message) = (self.last(Needs::AnyFrame), self.last(Needs::Messages));
        let skipped_since: Vec<Option<u64>> = self
            .beating
            .iter()
            .map(|beating| beating.heart.skips.and_then(|needs| self.last(needs)))
            .collect();
        let mut asks = Vec::new();
        for (beating, active) in self.beating.iter_mut().zip(skipped_since) {
            let heart = beating.heart;
            let due = match heart.from {
                From::Clock => beating.next,
                From::LastFrame => frame.unwrap_or(0).max(beating.last_ask) + heart.interval,
                From::LastMessage => message.unwrap_or(0).max(beating.last_ask) + heart.interval,
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
            asks.push(heart.sound);
        }
        asks
    }
}

/// The life of one client with a server.
fn live(server: &Server, way: Way, client: Client, max: u64) -> Life {
    let began = way.begins_later();
    let mut connection = Connection::new(server, began.as_millis() as u64);
    let mut life = Life { began, ..Life::new(way) };
    life.fate = Fate::Kept { so_far: ms(max), proven: true };
    // Each introduces itself.
    let mut coming: Vec<(u64, Frame)> = vec![(0, Frame::Ping), (0, Frame::Message)];
    let is_due =
        |every: Option<u64>, now: u64| every.is_some_and(|every| now > 0 && now.is_multiple_of(every));
    for now in (0..max).step_by(STEP as usize) {
        coming.extend(is_due(client.pings, now).then_some((now, Frame::Ping)));
        coming.extend(is_due(client.messages, now).then_some((now, Frame::Message)));
        coming.iter().filter(|(at, _)| *at <= now).for_each(|(at, frame)| connection.takes(*frame, *at));
        coming.retain(|(at, _)| *at > now);
        if connection.ends(now) {
            life.fate = Fate::Ended { after: ms(now), ending: Arc::new(ending(now)), at_latest: false };
            break;
        }
        for sound in connection.asks(now) {
            life.listening.heard(ms(now), &Utterance::plain(sound, UntrustedText::default()));
            coming.extend((sound == Sound::Ping && client.pongs).then_some((now + TRIP, Frame::Pong)));
            coming.extend((sound == Sound::AppPing && client.answers).then_some((now + TRIP, Frame::Answer)));
        }
    }
    life
}

fn ending(age: u64) -> CloseCause {
    let (who, how, at) = (ClosedBy::Peer, CloseKind::Fin, SystemTime::UNIX_EPOCH);
    CloseCause { who, how, reply: None, os_error: None, tcp: None, age: ms(age), idle: ms(0), at }
}

/// A run as the probe makes it.
fn lives(server: &Server, every: u64, max: u64) -> Vec<Life> {
    Way::ALL.map(|way| live(server, way, Client::of(way, every), max)).to_vec()
}

/// What is claimed of a server, put to the test.
struct Court<'a> {
    server: &'a Server,
    every: u64,
    max: u64,
}

impl Court<'_> {
    /// How long such a client is kept by it, in milliseconds; `None`: to the end.
    fn kept(&self, client: Client) -> Option<u64> {
        live(self.server, Way::Quiet, client, self.max).ended().map(|ended| ended.as_millis() as u64)
    }

    fn try_policy(&self, policy: &Policy) -> Result<(), String> {
        match policy {
            Policy::Unknown => Ok(()),
            Policy::KeepsAll => self.try_keeps_all(),
            Policy::Heartbeat(heartbeat) => self.try_heartbeat(heartbeat),
            Policy::Idle(idle, beats) => {
                self.try_timer(idle)?;
                beats.as_ref().map_or(Ok(()), |beats| self.try_beats(beats))
            }
        }
    }

    fn try_keeps_all(&self) -> Result<(), String> {
        let client = Client::default();
        claim(self.kept(client).is_none(), "a silent client is kept")?;
        let late = |heart: &Heart| heart.first.max(heart.interval) >= self.max;
        claim(self.server.hearts.iter().all(late), "it asks nobody")
    }

    fn try_heartbeat(&self, found: &HeartbeatPolicy) -> Result<(), String> {
        self.try_beats(&found.beats)?;
        let sound = found.beats.sound;
        let answers = self.kept(Client::of(Way::Quiet, 0));
        match (found.reaping, found.idle) {
            (Reaping::Never { .. }, _) => {
                claim(self.kept(Client::default()).is_none(), "a silent client is kept")?
            }
            (Reaping::After { .. }, None) => claim(answers.is_none(), "who answers is kept")?,
            (Reaping::After { .. }, Some(idle)) => {
                let after = answers.is_some_and(|after| is_about(after, idle.after));
                claim(after, "who answers is let go by the timer")?;
                self.try_timer(&idle)?;
            }
        }
        let takes_all =
            self.server.hearts.iter().any(|heart| heart.patience.is_some_and(|p| p.takes.is_some()));
        let takes_all = takes_all || self.server.idle.is_some_and(|timer| timer.needs != Needs::OwnFrames);
        if let (Reaping::After { misses, .. }, false) = (found.reaping, takes_all) {
            let life = live(self.server, Way::Mute, Client::answers_all_but(sound), self.max);
            // Its other answers may keep it from being asked.
            let asked = life.listening.rhythm(sound).map_or(0, |rhythm| rhythm.count);
            claim(life.ended().is_some() || asked < misses, "who answers all but that is let go")?;
        }
        Ok(())
    }

    fn try_beats(&self, beats: &Beats) -> Result<(), String> {
        let mut hearts = self.server.hearts.iter().filter(|heart| heart.sound == beats.sound);
        claim(hearts.clone().next().is_some(), "it sends such")?;
        if let Some(interval) = beats.interval {
            let is = |heart: &Heart| is_about(heart.interval, interval);
            let seen = beats.sound == Sound::Ping && self.is_seen_by_who_answers(interval);
            claim(hearts.clone().any(is) || seen, "its interval")?;
        }
        match beats.skips_active {
            Some(false) => claim(
                hearts.any(|heart| heart.skips.is_none() && heart.from == From::Clock),
                "it passes over nobody",
            ),
            Some(true) | None => Ok(()),
        }
    }

    /// Who answers may get Pings more seldom for that: it is what a good client sees.
    fn is_seen_by_who_answers(&self, interval: Duration) -> bool {
        let good = Client::of(Way::Quiet, 0);
        [good, Client { answers: false, ..good }].into_iter().any(|client| {
            let life = live(self.server, Way::Quiet, client, self.max);
            let seen = life.listening.rhythm(Sound::Ping).and_then(Rhythm::sure_interval);
            seen.is_some_and(|seen| seen.fits(interval))
        })
    }

    /// Who sends what is needed in time is kept, who does not is let go after that.
    fn try_timer(&self, &IdlePolicy { after, edge, needs }: &IdlePolicy) -> Result<(), String> {
        let often = match edge {
            Edge::Sharp => (after.as_millis() as u64 / 4).next_multiple_of(STEP),
            // Who is as often heard as those who were kept.
            Edge::Swept | Edge::Unknown => self.every,
        };
        let often = Some(often);
        let quiet = Client::of(Way::Quiet, 0);
        let (pings, messages) = (Client { pings: often, ..quiet }, Client { messages: often, ..quiet });
        claim(self.kept(messages).is_none(), "who sends messages is kept")?;
        match needs {
            Needs::Messages => claim(self.kept(pings).is_some(), "Pings do not help")?,
            Needs::OwnFrames | Needs::AnyFrame => {
                claim(self.kept(pings).is_none(), "who sends Pings is kept")?
            }
        }
        let Timer { after: timer, needs: counts, looks } = self.server.idle.ok_or("there is no timer")?;
        let late = Way::Stalled.begins_later() + tolerance(ms(timer));
        match edge {
            // A look as often as the clients begin apart looks sharp, and is no later than that.
            Edge::Sharp => claim(after + TRIP_MS >= ms(timer) && after <= ms(timer) + late, "the timer")?,
            Edge::Swept => claim(looks.is_some() && after + TRIP_MS >= ms(timer), "it looks now and then")?,
            Edge::Unknown => claim(after + TRIP_MS >= ms(timer), "it is no longer than that")?,
        }
        claim(counts == needs || needs == Needs::AnyFrame && counts == Needs::OwnFrames, "what it needs")
    }
}

fn claim(so: bool, what: &str) -> Result<(), String> {
    so.then_some(()).ok_or_else(|| what.to_string())
}

fn is_about(truth: u64, told: Duration) -> bool {
    told.abs_diff(ms(truth)) <= tolerance(ms(truth))
}

fn needs() -> impl Strategy<Value = Needs> {
    prop_oneof![Just(Needs::AnyFrame), Just(Needs::OwnFrames), Just(Needs::Messages)]
}

fn patience() -> impl Strategy<Value = Patience> {
    let takes = prop_oneof![3 => Just(None), 1 => needs().prop_map(Some)];
    (1..4_u64, 10..300_u64, takes).prop_map(|(misses, timeout, takes)| Patience {
        misses,
        timeout: timeout * STEP,
        takes,
    })
}

fn heart(sound: Sound) -> impl Strategy<Value = Heart> {
    let from = prop_oneof![3 => Just(From::Clock), 1 => Just(From::LastFrame), 1 => Just(From::LastMessage)];
    let skips = prop_oneof![3 => Just(None), 1 => needs().prop_map(Some)];
    let patience = prop_oneof![1 => Just(None), 3 => patience().prop_map(Some)];
    (30..400_u64, 0.0..1.0_f64, from, skips, patience).prop_map(
        move |(interval, phase, from, skips, patience)| {
            let first = ((interval as f64 * phase) as u64 * STEP).max(STEP);
            Heart { sound, interval: interval * STEP, first, from, skips, patience }
        },
    )
}

fn server() -> impl Strategy<Value = Server> {
    let ping = proptest::option::weighted(0.6, heart(Sound::Ping));
    let app = proptest::option::weighted(0.4, heart(Sound::AppPing));
    let looks = proptest::option::weighted(0.4, (20..600_u64, 0..600_u64));
    let looks = looks.prop_map(|looks| looks.map(|(every, phase)| (every * STEP, phase * STEP)));
    let timer = (60..800_u64, needs(), looks);
    let timer = timer.prop_map(|(after, needs, looks)| Timer { after: after * STEP, needs, looks });
    let idle = proptest::option::weighted(0.4, timer);
    let server = (ping, app, idle)
        .prop_map(|(ping, app, idle)| Server { hearts: ping.into_iter().chain(app).collect(), idle });
    server.prop_filter("the end of patience, by chance when a rare timer would strike", |server| {
        let rare = server.idle.is_some_and(|timer| timer.needs == Needs::OwnFrames);
        !rare || server.hearts.iter().all(|heart| heart.patience.is_none())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn what_is_said_of_a_server_is_so(server in server(), every in 40..200_u64) {
        let (every, max) = (every * STEP, 24_000);
        let lives = lives(&server, every, max);
        // A control that is not kept voids the run.
        prop_assume!(lives[0].is_kept());
        let policy = infer(&lives, ms(every));
        let court = Court { server: &server, every, max };
        let judged = court.try_policy(&policy);
        prop_assert!(judged.is_ok(), "{}: {:#?}", judged.unwrap_err(), policy);
    }

    /// It would be easy never to be wrong: the usual servers must be known for what they are.
    #[test]
    fn the_usual_heartbeats_are_recognised(
        usual in heart(Sound::Ping), app in any::<bool>(), patience in patience(), every in 40..200_u64,
    ) {
        let sound = if app { Sound::AppPing } else { Sound::Ping };
        let heart = Heart { sound, from: From::Clock, skips: None, patience: Some(patience), ..usual };
        let total = (patience.misses - 1) * heart.interval + patience.timeout;
        let lives = lives(&Server { hearts: vec![heart], idle: None }, every * STEP, 24_000);
        let Policy::Heartbeat(found) = infer(&lives, ms(every * STEP)) else { panic!("not recognised") };
        prop_assert_eq!(found.beats.sound, sound);
        let Reaping::After { total: told, .. } = found.reaping else { panic!("{found:?}") };
        prop_assert_eq!((told, found.idle), (ms(total), None));
        let interval = found.beats.interval;
        prop_assert!(interval.is_none_or(|told| is_about(heart.interval, told)), "{:?}", interval);
        prop_assert!(app || interval.is_some(), "who answers Pings is a witness");
    }

    #[test]
    fn the_usual_timers_are_recognised(after in 60..800_u64, messages in any::<bool>()) {
        let needs = if messages { Needs::Messages } else { Needs::AnyFrame };
        let timer = Timer { after: after * STEP, needs, looks: None };
        let lives = lives(&Server { hearts: Vec::new(), idle: Some(timer) }, 200, 24_000);
        let found = IdlePolicy { after: ms(after * STEP), edge: Edge::Sharp, needs };
        prop_assert_eq!(infer(&lives, ms(200)), Policy::Idle(found, None));
    }

    /// A look that does not fall between the two is seen to be one; one that does makes ages that may be of no timer.
    #[test]
    fn a_server_that_looks_now_and_then_is_recognised(after in 60..400_u64, every in 100..600_u64, phase in 0..600_u64) {
        let looks = Some((every * STEP, phase * STEP));
        let timer = Timer { after: after * STEP, needs: Needs::AnyFrame, looks };
        let lives = lives(&Server { hearts: Vec::new(), idle: Some(timer) }, 200, 24_000);
        let life = |way| lives.iter().find(|life| life.way == way).unwrap();
        let end = |way| life(way).ended().map(|ended| life(way).began + ended);
        let age = |way| life(way).ended().unwrap_or_default();
        let together = end(Way::Mute) == end(Way::Stalled);
        match infer(&lives, ms(200)) {
            Policy::Idle(found, None) => {
                prop_assert_eq!(found.edge, if together { Edge::Swept } else { Edge::Unknown })
            }
            policy => {
                prop_assert_eq!(policy, Policy::Unknown);
                let apart = age(Way::Mute).abs_diff(age(Way::Stalled));
                prop_assert!(apart > tolerance(age(Way::Mute)) * 2, "recognised");
            }
        }
    }
}
