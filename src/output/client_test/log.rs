//! What people read while the client is tested: a line for each step.

use crate::commands::test_client::{TestClientEvent, TestClientEventKind};
use crate::domain::client_test::report::FaultTest;
use crate::domain::format::{self, counted};
use crate::domain::label::Label;
use crate::output::human::HumanOptions;
use crate::output::serve::close_text;
use crate::server::{ServeEvent, ServeEventKind};

/// The lines of events.
#[derive(Debug)]
pub struct ClientTestLog {
    quiet: bool,
}

impl ClientTestLog {
    pub fn new(options: HumanOptions) -> ClientTestLog {
        ClientTestLog { quiet: options.quiet }
    }

    /// What people read of an event, newline included.
    pub fn line(&self, event: &TestClientEvent) -> Option<String> {
        if self.quiet {
            return None;
        }
        let text = text(&event.what)?;
        Some(match event.fault {
            Some(fault) => format!("{fault}: {text}\n"),
            None => format!("{text}\n"),
        })
    }
}

fn text(what: &TestClientEventKind) -> Option<String> {
    Some(match what {
        TestClientEventKind::Started { command, faults, limit } => {
            let (faults, limit) = (counted(faults.len() as u64, "fault"), format::duration(*limit));
            format!("testing '{command}' against {faults}, at most {limit} each (Ctrl-C ends it)")
        }
        TestClientEventKind::ClientStarted { url } => format!("client started, server on {url}"),
        TestClientEventKind::Server(event) => server_text(event)?,
        TestClientEventKind::ClientExited(exit) => exit.to_string(),
        TestClientEventKind::TestOver(test) => over(test),
        TestClientEventKind::Finished(_) => return None,
    })
}

fn over(test: &FaultTest) -> String {
    match test.reasons.as_slice() {
        [] => test.result.label().to_string(),
        reasons => format!("{}: {}", test.result.label(), reasons.join("; ")),
    }
}

fn server_text(event: &ServeEvent) -> Option<String> {
    let id = event.client.unwrap_or_default();
    Some(match &event.what {
        ServeEventKind::Opened { .. } => format!("connection {id} opened"),
        ServeEventKind::Rejected { why, .. } => format!("connection {id} rejected: {why}"),
        ServeEventKind::Fault(fault) => format!("connection {id}: fault {fault}"),
        ServeEventKind::SilenceNoticed { after } => {
            format!("connection {id}: the client noticed the silence after {}", format::duration(*after))
        }
        ServeEventKind::Closed { ending, .. } => format!("connection {id} ended: {}", close_text(ending)),
        ServeEventKind::Error(message) => format!("error: {message}"),
        ServeEventKind::Listening(_)
        | ServeEventKind::Status(_)
        | ServeEventKind::DeadClientClosed { .. }
        | ServeEventKind::Stopped(_) => return None,
    })
}
