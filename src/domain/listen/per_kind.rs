//! One kind of server event on one connection.

use std::time::Duration;

use super::findings::{FirstHeartbeat, KindFindings};
use super::interarrival::Interarrival;
use super::server_event::{ServerEvent, ServerEventClass, ServerEventKind};
use super::since_traffic::{SinceTraffic, SinceTrafficEvidence};
use super::traffic_effect::{StimulusSample, TrafficEffects, push_sample};
use crate::domain::stats::interval::{Interval, TIMER_JITTER, tolerance};

/// Events in this part of a gap did not come together with the heartbeats.
const BETWEEN_HEARTBEATS: std::ops::RangeInclusive<f64> = 0.25..=0.75;

#[derive(Debug, Clone)]
pub struct KindRecord {
    /// The gaps from one to the next.
    pub arrivals: Interarrival,
    /// The spans from the server's last event to each.
    pub since: SinceTraffic,
    by_client: Vec<StimulusSample>,
    by_server: Vec<StimulusSample>,
    /// The server's longest silence before the last of them, since its first event ...
    pause_before: Duration,
    /// ... and since the last of them, as far as an event ended it.
    pub pause_since: Duration,
    /// The gap before the last of them.
    gap: Option<Duration>,
    /// The server's last message in the middle of a gap, for use if the next gap is as long.
    middle: Option<Duration>,
    /// How many were answered before the client stopped answering.
    pub answered: u64,
}

/// What is known about the schedule of one kind of heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleKnowledge {
    /// One interval after the previous one.
    Steady(Interval),
    /// One interval after the server's last event.
    SinceTraffic(Interval),
    /// Perhaps the same, but none was seen to follow another heartbeat.
    Hinted(Interval),
    /// At no known interval.
    Unsteady,
}

impl KindRecord {
    /// Starts with the first of its kind; `pause_before` is the server's longest silence before it.
    pub fn begin(arrivals: Interarrival, pause_before: Duration) -> KindRecord {
        KindRecord {
            arrivals,
            since: SinceTraffic::default(),
            by_client: Vec::new(),
            by_server: Vec::new(),
            pause_before,
            pause_since: Duration::ZERO,
            gap: None,
            middle: None,
            answered: 0,
        }
    }

    pub fn schedule(&self) -> ScheduleKnowledge {
        let plain = self.arrivals.sure_interval();
        match (self.since.evaluate(plain.and(self.arrivals.interval()), self.pause_before), plain) {
            (SinceTrafficEvidence::Counted(interval), _) => ScheduleKnowledge::SinceTraffic(interval),
            (SinceTrafficEvidence::Hinted(interval), _) if interval.gaps >= 3 => {
                ScheduleKnowledge::Hinted(interval)
            }
            // Two gaps that agree less closely than the spans since the last traffic do are an accident.
            (SinceTrafficEvidence::Hinted(_), _) | (SinceTrafficEvidence::Nothing, None) => {
                ScheduleKnowledge::Unsteady
            }
            (SinceTrafficEvidence::Nothing, Some(interval)) => ScheduleKnowledge::Steady(interval),
        }
    }

    /// Records the next one. `client`: when the client last sent; `server`: the server's last message;
    /// `clear`: no client traffic may have moved it.
    pub fn record_next(
        &mut self,
        at: Duration,
        event: &ServerEvent,
        client: Option<Duration>,
        server: Option<Duration>,
        clear: bool,
    ) {
        self.record_traffic_sample(at, client, server, event.event_kind);
        self.arrivals.record_next(at, event, !clear);
        self.pause_before = self.pause_before.max(std::mem::take(&mut self.pause_since));
    }

    /// Records the next one, when the gap before it is unknown.
    pub fn resume(&mut self, at: Duration, event: &ServerEvent) {
        self.arrivals.record_next(at, event, true);
        (self.gap, self.middle) = (None, None);
        self.pause_before = self.pause_before.max(std::mem::take(&mut self.pause_since));
    }

