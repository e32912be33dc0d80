//! The findings of listening, event by event.

use super::super::findings::{
    EndLiveness, EndedBy, FirstHeartbeat, ListenFindings, ListenVerdict, ObservationConditions,
    UnansweredPolicy,
};
use super::super::listen_finding::{ListenFinding, ObservationLimit};
use super::super::timer_evidence::{IntervalOrigin, IntervalSpan};
use super::super::traffic_effect::TrafficEffect;
use super::*;
use crate::domain::connection::incomplete::{IncompleteData, IncompletePart};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::label::Label;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn event(event_kind: ServerEventKind) -> ServerEvent {
    ServerEvent::plain(event_kind, UntrustedText::new("x"))
}

fn pings(moments: &[u64]) -> ListenState {
    let mut listening = ListenState::new(Duration::ZERO, false);
    moments.iter().for_each(|moment| listening.record_event(ms(*moment), &event(ServerEventKind::Ping)));
    listening
}

/// The codes of the reasons.
fn codes(findings: &ListenFindings) -> Vec<&'static str> {
    findings.reasons.iter().map(Label::label).collect()
}

fn whole(listened: Duration) -> ObservationConditions {
    ObservationConditions { listened, answered: true, ..ObservationConditions::default() }
}

#[test]
fn ping_every_30_s_is_found_with_an_early_first() {
    let findings = pings(&[11_000, 41_000, 71_010, 101_000]).findings(&whole(s(120)));
    let interval = findings.interval().unwrap();
    assert_eq!(findings.verdict, ListenVerdict::ServerPingsEvery);
    // Gaps: 30 000, 30 010, 29 990 ms.
    assert_eq!((interval.median, interval.spread()), (ms(30_000), ms(20)));
    assert_eq!(findings.kinds[0].early, Some(FirstHeartbeat::Early));
    assert_eq!(findings.covered_timeouts.unwrap().covered[0], s(50), "30 s is 75 % of 40 s");
    assert_eq!(findings.longest_quiet, ms(30_010));
}

#[test]
fn stopped_heartbeats_are_inconclusive() {
    let moments = [500, 1000, 1500, 2000];
    let still = pings(&moments).findings(&whole(ms(3250)));
    assert_eq!(still.verdict, ListenVerdict::ServerPingsEvery);
    let findings = pings(&moments).findings(&whole(ms(3251)));
    assert_eq!((findings.verdict, &findings.covered_timeouts), (ListenVerdict::Inconclusive, &None));
    let long = pings(&moments).findings(&whole(s(10)));
    let (interval, since_traffic, silence) = (Some(ms(500)), false, s(8));
    let stopped = ListenFinding::HeartbeatsStopped { count: 4, interval, since_traffic, silence };
    assert_eq!(long.reasons, [stopped]);
    let mut with_client_message = pings(&moments);
    with_client_message.record_client_message(ms(3000));
    let with_client_message = with_client_message.findings(&whole(ms(4100)));
    assert_eq!(
        with_client_message.verdict,
        ListenVerdict::Inconclusive,
        "traffic was never seen to postpone one"
    );
    assert_eq!(with_client_message.reasons, [ListenFinding::HeartbeatOverdue { silence: ms(2100) }]);
    let unanswered = ObservationConditions { answered: false, ..whole(ms(9000)) };
    assert_eq!(pings(&moments).findings(&unanswered).verdict, ListenVerdict::ServerPingsEvery, "that is why");
}

#[test]
fn flood_has_not_stopped_with_its_last_frame() {
    let mut flood = ListenState::new(Duration::ZERO, false);
    (0..1000).for_each(|n| flood.record_event(Duration::from_micros(n * 50), &event(ServerEventKind::Ping)));
    let findings = flood.findings(&whole(ms(60)));
    assert_eq!(findings.verdict, ListenVerdict::ServerPingsEvery);
    assert_eq!(findings.kinds[0].per_second(), Some(20_000.0));
    assert_eq!(flood.findings(&whole(ms(2100))).verdict, ListenVerdict::Inconclusive);
    assert_eq!(pings(&[5]).findings(&whole(ms(60))).kinds[0].per_second(), None);
}

#[test]
fn first_of_a_fast_series_is_not_compared_with_the_interval() {
    let every = |millis: u64| {
        let moments: Vec<u64> = (1..20).map(|n| n * millis).collect();
        pings(&moments).findings(&whole(ms(20 * millis))).kinds[0].early
    };
    assert_eq!((every(3), every(99)), (None, None), "timers are too late to tell");
    assert_eq!(every(100), Some(FirstHeartbeat::OnTime));
}

#[test]
fn longest_gap_decides_the_covered_timeouts() {
    let findings = pings(&[20_000, 40_000, 60_000, 80_000, 180_000, 200_000]).findings(&whole(s(201)));
    assert_eq!(findings.verdict, ListenVerdict::ServerPingsEvery);
    assert_eq!(findings.covered_timeouts.unwrap().covered[0], s(180), "100 s is more than 75 % of 120 s");
    let paused = ListenFinding::HeartbeatsPaused { longest: s(100), intervals: 5.0, burst: false };
    assert_eq!(findings.reasons, [paused]);
    let burst: Vec<u64> = (0..40).map(|n| 1000 + n / 10 * 30_000).collect();
    let bursts = pings(&burst).findings(&whole(s(92)));
    assert_eq!(codes(&bursts), ["heartbeats_paused"]);
    assert_eq!(bursts.kinds[0].early, None, "there is no interval that it could be compared with");
    let one_left_out = pings(&[20_000, 40_000, 60_000, 80_000, 120_000]).findings(&whole(s(121)));
    assert_eq!((one_left_out.verdict, one_left_out.reasons.len()), (ListenVerdict::ServerPingsEvery, 0));
}

