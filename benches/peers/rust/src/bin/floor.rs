//! The floor: the least that a client can do, with a blocking socket and nothing between it and the kernel.
//!
//! - `ADDRESS 1 INTERVAL_MS COUNT kernel`: RTTs from the kernel's transmit stamp to its receive stamp
//! - `ADDRESS 1 INTERVAL_MS COUNT user`: RTTs from before the write to after the read
//! - `ADDRESS 1 0 COUNT flood`: the next Ping leaves when the Pong came; prints heartbeats and seconds

use std::io::{self, IoSliceMut, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::cmsg_space;
use nix::sys::socket::sockopt::Timestamping;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrIn, TimestampingFlag, Timestamps, recvmsg, setsockopt,
};
use wscheck_peers::{Failure, Order, print_rtts, take};

const MASK: [u8; 4] = [0x3a, 0x5c, 0x91, 0xe7];
const FRAME: usize = 14;
const ANSWER: usize = 10;

fn main() -> Result<(), Failure> {
    let mut args = std::env::args();
    let order = Order::take(&mut args)?;
    let how: String = take(&mut args, "kernel|user|flood")?;
    let mut stream = open(&order)?;
    match how.as_str() {
        "kernel" => report(&stream, &order, kernel(&stream)?),
        "user" => report(&stream, &order, user),
        "flood" => Ok(flood(&mut stream, order.count)?),
        other => Err(format!("argument {other}: none of kernel, user, flood").into()),
    }
}

fn open(order: &Order) -> Result<TcpStream, Failure> {
    let mut stream = TcpStream::connect(order.address)?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        order.address
    );
    stream.write_all(request.as_bytes())?;
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    if head.starts_with(b"HTTP/1.1 101") { Ok(stream) } else { Err("the server did not upgrade".into()) }
}

/// One heartbeat at a time, at start + k * interval.
fn report(
    stream: &TcpStream,
    order: &Order,
    mut beat: impl FnMut(&TcpStream, u64) -> Result<Duration, Failure>,
) -> Result<(), Failure> {
    let start = Instant::now();
    let mut rtts = Vec::new();
    for seq in 0..order.count {
        let due = order.interval * u32::try_from(seq)?;
        std::thread::sleep(due.saturating_sub(start.elapsed()));
        rtts.push(beat(stream, seq)?);
    }
    Ok(print_rtts(stream.local_addr()?.port(), &rtts)?)
}

fn user(stream: &TcpStream, seq: u64) -> Result<Duration, Failure> {
    let frame = ping(seq);
    let mut answer = [0; ANSWER];
    let sent = Instant::now();
    (&mut &*stream).write_all(&frame)?;
    (&mut &*stream).read_exact(&mut answer)?;
    let rtt = sent.elapsed();
    check(&answer, seq)?;
    Ok(rtt)
}

/// A heartbeat timed by the kernel alone.
fn kernel(
    stream: &TcpStream,
) -> Result<impl FnMut(&TcpStream, u64) -> Result<Duration, Failure> + use<>, Failure> {
    let flags = TimestampingFlag::SOF_TIMESTAMPING_TX_SOFTWARE
        | TimestampingFlag::SOF_TIMESTAMPING_RX_SOFTWARE
        | TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE
        | TimestampingFlag::SOF_TIMESTAMPING_OPT_ID
        | TimestampingFlag::SOF_TIMESTAMPING_OPT_TSONLY;
    setsockopt(stream, Timestamping, &flags)?;
    Ok(|stream: &TcpStream, seq| {
        (&mut &*stream).write_all(&ping(seq))?;
        let mut answer = [0; ANSWER];
        let received = receive(stream, &mut answer, MsgFlags::MSG_WAITALL)?;
        check(&answer, seq)?;
        let left = receive(stream, &mut [], MsgFlags::MSG_ERRQUEUE)?;
        let last_byte = (seq + 1) * FRAME as u64 - 1;
        if left.id != Some(last_byte as u32) {
            return Err(format!("the transmit stamp is of byte {:?}, not {last_byte}", left.id).into());
        }
        Ok(received.at.checked_sub(left.at).ok_or("the pong came before the ping left")?)
    })
}

struct Stamp {
    at: Duration,
    /// Of a transmit stamp: the last byte that it is of.
    id: Option<u32>,
}

fn receive(stream: &TcpStream, bytes: &mut [u8], flags: MsgFlags) -> Result<Stamp, Failure> {
    let mut slices = [IoSliceMut::new(bytes)];
    let mut control = cmsg_space!(Timestamps, [u8; 64]);
    let message = recvmsg::<SockaddrIn>(stream.as_raw_fd(), &mut slices, Some(&mut control), flags)?;
    let (mut at, mut id) = (None, None);
    for control in message.cmsgs()? {
        match control {
            ControlMessageOwned::ScmTimestampsns(stamps) => at = Some(Duration::from(stamps.system)),
            ControlMessageOwned::Ipv4RecvErr(error, _) => id = Some(error.ee_data),
            _ => {}
        }
    }
    Ok(Stamp { at: at.ok_or("no stamp of the kernel's")?, id })
}

fn flood(stream: &mut TcpStream, count: u64) -> io::Result<()> {
    let start = Instant::now();
    let mut answer = [0; ANSWER];
    for seq in 0..count {
        stream.write_all(&ping(seq))?;
        stream.read_exact(&mut answer)?;
    }
    println!("{count} {}", start.elapsed().as_secs_f64());
    Ok(())
}

/// A masked Ping frame whose payload is its number (RFC 6455 5.2).
fn ping(seq: u64) -> [u8; FRAME] {
    let mut frame = [0; FRAME];
    frame[..2].copy_from_slice(&[0x89, 0x88]);
    frame[2..6].copy_from_slice(&MASK);
    for (index, byte) in seq.to_be_bytes().into_iter().enumerate() {
        frame[6 + index] = byte ^ MASK[index % 4];
    }
    frame
}

fn check(answer: &[u8], seq: u64) -> Result<(), Failure> {
    let right = answer[..2] == [0x8a, 8] && answer[2..] == seq.to_be_bytes();
    if right { Ok(()) } else { Err(format!("the answer to {seq} is {answer:?}").into()) }
}
