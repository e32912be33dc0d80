//! Notes what comes on an HTTP/2 connection, frame by frame, before the h2 library reads it: when each stream's data came,
//! what the server's settings and windows allow, and how it ended streams or the connection. The library tells none of these in time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::time::Instant;

use super::goaway_log::GoawayLog;
use super::send_windows::SendWindows;
use crate::domain::connection::goaway::{Goaway, GoawayNotice};
use crate::domain::connection::http2::Http2Code;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::net::transport::tap::TapState;

/// Types of frames (RFC 9113 section 6).
const DATA: u8 = 0;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
/// The flag of a SETTINGS or PING frame that only acknowledges ours.
const ACK: u8 = 1;
/// SETTINGS_INITIAL_WINDOW_SIZE (RFC 9113 section 6.5.2).
const INITIAL_WINDOW_SIZE: u16 = 4;
/// SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113 section 6.5.2).
const MAX_CONCURRENT_STREAMS: u16 = 3;
/// SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 section 3).
const ENABLE_CONNECT_PROTOCOL: u16 = 8;
/// How much is kept of a frame's payload: of a SETTINGS frame 32 settings, of GOAWAY its debug data's start.
const MAX_KEPT: usize = 192;
/// Bytes of a frame's head (RFC 9113 section 4.1).
const HEAD: usize = 9;

/// What came on a connection.
#[derive(Debug)]
pub struct InboundFrames {
    /// The state of the socket.
    tap_state: Arc<TapState>,
    /// When the last PING was acknowledged.
    pong_at: Option<Instant>,
    /// The head of the current frame, as far as it came.
    head: Vec<u8>,
    /// How many bytes of the current frame's payload are still to come.
    to_come: usize,
    /// The start of the current frame's payload, if it matters.
    payload: Vec<u8>,
    /// The first bytes of all, to recognize another protocol.
    first: Vec<u8>,
    /// Whether extended CONNECT is allowed; `None` until the first SETTINGS frame came.
    connect_protocol: Option<bool>,
    max_streams: Option<u32>,
    goaway: Option<Goaway>,
    goaway_at: Option<Instant>,
    /// When the connection began.
    began: Instant,
    /// Where GOAWAY is recorded, and in which place this connection's is.
    goaways: Option<GoawayLog>,
    place: Option<usize>,
    streams: BTreeMap<u32, InboundStream>,
    /// How much the peer lets us send.
    windows: SendWindows,
    /// Woken by the first SETTINGS frame.
    settings_waker: Option<Waker>,
}

/// What came on a stream.
#[derive(Debug)]
struct InboundStream {
    tap_state: Arc<TapState>,
    /// The code of RST_STREAM, if it came.
    reset: Option<Http2Code>,
    /// The code of the GOAWAY that it was told of.
    told: Option<Http2Code>,
    /// Woken by GOAWAY.
    goaway_waker: Option<Waker>,
}

impl InboundFrames {
    /// Nothing came yet on the socket with this state.
    pub fn new(tap_state: Arc<TapState>) -> InboundFrames {
        InboundFrames {
            tap_state,
            pong_at: None,
            head: Vec::with_capacity(HEAD),
            to_come: 0,
            payload: Vec::new(),
            first: Vec::new(),
            connect_protocol: None,
            max_streams: None,
            goaway: None,
            goaway_at: None,
            began: Instant::now(),
            goaways: None,
            place: None,
            streams: BTreeMap::new(),
            windows: SendWindows::default(),
            settings_waker: None,
        }
    }

    /// Records GOAWAY in this log, too.
    pub(super) fn recording(self, goaways: Option<GoawayLog>) -> InboundFrames {
        InboundFrames { goaways, ..self }
    }

    /// When the last PING was acknowledged.
    pub fn pong_at(&self) -> Option<Instant> {
        self.pong_at
    }

    /// From now on, notes what comes on this stream.
    pub fn watch(&mut self, stream: u32, tap_state: Arc<TapState>) {
        self.streams.insert(stream, InboundStream { tap_state, reset: None, told: None, goaway_waker: None });
        self.windows.open(stream);
    }

    /// Forgets a stream.
    pub fn forget(&mut self, stream: u32) {
        self.streams.remove(&stream);
        self.windows.forget(stream);
    }

