//! The events of a server in NDJSON: a line for each as it happens.

use serde::Serialize;

use super::document::ServedClientDocument;
use crate::domain::connection::connect_info::HttpVersion;
use crate::output::json::{JsonEndingDocument, Ms, Name, WSCHECK_VERSION, document};
use crate::output::ndjson::{EventBody, bodies, run_line};
use crate::output::ping::StatusChanged;
use crate::server::{ListenAddress, RejectedConnection, ServeEvent, ServeEventKind};

document! {
    /// The server listens.
    pub struct ServerListening = "listening" from listening: &ListenAddress {
        #[cfg_attr(test, schemars(extend("const" = "serve")))]
        command: &'static str = "serve",
        wscheck_version: &'static str = WSCHECK_VERSION,
        url: String = listening.url(),
        /// The address that the server listens on.
        address: String = listening.address.to_string(),
        port: u16 = listening.address.port(),
        /// Whether the server uses TLS.
        secure: bool = listening.tls.is_some(),
        /// SHA-256 of the certificate; null without TLS.
        fingerprint: Option<String> = listening.tls.as_ref().map(|tls| tls.fingerprint.clone()),
        /// The file with the certificate to trust; null without a generated certificate.
        ca_file: Option<String> =
            listening.tls.as_ref().and_then(|tls| Some(tls.ca_file.as_ref()?.display().to_string())),
        /// The address that serves /clients and /metrics; null if there is none.
        status_address: Option<String> = listening.status_address.map(|address| address.to_string()),
    }
}

bodies! {
    /// A connection became a client.
    ServedClientOpened = "opened" {
        /// Number of the connection, from 1.
        client: u64,
        /// The client's address.
        address: String,
        /// The version of HTTP that opened the WebSocket: 1.1 by an upgrade, 2 by an extended CONNECT.
        http: Name<HttpVersion>,
        /// Path and query, with secrets redacted.
        resource: String,
        subprotocol: Option<String>,
        /// The agreed compression of messages, as in the answer.
        compression: Option<String>,
        /// Whether the configured faults apply to this client.
        faulty: bool,
    }
    /// A connection did not become a client.
    ConnectionRejected = "rejected" {
        /// Number of the connection, from 1.
        client: u64,
        /// The client's address.
        address: String,
        /// Why the server rejected it.
        kind: Name<RejectedConnection>,
        message: String,
    }
    /// A client's status changed.
    ServedClientStatus = "status" {
        /// Number of the connection, from 1.
        client: u64,
        #[serde(flatten)]
        change: StatusChanged,
    }
    /// The server closes a client that missed heartbeats.
    DeadClientClosed = "dead_client_closed" {
        /// Number of the connection, from 1.
        client: u64,
        /// Heartbeats missed in a row.
        consecutive_missed: u32,
        /// Time since the client last sent anything.
        silent_ms: Ms,
    }
    /// A fault acted on a client.
    FaultInjected = "fault" {
        /// Number of the connection, from 1.
        client: u64,
        message: String,
    }
    /// A client began to end a connection whose server had been silent.
    SilenceNoticed = "silence_noticed" {
        /// Number of the connection, from 1.
        client: u64,
        /// How long the server had been silent.
        after_ms: Ms,
    }
    /// A client's connection ended. In `ending`, `peer` is the client and `us` the server.
    ServedClientClosed = "closed" {
        /// Number of the connection, from 1.
        client: u64,
        ending: JsonEndingDocument,
        /// The client's final figures.
        last: ServedClientDocument,
    }
    /// The server has a problem but continues.
    ServerError = "error" {
        message: String,
    }
}

/// The line for an event; `None` when it has none.
pub fn line(event: &ServeEvent) -> Option<String> {
    let at = event.at;
    Some(match &event.what {
        ServeEventKind::Listening(listening) => run_line(at, ServerListening::from(listening)),
        ServeEventKind::Opened { remote, http, resource, subprotocol, compression, faulty } => {
            let opened = ServedClientOpened {
                client: event.client?,
                address: remote.clone(),
                http: Name(*http),
                resource: resource.to_string(),
                subprotocol: subprotocol.clone(),
                compression: compression.clone(),
                faulty: *faulty,
            };
            run_line(at, opened)
        }
        ServeEventKind::Rejected { remote, why } => {
            let (client, address, message) = (event.client?, remote.clone(), why.to_string());
            run_line(at, ConnectionRejected { client, address, kind: why.clone().into(), message })
        }
        ServeEventKind::Status(change) => {
            run_line(at, ServedClientStatus { client: event.client?, change: change.into() })
        }
        ServeEventKind::DeadClientClosed { missed, silent_for } => {
            let (consecutive_missed, silent_ms) = (*missed, (*silent_for).into());
            run_line(at, DeadClientClosed { client: event.client?, consecutive_missed, silent_ms })
        }
        ServeEventKind::Fault(fault) => {
            run_line(at, FaultInjected { client: event.client?, message: fault.to_string() })
        }
        ServeEventKind::SilenceNoticed { after } => {
            run_line(at, SilenceNoticed { client: event.client?, after_ms: (*after).into() })
        }
        ServeEventKind::Closed { ending, last } => {
            let (ending, last) = (ending.into(), last.as_ref().into());
            run_line(at, ServedClientClosed { client: event.client?, ending, last })
        }
        ServeEventKind::Error(message) => run_line(at, ServerError { message: message.clone() }),
        ServeEventKind::Stopped(_) => return None,
    })
}
