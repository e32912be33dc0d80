//! An idle search in NDJSON: a line for each trial and sample as it comes.

use std::time::SystemTime;

use serde::Serialize;

use super::document::{
    BracketDocument, IdleSettings, ProvisionalDocument, RefreshRow, TrialDocument, VerifiedDocument,
};
use super::trials::Trial;
use crate::domain::idle::report::{IdleEvent, ProbeSighting};
use crate::domain::idle::{ProbeEvent, ProbeRole};
use crate::output::json::{FailedOpening, Ms, Name, OpeningDocument, WSCHECK_VERSION};
use crate::output::ndjson::{EventBody, bodies, run_line};

bodies! {
    /// The search begins.
    IdleStarted = "started" {
        #[cfg_attr(test, schemars(extend("const" = "probe-idle")))]
        command: &'static str,
        wscheck_version: &'static str,
        /// The target, with secrets redacted.
        url: String,
        settings: IdleSettings,
    }
    /// A connection of the search is open, and silent from now on; a control is asked all the time.
    ProbeOpened = "opened" {
        /// The connection's number in the search, from 1.
        probe: u32,
        /// The connection's role in the search.
        role: Name<ProbeRole>,
        #[serde(flatten)]
        opening: OpeningDocument,
    }
    /// A connection of the search could not be opened.
    ProbeFailed = "open_failed" {
        probe: u32,
        /// The connection's role in the search.
        role: Name<ProbeRole>,
        #[serde(flatten)]
        failure: FailedOpening,
    }
    /// The question left, after this idle span.
    Asked = "asked" {
        probe: u32,
        /// The connection's role in the search.
        role: Name<ProbeRole>,
        idle_ms: Ms,
    }
    /// The server said something unasked; the silence begins anew.
    Spoke = "received" {
        probe: u32,
        /// The connection's role in the search.
        role: Name<ProbeRole>,
        /// The length of the silence before the message.
        gap_ms: Ms,
    }
    /// A connection was asked and answered, was asked and found dead, or was seen to end.
    TrialOver = "trial" {
        trial: TrialDocument,
    }
    /// The bracket so far is another.
    BracketSoFar = "bracket" {
        bracket: BracketDocument,
    }
    /// The first estimate of the timeout, before it is confirmed.
    ProvisionalAnswer = "provisional" {
        provisional: ProvisionalDocument,
    }
    /// One row of the table of what keeps the path open is known.
    RefreshTried = "refresh" {
        row: RefreshRow,
    }
    /// It is known whether the recommendation holds.
    VerifyOver = "verified" {
        verified: VerifiedDocument,
    }
}

/// The line for an event; `None` when it has none. An event with the age of the run is dated from its start.
pub fn line(event: &IdleEvent, started_at: SystemTime) -> Option<String> {
    let dated = |elapsed| started_at.checked_add(elapsed).unwrap_or(started_at);
    Some(match event {
        IdleEvent::Started { at, info } => {
            let (url, settings) = (info.url.clone(), info.as_ref().into());
            let wscheck_version = WSCHECK_VERSION;
            run_line(*at, IdleStarted { command: "probe-idle", wscheck_version, url, settings })
        }
        IdleEvent::ProbeOpened { probe, role, at, opened } => {
            let opening = opened.as_ref().into();
            run_line(*at, ProbeOpened { probe: probe.0, role: (*role).into(), opening })
        }
        IdleEvent::OpenFailed { probe, role, at, error } => {
            let failure = error.as_ref().into();
            run_line(*at, ProbeFailed { probe: probe.0, role: (*role).into(), failure })
        }
        IdleEvent::Seen(sighting) => return seen_line(sighting),
        IdleEvent::Bracket { bracket, elapsed } => {
            run_line(dated(*elapsed), BracketSoFar { bracket: (*bracket).into() })
        }
        IdleEvent::Provisional(provisional) => {
            run_line(dated(provisional.at), ProvisionalAnswer { provisional: (*provisional).into() })
        }
        IdleEvent::RefreshRow { row, elapsed } => run_line(dated(*elapsed), RefreshTried { row: row.into() }),
        IdleEvent::Verified { verified, elapsed } => {
            run_line(dated(*elapsed), VerifyOver { verified: verified.into() })
        }
        IdleEvent::Progress(_)
        | IdleEvent::Following { .. }
        | IdleEvent::VerifyBeat { .. }
        | IdleEvent::Finished(_) => return None,
    })
}

fn seen_line(sighting: &ProbeSighting) -> Option<String> {
    let (probe, role) = (sighting.observation.probe.0, sighting.role.into());
    match sighting.observation.seen {
        ProbeEvent::Asked { idle } => {
            Some(run_line(sighting.at, Asked { probe, role, idle_ms: idle.into() }))
        }
        ProbeEvent::ServerMessage { gap } => {
            Some(run_line(sighting.at, Spoke { probe, role, gap_ms: gap.into() }))
        }
        ProbeEvent::Survived { .. } | ProbeEvent::Died { .. } | ProbeEvent::Ended { .. } => {
            let trial = TrialDocument::from(&Trial::of(sighting)?);
            Some(run_line(sighting.at, TrialOver { trial }))
        }
        ProbeEvent::Opened
        | ProbeEvent::OpenFailed { .. }
        | ProbeEvent::Beat
        | ProbeEvent::HeldBack { .. }
        | ProbeEvent::Replied => None,
    }
}
