//! What became of dead clients, for people: the diagnosis first, then the evidence.

use comfy_table::{ContentArrangement, LineStyle, Table, presets};

use super::HumanOptions;
use super::document::at_latest;
use crate::domain::connection::close_cause::{CloseCause, CloseKind};
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::format::{self, counted};
use crate::domain::listen::ServerEventKind;
use crate::domain::run::truth::Truth;
use crate::domain::zombie::report::{ZombieEvent, ZombieInfo, ZombieProgress, ZombieReport};
use crate::domain::zombie::{
    Behaviour, ClientEnd, ClientRecord, Goodbye, HeartbeatPolicy, IdlePolicy, Library, LibraryMatch,
    ReapingPolicy, ReapingRule, RequiredTraffic, ServerSchedule, TimerKind, TrafficEvidence, ZombieFindings,
    ZombieVerdict,
};
use crate::output::human::{self, LabelledRows, Styler, failed_opening, phases, way as route};

/// What is told while it runs, on stderr.
#[derive(Debug)]
pub struct ZombieLog {
    quiet: bool,
    paint: Styler,
}

impl ZombieLog {
    pub fn new(options: HumanOptions) -> ZombieLog {
        ZombieLog { quiet: options.quiet, paint: Styler { color: options.stderr_color } }
    }

    /// What people read of an event while the run goes on, newline included.
    pub fn lines(&mut self, event: &ZombieEvent) -> Option<String> {
        match event {
            ZombieEvent::Started { info, .. } => (!self.quiet).then(|| introduction(info)),
            ZombieEvent::Over { behaviour, end: end @ ClientEnd::Ended { ending, .. }, .. } => (!self.quiet)
                .then(|| format!("{:>9}  {}: {}\n", kept_for(end), name(*behaviour), how(ending))),
            ZombieEvent::Finished(report) => {
                never_opened(report).map(|error| failed_opening(self.paint, error))
            }
            ZombieEvent::Opened { .. }
            | ZombieEvent::OpenFailed { .. }
            | ZombieEvent::Received { .. }
            | ZombieEvent::Over { .. }
            | ZombieEvent::Progress(_) => None,
        }
    }
}

fn introduction(info: &ZombieInfo) -> String {
    format!(
        "wscheck probe-zombie {}: five clients fall silent and one control stays active; at most {}\n",
        info.url,
        format::duration(info.max)
    )
}

/// What the moving line says.
pub fn progress(progress: &ZombieProgress) -> String {
    let list = |behaviours: &[Behaviour]| {
        behaviours.iter().map(|behaviour| name(*behaviour)).collect::<Vec<_>>().join(", ")
    };
    let ended =
        progress.ended.iter().map(|(behaviour, end)| format!("{} after {}", name(*behaviour), kept_for(end)));
    let ended: Vec<String> = ended.collect();
    let ended = if ended.is_empty() {
        "no client closed yet".to_string()
    } else {
        format!("closed: {}", ended.join(", "))
    };
    let until = format::duration(progress.until);
    format!("done by {until} at the latest; {ended}; still open: {}", list(&progress.alive))
}

/// Why nothing was measured.
fn never_opened(report: &ZombieReport) -> Option<&ConnectError> {
    report.error.as_deref().filter(|_| report.opened.is_none())
}

/// The whole report; `None` when nothing opened, for why was notice already.
pub fn report(report: &ZombieReport, options: HumanOptions) -> Option<String> {
    if never_opened(report).is_some() {
        return None;
    }
    let paint = Styler { color: options.color };
    let mut rows = LabelledRows::new(paint, options.width);
    rows.add_raw(&format!("{}\n", paint.strong(&format!("--- {} ---", report.info.url))));
    diagnosis(&mut rows, report, paint);
    let table = table(&report.findings.clients, options.width);
    rows.add_raw(&format!("\n{table}\n"));
    closing(&mut rows, report, paint);
    Some(rows.into_text())
}

