//! What keeps the path open: one connection for each keepalive method, held for several timeouts.

use std::time::Duration;

pub use super::keepalive_method::KeepaliveMethod;
pub use super::refresh_conclusion::{RefreshConclusion, TimerScope};

/// A method must keep its connection for this many timeouts.
pub const HELD_TIMEOUTS: f64 = 2.5;

/// From the bracket's ends: how long to hold each connection, and how often to send.
pub fn schedule(lo: Duration, hi: Duration) -> (Duration, Duration) {
    (hi.mul_f64(HELD_TIMEOUTS), lo / 2)
}

/// The result for one keepalive method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeepaliveOutcome {
    /// The connection answered at the end.
    Survived,
    /// The connection was lost; `how`, in words.
    Died { after: Duration, how: String },
    /// It was not tried, or the result is unclear; `why`, in words.
    Unknown { why: String },
}

impl KeepaliveOutcome {
    /// Whether the connection survived; `None` if that is unknown.
    pub fn survived(&self) -> Option<bool> {
        match self {
            KeepaliveOutcome::Survived => Some(true),
            KeepaliveOutcome::Died { .. } => Some(false),
            KeepaliveOutcome::Unknown { .. } => None,
        }
    }
}

/// One keepalive method and its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodResult {
    pub method: KeepaliveMethod,
    /// The interval; `None` if nothing was sent.
    pub every: Option<Duration>,
    /// How long the connection was to be held.
    pub held: Duration,
    pub outcome: KeepaliveOutcome,
}

/// The results of all methods, and the conclusion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshResults {
    /// In the order of [`KeepaliveMethod`].
    pub rows: Vec<MethodResult>,
    pub conclusion: RefreshConclusion,
    /// What the timer belongs to; known only over HTTP/2.
    pub scope: Option<TimerScope>,
}

impl RefreshResults {
    /// The results in order, with their conclusion; `known` is what the controls showed.
    pub fn of(mut rows: Vec<MethodResult>, known: &[(KeepaliveMethod, bool)]) -> RefreshResults {
        rows.sort_by_key(|row| row.method);
        let of_rows = |method| kept_in(&rows, method);
        let of_controls = |method| known.iter().find(|(known, _)| *known == method).map(|(_, kept)| *kept);
        let is_contradicted = known.iter().any(|(method, kept)| of_rows(*method) == Some(!kept));
        let kept = |method| of_rows(method).or(of_controls(method));
        let (conclusion, scope) = match is_contradicted {
            true => (RefreshConclusion::Contradictory, None),
            false => (RefreshConclusion::of(kept), TimerScope::of(kept)),
        };
        RefreshResults { rows, conclusion, scope }
    }

    /// Whether a method kept its connection open; `None` if it was not tried or the result is unclear.
    pub fn kept_by(&self, method: KeepaliveMethod) -> Option<bool> {
        kept_in(&self.rows, method)
    }
}

fn kept_in(rows: &[MethodResult], method: KeepaliveMethod) -> Option<bool> {
    rows.iter().find(|row| row.method == method)?.outcome.survived()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refresh_sends_twice_per_timeout_and_holds_two_and_a_half() {
        let seconds = Duration::from_secs;
        assert_eq!(schedule(seconds(58), seconds(60)), (seconds(150), seconds(29)));
    }
}