    /// Records another event of the server.
    pub fn record_message(&mut self, at: Duration) {
        let Some(gap) = self.gap else { return };
        let after = at.saturating_sub(self.arrivals.last);
        if BETWEEN_HEARTBEATS.contains(&(after.as_secs_f64() / gap.as_secs_f64())) {
            self.middle = Some(at);
        }
    }

    /// Records the traffic between this heartbeat and the previous one: the client's, or else the server's.
    /// The last of several messages shows whether it postponed the heartbeat. One in the middle shows that
    /// none did, if the gap is as long as the previous one.
    fn record_traffic_sample(
        &mut self,
        at: Duration,
        client: Option<Duration>,
        server: Option<Duration>,
        event_kind: ServerEventKind,
    ) {
        let last = self.arrivals.last;
        let between = |moment: Option<Duration>| moment.filter(|moment| *moment > last && *moment < at);
        let one = |moment: Duration| StimulusSample { after: moment - last, until: at - moment };
        let gap = at.saturating_sub(last);
        let is_alike = self.gap.is_some_and(|before| gap.abs_diff(before) <= tolerance(before));
        let server = between(self.middle).filter(|_| is_alike).or(server);
        (self.gap, self.middle) = (Some(gap), None);
        if let Some(moment) = between(client) {
            push_sample(&mut self.by_client, one(moment));
        } else if event_kind != ServerEventKind::Message
            && let Some(moment) = between(server)
        {
            push_sample(&mut self.by_server, one(moment));
        }
    }

    /// The findings; `longest_quiet` is the server's longest silence.
    pub fn findings(&self, kind: ServerEventClass, longest_quiet: Duration) -> KindFindings {
        let arrivals = &self.arrivals;
        let (sure, since_traffic) = match self.schedule() {
            ScheduleKnowledge::Steady(interval) => (Some(interval), None),
            ScheduleKnowledge::SinceTraffic(interval) => (None, Some(interval)),
            ScheduleKnowledge::Hinted(_) | ScheduleKnowledge::Unsteady => (None, None),
        };
        let interval = sure.or(since_traffic);
        let clock = interval.filter(|interval| !interval.is_burst());
        let effects = |samples: &[StimulusSample]| TrafficEffects::of(samples, &clock?);
        let by_client = match since_traffic {
            None => effects(&self.by_client),
            Some(_) => clock.and_then(|clock| self.since.by_client(&clock)),
        };
        let in_step = sure.is_some_and(|sure| self.since.explains(&sure, longest_quiet));
        KindFindings {
            event_kind: kind.event_kind,
            count: arrivals.count,
            over: arrivals.last.saturating_sub(arrivals.begun),
            first: arrivals.first,
            interval: arrivals.interval(),
            sure: sure.is_some(),
            since_traffic,
            in_step,
            // If traffic postpones heartbeats, traffic before the first one may have postponed it.
            early: arrivals
                .first
                .zip(clock.filter(|clock| !clock.is_fast() && !in_step && since_traffic.is_none()))
                .map(|(first, clock)| classify_first(first, clock.median)),
            payloads: arrivals.payloads(),
            sample: arrivals.sample.clone(),
            latest: arrivals.latest.clone(),
            shape: kind.shape,
            by_client,
            by_server: effects(&self.samples_between_heartbeats(interval)).filter(|_| !in_step),
        }
    }

    /// Server messages that come with its heartbeats show nothing; those in the middle of a gap do.
    fn samples_between_heartbeats(&self, interval: Option<Interval>) -> Vec<StimulusSample> {
        let Some(interval) = interval else { return Vec::new() };
        let clear = tolerance(interval.median) * 2;
        let is_clear = |one: &&StimulusSample| one.after > clear && one.until > clear;
        self.by_server.iter().filter(is_clear).copied().collect()
    }
}

fn classify_first(first: Duration, interval: Duration) -> FirstHeartbeat {
    match first.abs_diff(interval) <= tolerance(interval) {
        true => FirstHeartbeat::OnTime,
        false if first <= TIMER_JITTER => FirstHeartbeat::AtOnce,
        false if first < interval => FirstHeartbeat::Early,
        false => FirstHeartbeat::Late,
    }
}
