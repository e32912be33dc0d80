//! Takes what is heard on one connection, and says what it comes to.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use super::findings::KindFindings;
use super::interarrival::Interarrival;
use super::per_kind::{KindRecord, ScheduleKnowledge};
use super::periodic::{FormTable, Periodic};
use super::prediction::HeartbeatClock;
use super::server_event::{ServerEvent, ServerEventClass, ServerEventKind};
use super::traffic_effect::StimulusSample;

/// So soon after a standstill all is read that came meanwhile.
const STALL_BACKLOG_TIME: Duration = Duration::from_millis(100);
/// Takes what is heard, and says at any time what it comes to. Memory does not grow with the run.
#[derive(Debug, Clone, Default)]
pub struct ListenState {
    pub(super) kinds: BTreeMap<ServerEventClass, KindRecord>,
    /// Heartbeats came before it was listened, at moments that nobody noted.
    pub(super) missed_some: bool,
    /// The client's last words that were no answer.
    pub(super) talked: Option<Duration>,
    /// The server's last ordinary message.
    pub(super) messaged: Option<Duration>,
    /// The last that the server said, be it what it may: when it came, or else when it was begun to listen.
    pub(super) last: Duration,
    /// The last bytes that came, of something complete or not.
    came: Duration,
    last_sound: Option<ServerEventKind>,
    pub(super) longest_quiet: Duration,
    /// The longest span in which neither spoke: so long the path was not used, but for answers.
    longest_still: Duration,
    /// The same since it first said something, for its clock may begin with that, and without those in which the
    /// client spoke, for that may have postponed what else had come.
    longest_pause: Duration,
    /// Messages of no known shape.
    forms: FormTable,
    /// What came before was read late, for this host stood still.
    pub(super) late_until: Duration,
}

impl ListenState {
    /// `began`: since the opening; later than at once, when a greeting had to be awaited.
    pub fn new(began: Duration, missed_some: bool) -> ListenState {
        ListenState { missed_some, last: began, came: began, ..ListenState::default() }
    }

    /// The server said something.
    pub fn heard(&mut self, at: Duration, said: &ServerEvent) {
        if let Some(content) = &said.content {
            self.forms.heard(at, content, self.was_late(at));
        }
        let (talked, messaged, last, last_sound) = (self.talked, self.messaged, self.last, self.last_sound);
        self.spoke(at, said.sound);
        // What the client said since the heartbeat before may have been counted from as well, or what answered it.
        let before = self.last(said.kind());
        let is_clear = talked.is_none_or(|talked| before.is_some_and(|before| talked <= before));
        let last_sound = last_sound.filter(|_| !self.was_late(last));
        let since = last_sound.filter(|_| is_clear).map(|sound| (at.saturating_sub(last), sound));
        // What the server said behind them, an answer perhaps, may be what was counted from.
        let words = last_sound.and(talked).filter(|talked| *talked > last);
        let is_late = before.is_some_and(|before| self.was_late(before));
        let Some(heard) = self.kinds.get_mut(&said.kind()) else {
            let rhythm = Interarrival::begin(at, said, !self.missed_some && !self.was_late(at));
            let mut heard = KindRecord::begin(rhythm, self.longest_pause);
            since.into_iter().for_each(|(span, last)| heard.since.note(span, last));
            self.kinds.insert(said.kind(), heard);
            return;
        };
        since.into_iter().for_each(|(span, last)| heard.since.note(span, last));
        let disturbance = |words| StimulusSample { after: words - last, until: at.saturating_sub(words) };
        words.into_iter().for_each(|words| heard.since.disturb(disturbance(words)));
        if is_late { heard.resume(at, said) } else { heard.go_on(at, said, talked, messaged, is_clear) }
    }

    /// Whether what came at that moment was read late, or may have been, so that no span begins there.
    fn was_late(&self, moment: Duration) -> bool {
        moment < self.late_until
    }

    /// This host stood still until now: what came meanwhile is read late, and nothing was answered.
    pub fn stood_still(&mut self, until: Duration) {
        self.late_until = until + STALL_BACKLOG_TIME;
    }

    /// Whether heartbeats came whose moments are not known.
    pub fn missed_some(&self) -> bool {
        self.missed_some
    }

    /// The last of this kind was answered, though the client is to leave them unanswered from then on.
    pub fn was_answered(&mut self, kind: ServerEventClass) {
        self.kinds.get_mut(&kind).into_iter().for_each(|heard| heard.answered += 1);
    }

    /// The server answered the client: traffic, and nothing that it says by itself.
    pub fn answered(&mut self, at: Duration) {
        self.spoke(at, ServerEventKind::Message);
    }

    /// Bytes came that complete nothing: no silence, and nothing that the server said yet.
    pub fn bytes_came(&mut self, at: Duration) {
        let quiet = if self.was_late(self.came) { Duration::ZERO } else { at.saturating_sub(self.came) };
        self.longest_quiet = self.longest_quiet.max(quiet);
        self.used(at);
        let is_pause = self.talked.is_none_or(|talked| talked <= self.came);
        if self.last_sound.is_some() && is_pause {
            self.longest_pause = self.longest_pause.max(quiet);
            self.kinds.values_mut().for_each(|heard| heard.pause_since = heard.pause_since.max(quiet));
        }
        self.came = at;
    }

