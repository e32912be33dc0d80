//! Heartbeats that servers send as messages and that are known by themselves.

/// A heartbeat that is known without a preset. The texts are patterns and templates, as the command line takes them, but read in
/// kind: letter case does not matter, and the answer to an object is the same object with another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownPing {
    /// Its name in reports, unique.
    pub name: &'static str,
    /// What it looks like: an object with texts or `{seq}` for a number in some of its fields, or a literal text.
    pub looks: &'static str,
    /// What a healthy client answers; `None`: nothing.
    pub reply: Option<&'static str>,
    /// It only counts after a message that looks like this: by itself it may mean anything.
    pub after: Option<&'static str>,
}

/// A heartbeat that wants this answer.
pub(super) const fn answered(name: &'static str, looks: &'static str, reply: &'static str) -> KnownPing {
    KnownPing { name, looks, reply: Some(reply), after: None }
}

/// A heartbeat that wants no answer.
pub(super) const fn one_way(name: &'static str, looks: &'static str) -> KnownPing {
    KnownPing { name, looks, reply: None, after: None }
}
