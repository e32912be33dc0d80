//! Protocols that several servers speak.

use std::time::Duration;

use super::known_ping::{KnownPing, answered, one_way};
use super::preset::{ForbiddenAction, Preset, VerificationLevel, ask, asks, calls, trap};
use super::product::Product;
use super::reaping::{Goodbye, ReapingDefault, app_pings, pings};
use super::timeout::s;
use crate::domain::heartbeat::framing::Framing;

const CLIENT_TWO: &str =
    "a client's 2 is an \"invalid heartbeat direction\" since Engine.IO 4: the server closes";
const SUBPROTOCOL_IS_OLD: &str = "its subprotocol is called graphql-ws, as is the library that speaks graphql-transport-ws: this is the old one";

pub(super) const PROTOCOLS: &[Product] = &[
    Product {
        id: "graphql",
        name: "GraphQL over WebSocket",
        speaks: &[
            Preset {
                name: "graphql-ws",
                aliases: &["graphql-transport-ws", "graphql"],
                title: "GraphQL over WebSocket (graphql-transport-ws)",
                url: "ws://example.org/graphql",
                path: Some("/graphql"),
                subprotocols: &["graphql-transport-ws"],
                hello: &[r#"{"type":"connection_init"}"#],
                awaited: Some(r#"{"type":"connection_ack"}"#),
                ask: ask(r#"{"type":"ping","payload":{"id":{seq1}}}"#, &[r#"{"type":"pong"}"#]),
                server: &[asks(r#"{"type":"ping"}"#, r#"{"type":"pong"}"#)],
                every: Some(s(12)),
                timeout: Some(s(10)),
                marks: &[r#"{"type":"connection_ack"}"#],
                note: "without connection_init the server closes with 4408 after 3 s, with a second one with 4429; its usual host \
                       sends Ping frames every 12 s besides",
                source: "enisdenjo/graphql-ws@af4f5c9df60d PROTOCOL.md; src/server.ts:578 (connectionInitWaitTimeout 3000); \
                         src/use/ws.ts:53 (keepAlive 12000)",
                verified: VerificationLevel::Live,
                ..Preset::BLANK
            },
            Preset {
                name: "subscriptions-transport-ws",
                aliases: &["apollo", "graphql-legacy", "graphql-ws-legacy"],
                title: "Apollo's old GraphQL subscriptions (subprotocol graphql-ws)",
                url: "ws://example.org/graphql",
                path: Some("/graphql"),
                subprotocols: &["graphql-ws"],
                hello: &[r#"{"type":"connection_init","payload":{}}"#],
                awaited: Some(r#"{"type":"connection_ack"}"#),
                server: &[calls(r#"{"type":"ka"}"#)],
                marks: &[r#"{"type":"ka"}"#, r#"{"type":"connection_error"}"#],
                note: SUBPROTOCOL_IS_OLD,
                source: "apollographql/subscriptions-transport-ws@36f3f6f780ac PROTOCOL.md (GQL_CONNECTION_KEEP_ALIVE), \
                         src/message-types.ts:7",
                verified: VerificationLevel::Live,
                ..Preset::BLANK
            },
        ],
        reaping: &[ReapingDefault {
            id: "graphql-ws",
            name: "graphql-ws on ws",
            timing: pings(12, 12),
            goodbye: Goodbye::Terminates,
            server: None,
            words: "pings every 12 s and terminates clients that have not answered by the next",
            source: "enisdenjo/graphql-ws@af4f5c9df60d src/use/ws.ts:53",
        }],
        pings: &[one_way("GraphQL ka", r#"{"type":"ka"}"#)],
        ..Product::BLANK
    },
    Product {
        id: "socket.io",
        name: "Socket.IO and Engine.IO",
        speaks: &[
            Preset {
                name: "engine.io",
                aliases: &["engineio", "engineio4", "engine.io-4", "eio4"],
                title: "Engine.IO 4",
                url: "ws://example.org/engine.io/?EIO=4&transport=websocket",
                path: Some("/engine.io/"),
                query: &[("EIO", "4"), ("transport", "websocket")],
                first: Some(r#"0{"sid":{any},"pingInterval":{any}}"#),
                server: &[asks("2", "3")],
                server_every: Some(s(25)),
                announces: Some((r#"0{"pingInterval":{seq}}"#, Duration::from_millis(1))),
                traps: &[trap(ForbiddenAction::Text("2"), CLIENT_TWO)],
                marks: &[r#"0{"sid":{any},"pingInterval":{any}}"#],
                note: "a client that does not answer within pingTimeout (20 s) is closed; messages of the application begin with 4",
                source: "socketio/engine.io-protocol@f21de7b00ed0 README.md (pingInterval 25000, pingTimeout 20000, heartbeat)",
                verified: VerificationLevel::Live,
                ..Preset::BLANK
            },
            Preset {
                name: "socket.io",
                aliases: &["socketio", "socketio4", "socket.io-4", "socket.io-3"],
                title: "Socket.IO 3 and 4, which speak Engine.IO 4",
                url: "ws://example.org/socket.io/?EIO=4&transport=websocket",
                path: Some("/socket.io/"),
                query: &[("EIO", "4"), ("transport", "websocket")],
                first: Some(r#"0{"sid":{any},"pingInterval":{any}}"#),
                hello: &["40"],
                awaited: Some(r#"40{"sid":{any}}"#),
                server: &[asks("2", "3")],
                server_every: Some(s(25)),
                announces: Some((r#"0{"pingInterval":{seq}}"#, Duration::from_millis(1))),
                traps: &[trap(ForbiddenAction::Text("2"), CLIENT_TWO)],
                marks: &[
                    r#"0{"sid":{any},"pingInterval":{any}}"#,
                    r#"40{"sid":{any}}"#,
                    r#"44{"message":{any}}"#,
                ],
                note: "40 connects to the namespace /; without it the server disconnects after 45 s (connectTimeout). An \
                       application that acknowledges an event gives an app RTT: --heartbeat app --app-ping '42{seq}[\"ping\"]' \
                       --app-pong '43{seq}[{any}]'",
                source: "socketio/engine.io-protocol@f21de7b00ed0 README.md; socket.io-protocol: 40 is CONNECT",
                verified: VerificationLevel::Live,
                ..Preset::BLANK
            },
            Preset {
                name: "engine.io-3",
                aliases: &["engineio3", "socket.io-2", "socketio2", "eio3"],
                title: "Engine.IO 3 and Socket.IO 2",
                url: "ws://example.org/socket.io/?EIO=3&transport=websocket",
                path: Some("/socket.io/"),
                query: &[("EIO", "3"), ("transport", "websocket")],
                first: Some(r#"0{"sid":{any},"pingInterval":{any}}"#),
                ask: ask("2", &["3"]),
                every: Some(s(25)),
                timeout: Some(s(5)),
                marks: &[r#"0{"sid":{any},"pingInterval":{any}}"#],
                note: "here the client sends the pings; in Engine.IO 4 the server does",
                source: "socketio/engine.io-protocol@f21de7b00ed0 README.md:371 (reverse ping/pong mechanism in v4)",
                verified: VerificationLevel::Live,
                ..Preset::BLANK
            },
        ],
        reaping: &[ReapingDefault {
            id: "engine.io",
            name: "Engine.IO 4 (Socket.IO 3 and 4)",
            timing: app_pings(25, 20),
            goodbye: Goodbye::Unknown,
            server: None,
            words: "pingInterval 25 s, pingTimeout 20 s",
            source: "socketio/engine.io-protocol@f21de7b00ed0 README.md",
        }],
        pings: &[KnownPing { after: Some(r#"0{"sid":{any}}"#), ..answered("Engine.IO 4", "2", "3") }],
        ..Product::BLANK
    },
    Product {
        id: "centrifugo",
        name: "Centrifugo",
        speaks: &[Preset {
            name: "centrifugo",
            aliases: &["centrifuge"],
            title: "Centrifugo, JSON",
            url: "ws://example.org/connection/websocket",
            path: Some("/connection/websocket"),
            framing: Framing::Lines,
            hello: &[r#"{"id":1,"connect":{}}"#],
            awaited: Some(r#"{"id":1,"connect":{any}}"#),
            server: &[asks("text:{}", "{}")],
            server_every: Some(s(25)),
            announces: Some((r#"{"connect":{"ping":{seq}}}"#, Duration::from_secs(1))),
            marks: &[r#"{"id":{any},"connect":{"client":{any}}}"#, r#"{"push":{"channel":{any}}}"#],
            note: "a client that does not answer {} within 8 s is closed with 3012 (no pong); if the server needs a token: \
                       --send '{\"id\":1,\"connect\":{\"token\":\"...\"}}'. The query cf_ws_frame_ping_pong=true has it send Ping \
                       frames instead",
            source: "centrifugal/centrifugal.dev@910fa94598b3 docs/transports/websocket.md:145-166, \
                         docs/server/configuration.md:683-697",
            ..Preset::BLANK
        }],
        reaping: &[ReapingDefault {
            id: "centrifugo",
            name: "Centrifugo",
            timing: app_pings(25, 8),
            goodbye: Goodbye::Words(3012, "no pong"),
            server: None,
            words: "asks every 25 s and closes after 8 s",
            source: "centrifugal/centrifugal.dev@910fa94598b3 docs/transports/websocket.md:145-166",
        }],
        pings: &[answered("Centrifugo", "text:{}", "text:{}")],
        ..Product::BLANK
    },
    Product {
        id: "meteor",
        name: "Meteor DDP",
        speaks: &[Preset {
            name: "ddp",
            aliases: &["meteor", "meteor-ddp"],
            title: "Meteor DDP",
            url: "ws://example.org/websocket",
            path: Some("/websocket"),
            hello: &[r#"{"msg":"connect","version":"1","support":["1","pre2","pre1"]}"#],
            awaited: Some(r#"{"msg":"connected"}"#),
            ask: ask(r#"{"msg":"ping","id":"{seq1}"}"#, &[r#"{"msg":"pong","id":"{seq1}"}"#]),
            server: &[
                asks(r#"{"msg":"ping","id":"{id}"}"#, r#"{"msg":"pong","id":"{id}"}"#),
                asks(r#"{"msg":"ping"}"#, r#"{"msg":"pong"}"#),
            ],
            server_every: Some(s(15)),
            every: Some(Duration::from_millis(17_500)),
            timeout: Some(s(15)),
            marks: &[r#"{"msg":"connected","session":{any}}"#, r#"{"msg":"failed","version":{any}}"#],
            source: "meteor/meteor@024061123a49 packages/ddp/DDP.md (Heartbeats); livedata_server.js:1475 (15000/15000); \
                         livedata_connection.js:52 (17500/15000)",
            ..Preset::BLANK
        }],
        reaping: &[ReapingDefault {
            id: "meteor",
            name: "Meteor DDP",
            timing: app_pings(15, 15),
            goodbye: Goodbye::Unknown,
            server: None,
            words: "heartbeatInterval 15 s, heartbeatTimeout 15 s",
            source: "meteor/meteor@024061123a49 packages/ddp-server/livedata_server.js:1475",
        }],
        pings: &[answered("Meteor DDP", r#"{"msg":"ping"}"#, r#"{"msg":"pong"}"#)],
        ..Product::BLANK
    },
    Product {
        id: "mqtt",
        name: "MQTT over WebSocket",
        speaks: &[Preset {
            name: "mqtt",
            aliases: &["mosquitto", "mqtt3"],
            title: "MQTT 3.1.1 over WebSocket",
            url: "ws://example.org/mqtt",
            path: Some("/mqtt"),
            subprotocols: &["mqtt"],
            hello: &["hex:100c00044d5154540402003c0000"],
            awaited: Some("hex:2002??00"),
            ask: ask("hex:c000", &["hex:d000"]),
            every: Some(s(30)),
            timeout: Some(s(10)),
            marks: &["hex:2002????"],
            note: "the hello is CONNECT with a clean session, no client id and a keep alive of 60 s: a server closes after 1.5 \
                       times that without a packet, and Ping frames are none. If the broker needs a name: --send hex:... with a \
                       CONNECT of its own, and a client id for each connection, or they take over from one another",
            source: "OASIS MQTT 3.1.1 sections 3.1, 3.2, 3.12, 3.13 and 6",
            verified: VerificationLevel::Live,
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "stomp",
        name: "STOMP over WebSocket",
        speaks: &[Preset {
            name: "stomp",
            aliases: &["stomp12", "rabbitmq-stomp"],
            title: "STOMP 1.2 over WebSocket",
            url: "ws://example.org/ws",
            subprotocols: &["v12.stomp", "v11.stomp"],
            hello: &[r"text:CONNECT\naccept-version:1.2,1.1\nhost:/\nheart-beat:10000,10000\n\n\0"],
            awaited: Some("text:CONNECTED{any}"),
            keepalive: Some((r"text:\n", Duration::from_secs(10))),
            server: &[calls(r"text:\n"), calls(r"text:\r\n")],
            server_every: Some(s(10)),
            marks: &["text:CONNECTED{any}", r"text:ERROR\n{any}"],
            note: "each side sends an end of line as often as it promised in heart-beat, and the other may cut when none came in \
                       twice that time; if the broker needs a login: --send 'text:CONNECT\\n...\\n\\n\\0', which must not promise \
                       more than one every 10 s",
            source: "stomp/stomp-spec@80f5459680e4 src/stomp-specification-1.2.md, Heart-beating",
            verified: VerificationLevel::Live,
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "nats",
        name: "NATS",
        speaks: &[Preset {
            name: "nats",
            title: "NATS over WebSocket",
            url: "ws://example.org/",
            framing: Framing::Lines,
            first: Some("binary:INFO {any}"),
            hello: &[
                r#"binary:CONNECT {"verbose":false,"pedantic":false,"lang":"wscheck","version":"1","protocol":1}\r\n"#,
                r"binary:PING\r\n",
            ],
            awaited: Some("binary:PONG"),
            ask: ask(r"binary:PING\r\n", &["binary:PONG"]),
            server: &[asks("binary:PING", r"binary:PONG\r\n")],
            server_every: Some(s(120)),
            every: Some(s(60)),
            timeout: Some(s(60)),
            marks: &["binary:INFO {any}", "binary:-ERR {any}"],
            note: "the server pings every 2 m and gives up after two that stay unanswered; if it needs a name: --send \
                       'binary:CONNECT {...}\\r\\n'",
            source: "nats-io/nats-server@1787eee035cf server/const.go:120-123 (PingInterval 2m, max out 2)",
            verified: VerificationLevel::Live,
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "sockjs",
        name: "SockJS",
        speaks: &[Preset {
            name: "sockjs",
            title: "SockJS, WebSocket transport",
            url: "ws://example.org/echo/000/wscheck1/websocket",
            first: Some("o"),
            server: &[calls("h")],
            server_every: Some(s(25)),
            marks: &["o", "h", "a[{any}]", "c[{any},{any}]"],
            traps: &[trap(
                ForbiddenAction::Text("ping"),
                "what is no JSON is \"Broken framing\", and closes with 3000",
            )],
            note: "the path is PREFIX/SERVER/SESSION/websocket with three digits and a name of one's own; PREFIX/websocket is raw \
                       and has no heartbeats. sockjs-node sends Ping frames in the place of h, where it can. Messages come as \
                       a[\"...\"], the close as c[code,reason] before the frame",
            source: "sockjs/sockjs-protocol@fdf5b7d719de sockjs-protocol.py:402-457; sockjs/sockjs-node@51e860a41f75 \
                         lib/server.js:28 (heartbeat_delay 25000)",
            verified: VerificationLevel::Live,
            ..Preset::BLANK
        }],
        pings: &[one_way("SockJS", "h")],
        ..Product::BLANK
    },
    Product {
        id: "xmpp",
        name: "XMPP over WebSocket",
        speaks: &[Preset {
            name: "xmpp",
            aliases: &["rfc7395", "prosody", "ejabberd"],
            title: "XMPP over WebSocket (RFC 7395)",
            url: "ws://example.org/xmpp-websocket",
            path: Some("/xmpp-websocket"),
            subprotocols: &["xmpp"],
            hello: &[r#"<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="{host}" version="1.0"/>"#],
            awaited: Some("text:<stream:features{any}"),
            ask: ask(
                r#"<iq type="get" id="p{seq1}" xmlns="jabber:client"><ping xmlns="urn:xmpp:ping"/></iq>"#,
                &["text:<iq{any}id='p{seq1}'{any}", r#"text:<iq{any}id="p{seq1}"{any}"#],
            ),
            every: Some(s(60)),
            timeout: Some(s(30)),
            marks: &["text:<open{any}", "text:<stream:{any}", "text:<close{any}xmpp-framing{any}"],
            note: "the stream is opened to the URL's host: where the server serves another name, say so by --send '<open ...>'. \
                       Before authentication the answer is an error, and an answer all the same",
            source: "RFC 7395 section 3; XEP-0199",
            verified: VerificationLevel::Live,
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "nostr",
        name: "Nostr",
        speaks: &[Preset {
            name: "nostr",
            title: "Nostr relay",
            url: "wss://relay.example.org/",
            ask: ask(
                r#"["REQ","wscheck",{"ids":["0000000000000000000000000000000000000000000000000000000000000000"]}]"#,
                &[r#"["EOSE","wscheck"]"#],
            ),
            every: Some(s(30)),
            timeout: Some(s(10)),
            marks: &[r#"["NOTICE",{any}]"#, r#"["AUTH",{any}]"#, r#"["EOSE",{any}]"#],
            note: "it knows no heartbeat of its own: a subscription to an event that cannot be is asked for, always under the same \
                       name, and its end of stored events (EOSE) is the answer",
            source: "nostr-protocol/nips@000386b1ddca 01.md",
            verified: VerificationLevel::Live,
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
];
