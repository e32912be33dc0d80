//! For people: a line for what happens on one connection, a progress line and a table for several, and a summary.

mod connect_error;
mod event_lines;
mod figures;
mod histogram;
mod interim;
mod progress;
mod rows;
mod style;
mod summary;
mod table;

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

pub use connect_error::complaint;
pub(super) use connect_error::failed_opening;
pub(super) use event_lines::{counted, ending, phases, way};
pub use interim::interim_line;
pub(super) use rows::LabelledRows;
pub use style::Styler;
pub(super) use summary::{facts, preset, verdict};

use super::writer::{ReportWriter, Writer};
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo, FailureKind};
use crate::domain::ping::event::{ConnEvent, ConnId, Event, PeerTraffic, Reporter, StatusChange};
use crate::domain::ping::health::Status;
use crate::domain::ping::report::PingReport;
use crate::domain::ping::run_info::RunInfo;
use crate::domain::ping::worst::MAX_LISTED_CONNECTIONS;
use crate::output::reporter::Output;
use progress::ConnectionsProgressLine;

/// The most stray pongs of one connection that are told of as they come; a flood of them is only counted.
const MAX_SHOWN_STRAYS: u32 = 10;
/// The most lines about what happens to single connections of many, and as many about why some did not open.
const MAX_SHOWN_NEWS: u32 = 20;
/// What is said then.
const NO_MORE_NEWS: &str = "and so on: what happens to the other connections is only counted from here on";

/// How to show a run to people; what the terminal can do is for the caller to find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HumanOptions {
    /// Only the summary, and errors.
    pub quiet: bool,
    /// Whether to use colour on stdout.
    pub color: bool,
    /// Whether to use colour on stderr.
    pub stderr_color: bool,
    /// The terminal's columns; `None` leaves lines as long as they are.
    pub width: Option<usize>,
    /// Whether stderr is a terminal on which a line may move.
    pub progress: bool,
}

/// Shows a run to people.
pub struct Human {
    command: &'static str,
    options: HumanOptions,
    stdout: ReportWriter,
    stderr: ReportWriter,
    info: Option<Arc<RunInfo>>,
    connections: HashMap<ConnId, ShownConnection>,
    /// The failures to open that were told in full, by target.
    told: HashSet<(usize, FailureKind)>,
    progress: Option<ConnectionsProgressLine>,
    /// How much of what happens to single connections was told, on stdout and on stderr.
    news: [u32; 2],
}

/// What was told of a connection already.
#[derive(Debug, Default)]
struct ShownConnection {
    opened: bool,
    /// The last change of status.
    status: Option<Status>,
    /// Whether it was ever other than healthy.
    troubled: bool,
    strays: u32,
    /// Of each kind.
    server_pings: [bool; 2],
    echo: bool,
}

impl Human {
    /// A reporter for a run of this command: the result goes to `stdout`, the conversation to `stderr`.
    pub fn new(command: &'static str, options: HumanOptions, stdout: Writer, stderr: Writer) -> Human {
        Human {
            command,
            options,
            stdout: ReportWriter::new(stdout),
            stderr: ReportWriter::new(stderr),
            info: None,
            connections: HashMap::new(),
            told: HashSet::new(),
            progress: None,
            news: [0; 2],
        }
    }

    fn paint(&self) -> Styler {
        Styler { color: self.options.color }
    }

    fn started(&mut self, info: &Arc<RunInfo>) {
        self.info = Some(info.clone());
        if !is_single(info) {
            let (targets, each) = (info.targets.len(), info.connections_each);
            let connections = event_lines::counted((targets * each) as u64, "connection");
            let targets = event_lines::counted(targets as u64, "target");
            self.happen(&format!(
                "wscheck {}: {connections} to {targets}, {}",
                self.command,
                event_lines::plan(info)
            ));
            self.progress = self.options.progress.then(ConnectionsProgressLine::on_stderr);
        }
    }

    fn connection(&mut self, id: ConnId, event: &ConnEvent) {
        let Some(info) = self.info.clone() else { return };
        if let ConnEvent::OpenFailed(error) = event {
            self.open_failed(&info, id, error);
        }
        if let Some(line) = self.line(&info, id, event) {
            match self.another_of_many(&info, 0) {
                None => self.happen(&format!("{}{line}", prefix(&info, id))),
                Some(true) => self.happen(NO_MORE_NEWS),
                Some(false) => {}
            }
        }
    }

    /// Whether so much was told of single connections of many that there is to be no more (`None`: not yet), and
    /// whether this is to be said now.
    fn another_of_many(&mut self, info: &RunInfo, stream: usize) -> Option<bool> {
        let told = &mut self.news[stream];
        *told = told.saturating_add(1);
        (info.connections() > MAX_LISTED_CONNECTIONS && *told > MAX_SHOWN_NEWS)
            .then_some(*told == MAX_SHOWN_NEWS + 1)
    }

