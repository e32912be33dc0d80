//! Reads the kernel's state of a TCP connection (TCP_INFO, tcp(7)).

use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use linux_raw_sys::net::tcp_info;

use crate::domain::connection::tcp::TcpView;

/// The kernel's value for a minimum RTT that is not known yet.
const NO_MIN_RTT: u32 = u32::MAX;

/// TCP's current figures. Fields that an older kernel does not know are zero.
#[expect(unsafe_code, reason = "no safe call reads TCP_INFO")]
pub fn read(socket: &impl AsFd) -> Option<TcpView> {
    let mut info = MaybeUninit::<tcp_info>::zeroed();
    let mut length = size_of::<tcp_info>() as libc::socklen_t;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel writes no more than `length` bytes, and any bytes make a valid `tcp_info`.
    let (result, info) = unsafe {
        let result = libc::getsockopt(
            fd,
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        );
        (result, info.assume_init())
    };
    (result == 0).then(|| view(&info))
}

fn view(info: &tcp_info) -> TcpView {
    let (micros, millis) =
        (|value: u32| Duration::from_micros(value.into()), |value: u32| Duration::from_millis(value.into()));
    TcpView {
        rtt: micros(info.tcpi_rtt),
        rtt_deviation: micros(info.tcpi_rttvar),
        min_rtt: Some(info.tcpi_min_rtt).filter(|rtt| *rtt != NO_MIN_RTT && *rtt != 0).map(micros),
        // A DSACK (RFC 2883) reports that the peer already had the data: it was slow, not lost.
        retransmits: info.tcpi_total_retrans.saturating_sub(info.tcpi_dsack_dups),
        unacked: info.tcpi_unacked,
        unsent: info.tcpi_notsent_bytes,
        last_ack: millis(info.tcpi_last_ack_recv),
        last_data: millis(info.tcpi_last_data_recv),
        acked: info.tcpi_bytes_acked,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream, UdpSocket};

    use super::*;

    #[test]
    fn read_data_is_acknowledged() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut far = listener.accept().unwrap().0;
        let before = read(&near).unwrap();
        near.write_all(b"seven b").unwrap();
        far.read_exact(&mut [0; 7]).unwrap();
        // The answer carries the acknowledgement.
        far.write_all(b"!").unwrap();
        near.read_exact(&mut [0; 1]).unwrap();
        let view = read(&near).unwrap();
        assert_eq!((view.acked - before.acked, view.unacked, view.unsent, view.retransmits), (7, 0, 0, 0));
        assert!(view.rtt > Duration::ZERO && view.min_rtt.is_some_and(|least| least <= view.rtt * 8));
    }

    #[test]
    fn other_sockets_have_no_tcp_info() {
        assert_eq!(read(&UdpSocket::bind("127.0.0.1:0").unwrap()), None);
    }
}
