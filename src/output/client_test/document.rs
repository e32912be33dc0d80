//! The document of `test-client` in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::client_test::activity::SpanReading;
use crate::domain::client_test::report::{ClientExit, ClientTestReport, ExitStatus, FaultTest};
use crate::domain::run::criterion::CriterionState;
use crate::domain::run::run_result::RunResult;
use crate::output::envelope::DocumentBody;
use crate::output::json::{Ms, Name};

/// What `wscheck test-client -o json` prints. Unknown values are null; no field is ever omitted.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ClientTestDocument {
    /// The client's command.
    client: String,
    /// Age of a connection at which its fault begins.
    after_ms: Ms,
    /// The most that the test of one fault may last.
    limit_ms: Ms,
    /// What the client did about each fault.
    faults: Vec<FaultTestDocument>,
}

impl DocumentBody for ClientTestDocument {
    const COMMAND: &'static str = "test-client";
}

/// What the client did about one fault.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "FaultTest")]
pub struct FaultTestDocument {
    fault: &'static str,
    /// What the server did.
    meaning: String,
    /// The URL that the client got; null if it was not started because the user ended the run.
    url: Option<String>,
    result: Name<RunResult>,
    /// Why the result is what it is.
    reasons: Vec<String>,
    criteria: Vec<ClientCriterionDocument>,
    /// Connections opened.
    clients: u64,
    /// Connections that did not become clients, for example because the client gave up.
    rejected: u64,
    /// Connections opened after another had ended.
    reconnects: u64,
    reconnect_delay: SpanDocument,
    /// How long the client took to end a connection whose server had become silent.
    noticed: SpanDocument,
    /// Pings of the server with an outcome, and those that were answered in time.
    pings: PartDocument,
    /// Connections that ended where a close handshake was possible, and those that had one.
    closed_cleanly: PartDocument,
    /// How the client's process ended by itself; null if wscheck ended it.
    exit: Option<ClientExitDocument>,
    elapsed_ms: Ms,
}

/// A time; both are null if there was none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "ClientSpan")]
struct SpanDocument {
    /// The longest one; null if one was not over when the test ended and is longer.
    longest_ms: Option<Ms>,
    /// How long it had lasted when the test ended without it being over; null if it was over.
    at_least_ms: Option<Ms>,
}

/// How many of how many.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "ClientPart")]
struct PartDocument {
    count: u64,
    of: u64,
}

/// A criterion of one fault.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "ClientCriterion")]
struct ClientCriterionDocument {
    /// The option that demands it: `--expect`, or `--fault` for a default.
    option: Option<String>,
    wanted: String,
    /// What was found, or why it is unknown.
    found: String,
    state: Name<CriterionState>,
}

/// How a client's process ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "ClientExit")]
pub struct ClientExitDocument {
    /// The exit status; null if a signal ended it.
    code: Option<i32>,
    /// The signal that ended it; null if it exited.
    signal: Option<i32>,
    /// Time since its start.
    after_ms: Ms,
    had_connected: bool,
}

impl From<&ClientTestReport> for ClientTestDocument {
    fn from(report: &ClientTestReport) -> ClientTestDocument {
        ClientTestDocument {
            client: report.command.clone(),
            after_ms: report.after.into(),
            limit_ms: report.limit.into(),
            faults: report.tests.iter().map(FaultTestDocument::from).collect(),
        }
    }
}

impl From<&FaultTest> for FaultTestDocument {
    fn from(test: &FaultTest) -> FaultTestDocument {
        let activity = &test.activity;
        let criteria = test.criteria.iter().map(|one| ClientCriterionDocument {
            option: one.option.as_ref().map(ToString::to_string),
            wanted: one.wanted.clone(),
            found: one.found.clone(),
            state: one.state.into(),
        });
        FaultTestDocument {
            fault: test.fault,
            meaning: test.meaning.clone(),
            url: test.url.clone(),
            result: test.result.into(),
            reasons: test.reasons.clone(),
            criteria: criteria.collect(),
            clients: activity.clients,
            rejected: activity.rejected,
            reconnects: activity.reconnects,
            reconnect_delay: activity.return_delay().into(),
            noticed: activity.silence().into(),
            pings: PartDocument { count: activity.pings.ok, of: activity.pings.judged() },
            closed_cleanly: PartDocument { count: activity.closed_cleanly, of: activity.closable },
            exit: test.exit.map(ClientExitDocument::from),
            elapsed_ms: test.elapsed.into(),
        }
    }
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
