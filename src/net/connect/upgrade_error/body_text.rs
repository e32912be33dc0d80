//! Finds the cause of a refusal in its body's text, whichever server sent it.

use std::sync::LazyLock;

use regex_lite::Regex;

/// A body in lower case without markup and quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyText {
    text: String,
}

// Regular expressions over words with one blank between; a colon counts as a word.

/// Words of a complaint after the missing part: `upgrade header must contain`.
const FOLLOWING: &str = "must (?:be|contain|include|have)|should be|(?:did|does) not include|does not contain|\
    doesn t (?:contain|include)|not (?:found|present|set|websocket|upgrade)|only to websocket|missing|invalid|absent";
/// The same for any subject: `websocket connection required`.
const FOLLOWING_ANY: &str = "required|expected|only";
/// Words of a complaint before the missing part: `missing or invalid upgrade header`.
const PRECEDING: &str = "missing|invalid|no|empty|lacks|lacking|without|bad";
/// The same for any subject: `requires a websocket connection`.
const PRECEDING_ANY: &str = "expect(?:ed|s|ing)|needs?|requires?|only|use|wants";
/// Words that may stand between a complaint and its subject after it.
const BETWEEN: &str = "a|an|the|or|and|in|is|was|to|be|valid|invalid|missing|required|proper|request|http|headers?|hdr|field|\
    value|token|using|accepts|supports|for|found";
/// Words that may stand between a subject and the complaint after it.
const LINKS: &str = "headers?|hdr|token|field|value|is|was";
/// A header of the handshake.
const PART: &str = "upgrade|connection (?:header|hdr|upgrade|: upgrade)|header connection";
/// A WebSocket header or the handshake; also complained about as `not a websocket handshake`.
const HANDSHAKE: &str = "sec-websocket-(?:key|version)|websocket (?:key|version|headers|handshake|upgrade)";
/// WebSocket as a whole; much else can be wrong with it.
const WHOLE: &str = "websocket (?:requests?|connections?|protocol|client)";

/// Complaints next to their subjects. After a header, up to three words of its value are skipped: `connection header
/// keep-alive, close does not contain`.
static COMPLAINTS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let (any_before, any_after) = (PRECEDING_ANY, FOLLOWING_ANY);
    let (before, after) = (format!("{PRECEDING}|{any_before}"), format!("{FOLLOWING}|{any_after}"));
    let of_subject = |subject: &str, before: &str, after: &str| {
        let header = format!(
            "(?:{subject}) (?:(?:{LINKS}) )*(?:header|hdr)|connection (?:header|hdr)|header connection"
        );
        [
            format!(" (?:{before}) (?:(?:{BETWEEN}) )*(?:{subject}) "),
            format!(" (?:{subject}) (?:(?:{LINKS}) )*(?:{after}) "),
            format!(" (?:{header}) (?:(?:{LINKS}) )*(?:[^ ]+ ){{0,3}}(?:{after}) "),
        ]
    };
    let all = [
        of_subject(PART, &before, &after),
        of_subject(HANDSHAKE, &format!("{before}|not"), &after),
        of_subject(WHOLE, &format!("{any_before}|not"), any_after),
    ];
    all.iter().flatten().filter_map(|pattern| Regex::new(pattern).ok()).collect()
});

/// Complete complaints of other forms.
const PHRASES: &[&str] = &[
    "connection must be upgrade",
    "unsupported version: none",
    "this is a websocket server",
    "this is a websocket endpoint",
    "this is a websocket route",
    "websockets only",
    "websocket only",
    "expected websocket",
    "expected a websocket",
    "requires websocket",
    "non-websocket request",
];
/// A sentence with one of these is about something else.
const OTHER_SUBJECTS: &[&str] = &[
    "subprotocol",
    "sec-websocket-protocol",
    "extension",
    "origin",
    "your plan",
    "subscription",
    "upgrade your",
    "too many",
    "quota",
    "limit",
];
/// Texts of servers on a TLS port: nginx, Go's net/http, Apache httpd, Tomcat, `wscheck serve --tls`.
const PORT_SPEAKS_TLS: &[&str] = &[
    "http request was sent to https port",
    "http request to an https server",
    "http to an ssl-enabled server port",
    "http to a tls-enabled server port",
    "host and port requires tls",
    "this port requires tls",
    "port speaks tls",
    "port requires https",
    "sent to a tls port",
    "sent to an https port",
    "sent to an ssl port",
];
/// Other texts of servers that want TLS, as a regular expression.
static WANTS_TLS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let texts = "requires (?:tls|ssl|https|an ssl|a tls|a secure connection)|require https|\
        (?:tls|ssl|https|secure connection) (?:is )?required|use (?:tls|ssl|https|wss|the https scheme)|must be over https|\
        accessed (?:over|via) https|viewed over a secure|only https|https only|insecure connections are not|\
        (?:needs|expects|expected) tls|non-(?:tls|ssl)";
    Regex::new(texts).ok()
});

