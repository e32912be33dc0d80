//! What each finding of `ping` says, what to do about it, and its evidence as data.

use std::time::Duration;

use super::http2_findings;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::connection::incomplete::{IncompleteData, IncompletePart};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::format::{self, counted};
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::substitutes::{OtherPayload, Substitute};
use crate::domain::heartbeat::unmatched::NearestMessage;
use crate::domain::label::Label;
use crate::domain::ping::finding::{PingFinding, ReportedFinding};
use crate::domain::ping::report::PingReport;
use crate::domain::ping::server_traffic::UnmatchedTraffic;
use crate::output::flow_control;
use crate::output::goaway_finding;
use crate::output::view::{Explanation, ShownFinding, most_severe_first};

/// Why messages are slower or lost, and Ping frames are not.
const APP_IS_THE_CAUSE: &str =
    "the application, or something in the middle that answers pings itself, is the cause";
const CHECK_PATTERNS: &str = "check --app-ping and --app-pong, or choose a --preset";
const CHECK_SERVER: &str = "check whether the server's process is stopped or blocked";

/// The findings of a run in words, the most severe first. Each names its target if there are several.
pub fn shown_findings(report: &PingReport) -> Vec<ShownFinding> {
    most_severe_first(report.findings.iter().map(|reported| shown(report, reported)).collect())
}

fn shown(report: &PingReport, ReportedFinding { finding, target }: &ReportedFinding) -> ShownFinding {
    let target = target.filter(|_| report.targets.len() > 1).and_then(|index| report.targets.get(index));
    let about = target.map(|target| target.url.clone());
    ShownFinding { about, ..ShownFinding::new(finding, explain(finding)) }
}

/// What a finding says and what to do about it.
pub fn explain(finding: &PingFinding) -> Explanation {
    use PingFinding as F;
    match finding {
        F::AppSlowerThanProtocol { protocol_p50, app_p50 } => app_slower(*protocol_p50, *app_p50),
        F::OnlyAppMissed { missed, judged } => only_app_missed(*missed, *judged),
        F::OnlyAppUnanswered { protocol_p50, missed, nearest } => {
            only_app_unanswered(*protocol_p50, *missed, nearest.as_ref())
        }
        F::SlowBehindFirstHop { tcp, protocol_p50 } => slow_behind_first_hop(*tcp, *protocol_p50),
        F::PresetMismatch { preset, before_end, traffic } => preset_mismatch(*preset, *before_end, traffic),
        F::ServerEchoes { echoes, sent } => server_echoes(*echoes, *sent),
        F::ForeignAnswers { answers, first } => foreign_answers(*answers, first.as_ref()),
        F::WrongPongPayload { pongs, payload } => wrong_pong_payload(*pongs, payload.as_ref()),
        F::PingsReturned { count } => pings_returned(*count),
        F::MessagesInsteadOfPongs { count, first } => messages_instead_of_pongs(*count, first),
        F::IncompleteFrame(incomplete) => incomplete_frame(incomplete),
        F::EndedAfterPing { after, ending } => ended_after_ping(*after, ending),
        F::UnmatchedBeforeEnd { nearest } => unmatched_before_end(nearest),
        F::LastMessage { message } => last_message(message),
        F::PingsUnanswered { missed, unsolicited_pongs } => pings_unanswered(*missed, *unsolicited_pongs),
        F::AppUnanswered { missed, messages, nearest } => {
            app_unanswered(*missed, *messages, nearest.as_ref())
        }
        F::AllUnanswered { pings, app_heartbeats } => all_unanswered(*pings, *app_heartbeats),
        F::OnlyPingsUnanswered { missed } => only_pings_unanswered(*missed),
        F::ServerStoppedAnswering { after, acknowledged } => server_stopped_answering(*after, *acknowledged),
        F::PathStoppedDelivering { after, unacknowledged } => {
            path_stopped_delivering(*after, *unacknowledged)
        }
        F::AnswersStopped { after } => answers_stopped(*after),
        F::CutWhenQuiet { idle, safe_interval } => cut_when_quiet(*idle, *safe_interval),
        F::AmbiguousAnswers { answers } => ambiguous_answers(*answers),
        F::OnlyHttp2Answered(silent) => http2_findings::only_http2_answered(*silent),
        F::EndedWithHttp2Connection(end) => http2_findings::ended_together(end),
        F::H2StreamsLimited(limit) => http2_findings::streams_limited(*limit),
        F::H2GoawayReceived(summary) => goaway_finding::explain(summary),
        F::HeartbeatsUnsent { unsent, due, window_exhausted, window } => {
            heartbeats_unsent(*unsent, *due, *window_exhausted, *window)
        }
        F::HeldBackByFlowControl { heartbeats, longest, window } => held_back(*heartbeats, *longest, *window),
        F::RepliesDropped { kind, dropped, judged } => replies_dropped(*kind, *dropped, *judged),
        F::PongsSuperseded { superseded, longest_rtt } => pongs_superseded(*superseded, *longest_rtt),
        F::LateAnswers { late, timeout, longest_rtt, open_at_end } => {
            late_answers(*late, *timeout, *longest_rtt, *open_at_end)
        }
        F::SubprotocolNotChosen { offered } => subprotocol_not_chosen(offered),
        F::SubprotocolHeaderEmpty => subprotocol_header_empty(),
        F::CompressionNotAgreed { offered, connections, opened } => {
            compression_not_agreed(offered, *connections, *opened)
        }
        F::CertificateExpires { days } => {
            certificate(format!("expires in {}", counted(*days, "day")), "days_left", *days)
        }
        F::CertificateExpired { days_ago } => {
            certificate(format!("expired {} ago", counted(*days_ago, "day")), "days_ago", *days_ago)
        }
        F::HostStalled { stalled } => host_stalled(*stalled),
        F::HostLate { lag, rtt, percentile } => host_late(*lag, *rtt, *percentile),
    }
}

