//! The events of `listen` in NDJSON.

use serde::Serialize;

use super::document::ListenSettings;
use crate::domain::listen::report::ListenEvent;
use crate::output::json::{JsonEndingDocument, Ms, OpeningDocument, WSCHECK_VERSION};
use crate::output::ndjson::{EventBody, bodies, run_line};
use crate::output::server_events::ServerEventReceived;

bodies! {
    /// It begins.
    ListenStarted = "started" {
        #[cfg_attr(test, schemars(extend("const" = "listen")))]
        command: &'static str,
        wscheck_version: &'static str,
        /// The target, with secrets redacted.
        url: String,
        settings: ListenSettings,
    }
    /// The connection is open.
    ListenOpened = "opened" {
        #[serde(flatten)]
        opening: OpeningDocument,
    }
    /// The client sent a message of its own.
    ClientSent = "sent" {
        age_ms: Ms,
    }
    /// The connection ended before its time.
    ListenEnded = "closed" {
        ending: JsonEndingDocument,
    }
}

/// The line for an event; `None` when it has none.
pub fn line(event: &ListenEvent) -> Option<String> {
    Some(match event {
        ListenEvent::Started { at, info } => {
            let (url, settings) = (info.url.clone(), info.as_ref().into());
            let wscheck_version = WSCHECK_VERSION;
            run_line(*at, ListenStarted { command: "listen", wscheck_version, url, settings })
        }
        ListenEvent::Opened { at, opened } => run_line(*at, ListenOpened { opening: opened.as_ref().into() }),
        ListenEvent::Received(notice) => run_line(notice.at, ServerEventReceived::from(notice)),
        ListenEvent::StimulusSent { at, age } => run_line(*at, ClientSent { age_ms: (*age).into() }),
        ListenEvent::Ended(ending) => run_line(ending.at, ListenEnded { ending: ending.as_ref().into() }),
        ListenEvent::Progress(_) | ListenEvent::Finished(_) => return None,
    })
}
