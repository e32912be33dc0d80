//! A server's heartbeats as several clients receive them.

use std::time::Duration;

use super::behaviour::Behaviour;
use super::client_record::{ClientRecord, client_of};
use crate::domain::listen::{Interarrival, ServerEventKind};
use crate::domain::stats::interval::{Interval, tolerance};

/// A client that gets at most this fraction of the usual pings is skipped because it is active.
const MAX_SKIPPED_PART: f64 = 0.34;
/// Minimum number of intervals to observe.
const MIN_INTERVALS: f64 = 3.0;
/// Shift, in multiples of the tolerance between gaps, from which it counts as visible.
const MIN_VISIBLE_SHIFT: f64 = 1.2;

/// The schedule of one kind of heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerSchedule {
    pub event_kind: ServerEventKind,
    /// `None` if too few were received or the clients disagree.
    pub interval: Option<Duration>,
    /// Clients that have just sent a message get none; `None` if unknown.
    pub skips_active: Option<bool>,
}

/// Heartbeats have stopped if the next one is missing for this many intervals.
const STOPPED_AFTER_INTERVALS: f64 = 2.5;

/// Estimates the schedule of one kind of heartbeat from all clients.
pub struct ScheduleEstimator<'a> {
    pub clients: &'a [ClientRecord],
    pub event_kind: ServerEventKind,
    /// How often the control and the Pings-only client send.
    pub every: Duration,
}

impl<'a> ScheduleEstimator<'a> {
    pub fn estimate(&self) -> ServerSchedule {
        let skips_active = self.skips_active();
        // Answering an app ping means sending a message, which makes the client active.
        let quiet = self.client(Behaviour::Quiet);
        let answers = quiet.is_some_and(|quiet| quiet.listening.arrivals(ServerEventKind::AppPing).is_some());
        let is_blurred = answers && skips_active != Some(false);
        let interval = if is_blurred {
            self.common_interval(&SENDING_NOTHING).or_else(|| self.interval_by_pinging_client())
        } else {
            self.common_interval(&SENDING_ONLY_ANSWERS)
        };
        let interval = interval.filter(|interval| is_blurred || !self.has_stopped(interval));
        ServerSchedule {
            event_kind: self.event_kind,
            interval: interval.map(|interval| interval.median),
            skips_active,
        }
    }

    /// Whether the quiet client got no heartbeat for long before its end, although it answers.
    fn has_stopped(&self, interval: &Interval) -> bool {
        let silence = |client: &ClientRecord| {
            let last = client.listening.arrivals(self.event_kind)?.last;
            Some(client.kept()?.saturating_sub(client.since_greeting(last)))
        };
        let silence = self.client(Behaviour::Quiet).and_then(silence);
        silence.is_some_and(|silence| silence > interval.max.mul_f64(STOPPED_AFTER_INTERVALS))
    }

