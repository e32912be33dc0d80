//! Events of `test-client`.

use std::time::{Duration, SystemTime};

use crate::domain::client_test::report::{ClientExit, ClientTestReport, FaultTest};
use crate::server::ServeEvent;

/// An event.
#[derive(Debug, Clone)]
pub struct TestClientEvent {
    pub at: SystemTime,
    /// The fault whose test it belongs to; `None` for events of the whole run.
    pub fault: Option<&'static str>,
    pub what: TestClientEventKind,
}

/// The kind of event.
#[derive(Debug, Clone)]
pub enum TestClientEventKind {
    Started {
        command: String,
        faults: Vec<&'static str>,
        /// The most that the test of one fault may last.
        limit: Duration,
    },
    /// A client's process was started; the server listens at this URL.
    ClientStarted { url: String },
    /// The test server saw something.
    Server(Box<ServeEvent>),
    /// The client's processes ended before they were told to.
    ClientExited(ClientExit),
    /// The test of a fault is over.
    TestOver(Box<FaultTest>),
    /// The last event.
    Finished(Box<ClientTestReport>),
}

impl TestClientEvent {
    /// An event of the whole run.
    pub fn of_run(what: TestClientEventKind) -> TestClientEvent {
        TestClientEvent { at: SystemTime::now(), fault: None, what }
    }

    /// An event of the test of one fault.
    pub fn of_test(fault: &'static str, what: TestClientEventKind) -> TestClientEvent {
        TestClientEvent { at: SystemTime::now(), fault: Some(fault), what }
    }
}
