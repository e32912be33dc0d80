//! What the search orders, and what it is told.

use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::plan::SearchPlan;
use crate::domain::connection::close_cause::CloseKind;

/// One connection of the search; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProbeId(pub u32);

/// A timer may be looked at only once in this time.
const TIMER_GRAIN: Duration = Duration::from_secs(1);
/// The part of a circle that leaves the most even gaps however many points there are: the golden ratio.
const GOLDEN_PART: f64 = 0.618_033_988_749_895;

impl ProbeId {
    /// How long a driver delays the opening of a silent connection. Connections that open at one moment share the
    /// phase of a timer that ticks once a second, so that all end after the same span and hide its grain.
    pub fn opening_delay(self, plan: &SearchPlan) -> Duration {
        let part = (f64::from(self.0) * GOLDEN_PART).fract();
        TIMER_GRAIN.min(plan.max / 8).mul_f64(part)
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum ProbeRole {
    /// Never idle: asked at every control interval.
    Control,
    /// Never idle, and sends messages besides Ping frames: it is opened when the control ended at an age, to tell a
    /// lifetime from an idle timer that only one of the two resets.
    SecondControl,
    /// Silent until the longest span; its visible end is the timeout.
    Watcher,
    /// Silent for one span, then asked once.
    Trial,
}

/// What a driver is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeOrder {
    /// Open a connection. `ask_at` is the idle span at which to ask it; `None`: hold it silent until
    /// an [`ProbeOrder::Ask`] comes. A control has none: it is asked all the time.
    Open { probe: ProbeId, role: ProbeRole, ask_at: Option<Duration> },
    /// Ask this connection when its idle span has reached `at`, or at once if it has. It replaces what
    /// was ordered before; of a connection that was asked already, or is over, it means nothing.
    Ask { probe: ProbeId, at: Duration },
    /// Close this connection and say no more about it.
    Cancel { probe: ProbeId },
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum SearchStep {
    /// Carry these out, in this order, and ask again.
    Act(Vec<ProbeOrder>),
    /// Nothing until the next observation, or until the run is as old as this, whichever is first.
    Wait { until: Duration },
    /// It is over; [`super::Search::findings`] says what came of it. Close every connection.
    Done,
}

/// How a connection was seen to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibleEnd {
    pub how: CloseKind,
    /// The peer's FIN came, but what we wrote afterwards was still taken: closed on one side only.
    /// `None`: not tried.
    pub half_open: Option<bool>,
}

impl VisibleEnd {
    /// Whether it is a close frame that states the server's own reason: by a code that only an application gives, or in
    /// words.
    pub fn states_why(&self) -> bool {
        match &self.how {
            CloseKind::CloseFrame { code, reason } => {
                let is_own = |code: &u16| *code == 1008 || (3000..5000).contains(code);
                code.as_ref().is_some_and(is_own) || !reason.as_str().is_empty()
            }
            CloseKind::Violation { close: Some(close), .. } => !close.reason.is_empty(),
            CloseKind::Fin
            | CloseKind::Rst
            | CloseKind::TlsClose
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
    /// No answer within the answer timeout, and no sign.
    Unanswered,
    /// The question was answered with a reset (or a close that no answer preceded).
    CutOnUse(VisibleEnd),
    /// The question was answered, but what the server said before it never came: the way from the
    /// server had been lost, and our question healed it. Only a two-ended trial sees this.
    ServerUnheard,
    /// The server spoke and was heard, but our question was not answered (two-ended).
    ClientUnheard,
}

/// What was seen of a connection. Idle spans count from the last byte in either direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeEvent {
    /// It is open, and silent from now on.
    Opened,
    /// It could not be opened; a lower-case fragment says why. The connection is over.
    OpenFailed { why: String },
    /// Controls only: a heartbeat was answered just now.
    Beat,
    /// The question left after this idle span.
    Asked { idle: Duration },
    /// The question was answered. The connection is over: close it.
    Survived { idle: Duration, rtt: Duration },
    /// The question that was asked after this idle span found it dead. The connection is over.
    Died { idle: Duration, death: DeathCause },
    /// It ended before it was asked, after this idle span. Of a control: it ended, or was given up
    /// ([`CloseKind::Timeout`]); then `idle` is the time since its last answer, where a question stayed without one, else
    /// nothing. The connection is over.
    Ended { idle: Duration, cut: VisibleEnd },
    /// The server said something that nobody asked for, after a quiet gap; the silence begins anew.
    Spoke { gap: Duration },
    /// What the server asked by a message was answered.
    Replied,
}

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    pub probe: ProbeId,
    /// Since the run's start.
    pub at: Duration,
    pub seen: ProbeEvent,
}
