//! What the findings about the timer of the server's heartbeats say.

use super::interval_words::range;
use crate::domain::label::Label;
use crate::domain::listen::{Sender, TimerDoubt, TimerEvidence, TrafficEffect, TrafficEffects};
use crate::output::view::Explanation;

pub fn ignores_traffic(evidence: &TimerEvidence) -> Explanation {
    let seen = evidence.by_client.map(times).unwrap_or_default();
    let unseen = if evidence.by_server.is_none() { "; the server sent no message that might" } else { "" };
    let message = format!(
        "the timer runs by a fixed clock: client messages do not postpone the heartbeats ({seen}){unseen}"
    );
    with_effects(Explanation::new(message), evidence)
}

pub fn restarts_on_traffic(evidence: &TimerEvidence) -> Explanation {
    let by_server = evidence.by_server.filter(|server| server.effect == TrafficEffect::Postponed);
    let by_client = evidence.by_client.filter(|client| client.effect == TrafficEffect::Postponed);
    let said = match (evidence.gaps, by_server, by_client) {
        (Some(gaps), _, _) => {
            let restarts = "the timer restarts on traffic: everything that the server sends postpones the next heartbeat";
            let said = format!("{restarts}: they are {} apart{}", range(&gaps), client_too(evidence));
            Explanation::new(said)
        }
        (None, None, Some(client)) => Explanation::new(postpones("a client message", client)),
        (None, server, _) => {
            let server = server.map(|server| postpones("a server message", server)).unwrap_or_default();
            Explanation::new(format!("{server}{}", client_too(evidence)))
        }
    };
    let is_untested = evidence.by_client.is_none() && !evidence.talk && evidence.gaps.is_none();
    let said = if is_untested { said.remedy("use --talk to see whether client messages do") } else { said };
    with_effects(said, evidence)
}

fn postpones(whose: &str, effects: TrafficEffects) -> String {
    format!(
        "the timer restarts on traffic: {whose} postpones the next heartbeat to one interval later ({})",
        times(effects)
    )
}

/// What the client's messages do to a server that counts from its own.
fn client_too(evidence: &TimerEvidence) -> String {
    let Some(effects) = evidence.by_client else {
        let unknown = "; whether client messages do is unknown";
        return if evidence.talk && evidence.gaps.is_some() { unknown.to_string() } else { String::new() };
    };
    let did = match effects.effect {
        TrafficEffect::Unmoved => "client messages do not".to_string(),
        TrafficEffect::Postponed => "client messages postpone it too".to_string(),
        TrafficEffect::Skipped => {
            format!("it comes up to {:.2} intervals after a client message", effects.longest)
        }
        TrafficEffect::Mixed => "client messages had different effects".to_string(),
    };
    format!("; {did} ({})", times(effects))
}

pub fn skips_active_clients(evidence: &TimerEvidence) -> Explanation {
    let longest = evidence.by_client.map(|client| client.longest).unwrap_or_default();
    let seen = evidence.by_client.map(times).unwrap_or_default();
    let message = format!(
        "heartbeats are postponed for active clients: the next one comes up to {longest:.2} intervals after a client message \
         ({seen})"
    );
    with_effects(Explanation::new(message), evidence)
}

pub fn unknown(doubt: &TimerDoubt) -> Explanation {
    match doubt {
        TimerDoubt::InStep => Explanation::new(
            "it is unknown whether traffic postpones the heartbeats: each came equally long after a message of the server, which it may count from",
        ),
        TimerDoubt::Disagreeing { client, server } => Explanation::new(format!(
            "it is unknown what restarts the timer: a client message {}, and a server message {}",
            effect(*client),
            effect(*server)
        )),
        TimerDoubt::Unclear { sender, effects } => unclear(*sender, *effects),
        TimerDoubt::OnlyServer { effects, talk } => {
            let said = format!("server messages do not postpone the heartbeats ({})", times(*effects));
            let said = Explanation::new(said);
            if *talk { said } else { said.remedy("use --talk to see whether client messages do") }
        }
        TimerDoubt::Untested => Explanation::new("it is unknown whether traffic postpones the heartbeats")
            .remedy("use --talk to see"),
        TimerDoubt::NoInterval => Explanation::new(
            "it is unknown whether traffic postpones the heartbeats: no message was sent between them, because no interval was \
             known in time",
        ),
    }
}

fn unclear(sender: Sender, effects: TrafficEffects) -> Explanation {
    let whose = match sender {
        Sender::Client => "a client message",
        Sender::Server => "a server message",
    };
    let (times, longest) = (times(effects), effects.longest);
    Explanation::new(match effects.effect {
        TrafficEffect::Skipped => {
            format!(
                "it is unknown what restarts the timer: the next heartbeat comes up to {longest:.2} intervals after {whose} ({times})"
            )
        }
        TrafficEffect::Unmoved | TrafficEffect::Postponed => {
            let seen = effect(effects);
            format!("it is unknown what restarts the timer: {whose} {seen} ({times}), which may be chance")
        }
        TrafficEffect::Mixed => {
            format!(
                "it is unknown what restarts the timer: {whose} did not always have the same effect on the next heartbeat ({times})"
            )
        }
    })
}

fn effect(effects: TrafficEffects) -> &'static str {
    match effects.effect {
        TrafficEffect::Unmoved => "does not postpone the next heartbeat",
        TrafficEffect::Postponed => "postpones the next heartbeat by one interval",
        TrafficEffect::Skipped => "postpones the next heartbeat by more than one interval",
        TrafficEffect::Mixed => "does not always have the same effect",
    }
}

/// `6 of 7`
fn times(TrafficEffects { count, of, .. }: TrafficEffects) -> String {
    format!("{count} of {of}")
}

fn with_effects(said: Explanation, evidence: &TimerEvidence) -> Explanation {
    let name = |effects: Option<TrafficEffects>| effects.map(|effects| effects.effect.label());
    said.with("effect_of_client", name(evidence.by_client)).with("effect_of_server", name(evidence.by_server))
}
