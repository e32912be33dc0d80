//! What was heard of a server, for people: the diagnosis first, then the evidence.

use std::time::Duration;

use super::HumanOptions;
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::format::{self, counted};
use crate::domain::listen::report::{
    ListenEvent, ListenInfo, ListenProgress, ListenReport, ServerEventNotice,
};
use crate::domain::listen::{
    CoveredTimeouts, FirstHeartbeat, IntervalOrigin, KindFindings, ListenFindings, ListenVerdict,
    PayloadVariation, Periodic, Sameness, ServerEventKind, TrafficEffect, TrafficEffects, UnansweredPolicy,
};
use crate::domain::stats::interval::Interval;
use crate::output::human::{self, LabelledRows, Styler, failed_opening, phases, way};
use crate::output::presets::command_line::quoted;

/// The most heartbeats that are told of as they come.
const MAX_SHOWN_HEARTBEATS: u32 = 20;
/// What is measured is no finer than this.
const CLOCK_GRAIN: Duration = Duration::from_millis(1);
/// The most characters of a payload that are shown in a line as it comes.
const MAX_LINE_PAYLOAD: usize = 60;
/// The most that are shown in the report.
const MAX_REPORT_PAYLOAD: usize = 200;

/// What is told while it runs, on stderr.
#[derive(Debug)]
pub struct ListenLog {
    quiet: bool,
    paint: Styler,
    shown: u32,
}

impl ListenLog {
    pub fn new(options: HumanOptions) -> ListenLog {
        ListenLog { quiet: options.quiet, paint: Styler { color: options.stderr_color }, shown: 0 }
    }

    /// What people read of an event while the run goes on, newline included.
    pub fn lines(&mut self, event: &ListenEvent) -> Option<String> {
        match event {
            ListenEvent::Started { info, .. } => (!self.quiet).then(|| introduction(info)),
            ListenEvent::Finished(report) => {
                never_opened(report).map(|error| failed_opening(self.paint, error))
            }
            ListenEvent::Received(notice) => self.notice(notice),
            ListenEvent::StimulusSent { age, .. } => (!self.quiet && self.shown < MAX_SHOWN_HEARTBEATS)
                .then(|| format!("{:>9}  client message sent\n", format::duration(*age))),
            ListenEvent::Opened { .. } | ListenEvent::Ended(_) | ListenEvent::Progress(_) => None,
        }
    }

    fn notice(&mut self, notice: &ServerEventNotice) -> Option<String> {
        if self.quiet || !notice.event_kind.is_heartbeat() || self.shown > MAX_SHOWN_HEARTBEATS {
            return None;
        }
        self.shown += 1;
        if self.shown > MAX_SHOWN_HEARTBEATS {
            return Some("           and so on\n".to_string());
        }
        let gap = notice.gap.map(|gap| format!(" (+{})", format::duration(gap))).unwrap_or_default();
        let payload = if notice.text.is_empty() {
            String::new()
        } else {
            format!(" \"{}\"", shorten(notice.text.as_str()))
        };
        let what = one(notice.event_kind);
        Some(format!("{:>9}  {what}{payload}{gap}\n", format::duration(notice.age)))
    }
}

fn introduction(info: &ListenInfo) -> String {
    let count = info.count.map(|count| format!(", or for {}", counted(count, "heartbeat")));
    let config = match (info.answer, info.talk) {
        (false, _) => "answering nothing",
        (true, true) => "answering, with client messages between heartbeats",
        (true, false) => "answering",
    };
    let listen_for = format::duration(info.listen_for);
    format!("wscheck listen {}: for {listen_for}{}, {config}\n", info.url, count.unwrap_or_default())
}

/// What the moving line says.
pub fn progress(progress: &ListenProgress) -> String {
    let known = match (progress.interval, progress.heartbeats) {
        (Some(interval), heartbeats) if interval < CLOCK_GRAIN => {
            format!(
                "about {}",
                format::rate((heartbeats as f64 / progress.listened.as_secs_f64().max(1e-3)).round())
            )
        }
        (Some(interval), _) => format!("one every {}", format::duration(interval)),
        (None, 0) => "silent so far".to_string(),
        (None, _) => "no interval yet".to_string(),
    };
    let (listened, until) = (format::duration(progress.listened), format::duration(progress.until));
    format!("listened for {listened} of {until}: {}, {known}", counted(progress.heartbeats, "heartbeat"))
}

