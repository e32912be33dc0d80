//! Kernel timestamps of a TCP socket: of received bytes by recvmsg(2), of sent bytes from the socket's error queue
//! (Documentation/networking/timestamping.rst in the kernel's sources).

use std::io::{self, IoSliceMut};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::{Duration, SystemTime};

use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, RecvMsg, TimestampingFlag, recvmsg, setsockopt, sockopt,
};
use tokio::time::Instant;

use crate::domain::connection::connect_info::TimestampSource;
use crate::net::transport::tap::TxTimestamp;

/// Reading both clocks takes at most this long, unless the process is preempted in between.
const MAX_CLOCK_READ_TIME: Duration = Duration::from_micros(2);
/// Maximum number of clock readings after a preemption; the quickest counts.
const MAX_CLOCK_READS: usize = 5;

/// Buffer for the control messages of one read: three timestamps of 16 bytes, an extended error with an address (at
/// most 44 bytes), and a header of 16 bytes for each.
#[repr(align(8))]
struct ControlBuffer([u8; 160]);

/// Asks the kernel to timestamp what arrives, and `departures` too; returns what it agreed to. It numbers sent bytes from
/// here, so no data may have been sent yet.
pub fn enable(stream: &TcpStream, departures: bool) -> TimestampSource {
    let receive =
        TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE | TimestampingFlag::SOF_TIMESTAMPING_RX_SOFTWARE;
    let both = receive
        | TimestampingFlag::SOF_TIMESTAMPING_TX_SOFTWARE
        | TimestampingFlag::SOF_TIMESTAMPING_OPT_ID
        | TimestampingFlag::SOF_TIMESTAMPING_OPT_TSONLY;
    let set = |flags| setsockopt(stream, sockopt::Timestamping, &flags).is_ok();
    if departures && set(both) {
        TimestampSource::Kernel
    } else if set(receive) {
        TimestampSource::KernelReceive
    } else {
        TimestampSource::User
    }
}

/// Reads available bytes; also returns when the kernel received the last of them.
pub fn receive(stream: &TcpStream, bytes: &mut [u8]) -> io::Result<(usize, Option<Instant>)> {
    let mut slices = [IoSliceMut::new(bytes)];
    let mut control = ControlBuffer([0; 160]);
    let message = read(stream, &mut slices, &mut control, MsgFlags::empty())?;
    let stamp = message.cmsgs()?.find_map(|message| stamp(&message)).and_then(to_monotonic);
    Ok((message.bytes, stamp))
}

/// Takes the next send timestamp from the error queue.
pub fn departed(stream: &TcpStream) -> Option<TxTimestamp> {
    let mut control = ControlBuffer([0; 160]);
    let message = read(stream, &mut [], &mut control, MsgFlags::MSG_ERRQUEUE).ok()?;
    let (mut stamped, mut last) = (None, None);
    for message in message.cmsgs().ok()? {
        stamped = stamped.or(stamp(&message));
        last = last.or(last_byte(&message));
    }
    Some(TxTimestamp { last_byte: last?, at: to_monotonic(stamped?)? })
}

fn read<'a, 'outer, 'inner: 'outer>(
    stream: &TcpStream,
    slices: &'outer mut [IoSliceMut<'inner>],
    control: &'a mut ControlBuffer,
    flags: MsgFlags,
) -> io::Result<RecvMsg<'a, 'outer, ()>> {
    let flags = flags | MsgFlags::MSG_DONTWAIT;
    Ok(recvmsg::<()>(stream.as_raw_fd(), slices, Some(&mut control.0), flags)?)
}

fn stamp(message: &ControlMessageOwned) -> Option<Duration> {
    match message {
        ControlMessageOwned::ScmTimestampsns(stamps) => Some(Duration::from(stamps.system)),
        _ => None,
    }
}

/// Index of the last byte of the timestamped write, modulo 2^32 (SOF_TIMESTAMPING_OPT_ID).
fn last_byte(message: &ControlMessageOwned) -> Option<u32> {
    match message {
        ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _) => {
            (error.ee_origin == libc::SO_EE_ORIGIN_TIMESTAMPING).then_some(error.ee_data)
        }
        _ => None,
    }
}

