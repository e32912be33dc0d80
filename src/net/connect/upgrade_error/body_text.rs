//! Finds the cause of a refusal in its body's text, whichever server sent it.

/// A body in lower case without markup and quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyText {
    text: String,
}

/// Words of a complaint after the missing part: `upgrade header must contain`.
const FOLLOWING: &[&[&str]] = &[
    &["must", "be"],
    &["must", "contain"],
    &["must", "include"],
    &["must", "have"],
    &["should", "be"],
    &["did", "not", "include"],
    &["does", "not", "include"],
    &["does", "not", "contain"],
    &["doesn", "t", "contain"],
    &["doesn", "t", "include"],
    &["not", "found"],
    &["not", "present"],
    &["not", "set"],
    &["not", "websocket"],
    &["not", "upgrade"],
    &["only", "to", "websocket"],
    &["missing"],
    &["invalid"],
    &["absent"],
];
/// The same for any subject: `websocket connection required`.
const FOLLOWING_ANY: &[&[&str]] = &[&["required"], &["expected"], &["only"]];
/// Words of a complaint before the missing part: `missing or invalid upgrade header`.
const PRECEDING: &[&str] = &["missing", "invalid", "no", "empty", "lacks", "lacking", "without", "bad"];
/// The same for any subject: `requires a websocket connection`.
const PRECEDING_ANY: &[&str] =
    &["expected", "expects", "expecting", "needs", "need", "requires", "require", "only", "use", "wants"];
/// Words that may stand between a complaint and its subject after it.
const BETWEEN: &[&str] = &[
    "a", "an", "the", "or", "and", "in", "is", "was", "to", "be", "valid", "invalid", "missing", "required",
    "proper", "request", "http", "header", "headers", "hdr", "field", "value", "token", "using", "accepts",
    "supports", "for", "found",
];
/// Words that may stand between a subject and the complaint after it.
const LINKS: &[&str] = &["header", "hdr", "headers", "token", "field", "value", "is", "was"];

/// The kind of missing part in a complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MissingPart {
    /// A header of the handshake.
    Part,
    /// A WebSocket header or the handshake; also complained about as `not a websocket handshake`.
    Handshake,
    /// WebSocket as a whole; much else can be wrong with it.
    Whole,
}

/// Words of each subject; a colon counts as a word.
const SUBJECTS: &[(&[&str], MissingPart)] = &[
    (&["upgrade"], MissingPart::Part),
    (&["connection", "header"], MissingPart::Part),
    (&["connection", "hdr"], MissingPart::Part),
    (&["connection", "upgrade"], MissingPart::Part),
    (&["connection", ":", "upgrade"], MissingPart::Part),
    (&["header", "connection"], MissingPart::Part),
    (&["sec-websocket-key"], MissingPart::Handshake),
    (&["sec-websocket-version"], MissingPart::Handshake),
    (&["websocket", "key"], MissingPart::Handshake),
    (&["websocket", "version"], MissingPart::Handshake),
    (&["websocket", "headers"], MissingPart::Handshake),
    (&["websocket", "handshake"], MissingPart::Handshake),
    (&["websocket", "upgrade"], MissingPart::Handshake),
    (&["websocket", "request"], MissingPart::Whole),
    (&["websocket", "requests"], MissingPart::Whole),
    (&["websocket", "connection"], MissingPart::Whole),
    (&["websocket", "connections"], MissingPart::Whole),
    (&["websocket", "protocol"], MissingPart::Whole),
    (&["websocket", "client"], MissingPart::Whole),
];
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
/// Maximum length of a skipped header value in words: `connection header keep-alive, close does not contain`.
const MAX_VALUE_WORDS: usize = 3;

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
/// Other texts of servers that want TLS.
const WANTS_TLS: &[&str] = &[
    "requires tls",
    "requires ssl",
    "requires https",
    "require https",
    "tls is required",
    "ssl is required",
    "https is required",
    "tls required",
    "ssl required",
    "https required",
    "use https",
    "use wss",
    "use the https scheme",
    "must be over https",
    "accessed over https",
    "accessed via https",
    "viewed over a secure",
    "only https",
    "https only",
    "insecure connections are not",
    "secure connection is required",
    "secure connection required",
    "requires a secure connection",
    "requires an ssl",
    "requires a tls",
    "use tls",
    "use ssl",
    "needs tls",
    "expects tls",
    "expected tls",
    "non-tls",
    "non-ssl",
];

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
        let any = |list: &[&str]| list.iter().any(|words| self.has(words));
        match (any(PORT_SPEAKS_TLS), any(WANTS_TLS)) {
            (true, _) => Some(TlsDemand::Port),
            (false, true) => Some(TlsDemand::Server),
            (false, false) => None,
        }
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
    let words = words(sentence);
    (0..words.len()).any(|at| {
        let (before, rest) = words.split_at(at);
        SUBJECTS.iter().any(|(named, subject)| {
            let after = rest.strip_prefix(*named);
            after.is_some_and(|after| {
                is_preceded_by_complaint(before, *subject) || is_followed_by_complaint(after, named, *subject)
            })
        })
    })
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

fn is_preceded_by_complaint(before: &[&str], subject: MissingPart) -> bool {
    let complains = |word: &str| match subject {
        MissingPart::Part => PRECEDING.contains(&word) || PRECEDING_ANY.contains(&word),
        MissingPart::Handshake => PRECEDING.contains(&word) || PRECEDING_ANY.contains(&word) || word == "not",
        MissingPart::Whole => PRECEDING_ANY.contains(&word) || word == "not",
    };
    let nearest = before.iter().rev().find(|word| complains(word) || !BETWEEN.contains(word));
    nearest.is_some_and(|word| complains(word))
}

fn is_followed_by_complaint(after: &[&str], named: &[&str], subject: MissingPart) -> bool {
    let links = after.iter().take_while(|word| LINKS.contains(word)).count();
    let linked = named.iter().chain(after.iter().take(links));
    let skips =
        if linked.into_iter().any(|word| ["header", "hdr"].contains(word)) { MAX_VALUE_WORDS } else { 0 };
    (0..=skips).any(|skip| {
        let rest = after.get(links + skip..).unwrap_or_default();
        let complains = |list: &[&[&str]]| list.iter().any(|words| rest.starts_with(words));
        complains(FOLLOWING_ANY) || (subject != MissingPart::Whole && complains(FOLLOWING))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
