//! Connections of HTTP/2 that several WebSockets share.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Weak};

use tokio::sync::Mutex;

use crate::domain::connection::connect_info::{ConnectInfo, SharedHttp2};
use crate::domain::connection::phase::PhaseTimes;
use crate::domain::connection::target::Target;
use crate::net::transport::http2::Http2Connection;

/// Open connections of HTTP/2, each of which carries up to a number of WebSockets.
#[derive(Debug)]
pub struct Http2Pool {
    streams_each: u32,
    /// How many connections were opened.
    opened: AtomicU32,
    /// Locked while a connection is opened, so that no more are opened than needed.
    pub(super) open: Mutex<Vec<PooledConnection>>,
}

/// A connection, and the details of its opening. It ends with its last stream.
#[derive(Debug)]
pub(super) struct PooledConnection {
    url: String,
    connection: Weak<Http2Connection>,
    facts: ConnectInfo,
}

impl Http2Pool {
    /// A pool whose connections carry up to `streams_each` WebSockets, and no more than their server allows.
    pub fn new(streams_each: u32) -> Http2Pool {
        Http2Pool { streams_each, opened: AtomicU32::new(0), open: Mutex::default() }
    }

    /// A connection of `open` to the target that can carry one WebSocket more. The phases of its opening are not those of a
    /// later WebSocket.
    pub(super) fn free(
        &self,
        open: &mut Vec<PooledConnection>,
        target: &Target,
    ) -> Option<(Arc<Http2Connection>, ConnectInfo)> {
        open.retain(|pooled| pooled.connection.strong_count() > 0);
        let url = target.to_string();
        open.iter().filter(|pooled| pooled.url == url).find_map(|pooled| {
            let connection = pooled.connection.upgrade()?;
            // Each stream, also one that is being opened, holds the connection once; so does this function.
            let streams = Arc::strong_count(&connection) - 1;
            let has_room =
                streams < (self.streams_each as usize).min(connection.max_streams()) && !connection.is_over();
            has_room
                .then(|| (connection, ConnectInfo { phases: PhaseTimes::default(), ..pooled.facts.clone() }))
        })
    }
}

impl Http2Pool {
    /// Adds to `open` a connection that was opened to the target with the details `facts`, which learn its number.
    pub(super) fn add(
        &self,
        open: &mut Vec<PooledConnection>,
        target: &Target,
        connection: &Arc<Http2Connection>,
        facts: &mut ConnectInfo,
    ) {
        facts.shared_http2 = Some(SharedHttp2 {
            number: NonZeroU32::MIN.saturating_add(self.opened.fetch_add(1, Relaxed)),
            streams_wanted: self.streams_each,
            streams_allowed: connection.frames().max_streams(),
        });
        let (url, facts) = (target.to_string(), facts.clone());
        open.push(PooledConnection { url, connection: Arc::downgrade(connection), facts });
    }
}
