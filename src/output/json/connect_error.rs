//! Why nothing was measured, in JSON: a connection that did not open, or invalid arguments.

use schemars::JsonSchema;
use serde::Serialize;

use super::connect_info::{AttemptDocument, Headers};
use super::heartbeat_figures::Ms;
use super::names::Name;
use crate::domain::connection::connect_info::{self, ConnectError, FailureKind};
use crate::domain::connection::phase::Phase;
use crate::domain::run::run_result::RunResult;

/// An error, with a hint if there is one.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Failure")]
pub struct FailureDocument {
    /// The target, with secrets redacted; null if the error is not about a target.
    url: Option<String>,
    /// The step that failed; null when no connection was attempted.
    phase: Option<Name<Phase>>,
    /// What kept the connection from opening; `usage` for arguments that make no sense.
    kind: Name<FailureKind>,
    /// The whole error in one line.
    message: String,
    /// The end of `message`: the cause without target and phase.
    cause: String,
    hint: Option<String>,
    /// Every address that was tried.
    attempts: Vec<AttemptDocument>,
    /// The address that accepted the TCP connection before the failure: the server's, or the proxy's if there is one.
    /// Null if none did.
    remote: Option<String>,
    /// The proxy that was used, if any.
    proxy: Option<String>,
    /// Addresses of the same host name that were not tried, because another one answered first.
    untried: Vec<String>,
    /// The HTTP response that was not 101.
    refusal: Option<RefusalDocument>,
}

/// The HTTP response of a refused upgrade.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Refusal")]
pub struct RefusalDocument {
    status: u16,
    headers: Headers,
    /// The start of the body; control characters are escaped.
    body: String,
}

impl From<&connect_info::RefusalResponse> for RefusalDocument {
    fn from(refusal: &connect_info::RefusalResponse) -> RefusalDocument {
        RefusalDocument {
            status: refusal.status,
            headers: refusal.headers.as_slice().into(),
            body: refusal.body.to_string(),
        }
    }
}

impl From<&ConnectError> for FailureDocument {
    fn from(error: &ConnectError) -> FailureDocument {
        FailureDocument {
            url: Some(error.url.clone()),
            phase: Some(error.phase.into()),
            kind: error.kind.into(),
            message: error.to_string(),
            cause: error.cause.clone(),
            hint: error.hint.clone(),
            attempts: error.attempts.iter().map(AttemptDocument::from).collect(),
            remote: error.reached.as_ref().map(|reached| reached.address.clone()),
            proxy: error.reached.as_ref().and_then(|reached| reached.proxy.clone()),
            untried: error.reached.as_ref().map(|reached| reached.untried.clone()).unwrap_or_default(),
            refusal: error.refusal.as_ref().map(RefusalDocument::from),
        }
    }
}

/// A connection that did not open, with the time it took.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FailedOpening {
    error: FailureDocument,
    /// Time from the start of the attempt to the failure.
    took_ms: Ms,
}

impl From<&ConnectError> for FailedOpening {
    fn from(error: &ConnectError) -> FailedOpening {
        FailedOpening { error: error.into(), took_ms: error.took.into() }
    }
}

/// The report of a run that could not start.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ErrorDocument {
    #[schemars(extend("const" = super::SCHEMA_VERSION))]
    schema_version: u32,
    /// Null if the arguments name no command.
    command: Option<String>,
    wscheck_version: &'static str,
    /// The result of the run; it determines `exit_code`.
    result: Name<RunResult>,
    exit_code: u8,
    error: FailureDocument,
}

/// The document of an error before the run: invalid arguments, a missing file, a port that is in use.
pub fn error_document(
    command: Option<&str>,
    kind: FailureKind,
    message: &str,
    hint: Option<&str>,
    exit_code: u8,
) -> ErrorDocument {
    let error = FailureDocument {
        url: None,
        phase: None,
        kind: kind.into(),
        message: message.to_string(),
        cause: message.to_string(),
        hint: hint.map(str::to_string),
        attempts: Vec::new(),
        remote: None,
        proxy: None,
        untried: Vec::new(),
        refusal: None,
    };
    let result = RunResult::of_exit_code(exit_code);
    ErrorDocument {
        schema_version: super::SCHEMA_VERSION,
        command: command.map(str::to_string),
        wscheck_version: super::WSCHECK_VERSION,
        result: result.into(),
        exit_code,
        error,
    }
}
