//! How much the peer lets us send on a connection of HTTP/2 and on its streams (RFC 9113 section 5.2). The h2 library tells
//! whether a stream may send, but not which window has no room.

use std::collections::BTreeMap;

use crate::domain::connection::http2::ExhaustedWindow;

/// The initial window of a connection, and of a stream unless settings change it (RFC 9113 section 6.9.2).
const INITIAL: i64 = 65_535;

/// The room in each window, in bytes. A setting may make that of a stream negative (RFC 9113 section 6.9.2).
#[derive(Debug)]
pub struct SendWindows {
    connection: i64,
    /// That of a stream that opens now.
    initial: i64,
    streams: BTreeMap<u32, i64>,
}

impl Default for SendWindows {
    /// Those of a connection without streams.
    fn default() -> SendWindows {
        SendWindows { connection: INITIAL, initial: INITIAL, streams: BTreeMap::new() }
    }
}

impl SendWindows {
    /// A stream opens.
    pub fn open(&mut self, stream: u32) {
        self.streams.insert(stream, self.initial);
    }

    /// Forgets a stream.
    pub fn forget(&mut self, stream: u32) {
        self.streams.remove(&stream);
    }

    /// SETTINGS_INITIAL_WINDOW_SIZE came, which changes the windows of open streams, too.
    pub fn set_initial(&mut self, size: u32) {
        let change = i64::from(size) - self.initial;
        self.initial = i64::from(size);
        self.streams.values_mut().for_each(|room| *room = room.saturating_add(change));
    }

    /// WINDOW_UPDATE came; stream 0 is the connection.
    pub fn enlarge(&mut self, stream: u32, by: u32) {
        let window = match stream {
            0 => Some(&mut self.connection),
            stream => self.streams.get_mut(&stream),
        };
        if let Some(room) = window {
            *room = room.saturating_add(by.into());
        }
    }

    /// Data of a stream leaves.
    pub fn send(&mut self, stream: u32, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.connection = self.connection.saturating_sub(bytes);
        if let Some(room) = self.streams.get_mut(&stream) {
            *room = room.saturating_sub(bytes);
        }
    }

    /// Which window has no room for more of this stream; `None` if both have.
    pub fn exhausted(&self, stream: u32) -> Option<ExhaustedWindow> {
        let of_stream = self.streams.get(&stream).is_some_and(|room| *room <= 0);
        match (of_stream, self.connection <= 0) {
            (true, true) => Some(ExhaustedWindow::Both),
            (true, false) => Some(ExhaustedWindow::Stream),
            (false, true) => Some(ExhaustedWindow::Connection),
            (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exhausted_window_is_told_by_what_left_and_what_was_granted() {
        let mut windows = SendWindows::default();
        windows.open(1);
        windows.open(3);
        assert_eq!(windows.exhausted(1), None);
        windows.send(1, 65_535);
        assert_eq!(windows.exhausted(1), Some(ExhaustedWindow::Both));
        assert_eq!(windows.exhausted(3), Some(ExhaustedWindow::Connection));
        windows.enlarge(0, 10);
        assert_eq!((windows.exhausted(1), windows.exhausted(3)), (Some(ExhaustedWindow::Stream), None));
        windows.enlarge(1, 1);
        assert_eq!(windows.exhausted(1), None);
    }

    #[test]
    fn setting_changes_windows_of_open_streams_below_zero() {
        let mut windows = SendWindows::default();
        windows.open(1);
        windows.send(1, 100);
        windows.set_initial(50);
        windows.open(3);
        windows.enlarge(1, 50);
        assert_eq!((windows.exhausted(1), windows.exhausted(3)), (Some(ExhaustedWindow::Stream), None));
        windows.enlarge(1, 1);
        assert_eq!(windows.exhausted(1), None);
        windows.set_initial(0);
        windows.enlarge(0, u32::MAX);
        assert_eq!(windows.exhausted(3), Some(ExhaustedWindow::Stream));
    }
}