/// Why nothing was heard.
fn never_opened(report: &ListenReport) -> Option<&ConnectError> {
    report.error.as_deref().filter(|_| report.opened.is_none())
}

/// The whole report; `None` when nothing opened, for why was said already.
pub fn report(report: &ListenReport, options: HumanOptions) -> Option<String> {
    if never_opened(report).is_some() {
        return None;
    }
    let paint = Styler { color: options.color };
    let mut rows = LabelledRows::new(paint, options.width);
    rows.add_raw(&format!("{}\n", paint.strong(&format!("--- {} ---", report.info.url))));
    diagnosis(&mut rows, report, paint);
    rows.add_raw("\n");
    evidence(&mut rows, &report.findings);
    closing(&mut rows, report, paint);
    Some(rows.into_text())
}

fn diagnosis(rows: &mut LabelledRows, report: &ListenReport, paint: Styler) {
    let findings = &report.findings;
    let so_far = if report.partial { " (interrupted: so far)" } else { "" };
    rows.add("answer", &format!("{}{so_far}", headline(findings, paint)));
    let heartbeat = findings.heartbeat();
    rows.add_some("first", heartbeat.and_then(first));
    rows.add_some("counted from", heartbeat.and_then(|kind| counted_from(kind, report)));
    rows.add_some("talk", heartbeat.is_none().then(|| untalked(report)).flatten());
    rows.add_some("besides", besides(findings));
    rows.add_some("unanswered", findings.unanswered.map(unanswered));
    rows.add_some("clears", findings.clearance.as_ref().map(clears));
    rows.add_some("so", consequence(findings));
    let pattern = findings.periodic.as_ref().and_then(|found| found.pattern.as_deref());
    pattern.into_iter().filter(|_| findings.verdict == ListenVerdict::PeriodicMessages).for_each(|pattern| {
        rows.add_unbroken("try", &app_ping(pattern));
    });
}

/// Words are said between two heartbeats, when the next is known to come.
fn untalked(report: &ListenReport) -> Option<String> {
    report.info.talk.then(|| "nothing was said: there were no heartbeats to say it between".to_string())
}

fn headline(findings: &ListenFindings, paint: Styler) -> String {
    let listened = format::duration(findings.listened);
    match (findings.verdict, findings.heartbeat()) {
        (ListenVerdict::ServerPingsEvery, Some(kind)) => {
            let often = findings.interval().map(|interval| often(kind, interval)).unwrap_or_default();
            format!("{} {often}", paint.strong(&format!("the server sends {}", many(kind, findings))))
        }
        (ListenVerdict::ServerIsSilentFor, _) => match findings.kinds.as_slice() {
            [] => format!("{} and no message in {listened}", paint.strong("the server sends no heartbeat")),
            [messages, ..] => {
                let messages = counted(messages.count, one(messages.event_kind));
                format!("{} in {listened}, beside {messages}", paint.strong("the server sent no heartbeat"))
            }
        },
        (ListenVerdict::PeriodicMessages, _) => {
            findings.periodic.as_ref().map(|found| periodic(found, paint)).unwrap_or_default()
        }
        (ListenVerdict::Irregular, Some(kind)) => {
            let gaps = kind.interval.map(range).unwrap_or_default();
            format!("{}: {}, {gaps} apart", paint.strong("irregular heartbeats"), many(kind, findings))
        }
        (ListenVerdict::Inconclusive | ListenVerdict::ServerPingsEvery | ListenVerdict::Irregular, _) => {
            paint.strong("inconclusive")
        }
    }
}