    /// The code by which the peer reset the stream.
    pub fn reset(&self, stream: u32) -> Option<Http2Code> {
        self.streams.get(&stream)?.reset
    }

    /// How much the peer lets us send.
    pub fn windows(&mut self) -> &mut SendWindows {
        &mut self.windows
    }

    /// When GOAWAY came.
    pub fn goaway_at(&self) -> Option<Instant> {
        self.goaway_at
    }

    /// GOAWAY, if it came.
    pub fn goaway(&self) -> Option<&Goaway> {
        self.goaway.as_ref()
    }

    /// Tells a stream of GOAWAY: once, and once more if a later one has an error code.
    pub fn poll_goaway(&mut self, stream: u32, cx: &Context<'_>) -> Poll<(Goaway, Instant)> {
        let Some(stream) = self.streams.get_mut(&stream) else { return Poll::Pending };
        if let (Some(goaway), Some(at)) = (&self.goaway, self.goaway_at)
            && stream.told.is_none_or(|told| told == Http2Code::NO_ERROR && goaway.code != told)
        {
            stream.told = Some(goaway.code);
            return Poll::Ready((goaway.clone(), at));
        }
        if !stream.goaway_waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            stream.goaway_waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// The first bytes that came, at most [`HEAD`].
    pub fn first_bytes(&self) -> &[u8] {
        &self.first
    }

    /// Memory for the frame that is incomplete, in bytes.
    #[cfg(any(fuzzing, test))]
    pub fn held_bytes(&self) -> usize {
        self.head.capacity() + self.payload.capacity() + self.first.capacity()
    }

    /// How many streams the server allows at once; `None` if it sets no limit.
    pub fn max_streams(&self) -> Option<u32> {
        self.max_streams
    }

    /// Whether the server allows extended CONNECT; `None` until its settings came, which then wake `waker`.
    pub fn connect_protocol(&mut self, waker: &Waker) -> Option<bool> {
        if self.connect_protocol.is_none() {
            self.settings_waker = Some(waker.clone());
        }
        self.connect_protocol
    }

    /// Notes bytes that the last read of the socket brought.
    pub fn take(&mut self, mut bytes: &[u8]) {
        let first = bytes.len().min(HEAD - self.first.len());
        self.first.extend(&bytes[..first]);
        while !bytes.is_empty() {
            let count = if self.head.len() < HEAD { self.take_head(bytes) } else { self.take_payload(bytes) };
            bytes = &bytes[count..];
            if self.head.len() == HEAD && self.to_come == 0 {
                self.end_frame();
            }
        }
    }

    fn take_head(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(HEAD - self.head.len());
        self.head.extend(&bytes[..count]);
        if let [a, b, c, ..] = self.head[..]
            && self.head.len() == HEAD
        {
            self.to_come = u32::from_be_bytes([0, a, b, c]) as usize;
        }
        count
    }

    fn take_payload(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.to_come);
        self.to_come -= count;
        if self.kind() == DATA {
            if let Some(stream) = self.streams.get(&self.stream()) {
                stream.tap_state.record_stream_read(count);
            }
        } else {
            let kept = count.min(MAX_KEPT - self.payload.len());
            self.payload.extend(&bytes[..kept]);
        }
        count
    }

    fn kind(&self) -> u8 {
        self.head[3]
    }

    /// The stream of the current frame; 0: the connection.
    fn stream(&self) -> u32 {
        let [.., a, b, c, d] = self.head[..] else { return 0 };
        u32::from_be_bytes([a & 0x7f, b, c, d])
    }

    fn end_frame(&mut self) {
        let (kind, flags, stream) = (self.kind(), self.head[4], self.stream());
        match kind {
            SETTINGS if flags & ACK == 0 => self.read_settings(),
            RST_STREAM => {
                let code = code_at(&self.payload, 0);
                if let Some(stream) = self.streams.get_mut(&stream) {
                    stream.reset = code;
                }
            }
            GOAWAY => self.read_goaway(),
            WINDOW_UPDATE => {
                let granted = number_at(&self.payload, 0).unwrap_or(0);
                self.windows.enlarge(stream, granted & 0x7fff_ffff);
            }
            PING if flags & ACK != 0 => self.pong_at = self.tap_state.last_read(),
            _ => {}
        }
        self.head.clear();
        self.payload.clear();
    }

