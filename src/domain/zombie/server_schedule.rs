//! A server's heartbeats as several clients hear them.

use std::time::Duration;

use super::behaviour::Behaviour;
use super::client_record::ClientRecord;
use crate::domain::listen::{Interarrival, ServerEventKind};
use crate::domain::stats::interval::{Interval, tolerance};

/// A client that is pinged at most so often, in part of the usual, is left out because it is active.
const MAX_SKIPPED_PART: f64 = 0.34;
/// Over so many intervals it must be seen.
const MIN_INTERVALS: f64 = 3.0;
/// What is moved by so many times what gaps may differ by is seen to be.
const MIN_VISIBLE_SHIFT: f64 = 1.2;

/// Heartbeats of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerSchedule {
    pub sound: ServerEventKind,
    /// `None`: too few were heard, or the clients do not agree.
    pub interval: Option<Duration>,
    /// Clients that have just sent a message get none; `None`: not known.
    pub skips_active: Option<bool>,
}

/// After so many intervals without the next they have stopped.
const STOPPED_AFTER_INTERVALS: f64 = 2.5;

/// What clients heard of one kind of heartbeat.
pub struct ScheduleEstimator<'a> {
    lives: &'a [ClientRecord],
    sound: ServerEventKind,
    /// How often the control, and the client of Pings only, send something.
    every: Duration,
}

impl<'a> ScheduleEstimator<'a> {
    pub fn new(lives: &'a [ClientRecord], sound: ServerEventKind, every: Duration) -> ScheduleEstimator<'a> {
        ScheduleEstimator { lives, sound, every }
    }

    /// What they come to.
    pub fn beats(&self) -> ServerSchedule {
        let skips_active = self.skips_active();
        // Whoever answers an app ping sends a message, and is active by that.
        let quiet = self.life(Behaviour::Quiet);
        let answers = quiet.is_some_and(|quiet| quiet.listening.rhythm(ServerEventKind::AppPing).is_some());
        let doubtful = answers && skips_active != Some(false);
        let interval = if doubtful {
            self.agreed(&SENDING_NOTHING).or_else(|| self.of_who_pings())
        } else {
            self.agreed(&SENDING_NOTHING_UNASKED)
        };
        let interval = interval.filter(|interval| doubtful || !self.has_stopped(interval));
        ServerSchedule { sound: self.sound, interval: interval.map(|interval| interval.median), skips_active }
    }

    /// Whether one that answers was asked no more for long before its end.
    fn has_stopped(&self, interval: &Interval) -> bool {
        let silence = |life: &ClientRecord| {
            let last = life.listening.rhythm(self.sound)?.last;
            Some(life.kept()?.saturating_sub(life.since_greeting(last)))
        };
        let silence = self.life(Behaviour::Quiet).and_then(silence);
        silence.is_some_and(|silence| silence > interval.max.mul_f64(STOPPED_AFTER_INTERVALS))
    }

    fn life(&self, way: Behaviour) -> Option<&'a ClientRecord> {
        self.lives.iter().find(|life| life.way == way)
    }

    /// The interval as this client sees it, if it does.
    fn seen(&self, way: Behaviour) -> Option<Interval> {
        // In a flood there is none that a clock keeps.
        self.life(way)?.listening.rhythm(self.sound)?.sure_interval().filter(|interval| !interval.is_burst())
    }

    /// The interval as these see it, where nobody of them heard a gap that contradicts it.
    fn agreed(&self, ways: &[Behaviour]) -> Option<Interval> {
        let interval = ways.iter().find_map(|way| self.seen(*way))?;
        (!self.is_contradicted(interval, ways)).then_some(interval)
    }

    /// Who sends Pings may move what it hears: an interval that is one of its own proves nothing.
    fn of_who_pings(&self) -> Option<Interval> {
        let interval = self.seen(Behaviour::PingsOnly).filter(|interval| !self.is_ours(interval))?;
        let is_too_long = self.seen(Behaviour::Quiet).is_some_and(|other| is_shorter(&other, &interval));
        (!is_too_long && !self.is_contradicted(interval, &SENDING_NOTHING)).then_some(interval)
    }

    fn is_contradicted(&self, interval: Interval, ways: &[Behaviour]) -> bool {
        let rhythms = ways.iter().filter_map(|way| self.life(*way)?.listening.rhythm(self.sound));
        rhythms.filter_map(Interarrival::interval).any(|other| !interval.fits(other.median))
    }

    /// Whether an interval may come of our own traffic. It does not where that came at every moment between two
    /// heartbeats, one time or another: so far must the one have moved against the other.
    fn is_ours(&self, interval: &Interval) -> bool {
        let every = self.every.as_secs_f64().max(1e-9);
        let times = (interval.median.as_secs_f64() / every).round().max(1.0);
        let moved = (interval.median.as_secs_f64() - every * times).abs();
        moved * (interval.gaps as f64) < every
    }

    /// Whether the control, which talks, is left out, compared with one that does not.
    fn skips_active(&self) -> Option<bool> {
        let (control, usual) = (self.life(Behaviour::Control)?, self.usual()?);
        let intervals = control.kept()?.as_secs_f64() / usual.median.as_secs_f64().max(1e-9);
        if intervals < MIN_INTERVALS {
            return None;
        }
        // Now and then it has just talked: not one may be left out.
        if let Some(own) =
            self.seen(Behaviour::Control).filter(|own| usual.fits(own.min) && usual.fits(own.max))
        {
            return self.would_show(own.median).then_some(false);
        }
        let heard = control.listening.rhythm(self.sound).map_or(0, |rhythm| rhythm.count);
        (heard as f64 <= intervals * MAX_SKIPPED_PART).then_some(true)
    }

    /// Whether the control's traffic, if it moved heartbeats of this interval, would do so visibly: it does not come
    /// just when they are due.
    fn would_show(&self, interval: Duration) -> bool {
        let ratio = self.every.as_secs_f64() / interval.as_secs_f64().max(1e-9);
        let visible =
            tolerance(interval).as_secs_f64() / interval.as_secs_f64().max(1e-9) * MIN_VISIBLE_SHIFT;
        ratio < 1.0 - visible || (visible..1.0 - visible).contains(&ratio.fract())
    }

    /// How often they come to who does not talk, roughly: here one that answers by messages will do, where its answers
    /// do not blur it.
    fn usual(&self) -> Option<Interval> {
        SENDING_NOTHING_UNASKED.iter().find_map(|way| self.seen(*way)).or_else(|| self.of_who_pings())
    }
}

/// Traffic postpones a heartbeat, and never hastens it.
fn is_shorter(a: &Interval, b: &Interval) -> bool {
    a.median + tolerance(b.median) < b.median
}

/// Those who send nothing at all.
const SENDING_NOTHING: [Behaviour; 2] = [Behaviour::Mute, Behaviour::HalfClosed];
/// Those who send nothing unasked.
const SENDING_NOTHING_UNASKED: [Behaviour; 3] = [Behaviour::Mute, Behaviour::HalfClosed, Behaviour::Quiet];
