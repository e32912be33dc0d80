//! Reads the head of an HTTP/1 response, and the start of its body, with bounds on size and time.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout_at};

use crate::domain::connection::connect_info::{FailureKind, RefusalResponse};

use crate::net::dial_error::DialError;

/// Maximum size of a head, in bytes.
pub const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Maximum number of header lines.
pub const MAX_HEADERS: usize = 128;
/// Maximum number of body bytes read from a refusal.
pub const MAX_BODY_BYTES: usize = 8 * 1024;
/// How long to wait for a refusal's body, or for the rest of an answer that is not HTTP.
pub const BODY_TIMEOUT: Duration = Duration::from_millis(500);
/// Bytes that suffice to recognise another protocol.
const SNIFFED_BYTES: usize = 64;

/// The head of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpHead {
    pub status: u16,
    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    pub minor_version: u8,
    /// In order of arrival, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl HttpHead {
    /// The values of the headers called `name` (in lower case).
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_slice())
    }

    /// The first value of the header `name`, as trimmed text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.all(name).next().map(|value| String::from_utf8_lossy(value).trim().to_string())
    }

    /// Whether a comma-separated value of `name` equals `token`, ignoring case.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        let is_token = |part: &[u8]| part.trim_ascii().eq_ignore_ascii_case(token.as_bytes());
        self.all(name).any(|value| value.split(|byte| *byte == b',').any(is_token))
    }

    /// The non-empty comma-separated values of all headers `name`, in lower case.
    pub fn tokens<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        let parts = self.all(name).flat_map(|value| value.split(|byte| *byte == b','));
        let lower = |part: &[u8]| String::from_utf8_lossy(part).trim().to_lowercase();
        parts.map(lower).filter(|token| !token.is_empty())
    }
}

/// Why no head could be read.
#[derive(Debug)]
pub enum HeadError {
    /// The answer is not HTTP/1; its first bytes.
    NotHttp(Vec<u8>),
    /// The answer begins like HTTP/1 but breaks its syntax.
    Malformed {
        error: httparse::Error,
        /// Describes the line.
        line: String,
        /// The status, if it could be read.
        status: Option<u16>,
    },
    /// Exceeds [`MAX_HEAD_BYTES`] or [`MAX_HEADERS`].
    Endless,
    /// The peer closed after this many bytes of the head.
    ClosedEarly(usize),
    /// The deadline passed after this many bytes of the head.
    Timeout(usize),
    Io(io::Error),
}

/// Describes the line that caused the parser's error: `line 3 has no colon: "X-Broken"`. Shows the start of the status
/// line, or a header's name. Values are omitted: they may be cookies or tokens.
fn failing_line(head: &[u8], error: httparse::Error) -> String {
    let of_status = matches!(error, httparse::Error::Status | httparse::Error::Version);
    let lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut headers = lines.enumerate().skip(1).take_while(|(_, line)| !line.is_empty() && !of_status);
    let bad = headers.find_map(|(at, line)| {
        let why = header_fault(line, at == 1)?;
        Some(format!("line {} {why}: {}", at + 1, quoted(name_in(line))))
    });
    bad.unwrap_or_else(|| {
        let line = first_line(head).trim_ascii_end();
        format!("its status line is {}", quoted(line.get(..SNIFFED_BYTES).unwrap_or(line)))
    })
}

/// How a header line breaks the syntax (RFC 9112 section 5); `is_first`: it follows the status line.
fn header_fault(line: &[u8], is_first: bool) -> Option<&'static str> {
    let is_control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    let has_control =
        |value: &[u8]| value.iter().any(is_control).then_some("has a control character in its value");
    if line.first().is_some_and(|byte| b" \t".contains(byte)) {
        const CONTINUES_NOTHING: &str = "begins with a blank, but there is no header before it to continue";
        return if is_first { Some(CONTINUES_NOTHING) } else { has_control(line) };
    }
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return Some("has no colon") };
    let (name, value) = line.split_at(colon);
    match name.trim_ascii_end() {
        [] => Some("has no name before its colon"),
        trimmed if !trimmed.iter().all(|byte| is_token_byte(*byte)) => {
            Some("has a name with a character that is not allowed")
        }
        trimmed if trimmed.len() < name.len() => Some("has a blank before its colon"),
        _ => has_control(value),
    }
}

