//! What the figures mean together. Each rule finds one thing, or nothing without evidence.

use std::collections::BTreeMap;
use std::time::Duration;

use super::finding::{PingFinding, ReportedFinding, SharedEnd, SilentWebsockets, StreamLimit};
use super::health::Status;
use super::held_back::HeldBack;
use super::measurement::Measurement;
use super::preset_mismatch;
use super::report::{ConnReport, KindReport, PingReport, TargetReport, count_of};
use super::run_info::RunInfo;
use super::server_traffic::ServerTraffic;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy, Violation};
use crate::domain::connection::connect_info::{ConnectInfo, SharedHttp2};
use crate::domain::connection::goaway::GoawaySummary;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::substitutes::Substitute;
use crate::domain::heartbeat::unmatched::NearestMessage;
use crate::domain::stats::Counts;

/// Days before expiry from which a certificate is reported.
const CERT_EXPIRY_WARNING_DAYS: i64 = 14;
/// An app RTT counts as slow beside the protocol RTT if it is this many times as long ...
const SLOW_APP_FACTOR: u32 = 5;
/// ... and longer by this, so that a fast application is not reported.
const MIN_SLOW_APP_DIFFERENCE: Duration = Duration::from_millis(50);
/// An end later than this after a Ping is hardly caused by it.
const MAX_END_AFTER_PING: Duration = Duration::from_secs(1);
/// Minimum quiet time before an end that may be an idle timeout.
const MIN_IDLE_BEFORE_CUT: Duration = Duration::from_secs(5);
/// If the kernel received data this much later than the last answer, the server was still sending.
const MIN_DATA_AFTER_ANSWER: Duration = Duration::from_millis(100);

/// The rules for one target, the most informative first.
const RULES: &[fn(&FindingInput) -> Option<PingFinding>] = &[
    slow_or_silent_app,
    slow_behind_first_hop,
    preset_mismatch,
    echo_server,
    foreign_answers,
    wrong_pong_payload,
    messages_instead_of_pongs,
    incomplete_frame,
    last_message_before_end,
    ended_after_ping,
    none_answered,
    only_http2_answered,
    ended_with_http2_connection,
    h2_goaway_received,
    h2_streams_limited,
    unmatched_before_end,
    answers_stopped,
    cut_when_quiet,
    ambiguous_answers,
    unsent_heartbeats,
    held_back_heartbeats,
    |input| dropped_replies(input, HeartbeatKind::Protocol),
    |input| dropped_replies(input, HeartbeatKind::App),
    superseded_pongs,
    late_answers,
    unchosen_subprotocol,
    compression_not_agreed,
    certificate_expiry,
];

/// The input of the rules.
struct FindingInput<'a> {
    info: &'a RunInfo,
    target: &'a TargetReport,
}

impl FindingInput<'_> {
    fn kind(&self, kind: HeartbeatKind) -> Option<&KindReport> {
        self.target.kinds.iter().find(|figures| figures.kind == kind)
    }

    /// The figures of a kind of which no heartbeat was answered.
    fn unanswered_kind(&self, kind: HeartbeatKind) -> Option<&KindReport> {
        self.kind(kind).filter(|figures| figures.counts.answered() == 0)
    }

    fn sum(&self, pick: fn(&ConnReport) -> u64) -> u64 {
        self.target.connections.iter().map(pick).sum()
    }

    fn opened(&self) -> impl Iterator<Item = &ConnectInfo> {
        self.target.connections.iter().filter_map(|connection| connection.opened.as_deref())
    }

    fn server_traffic(&self) -> impl Iterator<Item = &ServerTraffic> {
        self.target.connections.iter().filter_map(|connection| connection.server_traffic.as_deref())
    }

    /// What came instead of Pongs, on the first connection where that is known.
    fn substitute(&self) -> Option<&Substitute> {
        self.server_traffic().find_map(|traffic| traffic.substitute.as_ref())
    }

    /// What flow control held back, on all connections.
    fn held_back(&self) -> Option<HeldBack> {
        self.server_traffic().filter_map(|traffic| traffic.held_back).reduce(HeldBack::and)
    }

    /// The message most similar to an answer, of all connections.
    fn nearest(&self) -> Option<&NearestMessage> {
        let nearest = self.server_traffic().filter_map(|traffic| traffic.nearest.as_ref());
        nearest.max_by_key(|nearest| nearest.difference.agreeing)
    }

    /// The sum of what `pick` counts, over all kinds.
    fn count(&self, pick: fn(&KindReport) -> u64) -> u64 {
        self.target.kinds.iter().map(pick).sum()
    }

    /// Whether every connection opened, and no peer or network ended it.
    fn stayed_open(&self) -> bool {
        self.target.connections.iter().all(stayed_open)
    }
}

/// Whether it opened, and no peer or network ended it.
fn stayed_open(connection: &ConnReport) -> bool {
    connection.opened.is_some() && connection.ending.as_ref().is_none_or(|ending| ending.who == ClosedBy::Us)
}

/// The findings of a run: those of this host first, then those of each target.
pub fn findings(report: &PingReport) -> Vec<ReportedFinding> {
    let has_own_delays =
        report.stamping.fell_back > 0 || matches!(report.measurement, Measurement::Suspect(_));
    let of_target = |(index, target)| {
        let input = FindingInput { info: &report.info, target };
        let found = RULES.iter().filter_map(move |rule| rule(&input));
        // Where timestamps of the kernel are missing, this program's own delays are in the RTT.
        let is_of_path = move |finding: &PingFinding| {
            !has_own_delays || !matches!(finding, PingFinding::SlowBehindFirstHop { .. })
        };
        let found = found.filter(is_of_path);
        found.map(move |finding| ReportedFinding { finding, target: Some(index) })
    };
    let of_targets = report.targets.iter().enumerate().flat_map(of_target);
    host_delay(report).into_iter().chain(of_targets).collect()
}

/// This host was late, so the figures are unreliable.
fn host_delay(report: &PingReport) -> Option<ReportedFinding> {
    match report.measurement {
        Measurement::Suspect(delay) => Some(ReportedFinding { finding: delay.into(), target: None }),
        Measurement::Unknown | Measurement::Sound => None,
    }
}

/// Ping frames work well, but messages are slow, lost or unanswered.
fn slow_or_silent_app(input: &FindingInput) -> Option<PingFinding> {
    let (protocol, app) = (input.kind(HeartbeatKind::Protocol)?, input.kind(HeartbeatKind::App)?);
    let fine = protocol.rtt.as_ref().filter(|_| protocol.status <= Status::Degraded)?;
    let (protocol_p50, missed) = (fine.p50, app.counts.missed);
    match &app.rtt {
        Some(slow) if is_slow(protocol_p50, slow.p50) => {
            Some(PingFinding::AppSlowerThanProtocol { protocol_p50, app_p50: slow.p50 })
        }
        Some(_) if missed > 0 && protocol.counts.missed == 0 => {
            Some(PingFinding::OnlyAppMissed { missed, judged: app.counts.judged() })
        }
        None if missed > 0 && !is_explained(input, app) => {
            let nearest = input.nearest().cloned();
            Some(PingFinding::OnlyAppUnanswered { protocol_p50, missed, nearest })
        }
        Some(_) | None => None,
    }
}

