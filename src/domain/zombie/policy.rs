//! What a server's policy towards dead clients is, as far as it can be seen from outside.

use std::time::Duration;

use super::life::Life;
use super::way::Way;
use crate::domain::listen::{Interval, Sound, tolerance};

/// A client that is pinged at most so often, in part of the usual, is left out because it is active.
const SKIPPED: f64 = 0.34;
/// Over so many intervals it must be seen.
const LONG_ENOUGH: f64 = 3.0;

/// What the server does about clients that say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// It sends heartbeats.
    Heartbeat(HeartbeatPolicy),
    /// It sends none, or minds no answer, and lets go of who is idle.
    Idle(IdlePolicy),
    /// It sends none, and keeps everybody.
    KeepsAll,
    /// The evidence does not tell.
    Unknown,
}

/// Heartbeats and what follows when they stay unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeartbeatPolicy {
    pub sound: Sound,
    /// `None`: too few were heard.
    pub interval: Option<Duration>,
    pub reaping: Reaping,
    /// Clients that have just sent a message get none; `None`: not known.
    pub skips_active: Option<bool>,
}

/// When a client that does not answer is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaping {
    /// Not in the time that was waited.
    Never,
    /// So long after so many unanswered heartbeats. From outside nobody can tell a patience that is longer than the
    /// interval from a higher number of them.
    After {
        misses: u64,
        /// From the last unanswered heartbeat to the end.
        timeout: Duration,
        /// From the first.
        total: Duration,
    },
}

/// A timer that what the client sends starts afresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdlePolicy {
    pub after: Duration,
    pub needs: Needs,
}

/// What a client must send to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Needs {
    /// Frames of any kind: Pings do.
    AnyFrame,
    /// Messages: Pings and Pongs do not count.
    Messages,
}

impl Needs {
    /// The name that scripts see.
    pub fn label(self) -> &'static str {
        match self {
            Needs::AnyFrame => "any_frame",
            Needs::Messages => "messages",
        }
    }
}

impl Policy {
    /// What these lives tell.
    ///
    /// - The mute one was kept: there is no reaping, whether it was pinged or not.
    /// - It ended, was pinged, and a client that answers outlived it: that is the heartbeat's doing.
    /// - It ended, and one that answers at about the same age: a timer that answers do not start afresh.
    pub fn infer(lives: &[Life]) -> Policy {
        let of = |way| lives.iter().find(|life| life.way == way);
        let Some(mute) = of(Way::Mute).filter(|mute| mute.kept().is_some()) else { return Policy::Unknown };
        let asked = mute.asks().first().map(|(sound, _)| *sound);
        let Some(ended) = mute.ended() else {
            return match asked.or_else(|| asked_anywhere(lives)) {
                Some(sound) => Policy::heartbeat(lives, sound, Reaping::Never),
                None => Policy::KeepsAll,
            };
        };
        let answering_died = of(Way::Quiet).and_then(Life::ended).is_some_and(|quiet| is_near(quiet, ended));
        match asked {
            Some(sound) if !answering_died => Policy::heartbeat(lives, sound, reaping(mute, sound)),
            Some(_) | None => Policy::idle(ended, of(Way::PingsOnly)),
        }
    }

    fn heartbeat(lives: &[Life], sound: Sound, reaping: Reaping) -> Policy {
        let control = lives.iter().find(|life| life.way == Way::Control);
        let (found, is_sure) = match witnessed(lives, sound, &SILENT) {
            Some(interval) => (Some(interval), true),
            None => (witnessed(lives, sound, &ANSWERING), sound != Sound::AppPing),
        };
        let skips_active = control.zip(found).and_then(|(control, interval)| skips(control, sound, interval));
        // Whoever answers an app ping sends a message, and is active by that.
        let is_sure = is_sure || skips_active != Some(true);
        let interval = found.filter(|_| is_sure).map(|interval| interval.median);
        Policy::Heartbeat(HeartbeatPolicy { sound, interval, reaping, skips_active })
    }

    fn idle(after: Duration, pings_only: Option<&Life>) -> Policy {
        let Some(kept) = pings_only.and_then(Life::kept) else { return Policy::Unknown };
        let needs = match pings_only.and_then(Life::ended) {
            Some(ended) if is_near(ended, after) => Needs::Messages,
            Some(_) | None if kept > after + tolerance(after) => Needs::AnyFrame,
            Some(_) | None => return Policy::Unknown,
        };
        Policy::Idle(IdlePolicy { after, needs })
    }
}

