//! What to do next, and what the figures mean together. Each piece of advice is a rule that returns nothing
//! without evidence.

use std::time::Duration;

use super::health::Status;
use super::preset_mismatch;
use super::report::{ConnReport, KindReport, PingReport, TargetReport};
use super::run_info::RunInfo;
use super::server_traffic::ServerTraffic;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy, Violation};
use crate::domain::connection::incomplete::IncompleteData;
use crate::domain::format;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::substitutes::Substitute;
use crate::domain::heartbeat::unmatched::NearestMessage;

/// Days before expiry from which a certificate is mentioned.
const CERT_EXPIRY_WARNING_DAYS: i64 = 14;
/// An app RTT counts as slow beside the protocol RTT if it is this many times as long ...
const SLOW_APP_FACTOR: u32 = 5;
/// ... and longer by this, so that a fast application is not reported.
const MIN_SLOW_APP_DIFFERENCE: Duration = Duration::from_millis(50);
/// An end later than this after a Ping is hardly caused by it.
const MAX_END_AFTER_PING: Duration = Duration::from_secs(1);
/// Minimum quiet time before an end that may be an idle timeout.
const MIN_IDLE_BEFORE_CUT: Duration = Duration::from_secs(5);
/// Maximum number of pieces of advice.
const MAX_ADVICE: usize = 20;

/// The rules, the most informative first.
const RULES: &[fn(&AdviceInput) -> Option<String>] = &[
    slow_app_beside_protocol,
    slow_behind_the_first_hop,
    preset_mismatch_advice,
    echo_server,
    foreign_answers,
    wrong_payloads,
    messages_instead_of_pongs,
    incomplete_frame,
    last_message_before_the_end,
    ended_after_ping,
    none_answered,
    unmatched_before_the_end,
    answers_stopped,
    cut_when_quiet,
    ambiguous_matches,
    unsent_heartbeats,
    dropped_replies,
    superseded_pongs,
    late_pongs,
    no_subprotocol,
    certificate_expires,
];

/// The input of the rules.
struct AdviceInput<'a> {
    info: &'a RunInfo,
    target: &'a TargetReport,
}

impl AdviceInput<'_> {
    fn kind(&self, kind: HeartbeatKind) -> Option<&KindReport> {
        self.target.kinds.iter().find(|figures| figures.kind == kind)
    }

    fn sum(&self, pick: fn(&ConnReport) -> u64) -> u64 {
        self.target.connections.iter().map(pick).sum()
    }

    fn overheard(&self) -> impl Iterator<Item = &ServerTraffic> {
        self.target.connections.iter().filter_map(|connection| connection.overheard.as_deref())
    }

    /// What came instead of Pongs, on the first connection where that is known.
    fn substitute(&self) -> Option<&Substitute> {
        self.overheard().find_map(|overheard| overheard.substitute.as_ref())
    }

    /// The message most similar to an answer, of all connections.
    fn nearest(&self) -> Option<&NearestMessage> {
        let nearest = self.overheard().filter_map(|overheard| overheard.nearest.as_ref());
        nearest.max_by_key(|nearest| nearest.difference.agreeing)
    }

    /// The sum of what `pick` counts, over all kinds.
    fn count(&self, pick: fn(&KindReport) -> u64) -> u64 {
        self.target.kinds.iter().map(pick).sum()
    }
}

/// The advice on a run, as lower-case fragments; names the target if there are several.
pub fn advise(report: &PingReport) -> Vec<String> {
    let of_target = |target| {
        let input = AdviceInput { info: &report.info, target };
        RULES.iter().filter_map(move |rule| rule(&input)).map(move |advice| match report.targets.len() {
            0 | 1 => advice,
            _ => format!("{}: {advice}", target.url),
        })
    };
    report.targets.iter().flat_map(of_target).take(MAX_ADVICE).collect()
}

/// Ping frames work well, but messages are slow, lost or unanswered.
fn slow_app_beside_protocol(input: &AdviceInput) -> Option<String> {
    let (protocol, app) = (input.kind(HeartbeatKind::Protocol)?, input.kind(HeartbeatKind::App)?);
    let fine = protocol.rtt.as_ref().filter(|_| protocol.status <= Status::Degraded)?;
    let culprit = "the application, or something in the middle that answers pings itself, is the cause";
    let quick = format::duration(fine.p50);
    match &app.rtt {
        Some(slow) if is_slow(fine.p50, slow.p50) => {
            let slow = format::duration(slow.p50);
            Some(format!("protocol RTT {quick} beside app RTT {slow} (both p50): {culprit}"))
        }
        Some(_) if app.counts.missed > 0 && protocol.counts.missed == 0 => {
            let (missed, judged) = (app.counts.missed, app.counts.judged());
            Some(format!("{missed} of {judged} app heartbeats missed, but no protocol heartbeat: {culprit}"))
        }
        None if app.counts.missed > 0 && !is_explained(input, app) => {
            let came = input.nearest().map(|nearest| format!("; received: {}", nearest.describe()));
            Some(format!(
                "protocol RTT {quick}, but no app heartbeat was answered: the server does not know this request, or \
                 {culprit}{}",
                came.unwrap_or_default()
            ))
        }
        Some(_) | None => None,
    }
}

