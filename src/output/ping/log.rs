//! What people read of a run of `ping`: a line for what happens.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{COMMAND, WATCH, event_lines};
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo, FailureKind};
use crate::domain::format::counted;
use crate::domain::ping::event::{ConnEvent, ConnId, Event, PeerTraffic, ServerPingKind, StatusChange};
use crate::domain::ping::health::Status;
use crate::domain::ping::run_info::RunInfo;
use crate::domain::ping::worst::MAX_LISTED_CONNECTIONS;
use crate::output::human::{self, HumanOptions, Styler};
use crate::output::presenter::Lines;
use crate::output::view::connection;

/// The most stray pongs of one connection that are shown as they come; a flood of them is only counted.
pub(super) const MAX_SHOWN_STRAYS: u32 = 10;
/// The most lines about what happens to single connections of many, and as many about why some did not open.
pub(super) const MAX_SHOWN_STATUS_CHANGES: u32 = 20;
/// What is said then.
pub(super) const NO_MORE_STATUS_CHANGES: &str =
    "and so on: what happens to the other connections is only counted from here on";

/// The lines of a run of `ping` while it goes on.
pub struct PingLog {
    options: HumanOptions,
    lines: Lines,
    info: Option<Arc<RunInfo>>,
    connections: HashMap<ConnId, ShownConnection>,
    /// The failures to open that were shown in full, by target.
    shown: HashSet<(usize, FailureKind)>,
    /// How much of what happens to single connections was shown, on stdout and on stderr.
    status_changes: [u32; 2],
    /// It may go on for weeks, and every change is of interest.
    is_watch: bool,
}

/// What was already shown of a connection.
#[derive(Debug, Default)]
struct ShownConnection {
    opened: bool,
    /// The last change of status.
    status: Option<Status>,
    /// Whether it was ever other than healthy.
    troubled: bool,
    strays: u32,
    server_pings: HashSet<ServerPingKind>,
    echo: bool,
}

impl PingLog {
    pub fn new(options: HumanOptions) -> PingLog {
        PingLog {
            options,
            lines: Lines::default(),
            info: None,
            connections: HashMap::new(),
            shown: HashSet::new(),
            status_changes: [0; 2],
            is_watch: false,
        }
    }

    /// The lines of connections that are watched: as many as there are changes.
    pub fn of_watch(options: HumanOptions) -> PingLog {
        PingLog { is_watch: true, ..PingLog::new(options) }
    }

    /// What people read of an event.
    pub fn lines(&mut self, event: &Event) -> Lines {
        match event {
            Event::Started { info, .. } => self.started(info),
            Event::Connection { id, event, .. } => self.connection(*id, event),
            Event::StatusCounts(_) | Event::Interim(_) | Event::Finished(_) => {}
        }
        std::mem::take(&mut self.lines)
    }

    /// Whether the run has more than one connection.
    pub fn has_several(&self) -> bool {
        self.info.as_deref().is_some_and(|info| !is_single(info))
    }

