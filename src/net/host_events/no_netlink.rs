//! No changes of the network: this system has no netlink (rtnetlink(7)).

use std::convert::Infallible;
use std::io;

use crate::domain::watch::host_event::HostEvent;

/// Never exists.
#[derive(Debug)]
pub struct NetworkWatch(Infallible);

impl NetworkWatch {
    /// # Errors
    ///
    /// Always: [`io::ErrorKind::Unsupported`].
    pub async fn start() -> io::Result<NetworkWatch> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub async fn next(&mut self) -> io::Result<Vec<HostEvent>> {
        match self.0 {}
    }
}
