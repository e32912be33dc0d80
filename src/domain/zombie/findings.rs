//! What the deaths come to.

use std::collections::HashSet;
use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::behaviour::Behaviour;
use super::caveats::{
    names, not_for_silence, odd, passes_on, too_early, unknown_witness, unknown_words, unproven,
};
use super::client_record::{ClientEnd, ClientRecord, dead};
use super::control::{SAME_MOMENT, not_outlived, void};
use super::inference::{infer, livelier_and_gone};
use super::libraries::{LibraryMatch, consistent_with};
use super::observation_quality::ObservationQuality;
use super::policy::ReapingPolicy;
use super::timer_kind::went_at_one_moment;
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::format::duration as show;
use crate::domain::listen::ServerEventKind;
use crate::domain::run::bracket::Bracket;
use crate::domain::run::expectation::Expectation;
use crate::domain::run::truth::Truth;
use crate::domain::stats::interval::tolerance;

/// Whether the server lets go of dead clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum ZombieVerdict {
    /// All of them were let go.
    ReapsDeadClients,
    /// It kept some as long as it was waited: it leaks them.
    ZombiesKept,
    /// The evidence does not support an answer.
    Inconclusive,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct ZombieFindings {
    pub verdict: ZombieVerdict,
    /// Why, in lower-case fragments.
    pub reasons: Vec<String>,
    /// Of the dead that were let go, how long the last one was kept.
    pub longest: Option<Duration>,
    pub policy: ReapingPolicy,
    /// The libraries that it is consistent with.
    pub consistent_with: Vec<LibraryMatch>,
    pub lives: Vec<ClientRecord>,
    /// It is inconclusive for no other reason than that it was not waited for longer.
    cut_short: bool,
    /// The server passes on what clients say, so that it is not known what it says by itself.
    passes_on: bool,
}

impl ZombieFindings {
    /// Of these lives.
    pub fn of(mut lives: Vec<ClientRecord>, watch: ObservationQuality) -> ZombieFindings {
        settle(&mut lives);
        let (verdict, mut reasons) = judge(&lives, watch);
        reasons.extend(lives.iter().filter_map(unknown_witness));
        reasons.extend(livelier_and_gone(&lives).filter(|_| reasons.is_empty()).and_then(odd));
        let confused = passes_on(&lives);
        let passes_on = confused.is_some();
        let policy = match verdict {
            ZombieVerdict::Inconclusive if !mute_is_known(&lives, watch) => ReapingPolicy::Unknown,
            _ if passes_on || !was_let_go_for_silence(&lives) => ReapingPolicy::Unknown,
            ZombieVerdict::ReapsDeadClients | ZombieVerdict::ZombiesKept | ZombieVerdict::Inconclusive => {
                infer(&lives, watch.every)
            }
        };
        reasons.extend(confused);
        reasons.extend(unknown_words(&lives, &policy));
        let consistent_with = consistent_with(&policy, end_of_mute(&lives), &[]);
        let longest = dead(&lives).filter_map(ClientRecord::ended).max();
        let cut_short = is_cut_short(&lives, watch);
        ZombieFindings { verdict, reasons, longest, policy, consistent_with, lives, cut_short, passes_on }
    }

    /// The same, with the libraries that the headers of the response allow.
    pub fn with_headers(self, headers: &[(String, UntrustedText)]) -> ZombieFindings {
        let consistent_with = consistent_with(&self.policy, end_of_mute(&self.lives), headers);
        ZombieFindings { consistent_with, ..self }
    }

    /// Whether it is not known what the server says by itself, for it passes on what clients say.
    pub fn passes_on(&self) -> bool {
        self.passes_on
    }

    pub fn life(&self, way: Behaviour) -> Option<&ClientRecord> {
        self.lives.iter().find(|life| life.way == way)
    }

    /// For how long a client is kept that dies just after it answered. `None` where that is not known: one that fell silent
    /// at another moment was kept for longer, or the server looks for such clients at moments of its own.
    pub fn at_worst(&self) -> Option<Duration> {
        let ReapingPolicy::Heartbeat(policy) = &self.policy else { return None };
        let (worst, longest) = (policy.at_worst()?, self.longest?);
        let is_swept = went_at_one_moment(&self.lives) && !policy.is_when_next_is_due();
        // Of two kinds of heartbeats the server may count from either.
        let kinds: HashSet<ServerEventKind> =
            self.life(Behaviour::Mute)?.asks().into_iter().map(|(sound, _)| sound).collect();
        let is_borne_out = self.verdict == ZombieVerdict::ReapsDeadClients && !is_swept && kinds.len() == 1;
        (is_borne_out && longest <= worst + tolerance(worst)).then_some(worst)
    }

