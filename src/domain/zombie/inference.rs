//! From what became of clients that behave differently to the policy that would do that to them.

use std::time::Duration;

use super::behaviour::Behaviour;
use super::client_record::{ClientEnd, ClientRecord};
use super::policy::{HeartbeatPolicy, IdlePolicy, ReapingPolicy, ReapingRule, RequiredTraffic};
use super::server_schedule::{ScheduleEstimator, ServerSchedule};
use super::timer_kind::TimerKind;
use crate::domain::listen::ServerEventKind;
use crate::domain::stats::interval::tolerance;

/// How long one client was there, compared with an age at which another was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RelativeAge {
    /// It was closed at about that age too.
    Near,
    /// It was there for longer.
    Outlived,
    /// It was closed before, or result is not known.
    Unknown,
}

/// What these lives tell, where the control and the client of Pings only sent something every `every`.
///
/// The mute client shows that there is a policy; those that differ from it in one thing each show what it is:
/// - The mute was kept: there is no reaping, whether it was pinged or not.
/// - It was closed, was asked, and one that answers outlived it: that is the heartbeats' doing. Of two kinds, the one
///   that the client of Pings only left unanswered, where it went too; else the Ping frames.
/// - It was closed, and one that answers at about the same age: a timer that answers do not start afresh.
/// - Nothing of that fits: it is not known.
pub fn infer(lives: &[ClientRecord], every: Duration) -> ReapingPolicy {
    PolicyInference { lives, every }.policy()
}

struct PolicyInference<'a> {
    lives: &'a [ClientRecord],
    every: Duration,
}

impl<'a> PolicyInference<'a> {
    /// Of several kinds of one sound nobody knows which must be answered.
    fn policy(&self) -> ReapingPolicy {
        match self.plain_policy() {
            ReapingPolicy::Heartbeat(found) if self.is_mixed(found.beats.sound) => ReapingPolicy::Unknown,
            ReapingPolicy::Idle(idle, beats) => {
                ReapingPolicy::Idle(idle, beats.filter(|beats| !self.is_mixed(beats.sound)))
            }
            policy => policy,
        }
    }

    fn is_mixed(&self, sound: ServerEventKind) -> bool {
        self.lives.iter().any(|life| life.listening.rhythms(sound).count() > 1)
    }

    fn plain_policy(&self) -> ReapingPolicy {
        let Some(mute) = self.life(Behaviour::Mute) else { return ReapingPolicy::Unknown };
        match mute.ended() {
            None if mute.is_kept() => self.of_who_keeps(mute),
            None => ReapingPolicy::Unknown,
            Some(after) => self.of_who_lets_go(mute, after),
        }
    }

