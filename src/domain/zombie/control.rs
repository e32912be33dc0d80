//! What voids a whole run, by its control and how it was observed; each reason is a lower-case fragment.

use std::time::Duration;

use super::behaviour::Behaviour;
use super::client_record::{ClientEnd, ClientRecord, dead};
use super::observation_quality::{ObservationQuality, outlived};
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::format::duration as show;

/// How late a healthy server may answer.
const MAX_SERVER_LATENESS: Duration = Duration::from_secs(1);

/// Ends within this time count as simultaneous.
pub(super) const SAME_MOMENT: Duration = Duration::from_millis(50);

/// Why no end and no survival in this run proves anything.
pub(super) fn void_reason(clients: &[ClientRecord], watch: ObservationQuality) -> Option<String> {
    let stood_still = watch.stood_still.map(describe_stall);
    let doubt = stood_still.or_else(|| control_died(clients, watch)).or_else(|| server_stalled(watch));
    doubt.or_else(|| quiet_without_longer_control(clients, watch))
}

/// The control did not clearly outlive the closed clients; only clients whose end was seen count.
pub(super) fn control_ended_too_early(clients: &[ClientRecord]) -> Option<String> {
    let seen = |client: &&ClientRecord| !matches!(client.end, ClientEnd::Ended { at_latest: true, .. });
    let longest = dead(clients).filter(seen).filter_map(ClientRecord::ended).max()?;
    let control = clients.iter().find(|client| client.behaviour == Behaviour::Control)?.kept()?;
    (control < outlived(longest)).then(|| {
        format!(
            "the control lived only {}, no longer than the closed clients: perhaps a maximum age of all connections",
            show(control)
        )
    })
}

/// A server that hangs now and then leaves the control's question unanswered for longer.
fn server_stalled(watch: ObservationQuality) -> Option<String> {
    (watch.unanswered > watch.every + MAX_SERVER_LATENESS).then(|| {
        format!(
            "the server did not answer the control for {}, so it is unknown what it would have done",
            show(watch.unanswered)
        )
    })
}

/// The quiet client differs from the control only once the control sends again, and only if the control then
/// outlives it.
fn quiet_without_longer_control(clients: &[ClientRecord], watch: ObservationQuality) -> Option<String> {
    let record = |behaviour| clients.iter().find(|client| client.behaviour == behaviour);
    let quiet = record(Behaviour::Quiet)?.ended()?;
    let control = record(Behaviour::Control)?.kept()?;
    let why = if quiet < watch.every {
        "the control had sent nothing more by then either: perhaps a connection limit (test with a smaller --every)"
    } else if control < outlived(quiet) {
        "the control lived no longer: perhaps a maximum age of all connections"
    } else {
        return None;
    };
    Some(format!("the quiet client was closed after {}, and {why}", show(quiet)))
}

fn describe_stall(span: Duration) -> String {
    let span = show(span);
    format!("this host was stalled for {span}: no client answered, and data was read late")
}

/// The control asks all the time; it got no answer for `silent`, or never if that is zero.
fn describe_unanswered(after: Duration, silent: Duration) -> String {
    let when = match after.checked_sub(silent).filter(|_| !silent.is_zero()) {
        Some(last) => {
            format!("last answered after {}, then not for {}", show(last), show(silent))
        }
        None => format!("never answered in {}", show(after)),
    };
    format!(
        "the control, a healthy client, was {when}: the server hangs, or the path is dead, so no closed client \
         proves anything"
    )
}

fn control_died(clients: &[ClientRecord], watch: ObservationQuality) -> Option<String> {
    let control = clients.iter().find(|client| client.behaviour == Behaviour::Control)?;
    let (after, ending) = match &control.end {
        // The control's state is known all the time.
        ClientEnd::Kept { .. } | ClientEnd::Lost { .. } => return None,
        ClientEnd::Unopened { why } => return Some(format!("the control could not be opened: {why}")),
        ClientEnd::Ended { after, ending, .. } => (*after, ending),
    };
    if ending.how == CloseKind::Silent {
        return Some(describe_unanswered(after, ending.idle));
    }
    if matches!(ending.how, CloseKind::TooLarge { .. }) {
        let after = show(after);
        return Some(format!(
            "the control, a healthy client, ended after {after} at a limit of wscheck: {ending}"
        ));
    }
    let hint = match &ending.how {
        CloseKind::Violation { close: None, .. } => {
            "the server sends invalid WebSocket traffic, whatever a client does"
        }
        _ => explain_control_end(clients, after, after < watch.every, is_reason_stated(&ending.how)),
    };
    Some(format!(
        "the control, a healthy client, died after {} ({ending}), so no closed client proves anything; {hint}",
        show(after)
    ))
}

