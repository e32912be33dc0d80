//! How many heartbeats a second one connection allows at most: a blocking client that writes a Ping, reads its Pong, and
//! does nothing else. The yardstick for `wscheck ping --adaptive`.
//!
//! `cargo run --release --example blocking_ping -- 127.0.0.1:9001 10`: pings for so many seconds and prints the rate.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
/// As long as the payloads of `wscheck ping`.
const PAYLOAD: usize = 16;

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: blocking_ping ADDRESS SECONDS";
    let mut args = std::env::args().skip(1);
    let mut stream = TcpStream::connect(args.next().ok_or(usage)?)?;
    let length = Duration::from_secs(args.next().ok_or(usage)?.parse()?);
    stream.set_nodelay(true)?;
    stream.write_all(UPGRADE)?;
    let mut last = [0; 4];
    while last != *b"\r\n\r\n" {
        last.rotate_left(1);
        stream.read_exact(&mut last[3..])?;
    }
    // A mask of zeros leaves the payload as it is.
    let mut ping = [0; 6 + PAYLOAD];
    ping[..2].copy_from_slice(&[0x89, 0x80 | PAYLOAD as u8]);
    let mut pong = [0; 2 + PAYLOAD];
    let (start, mut count) = (Instant::now(), 0_u64);
    while start.elapsed() < length {
        ping[6..14].copy_from_slice(&count.to_be_bytes());
        stream.write_all(&ping)?;
        stream.read_exact(&mut pong)?;
        if pong[2..] != ping[6..] {
            return Err("another Pong than ours".into());
        }
        count += 1;
    }
    println!("{count} heartbeats, {:.0} a second", count as f64 / start.elapsed().as_secs_f64());
    Ok(())
}
