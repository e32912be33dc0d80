//! What voids a whole run, by its control and how it was observed.

use std::sync::Arc;
use std::time::Duration;

use super::behaviour::Behaviour;
use super::client_record::{ClientEnd, ClientRecord, client_of, dead};
use super::observation_quality::{ObservationQuality, outlived};
use super::zombie_finding::{ControlEndExplanation, ZombieFinding};
use crate::domain::connection::close_cause::CloseKind;

/// How late a healthy server may answer.
const MAX_SERVER_LATENESS: Duration = Duration::from_secs(1);

/// Ends within this time count as simultaneous.
pub(super) const SAME_MOMENT: Duration = Duration::from_millis(50);

/// Why no end and no survival in this run proves anything.
pub(super) fn void_reason(clients: &[ClientRecord], watch: ObservationQuality) -> Option<ZombieFinding> {
    let stood_still = watch.stood_still.map(|span| ZombieFinding::HostStalled { span });
    let held_back = || held_back(clients).next();
    let doubt = stood_still
        .or_else(held_back)
        .or_else(|| control_died(clients, watch))
        .or_else(|| server_stalled(watch));
    doubt.or_else(|| quiet_without_longer_control(clients, watch))
}

/// The control did not clearly outlive the closed clients; only clients whose end was seen count.
pub(super) fn control_ended_too_early(clients: &[ClientRecord]) -> Option<ZombieFinding> {
    let seen = |client: &&ClientRecord| !client.end.is_at_latest();
    let longest = dead(clients).filter(seen).filter_map(ClientRecord::ended).max()?;
    let control = client_of(clients, Behaviour::Control)?.kept()?;
    (control < outlived(longest)).then_some(ZombieFinding::ControlNotOutlived { control, quiet: None })
}

/// A server that hangs now and then leaves the control's question unanswered for longer.
fn server_stalled(watch: ObservationQuality) -> Option<ZombieFinding> {
    let is_late = watch.unanswered > watch.every + MAX_SERVER_LATENESS;
    is_late.then_some(match watch.held_back {
        Some(window) => ZombieFinding::HeldBackByFlowControl { client: Behaviour::Control, window },
        None => ZombieFinding::ServerPaused { unanswered: watch.unanswered },
    })
}

/// Healthy clients that could not send, so that the server had no reason to keep them.
fn held_back(clients: &[ClientRecord]) -> impl Iterator<Item = ZombieFinding> {
    clients.iter().filter_map(|client| match client.end {
        ClientEnd::HeldBack { window, .. } => {
            Some(ZombieFinding::HeldBackByFlowControl { client: client.behaviour, window })
        }
        ClientEnd::Unopened { .. }
        | ClientEnd::Kept { .. }
        | ClientEnd::Lost { .. }
        | ClientEnd::Ended { .. } => None,
    })
}

/// The quiet client differs from the control only once the control sends again, and only if the control then
/// outlives it.
fn quiet_without_longer_control(
    clients: &[ClientRecord],
    watch: ObservationQuality,
) -> Option<ZombieFinding> {
    let quiet = client_of(clients, Behaviour::Quiet)?.ended()?;
    let control = client_of(clients, Behaviour::Control)?.kept()?;
    if quiet < watch.every {
        Some(ZombieFinding::PerhapsConnectionLimit { client: Behaviour::Quiet, after: quiet })
    } else {
        (control < outlived(quiet))
            .then_some(ZombieFinding::ControlNotOutlived { control, quiet: Some(quiet) })
    }
}