    /// Whether dead clients are let go as expected: an upper bound must hold for every one of them, a lower one for
    /// the mute.
    pub fn meets(&self, expectation: &Expectation) -> Truth {
        if self.verdict == ZombieVerdict::Inconclusive && !self.cut_short {
            return Truth::Unknown("nothing conclusive was found".to_string());
        }
        let relevant = |life: &&ClientRecord| {
            if expectation.wants_more() { life.way == Behaviour::Mute } else { life.way.is_dead() }
        };
        let truths =
            || self.lives.iter().filter(relevant).map(|life| (life, self.meets_by(life, expectation)));
        if truths().any(|(_, truth)| truth == Truth::False) {
            return Truth::False;
        }
        match truths().find(|(_, truth)| matches!(truth, Truth::Unknown(_))) {
            Some((life, _)) if life.was_open() => Truth::Unknown(undecided(life)),
            Some((life, _)) => Truth::Unknown(format!("the {} client was not open", life.way.name())),
            None => Truth::True(self.told(expectation)),
        }
    }

    /// Who was closed too early, but not for its silence, would have been kept for longer, perhaps.
    fn meets_by(&self, life: &ClientRecord, expectation: &Expectation) -> Truth {
        match (expectation.met_by(&bracket(life)), not_for_silence(&self.lives, life)) {
            (Truth::False, Some(why)) if expectation.wants_more() => Truth::Unknown(why),
            (truth, _) => truth,
        }
    }

    fn told(&self, expectation: &Expectation) -> String {
        let mute = self.life(Behaviour::Mute).and_then(ClientRecord::ended);
        match (expectation.wants_more(), mute, self.longest) {
            (true, Some(mute), _) => format!("a mute client was closed after {}", show(mute)),
            (false, _, Some(longest)) => {
                format!("every dead client was closed, the last after {}", show(longest))
            }
            (_, _, _) => "dead clients were kept as long as it was waited".to_string(),
        }
    }
}

/// How the mute client was closed, where it was.
fn end_of_mute(lives: &[ClientRecord]) -> Option<&CloseKind> {
    let mute = lives.iter().find(|life| life.way == Behaviour::Mute);
    mute.and_then(ClientRecord::ending).map(|ending| &ending.how)
}

/// What the stalled client reads only when its connection is over may have come long before; not where the mute was told
/// goodbye at the same age.
fn settle(lives: &mut [ClientRecord]) {
    let goodbye = |life: &ClientRecord| {
        matches!(life.ending()?.how, CloseKind::CloseFrame { .. }).then(|| life.ended())?
    };
    let mute = lives.iter().find(|life| life.way == Behaviour::Mute).and_then(goodbye);
    for life in lives.iter_mut().filter(|life| life.way == Behaviour::Stalled) {
        let is_settled =
            goodbye(life).zip(mute).is_some_and(|(late, mute)| late.abs_diff(mute) <= SAME_MOMENT);
        if let ClientEnd::Ended { at_latest, .. } = &mut life.fate {
            *at_latest &= !is_settled;
        }
    }
}

/// Between which ends the time lies after which it was closed.
fn bracket(life: &ClientRecord) -> Bracket {
    match &life.fate {
        ClientEnd::Unopened { .. } | ClientEnd::Lost { .. } | ClientEnd::Kept { proven: false, .. } => {
            Bracket::default()
        }
        ClientEnd::Kept { so_far, .. } => Bracket { lo: Some(*so_far), hi: None },
        ClientEnd::Ended { after, at_latest: true, .. } => Bracket { lo: None, hi: Some(*after) },
        ClientEnd::Ended { after, .. } => Bracket { lo: Some(*after), hi: Some(*after) },
    }
}

fn undecided(life: &ClientRecord) -> String {
    let (name, kept) = (life.way.name(), life.kept().map(show).unwrap_or_default());
    match life.fate {
        ClientEnd::Ended { .. } => format!("nobody saw when within {kept} the {name} client was closed"),
        ClientEnd::Lost { .. } => format!("nobody knows when the {name} client was closed, if it was"),
        ClientEnd::Kept { proven: false, .. } => {
            format!("interrupted before it was known whether the {name} client was still there")
        }
        ClientEnd::Unopened { .. } | ClientEnd::Kept { .. } => {
            format!("the {name} client was waited for only {kept}")
        }
    }
}

/// Whether the mute client's end is known, and the control vouches for it.
fn mute_is_known(lives: &[ClientRecord], watch: ObservationQuality) -> bool {
    let is =
        |way, holds: &dyn Fn(&ClientRecord) -> bool| lives.iter().any(|life| life.way == way && holds(life));
    void(lives, watch).is_none()
        && watch.vouched
        && not_outlived(lives).is_none()
        && is(Behaviour::Control, &ClientRecord::is_kept)
        && is(Behaviour::Mute, &|life| life.ended().is_some())
}

/// Whether nothing but its silence explains the mute client's end, if that was closed.
fn was_let_go_for_silence(lives: &[ClientRecord]) -> bool {
    let mut mute = lives.iter().filter(|life| life.way == Behaviour::Mute);
    mute.all(|mute| not_for_silence(lives, mute).is_none())
}

/// Whether nothing but the time that was waited keeps it from being known what becomes of the dead.
fn is_cut_short(lives: &[ClientRecord], watch: ObservationQuality) -> bool {
    let more = !watch.whole || too_early(lives, watch.every).is_some();
    let is_kept = dead(lives).any(ClientRecord::is_kept);
    is_kept && more && watch.vouched && void(lives, watch).is_none()
}