/// TCP's RTT, to the first TCP hop, is short compared with the pings'. A delayed acknowledgement only
/// lengthens TCP's.
fn slow_behind_first_hop(input: &FindingInput) -> Option<PingFinding> {
    let connection = input.target.only_connection()?;
    let tcp = connection.ending.as_ref()?.tcp.filter(|view| view.rtt > Duration::ZERO)?.rtt;
    let protocol_p50 = input.kind(HeartbeatKind::Protocol)?.rtt?.p50;
    is_slow(tcp, protocol_p50).then_some(PingFinding::SlowBehindFirstHop { tcp, protocol_p50 })
}

fn is_slow(beside: Duration, rtt: Duration) -> bool {
    rtt >= beside.saturating_mul(SLOW_APP_FACTOR) && rtt >= beside.saturating_add(MIN_SLOW_APP_DIFFERENCE)
}

/// Whether a more informative rule explains why no app heartbeat was answered.
fn is_explained(input: &FindingInput, app: &KindReport) -> bool {
    input.sum(|connection| connection.echoes) > 0
        || app.counts.mismatched > 0
        || preset_mismatch(input).is_some()
}

/// The server does not seem to speak the expected protocol.
fn preset_mismatch(input: &FindingInput) -> Option<PingFinding> {
    let app = input.kind(HeartbeatKind::App);
    preset_mismatch::unanswered(input.info, &input.target.connections, app)
}

/// Our app heartbeats were echoed, and none was answered.
fn echo_server(input: &FindingInput) -> Option<PingFinding> {
    let app = input.unanswered_kind(HeartbeatKind::App)?;
    let echoes = input.sum(|connection| connection.echoes);
    (echoes > 0).then(|| PingFinding::ServerEchoes { echoes, sent: app.counts.sent() })
}

/// All answers carry foreign ids or numbers.
fn foreign_answers(input: &FindingInput) -> Option<PingFinding> {
    let answers = input.unanswered_kind(HeartbeatKind::App)?.counts.mismatched;
    let first = input.server_traffic().find_map(|traffic| traffic.foreign.clone());
    (answers > 0).then_some(PingFinding::ForeignAnswers { answers, first })
}

/// Pongs came while pings were outstanding, and none matched.
fn wrong_pong_payload(input: &FindingInput) -> Option<PingFinding> {
    match input.substitute() {
        Some(Substitute::Pongs { count, payload }) => {
            return Some(PingFinding::WrongPongPayload { pongs: *count, payload: Some(payload.clone()) });
        }
        Some(Substitute::Pings { count }) => return Some(PingFinding::PingsReturned { count: *count }),
        Some(Substitute::Messages { .. }) | None => {}
    }
    let pongs = input.unanswered_kind(HeartbeatKind::Protocol)?.counts.mismatched;
    (pongs > 0).then_some(PingFinding::WrongPongPayload { pongs, payload: None })
}

/// Messages came instead of Pongs. A single message before an end is no answer but a final message.
fn messages_instead_of_pongs(input: &FindingInput) -> Option<PingFinding> {
    let Substitute::Messages { count, sample } = input.substitute()? else { return None };
    let is_final = *count == 1 && input.target.connections.iter().any(|c| c.lost.is_some());
    let finding = || PingFinding::MessagesInsteadOfPongs { count: *count, first: sample.clone() };
    (!is_final).then(finding)
}

/// A frame stayed incomplete, so no reply after it could arrive.
fn incomplete_frame(input: &FindingInput) -> Option<PingFinding> {
    input.server_traffic().find_map(|traffic| traffic.incomplete).map(PingFinding::IncompleteFrame)
}

/// The peer ended the connection right after our first, unanswered Ping, in a way that may blame the Ping.
fn ended_after_ping(input: &FindingInput) -> Option<PingFinding> {
    input.target.connections.iter().find_map(|connection| {
        let ending = connection.lost.as_ref().filter(|ending| may_blame_the_ping(ending))?;
        let after = connection.server_traffic.as_ref()?.ended_after_ping?;
        (after <= MAX_END_AFTER_PING).then(|| PingFinding::EndedAfterPing { after, ending: ending.clone() })
    })
}

/// Whether an end may be the reaction to a Ping:
///
/// - without a close frame, or with a code that blames the sent data, or with text that is not UTF-8
/// - not with an application's code, or one that only means the server goes away
fn may_blame_the_ping(ending: &CloseCause) -> bool {
    match &ending.how {
        CloseKind::CloseFrame { code, .. } => {
            code.is_none_or(|code| matches!(code, 1000 | 1002 | 1003 | 1007 | 1009 | 1011))
        }
        CloseKind::Fin
        | CloseKind::Rst
        | CloseKind::TlsClose
        | CloseKind::H2EndStream
        | CloseKind::H2RstStream { .. }
        | CloseKind::Violation { close: Some(_), .. } => true,
        // The Ping's payload, echoed as text, is not UTF-8.
        CloseKind::Violation { rule: Violation::InvalidUtf8, close: None, .. } => true,
        CloseKind::Violation { close: None, .. }
        | CloseKind::H2Goaway { .. }
        | CloseKind::TlsAlert { .. }
        | CloseKind::TooLarge { .. }
        | CloseKind::Silent
        | CloseKind::Timeout
        | CloseKind::Error => false,
    }
}

/// The connection ended before an app heartbeat was answered: shows the message most similar to an answer.
fn unmatched_before_end(input: &FindingInput) -> Option<PingFinding> {
    input.unanswered_kind(HeartbeatKind::App)?;
    if input.stayed_open() || preset_mismatch(input).is_some() {
        return None;
    }
    input.nearest().map(|nearest| PingFinding::UnmatchedBeforeEnd { nearest: nearest.clone() })
}

/// Shows the last message before the peer ended the connection, which may state the reason.
fn last_message_before_end(input: &FindingInput) -> Option<PingFinding> {
    if unmatched_before_end(input).is_some() {
        return None;
    }
    let ended_by_peer = |connection: &&ConnReport| {
        let lost = connection.lost.as_ref();
        lost.is_some_and(|ending| ending.who == ClosedBy::Peer && ending.is_by_peers_hand())
    };
    let lost = input.target.connections.iter().filter(ended_by_peer);
    let last = lost.filter_map(|connection| connection.server_traffic.as_ref()?.last.as_ref()).next()?;
    Some(PingFinding::LastMessage { message: last.clone() })
}

/// Nothing was answered on a connection that stayed open.
fn none_answered(input: &FindingInput) -> Option<PingFinding> {
    let rules = [wrong_pong_payload, messages_instead_of_pongs, incomplete_frame];
    if rules.iter().any(|rule| rule(input).is_some()) || !input.stayed_open() {
        return None;
    }
    let state = |kind| input.kind(kind).map(answer_state);
    match (state(HeartbeatKind::Protocol), state(HeartbeatKind::App)) {
        (Some(AnswerState::Missed(missed)), None) => {
            let unsolicited_pongs = input.count(|figures| figures.counts.unsolicited);
            Some(PingFinding::PingsUnanswered { missed, unsolicited_pongs })
        }
        (Some(AnswerState::Missed(pings)), Some(AnswerState::Missed(app_heartbeats))) => {
            Some(PingFinding::AllUnanswered { pings, app_heartbeats })
        }
        (Some(AnswerState::Missed(missed)), Some(AnswerState::Answered)) => {
            Some(PingFinding::OnlyPingsUnanswered { missed })
        }
        (None, Some(AnswerState::Missed(missed))) => unanswered_app(input, missed),
        (Some(AnswerState::Answered | AnswerState::Unclear) | None, _)
        | (Some(AnswerState::Missed(_)), Some(AnswerState::Unclear)) => None,
    }
}

