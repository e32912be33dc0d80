//! What the server saw of one connection of a client. All times count from the start of the run.

use std::time::Duration;

use crate::domain::connection::close_cause::{CloseKindName, ClosedBy};
use crate::domain::stats::Counts;

/// One connection, as far as it went.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionRecord {
    /// The connection's number, from 1 in order of arrival.
    pub id: u64,
    pub opened: Duration,
    /// Outcomes of the server's own pings.
    pub pings: Counts,
    /// The first fault that ended the connection or made the server silent.
    pub fault: Option<FaultOnset>,
    /// When the client began to end a connection whose server was silent: its close frame, or the end of its stream.
    pub noticed: Option<Duration>,
    /// Whether the client sent a close frame.
    pub close_frame_received: bool,
    /// `None`: it is still open.
    pub end: Option<ConnectionEnd>,
}

/// When a fault began, and what it leaves to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultOnset {
    pub at: Duration,
    pub kind: FaultKind,
}

/// What a fault leaves to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The server sends nothing more and keeps the connection: the client has to notice and end it.
    Silence,
    /// The server ends the connection.
    End,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionEnd {
    pub at: Duration,
    /// `Peer` is the client, `Us` the server.
    pub by: ClosedBy,
    pub how: CloseKindName,
    /// The server ended it only because the run was over.
    pub at_stop: bool,
}

impl ConnectionRecord {
    /// When a fault made the server silent.
    pub fn silent_since(&self) -> Option<Duration> {
        self.fault.filter(|fault| fault.kind == FaultKind::Silence).map(|fault| fault.at)
    }

    /// Whether the connection was lost to the client, so that a good client comes back: a fault acted on it, or the server
    /// or the network ended it.
    pub fn demands_return(&self) -> bool {
        self.fault.is_some() || self.end.is_some_and(|end| end.by != ClosedBy::Peer)
    }

    /// Whether it ended with a close handshake; `None` if the client had no chance of one:
    ///
    /// 1. It is still open.
    /// 2. The server was silent, and would not have answered the client's close frame.
    /// 3. The server ended TCP without a close frame, or gave up a client that did not answer.
    pub fn is_closed_cleanly(&self) -> Option<bool> {
        let end = self.end?;
        let is_cut_by_server =
            end.by == ClosedBy::Us && !matches!(end.how, CloseKindName::CloseFrame | CloseKindName::TooLarge);
        let had_a_chance = self.silent_since().is_none() && !is_cut_by_server;
        had_a_chance.then_some(self.close_frame_received)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// A connection that is open since this second.
    pub fn open(id: u64, opened: u64) -> ConnectionRecord {
        ConnectionRecord {
            id,
            opened: seconds(opened),
            pings: Counts::default(),
            fault: None,
            noticed: None,
            close_frame_received: false,
            end: None,
        }
    }

    /// The connection, ended at this second.
    pub fn ended(record: ConnectionRecord, at: u64, by: ClosedBy, how: CloseKindName) -> ConnectionRecord {
        let end = ConnectionEnd { at: seconds(at), by, how, at_stop: false };
        ConnectionRecord { end: Some(end), ..record }
    }

    /// The connection, with a server that is silent from this second on.
    pub fn silent(record: ConnectionRecord, at: u64) -> ConnectionRecord {
        let fault = FaultOnset { at: seconds(at), kind: FaultKind::Silence };
        ConnectionRecord { fault: Some(fault), ..record }
    }

    #[test]
    fn only_a_possible_close_handshake_is_judged() {
        use CloseKindName::{CloseFrame, Fin, Rst, Timeout, Violation};
        use ClosedBy::{Peer, Us};
        let cleanly = |by, how, close_frame_received| {
            let record = ConnectionRecord { close_frame_received, ..open(1, 0) };
            ended(record, 9, by, how).is_closed_cleanly()
        };
        assert_eq!(cleanly(Peer, CloseFrame, true), Some(true));
        assert_eq!(cleanly(Us, CloseFrame, true), Some(true), "it answered our close frame");
        assert_eq!(cleanly(Us, CloseFrame, false), Some(false), "it did not answer our close frame");
        assert_eq!(cleanly(Peer, Fin, false), Some(false));
        assert_eq!(cleanly(Peer, Violation, false), Some(false));
        assert_eq!([cleanly(Us, Rst, false), cleanly(Us, Timeout, false)], [None, None]);
        assert_eq!(ended(silent(open(1, 0), 3), 9, Peer, Fin).is_closed_cleanly(), None);
        assert_eq!(open(1, 0).is_closed_cleanly(), None);
    }

    #[test]
    fn client_that_leaves_by_itself_need_not_come_back() {
        let left = ended(open(1, 0), 9, ClosedBy::Peer, CloseKindName::CloseFrame);
        assert!(!left.demands_return());
        assert!(ended(open(1, 0), 9, ClosedBy::Us, CloseKindName::CloseFrame).demands_return());
        assert!(ended(silent(open(1, 0), 3), 9, ClosedBy::Peer, CloseKindName::Fin).demands_return());
    }
}