fn diagnosis(rows: &mut LabelledRows, report: &ZombieReport, paint: Styler) {
    let findings = &report.findings;
    let so_far = if report.partial { " (interrupted: so far)" } else { "" };
    rows.add("answer", &format!("{}{so_far}", headline(findings, paint)));
    rows.add_some("policy", policy(findings));
    rows.add_some("at worst", at_worst(findings));
    rows.add_some("timer", timer_besides(&findings.policy));
    rows.add_some("skips", skips(&findings.policy));
    let mut label = "consistent";
    for found in &findings.consistent_with {
        rows.add(std::mem::take(&mut label), &consistent_with(found));
    }
    rows.add_some("app traffic", app_traffic(findings));
    if let Some((expectation, truth)) = &report.expectation {
        let outcome = match truth {
            Truth::True(why) | Truth::TrueOfBounds(why) => format!("met; {why}"),
            Truth::False(_) => "not met".to_string(),
            Truth::Unknown(why) => format!("not known; {why}"),
        };
        rows.add("expected", &format!("{expectation}: {outcome}"));
    }
}

/// `with Python websockets: it closes with ...; its defaults are others: ...`
fn consistent_with(found: &LibraryMatch) -> String {
    let Library { name, goodbye, words, .. } = found.library;
    let goodbye = match goodbye {
        Goodbye::Unknown => String::new(),
        Goodbye::Frame(_) | Goodbye::Words(..) | Goodbye::Terminates => format!("; it {goodbye}"),
    };
    if found.is_default {
        format!("with {name}: {words}{goodbye}")
    } else {
        format!("with {name}{goodbye} with other settings than its defaults ({words})")
    }
}

fn headline(findings: &ZombieFindings, paint: Styler) -> String {
    let is_last = |client: &&ClientRecord| client.behaviour.is_dead() && client.ended() == findings.longest;
    let unseen = findings.clients.iter().filter(is_last).any(|client| at_latest(&client.end));
    let most = if unseen { "at most " } else { "" };
    let longest =
        findings.longest.map(|longest| format!("{most}{}", format::duration(longest))).unwrap_or_default();
    match findings.verdict {
        ZombieVerdict::ReapsDeadClients => {
            format!(
                "{}: it closed the last one after {longest}",
                paint.strong("the server closes dead clients")
            )
        }
        ZombieVerdict::ZombiesKept => {
            let kept: Vec<&ClientRecord> = findings
                .clients
                .iter()
                .filter(|client| client.behaviour.is_dead() && client.is_kept())
                .collect();
            let names: Vec<&str> = kept.iter().map(|client| name(client.behaviour)).collect();
            let span = kept
                .iter()
                .filter_map(|client| client.kept())
                .min()
                .map(format::duration)
                .unwrap_or_default();
            format!(
                "{}: {} still open after {span} (use a longer --max to see whether it closes them later)",
                paint.bad("the server keeps dead clients"),
                names.join(", ")
            )
        }
        ZombieVerdict::Inconclusive => paint.strong("inconclusive"),
    }
}

fn policy(findings: &ZombieFindings) -> Option<String> {
    Some(match &findings.policy {
        ReapingPolicy::Heartbeat(policy) => heartbeat(policy),
        ReapingPolicy::Idle(idle, Some(beats)) => {
            let (beat, timer, whose) = (beat(beats), timer(idle), whose(findings));
            format!("{beat}, but answers to it do not keep a client connected: {timer}{whose}")
        }
        ReapingPolicy::Idle(idle, None) => {
            format!("{}, but {}{}", no_heartbeat(findings), timer(idle), whose(findings))
        }
        ReapingPolicy::KeepsAll => {
            let waited = findings
                .client(Behaviour::Mute)
                .and_then(ClientRecord::kept)
                .map(format::duration)
                .unwrap_or_default();
            format!(
                "{} and no timer in {waited}: a client that vanishes stays connected for at least this long",
                no_heartbeat(findings)
            )
        }
        ReapingPolicy::Unknown if findings.verdict == ZombieVerdict::Inconclusive => return None,
        ReapingPolicy::Unknown => "not clear from the results below".to_string(),
    })
}

/// None that wants an answer was heard.
fn no_heartbeat(findings: &ZombieFindings) -> &'static str {
    let one_way = [ServerEventKind::Pong, ServerEventKind::KeepAlive];
    let one_way_only =
        findings.clients.iter().any(|client| one_way.iter().any(|s| client.listening.arrivals(*s).is_some()));
    if one_way_only { "no heartbeat that needs an answer" } else { "no heartbeat" }
}

