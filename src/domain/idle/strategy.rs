//! Between the search and its strategies: what a strategy sees, and the actions it plans.

use std::time::Duration;

use super::evidence::SearchEvidence;
use super::plan::SearchPlan;
use super::probe::{ProbeId, ProbeRole};

/// A connection that is open or opening.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct KnownProbe {
    pub id: ProbeId,
    pub role: ProbeRole,
    pub opened: Option<Duration>,
    /// When its silence began.
    pub since: Option<Duration>,
    pub ask_at: Option<Duration>,
    /// The idle span at which it was asked, and when that was.
    pub asked: Option<(Duration, Duration)>,
    /// How many messages the server sent by itself.
    pub server_messages: u32,
    /// The longest silence that a message of the server ended.
    pub gap: Duration,
}

impl KnownProbe {
    pub fn new(id: ProbeId, role: ProbeRole, ask_at: Option<Duration>) -> KnownProbe {
        KnownProbe {
            id,
            role,
            opened: None,
            since: None,
            ask_at,
            asked: None,
            server_messages: 0,
            gap: Duration::ZERO,
        }
    }

    pub fn idle(&self, now: Duration) -> Duration {
        self.since.map_or(Duration::ZERO, |since| now.saturating_sub(since))
    }
}

/// What a strategy decides on.
pub(super) struct SearchState<'a> {
    pub now: Duration,
    pub plan: &'a SearchPlan,
    pub evidence: &'a SearchEvidence,
    /// Watchers and trials that are not over.
    pub probes: &'a [KnownProbe],
    /// The connection that checks the path; a strategy must not use it.
    pub path_check: Option<ProbeId>,
    /// How many more connections may be opened.
    pub free: usize,
    /// The usual maximum time to an answer.
    pub answer: Duration,
    /// How many deaths an upper end needs.
    pub need: usize,
    /// How narrow the bracket must become.
    pub precision: Duration,
}

impl SearchState<'_> {
    /// Trials that are silent or still opening.
    pub fn waiting_trials(&self) -> impl Iterator<Item = &KnownProbe> {
        self.silent(ProbeRole::Trial)
    }

    /// Connections of a role that were not asked yet.
    pub fn silent(&self, role: ProbeRole) -> impl Iterator<Item = &KnownProbe> {
        let free = |probe: &KnownProbe| probe.asked.is_none() && Some(probe.id) != self.path_check;
        self.probes.iter().filter(move |probe| probe.role == role && free(probe))
    }

    /// The longest span that survived.
    pub fn longest(&self) -> Duration {
        self.evidence.longest().unwrap_or_default()
    }

    /// Spans that were asked and are not decided, each with the moment of the question.
    pub fn asked(&self) -> impl Iterator<Item = (Duration, Duration)> {
        self.probes.iter().filter_map(|probe| probe.asked)
    }

    /// Spans that seem dead: the answer is overdue, or the control has not answered since.
    pub fn suspected_deaths(&self) -> impl Iterator<Item = Duration> {
        let overdue = self.asked().filter(|(_, at)| self.now >= *at + self.answer).map(|(span, _)| span);
        overdue.chain(self.evidence.unconfirmed_deaths())
    }
}

/// What a strategy wants done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum SearchAction {
    /// Open a new trial.
    Open {
        ask_at: Option<Duration>,
    },
    Ask {
        probe: ProbeId,
        at: Duration,
    },
    Cancel {
        probe: ProbeId,
    },
}

/// The planned actions, and when the strategy must run again at the latest.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SearchActions {
    pub list: Vec<SearchAction>,
    pub wake: Option<Duration>,
}

impl SearchActions {
    /// Plans a question, unless the same one is ordered already.
    pub fn ask(&mut self, probe: &KnownProbe, at: Duration) {
        let close = Duration::from_millis(1);
        if probe.ask_at.is_none_or(|before| before.abs_diff(at) > close) {
            self.list.push(SearchAction::Ask { probe: probe.id, at });
        }
    }

    pub fn cancel(&mut self, probe: &KnownProbe) {
        self.list.push(SearchAction::Cancel { probe: probe.id });
    }

    pub fn open(&mut self, count: usize, ask_at: Option<Duration>) {
        self.list.extend((0..count).map(|_| SearchAction::Open { ask_at }));
    }

    /// The strategy must run again when the next answer is overdue.
    pub fn wake_for_answers(&mut self, s: &SearchState) {
        self.wake = s.asked().map(|(_, at)| at + s.answer).filter(|at| *at > s.now).min();
    }
}
