//! Infers the server's policy from the ends of clients that behave differently.

use std::time::Duration;

use super::behaviour::Behaviour;
use super::client_record::{ClientRecord, client_of};
use super::policy::{HeartbeatPolicy, IdlePolicy, ReapingPolicy, ReapingRule, RequiredTraffic};
use super::server_schedule::{ScheduleEstimator, ServerSchedule};
use super::timer_kind::TimerKind;
use crate::domain::listen::ServerEventKind;
use crate::domain::stats::interval::tolerance;

/// A client's age, compared with the age at which another one was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RelativeAge {
    /// It was closed at about that age too.
    Near,
    /// It was open for longer.
    Outlived,
    /// It was closed earlier, or its end is unknown.
    Unknown,
}

/// The policy that these clients show. `every`: how often the control and the Pings-only client send.
///
/// The mute client shows whether there is a policy. Each other client differs from it in one thing and shows
/// what the policy is:
/// - The mute client was kept: there is no reaping, whether it was pinged or not.
/// - It was closed and had been asked, and a client that answers outlived it: heartbeats cause it. Of two
///   kinds, the one that the Pings-only client left unanswered, if that was closed too; else the Ping frames.
/// - It was closed, and one that answers was closed at about the same age: a timer that answers do not reset.
/// - Otherwise the policy is unknown.
pub fn infer(clients: &[ClientRecord], every: Duration) -> ReapingPolicy {
    PolicyInference { clients, every }.policy()
}

struct PolicyInference<'a> {
    clients: &'a [ClientRecord],
    every: Duration,
}

impl<'a> PolicyInference<'a> {
    /// If heartbeats of one kind have several forms, it is unknown which must be answered.
    fn policy(&self) -> ReapingPolicy {
        match self.policy_by_mute() {
            ReapingPolicy::Heartbeat(found) if self.is_mixed(found.beats.event_kind) => {
                ReapingPolicy::Unknown
            }
            ReapingPolicy::Idle(idle, beats) => {
                ReapingPolicy::Idle(idle, beats.filter(|beats| !self.is_mixed(beats.event_kind)))
            }
            policy => policy,
        }
    }

    fn is_mixed(&self, event_kind: ServerEventKind) -> bool {
        self.clients.iter().any(|client| client.listening.arrivals_by_form(event_kind).count() > 1)
    }

    fn policy_by_mute(&self) -> ReapingPolicy {
        let Some(mute) = self.client(Behaviour::Mute) else { return ReapingPolicy::Unknown };
        match mute.ended() {
            None if mute.is_kept() => self.policy_if_mute_kept(mute),
            None => ReapingPolicy::Unknown,
            Some(after) => self.policy_if_mute_closed(mute, after),
        }
    }

