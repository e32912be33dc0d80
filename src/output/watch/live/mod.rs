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
use super::log::WatchLog;
use crate::commands::watch::WatchEvent;
use crate::domain::ping::event::{ConnId, Event};
use crate::domain::ping::run_info::RunInfo;
use crate::domain::watch::group::Group;
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

/// A connection: the id of its group, and its place there.
type TargetKey = (u64, ConnId);

/// What the live view shows, and how.
pub struct LiveView {
    /// In the order in which they are shown.
    targets: BTreeMap<TargetKey, LiveTarget>,
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
    /// `connections`: of all groups together, at the start.
    pub fn new(options: HumanOptions, connections: usize, is_ascii: bool) -> LiveView {
        // Colour is that of the view.
        let plain =
            HumanOptions { color: false, stderr_color: false, quiet: false, verbose: false, ..options };
        LiveView {
            log: WatchLog::new(plain),
            targets: BTreeMap::new(),
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
        match event {
            WatchEvent::OfGroup { group, event: Event::Started { at, info } } => {
                self.start_group(group, *at, info);
            }
            WatchEvent::OfGroup { group, event: Event::Connection { id, at, event } } => {
                if let Some(target) = self.targets.get_mut(&(group.id, *id)) {
                    target.observe(*at, event);
                }
            }
            WatchEvent::Removed { group, .. } => self.remove_group(group.id),
            _ => {}
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

    fn start_group(&mut self, group: &Group, at: SystemTime, info: &Arc<RunInfo>) {
        self.started_at.get_or_insert(at);
        let connections = self.connections.max(self.targets.len() + 1);
        let most_beats = (MAX_BEATS / connections).clamp(MIN_BEATS_EACH, MAX_BEATS_EACH);
        for (target, url) in info.targets.iter().enumerate() {
            for index in 0..info.connections_each {
                let number = if info.connections_each > 1 { format!(" #{index}") } else { String::new() };
                let whole = match &group.name {
                    Some(name) if info.targets.len() == 1 => name.clone(),
                    _ => url.clone(),
                };
                let name = format!("{whole}{number}");
                let live = LiveTarget::new(name, url.clone(), Arc::clone(info), most_beats, at);
                self.targets.insert((group.id, ConnId { target, index }), live);
            }
        }
    }

    fn remove_group(&mut self, group: u64) {
        self.targets.retain(|(id, _), _| *id != group);
        self.selected = self.selected.min(self.targets.len().saturating_sub(1));
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
            LiveKey::Reset => self.targets.values_mut().for_each(LiveTarget::reset_figures),
            LiveKey::ZoomIn => self.span = self.span.saturating_sub(1),
            LiveKey::ZoomOut => self.span = (self.span + 1).min(SPANS.len() - 1),
            LiveKey::Details => self.has_details = !self.has_details,
            LiveKey::Help => self.has_help = !self.has_help,
            LiveKey::Back => self.has_help = false,
        }
    }

    fn selected(&self) -> Option<&LiveTarget> {
        self.targets.values().nth(self.selected)
    }

    fn span(&self) -> Duration {
        SPANS.get(self.span).copied().unwrap_or(SPANS[FIRST_SPAN])
    }
}