/// Whether two ages are about the same.
fn is_near(a: Duration, b: Duration) -> bool {
    a.abs_diff(b) <= tolerance(b) * 2
}

fn asked_anywhere(lives: &[Life]) -> Option<Sound> {
    lives.iter().find_map(|life| life.asks().first().map(|(sound, _)| *sound))
}

fn reaping(mute: &Life, sound: Sound) -> Reaping {
    let ended = mute.ending().map(|ending| ending.age);
    match (mute.listening.rhythm(sound), ended) {
        (Some(rhythm), Some(ended)) => Reaping::After {
            misses: rhythm.count,
            timeout: ended.saturating_sub(rhythm.last),
            total: ended.saturating_sub(rhythm.begun),
        },
        (None, _) | (_, None) => Reaping::Never,
    }
}

/// Those who send no messages: a server may leave out who talks.
const SILENT: [Way; 3] = [Way::Mute, Way::HalfClosed, Way::PingsOnly];
/// Those who answer app pings by messages.
const ANSWERING: [Way; 2] = [Way::Quiet, Way::Control];

/// The interval as the first of these sees it.
fn witnessed(lives: &[Life], sound: Sound, witnesses: &[Way]) -> Option<Interval> {
    let of = |way: &Way| lives.iter().find(|life| life.way == *way)?.listening.rhythm(sound)?.sure_interval();
    witnesses.iter().find_map(of)
}

/// Whether the control, which talks, is left out.
fn skips(control: &Life, sound: Sound, interval: Interval) -> Option<bool> {
    let intervals = control.kept()?.as_secs_f64() / interval.median.as_secs_f64().max(1e-9);
    let rhythm = control.listening.rhythm(sound);
    let heard = rhythm.map_or(0, |rhythm| rhythm.count);
    if intervals < LONG_ENOUGH {
        return None;
    }
    let same = rhythm.and_then(|rhythm| rhythm.sure_interval()).is_some_and(|own| interval.fits(own.median));
    match same {
        true => Some(false),
        false => (heard as f64 <= intervals * SKIPPED).then_some(true),
    }
}

