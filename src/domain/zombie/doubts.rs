//! What makes evidence doubtful, each told as a lower-case fragment.

use std::time::Duration;

use super::life::{Fate, Life, dead};
use super::watch::{Watch, outlived};
use super::way::Way;
use crate::domain::ending::{How, close_code_meaning};
use crate::domain::shown::exact_duration as show;

/// By how much a healthy server may be late.
const STANDSTILL: Duration = Duration::from_secs(1);

/// What is no further apart came at once.
pub(super) const AT_ONCE: Duration = Duration::from_millis(50);

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

/// A server that answers now and then does so as often as it is asked.
pub(super) fn server_stood_still(watch: Watch) -> Option<String> {
    (watch.unanswered > watch.every + STANDSTILL).then(|| {
        format!(
            "the server answered nobody for {}, so it is not known what it would have done",
            show(watch.unanswered)
        )
    })
}

/// Who only answers differs from the control in nothing until that speaks again, and from then on only if that lives
/// on.
pub(super) fn unlike_the_control(lives: &[Life], watch: Watch) -> Option<String> {
    let life = |way| lives.iter().find(|life| life.way == way);
    let quiet = life(Way::Quiet)?.ended()?;
    let control = life(Way::Control)?.kept()?;
    let why = if quiet < watch.every {
        "the control had said no more by then, and differed from it in nothing: a limit of connections, perhaps"
    } else if control < outlived(quiet) {
        "the control was not there for longer: an age, perhaps, that no connection outlives"
    } else {
        return None;
    };
    Some(format!("the quiet client was let go after {}, and {why}", show(quiet)))
}

/// Who is let go by one of these codes need not have been found dead. IANA WebSocket Close Code Number Registry.
const FOR_OTHER_REASONS: [u16; 2] = [1012, 1013];

pub(super) fn no_room(life: &Life) -> Option<String> {
    let How::CloseFrame { code: Some(code), .. } = life.ending()?.how else { return None };
    FOR_OTHER_REASONS.contains(&code).then(|| {
        let (name, meaning) = (life.way.name(), close_code_meaning(code));
        format!("the {name} client was let go by close {code} ({meaning}): not for its silence, perhaps")
    })
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
pub(super) fn lost(lives: &[Life]) -> Option<String> {
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

pub(super) fn stood_still(span: Duration) -> String {
    let span = show(span);
    format!(
        "this host stood still for {span}: no client answered anything, and what came meanwhile was read late"
    )
}

/// The control, which asks all the while, was answered no more for so long; zero: it never was.
fn unanswered(after: Duration, silent: Duration) -> String {
    let when = match after.checked_sub(silent).filter(|_| !silent.is_zero()) {
        Some(last) => {
            format!("answered for the last time after {}, and then not for {}", show(last), show(silent))
        }
        None => format!("never answered in {}", show(after)),
    };
    format!(
        "the control, a healthy client, was {when}: the server hangs, or the path is dead, so no death proves anything"
    )
}

pub(super) fn control_died(lives: &[Life], watch: Watch) -> Option<String> {
    let control = lives.iter().find(|life| life.way == Way::Control)?;
    let (after, ending) = match &control.fate {
        // Of the control it is known all the while.
        Fate::Kept { .. } | Fate::Lost { .. } => return None,
        Fate::Unopened { why } => return Some(format!("the control could not be opened: {why}")),
        Fate::Ended { after, ending, .. } => (after, ending),
    };
    // Who half-closed or stalled may have ended of that.
    let others = lives.iter().filter(|life| matches!(life.way, Way::Mute | Way::Quiet | Way::PingsOnly));
    let near =
        |life: &Life| life.ended().is_some_and(|ended| ended.abs_diff(*after) <= (*after / 20).max(AT_ONCE));
    let all_near = others.filter(|life| life.kept().is_some()).all(near);
    if ending.how == How::Silent {
        return Some(unanswered(*after, ending.idle));
    }
    let hint = match (all_near, *after < watch.every) {
        (true, false) => {
            "all connections ended at about that age: a lifetime, an outage, a login that it waits for (--send), or \
             heartbeats that were not known as such (--app-ping)"
        }
        // All of them have said one thing by then, the same.
        (true, true) => {
            "so did all that read: an outage, or it takes no such message as each began with (give it another: --say)"
        }
        (false, true) => {
            "perhaps it takes but one connection of a client, or not the control's messages (give it another: --say)"
        }
        (false, false) => {
            "if it does not understand the control's messages, give it one that it does (--say)"
        }
    };
    Some(format!(
        "the control, a healthy client, died after {} ({ending}), so no death proves anything; {hint}",
        show(*after)
    ))
}
