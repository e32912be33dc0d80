//! What a run comes to: events in, report out.
