//! Events of the server.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::faults::CutAction;
use super::handshake::RejectedConnection;
use super::snapshot::ClientSnapshot;
use super::summary::ServerSummary;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::connect_info::HttpVersion;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::ping::event::StatusChange;

/// An event.
#[derive(Debug, Clone)]
pub struct ServeEvent {
    pub at: SystemTime,
    /// The connection's number, from 1 in order of arrival; `None` for events of the server itself.
    pub client: Option<u64>,
    pub what: ServeEventKind,
}

/// The kind of event.
#[derive(Debug, Clone)]
pub enum ServeEventKind {
    Listening(ListenAddress),
    Opened {
        remote: String,
        http: HttpVersion,
        resource: UntrustedText,
        subprotocol: Option<String>,
        /// The agreed compression, as in the answer.
        compression: Option<String>,
        faulty: bool,
    },
    Rejected {
        remote: String,
        why: RejectedConnection,
    },
    /// A client's status changed.
    Status(StatusChange),
    /// A client was terminated after `missed` consecutive missed heartbeats, without any data for `silent_for`.
    DeadClientClosed {
        missed: u32,
        silent_for: Duration,
    },
    /// A fault acted.
    Fault(FaultAction),
    /// A client began to end a connection whose server had been silent for this time.
    SilenceNoticed {
        after: Duration,
    },
    /// A client ended; `last` is its final state.
    Closed {
        ending: CloseCause,
        last: Box<ClientSnapshot>,
    },
    /// The server has a problem but continues.
    Error(String),
    /// The end of the run; always the last event.
    Stopped(Box<ServerSummary>),
}

/// What a fault did to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultAction {
    pub cut: CutAction,
    /// A fragment: `at age 5 s`.
    pub reason: String,
}

impl fmt::Display for FaultAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.cut, self.reason)
    }
}

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    pub address: SocketAddr,
    /// `None`: plain TCP.
    pub tls: Option<TlsIdentityInfo>,
    /// Address of the HTTP status pages.
    pub status_address: Option<SocketAddr>,
}

impl ListenAddress {
    /// The URL of the server: `ws://127.0.0.1:9001/`.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "wss" } else { "ws" };
        format!("{scheme}://{}/", self.address)
    }
}

/// What a client needs to trust the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsIdentityInfo {
    /// SHA-256 of the server's DER certificate, as `AB:CD:...`.
    pub fingerprint: String,
    /// File with the issuer's certificate, if it was generated.
    pub ca_file: Option<PathBuf>,
}