    fn life(&self, way: Behaviour) -> Option<&'a ClientRecord> {
        self.lives.iter().find(|life| life.way == way)
    }

    fn beats(&self, sound: ServerEventKind) -> ServerSchedule {
        ScheduleEstimator::new(self.lives, sound, self.every).beats()
    }

    /// The mute client was kept: that tells of heartbeats only if it was asked, and of nothing if one that is more alive
    /// was closed.
    fn of_who_keeps(&self, mute: &ClientRecord) -> ReapingPolicy {
        if livelier_and_gone(self.lives).is_some() || self.lives.iter().any(|life| life.deaf) {
            return ReapingPolicy::Unknown;
        }
        if let Some((sound, rhythm)) = mute.asks().first() {
            let waited = mute.kept().unwrap_or_default().saturating_sub(mute.since_greeting(rhythm.begun));
            let (beats, reaping) = (self.beats(*sound), ReapingRule::Never { waited });
            return ReapingPolicy::Heartbeat(HeartbeatPolicy { beats, reaping, idle: None });
        }
        let others_are_asked =
            || self.lives.iter().any(|life| life.listening.missed_some() || !life.asks().is_empty());
        if others_are_asked() { ReapingPolicy::Unknown } else { ReapingPolicy::KeepsAll }
    }

    /// The mute client was closed.
    fn of_who_lets_go(&self, mute: &ClientRecord, after: Duration) -> ReapingPolicy {
        let policy = match self.beside(Behaviour::Quiet, after) {
            RelativeAge::Near => self.of_who_minds_no_answers(after),
            RelativeAge::Outlived => self.of_who_wants_answers(mute, after),
            RelativeAge::Unknown => None,
        };
        policy.unwrap_or(ReapingPolicy::Unknown)
    }

    /// The mute client was closed, and one that answers at about the same age. Of the two it is the latter that only a
    /// timer can have struck; if it was asked, and the ages differ, an answer may have counted after all.
    fn of_who_minds_no_answers(&self, after: Duration) -> Option<ReapingPolicy> {
        let quiet = self.life(Behaviour::Quiet)?;
        let end = quiet.ended()?;
        let idle = match (quiet.asks().is_empty(), end.abs_diff(after) <= tolerance(after)) {
            // Who had nothing to answer is as silent as the mute.
            (true, is_one_age) => self.timer(after.min(end)).filter(|_| is_one_age),
            (false, true) => self.timer(end),
            (false, false) => self.timer_of_who_asks_too_rarely(self.bought_by_answers(after)?, after, end),
        };
        idle.filter(|_| self.silent_went_at_one_age()).map(|idle| ReapingPolicy::Idle(idle, self.asked()))
    }

    /// The mute client was closed, and one that answers was kept for longer.
    fn of_who_wants_answers(&self, mute: &ClientRecord, after: Duration) -> Option<ReapingPolicy> {
        let end = self.life(Behaviour::Quiet)?.ended();
        if let Some((end, bought)) = end.zip(self.bought_by_answers(after)) {
            let idle = self.timer_of_who_asks_too_rarely(bought, after, end);
            let idle = idle.filter(|_| self.silent_went_at_one_age());
            return idle.map(|idle| ReapingPolicy::Idle(idle, self.asked()));
        }
        let idle = match end {
            // Of another timer it would not be known from when it counts.
            Some(end) => Some(self.timer(end).filter(|idle| idle.needs == RequiredTraffic::Messages)?),
            None => None,
        };
        let sound = self.blamed(mute, after)?;
        // Of one kind that was asked before nobody knows whether it is from that that the server counts.
        if mute.asks().first().is_some_and(|(first, _)| *first != sound) {
            return None;
        }
        let (beats, reaping) = (self.beats(sound), reaping(mute, sound)?);
        Some(ReapingPolicy::Heartbeat(HeartbeatPolicy { beats, reaping, idle }))
    }

    /// What the quiet client's last answer bought it, where that is just what the mute had from the beginning: then it
    /// looks as if the server had a timer that answers start afresh, and asked too rarely for it.
    fn bought_by_answers(&self, after: Duration) -> Option<Duration> {
        let quiet = self.life(Behaviour::Quiet)?;
        let bought = since_its_last_answer(quiet)?;
        let in_time = kept_within(quiet, bought + tolerance(bought));
        (in_time && bought.abs_diff(after) <= tolerance(after) / 2).then_some(bought)
    }

    /// What that timer needs: frames, where the client of Pings only was kept for longer; messages, where it had to go
    /// with the mute and owed no answer. Which answers count is not known, nor whether it was the timer that struck the
    /// mute: of the two ages the longer is sure to be no shorter than it.
    fn timer_of_who_asks_too_rarely(
        &self,
        bought: Duration,
        mute: Duration,
        quiet: Duration,
    ) -> Option<IdlePolicy> {
        let asked = |way| {
            self.life(way).is_some_and(|life| life.listening.rhythm(ServerEventKind::AppPing).is_some())
        };
        let needs = match (self.beside(Behaviour::PingsOnly, quiet), self.beside(Behaviour::PingsOnly, mute))
        {
            (RelativeAge::Outlived, _) => RequiredTraffic::AnyFrame,
            (_, RelativeAge::Near) if asked(Behaviour::Quiet) && !asked(Behaviour::PingsOnly) => {
                RequiredTraffic::Messages
            }
            (RelativeAge::Near | RelativeAge::Unknown, _) => return None,
        };
        Some(IdlePolicy { after: mute.max(bought), edge: TimerKind::of(self.lives), needs })
    }

    /// Whether the two that are as silent, of which one began later, were let go at about the same age, as a timer does.
    /// Where the server looks only now and then, and a look fell between the two, their ages may differ by much; but that
    /// is rare.
    fn silent_went_at_one_age(&self) -> bool {
        let exact = |life: &ClientRecord| match &life.fate {
            ClientEnd::Ended { at_latest: true, .. } => None,
            _ => life.ended(),
        };
        let ended = |way| self.life(way).and_then(exact);
        ended(Behaviour::Mute)
            .zip(ended(Behaviour::Stalled))
            .is_none_or(|(mute, stalled)| is_near(stalled, mute))
    }

    /// Which kind of heartbeat must have been answered.
    fn blamed(&self, mute: &ClientRecord, after: Duration) -> Option<ServerEventKind> {
        let heard = |sound| mute.listening.rhythm(sound).is_some();
        match (heard(ServerEventKind::Ping), heard(ServerEventKind::AppPing)) {
            (false, false) => None,
            (false, true) => Some(ServerEventKind::AppPing),
            // The client of Pings only answers Ping frames, and yet...
            (true, false) => (self.beside(Behaviour::PingsOnly, after) != RelativeAge::Near)
                .then_some(ServerEventKind::Ping),
            (true, true) => self.blamed_of_two(mute, after),
        }
    }

    /// Of Ping frames and app pings: the client of Pings only leaves the latter unanswered. Where it left more of them,
    /// and for longer, and was kept, it was not for those that the mute had to go.
    fn blamed_of_two(&self, mute: &ClientRecord, after: Duration) -> Option<ServerEventKind> {
        let owed = |life: &ClientRecord| {
            let rhythm = life.listening.rhythm(ServerEventKind::AppPing)?;
            Some((rhythm.count, life.kept()?.saturating_sub(life.since_greeting(rhythm.begun))))
        };
        let (by_mute, by_other) = (owed(mute)?, owed(self.life(Behaviour::PingsOnly)?)?);
        let is_more = by_other.0 > by_mute.0 && by_other.1 > by_mute.1 + tolerance(by_mute.1) * 2;
        match self.beside(Behaviour::PingsOnly, after) {
            RelativeAge::Near => Some(ServerEventKind::AppPing),
            RelativeAge::Outlived => is_more.then_some(ServerEventKind::Ping),
            RelativeAge::Unknown => None,
        }
    }

    /// The timer that struck a client which only answers, at this age.
    fn timer(&self, after: Duration) -> Option<IdlePolicy> {
        let quiet = self.life(Behaviour::Quiet)?;
        let (in_vain, edge) = (answered_in_vain(quiet, after), TimerKind::of(self.lives));
        let pings_only = self.life(Behaviour::PingsOnly)?;
        let needs = match (self.beside(Behaviour::PingsOnly, after), in_vain, edge) {
            // It may as well have ended for the answers that it owed.
            (RelativeAge::Near, ..) if pings_only.listening.rhythm(ServerEventKind::AppPing).is_some() => {
                return None;
            }
            (RelativeAge::Near, ..) => RequiredTraffic::Messages,
            (RelativeAge::Outlived, true, TimerKind::Sharp) => RequiredTraffic::OwnFrames,
            // An answer may count, and have been too long ago when the server looked.
            (RelativeAge::Outlived, true, TimerKind::Swept | TimerKind::Unknown) => return None,
            (RelativeAge::Outlived, false, _) => RequiredTraffic::AnyFrame,
            (RelativeAge::Unknown, ..) => return None,
        };
        // An upper bound: the stalled client, as silent from another moment on, may show a lower one.
        let other = self.life(Behaviour::Stalled).and_then(ClientRecord::ended).filter(|_| {
            edge != TimerKind::Sharp && self.life(Behaviour::Mute).is_some_and(|mute| mute.asks().is_empty())
        });
        Some(IdlePolicy { after: other.map_or(after, |other| other.min(after)), edge, needs })
    }

    /// Its heartbeats, where it sends any that ask.
    fn asked(&self) -> Option<ServerSchedule> {
        let asks = self.lives.iter().find_map(|life| life.asks().first().map(|(sound, _)| *sound));
        asks.map(|sound| self.beats(sound))
    }

    fn beside(&self, way: Behaviour, age: Duration) -> RelativeAge {
        let Some(life) = self.life(way) else { return RelativeAge::Unknown };
        match (life.ended(), life.kept()) {
            (Some(ended), _) if is_near(ended, age) => RelativeAge::Near,
            // When it was given up nobody knows.
            (_, Some(_)) if life.deaf => RelativeAge::Unknown,
            (_, Some(kept)) if kept > age + tolerance(age) * 2 => RelativeAge::Outlived,
            (_, Some(_) | None) => RelativeAge::Unknown,
        }
    }
}

