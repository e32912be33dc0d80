//! The judge: a packet capture on the loopback interface, with the kernel's timestamps.
//!
//! `PORT`: prints `ready`, then takes every packet with a payload between the server on PORT and its clients until its
//! standard input ends, and prints a line `CLIENT_PORT xPAYLOAD_HEX RTT_NS CROSSED_NS` for each Ping and its Pong. The last
//! line is `dropped N torn N`: by the kernel, for want of room, and gaps in what was seen.
//!
//! A packet passes the loopback interface twice, going out and coming in, and is stamped each time. The RTT is from the
//! Ping going out to the Pong coming in; CROSSED, from the Ping coming in, is what tcpdump would tell, since libpcap hides
//! what goes out there. The kernel's transmit stamp is taken between the two.
//!
//! `PORT PAYLOAD`: the same of TLS 1.3, whose records tell no more than their size: those with a Ping or a Pong of so many
//! bytes of payload are numbered, and the number takes the place of the payload.
//!
//! `PORT h2`: the same of WebSockets over HTTP/2, one on each connection: the payloads of its DATA frames are their frames.
//!
//! It looks ten times a second, not at each packet, so as not to disturb.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::io::{self, IoSliceMut, Read, Write as _};
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use nix::cmsg_space;
use nix::sys::socket::sockopt::{RcvBufForce, ReceiveTimestampns};
use nix::sys::socket::{ControlMessageOwned, LinkAddr, MsgFlags, recvmsg, setsockopt};
use nix::sys::time::TimeSpec;
use wscheck_peers::{Failure, take};

const ROOM: usize = 256 << 20;
/// Opcodes (RFC 6455 5.2).
const PING: u8 = 9;
const PONG: u8 = 10;
const LOOK: Duration = Duration::from_millis(100);

static OVER: AtomicBool = AtomicBool::new(false);

fn main() -> Result<(), Failure> {
    let mut args = std::env::args();
    args.next();
    let port = take(&mut args, "PORT")?;
    let framing = match args.next() {
        None => Framing::Http1,
        Some(text) if text == "h2" => Framing::Http2,
        Some(text) => Framing::Tls { payload: text.parse().map_err(|_| "PAYLOAD must be a number, or h2")? },
    };
    let socket = tap(port)?;
    println!("ready");
    std::thread::spawn(|| {
        let _ = io::stdin().read(&mut [0]);
        OVER.store(true, Relaxed);
    });
    let mut bench = Bench { port, framing, ..Bench::default() };
    let mut bytes = vec![0; 1 << 16];
    while !OVER.load(Relaxed) {
        std::thread::sleep(LOOK);
        drain(&socket, &mut bytes, &mut bench)?;
    }
    let _ = writeln!(bench.found, "dropped {} torn {}", dropped(&socket)?, bench.torn);
    Ok(io::stdout().write_all(bench.found.as_bytes())?)
}

/// A packet socket on the loopback interface that takes only what [`program`] lets pass (packet(7)).
fn tap(port: u16) -> Result<OwnedFd, Failure> {
    let all = (libc::ETH_P_ALL as u16).to_be();
    // SAFETY: no pointers; protocol 0 takes nothing before the filter is in place.
    let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if fd < 0 {
        return Err(format!("cannot open a packet socket (root?): {}", io::Error::last_os_error()).into());
    }
    // SAFETY: a descriptor that is ours.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let mut program = program(port);
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: zeroes are valid, and the name ends with 0.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = all;
    address.sll_ifindex = unsafe { libc::if_nametoindex(c"lo".as_ptr()) } as i32;
    // SAFETY: both point to values of the size that is told.
    let failed = unsafe {
        libc::setsockopt(
            fd,
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const filter).cast(),
            size_of::<libc::sock_fprog>() as u32,
        ) < 0
            || libc::bind(fd, (&raw const address).cast(), size_of::<libc::sockaddr_ll>() as u32) < 0
    };
    if failed {
        return Err(format!("cannot capture on lo: {}", io::Error::last_os_error()).into());
    }
    setsockopt(&socket, ReceiveTimestampns, &true)?;
    setsockopt(&socket, RcvBufForce, &ROOM)?;
    Ok(socket)
}

