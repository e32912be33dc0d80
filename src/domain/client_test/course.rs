//! How far a test of a client has come, so that it ends when nothing more is to be learned.

/// What happened on a connection of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CourseEvent {
    Opened,
    /// A fault ended the connection or made the server silent.
    FaultActed,
    /// The client answered a ping.
    Answered,
}

/// How far a test of one client has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TestCourse {
    /// The fault acts on an open connection; else on its opening.
    acts_when_open: bool,
    /// The connection on which the fault acted.
    faulty: Option<u64>,
    /// The connection with which the client came back.
    back: Option<u64>,
    is_over: bool,
}

impl TestCourse {
    pub fn new(acts_when_open: bool) -> TestCourse {
        TestCourse { acts_when_open, ..TestCourse::default() }
    }

    /// Records an event of the connection of this number.
    pub fn record(&mut self, id: u64, event: CourseEvent) {
        match event {
            CourseEvent::FaultActed => self.faulty = self.faulty.or(Some(id)),
            CourseEvent::Opened if self.faulty.is_some() => self.back = self.back.or(Some(id)),
            CourseEvent::Opened => {}
            CourseEvent::Answered => self.is_over |= !self.acts_when_open || self.back == Some(id),
        }
    }

    /// Whether the client works again: it came back after the fault and answered a ping on the new connection. Where the
    /// fault is in the opening: it answered a ping.
    pub fn is_over(&self) -> bool {
        self.is_over
    }
}

#[cfg(test)]
mod tests {
    use super::CourseEvent::{Answered, FaultActed, Opened};
    use super::*;

    fn is_over(acts_when_open: bool, events: &[(u64, CourseEvent)]) -> bool {
        let mut course = TestCourse::new(acts_when_open);
        events.iter().for_each(|(id, event)| course.record(*id, *event));
        course.is_over()
    }

    #[test]
    fn client_that_answers_on_a_new_connection_has_shown_all() {
        assert!(is_over(true, &[(1, Opened), (1, Answered), (1, FaultActed), (2, Opened), (2, Answered)]));
        assert!(!is_over(true, &[(1, Opened), (1, Answered), (1, FaultActed), (2, Opened)]));
    }

    #[test]
    fn parallel_connection_is_not_a_return() {
        let parallel = [(1, Opened), (2, Opened), (1, FaultActed), (2, Answered)];
        assert!(!is_over(true, &parallel));
    }

    #[test]
    fn slow_opening_is_over_with_the_first_answer() {
        assert!(!is_over(false, &[(1, Opened)]));
        assert!(is_over(false, &[(1, Opened), (1, Answered)]));
    }
}