/// One that does more than the mute client, and that the server let go, though it kept that.
pub(super) fn livelier_and_gone(lives: &[ClientRecord]) -> Option<&ClientRecord> {
    let mute_is_kept = lives.iter().any(|life| life.way == Behaviour::Mute && life.is_kept());
    let is_gone = |life: &&ClientRecord| {
        matches!(life.way, Behaviour::Quiet | Behaviour::PingsOnly) && life.ended().is_some() && mute_is_kept
    };
    lives.iter().find(is_gone)
}

/// Whether two ages are about the same.
fn is_near(a: Duration, b: Duration) -> bool {
    a.abs_diff(b) <= tolerance(b) * 2
}

/// Whether one of its answers, had it counted, would have postponed an end at that age, and visibly.
fn answered_in_vain(quiet: &ClientRecord, end: Duration) -> bool {
    let slack = tolerance(end);
    let (from, to) = (slack * 2, end.saturating_sub(slack));
    let within = |moment: Duration| from < moment && moment < to;
    quiet.asks().iter().any(|(_, rhythm)| {
        let (begun, last) = (quiet.since_greeting(rhythm.begun), quiet.since_greeting(rhythm.last));
        let is_dense = rhythm.interval().is_some_and(|gaps| gaps.max < to.saturating_sub(from));
        within(begun) || within(last) || begun <= from && to <= last && is_dense
    })
}

