//! A server's output: lines for people, NDJSON or one JSON document, a live line, and the status pages.

mod document;
mod human;
mod live;
mod status_pages;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use serde::Serialize;

use crate::output::output_format::Format;
use crate::server::{ServeEvent, ServeEventKind};

pub use document::{
    BeatCounts, BeatDocument, ClientDocument, ClientsDocument, EndingCount, EndingDocument, EventDocument,
    JitterDocument, RttDocument, SCHEMA_VERSION, StatusCount, SummaryDocument,
};
use live::LiveLine;
pub use status_pages::StatusPages;

/// Writes a server's events; on a terminal with a live line.
pub struct ServeReporter<W> {
    out: W,
    format: Format,
    live: LiveLine,
}

impl<W: Write> ServeReporter<W> {
    /// Writes to `out`: stdout, or a buffer in tests.
    pub fn new(out: W, format: Format) -> ServeReporter<W> {
        ServeReporter { out, format, live: LiveLine::new() }
    }

    /// Writes one event. Fails when the output is closed (a pipe) or full (a disk).
    pub fn report(&mut self, event: &ServeEvent) -> io::Result<()> {
        let ServeReporter { out, format, live } = self;
        live.take(event, || write(out, *format, event))
    }
}

fn write(out: &mut impl Write, format: Format, event: &ServeEvent) -> io::Result<()> {
    match (format, &event.what) {
        (Format::Human, _) => writeln!(out, "{}", human::line(event))?,
        (Format::Ndjson | Format::Json | Format::CompactJson, ServeEventKind::Stopped(summary)) => {
            json(out, &SummaryDocument::new(summary))?
        }
        (Format::Ndjson, _) => json(out, &EventDocument::new(event))?,
        (Format::Json | Format::CompactJson | Format::Report(_), _) => return Ok(()),
    }
    out.flush()
}

fn json(out: &mut impl Write, document: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, document)?;
    writeln!(out)
}
