//! The findings of a run: the verdict, its reasons, and the policy.

use std::collections::HashSet;
use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::behaviour::Behaviour;
use super::caveats::{
    other_cause_of_end, relay_caveat, unexplained, unknown_messages, unproven, unusable_client,
    waited_too_short,
};
use super::client_record::{ClientEnd, ClientRecord, client_of, dead};
use super::control::{SAME_MOMENT, control_ended_too_early, void_reason};
use super::inference::{active_client_ended, infer};
use super::libraries::{LibraryMatch, consistent_with};
use super::observation_quality::ObservationQuality;
use super::policy::ReapingPolicy;
use super::timer_kind::ended_at_one_moment;
use super::zombie_finding::ZombieFinding;
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::format::duration as show;
use crate::domain::listen::ServerEventKind;
use crate::domain::run::bracket::Bracket;
use crate::domain::run::expectation::Expectation;
use crate::domain::run::truth::Truth;
use crate::domain::stats::interval::tolerance;

/// Whether the server closes dead clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum ZombieVerdict {
    /// It closed all of them.
    ReapsDeadClients,
    /// It kept some for the whole run: it leaks them.
    ZombiesKept,
    /// The evidence does not support an answer.
    Inconclusive,
}

/// The findings of a run.
#[derive(Debug, Clone)]
pub struct ZombieFindings {
    pub verdict: ZombieVerdict,
    /// Why.
    pub reasons: Vec<ZombieFinding>,
    /// The age of the last dead client that was closed.
    pub longest: Option<Duration>,
    pub policy: ReapingPolicy,
    /// The libraries that the policy is consistent with.
    pub consistent_with: Vec<LibraryMatch>,
    pub clients: Vec<ClientRecord>,
    /// Inconclusive only because the run was too short.
    cut_short: bool,
    /// The server relays the clients' messages, so it is unknown what it sends by itself.
    pub(super) passes_on: bool,
}

impl ZombieFindings {
    /// The findings from these clients.
    pub fn of(mut clients: Vec<ClientRecord>, watch: ObservationQuality) -> ZombieFindings {
        settle_stalled_end(&mut clients);
        let (verdict, mut reasons) = decide(&clients, watch);
        reasons.extend(clients.iter().filter_map(unusable_client));
        reasons.extend(active_client_ended(&clients).filter(|_| reasons.is_empty()).and_then(unexplained));
        let relayed = relay_caveat(&clients);
        let passes_on = relayed.is_some();
        let is_known = verdict != ZombieVerdict::Inconclusive || is_mute_end_known(&clients, watch);
        let policy = if is_known && !passes_on && was_mute_closed_for_silence(&clients) {
            infer(&clients, watch.every)
        } else {
            ReapingPolicy::Unknown
        };
        reasons.extend(relayed);
        reasons.extend(unknown_messages(&clients, &policy));
        let consistent_with = consistent_with(&policy, end_of_mute(&clients), &[]);
        let longest = dead(&clients).filter_map(ClientRecord::ended).max();
        let cut_short = is_cut_short(&clients, watch);
        ZombieFindings { verdict, reasons, longest, policy, consistent_with, clients, cut_short, passes_on }
    }

    /// Keeps only the libraries that the response headers allow.
    pub fn with_headers(self, headers: &[(String, UntrustedText)]) -> ZombieFindings {
        let consistent_with = consistent_with(&self.policy, end_of_mute(&self.clients), headers);
        ZombieFindings { consistent_with, ..self }
    }

    pub fn client(&self, behaviour: Behaviour) -> Option<&ClientRecord> {
        client_of(&self.clients, behaviour)
    }

    /// How long a client is kept that dies just after an answer. `None` if unknown: a client that fell silent
    /// at another moment was kept for longer, or the server checks at its own moments.
    pub fn at_worst(&self) -> Option<Duration> {
        let ReapingPolicy::Heartbeat(policy) = &self.policy else { return None };
        let (worst, longest) = (policy.at_worst()?, self.longest?);
        let is_swept = ended_at_one_moment(&self.clients) && !policy.is_when_next_is_due();
        // With two kinds of heartbeats the server may count from either.
        let kinds: HashSet<ServerEventKind> =
            self.client(Behaviour::Mute)?.asks().into_iter().map(|(event_kind, _)| event_kind).collect();
        let is_confirmed = self.verdict == ZombieVerdict::ReapsDeadClients && !is_swept && kinds.len() == 1;
        (is_confirmed && longest <= worst + tolerance(worst)).then_some(worst)
    }

    /// Whether dead clients are closed as expected. An upper bound must hold for each of them, a lower bound
    /// for the mute one.
    pub fn meets(&self, expectation: &Expectation) -> Truth {
        if self.verdict == ZombieVerdict::Inconclusive && !self.cut_short {
            return Truth::Unknown("nothing conclusive was found".to_string());
        }
        let relevant = |client: &&ClientRecord| {
            if expectation.wants_more() {
                client.behaviour == Behaviour::Mute
            } else {
                client.behaviour.is_dead()
            }
        };
        let truths = || {
            self.clients.iter().filter(relevant).map(|client| (client, self.meets_by(client, expectation)))
        };
        let failing: Vec<&ClientRecord> =
            truths().filter(|(_, truth)| truth.is_false()).map(|(client, _)| client).collect();
        if !failing.is_empty() {
            return Truth::False(describe_failing(&failing));
        }
        match truths().find(|(_, truth)| matches!(truth, Truth::Unknown(_))) {
            Some((client, _)) if client.was_open() => Truth::Unknown(describe_undecided(client)),
            Some((client, _)) => {
                Truth::Unknown(format!("the {} client was not open", client.behaviour.name()))
            }
            None => Truth::True(self.describe_met(expectation)),
        }
    }