/// RFC 9110 section 5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A header line's name, or the start of another line up to any value.
fn name_in(line: &[u8]) -> &[u8] {
    let name = line.split(|byte| b":=;".contains(byte)).next().unwrap_or_default();
    name.get(..SNIFFED_BYTES).unwrap_or(name).trim_ascii_end()
}

/// A protocol recognised by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownProtocol {
    Tls,
    Http2,
}

/// Recognises another protocol by the first bytes of an answer.
pub fn recognise(bytes: &[u8]) -> Option<KnownProtocol> {
    match bytes {
        // A TLS record (RFC 8446 section 5.1): alert or handshake, version 3.x.
        [0x15 | 0x16, 3] | [0x15 | 0x16, 3, 0..=4, ..] => Some(KnownProtocol::Tls),
        // The SETTINGS frame that opens a server's HTTP/2 (RFC 9113 sections 3.4, 4.1), or GOAWAY.
        [0, _, _, 4 | 7, _, 0, 0, 0, 0, ..] => Some(KnownProtocol::Http2),
        [b'H', b'T', b'T', b'P', b'/', b'2', ..] => Some(KnownProtocol::Http2),
        _ => None,
    }
}

impl HeadError {
    /// Describes the failure; `who` answered (`the server`), `budget` was the time limit.
    pub fn fault(&self, who: &str, budget: Duration) -> DialError {
        match self {
            HeadError::NotHttp(bytes) => {
                let cause = format!("{who} does not speak HTTP/1.1: {}", beginning(bytes));
                DialError::new(FailureKind::NotHttp, cause)
            }
            HeadError::Malformed { error, line, status } => {
                let cause = format!("{who} answered malformed HTTP ({error}): {line}");
                let refusal = status.filter(|status| *status != 101).map(without_headers);
                DialError { refusal, ..DialError::new(FailureKind::NotHttp, cause) }
            }
            HeadError::Endless => {
                let kib = MAX_HEAD_BYTES / 1024;
                let cause =
                    format!("the response headers do not end within {kib} KiB and {MAX_HEADERS} lines");
                DialError::new(FailureKind::EndlessHeader, cause)
            }
            HeadError::ClosedEarly(0) => DialError::new(
                FailureKind::ClosedEarly,
                format!("{who} closed the connection without an answer"),
            ),
            HeadError::ClosedEarly(got) => {
                let cause = format!("{who} closed the connection after {got} bytes of its response headers");
                DialError::new(FailureKind::ClosedEarly, cause)
            }
            HeadError::Timeout(0) => DialError::timeout(budget, format!("{who} did not answer")),
            HeadError::Timeout(got) => DialError::timeout(
                budget,
                format!("{who} did not end its response headers ({got} bytes came)"),
            ),
            HeadError::Io(error) => DialError::on_open_connection(&format!("{who} did not answer"), error),
        }
    }

    /// The protocol spoken instead of HTTP/1, if known.
    pub fn other_protocol(&self) -> Option<KnownProtocol> {
        match self {
            HeadError::NotHttp(bytes) => recognise(bytes),
            _ => None,
        }
    }
}

fn without_headers(status: u16) -> RefusalResponse {
    RefusalResponse { status, ..RefusalResponse::default() }
}

/// Describes the start of an answer that is not HTTP/1. Omits later lines, which may be headers, and an echo of our
/// request, which may contain secrets.
fn beginning(bytes: &[u8]) -> String {
    if bytes.starts_with(b"GET ") {
        "it sends our own request back".to_string()
    } else {
        format!("its answer begins {}", quoted(first_line(bytes)))
    }
}

/// The first line including its end, as far as received.
fn first_line(bytes: &[u8]) -> &[u8] {
    bytes.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default()
}

/// Bytes as a string literal; non-ASCII bytes in hexadecimal.
fn quoted(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes.escape_ascii())
}

/// Reads responses from a stream until a deadline.
pub struct HeadReader<'a, S> {
    stream: &'a mut S,
    deadline: Instant,
    buffer: Vec<u8>,
    /// Bytes of heads already removed from the buffer.
    taken: usize,
}