fn app_slower(protocol_p50: Duration, app_p50: Duration) -> Explanation {
    let (quick, slow) = (format::rtt(protocol_p50), format::rtt(app_p50));
    Explanation::new(format!("protocol RTT {quick} beside app RTT {slow} (both p50): {APP_IS_THE_CAUSE}"))
        .remedy("look for the time in the application, and rely on --heartbeat app")
        .with_duration("protocol_p50", protocol_p50)
        .with_duration("app_p50", app_p50)
}

fn only_app_missed(missed: u64, judged: u64) -> Explanation {
    Explanation::new(format!(
        "{missed} of {judged} app heartbeats missed, but no protocol heartbeat: {APP_IS_THE_CAUSE}"
    ))
    .remedy("look for errors and pauses in the application, and rely on --heartbeat app")
    .with("missed", missed)
    .with("judged", judged)
}

fn only_app_unanswered(protocol_p50: Duration, missed: u64, nearest: Option<&NearestMessage>) -> Explanation {
    let received = nearest.map(|nearest| format!("; received: {}", nearest.describe())).unwrap_or_default();
    let explanation = Explanation::new(format!(
        "protocol RTT {}, but no app heartbeat was answered: the server does not know this request, its application \
         hangs, or something in the middle answers pings itself{received}",
        format::rtt(protocol_p50)
    ));
    with_nearest(explanation, nearest)
        .remedy(CHECK_PATTERNS)
        .with_duration("protocol_p50", protocol_p50)
        .with("missed", missed)
}

fn with_nearest(explanation: Explanation, nearest: Option<&NearestMessage>) -> Explanation {
    match nearest {
        Some(nearest) => explanation
            .with("nearest_message", nearest.message.as_str())
            .with("difference", nearest.difference.describe()),
        None => explanation,
    }
}

fn slow_behind_first_hop(tcp: Duration, protocol_p50: Duration) -> Explanation {
    let (quick, slow) = (format::rtt(tcp), format::rtt(protocol_p50));
    Explanation::new(format!(
        "TCP RTT {quick} beside protocol RTT {slow} (p50): the path to the first TCP hop is fast; the rest is behind \
         it (a proxy or balancer, if there is one) or in the server"
    ))
    .remedy("measure from behind the proxy or balancer, and compare")
    .with_duration("tcp_rtt", tcp)
    .with_duration("protocol_p50", protocol_p50)
}

fn preset_mismatch(preset: Option<&str>, before_end: bool, traffic: &UnmatchedTraffic) -> Explanation {
    let expected = match preset {
        Some(name) => format!("the preset {name}'s answer"),
        None => "the answer (see --app-pong)".to_string(),
    };
    let before = if before_end { " before the connection ended" } else { "" };
    let remedy = match traffic.suggested_preset() {
        Some(name) => format!("try --preset {name}"),
        None => "try --preset auto, or describe the answer with --app-pong".to_string(),
    };
    let explanation = Explanation::new(format!("no message matched {expected}{before}; {traffic}"))
        .remedy(remedy)
        .with("preset", preset)
        .with("first_message", traffic.first.as_ref().map(UntrustedText::as_str))
        .with("looks_like", traffic.looks_like.clone());
    with_nearest(explanation, traffic.nearest.as_ref())
}

