//! Shows what happens in a server: a line for people, or NDJSON.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::ending::{Ending, How};
use crate::server::{ServerEvent, Summary, What};

/// The version of the documents below; fields are only ever added.
pub const SCHEMA_VERSION: u32 = 1;

/// How a server's events are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Human,
    Ndjson,
    /// One document at the end.
    Json,
}

/// Writes one event. An error is the writer's, such as a closed pipe.
pub fn write(out: &mut impl Write, format: Format, event: &ServerEvent) -> io::Result<()> {
    match format {
        Format::Human => writeln!(out, "{}", human(event))?,
        Format::Ndjson => json(out, &EventDocument::new(event))?,
        Format::Json => {
            if let What::Stopped(summary) = &event.what {
                json(out, &SummaryDocument::new(summary))?;
            }
        }
    }
    out.flush()
}

fn json(out: &mut impl Write, document: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, document)?;
    writeln!(out)
}

/// An event as one line, or several for the last.
fn human(event: &ServerEvent) -> String {
    let client = event.client.map(|id| format!("#{id} ")).unwrap_or_default();
    format!("{} {client}{}", clock(event.at), what(&event.what))
}

fn what(what: &What) -> String {
    match what {
        What::Listening { address, secure } => {
            format!("listening on {}://{address}/ (Ctrl-C stops)", if *secure { "wss" } else { "ws" })
        }
        What::Connected { remote, resource, subprotocol, faulty } => {
            let subprotocol =
                subprotocol.as_ref().map(|name| format!(", subprotocol {name}")).unwrap_or_default();
            let faulty = if *faulty { ", faults apply" } else { "" };
            format!("connected from {remote} to {resource}{subprotocol}{faulty}")
        }
        What::TurnedAway { remote, why } => format!("turned away {remote}: {why}"),
        What::Fault(fault) => format!("fault: {fault}"),
        What::Ended(ending) => {
            format!("ended after {}: {}", short(ending.age), ended(ending))
        }
        What::Trouble(what) => format!("trouble: {what}"),
        What::Stopped(summary) => summary_lines(summary),
    }
}

/// As the ending's own words, seen from the server: the peer is the client.
fn ended(ending: &Ending) -> String {
    ending.to_string().replacen("peer", "client", 1)
}

fn summary_lines(summary: &Summary) -> String {
    let mut lines = format!(
        "stopped after {}: {} clients ({} at most at once), {} turned away, {} messages, {} pings, {} app pings",
        short(summary.elapsed),
        summary.clients,
        summary.most_at_once,
        summary.turned_away,
        summary.messages,
        summary.pings,
        summary.app_pings,
    );
    for (ending, count) in &summary.endings {
        lines.push_str(&format!("\n  ended by {ending}: {count}"));
    }
    lines
}

/// `12.3 s`, `250 ms`.
fn short(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.1} s"),
        seconds => format!("{:.0} ms", seconds * 1000.0),
    }
}

/// The time of day, UTC.
fn clock(at: SystemTime) -> String {
    jiff::Timestamp::try_from(at)
        .map_or_else(|_| String::from("?"), |at| at.strftime("%H:%M:%S%.3f").to_string())
}

fn rfc3339(at: SystemTime) -> String {
    jiff::Timestamp::try_from(at).map_or_else(|_| String::new(), |at| format!("{at:.3}"))
}

/// Milliseconds with microsecond resolution.
fn ms(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}

/// One event of `wscheck serve -o ndjson`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EventDocument {
    pub schema_version: u32,
    /// `listening`, `connected`, `turned_away`, `fault`, `ended`, `trouble`, `stopped`.
    pub event: &'static str,
    /// RFC 3339, UTC.
    pub at: String,
    /// The connection's number, from 1; absent for the server as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Of `listening`: whether by TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subprotocol: Option<String>,
    /// Of `connected`: whether the faults happen to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faulty: Option<bool>,
    /// Of `turned_away`: the reason's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<EndingDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<SummaryDocument>,
}