/// TCP's RTT, to the first TCP hop, is short compared with the pings'. A delayed acknowledgement only
/// lengthens TCP's.
fn slow_behind_the_first_hop(input: &AdviceInput) -> Option<String> {
    let [connection] = input.target.connections.as_slice() else { return None };
    let tcp = connection.ending.as_ref()?.tcp.filter(|view| view.rtt > Duration::ZERO)?;
    let pings = input.kind(HeartbeatKind::Protocol)?.rtt?.p50;
    is_slow(tcp.rtt, pings).then(|| {
        let (quick, slow) = (format::duration(tcp.rtt), format::duration(pings));
        format!(
            "TCP RTT {quick} beside protocol RTT {slow} (p50): the path to the first TCP hop is fast; the rest is \
             behind it (a proxy or balancer, if there is one) or in the server"
        )
    })
}

fn is_slow(beside: Duration, rtt: Duration) -> bool {
    rtt >= beside.saturating_mul(SLOW_APP_FACTOR) && rtt >= beside.saturating_add(MIN_SLOW_APP_DIFFERENCE)
}

/// Whether a more informative rule explains why no app heartbeat was answered.
fn is_explained(input: &AdviceInput, app: &KindReport) -> bool {
    input.sum(|connection| connection.echoes) > 0
        || app.counts.mismatched > 0
        || preset_mismatch_advice(input).is_some()
}

/// The server does not seem to speak the expected protocol.
fn preset_mismatch_advice(input: &AdviceInput) -> Option<String> {
    preset_mismatch::unanswered(input.info, &input.target.connections, input.kind(HeartbeatKind::App))
}

/// Our app heartbeats were echoed, and none was answered.
fn echo_server(input: &AdviceInput) -> Option<String> {
    let app = input.kind(HeartbeatKind::App).filter(|app| app.counts.answered() == 0)?;
    let echoes = input.sum(|connection| connection.echoes);
    (echoes > 0).then(|| {
        format!(
            "the server echoes: {echoes} of {} app heartbeats were echoed unchanged, and none was answered; to take \
             the echo for the answer, give --app-pong the shape of the ask (for the default ask '{}')",
            app.counts.sent(),
            r#"{"type":"ping","id":"{id}"}"#
        )
    })
}

/// All answers carry foreign ids or numbers.
fn foreign_answers(input: &AdviceInput) -> Option<String> {
    let app = input.kind(HeartbeatKind::App).filter(|app| app.counts.answered() == 0)?;
    let mismatched = app.counts.mismatched;
    (mismatched > 0).then(|| {
        let sample = input.overheard().find_map(|overheard| overheard.foreign.as_ref());
        let sample = sample.map(|answer| format!(" (the first: '{answer}')")).unwrap_or_default();
        format!(
            "{} carried a foreign id or number{sample}, so they could not be matched to requests; an --app-ping \
             without {{id}} and {{seq}} is matched in order",
            format::counted(mismatched, "answer")
        )
    })
}

/// Pongs came while pings were outstanding, and none matched.
fn wrong_payloads(input: &AdviceInput) -> Option<String> {
    const BREACH: &str = "the server (or something between) breaks RFC 6455 5.5.3";
    if let Some(substitute @ Substitute::Pongs { .. }) = input.substitute() {
        return Some(format!("{}: {BREACH}", substitute.describe()));
    }
    if let Some(substitute @ Substitute::Pings { .. }) = input.substitute() {
        return Some(format!(
            "{}: the server returns frames unchanged, although RFC 6455 5.5.2 requires Pong frames",
            substitute.describe()
        ));
    }
    let protocol = input.kind(HeartbeatKind::Protocol).filter(|figures| figures.counts.answered() == 0)?;
    let mismatched = protocol.counts.mismatched;
    (mismatched > 0)
        .then(|| format!("pongs come ({mismatched}), but with another payload than the ping's: {BREACH}"))
}

/// Messages came instead of Pongs.
fn messages_instead_of_pongs(input: &AdviceInput) -> Option<String> {
    // A single message before an end is no answer but a final message.
    let is_last_word = |count: u64| count == 1 && input.target.connections.iter().any(|c| c.lost.is_some());
    let substitute = input.substitute().filter(|substitute| match substitute {
        Substitute::Messages { count, .. } => !is_last_word(*count),
        Substitute::Pongs { .. } | Substitute::Pings { .. } => false,
    })?;
    Some(format!(
        "{}: the server seems to answer Ping frames with messages, although RFC 6455 5.5.2 requires Pong frames; \
         measure it with --heartbeat app (--app-ping, --app-pong)",
        substitute.describe()
    ))
}

/// A frame stayed incomplete, so no reply after it could arrive.
fn incomplete_frame(input: &AdviceInput) -> Option<String> {
    let incomplete = input.overheard().find_map(|overheard| overheard.incomplete)?;
    Some(format!(
        "{incomplete}: {}; the server, or a proxy that relays it, stopped inside a frame",
        IncompleteData::BLOCKS
    ))
}

