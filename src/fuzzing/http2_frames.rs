//! HTTP/2 frames, as a client notes them when they arrive.

use std::ops::Range;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::time::{Instant, advance};

use super::assert_harmless;
use super::peer::{Peer, PieceSizes, block_on};
use crate::domain::connection::goaway::Goaway;
use crate::domain::connection::http2::Http2Code;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::net::transport::http2::inbound_frames::InboundFrames;
use crate::net::transport::tap::{Tap, TapState};

/// The streams that are watched.
const WATCHED: [u32; 3] = [1, 3, 5];
/// How much of a frame's payload is kept, in bytes.
const KEPT_OF_PAYLOAD: usize = 192;
/// Maximum memory for a frame that is incomplete, in bytes.
const MAX_HELD: usize = 1024;
/// Bytes of a frame's head.
const HEAD: usize = 9;
/// Each piece arrives this long after the one before.
const PIECE_INTERVAL: Duration = Duration::from_millis(1);

/// The first byte is a [`PieceSizes`]; the rest arrives as frames.
pub fn http2_frames(data: &[u8]) {
    let Some((sizes, bytes)) = data.split_first() else { return };
    let pieces = PieceSizes(*sizes).cut(bytes);
    let noted = block_on(note(&pieces));
    assert_eq!(noted, Reference::new(bytes, &pieces).notes());
    if let Some((goaway, _)) = &noted.goaway {
        assert_harmless(goaway.debug.as_str());
    }
}

/// What is known of a connection. Times are numbers of pieces, counted from 0.
#[derive(Debug, PartialEq, Eq)]
struct Notes {
    first_bytes: Vec<u8>,
    allows_connect_protocol: Option<bool>,
    goaway: Option<(Goaway, usize)>,
    ping_acknowledged: Option<usize>,
    streams: Vec<StreamNotes>,
}

/// What is known of a stream.
#[derive(Debug, PartialEq, Eq)]
struct StreamNotes {
    data_bytes: u64,
    last_data: Option<usize>,
    reset: Option<Http2Code>,
}

/// What a client notes of pieces that arrive one after the other.
async fn note(pieces: &[&[u8]]) -> Notes {
    let start = Instant::now();
    let mut tap = Tap::new(Peer::new(pieces.iter().copied()));
    let mut frames = InboundFrames::new(tap.state());
    let states = WATCHED.map(|id| (id, Arc::new(TapState::of_stream(tap.state()))));
    for (id, state) in &states {
        frames.watch(*id, Arc::clone(state));
    }
    for piece in pieces {
        let mut buffer = vec![0; piece.len()];
        tap.read_exact(&mut buffer).await.expect("the peer has more");
        frames.take(&buffer);
        assert!(frames.held_bytes() <= MAX_HELD, "{} bytes are held", frames.held_bytes());
        advance(PIECE_INTERVAL).await;
    }
    let piece_at = |at: Instant| ((at - start).as_millis() / PIECE_INTERVAL.as_millis()) as usize;
    Notes {
        first_bytes: frames.first_bytes().to_vec(),
        allows_connect_protocol: frames.connect_protocol(Waker::noop()),
        goaway: frames.goaway().cloned().zip(frames.goaway_at().map(piece_at)),
        ping_acknowledged: frames.pong_at().map(piece_at),
        streams: states
            .iter()
            .map(|(id, state)| StreamNotes {
                data_bytes: state.read_bytes(),
                last_data: state.last_read().map(piece_at),
                reset: frames.reset(*id),
            })
            .collect(),
    }
}

/// A frame of the whole bytes (RFC 9113 section 4.1).
struct Frame<'a> {
    kind: u8,
    is_ack: bool,
    stream: u32,
    /// The payload, as far as it came.
    payload: &'a [u8],
    /// Where it and its head are.
    range: Range<usize>,
    is_complete: bool,
}

/// Reads all the bytes at once.
struct Reference<'a> {
    bytes: &'a [u8],
    frames: Vec<Frame<'a>>,
    /// Where each piece ends.
    piece_ends: Vec<usize>,
}

