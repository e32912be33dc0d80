//! Whether a client must send more than answers to be kept.

use super::behaviour::Behaviour;
use super::client_record::ClientRecord;
use super::findings::{ZombieFindings, ZombieVerdict};
use super::policy::{HeartbeatPolicy, ReapingPolicy, RequiredTraffic, TrafficEvidence};
use crate::domain::listen::ServerEventKind;

impl TrafficEvidence {
    /// What follows from the policy and the clients' ends.
    pub fn of(findings: &ZombieFindings) -> Option<TrafficEvidence> {
        if findings.verdict == ZombieVerdict::Inconclusive || findings.passes_on {
            return None;
        }
        let (quiet, pings) = (findings.client(Behaviour::Quiet)?, findings.client(Behaviour::PingsOnly)?);
        if quiet.last_ping_unanswered || pings.last_ping_unanswered {
            return None;
        }
        if quiet.is_kept() && pings.is_kept() {
            return Some(TrafficEvidence::NotNeeded { kept: quiet.kept()?.min(pings.kept()?) });
        }
        evidence_of_policy(&findings.policy, quiet, pings)
    }
}

/// The Pings-only client ended for a missing answer only if it was asked before.
fn evidence_of_unanswered_app_pings(pings: &ClientRecord) -> Option<TrafficEvidence> {
    let (ended, asked) = (pings.ended()?, pings.listening.arrivals(ServerEventKind::AppPing)?);
    (pings.since_greeting(asked.begun) < ended).then_some(TrafficEvidence::Answers { pings: ended })
}

fn evidence_of_policy(
    policy: &ReapingPolicy,
    quiet: &ClientRecord,
    pings: &ClientRecord,
) -> Option<TrafficEvidence> {
    let needs = match policy {
        ReapingPolicy::Idle(idle, _) | ReapingPolicy::Heartbeat(HeartbeatPolicy { idle: Some(idle), .. }) => {
            idle.needs
        }
        ReapingPolicy::Heartbeat(found)
            if found.beats.event_kind == ServerEventKind::AppPing && quiet.is_kept() =>
        {
            return evidence_of_unanswered_app_pings(pings);
        }
        ReapingPolicy::Heartbeat(_) | ReapingPolicy::KeepsAll | ReapingPolicy::Unknown => return None,
    };
    let quiet = quiet.ended()?;
    match needs {
        RequiredTraffic::AnyFrame | RequiredTraffic::OwnFrames => {
            pings.is_kept().then_some(TrafficEvidence::Pings { quiet })
        }
        RequiredTraffic::Messages => Some(TrafficEvidence::Messages { quiet, pings: pings.ended()? }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::client_record::RelayCounts;
    use super::super::inference::tests::{ms, record};
    use super::super::observation_quality::ObservationQuality;
    use super::*;
    use crate::domain::connection::untrusted_text::UntrustedText;
    use crate::domain::listen::ServerEvent;

    /// The mute client ends at 10 s and these at their times (ms); all others live for a minute.
    fn findings(asks: &[u64], quiet: Option<u64>, pings: Option<u64>) -> ZombieFindings {
        let ends = |behaviour, millis: Option<u64>| match millis {
            Some(millis) => record(behaviour, asks, millis, true),
            None => record(behaviour, asks, 60_000, false),
        };
        let clients = vec![
            record(Behaviour::Control, asks, 60_000, false),
            record(Behaviour::Mute, asks, 10_000, true),
            record(Behaviour::Stalled, &[], 10_000, true),
            ends(Behaviour::Quiet, quiet),
            ends(Behaviour::PingsOnly, pings),
        ];
        let (every, unanswered) = (ms(1000), Duration::ZERO);
        ZombieFindings::of(
            clients,
            ObservationQuality {
                every,
                whole: true,
                control_confirmed: true,
                stood_still: None,
                unanswered,
                held_back: None,
            },
        )
    }

    #[test]
    fn evidence_follows_the_policy() {
        let evidence = |asks: &[u64], quiet, pings| TrafficEvidence::of(&findings(asks, quiet, pings));
        let (second, minute) = (ms(10_000), ms(60_000));
        assert_eq!(evidence(&[5000], None, None), Some(TrafficEvidence::NotNeeded { kept: minute }));
        assert_eq!(evidence(&[], Some(10_000), None), Some(TrafficEvidence::Pings { quiet: second }));
        let messages = TrafficEvidence::Messages { quiet: second, pings: second };
        assert_eq!(evidence(&[], Some(10_000), Some(10_000)), Some(messages));
        assert_eq!(
            evidence(&[], Some(10_000), Some(40_000)),
            None,
            "Pings were not enough, and nobody knows what is"
        );
        assert_eq!(evidence(&[5000], None, Some(40_000)), None, "nobody knows why");
    }

    #[test]
    fn client_without_app_pings_did_not_end_for_an_answer() {
        let asked = |moment: u64| {
            let mut pings = record(Behaviour::PingsOnly, &[], 20_000, true);
            let text = UntrustedText::default();
            pings.listening.record_event(ms(moment), &ServerEvent::plain(ServerEventKind::AppPing, text));
            evidence_of_unanswered_app_pings(&pings)
        };
        assert_eq!(asked(15_000), Some(TrafficEvidence::Answers { pings: ms(20_000) }));
        assert_eq!(evidence_of_unanswered_app_pings(&record(Behaviour::PingsOnly, &[], 20, true)), None);
    }

    #[test]
    fn relaying_server_hides_required_traffic() {
        let mut clients = findings(&[5000], None, None).clients;
        clients.iter_mut().for_each(|client| client.relayed = RelayCounts { sent: 10, returned: 9 });
        let (every, unanswered) = (ms(1000), Duration::ZERO);
        let watch = ObservationQuality {
            every,
            whole: true,
            control_confirmed: true,
            stood_still: None,
            unanswered,
            held_back: None,
        };
        assert_eq!(TrafficEvidence::of(&ZombieFindings::of(clients, watch)), None);
    }
}
