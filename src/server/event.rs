//! What happens in a server, as it happens.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::handshake::RejectedConnection;
use super::snapshot::ClientSnapshot;
use super::summary::ServerSummary;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::ping::event::StatusChange;

/// Something that happened.
#[derive(Debug, Clone)]
pub struct ServeEvent {
    pub at: SystemTime,
    /// The connection's number, counted from 1 in the order of arrival; `None`: the server as a whole.
    pub client: Option<u64>,
    pub what: ServeEventKind,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum ServeEventKind {
    Listening(ListenAddress),
    Connected {
        remote: String,
        resource: UntrustedText,
        subprotocol: Option<String>,
        faulty: bool,
    },
    TurnedAway {
        remote: String,
        why: RejectedConnection,
    },
    /// A client's status changed.
    Status(StatusChange),
    /// A client missed so many heartbeats in a row and was terminated; it had said nothing for so long.
    Reaped {
        missed: u32,
        silent_for: Duration,
    },
    /// A fault acted; the text says which.
    Fault(String),
    /// With what it had come to by then.
    Ended {
        ending: CloseCause,
        last: Box<ClientSnapshot>,
    },
    /// The server itself is in trouble, and goes on.
    Trouble(String),
    /// The end of the run; always the last event.
    Stopped(Box<ServerSummary>),
}

/// Where a server is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    pub address: SocketAddr,
    /// `None`: plain TCP.
    pub tls: Option<TlsIdentityInfo>,
    /// Where its status is shown over HTTP.
    pub status_address: Option<SocketAddr>,
}

/// What a client needs to know to trust a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsIdentityInfo {
    /// SHA-256 of the server's certificate in DER, as `AB:CD:...`.
    pub fingerprint: String,
    /// Where the certificate of who signed it was written, if it was made here.
    pub ca_file: Option<PathBuf>,
}