const CONTROL_UNCHECKED: &str = "interrupted before the control, a healthy client, was answered once more, so the server may \
                         have hung before it let go of the others";

/// One that is kept is a leak, whatever is not known of another.
fn judge(lives: &[ClientRecord], watch: ObservationQuality) -> (ZombieVerdict, Vec<String>) {
    let inconclusive = |why: String| (ZombieVerdict::Inconclusive, vec![why]);
    if let Some(why) = void(lives, watch) {
        return inconclusive(why);
    }
    let kept: Vec<&ClientRecord> = dead(lives).filter(|life| life.is_kept()).collect();
    let unproven = unproven(lives);
    match (kept.is_empty(), watch.whole) {
        (false, false) => inconclusive(interrupted(&kept)),
        _ if !watch.vouched => inconclusive(CONTROL_UNCHECKED.to_string()),
        (false, true) => match too_early(lives, watch.every) {
            Some(why) => (ZombieVerdict::Inconclusive, unproven.into_iter().chain([why]).collect()),
            None => (
                ZombieVerdict::ZombiesKept,
                unproven.into_iter().chain(not_for_their_silence(lives)).collect(),
            ),
        },
        (true, _) if !unproven.is_empty() => (ZombieVerdict::Inconclusive, unproven),
        (true, _) => match not_outlived(lives).or_else(|| not_for_their_silence(lives)) {
            Some(why) => inconclusive(why),
            None => (ZombieVerdict::ReapsDeadClients, Vec::new()),
        },
    }
}

fn interrupted(kept: &[&ClientRecord]) -> String {
    let is_proven = |life: &&ClientRecord| matches!(life.fate, ClientEnd::Kept { proven: true, .. });
    let proven: Vec<&ClientRecord> = kept.iter().copied().filter(is_proven).collect();
    if proven.is_empty() {
        format!("interrupted before it was known whether it still kept {}", names(kept))
    } else {
        format!("interrupted while it still kept {}", names(&proven))
    }
}