#[test]
fn silence_is_claimed_only_for_the_whole_run() {
    let silent = pings(&[]);
    let verdict = |how: ObservationConditions| silent.findings(&how).verdict;
    assert_eq!(verdict(whole(s(120))), ListenVerdict::ServerIsSilentFor);
    assert_eq!(
        verdict(ObservationConditions { interrupted: true, ..whole(s(9)) }),
        ListenVerdict::Inconclusive
    );
    assert_eq!(
        verdict(ObservationConditions { ended: Some(EndedBy::Server), ..whole(s(9)) }),
        ListenVerdict::Inconclusive
    );
    assert_eq!(silent.findings(&whole(s(120))).longest_quiet, s(120));
}

#[test]
fn server_with_an_earlier_heartbeat_is_not_silent() {
    let missed = ListenState::new(s(1), true);
    let findings = missed.findings(&whole(s(60)));
    assert_eq!((missed.missed_some(), findings.verdict), (true, ListenVerdict::Inconclusive));
    let (listened, limit) = (s(60), ObservationLimit::BeganLate);
    assert_eq!(findings.reasons, [ListenFinding::NoHeartbeatSeen { listened, limit }]);
}

#[test]
fn answered_heartbeats_do_not_count_as_unanswered() {
    let ended = ObservationConditions { answered: false, ended: Some(EndedBy::Server), ..whole(s(8)) };
    let mut beats = pings(&[2000]);
    beats.was_answered(ServerEventKind::Ping.into());
    assert_eq!(beats.findings(&ended).unanswered, None, "nothing provoked it");
    beats.record_event(s(4), &event(ServerEventKind::Ping));
    assert_eq!(beats.findings(&ended).unanswered, Some(UnansweredPolicy::Ends { after: 1 }));
}

#[test]
fn one_heartbeat_is_no_interval_four_may_be_irregular() {
    let one = pings(&[54_000]).findings(&whole(s(60)));
    assert_eq!(one.verdict, ListenVerdict::Inconclusive);
    let few =
        |answered, ended| ListenFinding::TooFewHeartbeats { count: 1, listened: s(60), answered, ended };
    assert_eq!(one.reasons, [few(true, false)]);
    let ended = ObservationConditions { ended: Some(EndedBy::Server), ..whole(s(60)) };
    assert_eq!(pings(&[54_000]).findings(&ended).reasons, [few(true, true)]);
    let some = pings(&[1000, 3000, 9000, 10_000]).findings(&whole(s(60)));
    assert_eq!((some.verdict, some.interval()), (ListenVerdict::Irregular, None));
}

#[test]
fn regular_ordinary_messages_are_no_heartbeats() {
    let mut listening = ListenState::new(Duration::ZERO, false);
    (1..10).for_each(|second| listening.record_event(s(second), &event(ServerEventKind::Message)));
    let findings = listening.findings(&whole(s(10)));
    assert_eq!((findings.verdict, findings.kinds.len()), (ListenVerdict::ServerIsSilentFor, 1));
    assert_eq!(findings.longest_quiet, s(1));
}

/// The client sends 3 s after each heartbeat of even number; `next` gives the heartbeat after that.
fn with_client_message(next: impl Fn(u64) -> u64) -> ListenFindings {
    let mut listening = pings(&[10_000, 20_000, 30_000]);
    let mut last = 30_000;
    for _ in 0..4 {
        listening.record_client_message(ms(last + 3000));
        last = next(last);
        listening.record_event(ms(last), &event(ServerEventKind::Ping));
        last += 10_000;
        listening.record_event(ms(last), &event(ServerEventKind::Ping));
    }
    listening.findings(&whole(ms(last)))
}

#[test]
fn stimulus_distinguishes_fixed_clock_and_last_traffic() {
    let effect = |findings: &ListenFindings| findings.kinds[0].by_client.map(|effects| effects.effect);
    let fixed = with_client_message(|last| last + 10_000);
    assert_eq!(
        (effect(&fixed), fixed.origin),
        (Some(TrafficEffect::Unmoved), Some(IntervalOrigin::FixedClock))
    );
    let counted = with_client_message(|last| last + 13_000);
    assert_eq!(
        (effect(&counted), counted.origin),
        (Some(TrafficEffect::Postponed), Some(IntervalOrigin::LastTraffic))
    );
    let skipped = with_client_message(|last| last + 15_000);
    assert_eq!(effect(&skipped), Some(TrafficEffect::Skipped));
    assert_eq!(
        skipped.interval().map(|interval| interval.median),
        Some(s(10)),
        "the stimulus does not blur it"
    );
    assert_eq!(skipped.kinds[0].by_client.unwrap().longest, 1.2);
}

#[test]
fn server_messages_show_the_clock_too() {
    let mut listening = pings(&[10_000]);
    for beat in 2..6 {
        listening.record_event(ms(beat * 10_000 - 6000), &event(ServerEventKind::Message));
        listening.record_event(s(beat * 10), &event(ServerEventKind::Ping));
    }
    let findings = listening.findings(&whole(s(55)));
    let by_server = findings.kinds[0].by_server.map(|effects| effects.effect);
    assert_eq!((by_server, findings.origin), (Some(TrafficEffect::Unmoved), None), "client traffic may");
    listening.record_client_message(s(53));
    listening.record_event(s(60), &event(ServerEventKind::Ping));
    assert_eq!(listening.findings(&whole(s(60))).origin, Some(IntervalOrigin::FixedClock));
}