    fn read_settings(&mut self) {
        // The last value counts (RFC 9113 section 6.5).
        let value = |id: u16| {
            let setting = self.payload.chunks_exact(6).rfind(|setting| setting[..2] == id.to_be_bytes())?;
            number_at(setting, 2)
        };
        let (allowed, window) = (value(ENABLE_CONNECT_PROTOCOL), value(INITIAL_WINDOW_SIZE));
        self.max_streams = value(MAX_CONCURRENT_STREAMS).or(self.max_streams);
        if let Some(size) = window {
            self.windows.set_initial(size);
        }
        match (allowed, self.connect_protocol) {
            (Some(value), _) => self.connect_protocol = Some(value == 1),
            (None, None) => self.connect_protocol = Some(false),
            (None, Some(_)) => {}
        }
        self.wake();
    }

    /// Wakes who waits for the settings.
    pub fn wake(&mut self) {
        self.settings_waker.take().into_iter().for_each(Waker::wake);
    }

    fn read_goaway(&mut self) {
        let Some(code) = code_at(&self.payload, 4) else { return };
        // One that only announces the end may come before or after one that tells why.
        if self.goaway.as_ref().is_some_and(|known| known.code != Http2Code::NO_ERROR)
            && code == Http2Code::NO_ERROR
        {
            return;
        }
        let debug = UntrustedText::from_bytes(self.payload.get(8..).unwrap_or_default());
        let last_stream = code_at(&self.payload, 0).map_or(0, |Http2Code(last)| last & Goaway::NOT_YET_KNOWN);
        let (goaway, now) = (Goaway { code, last_stream, debug }, Instant::now());
        if let Some(goaways) = &self.goaways {
            let notice = GoawayNotice { goaway: goaway.clone(), age: now - self.began };
            self.place = Some(goaways.record(notice, self.place));
        }
        (self.goaway, self.goaway_at) = (Some(goaway), Some(now));
        self.streams.values_mut().filter_map(|stream| stream.goaway_waker.take()).for_each(Waker::wake);
    }
}

fn code_at(payload: &[u8], at: usize) -> Option<Http2Code> {
    number_at(payload, at).map(Http2Code)
}