/// What ends HTTP/2 lives, and WebSockets are not answered, or not any more.
fn only_http2_answered(input: &FindingInput) -> Option<PingFinding> {
    let silent: Vec<&ConnReport> =
        input.target.connections.iter().filter(is_silent_over_live_http2).collect();
    let of_websockets = silent.iter().flat_map(|connection| websocket_kinds(connection));
    let (missed, answered) = of_websockets.fold((0, 0), |(missed, answered), figures| {
        (missed + figures.counts.missed, answered + figures.counts.answered())
    });
    let websockets = count_of(silent.iter().copied());
    (websockets > 0).then_some(PingFinding::OnlyHttp2Answered(SilentWebsockets {
        websockets,
        missed,
        answered,
    }))
}

/// Whether all PINGs of HTTP/2 were acknowledged, while no heartbeat of the WebSocket was answered, or none at the end.
fn is_silent_over_live_http2(connection: &&ConnReport) -> bool {
    let http2 = connection.kinds.iter().find(|figures| figures.kind == HeartbeatKind::Http2);
    let lives = http2.is_some_and(|http2| http2.counts.answered() > 0 && http2.counts.missed == 0);
    let is_silent = |figures: &KindReport| {
        figures.counts.missed > 0 && (figures.counts.answered() == 0 || figures.status == Status::Dead)
    };
    lives
        && stayed_open(connection)
        && websocket_kinds(connection).next().is_some()
        && websocket_kinds(connection).all(is_silent)
}

fn websocket_kinds(connection: &ConnReport) -> impl Iterator<Item = &KindReport> {
    connection.kinds.iter().filter(|figures| figures.kind != HeartbeatKind::Http2)
}

/// WebSockets ended together with the connection of HTTP/2 that carried them.
fn ended_with_http2_connection(input: &FindingInput) -> Option<PingFinding> {
    let all = &input.target.connections;
    let on = |connection: &'_ ConnReport| {
        connection.lost_on.map(|number| (connection.run().map(str::to_string), number))
    };
    let mut ended = BTreeMap::<_, Vec<&ConnReport>>::new();
    for connection in all {
        let is_of_whole = connection.lost.as_ref().is_some_and(|ending| ending.is_of_whole_connection());
        if let Some(on) = on(connection).filter(|_| is_of_whole) {
            ended.entry(on).or_default().push(connection);
        }
    }
    ended.retain(|_, connections| count_of(connections.iter().copied()) > 1);
    let ending = ended.values().flatten().next()?.lost.clone()?;
    let first_on = |connection: &ConnReport| {
        Some((connection.run().map(str::to_string), connection.opened.as_ref()?.shared_http2?.number))
    };
    let was_carried = |connection: &&ConnReport| {
        on(connection).or_else(|| first_on(connection)).is_some_and(|on| ended.contains_key(&on))
    };
    Some(PingFinding::EndedWithHttp2Connection(SharedEnd {
        ended: count_of(ended.values().flatten().copied()),
        carried: count_of(all.iter().filter(was_carried)),
        connections: ended.len() as u64,
        ending,
    }))
}

/// The server's limit on streams made WebSockets need more connections than were to carry them.
fn h2_streams_limited(input: &FindingInput) -> Option<PingFinding> {
    let limit = |opened: &ConnectInfo| {
        let SharedHttp2 { streams_wanted: wanted, streams_allowed, .. } = opened.shared_http2?;
        Some((wanted, streams_allowed.filter(|allowed| *allowed < wanted)?))
    };
    let (wanted, allowed) = input.opened().find_map(limit)?;
    let websockets =
        count_of(input.target.connections.iter().filter(|connection| connection.opened.is_some()));
    let connections = input.target.shared_connections();
    (websockets > allowed.into()).then_some(PingFinding::H2StreamsLimited(StreamLimit {
        wanted,
        allowed,
        websockets,
        connections,
    }))
}

/// The peer announced the end of connections of HTTP/2, whether they ended or go on.
fn h2_goaway_received(input: &FindingInput) -> Option<PingFinding> {
    let notified = input.target.connections.iter().filter(|connection| connection.goaway.is_some());
    let is_ended_by_it = |connection: &&ConnReport| {
        let ending = connection.ending.as_ref();
        ending.is_some_and(|ending| matches!(ending.how, CloseKind::H2Goaway { .. }))
    };
    let ended = count_of(notified.clone().filter(is_ended_by_it));
    let notices = notified.filter_map(|connection| Some((connection.goaway.as_deref()?, connection.count())));
    GoawaySummary::of(notices, Some(ended)).map(PingFinding::H2GoawayReceived)
}

/// Whether a kind of heartbeat was answered at all.
enum AnswerState {
    /// All judged heartbeats were missed: this many.
    Missed(u64),
    Answered,
    /// Nothing was judged, or only superseded.
    Unclear,
}

fn answer_state(figures: &KindReport) -> AnswerState {
    let counts = &figures.counts;
    match (counts.answered(), counts.superseded, counts.missed) {
        (0, 0, 0) | (0, 1.., _) => AnswerState::Unclear,
        (0, 0, missed) => AnswerState::Missed(missed),
        (1.., _, _) => AnswerState::Answered,
    }
}

fn unanswered_app(input: &FindingInput, missed: u64) -> Option<PingFinding> {
    if is_explained(input, input.kind(HeartbeatKind::App)?) {
        return None;
    }
    let messages = input.sum(|connection| connection.messages);
    let nearest = input.nearest().cloned().filter(|_| messages > 0);
    Some(PingFinding::AppUnanswered { missed, messages, nearest })
}

/// Answers came and then stopped, and only heartbeats showed it. The connection where they stopped first.
fn answers_stopped(input: &FindingInput) -> Option<PingFinding> {
    if input.substitute().is_some() || incomplete_frame(input).is_some() {
        return None;
    }
    let given_up = input.target.connections.iter().filter_map(|connection| {
        let lost = connection.lost.as_deref()?;
        let is_timeout = lost.who == ClosedBy::Us && lost.how == CloseKind::Timeout;
        Some((connection.answered_until.filter(|_| is_timeout)?, connection, lost))
    });
    let (after, connection, lost) = given_up.min_by_key(|(after, ..)| *after)?;
    let counts =
        connection.kinds.iter().map(|figures| (figures.counts.missed_acked, figures.counts.missed_unacked));
    let (acknowledged, unacknowledged) = counts.fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
    Some(match (acknowledged, unacknowledged) {
        (1.., 0) if !sent_after(lost, after) => PingFinding::ServerStoppedAnswering { after, acknowledged },
        (0, 1..) => PingFinding::PathStoppedDelivering { after, unacknowledged },
        (_, _) => PingFinding::AnswersStopped { after },
    })
}

