//! What the findings of several commands say of GOAWAY (RFC 9113 section 6.8).

use crate::domain::connection::goaway::{GoawayNotice, GoawaySummary};
use crate::domain::connection::http2::Http2Code;
use crate::domain::format;
use crate::output::view::Explanation;

/// The peer announced that it ends connections of HTTP/2.
pub fn explain(summary: &GoawaySummary) -> Explanation {
    let GoawaySummary { first: GoawayNotice { goaway, age }, latest, notified, ended } = summary;
    let when = match (*notified, format::duration(*age), format::duration(*latest)) {
        (1, age, _) => format!("after {age} that it ends the HTTP/2 connection"),
        (several, first, last) if first == last => {
            format!("to {several} WebSockets, after {first}, that it ends their HTTP/2 connection")
        }
        (several, first, last) => {
            format!("to {several} WebSockets, after {first} to {last}, that it ends their HTTP/2 connection")
        }
    };
    let outcome = match (ended, *notified) {
        (None | Some(0), _) => String::new(),
        (Some(1), 1) => "; it ended the connection soon after".to_string(),
        (Some(ended), notified) => format!("; {ended} of {notified} ended with it"),
    };
    let cause = match goaway.code {
        Http2Code::NO_ERROR => {
            "usual causes are a restart, and a limit on the age or the requests of a connection"
        }
        _ => "the code states an error",
    };
    Explanation::new(format!(
        "the peer announced {when} ({goaway}): the server, or a proxy before it, accepts no \
         new streams on it, and those that run may go on{outcome}; {cause}"
    ))
    .remedy("let the client open a new connection when GOAWAY comes, and move the WebSocket to it before the old one ends")
    .with("h2_code", goaway.code.0)
    .with("h2_code_name", goaway.code.name())
    .with("last_stream", goaway.last_stream)
    .with("detail", Some(goaway.debug.as_str()).filter(|debug| !debug.is_empty()))
    .with_duration("after", *age)
    .with_duration("latest", *latest)
    .with("websockets", *notified)
    .with("ended", *ended)
}