/// How certain it is that this port speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsDemand {
    /// This port speaks TLS.
    Port,
    /// The server wants TLS, perhaps on another port.
    Server,
}

impl BodyText {
    /// Normalizes a body.
    pub fn new(body: &str) -> BodyText {
        let mut text = String::new();
        let mut in_tag = false;
        for c in body.replace("&quot;", " ").replace("&#34;", " ").replace("&#39;", " ").chars() {
            match c {
                '<' => in_tag = true,
                '>' if in_tag => {
                    in_tag = false;
                    text.push(' ');
                }
                _ if in_tag => {}
                '"' | '\'' | '`' | '\\' | '\u{2018}'..='\u{201f}' => text.push(' '),
                _ => text.extend(c.to_lowercase()),
            }
        }
        BodyText { text: text.split_whitespace().collect::<Vec<_>>().join(" ") }
    }

    /// Whether the body contains these words, given in lower case.
    pub fn has(&self, words: &str) -> bool {
        self.text.contains(words)
    }

    /// Whether the body consists of exactly these words, given in lower case.
    pub fn is(&self, words: &str) -> bool {
        self.text.trim_end_matches('.') == words
    }

    /// Whether the server received plain HTTP and wants TLS.
    pub fn wants_tls(&self) -> Option<TlsDemand> {
        if PORT_SPEAKS_TLS.iter().any(|words| self.has(words)) {
            return Some(TlsDemand::Port);
        }
        WANTS_TLS.as_ref().is_some_and(|texts| texts.is_match(&self.text)).then_some(TlsDemand::Server)
    }

    /// Whether the server received HTTP/1.0, or wants HTTP/1.1.
    pub fn wants_http_1_1(&self) -> bool {
        const WANTS: &[&str] =
            &["require", "need", "must", "expect", "only", "at least", "or higher", "or later"];
        const REFUSES: &[&str] = &[
            "unsupported",
            "not support",
            "does not",
            "cannot",
            "not allowed",
            "got http",
            "too old",
            "instead of",
        ];
        let any = |sentence: &str, list: &[&str]| list.iter().any(|words| sentence.contains(words));
        self.sentences().any(|sentence| {
            (any(sentence, &["http/1.1", "http 1.1"]) && any(sentence, WANTS))
                || (any(sentence, &["http/1.0", "http 1.0"]) && any(sentence, REFUSES))
        })
    }

    /// Whether the server saw no WebSocket handshake, or an incomplete one.
    pub fn lacks_upgrade(&self) -> bool {
        self.sentences().any(|sentence| {
            let other = OTHER_SUBJECTS.iter().any(|words| sentence.contains(words));
            !other && (PHRASES.iter().any(|words| sentence.contains(words)) || has_complaint(sentence))
        })
    }

    /// Sentences of the body. A dot ends a sentence only before a blank, because of `HTTP/1.1`.
    fn sentences(&self) -> impl Iterator<Item = &str> {
        self.text.split(". ").flat_map(|part| part.split(['!', ';']))
    }
}

/// Whether a complaint stands next to one of the subjects.
fn has_complaint(sentence: &str) -> bool {
    let words = format!(" {} ", words(sentence).join(" "));
    COMPLAINTS.iter().any(|complaint| complaint.is_match(&words))
}

