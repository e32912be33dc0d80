//! The live view on a terminal: what it knows, and how it follows the events and the keys. `screen` draws it.
//!
//! It reads no clock and no terminal: both are passed in.

mod chart;
mod screen;
mod target;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use self::screen::draw;
use self::target::LiveTarget;
use super::GroupNames;
use super::log::WatchLog;
use crate::commands::watch::WatchEvent;
use crate::domain::ping::event::{ConnId, Event};
use crate::domain::ping::run_info::RunInfo;
use crate::output::human::HumanOptions;

/// Lines of what happened that are kept.
const MAX_LINES: usize = 500;
/// Heartbeats that are kept of all connections together, and of each at most and at least.
const MAX_BEATS: usize = 200_000;
const MAX_BEATS_EACH: usize = 4000;
const MIN_BEATS_EACH: usize = 120;
/// The spans of time that the chart may show.
const SPANS: [Duration; 7] = [
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(2 * 60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(60 * 60),
    Duration::from_secs(4 * 60 * 60),
];
/// The one at the start.
const FIRST_SPAN: usize = 2;

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveKey {
    Up,
    Down,
    First,
    Last,
    Freeze,
    Reset,
    ZoomIn,
    ZoomOut,
    Details,
    Help,
    /// Leave the help.
    Back,
}

/// What the live view shows, and how.
pub struct LiveView {
    names: GroupNames,
    /// Of each group: its first connection in `targets`, and what it measures.
    groups: BTreeMap<usize, (usize, Arc<RunInfo>)>,
    targets: Vec<LiveTarget>,
    connections: usize,
    log: WatchLog,
    lines: VecDeque<String>,
    selected: usize,
    span: usize,
    has_details: bool,
    has_help: bool,
    /// The moment at which the view stands still, if it does.
    frozen_at: Option<SystemTime>,
    started_at: Option<SystemTime>,
    options: HumanOptions,
    is_ascii: bool,
}

impl LiveView {
    /// `connections`: of all groups together.
    pub fn new(options: HumanOptions, names: GroupNames, connections: usize, is_ascii: bool) -> LiveView {
        // Colour is that of the view.
        let plain =
            HumanOptions { color: false, stderr_color: false, quiet: false, verbose: false, ..options };
        LiveView {
            log: WatchLog::new(plain, names.clone()),
            names,
            groups: BTreeMap::new(),
            targets: Vec::new(),
            connections,
            lines: VecDeque::new(),
            selected: 0,
            span: FIRST_SPAN,
            has_details: false,
            has_help: false,
            frozen_at: None,
            started_at: None,
            options,
            is_ascii,
        }
    }

    /// Follows an event; a view that stands still follows, too.
    pub fn observe(&mut self, event: &WatchEvent) {
        if let WatchEvent::OfGroup { group, event } = event {
            match event {
                Event::Started { at, info } => self.start_group(*group, *at, info),
                Event::Connection { id, at, event } => {
                    if let Some(target) = self.target(*group, *id) {
                        target.observe(*at, event);
                    }
                }
                Event::StatusCounts(_) | Event::Interim(_) | Event::Finished(_) => {}
            }
        }
        let lines = self.log.lines(event);
        for line in lines.stdout.lines().chain(lines.stderr.lines()) {
            self.add_line(line.to_string());
        }
    }

    /// Adds a line to those of what happened.
    pub fn add_line(&mut self, line: String) {
        if self.lines.len() == MAX_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// Whether it stands still.
    pub fn is_frozen(&self) -> bool {
        self.frozen_at.is_some()
    }

    fn start_group(&mut self, group: usize, at: SystemTime, info: &Arc<RunInfo>) {
        self.started_at.get_or_insert(at);
        self.groups.insert(group, (self.targets.len(), Arc::clone(info)));
        let most_beats = (MAX_BEATS / self.connections.max(1)).clamp(MIN_BEATS_EACH, MAX_BEATS_EACH);
        let name = self.names.get(group).cloned().flatten();
        for url in &info.targets {
            for index in 0..info.connections_each {
                let number = if info.connections_each > 1 { format!(" #{index}") } else { String::new() };
                let whole = match &name {
                    Some(name) if info.targets.len() == 1 => name.clone(),
                    _ => url.clone(),
                };
                let name = format!("{whole}{number}");
                let target = LiveTarget::new(name, url.clone(), Arc::clone(info), most_beats, at);
                self.targets.push(target);
            }
        }
    }

    fn target(&mut self, group: usize, id: ConnId) -> Option<&mut LiveTarget> {
        let (first, info) = self.groups.get(&group)?;
        self.targets.get_mut(first + id.target * info.connections_each + id.index)
    }

    /// Obeys a key; `now` is the present moment.
    pub fn press(&mut self, key: LiveKey, now: SystemTime) {
        let last = self.targets.len().saturating_sub(1);
        match key {
            LiveKey::Up => self.selected = self.selected.saturating_sub(1),
            LiveKey::Down => self.selected = (self.selected + 1).min(last),
            LiveKey::First => self.selected = 0,
            LiveKey::Last => self.selected = last,
            LiveKey::Freeze if self.frozen_at.is_some() => self.frozen_at = None,
            LiveKey::Freeze => self.frozen_at = Some(now),
            LiveKey::Reset => self.targets.iter_mut().for_each(LiveTarget::reset_figures),
            LiveKey::ZoomIn => self.span = self.span.saturating_sub(1),
            LiveKey::ZoomOut => self.span = (self.span + 1).min(SPANS.len() - 1),
            LiveKey::Details => self.has_details = !self.has_details,
            LiveKey::Help => self.has_help = !self.has_help,
            LiveKey::Back => self.has_help = false,
        }
    }

    fn selected(&self) -> Option<&LiveTarget> {
        self.targets.get(self.selected)
    }

    fn span(&self) -> Duration {
        SPANS.get(self.span).copied().unwrap_or(SPANS[FIRST_SPAN])
    }
}
