//! What people read while it goes on: a line with the time for each change.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::is_ordinary;
use crate::commands::watch::WatchEvent;
use crate::domain::format;
use crate::domain::label::Label;
use crate::domain::ping::event::{ConnEvent, ConnId, Event};
use crate::domain::watch::group::Group;
use crate::domain::watch::hook_result::HookResult;
use crate::domain::watch::report::WatchReport;
use crate::output::human::{HumanOptions, Styler};
use crate::output::ping::PingLog;
use crate::output::presenter::Lines;

/// The lines of a watch.
pub struct WatchLog {
    options: HumanOptions,
    /// Of each group, by its id.
    logs: BTreeMap<u64, PingLog>,
    /// Why each connection did not open when it was last tried, as it was shown.
    failures: HashMap<(u64, ConnId), String>,
    /// The day of the last line.
    day: Option<Date>,
}

impl WatchLog {
    pub fn new(options: HumanOptions) -> WatchLog {
        WatchLog { options, logs: BTreeMap::new(), failures: HashMap::new(), day: None }
    }

    /// What people read of an event.
    pub fn lines(&mut self, event: &WatchEvent) -> Lines {
        match event {
            WatchEvent::OfGroup { group, event } => self.of_group(group, event),
            WatchEvent::Removed { group, .. } => {
                self.logs.remove(&group.id);
                self.failures.retain(|(id, _), _| *id != group.id);
                Lines::default()
            }
            WatchEvent::Reloaded(change) if !self.options.quiet => {
                self.timed(change.at, &change.to_string(), "")
            }
            WatchEvent::NotReloaded { at, why } => self.not_reloaded(*at, why),
            WatchEvent::Host { at, event } if !self.options.quiet => {
                self.timed(*at, &format!("this host: {event}\n"), "")
            }
            WatchEvent::Hook { at, result } => self.hook(*at, result),
            WatchEvent::HookSkipped { at, count } => Lines::to_stderr(Some(format!(
                "{} --on-change: not run for the last {}: the run ended first\n",
                clock(*at).1,
                format::counted(*count, "change")
            ))),
            WatchEvent::NetworkNotWatched { why } => {
                Lines::to_stderr(Some(format!("changes of this host's network are not noticed: {why}\n")))
            }
            WatchEvent::Host { .. }
            | WatchEvent::Reloaded(_)
            | WatchEvent::Interim(_)
            | WatchEvent::Finished(_) => Lines::default(),
        }
    }

    /// A command that did what it should is of no interest.
    fn hook(&mut self, at: SystemTime, result: &HookResult) -> Lines {
        let paint = Styler { color: self.options.stderr_color };
        if result.is_success() && !self.options.verbose {
            return Lines::default();
        }
        let time = clock(at).1;
        Lines::to_stderr(Some(format!("{time} --on-change: {}\n", paint.caution(&result.to_string()))))
    }

    fn not_reloaded(&self, at: SystemTime, why: &str) -> Lines {
        let paint = Styler { color: self.options.stderr_color };
        let text = format!("the configuration was not reloaded, and the old one stays in force: {why}");
        Lines::to_stderr(Some(format!("{} {}\n", clock(at).1, paint.caution(&text))))
    }

    fn of_group(&mut self, group: &Group, event: &Event) -> Lines {
        let at = match event {
            Event::Started { at, .. } => *at,
            Event::Connection { id, at, event } => {
                if self.is_said(group.id, *id, event) {
                    return Lines::default();
                }
                *at
            }
            Event::StatusCounts(_) | Event::Interim(_) | Event::Finished(_) => return Lines::default(),
        };
        let options = self.options;
        let log = self.logs.entry(group.id).or_insert_with(|| PingLog::of_watch(options));
        let lines = log.lines(event);
        let name = group.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        let time = clock(at).1;
        let stderr = lines.stderr.lines().map(|line| format!("{time} {name}{line}\n")).collect();
        Lines { stderr, ..self.timed(at, &lines.stdout, &name) }
    }

    /// Whether nothing changed: an ordinary event, or an attempt that failed as the one before.
    fn is_said(&mut self, group: u64, id: ConnId, event: &ConnEvent) -> bool {
        let key = (group, id);
        match event {
            ConnEvent::Opened(_) => {
                self.failures.remove(&key);
                false
            }
            ConnEvent::OpenFailed(error) => {
                let failure = error.to_string();
                self.failures.insert(key, failure.clone()) == Some(failure)
            }
            ConnEvent::Retry { .. } => self.failures.contains_key(&key),
            event => is_ordinary(event) && !self.options.verbose,
        }
    }

    /// Each line with the time, and the day where it is a new one.
    fn timed(&mut self, at: SystemTime, text: &str, name: &str) -> Lines {
        let (day, time) = clock(at);
        let mut stdout = String::new();
        for line in text.lines() {
            if self.day != Some(day) {
                self.day = Some(day);
                stdout += &format!("{day} (UTC)\n");
            }
            stdout += &format!("{time} {name}{line}\n");
        }
        Lines { stdout, ..Lines::default() }
    }
}

/// The day and the time, in UTC.
fn clock(at: SystemTime) -> (Date, String) {
    let at = Timestamp::try_from(at).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC);
    (at.date(), at.strftime("%H:%M:%S").to_string())
}

/// `watching for 3 h: chat healthy, feed dead`
pub fn interim_line(report: &WatchReport) -> String {
    let of = |group: &crate::domain::watch::report::GroupReport| {
        let name = group.name.clone().unwrap_or_else(|| match group.report.targets.as_slice() {
            [only] => only.url.clone(),
            several => format::counted(several.len() as u64, "target"),
        });
        format!("{name} {}", group.report.last_status.label())
    };
    let groups: Vec<String> = report.groups.iter().map(of).collect();
    format!("watching for {}: {}\n", format::duration(report.elapsed), groups.join(", "))
}
