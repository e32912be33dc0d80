//! A heartbeat allocates nothing on an established connection, from the session to the recorder. A separate process,
//! because it counts every allocation.

#![expect(unsafe_code, reason = "a global allocator is unsafe to implement")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wscheck::domain::heartbeat::HeartbeatKind;
use wscheck::domain::ping::event::{ConnEvent, ConnId, Event};
use wscheck::domain::ping::health::{Status, StatusLimits};
use wscheck::domain::ping::recorder::Recorder;
use wscheck::domain::ping::run_info::RunInfo;
use wscheck::domain::ping::verdict::PassCriteria;
use wscheck::net::client::session::heartbeat_state::NextNumbers;
use wscheck::net::client::session::plan::SessionPlan;
use wscheck::net::client::session::{self, SessionSignals, SessionStart};
use wscheck::net::client::websocket::WebSocket;
use wscheck::net::transport::tap::{Tap, TcpIntrospect, TimestampedRead};
use wscheck::net::transport::upgraded_stream::UpgradedStream;

/// Counts allocations.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system allocator and is only counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller keeps the contract, which is the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract, which is the system allocator's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// An in-memory socket.
struct Memory(DuplexStream);

impl AsyncRead for Memory {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl TimestampedRead for Memory {}

impl TcpIntrospect for Memory {}

impl AsyncWrite for Memory {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Number of connections: enough that statistics are kept as for thousands.
const CONNECTIONS: usize = 40;
const BEFORE: u64 = 500;
const COUNTED: u64 = 2000;

fn plan() -> SessionPlan {
    SessionPlan {
        expected_close: Vec::new(),
        kinds: vec![HeartbeatKind::Protocol],
        interval: Some(Duration::from_secs(1)),
        degraded_interval: None,
        timeout: Duration::from_secs(10),
        count: Some(BEFORE + COUNTED),
        limits: StatusLimits::default().into(),
        ask: Default::default(),
        answer: Default::default(),
        answer_pings: true,
        shown_messages: 0,
        profile: Default::default(),
    }
}

/// Answers every Ping after 5 ms, until something else comes.
async fn peer(mut far: DuplexStream) {
    let mut ping = [0; 22];
    while far.read_exact(&mut ping).await.is_ok() && ping[..2] == [0x89, 0x90] {
        let mut pong = [0; 18];
        pong[..2].copy_from_slice(&[0x8a, 0x10]);
        (0..16).for_each(|n| pong[2 + n] = ping[6 + n] ^ ping[2 + n % 4]);
        tokio::time::sleep(Duration::from_millis(5)).await;
        far.write_all(&pong).await.unwrap();
    }
}

type Told = (ConnId, ConnEvent);

async fn connection(index: usize, events: mpsc::UnboundedSender<Told>) {
    let (near, far) = tokio::io::duplex(4096);
    tokio::spawn(peer(far));
    let tap = Tap::new(Memory(near));
    let socket = WebSocket::new(UpgradedStream::of(tap), 65_536, 1024).await;
    let now = Instant::now();
    let start = SessionStart {
        nonce: index as u64,
        first_due: vec![now + Duration::from_millis(index as u64)],
        first: vec![NextNumbers::default()],
        opened_at: now,
        status: Status::Unknown,
    };
    let emit = |event| drop(events.send((ConnId { target: 0, index }, event)));
    let stop = CancellationToken::new();
    let stops = SessionSignals { over: &stop, at_once: &stop, ask_now: None };
    session::run(socket, &plan(), start, Box::new(emit), stops).await;
}

fn recorder() -> Recorder {
    let plan = plan();
    let info = RunInfo {
        deadline: None,
        preset: None,
        targets: vec!["ws://a/".to_string()],
        connections_each: CONNECTIONS,
        worst: 5,
        lists_all: false,
        kinds: plan.kinds,
        interval: plan.interval,
        timeout: plan.timeout,
        outage_after: plan.timeout,
        count: plan.count,
        demands: Default::default(),
    };
    Recorder::new(Arc::new(info), PassCriteria::default(), SystemTime::UNIX_EPOCH)
}

#[tokio::test(start_paused = true)]
async fn heartbeat_allocates_nothing() {
    let mut recorder = recorder();
    let (events, mut told) = mpsc::unbounded_channel();
    for index in 0..CONNECTIONS {
        tokio::spawn(connection(index, events.clone()));
    }
    drop(events);
    let (mut batch, mut before, mut after) = (Vec::new(), None, None);
    while told.recv_many(&mut batch, 1024).await > 0 {
        for (id, event) in batch.drain(..) {
            recorder.observe(&Event::Connection { id, at: SystemTime::UNIX_EPOCH, event });
        }
        let answered = recorder.tally().answered / CONNECTIONS as u64;
        let counted = ALLOCATIONS.load(Relaxed);
        if answered == BEFORE {
            before.get_or_insert(counted);
        }
        // One less than the end, when connections begin to close.
        if answered == BEFORE + COUNTED - 1 {
            after.get_or_insert(counted);
        }
    }
    assert_eq!(recorder.tally().answered, (BEFORE + COUNTED) * CONNECTIONS as u64);
    assert_eq!(
        after.unwrap() - before.unwrap(),
        0,
        "allocations in {} heartbeats",
        COUNTED * CONNECTIONS as u64
    );
}