/// Who ends a connection without a word of the WebSocket's may not know what that is.
fn whose(findings: &ZombieFindings) -> &'static str {
    let how = findings.client(Behaviour::Mute).and_then(ClientRecord::ending).map(|ending| &ending.how);
    match how {
        Some(CloseKind::Fin | CloseKind::Rst) => "; it is the server's, or that of a proxy in front of it",
        Some(_) | None => "",
    }
}

/// `a timer of about 61.2 s; the client's PingTracker start it afresh`
fn timer(IdlePolicy { after, edge, needs }: &IdlePolicy) -> String {
    let needs = match needs {
        RequiredTraffic::AnyFrame => "Pings of the client restart it",
        RequiredTraffic::OwnFrames => {
            "frames that the client sends by itself restart it, Pings too; answers do not"
        }
        RequiredTraffic::Messages => "only messages restart it, Pings do not",
    };
    let after = format::duration(*after);
    let length = match edge {
        TimerKind::Sharp => format!("about {after}"),
        TimerKind::Swept => {
            format!("at most {after} (all were closed at one moment: the server checks at intervals)")
        }
        TimerKind::Unknown => format!("at most {after}"),
    };
    format!("a timer of {length}; {needs}")
}

fn timer_besides(policy: &ReapingPolicy) -> Option<String> {
    match policy {
        ReapingPolicy::Heartbeat(HeartbeatPolicy { idle: Some(idle), .. }) => Some(format!(
            "also, for clients that only answer: {}",
            timer(idle).trim_start_matches("a timer of ")
        )),
        ReapingPolicy::Heartbeat(_)
        | ReapingPolicy::Idle(..)
        | ReapingPolicy::KeepsAll
        | ReapingPolicy::Unknown => None,
    }
}

/// The dead of a run were asked when their turn came, which may have been at once.
fn at_worst(findings: &ZombieFindings) -> Option<String> {
    let most = format::duration(findings.at_worst()?);
    Some(format!("a client that dies just after an answer stays connected for {most}"))
}

/// `a Ping frame every 30 s`
fn beat(beats: &ServerSchedule) -> String {
    let what = match beats.event_kind {
        ServerEventKind::AppPing => "an app ping",
        ServerEventKind::Ping
        | ServerEventKind::Pong
        | ServerEventKind::KeepAlive
        | ServerEventKind::Message => "a Ping frame",
    };
    let every = beats.interval.map_or_else(
        || " at an unknown interval".to_string(),
        |interval| format!(" every {}", format::duration(interval)),
    );
    format!("{what}{every}")
}

/// `a Ping frame every 30 s, gives up 10 s after an unanswered one`
fn heartbeat(policy: &HeartbeatPolicy) -> String {
    let end = match policy.reaping {
        ReapingRule::Never { waited } => {
            format!("and does nothing for {} when it stays unanswered", format::duration(waited))
        }
        ReapingRule::After { misses, timeout, .. } => {
            let next = if policy.is_when_next_is_due() { ", when the next was due" } else { "" };
            let ordinal = match misses {
                1 => "an unanswered one".to_string(),
                misses => format!("the last of {misses} unanswered ones"),
            };
            format!("gives up {} after {ordinal}{next}", format::duration(timeout))
        }
    };
    format!("{}, {end}", beat(&policy.beats))
}

fn skips(policy: &ReapingPolicy) -> Option<String> {
    match policy {
        ReapingPolicy::Heartbeat(HeartbeatPolicy { beats, .. }) | ReapingPolicy::Idle(_, Some(beats))
            if beats.skips_active == Some(true) =>
        {
            Some("active clients get none: the control received none".to_string())
        }
        ReapingPolicy::Heartbeat(_)
        | ReapingPolicy::Idle(..)
        | ReapingPolicy::KeepsAll
        | ReapingPolicy::Unknown => None,
    }
}

