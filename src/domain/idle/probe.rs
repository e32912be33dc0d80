//! The orders of a search, and the observations it gets.

use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::plan::SearchPlan;
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::connection::http2::ExhaustedWindow;

/// The id of one connection of a search; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProbeId(pub u32);

/// A timer may be checked only once in this time.
const TIMER_GRAIN: Duration = Duration::from_secs(1);
/// The fraction of a circle that spreads any number of points most evenly: the golden ratio.
const GOLDEN_PART: f64 = 0.618_033_988_749_895;

impl ProbeId {
    /// How long a driver delays opening a silent connection. Connections opened at one moment share the phase
    /// of a timer that ticks once a second; all would end after the same span, and the tick would not show.
    pub fn opening_delay(self, plan: &SearchPlan) -> Duration {
        let part = (f64::from(self.0) * GOLDEN_PART).fract();
        TIMER_GRAIN.min(plan.max / 8).mul_f64(part)
    }
}

/// The role of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum ProbeRole {
    /// Never idle: asked at every control interval.
    Control,
    /// Never idle; sends messages besides Ping frames. Opened when the control ended at an age, to tell a
    /// lifetime from an idle timer that only one of the two resets.
    SecondControl,
    /// Silent until the longest span; its visible end is the timeout.
    Watcher,
    /// Silent for one span, then asked once.
    Trial,
}

/// What a driver must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeOrder {
    /// Open a connection. `ask_at` is the idle span at which to ask it; `None`: hold it silent until a
    /// [`ProbeOrder::Ask`] comes. A control has none: it is asked all the time.
    Open { probe: ProbeId, role: ProbeRole, ask_at: Option<Duration> },
    /// Ask this connection when its idle span reaches `at`, or at once if it has. Replaces an earlier order;
    /// has no effect if the connection was already asked or is over.
    Ask { probe: ProbeId, at: Duration },
    /// Close this connection and report nothing more of it.
    Cancel { probe: ProbeId },
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum SearchStep {
    /// Carry these out in this order, then call `next` again.
    Act(Vec<ProbeOrder>),
    /// Wait for the next observation, or until this time since the run's start.
    Wait { until: Duration },
    /// The search is over: close every connection. [`super::Search::findings`] has the result.
    Done,
}

/// How a connection was seen to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibleEnd {
    pub how: CloseKind,
    /// The peer's FIN came, but a later write still succeeded: closed in one direction only. `None`: not
    /// tested.
    pub half_open: Option<bool>,
}

impl VisibleEnd {
    /// Whether it is a close frame that states the server's reason: by a code that only applications use, or
    /// by text.
    pub fn has_stated_reason(&self) -> bool {
        match &self.how {
            CloseKind::CloseFrame { code, reason } => {
                matches!(code, Some(1008 | 3000..=4999)) || !reason.as_str().is_empty()
            }
            CloseKind::Violation { close: Some(close), .. } => !close.reason.is_empty(),
            CloseKind::Fin
            | CloseKind::Rst
            | CloseKind::TlsClose
            | CloseKind::H2EndStream
            | CloseKind::H2RstStream { .. }
            | CloseKind::H2Goaway { .. }
            | CloseKind::TlsAlert { .. }
            | CloseKind::Violation { close: None, .. }
            | CloseKind::TooLarge { .. }
            | CloseKind::Silent
            | CloseKind::Timeout
            | CloseKind::Error => false,
        }
    }
}

impl From<CloseKind> for VisibleEnd {
    fn from(how: CloseKind) -> VisibleEnd {
        VisibleEnd { how, half_open: None }
    }
}

/// Why a question after a silence found the connection dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeathCause {
    /// No answer within the answer timeout, and no visible end.
    Unanswered {
        /// Whether TCP acknowledged the question; `None` if that is unknown.
        acked: Option<bool>,
    },
    /// A reset, or a close without an answer, followed the question.
    CutOnUse(VisibleEnd),
    /// The question was answered, but the server's earlier message never came: the direction from the server
    /// was lost, and the question restored it. Only a two-ended trial sees this.
    ServerUnheard,
    /// The server's message came, but the question was not answered (two-ended).
    ClientUnheard {
        /// Whether TCP acknowledged the question; `None` if that is unknown.
        acked: Option<bool>,
    },
}

/// What was observed of a connection. Idle spans count from the last byte in either direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeEvent {
    /// It is open, and silent from now on.
    Opened,
    /// It could not be opened; a lower-case fragment says why. The connection is over.
    OpenFailed { why: String },
    /// A control's heartbeat was answered now.
    Beat,
    /// The question was sent after this idle span.
    Asked { idle: Duration },
    /// The question was answered. The connection is over: close it.
    Survived { idle: Duration, rtt: Duration },
    /// The question after this idle span found it dead. The connection is over.
    Died { idle: Duration, death: DeathCause },
    /// It ended after this idle span, before it was asked; it is over. A control ended or was given up
    /// ([`CloseKind::Timeout`]): then `idle` is the time since its last answer if a question is unanswered,
    /// else zero.
    Ended { idle: Duration, visible_end: VisibleEnd },
    /// The peer's flow control held back what was sent, so that the outcome shows nothing. The connection is over.
    HeldBack { window: ExhaustedWindow },
    /// The server sent a message by itself after a quiet gap; the silence starts anew.
    ServerMessage { gap: Duration },
    /// wscheck answered a message of the server.
    Replied,
}

impl ProbeEvent {
    /// Whether the connection is over.
    pub fn is_over(&self) -> bool {
        matches!(
            self,
            ProbeEvent::OpenFailed { .. }
                | ProbeEvent::Survived { .. }
                | ProbeEvent::Died { .. }
                | ProbeEvent::Ended { .. }
                | ProbeEvent::HeldBack { .. }
        )
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    pub probe: ProbeId,
    /// Since the run's start.
    pub at: Duration,
    pub seen: ProbeEvent,
}
