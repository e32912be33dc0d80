//! The document of `test-client` in JSON.

use serde::Serialize;

use crate::domain::client_test::activity::SpanReading;
use crate::domain::client_test::report::{ClientExit, ClientTestReport, ExitStatus, FaultTest};
use crate::domain::run::criterion::{Criterion, CriterionState};
use crate::domain::run::run_result::RunResult;
use crate::output::envelope::DocumentBody;
use crate::output::json::{Ms, Name, document};

document! {
    /// What `wscheck test-client -o json` prints. Unknown values are null; no field is ever omitted.
    pub struct ClientTestDocument from report: &ClientTestReport {
        /// The client's command.
        client: String = report.command.clone(),
        /// Age of a connection at which its fault begins.
        after_ms: Ms = report.after,
        /// The most that the test of one fault may last.
        limit_ms: Ms = report.limit,
        /// What the client did about each fault.
        faults: Vec<FaultTestDocument> = report.tests.iter().map(FaultTestDocument::from).collect::<Vec<_>>(),
    }
}

impl DocumentBody for ClientTestDocument {
    const COMMAND: &'static str = "test-client";
}

document! {
    /// What the client did about one fault.
    #[cfg_attr(test, schemars(rename = "FaultTest"))]
    pub struct FaultTestDocument from test: &FaultTest {
        fault: &'static str = test.fault,
        /// What the server did.
        meaning: String = test.meaning.clone(),
        /// The URL that the client got; null if it was not started because the user ended the run.
        url: Option<String> = test.url.clone(),
        result: Name<RunResult> = test.result,
        /// Why the result is what it is.
        reasons: Vec<String> = test.reasons.clone(),
        criteria: Vec<ClientCriterionDocument> = test.criteria.iter().map(Into::into).collect::<Vec<ClientCriterionDocument>>(),
        /// Connections opened.
        clients: u64 = test.activity.clients,
        /// Connections that did not become clients, for example because the client gave up.
        rejected: u64 = test.activity.rejected,
        /// Connections opened after another had ended.
        reconnects: u64 = test.activity.reconnects,
        reconnect_delay: SpanDocument = test.activity.return_delay(),
        /// How long the client took to end a connection whose server had become silent.
        noticed: SpanDocument = test.activity.silence(),
        /// Pings of the server with an outcome, and those that were answered in time.
        pings: PartDocument =
            PartDocument { count: test.activity.pings.ok, of: test.activity.pings.judged() },
        /// Connections that ended where a close handshake was possible, and those that had one.
        closed_cleanly: PartDocument =
            PartDocument { count: test.activity.closed_cleanly, of: test.activity.closable },
        /// How the client's process ended by itself; null if wscheck ended it.
        exit: Option<ClientExitDocument> = test.exit.map(ClientExitDocument::from),
        elapsed_ms: Ms = test.elapsed,
    }
}

/// A time; both are null if there was none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "ClientSpan"))]
struct SpanDocument {
    /// The longest one; null if one was not over when the test ended and is longer.
    longest_ms: Option<Ms>,
    /// How long it had lasted when the test ended without it being over; null if it was over.
    at_least_ms: Option<Ms>,
}

/// How many of how many.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "ClientPart"))]
struct PartDocument {
    count: u64,
    of: u64,
}

document! {
    /// A criterion of one fault.
    #[cfg_attr(test, schemars(rename = "ClientCriterion"))]
    struct ClientCriterionDocument from one: &Criterion {
        /// The option that demands it: `--expect`, or `--fault` for a default.
        option: Option<String> = one.option.as_ref().map(ToString::to_string),
        wanted: String = one.wanted.clone(),
        /// What was found, or why it is unknown.
        found: String = one.found.clone(),
        state: Name<CriterionState> = one.state,
    }
}

/// How a client's process ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "ClientExit"))]
pub struct ClientExitDocument {
    /// The exit status; null if a signal ended it.
    code: Option<i32>,
    /// The signal that ended it; null if it exited.
    signal: Option<i32>,
    /// Time since its start.
    after_ms: Ms,
    had_connected: bool,
}

impl From<SpanReading> for SpanDocument {
    fn from(reading: SpanReading) -> SpanDocument {
        let (longest_ms, at_least_ms) = match reading {
            SpanReading::Longest(span) => (Some(span.into()), None),
            SpanReading::AtLeast(span) => (None, Some(span.into())),
            SpanReading::None => (None, None),
        };
        SpanDocument { longest_ms, at_least_ms }
    }
}

impl From<ClientExit> for ClientExitDocument {
    fn from(exit: ClientExit) -> ClientExitDocument {
        let (code, signal) = match exit.status {
            ExitStatus::Code(code) => (Some(code), None),
            ExitStatus::Signal(signal) => (None, Some(signal)),
        };
        let (after_ms, had_connected) = (exit.after.into(), exit.had_connected);
        ClientExitDocument { code, signal, after_ms, had_connected }
    }
}
