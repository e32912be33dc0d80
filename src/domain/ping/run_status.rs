//! The status of a run, by all its heartbeats rather than the latest ones.

use std::time::Duration;

use super::health::{Status, StatusLimits};
use crate::domain::format;
use crate::domain::stats::Counts;

/// The limits of a run's status. All of them are command options.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunStatusLimits {
    /// The limits of the mean RTT, and the number of consecutive missed heartbeats that makes a connection
    /// dead.
    pub connection: StatusLimits,
    /// The loss above which a run is poor, from 0 to 1.
    pub poor_loss: f64,
    /// The loss above which a run is critical, from 0 to 1.
    pub critical_loss: f64,
    /// Missed heartbeats below which loss makes no run poor or critical. At least 1.
    pub loss_min_missed: u64,
    /// A run that ends with this many heartbeats missed in a row is `timeout`. At least 1.
    pub timeout_after: u32,
}

impl Default for RunStatusLimits {
    fn default() -> RunStatusLimits {
        RunStatusLimits {
            connection: StatusLimits::default(),
            poor_loss: 0.05,
            critical_loss: 0.20,
            loss_min_missed: 2,
            timeout_after: 2,
        }
    }
}

/// The figures that determine the status for one kind of heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusEvidence<'a> {
    pub counts: &'a Counts,
    /// Mean RTT of all answered heartbeats; `None` without an answer.
    pub mean_rtt: Option<Duration>,
    /// Heartbeats missed in a row at the end, with no answer since.
    pub missed_at_end: u32,
}

/// A status and its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStatus {
    pub status: Status,
    /// A lower-case fragment: `3 of 20 heartbeats missed (15 % loss)`.
    pub reason: String,
    /// The status without the RTT rule; applies if RTTs are only upper bounds.
    pub without_rtt: Status,
}

impl RunStatusLimits {
    /// The status for one kind of heartbeat on one connection: the worst that a rule gives.
    ///
    /// 1. At the end heartbeats were missed in a row: `dead` or `timeout`.
    /// 2. Heartbeats were missed and none was answered: `timeout`.
    /// 3. Heartbeats were missed: `degraded`, `poor` or `critical`, by the loss.
    /// 4. The class of the mean RTT of all answered heartbeats; `unknown` without an answer.
    pub fn status(&self, evidence: StatusEvidence<'_>) -> RunStatus {
        let besides_rtt =
            [self.by_silence(evidence), never_answered(evidence), self.by_loss(evidence.counts)];
        let without_rtt = besides_rtt.iter().flatten().map(|(status, _)| *status).max();
        let by_rtt = self.by_rtt(evidence);
        let status = without_rtt.unwrap_or(Status::Healthy).max(by_rtt.0);
        let reasons = besides_rtt.into_iter().flatten().chain([by_rtt]);
        let reason = reasons.into_iter().find(|(of, _)| *of == status).map(|(_, why)| why);
        RunStatus {
            status,
            reason: reason.unwrap_or_default(),
            without_rtt: without_rtt.unwrap_or(Status::Healthy),
        }
    }

    /// The status by loss alone; `None` if nothing was missed.
    pub fn by_loss(&self, counts: &Counts) -> Option<(Status, String)> {
        let loss = counts.loss().filter(|_| counts.missed > 0)?;
        let status = match loss {
            _ if counts.missed < self.loss_min_missed => Status::Degraded,
            loss if loss > self.critical_loss => Status::Critical,
            loss if loss > self.poor_loss => Status::Poor,
            _ => Status::Degraded,
        };
        let judged = format::counted(counts.judged(), "heartbeat");
        Some((status, format!("{} of {judged} missed ({} loss)", counts.missed, format::percent(loss))))
    }

    fn by_silence(&self, evidence: StatusEvidence<'_>) -> Option<(Status, String)> {
        let missed = evidence.missed_at_end;
        let status = match missed {
            0 => return None,
            missed if missed >= self.connection.dead_after => Status::Dead,
            missed if missed >= self.timeout_after => Status::Timeout,
            _ => return None,
        };
        let heartbeats = format::counted(u64::from(missed), "heartbeat");
        Some((status, format!("the last {heartbeats} were missed")))
    }

