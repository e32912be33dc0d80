//! What makes evidence doubtful, each told as a lower-case fragment.

use std::time::Duration;

use super::beats::Witnesses;
use super::life::{Fate, Life, dead};
use super::watch::outlived;
use super::way::Way;
use crate::domain::ending::{How, close_code_meaning};
use crate::domain::listen::{Rhythm, Sound};
use crate::domain::shown::duration as show;

/// `the mute, the stalled and the half-closed client`
pub fn names(lives: &[&Life]) -> String {
    let names: Vec<String> = lives.iter().map(|life| format!("the {}", life.way.name())).collect();
    match names.split_last() {
        None => "no client".to_string(),
        Some((last, [])) => format!("{last} client"),
        Some((last, others)) => format!("{} and {last} client", others.join(", ")),
    }
}

/// Who was to show what keeps a client, and could not.
pub(super) fn unknown_witness(life: &Life) -> Option<String> {
    let why = match (&life.fate, life.broken()) {
        _ if !matches!(life.way, Way::Quiet | Way::PingsOnly) => return None,
        (Fate::Unopened { why }, _) => format!("could not be opened: {why}"),
        (Fate::Lost { .. }, _) => "was lost on the way".to_string(),
        (_, Some(ending)) => format!("was not let go: {ending}"),
        (Fate::Kept { .. } | Fate::Ended { .. }, None) => return None,
    };
    let name = life.way.name();
    Some(format!("the {name} client {why}; so it is not known what the server makes of such"))
}

/// Whether the server passes on what one client says to the others, and that reads like its own heartbeats: where most of
/// what was said came so.
pub(super) fn passes_on(lives: &[Life]) -> Option<String> {
    let others = || lives.iter().filter(|life| !matches!(life.way, Way::Control | Way::Stalled));
    let (said, came): (u64, u64) = others()
        .map(|life| (life.passed_on.said, life.passed_on.came))
        .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    (came * 2 > said).then(|| {
        "the server passes on to the others what one client says, and that reads like a heartbeat of its own: it cannot \
         be told what it sends by itself (have the clients say something that carries an {id}: --say)"
            .to_string()
    })
}

/// Who is let go by one of these codes need not have been found dead. IANA WebSocket Close Code Number Registry.
const FOR_OTHER_REASONS: [u16; 2] = [1012, 1013];

/// Why one that was let go may have been for something else than its silence.
pub(super) fn not_for_silence(lives: &[Life], life: &Life) -> Option<String> {
    no_room(life).or_else(|| as_the_quiet(lives, life))
}

/// Who had nothing to answer is as silent as the mute: where such a client was kept, it was not for that.
fn as_the_quiet(lives: &[Life], life: &Life) -> Option<String> {
    let after = life.ended().filter(|_| life.way == Way::Mute && life.asks().is_empty())?;
    let quiet = lives.iter().find(|life| life.way == Way::Quiet)?;
    let was_asked = quiet.asks().iter().any(|(_, rhythm)| quiet.since_greeting(rhythm.begun) <= after);
    (!was_asked && quiet.kept()? > outlived(after)).then(|| {
        format!(
            "the mute client was let go after {}, and the quiet one, which had nothing to answer by then and so was as \
             silent, was not: not for that, perhaps",
            show(after)
        )
    })
}

fn no_room(life: &Life) -> Option<String> {
    let How::CloseFrame { code: Some(code), .. } = life.ending()?.how else { return None };
    FOR_OTHER_REASONS.contains(&code).then(|| {
        let (name, meaning) = (life.way.name(), close_code_meaning(code));
        format!("the {name} client was let go by close {code} ({meaning}): not for its silence, perhaps")
    })
}

/// Those of which it is not known whether the server let them go, and why.
pub(super) fn unproven(lives: &[Life]) -> Vec<String> {
    let told = |life: &Life| match (&life.fate, life.broken()) {
        (Fate::Unopened { why }, _) => {
            Some(format!("the {} client could not be opened: {why}", life.way.name()))
        }
        (_, Some(ending)) => Some(format!("the {} client was not let go: {ending}", life.way.name())),
        (Fate::Kept { .. } | Fate::Ended { .. } | Fate::Lost { .. }, None) => None,
    };
    dead(lives).filter_map(told).chain(lost(lives)).collect()
}

/// For so many intervals a heartbeat must stay unanswered before it can be said that nothing follows: few servers wait
/// for more than three.
const SEVERAL: f64 = 3.5;

/// The mute client was kept, and had been asked too late to tell what follows.
pub(super) fn too_early(lives: &[Life], every: Duration) -> Option<String> {
    let mute = lives.iter().find(|life| life.way == Way::Mute && life.is_kept())?;
    let kept = mute.kept()?;
    let late = |(sound, rhythm): (Sound, &Rhythm)| {
        let first = mute.since_greeting(rhythm.begun);
        let seen = Witnesses::new(lives, sound, every).beats().interval;
        let interval = seen.unwrap_or_else(|| rhythm.interval().map_or(first, |gaps| gaps.max.max(first)));
        let needed = first + interval.mul_f64(SEVERAL);
        (kept < needed).then(|| asked_late(kept.saturating_sub(first), needed))
    };
    mute.asks().into_iter().find_map(late)
}

fn asked_late(waited: Duration, needed: Duration) -> String {
    format!(
        "the mute client was first asked {} before the end, too late to tell what follows when it does not answer \
         (--max {}s tells)",
        show(waited),
        needed.as_secs() + 1
    )
}

/// Nothing that is known of servers explains it.
pub(super) fn odd(life: &Life) -> Option<String> {
    let name = life.way.name();
    Some(format!(
        "the {name} client was let go after {}, and the mute one, which says nothing at all, was not: a limit of \
         connections, perhaps",
        show(life.ended()?)
    ))
}

/// Those that were lost, if any were.
fn lost(lives: &[Life]) -> Option<String> {
    let lost: Vec<&Life> = dead(lives).filter(|life| matches!(life.fate, Fate::Lost { .. })).collect();
    let after = |life: &&Life| if let Fate::Lost { after } = life.fate { Some(after) } else { None };
    let after = lost.iter().filter_map(after).max()?;
    Some(format!(
        "after {} nobody knew the connection of {} any more, and no end had been heard: the path forgot it, or lost the \
         server's goodbye (`wscheck probe-idle` tells after how long a path forgets; take a shorter --max)",
        show(after),
        names(&lost)
    ))
}