#[test]
fn unanswered_heartbeats_go_on_or_stop_or_end() {
    let how = |listened| ObservationConditions { answered: false, ..whole(listened) };
    let beats = pings(&[2000, 4000, 6000]);
    assert_eq!(beats.findings(&how(s(8))).unanswered, Some(UnansweredPolicy::GoesOn { after: 3 }));
    assert_eq!(beats.findings(&how(s(20))).unanswered, Some(UnansweredPolicy::Stops { after: 3 }));
    let ended = |by| ObservationConditions { ended: Some(by), ..how(s(8)) };
    let server = ended(EndedBy::Server);
    assert_eq!(beats.findings(&server).unanswered, Some(UnansweredPolicy::Ends { after: 3 }));
    assert_eq!(beats.findings(&ended(EndedBy::Breakage)).unanswered, None, "unknown");
    let mut kept_alive = pings(&[2500]);
    [1, 2, 3]
        .into_iter()
        .for_each(|second| kept_alive.record_event(s(second), &event(ServerEventKind::KeepAlive)));
    let findings = kept_alive.findings(&server);
    assert_eq!(findings.heartbeat, Some(ServerEventKind::KeepAlive.into()));
    assert_eq!(findings.unanswered, Some(UnansweredPolicy::Ends { after: 1 }), "the Ping asked");
    assert_eq!(beats.findings(&whole(s(20))).unanswered, None, "they were answered");
    assert_eq!(pings(&[2000]).findings(&how(s(20))).unanswered, None, "one has no interval");
}

#[test]
fn ping_frame_ranks_before_a_keep_alive() {
    let mut listening = pings(&[2000, 4000, 6000]);
    (1..7)
        .for_each(|second| listening.record_event(ms(second * 1000 + 1), &event(ServerEventKind::KeepAlive)));
    assert_eq!(listening.findings(&whole(s(8))).heartbeat, Some(ServerEventKind::Ping.into()));
}

/// A server that sends a heartbeat `interval` ms after its last event, and messages at these times.
fn counting_from_its_own(interval: u64, messages: &[u64], until: u64) -> ListenState {
    let mut listening = ListenState::new(Duration::ZERO, false);
    let (mut messages, mut last) = (messages.iter().peekable(), 0);
    loop {
        let (at, event_kind) = match messages.next_if(|message| **message < last + interval) {
            Some(message) => (*message, ServerEventKind::Message),
            None => (last + interval, ServerEventKind::Ping),
        };
        if at > until {
            return listening;
        }
        listening.record_event(ms(at), &event(event_kind));
        last = at;
    }
}

/// In the middle of some gaps.
const CHATTER: [u64; 6] = [13_000, 25_000, 41_000, 48_000, 85_000, 104_500];

#[test]
fn server_counting_from_own_messages_is_not_irregular() {
    let listening = counting_from_its_own(10_000, &CHATTER, 130_000);
    let findings = listening.findings(&whole(s(130)));
    assert_eq!(
        (findings.verdict, findings.origin),
        (ListenVerdict::ServerPingsEvery, Some(IntervalOrigin::LastTraffic))
    );
    assert_eq!(findings.interval().map(|interval| (interval.median, interval.max)), Some((s(10), s(10))));
    let kind = findings.heartbeat().unwrap();
    assert!(!kind.sure && kind.interval.unwrap().max > s(14), "the gaps are reported as they were: {kind:?}");
    assert_eq!(kind.by_server.map(|effects| effects.effect), Some(TrafficEffect::Postponed));
    assert_eq!(
        findings.covered_timeouts.unwrap().covered[0],
        s(30),
        "the path was never quiet for longer than 10 s"
    );
    let stopped = listening.findings(&whole(s(145)));
    assert_eq!(stopped.verdict, ListenVerdict::Inconclusive);
    assert!(
        matches!(stopped.reasons[0], ListenFinding::HeartbeatsStopped { since_traffic: true, .. }),
        "{stopped:?}"
    );
    let unanswered = ObservationConditions { answered: false, ..whole(s(145)) };
    assert_eq!(listening.findings(&unanswered).verdict, ListenVerdict::ServerPingsEvery, "that is why");
}

#[test]
fn server_counting_from_own_messages_may_stop_pinging() {
    let mut listening = counting_from_its_own(10_000, &CHATTER, 70_000);
    let heartbeats = listening.heartbeats();
    [75_000, 83_000]
        .into_iter()
        .for_each(|at| listening.record_event(ms(at), &event(ServerEventKind::Message)));
    let unanswered = |listening: &ListenState, listened| {
        let how = ObservationConditions { answered: false, ..whole(listened) };
        listening.findings(&how).unanswered
    };
    assert_eq!(unanswered(&listening, s(90)), Some(UnansweredPolicy::GoesOn { after: heartbeats }));
    assert_eq!(unanswered(&listening, s(95)), None, "postponed, for all that is known");
    listening.record_event(s(113), &event(ServerEventKind::Message));
    assert_eq!(unanswered(&listening, s(114)), Some(UnansweredPolicy::Stops { after: heartbeats }));
    let answered = listening.findings(&whole(s(114)));
    assert_eq!(
        (answered.verdict, answered.origin),
        (ListenVerdict::Inconclusive, Some(IntervalOrigin::LastTraffic))
    );
    let ListenFinding::HeartbeatsStopped { silence, .. } = answered.reasons[0] else {
        panic!("{answered:?}")
    };
    assert_eq!(silence, s(30));
}

