//! The report of `listen` for people: the diagnosis first, then the evidence.

use std::time::Duration;

use super::HumanOptions;
use super::findings::{self, MAX_SHOWN_PAYLOAD, one, shorten};
use super::interval_words::range;
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::format::{self, counted};
use crate::domain::listen::report::{
    ListenEvent, ListenInfo, ListenProgress, ListenReport, ServerEventNotice,
};
use crate::domain::listen::{
    FirstHeartbeat, KindFindings, ListenFinding, ListenFindings, ListenVerdict, PayloadVariation,
    ServerEventKind, unanswered,
};
use crate::output::human::{self, LabelledRows, Styler, failed_opening, peer_address, phases};

/// The most heartbeats that are shown as they come.
const MAX_SHOWN_HEARTBEATS: u32 = 20;
/// Shorter intervals are shown as a rate.
const MIN_SHOWN_INTERVAL: Duration = Duration::from_millis(100);
/// The most that are shown in the report.
const MAX_REPORT_PAYLOAD: usize = 200;

/// What is shown while it runs, on stderr.
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
            format!(" \"{}\"", shorten(notice.text.as_str(), MAX_SHOWN_PAYLOAD))
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
        (Some(interval), heartbeats) if interval < MIN_SHOWN_INTERVAL => {
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

/// Why the connection did not open.
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
    let conclusion = findings.conclusion();
    rows.add("answer", &format!("{}{so_far}", answer(conclusion.as_ref(), paint)));
    rows.add_some("first", findings.heartbeat().and_then(first));
    rows.add_some("timer", report.timer().as_ref().map(findings::line));
    rows.add_some("talk", findings.heartbeat().is_none().then(|| nothing_sent(report)).flatten());
    rows.add_some("besides", findings.besides().as_ref().map(findings::line));
    rows.add_some("unanswered", findings.unanswered.map(|policy| findings::line(&unanswered(policy))));
    rows.add_some("covers", findings.coverage().as_ref().map(covers));
    rows.add_some("so", conclusion.as_ref().and_then(|conclusion| what_to_do(conclusion, findings)));
    rows.add_some("so", findings.one_way().as_ref().map(findings::line));
    if let (ListenVerdict::PeriodicMessages, Some(pattern)) = (findings.verdict, pattern(findings)) {
        rows.add_unbroken("try", &findings::app_ping(pattern));
    }
}

fn pattern(findings: &ListenFindings) -> Option<&str> {
    findings.periodic.as_ref()?.pattern.as_deref()
}

/// The conclusion, its claim in bold.
fn answer(conclusion: Option<&ListenFinding>, paint: Styler) -> String {
    match conclusion.and_then(findings::headline) {
        Some((claim, detail)) => format!("{}{detail}", paint.strong(&claim)),
        None => paint.strong("inconclusive"),
    }
}

/// What to do. A long option gets a line of its own.
fn what_to_do(conclusion: &ListenFinding, found: &ListenFindings) -> Option<String> {
    let remedy = findings::remedy(conclusion)?;
    match pattern(found) {
        Some(pattern) => Some(remedy.replace(&findings::app_ping(pattern), "the option below")),
        None => Some(remedy),
    }
}

/// What the heartbeats cover; the label is the verb.
fn covers(coverage: &ListenFinding) -> String {
    findings::line(coverage).trim_start_matches("covers ").to_string()
}

/// Client messages are sent between two heartbeats, once the interval is known.
fn nothing_sent(report: &ListenReport) -> Option<String> {
    report
        .info
        .talk
        .then(|| "no client message was sent: there were no heartbeats to send it between".to_string())
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

/// A row for each kind.
fn evidence(rows: &mut LabelledRows, findings: &ListenFindings) {
    let mut label = "received";
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
    let gaps = kind.interval.map(|interval| format!(", {} apart{but}", range(&interval))).unwrap_or_default();
    let sample = shorten(kind.sample.as_str(), MAX_REPORT_PAYLOAD);
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
        .map(|text| format!(", later \"{}\"", shorten(text.as_str(), MAX_REPORT_PAYLOAD)))
        .unwrap_or_default()
}

fn closing(rows: &mut LabelledRows, report: &ListenReport, paint: Styler) {
    let by_us = report.close_reply.as_ref().map(|reply| format!("we sent close 1000; {reply}"));
    rows.add_some("ended", report.ending.as_deref().map(human::ending).or(by_us));
    if let Some(opened) = report.opened.as_deref() {
        let address = peer_address(opened).map(|address| format!(", {address}")).unwrap_or_default();
        rows.add("opened in", &format!("{}{address}", phases(&opened.phases)));
        human::facts(rows, opened);
    }
    human::preset(rows, report.info.preset.as_ref());
    human::conclusion(rows, &super::view::view(report), paint);
}