/// `the server sends "[0,\"hb\"]" every 300 ms, perhaps a heartbeat (median of 9 gaps)`
fn periodic(found: &Periodic, paint: Styler) -> String {
    let Periodic { sample, interval, sameness, .. } = found;
    let like = if *sameness == Sameness::Constant { "" } else { "messages like " };
    let every = format!(
        "the server sends {like}\"{}\" every {}",
        shorten(sample.as_str()),
        format::duration(interval.median)
    );
    let perhaps = if found.is_like_heartbeat() {
        "perhaps a heartbeat"
    } else {
        "perhaps a heartbeat, perhaps data: the numbers in them change"
    };
    let outlier = outlier(*interval).unwrap_or_default();
    format!("{}{outlier}, {perhaps} ({})", paint.strong(&every), median(*interval, "gap"))
}

/// As a shell takes it, and in one line, however long.
fn app_ping(pattern: &str) -> String {
    let separator = if pattern.starts_with('-') { '=' } else { ' ' };
    format!("--app-ping{separator}{}", quoted(pattern))
}

/// Beside known heartbeats, what may be another.
fn besides(findings: &ListenFindings) -> Option<String> {
    let is_besides = findings.verdict != ListenVerdict::PeriodicMessages;
    let found = findings.periodic.as_ref().filter(|found| is_besides && found.has_word)?;
    Some(periodic(found, Styler { color: false }))
}

/// What to do about messages that may be heartbeats.
fn if_heartbeat(found: &Periodic, findings: &ListenFindings) -> String {
    let tell = match &found.pattern {
        Some(_) => "listen with the option below",
        None => "tell --app-ping how they look",
    };
    let safe = if found.is_like_heartbeat() {
        "whether they come when the server has nothing else to say"
    } else {
        "whether they come when there is no data to send"
    };
    format!(
        "if they are heartbeats, {tell} (and --app-pong with the answer that they want, if any); that is not known, nor \
         {safe}: the path was silent for at most {} here, and heartbeats of your own keep it open for certain \
         (`wscheck probe-idle` tells how often)",
        format::duration(findings.longest_quiet)
    )
}

/// How often they come: what is too fast to be told by its gaps, by its rate.
fn often(kind: &KindFindings, interval: Interval) -> String {
    let fast = kind.per_second().filter(|_| interval.is_burst());
    match (fast, kind.since_traffic) {
        (Some(per_second), _) => {
            let outlier = outlier(interval).unwrap_or_default();
            format!("at {}{outlier} ({} of them)", format::rate(per_second), kind.count)
        }
        (None, Some(_)) => {
            let (after, median) = (format::duration(interval.median), median(interval, "span"));
            format!("{after} after its last message or heartbeat ({median})")
        }
        (None, None) => {
            let (every, outlier) = (format::duration(interval.median), outlier(interval).unwrap_or_default());
            format!("every {every}{outlier} ({})", median(interval, "gap"))
        }
    }
}

/// What the median does not tell: gaps that are no interval.
fn outlier(interval: Interval) -> Option<String> {
    match (interval.fits(interval.max), interval.fits(interval.min)) {
        (false, _) => Some(format!(", but up to {} apart", format::duration(interval.max))),
        (true, false) => Some(format!(", but sometimes only {} apart", format::duration(interval.min))),
        (true, true) => None,
    }
}

/// `median of 3 gaps, within 20 ms of each other`
fn median(interval: Interval, of: &str) -> String {
    let gaps = counted(interval.gaps as u64, of);
    let spread = match interval.gaps {
        1 => String::new(),
        _ if outlier(interval).is_some() => String::new(),
        _ => format!(", within {} of each other", format::duration(interval.spread().max(CLOCK_GRAIN))),
    };
    format!("median of {gaps}{spread}")
}

fn range(interval: Interval) -> String {
    match (format::duration(interval.min), format::duration(interval.max)) {
        (min, max) if min == max => max,
        (min, max) => format!("{min} to {max}"),
    }
}

fn first(kind: &KindFindings) -> Option<String> {
    let after = format::duration(kind.first?);
    Some(match kind.early? {
        FirstHeartbeat::AtOnce => format!("after {after}: together with the opening"),
        FirstHeartbeat::Early => format!("after {after}: early, less than an interval after the opening"),
        FirstHeartbeat::OnTime => format!("after {after}: one interval after the opening"),
        FirstHeartbeat::Late => format!("after {after}: late, more than an interval after the opening"),
    })
}