#[test]
fn clock_from_first_message_allows_silence_before() {
    let mut listening = ListenState::new(Duration::ZERO, false);
    listening.record_event(s(45), &event(ServerEventKind::Message));
    for (at, event_kind) in [
        (55, ServerEventKind::Ping),
        (62, ServerEventKind::Message),
        (72, ServerEventKind::Ping),
        (82, ServerEventKind::Ping),
    ] {
        listening.record_event(s(at), &event(event_kind));
    }
    let findings = listening.findings(&whole(s(90)));
    assert_eq!((findings.origin, findings.longest_quiet), (Some(IntervalOrigin::LastTraffic), s(45)));
    assert_eq!(findings.heartbeat().unwrap().early, None, "its message postponed the first");
}

#[test]
fn ping_after_each_message_is_no_heartbeat() {
    let mut listening = ListenState::new(Duration::ZERO, false);
    for message in [5_000, 20_000, 21_500, 52_000, 90_000] {
        listening.record_event(ms(message), &event(ServerEventKind::Message));
        listening.record_event(ms(message + 1000), &event(ServerEventKind::Ping));
    }
    let findings = listening.findings(&whole(s(95)));
    assert_eq!((findings.verdict, findings.interval()), (ListenVerdict::Irregular, None));
}

#[test]
fn heartbeats_only_after_messages_prove_nothing_in_silence() {
    let mut listening = ListenState::new(Duration::ZERO, false);
    for message in [1000, 7000, 15_000, 21_500, 30_000] {
        listening.record_event(ms(message), &event(ServerEventKind::Message));
        listening.record_event(ms(message + 5000), &event(ServerEventKind::Ping));
    }
    let findings = listening.findings(&whole(s(36)));
    assert_eq!((findings.verdict, findings.interval()), (ListenVerdict::Inconclusive, None));
    assert_eq!(findings.reasons, [ListenFinding::OnlyAfterMessages { after: s(5) }]);
}

#[test]
fn two_equal_gaps_yield_to_a_message_explanation() {
    // It counts 500 ms from its last message; two pauses between messages are five seconds apart.
    let pauses = [5_000, 10_400];
    let messages: Vec<u64> = (1..70)
        .map(|n| n * 200)
        .filter(|at| pauses.iter().all(|pause| !(*pause..*pause + 600).contains(at)))
        .collect();
    let findings = counting_from_its_own(500, &messages, 13_000).findings(&whole(s(13)));
    assert_eq!((findings.kinds[0].count, findings.interval()), (2, None));
    assert_eq!(findings.verdict, ListenVerdict::Inconclusive);
}

#[test]
fn messages_in_step_with_heartbeats_show_nothing() {
    // Either every 15 s, or 10 s after a message that comes every 15 s.
    let messages: Vec<u64> = (1..8).map(|n| n * 15_000).collect();
    let listening = counting_from_its_own(10_000, &messages, 107_000);
    let findings = listening.findings(&whole(s(107)));
    assert_eq!(findings.interval().map(|interval| interval.median), Some(s(15)));
    assert_eq!((findings.origin, findings.kinds[0].early), (None, None));
    let mut with_client_message = listening;
    with_client_message.record_client_message(ms(109_000));
    with_client_message.record_event(ms(115_000), &event(ServerEventKind::Ping));
    let findings = with_client_message.findings(&whole(s(115)));
    let by_client = findings.kinds[0].by_client.map(|effects| effects.effect);
    assert_eq!((findings.origin, by_client), (None, Some(TrafficEffect::Unmoved)));
}

#[test]
fn stopped_heartbeats_are_found_despite_other_messages() {
    let mut listening = ListenState::new(Duration::ZERO, false);
    let chatter = (1..60).map(|second| (second * 1000, ServerEventKind::Message));
    let mut all: Vec<_> = chatter.chain((1..5).map(|n| (n * 5000 + 300, ServerEventKind::Ping))).collect();
    all.sort_unstable();
    all.iter().for_each(|(at, event_kind)| listening.record_event(ms(*at), &event(*event_kind)));
    let findings = listening.findings(&whole(s(60)));
    let by_server = findings.kinds[0].by_server.map(|effects| effects.effect);
    assert_eq!(by_server, Some(TrafficEffect::Unmoved));
    assert_eq!(findings.verdict, ListenVerdict::Inconclusive);
    assert_eq!(codes(&findings), ["heartbeats_stopped"]);
    let unanswered = ObservationConditions { answered: false, ..whole(s(60)) };
    assert_eq!(listening.findings(&unanswered).unanswered, Some(UnansweredPolicy::Stops { after: 4 }));
}

#[test]
fn echo_does_not_hide_the_effect_of_client_traffic() {
    // It counts from the last traffic in either direction, and echoes.
    let mut listening = pings(&[10_000, 20_000, 30_000]);
    listening.record_client_message(ms(33_000));
    listening.answered(ms(33_001));
    listening.record_event(ms(43_001), &event(ServerEventKind::Ping));
    assert!(listening.clock().is_some(), "else nothing more is said");
    listening.record_event(ms(53_001), &event(ServerEventKind::Ping));
    let findings = listening.findings(&whole(s(54)));
    let kind = findings.heartbeat().unwrap();
    assert_eq!(kind.by_client.map(|effects| effects.effect), Some(TrafficEffect::Postponed));
    assert!(kind.sure && findings.origin == Some(IntervalOrigin::LastTraffic), "{findings:?}");
}