/// Classic BPF: TCP over IPv4 with a payload, to the server's port both times that it passes, or from it on its
/// way in.
fn program(port: u16) -> Vec<libc::sock_filter> {
    const OUTGOING: u32 = 4;
    const PACKET_TYPE: u32 = (-0x1000_i32 + 4) as u32;
    const LEAVE: u8 = 22;
    let port = u32::from(port);
    let leave_from = |index: u8| LEAVE - index - 1;
    let steps: [(u16, u8, u8, u32); 23] = [
        (0x30, 0, 0, 0),                    //  0 version and header length
        (0x54, 0, 0, 0xf0),                 //  1
        (0x15, 0, leave_from(2), 0x40),     //  2 IPv4?
        (0x30, 0, 0, 9),                    //  3 protocol
        (0x15, 0, leave_from(4), 6),        //  4 TCP?
        (0xb1, 0, 0, 0),                    //  5 X = 4 * header length
        (0x48, 0, 0, 2),                    //  6 destination port
        (0x15, 4, 0, port),                 //  7 to the server? to 12
        (0x28, 0, 0, PACKET_TYPE),          //  8
        (0x15, leave_from(9), 0, OUTGOING), // 9 on its way out?
        (0x48, 0, 0, 0),                    // 10 source port
        (0x15, 0, leave_from(11), port),    // 11 from the server?
        (0x50, 0, 0, 12),                   // 12 TCP header length
        (0x54, 0, 0, 0xf0),                 // 13
        (0x74, 0, 0, 2),                    // 14
        (0x0c, 0, 0, 0),                    // 15 + X
        (0x02, 0, 0, 0),                    // 16 M[0] = all headers
        (0x28, 0, 0, 2),                    // 17 total length
        (0x61, 0, 0, 0),                    // 18 X = M[0]
        (0x1c, 0, 0, 0),                    // 19 A -= X
        (0x15, leave_from(20), 0, 0),       // 20 nothing but headers?
        (0x06, 0, 0, u32::MAX),             // 21 take it
        (0x06, 0, 0, 0),                    // 22 leave it
    ];
    steps.into_iter().map(|(code, jt, jf, k)| libc::sock_filter { code, jt, jf, k }).collect()
}

fn drain(socket: &OwnedFd, bytes: &mut [u8], bench: &mut Bench) -> Result<(), Failure> {
    loop {
        let mut slices = [IoSliceMut::new(bytes)];
        let mut control = cmsg_space!(TimeSpec);
        let message = match recvmsg::<LinkAddr>(
            socket.as_raw_fd(),
            &mut slices,
            Some(&mut control),
            MsgFlags::MSG_DONTWAIT,
        ) {
            Ok(message) => message,
            Err(nix::errno::Errno::EAGAIN) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let stamp = message.cmsgs()?.find_map(|control| match control {
            ControlMessageOwned::ScmTimestampns(stamp) => Some(Duration::from(stamp)),
            _ => None,
        });
        let address = message.address;
        let (length, stamp) = (message.bytes, stamp.ok_or("a packet without a timestamp")?);
        let outgoing = address.ok_or("a packet without an address")?.pkttype() == libc::PACKET_OUTGOING;
        bench.hear(&bytes[..length], outgoing, stamp);
    }
}

fn dropped(socket: &OwnedFd) -> Result<u32, Failure> {
    let mut stats = libc::tpacket_stats { tp_packets: 0, tp_drops: 0 };
    let mut length = size_of::<libc::tpacket_stats>() as u32;
    // SAFETY: both point to values of the size that is told.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            (&raw mut stats).cast(),
            &mut length,
        )
    };
    if result < 0 { Err(io::Error::last_os_error().into()) } else { Ok(stats.tp_drops) }
}

/// What the frames of a WebSocket come in.
#[derive(Clone, Copy, Default)]
enum Framing {
    /// After a head.
    #[default]
    Http1,
    /// In TLS records, with this many bytes of payload in a Ping.
    Tls { payload: usize },
    /// In DATA frames of HTTP/2.
    Http2,
}