#[cfg(test)]
pub mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use super::super::life::Fate;
    use super::*;
    use crate::domain::ending::{Ending, How, Who};
    use crate::domain::listen::Utterance;
    use crate::domain::peer_text::PeerText;

    pub fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// A life of so many milliseconds, with pings at these moments; `ended`: the server let it go then.
    pub fn life(way: Way, pings: &[u64], millis: u64, ended: bool) -> Life {
        asked(way, Sound::Ping, pings, millis, ended)
    }

    fn asked(way: Way, sound: Sound, moments: &[u64], millis: u64, ended: bool) -> Life {
        let mut life = Life::new(way);
        for moment in moments {
            life.listening.heard(ms(*moment), &Utterance::plain(sound, PeerText::default()));
        }
        let after = ms(millis);
        let (who, how, at) = (Who::Peer, How::Fin, SystemTime::UNIX_EPOCH);
        let ending = Arc::new(Ending { who, how, os_error: None, tcp: None, age: after, idle: after, at });
        life.fate = match ended {
            true => Fate::Ended { after, ending, at_latest: false },
            false => Fate::Kept { so_far: after },
        };
        life
    }

    fn grid(first: u64, step: u64, until: u64) -> Vec<u64> {
        (0..).map(|k| first + k * step).take_while(|at| *at < until).collect()
    }

    /// The mute one ends so; all others live for a minute, pinged every `step`.
    fn policy(mute: Life, step: u64) -> Policy {
        let others = [Way::Control, Way::Quiet, Way::PingsOnly];
        let others = others.map(|way| life(way, &grid(step, step, 60_000), 60_000, false));
        Policy::infer(&[&[mute], &others[..]].concat())
    }

    fn heartbeat(policy: Policy) -> (Option<u64>, Option<(u64, u64)>, Option<bool>) {
        let Policy::Heartbeat(found) = policy else { panic!("{policy:?}") };
        let reaping = match found.reaping {
            Reaping::Never => None,
            Reaping::After { misses, timeout, .. } => Some((misses, timeout.as_millis() as u64)),
        };
        (found.interval.map(|interval| interval.as_millis() as u64), reaping, found.skips_active)
    }

    #[test]
    fn the_is_alive_pattern_gives_up_one_interval_after_the_first_unanswered() {
        let found = policy(life(Way::Mute, &[1300], 3300, true), 2000);
        assert_eq!(heartbeat(found), (Some(2000), Some((1, 2000)), Some(false)));
    }

    #[test]
    fn a_timeout_and_a_number_of_misses_are_told() {
        // Python websockets, 20/20.
        let found = policy(life(Way::Mute, &[20_000], 40_000, true), 20_000);
        assert_eq!(heartbeat(found), (Some(20_000), Some((1, 20_000)), Some(false)));
        // gorilla's chat: a read deadline of 60 s, a ping every 54 s.
        let found = policy(life(Way::Mute, &[5400], 6000, true), 5400);
        assert_eq!(heartbeat(found), (Some(5400), Some((1, 600)), Some(false)));
        // Three misses, each 400 ms long.
        let found = policy(life(Way::Mute, &[300, 1300, 2300], 2700, true), 1000);
        assert_eq!(heartbeat(found), (Some(1000), Some((3, 400)), Some(false)));
    }

    #[test]
    fn who_pings_and_keeps_never_gives_up() {
        let found = policy(life(Way::Mute, &grid(500, 1000, 60_000), 60_000, false), 1000);
        assert_eq!(heartbeat(found), (Some(1000), None, Some(false)));
    }

    #[test]
    fn a_control_that_is_never_pinged_is_skipped_because_it_talks() {
        let quiet = life(Way::Quiet, &grid(500, 1000, 60_000), 60_000, false);
        let control = life(Way::Control, &[], 60_000, false);
        let found = Policy::infer(&[life(Way::Mute, &[500], 900, true), quiet, control]);
        assert_eq!(heartbeat(found), (Some(1000), Some((1, 400)), Some(true)));
    }

    #[test]
    fn who_answers_app_pings_is_active_by_that_and_no_witness_of_the_interval() {
        let app = |way, moments: &[u64], millis, ended| asked(way, Sound::AppPing, moments, millis, ended);
        let mute = || app(Way::Mute, &[500], 900, true);
        // A server with an interval of 1 s that skips the active asks them every 1.5 s.
        let quiet = || app(Way::Quiet, &grid(500, 1500, 60_000), 60_000, false);
        let skipped = [mute(), quiet(), life(Way::Control, &[], 60_000, false)];
        assert_eq!(heartbeat(Policy::infer(&skipped)), (None, Some((1, 400)), Some(true)));
        let pings_only = app(Way::PingsOnly, &grid(500, 1000, 60_000), 60_000, false);
        let seen = Policy::infer(&[&skipped[..], &[pings_only]].concat());
        assert_eq!(heartbeat(seen), (Some(1000), Some((1, 400)), Some(true)));
        // One that skips nobody asks the control as often as the quiet one.
        let control = app(Way::Control, &grid(700, 1500, 60_000), 60_000, false);
        let honest = Policy::infer(&[mute(), quiet(), control]);
        assert_eq!(heartbeat(honest), (Some(1500), Some((1, 400)), Some(false)));
    }

    #[test]
    fn an_idle_timer_is_told_from_a_heartbeat() {
        let lives = |quiet_ends: bool, pings_end: bool| {
            Policy::infer(&[
                life(Way::Mute, &[], 60_010, true),
                life(Way::Quiet, &[], if quiet_ends { 60_020 } else { 300_000 }, quiet_ends),
                life(Way::PingsOnly, &[], if pings_end { 60_000 } else { 300_000 }, pings_end),
            ])
        };
        let after = ms(60_010);
        assert_eq!(lives(true, false), Policy::Idle(IdlePolicy { after, needs: Needs::AnyFrame }));
        assert_eq!(lives(true, true), Policy::Idle(IdlePolicy { after, needs: Needs::Messages }));
        // It pings, but who answers dies as soon: the answers do not count.
        let beats = grid(25_000, 25_000, 55_000);
        let pinged = |way, millis, ended| life(way, &beats, millis, ended);
        let found = Policy::infer(&[
            pinged(Way::Mute, 55_000, true),
            pinged(Way::Quiet, 55_010, true),
            pinged(Way::PingsOnly, 55_005, true),
        ]);
        assert_eq!(found, Policy::Idle(IdlePolicy { after: ms(55_000), needs: Needs::Messages }));
    }

    #[test]
    fn without_pings_and_endings_everybody_is_kept_and_without_a_life_nothing_is_known() {
        assert_eq!(Policy::infer(&[life(Way::Mute, &[], 300_000, false)]), Policy::KeepsAll);
        assert_eq!(Policy::infer(&[Life::new(Way::Mute)]), Policy::Unknown);
        assert_eq!(Policy::infer(&[]), Policy::Unknown);
    }
}