fn not_for_their_silence(lives: &[ClientRecord]) -> Option<String> {
    dead(lives).find_map(|life| not_for_silence(lives, life))
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::super::client_record::RelayCounts;
    use super::super::inference::tests::{life, ms};
    use super::*;
    use crate::domain::connection::close_cause::{CloseCause, ClosedBy};
    use crate::domain::listen::ServerEvent;

    /// Waited for to the end, or interrupted; vouched for in either case.
    fn watched(whole: bool) -> ObservationQuality {
        ObservationQuality {
            every: ms(5000),
            whole,
            vouched: true,
            stood_still: None,
            unanswered: Duration::ZERO,
        }
    }

    fn alive(way: Behaviour) -> ClientRecord {
        life(way, &[], 300_000, false)
    }

    /// The mute had been asked by then.
    fn gone(way: Behaviour, millis: u64) -> ClientRecord {
        let asks = if way == Behaviour::Mute { &[millis / 2][..] } else { &[] };
        life(way, asks, millis, true)
    }

    fn house(dead: [ClientRecord; 3]) -> Vec<ClientRecord> {
        [&[alive(Behaviour::Control), alive(Behaviour::Quiet), alive(Behaviour::PingsOnly)], &dead[..]]
            .concat()
    }

    fn reaping() -> Vec<ClientRecord> {
        house([
            gone(Behaviour::Mute, 40_000),
            gone(Behaviour::Stalled, 40_100),
            gone(Behaviour::HalfClosed, 3),
        ])
    }

    #[test]
    fn one_zombie_is_a_leak() {
        assert_eq!(ZombieFindings::of(reaping(), watched(true)).verdict, ZombieVerdict::ReapsDeadClients);
        let leak =
            house([gone(Behaviour::Mute, 40_000), alive(Behaviour::Stalled), gone(Behaviour::HalfClosed, 3)]);
        assert_eq!(ZombieFindings::of(leak.clone(), watched(true)).verdict, ZombieVerdict::ZombiesKept);
        let so_far = ZombieFindings::of(leak, watched(false));
        assert_eq!(so_far.verdict, ZombieVerdict::Inconclusive);
        let early =
            house([alive(Behaviour::Mute), alive(Behaviour::Stalled), gone(Behaviour::HalfClosed, 3)]);
        assert_eq!(
            ZombieFindings::of(early, watched(false)).policy,
            ReapingPolicy::Unknown,
            "it may yet let go"
        );
        assert_eq!(so_far.reasons, ["interrupted while it still kept the stalled client"]);
        let at_once = house([
            alive(Behaviour::Mute),
            ClientRecord::new(Behaviour::Stalled),
            gone(Behaviour::HalfClosed, 3),
        ]);
        let reasons = ZombieFindings::of(at_once, watched(false)).reasons;
        assert_eq!(reasons, ["interrupted while it still kept the mute client"]);
        assert_eq!(
            ZombieFindings::of(reaping(), watched(false)).verdict,
            ZombieVerdict::ReapsDeadClients,
            "all is known"
        );
    }

    #[test]
    fn the_controls_death_voids_the_run() {
        let mut lives = reaping();
        lives[0] = gone(Behaviour::Control, 20_000);
        let findings = ZombieFindings::of(lives, watched(true));
        assert_eq!(
            (findings.verdict, findings.policy),
            (ZombieVerdict::Inconclusive, ReapingPolicy::Unknown)
        );
        assert!(findings.reasons[0].contains("a healthy client, died after 20 s"), "{:?}", findings.reasons);
        assert!(findings.reasons[0].contains("--say"), "{:?}", findings.reasons);
        let all = Behaviour::iter().map(|way| gone(way, 20_000)).collect();
        assert!(ZombieFindings::of(all, watched(true)).reasons[0].contains("a lifetime, an outage, a login"));
        let at_once = Behaviour::iter().map(|way| gone(way, 20)).collect();
        assert!(
            ZombieFindings::of(at_once, watched(true)).reasons[0].contains("--say"),
            "they spoke, and went"
        );
    }

    #[test]
    fn what_the_control_did_not_live_to_vouch_for_is_not_known() {
        let watch = ObservationQuality { vouched: false, ..watched(false) };
        let findings = ZombieFindings::of(reaping(), watch);
        assert_eq!(
            (findings.verdict, findings.policy),
            (ZombieVerdict::Inconclusive, ReapingPolicy::Unknown)
        );
        assert!(findings.reasons[0].starts_with("interrupted before the control"), "{:?}", findings.reasons);
    }

    #[test]
    fn close_frame_at_the_mutes_age_was_not_delayed() {
        let goodbye = |way, millis| {
            let mut life = gone(way, millis);
            let ClientEnd::Ended { ending, at_latest, .. } = &mut life.fate else { panic!("it is over") };
            let how = CloseKind::CloseFrame { code: Some(1011), reason: UntrustedText::default() };
            *ending = std::sync::Arc::new(CloseCause { how, ..CloseCause::clone(ending) });
            *at_latest = way == Behaviour::Stalled;
            life
        };
        let at_latest = |mute, stalled| {
            let lives = house([mute, stalled, gone(Behaviour::HalfClosed, 3)]);
            let findings = ZombieFindings::of(lives, watched(true));
            matches!(
                findings.life(Behaviour::Stalled).unwrap().fate,
                ClientEnd::Ended { at_latest: true, .. }
            )
        };
        assert!(!at_latest(goodbye(Behaviour::Mute, 40_000), goodbye(Behaviour::Stalled, 40_012)));
        assert!(
            at_latest(goodbye(Behaviour::Mute, 40_000), goodbye(Behaviour::Stalled, 50_000)),
            "the server waited"
        );
        assert!(at_latest(gone(Behaviour::Mute, 40_000), goodbye(Behaviour::Stalled, 40_012)), "another end");
    }

    #[test]
    fn relaying_server_hides_its_own_messages() {
        let told = |came| {
            let mut lives = reaping();
            lives[1] = gone(Behaviour::Quiet, 40_050);
            lives[3].passed_on = RelayCounts { said: 10, came };
            lives[4].passed_on = RelayCounts { said: 9, came: 9 };
            lives.iter_mut().for_each(|life| life.passed_on.said = life.passed_on.said.max(1));
            let findings = ZombieFindings::of(lives, watched(true));
            (findings.verdict, findings.policy == ReapingPolicy::Unknown, findings.reasons.len())
        };
        // What the stalled client reads at last has no moments: 13 were said while the others lived.
        assert_eq!(told(6), (ZombieVerdict::ReapsDeadClients, false, 0));
        assert_eq!(told(7), (ZombieVerdict::ReapsDeadClients, true, 1));
    }

    #[test]
    fn who_was_let_go_for_want_of_room_was_not_found_dead() {
        let by = |code| {
            let mut lives = reaping();
            let ClientEnd::Ended { ending, .. } = &mut lives[4].fate else { panic!("it is over") };
            let how = CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::default() };
            *ending = std::sync::Arc::new(CloseCause { how, ..CloseCause::clone(ending) });
            ZombieFindings::of(lives, watched(true))
        };
        assert_eq!(by(1001).verdict, ZombieVerdict::ReapsDeadClients);
        let overloaded = by(1013);
        assert_eq!(overloaded.verdict, ZombieVerdict::Inconclusive);
        assert!(
            overloaded.reasons[0]
                .starts_with("the stalled client was closed by close 1013 (try again later)")
        );
    }

    #[test]
    fn interrupted_run_may_decide_the_expectation() {
        let kept = house([alive(Behaviour::Mute), alive(Behaviour::Stalled), gone(Behaviour::HalfClosed, 3)]);
        let met = |lives: &[ClientRecord], text: &str| {
            ZombieFindings::of(lives.to_vec(), watched(false)).meets(&text.parse().unwrap())
        };
        assert_eq!(met(&kept, "<=60s"), Truth::False, "five minutes have gone by");
        assert!(matches!(met(&kept, ">=60s"), Truth::True(_)));
        assert!(matches!(met(&kept, "<=10m"), Truth::Unknown(_)));
        let mut void = kept.clone();
        void[0] = gone(Behaviour::Control, 20_000);
        assert!(matches!(met(&void, "<=60s"), Truth::Unknown(_)));
    }

    #[test]
    fn a_control_that_is_answered_no_more_has_no_message_to_blame() {
        let mut lives = reaping();
        lives[0] = gone(Behaviour::Control, 10_000);
        let ClientEnd::Ended { ending, .. } = &mut lives[0].fate else { panic!("it is over") };
        let silent = CloseCause {
            who: ClosedBy::Network,
            how: CloseKind::Silent,
            idle: ms(5000),
            ..CloseCause::clone(ending)
        };
        *ending = std::sync::Arc::new(silent);
        let reason = ZombieFindings::of(lives, watched(true)).reasons.remove(0);
        assert!(reason.contains("answered for the last time after 5 s, and then not for 5 s"), "{reason}");
        assert!(!reason.contains("--say"), "{reason}");
    }

    #[test]
    fn quiet_client_gone_before_the_mute_shows_no_policy() {
        let mut lives =
            house([alive(Behaviour::Mute), alive(Behaviour::Stalled), gone(Behaviour::HalfClosed, 3)]);
        lives[1] = gone(Behaviour::Quiet, 40_000);
        let findings = ZombieFindings::of(lives, watched(true));
        assert_eq!((findings.verdict, findings.policy), (ZombieVerdict::ZombiesKept, ReapingPolicy::Unknown));
        assert!(findings.reasons[0].starts_with("the quiet client was closed after 40 s, and the mute one"));
    }

    #[test]
    fn a_server_that_stood_still_itself_showed_no_policy() {
        let still = |unanswered| {
            let findings = ZombieFindings::of(
                reaping(),
                ObservationQuality { unanswered: ms(unanswered), ..watched(true) },
            );
            (findings.verdict, findings.policy == ReapingPolicy::Unknown)
        };
        assert_eq!(still(6000).0, ZombieVerdict::ReapsDeadClients, "it is asked every 5 s");
        assert_eq!(still(6001), (ZombieVerdict::Inconclusive, true));
    }

    #[test]
    fn control_not_outliving_answerers_may_be_a_lifetime() {
        let lives = |quiet, control| {
            let mut lives = reaping();
            lives[0] = life(Behaviour::Control, &[], control, false);
            lives[1] = gone(Behaviour::Quiet, quiet);
            ZombieFindings::of(lives, watched(true))
        };
        assert_eq!(lives(40_000, 48_120).verdict, ZombieVerdict::ReapsDeadClients);
        let of_age = lives(40_000, 47_999);
        assert_eq!((of_age.verdict, &of_age.policy), (ZombieVerdict::Inconclusive, &ReapingPolicy::Unknown));
        assert!(of_age.reasons[0].contains("that no connection outlives"), "{:?}", of_age.reasons);
        let at_once = lives(4_999, 300_000);
        assert_eq!(at_once.verdict, ZombieVerdict::Inconclusive, "the control says something every 5 s");
        assert!(at_once.reasons[0].contains("a limit of connections"), "{:?}", at_once.reasons);
    }

    #[test]
    fn who_stood_still_himself_says_nothing_of_the_server() {
        let watch = ObservationQuality { stood_still: Some(ms(4000)), ..watched(true) };
        let findings = ZombieFindings::of(reaping(), watch);
        assert_eq!(
            (findings.verdict, findings.policy),
            (ZombieVerdict::Inconclusive, ReapingPolicy::Unknown)
        );
        assert!(findings.reasons[0].starts_with("this host was stalled for 4 s: "), "{:?}", findings.reasons);
    }

    #[test]
    fn forgotten_client_was_neither_kept_nor_reaped() {
        let mut lost = alive(Behaviour::Mute);
        lost.fate = ClientEnd::Lost { after: ms(300_000) };
        let lives = house([lost.clone(), gone(Behaviour::Stalled, 40_000), gone(Behaviour::HalfClosed, 3)]);
        let findings = ZombieFindings::of(lives, watched(true));
        assert_eq!(
            (findings.verdict, &findings.policy),
            (ZombieVerdict::Inconclusive, &ReapingPolicy::Unknown)
        );
        let told = &findings.reasons[0];
        assert!(
            told.starts_with("after 5m nobody knew the connection of the mute client any more"),
            "{told}"
        );
        assert!(matches!(findings.meets(&"<=60s".parse().unwrap()), Truth::Unknown(_)));
        let leak = ZombieFindings::of(
            house([lost, alive(Behaviour::Stalled), gone(Behaviour::HalfClosed, 3)]),
            watched(true),
        );
        assert_eq!((leak.verdict, &leak.policy), (ZombieVerdict::ZombiesKept, &ReapingPolicy::Unknown));
        assert_eq!(leak.reasons, findings.reasons, "one that is kept is a leak whatever became of another");
        assert_eq!(leak.meets(&"<=60s".parse().unwrap()), Truth::False);
    }

    #[test]
    fn client_without_requests_was_not_reaped_for_silence() {
        let lives = |asked: &[u64], quiet: ClientRecord| {
            let mut lives = reaping();
            lives[3] = life(Behaviour::Mute, asked, 40_000, true);
            lives[1] = quiet;
            ZombieFindings::of(lives, watched(true))
        };
        let kept = lives(&[], alive(Behaviour::Quiet));
        assert_eq!((kept.verdict, &kept.policy), (ZombieVerdict::Inconclusive, &ReapingPolicy::Unknown));
        assert!(kept.reasons[0].contains("the quiet one, which had nothing to answer"), "{:?}", kept.reasons);
        assert_eq!(
            lives(&[], gone(Behaviour::Quiet, 60_000)).verdict,
            ZombieVerdict::Inconclusive,
            "much later"
        );
        assert_eq!(
            lives(&[], gone(Behaviour::Quiet, 41_000)).verdict,
            ZombieVerdict::ReapsDeadClients,
            "of the same"
        );
        assert_eq!(
            lives(&[20_000], alive(Behaviour::Quiet)).verdict,
            ZombieVerdict::ReapsDeadClients,
            "it was asked"
        );
        let answers = life(Behaviour::Quiet, &[20_000], 300_000, false);
        assert_eq!(lives(&[], answers).verdict, ZombieVerdict::ReapsDeadClients, "the other was");
        let mut leak = reaping();
        (leak[3], leak[4]) = (life(Behaviour::Mute, &[], 40_000, true), alive(Behaviour::Stalled));
        let leak = ZombieFindings::of(leak, watched(true));
        assert_eq!(leak.verdict, ZombieVerdict::ZombiesKept);
        assert_eq!(leak.meets(&"<=60s".parse().unwrap()), Truth::False);
        assert!(matches!(leak.meets(&">=60s".parse().unwrap()), Truth::Unknown(_)), "not of the silent");
    }

    #[test]
    fn who_was_asked_shortly_before_the_end_shows_no_leak() {
        let told = |pings: &[u64], others: &[u64]| {
            let kept = |way, pings: &[u64]| life(way, pings, 300_000, false);
            let mut lives = house([
                kept(Behaviour::Mute, pings),
                alive(Behaviour::Stalled),
                gone(Behaviour::HalfClosed, 3),
            ]);
            lives[1] = kept(Behaviour::Quiet, others);
            ZombieFindings::of(lives, watched(true))
        };
        let seldom: Vec<u64> = (1..4).map(|n| n * 80_000).collect();
        let early = told(&seldom, &seldom);
        assert_eq!((early.verdict, &early.policy), (ZombieVerdict::Inconclusive, &ReapingPolicy::Unknown));
        let reason = &early.reasons[0];
        assert!(
            reason.starts_with("the mute client was waited for only 5m, and by what the server did"),
            "{reason}"
        );
        assert!(reason.ends_with("(--max 361s tells)"), "{reason}");
        assert_eq!(early.meets(&"<=60s".parse().unwrap()), Truth::False, "so much is known");
        let often: Vec<u64> = (1..10).map(|n| n * 30_000).collect();
        assert_eq!(told(&often, &often).verdict, ZombieVerdict::ZombiesKept);
        assert_eq!(told(&[2000], &[2000]).verdict, ZombieVerdict::ZombiesKept, "it asks once");
        assert_eq!(
            told(&[100_000], &[100_000]).verdict,
            ZombieVerdict::Inconclusive,
            "its interval is not known"
        );
        assert_eq!(
            told(&[], &[200_000]).verdict,
            ZombieVerdict::Inconclusive,
            "it would have been asked by then"
        );
        assert_eq!(told(&[], &[2000]).verdict, ZombieVerdict::ZombiesKept, "it never would have been");
    }

    #[test]
    fn who_is_as_dead_as_the_mute_may_be_let_go_an_interval_later() {
        // A tick for all every 3 s; the first falls before the stalled client begins, and its turn comes with the third.
        let told = |max: u64| {
            let lives = vec![
                life(Behaviour::Control, &[200, 3200], max, false),
                life(Behaviour::Quiet, &[200, 3200], max, false),
                life(Behaviour::Mute, &[200], 3200, true),
                life(Behaviour::Stalled, &[], max, false),
            ];
            ZombieFindings::of(lives, watched(true)).verdict
        };
        assert_eq!((told(4500), told(7000)), (ZombieVerdict::Inconclusive, ZombieVerdict::ZombiesKept));
    }

    #[test]
    fn mute_client_evicted_for_room_shows_no_policy() {
        let mut lives = reaping();
        lives[4] = alive(Behaviour::Stalled);
        let ClientEnd::Ended { ending, .. } = &mut lives[3].fate else { panic!("it is over") };
        let how = CloseKind::CloseFrame { code: Some(1012), reason: UntrustedText::default() };
        *ending = std::sync::Arc::new(CloseCause { how, ..CloseCause::clone(ending) });
        let findings = ZombieFindings::of(lives, watched(true));
        assert_eq!(
            (findings.verdict, &findings.policy),
            (ZombieVerdict::ZombiesKept, &ReapingPolicy::Unknown)
        );
        assert!(findings.reasons[0].starts_with("the mute client was closed by close 1012"), "{findings:?}");
    }

    #[test]
    fn stalled_client_reaped_before_any_message_proves_nothing() {
        let verdict = |stalled: u64| {
            let mut lives = reaping();
            lives[4] = ClientRecord { began: ms(370), ..gone(Behaviour::Stalled, stalled) };
            ZombieFindings::of(lives, watched(true)).verdict
        };
        // The mute is asked after 20 s, and let go after 40.
        assert_eq!(
            (verdict(23), verdict(15_000)),
            (ZombieVerdict::Inconclusive, ZombieVerdict::Inconclusive)
        );
        assert_eq!(
            (verdict(21_000), verdict(40_000)),
            (ZombieVerdict::ReapsDeadClients, ZombieVerdict::ReapsDeadClients)
        );
        let mut swept = house([
            life(Behaviour::Mute, &[], 1200, true),
            gone(Behaviour::Stalled, 830),
            gone(Behaviour::HalfClosed, 3),
        ]);
        (swept[1], swept[4].began) = (life(Behaviour::Quiet, &[], 1200, true), ms(370));
        let swept = ZombieFindings::of(swept, ObservationQuality { every: ms(200), ..watched(true) });
        assert_eq!(swept.verdict, ZombieVerdict::ReapsDeadClients, "at one moment");
    }

    #[test]
    fn clients_ending_together_were_not_reaped() {
        let away = |stalled: u64| {
            let mut lives = house([
                gone(Behaviour::Mute, 40_000),
                gone(Behaviour::Stalled, stalled),
                gone(Behaviour::HalfClosed, 3),
            ]);
            lives[4].began = ms(370);
            for life in &mut lives[3..5] {
                let ClientEnd::Ended { ending, .. } = &mut life.fate else { panic!("it is over") };
                let how = CloseKind::CloseFrame { code: Some(1001), reason: UntrustedText::default() };
                *ending = std::sync::Arc::new(CloseCause { how, ..CloseCause::clone(ending) });
            }
            ZombieFindings::of(lives, watched(true))
        };
        let restart = away(39_630);
        assert_eq!(
            (restart.verdict, &restart.policy),
            (ZombieVerdict::Inconclusive, &ReapingPolicy::Unknown)
        );
        assert!(restart.reasons[0].contains("a restart, perhaps"), "{:?}", restart.reasons);
        assert_eq!(away(40_000).verdict, ZombieVerdict::ReapsDeadClients, "each at its age, as Jetty does");
    }

    #[test]
    fn messages_that_may_be_heartbeats_are_told_beside_a_timer() {
        let told = |moments: &[u64]| {
            let mut lives = house([
                life(Behaviour::Mute, &[], 40_000, true),
                gone(Behaviour::Stalled, 40_000),
                gone(Behaviour::HalfClosed, 3),
            ]);
            lives[1] = life(Behaviour::Quiet, &[], 40_000, true);
            for moment in moments {
                let said =
                    ServerEvent::plain(ServerEventKind::Message, UntrustedText::new("{\"op\":\"hb\"}"));
                lives[3].listening.heard(ms(*moment), &said);
            }
            let findings = ZombieFindings::of(lives, watched(true));
            assert!(matches!(findings.policy, ReapingPolicy::Idle(_, None)), "{findings:?}");
            findings.reasons
        };
        assert!(told(&[10, 2000])[0].starts_with("the server said messages that are no known heartbeats"));
        assert_eq!(told(&[10]), Vec::<String>::new(), "a welcome");
    }

    #[test]
    fn worst_reaping_time_needs_the_other_clients() {
        let worst = |stalled: u64, asks: &[u64], mute: u64| {
            let grid: Vec<u64> = (1..100).map(|n| n * 2500).collect();
            let others = [Behaviour::Control, Behaviour::Quiet, Behaviour::PingsOnly]
                .map(|way| life(way, &grid, 250_000, false));
            let mut lives = others.to_vec();
            lives.push(life(Behaviour::Mute, asks, mute, true));
            lives.push(ClientRecord { began: ms(370), ..life(Behaviour::Stalled, &[], stalled, true) });
            ZombieFindings::of(lives, ObservationQuality { every: ms(4400), ..watched(true) }).at_worst()
        };
        assert_eq!(worst(5000, &[2500], 5000), Some(ms(5000)));
        assert_eq!(worst(4630, &[2500], 5000), Some(ms(5000)), "all at one tick, when the next was due");
        assert_eq!(worst(8841, &[2500, 5000], 6202), None, "the stalled client was kept for longer");
        assert_eq!(worst(6246, &[2500, 5000], 6603), None, "it looks at moments of its own");
    }

    #[test]
    fn an_interrupt_before_anybody_was_asked_decides_nothing() {
        let unasked = |proven| {
            let mut mute = alive(Behaviour::Mute);
            mute.fate = ClientEnd::Kept { so_far: ms(300_000), proven };
            let mut stalled = alive(Behaviour::Stalled);
            stalled.fate = mute.fate.clone();
            let lives = house([mute, stalled, gone(Behaviour::HalfClosed, 3)]);
            ZombieFindings::of(lives, watched(false))
        };
        assert_eq!(unasked(true).meets(&"<=60s".parse().unwrap()), Truth::False);
        let Truth::Unknown(why) = unasked(false).meets(&"<=60s".parse().unwrap()) else { panic!("decided") };
        assert_eq!(why, "interrupted before it was known whether the mute client was still there");
        assert_eq!(
            unasked(true).reasons,
            ["interrupted while it still kept the mute and the stalled client"]
        );
        let reason = "interrupted before it was known whether it still kept the mute and the stalled client";
        assert_eq!(unasked(false).reasons, [reason]);
        let unvouched = ObservationQuality { vouched: false, ..watched(false) };
        let lives =
            house([alive(Behaviour::Mute), alive(Behaviour::Stalled), gone(Behaviour::HalfClosed, 3)]);
        let unvouched = ZombieFindings::of(lives, unvouched).meets(&"<=60s".parse().unwrap());
        assert!(matches!(unvouched, Truth::Unknown(_)), "the server may have hung");
    }

    #[test]
    fn interrupt_before_control_outlives_suggests_a_lifetime() {
        let lives = |control| {
            let mut lives = reaping();
            lives[0] = life(Behaviour::Control, &[], control, false);
            lives[1] = life(Behaviour::Quiet, &[], control, false);
            ZombieFindings::of(lives, watched(false)).verdict
        };
        assert_eq!(
            (lives(49_000), lives(47_000)),
            (ZombieVerdict::ReapsDeadClients, ZombieVerdict::Inconclusive)
        );
    }

    #[test]
    fn a_witness_that_could_not_be_opened_is_told() {
        let mut lives = reaping();
        lives[2] = ClientRecord::new(Behaviour::PingsOnly);
        let findings = ZombieFindings::of(lives, watched(true));
        assert_eq!(findings.verdict, ZombieVerdict::ReapsDeadClients);
        assert!(
            findings.reasons[0].starts_with("the pings-only client could not be opened: "),
            "{findings:?}"
        );
    }

    #[test]
    fn a_client_that_could_not_be_opened_proves_nothing() {
        let lives = house([
            ClientRecord::new(Behaviour::Mute),
            gone(Behaviour::Stalled, 1),
            gone(Behaviour::HalfClosed, 3),
        ]);
        assert_eq!(ZombieFindings::of(lives, watched(true)).verdict, ZombieVerdict::Inconclusive);
    }

    #[test]
    fn a_client_whose_connection_broke_was_not_let_go() {
        let mut mute = gone(Behaviour::Mute, 40_000);
        let ClientEnd::Ended { ending, .. } = &mut mute.fate else { panic!("it is over") };
        let broken =
            CloseCause { who: ClosedBy::Network, how: CloseKind::Timeout, ..CloseCause::clone(ending) };
        *ending = std::sync::Arc::new(broken);
        let findings = ZombieFindings::of(
            house([mute, gone(Behaviour::Stalled, 40_100), gone(Behaviour::HalfClosed, 3)]),
            watched(true),
        );
        assert_eq!(
            (findings.verdict, findings.policy),
            (ZombieVerdict::Inconclusive, ReapingPolicy::Unknown)
        );
        assert!(
            findings.reasons[0].starts_with("the mute client was not let go: "),
            "{:?}",
            findings.reasons
        );
    }

    #[test]
    fn upper_bound_is_for_all_clients_lower_for_the_mute() {
        let met = |lives: Vec<ClientRecord>, text: &str| match ZombieFindings::of(lives, watched(true))
            .meets(&text.parse().unwrap())
        {
            Truth::True(_) | Truth::TrueOfBounds(_) => Some(true),
            Truth::False => Some(false),
            Truth::Unknown(_) => None,
        };
        assert_eq!(met(reaping(), "<=60s"), Some(true));
        assert_eq!(met(reaping(), "<=40050ms"), Some(false), "the stalled one was kept for longer");
        assert_eq!(met(reaping(), ">=30s"), Some(true), "that the half-closed one goes at once is well");
        let leak =
            house([gone(Behaviour::Mute, 40_000), alive(Behaviour::Stalled), gone(Behaviour::HalfClosed, 3)]);
        assert_eq!(met(leak.clone(), "<=60s"), Some(false));
        assert_eq!(met(leak, "<=10m"), None, "it was not waited for so long");
        assert_eq!(ZombieFindings::of(reaping(), watched(true)).longest, Some(ms(40_100)));
        let mut late = gone(Behaviour::Stalled, 70_000);
        let ClientEnd::Ended { at_latest, .. } = &mut late.fate else { panic!("it is over") };
        *at_latest = true;
        let lives = house([gone(Behaviour::Mute, 40_000), late, gone(Behaviour::HalfClosed, 3)]);
        assert_eq!(met(lives.clone(), "<=70s"), Some(true));
        let truth = ZombieFindings::of(lives, watched(true)).meets(&"<=60s".parse().unwrap());
        let Truth::Unknown(why) = truth else { panic!("{truth:?}") };
        let mut kept = reaping();
        let ClientEnd::Ended { at_latest, .. } = &mut kept[4].fate else { panic!("it is over") };
        *at_latest = true;
        kept[5] = alive(Behaviour::HalfClosed);
        assert_eq!(met(kept, "<=39s"), Some(false), "one that is known decides");
        assert_eq!(why, "nobody saw when within 70 s the stalled client was closed");
    }
}