    /// The line for an event, where it deserves one.
    fn line(&mut self, info: &RunInfo, id: ConnId, event: &ConnEvent) -> Option<String> {
        let (single, paint, command) = (is_single(info), self.paint(), self.command);
        let shown = self.connections.entry(id).or_default();
        match event {
            ConnEvent::Opening
            | ConnEvent::Standing { .. }
            | ConnEvent::Unjudged { .. }
            | ConnEvent::Announced(_)
            | ConnEvent::Overheard(_) => None,
            ConnEvent::Opened(opened) => shown.open(single.then(|| introduction(command, info, opened))),
            ConnEvent::OpenFailed(error) if shown.opened => Some(event_lines::failed_again(error)),
            ConnEvent::OpenFailed(_) => None,
            ConnEvent::Heartbeat(beat) => single.then(|| event_lines::beat(paint, info, beat)),
            ConnEvent::PeerTraffic(heard, _) => shown.hears(*heard, single, paint),
            ConnEvent::Status(change) => {
                let is_news = shown.news(info, change)
                    && (info.connections() <= MAX_LISTED_CONNECTIONS || is_grave(change));
                is_news.then(|| event_lines::status(paint, change))
            }
            ConnEvent::Ended(ending) => (!ending.was_planned())
                .then(|| format!("{} {}", paint.bad("ended:"), event_lines::ending(ending))),
            ConnEvent::Retry { attempt, after } => single.then(|| event_lines::retry(*attempt, *after)),
            ConnEvent::Reconnected { outage, attempts } => Some(event_lines::reconnected(*outage, *attempts)),
            ConnEvent::GaveUp { outage, attempts } => Some(event_lines::gave_up(*outage, *attempts)),
        }
    }

    /// An opening that failed: on stderr, in full for the first of its kind on a target, in short for the others.
    fn open_failed(&mut self, info: &RunInfo, id: ConnId, error: &ConnectError) {
        if self.connections.get(&id).is_some_and(|shown| shown.opened) {
            return;
        }
        let which = if is_single(info) { String::new() } else { format!(" (connection #{})", id.index) };
        let paint = Styler { color: self.options.stderr_color };
        let text = match (self.told.insert((id.target, error.kind)), self.another_of_many(info, 1)) {
            (true, _) => connect_error::failed_opening(paint, error),
            (false, None) => connect_error::complaint(paint, &format!("{error}{which}"), None),
            (false, Some(true)) => format!("{NO_MORE_NEWS}\n"),
            (false, Some(false)) => return,
        };
        self.converse(&text);
    }

    fn finished(&mut self, report: &PingReport) {
        if let Some(progress) = self.progress.take() {
            progress.finish();
        }
        if says_nothing_new(report) {
            return;
        }
        let before = if self.options.quiet { "" } else { "\n" };
        let summary = summary::summary(report, self.paint(), self.options.width);
        self.stdout.write(&format!("{before}{summary}"));
    }

    /// A line of the result as it happens; none when only the summary is wanted.
    fn happen(&mut self, line: &str) {
        if !self.options.quiet {
            write(&mut self.stdout, self.progress.as_ref(), &format!("{line}\n"));
        }
    }

    fn converse(&mut self, text: &str) {
        write(&mut self.stderr, self.progress.as_ref(), text);
    }
}

fn write(sink: &mut ReportWriter, progress: Option<&ConnectionsProgressLine>, text: &str) {
    match progress {
        Some(progress) => progress.aside(|| sink.write(text)),
        None => sink.write(text),
    }
}

impl Reporter for Human {
    fn report(&mut self, event: &Event) {
        match event {
            Event::Started { info, .. } => self.started(info),
            Event::Connection { id, event, .. } => self.connection(*id, event),
            Event::StatusCounts(tally) => {
                self.progress.iter().for_each(|progress| progress.show(tally));
            }
            Event::Interim(report) => self.converse(&interim_line(report)),
            Event::Finished(report) => self.finished(report),
        }
    }
}

impl Output for Human {
    fn error(&self) -> Option<&io::Error> {
        self.stdout.error()
    }
}

impl ShownConnection {
    /// Notes that it opened; the introduction is for the first time only.
    fn open(&mut self, introduction: Option<String>) -> Option<String> {
        if std::mem::replace(&mut self.opened, true) { None } else { introduction }
    }

    /// The line for what a peer sent: each of its habits is told once, strays a few times.
    fn hears(&mut self, heard: PeerTraffic, single: bool, paint: Styler) -> Option<String> {
        match heard {
            PeerTraffic::Message => None,
            PeerTraffic::Stray(kind, stray) => {
                self.another_stray(single).then(|| event_lines::stray(paint, kind, stray))
            }
            PeerTraffic::ServerPing { kind, answered } => (single
                && !std::mem::replace(&mut self.server_pings[kind as usize], true))
            .then(|| event_lines::server_ping(kind, answered)),
            PeerTraffic::Echo => (single && !std::mem::replace(&mut self.echo, true)).then(event_lines::echo),
        }
    }