fn control_died(clients: &[ClientRecord], watch: ObservationQuality) -> Option<ZombieFinding> {
    let control = client_of(clients, Behaviour::Control)?;
    let (after, ending) = match &control.end {
        // The control's state is known all the time.
        ClientEnd::Kept { .. } | ClientEnd::Lost { .. } | ClientEnd::HeldBack { .. } => return None,
        ClientEnd::Unopened { why } => return Some(ZombieFinding::ControlNotOpened { why: why.clone() }),
        ClientEnd::Ended { after, ending, .. } => (*after, ending),
    };
    if ending.how == CloseKind::Silent {
        return Some(ZombieFinding::ControlUnanswered { after, silent: ending.idle });
    }
    let explanation = match &ending.how {
        CloseKind::TooLarge { .. } => ControlEndExplanation::OurLimit,
        CloseKind::Violation { close: None, .. } => ControlEndExplanation::InvalidTraffic,
        _ => explain_control_end(clients, after, after < watch.every, is_reason_stated(&ending.how)),
    };
    Some(ZombieFinding::ControlEnded { after, ending: Arc::clone(ending), explanation })
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
) -> ControlEndExplanation {
    // Half-closing or stalling may have ended the other clients.
    let others = clients.iter().filter(|client| {
        matches!(client.behaviour, Behaviour::Mute | Behaviour::Quiet | Behaviour::PingsOnly)
    });
    let near = |client: &ClientRecord| {
        client.ended().is_some_and(|ended| ended.abs_diff(after) <= (after / 20).max(SAME_MOMENT))
    };
    let all_near = others.filter(|client| client.kept().is_some()).all(near);
    let exceptions = || clients.iter().filter(|client| client.was_open() && !near(client));
    match (all_near, at_once) {
        (true, _) if is_reason_stated => ControlEndExplanation::StatedReason,
        (true, false) => ControlEndExplanation::SameAge {
            except: exceptions()
                .map(|client| client.behaviour)
                .filter(|it| *it != Behaviour::Control)
                .collect(),
        },
        // All of them have sent the same one message by then.
        (true, true) => ControlEndExplanation::AllAtOnce,
        (false, true) => ControlEndExplanation::AloneAtOnce,
        (false, false) if others_ended_shortly_before(clients, after) => {
            ControlEndExplanation::ShortlyAfterOthers
        }
        (false, false) => ControlEndExplanation::Unexplained,
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
    use crate::domain::connection::http2::ExhaustedWindow;

    fn watch() -> ObservationQuality {
        ObservationQuality {
            every: ms(4000),
            whole: true,
            control_confirmed: true,
            stood_still: None,
            unanswered: Duration::ZERO,
            held_back: None,
        }
    }

    /// The reason if the control and the dead clients end at these ages (ms), and all others live.
    fn reason(control: u64, dead: [u64; 3]) -> ControlEndExplanation {
        let behaviours = [Behaviour::Mute, Behaviour::Stalled, Behaviour::HalfClosed];
        let mut clients = vec![
            record(Behaviour::Control, &[], control, true),
            record(Behaviour::Quiet, &[], control, false),
        ];
        clients.extend(
            behaviours.into_iter().zip(dead).map(|(behaviour, millis)| record(behaviour, &[], millis, true)),
        );
        match void_reason(&clients, watch()) {
            Some(ZombieFinding::ControlEnded { explanation, .. }) => explanation,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn client_whose_traffic_was_held_back_voids_the_run() {
        let window = ExhaustedWindow::Stream;
        for behaviour in [Behaviour::Control, Behaviour::PingsOnly] {
            let mut held = record(behaviour, &[], 20_000, false);
            held.end = ClientEnd::HeldBack { after: ms(20_000), window };
            let clients = [record(Behaviour::Mute, &[], 20_000, true), held];
            let void = ZombieFinding::HeldBackByFlowControl { client: behaviour, window };
            assert_eq!(void_reason(&clients, watch()), Some(void));
        }
        let late = ObservationQuality { unanswered: ms(9000), ..watch() };
        assert_eq!(void_reason(&[], late), Some(ZombieFinding::ServerPaused { unanswered: ms(9000) }));
        let void = ZombieFinding::HeldBackByFlowControl { client: Behaviour::Control, window };
        assert_eq!(
            void_reason(&[], ObservationQuality { held_back: Some(window), ..late }),
            Some(void),
            "the control was answered late, because its question left late"
        );
    }

    #[test]
    fn control_ending_after_the_others_may_be_a_lifetime() {
        use ControlEndExplanation::{ShortlyAfterOthers, Unexplained};
        assert_eq!(reason(22_000, [20_000, 20_000, 3]), ShortlyAfterOthers);
        assert_eq!(reason(24_500, [20_000, 20_000, 3]), Unexplained, "it had outlived them");
        assert_eq!(reason(19_000, [20_000, 15_000, 3]), Unexplained, "one was still there");
    }

    #[test]
    fn control_ending_with_the_others_is_inconclusive() {
        let clients = |control: u64| {
            [record(Behaviour::Control, &[], control, false), record(Behaviour::Mute, &[], 20_000, true)]
        };
        assert_eq!(control_ended_too_early(&clients(24_000)), None);
        let control = ms(23_999);
        assert_eq!(
            control_ended_too_early(&clients(23_999)),
            Some(ZombieFinding::ControlNotOutlived { control, quiet: None })
        );
    }
}
