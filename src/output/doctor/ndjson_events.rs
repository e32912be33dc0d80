//! The NDJSON lines of `doctor`.

use serde::Serialize;

use super::document::{CheckResultDocument, DoctorSettings};
use super::findings;
use crate::domain::doctor::report::{DoctorEvent, DoctorInfo};
use crate::output::json::WSCHECK_VERSION;
use crate::output::ndjson::{EventBody, bodies, run_line};

bodies! {
    /// It begins.
    DoctorStarted = "started" {
        #[cfg_attr(test, schemars(extend("const" = "doctor")))]
        command: &'static str,
        wscheck_version: &'static str,
        /// The target, with secrets redacted.
        url: String,
        settings: DoctorSettings,
        /// The paths that are compared, the URL itself last.
        paths: Vec<String>,
    }
    /// A check is over.
    DoctorChecked = "checked" {
        /// The path's name.
        path: String,
        check: CheckResultDocument,
    }
}

/// The line of an event; the report is the document.
pub fn line(event: &DoctorEvent, info: Option<&DoctorInfo>) -> Option<String> {
    Some(match event {
        DoctorEvent::Started { at, info } => run_line(
            *at,
            DoctorStarted {
                command: "doctor",
                wscheck_version: WSCHECK_VERSION,
                url: info.url.clone(),
                settings: info.as_ref().into(),
                paths: info.paths.iter().map(|path| path.name.clone()).collect(),
            },
        ),
        DoctorEvent::Checked { at, path, result } => {
            let info = info?;
            let path = info.paths.get(*path).map(|path| path.name.clone()).unwrap_or_default();
            let check = CheckResultDocument::new(result, findings::explain_alone(&result.finding, info));
            run_line(*at, DoctorChecked { path, check })
        }
        DoctorEvent::Progress(_) | DoctorEvent::Finished(_) => return None,
    })
}