/// A sentence's words; of the separators, only colons are kept.
fn words(sentence: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '-';
    let parts = sentence.split_inclusive(|c| !is_word(c)).flat_map(|part| {
        let word = part.trim_end_matches(|c| !is_word(c));
        [word, if part.ends_with(':') { ":" } else { "" }]
    });
    parts.filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_expressions_are_valid() {
        assert_eq!((COMPLAINTS.len(), WANTS_TLS.is_some()), (9, true));
    }

    /// Responses of servers and libraries to a request without an upgrade.
    const NO_UPGRADE: &[&str] = &[
        // Tornado, Spring, Vert.x
        "Can \"Upgrade\" only to \"WebSocket\".",
        "\"Connection\" must be \"Upgrade\".",
        "Missing/Invalid WebSocket headers",
        // aiohttp
        "No WebSocket UPGRADE hdr: None\n Can \"Upgrade\" only to \"WebSocket\".",
        "No CONNECTION upgrade hdr: close",
        "Unsupported version: None",
        // Python websockets
        "Failed to open a WebSocket connection: missing Connection header.\n\nYou cannot access a WebSocket server \
         directly with a browser. You need a WebSocket client.\n",
        "Failed to open a WebSocket connection: invalid Connection header: close.",
        "Failed to open a WebSocket connection: empty Upgrade header.",
        // ws
        "Invalid Upgrade header",
        "Missing or invalid Sec-WebSocket-Key header",
        "Missing or invalid Sec-WebSocket-Version header",
        // gorilla/websocket
        "websocket: the client is not using the websocket protocol: 'upgrade' token not found in 'Connection' header",
        "websocket: unsupported version: 13 not found in 'Sec-Websocket-Version' header",
        "websocket: not a websocket handshake: 'Sec-WebSocket-Key' header is missing or blank",
        // coder/websocket
        "WebSocket protocol violation: Connection header \"close\" does not contain Upgrade",
        "WebSocket protocol violation: Upgrade header \"\" does not contain websocket",
        "WebSocket protocol violation: missing Sec-WebSocket-Key",
        // axum, actix, warp, tungstenite
        "Connection header did not include 'upgrade'",
        "`Upgrade` header did not include 'websocket'",
        "`Sec-WebSocket-Version` header did not include '13'",
        "WebSocket upgrade is expected",
        "Connection upgrade is expected",
        "Websocket version header is required",
        "Missing request header \"connection\"",
        "Missing \"Connection: upgrade\" header",
        // Phoenix, Netty, Jetty, faye
        "'connection' header must contain 'upgrade', got [\"close\"]",
        "not a WebSocket handshake request: missing upgrade",
        "Not a WebSocket Upgrade request",
        "Not a WebSocket request",
        "Bad Request: missing Connection header",
        "not websocket protocol",
        // Workers, Deno, http4s, others
        "Expected Upgrade: websocket",
        "{\"error\":\"Expected websocket\"}",
        "Invalid Header: 'upgrade' header must contain 'websocket'",
        "This is a WebSocket route.",
        "<html><body><p>This endpoint requires a WebSocket connection.</p></body></html>",
        "WebSocket connections only",
        "Upgrade Required",
        "Expected WebSocket Upgrade request",
    ];

    /// Bodies about something else.
    const OTHER: &[&str] = &[
        "",
        "Bad Request",
        "WebSocket upgrade failed: invalid token",
        "Failed to upgrade websocket: session not found",
        "WebSocket upgrade rejected: missing authorization header",
        "Failed to open a WebSocket connection: invalid path",
        "too many connections; upgrade required: your plan allows 2",
        "Please upgrade your client",
        "this is not a websocket endpoint",
        "Invalid Sec-WebSocket-Protocol header",
        "websocket: request origin not allowed by Upgrader.CheckOrigin",
        "Invalid or unacceptable Sec-WebSocket-Extensions header",
        "unknown subprotocol",
        "missing parameter: room",
    ];

    #[test]
    fn missing_upgrade_is_recognised() {
        for body in NO_UPGRADE {
            assert!(BodyText::new(body).lacks_upgrade(), "{body}");
        }
    }

    #[test]
    fn unrelated_bodies_are_not_missing_upgrades() {
        for body in OTHER {
            assert!(!BodyText::new(body).lacks_upgrade(), "{body}");
        }
    }

    #[test]
    fn demand_for_http_1_1_is_recognised() {
        for body in [
            "unsupported HTTP version: HTTP/1.0",
            "HTTP/1.1 required",
            "WebSocket needs HTTP/1.1 or later",
            "An upgrade needs HTTP/1.1; this request came in HTTP/1.0.",
            "unsupported protocol; expected HTTP/1.1, got HTTP/1.0",
            "<p>HTTP 1.0 is not supported</p>",
        ] {
            assert!(BodyText::new(body).wants_http_1_1(), "{body}");
        }
        for body in ["This is not an HTTP/1.1 request.", "HTTP/1.0 400 Bad Request", "only members", ""] {
            assert!(!BodyText::new(body).wants_http_1_1(), "{body}");
        }
    }

    #[test]
    fn tls_ports_are_recognised() {
        for body in [
            "<center>The plain HTTP request was sent to HTTPS port</center>",
            "Client sent an HTTP request to an HTTPS server.\n",
            "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />\n Instead use the HTTPS scheme",
            "Bad Request\nThis combination of host and port requires TLS.\n",
            "This port speaks TLS: connect with a wss:// URL.\n",
        ] {
            assert_eq!(BodyText::new(body).wants_tls(), Some(TlsDemand::Port), "{body}");
        }
        for body in [
            "403.4 - Forbidden: SSL is required to view this resource.",
            "HTTPS required",
            "use wss://",
            "non-TLS request",
        ] {
            assert_eq!(BodyText::new(body).wants_tls(), Some(TlsDemand::Server), "{body}");
        }
        for body in ["see https://a.example/help", "Forbidden", "the https server is down"] {
            assert_eq!(BodyText::new(body).wants_tls(), None, "{body}");
        }
    }
}
