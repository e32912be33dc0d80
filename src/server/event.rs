//! What happens in a server, as it happens, and what it comes to.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use super::handshake::TurnedAway;
use crate::domain::ending::Ending;
use crate::domain::peer_text::PeerText;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerEvent {
    pub at: SystemTime,
    /// The connection's number, counted from 1 in the order of arrival; `None`: the server as a whole.
    pub client: Option<u64>,
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    Listening {
        address: SocketAddr,
        secure: bool,
    },
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
    /// A fault acted; the text says which.
    Fault(String),
    Ended(Ending),
    /// The server itself is in trouble, and goes on.
    Trouble(String),
    /// The end of the run; always the last event.
    Stopped(Box<Summary>),
}

/// What a server's run comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    pub started_at: SystemTime,
    pub elapsed: Duration,
    /// Connections that became clients.
    pub clients: u64,
    /// The most of them at one time.
    pub most_at_once: usize,
    pub turned_away: u64,
    /// How the clients ended, by who and how (`peer close_frame`).
    pub endings: BTreeMap<String, u64>,
    /// Ordinary messages that came.
    pub messages: u64,
    /// Ping frames that came, answered or not.
    pub pings: u64,
    /// App pings that came, answered or not.
    pub app_pings: u64,
}
