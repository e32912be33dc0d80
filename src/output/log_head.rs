//! The lines with which a further file of a log begins: what was started, and the state of each connection. So each file can
//! be read by itself, and several as one.

use std::collections::{BTreeMap, HashSet};
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::Value;

use super::json::Timestamp;
use super::ndjson::ConnectionId;

/// What a log of NDJSON lines must repeat.
#[derive(Debug, Default)]
pub struct LogHead {
    /// The line of each group's start.
    started: BTreeMap<Option<String>, String>,
    /// Of each connection: its last opening, its last end if that came later, and its last change of status.
    connections: BTreeMap<ConnectionKey, ConnectionLines>,
}

type ConnectionKey = (Option<String>, ConnectionId);

#[derive(Debug, Default)]
struct ConnectionLines {
    opened: Option<String>,
    ended: Option<String>,
    status: Option<String>,
}

/// What a line says of itself.
#[derive(Deserialize)]
struct Head {
    event: String,
    group: Option<String>,
    connection: Option<ConnectionId>,
    kind: Option<String>,
}

impl LogHead {
    /// Notes a line of the log.
    pub fn observe(&mut self, line: &str) {
        // Most lines are heartbeats.
        const KEPT: [&str; 5] = ["\"started\"", "\"opened\"", "\"closed\"", "\"status\"", "\"removed\""];
        if !KEPT.iter().any(|event| line.contains(event)) {
            return;
        }
        let Ok(Head { event, group, connection, kind }) = serde_json::from_str(line) else { return };
        match (event.as_str(), connection) {
            ("started", None) => {
                self.started.insert(group, line.to_string());
            }
            ("removed", None) => {
                self.started.remove(&group);
                self.connections.retain(|(of, _), _| *of != group);
            }
            ("opened", Some(id)) => {
                let lines = self.connections.entry((group, id)).or_default();
                *lines = ConnectionLines {
                    opened: Some(line.to_string()),
                    ended: None,
                    status: lines.status.take(),
                };
            }
            // That of a kind has a kind.
            ("status", Some(id)) if kind.is_none() => {
                self.connections.entry((group, id)).or_default().status = Some(line.to_string());
            }
            ("closed", Some(id)) => {
                self.connections.entry((group, id)).or_default().ended = Some(line.to_string());
            }
            _ => {}
        }
    }

    /// The lines, as of now: what comes after them belongs to a run that begins now.
    pub fn lines(&self, now: SystemTime) -> Vec<String> {
        let started = self.started.values().map(|line| begun_at(line, now));
        let connections = self.connections.values();
        let of_connections = connections.flat_map(|lines| [&lines.opened, &lines.ended, &lines.status]);
        let of_connections = of_connections.flatten().cloned();
        started.chain(of_connections).collect()
    }
}

/// The line of a start, at another time.
fn begun_at(line: &str, now: SystemTime) -> String {
    let mut value: Value = serde_json::from_str(line).unwrap_or_default();
    if let (Some(at), Ok(now)) = (value.get_mut("at"), serde_json::to_value(Timestamp::from(now))) {
        *at = now;
    }
    if let Some(fields) = value.as_object_mut() {
        fields.insert("continued".to_string(), true.into());
    }
    value.to_string()
}

/// What [`joined`] reads of a line. RFC 3339 in UTC with as many digits each sorts as time does.
#[derive(Deserialize)]
struct Stamped<'a> {
    event: &'a str,
    at: &'a str,
    continued: Option<bool>,
}

/// The files of one log as one text, the oldest first whatever their order; `None` if they are not the files of one log.
pub fn joined(mut texts: Vec<&str>) -> Option<String> {
    let first = |text: &str| {
        let line: Stamped = serde_json::from_str(text.lines().next()?).ok()?;
        (line.event == "started").then(|| (line.at.to_string(), line.continued == Some(true)))
    };
    if texts.iter().any(|text| first(text).is_none()) {
        return None;
    }
    texts.sort_by_cached_key(|text| first(text));
    let (oldest, later) = texts.split_first()?;
    if !later.iter().all(|text| first(text).is_some_and(|(_, is_continued)| is_continued)) {
        return None;
    }
    let mut whole = oldest.to_string();
    let mut seen: HashSet<&str> = oldest.lines().collect();
    for text in later {
        // Its head repeats lines that an earlier file has, but for the starts.
        let is_head = |line: &&str| {
            let is_start =
                |line: &str| serde_json::from_str::<Stamped>(line).is_ok_and(|line| line.event == "started");
            is_start(line) || seen.contains(line)
        };
        if !whole.ends_with('\n') {
            whole.push('\n');
        }
        text.lines().skip_while(is_head).for_each(|line| whole += &format!("{line}\n"));
        seen = text.lines().collect();
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    /// An event may have come just before its file began; the order of the arguments does not count.
    #[test]
    fn files_of_one_log_are_one_text() {
        let line = |event: &str, at: u64, more: &str| {
            format!("{{\"event\":\"{event}\",\"at\":\"2026-01-01T00:00:0{at}Z\"{more}}}\n")
        };
        let opened = line("opened", 1, ",\"n\":0");
        let first = line("started", 0, "") + &opened + &line("heartbeat", 2, "");
        let head = line("started", 4, ",\"continued\":true") + &opened;
        let later = line("heartbeat", 3, "") + &line("opened", 5, ",\"n\":1");
        let whole = first.clone() + &later;
        let second = head + &later;
        assert_eq!(joined(vec![&second, &first]), Some(whole));
        assert_eq!(joined(vec![&first, &first]), None, "two runs are no log");
        assert_eq!(joined(vec![&first, "{}"]), None);
    }

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
        let started = "{\"event\":\"started\",\"at\":\"1970-01-02T00:00:00Z\",\"targets\":[\"ws://a/\"],\"continued\":true}";
        let lines = [started.to_string(), of("opened", 0), of("opened", 1), of("closed", 1)];
        assert_eq!(
            head.lines(now),
            lines.map(|line| line.replace("1970-01-02T00:00:00Z", "1970-01-02T00:00:00.000000Z"))
        );
    }
}