    /// A client closed early for another reason than silence might have been kept for longer.
    fn meets_by(&self, client: &ClientRecord, expectation: &Expectation) -> Truth {
        match (expectation.met_by(&bracket(client)), other_cause_of_end(&self.clients, client)) {
            (Truth::False(_), Some(_)) if expectation.wants_more() => {
                let name = client.behaviour.name();
                Truth::Unknown(format!(
                    "the {name} client may have been closed for another reason than its silence"
                ))
            }
            (truth, _) => truth,
        }
    }

    fn describe_met(&self, expectation: &Expectation) -> String {
        let mute = self.client(Behaviour::Mute).and_then(ClientRecord::ended);
        match (expectation.wants_more(), mute, self.longest) {
            (true, Some(mute), _) => format!("a mute client was closed after {}", show(mute)),
            (false, _, Some(longest)) => {
                format!("every dead client was closed, the last after {}", show(longest))
            }
            (_, _, _) => "dead clients were kept for the whole run".to_string(),
        }
    }
}

/// How long the clients were kept that do not meet an expectation: `mute and stalled were still open after 5m`.
fn describe_failing(clients: &[&ClientRecord]) -> String {
    let kept: Vec<&ClientRecord> = clients.iter().copied().filter(|client| client.is_kept()).collect();
    let names: Vec<String> = kept.iter().map(|client| client.behaviour.name()).collect();
    let open = kept.iter().filter_map(|client| client.kept()).min().map(show).unwrap_or_default();
    let closed = clients.iter().filter_map(|client| Some((client.ended()?, client.behaviour.name()))).max();
    match (names.as_slice(), closed) {
        ([], Some((last, name))) => format!("the {name} client was closed after {}", show(last)),
        ([], None) => "the end of a client is unknown".to_string(),
        ([name], _) => format!("{name} was still open after {open}"),
        ([others @ .., last], _) => format!("{} and {last} were still open after {open}", others.join(", ")),
    }
}

/// How the mute client was closed.
pub(super) fn end_of_mute(clients: &[ClientRecord]) -> Option<&CloseKind> {
    client_of(clients, Behaviour::Mute).and_then(ClientRecord::ending).map(|ending| &ending.how)
}

/// The stalled client reads only at its end, so its end may have come long before. Not if the mute one got a
/// close frame at the same age.
fn settle_stalled_end(clients: &mut [ClientRecord]) {
    let goodbye = |client: &ClientRecord| {
        matches!(client.ending()?.how, CloseKind::CloseFrame { .. }).then(|| client.ended())?
    };
    let mute = client_of(clients, Behaviour::Mute).and_then(goodbye);
    for client in clients.iter_mut().filter(|client| client.behaviour == Behaviour::Stalled) {
        let is_settled =
            goodbye(client).zip(mute).is_some_and(|(late, mute)| late.abs_diff(mute) <= SAME_MOMENT);
        if let ClientEnd::Ended { at_latest, .. } = &mut client.end {
            *at_latest &= !is_settled;
        }
    }
}

/// The range of the time after which it was closed.
fn bracket(client: &ClientRecord) -> Bracket {
    match &client.end {
        ClientEnd::Unopened { .. }
        | ClientEnd::Lost { .. }
        | ClientEnd::HeldBack { .. }
        | ClientEnd::Kept { proven: false, .. } => Bracket::default(),
        ClientEnd::Kept { so_far, .. } => Bracket { lo: Some(*so_far), hi: None },
        ClientEnd::Ended { after, at_latest: true, .. } => Bracket { lo: None, hi: Some(*after) },
        ClientEnd::Ended { after, .. } => Bracket { lo: Some(*after), hi: Some(*after) },
    }
}

fn describe_undecided(client: &ClientRecord) -> String {
    let (name, kept) = (client.behaviour.name(), client.kept().map(show).unwrap_or_default());
    match client.end {
        ClientEnd::Ended { .. } => format!("it is unknown when within {kept} the {name} client was closed"),
        ClientEnd::HeldBack { .. } => {
            format!("the peer's flow control held back what the {name} client sent")
        }
        ClientEnd::Lost { .. } => format!("it is unknown whether and when the {name} client was closed"),
        ClientEnd::Kept { proven: false, .. } => {
            format!("interrupted before it was known whether the {name} client was still there")
        }
        ClientEnd::Unopened { .. } | ClientEnd::Kept { .. } => {
            format!("the {name} client was observed for only {kept}")
        }
    }
}

/// Whether the mute client's end is known and the control confirms it.
fn is_mute_end_known(clients: &[ClientRecord], watch: ObservationQuality) -> bool {
    void_reason(clients, watch).is_none()
        && watch.control_confirmed
        && control_ended_too_early(clients).is_none()
        && client_of(clients, Behaviour::Control).is_some_and(ClientRecord::is_kept)
        && client_of(clients, Behaviour::Mute).and_then(ClientRecord::ended).is_some()
}

/// Whether silence is the only explanation of the mute client's end.
fn was_mute_closed_for_silence(clients: &[ClientRecord]) -> bool {
    client_of(clients, Behaviour::Mute).is_none_or(|mute| other_cause_of_end(clients, mute).is_none())
}

/// Whether only the short observation keeps the outcome unknown.
fn is_cut_short(clients: &[ClientRecord], watch: ObservationQuality) -> bool {
    let more = !watch.whole || waited_too_short(clients, watch.every).is_some();
    let is_kept = dead(clients).any(ClientRecord::is_kept);
    is_kept && more && watch.control_confirmed && void_reason(clients, watch).is_none()
}

