//! What thousands of connections cost a plain tokio-tungstenite client that does nothing but ping: the yardstick for
//! `wscheck ping -n`.
//!
//! `cargo run --release --example plain_herd -- 127.0.0.1:9001 10000 60`: opens so many connections, sends a Ping a second on
//! each for so many seconds, and prints how many Pongs came and their RTTs. Watch its CPU time and memory from outside.

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hdrhistogram::Histogram;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

type Failure = Box<dyn Error + Send + Sync>;

const SECOND: Duration = Duration::from_secs(1);
/// As `wscheck ping` has for few connections.
const READ_BUFFER: usize = 4096;

async fn open(address: &str) -> Result<WebSocketStream<TcpStream>, Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER).write_buffer_size(0);
    Ok(client_async_with_config(format!("ws://{address}/"), stream, Some(config)).await?.0)
}

async fn ping(
    mut socket: WebSocketStream<TcpStream>,
    first: Instant,
    until: Instant,
    rtts: Arc<Mutex<Histogram<u32>>>,
) -> Result<(), Failure> {
    let mut ticks = interval_at(first, SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for number in 0_u64.. {
        let due = ticks.tick().await;
        if due >= until {
            break;
        }
        let sent = Instant::now();
        socket.send(Message::Ping(number.to_be_bytes().to_vec().into())).await?;
        while !socket.next().await.ok_or("it ended")??.is_pong() {}
        rtts.lock().map_err(|_| "a panic")?.record(sent.elapsed().as_nanos() as u64)?;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let usage = "usage: plain_herd ADDRESS CONNECTIONS SECONDS";
    let mut args = std::env::args().skip(1);
    let address = args.next().ok_or(usage)?;
    let (count, seconds) =
        (args.next().ok_or(usage)?.parse::<u32>()?, args.next().ok_or(usage)?.parse::<u32>()?);
    let mut sockets = Vec::new();
    for _ in 0..count {
        sockets.push(open(&address).await?);
    }
    let rtts = Arc::new(Mutex::new(Histogram::new(3)?));
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for (number, socket) in (0..count).zip(sockets) {
        let first = start + SECOND * number / count;
        tasks.spawn(ping(socket, first, start + SECOND * seconds, Arc::clone(&rtts)));
    }
    sleep_until(start + SECOND * seconds).await;
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    let rtts = rtts.lock().map_err(|_| "a panic")?;
    let us = |quantile| rtts.value_at_quantile(quantile) / 1000;
    println!(
        "{} pongs; RTT p50 {} us, p99 {} us, max {} us",
        rtts.len(),
        us(0.5),
        us(0.99),
        rtts.max() / 1000
    );
    Ok(())
}