    fn another_stray(&mut self, single: bool) -> bool {
        self.strays = self.strays.saturating_add(1);
        single && self.strays <= MAX_SHOWN_STRAYS
    }

    /// Whether a change is worth a line: not that all is well at first, nor the same a second time (one kind's
    /// status and the connection's change together).
    fn news(&mut self, info: &RunInfo, change: &StatusChange) -> bool {
        let all_well = change.to == Status::Healthy && !self.troubled;
        let told = self.status == Some(change.to) && (change.kind.is_none() || info.kinds.len() == 1);
        self.troubled |= change.to != Status::Healthy;
        self.status = Some(change.to);
        !all_well && !told
    }
}

/// Of many connections, a change between those that answer and those that do not is told; how fast each answers is for
/// the counts.
fn is_grave(change: &StatusChange) -> bool {
    [change.from, change.to].iter().any(|status| matches!(status, Status::Timeout | Status::Dead))
}

fn is_single(info: &RunInfo) -> bool {
    info.targets.len() * info.connections_each == 1
}

/// Which connection a line is about, where there are several: `ws://a.example/ #1: `.
fn prefix(info: &RunInfo, id: ConnId) -> String {
    let url = info.targets.get(id.target).map_or("", String::as_str);
    match (is_single(info), info.connections_each) {
        (true, _) => String::new(),
        (false, 1) => format!("{url}: "),
        (false, _) => format!("{url} #{}: ", id.index),
    }
}

/// The first lines: where to, what is measured, and how it opened.
fn introduction(command: &str, info: &RunInfo, opened: &ConnectInfo) -> String {
    let url = info.targets.first().map_or("", String::as_str);
    let way = event_lines::way(opened).map(|way| format!(" ({way})")).unwrap_or_default();
    let (plan, phases) = (event_lines::plan(info), event_lines::phases(&opened.phases));
    format!("wscheck {command} {url}{way}: {plan}\nopened in {phases}")
}