impl<'a, S: AsyncRead + Unpin> HeadReader<'a, S> {
    pub fn new(stream: &'a mut S, deadline: Instant) -> Self {
        HeadReader { stream, deadline, buffer: Vec::new(), taken: 0 }
    }

    /// Reads the next head; later bytes stay buffered.
    pub async fn head(&mut self) -> Result<HttpHead, HeadError> {
        let mut searched = 0;
        loop {
            if !begins_as_http(&self.buffer) {
                return Err(HeadError::NotHttp(self.first_bytes().await));
            }
            if let Some(end) = end_of_head(&self.buffer, searched) {
                return self.take_head(end);
            }
            if self.taken + self.buffer.len() >= MAX_HEAD_BYTES {
                return Err(HeadError::Endless);
            }
            searched = self.buffer.len();
            if self.fill(self.deadline).await? == 0 {
                return Err(HeadError::ClosedEarly(self.buffer.len()));
            }
        }
    }

    /// Reads the start of a body, as far as it comes within [`BODY_TIMEOUT`].
    pub async fn body_start(&mut self, head: &HttpHead) -> Vec<u8> {
        let declared = head.text("content-length").and_then(|length| length.parse().ok());
        let wanted = declared.unwrap_or(MAX_BODY_BYTES).min(MAX_BODY_BYTES);
        let chunked = head.has_token("transfer-encoding", "chunked");
        self.gather(if chunked { MAX_BODY_BYTES } else { wanted }).await;
        let mut body = if chunked { decode_chunks(&self.buffer) } else { self.buffer.clone() };
        body.truncate(wanted);
        body
    }

    /// The bytes after the last head.
    pub fn into_leftover(self) -> Vec<u8> {
        self.buffer
    }

    async fn first_bytes(&mut self) -> Vec<u8> {
        self.gather(SNIFFED_BYTES).await;
        self.buffer.truncate(SNIFFED_BYTES);
        std::mem::take(&mut self.buffer)
    }

    /// Fills the buffer to `wanted` bytes, or until the stream ends or the timeout passes.
    async fn gather(&mut self, wanted: usize) {
        let deadline = self.deadline.min(Instant::now() + BODY_TIMEOUT);
        while self.buffer.len() < wanted {
            match self.fill(deadline).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }

    async fn fill(&mut self, deadline: Instant) -> Result<usize, HeadError> {
        let mut chunk = [0; 4096];
        match timeout_at(deadline, self.stream.read(&mut chunk)).await {
            Ok(Ok(count)) => {
                self.buffer.extend(chunk.iter().take(count));
                Ok(count)
            }
            Ok(Err(error)) => Err(HeadError::Io(error)),
            Err(_) => Err(HeadError::Timeout(self.buffer.len())),
        }
    }

    fn take_head(&mut self, end: usize) -> Result<HttpHead, HeadError> {
        let rest = self.buffer.split_off(end);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        self.taken += bytes.len();
        parse(&bytes)
    }
}

/// Whether the bytes may be the start of an HTTP/1 response.
fn begins_as_http(bytes: &[u8]) -> bool {
    bytes.iter().zip(b"HTTP/1.").all(|(got, wanted)| got == wanted)
}

/// End of the empty line after the headers; the first `searched` bytes were searched before.
fn end_of_head(bytes: &[u8], searched: usize) -> Option<usize> {
    let from = searched.saturating_sub(3);
    let tail = bytes.get(from..)?;
    tail.iter().enumerate().filter(|(_, byte)| **byte == b'\n').find_map(|(at, _)| {
        let rest = tail.get(at + 1..)?;
        let blank = [&b"\r\n"[..], b"\n"].into_iter().find(|blank| rest.starts_with(blank))?;
        Some(from + at + 1 + blank.len())
    })
}

fn parse(bytes: &[u8]) -> Result<HttpHead, HeadError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let malformed = |error, status| HeadError::Malformed { error, line: failing_line(bytes, error), status };
    // User agents must accept folded lines (RFC 9112 section 5.2).
    let mut config = httparse::ParserConfig::default();
    config.allow_obsolete_multiline_headers_in_responses(true);
    match config.parse_response(&mut response, bytes) {
        Err(httparse::Error::TooManyHeaders) => return Err(HeadError::Endless),
        Err(error) => return Err(malformed(error, response.code)),
        Ok(_) => {}
    }
    let (Some(status), Some(minor_version)) = (response.code, response.version) else {
        return Err(malformed(httparse::Error::Status, response.code));
    };
    let headers = response.headers.iter();
    let headers = headers.map(|h| (h.name.to_ascii_lowercase(), join_folded_lines(h.value))).collect();
    Ok(HttpHead { status, minor_version, headers })
}