    fn by_rtt(&self, evidence: StatusEvidence<'_>) -> (Status, String) {
        let answered = evidence.counts.answered();
        match evidence.mean_rtt {
            None => (Status::Unknown, "no heartbeat was answered".to_string()),
            Some(mean) if answered == 1 => {
                (self.connection.status_of_mean(mean), format!("the only RTT is {}", format::rtt(mean)))
            }
            Some(mean) => {
                let mean_shown = format::rtt(mean);
                let reason = format!("mean RTT of {answered} answered heartbeats is {mean_shown}");
                (self.connection.status_of_mean(mean), reason)
            }
        }
    }
}

fn never_answered(evidence: StatusEvidence<'_>) -> Option<(Status, String)> {
    let missed = evidence.counts.missed;
    (missed > 0 && evidence.counts.answered() == 0).then(|| {
        let heartbeats = format::counted(missed, "heartbeat");
        (Status::Timeout, format!("no heartbeat was answered, and {heartbeats} missed"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    fn judged(ok: u64, missed: u64, mean: Option<u64>, missed_at_end: u32) -> RunStatus {
        let counts = Counts { ok, missed, ..Counts::default() };
        let evidence = StatusEvidence { counts: &counts, mean_rtt: mean.map(ms), missed_at_end };
        RunStatusLimits::default().status(evidence)
    }

    fn status_of(ok: u64, missed: u64, mean: u64, missed_at_end: u32) -> (Status, String) {
        let RunStatus { status, reason, .. } = judged(ok, missed, Some(mean), missed_at_end);
        (status, reason)
    }

    fn is(status: Status, reason: &str) -> (Status, String) {
        (status, reason.to_string())
    }

    #[test]
    fn mean_of_all_answers_gives_the_class() {
        let reason = "mean RTT of 20 answered heartbeats is 31.0 ms";
        assert_eq!(status_of(20, 0, 31, 0), is(Status::Healthy, reason));
        let at = |mean| status_of(20, 0, mean, 0).0;
        assert_eq!([at(100), at(101), at(500)], [Status::Healthy, Status::Degraded, Status::Degraded]);
        assert_eq!([at(501), at(1000), at(1001)], [Status::Poor, Status::Poor, Status::Critical]);
        assert_eq!(status_of(1, 0, 31, 0), is(Status::Healthy, "the only RTT is 31.0 ms"));
    }

    #[test]
    fn one_missed_is_degraded_at_any_position() {
        for missed_at_end in [0, 1] {
            let reason = "1 of 4 heartbeats missed (25 % loss)";
            assert_eq!(status_of(3, 1, 5, missed_at_end), is(Status::Degraded, reason));
        }
    }

    #[test]
    fn loss_counts_from_two_missed_on() {
        // 2 of 40 are 5 %, 2 of 39 are 5.128 %; 4 of 20 are 20 %, 5 of 24 are 20.833 %.
        assert_eq!(status_of(38, 2, 5, 0), is(Status::Degraded, "2 of 40 heartbeats missed (5 % loss)"));
        assert_eq!(status_of(37, 2, 5, 0), is(Status::Poor, "2 of 39 heartbeats missed (5.13 % loss)"));
        assert_eq!(status_of(16, 4, 5, 0), is(Status::Poor, "4 of 20 heartbeats missed (20 % loss)"));
        assert_eq!(status_of(19, 5, 5, 0), is(Status::Critical, "5 of 24 heartbeats missed (20.8 % loss)"));
    }

    #[test]
    fn two_missed_at_the_end_are_a_timeout_and_three_dead() {
        assert_eq!(status_of(100, 2, 5, 2), is(Status::Timeout, "the last 2 heartbeats were missed"));
        assert_eq!(status_of(100, 3, 5, 3), is(Status::Dead, "the last 3 heartbeats were missed"));
        assert_eq!(status_of(100, 3, 5, 0).0, Status::Degraded, "3 of 103 in the middle");
    }

    #[test]
    fn without_an_answer_one_missed_is_a_timeout() {
        let one = judged(0, 1, None, 1);
        assert_eq!(
            (one.status, one.reason.as_str()),
            (Status::Timeout, "no heartbeat was answered, and 1 heartbeat missed")
        );
        let none = judged(0, 0, None, 0);
        assert_eq!((none.status, none.reason.as_str()), (Status::Unknown, "no heartbeat was answered"));
    }

    #[test]
    fn slow_and_lossy_gives_the_worse_status() {
        let slow = judged(38, 2, Some(700), 0);
        assert_eq!((slow.status, slow.without_rtt), (Status::Poor, Status::Degraded));
        assert_eq!(slow.reason, "mean RTT of 38 answered heartbeats is 700 ms");
        let lossy = judged(30, 10, Some(700), 0);
        assert_eq!((lossy.status, lossy.without_rtt), (Status::Critical, Status::Critical));
        assert_eq!(lossy.reason, "10 of 40 heartbeats missed (25 % loss)");
    }

    #[test]
    fn superseded_heartbeats_are_no_loss() {
        let counts = Counts { ok: 10, superseded: 10, ..Counts::default() };
        let evidence = StatusEvidence { counts: &counts, mean_rtt: Some(ms(5)), missed_at_end: 0 };
        assert_eq!(RunStatusLimits::default().status(evidence).status, Status::Healthy);
    }

    #[test]
    fn every_limit_can_be_moved() {
        let limits = RunStatusLimits {
            connection: StatusLimits { dead_after: 9, ..StatusLimits::default() },
            poor_loss: 0.5,
            critical_loss: 0.6,
            loss_min_missed: 4,
            timeout_after: 5,
        };
        let status = |ok, missed, missed_at_end| {
            let counts = Counts { ok, missed, ..Counts::default() };
            limits.status(StatusEvidence { counts: &counts, mean_rtt: Some(ms(1)), missed_at_end }).status
        };
        assert_eq!([status(1, 3, 0), status(3, 4, 0)], [Status::Degraded, Status::Poor]);
        assert_eq!([status(4, 4, 4), status(1, 4, 0)], [Status::Degraded, Status::Critical]);
        assert_eq!([status(9, 5, 5), status(9, 9, 9)], [Status::Timeout, Status::Dead]);
    }

    proptest! {
        /// Each rule applied alone.
        #[test]
        fn status_is_the_worst_that_a_rule_gives(
            ok in 0_u64..60, missed in 0_u64..60, superseded in 0_u64..9, mean in 1_u64..2000, end in 0_u32..5,
        ) {
            let end = end.min(missed as u32);
            let counts = Counts { ok, missed, superseded, ..Counts::default() };
            let mean_rtt = (ok > 0).then(|| ms(mean));
            let found = RunStatusLimits::default().status(StatusEvidence { counts: &counts, mean_rtt, missed_at_end: end });
            let loss = missed as f64 / (ok + missed + superseded).max(1) as f64;
            let rules = [
                (ok == 0, Status::Unknown),
                (ok > 0 && mean > 100, Status::Degraded),
                (ok > 0 && mean > 500, Status::Poor),
                (ok > 0 && mean > 1000, Status::Critical),
                (missed > 0, Status::Degraded),
                (missed > 1 && loss > 0.05, Status::Poor),
                (missed > 1 && loss > 0.2, Status::Critical),
                (missed > 0 && ok == 0, Status::Timeout),
                (end > 1, Status::Timeout),
                (end > 2, Status::Dead),
            ];
            let expected = rules.iter().filter(|rule| rule.0).map(|rule| rule.1).max();
            prop_assert_eq!(found.status, expected.unwrap_or(Status::Healthy));
            prop_assert!(found.without_rtt <= found.status);
            prop_assert!(!found.reason.is_empty());
        }
    }
}
