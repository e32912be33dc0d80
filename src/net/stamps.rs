//! Reading from TCP with the kernel's receive timestamps, on Linux: when bytes arrived, however late this process
//! came to read them.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd};
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use nix::cmsg_space;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, getsockopt, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use tokio::io::{Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Reading the two clocks takes no longer than this, unless this process was put aside in between.
const AT_ONCE: Duration = Duration::from_micros(20);
/// So often the clocks are read anew when it was.
const TRIES: usize = 3;

/// Asks the kernel to stamp what arrives (SO_TIMESTAMPNS, socket(7)); [`is_enabled`] tells whether it does.
pub fn enable(socket: &impl AsFd) {
    let _ = setsockopt(socket, sockopt::ReceiveTimestampns, &true);
}

/// Whether the kernel stamps what arrives.
pub fn is_enabled(socket: &impl AsFd) -> bool {
    getsockopt(socket, sockopt::ReceiveTimestampns).unwrap_or(false)
}

/// Reads as `poll_read` does; gives how long ago the kernel had the last of the bytes.
pub fn poll_read(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
) -> Poll<io::Result<Option<Duration>>> {
    if buf.remaining() == 0 {
        return Poll::Ready(Ok(None));
    }
    loop {
        ready!(stream.poll_read_ready(cx))?;
        match stream.try_io(Interest::READABLE, || receive(stream, buf.initialize_unfilled())) {
            Ok((count, age)) => {
                buf.advance(count);
                return Poll::Ready(Ok(age));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
}

fn receive(stream: &TcpStream, bytes: &mut [u8]) -> io::Result<(usize, Option<Duration>)> {
    let mut slices = [IoSliceMut::new(bytes)];
    let mut control = cmsg_space!(TimeSpec);
    let message = recvmsg::<()>(stream.as_raw_fd(), &mut slices, Some(&mut control), MsgFlags::MSG_DONTWAIT)?;
    let stamp = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::ScmTimestampns(stamp) => Some(Duration::from(stamp)),
        _ => None,
    });
    Ok((message.bytes, stamp.and_then(age)))
}

/// How long ago it was, by the wall clock, that the kernel stamped; `None` where the clock says that it is to come.
fn age(stamp: Duration) -> Option<Duration> {
    for _ in 1..TRIES {
        let before = Instant::now();
        let age = elapsed(stamp);
        if before.elapsed() <= AT_ONCE {
            return age;
        }
    }
    elapsed(stamp)
}

fn elapsed(stamp: Duration) -> Option<Duration> {
    (SystemTime::UNIX_EPOCH + stamp).elapsed().ok()
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (near, listener.accept().await.unwrap().0)
    }

    async fn read(stream: &TcpStream, room: usize) -> io::Result<(Vec<u8>, Option<Duration>)> {
        let mut bytes = vec![0; room];
        let mut buf = ReadBuf::new(&mut bytes);
        let age = std::future::poll_fn(|cx| poll_read(stream, cx, &mut buf)).await?;
        let filled = buf.filled().to_vec();
        Ok((filled, age))
    }

    /// The kernel begins to stamp a moment after the first socket asks for it (net_enable_timestamp defers it).
    async fn await_stamps(near: &TcpStream, far: &mut TcpStream) {
        for _ in 0..100_000 {
            far.write_all(b"?").await.unwrap();
            if read(near, 64).await.unwrap().1.is_some() {
                return;
            }
        }
        panic!("the kernel stamps nothing");
    }

    #[tokio::test]
    async fn bytes_are_as_old_as_the_kernel_had_them() {
        let (near, mut far) = pair().await;
        enable(&near);
        assert!(is_enabled(&near));
        await_stamps(&near, &mut far).await;
        far.write_all(b"early").await.unwrap();
        near.readable().await.unwrap();
        // The process sleeps over what has arrived.
        let overslept = Duration::from_millis(30);
        std::thread::sleep(overslept);
        let (bytes, age) = read(&near, 64).await.unwrap();
        assert_eq!(bytes, b"early");
        assert!(age.unwrap() >= overslept, "{age:?}");
    }

    #[tokio::test]
    async fn the_end_is_no_bytes_and_a_reset_an_error() {
        let (near, far) = pair().await;
        enable(&near);
        drop(far);
        assert_eq!(read(&near, 64).await.unwrap().0, b"");
        let (near, far) = pair().await;
        enable(&near);
        socket2::SockRef::from(&far).set_linger(Some(Duration::ZERO)).unwrap();
        drop(far);
        assert_eq!(read(&near, 64).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
}