/// What was seen so far.
#[derive(Default)]
struct Bench {
    port: u16,
    framing: Framing,
    connections: HashMap<u16, Connection>,
    found: String,
    torn: u64,
}

#[derive(Default)]
struct Connection {
    left: Asks,
    crossed: Asks,
    answers: Flow,
}

/// The Pings as seen at one moment of their way.
#[derive(Default)]
struct Asks {
    flow: Flow,
    open: VecDeque<(Vec<u8>, Duration)>,
}

impl Bench {
    /// Takes an IPv4 packet, which the filter let pass.
    fn hear(&mut self, packet: &[u8], outgoing: bool, at: Duration) {
        let total = usize::from(word(packet, 2)).min(packet.len());
        let segment = &packet[usize::from(packet[0] & 15) * 4..total];
        let (from, to) = (word(segment, 0), word(segment, 2));
        let number = u32::from_be_bytes([segment[4], segment[5], segment[6], segment[7]]);
        let payload = &segment[usize::from(segment[12] >> 4) * 4..];
        let client = if to == self.port { from } else { to };
        let connection = self.connections.entry(client).or_default();
        self.torn += u64::from(match (to == self.port, outgoing) {
            (true, true) => connection.left.take(number, payload, at, self.framing),
            (true, false) => connection.crossed.take(number, payload, at, self.framing),
            (false, _) => connection.answers.take(number, payload),
        });
        while let Some((opcode, payload)) = connection.answers.next_frame(self.framing) {
            if opcode == PONG {
                connection.answered(client, &payload, at, &mut self.found);
            }
        }
    }
}

impl Connection {
    fn answered(&mut self, client: u16, payload: &[u8], at: Duration, found: &mut String) {
        let (Some(left), Some(crossed)) = (self.left.answered(payload), self.crossed.answered(payload))
        else {
            return;
        };
        let _ = write!(found, "{client} x");
        payload.iter().for_each(|byte| {
            let _ = write!(found, "{byte:02x}");
        });
        let _ = writeln!(found, " {} {}", (at - left).as_nanos(), (at - crossed).as_nanos());
    }
}

impl Asks {
    fn take(&mut self, number: u32, payload: &[u8], at: Duration, framing: Framing) -> bool {
        let torn = self.flow.take(number, payload);
        while let Some((opcode, payload)) = self.flow.next_frame(framing) {
            if opcode == PING {
                self.open.push_back((payload, at));
            }
        }
        torn
    }

    /// When the oldest Ping that asked the same was seen; those before it are not answered.
    fn answered(&mut self, payload: &[u8]) -> Option<Duration> {
        let index = self.open.iter().position(|(ask, _)| ask == payload)?;
        self.open.drain(..=index).next_back().map(|(_, at)| at)
    }
}

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

/// One direction of a connection: an HTTP head, then frames; or TLS records; or frames of HTTP/2.
#[derive(Default)]
struct Flow {
    next: Option<u32>,
    bytes: Vec<u8>,
    /// Of HTTP/2: what its DATA frames held.
    data: Vec<u8>,
    upgraded: bool,
    /// Records that were taken for a Ping or a Pong.
    numbered: u128,
}

impl Flow {
    /// Takes a segment's payload; what was seen already is left out. Says whether something is missing before it.
    fn take(&mut self, number: u32, payload: &[u8]) -> bool {
        let next = *self.next.get_or_insert(number);
        let seen = next.wrapping_sub(number) as i32;
        self.next = Some(number.wrapping_add(payload.len() as u32));
        if seen < 0 {
            self.bytes.clear();
            self.bytes.extend_from_slice(payload);
            return true;
        }
        match payload.get(seen as usize..) {
            Some(new) if !new.is_empty() => self.bytes.extend_from_slice(new),
            _ => self.next = Some(next),
        }
        false
    }

    fn next_frame(&mut self, framing: Framing) -> Option<(u8, Vec<u8>)> {
        match framing {
            Framing::Tls { payload } => self.record(payload),
            Framing::Http2 => {
                self.unpack();
                frame(&mut self.data)
            }
            Framing::Http1 => {
                self.skip_head()?;
                frame(&mut self.bytes)
            }
        }
    }

