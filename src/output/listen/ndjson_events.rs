//! What a server says, in NDJSON: a line for each thing as it is notice.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::ListenSettings;
use crate::domain::listen::ServerEventKind;
use crate::domain::listen::report::{ListenEvent, ServerEventNotice};
use crate::output::json::Name;
use crate::output::json::{JsonEndingDocument, Ms, OpeningDocument, WSCHECK_VERSION, ms};
use crate::output::ndjson::{EventBody, bodies, run_line};

bodies! {
    /// It begins.
    ListenStarted = "started" {
        #[schemars(extend("const" = "listen"))]
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
    /// The server said something by itself; of a flood, so many at once.
    ServerEventReceived = "received" {
        /// What the server sent.
        kind: Name<ServerEventKind>,
        /// The name of its known format, if any.
        shape: Option<&'static str>,
        /// How many of this kind came since the last line for it.
        count: u64,
        /// Time from the opening to the last of them.
        age_ms: Ms,
        /// Time since the previous one of its kind; null for the first.
        gap_ms: Option<Ms>,
        /// The payload; control characters are escaped.
        payload: String,
        answered: bool,
    }
    /// The client said something of its own.
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

impl From<&ServerEventNotice> for ServerEventReceived {
    fn from(notice: &ServerEventNotice) -> ServerEventReceived {
        ServerEventReceived {
            kind: notice.event_kind.into(),
            shape: notice.shape,
            count: notice.count,
            age_ms: notice.age.into(),
            gap_ms: ms(notice.gap),
            payload: notice.text.to_string(),
            answered: notice.answered,
        }
    }
}