/// A single kept client is a leak, even if another one's end is unknown.
fn decide(clients: &[ClientRecord], watch: ObservationQuality) -> (ZombieVerdict, Vec<ZombieFinding>) {
    let inconclusive = |why: ZombieFinding| (ZombieVerdict::Inconclusive, vec![why]);
    if let Some(why) = void_reason(clients, watch) {
        return inconclusive(why);
    }
    let kept: Vec<&ClientRecord> = dead(clients).filter(|client| client.is_kept()).collect();
    let unproven = unproven(clients);
    match (kept.is_empty(), watch.whole) {
        (false, false) => inconclusive(kept_at_interrupt(&kept)),
        _ if !watch.control_confirmed => inconclusive(ZombieFinding::ControlUnconfirmed),
        (false, true) => match waited_too_short(clients, watch.every) {
            Some(why) => (ZombieVerdict::Inconclusive, unproven.into_iter().chain([why]).collect()),
            // Like that client, the dead ones may have been dropped silently.
            None if clients.iter().any(|client| client.last_ping_unanswered) => {
                (ZombieVerdict::Inconclusive, unproven)
            }
            None => {
                (ZombieVerdict::ZombiesKept, unproven.into_iter().chain(first_other_cause(clients)).collect())
            }
        },
        (true, _) if !unproven.is_empty() => (ZombieVerdict::Inconclusive, unproven),
        (true, _) => match control_ended_too_early(clients).or_else(|| first_other_cause(clients)) {
            Some(why) => inconclusive(why),
            None => (ZombieVerdict::ReapsDeadClients, Vec::new()),
        },
    }
}

fn kept_at_interrupt(kept: &[&ClientRecord]) -> ZombieFinding {
    let is_proven = |client: &&&ClientRecord| matches!(client.end, ClientEnd::Kept { proven: true, .. });
    let behaviours = |clients: &[&ClientRecord]| clients.iter().map(|client| client.behaviour).collect();
    let proven: Vec<&ClientRecord> = kept.iter().filter(is_proven).copied().collect();
    let is_proven = !proven.is_empty();
    let clients = behaviours(if is_proven { &proven } else { kept });
    ZombieFinding::KeptAtInterrupt { clients, proven: is_proven }
}