/// From what they are counted, in the words of the findings' origin, and why that is known or not.
fn counted_from(kind: &KindFindings, report: &ListenReport) -> Option<String> {
    if kind.since_traffic.is_some() {
        return Some(counted_from_its_own(kind, report.info.talk));
    }
    match (report.findings.origin, kind.by_client, kind.by_server) {
        (Some(IntervalOrigin::LastTraffic), client, Some(effects))
            if effects.effect == TrafficEffect::Postponed =>
        {
            let client = client.map(|client| by_client(Some(client), true)).unwrap_or_default();
            Some(format!("{}{client}{}", moved("a server message", effects), untold(kind, report)))
        }
        (Some(_), Some(effects), server) => {
            let server =
                if server.is_none() && effects.effect == TrafficEffect::Unmoved { NOTHING_ELSE } else { "" };
            Some(format!("{}{server}", moved("a client message", effects)))
        }
        (None, _, _) if kind.in_step => Some(IN_STEP.to_string()),
        (None, Some(client), Some(server)) if client.effect != TrafficEffect::Mixed => {
            Some(disagreeing(client, server))
        }
        (_, Some(effects), _) => Some(moved("a client message", effects)),
        (_, None, Some(effects)) => Some(format!("{}{}", moved_by_itself(effects), untold(kind, report))),
        (_, None, None) => unheard(kind, report).map(str::to_string),
    }
}

const NOTHING_ELSE: &str = "; the server said nothing else that might";
const IN_STEP: &str = "not known: each came as long after a message of the server's, which may as well be what they are \
                       counted from";

/// Why nothing is known where nothing came between two heartbeats.
fn unheard(kind: &KindFindings, report: &ListenReport) -> Option<&'static str> {
    let is_burst = kind.interval.is_some_and(|interval| interval.is_burst());
    match (kind.sure && !is_burst, report.info.talk) {
        (true, false) if report.info.answer => Some(
            "not known; use --talk to distinguish a fixed clock from one that counts from the last traffic",
        ),
        (_, true) => {
            Some("not known: no message was sent between heartbeats, because no interval was known in time")
        }
        (_, false) => None,
    }
}

fn disagreeing(client: TrafficEffects, server: TrafficEffects) -> String {
    let did = |effects: TrafficEffects| match effects.effect {
        TrafficEffect::Unmoved => "leaves them unmoved",
        TrafficEffect::Postponed => "postpones the next",
        TrafficEffect::Skipped => "has the next come later",
        TrafficEffect::Mixed => "did not always do the same",
    };
    format!("not known: what the client says {}, and what the server says {}", did(client), did(server))
}

fn counted_from_its_own(kind: &KindFindings, talk: bool) -> String {
    let apart = kind.interval.map(|gaps| format!(": they are {} apart", range(gaps))).unwrap_or_default();
    let client = by_client(kind.by_client, talk);
    format!("the last traffic: everything that the server sends postpones the next heartbeat{apart}{client}")
}

/// What the client's words do to a server that counts from its own.
fn by_client(effects: Option<TrafficEffects>, talk: bool) -> String {
    let Some(effects) = effects else {
        let unknown = "; whether client messages do is not known";
        return if talk { unknown.to_string() } else { String::new() };
    };
    let did = match effects.effect {
        TrafficEffect::Unmoved => "client messages do not",
        TrafficEffect::Postponed => "client messages postpone it too",
        TrafficEffect::Skipped => {
            &format!("after a client message it comes up to {:.2} intervals later", effects.longest)
        }
        TrafficEffect::Mixed => "client messages had different effects",
    };
    format!("; {did} ({})", times(effects))
}

/// `7 times`, `6 of 7 times`
fn times(TrafficEffects { count, of, .. }: TrafficEffects) -> String {
    let times = counted(of as u64, "time");
    if count == of { times } else { format!("{count} of {times}") }
}

/// What is not known as long as the client says nothing.
fn untold(kind: &KindFindings, report: &ListenReport) -> &'static str {
    if kind.by_client.is_none() && report.info.answer && !report.info.talk {
        "; use --talk to see whether client messages do"
    } else {
        ""
    }
}

