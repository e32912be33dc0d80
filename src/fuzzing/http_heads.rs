//! Heads of HTTP/1: of responses, as a client reads them, and of requests, as the server does.

use std::time::Duration;

use tokio::time::Instant;

use super::assert_harmless;
use super::peer::{Peer, PieceSizes, block_on};
use crate::net::connect::http_head::{HeadReader, HttpHead, recognise};
use crate::server::handshake::{accept, read_head};

const BUDGET: Duration = Duration::from_secs(60);
/// How many heads are read of one input.
const MAX_HEADS: usize = 4;

/// The first byte is a [`PieceSizes`]; the rest arrives as a response, and as a request.
pub fn http_heads(data: &[u8]) {
    let Some((sizes, bytes)) = data.split_first() else { return };
    let pieces = PieceSizes(*sizes).cut(bytes);
    assert_eq!(responses(&[bytes]), responses(&pieces));
    recognise(bytes);
    request(bytes);
}

/// What is read of these pieces: each head with the start of the last one's body, and the error.
fn responses(pieces: &[&[u8]]) -> Vec<String> {
    block_on(async {
        let mut peer = Peer::new(pieces.iter().copied());
        let mut reader = HeadReader::new(&mut peer, Instant::now() + BUDGET);
        let mut found = Vec::new();
        let mut last = None;
        while found.len() < MAX_HEADS {
            match reader.head().await {
                Ok(head) => {
                    found.push(format!("{head:?}"));
                    look_at(&head);
                    last = Some(head);
                }
                Err(error) => {
                    let fault = error.fault("the server", BUDGET);
                    assert_harmless(&fault.cause);
                    found.push(format!("{fault:?} {:?}", error.other_protocol()));
                    return found;
                }
            }
        }
        if let Some(head) = last {
            found.push(format!("{:?}", reader.body_start(&head).await));
        }
        found
    })
}

fn look_at(head: &HttpHead) {
    for (name, _) in &head.headers {
        head.text(name);
        head.has_token(name, "upgrade");
        head.tokens(name).for_each(drop);
    }
}

fn request(bytes: &[u8]) {
    let [strict, lenient] = [false, true].map(|is_lenient| read_head(bytes, is_lenient));
    if let Ok(Some((_, length))) = &strict {
        assert_eq!(strict, lenient);
        assert_eq!(strict, read_head(&bytes[..*length], false));
        assert_eq!(read_head(&bytes[..length - 1], false), Ok(None));
    }
    for read in [strict, lenient] {
        match read {
            Ok(Some((upgrade, _))) => {
                let chosen = upgrade.subprotocols.first().map(String::as_str);
                let head = answered(&accept(&upgrade, chosen, None, false));
                assert_eq!((head.status, head.headers.len()), (101, 4 + usize::from(chosen.is_some())));
            }
            Ok(None) => {}
            Err(rejected) => {
                assert_harmless(&rejected.to_string());
                let head = rejected.response().map(|response| answered(&response));
                assert!(head.is_none_or(|head| (400..600).contains(&head.status)));
            }
        }
    }
}

/// The client's reading of a response of the server.
fn answered(response: &[u8]) -> HttpHead {
    block_on(async {
        let mut peer = Peer::new([response]);
        HeadReader::new(&mut peer, Instant::now() + BUDGET).head().await.expect("the client reads the server")
    })
}