#[test]
fn stall_counts_as_no_gap_silence_or_span() {
    let mut listening = pings(&[1000, 2000, 3000]);
    listening.stood_still(ms(9000));
    // Those of 4 s to 9 s are read at once, and the next is on time.
    (0..6).for_each(|n| listening.record_event(ms(9000 + n), &event(ServerEventKind::Ping)));
    [10_000, 11_000, 12_000]
        .into_iter()
        .for_each(|at| listening.record_event(ms(at), &event(ServerEventKind::Ping)));
    let how = ObservationConditions { stood_still: Some(s(6)), ..whole(ms(12_500)) };
    let findings = listening.findings(&how);
    let interval = findings.interval().unwrap();
    assert_eq!((interval.min, interval.max, interval.gaps), (s(1), s(1), 4));
    assert_eq!((findings.verdict, findings.longest_quiet), (ListenVerdict::ServerPingsEvery, s(1)));
    assert_eq!(findings.kinds[0].count, 12);
    assert_eq!(findings.reasons, [ListenFinding::HostStalled { span: s(6) }]);
    let mut stopped = pings(&[1000, 2000, 3000]);
    stopped.stood_still(ms(9000));
    assert_eq!(stopped.findings(&whole(s(10))).verdict, ListenVerdict::ServerPingsEvery, "unknown");
    assert_eq!(stopped.findings(&whole(s(12))).verdict, ListenVerdict::Inconclusive, "they stopped");
}

#[test]
fn forgotten_connection_is_no_silent_server() {
    let forgotten = ObservationConditions { known: EndLiveness::Forgotten, ..whole(s(600)) };
    let findings = pings(&[]).findings(&forgotten);
    assert_eq!(findings.verdict, ListenVerdict::Inconclusive);
    assert_eq!(codes(&findings), ["no_heartbeat_seen", "path_dropped"]);
    let unanswered = ObservationConditions { answered: false, ..forgotten };
    assert_eq!(pings(&[2000, 4000, 6000]).findings(&unanswered).unanswered, None, "they may be lost");
}

#[test]
fn silences_at_start_and_end_limit_covered_timeouts() {
    let longest_covered = |listening: &ListenState, listened| {
        listening
            .findings(&whole(listened))
            .covered_timeouts
            .map(|covered_timeouts| covered_timeouts.covered[0])
    };
    // 31 s is more than 75 % of 30 s.
    let late = pings(&[31_000, 33_000, 35_000]);
    assert_eq!(longest_covered(&late, s(36)), Some(s(50)));
    let stopping = pings(&[10_000, 20_000, 30_000]);
    assert_eq!(
        (longest_covered(&stopping, s(52)), longest_covered(&stopping, s(54))),
        (Some(s(30)), Some(s(50)))
    );
    let mut with_client_message = stopping.clone();
    with_client_message.record_client_message(s(40));
    assert_eq!(longest_covered(&with_client_message, s(54)), Some(s(30)), "the client used the path");
}

#[test]
fn first_heartbeat_with_the_opening_is_at_once() {
    let first = |moments: &[u64]| pings(moments).findings(&whole(s(9))).kinds[0].early;
    assert_eq!(first(&[0, 2000, 4000, 6000]), Some(FirstHeartbeat::AtOnce));
    assert_eq!(first(&[26, 2026, 4026, 6026]), Some(FirstHeartbeat::Early));
}

#[test]
fn first_heartbeat_read_late_is_not_classified() {
    let mut listening = ListenState::new(Duration::ZERO, false);
    listening.stood_still(s(5));
    [5001, 6000, 7000, 8000]
        .into_iter()
        .for_each(|at| listening.record_event(ms(at), &event(ServerEventKind::Ping)));
    let findings = listening.findings(&whole(s(9)));
    let kind = findings.heartbeat().unwrap();
    assert_eq!((kind.first, kind.early, kind.interval.map(|gaps| gaps.gaps)), (None, None, Some(2)));
}

/// Like [`counting_from_its_own`] with messages, until 130 s. Then the client sends 3 s after each second
/// heartbeat, and the next one comes `next` later.
fn talking_to_one_that_counts_from_its_own(next: u64) -> ListenFindings {
    let mut listening = counting_from_its_own(10_000, &CHATTER, 130_000);
    let mut last = listening.clock().unwrap().from.as_millis() as u64;
    for _ in 0..3 {
        listening.record_client_message(ms(last + 3000));
        last += 3000 + next;
        listening.record_event(ms(last), &event(ServerEventKind::Ping));
        last += 10_000;
        listening.record_event(ms(last), &event(ServerEventKind::Ping));
    }
    listening.findings(&whole(ms(last)))
}

#[test]
fn stimulus_shows_whether_inbound_traffic_resets_the_clock() {
    let found = |next| {
        let findings = talking_to_one_that_counts_from_its_own(next);
        assert_eq!(findings.spanning(), Some(IntervalSpan::SinceTraffic), "the stimulus contradicts nothing");
        assert_eq!(findings.interval().map(|interval| interval.max), Some(s(10)), "nor does it blur it");
        assert_eq!(findings.origin, Some(IntervalOrigin::LastTraffic));
        findings.kinds[0].by_client.map(|effects| (effects.effect, effects.count))
    };
    assert_eq!(found(7_000), Some((TrafficEffect::Unmoved, 3)));
    assert_eq!(found(10_000), Some((TrafficEffect::Postponed, 3)));
    assert_eq!(found(13_000), Some((TrafficEffect::Skipped, 3)));
}

#[test]
fn server_answer_hides_the_effect_of_client_traffic() {
    let mut listening = counting_from_its_own(10_000, &CHATTER, 130_000);
    let from = listening.clock().unwrap().from;
    listening.record_client_message(from + s(3));
    listening.answered(from + s(4));
    listening.record_event(from + s(14), &event(ServerEventKind::Ping));
    let findings = listening.findings(&whole(from + s(15)));
    assert_eq!((findings.spanning(), findings.kinds[0].by_client), (Some(IntervalSpan::SinceTraffic), None));
}

