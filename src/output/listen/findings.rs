//! What the findings of `listen` say, what to do, and their data: the only place of these sentences.

use std::time::Duration;

use super::interval_words::{outlier, range, summary};
use super::timer_words;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::format::{self, counted};
use crate::domain::label::Label;
use crate::domain::listen::report::ListenReport;
use crate::domain::listen::{
    CoveredTimeouts, IntervalSpan, ListenFinding, ObservationLimit, Periodic, Sameness, ServerEventClass,
    ServerEventKind,
};
use crate::domain::stats::interval::Interval;
use crate::output::flow_control;
use crate::output::goaway_finding;
use crate::output::json::{JsonEndingDocument, Ms};
use crate::output::presets::command_line::quoted;
use crate::output::view::Explanation;

/// The most characters of a message that a sentence shows.
pub const MAX_SHOWN_PAYLOAD: usize = 60;

/// The reasons of the result, one line each.
pub fn reasons(report: &ListenReport) -> Vec<String> {
    report.reasons.iter().map(line).collect()
}

/// What a finding says and what to do, on one line.
fn line(finding: &ListenFinding) -> String {
    explain(finding).line()
}

/// What a finding says, what to do, and its data.
pub fn explain(finding: &ListenFinding) -> Explanation {
    match finding {
        ListenFinding::ServerSendsHeartbeats { kind, count, interval, spans, per_second } => {
            sends(*kind, *count, interval, *spans, *per_second)
        }
        ListenFinding::NoHeartbeats { listened, messages: None, longest_quiet, longest_still } => {
            nothing_sent(*listened, *longest_quiet, *longest_still)
        }
        ListenFinding::NoHeartbeats { listened, messages: Some(messages), longest_quiet, longest_still } => {
            only_messages(*listened, *messages, *longest_quiet, *longest_still)
        }
        ListenFinding::PerhapsHeartbeats { periodic, longest_quiet, besides } => {
            perhaps(periodic, *longest_quiet, *besides)
        }
        ListenFinding::IrregularHeartbeats { kind, gaps, longest_quiet } => {
            irregular(*kind, gaps.as_ref(), *longest_quiet)
        }
        ListenFinding::TimerIgnoresTraffic(evidence) => timer_words::ignores_traffic(evidence),
        ListenFinding::TimerRestartsOnTraffic(evidence) => timer_words::restarts_on_traffic(evidence),
        ListenFinding::SkipsActiveClients(evidence) => timer_words::skips_active_clients(evidence),
        ListenFinding::TimerUnknown(doubt) => timer_words::unknown(doubt),
        ListenFinding::CoversTimeouts { covered, event_kind } => covers(covered, *event_kind),
        ListenFinding::CoversNoTimeout => covers_none(),
        ListenFinding::OneWayHeartbeats => one_way(),
        ListenFinding::UnansweredTolerated { after } => tolerated(*after),
        ListenFinding::StopsWhenUnanswered { after } => stops(*after),
        ListenFinding::EndedAfterUnanswered { after } => ended_after(*after),
        ListenFinding::HeartbeatsStopped { count, interval, since_traffic, silence } => {
            stopped(*count, *interval, *since_traffic, *silence)
        }
        ListenFinding::HeartbeatOverdue { silence } => overdue(*silence),
        ListenFinding::HeartbeatsPaused { longest, intervals, burst } => paused(*longest, *intervals, *burst),
        ListenFinding::OnlyAfterMessages { after } => only_after_messages(*after),
        ListenFinding::TooFewHeartbeats { count, listened, answered, ended } => {
            too_few(*count, *listened, *answered, *ended)
        }
        ListenFinding::NoHeartbeatSeen { listened, limit } => none_seen(*listened, *limit),
        ListenFinding::SilenceTooShort { longest } => silence_too_short(*longest),
        ListenFinding::H2GoawayReceived { goaways } => goaway_finding::explain(goaways),
        ListenFinding::HostStalled { span } => stalled(*span),
        ListenFinding::HeldBackByFlowControl { window } => held_back(*window),
        ListenFinding::MessageIncomplete(part) => Explanation::new(format!("{part}: its content is unknown")),
        ListenFinding::PathDropped => path_dropped(),
        ListenFinding::LivenessUnknown => {
            Explanation::new("interrupted before the peer confirmed that it still knew the connection")
        }
        ListenFinding::ConnectionEndedEarly { ending, planned } => ended_early(ending, *planned),
        ListenFinding::Interrupted { after, planned } => interrupted(*after, *planned),
        ListenFinding::InterruptedWhileOpening { url } => {
            Explanation::new(format!("the interrupt came while {url} was still being opened"))
        }
        ListenFinding::NotOpened(error) => Explanation::new(error.to_string()),
    }
}

