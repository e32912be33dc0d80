//! What waits for a client that did not read.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::domain::connection::close_cause::CloseCause;
use crate::net::client::observer::{Observer, ObserverEvent};
use crate::net::transport::tap::TcpIntrospect;

/// What lies in the peer's buffers comes within this time of the room for it...
const READ_GAP_TIMEOUT: Duration = Duration::from_millis(300);
/// ... and if that was waited for so long in all, what comes is said meanwhile, and none of it.
const MAX_TOTAL_WAIT: Duration = Duration::from_secs(1);
/// A flood is not read for longer.
const MAX_READ_TIME: Duration = Duration::from_secs(5);

/// The system tells of a moment no more exactly than this.
const CLOCK_GRAIN: Duration = Duration::from_millis(20);

/// What waited.
#[derive(Debug)]
pub struct UnreadBacklog {
    /// How the connection ended, if it did.
    pub ending: Option<CloseCause>,
    /// How many heartbeats waited before.
    pub unread: u64,
    /// When the last bytes came, if none did while it was read, and the system tells.
    pub came: Option<Instant>,
}

/// Reads while there is something that waited; in a `hurry` no longer than what lies at hand takes.
pub async fn read_on<S: AsyncRead + AsyncWrite + TcpIntrospect + Unpin>(
    observer: &mut Observer<'_, S>,
    hurry: &CancellationToken,
) -> UnreadBacklog {
    let before = last_came(observer.stream());
    let (ending, unread) = read(observer, hurry).await;
    let after = last_came(observer.stream());
    let came =
        before.zip(after).filter(|(before, after)| *after <= *before + CLOCK_GRAIN).map(|(before, _)| before);
    UnreadBacklog { ending, unread, came }
}

/// When the last bytes came, as the system tells.
fn last_came(stream: &impl TcpIntrospect) -> Option<Instant> {
    let ago = stream.tcp()?.last_data;
    Instant::now().checked_sub(ago)
}

async fn read<S: AsyncRead + AsyncWrite + Unpin>(
    observer: &mut Observer<'_, S>,
    hurry: &CancellationToken,
) -> (Option<CloseCause>, u64) {
    let (mut unread, mut patience, began) = (0, MAX_TOTAL_WAIT, Instant::now());
    loop {
        let asked = Instant::now();
        let Ok(heard) = timeout(READ_GAP_TIMEOUT.min(patience), observer.next()).await else { break };
        patience = patience.saturating_sub(asked.elapsed());
        match heard {
            ObserverEvent::Ended(cut) => return (Some(observer.ending(cut)), unread),
            ObserverEvent::ServerEvent { said, .. } => unread += u64::from(said.sound.asks()),
            ObserverEvent::Answered { .. }
            | ObserverEvent::Bytes { .. }
            | ObserverEvent::KeepaliveSent { .. } => {}
        }
        let most = if hurry.is_cancelled() { READ_GAP_TIMEOUT } else { MAX_READ_TIME };
        if patience.is_zero() || began.elapsed() >= most {
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

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// What a server that says a Ping so many times, so far apart, and then goodbye, is found to have said, and after
    /// how long.
    async fn found(pings: u32, apart: Duration, hurry: bool) -> (bool, u64, Duration) {
        let (near, far) = duplex(64 * 1024);
        let tap = Tap::new(near);
        let marks = tap.state();
        let mut socket = WebSocket::new(tap, Vec::new(), marks, 65_536, 1024).await;
        let config = ObserverConfig {
            shapes: KnownPings::default(),
            answers_messages: false,
            pings: None,
            messages: false,
            ask: Template::default(),
            answer: Pattern::default(),
            convention: ProtocolProfile::default(),
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
        let UnreadBacklog { ending, unread, .. } = read_on(&mut observer, &cancel).await;
        let took = start.elapsed();
        script.abort();
        (ending.is_some(), unread, took)
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_behind_a_backlog_is_found() {
        assert_eq!(found(50, ms(0), false).await, (true, 50, ms(0)));
        assert_eq!(found(3, ms(200), false).await, (true, 3, ms(600)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_said_meanwhile_is_no_backlog() {
        assert_eq!(found(100, ms(250), false).await, (false, 4, ms(1000)));
        assert_eq!(found(100, ms(400), false).await, (false, 1, ms(300)));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_in_a_hurry_reads_what_lies_at_hand() {
        assert_eq!(found(50, ms(0), true).await, (true, 50, ms(0)));
        assert_eq!(found(100, ms(250), true).await, (false, 3, ms(500)));
    }
}
