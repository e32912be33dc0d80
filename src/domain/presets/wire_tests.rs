//! Literal wire text: what each preset sends, and how it reads what such a server says. The texts are those of real
//! servers, or of the papers and sources that the preset names.

use crate::domain::catalogue::{Preset, find_preset, presets};
use crate::domain::heartbeat::classifier::{Classifier, Correlation, MessageMeaning};
use crate::domain::heartbeat::inbound::{InboundMessage, MessageRef};
use crate::domain::heartbeat::template::{Payload, RequestKeys};

/// A message on the wire.
#[derive(Debug, Clone, Copy)]
enum WireMessage {
    T(&'static str),
    B(&'static [u8]),
}
use WireMessage::{B, T};

/// How an answer finds its ask.
#[derive(Debug, Clone, Copy, PartialEq)]
enum ExpectedMatch {
    /// By an id or number that it carries.
    ItsOwn,
    /// In order, for it carries none.
    InOrder,
}
use ExpectedMatch::{InOrder, ItsOwn};

/// What passes between a preset and such a server.
#[derive(Debug, Clone, Copy)]
struct WireCase {
    name: &'static str,
    /// The server's first word.
    first: &'static [WireMessage],
    /// What we say then.
    hello: &'static [WireMessage],
    /// What lets heartbeats begin, and what does not.
    awaited: &'static [WireMessage],
    refused: &'static [WireMessage],
    /// Our third ask, and what answers it.
    ask: Option<WireMessage>,
    answers: &'static [(WireMessage, ExpectedMatch)],
    /// A keepalive message that has no answer.
    keepalive: Option<WireMessage>,
    /// What the server says by itself, and our reply.
    server: &'static [(WireMessage, Option<WireMessage>)],
    /// What is none of all that.
    ordinary: &'static [WireMessage],
}

const ROW: WireCase = WireCase {
    name: "",
    first: &[],
    hello: &[],
    awaited: &[],
    refused: &[],
    ask: None,
    answers: &[],
    keepalive: None,
    server: &[],
    ordinary: &[],
};

const OPEN4: WireMessage = T(
    r#"0{"sid":"9YQ1AOMxbBMPOirNAAAC","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#,
);
const OPEN3: WireMessage =
    T(r#"0{"sid":"1MW9UGmblsq1DPeFAAAA","upgrades":[],"pingInterval":25000,"pingTimeout":5000}"#);
const PUSHER_HELLO: WireMessage = T(
    r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1234.5678\",\"activity_timeout\":120}"}"#,
);

const ROWS: &[WireCase] = &[
    WireCase {
        name: "json",
        ask: Some(T(r#"{"type":"ping"}"#)),
        answers: &[(T(r#"{"type":"pong"}"#), InOrder)],
        server: &[(T(r#"{"type":"ping","id":7}"#), Some(T(r#"{"type":"pong","id":7}"#)))],
        ordinary: &[T(r#"{"type":"update","ping":1}"#)],
        ..ROW
    },
    WireCase {
        name: "json-id",
        ask: Some(T(r#"{"type":"ping","id":3}"#)),
        answers: &[(T(r#"{"id":3,"type":"pong"}"#), ItsOwn)],
        ..ROW
    },
    WireCase { name: "text", ask: Some(T("ping")), answers: &[(T("pong"), InOrder)], ordinary: &[T("PONG"), B(b"pong")], ..ROW },
    WireCase { name: "text-upper", ask: Some(T("PING")), answers: &[(T("PONG"), InOrder)], ordinary: &[T("[]")], ..ROW },
    WireCase {
        name: "jsonrpc",
        ask: Some(T(r#"{"jsonrpc":"2.0","id":3,"method":"wscheck.ping"}"#)),
        answers: &[
            (T(r#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":3}"#), ItsOwn),
            (T(r#"{"id":3,"jsonrpc":"2.0","result":"1795666857483"}"#), ItsOwn),
        ],
        ordinary: &[T(r#"{"jsonrpc":"2.0","method":"eth_subscription","params":{}}"#)],
        ..ROW
    },
    WireCase {
        name: "engine.io",
        first: &[OPEN4],
        server: &[(T("2"), Some(T("3")))],
        ordinary: &[T("4hello"), T("6"), B(b"2")],
        ..ROW
    },
    WireCase {
        name: "socket.io",
        first: &[OPEN4],
        hello: &[T("40")],
        awaited: &[T(r#"40{"sid":"6sp9NfpMvw6RQ8AZAAAA"}"#)],
        refused: &[T(r#"44{"message":"not authorized"}"#)],
        server: &[(T("2"), Some(T("3")))],
        ordinary: &[T(r#"42["news",{"a":1}]"#)],
        ..ROW
    },
    WireCase {
        name: "engine.io-3",
        first: &[OPEN3],
        ask: Some(T("2")),
        answers: &[(T("3"), InOrder)],
        ordinary: &[T("40")],
        ..ROW
    },
    WireCase {
        name: "phoenix",
        ask: Some(T(r#"[null,"3","phoenix","heartbeat",{}]"#)),
        answers: &[(T(r#"[null,"3","phoenix","phx_reply",{"status":"ok","response":{}}]"#), ItsOwn)],
        ordinary: &[
            T(r#"["1","3","room:1","phx_reply",{"status":"ok","response":{}}]"#),
            T(r#"[null,"3","phoenix","phx_reply",{"status":"error","response":{}}]"#),
        ],
        ..ROW
    },
    WireCase {
        name: "phoenix-v1",
        ask: Some(T(r#"{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"3"}"#)),
        answers: &[(
            T(r#"{"topic":"phoenix","ref":"3","payload":{"status":"ok","response":{}},"event":"phx_reply"}"#),
            ItsOwn,
        )],
        ..ROW
    },
    WireCase {
        name: "action-cable",
        awaited: &[T(r#"{"type":"welcome"}"#)],
        refused: &[T(r#"{"type":"disconnect","reason":"unauthorized","reconnect":false}"#)],
        server: &[(T(r#"{"type":"ping","message":1795666306}"#), None)],
        ..ROW
    },
    WireCase {
        name: "graphql-ws",
        hello: &[T(r#"{"type":"connection_init"}"#)],
        awaited: &[T(r#"{"type":"connection_ack"}"#)],
        ask: Some(T(r#"{"type":"ping","payload":{"id":3}}"#)),
        answers: &[
            (T(r#"{"type":"pong","payload":{"id":3}}"#), ItsOwn),
            (T(r#"{"type":"pong"}"#), InOrder),
        ],
        server: &[(T(r#"{"type":"ping"}"#), Some(T(r#"{"type":"pong"}"#)))],
        ordinary: &[T(r#"{"id":"1","type":"next","payload":{}}"#)],
        ..ROW
    },
    WireCase {
        name: "subscriptions-transport-ws",
        hello: &[T(r#"{"type":"connection_init","payload":{}}"#)],
        awaited: &[T(r#"{"type":"connection_ack"}"#)],
        refused: &[T(r#"{"type":"connection_error","id":null,"payload":{"message":"no"}}"#)],
        server: &[(T(r#"{"type":"ka"}"#), None)],
        ..ROW
    },
    WireCase {
        name: "signalr",
        hello: &[T("{\"protocol\":\"json\",\"version\":1}\x1e")],
        awaited: &[T("{}\x1e"), B(b"{}\x1e")],
        refused: &[T("{\"error\":\"Requested protocol 'json' is not available.\"}\x1e")],
        keepalive: Some(T("{\"type\":6}\x1e")),
        server: &[(T("{\"type\":6}\x1e"), None), (B(b"{\"type\":6}\x1e"), None)],
        ordinary: &[T("{\"type\":1,\"target\":\"Send\",\"arguments\":[42]}\x1e")],
        ..ROW
    },
    WireCase {
        name: "centrifugo",
        hello: &[T(r#"{"id":1,"connect":{}}"#)],
        awaited: &[T(
            r#"{"id":1,"connect":{"client":"9ac9de4e","version":"5.4.0","ping":25,"pong":true}}"#,
        )],
        refused: &[T(r#"{"id":1,"error":{"code":101,"message":"unauthorized"}}"#), T("{}")],
        server: &[(T("{}"), Some(T("{}"))), (T("{}\n"), Some(T("{}")))],
        ordinary: &[T(r#"{"push":{"channel":"a","pub":{"data":{}}}}"#)],
        ..ROW
    },
    WireCase {
        name: "mqtt",
        hello: &[B(&[0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 0])],
        awaited: &[B(&[0x20, 2, 0, 0]), B(&[0x20, 2, 1, 0])],
        refused: &[B(&[0x20, 2, 0, 5])],
        ask: Some(B(&[0xc0, 0])),
        answers: &[(B(&[0xd0, 0]), InOrder)],
        ordinary: &[B(&[0x30, 3, 0, 1, b'a']), T("d000")],
        ..ROW
    },
    WireCase {
        name: "stomp",
        hello: &[T("CONNECT\naccept-version:1.2,1.1\nhost:/\nheart-beat:10000,10000\n\n\0")],
        awaited: &[T("CONNECTED\nsession:id8\nserver:STOMP-JS/1.3.0\nheart-beat:0,10000\nversion:1.1\n\n\0")],
        refused: &[T("ERROR\nmessage:no\n\n\0")],
        keepalive: Some(T("\n")),
        server: &[(T("\n"), None), (T("\r\n"), None)],
        ordinary: &[T("MESSAGE\nsubscription:0\n\nhello\0")],
        ..ROW
    },
    WireCase {
        name: "nats",
        first: &[B(b"INFO {\"server_id\":\"NDJQ\",\"version\":\"2.9.10\",\"max_payload\":1048576} \r\n")],
        hello: &[
            B(b"CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"wscheck\",\"version\":\"1\",\"protocol\":1}\r\n"),
            B(b"PING\r\n"),
        ],
        awaited: &[B(b"PONG\r\n")],
        refused: &[B(b"-ERR 'Authorization Violation'\r\n")],
        ask: Some(B(b"PING\r\n")),
        answers: &[(B(b"PONG\r\n"), InOrder)],
        server: &[(B(b"PING\r\n"), Some(B(b"PONG\r\n")))],
        ordinary: &[B(b"+OK\r\n"), B(b"-ERR 'Stale Connection'\r\n")],
        ..ROW
    },
    WireCase {
        name: "sockjs",
        first: &[T("o")],
        server: &[(T("h"), None)],
        ordinary: &[T(r#"a["hello"]"#), T(r#"c[3000,"No response from heartbeat"]"#)],
        ..ROW
    },
    WireCase {
        name: "ddp",
        hello: &[T(r#"{"msg":"connect","version":"1","support":["1","pre2","pre1"]}"#)],
        awaited: &[T(r#"{"msg":"connected","session":"J7c2q5ry4cWtVtMY5"}"#)],
        refused: &[T(r#"{"server_id":"0"}"#), T(r#"{"msg":"failed","version":"pre1"}"#)],
        ask: Some(T(r#"{"msg":"ping","id":"3"}"#)),
        answers: &[(T(r#"{"msg":"pong","id":"3"}"#), ItsOwn)],
        server: &[
            (T(r#"{"msg":"ping"}"#), Some(T(r#"{"msg":"pong"}"#))),
            (T(r#"{"msg":"ping","id":"x9"}"#), Some(T(r#"{"msg":"pong","id":"x9"}"#))),
        ],
        ..ROW
    },
    WireCase {
        name: "xmpp",
        hello: &[T(r#"<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="example.org" version="1.0"/>"#)],
        awaited: &[T("<stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms/></stream:features>")],
        refused: &[T("<open from='example.org' xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0'/>")],
        ask: Some(T(r#"<iq type="get" id="p3" xmlns="jabber:client"><ping xmlns="urn:xmpp:ping"/></iq>"#)),
        answers: &[
            (T("<iq type='error' id='p3' xmlns='jabber:client'><error type='cancel'/></iq>"), ItsOwn),
            (T(r#"<iq id="p3" type="result" xmlns="jabber:client"/>"#), ItsOwn),
        ],
        ordinary: &[T("<presence from='a@example.org'/>")],
        ..ROW
    },
    WireCase {
        name: "vite",
        awaited: &[T(r#"{"type":"connected"}"#)],
        keepalive: Some(T(r#"{"type":"ping"}"#)),
        ordinary: &[T(r#"{"type":"full-reload"}"#)],
        ..ROW
    },
    WireCase { name: "webpack-dev-server", ordinary: &[T(r#"{"type":"hot"}"#), T(r#"{"type":"ok"}"#)], ..ROW },
    WireCase {
        name: "gatewayworker",
        server: &[(T(r#"{"type":"ping"}"#), Some(T(r#"{"type":"pong"}"#)))],
        ..ROW
    },
    WireCase { name: "jupyter", ordinary: &[T(r#"{"header":{"msg_type":"status"},"channel":"iopub"}"#)], ..ROW },
    WireCase { name: "kubernetes", ordinary: &[B(&[1, b'h', b'i'])], ..ROW },
    WireCase {
        name: "pusher",
        awaited: &[PUSHER_HELLO],
        refused: &[T(r#"{"event":"pusher:error","data":{"code":4001,"message":"App key not found"}}"#)],
        ask: Some(T(r#"{"event":"pusher:ping","data":{}}"#)),
        answers: &[(T(r#"{"event":"pusher:pong","data":"{}"}"#), InOrder)],
        server: &[(T(r#"{"event":"pusher:ping"}"#), Some(T(r#"{"event":"pusher:pong","data":{}}"#)))],
        ..ROW
    },
    WireCase {
        name: "reverb",
        awaited: &[PUSHER_HELLO],
        ask: Some(T(r#"{"event":"pusher:ping","data":{}}"#)),
        answers: &[(T(r#"{"event":"pusher:pong"}"#), InOrder)],
        server: &[(T(r#"{"event":"pusher:ping"}"#), Some(T(r#"{"event":"pusher:pong","data":{}}"#)))],
        ..ROW
    },
    WireCase {
        name: "ably",
        awaited: &[T(r#"{"action":4,"connectionId":"x","connectionDetails":{"maxIdleInterval":15000}}"#)],
        refused: &[T(r#"{"action":9,"error":{"code":40101}}"#)],
        ask: Some(T(r#"{"action":0,"id":"00000000000000ab-2"}"#)),
        answers: &[(T(r#"{"action":0,"id":"00000000000000ab-2"}"#), ItsOwn)],
        server: &[(T(r#"{"action":0}"#), None)],
        ..ROW
    },
    WireCase {
        name: "discord",
        first: &[T(r#"{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":45000}}"#)],
        ask: Some(T(r#"{"op":1,"d":null}"#)),
        answers: &[(T(r#"{"op":11}"#), InOrder), (T(r#"{"t":null,"s":null,"op":11,"d":null}"#), InOrder)],
        server: &[(T(r#"{"op":1}"#), Some(T(r#"{"op":1,"d":null}"#)))],
        ..ROW
    },
    WireCase {
        name: "slack",
        awaited: &[T(r#"{"type":"hello","num_connections":1,"debug_info":{}}"#)],
        ordinary: &[T(r#"{"type":"disconnect","reason":"warning"}"#)],
        ..ROW
    },
    WireCase {
        name: "home-assistant",
        first: &[T(r#"{"type":"auth_required","ha_version":"2021.5.3"}"#)],
        awaited: &[T(r#"{"type":"auth_ok","ha_version":"2021.5.3"}"#)],
        refused: &[T(r#"{"type":"auth_invalid","message":"Invalid password"}"#)],
        ask: Some(T(r#"{"id":3,"type":"ping"}"#)),
        answers: &[(T(r#"{"id":3,"type":"pong"}"#), ItsOwn)],
        ..ROW
    },
    WireCase {
        name: "firebase",
        awaited: &[T(r#"{"t":"c","d":{"t":"h","d":{"ts":1,"v":"5","h":"s-usc1","s":"x"}}}"#)],
        ask: Some(T(r#"{"t":"c","d":{"t":"p","d":{}}}"#)),
        answers: &[(T(r#"{"t":"c","d":{"t":"o","d":null}}"#), InOrder)],
        ordinary: &[T(r#"{"t":"d","d":{"r":1,"b":{"s":"ok"}}}"#)],
        ..ROW
    },
    WireCase {
        name: "obs",
        first: &[T(r#"{"op":0,"d":{"obsWebSocketVersion":"5.0.0","rpcVersion":1}}"#)],
        hello: &[T(r#"{"op":1,"d":{"rpcVersion":1,"eventSubscriptions":0}}"#)],
        awaited: &[T(r#"{"op":2,"d":{"negotiatedRpcVersion":1}}"#)],
        ask: Some(T(r#"{"op":6,"d":{"requestType":"GetVersion","requestId":"3"}}"#)),
        answers: &[(
            T(r#"{"op":7,"d":{"requestType":"GetVersion","requestId":"3","requestStatus":{"result":true,"code":100}}}"#),
            ItsOwn,
        )],
        ..ROW
    },
    WireCase {
        name: "nostr",
        ask: Some(T(
            r#"["REQ","wscheck",{"ids":["0000000000000000000000000000000000000000000000000000000000000000"]}]"#,
        )),
        answers: &[(T(r#"["EOSE","wscheck"]"#), InOrder)],
        ordinary: &[T(r#"["NOTICE","invalid: unknown message type"]"#), T(r#"["CLOSED","wscheck","error: x"]"#)],
        ..ROW
    },
    WireCase {
        name: "twitch-eventsub",
        awaited: &[T(
            r#"{"metadata":{"message_id":"9","message_type":"session_welcome"},"payload":{"session":{"keepalive_timeout_seconds":10}}}"#,
        )],
        server: &[(T(r#"{"metadata":{"message_id":"8","message_type":"session_keepalive"},"payload":{}}"#), None)],
        ordinary: &[T(r#"{"metadata":{"message_type":"notification"},"payload":{}}"#)],
        ..ROW
    },
    WireCase {
        name: "helius",
        ask: Some(T(r#"{"jsonrpc":"2.0","id":3,"method":"ping"}"#)),
        answers: &[(T(r#"{"jsonrpc":"2.0","id":3,"result":"pong"}"#), ItsOwn)],
        ..ROW
    },
    WireCase { name: "binance", ordinary: &[T(r#"{"e":"trade","s":"BTCUSDT"}"#)], ..ROW },
    WireCase {
        name: "binance-api",
        ask: Some(T(r#"{"id":"3","method":"ping"}"#)),
        answers: &[(T(r#"{"id":"3","status":200,"result":{},"rateLimits":[]}"#), ItsOwn)],
        ordinary: &[T(r#"{"id":"3","status":429,"error":{"code":-1003}}"#)],
        ..ROW
    },
    WireCase {
        name: "kraken",
        ask: Some(T(r#"{"method":"ping","req_id":3}"#)),
        answers: &[(
            T(r#"{"method":"pong","req_id":3,"time_in":"2023-09-24T14:10:23Z","time_out":"2023-09-24T14:10:24Z"}"#),
            ItsOwn,
        )],
        server: &[(T(r#"{"channel":"heartbeat"}"#), None)],
        ordinary: &[T(r#"{"channel":"status","type":"update","data":[]}"#)],
        ..ROW
    },
    WireCase { name: "okx", ask: Some(T("ping")), answers: &[(T("pong"), InOrder)], ..ROW },
    WireCase {
        name: "bybit",
        ask: Some(T(r#"{"op":"ping","req_id":"3"}"#)),
        answers: &[
            (T(r#"{"success":true,"ret_msg":"pong","conn_id":"4","req_id":"","op":"ping"}"#), InOrder),
            (T(r#"{"op":"pong","args":["1675418560633"],"conn_id":"c"}"#), InOrder),
        ],
        ordinary: &[T(r#"{"success":true,"ret_msg":"","op":"subscribe"}"#)],
        ..ROW
    },
    WireCase {
        name: "kucoin",
        awaited: &[T(r#"{"id":"hQvf8jkno","type":"welcome"}"#)],
        ask: Some(T(r#"{"id":"3","type":"ping"}"#)),
        answers: &[(T(r#"{"id":"3","type":"pong","timestamp":1706687211047}"#), ItsOwn)],
        ..ROW
    },
    WireCase {
        name: "gateio",
        ask: Some(T(r#"{"time":1700000000,"channel":"spot.ping"}"#)),
        answers: &[(
            T(r#"{"time":1700000001,"time_ms":1700000001040,"channel":"spot.pong","event":"","result":null}"#),
            InOrder,
        )],
        ..ROW
    },
    WireCase {
        name: "huobi",
        server: &[(T(r#"{"ping":1492420473027}"#), Some(T(r#"{"pong":1492420473027}"#)))],
        ordinary: &[T(r#"{"ch":"market.btcusdt.trade.detail","ts":1}"#)],
        ..ROW
    },
    WireCase {
        name: "mexc",
        ask: Some(T(r#"{"method":"PING"}"#)),
        answers: &[(T(r#"{"id":0,"code":0,"msg":"PONG"}"#), InOrder)],
        ..ROW
    },
    WireCase {
        name: "mexc-futures",
        ask: Some(T(r#"{"method":"ping"}"#)),
        answers: &[(T(r#"{"channel":"pong","data":1587453241453}"#), InOrder)],
        ..ROW
    },
    WireCase {
        name: "hyperliquid",
        ask: Some(T(r#"{"method":"ping"}"#)),
        answers: &[(T(r#"{"channel":"pong"}"#), InOrder)],
        ..ROW
    },
    WireCase {
        name: "deribit",
        ask: Some(T(r#"{"jsonrpc":"2.0","id":3,"method":"public/test","params":{}}"#)),
        answers: &[(T(r#"{"jsonrpc":"2.0","id":3,"result":{"version":"1.2.26"},"usIn":1}"#), ItsOwn)],
        server: &[
            (
                T(r#"{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}"#),
                Some(T(r#"{"jsonrpc":"2.0","id":0,"method":"public/test","params":{}}"#)),
            ),
            (T(r#"{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}}"#), None),
        ],
        ..ROW
    },
    WireCase {
        name: "crypto.com",
        server: &[(
            T(r#"{"id":1587523073344,"method":"public/heartbeat","code":0}"#),
            Some(T(r#"{"id":1587523073344,"method":"public/respond-heartbeat"}"#)),
        )],
        ..ROW
    },
    WireCase {
        name: "bullish",
        ask: Some(T(r#"{"jsonrpc":"2.0","type":"command","method":"keepalivePing","params":{},"id":"3"}"#)),
        answers: &[(
            T(r#"{"jsonrpc":"2.0","id":"3","result":{"responseCode":"200","responseCodeName":"OK"}}"#),
            ItsOwn,
        )],
        ..ROW
    },
    WireCase { name: "polymarket", ask: Some(T("PING")), answers: &[(T("PONG"), InOrder)], ..ROW },
    WireCase { name: "polymarket-live", server: &[(T("ping"), Some(T("pong")))], ordinary: &[T("{}")], ..ROW },
];

const NONCE: u64 = 0xab;
const NOW: u64 = 1_700_000_000_000;

fn message(wire: &WireMessage) -> MessageRef<'static> {
    match wire {
        T(text) => MessageRef::Text(text),
        B(bytes) => MessageRef::Binary(bytes),
    }
}

fn payload(wire: &WireMessage) -> Payload {
    match wire {
        T(text) => Payload::Text(text.to_string()),
        B(bytes) => Payload::Binary(bytes.to_vec()),
    }
}

fn preset(row: &WireCase) -> &'static Preset {
    find_preset(row.name).unwrap_or_else(|| panic!("no preset {}", row.name))
}

/// A classifier that has asked thrice, and the third ask.
fn asked(row: &WireCase) -> (Classifier, Option<Payload>) {
    let compiled = preset(row).compile("example.org").unwrap();
    let classifier = match compiled.ask {
        Some((ask, answer)) => Classifier::new(ask, answer, true, NONCE),
        None => Classifier::without_asks(true),
    };
    let mut classifier = classifier.speaking(&compiled.profile);
    let asks = (0..3).map(|seq| classifier.ask(seq, NOW + seq)).last().flatten();
    (classifier, asks)
}

#[test]
fn every_preset_has_its_wire_text() {
    for preset in presets() {
        let rows = ROWS.iter().filter(|row| row.name == preset.name).count();
        assert_eq!(rows, 1, "{}", preset.name);
    }
    for row in ROWS {
        let preset = preset(row);
        assert_eq!(row.first.is_empty(), preset.first.is_none(), "{}: first", row.name);
        assert_eq!(row.awaited.is_empty(), preset.awaited.is_none(), "{}: awaited", row.name);
        assert_eq!(row.ask.is_none(), preset.ask.is_none(), "{}: ask", row.name);
        assert_eq!(row.keepalive.is_none(), preset.keepalive.is_none(), "{}: upkeep", row.name);
        assert!(row.server.len() >= preset.server.len(), "{}: what the server says", row.name);
    }
}

#[test]
fn the_hello_is_said_as_it_stands_on_the_wire() {
    for row in ROWS {
        let compiled = preset(row).compile("example.org").unwrap();
        let keys = RequestKeys { seq: 0, id: String::new(), now_ms: NOW };
        let sent: Vec<Payload> = compiled.hello.iter().map(|text| text.render(&keys)).collect();
        assert_eq!(sent, row.hello.iter().map(payload).collect::<Vec<_>>(), "{}", row.name);
        let keepalive = compiled.profile.keepalive.map(|keepalive| keepalive.message.render(&keys));
        assert_eq!(keepalive, row.keepalive.as_ref().map(payload), "{}", row.name);
    }
}

#[test]
fn what_is_awaited_is_recognised_and_nothing_else() {
    for row in ROWS {
        let preset = preset(row);
        let compiled = preset.compile("example.org").unwrap();
        let matches = |pattern: &Option<crate::domain::heartbeat::pattern::Pattern>, wire: &WireMessage| {
            let mut units = preset.framing.units(message(wire));
            units.any(|unit| {
                pattern.as_ref().is_some_and(|pattern| pattern.matches(&InboundMessage::new(unit)).is_some())
            })
        };
        for wire in row.first {
            assert!(matches(&compiled.first, wire), "{}: {wire:?}", row.name);
        }
        for wire in row.awaited {
            assert!(matches(&compiled.awaited, wire), "{}: {wire:?}", row.name);
        }
        for wire in row.refused.iter().chain(row.ordinary) {
            assert!(!matches(&compiled.awaited, wire), "{}: {wire:?}", row.name);
        }
    }
}

#[test]
fn the_third_ask_is_answered_by_its_own_answer() {
    for row in ROWS {
        let (_, ask) = asked(row);
        assert_eq!(ask, row.ask.as_ref().map(payload), "{}", row.name);
        for (wire, finds) in row.answers {
            let (mut classifier, _) = asked(row);
            let correlation = match finds {
                ItsOwn => Correlation::Exact { seq: 2 },
                InOrder => Correlation::None,
            };
            let read = classifier.read(message(wire), NOW);
            assert_eq!(read, [MessageMeaning::Answer(correlation)], "{}: {wire:?}", row.name);
        }
    }
}

#[test]
fn what_the_server_says_by_itself_is_answered_as_it_wants() {
    for row in ROWS {
        for (wire, reply) in row.server {
            let (mut classifier, _) = asked(row);
            let read = classifier.read(message(wire), NOW);
            let expected = MessageMeaning::ServerPing { reply: reply.as_ref().map(payload) };
            assert_eq!(read, [expected], "{}: {wire:?}", row.name);
        }
        for wire in row.ordinary {
            let (mut classifier, _) = asked(row);
            let read = classifier.read(message(wire), NOW);
            assert!(
                read.iter().all(|meaning| *meaning == MessageMeaning::Ordinary),
                "{}: {wire:?}: {read:?}",
                row.name
            );
        }
    }
}
