//! Where the events of a run go.

/// Takes the events of a run as they happen: the terminal shows them, a test records them.
pub trait Reporter<E> {
    fn report(&mut self, event: &E);
}
