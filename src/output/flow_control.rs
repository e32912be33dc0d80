//! What the peer's flow control of HTTP/2 held back: words that the findings of several commands share.

/// What to do about a window that stays exhausted.
pub const REMEDY: &str = "see whether the server, or what is behind the hop that ends HTTP/2, still reads its WebSockets; --http 1.1 measures without \
     flow control of HTTP/2";
