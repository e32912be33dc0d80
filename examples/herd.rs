//! What ten thousand idle clients cost `wscheck serve`, and whether its heartbeats leave in bursts.
//!
//! `cargo run --release --example herd -- target/release/wscheck 10000 30s`: starts the server with a
//! heartbeat of that interval, connects so many clients that answer it, watches for one and a half
//! intervals, and prints memory per client, CPU, and the most heartbeats that came in any 10 ms.

use std::error::Error;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::Instant;
use wscheck::domain::duration::parse_duration;

const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const WINDOW: Duration = Duration::from_millis(10);

type Failure = Box<dyn Error + Send + Sync>;

/// The server's process; ends with this value.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    async fn start(binary: &str, interval: &str) -> Result<Server, Failure> {
        let port_file = std::env::temp_dir().join(format!("wscheck-herd-{}", std::process::id()));
        let child = Command::new(binary)
            .args(["serve", "--bind", "127.0.0.1:0", "--interval", interval, "--port-file"])
            .arg(&port_file)
            .stdout(Stdio::null())
            .spawn()?;
        let mut server = Server { child, port: 0 };
        while server.port == 0 {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("the server ended: {status}").into());
            }
            tokio::time::sleep(WINDOW).await;
            let written = std::fs::read_to_string(&port_file).unwrap_or_default();
            server.port = written.trim().parse().unwrap_or(0);
        }
        std::fs::remove_file(&port_file)?;
        Ok(server)
    }

    /// Resident memory of its own, in bytes.
    fn memory(&self) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).ok_or("no RssAnon")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? * 1024)
    }

    /// CPU time so far, user and system.
    fn cpu(&self) -> Result<Duration, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let after_name = stat.rsplit_once(')').ok_or("no name in stat")?.1;
        let ticks = |n| after_name.split_whitespace().nth(n).and_then(|ticks| ticks.parse::<u32>().ok());
        // Fields 14 and 15 of proc(5), in hundredths of a second.
        Ok(Duration::from_millis(10) * (ticks(11).ok_or("no utime")? + ticks(12).ok_or("no stime")?))
    }
}

/// A client that answers every ping and tells when it came.
async fn client(port: u16, beats: UnboundedSender<Instant>) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(UPGRADE).await?;
    let mut last = [0; 4];
    while last != *b"\r\n\r\n" {
        last.rotate_left(1);
        last[3] = stream.read_u8().await?;
    }
    tokio::spawn(async move {
        let mut frame = [0; 127];
        while stream.read_exact(&mut frame[..2]).await.is_ok() {
            let length = usize::from(frame[1] & 0x7f);
            if length > 125 || stream.read_exact(&mut frame[2..2 + length]).await.is_err() {
                return;
            }
            let _ = beats.send(Instant::now());
            // A mask of zeros leaves the payload as it is.
            let mut pong = vec![0x8a, 0x80 | frame[1], 0, 0, 0, 0];
            pong.extend_from_slice(&frame[2..2 + length]);
            if frame[0] != 0x89 || stream.write_all(&pong).await.is_err() {
                return;
            }
        }
    });
    Ok(())
}

fn most_in_a_window(beats: &[Instant]) -> usize {
    let within = |n: usize| beats[n..].iter().take_while(|beat| **beat < beats[n] + WINDOW).count();
    (0..beats.len()).map(within).max().unwrap_or(0)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: herd PATH-OF-WSCHECK CLIENTS INTERVAL";
    let (binary, count, interval) =
        (args.next().ok_or(usage)?, args.next().ok_or(usage)?.parse::<u32>()?, args.next().ok_or(usage)?);
    let server = Server::start(&binary, &interval).await?;
    let interval = parse_duration(&interval)?;
    let empty = server.memory()?;
    let (sender, mut receiver) = unbounded_channel();
    for _ in 0..count {
        client(server.port, sender.clone()).await?;
    }
    tokio::time::sleep(interval / 2).await;
    let (cpu, memory, start) = (server.cpu()?, server.memory()?, Instant::now());
    while receiver.try_recv().is_ok() {}
    tokio::time::sleep(interval).await;
    let (cpu, elapsed) = (server.cpu()? - cpu, start.elapsed());
    let beats: Vec<Instant> = std::iter::from_fn(|| receiver.try_recv().ok()).collect();
    let most = most_in_a_window(&beats);
    println!("{count} clients, a heartbeat every {interval:?}");
    println!(
        "memory: {} bytes a client ({memory} with, {empty} without)",
        (memory - empty) / u64::from(count)
    );
    println!("CPU: {:.2} % of a core", 100.0 * cpu.as_secs_f64() / elapsed.as_secs_f64());
    println!("heartbeats: {} came; at most {most} in any 10 ms (allowed: {})", beats.len(), count / 100 + 10);
    Ok(())
}