#[test]
fn postponed_heartbeat_has_not_stopped() {
    let mut listening = counting_from_its_own(10_000, &CHATTER, 130_000);
    let from = listening.clock().unwrap().from;
    listening.record_client_message(from + s(7));
    let verdict = |after| listening.findings(&whole(from + s(after))).verdict;
    assert_eq!(
        (verdict(7 + 25), verdict(7 + 26)),
        (ListenVerdict::ServerPingsEvery, ListenVerdict::Inconclusive)
    );
}

#[test]
fn server_answers_count_as_traffic() {
    let mut listening = pings(&[1000]);
    listening.answered(s(5));
    listening.record_event(s(9), &event(ServerEventKind::Ping));
    let findings = listening.findings(&whole(s(9)));
    assert_eq!((findings.longest_quiet, findings.kinds.len()), (s(4), 1));
}

/// An app ping of a known form.
fn shaped(shape: &'static str) -> ServerEvent {
    ServerEvent {
        shape: Some(shape),
        ..ServerEvent::plain(ServerEventKind::AppPing, UntrustedText::new(shape))
    }
}

#[test]
fn app_pings_of_two_forms_have_separate_clocks() {
    let mut listening = ListenState::new(Duration::ZERO, false);
    let (fast, slow) = (shaped("type: ping"), shaped("event: ping"));
    // Every 2 s and every 3 s, half a second apart.
    let mut moments: Vec<(u64, &ServerEvent)> = (1..=9).map(|n| (2000 * n, &fast)).collect();
    moments.extend((0..6).map(|n| (3000 * n + 1500, &slow)));
    moments.sort_by_key(|(at, _)| *at);
    moments.into_iter().for_each(|(at, event)| listening.record_event(ms(at), event));
    let findings = listening.findings(&whole(ms(18_500)));
    assert_eq!((findings.verdict, findings.heartbeat), (ListenVerdict::ServerPingsEvery, Some(fast.kind())));
    let every: Vec<_> = findings
        .kinds
        .iter()
        .map(|kind| (kind.shape, kind.borne_out().map(|interval| interval.median)))
        .collect();
    assert_eq!(every, [(slow.shape, Some(s(3))), (fast.shape, Some(s(2)))]);
    assert_eq!(
        listening.arrivals(ServerEventKind::AppPing).map(|arrivals| arrivals.count),
        Some(9),
        "the commonest"
    );
}

#[test]
fn alternating_forms_do_not_halve_the_interval() {
    let mut listening = ListenState::new(Duration::ZERO, false);
    let event = [shaped("type: ping"), shaped("event: ping")];
    (1..=12).for_each(|n| listening.record_event(s(n as u64), &event[n % 2]));
    let findings = listening.findings(&whole(s(12)));
    assert_eq!(findings.interval().map(|interval| interval.median), Some(s(2)));
}

#[test]
fn single_unanswered_heartbeat_suggests_answering() {
    let unanswered = ObservationConditions { answered: false, ..whole(s(90)) };
    let few = |how: &ObservationConditions| match pings(&[30_000]).findings(how).reasons[..] {
        [ListenFinding::TooFewHeartbeats { answered, .. }] => Some(answered),
        _ => None,
    };
    assert_eq!((few(&unanswered), few(&whole(s(90)))), (Some(false), Some(true)));
}

#[test]
fn burst_has_no_interval() {
    let mut burst = ListenState::new(Duration::ZERO, false);
    let event = ServerEvent::plain(ServerEventKind::Ping, UntrustedText::new("x"));
    (0..40).for_each(|_| burst.record_event(s(1), &event));
    let findings = burst.findings(&whole(s(60)));
    let (interval, since_traffic, silence) = (None, false, s(59));
    let stopped = ListenFinding::HeartbeatsStopped { count: 40, interval, since_traffic, silence };
    assert_eq!(findings.reasons, [stopped]);
}

#[test]
fn welcome_does_not_make_a_fixed_clock_traffic_based() {
    let welcomed = |moments: &[u64]| {
        let mut listening = ListenState::new(Duration::ZERO, false);
        listening.record_event(
            ms(40),
            &ServerEvent::plain(ServerEventKind::Message, UntrustedText::new("welcome")),
        );
        let event = ServerEvent::plain(ServerEventKind::Ping, UntrustedText::new("x"));
        moments.iter().for_each(|moment| listening.record_event(ms(*moment), &event));
        listening
    };
    let three = welcomed(&[30_000, 60_000, 90_000]).findings(&whole(s(100)));
    assert_eq!((three.interval().map(|i| i.median), three.origin), (Some(s(30)), None));
    assert_eq!(three.spanning(), Some(IntervalSpan::Heartbeats));
    let two = welcomed(&[54_000, 108_000]).findings(&whole(s(120)));
    assert_eq!(
        (two.verdict, two.interval().map(|i| i.median)),
        (ListenVerdict::ServerPingsEvery, Some(s(54)))
    );
    let mut with_client_message = welcomed(&[25_000, 50_000, 75_000]);
    with_client_message.record_client_message(s(90));
    with_client_message
        .record_event(s(100), &ServerEvent::plain(ServerEventKind::Ping, UntrustedText::new("x")));
    assert_eq!(with_client_message.findings(&whole(s(110))).origin, Some(IntervalOrigin::FixedClock));
}

#[test]
fn only_a_longer_silence_shows_that_heartbeats_stop() {
    let unanswered = |moments: &[u64], listened: u64| {
        pings(moments).findings(&ObservationConditions { answered: false, ..whole(ms(listened)) }).unanswered
    };
    // Pairs, 5 ms apart, every 30 s.
    assert_eq!(unanswered(&[30_000, 30_005, 60_000, 60_005, 90_000, 90_005], 91_000), None);
    let steady = [10_000, 20_000, 30_000];
    assert_eq!(unanswered(&steady, 39_000), Some(UnansweredPolicy::GoesOn { after: 3 }));
    assert_eq!(unanswered(&steady, 50_000), None, "two are overdue");
    assert_eq!(unanswered(&steady, 56_000), Some(UnansweredPolicy::Stops { after: 3 }));
}