    fn client(&self, behaviour: Behaviour) -> Option<&'a ClientRecord> {
        client_of(self.clients, behaviour)
    }

    /// The interval as this client sees it, if it is regular.
    fn interval_seen_by(&self, behaviour: Behaviour) -> Option<Interval> {
        // A flood has no regular interval.
        self.client(behaviour)?
            .listening
            .arrivals(self.event_kind)?
            .sure_interval()
            .filter(|interval| !interval.is_burst())
    }

    /// The interval these clients see, unless one of them saw a contradicting gap.
    fn common_interval(&self, behaviours: &[Behaviour]) -> Option<Interval> {
        let interval = behaviours.iter().find_map(|behaviour| self.interval_seen_by(*behaviour))?;
        (!self.is_contradicted(interval, behaviours)).then_some(interval)
    }

    /// The interval seen by the Pings-only client. Its own Pings may shift heartbeats, so an interval close
    /// to a multiple of its own proves nothing.
    fn interval_by_pinging_client(&self) -> Option<Interval> {
        let interval = self
            .interval_seen_by(Behaviour::PingsOnly)
            .filter(|interval| !self.may_follow_our_traffic(interval) && !self.may_be_doubled(interval))?;
        let is_too_long =
            self.interval_seen_by(Behaviour::Quiet).is_some_and(|other| is_shorter(&other, &interval));
        (!is_too_long && !self.is_contradicted(interval, &SENDING_NOTHING)).then_some(interval)
    }

    fn is_contradicted(&self, interval: Interval, behaviours: &[Behaviour]) -> bool {
        let arrivals_by_form = behaviours
            .iter()
            .filter_map(|behaviour| self.client(*behaviour)?.listening.arrivals(self.event_kind));
        arrivals_by_form.filter_map(Interarrival::interval).any(|other| !interval.fits(other.median))
    }

    /// Whether the interval may follow our own traffic. It does not if our traffic arrived at every phase
    /// between two heartbeats: the phase must have drifted by a full interval.
    fn may_follow_our_traffic(&self, interval: &Interval) -> bool {
        let every = self.every.as_secs_f64().max(1e-9);
        let times = (interval.median.as_secs_f64() / every).round().max(1.0);
        let moved = (interval.median.as_secs_f64() - every * times).abs();
        moved * (interval.gaps as f64) < every
    }

    /// Whether each second heartbeat may have been skipped because of our own Pings, so that the server's interval is half of
    /// this one. More frequent Pings would suppress all of its heartbeats, and rarer ones would leave some in a row.
    fn may_be_doubled(&self, interval: &Interval) -> bool {
        let of_interval = self.every.as_secs_f64() / interval.median.as_secs_f64().max(1e-9);
        (0.45..1.1).contains(&of_interval)
    }

    /// Whether the server skips the control, which sends, compared with a client that does not.
    fn skips_active(&self) -> Option<bool> {
        let (control, usual) = (self.client(Behaviour::Control)?, self.base_interval()?);
        let intervals = control.kept()?.as_secs_f64() / usual.median.as_secs_f64().max(1e-9);
        if intervals < MIN_INTERVALS {
            return None;
        }
        // The control has just sent now and then, so if active clients are skipped, some heartbeats would be
        // missing.
        if let Some(own) =
            self.interval_seen_by(Behaviour::Control).filter(|own| usual.fits(own.min) && usual.fits(own.max))
        {
            return self.is_shift_visible(own.median).then_some(false);
        }
        let received = control.listening.arrivals(self.event_kind).map_or(0, |arrivals| arrivals.count);
        (received as f64 <= intervals * MAX_SKIPPED_PART).then_some(true)
    }

    /// Whether the control's traffic would shift heartbeats of this interval visibly: it is not in phase with
    /// them.
    fn is_shift_visible(&self, interval: Duration) -> bool {
        let ratio = self.every.as_secs_f64() / interval.as_secs_f64().max(1e-9);
        let visible =
            tolerance(interval).as_secs_f64() / interval.as_secs_f64().max(1e-9) * MIN_VISIBLE_SHIFT;
        ratio < 1.0 - visible || (visible..1.0 - visible).contains(&ratio.fract())
    }

    /// The approximate interval for clients that do not send; a client that answers by messages suffices
    /// here, unless its answers blur it.
    fn base_interval(&self) -> Option<Interval> {
        SENDING_ONLY_ANSWERS
            .iter()
            .find_map(|behaviour| self.interval_seen_by(*behaviour))
            .or_else(|| self.interval_by_pinging_client())
    }
}

/// Traffic postpones a heartbeat, and never advances it.
fn is_shorter(a: &Interval, b: &Interval) -> bool {
    a.median + tolerance(b.median) < b.median
}

/// Clients that send nothing at all.
const SENDING_NOTHING: [Behaviour; 2] = [Behaviour::Mute, Behaviour::HalfClosed];
/// Clients that send nothing but answers.
const SENDING_ONLY_ANSWERS: [Behaviour; 3] = [Behaviour::Mute, Behaviour::HalfClosed, Behaviour::Quiet];
