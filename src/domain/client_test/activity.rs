//! What all clients of a run did, added up as it happens. All times count from the start of the run.
//!
//! The server does not know who a client is. An opening after an end is taken for a client that came back: each opening is
//! paired with the connection that ended first and has no such successor yet.

use std::collections::VecDeque;
use std::time::Duration;

use super::connection_record::ConnectionRecord;
use crate::domain::stats::Counts;

/// What the clients did so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClientActivity {
    /// Connections opened.
    pub clients: u64,
    /// Connections that did not become clients.
    pub rejected: u64,
    /// Openings that are paired with an ended connection.
    pub reconnects: u64,
    /// Outcomes of the server's own pings, on ended connections.
    pub pings: Counts,
    /// Ended connections on which a close handshake was possible, and those that had one.
    pub closable: u64,
    pub closed_cleanly: u64,
    /// The longest time from an end to the opening that it is paired with.
    longest_delay: Option<Duration>,
    /// The longest time until a client ended a connection whose server had become silent.
    longest_silence: Option<Duration>,
    /// The longest silence that no client ended.
    longest_unnoticed: Option<Duration>,
    /// Ends without a successor, the oldest first. Never more than there were clients at once.
    gone: VecDeque<GoneClient>,
    /// The run ended here.
    stopped: Option<Duration>,
}

/// An ended connection without a successor: twice the nanoseconds of its end, plus one if a good client would come back.
/// Thousands may be gone at once, so it is small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct GoneClient(u64);

impl GoneClient {
    fn new(since: Duration, is_awaited: bool) -> GoneClient {
        let nanos = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        GoneClient(nanos.saturating_mul(2) | u64::from(is_awaited))
    }

    fn since(self) -> Duration {
        Duration::from_nanos(self.0 / 2)
    }

    fn is_awaited(self) -> bool {
        self.0 % 2 == 1
    }
}

/// A time that grows while something is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanReading {
    /// The longest one.
    Longest(Duration),
    /// One is not over and is longer than all others: at least this.
    AtLeast(Duration),
    /// There was none.
    None,
}

impl SpanReading {
    /// The longest of those that are over, and of those that are not.
    fn of(over: Option<Duration>, unfinished: Option<Duration>) -> SpanReading {
        match (over, unfinished) {
            (Some(over), None) => SpanReading::Longest(over),
            (Some(over), Some(unfinished)) if over >= unfinished => SpanReading::Longest(over),
            (_, Some(unfinished)) => SpanReading::AtLeast(unfinished),
            (None, None) => SpanReading::None,
        }
    }
}

impl ClientActivity {
    /// A connection opened.
    pub fn record_opening(&mut self, at: Duration) {
        self.clients += 1;
        if let Some(before) = self.gone.pop_front() {
            self.reconnects += 1;
            self.longest_delay = self.longest_delay.max(Some(at.saturating_sub(before.since())));
        }
    }

    /// A connection did not become a client.
    pub fn record_rejection(&mut self) {
        self.rejected += 1;
    }

    /// A client began to end a connection whose server was silent. It may come back before the connection has ended.
    pub fn record_noticing(&mut self, at: Duration) {
        self.gone.push_back(GoneClient::new(at, true));
    }

    /// A connection ended; its record is complete.
    pub fn record_end(&mut self, record: &ConnectionRecord) {
        let Some(end) = record.end else { return };
        self.pings.add(&record.pings);
        if let Some(cleanly) = record.is_closed_cleanly() {
            self.closable += 1;
            self.closed_cleanly += u64::from(cleanly);
        }
        if let Some(since) = record.silent_since() {
            let lasted = record.noticed.unwrap_or(end.at).saturating_sub(since);
            let longest = match record.noticed {
                Some(_) => &mut self.longest_silence,
                None => &mut self.longest_unnoticed,
            };
            *longest = (*longest).max(Some(lasted));
        }
        if record.noticed.is_none() && !end.at_stop {
            self.gone.push_back(GoneClient::new(end.at, record.demands_return()));
        }
    }

    /// The run ends: who has not come back by now is not waited for.
    pub fn record_stop(&mut self, at: Duration) {
        self.stopped.get_or_insert(at);
    }

    /// Whether anybody tried to connect.
    pub fn was_reached(&self) -> bool {
        self.clients + self.rejected > 0
    }

    /// How long clients took to come back.
    pub fn return_delay(&self) -> SpanReading {
        let awaited = self.gone.iter().filter(|gone| gone.is_awaited()).map(|gone| gone.since()).min();
        let waited = awaited.zip(self.stopped).map(|(since, stopped)| stopped.saturating_sub(since));
        SpanReading::of(self.longest_delay, waited)
    }

