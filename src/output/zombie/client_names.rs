//! The names of several clients.

use crate::domain::label::Label;
use crate::domain::zombie::Behaviour;

/// `the mute, the stalled and the half-closed client`
pub fn names(clients: &[Behaviour]) -> String {
    let names: Vec<String> = clients.iter().map(|client| format!("the {}", client.name())).collect();
    match names.split_last() {
        None => "no client".to_string(),
        Some((last, [])) => format!("{last} client"),
        Some((last, others)) => format!("{} and {last} client", others.join(", ")),
    }
}

/// `mute, stalled, half-closed`
pub fn list(clients: &[Behaviour]) -> String {
    clients.iter().map(|client| client.name()).collect::<Vec<_>>().join(", ")
}

/// Their names in JSON.
pub fn labels(clients: &[Behaviour]) -> Vec<&'static str> {
    clients.iter().map(Label::label).collect()
}