fn sends(
    kind: ServerEventClass,
    count: u64,
    interval: &Interval,
    spans: IntervalSpan,
    per_second: Option<f64>,
) -> Explanation {
    let (claim, often) = (format!("the server sends {}", many(kind)), often(interval, spans, per_second));
    with_interval(Explanation::conclusion(claim, format!(" {often}")), interval)
        .with("heartbeat", kind.event_kind.label())
        .with("shape", kind.shape)
        .with("count", count)
        .with("interval_spans", spans.label())
}

fn nothing_sent(listened: Duration, longest_quiet: Duration, longest_still: Duration) -> Explanation {
    let listened_for = format::duration(listened);
    let said = Explanation::conclusion(
        "the server sent no heartbeat",
        format!(" and no message in {listened_for}"),
    )
    .remedy(format!(
        "only your client can keep this path open and detect a dead peer: send heartbeats (`wscheck probe-idle` \
         gives the interval), and see `wscheck probe-zombie`. The server may still send heartbeats after more than \
         {} of silence",
        format::duration(longest_still)
    ));
    with_silences(said, listened, longest_quiet, longest_still).with("messages", 0)
}

fn only_messages(
    listened: Duration,
    (event_kind, count): (ServerEventKind, u64),
    longest_quiet: Duration,
    longest_still: Duration,
) -> Explanation {
    let (listened_for, messages) = (format::duration(listened), counted(count, one(event_kind)));
    let said = Explanation::conclusion(
        "the server sent no heartbeat",
        format!(" in {listened_for}, beside {messages}"),
    )
    .remedy(format!(
        "its messages left silences of at most {}. When it has no messages, nothing keeps the path open and a dead \
         client is not detected: send heartbeats (`wscheck probe-idle` gives the interval), and see `wscheck \
         probe-zombie`",
        format::duration(longest_quiet)
    ));
    with_silences(said, listened, longest_quiet, longest_still).with("messages", count)
}

fn with_silences(
    said: Explanation,
    listened: Duration,
    longest_quiet: Duration,
    longest_still: Duration,
) -> Explanation {
    said.with_duration("listened", listened)
        .with_duration("longest_quiet", longest_quiet)
        .with_duration("longest_still", longest_still)
}

/// `the server sends "[0,\"hb\"]" every 300 ms, perhaps a heartbeat (median of 9 gaps)`
fn perhaps(found: &Periodic, longest_quiet: Duration, besides: bool) -> Explanation {
    let like = if found.sameness == Sameness::Constant { "" } else { "messages like " };
    let sample = shorten(found.sample.as_str(), MAX_SHOWN_PAYLOAD);
    let every =
        format!("the server sends {like}\"{sample}\" every {}", format::duration(found.interval.median));
    let perhaps = if found.is_like_heartbeat() {
        "perhaps a heartbeat"
    } else {
        "perhaps a heartbeat, perhaps data: the numbers in them change"
    };
    let outlier = outlier(&found.interval).unwrap_or_default();
    let detail = format!("{outlier}, {perhaps} ({})", summary(&found.interval, "gap"));
    let said = Explanation::conclusion(every, detail);
    let said = if besides { said } else { said.remedy(if_heartbeat(found, longest_quiet)) };
    with_interval(said, &found.interval)
        .with("payload", found.sample.to_string())
        .with("app_ping", found.pattern.clone())
        .with("sameness", found.sameness.label())
        .with_duration("longest_quiet", longest_quiet)
}

fn irregular(kind: ServerEventClass, gaps: Option<&Interval>, longest_quiet: Duration) -> Explanation {
    let apart = gaps.map(|gaps| format!(", {} apart", range(gaps))).unwrap_or_default();
    let said = Explanation::conclusion("irregular heartbeats", format!(": {}{apart}", many(kind))).remedy(
        format!(
            "there is no interval to rely on: the path was silent for at most {} here, and may be for longer; where \
             that is too long, send heartbeats of your own",
            format::duration(longest_quiet)
        ),
    );
    let said = match gaps {
        Some(gaps) => with_interval(said, gaps),
        None => said,
    };
    said.with("heartbeat", kind.event_kind.label()).with_duration("longest_quiet", longest_quiet)
}

fn with_interval(said: Explanation, interval: &Interval) -> Explanation {
    said.with_duration("interval", interval.median)
        .with_duration("min", interval.min)
        .with_duration("max", interval.max)
        .with("gaps", interval.gaps)
}

