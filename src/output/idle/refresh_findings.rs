//! What the keepalive methods show about the traffic that counts, in words.

use crate::domain::idle::refresh::{RefreshConclusion, TimerScope};
use crate::domain::label::Label;
use crate::output::view::Explanation;

/// The conclusion, what the timer belongs to, and what to do.
pub fn explain(conclusion: RefreshConclusion, scope: Option<TimerScope>) -> Explanation {
    let (text, remedy) = words(conclusion);
    let scope_text = scope.filter(|_| names_scope(conclusion)).map_or("", scope_in_words);
    Explanation { remedy: remedy.map(str::to_string), ..Explanation::new(format!("{text}{scope_text}")) }
        .with("conclusion", conclusion.label())
        .with("timer_of", scope.map(|scope| scope.label()))
}

/// What each conclusion says, and what to do about it.
fn words(conclusion: RefreshConclusion) -> (&'static str, Option<&'static str>) {
    match conclusion {
        RefreshConclusion::BelowApplication => (
            "TCP keepalive suffices, so the cut is below the application: a NAT or a balancer",
            Some("enable TCP keepalive, or send any heartbeat"),
        ),
        RefreshConclusion::AnyByte => {
            ("bytes from the client suffice: any Ping frame or message of the client keeps it open", None)
        }
        RefreshConclusion::ServerToClient => (
            "Ping frames and messages keep it open and lone Pongs do not: the server's bytes count, alone or as well, or it does \
             not count Pongs",
            Some("use heartbeats that the server answers, or let the server send them"),
        ),
        RefreshConclusion::Connection => ("PINGs of HTTP/2 keep it open, so any heartbeat does", None),
        RefreshConclusion::PongsNotPings => (
            "Pongs keep it open and Ping frames do not: it is the server's own rule",
            Some("send Pongs, or try an app heartbeat"),
        ),
        RefreshConclusion::MessagesOnly => (
            "Ping frames do not count, messages do: it is the server's own rule",
            Some("send app heartbeats"),
        ),
        RefreshConclusion::PingsOnly => {
            ("Ping frames count, messages do not: it is the server's own rule", Some("send Ping frames"))
        }
        RefreshConclusion::Lifetime => {
            ("nothing keeps it open: a lifetime", Some("reconnect before it ends"))
        }
        RefreshConclusion::NotPingsNorMessages => (
            "neither Ping frames nor messages keep it open: a lifetime, or a rule of the server",
            Some("reconnect before it ends"),
        ),
        RefreshConclusion::ControlFrames => {
            ("Ping frames keep it open, and so do lone Pongs; whether messages would was not tried", None)
        }
        RefreshConclusion::PingsNotPongs => {
            ("Ping frames keep it open, and lone Pongs do not; whether messages would was not tried", None)
        }
        RefreshConclusion::Pings => ("Ping frames keep it open", None),
        RefreshConclusion::Messages => {
            ("messages keep it open; whether Ping frames would was not tried", None)
        }
        RefreshConclusion::NotPings => (
            "Ping frames do not keep it open: a lifetime, or a server that counts only messages",
            Some("try an app heartbeat, which shows which of both it is"),
        ),
        RefreshConclusion::Contradictory => (
            "the results contradict each other, or what the search found: something else cut a connection, so they show \
             nothing",
            Some("run it again"),
        ),
        RefreshConclusion::Untried => ("no method was tried that decides", None),
    }
}

/// Whether what the timer belongs to says more than the conclusion.
fn names_scope(conclusion: RefreshConclusion) -> bool {
    !matches!(conclusion, RefreshConclusion::BelowApplication | RefreshConclusion::Untried)
}

fn scope_in_words(scope: TimerScope) -> &'static str {
    match scope {
        TimerScope::Connection => "; PINGs of HTTP/2 count, so the timer is that of the connection",
        TimerScope::Stream => {
            "; PINGs of HTTP/2 do not count, so the timer is that of the stream, or of a hop behind the one that ends HTTP/2"
        }
    }
}
