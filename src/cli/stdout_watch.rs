//! Notices that nobody reads stdout any more, while there is nothing to write that would show it.

use std::io;
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio_util::sync::CancellationToken;

/// Cancels `gone` once the reader of stdout has closed its end. A file has no reader and is watched in vain;
/// so is the thread that waits here, as long as the process lasts.
pub fn watch(gone: CancellationToken) {
    std::thread::spawn(move || {
        if is_left(&io::stdout()) {
            gone.cancel();
        }
    });
}

/// Waits until the other end is closed; `false`: that cannot be told.
fn is_left(output: &impl AsFd) -> bool {
    // Asked for nothing, poll(2) still reports an error or a hang-up.
    let mut asked = [PollFd::new(output.as_fd(), PollFlags::empty())];
    loop {
        match poll(&mut asked, PollTimeout::NONE) {
            Ok(1..) => return asked[0].revents().is_some_and(|seen| !seen.contains(PollFlags::POLLNVAL)),
            Err(Errno::EINTR) => {}
            Ok(_) | Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_left_when_its_reader_is_gone() {
        let (reader, writer) = io::pipe().unwrap();
        let waits = std::thread::spawn(move || is_left(&writer));
        drop(reader);
        assert!(waits.join().unwrap());
    }
}