/// How often they come: if too fast to be timed one by one, their rate.
fn often(interval: &Interval, spans: IntervalSpan, per_second: Option<f64>) -> String {
    match (per_second, spans) {
        (Some(per_second), _) => {
            let (rate, gaps) = (format::rate(per_second), counted(interval.gaps as u64, "gap"));
            format!("at about {rate} ({gaps}, {})", range(interval))
        }
        (None, IntervalSpan::SinceTraffic) => {
            let (after, summary) = (format::duration(interval.median), summary(interval, "span"));
            format!("{after} after its last message or heartbeat ({summary})")
        }
        (None, IntervalSpan::Heartbeats) => {
            let outlier = outlier(interval).unwrap_or_default();
            format!("every {}{outlier} ({})", format::duration(interval.median), summary(interval, "gap"))
        }
    }
}

/// What to do about messages that may be heartbeats.
fn if_heartbeat(found: &Periodic, longest_quiet: Duration) -> String {
    let again = match &found.pattern {
        Some(pattern) => format!("run again with {}", app_ping(pattern)),
        None => "describe them with --app-ping".to_string(),
    };
    let unknown = if found.is_like_heartbeat() { "other traffic" } else { "data to send" };
    format!(
        "if these are heartbeats, {again} (and --app-pong with their answer, if any). Whether they continue without \
         {unknown} is unknown: the path was silent for at most {} here. Heartbeats of your own keep it open for certain \
         (`wscheck probe-idle` gives the interval)",
        format::duration(longest_quiet)
    )
}

/// The option for the shell, in one line, however long.
pub fn app_ping(pattern: &str) -> String {
    let separator = if pattern.starts_with('-') { '=' } else { ' ' };
    format!("--app-ping{separator}{}", quoted(pattern))
}

fn covers(covered: &CoveredTimeouts, event_kind: ServerEventKind) -> Explanation {
    let what = match event_kind {
        ServerEventKind::Ping => "Ping frames",
        ServerEventKind::Pong => "Pong frames of the server",
        ServerEventKind::AppPing => "messages",
        ServerEventKind::KeepAlive | ServerEventKind::Message => "messages of the server",
    };
    let list =
        |spans: &[Duration]| spans.iter().map(|span| format::duration(*span)).collect::<Vec<_>>().join(", ");
    let first = covered.covered.first().copied().map(format::duration).unwrap_or_default();
    let not = match covered.not_covered.as_slice() {
        [] => String::new(),
        not => format!("; not one that cuts after {}", list(not)),
    };
    Explanation::new(format!(
        "heartbeats this often keep a path open that cuts idle connections after {first} or later, if it counts {what} (rule: \
         the interval is at most 75 % of the timeout){not}"
    ))
    .with("covered_ms", milliseconds(&covered.covered))
    .with("not_covered_ms", milliseconds(&covered.not_covered))
}

fn milliseconds(spans: &[Duration]) -> serde_json::Value {
    spans.iter().map(|span| serde_json::to_value(Ms::from(*span)).unwrap_or_default()).collect()
}

fn covers_none() -> Explanation {
    Explanation::new("heartbeats this rare keep no path open that has one of the common idle timeouts (the interval is more than 75 % of each)")
        .remedy("send heartbeats of your own (`wscheck probe-idle` gives the interval)")
}

fn one_way() -> Explanation {
    Explanation::new(
        "nothing answers these heartbeats: they keep a path open that counts either direction, not one that counts what the client \
         sends, and detect no dead client",
    )
}

fn tolerated(unanswered: u64) -> Explanation {
    let heartbeats = counted(unanswered, "unanswered heartbeat");
    Explanation::new(format!("the server sent heartbeats until the end, after {heartbeats}"))
        .with("unanswered", unanswered)
}

fn stops(unanswered: u64) -> Explanation {
    let heartbeats = counted(unanswered, "heartbeat");
    Explanation::new(format!("the server stops after {heartbeats} and leaves the connection open"))
        .with("unanswered", unanswered)
}

fn ended_after(unanswered: u64) -> Explanation {
    let heartbeats = counted(unanswered, "unanswered heartbeat");
    Explanation::new(format!("the connection ended after {heartbeats}"))
        .remedy("a run without --no-answer shows whether they are the cause")
        .with("unanswered", unanswered)
}

fn overdue(silence: Duration) -> Explanation {
    Explanation::new(format!("the last heartbeat came {} before the end", format::duration(silence)))
        .with_duration("silence", silence)
}

fn only_after_messages(after: Duration) -> Explanation {
    Explanation::new(format!(
        "each heartbeat came {} after the server's last message, and none followed another heartbeat: it is unknown \
         whether they come when the server sends nothing else",
        format::duration(after)
    ))
    .remedy("listen for longer")
    .with_duration("after", after)
}

fn silence_too_short(longest: Duration) -> Explanation {
    Explanation::new(format!(
        "neither side was silent for longer than {}: heartbeats that wait for a longer silence would not have been \
         seen",
        format::duration(longest)
    ))
    .with_duration("longest_still", longest)
}

