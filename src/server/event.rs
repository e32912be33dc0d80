//! What happens in a server, as it happens.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::handshake::TurnedAway;
use super::snapshot::ClientSnapshot;
use super::summary::Summary;
use crate::domain::ending::Ending;
use crate::domain::event::StatusChange;
use crate::domain::peer_text::PeerText;

/// Something that happened.
#[derive(Debug, Clone)]
pub struct ServerEvent {
    pub at: SystemTime,
    /// The connection's number, counted from 1 in the order of arrival; `None`: the server as a whole.
    pub client: Option<u64>,
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum What {
    Listening(Listening),
    Connected {
        remote: String,
        resource: PeerText,
        subprotocol: Option<String>,
        faulty: bool,
    },
    TurnedAway {
        remote: String,
        why: TurnedAway,
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
        ending: Ending,
        last: Box<ClientSnapshot>,
    },
    /// The server itself is in trouble, and goes on.
    Trouble(String),
    /// The end of the run; always the last event.
    Stopped(Box<Summary>),
}

/// Where a server is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listening {
    pub address: SocketAddr,
    /// `None`: plain TCP.
    pub tls: Option<TlsShown>,
    /// Where its status is shown over HTTP.
    pub status_address: Option<SocketAddr>,
}

/// What a client needs to know to trust a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsShown {
    /// SHA-256 of the server's certificate in DER, as `AB:CD:...`.
    pub fingerprint: String,
    /// Where the certificate of who signed it was written, if it was made here.
    pub ca_file: Option<PathBuf>,
}
