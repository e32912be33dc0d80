//! Where the events of a run go.

/// Takes the events of a run as they happen: the terminal shows them, a test records them. A function can be one.
pub trait Reporter<E> {
    fn report(&mut self, event: &E);
}

impl<E, F: FnMut(&E)> Reporter<E> for F {
    fn report(&mut self, event: &E) {
        self(event);
    }
}