/// The peer ended the connection right after our first, unanswered Ping:
///
/// - without a close frame, or with a code that blames the sent data, or with text that is not UTF-8
/// - not with an application's code, or one that only means the server goes away
fn ended_after_ping(input: &AdviceInput) -> Option<String> {
    let may_be_the_ping = |ending: &CloseCause| match &ending.how {
        CloseKind::CloseFrame { code, .. } => {
            code.is_none_or(|code| matches!(code, 1000 | 1002 | 1003 | 1007 | 1009 | 1011))
        }
        CloseKind::Fin
        | CloseKind::Rst
        | CloseKind::TlsClose
        | CloseKind::Violation { close: Some(_), .. } => true,
        // The Ping's payload, echoed as text, is not UTF-8.
        CloseKind::Violation { rule: Violation::InvalidUtf8, close: None, .. } => true,
        _ => false,
    };
    let mut ended = input.target.connections.iter().filter_map(|connection| {
        let lost = connection.lost.as_deref().filter(|ending| may_be_the_ping(ending))?;
        let after = connection.overheard.as_ref()?.ended_after_ping?;
        Some((lost, after))
    });
    let (lost, after) = ended.find(|(_, after)| *after <= MAX_END_AFTER_PING)?;
    let took = format::duration(after);
    Some(format!(
        "it ended {took} after our first Ping ({lost}), and nothing had answered: perhaps the server rejects Ping \
         frames; try --heartbeat app ('wscheck listen' sends none, and shows whether it ends anyway)"
    ))
}

/// The connection ended before an app heartbeat was answered: shows the message most similar to an answer.
fn unmatched_before_the_end(input: &AdviceInput) -> Option<String> {
    input.kind(HeartbeatKind::App).filter(|app| app.counts.answered() == 0)?;
    if input.target.connections.iter().all(has_stayed_open) || preset_mismatch_advice(input).is_some() {
        return None;
    }
    let nearest = input.nearest()?;
    Some(format!(
        "no app heartbeat was answered before the connection ended; received: {}",
        nearest.describe()
    ))
}

/// Shows the last message before the peer ended the connection, which may state the reason.
fn last_message_before_the_end(input: &AdviceInput) -> Option<String> {
    if unmatched_before_the_end(input).is_some() {
        return None;
    }
    let lost = input.target.connections.iter().filter(|connection| {
        connection
            .lost
            .as_ref()
            .is_some_and(|ending| ending.who == ClosedBy::Peer && ending.is_by_peers_hand())
    });
    let last = lost.filter_map(|connection| connection.overheard.as_ref()?.last.as_ref()).next()?;
    Some(format!("the last message before the connection ended: '{last}'"))
}

/// Nothing was answered on a connection that stayed open.
fn none_answered(input: &AdviceInput) -> Option<String> {
    let rules = [wrong_payloads, messages_instead_of_pongs, incomplete_frame];
    if rules.iter().any(|rule| rule(input).is_some()) || !input.target.connections.iter().all(has_stayed_open)
    {
        return None;
    }
    match (
        input.kind(HeartbeatKind::Protocol).map(answer_state),
        input.kind(HeartbeatKind::App).map(answer_state),
    ) {
        (Some(AnswerState::Missed(pings)), None) => Some(format!(
            "{} while the connection stayed open{}: the peer hangs or answers no Ping frames, or the path drops data",
            describe_unanswered(pings, "ping"),
            describe_unsolicited_pongs(input)
        )),
        (Some(AnswerState::Missed(pings)), Some(AnswerState::Missed(asks))) => Some(format!(
            "of {} and {} none was answered while the connection stayed open: the peer hangs, or the path drops data",
            format::counted(pings, "ping"),
            format::counted(asks, "app heartbeat")
        )),
        (Some(AnswerState::Missed(pings)), Some(AnswerState::Answered)) => Some(format!(
            "{}, but app heartbeats were: the peer, or something in the middle, does not answer Ping frames",
            describe_unanswered(pings, "ping")
        )),
        (None, Some(AnswerState::Missed(asks))) => describe_unanswered_app(input, asks),
        (Some(AnswerState::Answered | AnswerState::Unclear) | None, _)
        | (Some(AnswerState::Missed(_)), Some(AnswerState::Unclear)) => None,
    }
}

/// For example `none of 4 pings was answered`.
fn describe_unanswered(number: u64, thing: &str) -> String {
    match number {
        1 => format!("the only {thing} was not answered"),
        _ => format!("none of {number} {thing}s was answered"),
    }
}

fn describe_unsolicited_pongs(input: &AdviceInput) -> String {
    match input.kind(HeartbeatKind::Protocol).map_or(0, |figures| figures.counts.unsolicited) {
        0 => String::new(),
        unasked => format!(", although {} came unsolicited", format::counted(unasked, "pong")),
    }
}

/// Answers came and then stopped, and only heartbeats showed it.
fn answers_stopped(input: &AdviceInput) -> Option<String> {
    if input.substitute().is_some() || incomplete_frame(input).is_some() {
        return None;
    }
    let given_up = input.target.connections.iter().filter(|connection| {
        let lost = connection.lost.as_ref();
        lost.is_some_and(|ending| ending.who == ClosedBy::Us && ending.how == CloseKind::Timeout)
    });
    let last_answer = given_up.filter_map(|connection| connection.answered_until).min()?;
    Some(format!(
        "answers stopped after {} while TCP stayed open: the server hangs or was stopped, or the path silently drops \
         data",
        format::duration(last_answer)
    ))
}