/// Whether a client that only answers, or only pings, is kept.
fn app_traffic(findings: &ZombieFindings) -> Option<String> {
    Some(match TrafficEvidence::of(findings)? {
        TrafficEvidence::NotNeeded { kept } => {
            format!(
                "not needed: clients that only answer or only ping stayed connected for {}",
                format::duration(kept)
            )
        }
        TrafficEvidence::Pings { quiet } => format!(
            "needed: a client that only answers was closed after {}; Pings were enough",
            format::duration(quiet)
        ),
        TrafficEvidence::Messages { quiet, pings } => format!(
            "needed, as messages: a client that only answers was closed after {}, one that only pings after {}",
            format::duration(quiet),
            format::duration(pings)
        ),
        TrafficEvidence::Answers { pings } => format!(
            "answers to app pings needed: a client that only sends Ping frames was closed after {}, one that only \
             answers was not",
            format::duration(pings)
        ),
    })
}

/// A row for each client.
fn table(clients: &[ClientRecord], width: Option<usize>) -> String {
    let mut table = Table::new();
    table.force_no_tty().set_header(["client", "kept for", "unanswered", "result"]);
    table.add_rows(clients.iter().map(cells));
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    table.load_style(presets::NOTHING.header_separator(LineStyle::none().fill('─')));
    let natural: usize = table.column_max_content_widths().iter().map(|width| usize::from(*width) + 2).sum();
    if let Some(width) = width.filter(|width| *width < natural) {
        let width = u16::try_from(width).unwrap_or(u16::MAX);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table.lines().map(|line| line.trim_end().to_string() + "\n").collect()
}

fn cells(client: &ClientRecord) -> [String; 4] {
    let outcome = match &client.end {
        ClientEnd::Unopened { why } => format!("not opened: {why}"),
        ClientEnd::Kept { .. } if client.last_ping_unanswered => {
            "still connected, but its last Ping was not answered".to_string()
        }
        ClientEnd::Kept { proven: true, .. } => "still there".to_string(),
        ClientEnd::Kept { proven: false, .. } => {
            "no end seen; the run ended before the peer answered the check".to_string()
        }
        ClientEnd::Lost { after } => {
            format!("lost: the peer no longer had this connection after {}", format::duration(*after))
        }
        ClientEnd::Ended { ending, at_latest: true, .. } => format!("{}; seen only then", how(ending)),
        ClientEnd::Ended { ending, .. } => how(ending),
    };
    let opened = client.was_open();
    let unanswered =
        client.unanswered().filter(|_| opened).map_or_else(|| "-".to_string(), |n| n.to_string());
    [name(client.behaviour).to_string(), kept_for(&client.end), unanswered, outcome]
}

/// `at most 61.2 s`
fn kept_for(end: &ClientEnd) -> String {
    match end {
        ClientEnd::Unopened { .. } => "-".to_string(),
        ClientEnd::Lost { .. } => "?".to_string(),
        ClientEnd::Kept { so_far, .. } => format::duration(*so_far),
        ClientEnd::Ended { after, at_latest: true, .. } => format!("at most {}", format::duration(*after)),
        ClientEnd::Ended { after, .. } => format::duration(*after),
    }
}

fn how(ending: &CloseCause) -> String {
    CloseCause::describe(ending.who, &ending.how, ending.os_error.as_deref())
}

fn closing(rows: &mut LabelledRows, report: &ZombieReport, paint: Styler) {
    if let Some(opened) = report.opened.as_deref() {
        let proxy = route(opened).map(|proxy| format!(", {proxy}")).unwrap_or_default();
        rows.add("opened in", &format!("{}{proxy}", phases(&opened.phases)));
        human::facts(rows, opened);
    }
    let clients = report.findings.clients.iter().filter(|client| client.was_open()).count() as u64;
    rows.add("run", &format!("{}, {}", counted(clients, "connection"), format::duration(report.elapsed)));
    human::preset(rows, report.info.preset.as_ref());
    human::verdict(rows, report.verdict, &report.reasons, paint);
}

fn name(behaviour: Behaviour) -> &'static str {
    match behaviour {
        Behaviour::Control => "control",
        Behaviour::Mute => "mute",
        Behaviour::Stalled => "stalled",
        Behaviour::HalfClosed => "half-closed",
        Behaviour::Quiet => "quiet",
        Behaviour::PingsOnly => "pings only",
    }
}