    /// Takes whole frames of HTTP/2 (RFC 9113 4.1), and keeps what DATA frames hold. Nobody here pads them.
    fn unpack(&mut self) {
        const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        const DATA: u8 = 0;
        if !self.upgraded && self.bytes.starts_with(PREFACE) {
            self.bytes.drain(..PREFACE.len());
        }
        while let Some(&[high, middle, low, kind, ..]) = self.bytes.get(..9) {
            let end = 9 + usize::from(high) * 65_536 + usize::from(middle) * 256 + usize::from(low);
            let Some(payload) = self.bytes.get(9..end) else { return };
            if kind == DATA {
                self.data.extend_from_slice(payload);
            }
            self.bytes.drain(..end);
            self.upgraded = true;
        }
    }

    fn skip_head(&mut self) -> Option<()> {
        if !self.upgraded {
            let end = self.bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
            self.bytes.drain(..end);
            self.upgraded = true;
        }
        Some(())
    }

    /// The next whole TLS record, as the frame that it must be by its size: of application data (RFC 8446 5.2), with
    /// a type and an authentication tag of 17 bytes, and a frame's head of 6 bytes to the server and 2 from it.
    fn record(&mut self, payload: usize) -> Option<(u8, Vec<u8>)> {
        const APPLICATION_DATA: u8 = 23;
        let length = usize::from(word(self.bytes.get(..5)?, 3));
        let kind = *self.bytes.get(..5 + length)?.first()?;
        self.bytes.drain(..5 + length);
        let opcode = match length.checked_sub(17 + payload) {
            Some(6) if kind == APPLICATION_DATA => PING,
            Some(2) if kind == APPLICATION_DATA => PONG,
            _ => return Some((0, Vec::new())),
        };
        self.numbered += 1;
        Some((opcode, (self.numbered - 1).to_be_bytes().to_vec()))
    }
}

