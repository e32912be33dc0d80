//! The status of a run over time, and when a connection was lost, in bounded memory.

use std::time::Duration;

use super::health::Status;

/// The most spans of each kind. Beyond it the shortest is joined to its neighbour.
const MAX_SPANS: usize = 200;

/// What a run went through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// Each status from its beginning on, until the next one.
    pub statuses: Vec<StatusSpan>,
    /// When at least one connection was lost; the last may last.
    pub outages: Vec<OutageSpan>,
    /// Connections that are lost now.
    lost: usize,
}

/// The worst status of the connections, from a moment on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusSpan {
    /// Since the start of the run.
    pub from: Duration,
    pub status: Status,
}

/// A time in which a connection was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutageSpan {
    pub from: Duration,
    /// `None` while it lasts.
    pub until: Option<Duration>,
}

impl History {
    /// Records the worst status of the connections at a moment.
    pub fn record_status(&mut self, at: Duration, status: Status) {
        if self.statuses.last().is_some_and(|last| last.status == status) {
            return;
        }
        // The wall clock may have been set back.
        let at = self.statuses.last().map_or(at, |last| at.max(last.from));
        self.statuses.push(StatusSpan { from: at, status });
        if self.statuses.len() > MAX_SPANS {
            self.join_shortest_status();
        }
    }

    /// Records that a connection was lost.
    pub fn record_loss(&mut self, at: Duration) {
        self.lost += 1;
        if self.lost > 1 {
            return;
        }
        let at = self.outages.last().map_or(at, |last| at.max(last.until.unwrap_or(last.from)));
        self.outages.push(OutageSpan { from: at, until: None });
        if self.outages.len() > MAX_SPANS {
            self.join_nearest_outages();
        }
    }

    /// Records that a lost connection is open again.
    pub fn record_return(&mut self, at: Duration) {
        self.lost = self.lost.saturating_sub(1);
        if let Some(last) = self.outages.last_mut().filter(|_| self.lost == 0) {
            let until = at.max(last.from);
            last.until.get_or_insert(until);
        }
    }

    /// Of two spans that become one, the worse status stays: nothing bad may vanish.
    fn join_shortest_status(&mut self) {
        let spans = &self.statuses;
        let length = |index: &usize| spans[index + 1].from.saturating_sub(spans[*index].from);
        let Some(shortest) = (0..spans.len() - 1).min_by_key(length) else { return };
        let next = self.statuses.remove(shortest + 1);
        let joined = &mut self.statuses[shortest];
        joined.status = joined.status.max(next.status);
        self.statuses.dedup_by_key(|span| span.status);
    }

    fn join_nearest_outages(&mut self) {
        let spans = &self.outages;
        let gap =
            |index: &usize| spans[index + 1].from.saturating_sub(spans[*index].until.unwrap_or_default());
        let Some(nearest) = (0..spans.len() - 1).min_by_key(gap) else { return };
        let next = self.outages.remove(nearest + 1);
        self.outages[nearest].until = next.until;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_status_lasts_until_the_next() {
        let mut history = History::default();
        for (at, status) in
            [(0, Status::Unknown), (1, Status::Healthy), (2, Status::Healthy), (9, Status::Dead)]
        {
            history.record_status(s(at), status);
        }
        let spans: Vec<_> = history.statuses.iter().map(|span| (span.from, span.status)).collect();
        assert_eq!(spans, [(s(0), Status::Unknown), (s(1), Status::Healthy), (s(9), Status::Dead)]);
    }

    /// Two connections are lost at once: the outage lasts until both are back.
    #[test]
    fn an_outage_lasts_until_every_connection_is_back() {
        let mut history = History::default();
        history.record_loss(s(1));
        history.record_loss(s(2));
        history.record_return(s(3));
        history.record_return(s(5));
        history.record_loss(s(8));
        let expected = [OutageSpan { from: s(1), until: Some(s(5)) }, OutageSpan { from: s(8), until: None }];
        assert_eq!(history.outages, expected);
    }

    #[test]
    fn a_clock_that_is_set_back_reverses_nothing() {
        let mut history = History::default();
        history.record_status(s(100), Status::Healthy);
        history.record_status(s(5), Status::Dead);
        history.record_loss(s(5));
        history.record_return(s(2));
        history.record_loss(s(1));
        assert!(history.statuses.is_sorted_by_key(|span| span.from), "{history:?}");
        assert!(history.outages.iter().all(|span| span.until.is_none_or(|until| until >= span.from)));
        assert!(history.outages.is_sorted_by_key(|span| span.from), "{history:?}");
    }

    #[test]
    fn a_flapping_run_is_bounded_and_keeps_the_worst() {
        let mut history = History::default();
        for at in 0..10_000 {
            let is_worst = at % 1000 == 500;
            let quiet = if at % 2 == 0 { Status::Healthy } else { Status::Degraded };
            history.record_status(s(at), if is_worst { Status::Dead } else { quiet });
            history.record_loss(s(at));
            history.record_return(s(at) + Duration::from_millis(300));
        }
        assert!(history.statuses.len() <= MAX_SPANS && history.outages.len() <= MAX_SPANS);
        assert!(history.statuses.iter().any(|span| span.status == Status::Dead));
        assert!(history.statuses.is_sorted_by_key(|span| span.from));
        assert_eq!(history.outages.last().unwrap().until, Some(s(9999) + Duration::from_millis(300)));
    }
}
