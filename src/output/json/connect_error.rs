//! Why nothing was measured, in JSON: a connection that did not open, or invalid arguments.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::connect_info::{AttemptDocument, Headers};
use super::document::document;
use super::names::Name;
use super::values::{FieldError, Ms, Text, strings};
use crate::domain::connection::connect_info::{ConnectError, FailureKind, ReachedPeer, RefusalResponse};
use crate::domain::connection::phase::Phase;
use crate::domain::run::run_result::RunResult;

document! {
    /// An error, with a hint if there is one.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "Failure"))]
    pub struct FailureDocument from error: &ConnectError {
        /// The target, with secrets redacted; null if the error is not about a target.
        url: Option<Text> = Some((&error.url).into()),
        /// The step that failed; null when no connection was attempted.
        phase: Option<Name<Phase>> = Some(error.phase.into()),
        /// What kept the connection from opening; `usage` for arguments that make no sense.
        kind: Name<FailureKind> = error.kind,
        /// The whole error in one line.
        message: Text = error,
        /// The end of `message`: the cause without target and phase.
        cause: Text = (&error.cause),
        hint: Option<Text> = error.hint.as_ref().map(Into::into),
        /// Every address that was tried.
        attempts: Vec<AttemptDocument> = error.attempts.iter().map(AttemptDocument::from).collect::<Vec<_>>(),
        /// The address that accepted the TCP connection before the failure: the server's, or the proxy's if there is one.
        /// Null if none did.
        remote: Option<Text> = error.reached.as_ref().map(|reached| (&reached.address).into()),
        /// The proxy that was used, if any.
        proxy: Option<Text> = error.reached.iter().find_map(|reached| reached.proxy.as_ref()).map(Into::into),
        /// Addresses of the same host name that were not tried, because another one answered first.
        untried: Vec<Text> = error.reached.iter().flat_map(|reached| &reached.untried).map(Into::into).collect::<Vec<Text>>(),
        /// The HTTP response that was not 101.
        refusal: Option<RefusalDocument> = error.refusal.as_ref().map(RefusalDocument::from),
    }
}

document! {
    /// The HTTP response of a refused upgrade.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "Refusal"))]
    pub struct RefusalDocument from refusal: &RefusalResponse {
        status: u16 = refusal.status,
        headers: Headers = refusal.headers.as_slice(),
        /// The start of the body; control characters are escaped.
        body: Text = (&refusal.body),
    }
}

document! {
    /// A connection that did not open, with the time it took.
    #[derive(Deserialize)]
    pub struct FailedOpening from error: &ConnectError {
        error: FailureDocument = error,
        /// Time from the start of the attempt to the failure.
        took_ms: Ms = error.took,
    }
}

/// The report of a run that could not start.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ErrorDocument {
    #[cfg_attr(test, schemars(extend("const" = super::SCHEMA_VERSION)))]
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
        message: message.into(),
        cause: message.into(),
        hint: hint.map(Into::into),
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

impl FailureDocument {
    /// The error of a connection that did not open, read back.
    pub fn error(self) -> Result<ConnectError, FieldError> {
        let (proxy, untried) = (self.proxy.map(String::from), strings(self.untried));
        Ok(ConnectError {
            url: self.url.ok_or_else(|| FieldError::missing("error.url"))?.into(),
            phase: self.phase.ok_or_else(|| FieldError::missing("error.phase"))?.0,
            kind: self.kind.0,
            cause: self.cause.into(),
            hint: self.hint.map(Into::into),
            attempts: self.attempts.into_iter().map(Into::into).collect(),
            reached: self.remote.map(|address| ReachedPeer { address: address.into(), proxy, untried }),
            refusal: self.refusal.map(RefusalResponse::from),
            // Only the event of the failure has it.
            took: Duration::ZERO,
        })
    }
}

impl From<RefusalDocument> for RefusalResponse {
    fn from(refusal: RefusalDocument) -> RefusalResponse {
        RefusalResponse {
            status: refusal.status,
            headers: refusal.headers.into(),
            body: refusal.body.into(),
            // Only doctor reads it, while it runs.
            saw_no_upgrade: false,
        }
    }
}

impl FailedOpening {
    /// The error with the time it took, read back.
    pub fn error(self) -> Result<ConnectError, FieldError> {
        Ok(ConnectError { took: self.took_ms.into(), ..self.error.error()? })
    }
}