/// A folded value, its lines joined by one blank each.
fn join_folded_lines(value: &[u8]) -> Vec<u8> {
    let lines = value.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(&b' ')
}

/// The data of the received chunks (RFC 9112 section 7.1).
fn decode_chunks(mut bytes: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    while let Ok(httparse::Status::Complete((start, size))) = httparse::parse_chunk_size(bytes) {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let chunk = bytes.get(start..).unwrap_or_default();
        data.extend(chunk.iter().take(size));
        match size.checked_add(2).and_then(|next| chunk.get(next..)) {
            Some(rest) if size > 0 => bytes = rest,
            _ => break,
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt;

    /// Sends `pieces` 10 ms apart, then closes.
    async fn fed<T>(
        pieces: Vec<Vec<u8>>,
        close: bool,
        read: impl AsyncFnOnce(&mut tokio::io::DuplexStream) -> T,
    ) -> T {
        let (mut near, mut far) = tokio::io::duplex(1 << 20);
        let feeding = async {
            for piece in pieces {
                tokio::time::sleep(Duration::from_millis(10)).await;
                if far.write_all(&piece).await.is_err() {
                    break;
                }
            }
            if !close {
                std::future::pending::<()>().await;
            }
            drop(far);
            std::future::pending::<()>().await
        };
        tokio::select! {
            read = read(&mut near) => read,
            () = feeding => unreachable!("feeding never ends"),
        }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    async fn head_of(pieces: &[&[u8]], close: bool) -> Result<HttpHead, HeadError> {
        let pieces = pieces.iter().map(|piece| piece.to_vec()).collect();
        fed(pieces, close, async |stream| HeadReader::new(stream, soon()).head().await).await
    }

    #[tokio::test(start_paused = true)]
    async fn head_in_pieces_is_read_and_rest_kept() {
        let pieces = b"HTTP/1.1 101 X\r\nA: b\r\nUpgrade:  WebSocket \r\n\r\n\x81\x00";
        let pieces = pieces.iter().map(|byte| vec![*byte]).collect();
        let (head, leftover) = fed(pieces, false, async |stream| {
            let mut reader = HeadReader::new(stream, soon());
            let head = reader.head().await.unwrap();
            reader.gather(2).await;
            (head, reader.into_leftover())
        })
        .await;
        assert_eq!((head.status, head.minor_version), (101, 1));
        assert_eq!(head.text("upgrade").as_deref(), Some("WebSocket"));
        assert!(head.has_token("upgrade", "websocket"));
        assert_eq!(leftover, b"\x81\x00");
    }

    #[tokio::test(start_paused = true)]
    async fn bare_line_feeds_end_a_head() {
        assert_eq!(head_of(&[b"HTTP/1.0 200 OK\nA: b\n\n"], false).await.unwrap().status, 200);
    }

    #[tokio::test(start_paused = true)]
    async fn head_size_and_line_count_are_bounded() {
        let long = [b"HTTP/1.1 200 OK\r\nA: ".to_vec(), vec![b'x'; MAX_HEAD_BYTES]].concat();
        assert!(matches!(head_of(&[&long], false).await, Err(HeadError::Endless)));
        let many = [b"HTTP/1.1 200 OK\r\n".to_vec(), b"A: b\r\n".repeat(129), b"\r\n".to_vec()].concat();
        assert!(matches!(head_of(&[&many], false).await, Err(HeadError::Endless)));
        let enough = [b"HTTP/1.1 200 OK\r\n".to_vec(), b"A: b\r\n".repeat(128), b"\r\n".to_vec()].concat();
        assert_eq!(head_of(&[&enough], false).await.unwrap().headers.len(), 128);
    }

    #[tokio::test(start_paused = true)]
    async fn several_heads_share_one_bound() {
        let interim = [b"HTTP/1.1 103 X\r\nA: ".to_vec(), vec![b'x'; 40_000], b"\r\n\r\n".to_vec()].concat();
        let heads = fed(vec![interim.clone(), interim], false, async |stream| {
            let mut reader = HeadReader::new(stream, soon());
            (reader.head().await.is_ok(), reader.head().await)
        })
        .await;
        assert!(matches!(heads, (true, Err(HeadError::Endless))));
    }

    #[tokio::test(start_paused = true)]
    async fn slow_head_ends_at_the_deadline() {
        let began = Instant::now();
        let pieces = vec![b"H".to_vec(), b"T".to_vec(), b"T".to_vec()];
        let deadline = Instant::now() + Duration::from_millis(25);
        let result = fed(pieces, false, async |stream| HeadReader::new(stream, deadline).head().await).await;
        assert!(matches!(result, Err(HeadError::Timeout(2))));
        assert_eq!(began.elapsed(), Duration::from_millis(25));
    }

    #[tokio::test(start_paused = true)]
    async fn non_http_answer_is_shown() {
        let result = head_of(&[b"SSH-2.0-", b"OpenSSH\r\n"], true).await;
        assert!(matches!(result, Err(HeadError::NotHttp(bytes)) if bytes == b"SSH-2.0-OpenSSH\r\n"));
        let result = head_of(&[b"HTTP/1.1 2x0 OK\r\n\r\n"], true).await;
        assert!(matches!(
            result,
            Err(HeadError::Malformed { error: httparse::Error::Status, status: None, .. })
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn malformed_answer_shows_status_but_no_headers() {
        let answer = b"HTTP/1.1 404 Not Found\r\nSet-Cookie: SECRET\r\nBad Name: x\r\n\r\n";
        let fault = head_of(&[answer], true).await.unwrap_err().fault("the server", Duration::ZERO);
        assert_eq!(
            fault.cause,
            r#"the server answered malformed HTTP (invalid header name): line 3 has a name with a character that is not allowed: "Bad Name""#
        );
        assert_eq!(fault.refusal, Some(without_headers(404)));
        let answer = b"HTTP/1.1 101 X\nBad Name: x\n\n";
        let fault = head_of(&[answer], true).await.unwrap_err().fault("the server", Duration::ZERO);
        assert!(fault.refusal.is_none() && fault.cause.ends_with(r#""Bad Name""#), "{}", fault.cause);
    }

    #[tokio::test(start_paused = true)]
    async fn failing_line_is_shown() {
        for (lines, shown) in [
            ("A: b\r\nX-Broken without\r\n", r#"line 3 has no colon: "X-Broken without""#),
            ("Upgrade : websocket\r\n", r#"line 2 has a blank before its colon: "Upgrade""#),
            ("A: b\r\nC: d\r\n: e\r\n", r#"line 4 has no name before its colon: """#),
            (
                " A: b\r\n",
                r#"line 2 begins with a blank, but there is no header before it to continue: " A""#,
            ),
            ("A: b\r\nC: \x01SECRET\r\n", r#"line 3 has a control character in its value: "C""#),
            ("A: b\r\ntoken=SECRET\r\n", r#"line 3 has no colon: "token""#),
            ("A: b\r\n\u{e9}: SECRET\r\n", "line 3 has a name with a character that is not allowed"),
        ] {
            let answer = format!("HTTP/1.1 101 X\r\n{lines}Z: SECRET\r\n\r\n");
            let cause =
                head_of(&[answer.as_bytes()], true).await.unwrap_err().fault("it", Duration::ZERO).cause;
            assert!(cause.contains(shown) && !cause.contains("SECRET"), "{cause}");
        }
        let cause = head_of(&[b"HTTP/1.1 2x0 OK\r\nA: b\r\n\r\n"], true).await.unwrap_err();
        let cause = cause.fault("it", Duration::ZERO).cause;
        assert!(cause.ends_with(r#"its status line is "HTTP/1.1 2x0 OK""#), "{cause}");
    }

    #[tokio::test(start_paused = true)]
    async fn folded_header_lines_are_read() {
        for folded in [
            "A: b,\r\n c\r\nD: e\r\n",
            "A: b,\r\n\t c\r\nD: e\r\n",
            "A:\r\n b,\r\n \r\n  c\r\nD: e\r\n",
            "A: b,\n c\nD: e\n",
        ] {
            let answer = format!("HTTP/1.1 101 X\r\n{folded}\r\n");
            let head = head_of(&[answer.as_bytes()], false).await.unwrap();
            assert_eq!(head.text("a").as_deref(), Some("b, c"), "{folded:?}");
            assert_eq!(head.text("d").as_deref(), Some("e"), "{folded:?}");
        }
        let last = head_of(&[b"HTTP/1.1 101 X\r\nA: b,\r\n", b" c\r\n\r\n"], false).await.unwrap();
        assert_eq!(last.text("a").as_deref(), Some("b, c"));
    }

    #[test]
    fn non_http_answer_is_quoted_without_our_request() {
        let cause = |bytes: &[u8]| HeadError::NotHttp(bytes.to_vec()).fault("it", Duration::ZERO).cause;
        assert_eq!(
            cause(b"HTTP/2 302\r\nset-cookie: SECRET\r\n"),
            r#"it does not speak HTTP/1.1: its answer begins "HTTP/2 302\r\n""#
        );
        assert_eq!(
            cause(b"GET /?token=SECRET HTTP/1.1\r\n"),
            "it does not speak HTTP/1.1: it sends our own request back"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn early_end_reports_received_bytes() {
        assert!(matches!(head_of(&[], true).await, Err(HeadError::ClosedEarly(0))));
        assert!(matches!(head_of(&[b"HTTP/1.1 200"], true).await, Err(HeadError::ClosedEarly(12))));
    }

    async fn body_of(head_and_body: &[u8], close: bool) -> (Vec<u8>, Duration) {
        let began = Instant::now();
        let body = fed(vec![head_and_body.to_vec()], close, async |stream| {
            let mut reader = HeadReader::new(stream, soon());
            let head = reader.head().await.unwrap();
            reader.body_start(&head).await
        })
        .await;
        (body, began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn body_is_read_to_its_length_or_timeout() {
        let ten = Duration::from_millis(10);
        assert_eq!(
            body_of(b"HTTP/1.1 404 X\r\nContent-Length: 3\r\n\r\nabcdef", false).await,
            (b"abc".to_vec(), ten)
        );
        assert_eq!(body_of(b"HTTP/1.1 404 X\r\n\r\nabc", true).await, (b"abc".to_vec(), ten));
        assert_eq!(body_of(b"HTTP/1.1 404 X\r\n\r\nabc", false).await, (b"abc".to_vec(), ten + BODY_TIMEOUT));
        let long = [b"HTTP/1.1 404 X\r\n\r\n".to_vec(), vec![b'x'; 100_000]].concat();
        assert_eq!(body_of(&long, false).await, (vec![b'x'; MAX_BODY_BYTES], ten));
    }

    #[tokio::test(start_paused = true)]
    async fn chunks_are_joined() {
        let chunked = b"HTTP/1.1 403 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        assert_eq!(body_of(chunked, true).await.0, b"abcde");
        assert_eq!(decode_chunks(b"ffffffffffffffff\r\nabc"), b"abc");
    }

    #[test]
    fn other_protocols_are_recognised() {
        assert_eq!(recognise(b"\x15\x03\x03\x00\x02\x02\x46"), Some(KnownProtocol::Tls));
        assert_eq!(recognise(b"\x15\x03"), Some(KnownProtocol::Tls));
        assert_eq!(recognise(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00"), Some(KnownProtocol::Http2));
        assert_eq!(recognise(b"HTTP/2 200"), Some(KnownProtocol::Http2));
        assert_eq!(recognise(b"SSH-2.0"), None);
    }

    #[test]
    fn hostile_bytes_are_escaped_in_the_cause() {
        let fault = HeadError::NotHttp(b"\x1b[2J\"\xff".to_vec()).fault("the server", Duration::ZERO);
        assert_eq!(fault.cause, r#"the server does not speak HTTP/1.1: its answer begins "\x1b[2J\"\xff""#);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0usize..300) {
            let _ = begins_as_http(&bytes);
            let _ = end_of_head(&bytes, cut);
            let _ = decode_chunks(&bytes);
            let _ = parse(&bytes);
            let _ = parse(&[b"HTTP/1.1 200 OK\r\n", &bytes[..]].concat());
        }
    }
}
