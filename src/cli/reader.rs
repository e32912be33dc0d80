//! Notices that nobody reads stdout any more, while there is nothing to write that would show it.

use std::io;
use std::os::fd::AsRawFd;

use tokio_util::sync::CancellationToken;

/// Cancels `gone` once the reader of stdout has closed its end. A file has no reader and is watched in vain;
/// so is the thread that waits here, as long as the process lasts.
pub fn watch(gone: CancellationToken) {
    let fd = io::stdout().as_raw_fd();
    std::thread::spawn(move || {
        if is_left(fd) {
            gone.cancel();
        }
    });
}

/// Waits until the other end is closed; `false`: that cannot be told.
fn is_left(fd: i32) -> bool {
    // Asked for nothing, poll(2) still tells an error or a hang-up.
    let mut poll = libc::pollfd { fd, events: 0, revents: 0 };
    loop {
        // SAFETY: one pollfd is given, and it outlives the call.
        match unsafe { libc::poll(&raw mut poll, 1, -1) } {
            1.. => return poll.revents & libc::POLLNVAL == 0,
            _ if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_left_when_its_reader_is_gone() {
        let (reader, writer) = io::pipe().unwrap();
        let waits = std::thread::spawn(move || is_left(writer.as_raw_fd()));
        drop(reader);
        assert!(waits.join().unwrap());
    }
}
