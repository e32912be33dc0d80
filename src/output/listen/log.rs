//! What people read while `listen` runs.

use std::time::Duration;

use super::findings::{MAX_SHOWN_PAYLOAD, one, shorten};
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::format::{self, counted};
use crate::domain::listen::report::{
    ListenEvent, ListenInfo, ListenProgress, ListenReport, ServerEventNotice,
};
use crate::output::human::{HumanOptions, Styler, failed_opening};

/// The most heartbeats that are shown as they come.
const MAX_SHOWN_HEARTBEATS: u32 = 20;
/// With `--verbose`, of heartbeats and other messages together.
const MAX_SHOWN_VERBOSELY: u32 = 100;
/// Shorter intervals are shown as a rate.
const MIN_SHOWN_INTERVAL: Duration = Duration::from_millis(100);

/// What is shown while it runs, on stderr.
#[derive(Debug)]
pub struct ListenLog {
    quiet: bool,
    /// Other messages are shown, too.
    verbose: bool,
    paint: Styler,
    shown: u32,
}

impl ListenLog {
    pub fn new(options: HumanOptions) -> ListenLog {
        let paint = Styler { color: options.stderr_color };
        ListenLog { quiet: options.quiet, verbose: options.verbose, paint, shown: 0 }
    }

    /// What people read of an event while the run goes on, newline included.
    pub fn lines(&mut self, event: &ListenEvent) -> Option<String> {
        match event {
            ListenEvent::Started { info, .. } => (!self.quiet).then(|| introduction(info)),
            ListenEvent::Finished(report) => {
                never_opened(report).map(|error| failed_opening(self.paint, error))
            }
            ListenEvent::Received(notice) => self.notice(notice),
            ListenEvent::StimulusSent { age, .. } => (!self.quiet && self.shown < self.most_shown())
                .then(|| format!("{:>9}  client message sent\n", format::duration(*age))),
            ListenEvent::Opened { .. } | ListenEvent::Ended(_) | ListenEvent::Progress(_) => None,
        }
    }

    fn most_shown(&self) -> u32 {
        if self.verbose { MAX_SHOWN_VERBOSELY } else { MAX_SHOWN_HEARTBEATS }
    }

    fn notice(&mut self, notice: &ServerEventNotice) -> Option<String> {
        let is_wanted = self.verbose || notice.event_kind.is_heartbeat();
        if self.quiet || !is_wanted || self.shown > self.most_shown() {
            return None;
        }
        self.shown += 1;
        if self.shown > self.most_shown() {
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
pub fn never_opened(report: &ListenReport) -> Option<&ConnectError> {
    report.error.as_deref().filter(|_| report.opened.is_none())
}