    fn client(&self, behaviour: Behaviour) -> Option<&'a ClientRecord> {
        client_of(self.clients, behaviour)
    }

    fn schedule(&self, event_kind: ServerEventKind) -> ServerSchedule {
        ScheduleEstimator { clients: self.clients, event_kind, every: self.every }.estimate()
    }

    /// The mute client was kept. That shows something about heartbeats only if it was asked, and nothing if a
    /// more active client was closed.
    fn policy_if_mute_kept(&self, mute: &ClientRecord) -> ReapingPolicy {
        if active_client_ended(self.clients).is_some()
            || self.clients.iter().any(|client| client.last_ping_unanswered)
        {
            return ReapingPolicy::Unknown;
        }
        if let Some((event_kind, arrivals)) = mute.asks().first() {
            let waited = mute.kept().unwrap_or_default().saturating_sub(mute.since_greeting(arrivals.begun));
            let (beats, reaping) = (self.schedule(*event_kind), ReapingRule::Never { waited });
            return ReapingPolicy::Heartbeat(HeartbeatPolicy { beats, reaping, idle: None });
        }
        let others_are_asked =
            || self.clients.iter().any(|client| client.listening.missed_some() || !client.asks().is_empty());
        if others_are_asked() { ReapingPolicy::Unknown } else { ReapingPolicy::KeepsAll }
    }

    /// The mute client was closed.
    fn policy_if_mute_closed(&self, mute: &ClientRecord, after: Duration) -> ReapingPolicy {
        let policy = match self.compare_age(Behaviour::Quiet, after) {
            RelativeAge::Near => self.idle_policy(after),
            RelativeAge::Outlived => self.heartbeat_policy(mute, after),
            RelativeAge::Unknown => None,
        };
        policy.unwrap_or(ReapingPolicy::Unknown)
    }

    /// The mute client and one that answers were closed at about the same age. Only a timer can have closed
    /// the latter. If it was asked and the ages differ, its answers may have counted.
    fn idle_policy(&self, after: Duration) -> Option<ReapingPolicy> {
        let quiet = self.client(Behaviour::Quiet)?;
        let end = quiet.ended()?;
        let idle = match (quiet.asks().is_empty(), end.abs_diff(after) <= tolerance(after)) {
            // A client that has nothing to answer is as silent as the mute one.
            (true, is_one_age) => self.timer(after.min(end)).filter(|_| is_one_age),
            (false, true) => self.timer(end),
            (false, false) => {
                self.timer_reset_by_answers(self.lifetime_after_last_answer(after)?, after, end)
            }
        };
        idle.filter(|_| self.silent_clients_ended_at_one_age())
            .map(|idle| ReapingPolicy::Idle(idle, self.schedule_of_requests()))
    }

    /// The mute client was closed, and one that answers was kept for longer.
    fn heartbeat_policy(&self, mute: &ClientRecord, after: Duration) -> Option<ReapingPolicy> {
        let end = self.client(Behaviour::Quiet)?.ended();
        if let Some((end, gained)) = end.zip(self.lifetime_after_last_answer(after)) {
            let idle = self.timer_reset_by_answers(gained, after, end);
            let idle = idle.filter(|_| self.silent_clients_ended_at_one_age());
            return idle.map(|idle| ReapingPolicy::Idle(idle, self.schedule_of_requests()));
        }
        let idle = match end {
            // For another timer it would be unknown what starts it.
            Some(end) => Some(self.timer(end).filter(|idle| idle.needs == RequiredTraffic::Messages)?),
            None => None,
        };
        let event_kind = self.required_heartbeat(mute, after)?;
        // If another kind of heartbeat was sent first, it is unknown which one started the server's timer.
        if mute.asks().first().is_some_and(|(first, _)| *first != event_kind) {
            return None;
        }
        let (beats, reaping) = (self.schedule(event_kind), reaping_rule(mute, event_kind)?);
        Some(ReapingPolicy::Heartbeat(HeartbeatPolicy { beats, reaping, idle }))
    }

    /// How long the quiet client survived its last answer, if that equals the mute client's lifetime. That
    /// suggests an idle timer that answers reset, with requests too rare for it.
    fn lifetime_after_last_answer(&self, after: Duration) -> Option<Duration> {
        let quiet = self.client(Behaviour::Quiet)?;
        let gained = time_since_last_answer(quiet)?;
        let in_time = answered_within(quiet, gained + tolerance(gained));
        (in_time && gained.abs_diff(after) <= tolerance(after) / 2).then_some(gained)
    }

    /// The timer that answers reset: it needs frames if the Pings-only client was kept for longer. It needs
    /// messages if that one ended with the mute client and owed no answer. It is unknown which answers count
    /// and whether the timer closed the mute client, so the longer age is an upper bound.
    fn timer_reset_by_answers(
        &self,
        gained: Duration,
        mute: Duration,
        quiet: Duration,
    ) -> Option<IdlePolicy> {
        let asked = |behaviour| {
            self.client(behaviour)
                .is_some_and(|client| client.listening.arrivals(ServerEventKind::AppPing).is_some())
        };
        let needs = match (
            self.compare_age(Behaviour::PingsOnly, quiet),
            self.compare_age(Behaviour::PingsOnly, mute),
        ) {
            (RelativeAge::Outlived, _) => RequiredTraffic::AnyFrame,
            (_, RelativeAge::Near) if asked(Behaviour::Quiet) && !asked(Behaviour::PingsOnly) => {
                RequiredTraffic::Messages
            }
            (RelativeAge::Near | RelativeAge::Unknown, _) => return None,
        };
        Some(IdlePolicy { after: mute.max(gained), edge: TimerKind::of(self.clients), needs })
    }

    /// Whether the two silent clients, one of which started later, ended at about the same age, as with a
    /// timer. If the server checks at intervals and a check falls between the two, their ages may differ;
    /// that is rare.
    fn silent_clients_ended_at_one_age(&self) -> bool {
        let exact = |client: &ClientRecord| client.ended().filter(|_| !client.end.is_at_latest());
        let ended = |behaviour| self.client(behaviour).and_then(exact);
        ended(Behaviour::Mute)
            .zip(ended(Behaviour::Stalled))
            .is_none_or(|(mute, stalled)| is_near(stalled, mute))
    }

    /// The kind of heartbeat that must be answered.
    fn required_heartbeat(&self, mute: &ClientRecord, after: Duration) -> Option<ServerEventKind> {
        let received = |event_kind| mute.listening.arrivals(event_kind).is_some();
        match (received(ServerEventKind::Ping), received(ServerEventKind::AppPing)) {
            (false, false) => None,
            (false, true) => Some(ServerEventKind::AppPing),
            // The Pings-only client answers Ping frames, so if it ended with the mute one, they are not the
            // cause.
            (true, false) => (self.compare_age(Behaviour::PingsOnly, after) != RelativeAge::Near)
                .then_some(ServerEventKind::Ping),
            (true, true) => self.required_of_two(mute, after),
        }
    }

    /// Of Ping frames and app pings. The Pings-only client leaves app pings unanswered. If it left more of
    /// them for longer and was kept, they are not why the mute client was closed.
    fn required_of_two(&self, mute: &ClientRecord, after: Duration) -> Option<ServerEventKind> {
        let owed = |client: &ClientRecord| {
            let arrivals = client.listening.arrivals(ServerEventKind::AppPing)?;
            Some((arrivals.count, client.kept()?.saturating_sub(client.since_greeting(arrivals.begun))))
        };
        let (by_mute, by_other) = (owed(mute)?, owed(self.client(Behaviour::PingsOnly)?)?);
        let is_more = by_other.0 > by_mute.0 && by_other.1 > by_mute.1 + tolerance(by_mute.1) * 2;
        match self.compare_age(Behaviour::PingsOnly, after) {
            RelativeAge::Near => Some(ServerEventKind::AppPing),
            RelativeAge::Outlived => is_more.then_some(ServerEventKind::Ping),
            RelativeAge::Unknown => None,
        }
    }

    /// The timer that closed a client which only answers, at this age.
    fn timer(&self, after: Duration) -> Option<IdlePolicy> {
        let quiet = self.client(Behaviour::Quiet)?;
        let (is_uncounted, edge) =
            (answers_did_not_count(quiet, after, Duration::ZERO), TimerKind::of(self.clients));
        // A server that checks as often as the starts are apart looks exact.
        let check_interval = Behaviour::Stalled.begins_later();
        let pings_only = self.client(Behaviour::PingsOnly)?;
        let needs = match (self.compare_age(Behaviour::PingsOnly, after), is_uncounted, edge) {
            // It may also have ended for the answers it owed.
            (RelativeAge::Near, ..) if pings_only.listening.arrivals(ServerEventKind::AppPing).is_some() => {
                return None;
            }
            (RelativeAge::Near, ..) => RequiredTraffic::Messages,
            (RelativeAge::Outlived, true, TimerKind::Sharp)
                if answers_did_not_count(quiet, after, check_interval) =>
            {
                RequiredTraffic::OwnFrames
            }
            // An answer may count but have been too old when the server checked.
            (RelativeAge::Outlived, true, _) => return None,
            (RelativeAge::Outlived, false, _) => RequiredTraffic::AnyFrame,
            (RelativeAge::Unknown, ..) => return None,
        };
        // An upper bound; the stalled client, silent from another moment on, may show a lower one.
        let other = self.client(Behaviour::Stalled).and_then(ClientRecord::ended).filter(|_| {
            edge != TimerKind::Sharp
                && self.client(Behaviour::Mute).is_some_and(|mute| mute.asks().is_empty())
        });
        Some(IdlePolicy { after: other.map_or(after, |other| other.min(after)), edge, needs })
    }

    /// The schedule of the heartbeats that ask for an answer, if there are any.
    fn schedule_of_requests(&self) -> Option<ServerSchedule> {
        let asks =
            self.clients.iter().find_map(|client| client.asks().first().map(|(event_kind, _)| *event_kind));
        asks.map(|event_kind| self.schedule(event_kind))
    }

    fn compare_age(&self, behaviour: Behaviour, age: Duration) -> RelativeAge {
        let Some(client) = self.client(behaviour) else { return RelativeAge::Unknown };
        match (client.ended(), client.kept()) {
            (Some(ended), _) if is_near(ended, age) => RelativeAge::Near,
            // Its time of failure is unknown.
            (_, Some(_)) if client.last_ping_unanswered => RelativeAge::Unknown,
            (_, Some(kept)) if kept > age + tolerance(age) * 2 => RelativeAge::Outlived,
            (_, Some(_) | None) => RelativeAge::Unknown,
        }
    }
}