fn server_echoes(echoes: u64, sent: u64) -> Explanation {
    Explanation::new(format!(
        "the server echoes: {echoes} of {sent} app heartbeats were echoed unchanged, and none was answered"
    ))
    .remedy(format!(
        "to count the echo as the answer, give --app-pong the shape of the request (of the default request: '{}')",
        r#"{"type":"ping","id":"{id}"}"#
    ))
    .with("echoes", echoes)
    .with("sent", sent)
}

fn foreign_answers(answers: u64, first: Option<&UntrustedText>) -> Explanation {
    let sample = first.map(|answer| format!(" (the first: '{answer}')")).unwrap_or_default();
    Explanation::new(format!(
        "{} carried a foreign id or number{sample}, so they could not be matched to requests",
        counted(answers, "answer")
    ))
    .remedy("use an --app-ping without {id} and {seq}: its answers are matched in order")
    .with("answers", answers)
    .with("first_answer", first.map(UntrustedText::as_str))
}

fn wrong_pong_payload(pongs: u64, payload: Option<&OtherPayload>) -> Explanation {
    let came = match payload {
        Some(payload) => Substitute::Pongs { count: pongs, payload: payload.clone() }.describe(),
        None => format!("{} came, but with another payload than the Ping's", counted(pongs, "pong")),
    };
    Explanation::new(format!(
        "{came}: if they answer Pings, the server, or something in the middle, breaks RFC 6455 5.5.3"
    ))
    .remedy("look at what answers Ping frames: a Pong must carry the payload of its Ping")
    .with("pongs", pongs)
    .with("payload", payload.map(ToString::to_string))
}

fn pings_returned(count: u64) -> Explanation {
    let came = Substitute::Pings { count }.describe();
    Explanation::new(format!(
        "{came}: the server returns frames unchanged, although RFC 6455 5.5.2 requires Pong frames"
    ))
    .remedy("repair the server; until then measure it with --heartbeat app")
    .with("pings", count)
}

fn messages_instead_of_pongs(count: u64, first: &UntrustedText) -> Explanation {
    let came = Substitute::Messages { count, sample: first.clone() }.describe();
    Explanation::new(format!(
        "{came}: the server seems to answer Ping frames with messages, although RFC 6455 5.5.2 requires Pong frames"
    ))
    .remedy("measure it with --heartbeat app (--app-ping, --app-pong)")
    .with("messages", count)
    .with("first_message", first.as_str())
}

fn incomplete_frame(incomplete: &IncompleteData) -> Explanation {
    let explanation = Explanation::new(format!(
        "{incomplete}: {}; the server, or a proxy that relays it, stopped inside a frame",
        IncompleteData::BLOCKS
    ))
    .remedy("look for a writer that blocks or stops inside a frame")
    .with_duration("silent", incomplete.since);
    match incomplete.part {
        IncompletePart::Head { bytes } => explanation.with("part", "head").with("bytes", bytes),
        IncompletePart::Frame { received, size } => {
            explanation.with("part", "frame").with("bytes", received).with("size", size)
        }
        IncompletePart::Message { fragments, bytes } => {
            explanation.with("part", "message").with("fragments", fragments).with("bytes", bytes)
        }
        IncompletePart::Record => explanation.with("part", "tls_record"),
    }
}

fn ended_after_ping(after: Duration, ending: &CloseCause) -> Explanation {
    Explanation::new(format!(
        "the connection ended {} after our first Ping ({ending}), and nothing had answered: perhaps the server rejects \
         Ping frames",
        format::duration(after)
    ))
    .remedy(
        "try --heartbeat app ('wscheck listen' sends no Ping frames, and shows whether the connection ends anyway)",
    )
    .with_duration("after", after)
    .with("ending", ending.to_string())
}

fn unmatched_before_end(nearest: &NearestMessage) -> Explanation {
    let explanation = Explanation::new(format!(
        "no app heartbeat was answered before the connection ended; received: {}",
        nearest.describe()
    ));
    with_nearest(explanation, Some(nearest)).remedy(CHECK_PATTERNS)
}

