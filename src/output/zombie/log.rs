//! What people read while `probe-zombie` runs.

use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::format;
use crate::domain::zombie::report::{ZombieEvent, ZombieInfo, ZombieProgress, ZombieReport};
use crate::domain::zombie::{Behaviour, ClientEnd};
use crate::output::human::{HumanOptions, Styler, failed_opening};

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
            ZombieEvent::Over { behaviour, end: end @ ClientEnd::HeldBack { window, .. }, .. } => (!self
                .quiet)
                .then(|| format!("{:>9}  {}: {}\n", kept_for(end), name(*behaviour), held_back(*window))),
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
pub fn never_opened(report: &ZombieReport) -> Option<&ConnectError> {
    report.error.as_deref().filter(|_| report.opened.is_none())
}

/// `at most 61.2 s`
pub fn kept_for(end: &ClientEnd) -> String {
    match end {
        ClientEnd::Unopened { .. } => "-".to_string(),
        ClientEnd::Lost { .. } => "?".to_string(),
        ClientEnd::Kept { so_far, .. } => format::duration(*so_far),
        ClientEnd::HeldBack { after, .. } => format::duration(*after),
        ClientEnd::Ended { after, at_latest: true, .. } => format!("at most {}", format::duration(*after)),
        ClientEnd::Ended { after, .. } => format::duration(*after),
    }
}

/// Why a client shows nothing that could not send.
pub fn held_back(window: ExhaustedWindow) -> String {
    format!("could not send: {}", window.sentence())
}

pub fn how(ending: &CloseCause) -> String {
    CloseCause::describe(ending.who, &ending.how, ending.os_error.as_deref())
}

pub fn name(behaviour: Behaviour) -> &'static str {
    match behaviour {
        Behaviour::Control => "control",
        Behaviour::Mute => "mute",
        Behaviour::Stalled => "stalled",
        Behaviour::HalfClosed => "half-closed",
        Behaviour::Quiet => "quiet",
        Behaviour::PingsOnly => "pings only",
    }
}