fn has_stayed_open(connection: &ConnReport) -> bool {
    connection.opened.is_some() && connection.ending.as_ref().is_none_or(|ending| ending.who == ClosedBy::Us)
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

fn describe_unanswered_app(input: &AdviceInput, missed: u64) -> Option<String> {
    if is_explained(input, input.kind(HeartbeatKind::App)?) {
        return None;
    }
    let messages = input.sum(|connection| connection.messages);
    let counted = format::counted(messages, "message");
    let perhaps = match (messages, input.nearest()) {
        (0, _) => "no other message came that could be the answer".to_string(),
        (_, None) => format!("{counted} came, which may be the answer in another form"),
        (1, Some(nearest)) => {
            format!("a message came that is no answer by --app-pong: {}", nearest.describe())
        }
        (_, Some(nearest)) => {
            format!("{counted} came that are no answer by --app-pong; the nearest: {}", nearest.describe())
        }
    };
    // A server that replies does not hang.
    let why = match input.nearest() {
        Some(_) => "the server does not know this request, or answers it in another form",
        None => "the server hangs or does not know this request",
    };
    Some(format!(
        "{} while the connection stayed open: {why} (see --app-ping and --app-pong); {perhaps}",
        describe_unanswered(missed, "app heartbeat")
    ))
}

/// The connection was cut without a close frame, after a quiet time without a heartbeat.
fn cut_when_quiet(input: &AdviceInput) -> Option<String> {
    let endings = input.target.connections.iter().filter_map(|connection| connection.lost.as_ref());
    let cut =
        endings.filter(|ending| matches!(ending.how, CloseKind::Fin | CloseKind::Rst | CloseKind::TlsClose));
    let interval = input.info.interval?;
    let quiet = cut
        .map(|ending| ending.idle)
        .filter(|idle| *idle >= MIN_IDLE_BEFORE_CUT && interval.saturating_mul(2) >= *idle);
    let idle = quiet.min()?;
    Some(format!(
        "the connection was cut after {} without data: if that was an idle timeout, a heartbeat \
         every {} would keep it open",
        format::duration(idle),
        format::duration(Duration::from_secs(idle.as_secs() * 3 / 4))
    ))
}

/// Answers without id were matched in order while several heartbeats were outstanding.
fn ambiguous_matches(input: &AdviceInput) -> Option<String> {
    let ambiguous = input.count(|figures| figures.counts.ambiguous);
    (ambiguous > 0).then(|| {
        format!(
            "{} without id came while several requests were outstanding, and went to the oldest: if that \
             one's own was lost, it and all after it seem longer than they were; answers that repeat the \
             request's id would avoid this",
            format::counted(ambiguous, "answer")
        )
    })
}

/// Heartbeats were due and not sent.
fn unsent_heartbeats(input: &AdviceInput) -> Option<String> {
    let unsent = input.count(|figures| figures.counts.unsent);
    (unsent > 0).then(|| {
        format!(
            "{} never left this machine (local back-pressure): the peer or the path accepts no more data, or this \
             host was not scheduled in time",
            format::counted(unsent, "heartbeat")
        )
    })
}

/// Heartbeats stayed unanswered while later ones were answered.
fn dropped_replies(input: &AdviceInput) -> Option<String> {
    let dropped = |kind| {
        input.kind(kind).map(|figures| figures.counts.missed_later_answered).filter(|count| *count > 0)
    };
    match (dropped(HeartbeatKind::Protocol), dropped(HeartbeatKind::App)) {
        (Some(pings), _) => Some(format!(
            "no pong came for {}, although later pings were answered and the server had time to answer these first: \
             the server, or something in the middle, drops pongs",
            format::counted(pings, "ping")
        )),
        (None, Some(asks)) => Some(format!(
            "no answer came for {}, although answers came after they were sent: the application, or something in the \
             middle, drops some",
            format::counted(asks, "app heartbeat")
        )),
        (None, None) => None,
    }
}

/// The server may have held several pings and answered only the latest.
fn superseded_pongs(input: &AdviceInput) -> Option<String> {
    let figures = input.kind(HeartbeatKind::Protocol).filter(|figures| figures.counts.superseded > 0)?;
    let slowest = figures.rtt.map(|rtt| format!(" (the longest RTT was {})", format::duration(rtt.max)));
    Some(format!(
        "no pong came for {}, only for later ones that the server may have held at the same time: RFC 6455 5.5.3 \
         lets it answer only the latest, so this is no loss; to measure every RTT, make the interval longer than the \
         RTT{}",
        format::counted(figures.counts.superseded, "ping"),
        slowest.unwrap_or_default()
    ))
}

/// Pongs came after the timeout.
fn late_pongs(input: &AdviceInput) -> Option<String> {
    let late = input.count(|figures| figures.counts.late);
    let longest =
        input.target.kinds.iter().filter_map(|figures| figures.rtt.as_ref()).map(|rtt| rtt.max).max()?;
    (late > 0).then(|| {
        format!(
            "{} came after the timeout of {}, the slowest after {}: the peer is slow, not gone; a longer \
             timeout would judge it by its RTT{}",
            format::counted(late, "pong"),
            format::duration(input.info.timeout),
            format::duration(longest),
            describe_missed_at_the_end(input)
        )
    })
}

/// A slow server's last heartbeats are missed because the run ends before their pongs come: those sent within
/// the time by which the slowest pong exceeded the timeout.
fn describe_missed_at_the_end(input: &AdviceInput) -> String {
    let figures = input.target.connections.iter().flat_map(|connection| &connection.kinds);
    let young = figures.filter(|figures| {
        let excess = figures.rtt.map_or(Duration::ZERO, |rtt| rtt.max.saturating_sub(input.info.timeout));
        let before = u32::try_from(figures.missed_at_end.saturating_sub(1)).unwrap_or(u32::MAX);
        figures.counts.late > 0 && input.info.spacing().saturating_mul(before) <= excess
    });
    match young.map(|figures| figures.missed_at_end).sum() {
        0 => String::new(),
        1 => "; the last one was missed only because the run ended before its pong came".to_string(),
        last => format!("; the last {last} were missed only because the run ended before their pongs came"),
    }
}

/// What this client accepts and browsers do not (WHATWG WebSockets, "establish a WebSocket connection").
fn no_subprotocol(input: &AdviceInput) -> Option<String> {
    let mut opened = input.target.connections.iter().filter_map(|connection| connection.opened.as_ref());
    opened.find_map(|opened| {
        let empty = opened.headers.iter().any(|(name, _)| name == "sec-websocket-protocol");
        let offered = opened.subprotocols_offered.join(", ");
        match (opened.subprotocol.is_some(), offered.is_empty(), empty) {
            (true, ..) | (false, true, false) => None,
            (false, false, _) => Some(format!(
                "the server chose none of the subprotocols offered ({offered}): browsers refuse such a connection"
            )),
            (false, true, true) => Some(
                "the server sent an empty Sec-WebSocket-Protocol though none was offered: browsers may refuse that"
                    .to_string(),
            ),
        }
    })
}

fn certificate_expires(input: &AdviceInput) -> Option<String> {
    let opened = input.target.connections.iter().filter_map(|connection| connection.opened.as_ref());
    let days = opened.filter_map(|opened| opened.tls.as_ref()?.days_left).min()?;
    match days {
        ..0 => Some(format!(
            "the server's certificate expired {} ago: renew it",
            format::counted(days.unsigned_abs(), "day")
        )),
        0..CERT_EXPIRY_WARNING_DAYS => Some(format!(
            "the server's certificate expires in {}: renew it",
            format::counted(days.unsigned_abs(), "day")
        )),
        CERT_EXPIRY_WARNING_DAYS.. => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::connect_info::ConnectInfo;
    use crate::domain::connection::tcp::TcpView;
    use crate::domain::connection::untrusted_text::UntrustedText;
    use crate::domain::heartbeat::difference::Difference;
    use crate::domain::heartbeat::substitutes::OtherPayload;
    use crate::domain::ping::report::samples;
    use crate::domain::stats::Counts;
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

    fn only(report: &PingReport) -> String {
        let mut advice = advise(report);
        assert_eq!(advice.len(), 1, "{advice:#?}");
        advice.remove(0)
    }

    fn ended(how: CloseKind, who: ClosedBy, idle: Duration) -> Option<Arc<CloseCause>> {
        let ending = CloseCause {
            who,
            how,
            reply: None,
            os_error: None,
            tcp: None,
            age: idle,
            idle,
            at: SystemTime::UNIX_EPOCH,
        };
        Some(Arc::new(ending))
    }

    fn lose(report: &mut PingReport, ending: Option<Arc<CloseCause>>) {
        let connection = &mut report.targets[0].connections[0];
        (connection.ending, connection.lost) = (ending.clone(), ending);
    }

    #[test]
    fn fast_tcp_and_slow_pings_point_beyond_the_first_hop() {
        let advice = |tcp: u64, pings: u64| {
            let mut report = run(vec![protocol(&[pings])]);
            let view = TcpView { rtt: ms(tcp), ..TcpView::default() };
            let mut ending = CloseCause::clone(&ended(CloseKind::Fin, ClosedBy::Us, ms(1)).unwrap());
            ending.tcp = Some(view);
            report.targets[0].connections[0].ending = Some(Arc::new(ending));
            advise(&report)
        };
        let expected = "TCP RTT 20 ms beside protocol RTT 210 ms (p50): the path to the first TCP hop is fast; the rest is \
                        behind it (a proxy or balancer, if there is one) or in the server";
        assert_eq!(advice(20, 210), [expected]);
        assert_eq!(advice(50, 210), [""; 0], "less than five times as long");
        assert_eq!(advice(1, 50), [""; 0], "less than 50 ms longer");
        assert_eq!(advice(0, 210), [""; 0], "TCP has no RTT");
    }

    #[test]
    fn good_run_needs_no_advice() {
        assert_eq!(advise(&run(vec![protocol(&[1, 2, 3]), app(&[2, 3, 4])])), Vec::<String>::new());
    }

    #[test]
    fn slow_application_on_a_fast_path_is_reported() {
        assert_eq!(
            only(&run(vec![protocol(&[2]), app(&[812])])),
            "protocol RTT 2 ms beside app RTT 812 ms (both p50): the application, or something in the \
             middle that answers pings itself, is the cause"
        );
    }

    #[test]
    fn fast_application_is_not_reported() {
        assert!(advise(&run(vec![protocol(&[1]), app(&[40])])).is_empty());
        assert!(advise(&run(vec![protocol(&[100]), app(&[180])])).is_empty());
    }

    #[test]
    fn slow_path_does_not_blame_the_application() {
        let slow = KindReport { status: Status::Poor, ..protocol(&[600]) };
        assert!(advise(&run(vec![slow, app(&[4_000])])).is_empty());
    }

    #[test]
    fn app_loss_without_path_loss_blames_the_app() {
        let lossy = counted(app(&[5, 5, 5]), |counts| counts.missed = 2);
        assert!(
            only(&run(vec![protocol(&[5]), lossy]))
                .starts_with("2 of 5 app heartbeats missed, but no protocol")
        );
    }

    #[test]
    fn silent_application_on_a_good_path_is_reported() {
        let advice = only(&run(vec![protocol(&[5]), missed(HeartbeatKind::App, 3)]));
        assert!(
            advice.starts_with(
                "protocol RTT 5 ms, but no app heartbeat was answered: the server does not know"
            )
        );
    }

    #[test]
    fn echo_server_is_recognized() {
        for kinds in
            [vec![missed(HeartbeatKind::App, 3)], vec![protocol(&[5]), missed(HeartbeatKind::App, 3)]]
        {
            let mut report = run(kinds);
            report.targets[0].connections[0].echoes = 3;
            assert_eq!(
                only(&report),
                "the server echoes: 3 of 3 app heartbeats were echoed unchanged, and none was answered; \
                 to take the echo for the answer, give --app-pong the shape of the ask (for the default \
                 ask '{\"type\":\"ping\",\"id\":\"{id}\"}')"
            );
        }
    }

    #[test]
    fn echoes_beside_answers_need_no_advice() {
        let mut report = run(vec![app(&[5])]);
        report.targets[0].connections[0].echoes = 3;
        assert!(advise(&report).is_empty());
    }

    #[test]
    fn answers_with_foreign_ids_are_explained() {
        let foreign = counted(missed(HeartbeatKind::App, 3), |counts| counts.mismatched = 3);
        assert!(only(&run(vec![foreign])).starts_with("3 answers carried a foreign id or number"));
    }

    #[test]
    fn silence_on_an_open_connection_is_explained() {
        let hangs = only(&run(vec![missed(HeartbeatKind::Protocol, 4)]));
        assert!(hangs.starts_with("none of 4 pings was answered while the connection stayed open"));
        let one = only(&run(vec![missed(HeartbeatKind::Protocol, 1)]));
        assert!(one.starts_with("the only ping was not answered while the connection stayed open: "));
        let both = only(&run(vec![missed(HeartbeatKind::Protocol, 4), missed(HeartbeatKind::App, 3)]));
        assert!(both.starts_with("of 4 pings and 3 app heartbeats none was answered"));
        let unasked = counted(missed(HeartbeatKind::Protocol, 4), |counts| counts.unsolicited = 1);
        assert!(only(&run(vec![unasked])).contains("open, although 1 pong came unsolicited: "));
        let no_pongs = only(&run(vec![missed(HeartbeatKind::Protocol, 4), app(&[5])]));
        assert!(no_pongs.ends_with("something in the middle, does not answer Ping frames"));
        let mut alone = run(vec![missed(HeartbeatKind::App, 3)]);
        assert!(
            only(&alone)
                .ends_with("(see --app-ping and --app-pong); no other message came that could be the answer")
        );
        alone.targets[0].connections[0].messages = 7;
        assert!(only(&alone).ends_with("; 7 messages came, which may be the answer in another form"));
    }

    #[test]
    fn no_silence_advice_without_judged_heartbeats() {
        assert!(advise(&run(vec![missed(HeartbeatKind::Protocol, 0)])).is_empty());
        assert!(advise(&run(vec![missed(HeartbeatKind::Protocol, 4), app(&[])])).is_empty());
        let mut report = run(vec![missed(HeartbeatKind::Protocol, 4)]);
        lose(&mut report, ended(CloseKind::Rst, ClosedBy::Network, ms(10)));
        assert!(advise(&report).is_empty());
    }

    #[test]
    fn pongs_with_another_payload_are_no_silence() {
        let wrong = counted(missed(HeartbeatKind::Protocol, 4), |counts| counts.mismatched = 3);
        assert_eq!(
            only(&run(vec![wrong])),
            "pongs come (3), but with another payload than the ping's: the server (or something between) \
             breaks RFC 6455 5.5.3"
        );
        assert!(advise(&run(vec![counted(protocol(&[5]), |counts| counts.mismatched = 3)])).is_empty());
    }

    fn throttle(report: &mut PingReport, overheard: ServerTraffic) {
        report.targets[0].connections[0].overheard = Some(Arc::new(overheard));
    }

    fn unmatched(message: &str, point: &str) -> ServerTraffic {
        let difference = Difference { agreeing: 1, points: vec![point.to_string()] };
        let nearest = Some(NearestMessage { message: UntrustedText::new(message), difference });
        ServerTraffic { nearest, ..ServerTraffic::default() }
    }

    #[test]
    fn unmatched_reply_is_shown_with_what_differs() {
        let overheard = || unmatched(r#"{"type":"error"}"#, r#"`type` is "error", not "pong""#);
        let shown = r#"'{"type":"error"}' (`type` is "error", not "pong")"#;
        let mut report = run(vec![missed(HeartbeatKind::App, 3)]);
        report.targets[0].connections[0].messages = 3;
        throttle(&mut report, overheard());
        let expected = format!("3 messages came that are no answer by --app-pong; the nearest: {shown}");
        assert!(only(&report).ends_with(&expected), "{}", only(&report));
        let mut report = run(vec![protocol(&[5]), missed(HeartbeatKind::App, 3)]);
        throttle(&mut report, overheard());
        assert!(only(&report).ends_with(&format!("; received: {shown}")));
        let mut report = run(vec![missed(HeartbeatKind::App, 1)]);
        lose(&mut report, ended(CloseKind::Fin, ClosedBy::Peer, ms(10)));
        throttle(&mut report, overheard());
        let expected = "no app heartbeat was answered before the connection ended; received: ";
        assert_eq!(only(&report), format!("{expected}{shown}"));
    }

    #[test]
    fn last_message_before_the_peers_end_is_shown() {
        let mut report = run(vec![protocol(&[5])]);
        let last = Some(UntrustedText::new(r#"{"error":"token expired"}"#));
        throttle(&mut report, ServerTraffic { last, ..ServerTraffic::default() });
        assert_eq!(advise(&report), [""; 0], "it goes on");
        lose(&mut report, ended(CloseKind::Fin, ClosedBy::Peer, ms(10)));
        let expected = r#"the last message before the connection ended: '{"error":"token expired"}'"#;
        assert_eq!(only(&report), expected);
    }

    #[test]
    fn substitutes_of_pongs_are_shown() {
        let with = |substitute: Substitute| {
            let mut report = run(vec![missed(HeartbeatKind::Protocol, 4)]);
            throttle(&mut report, ServerTraffic { substitute: Some(substitute), ..ServerTraffic::default() });
            only(&report)
        };
        let pongs = with(Substitute::Pongs { count: 4, payload: OtherPayload::Empty });
        let expected = "4 pongs came, but with an empty payload instead of the Ping's: the server (or something between)";
        assert!(pongs.starts_with(expected), "{pongs}");
        let messages = with(Substitute::Messages { count: 4, sample: UntrustedText::new("pong") });
        assert!(
            messages.starts_with("a message came for each Ping instead of a Pong (4, the first: 'pong'): ")
        );
        assert!(messages.ends_with("with --heartbeat app (--app-ping, --app-pong)"));
    }

    #[test]
    fn end_right_after_the_first_ping_suggests_app_heartbeats() {
        let advice = |how: CloseKind, after: u64| {
            let mut report = run(vec![counted(protocol(&[]), |counts| counts.ok = 0)]);
            lose(&mut report, ended(how, ClosedBy::Peer, ms(10)));
            let ended_after_ping = Some(ms(after));
            throttle(&mut report, ServerTraffic { ended_after_ping, ..ServerTraffic::default() });
            advise(&report)
        };
        let close = |code| CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::default() };
        for how in
            [CloseKind::Fin, CloseKind::Rst, CloseKind::TlsClose, close(1002), close(1003), close(1011)]
        {
            let found = advice(how, 2);
            assert!(found[0].starts_with("it ended 2 ms after our first Ping ("), "{found:?}");
            assert!(found[0].contains("try --heartbeat app"));
        }
        for (how, after) in [(CloseKind::Fin, 1_001), (close(1001), 2), (close(1013), 2), (close(4401), 2)] {
            assert_eq!(advice(how, after), [""; 0]);
        }
    }

    #[test]
    fn stopped_answers_on_an_open_connection_are_reported() {
        let mut report = run(vec![counted(protocol(&[5]), |counts| counts.missed = 3)]);
        lose(&mut report, ended(CloseKind::Timeout, ClosedBy::Us, ms(10)));
        report.targets[0].connections[0].answered_until = Some(ms(4_200));
        assert_eq!(
            only(&report),
            "answers stopped after 4.2 s while TCP stayed open: the server hangs or was stopped, or the path \
             silently drops data"
        );
        lose(&mut report, ended(CloseKind::Rst, ClosedBy::Network, ms(10)));
        assert!(advise(&report).is_empty(), "the network said it");
    }

    #[test]
    fn unsent_heartbeats_are_reported() {
        let unsent = counted(protocol(&[5]), |counts| counts.unsent = 1);
        assert_eq!(
            only(&run(vec![unsent])),
            "1 heartbeat never left this machine (local back-pressure): the peer or the path accepts no more data, \
             or this host was not scheduled in time"
        );
    }

    #[test]
    fn last_heartbeats_of_a_slow_server_blame_the_run_end() {
        let with = |missed_at_end: u64| {
            let slow = counted(protocol(&[12_000, 12_000]), |counts| {
                (counts.ok, counts.late, counts.missed) = (0, 2, missed_at_end);
            });
            only(&run(vec![KindReport { missed_at_end, ..slow }]))
        };
        let end = "; the last 3 were missed only because the run ended before their pongs came";
        assert!(with(3).ends_with(end), "12 s after a timeout of 10 s: three of them within 2 s");
        assert!(with(4).ends_with("by its RTT"), "the fourth is too old for that");
        assert!(
            with(1).ends_with("; the last one was missed only because the run ended before its pong came")
        );
        assert!(with(0).ends_with("by its RTT"));
    }

    #[test]
    fn cut_after_a_quiet_time_suggests_a_shorter_interval() {
        let cut = |how: CloseKind, idle: u64, interval: u64| {
            let mut report = run(vec![protocol(&[5])]);
            lose(&mut report, ended(how, ClosedBy::Peer, Duration::from_secs(idle)));
            Arc::make_mut(&mut report.info).interval = Some(Duration::from_secs(interval));
            report
        };
        let expected = "the connection was cut after 60 s without data: if that was an idle \
                        timeout, a heartbeat every 45 s would keep it open";
        assert_eq!(only(&cut(CloseKind::Fin, 60, 90)), expected);
        assert_eq!(only(&cut(CloseKind::Rst, 60, 60)), expected);
        assert!(advise(&cut(CloseKind::Fin, 60, 10)).is_empty(), "heartbeats went out in that quiet");
        assert!(advise(&cut(CloseKind::Fin, 4, 10)).is_empty(), "it was hardly quiet");
        let close = CloseKind::CloseFrame { code: Some(1001), reason: UntrustedText::default() };
        assert!(advise(&cut(close.clone(), 60, 90)).is_empty(), "the peer said why");
        let mut opened_again = cut(CloseKind::Fin, 60, 90);
        opened_again.targets[0].connections[0].ending = ended(close, ClosedBy::Us, ms(10));
        assert_eq!(only(&opened_again), expected);
    }

    #[test]
    fn doubtful_late_and_superseded_pongs_are_explained() {
        let figures = |change: fn(&mut Counts)| only(&run(vec![counted(protocol(&[12_000]), change)]));
        assert!(
            figures(|counts| counts.ambiguous = 2).starts_with("2 answers without id came while several")
        );
        let superseded = figures(|counts| counts.superseded = 2);
        assert!(superseded.starts_with("no pong came for 2 pings, only for later ones"), "{superseded}");
        assert!(superseded.ends_with("longer than the RTT (the longest RTT was 12 s)"), "{superseded}");
        assert_eq!(
            figures(|counts| counts.late = 1),
            "1 pong came after the timeout of 10 s, the slowest after 12 s: the peer is slow, not gone; a \
             longer timeout would judge it by its RTT"
        );
    }

    #[test]
    fn dropped_replies_are_reported() {
        let missed = |counts: &mut Counts| (counts.missed, counts.missed_later_answered) = (4, 3);
        let pongs = only(&run(vec![counted(protocol(&[20]), missed)]));
        assert!(pongs.starts_with("no pong came for 3 pings, although later pings were answered"), "{pongs}");
        let answers = only(&run(vec![counted(app(&[20]), missed)]));
        assert!(answers.starts_with("no answer came for 3 app heartbeats, although answers"), "{answers}");
        let silence = counted(protocol(&[20]), |counts| counts.missed = 4);
        assert!(advise(&run(vec![silence])).is_empty(), "no later ping was answered");
    }

    #[test]
    fn unchosen_subprotocols_are_reported() {
        let with = |offered: &[&str], chosen: Option<&str>, headers: &[&str]| {
            let mut report = run(vec![protocol(&[5])]);
            report.targets[0].connections[0].opened = Some(Arc::new(ConnectInfo {
                subprotocols_offered: offered.iter().map(|name| name.to_string()).collect(),
                subprotocol: chosen.map(UntrustedText::new),
                headers: headers.iter().map(|name| (name.to_string(), UntrustedText::default())).collect(),
                ..ConnectInfo::default()
            }));
            advise(&report)
        };
        let none_chosen =
            "the server chose none of the subprotocols offered (mqtt, v2): browsers refuse such a connection";
        assert_eq!(with(&["mqtt", "v2"], None, &[]), [none_chosen]);
        assert_eq!(with(&["mqtt", "v2"], None, &["sec-websocket-protocol"]), [none_chosen]);
        assert!(with(&[], None, &["sec-websocket-protocol"])[0].starts_with("the server sent an empty"));
        assert!(with(&["mqtt"], Some("mqtt"), &[]).is_empty() && with(&[], None, &["server"]).is_empty());
    }

    #[test]
    fn certificate_expiring_soon_is_reported() {
        let with = |days: i64| {
            let mut report = run(vec![protocol(&[5])]);
            report.targets[0].connections[0].opened = Some(Arc::new(samples::opened_tls(days)));
            advise(&report)
        };
        assert_eq!(with(13), ["the server's certificate expires in 13 days: renew it"]);
        assert_eq!(with(-3), ["the server's certificate expired 3 days ago: renew it"]);
        assert!(with(14).is_empty());
    }

    #[test]
    fn target_is_named_if_there_are_several() {
        let target = |url: &str, rtt: u64| samples::target(url, vec![protocol(&[2]), app(&[rtt])]);
        let advice = only(&samples::report(vec![target("ws://a/", 3), target("ws://b/", 812)]));
        assert!(advice.starts_with("ws://b/: protocol RTT 2 ms beside app RTT 812 ms"));
    }
}
