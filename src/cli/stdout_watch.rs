//! Detects that the reader of stdout has gone while there is nothing to write.

use std::io;
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio_util::sync::CancellationToken;

/// Cancels `gone` once the reader of stdout closes its end. For a file this never happens; the waiting thread then
/// lives as long as the process.
pub fn watch(gone: CancellationToken) {
    std::thread::spawn(move || {
        if wait_for_close(&io::stdout()) {
            gone.cancel();
        }
    });
}

/// Waits until the other end closes; false if that cannot be detected.
fn wait_for_close(output: &impl AsFd) -> bool {
    // Without requested events, poll(2) still reports errors and hang-ups.
    let mut fds = [PollFd::new(output.as_fd(), PollFlags::empty())];
    loop {
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(1..) => return fds[0].revents().is_some_and(|seen| !seen.contains(PollFlags::POLLNVAL)),
            Err(Errno::EINTR) => {}
            Ok(_) | Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_reader_is_detected() {
        let (reader, writer) = io::pipe().unwrap();
        let waits = std::thread::spawn(move || wait_for_close(&writer));
        drop(reader);
        assert!(waits.join().unwrap());
    }
}
