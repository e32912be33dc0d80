//! Records the events of one connection and derives the findings.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use super::findings::KindFindings;
use super::interarrival::Interarrival;
use super::per_kind::{KindRecord, ScheduleKnowledge};
use super::periodic::{FormTable, Periodic};
use super::server_event::{ServerEvent, ServerEventClass, ServerEventKind};
use super::stimulus::HeartbeatClock;
use super::traffic_effect::StimulusSample;

/// Data delayed by a stall is read within this time after it.
const STALL_BACKLOG_TIME: Duration = Duration::from_millis(100);
/// Records events and derives the findings at any time. Memory is bounded.
#[derive(Debug, Clone, Default)]
pub struct ListenState {
    pub(super) kinds: BTreeMap<ServerEventClass, KindRecord>,
    /// Heartbeats came before wscheck listened, at unknown times.
    pub(super) missed_some: bool,
    /// When the client last sent something besides an answer.
    pub(super) client_sent: Option<Duration>,
    /// When the server last sent an ordinary message.
    pub(super) last_message: Option<Duration>,
    /// Time of the last server event of any kind; initially the start of observation.
    pub(super) last: Duration,
    /// When bytes last arrived, complete or not.
    last_bytes: Duration,
    last_event_kind: Option<ServerEventKind>,
    pub(super) longest_quiet: Duration,
    /// The longest time that neither side sent anything, except answers.
    longest_still: Duration,
    /// The same since the server's first event, because its clock may start there. Silences in which the
    /// client sent are left out: that may have postponed a heartbeat.
    longest_pause: Duration,
    /// Messages of no known form.
    forms: FormTable,
    /// Data until this time was read late because this host stalled.
    pub(super) late_until: Duration,
}

impl ListenState {
    /// `began`: start of the observation since the opening; later than zero if a greeting was awaited.
    pub fn new(began: Duration, missed_some: bool) -> ListenState {
        ListenState { missed_some, last: began, last_bytes: began, ..ListenState::default() }
    }

    /// Records a server event.
    pub fn record_event(&mut self, at: Duration, event: &ServerEvent) {
        if let Some(content) = &event.content {
            self.forms.record_message(at, content, self.may_be_late(at));
        }
        let (client_sent, last_message, last, last_event_kind) =
            (self.client_sent, self.last_message, self.last, self.last_event_kind);
        self.end_silence(at, event.event_kind);
        // Client traffic since the previous heartbeat, or an answer to it, may also have started the
        // interval.
        let before = self.last(event.kind());
        let is_clear =
            client_sent.is_none_or(|client_sent| before.is_some_and(|before| client_sent <= before));
        let last_event_kind = last_event_kind.filter(|_| !self.may_be_late(last));
        let since =
            last_event_kind.filter(|_| is_clear).map(|event_kind| (at.saturating_sub(last), event_kind));
        // Later server traffic, perhaps an answer, may have started the interval.
        let client_sent_after = last_event_kind.and(client_sent).filter(|client_sent| *client_sent > last);
        let is_late = before.is_some_and(|before| self.may_be_late(before));
        let Some(record) = self.kinds.get_mut(&event.kind()) else {
            let arrivals = Interarrival::begin(at, event, !self.missed_some && !self.may_be_late(at));
            let mut record = KindRecord::begin(arrivals, self.longest_pause);
            since.into_iter().for_each(|(span, last)| record.since.note(span, last));
            self.kinds.insert(event.kind(), record);
            return;
        };
        since.into_iter().for_each(|(span, last)| record.since.note(span, last));
        let sample = |client_sent_after| StimulusSample {
            after: client_sent_after - last,
            until: at.saturating_sub(client_sent_after),
        };
        client_sent_after
            .into_iter()
            .for_each(|client_sent_after| record.since.record_client_traffic(sample(client_sent_after)));
        if is_late {
            record.resume(at, event)
        } else {
            record.record_next(at, event, client_sent, last_message, is_clear)
        }
    }

    /// Whether data at that time was or may have been read late, so that no span can start there.
    fn may_be_late(&self, moment: Duration) -> bool {
        moment < self.late_until
    }

    /// Records that this host stalled until now: data was read late, and nothing was answered.
    pub fn stood_still(&mut self, until: Duration) {
        self.late_until = until + STALL_BACKLOG_TIME;
    }

    /// Whether heartbeats came at unknown times.
    pub fn missed_some(&self) -> bool {
        self.missed_some
    }

    /// Records that the last of this kind was answered, although the client leaves later ones unanswered.
    pub fn was_answered(&mut self, kind: ServerEventClass) {
        self.kinds.get_mut(&kind).into_iter().for_each(|record| record.answered += 1);
    }

    /// Records the server's answer to the client: traffic, but no event of its own.
    pub fn answered(&mut self, at: Duration) {
        self.end_silence(at, ServerEventKind::Message);
    }

    /// Records bytes of something incomplete: no silence, but no event yet.
    pub fn record_bytes(&mut self, at: Duration) {
        let is_late = self.may_be_late(self.last_bytes);
        let quiet = if is_late { Duration::ZERO } else { at.saturating_sub(self.last_bytes) };
        self.longest_quiet = self.longest_quiet.max(quiet);
        self.record_use(at);
        let is_pause = self.client_sent.is_none_or(|client_sent| client_sent <= self.last_bytes);
        if self.last_event_kind.is_some() && is_pause {
            self.longest_pause = self.longest_pause.max(quiet);
            self.kinds.values_mut().for_each(|record| record.pause_since = record.pause_since.max(quiet));
        }
        self.last_bytes = at;
    }

