//! What the findings of `ping` about HTTP/2 say.

use crate::domain::connection::close_cause::{CloseCause, CloseKindName};
use crate::domain::format::counted;
use crate::domain::label::Label;
use crate::domain::ping::finding::{SharedEnd, SilentWebsockets, StreamLimit};
use crate::output::view::Explanation;

/// So many ends, and one cause.
pub fn ended_together(SharedEnd { ended, carried, connections, ending }: &SharedEnd) -> Explanation {
    let of_connections = match *connections {
        1 => "the one HTTP/2 connection that carried them: that is one end".to_string(),
        several => format!("the {several} HTTP/2 connections that carried them: these are {several} ends"),
    };
    let how = CloseCause::describe(ending.who, &ending.how, ending.os_error.as_deref());
    Explanation::new(format!(
        "{ended} of {carried} WebSockets ended with {of_connections}, not {ended}; {how}"
    ))
    .remedy("look for what ended the connection; --streams-per-connection 1 gives each WebSocket its own, and shows whether they end together then, too")
    .with("ended", *ended)
    .with("carried", *carried)
    .with("connections", *connections)
    .with("how", CloseKindName::from(&ending.how).label())
}

/// More connections than were asked for.
pub fn streams_limited(limit: StreamLimit) -> Explanation {
    let StreamLimit { wanted, allowed, websockets, connections } = limit;
    let (streams, websockets_are) = (counted(u64::from(allowed), "stream"), counted(websockets, "WebSocket"));
    let used = match connections {
        Some(connections) => format!("{websockets_are} took {}", counted(connections, "HTTP/2 connection")),
        None => format!("{websockets_are} took more HTTP/2 connections"),
    };
    Explanation::new(format!(
        "the server allows {streams} at once on a connection (SETTINGS_MAX_CONCURRENT_STREAMS), fewer than the {wanted} of \
         --streams-per-connection: {used}"
    ))
    .remedy("raise the server's limit, if more WebSockets are to share a connection")
    .with("wanted", wanted)
    .with("allowed", allowed)
    .with("websockets", websockets)
    .with("connections", connections)
}

/// What ends HTTP/2 answers, and the WebSocket does not.
pub fn only_http2_answered(silent: SilentWebsockets) -> Explanation {
    let SilentWebsockets { websockets, missed, answered } = silent;
    let whose = match websockets {
        1 => "the WebSocket".to_string(),
        many => format!("{many} WebSockets"),
    };
    let silent = match answered {
        0 => format!("no heartbeat of {whose} was answered ({missed} missed)"),
        _ => format!(
            "the heartbeats of {whose} are not answered any more ({missed} missed, {answered} answered before)"
        ),
    };
    Explanation::new(format!(
        "what ends HTTP/2 acknowledges its PINGs, and {silent}: the fault is behind it, or in how it passes the stream on"
    ))
    .remedy("measure the server without the hop that ends HTTP/2, and over --http 1.1")
    .with("missed", missed)
    .with("answered", answered)
    .with("websockets", websockets)
}