    fn command(&self) -> &'static str {
        if self.is_watch { WATCH } else { COMMAND }
    }

    fn paint(&self) -> Styler {
        Styler { color: self.options.color }
    }

    fn started(&mut self, info: &Arc<RunInfo>) {
        self.info = Some(info.clone());
        if !is_single(info) {
            let (targets, each) = (info.targets.len(), info.connections_each);
            let connections = counted((targets * each) as u64, "connection");
            let targets = counted(targets as u64, "target");
            self.happen(&format!(
                "wscheck {}: {connections} to {targets}, {}",
                self.command(),
                event_lines::plan(info)
            ));
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
                Some(true) => self.happen(NO_MORE_STATUS_CHANGES),
                Some(false) => {}
            }
        }
    }

    /// Counts a line about one of many connections. `None`: it may be shown. `Some`: the limit is reached, and no more lines are
    /// shown; `Some(true)` only for the first line beyond it, in whose place that is said.
    fn another_of_many(&mut self, info: &RunInfo, stream: usize) -> Option<bool> {
        let shown = &mut self.status_changes[stream];
        *shown = shown.saturating_add(1);
        let is_limited = info.connections() > MAX_LISTED_CONNECTIONS && !self.is_watch;
        (is_limited && *shown > MAX_SHOWN_STATUS_CHANGES).then_some(*shown == MAX_SHOWN_STATUS_CHANGES + 1)
    }

    /// The line for an event, where it deserves one.
    fn line(&mut self, info: &RunInfo, id: ConnId, event: &ConnEvent) -> Option<String> {
        let (single, paint, command) = (is_single(info), self.paint(), self.command());
        let shown = self.connections.entry(id).or_default();
        match event {
            ConnEvent::Opening
            | ConnEvent::Standing { .. }
            | ConnEvent::Unjudged { .. }
            | ConnEvent::Announced(_)
            | ConnEvent::ServerTraffic(_) => None,
            ConnEvent::Opened(opened) => shown.open(single.then(|| introduction(command, info, opened))),
            ConnEvent::OpenFailed(error) if shown.opened => Some(event_lines::failed_again(error)),
            ConnEvent::OpenFailed(_) => None,
            ConnEvent::Heartbeat(beat) => single.then(|| event_lines::beat(paint, info, beat)),
            ConnEvent::ExtraHeartbeat(beat) => {
                single.then(|| format!("extra {}", event_lines::beat(paint, info, beat)))
            }
            ConnEvent::PeerTraffic(traffic, _) => shown.server_traffic(*traffic, single, paint),
            ConnEvent::PeerMessage(message) => single.then(|| format!("received \"{message}\"")),
            ConnEvent::Status(change) => {
                let is_shown_change = shown.status_changes(info, change)
                    && (info.connections() <= MAX_LISTED_CONNECTIONS || is_grave(change));
                is_shown_change.then(|| event_lines::status(paint, change))
            }
            ConnEvent::Goaway(notice) => Some(event_lines::goaway(paint, notice)),
            ConnEvent::Ended(ending) => (!ending.was_planned())
                .then(|| format!("{} {}", paint.bad("ended:"), connection::ending(ending))),
            ConnEvent::Retry { attempt, after } => single.then(|| event_lines::retry(*attempt, *after)),
            ConnEvent::Reconnected { outage, attempts } => Some(event_lines::reconnected(*outage, *attempts)),
            ConnEvent::GaveUp { outage, attempts, is_stopped } => {
                Some(event_lines::gave_up(*outage, *attempts, *is_stopped))
            }
        }
    }

    /// An opening that failed: on stderr, in full for the first of its kind on a target, in short for the others.
    fn open_failed(&mut self, info: &RunInfo, id: ConnId, error: &ConnectError) {
        if self.connections.get(&id).is_some_and(|shown| shown.opened) {
            return;
        }
        if let Some(status) = info.demands.endings.expected_status(error) {
            if self.shown.insert((id.target, error.kind)) {
                self.happen(&format!("{}refused with HTTP {status}, as expected", prefix(info, id)));
            }
            return;
        }
        let which = if is_single(info) { String::new() } else { format!(" (connection #{})", id.index) };
        let paint = Styler { color: self.options.stderr_color };
        let text = match (self.shown.insert((id.target, error.kind)), self.another_of_many(info, 1)) {
            (true, _) => human::failed_opening(paint, error),
            (false, None) => human::complaint(paint, &format!("{error}{which}"), None),
            (false, Some(true)) => format!("{NO_MORE_STATUS_CHANGES}\n"),
            (false, Some(false)) => return,
        };
        self.converse(&text);
    }

    /// A line of the result as it happens; none when only the summary is wanted.
    fn happen(&mut self, line: &str) {
        if !self.options.quiet {
            self.lines.stdout += line;
            self.lines.stdout.push('\n');
        }
    }

    fn converse(&mut self, text: &str) {
        self.lines.stderr += text;
    }
}

impl ShownConnection {
    /// Notes that it opened; the introduction is for the first time only.
    fn open(&mut self, introduction: Option<String>) -> Option<String> {
        if std::mem::replace(&mut self.opened, true) { None } else { introduction }
    }

    /// The line for what a peer sent: each of its habits is shown once, strays a few times.
    fn server_traffic(&mut self, traffic: PeerTraffic, single: bool, paint: Styler) -> Option<String> {
        match traffic {
            PeerTraffic::Message => None,
            PeerTraffic::Stray(kind, stray) => {
                self.another_stray(single).then(|| event_lines::stray(paint, kind, stray))
            }
            PeerTraffic::ServerPing { kind, answered } => {
                (single && self.server_pings.insert(kind)).then(|| event_lines::server_ping(kind, answered))
            }
            PeerTraffic::Echo => (single && !std::mem::replace(&mut self.echo, true)).then(event_lines::echo),
        }
    }

    fn another_stray(&mut self, single: bool) -> bool {
        self.strays = self.strays.saturating_add(1);
        single && self.strays <= MAX_SHOWN_STRAYS
    }

    /// Whether a change is worth a line: not that all is well at first, nor the same a second time (one kind's
    /// status and the connection's change together).
    fn status_changes(&mut self, info: &RunInfo, change: &StatusChange) -> bool {
        let all_well = change.to == Status::Healthy && !self.troubled;
        let shown = self.status == Some(change.to) && (change.kind.is_none() || info.kinds.len() == 1);
        self.troubled |= change.to != Status::Healthy;
        self.status = Some(change.to);
        !all_well && !shown
    }
}

/// Of many connections, a change between answering and not answering is shown; how fast each answers is for
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
    let address = connection::peer_address(opened).map(|address| format!(" ({address})")).unwrap_or_default();
    let (plan, phases) = (event_lines::plan(info), connection::phases(&opened.phases));
    format!("wscheck {command} {url}{address}: {plan}\nopened in {phases}")
}