    /// How long clients took to end a connection whose server was silent.
    pub fn silence(&self) -> SpanReading {
        SpanReading::of(self.longest_silence, self.longest_unnoticed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection_record::ConnectionEnd;
    use super::super::connection_record::tests::{ended, open, seconds, silent};
    use super::*;
    use crate::domain::connection::close_cause::{CloseKindName, ClosedBy};

    fn reset(id: u64, at: u64) -> ConnectionRecord {
        ended(open(id, 0), at, ClosedBy::Us, CloseKindName::Rst)
    }

    #[test]
    fn opening_after_an_end_is_a_return() {
        let mut activity = ClientActivity::default();
        activity.record_opening(seconds(1));
        activity.record_end(&reset(1, 4));
        activity.record_opening(seconds(6));
        activity.record_stop(seconds(60));
        assert_eq!((activity.clients, activity.reconnects), (2, 1));
        assert_eq!(activity.return_delay(), SpanReading::Longest(seconds(2)));
    }

    #[test]
    fn parallel_clients_are_paired_with_the_longest_ended() {
        let mut activity = ClientActivity::default();
        (0..3).for_each(|_| activity.record_opening(seconds(0)));
        activity.record_end(&reset(1, 10));
        activity.record_end(&reset(2, 11));
        activity.record_opening(seconds(12));
        activity.record_opening(seconds(13));
        activity.record_opening(seconds(14));
        activity.record_stop(seconds(20));
        assert_eq!((activity.clients, activity.reconnects), (6, 2), "the last opening had no end before it");
        assert_eq!(activity.return_delay(), SpanReading::Longest(seconds(2)));
    }

    #[test]
    fn client_that_stays_away_bounds_the_delay_from_below() {
        let mut activity = ClientActivity::default();
        activity.record_opening(seconds(0));
        activity.record_end(&reset(1, 10));
        assert_eq!(activity.return_delay(), SpanReading::None, "the run goes on");
        activity.record_stop(seconds(25));
        assert_eq!(activity.return_delay(), SpanReading::AtLeast(seconds(15)));
    }

    #[test]
    fn client_that_left_by_itself_is_not_awaited_but_may_return() {
        let mut activity = ClientActivity::default();
        activity.record_opening(seconds(0));
        activity.record_end(&ended(open(1, 0), 10, ClosedBy::Peer, CloseKindName::CloseFrame));
        let mut gone = activity.clone();
        gone.record_stop(seconds(25));
        assert_eq!(gone.return_delay(), SpanReading::None);
        activity.record_opening(seconds(12));
        assert_eq!(activity.return_delay(), SpanReading::Longest(seconds(2)));
    }

    #[test]
    fn silence_is_measured_from_its_onset_to_the_clients_first_step() {
        let mut activity = ClientActivity::default();
        activity.record_opening(seconds(0));
        activity.record_noticing(seconds(13));
        activity.record_opening(seconds(14));
        let record = ConnectionRecord { noticed: Some(seconds(13)), ..silent(open(1, 0), 3) };
        activity.record_end(&ended(record, 23, ClosedBy::Peer, CloseKindName::Fin));
        activity.record_stop(seconds(30));
        assert_eq!(activity.silence(), SpanReading::Longest(seconds(10)));
        assert_eq!(activity.return_delay(), SpanReading::Longest(seconds(1)), "it returned before the end");
        assert_eq!(activity.reconnects, 1);
    }

    #[test]
    fn silence_that_nobody_ended_is_a_lower_bound() {
        let mut activity = ClientActivity::default();
        activity.record_opening(seconds(0));
        let end =
            ConnectionEnd { at: seconds(40), by: ClosedBy::Us, how: CloseKindName::Silent, at_stop: true };
        activity.record_end(&ConnectionRecord { end: Some(end), ..silent(open(1, 0), 3) });
        activity.record_stop(seconds(40));
        assert_eq!(activity.silence(), SpanReading::AtLeast(seconds(37)));
        assert_eq!(activity.return_delay(), SpanReading::None, "the run was over");
    }

    #[test]
    fn clean_ends_are_counted_among_the_possible_ones() {
        let mut activity = ClientActivity::default();
        let clean = ConnectionRecord { close_frame_received: true, ..open(2, 0) };
        activity.record_end(&reset(1, 1));
        activity.record_end(&ended(clean, 2, ClosedBy::Us, CloseKindName::CloseFrame));
        activity.record_end(&ended(open(3, 0), 3, ClosedBy::Peer, CloseKindName::Fin));
        assert_eq!((activity.closed_cleanly, activity.closable), (1, 2));
    }
}
