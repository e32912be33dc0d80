//! Server-sent events (HTML Living Standard, section 9.2).

use std::fmt::Write;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt, unfold};
use tokio::time::timeout;

/// How long a stream may be quiet before a comment is sent, which shows whether the client is still there.
const COMMENT_INTERVAL: Duration = Duration::from_secs(15);

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSentEvent {
    /// The event's type: a word of ours.
    pub name: &'static str,
    /// Any text; each of its lines becomes a line of the event.
    pub data: String,
}

impl ServerSentEvent {
    /// The lines of the event. A carriage return would end a line too, so it becomes a line end.
    fn encode(&self) -> Bytes {
        let mut text = format!("event: {}\n", self.name);
        let data = self.data.replace("\r\n", "\n").replace('\r', "\n");
        for line in data.split('\n') {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "data: {line}");
        }
        text.push('\n');
        Bytes::from(text)
    }
}

/// The bytes of one client's events, and of the comments between them.
pub struct EventStream(pub(super) Pin<Box<dyn Stream<Item = Bytes> + Send>>);

impl EventStream {
    pub fn new(events: impl Stream<Item = ServerSentEvent> + Send + 'static) -> EventStream {
        EventStream(Box::pin(unfold(Box::pin(events), async |mut events| {
            match timeout(COMMENT_INTERVAL, events.next()).await {
                Ok(Some(event)) => Some((event.encode(), events)),
                Ok(None) => None,
                Err(_) => Some((Bytes::from_static(b":\n\n"), events)),
            }
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_of_several_lines_has_a_data_line_each() {
        let event = ServerSentEvent { name: "rtt", data: "a\r\nb\rid: 7\n\nc".to_string() };
        let text = String::from_utf8(event.encode().to_vec()).unwrap();
        assert_eq!(text, "event: rtt\ndata: a\ndata: b\ndata: id: 7\ndata: \ndata: c\n\n");
    }

    #[tokio::test(start_paused = true)]
    async fn quiet_stream_sends_comments() {
        let quiet = futures_util::stream::pending();
        let frames: Vec<Bytes> = EventStream::new(quiet).0.take(2).collect().await;
        assert_eq!(frames, [":\n\n", ":\n\n"]);
    }
}
