//! Messages that came while app questions were open and are not answers, on all connections of a run.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::heartbeat::difference::Difference;
use crate::domain::heartbeat::inbound::MessageRef;
use crate::domain::heartbeat::unmatched::UnmatchedMessages;

/// The log; all connections of a run share it.
#[derive(Debug, Clone, Default)]
pub struct UnmatchedLog(Arc<Mutex<UnmatchedState>>);

#[derive(Debug, Default)]
struct UnmatchedState {
    unmatched: UnmatchedMessages,
    /// Some question was answered, so other messages are not failed answers.
    answered: bool,
}

impl UnmatchedLog {
    fn state(&self) -> MutexGuard<'_, UnmatchedState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that a question was answered.
    pub(super) fn answered(&self) {
        self.state().answered = true;
    }

    /// Records a message that is not an answer; `difference` computes how it differs from one.
    pub(super) fn compare(&self, message: MessageRef<'_>, difference: impl FnOnce() -> Option<Difference>) {
        let mut state = self.state();
        if !state.answered
            && state.unmatched.is_curious()
            && let Some(difference) = difference()
        {
            state.unmatched.compare(message, difference);
        }
    }

    /// The message closest to an answer and its difference; `None` if any question was answered.
    pub fn describe(&self) -> Option<String> {
        let state = self.state();
        state.unmatched.nearest().filter(|_| !state.answered).map(|nearest| nearest.describe())
    }
}