/// Whether the kernel received data after the last answer, which came at this age.
fn sent_after(ending: &CloseCause, answered_until: Duration) -> bool {
    let since_answer = ending.age.saturating_sub(answered_until);
    ending.tcp.is_some_and(|tcp| tcp.last_data.saturating_add(MIN_DATA_AFTER_ANSWER) < since_answer)
}

/// The connection was cut without a close frame, after a quiet time without a heartbeat.
fn cut_when_quiet(input: &FindingInput) -> Option<PingFinding> {
    let endings = input.target.connections.iter().filter_map(|connection| connection.lost.as_ref());
    let cut = endings.filter(|ending| is_cut(&ending.how));
    let interval = input.info.interval?;
    let quiet = cut
        .map(|ending| ending.idle)
        .filter(|idle| *idle >= MIN_IDLE_BEFORE_CUT && interval.saturating_mul(2) >= *idle);
    let idle = quiet.min()?;
    Some(PingFinding::CutWhenQuiet { idle, safe_interval: Duration::from_secs(idle.as_secs() * 3 / 4) })
}

/// Whether a connection ended so without a close frame.
fn is_cut(how: &CloseKind) -> bool {
    match how {
        CloseKind::Fin
        | CloseKind::Rst
        | CloseKind::TlsClose
        | CloseKind::H2EndStream
        | CloseKind::H2RstStream { .. }
        | CloseKind::H2Goaway { .. } => true,
        CloseKind::CloseFrame { .. }
        | CloseKind::TlsAlert { .. }
        | CloseKind::Violation { .. }
        | CloseKind::TooLarge { .. }
        | CloseKind::Silent
        | CloseKind::Timeout
        | CloseKind::Error => false,
    }
}

/// Answers without id were matched in order while several heartbeats were outstanding.
fn ambiguous_answers(input: &FindingInput) -> Option<PingFinding> {
    let answers = input.count(|figures| figures.counts.ambiguous);
    (answers > 0).then_some(PingFinding::AmbiguousAnswers { answers })
}

/// Heartbeats were due and not sent.
fn unsent_heartbeats(input: &FindingInput) -> Option<PingFinding> {
    // PINGs of HTTP/2 wait for the acknowledgement of the one before, not for room.
    let of_websocket = |pick: fn(&Counts) -> u64| -> u64 {
        let kinds = input.target.kinds.iter().filter(|figures| figures.kind != HeartbeatKind::Http2);
        kinds.filter(|figures| figures.counts.unsent > 0).map(|figures| pick(&figures.counts)).sum()
    };
    let unsent = of_websocket(|counts| counts.unsent);
    let due = of_websocket(|counts| counts.sent() + counts.unsent);
    let window_exhausted = of_websocket(|counts| counts.unsent_window_exhausted);
    let window = input.held_back().map(|held_back| held_back.window).filter(|_| window_exhausted > 0);
    (unsent > 0).then_some(PingFinding::HeartbeatsUnsent { unsent, due, window_exhausted, window })
}

/// Heartbeats left late, because the peer granted no room for them before.
fn held_back_heartbeats(input: &FindingInput) -> Option<PingFinding> {
    let HeldBack { delayed, longest, window } =
        input.held_back().filter(|held_back| held_back.delayed > 0)?;
    Some(PingFinding::HeldBackByFlowControl { heartbeats: delayed, longest, window })
}

/// Heartbeats stayed unanswered while later ones were answered.
fn dropped_replies(input: &FindingInput, kind: HeartbeatKind) -> Option<PingFinding> {
    let counts = &input.kind(kind)?.counts;
    let (dropped, judged) = (counts.missed_later_answered, counts.judged());
    (dropped > 0).then_some(PingFinding::RepliesDropped { kind, dropped, judged })
}

/// The server may have held several pings and answered only the latest.
fn superseded_pongs(input: &FindingInput) -> Option<PingFinding> {
    let figures = input.kind(HeartbeatKind::Protocol)?;
    let (superseded, longest_rtt) = (figures.counts.superseded, figures.rtt.map(|rtt| rtt.max));
    (superseded > 0).then_some(PingFinding::PongsSuperseded { superseded, longest_rtt })
}

/// Replies came after the timeout.
fn late_answers(input: &FindingInput) -> Option<PingFinding> {
    let late = input.count(|figures| figures.counts.late);
    let rtts = input.target.kinds.iter().filter_map(|figures| figures.rtt.as_ref());
    let longest_rtt = rtts.map(|rtt| rtt.max).max()?;
    let (timeout, open_at_end) = (input.info.timeout, missed_as_the_run_ended(input));
    (late > 0).then_some(PingFinding::LateAnswers { late, timeout, longest_rtt, open_at_end })
}

/// The last heartbeats of a slow server that passed the timeout, and whose replies the run did not wait for:
/// those sent within the time by which the slowest reply exceeded the timeout.
fn missed_as_the_run_ended(input: &FindingInput) -> u64 {
    let figures = input.target.connections.iter().flat_map(|connection| &connection.kinds);
    let young = figures.filter(|figures| {
        let excess = figures.rtt.map_or(Duration::ZERO, |rtt| rtt.max.saturating_sub(input.info.timeout));
        let before = u32::try_from(figures.missed_at_end.saturating_sub(1)).unwrap_or(u32::MAX);
        figures.counts.late > 0 && input.info.spacing().saturating_mul(before) <= excess
    });
    young.map(|figures| figures.missed_at_end).sum()
}

/// What this client accepts and browsers do not (WHATWG WebSockets, "establish a WebSocket connection").
fn unchosen_subprotocol(input: &FindingInput) -> Option<PingFinding> {
    input.opened().find_map(|opened| {
        let has_header = opened.headers.iter().any(|(name, _)| name == "sec-websocket-protocol");
        let offered = &opened.subprotocols_offered;
        match (opened.subprotocol.is_some(), offered.is_empty(), has_header) {
            (true, ..) | (false, true, false) => None,
            (false, false, _) => Some(PingFinding::SubprotocolNotChosen { offered: offered.clone() }),
            (false, true, true) => Some(PingFinding::SubprotocolHeaderEmpty),
        }
    })
}

/// A server need not agree (RFC 7692, section 5), so that messages are sent as they are.
fn compression_not_agreed(input: &FindingInput) -> Option<PingFinding> {
    let offering = || input.opened().filter(|opened| opened.compression_offered.is_some());
    let offered = offering().find_map(|opened| opened.compression_offered.clone())?;
    let connections = offering().filter(|opened| opened.compression.is_none()).count() as u64;
    let opened = offering().count() as u64;
    (connections > 0).then_some(PingFinding::CompressionNotAgreed { offered, connections, opened })
}