/// A client more active than the mute one that the server closed, although it kept the mute one.
pub(super) fn active_client_ended(clients: &[ClientRecord]) -> Option<&ClientRecord> {
    client_of(clients, Behaviour::Mute).filter(|mute| mute.is_kept())?;
    let is_active =
        |client: &ClientRecord| matches!(client.behaviour, Behaviour::Quiet | Behaviour::PingsOnly);
    clients.iter().find(|client| is_active(client) && client.ended().is_some())
}

/// Whether two ages are about the same.
fn is_near(a: Duration, b: Duration) -> bool {
    a.abs_diff(b) <= tolerance(b) * 2
}

/// Whether an answer would have postponed the end visibly, had it counted, by a server that checks at this interval.
fn answers_did_not_count(quiet: &ClientRecord, end: Duration, check_interval: Duration) -> bool {
    let slack = tolerance(end);
    let (from, to) = (slack * 2 + check_interval, end.saturating_sub(slack));
    let within = |moment: Duration| from < moment && moment < to;
    quiet.asks().iter().any(|(_, arrivals)| {
        let (begun, last) = (quiet.since_greeting(arrivals.begun), quiet.since_greeting(arrivals.last));
        let is_dense = arrivals.interval().is_some_and(|gaps| gaps.max < to.saturating_sub(from));
        within(begun) || within(last) || begun <= from && to <= last && is_dense
    })
}