#[test]
fn running_heartbeat_ranks_before_a_stopped_one() {
    let mut listening = ListenState::new(Duration::ZERO, false);
    let app = shaped("type: ping");
    let mut moments: Vec<(u64, ServerEvent)> = (1..=6).map(|n| (10_000 * n, app.clone())).collect();
    moments.extend(
        (1..=3).map(|n| (1000 * n, ServerEvent::plain(ServerEventKind::Ping, UntrustedText::new("x")))),
    );
    moments.sort_by_key(|(at, _)| *at);
    moments.iter().for_each(|(at, event)| listening.record_event(ms(*at), event));
    let findings = listening.findings(&whole(s(61)));
    assert_eq!((findings.verdict, findings.heartbeat), (ListenVerdict::ServerPingsEvery, Some(app.kind())));
}

#[test]
fn all_heartbeats_together_decide_covered_timeouts() {
    let mut listening = ListenState::new(Duration::ZERO, false);
    let app = shaped("type: ping");
    for n in 1..=90 {
        listening.record_event(s(10 * n), &app);
        if n % 30 == 0 {
            listening.record_event(
                s(10 * n) + ms(1),
                &ServerEvent::plain(ServerEventKind::Ping, UntrustedText::new("x")),
            );
        }
    }
    let covered_timeouts = listening.findings(&whole(s(901))).covered_timeouts.unwrap();
    assert_eq!(covered_timeouts.not_covered, Vec::<Duration>::new(), "something comes every 10 s");
}

#[test]
fn dropped_connection_covers_no_timeout() {
    let forgotten = ObservationConditions { known: EndLiveness::Forgotten, answered: false, ..whole(s(36)) };
    let findings = pings(&[10_000, 20_000, 30_000]).findings(&forgotten);
    assert_eq!((findings.covered_timeouts, findings.unanswered), (None, None));
}

#[test]
fn overdue_heartbeats_at_the_end_are_reported() {
    let found = |moments: &[u64], listened: u64| {
        let findings = pings(moments).findings(&whole(ms(listened)));
        (findings.verdict, findings.reasons.first().cloned())
    };
    let three = [30_000, 60_000, 90_000];
    assert_eq!(found(&three, 120_000), (ListenVerdict::ServerPingsEvery, None));
    let overdue = found(&three, 150_000);
    assert_eq!(overdue.0, ListenVerdict::ServerPingsEvery);
    assert_eq!(overdue.1, Some(ListenFinding::HeartbeatOverdue { silence: s(60) }));
    assert_eq!(found(&[30_000, 60_000], 120_000).0, ListenVerdict::Inconclusive, "one gap, and none since");
}

#[test]
fn silence_during_a_host_stall_does_not_count() {
    let still = ObservationConditions { stood_still: Some(s(120)), ..whole(s(130)) };
    let findings = ListenState::new(Duration::ZERO, false).findings(&still);
    assert_eq!(findings.verdict, ListenVerdict::Inconclusive);
}

#[test]
fn two_gaps_differing_by_more_than_jitter_show_nothing() {
    let sure = |moments: &[u64]| pings(moments).findings(&whole(s(95))).interval();
    assert_eq!(sure(&[30_000, 57_000, 90_000]), None);
    assert!(sure(&[30_000, 60_000, 92_000]).is_some());
}

#[test]
fn server_never_silent_may_ping_after_silence() {
    let mut feed = ListenState::new(Duration::ZERO, false);
    (1..30).for_each(|second| feed.record_event(s(second), &event(ServerEventKind::Message)));
    let findings = feed.findings(&whole(s(30)));
    assert_eq!((findings.verdict, findings.longest_still), (ListenVerdict::ServerIsSilentFor, s(1)));
    assert_eq!(findings.reasons, [ListenFinding::SilenceTooShort { longest: s(1) }]);
    let mut keepalive = ListenState::new(Duration::ZERO, false);
    [30, 60, 90].into_iter().for_each(|second| keepalive.record_client_message(s(second)));
    let findings = keepalive.findings(&whole(s(100)));
    assert_eq!((findings.longest_quiet, findings.longest_still, findings.reasons.len()), (s(100), s(30), 1));
    let silent = ListenState::new(Duration::ZERO, false).findings(&whole(s(100)));
    assert_eq!((silent.longest_still, silent.reasons.len()), (s(100), 0));
}

#[test]
fn silence_starts_after_client_traffic_too() {
    let longest_covered = |listening: &ListenState, listened| {
        listening
            .findings(&whole(s(listened)))
            .covered_timeouts
            .map(|covered_timeouts| covered_timeouts.covered[0])
    };
    // A tick every 20 s that skips clients which sent since the last one.
    let mut skipped = pings(&[20_000, 40_000]);
    skipped.record_client_message(s(46));
    skipped.record_event(s(80), &event(ServerEventKind::Ping));
    assert_eq!(longest_covered(&skipped, 84), Some(s(50)), "34 s went by from what the client said");
    let mut greeted = ListenState::new(Duration::ZERO, false);
    greeted.record_client_message(ms(1));
    (0..5).for_each(|n| greeted.record_event(s(31 + 2 * n), &event(ServerEventKind::Ping)));
    assert_eq!(longest_covered(&greeted, 40), Some(s(50)));
}

