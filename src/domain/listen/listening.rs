//! Takes what is heard on one connection, and says what it comes to.

#[cfg(test)]
#[path = "listening_tests.rs"]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use super::clearance::Clearance;
use super::clock::Clock;
use super::disturbance::{Disturbance, Effect, Effects};
use super::findings::{Circumstances, EndedBy, Findings, KindFindings, Origin, Unanswered, Verdict};
use super::interval::{Interval, tolerance};
use super::kind::{KindHeard, Standing};
use super::rhythm::Rhythm;
use super::sound::{Sound, Utterance};
use crate::domain::shown::{counted, duration as show};

/// After so many intervals without the next heartbeat they have stopped.
const STOPPED: f64 = 2.5;
/// So soon after a standstill all is read that came meanwhile.
const BACKLOG: Duration = Duration::from_millis(100);
/// A shorter silence is no sign of that, however short the interval.
const LEAST_SILENCE: Duration = Duration::from_millis(100);

/// Takes what is heard, and says at any time what it comes to. Memory does not grow with the run.
#[derive(Debug, Clone, Default)]
pub struct Listening {
    kinds: BTreeMap<Sound, KindHeard>,
    /// Heartbeats came before it was listened, at moments that nobody noted.
    missed_some: bool,
    /// The client's last words that were no answer.
    talked: Option<Duration>,
    /// The server's last ordinary message.
    messaged: Option<Duration>,
    /// The last that the server said, be it what it may: when it came, or else when it was begun to listen.
    last: Duration,
    last_sound: Option<Sound>,
    longest_quiet: Duration,
    /// The same since it first said something, for its clock may begin with that, and without those in which the
    /// client spoke, for that may have postponed what else had come.
    longest_pause: Duration,
    /// What came before was read late, for this host stood still.
    late_until: Duration,
}

impl Listening {
    /// `began`: since the opening; later than at once, when a greeting had to be awaited.
    pub fn new(began: Duration, missed_some: bool) -> Listening {
        Listening { missed_some, last: began, ..Listening::default() }
    }

    /// The server said something.
    pub fn heard(&mut self, at: Duration, said: &Utterance) {
        let (talked, messaged, last, last_sound) = (self.talked, self.messaged, self.last, self.last_sound);
        self.spoke(at, said.sound);
        // What the client said since the heartbeat before may have been counted from as well, or what answered it.
        let before = self.rhythm(said.sound).map(|rhythm| rhythm.last);
        let is_clear = talked.is_none_or(|talked| before.is_some_and(|before| talked <= before));
        let last_sound = last_sound.filter(|_| !self.was_late(last));
        let since = last_sound.filter(|_| is_clear).map(|sound| (at.saturating_sub(last), sound));
        // What the server said behind them, an answer perhaps, may be what was counted from.
        let words = last_sound.and(talked).filter(|talked| *talked > last);
        let is_late = before.is_some_and(|before| self.was_late(before));
        let Some(heard) = self.kinds.get_mut(&said.sound) else {
            let rhythm = Rhythm::begin(at, said, !self.missed_some && !self.was_late(at));
            let mut heard = KindHeard::begin(rhythm, self.longest_pause);
            since.into_iter().for_each(|(span, last)| heard.since.note(span, last));
            self.kinds.insert(said.sound, heard);
            return;
        };
        since.into_iter().for_each(|(span, last)| heard.since.note(span, last));
        let disturbance = |words| Disturbance { after: words - last, until: at.saturating_sub(words) };
        words.into_iter().for_each(|words| heard.since.disturb(disturbance(words)));
        match is_late {
            true => heard.resume(at, said),
            false => heard.go_on(at, said, talked, messaged, is_clear),
        }
    }

    /// Whether what came at that moment was read late, or may have been, so that no span begins there.
    fn was_late(&self, moment: Duration) -> bool {
        moment < self.late_until
    }

    /// This host stood still until now: what came meanwhile is read late, and nothing was answered.
    pub fn stood_still(&mut self, until: Duration) {
        self.late_until = until + BACKLOG;
    }

    /// Whether heartbeats came whose moments are not known.
    pub fn missed_some(&self) -> bool {
        self.missed_some
    }

    /// The last of this kind was answered, though the client is to leave them unanswered from then on.
    pub fn was_answered(&mut self, sound: Sound) {
        self.kinds.get_mut(&sound).into_iter().for_each(|heard| heard.answered += 1);
    }

