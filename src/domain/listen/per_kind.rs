//! One kind of sound, as it was heard on one connection.

use std::time::Duration;

use super::findings::{FirstHeartbeat, KindFindings};
use super::interarrival::Interarrival;
use super::server_event::{ServerEvent, ServerEventClass, ServerEventKind};
use super::since_traffic::{SinceTraffic, SinceTrafficSays};
use super::traffic_effect::{StimulusSample, TrafficEffects, remember};
use super::window::SpanWindow;
use crate::domain::stats::interval::{Interval, TIMER_JITTER, tolerance};

/// What comes in this part of a gap does not come with the heartbeats.
const BETWEEN_HEARTBEATS: std::ops::RangeInclusive<f64> = 0.25..=0.75;

/// One kind of sound, as it was heard.
#[derive(Debug, Clone)]
pub struct KindRecord {
    /// From one to the next.
    pub rhythm: Interarrival,
    /// From the last that the server said to each.
    pub since: SinceTraffic,
    by_client: Vec<StimulusSample>,
    by_server: Vec<StimulusSample>,
    /// The gaps in which nobody said anything else.
    batching: SpanWindow,
    /// The server's longest silence before the last of them, since it first said something...
    pause_before: Duration,
    /// ... and after that, as far as something ended it.
    pub pause_since: Duration,
    /// The gap before the last of them.
    gap: Option<Duration>,
    /// The server's last message that came in the middle of a gap, if the next is as long as the last.
    middle: Option<Duration>,
    /// So many were answered, before nothing was any more.
    pub answered: u64,
}

/// What is known of when the heartbeats of one kind come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleKnowledge {
    /// An interval after the one before.
    Steady(Interval),
    /// An interval after the last that the server said.
    SinceTraffic(Interval),
    /// The same perhaps: none was seen to follow another.
    Hinted(Interval),
    /// At no interval, as far as is known.
    Unsteady,
}

impl KindRecord {
    /// The first of its kind; the server's longest silence before it.
    pub fn begin(rhythm: Interarrival, pause_before: Duration) -> KindRecord {
        KindRecord {
            rhythm,
            since: SinceTraffic::default(),
            by_client: Vec::new(),
            by_server: Vec::new(),
            batching: SpanWindow::default(),
            pause_before,
            pause_since: Duration::ZERO,
            gap: None,
            middle: None,
            answered: 0,
        }
    }

    /// What is known of when they come.
    pub fn standing(&self) -> ScheduleKnowledge {
        let plain = self.rhythm.sure_interval();
        match (self.since.bearing(plain.and(self.rhythm.interval()), self.pause_before), plain) {
            (SinceTrafficSays::Counted(interval), _) => ScheduleKnowledge::SinceTraffic(interval),
            (SinceTrafficSays::Hinted(interval), _) if interval.gaps >= 3 => {
                ScheduleKnowledge::Hinted(interval)
            }
            // Two gaps that agree less than their spans since the last traffic do are an accident.
            (SinceTrafficSays::Hinted(_), _) | (SinceTrafficSays::Nothing, None) => {
                ScheduleKnowledge::Unsteady
            }
            (SinceTrafficSays::Nothing, Some(interval)) => ScheduleKnowledge::Steady(interval),
        }
    }

    /// The next, and what was said before: the client's last words, and the server's last message. The gap is `clear`
    /// where nothing of the client's may have moved it.
    pub fn go_on(
        &mut self,
        at: Duration,
        said: &ServerEvent,
        client: Option<Duration>,
        server: Option<Duration>,
        clear: bool,
    ) {
        self.disturbed(at, client, server, said.sound);
        if clear && server.is_none_or(|server| server <= self.rhythm.last) {
            self.batching.push(at.saturating_sub(self.rhythm.last));
        }
        self.rhythm.go_on(at, said, !clear);
        self.pause_before = self.pause_before.max(std::mem::take(&mut self.pause_since));
    }

    /// The next, and it is not known how long after the one before.
    pub fn resume(&mut self, at: Duration, said: &ServerEvent) {
        self.rhythm.go_on(at, said, true);
        (self.gap, self.middle) = (None, None);
        self.pause_before = self.pause_before.max(std::mem::take(&mut self.pause_since));
    }

