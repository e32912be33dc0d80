//! What listening comes to.

use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::covered_timeouts::CoveredTimeouts;
use super::interarrival::PayloadVariation;
use super::periodic::Periodic;
use super::server_event::{ServerEventClass, ServerEventKind};
use super::traffic_effect::TrafficEffects;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::incomplete::IncompleteData;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::stats::interval::Interval;

/// What the server does about heartbeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum ListenVerdict {
    /// It sends them at an interval.
    ServerPingsEvery,
    /// It sent none as long as it was listened to.
    ServerIsSilentFor,
    /// It sent none of a known shape, and messages of one form at an interval: heartbeats perhaps.
    PeriodicMessages,
    /// It sends some, at no particular interval.
    Irregular,
    /// Too little was heard to tell.
    Inconclusive,
}

/// When the first heartbeat came, seen from the opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum FirstHeartbeat {
    /// With the opening: its clock may begin with that.
    AtOnce,
    /// Before an interval had passed.
    Early,
    /// One interval after the opening.
    OnTime,
    /// Later than that.
    Late,
}

/// From what the server counts its intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum IntervalOrigin {
    /// A clock of its own: what the client said leaves it as it is, and what the server said, if it said anything.
    FixedClock,
    /// The last traffic.
    LastTraffic,
}

/// From what to what the spans of an interval are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum IntervalSpan {
    /// From one heartbeat to the next.
    Heartbeats,
    /// From the last that the server said, whatever it was, to each heartbeat.
    SinceTraffic,
}

/// What the server does when its heartbeats stay unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum UnansweredPolicy {
    /// So many were left unanswered as long as it was listened, and the next came: what more would do is not known.
    GoesOn { after: u64 },
    /// It sends no more after so many, and leaves the connection open.
    Stops { after: u64 },
    /// It ended the connection after so many; whether for those is not known.
    #[strum(serialize = "ends_the_connection")]
    Ends { after: u64 },
}

/// Whose doing it was that a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndedBy {
    /// The server's, by its own hand.
    Server,
    /// The path broke, or we gave up what the server sent.
    Breakage,
}

impl From<&CloseCause> for EndedBy {
    fn from(ending: &CloseCause) -> EndedBy {
        if ending.is_by_peers_hand() { EndedBy::Server } else { EndedBy::Breakage }
    }
}

/// How it was listened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ObservationConditions {
    /// For so long, from the opening.
    pub listened: Duration,
    /// Heartbeats were answered.
    pub answered: bool,
    /// How the connection ended before its time; `None`: it did not.
    pub ended: Option<EndedBy>,
    /// The user ended it before its time.
    pub interrupted: bool,
    /// For so long at the longest this host stood still; `None`: it never did.
    pub stood_still: Option<Duration>,
    pub known: EndLiveness,
    /// What had come at the end of a frame or a message that was not complete.
    pub incomplete: Option<IncompleteData>,
}

/// Whether the connection, of whose end nothing was heard, was known at the other end, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EndLiveness {
    /// It was, as far as can be asked.
    #[default]
    ToTheEnd,
    /// Nobody knew it any more.
    Forgotten,
    /// The user did not wait for an answer.
    Unasked,
}

/// What was found of one kind of sound.
#[derive(Debug, Clone, PartialEq)]
pub struct KindFindings {
    pub sound: ServerEventKind,
    pub count: u64,
    /// From the first that was heard to the last.
    pub over: Duration,
    /// From the opening to the first.
    pub first: Option<Duration>,
    pub interval: Option<Interval>,
    /// The interval is borne out.
    pub sure: bool,
    /// The spans from the last that the server said to each of them, where these, and not the gaps, bear an interval
    /// out.
    pub since_traffic: Option<Interval>,
    /// The server's messages keep step with them, so that each may as well be counted from one of those.
    pub in_step: bool,
    pub early: Option<FirstHeartbeat>,
    pub payloads: PayloadVariation,
    /// The first payload.
    pub sample: UntrustedText,
    /// The last payload that differed from the first.
    pub latest: Option<UntrustedText>,
    pub shape: Option<&'static str>,
    /// What the client's own traffic did to them.
    pub by_client: Option<TrafficEffects>,
    /// What the server's other messages did to them.
    pub by_server: Option<TrafficEffects>,
}

/// What listening comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct ListenFindings {
    pub verdict: ListenVerdict,
    /// Why, in lower-case fragments.
    pub reasons: Vec<String>,
    /// Every kind that was heard, heartbeats first.
    pub kinds: Vec<KindFindings>,
    /// The kind that the verdict is about.
    pub heartbeat: Option<ServerEventClass>,
    /// Messages of no known shape that come at an interval.
    pub periodic: Option<Periodic>,
    pub origin: Option<IntervalOrigin>,
    pub unanswered: Option<UnansweredPolicy>,
    /// Of the heartbeat's interval.
    pub clearance: Option<CoveredTimeouts>,
    /// The longest span in which the server said nothing at all.
    pub longest_quiet: Duration,
    /// The longest span in which neither side said anything, but for answers.
    pub longest_still: Duration,
    pub listened: Duration,
}

impl KindFindings {
    /// Which kind it is.
    pub fn kind(&self) -> ServerEventClass {
        ServerEventClass { sound: self.sound, shape: self.shape }
    }

    /// The interval that is borne out: by the gaps, or by the spans since the last traffic.
    pub fn borne_out(&self) -> Option<Interval> {
        self.interval.filter(|_| self.sure).or(self.since_traffic)
    }

    /// How many came in a second, from the first to the last; `None` of fewer than two, and of all at once.
    pub fn per_second(&self) -> Option<f64> {
        let gaps = self.count.checked_sub(1).filter(|gaps| *gaps > 0)?;
        (!self.over.is_zero()).then(|| gaps as f64 / self.over.as_secs_f64())
    }
}

impl ListenFindings {
    /// The kind that the verdict is about.
    pub fn heartbeat(&self) -> Option<&KindFindings> {
        self.kinds.iter().find(|kind| Some(kind.kind()) == self.heartbeat)
    }

    /// From what to what the spans of the interval are; `None` without one.
    pub fn spanning(&self) -> Option<IntervalSpan> {
        let kind = self.heartbeat().filter(|kind| kind.borne_out().is_some())?;
        Some(if kind.sure { IntervalSpan::Heartbeats } else { IntervalSpan::SinceTraffic })
    }

    /// The interval of the server's heartbeats, where it is borne out.
    pub fn interval(&self) -> Option<Interval> {
        self.heartbeat()?.borne_out()
    }
}