/// Whether the close frame states a reason: by text, or by a code with one meaning.
fn is_reason_stated(how: &CloseKind) -> bool {
    match how {
        CloseKind::CloseFrame { code, reason } => {
            !reason.is_empty() || code.is_some_and(|code| matches!(code, 1008 | 1012 | 1013 | 3000 | 3003))
        }
        _ => false,
    }
}

/// What the control may have ended of. `at_once`: it had sent only its first messages.
fn explain_control_end(
    clients: &[ClientRecord],
    after: Duration,
    at_once: bool,
    is_reason_stated: bool,
) -> &'static str {
    // Half-closing or stalling may have ended the other clients.
    let others = clients.iter().filter(|client| {
        matches!(client.behaviour, Behaviour::Mute | Behaviour::Quiet | Behaviour::PingsOnly)
    });
    let near = |client: &ClientRecord| {
        client.ended().is_some_and(|ended| ended.abs_diff(after) <= (after / 20).max(SAME_MOMENT))
    };
    let all_near = others.filter(|client| client.kept().is_some()).all(near);
    match (all_near, at_once) {
        (true, _) if is_reason_stated => {
            "all connections that read ended at about that age, and the close frame says why"
        }
        (true, false) => {
            "all connections ended at about that age: a lifetime, an outage, a login that the server expects \
             (--send), or heartbeats that wscheck does not recognize (--app-ping)"
        }
        // All of them have sent the same one message by then.
        (true, true) => {
            "so did all clients that read: an outage, or the server rejects their first message (choose another: --say)"
        }
        (false, true) => {
            "perhaps the server accepts only one connection per client, or rejects the control's messages (choose \
             another: --say)"
        }
        (false, false) if others_ended_shortly_before(clients, after) => {
            "the others had ended shortly before: perhaps a maximum age of all connections"
        }
        (false, false) => {
            "if the server does not understand the control's messages, choose one that it does (--say)"
        }
    }
}

/// Whether all dead clients had ended when the control did, and it had not clearly outlived them.
fn others_ended_shortly_before(clients: &[ClientRecord], after: Duration) -> bool {
    let all_went = dead(clients).all(|client| client.ended().is_some_and(|ended| ended <= after));
    let longest = dead(clients).filter_map(ClientRecord::ended).max();
    all_went && longest.is_some_and(|longest| after < outlived(longest))
}

#[cfg(test)]
mod tests {
    use super::super::inference::tests::{ms, record};
    use super::*;

    fn watch() -> ObservationQuality {
        ObservationQuality {
            every: ms(4000),
            whole: true,
            control_confirmed: true,
            stood_still: None,
            unanswered: Duration::ZERO,
        }
    }

    /// The reason if the control and the dead clients end at these ages (ms), and all others live.
    fn reason(control: u64, dead: [u64; 3]) -> String {
        let behaviours = [Behaviour::Mute, Behaviour::Stalled, Behaviour::HalfClosed];
        let mut clients = vec![
            record(Behaviour::Control, &[], control, true),
            record(Behaviour::Quiet, &[], control, false),
        ];
        clients.extend(
            behaviours.into_iter().zip(dead).map(|(behaviour, millis)| record(behaviour, &[], millis, true)),
        );
        void_reason(&clients, watch()).unwrap()
    }

    #[test]
    fn control_ending_after_the_others_may_be_a_lifetime() {
        assert!(reason(22_000, [20_000, 20_000, 3]).contains("perhaps a maximum age of all connections"));
        assert!(reason(24_500, [20_000, 20_000, 3]).contains("--say"), "it had outlived them");
        assert!(reason(19_000, [20_000, 15_000, 3]).contains("--say"), "one was still there");
    }

    #[test]
    fn control_ending_with_the_others_is_inconclusive() {
        let clients = |control: u64| {
            [record(Behaviour::Control, &[], control, false), record(Behaviour::Mute, &[], 20_000, true)]
        };
        assert_eq!(control_ended_too_early(&clients(24_000)), None);
        let reason = control_ended_too_early(&clients(23_999)).unwrap();
        assert!(
            reason.starts_with("the control lived only 24 s, no longer than the closed clients"),
            "{reason}"
        );
    }
}