fn last_message(message: &UntrustedText) -> Explanation {
    Explanation::new(format!("the last message before the connection ended: '{message}'"))
        .with("message", message.as_str())
}

fn pings_unanswered(missed: u64, unsolicited_pongs: u64) -> Explanation {
    let although = match unsolicited_pongs {
        0 => String::new(),
        pongs => format!(", although {} came unsolicited", counted(pongs, "pong")),
    };
    Explanation::new(format!(
        "{} while the connection stayed open{although}: the peer hangs or answers no Ping frames, or the path drops data",
        none_of(missed, "ping")
    ))
    .remedy("try --heartbeat app: if messages are answered, only Ping frames are not")
    .with("missed", missed)
    .with("unsolicited_pongs", unsolicited_pongs)
}

/// For example `none of 4 pings was answered`.
fn none_of(number: u64, thing: &str) -> String {
    match number {
        1 => format!("the only {thing} was not answered"),
        _ => format!("none of {number} {thing}s was answered"),
    }
}

fn app_unanswered(missed: u64, messages: u64, nearest: Option<&NearestMessage>) -> Explanation {
    // A server that replies does not hang.
    let why = match nearest {
        Some(_) => "the server does not know this request, or answers it in another form",
        None => "the server hangs or does not know this request",
    };
    let came = counted(messages, "message");
    let perhaps = match (messages, nearest) {
        (0, _) => "no other message came that could be the answer".to_string(),
        (_, None) => format!("{came} came, which may be the answer in another form"),
        (1, Some(nearest)) => {
            format!("a message came that is no answer by --app-pong: {}", nearest.describe())
        }
        (_, Some(nearest)) => {
            format!("{came} came that are no answer by --app-pong; the nearest: {}", nearest.describe())
        }
    };
    let unanswered = none_of(missed, "app heartbeat");
    let message = format!("{unanswered} while the connection stayed open: {why}; {perhaps}");
    with_nearest(Explanation::new(message), nearest)
        .remedy(CHECK_PATTERNS)
        .with("missed", missed)
        .with("messages", messages)
}

fn all_unanswered(pings: u64, app_heartbeats: u64) -> Explanation {
    Explanation::new(format!(
        "of {} and {} none was answered while the connection stayed open: the peer hangs, or the path drops data",
        counted(pings, "ping"),
        counted(app_heartbeats, "app heartbeat")
    ))
    .remedy(CHECK_SERVER)
    .with("missed_pings", pings)
    .with("missed_app_heartbeats", app_heartbeats)
}

fn only_pings_unanswered(missed: u64) -> Explanation {
    Explanation::new(format!(
        "{}, but app heartbeats were: the peer, or something in the middle, does not answer Ping frames",
        none_of(missed, "ping")
    ))
    .remedy("use app heartbeats on this path (--heartbeat app)")
    .with("missed", missed)
}

fn server_stopped_answering(after: Duration, acknowledged: u64) -> Explanation {
    Explanation::new(format!(
        "the last answer came {} after the opening, and TCP still acknowledges: the server hangs, or something behind the first \
         hop drops messages",
        format::duration(after)
    ))
    .remedy(CHECK_SERVER)
    .with_duration("last_answer", after)
    .with("missed_acknowledged", acknowledged)
}

fn path_stopped_delivering(after: Duration, unacknowledged: u64) -> Explanation {
    Explanation::new(format!(
        "the last answer came {} after the opening, and TCP did not acknowledge the heartbeats after it: the path silently drops \
         data, or the peer's host is down",
        format::duration(after)
    ))
    .remedy("check the peer's host, and the firewalls and NATs on the path")
    .with_duration("last_answer", after)
    .with("missed_unacknowledged", unacknowledged)
}

fn answers_stopped(after: Duration) -> Explanation {
    Explanation::new(format!(
        "answers stopped {} after the opening, while TCP stayed open: the server hangs or was stopped, or the path silently drops \
         data",
        format::duration(after)
    ))
    .remedy(CHECK_SERVER)
    .with_duration("last_answer", after)
}

fn cut_when_quiet(idle: Duration, safe_interval: Duration) -> Explanation {
    let (idle_text, safe) = (format::duration(idle), format::duration(safe_interval));
    Explanation::new(format!(
        "the connection was cut after {idle_text} without data: perhaps an idle timeout"
    ))
    .remedy(format!("if so, a heartbeat every {safe} keeps it open; 'wscheck probe-idle' finds the timeout"))
    .with_duration("idle", idle)
    .with_duration("safe_interval", safe_interval)
}

