//! The lines with which a further file of a log begins: what was started, and the state of each connection. So each file can
//! be read by itself.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::Value;

use super::json::Timestamp;

/// What a log of NDJSON lines must repeat.
#[derive(Debug, Default)]
pub struct LogHead {
    /// The line of each group's start.
    started: BTreeMap<Option<String>, String>,
    /// Of each connection: its last opening, and its last end if that came later.
    connections: BTreeMap<ConnectionKey, ConnectionLines>,
}

type ConnectionKey = (Option<String>, u64, u64);

#[derive(Debug, Default)]
struct ConnectionLines {
    opened: Option<String>,
    ended: Option<String>,
}

/// What a line says of itself.
#[derive(Deserialize)]
struct Head {
    event: String,
    group: Option<String>,
    connection: Option<Id>,
}

#[derive(Deserialize)]
struct Id {
    target: u64,
    index: u64,
}

impl LogHead {
    /// Notes a line of the log.
    pub fn observe(&mut self, line: &str) {
        // Most lines are heartbeats.
        if !["\"started\"", "\"opened\"", "\"closed\"", "\"removed\""]
            .iter()
            .any(|event| line.contains(event))
        {
            return;
        }
        let Ok(Head { event, group, connection }) = serde_json::from_str(line) else { return };
        match (event.as_str(), connection) {
            ("started", None) => {
                self.started.insert(group, line.to_string());
            }
            ("removed", None) => {
                self.started.remove(&group);
                self.connections.retain(|(of, _, _), _| *of != group);
            }
            ("opened", Some(Id { target, index })) => {
                let lines = ConnectionLines { opened: Some(line.to_string()), ended: None };
                self.connections.insert((group, target, index), lines);
            }
            ("closed", Some(Id { target, index })) => {
                self.connections.entry((group, target, index)).or_default().ended = Some(line.to_string());
            }
            _ => {}
        }
    }

    /// The lines, as of now: what comes after them belongs to a run that begins now.
    pub fn lines(&self, now: SystemTime) -> Vec<String> {
        let started = self.started.values().map(|line| begun_at(line, now));
        let connections = self.connections.values();
        let of_connections = connections.flat_map(|lines| [&lines.opened, &lines.ended]).flatten().cloned();
        started.chain(of_connections).collect()
    }
}

/// The line of a start, at another time.
fn begun_at(line: &str, now: SystemTime) -> String {
    let mut value: Value = serde_json::from_str(line).unwrap_or_default();
    if let (Some(at), Ok(now)) = (value.get_mut("at"), serde_json::to_value(Timestamp::from(now))) {
        *at = now;
    }
    value.to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn head_has_the_start_and_the_state_of_each_connection() {
        let mut head = LogHead::default();
        let of = |event: &str, index: u64| {
            format!(
                "{{\"event\":\"{event}\",\"at\":\"2026-01-01T00:00:00Z\",\"connection\":{{\"target\":0,\"index\":{index}}}}}"
            )
        };
        head.observe("{\"event\":\"started\",\"at\":\"2026-01-01T00:00:00Z\",\"targets\":[\"ws://a/\"]}");
        for (event, index) in [
            ("opened", 0),
            ("heartbeat", 0),
            ("closed", 0),
            ("opened", 0),
            ("opened", 1),
            ("closed", 1),
            ("open_failed", 2),
        ] {
            head.observe(&of(event, index));
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
        let started = "{\"event\":\"started\",\"at\":\"1970-01-02T00:00:00Z\",\"targets\":[\"ws://a/\"]}";
        let lines = [started.to_string(), of("opened", 0), of("opened", 1), of("closed", 1)];
        assert_eq!(
            head.lines(now),
            lines.map(|line| line.replace("1970-01-02T00:00:00Z", "1970-01-02T00:00:00.000000Z"))
        );
    }
}
