//! Parameters of `wscheck probe-idle`.

use crate::commands::connect::ConnectPlan;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::template::Template;
use crate::domain::idle::SearchPlan;
use crate::domain::idle::report::IdleInfo;
use crate::domain::presets::PresetSelection;
use crate::domain::run::expectation::Expectation;
use crate::net::client::idle_probe::{Question, TWO_ENDED, UnmatchedLog};

/// Parameters of a run. The search's bounds are checked when it begins; see [`SearchPlan::checked`].
#[derive(Clone)]
pub struct IdlePlan {
    /// The server, and how connections to it are opened.
    pub connect: ConnectPlan,
    /// If its `two_ended` is set, the server is asked to send first after the idle span, if it supports that.
    pub search: SearchPlan,
    /// Request of app questions, and the pattern of its answer; `refresh` sends it as a message, too.
    pub ask: Template,
    pub answer: Pattern,
    /// Why `refresh` sends no messages, if it sends none.
    pub no_messages_because: Option<String>,
    /// The chosen preset, if any.
    pub preset: Option<PresetSelection>,
    /// Try keepalive methods afterwards.
    pub refresh: bool,
    /// Keep a connection at the recommended interval afterwards.
    pub verify: bool,
    pub expectation: Option<Expectation>,
    /// Messages that were expected to be answers and are not.
    pub unmatched: UnmatchedLog,
}

impl IdlePlan {
    pub(super) fn info(&self) -> IdleInfo {
        IdleInfo {
            url: self.connect.target.to_string(),
            search: self.search.clone(),
            refresh: self.refresh,
            verify: self.verify,
            expectation: self.expectation.clone(),
            preset: self.preset.clone(),
        }
    }

    pub(super) fn question(&self, kind: HeartbeatKind) -> Question {
        let (ask, answer) = (self.ask.clone(), self.answer.clone());
        let profile = self.connect.preamble.profile.clone();
        let (answers_server, unmatched) = (self.connect.preamble.answer_pings, self.unmatched.clone());
        let timeout = self.search.answer_timeout;
        Question { kind, ask, answer, timeout, profile, answers_server, unmatched }
    }

    /// The plan with the two-ended subprotocol offered before the user's own.
    pub(super) fn with_two_ended_offer(mut self) -> IdlePlan {
        if self.search.two_ended {
            self.connect.dial.subprotocols.insert(0, TWO_ENDED.to_string());
        }
        self
    }
}