fn ambiguous_answers(answers: u64) -> Explanation {
    Explanation::new(format!(
        "{} without id came while several requests were outstanding, and were matched to the oldest: app RTTs are upper \
         bounds",
        counted(answers, "answer")
    ))
    .remedy("give the request an id that the answer repeats, or lengthen the interval")
    .with("answers", answers)
}

fn heartbeats_unsent(
    unsent: u64,
    due: u64,
    window_exhausted: u64,
    window: Option<ExhaustedWindow>,
) -> Explanation {
    let of_due = format!("{unsent} of {}", counted(due, "heartbeat"));
    let because = match window_exhausted {
        all if all == unsent => "because".to_string(),
        some => format!("{some} of them because"),
    };
    let explanation = match window_exhausted {
        0 => Explanation::new(format!(
            "{of_due} never left this machine (local back-pressure): the peer or the path accepts no more data, or this \
             host was not scheduled in time"
        ))
        .remedy("send less: a longer interval, or fewer connections"),
        _ => Explanation::new(format!(
            "{of_due} could not be sent, {because} the server granted no room for them ({}): what ends HTTP/2 read no more of the \
             WebSocket, or too slowly",
            window.unwrap_or(ExhaustedWindow::Unknown).sentence()
        ))
        .remedy(flow_control::REMEDY)
        .with("window", window.unwrap_or(ExhaustedWindow::Unknown).label()),
    };
    explanation.with("window_exhausted", window_exhausted).with("unsent", unsent).with("due", due)
}

fn held_back(heartbeats: u64, longest: Duration, window: ExhaustedWindow) -> Explanation {
    Explanation::new(format!(
        "held back by flow control: {}, the longest for {} ({}); the RTT begins when a heartbeat has left, so that it does not \
         show this",
        counted(heartbeats, "heartbeat"),
        format::duration(longest),
        window.sentence()
    ))
    .remedy(flow_control::REMEDY)
    .with("heartbeats", heartbeats)
    .with_duration("longest", longest)
    .with("window", window.label())
}

fn replies_dropped(kind: HeartbeatKind, dropped: u64, judged: u64) -> Explanation {
    let message = match kind {
        HeartbeatKind::Protocol => format!(
            "no pong came for {}, although later pings were answered and the server had time to answer these first: \
             something between here and the server, or the server, drops pings or pongs",
            counted(dropped, "ping")
        ),
        HeartbeatKind::Http2 => format!(
            "no acknowledgement came in time for {}, although others were acknowledged: what ends HTTP/2, or something before \
             it, drops some",
            counted(dropped, "PING of HTTP/2")
        ),
        HeartbeatKind::App => format!(
            "no answer came for {}, although answers came after they were sent: the application, or something in the \
             middle, drops some",
            counted(dropped, "app heartbeat")
        ),
    };
    Explanation::new(message)
        .remedy("measure close to the server, and compare: if nothing is missed there, the path is the cause")
        .with("heartbeat", kind.label())
        .with("dropped", dropped)
        .with("judged", judged)
}

fn pongs_superseded(superseded: u64, longest_rtt: Option<Duration>) -> Explanation {
    let longest =
        longest_rtt.map(|rtt| format!(" (the longest was {})", format::rtt(rtt))).unwrap_or_default();
    let explanation = Explanation::new(format!(
        "no pong came for {}, only for later ones that the server may have held at the same time: RFC 6455 5.5.3 lets \
         it answer only the latest, so they do not count as loss",
        counted(superseded, "ping")
    ))
    .remedy(format!("to see whether any was lost, make the interval longer than the RTT{longest}"))
    .with("superseded", superseded);
    match longest_rtt {
        Some(rtt) => explanation.with_duration("longest_rtt", rtt),
        None => explanation,
    }
}

fn late_answers(late: u64, timeout: Duration, longest_rtt: Duration, open_at_end: u64) -> Explanation {
    let at_end = match open_at_end {
        0 => String::new(),
        1 => "; the last one passed the timeout too, and its reply may have come had the run continued"
            .to_string(),
        last => format!(
            "; the last {last} passed the timeout too, and their replies may have come had the run continued"
        ),
    };
    Explanation::new(format!(
        "{} came after the timeout of {}, with an RTT of up to {}: the peer is slow, not gone{at_end}",
        if late == 1 { "1 reply".to_string() } else { format!("{late} replies") },
        format::duration(timeout),
        format::rtt(longest_rtt)
    ))
    .remedy("a longer timeout (-W) would judge it by its RTT")
    .with("late", late)
    .with_duration("timeout", timeout)
    .with_duration("longest_rtt", longest_rtt)
    .with("missed_as_run_ended", open_at_end)
}

