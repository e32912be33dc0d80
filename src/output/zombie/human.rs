//! What became of dead clients, for people: the diagnosis first, then the evidence.

use comfy_table::{ContentArrangement, LineStyle, Table, presets};

use super::HumanOptions;
use super::findings;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::format::{self, counted};
use crate::domain::zombie::report::{ZombieEvent, ZombieInfo, ZombieProgress, ZombieReport};
use crate::domain::zombie::{Behaviour, ClientEnd, ClientRecord, ZombieFinding};
use crate::output::human::{self, LabelledRows, Styler, failed_opening, peer_address, phases};

/// What is shown while it runs, on stderr.
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
        "wscheck probe-zombie {}: five clients with different failures and one healthy control, for at most {}\n",
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
    let found = &report.findings;
    let so_far = if report.partial { " (interrupted: so far)" } else { "" };
    rows.add("answer", &format!("{}{so_far}", answer(found.conclusion().as_ref(), paint)));
    let mut row = |label: &str, finding: Option<ZombieFinding>| {
        rows.add_some(label, finding.as_ref().map(|finding| without_subject(&findings::line(finding))));
    };
    row("policy", found.policy_finding());
    row("at worst", found.longest_detection());
    row("timer", found.timer_besides());
    row("skips", found.skips_active());
    row("app traffic", found.app_traffic());
    let mut label = "consistent";
    for library in &found.consistent_with {
        let line = findings::line(&ZombieFinding::ConsistentWithLibrary(*library));
        rows.add(std::mem::take(&mut label), line.trim_start_matches("consistent "));
    }
}

/// A sentence for a row whose label says what it is about.
fn without_subject(line: &str) -> String {
    let subjects = ["the server sends ", "the policy is ", "app traffic is "];
    subjects.iter().find_map(|subject| line.strip_prefix(subject)).unwrap_or(line).to_string()
}

/// The conclusion and what to do, the claim in bold.
fn answer(conclusion: Option<&ZombieFinding>, paint: Styler) -> String {
    let Some(conclusion) = conclusion else { return paint.strong("inconclusive") };
    let (claim, line) =
        (findings::headline(conclusion).map_or("", |(claim, _)| claim), findings::line(conclusion));
    let rest = line.strip_prefix(claim).unwrap_or_default();
    match conclusion {
        ZombieFinding::ZombiesKept { .. } => format!("{}{rest}", paint.bad(claim)),
        _ => format!("{}{rest}", paint.strong(claim)),
    }
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
        let proxy = peer_address(opened).map(|proxy| format!(", {proxy}")).unwrap_or_default();
        rows.add("opened in", &format!("{}{proxy}", phases(&opened.phases)));
        human::facts(rows, opened);
    }
    let clients = report.findings.clients.iter().filter(|client| client.was_open()).count() as u64;
    rows.add("run", &format!("{}, {}", counted(clients, "connection"), format::duration(report.elapsed)));
    human::preset(rows, report.info.preset.as_ref());
    human::conclusion(rows, &super::view::view(report), paint);
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
