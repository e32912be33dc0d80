//! What makes a whole run none, by its control and how it was watched; each told as a lower-case fragment.

use std::time::Duration;

use super::behaviour::Behaviour;
use super::client_record::{ClientEnd, ClientRecord, dead};
use super::observation_quality::{ObservationQuality, outlived};
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::format::duration as show;

/// By how much a healthy server may be late.
const MAX_SERVER_LATENESS: Duration = Duration::from_secs(1);

/// What is no further apart came at once.
pub(super) const SAME_MOMENT: Duration = Duration::from_millis(50);

/// Why no death and no life of the run proves anything.
pub(super) fn void(lives: &[ClientRecord], watch: ObservationQuality) -> Option<String> {
    let stood_still = watch.stood_still.map(stood_still);
    let doubt = stood_still.or_else(|| control_died(lives, watch)).or_else(|| server_stood_still(watch));
    doubt.or_else(|| unlike_the_control(lives, watch))
}

/// The control was not there for visibly longer than those that were let go, and when that was is known.
pub(super) fn not_outlived(lives: &[ClientRecord]) -> Option<String> {
    let seen = |life: &&ClientRecord| !matches!(life.fate, ClientEnd::Ended { at_latest: true, .. });
    let longest = dead(lives).filter(seen).filter_map(ClientRecord::ended).max()?;
    let control = lives.iter().find(|life| life.way == Behaviour::Control)?.kept()?;
    (control < outlived(longest)).then(|| {
        format!(
            "the control was there for {}, and so no longer than those that were let go: an age, perhaps, that no \
             connection outlives",
            show(control)
        )
    })
}

/// A server that answers now and then does so as often as it is asked.
fn server_stood_still(watch: ObservationQuality) -> Option<String> {
    (watch.unanswered > watch.every + MAX_SERVER_LATENESS).then(|| {
        format!(
            "the server did not answer the control for {}, so it is not known what it would have done",
            show(watch.unanswered)
        )
    })
}

/// Who only answers differs from the control in nothing until that speaks again, and from then on only if that lives
/// on.
fn unlike_the_control(lives: &[ClientRecord], watch: ObservationQuality) -> Option<String> {
    let life = |way| lives.iter().find(|life| life.way == way);
    let quiet = life(Behaviour::Quiet)?.ended()?;
    let control = life(Behaviour::Control)?.kept()?;
    let why = if quiet < watch.every {
        "the control had said no more by then, and differed from it in nothing: a limit of connections, perhaps (a smaller \
         --every tells)"
    } else if control < outlived(quiet) {
        "the control was not there for longer: an age, perhaps, that no connection outlives"
    } else {
        return None;
    };
    Some(format!("the quiet client was closed after {}, and {why}", show(quiet)))
}

fn stood_still(span: Duration) -> String {
    let span = show(span);
    format!(
        "this host was stalled for {span}: no client answered anything, and what came meanwhile was read late"
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
        "the control, a healthy client, was {when}: the server hangs, or the path is dead, so no closed client proves anything"
    )
}

fn control_died(lives: &[ClientRecord], watch: ObservationQuality) -> Option<String> {
    let control = lives.iter().find(|life| life.way == Behaviour::Control)?;
    let (after, ending) = match &control.fate {
        // Of the control it is known all the while.
        ClientEnd::Kept { .. } | ClientEnd::Lost { .. } => return None,
        ClientEnd::Unopened { why } => return Some(format!("the control could not be opened: {why}")),
        ClientEnd::Ended { after, ending, .. } => (*after, ending),
    };
    if ending.how == CloseKind::Silent {
        return Some(unanswered(after, ending.idle));
    }
    if matches!(ending.how, CloseKind::TooLarge { .. }) {
        let after = show(after);
        return Some(format!(
            "the control, a healthy client, ended after {after} by a limit of ours: {ending}"
        ));
    }
    let hint = match &ending.how {
        CloseKind::Violation { close: None, .. } => {
            "what it was sent is no WebSocket traffic, whatever a client does"
        }
        _ => why_it_died(lives, after, after < watch.every, is_told(&ending.how)),
    };
    Some(format!(
        "the control, a healthy client, died after {} ({ending}), so no closed client proves anything; {hint}",
        show(after)
    ))
}