    /// When bytes last came, or else when it was begun to listen.
    pub fn last_bytes(&self) -> Duration {
        self.came
    }

    /// The server broke a silence.
    fn spoke(&mut self, at: Duration, sound: ServerEventKind) {
        self.bytes_came(at);
        (self.last, self.last_sound) = (at, Some(sound));
        if sound == ServerEventKind::Message {
            self.messaged = Some(at);
            self.kinds.values_mut().for_each(|heard| heard.messaged(at));
        }
    }

    /// The client said something of its own.
    pub fn talked(&mut self, at: Duration) {
        self.used(at);
        self.talked = Some(at);
    }

    /// Somebody used the path.
    fn used(&mut self, at: Duration) {
        self.longest_still = self.still_until(at);
    }

    /// The longest span up to then in which neither spoke, as far as this host listened.
    pub(super) fn still_until(&self, at: Duration) -> Duration {
        let since = self.came.max(self.talked.unwrap_or_default()).max(self.late_until);
        self.longest_still.max(at.saturating_sub(since))
    }

    /// The rhythm of what is of this sound; where there are several, of the commonest.
    pub fn rhythm(&self, sound: ServerEventKind) -> Option<&Interarrival> {
        self.rhythms(sound).max_by_key(|rhythm| rhythm.count)
    }

    /// The rhythms of all that are of this sound.
    pub fn rhythms(&self, sound: ServerEventKind) -> impl Iterator<Item = &Interarrival> {
        let such = self.kinds.iter().filter(move |(kind, _)| kind.sound == sound);
        such.map(|(_, heard)| &heard.rhythm)
    }

    /// Messages of no known shape that came at an interval up to then.
    pub fn periodic(&self, until: Duration) -> Option<Periodic> {
        self.forms.periodic(until)
    }

    /// When one of this kind last came.
    pub fn last(&self, kind: ServerEventClass) -> Option<Duration> {
        self.kinds.get(&kind).map(|heard| heard.rhythm.last)
    }

    /// The most that was heard of any one kind of heartbeat.
    pub fn heartbeats(&self) -> u64 {
        let beats = self.kinds.iter().filter(|(kind, _)| kind.sound.is_heartbeat());
        beats.map(|(_, heard)| heard.rhythm.count).max().unwrap_or(0)
    }

    /// By which clock the next heartbeat is to come, once its interval is borne out.
    pub fn clock(&self) -> Option<HeartbeatClock> {
        let (kind, standing) = self.foremost()?;
        let last = self.last(kind)?;
        match standing {
            ScheduleKnowledge::Steady(interval) => Some(HeartbeatClock { kind, interval, last, from: last }),
            ScheduleKnowledge::SinceTraffic(interval) => {
                Some(HeartbeatClock { kind, interval, last, from: self.last })
            }
            ScheduleKnowledge::Hinted(_) | ScheduleKnowledge::Unsteady => None,
        }
    }

    /// How each kind of heartbeat stands.
    fn standings(&self) -> impl Iterator<Item = (ServerEventClass, ScheduleKnowledge)> {
        let beats = self.kinds.iter().filter(|(kind, _)| kind.sound.is_heartbeat());
        beats.map(|(kind, heard)| (*kind, heard.standing()))
    }

    /// The kinds whose interval is borne out, those first that tell most.
    pub(super) fn borne_out(&self) -> Vec<(ServerEventClass, ScheduleKnowledge)> {
        let is_borne_out = |standing: &ScheduleKnowledge| {
            matches!(standing, ScheduleKnowledge::Steady(_) | ScheduleKnowledge::SinceTraffic(_))
        };
        let mut kinds: Vec<_> = self.standings().filter(|(_, standing)| is_borne_out(standing)).collect();
        kinds.sort_by_key(|found| self.rank(found));
        kinds
    }

    fn rank(
        &self,
        (kind, standing): &(ServerEventClass, ScheduleKnowledge),
    ) -> (u8, ServerEventKind, Reverse<u64>) {
        let rank = match standing {
            ScheduleKnowledge::Steady(_) => 0,
            ScheduleKnowledge::SinceTraffic(_) => 1,
            ScheduleKnowledge::Hinted(_) => 2,
            ScheduleKnowledge::Unsteady => 3,
        };
        (rank, kind.sound, Reverse(self.kinds.get(kind).map_or(0, |heard| heard.rhythm.count)))
    }

    /// The kind that tells most.
    pub(super) fn foremost(&self) -> Option<(ServerEventClass, ScheduleKnowledge)> {
        let best = self.standings().min_by_key(|found| self.rank(found))?;
        match best.1 {
            ScheduleKnowledge::Steady(_)
            | ScheduleKnowledge::SinceTraffic(_)
            | ScheduleKnowledge::Hinted(_) => Some(best),
            ScheduleKnowledge::Unsteady => self.standings().max_by_key(|found| Reverse(self.rank(found).2)),
        }
    }

    /// What was found of each kind.
    pub fn kinds(&self) -> Vec<KindFindings> {
        self.kinds.iter().map(|(kind, heard)| heard.findings(*kind, self.longest_quiet)).collect()
    }
}
