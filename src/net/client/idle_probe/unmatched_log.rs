//! What came on the connections of one run in answer to app questions without being an answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::heartbeat::difference::Difference;
use crate::domain::heartbeat::inbound::MessageRef;
use crate::domain::heartbeat::unmatched::UnmatchedMessages;

/// Shared by all connections of a run.
#[derive(Debug, Clone, Default)]
pub struct UnmatchedLog(Arc<Mutex<UnmatchedState>>);

#[derive(Debug, Default)]
struct UnmatchedState {
    unmatched: UnmatchedMessages,
    /// A question was answered: what else comes is the server's own.
    answered: bool,
}

impl UnmatchedLog {
    fn state(&self) -> MutexGuard<'_, UnmatchedState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A question was answered.
    pub(super) fn answered(&self) {
        self.state().answered = true;
    }

    /// A message came that is no answer; `difference` says how it differs from one.
    pub(super) fn compare(&self, message: MessageRef<'_>, difference: impl FnOnce() -> Option<Difference>) {
        let mut state = self.state();
        if !state.answered
            && state.unmatched.is_curious()
            && let Some(difference) = difference()
        {
            state.unmatched.compare(message, difference);
        }
    }

    /// The message that comes nearest to an answer, and how it differs, where no question was answered.
    pub fn words(&self) -> Option<String> {
        let state = self.state();
        state.unmatched.nearest().filter(|_| !state.answered).map(|nearest| nearest.words())
    }
}