fn certificate_expiry(input: &FindingInput) -> Option<PingFinding> {
    let days = input.opened().filter_map(|opened| opened.tls.as_ref()?.days_left).min()?;
    match days {
        ..0 => Some(PingFinding::CertificateExpired { days_ago: days.unsigned_abs() }),
        0..CERT_EXPIRY_WARNING_DAYS => Some(PingFinding::CertificateExpires { days: days.unsigned_abs() }),
        CERT_EXPIRY_WARNING_DAYS.. => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::goaway::{Goaway, GoawayNotice};
    use crate::domain::connection::http2::Http2Code;
    use crate::domain::connection::incomplete::{IncompleteData, IncompletePart};
    use crate::domain::connection::tcp::TcpView;
    use crate::domain::connection::untrusted_text::UntrustedText;
    use crate::domain::heartbeat::difference::Difference;
    use crate::domain::heartbeat::substitutes::OtherPayload;
    use crate::domain::ping::measurement::HostDelay;
    use crate::domain::ping::report::samples;
    use crate::domain::stats::Counts;
    use std::num::NonZeroU32;
    use std::sync::Arc;
    use std::time::SystemTime;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    /// One target with these kinds of heartbeat.
    fn run(kinds: Vec<KindReport>) -> PingReport {
        samples::report(vec![samples::target("ws://a/", kinds)])
    }

    fn protocol(rtts: &[u64]) -> KindReport {
        samples::kind(HeartbeatKind::Protocol, rtts)
    }

    fn app(rtts: &[u64]) -> KindReport {
        samples::kind(HeartbeatKind::App, rtts)
    }

    fn missed(kind: HeartbeatKind, missed: u64) -> KindReport {
        KindReport { counts: Counts { missed, ..Counts::default() }, ..samples::kind(kind, &[]) }
    }

    fn counted(mut figures: KindReport, change: impl FnOnce(&mut Counts)) -> KindReport {
        change(&mut figures.counts);
        figures
    }

    fn found(report: &PingReport) -> Vec<PingFinding> {
        findings(report).into_iter().map(|reported| reported.finding).collect()
    }

    /// Asserts that these kinds, on a connection that stayed open, yield exactly this finding.
    fn assert_finds(kinds: Vec<KindReport>, expected: PingFinding) {
        assert_eq!(found(&run(kinds)), [expected]);
    }

    fn assert_finds_nothing(kinds: Vec<KindReport>) {
        assert_eq!(found(&run(kinds)), []);
    }

    fn ended(how: CloseKind, who: ClosedBy, idle: Duration) -> Arc<CloseCause> {
        Arc::new(CloseCause {
            who,
            how,
            reply: None,
            os_error: None,
            tcp: None,
            age: idle,
            idle,
            at: SystemTime::UNIX_EPOCH,
        })
    }

    fn lose(report: &mut PingReport, ending: Arc<CloseCause>) {
        let connection = &mut report.targets[0].connections[0];
        (connection.ending, connection.lost) = (Some(ending.clone()), Some(ending));
    }

    fn hear(report: &mut PingReport, traffic: ServerTraffic) {
        report.targets[0].connections[0].server_traffic = Some(Arc::new(traffic));
    }

    #[test]
    fn good_run_has_no_findings() {
        assert_finds_nothing(vec![protocol(&[1, 2, 3]), app(&[2, 3, 4])]);
    }

    #[test]
    fn fast_tcp_and_slow_pings_point_beyond_the_first_hop() {
        let found_with = |tcp: u64, pings: u64, fell_back: u64| {
            let mut report = run(vec![protocol(&[pings])]);
            report.stamping.fell_back = fell_back;
            let mut ending = CloseCause::clone(&ended(CloseKind::Fin, ClosedBy::Us, ms(1)));
            ending.tcp = Some(TcpView { rtt: ms(tcp), ..TcpView::default() });
            report.targets[0].connections[0].ending = Some(Arc::new(ending));
            found(&report)
        };
        let found = |tcp, pings| found_with(tcp, pings, 0);
        let expected = PingFinding::SlowBehindFirstHop { tcp: ms(20), protocol_p50: ms(210) };
        assert_eq!(found(20, 210), [expected]);
        assert_eq!(found(50, 210), [], "less than five times as long");
        assert_eq!(found(1, 50), [], "less than 50 ms longer");
        assert_eq!(found(0, 210), [], "TCP has no RTT");
        assert_eq!(found_with(20, 210, 1), [], "this program's own delays are in some RTTs");
    }

    #[test]
    fn slow_application_on_a_fast_path_is_found() {
        let slow = PingFinding::AppSlowerThanProtocol { protocol_p50: ms(2), app_p50: ms(812) };
        assert_finds(vec![protocol(&[2]), app(&[812])], slow);
        assert_finds_nothing(vec![protocol(&[1]), app(&[40])]);
        assert_finds_nothing(vec![protocol(&[100]), app(&[180])]);
    }

    #[test]
    fn slow_path_does_not_blame_the_application() {
        let slow = KindReport { status: Status::Poor, ..protocol(&[600]) };
        assert_finds_nothing(vec![slow, app(&[4_000])]);
    }

    #[test]
    fn app_loss_without_path_loss_blames_the_app() {
        let lossy = counted(app(&[5, 5, 5]), |counts| counts.missed = 2);
        assert_finds(vec![protocol(&[5]), lossy], PingFinding::OnlyAppMissed { missed: 2, judged: 5 });
    }

    #[test]
    fn silent_application_on_a_good_path_is_found() {
        let kinds = || vec![protocol(&[5]), missed(HeartbeatKind::App, 3)];
        let silent = |nearest| PingFinding::OnlyAppUnanswered { protocol_p50: ms(5), missed: 3, nearest };
        assert_finds(kinds(), silent(None));
        let mut report = run(kinds());
        hear(&mut report, unmatched());
        assert_eq!(found(&report), [silent(Some(nearest()))]);
    }

    #[test]
    fn echo_server_is_recognized() {
        let silent = || missed(HeartbeatKind::App, 3);
        for kinds in [vec![silent()], vec![protocol(&[5]), silent()]] {
            let mut report = run(kinds);
            report.targets[0].connections[0].echoes = 3;
            assert_eq!(found(&report), [PingFinding::ServerEchoes { echoes: 3, sent: 3 }]);
        }
    }

    #[test]
    fn echoes_beside_answers_are_no_finding() {
        let mut report = run(vec![app(&[5])]);
        report.targets[0].connections[0].echoes = 3;
        assert_eq!(found(&report), []);
    }

    #[test]
    fn answers_with_foreign_ids_are_found() {
        let foreign = counted(missed(HeartbeatKind::App, 3), |counts| counts.mismatched = 3);
        assert_finds(vec![foreign], PingFinding::ForeignAnswers { answers: 3, first: None });
    }

    #[test]
    fn silence_on_an_open_connection_is_found() {
        let pings = || missed(HeartbeatKind::Protocol, 4);
        let asks = || missed(HeartbeatKind::App, 3);
        assert_finds(vec![pings()], PingFinding::PingsUnanswered { missed: 4, unsolicited_pongs: 0 });
        assert_finds(vec![pings(), asks()], PingFinding::AllUnanswered { pings: 4, app_heartbeats: 3 });
        let unsolicited = counted(pings(), |counts| counts.unsolicited = 1);
        assert_finds(vec![unsolicited], PingFinding::PingsUnanswered { missed: 4, unsolicited_pongs: 1 });
        assert_finds(vec![pings(), app(&[5])], PingFinding::OnlyPingsUnanswered { missed: 4 });
        let app_unanswered = |messages| PingFinding::AppUnanswered { missed: 3, messages, nearest: None };
        let mut alone = run(vec![asks()]);
        assert_eq!(found(&alone), [app_unanswered(0)]);
        alone.targets[0].connections[0].messages = 7;
        assert_eq!(found(&alone), [app_unanswered(7)]);
    }

    #[test]
    fn no_silence_without_judged_heartbeats() {
        assert_finds_nothing(vec![missed(HeartbeatKind::Protocol, 0)]);
        assert_finds_nothing(vec![missed(HeartbeatKind::Protocol, 4), app(&[])]);
        let mut report = run(vec![missed(HeartbeatKind::Protocol, 4)]);
        lose(&mut report, ended(CloseKind::Rst, ClosedBy::Network, ms(10)));
        assert_eq!(found(&report), []);
    }

    #[test]
    fn pongs_with_another_payload_are_no_silence() {
        let wrong = counted(missed(HeartbeatKind::Protocol, 4), |counts| counts.mismatched = 3);
        assert_finds(vec![wrong], PingFinding::WrongPongPayload { pongs: 3, payload: None });
        assert_finds_nothing(vec![counted(protocol(&[5]), |counts| counts.mismatched = 3)]);
    }

    fn nearest() -> NearestMessage {
        let points = vec![r#"`type` is "error", not "pong""#.to_string()];
        NearestMessage {
            message: UntrustedText::new(r#"{"type":"error"}"#),
            difference: Difference { agreeing: 1, points },
        }
    }

    fn unmatched() -> ServerTraffic {
        ServerTraffic { nearest: Some(nearest()), ..ServerTraffic::default() }
    }

    #[test]
    fn unmatched_reply_is_evidence() {
        let mut report = run(vec![missed(HeartbeatKind::App, 3)]);
        report.targets[0].connections[0].messages = 3;
        hear(&mut report, unmatched());
        let expected = PingFinding::AppUnanswered { missed: 3, messages: 3, nearest: Some(nearest()) };
        assert_eq!(found(&report), [expected]);
        let mut report = run(vec![missed(HeartbeatKind::App, 1)]);
        lose(&mut report, ended(CloseKind::Fin, ClosedBy::Peer, ms(10)));
        hear(&mut report, unmatched());
        assert_eq!(found(&report), [PingFinding::UnmatchedBeforeEnd { nearest: nearest() }]);
    }

    #[test]
    fn last_message_before_the_peers_end_is_found() {
        let mut report = run(vec![protocol(&[5])]);
        let message = UntrustedText::new(r#"{"error":"token expired"}"#);
        hear(&mut report, ServerTraffic { last: Some(message.clone()), ..ServerTraffic::default() });
        assert_eq!(found(&report), [], "the connection goes on");
        lose(&mut report, ended(CloseKind::Fin, ClosedBy::Peer, ms(10)));
        assert_eq!(found(&report), [PingFinding::LastMessage { message }]);
    }

    #[test]
    fn what_came_instead_of_pongs_is_found() {
        let with = |substitute: Substitute| {
            let mut report = run(vec![missed(HeartbeatKind::Protocol, 4)]);
            hear(&mut report, ServerTraffic { substitute: Some(substitute), ..ServerTraffic::default() });
            found(&report)
        };
        let payload = OtherPayload::Empty;
        let wrong = PingFinding::WrongPongPayload { pongs: 4, payload: Some(payload.clone()) };
        assert_eq!(with(Substitute::Pongs { count: 4, payload }), [wrong]);
        assert_eq!(with(Substitute::Pings { count: 4 }), [PingFinding::PingsReturned { count: 4 }]);
        let sample = UntrustedText::new("pong");
        let messages = PingFinding::MessagesInsteadOfPongs { count: 4, first: sample.clone() };
        assert_eq!(with(Substitute::Messages { count: 4, sample }), [messages]);
    }

    #[test]
    fn incomplete_frame_explains_the_silence() {
        let incomplete = IncompleteData { part: IncompletePart::Head { bytes: 1 }, since: ms(4_000) };
        let mut report = run(vec![missed(HeartbeatKind::Protocol, 4)]);
        hear(&mut report, ServerTraffic { incomplete: Some(incomplete), ..ServerTraffic::default() });
        assert_eq!(found(&report), [PingFinding::IncompleteFrame(incomplete)]);
    }

    #[test]
    fn end_right_after_the_first_ping_is_found() {
        let found = |how: CloseKind, after: u64| {
            let mut report = run(vec![counted(protocol(&[]), |counts| counts.ok = 0)]);
            lose(&mut report, ended(how, ClosedBy::Peer, ms(10)));
            let ended_after_ping = Some(ms(after));
            hear(&mut report, ServerTraffic { ended_after_ping, ..ServerTraffic::default() });
            found(&report)
        };
        let close = |code| CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::default() };
        for how in
            [CloseKind::Fin, CloseKind::Rst, CloseKind::TlsClose, close(1002), close(1003), close(1011)]
        {
            let ending = ended(how.clone(), ClosedBy::Peer, ms(10));
            assert_eq!(found(how, 2), [PingFinding::EndedAfterPing { after: ms(2), ending }]);
        }
        for (how, after) in [(CloseKind::Fin, 1_001), (close(1001), 2), (close(1013), 2), (close(4401), 2)] {
            assert_eq!(found(how, after), []);
        }
    }

    /// Three heartbeats are missed after an answer at 4.2 s, and wscheck gives up at 8.2 s.
    fn given_up(acknowledged: u64, unacknowledged: u64) -> PingReport {
        let kind = counted(protocol(&[5]), |counts| {
            (counts.missed, counts.missed_acked, counts.missed_unacked) = (3, acknowledged, unacknowledged);
        });
        let mut report = run(vec![kind]);
        lose(&mut report, ended(CloseKind::Timeout, ClosedBy::Us, ms(8_200)));
        report.targets[0].connections[0].answered_until = Some(ms(4_200));
        report
    }

    #[test]
    fn stopped_answers_are_judged_by_tcp_acknowledgements() {
        let after = ms(4_200);
        let by_server = PingFinding::ServerStoppedAnswering { after, acknowledged: 3 };
        assert_eq!(found(&given_up(3, 0)), [by_server]);
        let by_path = PingFinding::PathStoppedDelivering { after, unacknowledged: 3 };
        assert_eq!(found(&given_up(0, 3)), [by_path]);
        assert_eq!(found(&given_up(0, 0)), [PingFinding::AnswersStopped { after }]);
        assert_eq!(found(&given_up(2, 1)), [PingFinding::AnswersStopped { after }]);
    }

    #[test]
    fn server_that_still_sends_does_not_hang() {
        let with = |last_data: u64| {
            let mut report = given_up(3, 0);
            let mut ending = CloseCause::clone(&ended(CloseKind::Timeout, ClosedBy::Us, ms(8_200)));
            ending.tcp = Some(TcpView { last_data: ms(last_data), ..TcpView::default() });
            lose(&mut report, Arc::new(ending));
            found(&report)
        };
        assert_eq!(with(1_000), [PingFinding::AnswersStopped { after: ms(4_200) }]);
        assert!(matches!(with(4_000)[..], [PingFinding::ServerStoppedAnswering { .. }]));
    }

    /// A run of WebSockets on these connections of HTTP/2, each with how it ended, if it was lost.
    fn sharing(allowed: Option<u32>, websockets: &[(u32, Option<CloseKind>)]) -> PingReport {
        let mut report = run(vec![protocol(&[2])]);
        let websocket = |(number, how): &(u32, Option<CloseKind>)| {
            let number = NonZeroU32::new(*number).unwrap();
            let shared = SharedHttp2 { number, streams_wanted: 5, streams_allowed: allowed };
            let opened = ConnectInfo { shared_http2: Some(shared), ..ConnectInfo::default() };
            let lost = how.clone().map(|how| ended(how, ClosedBy::Peer, ms(1)));
            ConnReport {
                opened: Some(Arc::new(opened)),
                lost_on: lost.as_ref().map(|_| number),
                lost,
                ..samples::connection(0)
            }
        };
        report.targets[0].connections = websockets.iter().map(websocket).collect();
        report
    }

    #[test]
    fn ends_of_one_connection_of_http2_are_one_end() {
        let (rst, reset) = (Some(CloseKind::Rst), Some(CloseKind::H2RstStream { code: Http2Code(8) }));
        let figures = |websockets: &[(u32, Option<CloseKind>)]| {
            found(&sharing(None, websockets)).into_iter().find_map(|finding| match finding {
                PingFinding::EndedWithHttp2Connection(SharedEnd { ended, carried, connections, .. }) => {
                    Some((ended, carried, connections))
                }
                _ => None,
            })
        };
        assert_eq!(figures(&[(1, rst.clone()), (1, rst.clone()), (1, rst.clone())]), Some((3, 3, 1)));
        let two = [(1, rst.clone()), (1, rst.clone()), (2, rst.clone()), (2, rst.clone()), (3, rst.clone())];
        assert_eq!(figures(&two), Some((4, 4, 2)), "the third carried one WebSocket");
        let before = [(1, reset.clone()), (1, rst.clone()), (1, rst.clone()), (2, None)];
        assert_eq!(figures(&before), Some((2, 3, 1)), "one stream was reset by itself");
        assert_eq!(figures(&[(1, reset.clone()), (1, reset)]), None, "each stream was reset by itself");
        assert_eq!(figures(&[(1, rst.clone()), (2, rst)]), None, "each had a connection of its own");
    }

    #[test]
    fn limit_on_streams_is_found_where_it_made_more_connections() {
        let found = |allowed, websockets: &[u32]| {
            let websockets: Vec<_> = websockets.iter().map(|number| (*number, None)).collect();
            found(&sharing(allowed, &websockets))
        };
        let limited = PingFinding::H2StreamsLimited(StreamLimit {
            wanted: 5,
            allowed: 2,
            websockets: 3,
            connections: Some(2),
        });
        assert_eq!(found(Some(2), &[1, 1, 2]), [limited]);
        assert_eq!(found(Some(2), &[1, 1]), [], "they fit on one");
        assert_eq!(found(Some(5), &[1, 1, 1]), []);
        assert_eq!(found(None, &[1, 1, 1]), []);
    }

    #[test]
    fn announced_end_is_found_whether_the_connection_ended_or_goes_on() {
        let notice = |code, age| {
            let goaway = Goaway { code: Http2Code(code), last_stream: 1, debug: UntrustedText::default() };
            Some(Arc::new(GoawayNotice { goaway, age }))
        };
        let mut report = run(vec![protocol(&[2])]);
        report.targets[0].connections[0].goaway = notice(0, ms(2_000));
        let summary = |report: &PingReport| match found(report).as_slice() {
            [PingFinding::H2GoawayReceived(summary)] => (summary.first.age, summary.notified, summary.ended),
            other => panic!("{other:?}"),
        };
        assert_eq!(summary(&report), (ms(2_000), 1, Some(0)));
        let how = CloseKind::H2Goaway { code: Http2Code(0), debug: UntrustedText::default() };
        report.targets[0].connections[0].ending = Some(ended(how, ClosedBy::Peer, ms(1)));
        assert_eq!(summary(&report), (ms(2_000), 1, Some(1)));
    }

    #[test]
    fn end_by_the_network_is_no_stop_of_answers() {
        let mut report = given_up(3, 0);
        lose(&mut report, ended(CloseKind::Rst, ClosedBy::Network, ms(10)));
        assert_eq!(found(&report), []);
    }

    #[test]
    fn hop_that_lives_before_a_silent_server_is_found() {
        let http2 = samples::kind(HeartbeatKind::Http2, &[1, 2]);
        let finding =
            PingFinding::OnlyHttp2Answered(SilentWebsockets { websockets: 1, missed: 4, answered: 0 });
        let silent = missed(HeartbeatKind::Protocol, 4);
        assert!(found(&run(vec![silent.clone(), http2.clone()])).contains(&finding));
        assert_finds_nothing(vec![samples::kind(HeartbeatKind::Protocol, &[5]), http2.clone()]);
        assert!(!found(&run(vec![silent, missed(HeartbeatKind::Http2, 4)])).contains(&finding));
        let stopped = |status| KindReport {
            status,
            ..counted(samples::kind(HeartbeatKind::Protocol, &[5, 6]), |counts| counts.missed = 3)
        };
        let later =
            PingFinding::OnlyHttp2Answered(SilentWebsockets { websockets: 1, missed: 3, answered: 2 });
        assert!(found(&run(vec![stopped(Status::Dead), http2.clone()])).contains(&later));
        assert!(!found(&run(vec![stopped(Status::Healthy), http2])).contains(&later), "answered again");
    }

    #[test]
    fn held_back_heartbeats_of_all_connections_are_found() {
        let mut report = samples::report(vec![samples::target(
            "ws://a.example/",
            vec![samples::kind(HeartbeatKind::Protocol, &[5, 5])],
        )]);
        use crate::domain::connection::http2::ExhaustedWindow;
        let ms = Duration::from_millis;
        let held_back = HeldBack::delayed(ms(1500), ExhaustedWindow::Stream)
            .and(HeldBack::unsent(ExhaustedWindow::Stream))
            .and(HeldBack::delayed(ms(20), ExhaustedWindow::Stream));
        hear(&mut report, ServerTraffic { held_back: Some(held_back), ..ServerTraffic::default() });
        let found = PingFinding::HeldBackByFlowControl {
            heartbeats: 2,
            longest: ms(1500),
            window: ExhaustedWindow::Stream,
        };
        let all: Vec<_> = findings(&report).into_iter().map(|found| found.finding).collect();
        assert!(all.contains(&found), "{all:?}");
    }

    #[test]
    fn unsent_heartbeats_are_found() {
        let unsent = counted(protocol(&[5]), |counts| counts.unsent = 1);
        assert_finds(
            vec![unsent],
            PingFinding::HeartbeatsUnsent { unsent: 1, due: 2, window_exhausted: 0, window: None },
        );
    }

    #[test]
    fn last_heartbeats_of_a_slow_server_blame_the_run_end() {
        let open_at_end = |missed_at_end: u64| {
            let slow = counted(protocol(&[12_000, 12_000]), |counts| {
                (counts.ok, counts.late, counts.missed) = (0, 2, missed_at_end);
            });
            match found(&run(vec![KindReport { missed_at_end, ..slow }]))[..] {
                [PingFinding::LateAnswers { late: 2, open_at_end, .. }] => open_at_end,
                ref other => panic!("{other:?}"),
            }
        };
        assert_eq!(open_at_end(3), 3, "12 s after a timeout of 10 s: three of them within 2 s");
        assert_eq!(open_at_end(4), 0, "the fourth is too old for that");
        assert_eq!([open_at_end(1), open_at_end(0)], [1, 0]);
    }

    #[test]
    fn cut_after_a_quiet_time_suggests_a_shorter_interval() {
        let cut = |how: CloseKind, idle: u64, interval: u64| {
            let mut report = run(vec![protocol(&[5])]);
            lose(&mut report, ended(how, ClosedBy::Peer, Duration::from_secs(idle)));
            Arc::make_mut(&mut report.info).interval = Some(Duration::from_secs(interval));
            report
        };
        let expected = [PingFinding::CutWhenQuiet { idle: ms(60_000), safe_interval: ms(45_000) }];
        assert_eq!(found(&cut(CloseKind::Fin, 60, 90)), expected);
        assert_eq!(found(&cut(CloseKind::Rst, 60, 60)), expected);
        assert_eq!(found(&cut(CloseKind::Fin, 60, 10)), [], "heartbeats were sent in that time");
        assert_eq!(found(&cut(CloseKind::Fin, 4, 10)), [], "it was hardly quiet");
        let close = CloseKind::CloseFrame { code: Some(1001), reason: UntrustedText::default() };
        assert_eq!(found(&cut(close.clone(), 60, 90)), [], "the peer gave another reason");
        let mut reconnected = cut(CloseKind::Fin, 60, 90);
        reconnected.targets[0].connections[0].ending = Some(ended(close, ClosedBy::Us, ms(10)));
        assert_eq!(found(&reconnected), expected);
    }

    #[test]
    fn ambiguous_late_and_superseded_replies_are_found() {
        let found = |change: fn(&mut Counts)| found(&run(vec![counted(protocol(&[12_000]), change)]));
        let ambiguous = found(|counts| counts.ambiguous = 2);
        assert_eq!(ambiguous, [PingFinding::AmbiguousAnswers { answers: 2 }]);
        let superseded = PingFinding::PongsSuperseded { superseded: 2, longest_rtt: Some(ms(12_000)) };
        assert_eq!(found(|counts| counts.superseded = 2), [superseded]);
        let (timeout, longest_rtt) = (ms(10_000), ms(12_000));
        let late = PingFinding::LateAnswers { late: 1, timeout, longest_rtt, open_at_end: 0 };
        assert_eq!(found(|counts| counts.late = 1), [late]);
    }

    #[test]
    fn dropped_replies_are_found() {
        let missed = |counts: &mut Counts| (counts.missed, counts.missed_later_answered) = (4, 3);
        for kind in [HeartbeatKind::Protocol, HeartbeatKind::App] {
            let figures = counted(samples::kind(kind, &[20]), missed);
            assert_finds(vec![figures], PingFinding::RepliesDropped { kind, dropped: 3, judged: 5 });
        }
        let silence = counted(protocol(&[20]), |counts| counts.missed = 4);
        assert_finds_nothing(vec![silence]);
    }

    #[test]
    fn unchosen_subprotocols_are_found() {
        let with = |offered: &[&str], chosen: Option<&str>, headers: &[&str]| {
            let mut report = run(vec![protocol(&[5])]);
            report.targets[0].connections[0].opened = Some(Arc::new(ConnectInfo {
                subprotocols_offered: offered.iter().map(|name| name.to_string()).collect(),
                subprotocol: chosen.map(UntrustedText::new),
                headers: headers.iter().map(|name| (name.to_string(), UntrustedText::default())).collect(),
                ..ConnectInfo::default()
            }));
            found(&report)
        };
        let offered = ["mqtt", "v2"].map(String::from).to_vec();
        let not_chosen = [PingFinding::SubprotocolNotChosen { offered }];
        assert_eq!(with(&["mqtt", "v2"], None, &[]), not_chosen);
        assert_eq!(with(&["mqtt", "v2"], None, &["sec-websocket-protocol"]), not_chosen);
        assert_eq!(with(&[], None, &["sec-websocket-protocol"]), [PingFinding::SubprotocolHeaderEmpty]);
        assert!(with(&["mqtt"], Some("mqtt"), &[]).is_empty() && with(&[], None, &["server"]).is_empty());
    }

    #[test]
    fn offer_of_compression_without_agreement_is_found() {
        let with = |offered: Option<&str>, agreed: &[Option<&str>]| {
            let mut report = run(vec![protocol(&[5])]);
            let connection = report.targets[0].connections[0].clone();
            report.targets[0].connections = agreed
                .iter()
                .map(|agreed| {
                    let info = ConnectInfo {
                        compression_offered: offered.map(String::from),
                        compression: agreed.map(String::from),
                        ..ConnectInfo::default()
                    };
                    ConnReport { opened: Some(Arc::new(info)), ..connection.clone() }
                })
                .collect();
            found(&report)
        };
        let deflate = Some("permessage-deflate");
        let finding = |connections, opened| {
            let offered = "permessage-deflate".to_string();
            [PingFinding::CompressionNotAgreed { offered, connections, opened }]
        };
        assert_eq!(with(deflate, &[None]), finding(1, 1));
        assert_eq!(with(deflate, &[deflate, None, None]), finding(2, 3), "servers behind one URL differ");
        assert_eq!((with(deflate, &[deflate]), with(None, &[None])), (vec![], vec![]));
    }

    #[test]
    fn certificate_expiring_soon_is_found() {
        let with = |days: i64| {
            let mut report = run(vec![protocol(&[5])]);
            report.targets[0].connections[0].opened = Some(Arc::new(samples::opened_tls(days)));
            found(&report)
        };
        assert_eq!(with(13), [PingFinding::CertificateExpires { days: 13 }]);
        assert_eq!(with(-3), [PingFinding::CertificateExpired { days_ago: 3 }]);
        assert_eq!(with(14), []);
    }

    #[test]
    fn late_host_is_found_for_the_whole_run() {
        let mut report = run(vec![protocol(&[5])]);
        report.measurement = Measurement::Suspect(HostDelay::Stalled { stalled: ms(4_200) });
        let stalled = PingFinding::HostStalled { stalled: ms(4_200) };
        assert_eq!(findings(&report), [ReportedFinding { finding: stalled, target: None }]);
    }

    #[test]
    fn each_finding_has_its_target() {
        let target = |url: &str, rtt: u64| samples::target(url, vec![protocol(&[2]), app(&[rtt])]);
        let report = samples::report(vec![target("ws://a/", 3), target("ws://b/", 812)]);
        let targets: Vec<_> = findings(&report).iter().map(|reported| reported.target).collect();
        assert_eq!(targets, [Some(1)]);
    }
}
