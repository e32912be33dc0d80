//! Rows that all reports share: how a connection opened, its facts, and how it ended.

use super::phrase::{Phrase, Tone};
use super::section::Rows;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::connect_info::{
    ConnectAttempt, ConnectError, ConnectInfo, HttpVersion, TlsInfo,
};
use crate::domain::connection::phase::{Phase, PhaseTimes};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::format::{self, counted};
use crate::domain::presets::PresetSelection;
use crate::output::time_unit::TimeUnit;

/// The duration of the opening, and of its phases: `1.84 ms (DNS 0.412, TCP 0.087, upgrade 1.34)`.
pub fn phases(phases: &PhaseTimes) -> String {
    let parts = [
        (Phase::Dns, phases.dns),
        (Phase::Tcp, phases.tcp),
        (Phase::Proxy, phases.proxy),
        (Phase::Tls, phases.tls),
        (Phase::Upgrade, phases.upgrade),
    ];
    let known = || parts.iter().filter_map(|(phase, span)| Some((phase, (*span)?)));
    let unit = TimeUnit::of(known().map(|(_, span)| span).chain([phases.total]));
    let shown: Vec<String> = known().map(|(phase, span)| format!("{phase} {}", unit.number(span))).collect();
    if shown.is_empty() {
        unit.span(phases.total)
    } else {
        format!("{} ({})", unit.span(phases.total), shown.join(", "))
    }
}

/// The address of the connection, and the proxy if there is one: `127.0.0.1:9001`.
pub fn peer_address(opened: &ConnectInfo) -> Option<String> {
    match (&opened.remote, &opened.proxy) {
        (None, None) => None,
        (Some(remote), None) => Some(remote.clone()),
        (None, Some(proxy)) => Some(format!("by proxy {proxy}")),
        (Some(remote), Some(proxy)) => Some(format!("by proxy {proxy} at {remote}")),
    }
}

/// `peer sent close 1001 (going away) "bye", after 12 s; last byte in either direction 900 ms before`. The last byte is
/// left out when wscheck ended the connection as planned.
pub fn ending(ending: &CloseCause) -> String {
    let what = CloseCause::describe(ending.who, &ending.how, ending.os_error.as_deref());
    let reply = ending.reply.as_ref().map(|reply| format!("; {reply}")).unwrap_or_default();
    let text = format!("{what}, after {}{reply}", format::duration(ending.age));
    if ending.was_planned() {
        return text;
    }
    let tcp = ending.tcp.map(|view| format!("; {}", view.standing()));
    let before = if ending.idle.is_zero() { "just".to_string() } else { format::duration(ending.idle) };
    format!("{text}; last byte in either direction {before} before{}", tcp.unwrap_or_default())
}

/// Adds the facts of an open connection: failed attempts, proxy, TLS, subprotocol, headers.
pub fn facts(rows: &mut Rows, opened: &ConnectInfo) {
    for attempt in &opened.attempts {
        rows.add_some("not reached", attempt.error.as_ref().map(|_| tried(attempt)));
    }
    let proxy = |proxy: &String| format!("{proxy}: DNS and TCP times are those of the proxy");
    rows.add_some("proxy", opened.proxy.as_ref().map(proxy));
    rows.add_some("TLS", opened.tls.as_ref().map(tls));
    let is_http2 = opened.http == HttpVersion::Http2;
    rows.add_some("HTTP", is_http2.then(|| "2 (a stream opened by extended CONNECT)".to_string()));
    rows.add_some("subprotocol", subprotocol(opened));
    rows.add_some("compression", compression(opened));
    let headers = opened.headers.iter().map(|(name, value)| format!("{name}: {value}"));
    let headers = headers.collect::<Vec<_>>().join("; ");
    rows.add_some("headers", Some(headers).filter(|headers| !headers.is_empty()));
}

/// The outcome for one address: `[::1]:9001: connection refused by [::1]:9001 (ECONNREFUSED), after 87 µs`.
pub fn tried(attempt: &ConnectAttempt) -> String {
    let outcome = attempt.error.as_deref().unwrap_or("connected");
    format!("{}: {outcome}, after {}", attempt.address, format::duration(attempt.took))
}

fn tls(tls: &TlsInfo) -> String {
    let mut text = format!("{}, {}", tls.version, tls.cipher);
    if let Some(alpn) = &tls.alpn {
        text.push_str(&format!(", ALPN {alpn}"));
    }
    text.push_str("; certificate");
    for (word, name) in [("of", &tls.subject), ("by", &tls.issuer)] {
        if let Some(name) = name {
            text.push_str(&format!(" {word} {name}"));
        }
    }
    if let Some(days) = tls.days_left {
        text.push_str(&format!(", {}", validity(days)));
    }
    if !tls.verified {
        text.push_str(", NOT verified");
    }
    text
}

fn validity(days_left: i64) -> String {
    let days = counted(days_left.unsigned_abs(), "day");
    match days_left {
        0 => "less than a day left".to_string(),
        1.. => format!("{days} left"),
        _ => format!("expired {days} ago"),
    }
}

/// WHATWG WebSockets, section 3.3: a client that offered subprotocols and gets none fails the connection.
const BROWSERS_REFUSE: &str = "browsers refuse that";

fn subprotocol(opened: &ConnectInfo) -> Option<String> {
    let chosen = opened.subprotocol.as_ref().map(UntrustedText::as_str);
    let offered = opened.subprotocols_offered.join(", ");
    match (chosen, offered.is_empty()) {
        (None, true) => None,
        (None, false) => Some(format!("none chosen (offered: {offered}): {BROWSERS_REFUSE}")),
        (Some(chosen), true) => Some(format!("{chosen} (none was offered)")),
        (Some(chosen), false) => Some(format!("{chosen} (offered: {offered})")),
    }
}

fn compression(opened: &ConnectInfo) -> Option<String> {
    let offered = opened.compression_offered.as_ref()?;
    Some(match &opened.compression {
        Some(agreed) => agreed.clone(),
        None => format!("none agreed (offered: {offered})"),
    })
}

/// Adds the preset that was used, its evidence and its notes.
pub fn preset(rows: &mut Rows, used: Option<&PresetSelection>) {
    let Some(used) = used else { return };
    let name = used.preset.map_or("none", |preset| preset.name);
    match used.evidence.as_slice() {
        [] => rows.add("preset", name),
        evidence => rows.add("preset", format!("{name}: {}", evidence.join(", and "))),
    }
    used.notes.iter().for_each(|note| rows.add("note", note.clone()));
}

/// The answer of a run that never opened a connection: `not opened: TCP: connection refused by 127.0.0.1:9001`.
pub fn not_opened(error: &ConnectError) -> Phrase {
    Phrase::new("not opened", Tone::Bad, format!(": {}: {}", error.phase, error.cause))
}

/// How the first connection opened, its address and its facts.
pub fn opened(rows: &mut Rows, opened: Option<&ConnectInfo>) {
    let Some(opened) = opened else { return };
    let address = peer_address(opened).map(|address| format!(", {address}")).unwrap_or_default();
    rows.add("opened in", format!("{}{address}", phases(&opened.phases)));
    facts(rows, opened);
}