fn stopped(count: u64, interval: Option<Duration>, since_traffic: bool, silence: Duration) -> Explanation {
    let how = match (interval.map(format::duration), since_traffic) {
        (None, _) => "in a burst".to_string(),
        (Some(interval), true) => format!("{interval} after the server's last traffic"),
        (Some(interval), false) => format!("every {interval}"),
    };
    let (came, silent) = (counted(count, "heartbeat"), format::duration(silence));
    let said = Explanation::new(format!("{came} came, {how}, and then none in {silent}"))
        .with("count", count)
        .with_duration("silence", silence);
    match interval {
        Some(interval) => said.with_duration("interval", interval),
        None => said,
    }
}

fn paused(longest: Duration, intervals: f64, burst: bool) -> Explanation {
    let pause = format::duration(longest);
    let message = if burst {
        format!("heartbeats come in bursts, up to {pause} apart")
    } else {
        format!("heartbeats paused for up to {pause}, {intervals:.1} intervals")
    };
    Explanation::new(message).with_duration("longest", longest)
}

fn too_few(count: u64, listened: Duration, answered: bool, ended: bool) -> Explanation {
    let why = if count == 1 { "an interval needs more" } else { "their gaps do not show an interval yet" };
    let (came, listened_for) = (counted(count, "heartbeat"), format::duration(listened));
    let said = Explanation::new(format!("only {came} came in {listened_for}: {why}"))
        .with("count", count)
        .with_duration("listened", listened);
    match (ended, answered) {
        (true, true) => said,
        // It may wait for the answer.
        (true, false) => said.remedy("answer them"),
        (false, false) => said.remedy("answer them, or listen for longer"),
        (false, true) => said.remedy("listen for longer"),
    }
}

fn none_seen(listened: Duration, limit: ObservationLimit) -> Explanation {
    let in_time = format::duration(listened);
    let message = match limit {
        ObservationLimit::Disturbed => format!("no heartbeat came in {in_time}"),
        ObservationLimit::BeganLate => {
            format!("a heartbeat came before listening started, and none since, in {in_time}")
        }
        ObservationLimit::CutShort => format!("no heartbeat came in {in_time}, which was not the whole run"),
    };
    Explanation::new(message).with_duration("listened", listened)
}

fn stalled(span: Duration) -> Explanation {
    Explanation::new(format!(
        "this host was stalled for {}: data was read late and shows no interval",
        format::duration(span)
    ))
    .with_duration("stalled", span)
}

fn held_back(window: ExhaustedWindow) -> Explanation {
    Explanation::new(format!(
        "what wscheck answered or sent did not leave, because the peer's flow control granted no room for it ({}): to the server \
         this client is silent",
        window.sentence()
    ))
    .remedy(flow_control::REMEDY)
    .with("window", window.label())
}

fn path_dropped() -> Explanation {
    Explanation::new(
        "at the end the peer no longer knew the connection, and no end had been received: the path dropped it, so \
         heartbeats may have been lost",
    )
    .remedy("`wscheck probe-idle` measures after how long a path drops connections")
}

fn ended_early(ending: &CloseCause, planned: Duration) -> Explanation {
    let (age, planned) = (format::duration(ending.age), format::duration(planned));
    Explanation::new(format!("the connection ended after {age} of {planned}: {ending}"))
        .with("ending", serde_json::to_value(JsonEndingDocument::from(ending)).unwrap_or_default())
}

fn interrupted(after: Duration, planned: Duration) -> Explanation {
    let (done, of) = (format::duration(after), format::duration(planned));
    Explanation::new(format!("interrupted after {done} of {of}"))
        .with_duration("after", after)
        .with_duration("planned", planned)
}

/// The name of one such event.
pub fn one(event_kind: ServerEventKind) -> &'static str {
    match event_kind {
        ServerEventKind::Ping => "Ping frame",
        ServerEventKind::AppPing => "app ping",
        ServerEventKind::Pong => "unsolicited Pong",
        ServerEventKind::KeepAlive => "keep-alive",
        ServerEventKind::Message => "ordinary message",
    }
}

/// `Ping frames`; of a known form: `app pings (Pusher)`
fn many(kind: ServerEventClass) -> String {
    let shape = kind.shape.map(|shape| format!(" ({shape})")).unwrap_or_default();
    format!("{}s{shape}", one(kind.event_kind))
}

/// The beginning of a text, with an ellipsis if it is longer.
pub fn shorten(text: &str, most: usize) -> String {
    let shown: String = text.chars().take(most).collect();
    if text.chars().count() > most { format!("{shown}…") } else { shown }
}
