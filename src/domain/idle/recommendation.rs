//! How often to send heartbeats, given what is known about the timeout.

use std::time::Duration;

use super::finding::{IdleFindings, IdleVerdict};
use super::lifetime_cap::LifetimeCap;

/// No recommendation is based on a shorter survived span, such as that of a connection asked right after
/// opening: the heartbeats would be a flood.
pub const MIN_SURVIVED_SPAN: Duration = Duration::from_millis(100);

/// What to do about the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recommendation {
    /// Send a heartbeat at this interval.
    Heartbeat {
        /// 75 % of the longest span that survived, rounded down to whole seconds from 10 s on.
        interval: Duration,
        /// The longest span that survived.
        survived: Duration,
        /// The timeout was found; `false`: it is longer than the longest span tried.
        found: bool,
        /// Connections also end at an age: reconnect before it.
        before: Option<Duration>,
    },
    /// Connections end at an age: reconnect before it, since no heartbeat helps.
    Reconnect { before: Duration },
}

impl Recommendation {
    /// The recommendation for these findings; `None` if they support none.
    pub fn of(findings: &IdleFindings) -> Option<Recommendation> {
        let heartbeat = |found| {
            let survived = findings.bracket.lo.filter(|lo| *lo >= MIN_SURVIVED_SPAN)?;
            let before = findings.lifetime.map(LifetimeCap::reconnect_before);
            Some(Recommendation::Heartbeat { interval: three_quarters(survived), survived, found, before })
        };
        match findings.verdict {
            // If no silence is known to be too long, the server closed connections that sent heartbeats all
            // the time.
            IdleVerdict::ServerPolicy if findings.bracket.hi.is_none() => None,
            IdleVerdict::IdleTimeout | IdleVerdict::ServerPolicy => heartbeat(true),
            IdleVerdict::NoTimeoutUpToMax => heartbeat(false),
            IdleVerdict::ServerKeepsItBusy => {
                heartbeat(findings.server_activity.is_some_and(|c| c.closes_silent_after.is_some()))
            }
            IdleVerdict::LifetimeCap => {
                findings.lifetime.map(|age| Recommendation::Reconnect { before: age.reconnect_before() })
            }
            IdleVerdict::Stochastic | IdleVerdict::Inconclusive => None,
        }
    }

    /// Whether the path stays open when one heartbeat is lost: twice the interval must survive too.
    pub fn tolerates_one_loss(&self) -> Option<bool> {
        match self {
            Recommendation::Heartbeat { interval, survived, .. } => Some(*interval * 2 <= *survived),
            Recommendation::Reconnect { .. } => None,
        }
    }

    /// The longest interval at which one heartbeat may be lost.
    pub fn interval_tolerating_one_loss(&self) -> Option<Duration> {
        match self {
            Recommendation::Heartbeat { survived, .. } => Some(rounded(survived.mul_f64(0.5))),
            Recommendation::Reconnect { .. } => None,
        }
    }
}

impl LifetimeCap {
    /// The age before which to reconnect.
    pub fn reconnect_before(self) -> Duration {
        three_quarters(self.lo)
    }
}

/// 75 % of a span, rounded down as every recommendation.
fn three_quarters(span: Duration) -> Duration {
    rounded(span.mul_f64(0.75))
}

/// Rounds down to whole seconds, or to tenths below 10 s.
fn rounded(span: Duration) -> Duration {
    let grain = if span >= Duration::from_secs(10) { 1000 } else { 100 };
    let millis = span.as_millis() as u64;
    if millis < grain { span } else { Duration::from_millis(millis / grain * grain) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::idle::finding::LifetimeCap;
    use crate::domain::idle::{Search, SearchPlan};
    use crate::domain::run::bracket::Bracket;

    fn findings_of(verdict: IdleVerdict, lo: Option<u64>, lifetime: Option<u64>) -> IdleFindings {
        let nothing = Search::new(SearchPlan::default()).unwrap().findings(Duration::ZERO);
        let bracket = Bracket { lo: lo.map(Duration::from_secs), hi: None };
        let lifetime = lifetime.map(Duration::from_secs).map(|lo| LifetimeCap { lo, hi: lo * 2 });
        IdleFindings { verdict, bracket, lifetime, ..nothing }
    }

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn advice(findings: &IdleFindings) -> Option<Recommendation> {
        Recommendation::of(findings)
    }

    fn heartbeat(interval: u64, survived: u64, before: Option<u64>) -> Option<Recommendation> {
        let (interval, survived, before) = (ms(interval), ms(survived), before.map(ms));
        Some(Recommendation::Heartbeat { interval, survived, found: true, before })
    }

    #[test]
    fn heartbeat_is_three_quarters_or_half_if_one_may_be_lost() {
        let advice = advice(&findings_of(IdleVerdict::IdleTimeout, Some(59), None));
        assert_eq!(advice, heartbeat(44_000, 59_000, None));
        let advice = advice.unwrap();
        assert_eq!(advice.tolerates_one_loss(), Some(false), "idle for 88 s if one is lost");
        assert_eq!(advice.interval_tolerating_one_loss(), Some(ms(29_000)));
    }

    #[test]
    fn short_spans_are_rounded_to_tenths() {
        let advice = advice(&findings_of(IdleVerdict::IdleTimeout, Some(3), None));
        assert_eq!(advice, heartbeat(2_200, 3_000, None));
        assert_eq!(advice.unwrap().interval_tolerating_one_loss(), Some(ms(1_500)));
    }

    #[test]
    fn no_heartbeat_helps_against_a_lifetime() {
        let lifetime = advice(&findings_of(IdleVerdict::LifetimeCap, Some(59), Some(3600)));
        assert_eq!(lifetime, Some(Recommendation::Reconnect { before: ms(45 * 60_000) }));
    }

    #[test]
    fn idle_timeout_below_a_lifetime_names_both() {
        let advice = advice(&findings_of(IdleVerdict::IdleTimeout, Some(2), Some(4)));
        assert_eq!(advice, heartbeat(1_500, 2_000, Some(3_000)));
    }

    #[test]
    fn no_survivor_gives_no_recommendation() {
        assert_eq!(advice(&findings_of(IdleVerdict::IdleTimeout, None, None)), None);
        assert_eq!(advice(&findings_of(IdleVerdict::Stochastic, Some(59), None)), None);
        assert_eq!(advice(&findings_of(IdleVerdict::Inconclusive, Some(59), None)), None);
        let bracket = Bracket { lo: Some(Duration::from_millis(5)), hi: None };
        let at_once = IdleFindings { bracket, ..findings_of(IdleVerdict::IdleTimeout, None, None) };
        assert_eq!(advice(&at_once), None, "an interval of 4 ms would be a flood");
    }
}