    /// How far they are apart where nobody said anything else, if that is one interval.
    pub fn batching(&self) -> Option<Interval> {
        self.batching.interval().filter(|batching| batching.gaps >= 2 && batching.is_strict())
    }

    /// The server said something else meanwhile.
    pub fn messaged(&mut self, at: Duration) {
        let Some(gap) = self.gap else { return };
        let after = at.saturating_sub(self.rhythm.last);
        if BETWEEN_HEARTBEATS.contains(&(after.as_secs_f64() / gap.as_secs_f64())) {
            self.middle = Some(at);
        }
    }

    /// Notes what came between this heartbeat and the one before: the client's words, or else the server's. Of many
    /// messages the last tells whether it postponed the heartbeat, and one in the middle that none did, where the gap
    /// is as long as the one before.
    fn disturbed(
        &mut self,
        at: Duration,
        client: Option<Duration>,
        server: Option<Duration>,
        sound: ServerEventKind,
    ) {
        let last = self.rhythm.last;
        let between = |moment: Option<Duration>| moment.filter(|moment| *moment > last && *moment < at);
        let one = |moment: Duration| StimulusSample { after: moment - last, until: at - moment };
        let gap = at.saturating_sub(last);
        let is_alike = self.gap.is_some_and(|before| gap.abs_diff(before) <= tolerance(before));
        let server = between(self.middle).filter(|_| is_alike).or(server);
        (self.gap, self.middle) = (Some(gap), None);
        if let Some(moment) = between(client) {
            remember(&mut self.by_client, one(moment));
        } else if sound != ServerEventKind::Message
            && let Some(moment) = between(server)
        {
            remember(&mut self.by_server, one(moment));
        }
    }

    /// What was found of it; the server's longest silence of all.
    pub fn findings(&self, kind: ServerEventClass, longest_quiet: Duration) -> KindFindings {
        let rhythm = &self.rhythm;
        let (sure, since_traffic) = match self.standing() {
            ScheduleKnowledge::Steady(interval) => (Some(interval), None),
            ScheduleKnowledge::SinceTraffic(interval) => (None, Some(interval)),
            ScheduleKnowledge::Hinted(_) | ScheduleKnowledge::Unsteady => (None, None),
        };
        let interval = sure.or(since_traffic);
        let clock = interval.filter(|interval| !interval.is_burst());
        let effects = |disturbances: &[StimulusSample]| TrafficEffects::of(disturbances, &clock?);
        let by_client = match since_traffic {
            None => effects(&self.by_client),
            Some(_) => clock.and_then(|clock| self.since.by_client(&clock)),
        };
        let in_step = sure.is_some_and(|sure| self.since.explains(&sure, longest_quiet));
        KindFindings {
            sound: kind.sound,
            count: rhythm.count,
            over: rhythm.last.saturating_sub(rhythm.begun),
            first: rhythm.first,
            interval: rhythm.interval(),
            sure: sure.is_some(),
            since_traffic,
            in_step,
            // What was said before the first may have postponed it, where what is said does.
            early: rhythm
                .first
                .zip(clock.filter(|_| !in_step && since_traffic.is_none()))
                .map(|(first, clock)| punctuality(first, clock.median)),
            payloads: rhythm.payloads(),
            sample: rhythm.sample.clone(),
            latest: rhythm.latest.clone(),
            shape: kind.shape,
            by_client,
            by_server: effects(&self.clear_of_the_beat(interval)).filter(|_| !in_step),
        }
    }

    /// Messages of the server that come with its heartbeats tell nothing: those in the middle of a gap do.
    fn clear_of_the_beat(&self, interval: Option<Interval>) -> Vec<StimulusSample> {
        let Some(interval) = interval else { return Vec::new() };
        let clear = tolerance(interval.median) * 2;
        let is_clear = |one: &&StimulusSample| one.after > clear && one.until > clear;
        self.by_server.iter().filter(is_clear).copied().collect()
    }
}

fn punctuality(first: Duration, interval: Duration) -> FirstHeartbeat {
    match first.abs_diff(interval) <= tolerance(interval) {
        true => FirstHeartbeat::OnTime,
        false if first <= TIMER_JITTER => FirstHeartbeat::AtOnce,
        false if first < interval => FirstHeartbeat::Early,
        false => FirstHeartbeat::Late,
    }
}