/// What the server's own messages did. That they move nothing makes no fixed clock: the client's may.
fn moved_by_itself(effects: TrafficEffects) -> String {
    match effects.effect {
        TrafficEffect::Unmoved => {
            format!("no server message moves them ({})", times(effects))
        }
        TrafficEffect::Skipped => {
            let times = times(effects);
            format!("not known: after a server message the next heartbeat comes later ({times})")
        }
        TrafficEffect::Postponed | TrafficEffect::Mixed => moved("a server message", effects),
    }
}

fn moved(whose: &str, effects: TrafficEffects) -> String {
    let times = times(effects);
    let longest = format!("{:.2}", effects.longest);
    match effects.effect {
        TrafficEffect::Unmoved => {
            format!("a fixed clock: {whose} between heartbeats does not move them ({times})")
        }
        TrafficEffect::Postponed => {
            format!("the last traffic: {whose} postpones the next heartbeat to one interval later ({times})")
        }
        TrafficEffect::Skipped if !effects.by_ticks => format!(
            "not known: after {whose} the next heartbeat comes up to {longest} intervals later ({times})"
        ),
        TrafficEffect::Skipped => format!(
            "a fixed clock that skips active clients: after {whose} the next heartbeat comes up to {longest} intervals \
             later ({times})"
        ),
        TrafficEffect::Mixed => {
            format!("not known: {whose} did not always do the same to the next heartbeat ({times})")
        }
    }
}

fn unanswered(unanswered: UnansweredPolicy) -> String {
    match unanswered {
        UnansweredPolicy::GoesOn { after } => {
            let after = counted(after, "unanswered heartbeat");
            format!("the server sent heartbeats until the end, after {after}")
        }
        UnansweredPolicy::Stops { after } => {
            format!("the server stops after {} and leaves the connection open", counted(after, "heartbeat"))
        }
        UnansweredPolicy::Ends { after } => {
            format!("the connection ended after {}", counted(after, "unanswered heartbeat"))
        }
    }
}

fn clears(clearance: &CoveredTimeouts) -> String {
    let list =
        |spans: &[Duration]| spans.iter().map(|span| format::duration(*span)).collect::<Vec<_>>().join(", ");
    match (clearance.cleared.first(), clearance.not_cleared.as_slice()) {
        (None, _) => "none of the well-known idle timeouts (75 % rule)".to_string(),
        (Some(_), []) => "all of the well-known idle timeouts, from 30 s on (75 % rule)".to_string(),
        (Some(first), not) => {
            format!("idle timeouts of {} and more (75 % rule); not {}", format::duration(*first), list(not))
        }
    }
}

fn consequence(findings: &ListenFindings) -> Option<String> {
    let text = match (findings.verdict, findings.heartbeat.map(|kind| kind.event_kind)) {
        (ListenVerdict::PeriodicMessages, _) => {
            return findings.periodic.as_ref().map(|found| if_heartbeat(found, findings));
        }
        (ListenVerdict::ServerIsSilentFor, _) if !findings.kinds.is_empty() => {
            return Some(format!(
                "its messages kept the path busy here, silent for at most {}; unless by heartbeats that come only in \
                 a longer silence, nothing keeps it open when the server has nothing to say, nor finds out by itself that a \
                 client is dead: send heartbeats (`wscheck probe-idle` tells how often), and see `wscheck probe-zombie`",
                format::duration(findings.longest_quiet)
            ));
        }
        (ListenVerdict::ServerIsSilentFor, _) => {
            return Some(format!(
                "nobody keeps this path open, or finds out that a client is dead, but you, unless by heartbeats that come \
                 only in a silence of more than {}: send some (`wscheck probe-idle` tells how often), and see `wscheck \
                 probe-zombie`",
                format::duration(findings.longest_still)
            ));
        }
        (ListenVerdict::ServerPingsEvery, Some(ServerEventKind::Pong | ServerEventKind::KeepAlive)) => {
            "nothing answers them: they keep a path open that counts either direction, not one that counts what \
             the client sends, and find no dead client"
        }
        (ListenVerdict::Irregular, _) => {
            return Some(format!(
                "there is no interval to rely on: the path was silent for at most {} here, and may be for longer; \
                 where that is too long, send heartbeats of your own",
                format::duration(findings.longest_quiet)
            ));
        }
        (ListenVerdict::ServerPingsEvery | ListenVerdict::Inconclusive, _) => return None,
    };
    Some(text.to_string())
}