fn subprotocol_not_chosen(offered: &[String]) -> Explanation {
    Explanation::new(format!(
        "the server chose none of the subprotocols offered ({}): browsers refuse such a connection",
        offered.join(", ")
    ))
    .remedy("offer one that the server supports, or make the server choose one")
    .with("offered", offered.to_vec())
}

fn compression_not_agreed(offered: &str, connections: u64, opened: u64) -> Explanation {
    let on = match opened {
        1 => String::new(),
        _ => format!(" on {connections} of {}", counted(opened, "connection")),
    };
    Explanation::new(format!(
        "compression was offered ({offered}), and the server did not agree{on}: messages are not compressed there"
    ))
    .remedy("turn permessage-deflate on at the server, and let each hop pass Sec-WebSocket-Extensions on, if it is wanted")
    .with("offered", offered)
    .with("connections", connections)
    .with("opened", opened)
}

fn subprotocol_header_empty() -> Explanation {
    Explanation::new(
        "the server sent an empty Sec-WebSocket-Protocol though none was offered: browsers may refuse this",
    )
    .remedy("make the server leave the header out")
}

fn certificate(expiry: String, name: &str, days: u64) -> Explanation {
    Explanation::new(format!("the server's certificate {expiry}")).remedy("renew it").with(name, days)
}

fn host_stalled(stalled: Duration) -> Explanation {
    Explanation::new(format!(
        "this host was stalled for {}, and read answers late: the measurement is suspect, and RTTs are upper bounds",
        format::duration(stalled)
    ))
    .remedy("repeat the run on a host that is not suspended or overloaded")
    .with_duration("stalled", stalled)
}

