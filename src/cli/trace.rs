//! `--trace FILE`: what the run saw and decided, as NDJSON, for a bug report. A line has `at`, `kind` and the fields of
//! that kind:
//!
//! - `frame`: a WebSocket frame or message that was sent or received
//! - `event`: an event of the run, as `-o ndjson` prints it, in `data`
//! - `order`: what the idle search orders
//! - `inference`: what was concluded, with its inputs; `of` names it
//!
//! tracing's own JSON formatter is not used: it cannot hide secrets, and would quote the events' JSON.

use std::fmt::Debug;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::SystemTime;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::domain::secrets::redact;
use crate::output::json::Timestamp;

/// The kinds of lines; events of libraries have other targets.
const KINDS: [&str; 4] = ["frame", "event", "order", "inference"];

/// Writes a trace to this file from now on.
///
/// # Errors
///
/// The file cannot be created.
pub fn start(path: &Path) -> Result<(), String> {
    let file =
        File::create(path).map_err(|error| format!("--trace: cannot write {}: {error}", path.display()))?;
    let subscriber = tracing_subscriber::registry().with(TraceFile { file: Mutex::new(file) });
    tracing::subscriber::set_global_default(subscriber).map_err(|error| format!("--trace: {error}"))
}

struct TraceFile {
    file: Mutex<File>,
}

impl<S: Subscriber> Layer<S> for TraceFile {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        KINDS.contains(&metadata.target())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = TraceLine::new(event.metadata().target());
        event.record(&mut line);
        let mut text = Value::Object(line.0).to_string();
        text.push('\n');
        if let Ok(mut file) = self.file.lock() {
            // A full disk ends the trace, not the run.
            let _ = file.write_all(text.as_bytes());
        }
    }
}

struct TraceLine(Map<String, Value>);

impl TraceLine {
    fn new(kind: &str) -> TraceLine {
        let at = serde_json::to_value(Timestamp::from(SystemTime::now())).unwrap_or_default();
        TraceLine([("at".to_string(), at), ("kind".to_string(), kind.into())].into_iter().collect())
    }

    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_string(), value.into());
    }
}

impl Visit for TraceLine {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    /// A field named `data` is JSON already.
    fn record_str(&mut self, field: &Field, value: &str) {
        match serde_json::from_str::<Value>(value) {
            Ok(json) if field.name() == "data" => self.add(field, json),
            Ok(_) | Err(_) => self.add(field, redact(value)),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, redact(&format!("{value:?}")));
    }
}