fn number_at(payload: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(payload.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::transport::tap::Tap;

    fn frames() -> InboundFrames {
        let (near, _) = tokio::io::duplex(1);
        InboundFrames::new(Tap::new(near).state())
    }

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = (payload.len() as u32).to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    fn allowed(frames: &mut InboundFrames) -> Option<bool> {
        frames.connect_protocol(Waker::noop())
    }

    #[test]
    fn settings_are_known_from_the_first_frame_on() {
        let mut frames = frames();
        assert_eq!(allowed(&mut frames), None);
        frames.take(&frame(SETTINGS, ACK, 0, &[]));
        assert_eq!(allowed(&mut frames), None, "an acknowledgement has no settings");
        frames.take(&frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]));
        assert_eq!((allowed(&mut frames), frames.max_streams()), (Some(false), Some(100)));
        frames.take(&frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100, 0, 8, 0, 0, 0, 1]));
        assert_eq!(allowed(&mut frames), Some(true));
        frames.take(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 1]));
        assert_eq!(allowed(&mut frames), Some(true), "a setting that is not named stays");
        assert_eq!(frames.max_streams(), Some(100));
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_streams_own_data_counts_as_read_by_it() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (near, mut far) = tokio::io::duplex(64);
        let mut tap = Tap::new(near);
        let stream = Arc::new(TapState::of_stream(tap.state()));
        let mut frames = InboundFrames::new(tap.state());
        frames.watch(3, Arc::clone(&stream));
        let mut read = async |bytes: &[u8]| {
            far.write_all(bytes).await.unwrap();
            let mut buffer = vec![0; bytes.len()];
            tap.read_exact(&mut buffer).await.unwrap();
            frames.take(&buffer);
            (tap.state().last_read(), frames.pong_at())
        };
        read(&frame(DATA, 0, 1, b"other")).await;
        assert_eq!((stream.read_bytes(), stream.last_read()), (0, None));
        let data = frame(DATA, 0, 3, b"mine");
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        let (first, _) = read(&data[..11]).await;
        assert_eq!((stream.read_bytes(), stream.last_read()), (2, first));
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        read(&data[11..]).await;
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        let (later, _) = read(&frame(SETTINGS, ACK, 0, &[])).await;
        assert_eq!(stream.read_bytes(), 4);
        assert_eq!(
            read(&frame(PING, 0, 0, &[0; 8])).await.1,
            None,
            "a PING of the server is no acknowledgement"
        );
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        let (acknowledged, pong_at) = read(&frame(PING, ACK, 0, &[0; 8])).await;
        assert_eq!(pong_at, acknowledged);
        assert!(first < stream.last_read() && stream.last_read() < later);
    }

    #[test]
    fn resets_and_goaway_are_kept_with_their_codes() {
        let mut frames = frames();
        let (near, _far) = tokio::io::duplex(1);
        let tap = Tap::new(near);
        frames.watch(1, Arc::new(TapState::of_stream(tap.state())));
        let reset = frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]);
        let (start, rest) = reset.split_at(10);
        frames.take(start);
        assert_eq!(frames.reset(1), None);
        frames.take(rest);
        assert_eq!(frames.reset(1), Some(Http2Code(8)));
        let long = [&[0, 0, 0, 1, 0, 0, 0, 11][..], &[b'x'; 300]].concat();
        frames.take(&frame(GOAWAY, 0, 0, &long));
        let goaway = frames.goaway().unwrap();
        assert_eq!((goaway.code, goaway.debug.as_str().len()), (Http2Code(11), MAX_KEPT - 8));
        frames.take(&frame(GOAWAY, 0, 0, &[0; 8]));
        assert_eq!(frames.goaway().unwrap().code, Http2Code(11), "the error is what explains the end");
        assert_eq!(frames.first_bytes(), &reset[..HEAD]);
    }

    fn told(frames: &mut InboundFrames) -> Option<(u32, u32, &'static str)> {
        let Poll::Ready((goaway, _)) = frames.poll_goaway(1, &Context::from_waker(Waker::noop())) else {
            return None;
        };
        Some((goaway.code.0, goaway.last_stream, goaway.code.name().unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn goaway_is_told_once_and_once_more_with_an_error() {
        let log = GoawayLog::default();
        let mut frames = frames().recording(Some(log.clone()));
        let (near, _far) = tokio::io::duplex(1);
        frames.watch(1, Arc::new(TapState::of_stream(Tap::new(near).state())));
        assert_eq!((told(&mut frames), log.summary()), (None, None));
        tokio::time::advance(std::time::Duration::from_secs(2)).await;
        frames.take(&frame(GOAWAY, 0, 0, &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]));
        assert_eq!(told(&mut frames), Some((0, Goaway::NOT_YET_KNOWN, "NO_ERROR")));
        frames.take(&frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]));
        assert_eq!(told(&mut frames), None, "the same announcement");
        for _ in 0..2 {
            frames.take(&frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 11]));
        }
        assert_eq!(told(&mut frames), Some((11, 1, "ENHANCE_YOUR_CALM")));
        frames.take(&frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 2]));
        assert_eq!(told(&mut frames), None, "a peer cannot make it endless");
        let logged = log.summary().unwrap();
        assert_eq!((logged.notified, logged.first.age.as_secs()), (1, 2));
    }

    #[tokio::test]
    async fn goaway_wakes_who_waits_for_it() {
        let mut frames = frames();
        let (near, _far) = tokio::io::duplex(1);
        frames.watch(1, Arc::new(TapState::of_stream(Tap::new(near).state())));
        let frames = std::sync::Mutex::new(frames);
        let waiting = std::future::poll_fn(|cx| frames.lock().unwrap().poll_goaway(1, cx));
        let coming = async { frames.lock().unwrap().take(&frame(GOAWAY, 0, 0, &[0; 8])) };
        let ((goaway, _), ()) = tokio::join!(waiting, coming);
        assert_eq!(goaway.last_stream, 0);
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(chunks: Vec<Vec<u8>>) {
            let mut frames = frames();
            chunks.iter().for_each(|chunk| frames.take(chunk));
        }
    }
}