/// Whether a close frame says why: by its words, or by a code that means one thing.
fn is_told(how: &CloseKind) -> bool {
    match how {
        CloseKind::CloseFrame { code, reason } => {
            !reason.is_empty() || code.is_some_and(|code| matches!(code, 1008 | 1012 | 1013 | 3000 | 3003))
        }
        _ => false,
    }
}

/// What it may have died of; `at_once`: before it had said anything but its first words; `is_told`: the server says why.
fn why_it_died(lives: &[ClientRecord], after: Duration, at_once: bool, is_told: bool) -> &'static str {
    // Who half-closed or stalled may have ended of that.
    let others = lives
        .iter()
        .filter(|life| matches!(life.way, Behaviour::Mute | Behaviour::Quiet | Behaviour::PingsOnly));
    let near = |life: &ClientRecord| {
        life.ended().is_some_and(|ended| ended.abs_diff(after) <= (after / 20).max(SAME_MOMENT))
    };
    let all_near = others.filter(|life| life.kept().is_some()).all(near);
    match (all_near, at_once) {
        (true, _) if is_told => {
            "all connections that read ended at about that age, and the close frame says why"
        }
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
        (false, false) if went_shortly_before(lives, after) => {
            "the last of the others had gone shortly before: an age, perhaps, that no connection outlives"
        }
        (false, false) => {
            "if it does not understand the control's messages, give it one that it does (--say)"
        }
    }
}

/// Whether all the dead had been let go when the control died, and it had not visibly outlived them.
fn went_shortly_before(lives: &[ClientRecord], after: Duration) -> bool {
    let all_went = dead(lives).all(|life| life.ended().is_some_and(|ended| ended <= after));
    let longest = dead(lives).filter_map(ClientRecord::ended).max();
    all_went && longest.is_some_and(|longest| after < outlived(longest))
}

#[cfg(test)]
mod tests {
    use super::super::inference::tests::{life, ms};
    use super::*;

    fn watch() -> ObservationQuality {
        ObservationQuality {
            every: ms(4000),
            whole: true,
            vouched: true,
            stood_still: None,
            unanswered: Duration::ZERO,
        }
    }

    /// The control dies then, and the dead so; all others live.
    fn told(control: u64, dead: [u64; 3]) -> String {
        let ways = [Behaviour::Mute, Behaviour::Stalled, Behaviour::HalfClosed];
        let mut lives =
            vec![life(Behaviour::Control, &[], control, true), life(Behaviour::Quiet, &[], control, false)];
        lives.extend(ways.into_iter().zip(dead).map(|(way, millis)| life(way, &[], millis, true)));
        void(&lives, watch()).unwrap()
    }

    #[test]
    fn control_ending_after_the_others_may_be_a_lifetime() {
        assert!(told(22_000, [20_000, 20_000, 3]).contains("an age, perhaps, that no connection outlives"));
        assert!(told(24_500, [20_000, 20_000, 3]).contains("--say"), "it had outlived them");
        assert!(told(19_000, [20_000, 15_000, 3]).contains("--say"), "one was still there");
    }

    #[test]
    fn who_goes_with_the_rest_tells_of_none_of_them() {
        let lives = |control: u64| {
            [life(Behaviour::Control, &[], control, false), life(Behaviour::Mute, &[], 20_000, true)]
        };
        assert_eq!(not_outlived(&lives(24_000)), None);
        let told = not_outlived(&lives(23_999)).unwrap();
        assert!(told.starts_with("the control was there for 24 s, and so no longer than those"), "{told}");
    }
}
