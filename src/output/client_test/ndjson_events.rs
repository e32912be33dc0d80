//! The events of `test-client` in NDJSON.

use serde::Serialize;

use super::document::{ClientExitDocument, FaultTestDocument};
use crate::commands::test_client::{TestClientEvent, TestClientEventKind};
use crate::output::json::{JsonEndingDocument, Ms, Name, WSCHECK_VERSION};
use crate::output::ndjson::{EventBody, bodies, run_line};
use crate::server::{RejectedConnection, ServeEvent, ServeEventKind};

bodies! {
    /// The test begins.
    ClientTestStarted = "started" {
        #[cfg_attr(test, schemars(extend("const" = "test-client")))]
        command: &'static str,
        wscheck_version: &'static str,
        /// The client's command.
        client: String,
        /// The faults to test against.
        faults: Vec<&'static str>,
        /// The most that the test of one fault may last.
        limit_ms: Ms,
    }
    /// A client's process was started.
    ClientLaunched = "client_started" {
        /// The fault to test against.
        fault: &'static str,
        /// The URL that the client got.
        url: String,
    }
    /// The client opened a connection.
    ClientConnected = "opened" {
        /// The fault to test against.
        fault: &'static str,
        /// Number of the connection, from 1.
        client: u64,
    }
    /// A connection of the client was rejected, or given up before it was open.
    ClientRejected = "rejected" {
        /// The fault to test against.
        fault: &'static str,
        /// Number of the connection, from 1.
        client: u64,
        kind: Name<RejectedConnection>,
        message: String,
    }
    /// A fault acted on a connection.
    ClientFaultActed = "fault" {
        /// The fault to test against.
        fault: &'static str,
        /// Number of the connection, from 1.
        client: u64,
        message: String,
    }
    /// The client began to end a connection whose server had been silent.
    ClientNoticed = "silence_noticed" {
        /// The fault to test against.
        fault: &'static str,
        /// Number of the connection, from 1.
        client: u64,
        /// How long the server had been silent.
        after_ms: Ms,
    }
    /// A connection ended. In `ending`, `peer` is the client and `us` the server.
    ClientDisconnected = "closed" {
        /// The fault to test against.
        fault: &'static str,
        /// Number of the connection, from 1.
        client: u64,
        ending: JsonEndingDocument,
    }
    /// The test server has a problem but continues.
    TestServerError = "error" {
        /// The fault to test against.
        fault: &'static str,
        message: String,
    }
    /// The client's processes ended before they were told to.
    ClientExited = "client_exited" {
        /// The fault to test against.
        fault: &'static str,
        exit: ClientExitDocument,
    }
    /// The test of a fault is over.
    ClientTestOver = "fault_over" {
        test: FaultTestDocument,
    }
}

/// The line for an event; `None` when it has none.
pub fn line(event: &TestClientEvent) -> Option<String> {
    let at = event.at;
    Some(match &event.what {
        TestClientEventKind::Started { command, faults, limit } => {
            let (client, faults, limit_ms) = (command.clone(), faults.clone(), (*limit).into());
            let (command, wscheck_version) = ("test-client", WSCHECK_VERSION);
            run_line(at, ClientTestStarted { command, wscheck_version, client, faults, limit_ms })
        }
        TestClientEventKind::ClientStarted { url } => {
            run_line(at, ClientLaunched { fault: event.fault?, url: url.clone() })
        }
        TestClientEventKind::Server(served) => return server_line(event.fault?, served),
        TestClientEventKind::ClientExited(exit) => {
            run_line(at, ClientExited { fault: event.fault?, exit: (*exit).into() })
        }
        TestClientEventKind::TestOver(test) => run_line(at, ClientTestOver { test: test.as_ref().into() }),
        TestClientEventKind::Finished(_) => return None,
    })
}

fn server_line(fault: &'static str, event: &ServeEvent) -> Option<String> {
    let at = event.at;
    Some(match &event.what {
        ServeEventKind::Opened { .. } => run_line(at, ClientConnected { fault, client: event.client? }),
        ServeEventKind::Rejected { why, .. } => {
            let (client, message) = (event.client?, why.to_string());
            run_line(at, ClientRejected { fault, client, kind: why.clone().into(), message })
        }
        ServeEventKind::Fault(action) => {
            run_line(at, ClientFaultActed { fault, client: event.client?, message: action.to_string() })
        }
        ServeEventKind::SilenceNoticed { after } => {
            run_line(at, ClientNoticed { fault, client: event.client?, after_ms: (*after).into() })
        }
        ServeEventKind::Closed { ending, .. } => {
            run_line(at, ClientDisconnected { fault, client: event.client?, ending: ending.into() })
        }
        ServeEventKind::Error(message) => run_line(at, TestServerError { fault, message: message.clone() }),
        ServeEventKind::Listening(_)
        | ServeEventKind::Status(_)
        | ServeEventKind::DeadClientClosed { .. }
        | ServeEventKind::Stopped(_) => return None,
    })
}
