//! The findings of listening.

use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::covered_timeouts::CoveredTimeouts;
use super::interarrival::PayloadVariation;
use super::listen_finding::ListenFinding;
use super::periodic::Periodic;
use super::server_event::{ServerEventClass, ServerEventKind};
use super::timer_evidence::{IntervalOrigin, IntervalSpan};
use super::traffic_effect::TrafficEffects;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::connection::incomplete::IncompleteData;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::stats::interval::Interval;

/// How the server sends heartbeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum ListenVerdict {
    /// At an interval.
    ServerPingsEvery,
    /// It sent none while wscheck listened.
    ServerIsSilentFor,
    /// No known heartbeat, but messages of one form at an interval: perhaps heartbeats.
    PeriodicMessages,
    /// It sends some, at no regular interval.
    Irregular,
    /// Too little was received.
    Inconclusive,
}

/// When the first heartbeat came, relative to the opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum FirstHeartbeat {
    /// With the opening: its clock may start there.
    AtOnce,
    /// Before one interval had passed.
    Early,
    /// One interval after the opening.
    OnTime,
    /// Later than that.
    Late,
}

/// What the server does if its heartbeats stay unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum UnansweredPolicy {
    /// It continued after this many for as long as wscheck listened; more are not tested.
    GoesOn { after: u64 },
    /// It stops after this many and leaves the connection open.
    Stops { after: u64 },
    /// It closed the connection after this many; the cause is unknown.
    #[strum(serialize = "ends_the_connection")]
    Ends { after: u64 },
}

/// What ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndedBy {
    Server,
    /// The path broke, or wscheck closed because of what the server sent.
    Breakage,
}

impl From<&CloseCause> for EndedBy {
    fn from(ending: &CloseCause) -> EndedBy {
        if ending.is_by_peers_hand() { EndedBy::Server } else { EndedBy::Breakage }
    }
}

/// The conditions of the observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ObservationConditions {
    /// How long wscheck listened, since the opening.
    pub listened: Duration,
    /// wscheck answered heartbeats, and the answers left.
    pub answered: bool,
    /// The window that held back what wscheck sent, at the end.
    pub held_back: Option<ExhaustedWindow>,
    /// How the connection ended too early; `None` if it did not.
    pub ended: Option<EndedBy>,
    /// The user ended the run early.
    pub interrupted: bool,
    /// The longest stall of this host; `None` if there was none.
    pub stood_still: Option<Duration>,
    pub known: EndLiveness,
    /// What had arrived of an incomplete frame or message.
    pub incomplete: Option<IncompleteData>,
}

/// Whether a connection without a visible end was still known to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EndLiveness {
    /// It was, as far as the peer can be asked.
    #[default]
    ToTheEnd,
    /// The peer no longer knew it.
    Forgotten,
    /// The user did not wait for the answer.
    Unasked,
}

/// The findings for one kind of event.
#[derive(Debug, Clone, PartialEq)]
pub struct KindFindings {
    pub event_kind: ServerEventKind,
    pub count: u64,
    /// From the first to the last.
    pub over: Duration,
    /// From the opening to the first.
    pub first: Option<Duration>,
    pub interval: Option<Interval>,
    /// The observations confirm the interval.
    pub sure: bool,
    /// The spans since the server's last event, if these confirm an interval and the gaps do not.
    pub since_traffic: Option<Interval>,
    /// The server's messages keep step with them, so they may equally be counted from those.
    pub in_step: bool,
    pub early: Option<FirstHeartbeat>,
    pub payloads: PayloadVariation,
    /// The first payload.
    pub sample: UntrustedText,
    /// The last payload that differed from the first.
    pub latest: Option<UntrustedText>,
    pub shape: Option<&'static str>,
    /// How the client's traffic affected them.
    pub by_client: Option<TrafficEffects>,
    /// How the server's other messages affected them.
    pub by_server: Option<TrafficEffects>,
}

/// The findings of listening.
#[derive(Debug, Clone, PartialEq)]
pub struct ListenFindings {
    pub verdict: ListenVerdict,
    /// Why.
    pub reasons: Vec<ListenFinding>,
    /// Every kind received, heartbeats first.
    pub kinds: Vec<KindFindings>,
    /// The kind that the verdict is about.
    pub heartbeat: Option<ServerEventClass>,
    /// Messages of no known form that come at an interval.
    pub periodic: Option<Periodic>,
    pub origin: Option<IntervalOrigin>,
    pub unanswered: Option<UnansweredPolicy>,
    /// For the heartbeat's interval.
    pub covered_timeouts: Option<CoveredTimeouts>,
    /// The longest time that the server sent nothing.
    pub longest_quiet: Duration,
    /// The longest time that neither side sent anything, except answers.
    pub longest_still: Duration,
    pub listened: Duration,
}

impl KindFindings {
    pub fn kind(&self) -> ServerEventClass {
        ServerEventClass { event_kind: self.event_kind, shape: self.shape }
    }

    /// The confirmed interval: from the gaps, or from the spans since the last traffic.
    pub fn borne_out(&self) -> Option<Interval> {
        self.interval.filter(|_| self.sure).or(self.since_traffic)
    }

    /// The rate from the first to the last; `None` for fewer than two or all at once.
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

    /// What the interval's spans measure; `None` without an interval.
    pub fn spanning(&self) -> Option<IntervalSpan> {
        let kind = self.heartbeat().filter(|kind| kind.borne_out().is_some())?;
        Some(if kind.sure { IntervalSpan::Heartbeats } else { IntervalSpan::SinceTraffic })
    }

    /// The confirmed interval of the server's heartbeats.
    pub fn interval(&self) -> Option<Interval> {
        self.heartbeat()?.borne_out()
    }
}
