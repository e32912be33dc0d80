//! A plain client on tokio-tungstenite: `ADDRESS CONNECTIONS INTERVAL_MS COUNT READ_BUFFER`.
//!
//! A task for each connection sends a Ping, waits for its Pong and sleeps until the next is due.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt, TryStreamExt, stream};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use wscheck_peers::{Failure, OPENING, Order, print_rtts, take};

type Socket = WebSocketStream<TcpStream>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut args = std::env::args();
    let order = Order::take(&mut args)?;
    let read_buffer = take(&mut args, "READ_BUFFER")?;
    let opening = stream::iter(0..order.connections).map(|_| open(order, read_buffer));
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

async fn open(order: Order, read_buffer: usize) -> Result<Socket, Failure> {
    let stream = TcpStream::connect(order.address).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(read_buffer);
    let url = format!("ws://{}/", order.address);
    Ok(client_async_with_config(url, stream, Some(config)).await?.0)
}

async fn run(mut socket: Socket, order: Order, first: Instant) -> Result<(), Failure> {
    let port = socket.get_ref().local_addr()?.port();
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
    socket.close(None).await?;
    Ok(print_rtts(port, &rtts)?)
}

async fn beat(socket: &mut Socket, seq: u64) -> Result<Duration, Failure> {
    let payload = seq.to_be_bytes();
    let sent = Instant::now();
    socket.send(Message::Ping(payload.to_vec().into())).await?;
    loop {
        match socket.next().await.ok_or("the connection ended")?? {
            Message::Pong(answer) if answer[..] == payload => return Ok(sent.elapsed()),
            _ => {}
        }
    }
}