/// A row for each kind.
fn evidence(rows: &mut LabelledRows, findings: &ListenFindings) {
    let mut label = "heard";
    for kind in &findings.kinds {
        rows.add(std::mem::take(&mut label), &received(kind));
    }
    if findings.kinds.is_empty() {
        let answers_only = findings.longest_quiet < findings.listened;
        rows.add(label, if answers_only { "only answers" } else { "nothing" });
    } else {
        rows.add("quiet", &format!("at most {}", format::duration(findings.longest_quiet)));
    }
}

fn received(kind: &KindFindings) -> String {
    let shape = kind.shape.map(|shape| format!(" ({shape})")).unwrap_or_default();
    // Gaps in which the client spoke are none of the server's own, and are left out.
    let but = if kind.by_client.is_some() { " without client messages" } else { "" };
    let gaps = kind.interval.map(|interval| format!(", {} apart{but}", range(interval))).unwrap_or_default();
    let sample = cut_to(kind.sample.as_str(), MAX_REPORT_PAYLOAD);
    let payload = match kind.payloads {
        PayloadVariation::Empty => "without payload".to_string(),
        PayloadVariation::Constant => format!("always \"{sample}\""),
        PayloadVariation::Changing => format!("changing, the first \"{sample}\"{}", last(kind)),
        PayloadVariation::Single => format!("\"{sample}\""),
    };
    format!("{}{shape}{gaps}; {payload}", counted(kind.count, one(kind.event_kind)))
}

/// What the server said last tells most where it ends the connection: an error, perhaps.
fn last(kind: &KindFindings) -> String {
    let latest = kind.latest.as_ref().filter(|_| kind.event_kind == ServerEventKind::Message);
    latest
        .map(|text| format!(", later \"{}\"", cut_to(text.as_str(), MAX_REPORT_PAYLOAD)))
        .unwrap_or_default()
}

fn closing(rows: &mut LabelledRows, report: &ListenReport, paint: Styler) {
    let by_us = report.close_reply.as_ref().map(|reply| format!("we sent close 1000; {reply}"));
    rows.add_some("ended", report.ending.as_deref().map(human::ending).or(by_us));
    if let Some(opened) = report.opened.as_deref() {
        let way = way(opened).map(|way| format!(", {way}")).unwrap_or_default();
        rows.add("opened in", &format!("{}{way}", phases(&opened.phases)));
        human::facts(rows, opened);
    }
    human::preset(rows, report.info.preset.as_ref());
    human::verdict(rows, report.verdict, &report.reasons, paint);
}

fn one(event_kind: ServerEventKind) -> &'static str {
    match event_kind {
        ServerEventKind::Ping => "Ping frame",
        ServerEventKind::AppPing => "app ping",
        ServerEventKind::Pong => "unsolicited Pong",
        ServerEventKind::KeepAlive => "keep-alive",
        ServerEventKind::Message => "ordinary message",
    }
}

/// `app pings`; of several kinds of them, which: `app pings (Pusher)`
fn many(kind: &KindFindings, findings: &ListenFindings) -> String {
    let is_one_of_several =
        findings.kinds.iter().filter(|other| other.event_kind == kind.event_kind).count() > 1;
    let shape = kind.shape.filter(|_| is_one_of_several).map(|shape| format!(" ({shape})"));
    format!("{}s{}", one(kind.event_kind), shape.unwrap_or_default())
}

fn shorten(text: &str) -> String {
    cut_to(text, MAX_LINE_PAYLOAD)
}

fn cut_to(text: &str, most: usize) -> String {
    let shown: String = text.chars().take(most).collect();
    if text.chars().count() > most { format!("{shown}…") } else { shown }
}
