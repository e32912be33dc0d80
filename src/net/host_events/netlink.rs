//! Changes of the network from the kernel: a NETLINK_ROUTE socket (rtnetlink(7)).

use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recvmsg, send, setsockopt,
    socket, sockopt,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep_until};

use super::netlink_message::parse;
use super::network_state::{ListKind, NetworkState};
use crate::domain::rate_limit::RateLimit;
use crate::domain::watch::host_event::HostEvent;

/// The kernel's groups of messages.
const GROUPS: i32 = libc::RTMGRP_LINK
    | libc::RTMGRP_IPV4_IFADDR
    | libc::RTMGRP_IPV6_IFADDR
    | libc::RTMGRP_IPV4_ROUTE
    | libc::RTMGRP_IPV6_ROUTE;
/// The kernel's buffer for what was not read yet, in bytes; it gives up to what the system allows.
const RECEIVE_BUFFER: usize = 1024 * 1024;
/// Maximum size of a datagram, in bytes; the kernel makes lists of at most 32 KiB each.
const MAX_DATAGRAM: usize = 64 * 1024;
/// Datagrams that are read at once, and how often one more: a flood must not delay the heartbeats.
const MAX_READ_BURST: u32 = 512;
const MIN_READ_INTERVAL: Duration = Duration::from_micros(500);
/// The pause after messages were lost, until everything is listed anew.
const PAUSE_AFTER_LOSS: Duration = Duration::from_secs(1);

/// Watches links, addresses and default routes of this process' network namespace.
#[derive(Debug)]
pub struct NetworkWatch {
    connection: NetlinkSocket,
    state: NetworkState,
    buffer: Vec<u8>,
    started: Instant,
    reads: RateLimit,
}

/// The socket, or when there will be a new one.
#[derive(Debug)]
enum NetlinkSocket {
    Open(AsyncFd<OwnedFd>),
    OpensAt(Instant),
}

impl NetworkWatch {
    /// Starts watching; everything that is there now is known when it returns.
    ///
    /// # Errors
    ///
    /// The system permits no such socket, as in some containers.
    pub async fn start() -> io::Result<NetworkWatch> {
        let mut watch = NetworkWatch {
            connection: NetlinkSocket::Open(open_socket()?),
            state: NetworkState::unknown(),
            buffer: vec![0; MAX_DATAGRAM],
            started: Instant::now(),
            reads: RateLimit::new(MIN_READ_INTERVAL, MAX_READ_BURST),
        };
        watch.ask()?;
        while !watch.state.is_complete() {
            watch.next().await?;
        }
        Ok(watch)
    }

    /// The next changes, possibly none. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    ///
    /// The socket failed, other than by losing messages.
    pub async fn next(&mut self) -> io::Result<Vec<HostEvent>> {
        match &self.connection {
            NetlinkSocket::OpensAt(at) => {
                sleep_until(*at).await;
                self.reopen()
            }
            NetlinkSocket::Open(socket) => {
                sleep_until(self.started + self.reads.next_at()).await;
                let read = socket.async_io(Interest::READABLE, |fd| receive(fd, &mut self.buffer)).await;
                self.reads.take(self.started.elapsed());
                self.received(read)
            }
        }
    }

    /// A new socket, whose buffer is empty; what happened meanwhile shows in the lists.
    fn reopen(&mut self) -> io::Result<Vec<HostEvent>> {
        self.connection = NetlinkSocket::Open(open_socket()?);
        self.state.invalidate();
        self.ask()?;
        Ok(Vec::new())
    }

    fn received(&mut self, read: io::Result<usize>) -> io::Result<Vec<HostEvent>> {
        match read {
            Ok(length) => {
                let messages = parse(&self.buffer[..length]);
                let events = messages.into_iter().flat_map(|message| self.state.apply(message)).collect();
                self.ask()?;
                Ok(events)
            }
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                self.connection = NetlinkSocket::OpensAt(Instant::now() + PAUSE_AFTER_LOSS);
                Ok(vec![HostEvent::NetworkChanged { changes: None }])
            }
            Err(error) => Err(error),
        }
    }

    /// Asks the kernel for the next list, if one is needed.
    fn ask(&mut self) -> io::Result<()> {
        match (&self.connection, self.state.next_list()) {
            (NetlinkSocket::Open(socket), Some(kind)) => {
                send(socket.as_raw_fd(), &list_request(kind), MsgFlags::empty())?;
                Ok(())
            }
            (NetlinkSocket::Open(_) | NetlinkSocket::OpensAt(_), _) => Ok(()),
        }
    }
}

#[expect(unsafe_code, reason = "there is no safe AsyncFd")]
fn open_socket() -> io::Result<AsyncFd<OwnedFd>> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let fd = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)?;
    // What the system does not allow is left out: a smaller buffer is enough for all but floods.
    let _ = setsockopt(&fd, sockopt::RcvBuf, &RECEIVE_BUFFER);
    bind(fd.as_raw_fd(), &NetlinkAddr::new(0, GROUPS as u32))?;
    // SAFETY: an OwnedFd owns its descriptor for its whole life, and the descriptor never changes.
    unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }.map_err(io::Error::from)
}

/// Reads a datagram of the kernel's. One that is too long counts as lost, one of another process as empty.
fn receive(fd: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
    let mut slices = [IoSliceMut::new(buffer)];
    let message = recvmsg::<NetlinkAddr>(fd.as_raw_fd(), &mut slices, None, MsgFlags::empty())?;
    if message.flags.contains(MsgFlags::MSG_TRUNC) {
        return Err(Errno::ENOBUFS.into());
    }
    let is_from_kernel = message.address.is_some_and(|from| from.pid() == 0);
    Ok(if is_from_kernel { message.bytes } else { 0 })
}

/// The request for a list: nlmsghdr, and a header of the family for IPv4 and IPv6 (AF_UNSPEC).
fn list_request(kind: ListKind) -> Vec<u8> {
    let (number, header) = match kind {
        ListKind::Links => (libc::RTM_GETLINK, 16),
        ListKind::Addresses => (libc::RTM_GETADDR, 8),
        ListKind::Routes => (libc::RTM_GETROUTE, 12),
    };
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16;
    let length: u32 = 16 + header;
    let mut request = length.to_ne_bytes().to_vec();
    request.extend(number.to_ne_bytes());
    request.extend(flags.to_ne_bytes());
    request.resize(length as usize, 0);
    request
}

#[cfg(test)]
mod tests;