/// Converts a wall-clock timestamp of the kernel to the monotonic clock; `None` if it lies in the future. Both clocks
/// are read together: a preemption in between would shift the result.
fn to_monotonic(stamp: Duration) -> Option<Instant> {
    quickest((0..MAX_CLOCK_READS).map(|_| read_clocks(stamp)))
}

/// Converts by the quickest reading; stops at the first that is quick enough.
fn quickest(readings: impl Iterator<Item = Option<ClockPair>>) -> Option<Instant> {
    let mut best: Option<ClockPair> = None;
    for reading in readings {
        let reading = reading?;
        let is_quick = reading.took <= MAX_CLOCK_READ_TIME;
        best = Some(best.map_or(reading, |best| best.min(reading)));
        if is_quick {
            break;
        }
    }
    let ClockPair { took, before, age } = best?;
    (before + took / 2).checked_sub(age)
}

/// One reading of both clocks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct ClockPair {
    took: Duration,
    before: Instant,
    /// Age of the timestamp by the wall clock.
    age: Duration,
}

fn read_clocks(stamp: Duration) -> Option<ClockPair> {
    let before = Instant::now();
    let age = (SystemTime::UNIX_EPOCH + stamp).elapsed().ok()?;
    Some(ClockPair { took: before.elapsed(), before, age })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (near, listener.accept().unwrap().0)
    }

    fn wait(stream: &TcpStream) {
        stream.peek(&mut [0]).unwrap();
    }

    /// Waits until the kernel timestamps, which it starts a moment after the first request (net_enable_timestamp defers
    /// it).
    fn await_stamps(near: &TcpStream, far: &mut TcpStream) {
        for _ in 0..100_000 {
            far.write_all(b"?").unwrap();
            wait(near);
            if receive(near, &mut [0; 64]).unwrap().1.is_some() {
                return;
            }
        }
        panic!("the kernel stamps nothing");
    }

    #[test]
    fn received_bytes_have_the_kernels_age() {
        let (near, mut far) = pair();
        assert_eq!(enable(&near, true), TimestampSource::Kernel);
        await_stamps(&near, &mut far);
        far.write_all(b"early").unwrap();
        wait(&near);
        // The process sleeps while data has arrived.
        let overslept = Duration::from_millis(30);
        std::thread::sleep(overslept);
        let mut bytes = [0; 64];
        let (count, stamp) = receive(&near, &mut bytes).unwrap();
        assert_eq!(&bytes[..count], b"early");
        let age = stamp.unwrap().elapsed();
        assert!(age >= overslept, "{age:?}");
    }

    #[test]
    fn preemption_between_the_clocks_shifts_no_timestamp() {
        let (start, micros) = (Instant::now(), Duration::from_micros);
        let reading = |before: u64, took: u64, age: u64| {
            Some(ClockPair { took: micros(took), before: start + micros(before), age: micros(age) })
        };
        // The timestamp is 50 us before the first reading, which was preempted for 900 us.
        let paused = reading(0, 900, 940);
        let quick = reading(901, 2, 952);
        assert_eq!(quickest([paused, quick, reading(0, 0, 0)].into_iter()), start.checked_sub(micros(50)));
        assert_eq!(quickest([paused, reading(901, 10, 956)].into_iter()), start.checked_sub(micros(50)));
        assert_eq!(quickest([None].into_iter()), None, "the timestamp lies in the future");
    }

    #[test]
    fn sent_write_is_identified_by_its_last_byte() {
        let (mut near, far) = pair();
        assert_eq!(enable(&near, true), TimestampSource::Kernel);
        for (bytes, last) in [(&b"abc"[..], 2), (b"de", 4)] {
            near.write_all(bytes).unwrap();
            wait(&far);
            let departed = departed(&near).expect("over loopback it left within the write");
            assert_eq!(departed.last_byte, last);
        }
        assert_eq!(departed(&near), None);
    }
}