    /// When bytes last arrived; initially the start of observation.
    pub fn last_bytes(&self) -> Duration {
        self.last_bytes
    }

    /// Ends a silence of the server.
    fn end_silence(&mut self, at: Duration, event_kind: ServerEventKind) {
        self.record_bytes(at);
        (self.last, self.last_event_kind) = (at, Some(event_kind));
        if event_kind == ServerEventKind::Message {
            self.last_message = Some(at);
            self.kinds.values_mut().for_each(|record| record.record_message(at));
        }
    }

    /// Records that the client sent something of its own.
    pub fn record_client_message(&mut self, at: Duration) {
        self.record_use(at);
        self.client_sent = Some(at);
    }

    /// Records traffic in either direction.
    fn record_use(&mut self, at: Duration) {
        self.longest_still = self.longest_idle_until(at);
    }

    /// The longest time up to `at` that neither side sent anything, while this host ran.
    pub(super) fn longest_idle_until(&self, at: Duration) -> Duration {
        let since = self.last_bytes.max(self.client_sent.unwrap_or_default()).max(self.late_until);
        self.longest_still.max(at.saturating_sub(since))
    }

    /// The arrivals of this kind; of several forms, the most frequent.
    pub fn arrivals(&self, event_kind: ServerEventKind) -> Option<&Interarrival> {
        self.arrivals_by_form(event_kind).max_by_key(|arrivals| arrivals.count)
    }

    /// The arrivals of this kind, one entry for each form.
    pub fn arrivals_by_form(&self, event_kind: ServerEventKind) -> impl Iterator<Item = &Interarrival> {
        let such = self.kinds.iter().filter(move |(kind, _)| kind.event_kind == event_kind);
        such.map(|(_, record)| &record.arrivals)
    }

    /// Unknown messages that came at an interval up to `until`.
    pub fn periodic(&self, until: Duration) -> Option<Periodic> {
        self.forms.periodic(until)
    }

    /// When the last of this kind came.
    pub fn last(&self, kind: ServerEventClass) -> Option<Duration> {
        self.kinds.get(&kind).map(|record| record.arrivals.last)
    }

    /// The highest count of any kind of heartbeat.
    pub fn heartbeats(&self) -> u64 {
        let beats = self.kinds.iter().filter(|(kind, _)| kind.event_kind.is_heartbeat());
        beats.map(|(_, record)| record.arrivals.count).max().unwrap_or(0)
    }

    /// The clock of the next heartbeat, once its interval is confirmed.
    pub fn clock(&self) -> Option<HeartbeatClock> {
        let (kind, schedule) = self.most_informative()?;
        let last = self.last(kind)?;
        let (interval, from) = match schedule {
            ScheduleKnowledge::Steady(interval) => (interval, last),
            ScheduleKnowledge::SinceTraffic(interval) => (interval, self.last),
            ScheduleKnowledge::Hinted(_) | ScheduleKnowledge::Unsteady => return None,
        };
        Some(HeartbeatClock { kind, interval, last, from })
    }

    /// What is known about the schedule of each kind of heartbeat.
    fn schedules(&self) -> impl Iterator<Item = (ServerEventClass, ScheduleKnowledge)> {
        let beats = self.kinds.iter().filter(|(kind, _)| kind.event_kind.is_heartbeat());
        beats.map(|(kind, record)| (*kind, record.schedule()))
    }

    /// The kinds with a confirmed interval, the most informative first.
    pub(super) fn borne_out(&self) -> Vec<(ServerEventClass, ScheduleKnowledge)> {
        let is_confirmed = |schedule: &ScheduleKnowledge| {
            matches!(schedule, ScheduleKnowledge::Steady(_) | ScheduleKnowledge::SinceTraffic(_))
        };
        let mut kinds: Vec<_> = self.schedules().filter(|(_, schedule)| is_confirmed(schedule)).collect();
        kinds.sort_by_key(|found| self.rank(found));
        kinds
    }

    fn rank(
        &self,
        (kind, schedule): &(ServerEventClass, ScheduleKnowledge),
    ) -> (u8, ServerEventKind, Reverse<u64>) {
        let rank = match schedule {
            ScheduleKnowledge::Steady(_) => 0,
            ScheduleKnowledge::SinceTraffic(_) => 1,
            ScheduleKnowledge::Hinted(_) => 2,
            ScheduleKnowledge::Unsteady => 3,
        };
        (rank, kind.event_kind, Reverse(self.kinds.get(kind).map_or(0, |record| record.arrivals.count)))
    }

    /// The most informative kind.
    pub(super) fn most_informative(&self) -> Option<(ServerEventClass, ScheduleKnowledge)> {
        let best = self.schedules().min_by_key(|found| self.rank(found))?;
        match best.1 {
            ScheduleKnowledge::Steady(_)
            | ScheduleKnowledge::SinceTraffic(_)
            | ScheduleKnowledge::Hinted(_) => Some(best),
            ScheduleKnowledge::Unsteady => self.schedules().max_by_key(|found| Reverse(self.rank(found).2)),
        }
    }

    /// The findings of each kind.
    pub fn kinds(&self) -> Vec<KindFindings> {
        self.kinds.iter().map(|(kind, record)| record.findings(*kind, self.longest_quiet)).collect()
    }
}
