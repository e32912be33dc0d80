//! A plain client on fastwebsockets: `ADDRESS CONNECTIONS INTERVAL_MS COUNT`.
//!
//! A task for each connection sends a Ping, waits for its Pong and sleeps until the next is due.

use std::time::Duration;

use fastwebsockets::{Frame, OpCode, Payload, WebSocket, handshake};
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body_util::Empty;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{CONNECTION, HOST, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use wscheck_peers::{Failure, OPENING, Order, print_rtts};

/// A WebSocket and its local port.
type Socket = (WebSocket<TokioIo<Upgraded>>, u16);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let order = Order::take(&mut std::env::args())?;
    let opening = stream::iter(0..order.connections).map(|_| open(order));
    let sockets: Vec<Socket> = opening.buffer_unordered(OPENING).try_collect().await?;
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for (index, socket) in sockets.into_iter().enumerate() {
        tasks.spawn(run(socket, order, start + order.phase(index)));
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

async fn open(order: Order) -> Result<Socket, Failure> {
    let stream = TcpStream::connect(order.address).await?;
    stream.set_nodelay(true)?;
    let port = stream.local_addr()?.port();
    let request = Request::get(format!("http://{}/", order.address))
        .header(HOST, order.address.to_string())
        .header(UPGRADE, "websocket")
        .header(CONNECTION, "upgrade")
        .header(SEC_WEBSOCKET_KEY, handshake::generate_key())
        .header(SEC_WEBSOCKET_VERSION, "13")
        .body(Empty::<Bytes>::new())?;
    Ok((handshake::client(&TokioExecutor::new(), request, stream).await?.0, port))
}

async fn run((mut socket, port): Socket, order: Order, first: Instant) -> Result<(), Failure> {
    let mut rtts = Vec::new();
    let mut due = first;
    for seq in 0..order.count {
        sleep_until(due).await;
        due += order.interval;
        let rtt = beat(&mut socket, seq).await?;
        if order.keeps_rtts() {
            rtts.push(rtt);
        }
    }
    socket.write_frame(Frame::close(1000, b"")).await?;
    Ok(print_rtts(port, &rtts)?)
}

async fn beat(socket: &mut WebSocket<TokioIo<Upgraded>>, seq: u64) -> Result<Duration, Failure> {
    let payload = seq.to_be_bytes();
    let sent = Instant::now();
    socket.write_frame(Frame::new(true, OpCode::Ping, None, Payload::Borrowed(&payload))).await?;
    loop {
        let frame = socket.read_frame().await?;
        if frame.opcode == OpCode::Pong && frame.payload[..] == payload {
            return Ok(sent.elapsed());
        }
    }
}
