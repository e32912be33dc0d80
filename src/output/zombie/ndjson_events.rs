//! What becomes of dead clients, in NDJSON: a line for each thing as it happens.

use serde::Serialize;

use super::document::ZombieSettings;
use crate::domain::zombie::report::ZombieEvent;
use crate::domain::zombie::{Behaviour, ClientEndName};
use crate::output::json::{
    FailedOpening, JsonEndingDocument, Ms, Name, OpeningDocument, WSCHECK_VERSION, ms,
};
use crate::output::ndjson::{EventBody, bodies, run_line};
use crate::output::server_events::ServerEventReceived;

bodies! {
    /// It begins.
    ZombieStarted = "started" {
        #[cfg_attr(test, schemars(extend("const" = "probe-zombie")))]
        command: &'static str,
        wscheck_version: &'static str,
        /// The target, with secrets redacted.
        url: String,
        settings: ZombieSettings,
    }
    /// A client is open, and behaves as it is to.
    ClientOpened = "opened" {
        /// How the client behaves after it has sent a Ping and a message.
        client: Name<Behaviour>,
        #[serde(flatten)]
        opening: OpeningDocument,
    }
    /// A client could not be opened.
    ClientNotOpened = "open_failed" {
        /// How the client behaves after it has sent a Ping and a message.
        client: Name<Behaviour>,
        #[serde(flatten)]
        failure: FailedOpening,
    }
    /// The server sent a client a heartbeat; of a flood, so many at once.
    ClientReceived = "received" {
        /// How the client behaves after it has sent a Ping and a message.
        client: Name<Behaviour>,
        #[serde(flatten)]
        notice: ServerEventReceived,
    }
    /// The server let a client go, or it was waited for long enough.
    ClientOver = "client_result" {
        /// How the client behaves after it has sent a Ping and a message.
        client: Name<Behaviour>,
        /// The result of the client.
        result: Name<ClientEndName>,
        kept_ms: Option<Ms>,
        /// Whether `kept_ms` is only an upper bound, because the moment of the end is unknown.
        at_latest: bool,
        ending: Option<JsonEndingDocument>,
        /// Number of heartbeats that the client left unanswered; null for a client that answers.
        unanswered: Option<u64>,
    }
}

/// The line for an event; `None` when it has none.
pub fn line(event: &ZombieEvent) -> Option<String> {
    Some(match event {
        ZombieEvent::Started { at, info } => {
            let (url, settings) = (info.url.clone(), info.as_ref().into());
            let wscheck_version = WSCHECK_VERSION;
            run_line(*at, ZombieStarted { command: "probe-zombie", wscheck_version, url, settings })
        }
        ZombieEvent::Opened { behaviour, at, opened } => {
            run_line(*at, ClientOpened { client: (*behaviour).into(), opening: opened.as_ref().into() })
        }
        ZombieEvent::OpenFailed { behaviour, at, error } => {
            run_line(*at, ClientNotOpened { client: (*behaviour).into(), failure: error.as_ref().into() })
        }
        ZombieEvent::Received { behaviour, notice } => {
            run_line(notice.at, ClientReceived { client: (*behaviour).into(), notice: notice.into() })
        }
        ZombieEvent::Over { behaviour, at, end, unanswered } => {
            let (client, result) = (Name(*behaviour), Name(ClientEndName::from(end)));
            let (kept_ms, at_latest, unanswered) = (ms(end.kept()), end.is_at_latest(), *unanswered);
            let ending = end.ending().map(JsonEndingDocument::from);
            run_line(*at, ClientOver { client, result, kept_ms, at_latest, ending, unanswered })
        }
        ZombieEvent::Progress(_) | ZombieEvent::Finished(_) => return None,
    })
}
