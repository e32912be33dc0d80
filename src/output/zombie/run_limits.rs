//! What the findings say that limit or void a whole run.

use std::time::Duration;

use super::client_names::{labels, names};
use super::log::name;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::format;
use crate::domain::label::Label;
use crate::domain::zombie::{Behaviour, ControlEndExplanation};
use crate::output::flow_control;
use crate::output::json::JsonEndingDocument;
use crate::output::view::Explanation;

/// The most characters of a message that a sentence shows.
const MAX_SHOWN_CHARS: usize = 60;

pub fn unknown_messages(sample: &UntrustedText) -> Explanation {
    let first = shortened(sample.as_str());
    Explanation::new(format!("the server sent messages that are no known heartbeats, the first \"{first}\""))
        .remedy("if they are heartbeats, describe them (--app-ping): the policy may then differ")
        .with("payload", sample.to_string())
}

pub fn relays_messages() -> Explanation {
    Explanation::new(
        "the server relays one client's messages to the others, and they look like its own heartbeats: it is unknown \
         what it sends by itself",
    )
    .remedy("send messages with an {id} (--say)")
}

pub fn stalled(span: Duration) -> Explanation {
    Explanation::new(format!(
        "this host was stalled for {}: no client answered, and data was read late",
        format::duration(span)
    ))
    .with_duration("stalled", span)
}

pub fn held_back(client: Behaviour, window: ExhaustedWindow) -> Explanation {
    let name = name(client);
    Explanation::new(format!(
        "what the {name} client sent did not leave, because the peer's flow control granted no room for it ({}): to the server it was \
         no healthy client, so no closed client proves anything",
        window.sentence()
    ))
    .remedy(flow_control::REMEDY)
    .with("client", client.label())
    .with("window", window.label())
}

pub fn interrupted(after: Duration, planned: Duration) -> Explanation {
    let (done, of) = (format::duration(after), format::duration(planned));
    Explanation::new(format!("interrupted after {done} of at most {of}"))
        .with_duration("after", after)
        .with_duration("planned", planned)
}

fn shortened(text: &str) -> String {
    let shown: String = text.chars().take(MAX_SHOWN_CHARS).collect();
    if text.chars().count() > MAX_SHOWN_CHARS { format!("{shown}…") } else { shown }
}

pub fn kept_at_interrupt(clients: &[Behaviour], proven: bool) -> Explanation {
    let names = names(clients);
    Explanation::new(if proven {
        format!("interrupted while the server still kept {names}")
    } else {
        format!("interrupted before it was known whether the server still kept {names}")
    })
    .with("clients", labels(clients))
}

pub fn waited_too_short(
    client: Behaviour,
    kept: Duration,
    needed: Duration,
    interval_known: bool,
) -> Explanation {
    let at_least = format::duration(Duration::from_secs(needed.as_secs() + 1));
    let more = if interval_known { "" } else { "; more if the server's interval is longer" };
    let (name, observed) = (client.name(), format::duration(kept));
    Explanation::new(format!(
        "the {name} client was observed for only {observed}, which is too short to know whether the server closes it"
    ))
    .remedy(format!("use a longer --max (at least {at_least}{more})"))
    .with_duration("kept", kept)
    .with_duration("needed", needed)
}

pub fn control_not_opened(why: &str) -> Explanation {
    Explanation::new(format!("the control, a healthy client, could not be opened: {why}"))
}

pub fn control_unconfirmed() -> Explanation {
    Explanation::new(
        "interrupted before the control, a healthy client, was answered again, so the server may have hung before it \
         closed the others",
    )
}

pub fn server_paused(unanswered: Duration) -> Explanation {
    Explanation::new(format!(
        "the server did not answer the control for {}, so it is unknown what it would have done",
        format::duration(unanswered)
    ))
    .with_duration("unanswered", unanswered)
}

/// The control asks all the time; it got no answer for `silent`, or never if that is zero.
pub fn control_unanswered(after: Duration, silent: Duration) -> Explanation {
    let when = match after.checked_sub(silent).filter(|_| !silent.is_zero()) {
        Some(last) => {
            let (last, silent) = (format::duration(last), format::duration(silent));
            format!("last answered after {last}, then not for {silent}")
        }
        None => format!("never answered in {}", format::duration(after)),
    };
    Explanation::new(format!(
        "the control, a healthy client, was {when}: the server hangs, or the path is dead, so no closed client proves \
         anything"
    ))
    .with_duration("after", after)
}

pub fn control_not_outlived(control: Duration, quiet: Option<Duration>) -> Explanation {
    let age = format::duration(control);
    let message = match quiet {
        Some(quiet) => format!(
            "the quiet client was closed after {}, and the control lived no longer: perhaps a maximum age of all \
             connections",
            format::duration(quiet)
        ),
        None => format!(
            "the control lived only {age}, no longer than the closed clients: perhaps a maximum age of all connections"
        ),
    };
    Explanation::new(message).with_duration("control", control)
}

pub fn control_ended(
    after: Duration,
    ending: &CloseCause,
    explanation: &ControlEndExplanation,
) -> Explanation {
    let age = format::duration(after);
    let message = match explanation {
        ControlEndExplanation::OurLimit => {
            format!("the control, a healthy client, ended after {age} at a limit of wscheck: {ending}")
        }
        other => {
            let cause = control_cause(other);
            format!(
                "the control, a healthy client, ended after {age} ({ending}), so no closed client proves anything; {cause}"
            )
        }
    };
    Explanation::new(message)
        .with_duration("after", after)
        .with("ending", serde_json::to_value(JsonEndingDocument::from(ending)).unwrap_or_default())
}

fn control_cause(explanation: &ControlEndExplanation) -> String {
    let cause = match explanation {
        ControlEndExplanation::SameAge { except } => return same_age(except),
        ControlEndExplanation::OurLimit => "raise the limit",
        ControlEndExplanation::InvalidTraffic => {
            "the server sends invalid WebSocket traffic, whatever a client does"
        }
        ControlEndExplanation::StatedReason => {
            "all connections that read ended at about that age, and the close frame says why"
        }
        ControlEndExplanation::AllAtOnce => {
            "so did all clients that read: an outage, or the server rejects their first message (choose another: --say)"
        }
        ControlEndExplanation::AloneAtOnce => {
            "perhaps the server accepts only one connection per client, or rejects the control's messages (choose \
             another: --say)"
        }
        ControlEndExplanation::ShortlyAfterOthers => {
            "the others had ended shortly before: perhaps a maximum age of all connections"
        }
        ControlEndExplanation::Unexplained => {
            "if the server does not understand the control's messages, choose one that it does (--say)"
        }
    };
    cause.to_string()
}

fn same_age(except: &[Behaviour]) -> String {
    let names: Vec<String> = except.iter().map(|client| client.name()).collect();
    let except = if names.is_empty() { String::new() } else { format!(" except {}", format::list(&names)) };
    format!(
        "all clients{except} ended at about that age: a lifetime limit, an outage, a missing login (--send), or \
         unrecognised heartbeats (--app-ping)"
    )
}