/// Whether the answers to one kind of heartbeat, except the last, never left a longer silence.
fn answered_within(quiet: &ClientRecord, silence: Duration) -> bool {
    quiet.asks().iter().any(|(_, arrivals)| {
        let is_dense = arrivals.interval().is_none_or(|gaps| gaps.max <= silence);
        quiet.since_greeting(arrivals.begun) <= silence && is_dense
    })
}

/// The time from the last heartbeat it answered to its end.
fn time_since_last_answer(quiet: &ClientRecord) -> Option<Duration> {
    quiet.ended()?;
    let end = quiet.ending()?.age;
    quiet.asks().iter().map(|(_, arrivals)| end.saturating_sub(arrivals.last)).min()
}

/// A heartbeat this shortly before the close came from the same server tick and is no miss; no client answers
/// so fast.
const MAX_GAP_TO_CLOSE: Duration = Duration::from_millis(40);

fn reaping_rule(mute: &ClientRecord, event_kind: ServerEventKind) -> Option<ReapingRule> {
    let (arrivals, ended) = (mute.listening.arrivals(event_kind)?, mute.ending()?.age);
    let (count, timeout) = (arrivals.count, ended.saturating_sub(arrivals.last));
    let total = ended.saturating_sub(arrivals.begun);
    Some(match u32::try_from(count.saturating_sub(1)) {
        Ok(gaps @ 1..) if timeout < MAX_GAP_TO_CLOSE => {
            let gap = (arrivals.last - arrivals.begun) / gaps;
            ReapingRule::After { misses: count - 1, timeout: timeout + gap, total }
        }
        _ => ReapingRule::After { misses: count, timeout, total },
    })
}

