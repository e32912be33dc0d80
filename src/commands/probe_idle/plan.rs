//! What `wscheck probe-idle` will do.

use crate::domain::connection::target::Target;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::presets::PresetSelection;
use crate::domain::heartbeat::template::Template;
use crate::domain::idle::SearchPlan;
use crate::domain::idle::report::IdleInfo;
use crate::domain::run::expectation::Expectation;
use crate::net::client::idle_probe::{Question, TWO_ENDED, UnmatchedLog};
use crate::net::client::preamble::Preamble;
use crate::net::connect::dial::DialPlan;

/// What will be done. The search's bounds are checked when it begins; see [`SearchPlan::checked`].
#[derive(Clone)]
pub struct IdlePlan {
    pub target: Target,
    pub dial: DialPlan,
    /// Said and awaited on each connection before its silence begins.
    pub greeting: Preamble,
    /// `two_ended` in it: the server is asked to speak first after the silence, if it is one that does.
    pub search: SearchPlan,
    /// What app questions ask, and what answers them; also what `refresh` sends as a message.
    pub ask: Template,
    pub answer: Pattern,
    /// Why no message is sent by `refresh`, where none is to be.
    pub mute: Option<String>,
    /// Whose heartbeats they are, where a preset was asked for.
    pub preset: Option<PresetSelection>,
    /// Largest message accepted from the server, in bytes.
    pub max_message_size: usize,
    /// Try afterwards what keeps the path open.
    pub refresh: bool,
    /// Hold a connection afterwards at the prescribed interval.
    pub verify: bool,
    pub expectation: Option<Expectation>,
    /// What comes in answer to app questions without being an answer.
    pub unmatched: UnmatchedLog,
}

impl IdlePlan {
    pub(super) fn info(&self) -> IdleInfo {
        IdleInfo {
            url: self.target.to_string(),
            search: self.search.clone(),
            refresh: self.refresh,
            verify: self.verify,
            expectation: self.expectation.clone(),
            preset: self.preset.clone(),
        }
    }

    pub(super) fn question(&self, kind: HeartbeatKind) -> Question {
        let (ask, answer) = (self.ask.clone(), self.answer.clone());
        let convention = self.greeting.convention.clone();
        let (answers_server, unmatched) = (self.greeting.answer_pings, self.unmatched.clone());
        let timeout = self.search.answer_timeout;
        Question { kind, ask, answer, timeout, convention, answers_server, unmatched }
    }

    /// The plan of opening, with the two-ended mode offered before the user's own subprotocols.
    pub(super) fn with_offer(mut self) -> IdlePlan {
        if self.search.two_ended {
            self.dial.subprotocols.insert(0, TWO_ENDED.to_string());
        }
        self
    }
}