    /// The server answered the client: traffic, and nothing that it says by itself.
    pub fn answered(&mut self, at: Duration) {
        self.spoke(at, Sound::Message);
    }

    /// The server broke a silence.
    fn spoke(&mut self, at: Duration, sound: Sound) {
        let quiet = if self.was_late(self.last) { Duration::ZERO } else { at.saturating_sub(self.last) };
        self.longest_quiet = self.longest_quiet.max(quiet);
        let is_pause = self.talked.is_none_or(|talked| talked <= self.last);
        if self.last_sound.is_some() && is_pause {
            self.longest_pause = self.longest_pause.max(quiet);
            self.kinds.values_mut().for_each(|heard| heard.pause_since = heard.pause_since.max(quiet));
        }
        (self.last, self.last_sound) = (at, Some(sound));
        if sound == Sound::Message {
            self.messaged = Some(at);
            self.kinds.values_mut().for_each(|heard| heard.messaged(at));
        }
    }

    /// The client said something of its own.
    pub fn talked(&mut self, at: Duration) {
        self.talked = Some(at);
    }

    /// The rhythm of one kind.
    pub fn rhythm(&self, sound: Sound) -> Option<&Rhythm> {
        self.kinds.get(&sound).map(|heard| &heard.rhythm)
    }

    /// The most that was heard of any one kind of heartbeat.
    pub fn heartbeats(&self) -> u64 {
        let beats = self.kinds.iter().filter(|(sound, _)| sound.is_heartbeat());
        beats.map(|(_, heard)| heard.rhythm.count).max().unwrap_or(0)
    }

    /// By which clock the next heartbeat is to come, once its interval is borne out.
    pub fn clock(&self) -> Option<Clock> {
        let (sound, standing) = self.foremost()?;
        let last = self.rhythm(sound)?.last;
        match standing {
            Standing::Steady(interval) => Some(Clock { sound, interval, last, from: last }),
            Standing::SinceTraffic(interval) => Some(Clock { sound, interval, last, from: self.last }),
            Standing::Hinted(_) | Standing::Unsteady => None,
        }
    }

    /// How each kind of heartbeat stands.
    fn standings(&self) -> impl Iterator<Item = (Sound, Standing)> {
        let beats = self.kinds.iter().filter(|(sound, _)| sound.is_heartbeat());
        beats.map(|(sound, heard)| (*sound, heard.standing()))
    }

    /// The kind that tells most.
    fn foremost(&self) -> Option<(Sound, Standing)> {
        let rank = |standing: Standing| match standing {
            Standing::Steady(_) => 0,
            Standing::SinceTraffic(_) => 1,
            Standing::Hinted(_) => 2,
            Standing::Unsteady => 3,
        };
        let count = |sound| self.rhythm(sound).map_or(0, |rhythm| rhythm.count);
        let best = self.standings().min_by_key(|(_, standing)| rank(*standing))?;
        match best.1 {
            Standing::Steady(_) | Standing::SinceTraffic(_) | Standing::Hinted(_) => Some(best),
            Standing::Unsteady => self.standings().max_by_key(|(sound, _)| count(*sound)),
        }
    }

    /// What was found of each kind.
    pub fn kinds(&self) -> Vec<KindFindings> {
        self.kinds.iter().map(|(sound, heard)| heard.findings(*sound, self.longest_quiet)).collect()
    }

    /// What it comes to by now.
    pub fn findings(&self, how: &Circumstances) -> Findings {
        let kinds = self.kinds();
        let quiet = self.longest_quiet.max(self.since(self.last, how));
        let foremost = self.foremost();
        let heartbeat = foremost.map(|(sound, _)| sound);
        let asking = self.asking(heartbeat);
        let asking = kinds.iter().find(|kind| Some(kind.sound) == asking);
        let unanswered = asking.and_then(|kind| self.unanswered(kind, how));
        let kind = kinds.iter().find(|kind| Some(kind.sound) == heartbeat);
        let (origin, interval) = (kind.and_then(origin), kind.and_then(KindFindings::borne_out));
        let (verdict, mut reasons) = self.judge(foremost, kind, how);
        reasons.extend(how.stood_still.map(stood_still));
        Findings {
            verdict,
            reasons,
            kinds,
            heartbeat,
            origin,
            unanswered,
            clearance: interval
                .filter(|_| verdict == Verdict::ServerPingsEvery)
                .map(|interval| Clearance::of(interval.max)),
            longest_quiet: quiet,
            listened: how.listened,
        }
    }

