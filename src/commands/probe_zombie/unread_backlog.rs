//! Reads the backlog of a client that did not read.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::domain::connection::close_cause::CloseCause;
use crate::net::client::observer::{Observer, ObserverEvent};
use crate::net::transport::tap::TcpIntrospect;

/// Data in the peer's send buffer arrives within this time once there is buffer space.
const READ_GAP_TIMEOUT: Duration = Duration::from_millis(300);
/// After waiting this long in total, further data is new and not part of the backlog.
const MAX_TOTAL_WAIT: Duration = Duration::from_secs(1);
/// Maximum time to read a flood.
const MAX_READ_TIME: Duration = Duration::from_secs(5);

/// Accuracy of the operating system's time of the last data.
const CLOCK_GRAIN: Duration = Duration::from_millis(20);

/// The backlog of a client.
#[derive(Debug)]
pub struct UnreadBacklog {
    /// How the connection ended, if it did.
    pub ending: Option<CloseCause>,
    /// Heartbeats in the backlog.
    pub unread: u64,
    /// When the last bytes came: known if none came while reading and the system reports it.
    pub last_bytes_at: Option<Instant>,
}

/// Reads the backlog; `hurry` limits the time to what is already there.
pub async fn read_backlog<S: AsyncRead + AsyncWrite + TcpIntrospect + Unpin>(
    observer: &mut Observer<'_, S>,
    hurry: &CancellationToken,
) -> UnreadBacklog {
    let before = last_data_at(observer.stream());
    let (ending, unread) = read(observer, hurry).await;
    let after = last_data_at(observer.stream());
    let last_bytes_at =
        before.zip(after).filter(|(before, after)| *after <= *before + CLOCK_GRAIN).map(|(before, _)| before);
    UnreadBacklog { ending, unread, last_bytes_at }
}

/// When the operating system received the last bytes.
fn last_data_at(stream: &impl TcpIntrospect) -> Option<Instant> {
    let ago = stream.tcp()?.last_data;
    Instant::now().checked_sub(ago)
}

async fn read<S: AsyncRead + AsyncWrite + TcpIntrospect + Unpin>(
    observer: &mut Observer<'_, S>,
    hurry: &CancellationToken,
) -> (Option<CloseCause>, u64) {
    let (mut unread, mut wait_left, began) = (0, MAX_TOTAL_WAIT, Instant::now());
    loop {
        let asked = Instant::now();
        let Ok(event) = timeout(READ_GAP_TIMEOUT.min(wait_left), observer.next()).await else { break };
        wait_left = wait_left.saturating_sub(asked.elapsed());
        match event {
            ObserverEvent::Ended(cut) => return (Some(observer.ending(cut)), unread),
            ObserverEvent::ServerEvent { event, .. } => unread += u64::from(event.event_kind.asks()),
            ObserverEvent::Answered { .. }
            | ObserverEvent::Bytes { .. }
            | ObserverEvent::KeepaliveSent { .. } => {}
        }
        let max_time = if hurry.is_cancelled() { READ_GAP_TIMEOUT } else { MAX_READ_TIME };
        if wait_left.is_zero() || began.elapsed() >= max_time {
            break;
        }
        tokio::task::coop::consume_budget().await;
    }
    (None, unread)
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;
    use tokio::time::sleep;

    use super::*;
    use crate::domain::heartbeat::pattern::Pattern;
    use crate::domain::heartbeat::protocol_profile::ProtocolProfile;
    use crate::domain::heartbeat::template::Template;
    use crate::domain::listen::known_pings::KnownPings;
    use crate::net::client::observer::ObserverConfig;
    use crate::net::client::websocket::WebSocket;
    use crate::net::testing::raw_peer::{CLOSE, PING, RawPeer};
    use crate::net::transport::tap::Tap;
    use crate::net::transport::upgraded_stream::UpgradedStream;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// What is found of a server that sends this many Pings at this distance and then closes: whether the end was
    /// found, the number of Pings, and the time it took.
    async fn found(pings: u32, apart: Duration, hurry: bool) -> (bool, u64, Duration) {
        let (near, far) = duplex(64 * 1024);
        let tap = Tap::new(near);
        let mut socket = WebSocket::new(UpgradedStream::of(tap), 65_536, 1024).await;
        let config = ObserverConfig {
            known_pings: KnownPings::default(),
            answers_messages: false,
            pings: None,
            messages: false,
            ask: Template::default(),
            answer: Pattern::default(),
            profile: ProtocolProfile::default(),
        };
        let (mut peer, start) = (RawPeer { io: far }, Instant::now());
        let script = tokio::spawn(async move {
            for _ in 0..pings {
                peer.send(PING, b"x").await;
                sleep(apart).await;
            }
            peer.send(CLOSE, &[0x03, 0xe8]).await;
            peer
        });
        let cancel = CancellationToken::new();
        hurry.then(|| cancel.cancel());
        let mut observer = Observer::new(&mut socket, config, start);
        let UnreadBacklog { ending, unread, .. } = read_backlog(&mut observer, &cancel).await;
        let took = start.elapsed();
        script.abort();
        (ending.is_some(), unread, took)
    }

    #[tokio::test(start_paused = true)]
    async fn end_behind_a_backlog_is_found() {
        assert_eq!(found(50, ms(0), false).await, (true, 50, ms(0)));
        assert_eq!(found(3, ms(200), false).await, (true, 3, ms(600)));
    }

    #[tokio::test(start_paused = true)]
    async fn new_data_is_not_backlog() {
        assert_eq!(found(100, ms(250), false).await, (false, 4, ms(1000)));
        assert_eq!(found(100, ms(400), false).await, (false, 1, ms(300)));
    }

    #[tokio::test(start_paused = true)]
    async fn hurried_read_takes_only_what_is_there() {
        assert_eq!(found(50, ms(0), true).await, (true, 50, ms(0)));
        assert_eq!(found(100, ms(250), true).await, (false, 3, ms(500)));
    }
}