/// Whether its answers to one kind of heartbeat never left a longer silence, but for the last.
fn kept_within(quiet: &ClientRecord, silence: Duration) -> bool {
    quiet.asks().iter().any(|(_, rhythm)| {
        let is_dense = rhythm.interval().is_none_or(|gaps| gaps.max <= silence);
        quiet.since_greeting(rhythm.begun) <= silence && is_dense
    })
}

/// From the last heartbeat that it answered to its end.
fn since_its_last_answer(quiet: &ClientRecord) -> Option<Duration> {
    quiet.ended()?;
    let end = quiet.ending()?.age;
    quiet.asks().iter().map(|(_, rhythm)| end.saturating_sub(rhythm.last)).min()
}

/// One that leaves with the goodbye, for a tick does both, was not waited for. No client answers so fast.
const WITH_THE_GOODBYE: Duration = Duration::from_millis(40);

fn reaping(mute: &ClientRecord, sound: ServerEventKind) -> Option<ReapingRule> {
    let (rhythm, ended) = (mute.listening.rhythm(sound)?, mute.ending()?.age);
    let (count, timeout) = (rhythm.count, ended.saturating_sub(rhythm.last));
    let total = ended.saturating_sub(rhythm.begun);
    Some(match u32::try_from(count.saturating_sub(1)) {
        Ok(gaps @ 1..) if timeout < WITH_THE_GOODBYE => {
            let gap = (rhythm.last - rhythm.begun) / gaps;
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

    /// A life of so many milliseconds, with pings at these moments; `ended`: the server let it go then.
    pub fn life(way: Behaviour, pings: &[u64], millis: u64, ended: bool) -> ClientRecord {
        asked(way, ServerEventKind::Ping, pings, millis, ended)
    }

    fn asked(
        way: Behaviour,
        sound: ServerEventKind,
        moments: &[u64],
        millis: u64,
        ended: bool,
    ) -> ClientRecord {
        let mut life = ClientRecord::new(way);
        for moment in moments {
            life.listening.heard(ms(*moment), &ServerEvent::plain(sound, UntrustedText::default()));
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
        life.fate = if ended {
            ClientEnd::Ended { after, ending, at_latest: false }
        } else {
            ClientEnd::Kept { so_far: after, proven: true }
        };
        life
    }

    /// How often the control sends something.
    const CONTROL_INTERVAL: Duration = Duration::from_millis(170);

    fn told(lives: &[ClientRecord]) -> ReapingPolicy {
        infer(lives, CONTROL_INTERVAL)
    }

    fn grid(first: u64, step: u64, until: u64) -> Vec<u64> {
        (0..).map(|k| first + k * step).take_while(|at| *at < until).collect()
    }

    /// The mute one ends so; all others live for a minute, pinged every `step`.
    fn policy(mute: ClientRecord, step: u64) -> ReapingPolicy {
        let others = [Behaviour::Control, Behaviour::Quiet, Behaviour::PingsOnly];
        let others = others.map(|way| life(way, &grid(step, step, 60_000), 60_000, false));
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
        let found = policy(life(Behaviour::Mute, &[1300], 3300, true), 2000);
        assert_eq!(heartbeat(found), (Some(2000), Some((1, 2000)), Some(false)));
    }

    #[test]
    fn a_timeout_and_a_number_of_misses_are_told() {
        // Python websockets, 20/20.
        let found = policy(life(Behaviour::Mute, &[20_000], 40_000, true), 20_000);
        assert_eq!(heartbeat(found), (Some(20_000), Some((1, 20_000)), Some(false)));
        // gorilla's chat: a read deadline of 60 s, a ping every 54 s.
        let found = policy(life(Behaviour::Mute, &[5400], 6000, true), 5400);
        assert_eq!(heartbeat(found), (Some(5400), Some((1, 600)), Some(false)));
        // Three misses, each 400 ms long.
        let found = policy(life(Behaviour::Mute, &[300, 1300, 2300], 2700, true), 1000);
        assert_eq!(heartbeat(found), (Some(1000), Some((3, 400)), Some(false)));
    }

    #[test]
    fn one_that_leaves_with_the_goodbye_is_no_miss() {
        let found = policy(life(Behaviour::Mute, &[1000, 2000], 2006, true), 1000);
        assert_eq!(heartbeat(found), (Some(1000), Some((1, 1006)), Some(false)));
        let found = policy(life(Behaviour::Mute, &[500, 1500, 2500, 3500], 3501, true), 1000);
        assert_eq!(heartbeat(found), (Some(1000), Some((3, 1001)), Some(false)));
    }

    #[test]
    fn other_kind_asked_first_hides_the_timer_start() {
        let lives = |app: u64| {
            let grid = grid(945, 1000, 60_000);
            let mut mute = life(Behaviour::Mute, &[945], 1456, true);
            mute.listening
                .heard(ms(app), &ServerEvent::plain(ServerEventKind::AppPing, UntrustedText::default()));
            let mut pings_only = life(Behaviour::PingsOnly, &grid, 60_000, false);
            for at in (1..5).map(|n| n * 453) {
                pings_only
                    .listening
                    .heard(ms(at), &ServerEvent::plain(ServerEventKind::AppPing, UntrustedText::default()));
            }
            told(&[
                mute,
                pings_only,
                life(Behaviour::Quiet, &grid, 60_000, false),
                life(Behaviour::Control, &grid, 60_000, false),
            ])
        };
        assert_eq!(lives(453), ReapingPolicy::Unknown);
        assert!(matches!(lives(1200), ReapingPolicy::Heartbeat(_)), "{:?}", lives(1200));
    }

    #[test]
    fn a_flood_has_no_interval_and_passes_over_nobody() {
        let flood: Vec<u64> = (0..2000).map(|n| n / 200 * 100).collect();
        let lives =
            [Behaviour::Control, Behaviour::Quiet, Behaviour::Mute].map(|way| life(way, &flood, 1100, false));
        assert_eq!(heartbeat(told(&lives)), (None, None, None));
    }

    #[test]
    fn who_was_given_up_without_a_word_outlived_nobody() {
        let lives = |deaf, mute_ends| {
            let quiet = ClientRecord { deaf, ..life(Behaviour::Quiet, &[1000, 2000, 3000], 60_000, false) };
            let control = life(Behaviour::Control, &[], 60_000, false);
            told(&[control, life(Behaviour::Mute, &[1000], 2000, mute_ends), quiet])
        };
        assert!(matches!(lives(false, true), ReapingPolicy::Heartbeat(_)));
        assert_eq!((lives(true, true), lives(true, false)), (ReapingPolicy::Unknown, ReapingPolicy::Unknown));
    }

    #[test]
    fn an_upper_bound_is_the_lowest_that_was_seen() {
        let lives = [
            life(Behaviour::Control, &[], 60_000, false),
            life(Behaviour::Mute, &[], 4779, true),
            life(Behaviour::Quiet, &[], 4779, true),
            life(Behaviour::PingsOnly, &[], 60_000, false),
            life(Behaviour::Stalled, &[], 4444, true),
        ];
        let ReapingPolicy::Idle(found, None) = told(&lives) else { panic!("{:?}", told(&lives)) };
        assert_eq!(found.after, ms(4444));
    }

    #[test]
    fn who_pings_and_keeps_never_gives_up() {
        let found = policy(life(Behaviour::Mute, &grid(500, 1000, 60_000), 60_000, false), 1000);
        assert_eq!(heartbeat(found), (Some(1000), None, Some(false)));
    }

    #[test]
    fn unanswered_time_is_reported_only_for_asked_clients() {
        let ReapingPolicy::Heartbeat(found) = policy(life(Behaviour::Mute, &[58_000], 60_000, false), 58_000)
        else {
            panic!("it was asked")
        };
        assert_eq!(found.reaping, ReapingRule::Never { waited: ms(2000) });
        assert_eq!(policy(life(Behaviour::Mute, &[], 60_000, false), 1000), ReapingPolicy::Unknown);
    }

    #[test]
    fn a_control_that_is_never_pinged_is_skipped_because_it_talks() {
        let quiet = life(Behaviour::Quiet, &grid(500, 1000, 60_000), 60_000, false);
        let control = life(Behaviour::Control, &[], 60_000, false);
        let found = told(&[life(Behaviour::Mute, &[500], 900, true), quiet, control]);
        assert_eq!(heartbeat(found), (Some(1000), Some((1, 400)), Some(true)));
    }

    #[test]
    fn app_ping_answerers_do_not_witness_the_interval() {
        let app = |way, moments: &[u64], millis, ended| {
            asked(way, ServerEventKind::AppPing, moments, millis, ended)
        };
        let mute = || app(Behaviour::Mute, &[500], 900, true);
        // A server with an interval of 1 s that skips the active asks them every 1.5 s.
        let quiet = || app(Behaviour::Quiet, &grid(500, 1500, 60_000), 60_000, false);
        let skipped = [mute(), quiet(), life(Behaviour::Control, &[], 60_000, false)];
        assert_eq!(heartbeat(told(&skipped)), (None, Some((1, 400)), Some(true)));
        let pings_only = app(Behaviour::PingsOnly, &grid(500, 1000, 60_000), 60_000, false);
        let seen = told(&[&skipped[..], &[pings_only]].concat());
        assert_eq!(heartbeat(seen), (Some(1000), Some((1, 400)), Some(true)));
        // One that skips nobody asks the control as often as the quiet one.
        let control = app(Behaviour::Control, &grid(700, 1500, 60_000), 60_000, false);
        let honest = told(&[mute(), quiet(), control]);
        assert_eq!(heartbeat(honest), (Some(1500), Some((1, 400)), Some(false)));
    }

    #[test]
    fn pinging_client_shows_skipped_pings_of_active_clients() {
        // It passes over who has spoken since the last tick, and answers to its app pings fall about there.
        let app = |way, moments: &[u64], millis, ended| {
            asked(way, ServerEventKind::AppPing, moments, millis, ended)
        };
        let moments = [500, 1000, 2500, 3000, 4500, 5000, 6500, 7000, 8500, 9000, 10_500];
        let quiet = app(Behaviour::Quiet, &moments, 11_000, false);
        let pings_only = app(Behaviour::PingsOnly, &grid(500, 1000, 11_000), 11_000, false);
        let control = life(Behaviour::Control, &[], 11_000, false);
        let found = told(&[app(Behaviour::Mute, &[500], 900, true), quiet, pings_only, control]);
        assert_eq!(heartbeat(found), (Some(1000), Some((1, 400)), Some(true)));
    }

    #[test]
    fn an_idle_timer_is_told_from_a_heartbeat() {
        let lives = |quiet_ends: bool, pings_end: bool| {
            told(&[
                life(Behaviour::Mute, &[], 60_010, true),
                life(Behaviour::Quiet, &[], if quiet_ends { 60_020 } else { 300_000 }, quiet_ends),
                life(Behaviour::PingsOnly, &[], if pings_end { 60_000 } else { 300_000 }, pings_end),
            ])
        };
        let after = ms(60_010);
        assert_eq!(
            lives(true, false),
            ReapingPolicy::Idle(
                IdlePolicy { after, edge: TimerKind::Unknown, needs: RequiredTraffic::AnyFrame },
                None
            )
        );
        assert_eq!(
            lives(true, true),
            ReapingPolicy::Idle(
                IdlePolicy { after, edge: TimerKind::Unknown, needs: RequiredTraffic::Messages },
                None
            )
        );
        // It pings, but who answers dies as soon: the answers do not count.
        let beats = grid(25_000, 25_000, 55_000);
        let pinged = |way, millis, ended| life(way, &beats, millis, ended);
        let found = told(&[
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
            "the age of whom only a timer can have struck"
        );
        assert_eq!((beats.sound, beats.interval), (ServerEventKind::Ping, Some(ms(25_000))));
    }

    #[test]
    fn no_pings_and_no_ends_keep_everybody() {
        assert_eq!(told(&[life(Behaviour::Mute, &[], 300_000, false)]), ReapingPolicy::KeepsAll);
        assert_eq!(told(&[ClientRecord::new(Behaviour::Mute)]), ReapingPolicy::Unknown);
        assert_eq!(told(&[]), ReapingPolicy::Unknown);
    }

    #[test]
    fn two_app_ping_shapes_hide_the_required_answer() {
        let mixed = |way, millis, ended| {
            let mut life = asked(way, ServerEventKind::AppPing, &[10_000], millis, ended);
            let plain = ServerEvent::plain(ServerEventKind::AppPing, UntrustedText::default());
            life.listening.heard(ms(11_000), &ServerEvent { shape: Some("text ping"), ..plain });
            life
        };
        let lives = [
            mixed(Behaviour::Control, 60_000, false),
            mixed(Behaviour::Quiet, 60_000, false),
            mixed(Behaviour::PingsOnly, 15_000, true),
            mixed(Behaviour::Mute, 15_000, true),
        ];
        assert_eq!(told(&lives), ReapingPolicy::Unknown);
        assert_eq!(lives[3].unanswered(), Some(2));
        let plain = lives.map(|life| asked(life.way, ServerEventKind::AppPing, &[10_000], 60_000, false));
        assert_ne!(told(&plain), ReapingPolicy::Unknown);
    }

    #[test]
    fn who_is_let_go_at_any_age_shows_no_timer() {
        let lives = |stalled: u64| {
            [
                life(Behaviour::Control, &[], 60_000, false),
                life(Behaviour::Mute, &[], 20_000, true),
                life(Behaviour::Quiet, &[], 21_000, true),
                life(Behaviour::PingsOnly, &[], 60_000, false),
                life(Behaviour::Stalled, &[], stalled, true),
            ]
        };
        assert!(matches!(told(&lives(20_370)), ReapingPolicy::Idle(..)));
        assert!(matches!(told(&lives(23_900)), ReapingPolicy::Idle(..)));
        assert_eq!(told(&lives(24_100)), ReapingPolicy::Unknown);
        let mut apart = lives(20_370);
        apart[2] = life(Behaviour::Quiet, &[], 22_100, true);
        assert_eq!(told(&apart), ReapingPolicy::Unknown, "it had nothing to answer");
    }

    #[test]
    fn a_timer_beside_heartbeats_is_not_what_the_silent_die_of() {
        let pings: Vec<u64> = grid(50, 300, 1500);
        let lives = [
            life(Behaviour::Control, &grid(50, 300, 4000), 4000, false),
            life(Behaviour::Mute, &[50], 250, true),
            life(Behaviour::Stalled, &[], 450, true),
            life(Behaviour::Quiet, &pings, 1500, true),
            life(Behaviour::PingsOnly, &pings, 1500, true),
        ];
        let ReapingPolicy::Heartbeat(found) = told(&lives) else { panic!("{:?}", told(&lives)) };
        assert_eq!(
            found.idle.map(|idle| (idle.after, idle.needs)),
            Some((ms(1500), RequiredTraffic::Messages))
        );
    }

    #[test]
    fn heartbeats_that_stopped_for_all_have_no_interval() {
        let few = |way, millis: u64| life(way, &[1000, 2000, 3000, 4000], millis, false);
        let lives = |millis| {
            [Behaviour::Control, Behaviour::Mute, Behaviour::Quiet, Behaviour::PingsOnly]
                .map(|way| few(way, millis))
        };
        let interval = |lives: &[ClientRecord]| match told(lives) {
            ReapingPolicy::Heartbeat(HeartbeatPolicy { beats, .. }) => beats.interval,
            other => panic!("{other:?}"),
        };
        assert_eq!(interval(&lives(4500)), Some(ms(1000)));
        assert_eq!(interval(&lives(10_000)), None);
    }

    #[test]
    fn at_worst_a_client_dies_just_after_it_answered() {
        let ReapingPolicy::Heartbeat(found) = policy(life(Behaviour::Mute, &[1000, 3000], 3500, true), 2000)
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