    /// From that moment to the end, as far as this host listened.
    fn since(&self, moment: Duration, how: &Circumstances) -> Duration {
        how.listened.saturating_sub(moment.max(self.late_until))
    }

    /// The kind that waits for answers: the heartbeat itself, or else the commonest that does.
    fn asking(&self, heartbeat: Option<Sound>) -> Option<Sound> {
        let asks = self.kinds.iter().filter(|(sound, _)| sound.asks());
        let commonest = || asks.max_by_key(|(_, heard)| heard.rhythm.count).map(|(sound, _)| *sound);
        heartbeat.filter(|sound| sound.asks()).or_else(commonest)
    }

    fn judge(
        &self,
        foremost: Option<(Sound, Standing)>,
        kind: Option<&KindFindings>,
        how: &Circumstances,
    ) -> (Verdict, Vec<String>) {
        let inconclusive = |why: String| (Verdict::Inconclusive, vec![why]);
        let (Some((sound, standing)), Some(kind)) = (foremost, kind) else { return self.nothing_heard(how) };
        match standing {
            Standing::Steady(interval) => match self.stopped(kind, interval, how) {
                Some(why) => inconclusive(why),
                None => (Verdict::ServerPingsEvery, paused(&interval).into_iter().collect()),
            },
            Standing::SinceTraffic(interval) => match self.fell_silent(sound, interval, how) {
                Some(why) => inconclusive(why),
                None => (Verdict::ServerPingsEvery, Vec::new()),
            },
            Standing::Hinted(interval) => inconclusive(format!(
                "each came {} after the last that the server said, and none was seen to follow another: whether they \
                 come when it says nothing else is not known; listen for longer",
                show(interval.median)
            )),
            Standing::Unsteady => self.unsteady(sound, how),
        }
    }

    /// No heartbeat is a finding only where it was listened from the opening to the end.
    fn nothing_heard(&self, how: &Circumstances) -> (Verdict, Vec<String>) {
        let listened = show(how.listened);
        let why = match (self.missed_some, how.interrupted || how.ended.is_some()) {
            (true, _) => format!("a heartbeat came before it was listened, and none since, in {listened}"),
            (false, true) => format!("no heartbeat came in {listened}, which was not the whole time"),
            (false, false) => return (Verdict::ServerIsSilentFor, Vec::new()),
        };
        (Verdict::Inconclusive, vec![why])
    }

    /// Heartbeats without an interval: many are irregular, and few tell nothing.
    fn unsteady(&self, sound: Sound, how: &Circumstances) -> (Verdict, Vec<String>) {
        let rhythm = self.rhythm(sound);
        let gaps = rhythm.and_then(Rhythm::interval).map_or(0, |interval| interval.gaps);
        if gaps >= 3 {
            return (Verdict::Irregular, Vec::new());
        }
        let count = rhythm.map_or(0, |rhythm| rhythm.count);
        let (beats, listened) = (counted(count, "heartbeat"), show(how.listened));
        let why = match count {
            1 => "one is no interval",
            _ => "their gaps bear out no interval yet",
        };
        (Verdict::Inconclusive, vec![format!("only {beats} came in {listened}: {why}; listen for longer")])
    }

    /// Why heartbeats that are counted from the last traffic are so no more: they were answered, and a silence went by
    /// without one.
    fn fell_silent(&self, sound: Sound, interval: Interval, how: &Circumstances) -> Option<String> {
        let KindHeard { rhythm, pause_since, .. } = self.kinds.get(&sound).filter(|_| how.answered)?;
        let last = self.last.max(self.talked.unwrap_or_default());
        let silence = self.since(last, how).max(*pause_since);
        // A clock that skips the active may come later than an interval after what the client said.
        let is_over = match last > self.last {
            true => is_stop(silence, interval.median),
            false => silence > interval.median + tolerance(interval.median),
        };
        is_over.then(|| {
            let (count, after) = (counted(rhythm.count, "heartbeat"), show(interval.median));
            format!(
                "{count} came, {after} after the last that the server said, and then none in {}",
                show(silence)
            )
        })
    }