/// The next whole frame: its opcode and its payload, unmasked (RFC 6455 5.2).
fn frame(bytes: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (mut head, length) = match second & 0x7f {
        126 => (4, usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    let mask: [u8; 4] = match second & 0x80 {
        0 => [0; 4],
        _ => {
            head += 4;
            bytes.get(head - 4..head)?.try_into().ok()?
        }
    };
    let payload = bytes.get(head..head.checked_add(length)?)?;
    let plain = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    bytes.drain(..head + length);
    Some((first & 15, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: u16 = 9001;
    const CLIENT: u16 = 40_000;
    const HEAD: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
    /// RFC 6455 5.7: a masked Pong's bytes, made a Ping; and an unmasked Pong.
    const PING: &[u8] = &[0x89, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    const PONG: &[u8] = &[0x8a, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];

    fn packet(from: u16, to: u16, number: u32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 40];
        bytes[0] = 0x45;
        bytes[2..4].copy_from_slice(&(40 + payload.len() as u16).to_be_bytes());
        bytes[20..22].copy_from_slice(&from.to_be_bytes());
        bytes[22..24].copy_from_slice(&to.to_be_bytes());
        bytes[24..28].copy_from_slice(&number.to_be_bytes());
        bytes[32] = 0x50;
        bytes.extend_from_slice(payload);
        bytes
    }

    struct Scene {
        bench: Bench,
        asked: u32,
        answered: u32,
    }

    impl Scene {
        fn upgraded() -> Scene {
            let bench = Bench { port: SERVER, ..Bench::default() };
            let mut scene = Scene { bench, asked: u32::MAX - 30, answered: 7 };
            scene.ask(HEAD, 0);
            scene.answer(HEAD, 0);
            scene
        }

        /// Something from the client, going out and coming in 3 ns later.
        fn ask(&mut self, payload: &[u8], at: u64) {
            let packet = packet(CLIENT, SERVER, self.asked, payload);
            self.bench.hear(&packet, true, Duration::from_nanos(at));
            self.bench.hear(&packet, false, Duration::from_nanos(at + 3));
            self.asked = self.asked.wrapping_add(payload.len() as u32);
        }

        fn answer(&mut self, payload: &[u8], at: u64) {
            let packet = packet(SERVER, CLIENT, self.answered, payload);
            self.bench.hear(&packet, false, Duration::from_nanos(at));
            self.answered = self.answered.wrapping_add(payload.len() as u32);
        }

        fn found(&self) -> &str {
            &self.bench.found
        }
    }

    #[test]
    fn a_ping_and_its_pong_are_an_rtt_from_both_moments_of_the_ping() {
        let mut scene = Scene::upgraded();
        scene.ask(PING, 1000);
        scene.answer(PONG, 1500);
        assert_eq!(scene.found(), "40000 x48656c6c6f 500 497\n");
        assert_eq!(scene.bench.torn, 0);
    }

    #[test]
    fn under_tls_the_size_tells_a_ping_and_a_pong() {
        let mut scene = Scene {
            bench: Bench { port: SERVER, framing: Framing::Tls { payload: 5 }, ..Bench::default() },
            asked: 0,
            answered: 0,
        };
        let record =
            |kind, length: usize| [&[kind, 3, 3, 0, length as u8][..], &vec![0xaa; length][..]].concat();
        scene.ask(&record(22, 28), 100);
        scene.answer(&record(23, 90), 200);
        scene.answer(&[record(22, 24), record(23, 53)].concat(), 300);
        scene.ask(&record(23, 28), 1000);
        scene.answer(&record(23, 24), 1500);
        scene.ask(&record(23, 28), 2000);
        scene.answer(&record(23, 24), 2400);
        let (first, second) = (format!("40000 x{:032x} 500 497", 0), format!("40000 x{:032x} 400 397", 1));
        assert_eq!(scene.found(), format!("{first}\n{second}\n"));
    }

    #[test]
    fn over_http2_the_frames_are_in_data() {
        let bench = Bench { port: SERVER, framing: Framing::Http2, ..Bench::default() };
        let mut scene = Scene { bench, asked: 0, answered: 0 };
        let http2 =
            |kind, payload: &[u8]| [&[0, 0, payload.len() as u8, kind, 0, 0, 0, 0, 1][..], payload].concat();
        scene.ask(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &http2(4, &[0; 6])[..]].concat(), 100);
        scene.answer(&[http2(4, &[]), http2(1, PONG)].concat(), 200);
        let ask = http2(0, PING);
        scene.ask(&[&http2(8, &[0; 4]), &ask[..12]].concat(), 900);
        scene.ask(&ask[12..], 1000);
        scene.answer(&http2(0, &PONG[..3]), 1400);
        scene.answer(&http2(0, &PONG[3..]), 1500);
        assert_eq!(scene.found(), "40000 x48656c6c6f 500 497\n");
    }

    #[test]
    fn what_comes_again_counts_once() {
        let mut scene = Scene::upgraded();
        scene.ask(PING, 1000);
        scene.asked = scene.asked.wrapping_sub(PING.len() as u32);
        scene.ask(PING, 1200);
        scene.answer(PONG, 1500);
        scene.answer(PONG, 1600);
        assert_eq!(scene.found(), "40000 x48656c6c6f 500 497\n");
    }

    #[test]
    fn a_frame_in_two_segments_came_with_the_second() {
        let mut scene = Scene::upgraded();
        scene.ask(&PING[..4], 1000);
        scene.ask(&PING[4..], 1100);
        scene.answer(PONG, 1500);
        assert_eq!(scene.found(), "40000 x48656c6c6f 400 397\n");
    }

    #[test]
    fn a_hole_is_told() {
        let mut scene = Scene::upgraded();
        scene.asked = scene.asked.wrapping_add(5);
        scene.ask(PING, 1000);
        assert_eq!(scene.bench.torn, 2);
    }

    #[test]
    fn the_filter_jumps_within_itself() {
        let program = program(SERVER);
        for (index, step) in program.iter().enumerate() {
            let furthest = index + 1 + usize::from(step.jt.max(step.jf));
            assert!(step.code == 6 || furthest < program.len(), "{index}");
        }
    }
}