/// A single connection that never opened said why already.
fn says_nothing_new(report: &PingReport) -> bool {
    let connections: Vec<_> = report.targets.iter().flat_map(|target| &target.connections).collect();
    matches!(connections.as_slice(), [only] if only.opened.is_none() && only.open_error.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::fixtures::{self, SharedBuffer, show};
    use crate::output::output_format::Format;
    use anstream::adapter::strip_str;

    const PLAIN: HumanOptions =
        HumanOptions { quiet: false, color: false, stderr_color: false, width: None, progress: false };
    const COLORED: HumanOptions = HumanOptions { color: true, stderr_color: true, ..PLAIN };

    fn stdout(options: HumanOptions, events: &[Event]) -> String {
        show(Format::Human, options, events).0
    }

    #[test]
    fn without_colour_there_are_no_escapes_whatever_a_peer_says() {
        for (name, events) in fixtures::all() {
            let (stdout, stderr) = show(Format::Human, PLAIN, &events);
            let harmless = |text: &str| text.chars().all(|c| c == '\n' || !c.is_control());
            assert!(harmless(&stdout) && harmless(&stderr), "{name}");
        }
    }

    #[test]
    fn colour_only_repeats_what_the_words_say() {
        for (name, events) in fixtures::all() {
            let plain = show(Format::Human, PLAIN, &events);
            let colored = show(Format::Human, COLORED, &events);
            assert!(colored.0.contains('\x1b') || colored.1.contains('\x1b'), "{name}");
            assert_eq!(strip_str(&colored.0).to_string(), plain.0, "{name}");
            assert_eq!(strip_str(&colored.1).to_string(), plain.1, "{name}");
        }
    }

    #[test]
    fn each_stream_has_its_own_colour() {
        for (name, events) in fixtures::all() {
            let (plain, colored) =
                (show(Format::Human, PLAIN, &events), show(Format::Human, COLORED, &events));
            let one = show(Format::Human, HumanOptions { stderr_color: false, ..COLORED }, &events);
            assert_eq!(one, (colored.0, plain.1), "{name}");
        }
    }

    #[test]
    fn quiet_shows_only_the_summary() {
        let events = fixtures::dead();
        let loud = stdout(PLAIN, &events);
        let quiet = stdout(HumanOptions { quiet: true, ..PLAIN }, &events);
        assert!(quiet.starts_with("--- ws://127.0.0.1:9001/ ---\nstatus "), "{quiet}");
        assert!(loud.ends_with(&format!("\n\n{quiet}")));
    }

    #[test]
    fn quiet_still_says_why_a_connection_did_not_open() {
        let (stdout, stderr) =
            show(Format::Human, HumanOptions { quiet: true, ..PLAIN }, &fixtures::unreachable());
        assert_eq!(stdout, "");
        assert!(stderr.starts_with("error: cannot open "), "{stderr}");
    }

    #[test]
    fn status_changes_show_once_and_first_healthy_never() {
        let text = stdout(PLAIN, &fixtures::both_change());
        let told: Vec<&str> = text.lines().filter(|line| line.contains("status: ")).collect();
        assert_eq!(told, ["app status: healthy -> poor: slow", "app status: poor -> healthy: fast"]);
    }

    #[test]
    fn a_progress_line_leaves_the_result_as_it_is() {
        let events = fixtures::several();
        assert_eq!(stdout(HumanOptions { progress: true, ..PLAIN }, &events), stdout(PLAIN, &events));
    }

    #[test]
    fn a_closed_pipe_ends_it_quietly() {
        let (out, err) = (SharedBuffer::that_closes_after(2), SharedBuffer::default());
        let mut human = Human::new("ping", PLAIN, out.writer(), err.writer());
        fixtures::healthy().iter().for_each(|event| human.report(event));
        assert!(human.error().is_some());
        assert_eq!(human.error().map(io::Error::kind), Some(io::ErrorKind::BrokenPipe));
        assert_eq!(out.attempts(), 3);
    }

    #[test]
    fn a_flood_of_stray_pongs_is_not_a_flood_of_lines() {
        let text = stdout(PLAIN, &fixtures::stray_flood(1000));
        assert_eq!(text.matches("stray").count(), MAX_SHOWN_STRAYS as usize);
    }

    /// Twelve connections, on each of which the same happens again and again.
    fn many(each: impl Fn(usize) -> Vec<ConnEvent>) -> String {
        let Some(Event::Started { at, info }) = fixtures::healthy().into_iter().next() else {
            panic!("no start")
        };
        let info = Arc::new(RunInfo { connections_each: 12, ..RunInfo::clone(&info) });
        let mut events = vec![Event::Started { at, info }];
        for round in 0..10 {
            for index in 0..12 {
                let id = ConnId { target: 0, index };
                events.extend(each(round).into_iter().map(|event| Event::Connection { id, at, event }));
            }
        }
        let (stdout, stderr) = show(Format::Human, PLAIN, &events);
        stdout + &stderr
    }

    fn change(from: Status, to: Status) -> ConnEvent {
        let (reason, metrics) = ("so".to_string(), crate::domain::ping::health::StatusMetrics::default());
        ConnEvent::Status(StatusChange { kind: None, from, to, reason, metrics })
    }

    #[test]
    fn many_connections_show_only_a_few_grave_changes() {
        let swing = [Status::Healthy, Status::Degraded];
        let slow = many(|round| vec![change(swing[(round + 1) % 2], swing[round % 2])]);
        assert_eq!(slow.lines().count(), 1, "{slow}");
        let swing = [Status::Healthy, Status::Timeout];
        let gone = many(|round| vec![change(swing[(round + 1) % 2], swing[round % 2])]);
        assert_eq!(gone.matches("status: ").count(), MAX_SHOWN_NEWS as usize, "{gone}");
        assert_eq!((gone.matches(NO_MORE_NEWS).count(), gone.lines().count()), (1, 22), "{gone}");
    }

    #[test]
    fn of_many_targets_only_the_ill_have_a_block_of_their_own() {
        let text = stdout(PLAIN, &fixtures::many_targets(6));
        assert_eq!(text.matches("--- wss").count(), 1, "{text}");
        assert!(text.contains("--- wss://node5.example/ ---"), "{text}");
        assert_eq!(text.matches(" 1 healthy").count(), 5, "{text}");
    }

    #[test]
    fn no_line_of_a_summary_is_wider_than_the_terminal() {
        for (name, events) in fixtures::all() {
            for width in [60, 80, 100] {
                let options = HumanOptions { quiet: true, width: Some(width), ..PLAIN };
                for line in stdout(options, &events).lines().filter(|line| line.contains(' ')) {
                    let hanging = line.trim_start().contains(' ');
                    assert!(!hanging || line.chars().count() <= width, "{name} at {width}: {line}");
                }
            }
        }
    }

    #[test]
    fn a_table_fits_the_terminal() {
        let table = |width: usize| {
            let options = HumanOptions { quiet: true, width: Some(width), ..PLAIN };
            let text = stdout(options, &fixtures::several());
            let from = text.find("target ").unwrap();
            let to = text.find("connections ").unwrap();
            text[from..to].to_string()
        };
        insta::assert_snapshot!([40, 60, 80, 120].map(table).join(""));
    }
}