fn first_other_cause(clients: &[ClientRecord]) -> Option<ZombieFinding> {
    dead(clients).find_map(|client| other_cause_of_end(clients, client))
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::super::client_record::RelayCounts;
    use super::super::inference::tests::{ms, record};
    use super::super::zombie_finding::ControlEndExplanation;
    use super::*;
    use crate::domain::connection::close_cause::{CloseCause, ClosedBy};
    use crate::domain::listen::ServerEvent;

    /// Observed to the end or interrupted; confirmed by the control in either case.
    fn watched(whole: bool) -> ObservationQuality {
        ObservationQuality {
            every: ms(5000),
            whole,
            control_confirmed: true,
            stood_still: None,
            unanswered: Duration::ZERO,
            held_back: None,
        }
    }

    fn alive(behaviour: Behaviour) -> ClientRecord {
        record(behaviour, &[], 300_000, false)
    }

    /// A client that ended at this age (ms); the mute one had been asked.
    fn ended(behaviour: Behaviour, millis: u64) -> ClientRecord {
        let asks = if behaviour == Behaviour::Mute { &[millis / 2][..] } else { &[] };
        record(behaviour, asks, millis, true)
    }

    fn run_with(dead: [ClientRecord; 3]) -> Vec<ClientRecord> {
        [&[alive(Behaviour::Control), alive(Behaviour::Quiet), alive(Behaviour::PingsOnly)], &dead[..]]
            .concat()
    }

    fn reaping() -> Vec<ClientRecord> {
        run_with([
            ended(Behaviour::Mute, 40_000),
            ended(Behaviour::Stalled, 40_100),
            ended(Behaviour::HalfClosed, 3),
        ])
    }

    #[test]
    fn one_zombie_is_a_leak() {
        assert_eq!(ZombieFindings::of(reaping(), watched(true)).verdict, ZombieVerdict::ReapsDeadClients);
        let leak = run_with([
            ended(Behaviour::Mute, 40_000),
            alive(Behaviour::Stalled),
            ended(Behaviour::HalfClosed, 3),
        ]);
        assert_eq!(ZombieFindings::of(leak.clone(), watched(true)).verdict, ZombieVerdict::ZombiesKept);
        let so_far = ZombieFindings::of(leak, watched(false));
        assert_eq!(so_far.verdict, ZombieVerdict::Inconclusive);
        let early =
            run_with([alive(Behaviour::Mute), alive(Behaviour::Stalled), ended(Behaviour::HalfClosed, 3)]);
        assert_eq!(
            ZombieFindings::of(early, watched(false)).policy,
            ReapingPolicy::Unknown,
            "it may still close it"
        );
        let kept = |client| ZombieFinding::KeptAtInterrupt { clients: vec![client], proven: true };
        assert_eq!(so_far.reasons, [kept(Behaviour::Stalled)]);
        let at_once = run_with([
            alive(Behaviour::Mute),
            ClientRecord::new(Behaviour::Stalled),
            ended(Behaviour::HalfClosed, 3),
        ]);
        let reasons = ZombieFindings::of(at_once, watched(false)).reasons;
        assert_eq!(reasons, [kept(Behaviour::Mute)]);
        assert_eq!(
            ZombieFindings::of(reaping(), watched(false)).verdict,
            ZombieVerdict::ReapsDeadClients,
            "all is known"
        );
    }

    #[test]
    fn control_end_voids_the_run() {
        let mut clients = reaping();
        clients[0] = ended(Behaviour::Control, 20_000);
        let findings = ZombieFindings::of(clients, watched(true));
        assert_eq!(
            (findings.verdict, findings.policy),
            (ZombieVerdict::Inconclusive, ReapingPolicy::Unknown)
        );
        let explained = |findings: ZombieFindings| match &findings.reasons[0] {
            ZombieFinding::ControlEnded { after, explanation, .. } => (*after, explanation.clone()),
            other => panic!("{other:?}"),
        };
        assert_eq!(explained(findings), (ms(20_000), ControlEndExplanation::Unexplained));
        let all = |half_closed| {
            let age = |behaviour| if behaviour == Behaviour::HalfClosed { half_closed } else { 20_000 };
            let all = Behaviour::iter().map(|behaviour| ended(behaviour, age(behaviour))).collect();
            explained(ZombieFindings::of(all, watched(true))).1
        };
        assert_eq!(all(20_000), ControlEndExplanation::SameAge { except: vec![] });
        assert_eq!(all(3), ControlEndExplanation::SameAge { except: vec![Behaviour::HalfClosed] });
        let at_once = Behaviour::iter().map(|behaviour| ended(behaviour, 20)).collect();
        let at_once = explained(ZombieFindings::of(at_once, watched(true))).1;
        assert_eq!(at_once, ControlEndExplanation::AllAtOnce, "they spoke, and went");
    }

    #[test]
    fn ends_unconfirmed_by_the_control_are_inconclusive() {
        let watch = ObservationQuality { control_confirmed: false, ..watched(false) };
        let findings = ZombieFindings::of(reaping(), watch);
        assert_eq!(
            (findings.verdict, findings.policy),
            (ZombieVerdict::Inconclusive, ReapingPolicy::Unknown)
        );
        assert_eq!(findings.reasons, [ZombieFinding::ControlUnconfirmed]);
    }

    #[test]
    fn close_frame_at_the_mutes_age_was_not_delayed() {
        let goodbye = |behaviour, millis| {
            let mut client = ended(behaviour, millis);
            let ClientEnd::Ended { ending, at_latest, .. } = &mut client.end else { panic!("it is over") };
            let how = CloseKind::CloseFrame { code: Some(1011), reason: UntrustedText::default() };
            *ending = std::sync::Arc::new(CloseCause { how, ..CloseCause::clone(ending) });
            *at_latest = behaviour == Behaviour::Stalled;
            client
        };
        let at_latest = |mute, stalled| {
            let clients = run_with([mute, stalled, ended(Behaviour::HalfClosed, 3)]);
            let findings = ZombieFindings::of(clients, watched(true));
            matches!(
                findings.client(Behaviour::Stalled).unwrap().end,
                ClientEnd::Ended { at_latest: true, .. }
            )
        };
        assert!(!at_latest(goodbye(Behaviour::Mute, 40_000), goodbye(Behaviour::Stalled, 40_012)));
        assert!(
            at_latest(goodbye(Behaviour::Mute, 40_000), goodbye(Behaviour::Stalled, 50_000)),
            "the server waited"
        );
        assert!(
            at_latest(ended(Behaviour::Mute, 40_000), goodbye(Behaviour::Stalled, 40_012)),
            "another end"
        );
    }

    #[test]
    fn relaying_server_hides_its_own_messages() {
        let reason = |returned| {
            let mut clients = reaping();
            clients[1] = ended(Behaviour::Quiet, 40_050);
            clients[3].relayed = RelayCounts { sent: 10, returned };
            clients[4].relayed = RelayCounts { sent: 9, returned: 9 };
            clients.iter_mut().for_each(|client| client.relayed.sent = client.relayed.sent.max(1));
            let findings = ZombieFindings::of(clients, watched(true));
            (findings.verdict, findings.policy == ReapingPolicy::Unknown, findings.reasons.len())
        };
        // What the stalled client reads at last has no moments: 13 were sent while the others were connected.
        assert_eq!(reason(6), (ZombieVerdict::ReapsDeadClients, false, 0));
        assert_eq!(reason(7), (ZombieVerdict::ReapsDeadClients, true, 1));
    }

    #[test]
    fn overload_close_code_shows_no_dead_client_detection() {
        let by = |code| {
            let mut clients = reaping();
            let ClientEnd::Ended { ending, .. } = &mut clients[4].end else { panic!("it is over") };
            let how = CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::default() };
            *ending = std::sync::Arc::new(CloseCause { how, ..CloseCause::clone(ending) });
            ZombieFindings::of(clients, watched(true))
        };
        assert_eq!(by(1001).verdict, ZombieVerdict::ReapsDeadClients);
        let overloaded = by(1013);
        assert_eq!(overloaded.verdict, ZombieVerdict::Inconclusive);
        let client = Behaviour::Stalled;
        assert_eq!(overloaded.reasons, [ZombieFinding::UnrelatedCloseCode { client, code: 1013 }]);
    }

    #[test]
    fn interrupted_run_may_decide_the_expectation() {
        let kept =
            run_with([alive(Behaviour::Mute), alive(Behaviour::Stalled), ended(Behaviour::HalfClosed, 3)]);
        let met = |clients: &[ClientRecord], text: &str| {
            ZombieFindings::of(clients.to_vec(), watched(false)).meets(&text.parse().unwrap())
        };
        assert!(met(&kept, "<=60s").is_false(), "five minutes have gone by");
        assert!(matches!(met(&kept, ">=60s"), Truth::True(_)));
        assert!(matches!(met(&kept, "<=10m"), Truth::Unknown(_)));
        let mut void = kept.clone();
        void[0] = ended(Behaviour::Control, 20_000);
        assert!(matches!(met(&void, "<=60s"), Truth::Unknown(_)));
    }

    #[test]
    fn unanswered_control_suggests_no_other_message() {
        let mut clients = reaping();
        clients[0] = ended(Behaviour::Control, 10_000);
        let ClientEnd::Ended { ending, .. } = &mut clients[0].end else { panic!("it is over") };
        let silent = CloseCause {
            who: ClosedBy::Network,
            how: CloseKind::Silent,
            idle: ms(5000),
            ..CloseCause::clone(ending)
        };
        *ending = std::sync::Arc::new(silent);
        let reason = ZombieFindings::of(clients, watched(true)).reasons.remove(0);
        assert_eq!(reason, ZombieFinding::ControlUnanswered { after: ms(10_000), silent: ms(5000) });
    }

    #[test]
    fn quiet_client_gone_before_the_mute_shows_no_policy() {
        let mut clients =
            run_with([alive(Behaviour::Mute), alive(Behaviour::Stalled), ended(Behaviour::HalfClosed, 3)]);
        clients[1] = ended(Behaviour::Quiet, 40_000);
        let findings = ZombieFindings::of(clients, watched(true));
        assert_eq!((findings.verdict, findings.policy), (ZombieVerdict::ZombiesKept, ReapingPolicy::Unknown));
        let (client, after) = (Behaviour::Quiet, ms(40_000));
        assert_eq!(findings.reasons, [ZombieFinding::PerhapsConnectionLimit { client, after }]);
    }

    #[test]
    fn stalled_server_shows_no_policy() {
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
        let clients = |quiet, control| {
            let mut clients = reaping();
            clients[0] = record(Behaviour::Control, &[], control, false);
            clients[1] = ended(Behaviour::Quiet, quiet);
            ZombieFindings::of(clients, watched(true))
        };
        assert_eq!(clients(40_000, 48_120).verdict, ZombieVerdict::ReapsDeadClients);
        let of_age = clients(40_000, 47_999);
        assert_eq!((of_age.verdict, &of_age.policy), (ZombieVerdict::Inconclusive, &ReapingPolicy::Unknown));
        let not_outlived = ZombieFinding::ControlNotOutlived { control: ms(47_999), quiet: Some(ms(40_000)) };
        assert_eq!(of_age.reasons, [not_outlived]);
        let at_once = clients(4_999, 300_000);
        assert_eq!(at_once.verdict, ZombieVerdict::Inconclusive, "the control says something every 5 s");
        let (client, after) = (Behaviour::Quiet, ms(4_999));
        assert_eq!(at_once.reasons, [ZombieFinding::PerhapsConnectionLimit { client, after }]);
    }

    #[test]
    fn host_stall_voids_the_run() {
        let watch = ObservationQuality { stood_still: Some(ms(4000)), ..watched(true) };
        let findings = ZombieFindings::of(reaping(), watch);
        assert_eq!(
            (findings.verdict, findings.policy),
            (ZombieVerdict::Inconclusive, ReapingPolicy::Unknown)
        );
        assert_eq!(findings.reasons, [ZombieFinding::HostStalled { span: ms(4000) }]);
    }

    #[test]
    fn forgotten_client_was_neither_kept_nor_reaped() {
        let mut lost = alive(Behaviour::Mute);
        lost.end = ClientEnd::Lost { after: ms(300_000) };
        let clients =
            run_with([lost.clone(), ended(Behaviour::Stalled, 40_000), ended(Behaviour::HalfClosed, 3)]);
        let findings = ZombieFindings::of(clients, watched(true));
        assert_eq!(
            (findings.verdict, &findings.policy),
            (ZombieVerdict::Inconclusive, &ReapingPolicy::Unknown)
        );
        let (clients, after) = (vec![Behaviour::Mute], Some(ms(300_000)));
        assert_eq!(findings.reasons, [ZombieFinding::PathDropped { clients, after }]);
        assert!(matches!(findings.meets(&"<=60s".parse().unwrap()), Truth::Unknown(_)));
        let leak = ZombieFindings::of(
            run_with([lost, alive(Behaviour::Stalled), ended(Behaviour::HalfClosed, 3)]),
            watched(true),
        );
        assert_eq!((leak.verdict, &leak.policy), (ZombieVerdict::ZombiesKept, &ReapingPolicy::Unknown));
        assert_eq!(leak.reasons, findings.reasons, "one kept client is a leak whatever happened to another");
        assert!(leak.meets(&"<=60s".parse().unwrap()).is_false());
    }

    #[test]
    fn client_without_requests_was_not_reaped_for_silence() {
        let clients = |asked: &[u64], quiet: ClientRecord| {
            let mut clients = reaping();
            clients[3] = record(Behaviour::Mute, asked, 40_000, true);
            clients[1] = quiet;
            ZombieFindings::of(clients, watched(true))
        };
        let kept = clients(&[], alive(Behaviour::Quiet));
        assert_eq!((kept.verdict, &kept.policy), (ZombieVerdict::Inconclusive, &ReapingPolicy::Unknown));
        let (client, after) = (Behaviour::Mute, ms(40_000));
        let not_the_reason = ZombieFinding::SilenceNotTheReason { client, after, kept: Behaviour::Quiet };
        assert_eq!(kept.reasons, [not_the_reason]);
        assert_eq!(
            clients(&[], ended(Behaviour::Quiet, 60_000)).verdict,
            ZombieVerdict::Inconclusive,
            "much later"
        );
        assert_eq!(
            clients(&[], ended(Behaviour::Quiet, 41_000)).verdict,
            ZombieVerdict::ReapsDeadClients,
            "of the same"
        );
        assert_eq!(
            clients(&[20_000], alive(Behaviour::Quiet)).verdict,
            ZombieVerdict::ReapsDeadClients,
            "it was asked"
        );
        let answers = record(Behaviour::Quiet, &[20_000], 300_000, false);
        assert_eq!(clients(&[], answers).verdict, ZombieVerdict::ReapsDeadClients, "the other was");
        let mut leak = reaping();
        (leak[3], leak[4]) = (record(Behaviour::Mute, &[], 40_000, true), alive(Behaviour::Stalled));
        let leak = ZombieFindings::of(leak, watched(true));
        assert_eq!(leak.verdict, ZombieVerdict::ZombiesKept);
        assert!(leak.meets(&"<=60s".parse().unwrap()).is_false());
        assert!(matches!(leak.meets(&">=60s".parse().unwrap()), Truth::Unknown(_)), "not of the silent");
    }

    #[test]
    fn stalled_client_asked_before_the_mute_one_contradicts_nothing() {
        let contradicts = |unread| {
            let stalled = ClientRecord { unread, ..record(Behaviour::Stalled, &[], 1400, true) };
            let found = ZombieFindings::of(
                run_with([
                    record(Behaviour::Mute, &[1900], 2700, true),
                    stalled,
                    ended(Behaviour::HalfClosed, 3),
                ]),
                watched(true),
            );
            let is_so = |reason: &ZombieFinding| {
                matches!(reason, ZombieFinding::SilenceNotTheReason { client: Behaviour::Stalled, .. })
            };
            found.reasons.iter().any(is_so)
        };
        assert!(contradicts(0), "it was as silent as the mute one");
        assert!(!contradicts(1), "it left a heartbeat unanswered that the mute one had not got yet");
    }

    #[test]
    fn client_asked_shortly_before_the_end_shows_no_leak() {
        let findings = |pings: &[u64], others: &[u64]| {
            let kept = |behaviour, pings: &[u64]| record(behaviour, pings, 300_000, false);
            let mut clients = run_with([
                kept(Behaviour::Mute, pings),
                alive(Behaviour::Stalled),
                ended(Behaviour::HalfClosed, 3),
            ]);
            clients[1] = kept(Behaviour::Quiet, others);
            ZombieFindings::of(clients, watched(true))
        };
        let seldom: Vec<u64> = (1..4).map(|n| n * 80_000).collect();
        let early = findings(&seldom, &seldom);
        assert_eq!((early.verdict, &early.policy), (ZombieVerdict::Inconclusive, &ReapingPolicy::Unknown));
        let (client, kept, needed) = (Behaviour::Mute, ms(300_000), ms(360_000));
        let too_short =
            |interval_known| ZombieFinding::WaitedTooShort { client, kept, needed, interval_known };
        assert_eq!(early.reasons, [too_short(true)]);
        assert!(early.meets(&"<=60s".parse().unwrap()).is_false(), "so much is known");
        let often: Vec<u64> = (1..10).map(|n| n * 30_000).collect();
        assert_eq!(findings(&often, &often).verdict, ZombieVerdict::ZombiesKept);
        assert_eq!(findings(&[2000], &[2000]).verdict, ZombieVerdict::ZombiesKept, "it asks once");
        assert_eq!(
            findings(&[100_000], &[100_000]).verdict,
            ZombieVerdict::Inconclusive,
            "its interval is not known"
        );
        assert_eq!(
            findings(&[], &[200_000]).verdict,
            ZombieVerdict::Inconclusive,
            "it would have been asked by then"
        );
        assert_eq!(findings(&[], &[2000]).verdict, ZombieVerdict::ZombiesKept, "it never would have been");
    }

    #[test]
    fn stalled_client_may_be_closed_an_interval_later() {
        // A tick for all every 3 s; the first falls before the stalled client begins, and its turn comes with the third.
        let reason = |max: u64| {
            let clients = vec![
                record(Behaviour::Control, &[200, 3200], max, false),
                record(Behaviour::Quiet, &[200, 3200], max, false),
                record(Behaviour::Mute, &[200], 3200, true),
                record(Behaviour::Stalled, &[], max, false),
            ];
            ZombieFindings::of(clients, watched(true)).verdict
        };
        assert_eq!((reason(4500), reason(7000)), (ZombieVerdict::Inconclusive, ZombieVerdict::ZombiesKept));
    }

    #[test]
    fn mute_client_evicted_for_room_shows_no_policy() {
        let mut clients = reaping();
        clients[4] = alive(Behaviour::Stalled);
        let ClientEnd::Ended { ending, .. } = &mut clients[3].end else { panic!("it is over") };
        let how = CloseKind::CloseFrame { code: Some(1012), reason: UntrustedText::default() };
        *ending = std::sync::Arc::new(CloseCause { how, ..CloseCause::clone(ending) });
        let findings = ZombieFindings::of(clients, watched(true));
        assert_eq!(
            (findings.verdict, &findings.policy),
            (ZombieVerdict::ZombiesKept, &ReapingPolicy::Unknown)
        );
        let client = Behaviour::Mute;
        assert_eq!(findings.reasons, [ZombieFinding::UnrelatedCloseCode { client, code: 1012 }]);
    }

    #[test]
    fn stalled_client_reaped_before_any_message_proves_nothing() {
        let verdict = |stalled: u64| {
            let mut clients = reaping();
            clients[4] = ClientRecord { began: ms(370), ..ended(Behaviour::Stalled, stalled) };
            ZombieFindings::of(clients, watched(true)).verdict
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
        let mut swept = run_with([
            record(Behaviour::Mute, &[], 1200, true),
            ended(Behaviour::Stalled, 830),
            ended(Behaviour::HalfClosed, 3),
        ]);
        (swept[1], swept[4].began) = (record(Behaviour::Quiet, &[], 1200, true), ms(370));
        let swept = ZombieFindings::of(swept, ObservationQuality { every: ms(200), ..watched(true) });
        assert_eq!(swept.verdict, ZombieVerdict::ReapsDeadClients, "at one moment");
    }

    #[test]
    fn clients_ending_together_were_not_reaped() {
        let away = |stalled: u64| {
            let mut clients = run_with([
                ended(Behaviour::Mute, 40_000),
                ended(Behaviour::Stalled, stalled),
                ended(Behaviour::HalfClosed, 3),
            ]);
            clients[4].began = ms(370);
            for client in &mut clients[3..5] {
                let ClientEnd::Ended { ending, .. } = &mut client.end else { panic!("it is over") };
                let how = CloseKind::CloseFrame { code: Some(1001), reason: UntrustedText::default() };
                *ending = std::sync::Arc::new(CloseCause { how, ..CloseCause::clone(ending) });
            }
            ZombieFindings::of(clients, watched(true))
        };
        let restart = away(39_630);
        assert_eq!(
            (restart.verdict, &restart.policy),
            (ZombieVerdict::Inconclusive, &ReapingPolicy::Unknown)
        );
        assert_eq!(restart.reasons, [ZombieFinding::PerhapsRestart { client: Behaviour::Mute }]);
        assert_eq!(away(40_000).verdict, ZombieVerdict::ReapsDeadClients, "each at its age, as Jetty does");
    }

    #[test]
    fn unknown_messages_are_reported_beside_a_timer() {
        let reason = |moments: &[u64]| {
            let mut clients = run_with([
                record(Behaviour::Mute, &[], 40_000, true),
                ended(Behaviour::Stalled, 40_000),
                ended(Behaviour::HalfClosed, 3),
            ]);
            clients[1] = record(Behaviour::Quiet, &[], 40_000, true);
            for moment in moments {
                let event =
                    ServerEvent::plain(ServerEventKind::Message, UntrustedText::new("{\"op\":\"hb\"}"));
                clients[3].listening.record_event(ms(*moment), &event);
            }
            let findings = ZombieFindings::of(clients, watched(true));
            assert!(matches!(findings.policy, ReapingPolicy::Idle(_, None)), "{findings:?}");
            findings.reasons
        };
        let sample = UntrustedText::new("{\"op\":\"hb\"}");
        assert_eq!(reason(&[10, 2000]), [ZombieFinding::UnknownMessages { sample }]);
        assert_eq!(reason(&[10]), [], "a welcome");
    }

    #[test]
    fn worst_reaping_time_needs_the_other_clients() {
        let worst = |stalled: u64, asks: &[u64], mute: u64| {
            let grid: Vec<u64> = (1..100).map(|n| n * 2500).collect();
            let others = [Behaviour::Control, Behaviour::Quiet, Behaviour::PingsOnly]
                .map(|behaviour| record(behaviour, &grid, 250_000, false));
            let mut clients = others.to_vec();
            clients.push(record(Behaviour::Mute, asks, mute, true));
            clients.push(ClientRecord { began: ms(370), ..record(Behaviour::Stalled, &[], stalled, true) });
            ZombieFindings::of(clients, ObservationQuality { every: ms(4400), ..watched(true) }).at_worst()
        };
        assert_eq!(worst(5000, &[2500], 5000), Some(ms(5000)));
        assert_eq!(worst(4630, &[2500], 5000), Some(ms(5000)), "all at one tick, when the next was due");
        assert_eq!(worst(8841, &[2500, 5000], 6202), None, "the stalled client was kept for longer");
        assert_eq!(worst(6246, &[2500, 5000], 6603), None, "it looks at moments of its own");
    }

    #[test]
    fn interrupt_before_any_request_is_inconclusive() {
        let unasked = |proven| {
            let mut mute = alive(Behaviour::Mute);
            mute.end = ClientEnd::Kept { so_far: ms(300_000), proven };
            let mut stalled = alive(Behaviour::Stalled);
            stalled.end = mute.end.clone();
            let clients = run_with([mute, stalled, ended(Behaviour::HalfClosed, 3)]);
            ZombieFindings::of(clients, watched(false))
        };
        assert!(unasked(true).meets(&"<=60s".parse().unwrap()).is_false());
        let Truth::Unknown(why) = unasked(false).meets(&"<=60s".parse().unwrap()) else { panic!("decided") };
        assert_eq!(why, "interrupted before it was known whether the mute client was still there");
        let kept = |proven| {
            let clients = vec![Behaviour::Mute, Behaviour::Stalled];
            [ZombieFinding::KeptAtInterrupt { clients, proven }]
        };
        assert_eq!(
            (unasked(true).reasons, unasked(false).reasons),
            (kept(true).to_vec(), kept(false).to_vec())
        );
        let unconfirmed = ObservationQuality { control_confirmed: false, ..watched(false) };
        let clients =
            run_with([alive(Behaviour::Mute), alive(Behaviour::Stalled), ended(Behaviour::HalfClosed, 3)]);
        let unconfirmed = ZombieFindings::of(clients, unconfirmed).meets(&"<=60s".parse().unwrap());
        assert!(matches!(unconfirmed, Truth::Unknown(_)), "the server may have hung");
    }

    #[test]
    fn silently_dropped_client_shows_no_leak() {
        let mut clients =
            run_with([alive(Behaviour::Mute), alive(Behaviour::Stalled), ended(Behaviour::HalfClosed, 3)]);
        clients[1].last_ping_unanswered = true;
        let findings = ZombieFindings::of(clients, watched(true));
        let client = Behaviour::Quiet;
        assert_eq!(
            (findings.verdict, &findings.reasons[..]),
            (ZombieVerdict::Inconclusive, &[ZombieFinding::LastPingUnanswered { client }][..])
        );
        assert!(matches!(findings.meets(&"<=60s".parse().unwrap()), Truth::Unknown(_)));
    }

    #[test]
    fn unmet_expectation_is_described_by_the_failing_clients() {
        let found = |clients, text: &str| match ZombieFindings::of(clients, watched(true))
            .meets(&text.parse().unwrap())
        {
            Truth::False(found) => found,
            other => panic!("{other:?}"),
        };
        assert_eq!(found(reaping(), "<=2s"), "the stalled client was closed after 40.1 s");
        let kept =
            run_with([alive(Behaviour::Mute), alive(Behaviour::Stalled), ended(Behaviour::HalfClosed, 3)]);
        assert_eq!(found(kept, "<=2s"), "mute and stalled were still open after 5m");
    }

    #[test]
    fn interrupt_before_control_outlives_suggests_a_lifetime() {
        let clients = |control| {
            let mut clients = reaping();
            clients[0] = record(Behaviour::Control, &[], control, false);
            clients[1] = record(Behaviour::Quiet, &[], control, false);
            ZombieFindings::of(clients, watched(false)).verdict
        };
        assert_eq!(
            (clients(49_000), clients(47_000)),
            (ZombieVerdict::ReapsDeadClients, ZombieVerdict::Inconclusive)
        );
    }

    #[test]
    fn unopened_pings_only_client_is_reported() {
        let mut clients = reaping();
        clients[2] = ClientRecord::new(Behaviour::PingsOnly);
        let findings = ZombieFindings::of(clients, watched(true));
        assert_eq!(findings.verdict, ZombieVerdict::ReapsDeadClients);
        let is_unopened = |finding: &ZombieFinding| {
            matches!(finding, ZombieFinding::ClientNotOpened { client: Behaviour::PingsOnly, .. })
        };
        assert!(findings.reasons.iter().all(is_unopened), "{findings:?}");
    }

    #[test]
    fn unopened_dead_client_is_inconclusive() {
        let clients = run_with([
            ClientRecord::new(Behaviour::Mute),
            ended(Behaviour::Stalled, 1),
            ended(Behaviour::HalfClosed, 3),
        ]);
        assert_eq!(ZombieFindings::of(clients, watched(true)).verdict, ZombieVerdict::Inconclusive);
    }

    #[test]
    fn broken_connection_was_not_closed_by_the_server() {
        let mut mute = ended(Behaviour::Mute, 40_000);
        let ClientEnd::Ended { ending, .. } = &mut mute.end else { panic!("it is over") };
        let broken =
            CloseCause { who: ClosedBy::Network, how: CloseKind::Timeout, ..CloseCause::clone(ending) };
        *ending = std::sync::Arc::new(broken);
        let findings = ZombieFindings::of(
            run_with([mute, ended(Behaviour::Stalled, 40_100), ended(Behaviour::HalfClosed, 3)]),
            watched(true),
        );
        assert_eq!(
            (findings.verdict, findings.policy),
            (ZombieVerdict::Inconclusive, ReapingPolicy::Unknown)
        );
        let client = Behaviour::Mute;
        assert!(
            matches!(findings.reasons[..], [ZombieFinding::ClientNotClosedByServer { client: it, .. }] if it == client),
            "{:?}",
            findings.reasons
        );
    }

    #[test]
    fn upper_bound_is_for_all_clients_lower_for_the_mute() {
        let met = |clients: Vec<ClientRecord>, text: &str| match ZombieFindings::of(clients, watched(true))
            .meets(&text.parse().unwrap())
        {
            Truth::True(_) | Truth::TrueOfBounds(_) => Some(true),
            Truth::False(_) => Some(false),
            Truth::Unknown(_) => None,
        };
        assert_eq!(met(reaping(), "<=60s"), Some(true));
        assert_eq!(met(reaping(), "<=40050ms"), Some(false), "the stalled one was kept for longer");
        assert_eq!(met(reaping(), ">=30s"), Some(true), "that the half-closed one goes at once is well");
        let leak = run_with([
            ended(Behaviour::Mute, 40_000),
            alive(Behaviour::Stalled),
            ended(Behaviour::HalfClosed, 3),
        ]);
        assert_eq!(met(leak.clone(), "<=60s"), Some(false));
        assert_eq!(met(leak, "<=10m"), None, "it was not waited for so long");
        assert_eq!(ZombieFindings::of(reaping(), watched(true)).longest, Some(ms(40_100)));
        let mut late = ended(Behaviour::Stalled, 70_000);
        let ClientEnd::Ended { at_latest, .. } = &mut late.end else { panic!("it is over") };
        *at_latest = true;
        let clients = run_with([ended(Behaviour::Mute, 40_000), late, ended(Behaviour::HalfClosed, 3)]);
        assert_eq!(met(clients.clone(), "<=70s"), Some(true));
        let truth = ZombieFindings::of(clients, watched(true)).meets(&"<=60s".parse().unwrap());
        let Truth::Unknown(why) = truth else { panic!("{truth:?}") };
        let mut kept = reaping();
        let ClientEnd::Ended { at_latest, .. } = &mut kept[4].end else { panic!("it is over") };
        *at_latest = true;
        kept[5] = alive(Behaviour::HalfClosed);
        assert_eq!(met(kept, "<=39s"), Some(false), "one that is known decides");
        assert_eq!(why, "it is unknown when within 70 s the stalled client was closed");
    }
}