    /// Why a steady heartbeat is not one any more: it was answered, and none came for long.
    fn stopped(&self, kind: &KindFindings, interval: Interval, how: &Circumstances) -> Option<String> {
        let silence = self.overdue(kind, how);
        (how.answered && is_stop(silence, interval.max)).then(|| {
            let (count, every) = (counted(kind.count, "heartbeat"), show(interval.median));
            format!("{count} came, every {every}, and then none in {}", show(silence))
        })
    }

    /// For how long the next heartbeat may have been waited for. What was said meanwhile may have postponed it, unless
    /// that was seen not to; but nothing did in a silence.
    fn overdue(&self, kind: &KindFindings, how: &Circumstances) -> Duration {
        let postpones = |effects: Option<Effects>| effects.is_none_or(|seen| seen.effect != Effect::Unmoved);
        let talked = self.talked.filter(|_| postpones(kind.by_client));
        let messaged = self.messaged.filter(|_| postpones(kind.by_server));
        let Some(heard) = self.kinds.get(&kind.sound) else { return Duration::ZERO };
        let last = heard.rhythm.last;
        let since = [talked, messaged].into_iter().flatten().fold(last, Duration::max);
        let silence =
            if talked.is_none_or(|talked| talked <= last) { heard.pause_since } else { Duration::ZERO };
        self.since(since, how).max(silence)
    }

    /// What became of the heartbeats that were not answered.
    fn unanswered(&self, kind: &KindFindings, how: &Circumstances) -> Option<Unanswered> {
        let answered = self.kinds.get(&kind.sound).filter(|_| !how.answered)?.answered;
        let after = kind.count.checked_sub(answered).filter(|unanswered| *unanswered > 0)?;
        match how.ended {
            Some(EndedBy::Server) => return Some(Unanswered::Ends { after }),
            // What the server would have done is not known.
            Some(EndedBy::Breakage) => return None,
            None => {}
        }
        let interval = kind.borne_out().or(kind.interval)?;
        let waited = self.since(self.rhythm(kind.sound)?.last, how);
        match (is_stop(self.overdue(kind, how), interval.median), is_stop(waited, interval.median)) {
            (true, _) => Some(Unanswered::Stops { after }),
            // One may be the last.
            (false, false) => (after >= 2).then_some(Unanswered::GoesOn),
            // It stopped, or it was postponed all the while.
            (false, true) => None,
        }
    }
}

fn stood_still(span: Duration) -> String {
    let span = show(span);
    format!("this host stood still for {span}: what came meanwhile was read late, and bears out no interval")
}

/// Whether heartbeats that were so far apart have stopped after a silence of this length.
fn is_stop(silence: Duration, interval: Duration) -> bool {
    silence > interval.mul_f64(STOPPED).max(LEAST_SILENCE)
}

/// What must be known of an interval that was not kept all the while.
fn paused(interval: &Interval) -> Option<String> {
    let intervals = interval.max.as_secs_f64() / interval.median.as_secs_f64();
    let is_pause = intervals > STOPPED && interval.max > LEAST_SILENCE;
    is_pause.then(|| match interval.is_burst() {
        false => format!("they paused for as long as {}, {intervals:.1} intervals", show(interval.max)),
        true => format!("they come in bursts, as far as {} apart", show(interval.max)),
    })
}

/// Whatever postpones them tells. A fixed clock is one that the client's words leave as it is: that its own do not
/// move it is not enough.
fn origin(kind: &KindFindings) -> Option<Origin> {
    if kind.since_traffic.is_some() {
        return Some(Origin::LastTraffic);
    }
    match [kind.by_client, kind.by_server].map(|effects| effects.map(|effects| effects.effect)) {
        [Some(Effect::Postponed), _] | [_, Some(Effect::Postponed)] => Some(Origin::LastTraffic),
        // Where its messages keep step with them, they may as well be what is counted from.
        [Some(Effect::Unmoved), None | Some(Effect::Unmoved)] => {
            (!kind.in_step).then_some(Origin::FixedClock)
        }
        [Some(Effect::Skipped), _] | [_, Some(Effect::Skipped)] => Some(Origin::FixedClock),
        [_, Some(Effect::Unmoved | Effect::Mixed) | None] => None,
    }
}