#[cfg(test)]
pub mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use super::super::client_record::ClientEnd;
    use super::*;
    use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
    use crate::domain::connection::untrusted_text::UntrustedText;
    use crate::domain::listen::ServerEvent;

    pub fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// A client of this age (ms) with pings at these times; `ended`: the server closed it then.
    pub fn record(behaviour: Behaviour, pings: &[u64], millis: u64, ended: bool) -> ClientRecord {
        asked(behaviour, ServerEventKind::Ping, pings, millis, ended)
    }

    fn asked(
        behaviour: Behaviour,
        event_kind: ServerEventKind,
        moments: &[u64],
        millis: u64,
        ended: bool,
    ) -> ClientRecord {
        let mut client = ClientRecord::new(behaviour);
        for moment in moments {
            client
                .listening
                .record_event(ms(*moment), &ServerEvent::plain(event_kind, UntrustedText::default()));
        }
        let after = ms(millis);
        let (who, how, at) = (ClosedBy::Peer, CloseKind::Fin, SystemTime::UNIX_EPOCH);
        let ending = Arc::new(CloseCause {
            who,
            how,
            reply: None,
            os_error: None,
            tcp: None,
            age: after,
            idle: after,
            at,
        });
        client.end = if ended {
            ClientEnd::Ended { after, ending, at_latest: false }
        } else {
            ClientEnd::Kept { so_far: after, proven: true }
        };
        client
    }

    /// How often the control sends.
    const CONTROL_INTERVAL: Duration = Duration::from_millis(170);

    fn policy_of(clients: &[ClientRecord]) -> ReapingPolicy {
        infer(clients, CONTROL_INTERVAL)
    }

    fn grid(first: u64, step: u64, until: u64) -> Vec<u64> {
        (0..).map(|k| first + k * step).take_while(|at| *at < until).collect()
    }

    /// The policy if the mute client ends like this and all others live for a minute, pinged every `step`.
    fn policy(mute: ClientRecord, step: u64) -> ReapingPolicy {
        let others = [Behaviour::Control, Behaviour::Quiet, Behaviour::PingsOnly];
        let others = others.map(|behaviour| record(behaviour, &grid(step, step, 60_000), 60_000, false));
        infer(&[&[mute], &others[..]].concat(), CONTROL_INTERVAL)
    }

    fn heartbeat(policy: ReapingPolicy) -> (Option<u64>, Option<(u64, u64)>, Option<bool>) {
        let ReapingPolicy::Heartbeat(found) = policy else { panic!("{policy:?}") };
        let reaping = match found.reaping {
            ReapingRule::Never { .. } => None,
            ReapingRule::After { misses, timeout, .. } => Some((misses, timeout.as_millis() as u64)),
        };
        let ServerSchedule { interval, skips_active, .. } = found.beats;
        (interval.map(|interval| interval.as_millis() as u64), reaping, skips_active)
    }

    #[test]
    fn is_alive_pattern_reaps_one_interval_after_first_miss() {
        let found = policy(record(Behaviour::Mute, &[1300], 3300, true), 2000);
        assert_eq!(heartbeat(found), (Some(2000), Some((1, 2000)), Some(false)));
    }

    #[test]
    fn timeout_and_misses_are_inferred() {
        // Python websockets, 20/20.
        let found = policy(record(Behaviour::Mute, &[20_000], 40_000, true), 20_000);
        assert_eq!(heartbeat(found), (Some(20_000), Some((1, 20_000)), Some(false)));
        // gorilla's chat: a read deadline of 60 s, a ping every 54 s.
        let found = policy(record(Behaviour::Mute, &[5400], 6000, true), 5400);
        assert_eq!(heartbeat(found), (Some(5400), Some((1, 600)), Some(false)));
        // Three misses of 400 ms each.
        let found = policy(record(Behaviour::Mute, &[300, 1300, 2300], 2700, true), 1000);
        assert_eq!(heartbeat(found), (Some(1000), Some((3, 400)), Some(false)));
    }

    #[test]
    fn heartbeat_sent_with_the_close_is_no_miss() {
        let found = policy(record(Behaviour::Mute, &[1000, 2000], 2006, true), 1000);
        assert_eq!(heartbeat(found), (Some(1000), Some((1, 1006)), Some(false)));
        let found = policy(record(Behaviour::Mute, &[500, 1500, 2500, 3500], 3501, true), 1000);
        assert_eq!(heartbeat(found), (Some(1000), Some((3, 1001)), Some(false)));
    }

    #[test]
    fn other_kind_asked_first_hides_the_timer_start() {
        let clients = |app: u64| {
            let grid = grid(945, 1000, 60_000);
            let mut mute = record(Behaviour::Mute, &[945], 1456, true);
            mute.listening.record_event(
                ms(app),
                &ServerEvent::plain(ServerEventKind::AppPing, UntrustedText::default()),
            );
            let mut pings_only = record(Behaviour::PingsOnly, &grid, 60_000, false);
            for at in (1..5).map(|n| n * 453) {
                pings_only.listening.record_event(
                    ms(at),
                    &ServerEvent::plain(ServerEventKind::AppPing, UntrustedText::default()),
                );
            }
            policy_of(&[
                mute,
                pings_only,
                record(Behaviour::Quiet, &grid, 60_000, false),
                record(Behaviour::Control, &grid, 60_000, false),
            ])
        };
        assert_eq!(clients(453), ReapingPolicy::Unknown);
        assert!(matches!(clients(1200), ReapingPolicy::Heartbeat(_)), "{:?}", clients(1200));
    }

    #[test]
    fn flood_has_no_interval_and_skips_no_client() {
        let flood: Vec<u64> = (0..2000).map(|n| n / 200 * 100).collect();
        let clients = [Behaviour::Control, Behaviour::Quiet, Behaviour::Mute]
            .map(|behaviour| record(behaviour, &flood, 1100, false));
        assert_eq!(heartbeat(policy_of(&clients)), (None, None, None));
    }

    #[test]
    fn silently_dropped_client_outlived_no_other() {
        let clients = |last_ping_unanswered, mute_ends| {
            let quiet = ClientRecord {
                last_ping_unanswered,
                ..record(Behaviour::Quiet, &[1000, 2000, 3000], 60_000, false)
            };
            let control = record(Behaviour::Control, &[], 60_000, false);
            policy_of(&[control, record(Behaviour::Mute, &[1000], 2000, mute_ends), quiet])
        };
        assert!(matches!(clients(false, true), ReapingPolicy::Heartbeat(_)));
        assert_eq!(
            (clients(true, true), clients(true, false)),
            (ReapingPolicy::Unknown, ReapingPolicy::Unknown)
        );
    }

    #[test]
    fn lowest_observed_age_is_the_upper_bound() {
        let clients = [
            record(Behaviour::Control, &[], 60_000, false),
            record(Behaviour::Mute, &[], 4779, true),
            record(Behaviour::Quiet, &[], 4779, true),
            record(Behaviour::PingsOnly, &[], 60_000, false),
            record(Behaviour::Stalled, &[], 4444, true),
        ];
        let ReapingPolicy::Idle(found, None) = policy_of(&clients) else {
            panic!("{:?}", policy_of(&clients))
        };
        assert_eq!(found.after, ms(4444));
    }

    #[test]
    fn server_that_pings_and_keeps_never_gives_up() {
        let found = policy(record(Behaviour::Mute, &grid(500, 1000, 60_000), 60_000, false), 1000);
        assert_eq!(heartbeat(found), (Some(1000), None, Some(false)));
    }

    #[test]
    fn unanswered_time_is_reported_only_for_asked_clients() {
        let ReapingPolicy::Heartbeat(found) =
            policy(record(Behaviour::Mute, &[58_000], 60_000, false), 58_000)
        else {
            panic!("it was asked")
        };
        assert_eq!(found.reaping, ReapingRule::Never { waited: ms(2000) });
        assert_eq!(policy(record(Behaviour::Mute, &[], 60_000, false), 1000), ReapingPolicy::Unknown);
    }

    #[test]
    fn unpinged_control_is_skipped_because_it_sends() {
        let quiet = record(Behaviour::Quiet, &grid(500, 1000, 60_000), 60_000, false);
        let control = record(Behaviour::Control, &[], 60_000, false);
        let found = policy_of(&[record(Behaviour::Mute, &[500], 900, true), quiet, control]);
        assert_eq!(heartbeat(found), (Some(1000), Some((1, 400)), Some(true)));
    }

    #[test]
    fn app_ping_answers_blur_the_interval() {
        let app = |behaviour, moments: &[u64], millis, ended| {
            asked(behaviour, ServerEventKind::AppPing, moments, millis, ended)
        };
        let mute = || app(Behaviour::Mute, &[500], 900, true);
        // A server with an interval of 1 s that skips the active asks them every 1.5 s.
        let quiet = || app(Behaviour::Quiet, &grid(500, 1500, 60_000), 60_000, false);
        let skipped = [mute(), quiet(), record(Behaviour::Control, &[], 60_000, false)];
        assert_eq!(heartbeat(policy_of(&skipped)), (None, Some((1, 400)), Some(true)));
        let pings_only = app(Behaviour::PingsOnly, &grid(500, 1000, 60_000), 60_000, false);
        let seen = policy_of(&[&skipped[..], &[pings_only]].concat());
        assert_eq!(heartbeat(seen), (Some(1000), Some((1, 400)), Some(true)));
        // One that skips nobody asks the control as often as the quiet one.
        let control = app(Behaviour::Control, &grid(700, 1500, 60_000), 60_000, false);
        let honest = policy_of(&[mute(), quiet(), control]);
        assert_eq!(heartbeat(honest), (Some(1500), Some((1, 400)), Some(false)));
    }

    #[test]
    fn pinging_client_shows_skipped_pings_of_active_clients() {
        // It passes over who has spoken since the last tick, and answers to its app pings fall about there.
        let app = |behaviour, moments: &[u64], millis, ended| {
            asked(behaviour, ServerEventKind::AppPing, moments, millis, ended)
        };
        let moments = [500, 1000, 2500, 3000, 4500, 5000, 6500, 7000, 8500, 9000, 10_500];
        let quiet = app(Behaviour::Quiet, &moments, 11_000, false);
        let pings_only = app(Behaviour::PingsOnly, &grid(500, 1000, 11_000), 11_000, false);
        let control = record(Behaviour::Control, &[], 11_000, false);
        let found = policy_of(&[app(Behaviour::Mute, &[500], 900, true), quiet, pings_only, control]);
        assert_eq!(heartbeat(found), (Some(1000), Some((1, 400)), Some(true)));
    }

    #[test]
    fn idle_timer_is_distinguished_from_a_heartbeat() {
        let clients = |quiet_ends: bool, pings_end: bool| {
            policy_of(&[
                record(Behaviour::Mute, &[], 60_010, true),
                record(Behaviour::Quiet, &[], if quiet_ends { 60_020 } else { 300_000 }, quiet_ends),
                record(Behaviour::PingsOnly, &[], if pings_end { 60_000 } else { 300_000 }, pings_end),
            ])
        };
        let after = ms(60_010);
        assert_eq!(
            clients(true, false),
            ReapingPolicy::Idle(
                IdlePolicy { after, edge: TimerKind::Unknown, needs: RequiredTraffic::AnyFrame },
                None
            )
        );
        assert_eq!(
            clients(true, true),
            ReapingPolicy::Idle(
                IdlePolicy { after, edge: TimerKind::Unknown, needs: RequiredTraffic::Messages },
                None
            )
        );
        // It pings, but who answers dies as soon: the answers do not count.
        let beats = grid(25_000, 25_000, 55_000);
        let pinged = |behaviour, millis, ended| record(behaviour, &beats, millis, ended);
        let found = policy_of(&[
            pinged(Behaviour::Mute, 55_000, true),
            pinged(Behaviour::Quiet, 55_010, true),
            pinged(Behaviour::PingsOnly, 55_005, true),
        ]);
        let ReapingPolicy::Idle(IdlePolicy { after, needs, .. }, Some(beats)) = found else {
            panic!("{found:?}")
        };
        assert_eq!(
            (after, needs),
            (ms(55_010), RequiredTraffic::Messages),
            "the age of the client that only a timer can have closed"
        );
        assert_eq!((beats.event_kind, beats.interval), (ServerEventKind::Ping, Some(ms(25_000))));
    }

    #[test]
    fn no_pings_and_no_ends_mean_keeps_all() {
        assert_eq!(policy_of(&[record(Behaviour::Mute, &[], 300_000, false)]), ReapingPolicy::KeepsAll);
        assert_eq!(policy_of(&[ClientRecord::new(Behaviour::Mute)]), ReapingPolicy::Unknown);
        assert_eq!(policy_of(&[]), ReapingPolicy::Unknown);
    }

    #[test]
    fn two_app_ping_shapes_hide_the_required_answer() {
        let mixed = |behaviour, millis, ended| {
            let mut client = asked(behaviour, ServerEventKind::AppPing, &[10_000], millis, ended);
            let plain = ServerEvent::plain(ServerEventKind::AppPing, UntrustedText::default());
            client.listening.record_event(ms(11_000), &ServerEvent { shape: Some("text ping"), ..plain });
            client
        };
        let clients = [
            mixed(Behaviour::Control, 60_000, false),
            mixed(Behaviour::Quiet, 60_000, false),
            mixed(Behaviour::PingsOnly, 15_000, true),
            mixed(Behaviour::Mute, 15_000, true),
        ];
        assert_eq!(policy_of(&clients), ReapingPolicy::Unknown);
        assert_eq!(clients[3].unanswered(), Some(2));
        let plain =
            clients.map(|client| asked(client.behaviour, ServerEventKind::AppPing, &[10_000], 60_000, false));
        assert_ne!(policy_of(&plain), ReapingPolicy::Unknown);
    }

    #[test]
    fn silent_clients_of_different_age_show_no_timer() {
        let clients = |stalled: u64| {
            [
                record(Behaviour::Control, &[], 60_000, false),
                record(Behaviour::Mute, &[], 20_000, true),
                record(Behaviour::Quiet, &[], 21_000, true),
                record(Behaviour::PingsOnly, &[], 60_000, false),
                record(Behaviour::Stalled, &[], stalled, true),
            ]
        };
        assert!(matches!(policy_of(&clients(20_370)), ReapingPolicy::Idle(..)));
        assert!(matches!(policy_of(&clients(23_900)), ReapingPolicy::Idle(..)));
        assert_eq!(policy_of(&clients(24_100)), ReapingPolicy::Unknown);
        let mut apart = clients(20_370);
        apart[2] = record(Behaviour::Quiet, &[], 22_100, true);
        assert_eq!(policy_of(&apart), ReapingPolicy::Unknown, "it had nothing to answer");
    }

    #[test]
    fn additional_timer_does_not_close_silent_clients() {
        let pings: Vec<u64> = grid(50, 300, 1500);
        let clients = [
            record(Behaviour::Control, &grid(50, 300, 4000), 4000, false),
            record(Behaviour::Mute, &[50], 250, true),
            record(Behaviour::Stalled, &[], 450, true),
            record(Behaviour::Quiet, &pings, 1500, true),
            record(Behaviour::PingsOnly, &pings, 1500, true),
        ];
        let ReapingPolicy::Heartbeat(found) = policy_of(&clients) else {
            panic!("{:?}", policy_of(&clients))
        };
        assert_eq!(
            found.idle.map(|idle| (idle.after, idle.needs)),
            Some((ms(1500), RequiredTraffic::Messages))
        );
    }

    #[test]
    fn heartbeats_that_stopped_for_all_have_no_interval() {
        let few = |behaviour, millis: u64| record(behaviour, &[1000, 2000, 3000, 4000], millis, false);
        let clients = |millis| {
            [Behaviour::Control, Behaviour::Mute, Behaviour::Quiet, Behaviour::PingsOnly]
                .map(|behaviour| few(behaviour, millis))
        };
        let interval = |clients: &[ClientRecord]| match policy_of(clients) {
            ReapingPolicy::Heartbeat(HeartbeatPolicy { beats, .. }) => beats.interval,
            other => panic!("{other:?}"),
        };
        assert_eq!(interval(&clients(4500)), Some(ms(1000)));
        assert_eq!(interval(&clients(10_000)), None);
    }

    #[test]
    fn worst_case_is_death_just_after_an_answer() {
        let ReapingPolicy::Heartbeat(found) =
            policy(record(Behaviour::Mute, &[1000, 3000], 3500, true), 2000)
        else {
            panic!()
        };
        assert_eq!(found.at_worst(), Some(ms(4500)), "2 s, 2 s more, and half a second");
        for skips_active in [Some(true), None] {
            let beats = ServerSchedule { skips_active, ..found.beats };
            assert_eq!(HeartbeatPolicy { beats, ..found }.at_worst(), None, "it may be asked later");
        }
    }
}
