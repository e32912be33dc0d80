//! Memory of one client in the server, and its return to the system. A separate process, because it counts the whole
//! heap.

#![expect(unsafe_code, reason = "signals and limits of child processes")]

mod heap;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;
use wscheck::domain::heartbeat::HeartbeatKind;
use wscheck::server::{ServeEvent, ServeEventKind, Server, ServerConfig, ServerHeartbeats};

use self::heap::USED;

const CLIENTS: usize = 1000;

/// Raises the file limit: both ends of every connection are files of this process, and many systems allow only 1024.
fn raise_file_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls only read and write the given struct.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit), 0);
        limit.rlim_cur = limit.rlim_max;
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit), 0);
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let upgrade = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    stream.write_all(upgrade.as_bytes()).unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 101");
    stream
}

#[test]
fn idle_client_costs_less_than_8_kib() {
    raise_file_limit();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let heartbeats = ServerHeartbeats {
        kinds: vec![HeartbeatKind::Protocol],
        interval: Duration::from_secs(4),
        timeout: Duration::from_millis(500),
        ..ServerHeartbeats::default()
    };
    let config = ServerConfig { heartbeats: Arc::new(heartbeats), ..ServerConfig::default() };
    let (events, mut happened) = unbounded_channel();
    let stop = CancellationToken::new();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Arc::new(Server::new(config, events));
        let run = tokio::spawn(Arc::clone(&server).run(listener, stop.clone()));

        // The runtime allocates some state with the first client, and its task queue keeps the size for a thousand.
        connect_silent_clients(1, address, &mut happened, |_| {}).await;
        let start = USED.load(Relaxed);
        connect_silent_clients(CLIENTS, address, &mut happened, |_| {}).await;
        let before = USED.load(Relaxed);
        let (mut during, mut present) = (0, 0);
        let look = |used| (during, present) = (used, server.snapshot().clients.len());
        connect_silent_clients(CLIENTS, address, &mut happened, look).await;
        let after = USED.load(Relaxed);

        let each = (during - before) / present as isize;
        println!(
            "an idle client costs {each} bytes; heap at first {start}, after a thousand clients {before}, with \
             {present} more {during}, after them {after}"
        );
        assert!(each < 8 * 1024, "{each} bytes a client");
        assert!((after - before).abs() * 10 <= before, "heap before {before}, after {after}");
        let kept = before - start;
        assert!(kept * 100 < each * CLIENTS as isize, "{kept} bytes were kept of the first thousand");
        assert_eq!(server.snapshot().clients.len(), 0);
        stop.cancel();
        run.await.unwrap();
    });
}

/// Connects this many silent clients, measures the heap, and waits until all are reaped.
async fn connect_silent_clients(
    count: usize,
    address: SocketAddr,
    happened: &mut tokio::sync::mpsc::UnboundedReceiver<ServeEvent>,
    look: impl FnOnce(isize),
) {
    let connect_silent_clients: Vec<TcpStream> =
        tokio::task::spawn_blocking(move || (0..count).map(|_| connect(address)).collect()).await.unwrap();
    look(USED.load(Relaxed));
    let mut ended = 0;
    while ended < connect_silent_clients.len() {
        let event = happened.recv().await.unwrap();
        ended += usize::from(matches!(event.what, ServeEventKind::Closed { .. }));
    }
}