fn host_late(lag: Duration, rtt: Duration, percentile: u8) -> Explanation {
    let (late, beside) = (format::duration(lag), format::rtt(rtt));
    Explanation::new(format!(
        "this host was {late} late beside an RTT of {beside} (both p{percentile}): the measurement is suspect"
    ))
    .remedy("repeat the run on a less busy host")
    .with_duration("lag", lag)
    .with_duration("rtt", rtt)
    .with("percentile", percentile)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use std::time::SystemTime;

    use strum::IntoEnumIterator;

    use super::*;
    use crate::domain::connection::close_cause::{CloseKind, ClosedBy};
    use crate::domain::connection::goaway::{Goaway, GoawayNotice, GoawaySummary};
    use crate::domain::connection::http2::Http2Code;
    use crate::domain::heartbeat::difference::Difference;
    use crate::domain::ping::finding::{PingFindingCode, SharedEnd, SilentWebsockets, StreamLimit};
    use crate::domain::ping::report::samples;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    fn nearest() -> NearestMessage {
        let points = vec![r#"`type` is "error", not "pong""#.to_string()];
        NearestMessage {
            message: UntrustedText::new(r#"{"type":"error"}"#),
            difference: Difference { agreeing: 1, points },
        }
    }

    fn fin() -> Arc<CloseCause> {
        Arc::new(CloseCause {
            who: ClosedBy::Peer,
            how: CloseKind::Fin,
            reply: None,
            os_error: None,
            tcp: None,
            age: ms(10),
            idle: ms(10),
            at: SystemTime::UNIX_EPOCH,
        })
    }

    /// Findings about heartbeats, with every code and the forms that a sentence has.
    fn about_heartbeats() -> Vec<PingFinding> {
        use PingFinding as F;
        let (protocol_p50, text) = (ms(2), |text: &str| UntrustedText::new(text));
        vec![
            F::AppSlowerThanProtocol { protocol_p50, app_p50: ms(812) },
            F::OnlyAppMissed { missed: 2, judged: 5 },
            F::OnlyAppUnanswered { protocol_p50, missed: 3, nearest: None },
            F::OnlyAppUnanswered { protocol_p50, missed: 3, nearest: Some(nearest()) },
            F::SlowBehindFirstHop { tcp: ms(20), protocol_p50: ms(210) },
            F::ServerEchoes { echoes: 3, sent: 3 },
            F::ForeignAnswers { answers: 3, first: Some(text("pong 9")) },
            F::WrongPongPayload { pongs: 4, payload: Some(OtherPayload::Empty) },
            F::WrongPongPayload { pongs: 3, payload: None },
            F::PingsReturned { count: 2 },
            F::MessagesInsteadOfPongs { count: 4, first: text("pong") },
            F::PingsUnanswered { missed: 4, unsolicited_pongs: 0 },
            F::PingsUnanswered { missed: 1, unsolicited_pongs: 1 },
            F::AppUnanswered { missed: 3, messages: 0, nearest: None },
            F::AppUnanswered { missed: 3, messages: 7, nearest: None },
            F::AppUnanswered { missed: 3, messages: 1, nearest: Some(nearest()) },
            F::AppUnanswered { missed: 3, messages: 7, nearest: Some(nearest()) },
            F::AllUnanswered { pings: 4, app_heartbeats: 3 },
            F::OnlyPingsUnanswered { missed: 4 },
            F::AmbiguousAnswers { answers: 2 },
            F::HeartbeatsUnsent { unsent: 1, due: 20, window_exhausted: 0, window: None },
            F::OnlyHttp2Answered(SilentWebsockets { websockets: 1, missed: 7, answered: 0 }),
            F::OnlyHttp2Answered(SilentWebsockets { websockets: 2, missed: 7, answered: 20 }),
            ended_with_http2(5, 1),
            ended_with_http2(10, 2),
            F::H2StreamsLimited(StreamLimit { wanted: 100, allowed: 2, websockets: 5, connections: Some(3) }),
            F::H2StreamsLimited(StreamLimit { wanted: 100, allowed: 1, websockets: 5, connections: None }),
            goaways(0, &[2_000], 0),
            goaways(11, &[2_000], 1),
            goaways(0, &[2_000, 2_000, 2_000], 2),
            goaways(0, &[2_000, 5_000], 0),
            F::CompressionNotAgreed { offered: "permessage-deflate".to_string(), connections: 1, opened: 1 },
            F::CompressionNotAgreed { offered: "permessage-deflate".to_string(), connections: 2, opened: 3 },
            F::HeartbeatsUnsent {
                unsent: 3,
                due: 20,
                window_exhausted: 3,
                window: Some(ExhaustedWindow::Stream),
            },
            F::HeartbeatsUnsent { unsent: 3, due: 20, window_exhausted: 2, window: None },
            F::HeldBackByFlowControl {
                heartbeats: 2,
                longest: Duration::from_millis(1500),
                window: ExhaustedWindow::Connection,
            },
            F::RepliesDropped { kind: HeartbeatKind::Protocol, dropped: 3, judged: 20 },
            F::RepliesDropped { kind: HeartbeatKind::App, dropped: 1, judged: 20 },
            F::PongsSuperseded { superseded: 2, longest_rtt: Some(ms(1_200)) },
            F::LateAnswers { late: 1, timeout: ms(1_000), longest_rtt: ms(1_200), open_at_end: 0 },
            F::LateAnswers { late: 2, timeout: ms(1_000), longest_rtt: ms(1_200), open_at_end: 1 },
            F::LateAnswers { late: 2, timeout: ms(1_000), longest_rtt: ms(1_200), open_at_end: 3 },
        ]
    }

    fn ended_with_http2(ended: u64, connections: u64) -> PingFinding {
        let ending = fin();
        PingFinding::EndedWithHttp2Connection(SharedEnd { ended, carried: ended, connections, ending })
    }

    fn goaways(code: u32, ages: &[u64], ended: u64) -> PingFinding {
        let goaway = Goaway { code: Http2Code(code), last_stream: 1, debug: UntrustedText::new("restart") };
        let notice = |age: &u64| GoawayNotice { goaway: goaway.clone(), age: ms(*age) };
        let notices: Vec<GoawayNotice> = ages.iter().map(notice).collect();
        let summary = GoawaySummary::of(notices.iter().map(|notice| (notice, 1)), Some(ended));
        PingFinding::H2GoawayReceived(summary.unwrap())
    }

    fn preset_mismatch(
        preset: Option<&'static str>,
        first: &str,
        looks_like: &[&'static str],
    ) -> PingFinding {
        let first = (!first.is_empty()).then(|| UntrustedText::new(first));
        let traffic = UnmatchedTraffic { first, nearest: None, looks_like: looks_like.to_vec() };
        PingFinding::PresetMismatch { preset, before_end: false, traffic }
    }

    fn about_connections() -> Vec<PingFinding> {
        use PingFinding as F;
        let incomplete = |part| F::IncompleteFrame(IncompleteData { part, since: ms(4_000) });
        vec![
            preset_mismatch(Some("phoenix"), "h", &["sockjs"]),
            preset_mismatch(Some("phoenix"), "", &[]),
            preset_mismatch(None, "h", &["sockjs"]),
            incomplete(IncompletePart::Frame { received: 100, size: 10_000 }),
            incomplete(IncompletePart::Head { bytes: 1 }),
            incomplete(IncompletePart::Message { fragments: 2, bytes: 300 }),
            incomplete(IncompletePart::Record),
            F::EndedAfterPing { after: ms(2), ending: fin() },
            F::UnmatchedBeforeEnd { nearest: nearest() },
            F::LastMessage { message: UntrustedText::new("token expired") },
            F::ServerStoppedAnswering { after: ms(502), acknowledged: 3 },
            F::PathStoppedDelivering { after: ms(502), unacknowledged: 3 },
            F::AnswersStopped { after: ms(4_200) },
            F::CutWhenQuiet { idle: ms(60_000), safe_interval: ms(45_000) },
            F::SubprotocolNotChosen { offered: ["mqtt", "v2"].map(String::from).to_vec() },
            F::SubprotocolHeaderEmpty,
            F::CertificateExpires { days: 13 },
            F::CertificateExpired { days_ago: 1 },
            F::HostStalled { stalled: ms(4_200) },
            F::HostLate { lag: ms(12), rtt: ms(20), percentile: 50 },
        ]
    }

    #[test]
    fn every_finding_says_what_and_what_to_do() {
        let all = [about_heartbeats(), about_connections()].concat();
        let shown = |finding: &PingFinding| {
            let ShownFinding { code, severity, explanation, .. } =
                ShownFinding::new(finding, explain(finding));
            let remedy = explanation.remedy.as_deref().unwrap_or("-");
            let data = serde_json::Value::Object(explanation.data);
            format!("{code} ({})\n  {}\n  {remedy}\n  {data}\n", severity.label(), explanation.message)
        };
        insta::assert_snapshot!(all.iter().map(shown).collect::<String>());
        let codes: BTreeSet<&str> = all.iter().map(Label::label).collect();
        let missing: Vec<&str> =
            PingFindingCode::iter().map(|code| code.label()).filter(|code| !codes.contains(code)).collect();
        assert_eq!(missing, Vec::<&str>::new());
    }

    #[test]
    fn every_page_in_docs_lists_the_data() {
        for finding in [about_heartbeats(), about_connections()].concat() {
            let path = format!("{}/docs/findings/{}.md", env!("CARGO_MANIFEST_DIR"), finding.label());
            let page = std::fs::read_to_string(&path).unwrap();
            for name in explain(&finding).data.keys() {
                assert!(page.contains(&format!("`{name}`")), "{path} lacks {name}");
            }
        }
    }

    #[test]
    fn most_severe_finding_comes_first_and_names_its_target() {
        let target = |url: &str| samples::target(url, Vec::new());
        let mut report = samples::report(vec![target("ws://a/"), target("ws://b/")]);
        let reported = |finding, target| ReportedFinding { finding, target };
        report.findings = vec![
            reported(PingFinding::HostStalled { stalled: ms(4_200) }, None),
            reported(PingFinding::LastMessage { message: UntrustedText::new("bye") }, Some(0)),
            reported(PingFinding::CertificateExpires { days: 1 }, Some(0)),
            reported(PingFinding::AnswersStopped { after: ms(1) }, Some(1)),
        ];
        let shown: Vec<_> =
            shown_findings(&report).into_iter().map(|found| (found.code.into_owned(), found.about)).collect();
        let (a, b) = (Some("ws://a/".to_string()), Some("ws://b/".to_string()));
        let expected = [
            ("answers_stopped", b),
            ("host_stalled", None),
            ("certificate_expires", a.clone()),
            ("last_message", a),
        ]
        .map(|(code, about): (&str, _)| (code.to_string(), about));
        assert_eq!(shown, expected);
        report.targets.truncate(1);
        assert_eq!(shown_findings(&report)[2].about, None, "there is only one target");
    }
}