/// How a client ended, seen from the server.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EndingDocument {
    /// `peer` (the client), `us` (the server), `network`.
    pub who: &'static str,
    pub how: &'static str,
    pub code: Option<u16>,
    pub reason: Option<String>,
    pub os_error: Option<String>,
    pub age_ms: f64,
    pub idle_ms: f64,
}

/// What a run of the server came to: the document of `-o json`, and the last event's.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SummaryDocument {
    pub schema_version: u32,
    pub command: &'static str,
    /// RFC 3339, UTC.
    pub started_at: String,
    pub elapsed_ms: f64,
    pub clients: u64,
    pub most_at_once: u64,
    pub turned_away: u64,
    pub messages: u64,
    pub pings: u64,
    pub app_pings: u64,
    pub endings: Vec<EndingCount>,
}

/// How many clients ended so.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EndingCount {
    /// Who and how, as `peer close_frame`.
    pub ending: String,
    pub count: u64,
}

impl EventDocument {
    fn blank(event: &ServerEvent, name: &'static str) -> EventDocument {
        EventDocument {
            schema_version: SCHEMA_VERSION,
            event: name,
            at: rfc3339(event.at),
            client: event.client,
            address: None,
            secure: None,
            port: None,
            resource: None,
            subprotocol: None,
            faulty: None,
            reason: None,
            text: None,
            ending: None,
            summary: None,
        }
    }

    /// The event as scripts see it.
    pub fn new(event: &ServerEvent) -> EventDocument {
        let blank = |name| EventDocument::blank(event, name);
        match &event.what {
            What::Listening { address, secure } => EventDocument {
                address: Some(address.to_string()),
                port: Some(address.port()),
                secure: Some(*secure),
                ..blank("listening")
            },
            What::Connected { remote, resource, subprotocol, faulty } => EventDocument {
                address: Some(remote.clone()),
                resource: Some(resource.to_string()),
                subprotocol: subprotocol.clone(),
                faulty: Some(*faulty),
                ..blank("connected")
            },
            What::TurnedAway { remote, why } => EventDocument {
                address: Some(remote.clone()),
                reason: Some(why.label()),
                text: Some(why.to_string()),
                ..blank("turned_away")
            },
            What::Fault(fault) => EventDocument { text: Some(fault.clone()), ..blank("fault") },
            What::Ended(ending) => EventDocument {
                text: Some(ended(ending)),
                ending: Some(EndingDocument::new(ending)),
                ..blank("ended")
            },
            What::Trouble(text) => EventDocument { text: Some(text.clone()), ..blank("trouble") },
            What::Stopped(summary) => {
                EventDocument { summary: Some(SummaryDocument::new(summary)), ..blank("stopped") }
            }
        }
    }
}

impl EndingDocument {
    fn new(ending: &Ending) -> EndingDocument {
        let (code, reason) = match &ending.how {
            How::CloseFrame { code, reason } => (*code, Some(reason.to_string())),
            How::Violation { detail, .. } => (None, Some(detail.to_string())),
            How::Fin | How::Rst | How::TlsClose | How::Silent | How::Timeout | How::Error => (None, None),
        };
        EndingDocument {
            who: ending.who.label(),
            how: ending.how.label(),
            code,
            reason: reason.filter(|reason| !reason.is_empty()),
            os_error: ending.os_error.clone(),
            age_ms: ms(ending.age),
            idle_ms: ms(ending.idle),
        }
    }
}

impl SummaryDocument {
    /// The summary as scripts see it.
    pub fn new(summary: &Summary) -> SummaryDocument {
        let count = |(ending, count): (&String, &u64)| EndingCount { ending: ending.clone(), count: *count };
        SummaryDocument {
            schema_version: SCHEMA_VERSION,
            command: "serve",
            started_at: rfc3339(summary.started_at),
            elapsed_ms: ms(summary.elapsed),
            clients: summary.clients,
            most_at_once: summary.most_at_once as u64,
            turned_away: summary.turned_away,
            messages: summary.messages,
            pings: summary.pings,
            app_pings: summary.app_pings,
            endings: summary.endings.iter().map(count).collect(),
        }
    }
}