#[test]
fn heartbeats_have_stopped_despite_client_traffic() {
    let mut listening = pings(&[2000, 4000, 6000]);
    (0..18).for_each(|n| listening.record_event(s(7 + 3 * n), &event(ServerEventKind::Message)));
    let findings = listening.findings(&whole(s(60)));
    assert_eq!((findings.verdict, &findings.covered_timeouts), (ListenVerdict::Inconclusive, &None));
    assert_eq!(findings.reasons, [ListenFinding::HeartbeatOverdue { silence: s(54) }]);
    let mut keepalive = pings(&[2000, 4000, 6000]);
    (0..18).for_each(|n| keepalive.record_client_message(s(7 + 3 * n)));
    assert_eq!(keepalive.findings(&whole(s(60))).verdict, ListenVerdict::Inconclusive);
}

#[test]
fn without_awaited_answer_heartbeats_do_not_stop() {
    let of = |known, listened| {
        let how = ObservationConditions { known, answered: false, ..whole(s(listened)) };
        let findings = pings(&[2000, 4000, 6000]).findings(&how);
        (findings.unanswered, findings.covered_timeouts.is_some(), findings.reasons.len())
    };
    let (stops, goes_on) = (UnansweredPolicy::Stops { after: 3 }, UnansweredPolicy::GoesOn { after: 3 });
    assert_eq!(of(EndLiveness::ToTheEnd, 16), (Some(stops), true, 0));
    assert_eq!(of(EndLiveness::Unasked, 16), (None, false, 1));
    assert_eq!(of(EndLiveness::Unasked, 8), (Some(goes_on), true, 1));
    let silent = pings(&[]).findings(&ObservationConditions { known: EndLiveness::Unasked, ..whole(s(120)) });
    let codes = codes(&silent);
    assert_eq!(
        (silent.verdict, &codes[..]),
        (ListenVerdict::Inconclusive, &["no_heartbeat_seen", "liveness_unknown"][..])
    );
}

#[test]
fn stopped_heartbeat_covers_no_timeout() {
    let mut listening = ListenState::new(Duration::ZERO, false);
    let mut event = |seconds: u64, event_kind| listening.record_event(s(seconds), &event(event_kind));
    (1..4).for_each(|second| event(second, ServerEventKind::AppPing));
    for second in 4..86 {
        match (second % 25, second % 5) {
            (0, _) => event(second, ServerEventKind::Ping),
            (_, 2) => event(second, ServerEventKind::Message),
            _ => {}
        }
    }
    let findings = listening.findings(&whole(s(86)));
    assert_eq!(findings.heartbeat.map(|kind| kind.event_kind), Some(ServerEventKind::Ping));
    let Some(covered_timeouts) = findings.covered_timeouts else { panic!("{findings:?}") };
    assert_eq!(covered_timeouts.covered[0], s(50), "they are 25 s apart");
}

#[test]
fn heartbeat_following_client_traffic_has_no_fixed_clock() {
    let of = |moments: &[u64], words: &[u64]| {
        let mut listening = ListenState::new(Duration::ZERO, false);
        let mut all: Vec<(u64, bool)> = moments.iter().map(|at| (*at, true)).collect();
        all.extend(words.iter().map(|at| (*at, false)));
        all.sort_unstable();
        for (at, is_ping) in all {
            if is_ping {
                listening.record_event(ms(at), &event(ServerEventKind::Ping))
            } else {
                listening.record_client_message(ms(at))
            }
        }
        let findings = listening.findings(&whole(ms(moments[moments.len() - 1] + 500)));
        let effects = findings.kinds[0].by_client.unwrap();
        (effects.effect, findings.origin)
    };
    // 2 s apart, and 3 s after client traffic.
    let moments = [2000, 4000, 7600, 9600, 13_700, 15_700, 19_500, 21_500];
    let words = [4600, 10_700, 16_500];
    assert_eq!(of(&moments, &words), (TrafficEffect::Skipped, None));
    // The next tick is skipped.
    let ticks = [2000, 4000, 8000, 10_000, 14_000, 16_000, 20_000, 22_000];
    assert_eq!(
        of(&ticks, &[4600, 10_700, 16_500]),
        (TrafficEffect::Skipped, Some(IntervalOrigin::FixedClock))
    );
}

#[test]
fn clock_that_skips_after_messages_shows_no_interval() {
    // A tick every 2 s that is skipped if the server has sent since the last one.
    let mut listening = ListenState::new(Duration::ZERO, false);
    let messages = [2600, 5000, 8200, 9600, 17_000, 20_900];
    let is_sent = |tick: u64| messages.iter().any(|at| (tick - 2000..tick).contains(at));
    let ticks =
        (1..13).map(|n| n * 2000).filter(|tick| !is_sent(*tick)).map(|at| (at, ServerEventKind::Ping));
    let mut all: Vec<(u64, ServerEventKind)> =
        ticks.chain(messages.map(|at| (at, ServerEventKind::Message))).collect();
    all.sort_unstable();
    all.into_iter().for_each(|(at, event_kind)| listening.record_event(ms(at), &event(event_kind)));
    let findings = listening.findings(&whole(s(25)));
    assert_eq!((findings.verdict, findings.interval()), (ListenVerdict::Irregular, None), "{findings:?}");
}

#[test]
fn incomplete_message_is_no_silence() {
    let part = IncompletePart::Frame { received: 100, size: 10_000 };
    let how =
        ObservationConditions { incomplete: Some(IncompleteData { part, since: s(4) }), ..whole(s(10)) };
    let findings = pings(&[]).findings(&how);
    assert_eq!((findings.verdict, findings.reasons.len()), (ListenVerdict::Inconclusive, 2));
    assert_eq!(findings.reasons[1], ListenFinding::MessageIncomplete(IncompleteData { part, since: s(4) }));
}