impl<'a> Reference<'a> {
    fn new(bytes: &'a [u8], pieces: &[&[u8]]) -> Reference<'a> {
        let (mut frames, mut at) = (Vec::new(), 0);
        while let Some(frame) = frame_at(bytes, at) {
            at = frame.range.end;
            frames.push(frame);
        }
        let ends = pieces.iter().scan(0, |end, piece| {
            *end += piece.len();
            Some(*end)
        });
        Reference { bytes, frames, piece_ends: ends.collect() }
    }

    /// The piece that brought a frame's last byte so far.
    fn piece_of(&self, frame: &Frame<'_>) -> usize {
        self.piece_ends.partition_point(|end| *end < frame.range.end)
    }

    /// The complete frames of this type, and of what is kept of their payload.
    fn complete(&self, kind: u8) -> impl DoubleEndedIterator<Item = (&Frame<'a>, &'a [u8])> {
        let frames = self.frames.iter().filter(move |frame| frame.kind == kind && frame.is_complete);
        frames.map(|frame| (frame, &frame.payload[..frame.payload.len().min(KEPT_OF_PAYLOAD)]))
    }

    fn notes(&self) -> Notes {
        Notes {
            first_bytes: self.bytes[..self.bytes.len().min(HEAD)].to_vec(),
            allows_connect_protocol: self.connect_protocol(),
            goaway: self.goaway(),
            ping_acknowledged: self
                .complete(6)
                .rfind(|(frame, _)| frame.is_ack)
                .map(|(ping, _)| self.piece_of(ping)),
            streams: WATCHED.map(|id| self.stream(id)).into(),
        }
    }

    /// The last value of SETTINGS_ENABLE_CONNECT_PROTOCOL; `false` if there are settings without it.
    fn connect_protocol(&self) -> Option<bool> {
        let frames: Vec<&[u8]> =
            self.complete(4).filter(|(frame, _)| !frame.is_ack).map(|(_, payload)| payload).collect();
        let mut settings = frames.iter().flat_map(|payload| payload.chunks_exact(6));
        let value = settings.rfind(|setting| setting[..2] == [0, 8]).map(|setting| &setting[2..]);
        (!frames.is_empty()).then(|| value == Some(&[0, 0, 0, 1]))
    }

    /// The last that names an error, or else the last.
    fn goaway(&self) -> Option<(Goaway, usize)> {
        let all: Vec<_> = self.complete(7).filter(|(_, payload)| payload.len() >= 8).collect();
        let of_error = all.iter().rfind(|(_, payload)| payload[4..8] != [0; 4]);
        let (frame, payload) = of_error.or(all.last())?;
        let debug = UntrustedText::from_bytes(&payload[8..]);
        Some((
            Goaway { code: code(&payload[4..8])?, last_stream: code(&payload[..4])?.0 & 0x7fff_ffff, debug },
            self.piece_of(frame),
        ))
    }

    fn stream(&self, id: u32) -> StreamNotes {
        let data = |frame: &&Frame<'_>| frame.kind == 0 && frame.stream == id && !frame.payload.is_empty();
        let (last_reset, last_data) =
            (self.complete(3).rfind(|(frame, _)| frame.stream == id), self.frames.iter().rfind(data));
        StreamNotes {
            data_bytes: self.frames.iter().filter(data).map(|frame| frame.payload.len() as u64).sum(),
            last_data: last_data.map(|frame| self.piece_of(frame)),
            reset: last_reset.and_then(|(_, payload)| code(payload)),
        }
    }
}

/// The frame whose head begins here; `None` if that is incomplete.
fn frame_at(bytes: &[u8], at: usize) -> Option<Frame<'_>> {
    let head = bytes.get(at..at + HEAD)?;
    let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    let end = (at + HEAD + length).min(bytes.len());
    let payload = &bytes[at + HEAD..end];
    Some(Frame {
        kind: head[3],
        is_ack: head[4] & 1 == 1,
        stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]) % (1 << 31),
        payload,
        range: at..end,
        is_complete: payload.len() == length,
    })
}

fn code(payload: &[u8]) -> Option<Http2Code> {
    Some(Http2Code(u32::from_be_bytes(*payload.first_chunk()?)))
}
