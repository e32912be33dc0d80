//! Conventions of libraries, frameworks and protocols.

use std::time::Duration;

use super::model::{ForbiddenAction, Preset, VerificationLevel, ask, asks, calls, s, trap};
use crate::domain::heartbeat::framing::Framing;

const CLIENT_TWO: &str =
    "a client's 2 is an \"invalid heartbeat direction\" since Engine.IO 4: the server closes";

const SUBPROTOCOL_IS_OLD: &str = "its subprotocol is called graphql-ws, as is the library that speaks graphql-transport-ws: this is the old one";

pub(super) const LIBRARIES: &[Preset] = &[
    Preset {
        name: "engine.io",
        aliases: &["engineio", "engineio4", "engine.io-4", "eio4"],
        title: "Engine.IO 4",
        url: "ws://example.org/engine.io/?EIO=4&transport=websocket",
        path: Some("/engine.io/"),
        query: &[("EIO", "4"), ("transport", "websocket")],
        first: Some(r#"0{"sid":{any},"pingInterval":{any}}"#),
        server: &[asks("2", "3")],
        server_every: s(25),
        announces: Some((r#"0{"pingInterval":{seq}}"#, Duration::from_millis(1))),
        traps: &[trap(ForbiddenAction::Text("2"), CLIENT_TWO)],
        marks: &[r#"0{"sid":{any},"pingInterval":{any}}"#],
        note: "a client that does not answer within pingTimeout (20 s) is closed; messages of the application begin with 4",
        source: "socketio/engine.io-protocol@f21de7b00ed0 README.md (pingInterval 25000, pingTimeout 20000, heartbeat)",
        verified: VerificationLevel::Live,
        ..Preset::PLAIN
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
        server_every: s(25),
        announces: Some((r#"0{"pingInterval":{seq}}"#, Duration::from_millis(1))),
        traps: &[trap(ForbiddenAction::Text("2"), CLIENT_TWO)],
        marks: &[r#"0{"sid":{any},"pingInterval":{any}}"#, r#"40{"sid":{any}}"#, r#"44{"message":{any}}"#],
        note: "40 connects to the namespace /; without it the server disconnects after 45 s (connectTimeout). An \
               application that acknowledges an event gives an app RTT: --heartbeat app --app-ping '42{seq}[\"ping\"]' \
               --app-pong '43{seq}[{any}]'",
        source: "socketio/engine.io-protocol@f21de7b00ed0 README.md; socket.io-protocol: 40 is CONNECT",
        verified: VerificationLevel::Live,
        ..Preset::PLAIN
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
        every: s(25),
        timeout: s(5),
        marks: &[r#"0{"sid":{any},"pingInterval":{any}}"#],
        note: "here the client sends the pings; in Engine.IO 4 the server does",
        source: "socketio/engine.io-protocol@f21de7b00ed0 README.md:371 (reverse ping/pong mechanism in v4)",
        verified: VerificationLevel::Live,
        ..Preset::PLAIN
    },
    Preset {
        name: "phoenix",
        aliases: &["phoenix-v2", "phoenix-channels"],
        title: "Phoenix Channels, serializer V2",
        url: "ws://example.org/socket/websocket?vsn=2.0.0",
        path: Some("/socket/websocket"),
        query: &[("vsn", "2.0.0")],
        ask: ask(
            r#"[null,"{seq1}","phoenix","heartbeat",{}]"#,
            &[r#"[{any},"{seq1}","phoenix","phx_reply",{"status":"ok"}]"#],
        ),
        every: s(30),
        timeout: s(30),
        marks: &[
            r#"[{any},{any},{any},"phx_reply",{any}]"#,
            r#"[{any},{any},{any},"phx_error",{any}]"#,
            r#"[{any},{any},{any},"phx_close",{any}]"#,
        ],
        note: "the server's idle timeout (60 s) counts only data from the client",
        source: "phoenixframework/phoenix@167c46950cf5 guides/howto/writing_a_channels_client.md:61, \
                 assets/js/phoenix/socket.js:170,668",
        ..Preset::PLAIN
    },
    Preset {
        name: "phoenix-v1",
        title: "Phoenix Channels, serializer V1",
        url: "ws://example.org/socket/websocket?vsn=1.0.0",
        path: Some("/socket/websocket"),
        query: &[("vsn", "1.0.0")],
        ask: ask(
            r#"{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"{seq1}"}"#,
            &[r#"{"event":"phx_reply","ref":"{seq1}"}"#],
        ),
        every: s(30),
        timeout: s(30),
        marks: &[r#"{"event":"phx_reply","topic":{any}}"#, r#"{"event":"phx_error","topic":{any}}"#],
        source: "phoenixframework/phoenix@167c46950cf5 assets/js/phoenix/socket.js:361",
        ..Preset::PLAIN
    },
    Preset {
        name: "action-cable",
        aliases: &["actioncable", "rails"],
        title: "Rails Action Cable",
        url: "ws://example.org/cable",
        path: Some("/cable"),
        subprotocols: &["actioncable-v1-json"],
        own_origin: true,
        awaited: Some(r#"{"type":"welcome"}"#),
        server: &[calls(r#"{"type":"ping","message":{any}}"#)],
        server_every: s(3),
        marks: &[r#"{"type":"welcome"}"#, r#"{"type":"ping","message":{now_ms}}"#],
        note: "its client takes 6 s without a ping for a dead connection; the server wants no reply, and checks the Origin \
               header, so that of the URL is sent (--origin)",
        source: "rails/rails@2a2db1e8d6d1 actioncable/lib/action_cable/server/connections.rb:14 (BEAT_INTERVAL 3), \
                 connection/base.rb:143, app/javascript/action_cable/connection_monitor.js:121",
        verified: VerificationLevel::Live,
        ..Preset::PLAIN
    },
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
        every: s(12),
        timeout: s(10),
        marks: &[r#"{"type":"connection_ack"}"#],
        note: "without connection_init the server closes with 4408 after 3 s, with a second one with 4429; its usual host \
               sends Ping frames every 12 s besides",
        source: "enisdenjo/graphql-ws@af4f5c9df60d PROTOCOL.md; src/server.ts:578 (connectionInitWaitTimeout 3000); \
                 src/use/ws.ts:53 (keepAlive 12000)",
        verified: VerificationLevel::Live,
        ..Preset::PLAIN
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
        ..Preset::PLAIN
    },
    Preset {
        name: "signalr",
        aliases: &["signalr-json", "aspnet"],
        title: "ASP.NET Core SignalR, JSON hub protocol",
        url: "wss://example.org/hub",
        framing: Framing::Records,
        hello: &[r#"text:{"protocol":"json","version":1}\x1e"#],
        awaited: Some(r"data:\x7b}"),
        keepalive: Some((r#"text:{"type":6}\x1e"#, Duration::from_secs(15))),
        server: &[calls(r#"data:{"type":6}"#)],
        server_every: s(15),
        marks: &[
            r#"data:{"type":6}"#,
            r#"data:{"type":7}"#,
            r#"data:{"error":"First message must be a handshake request."}"#,
        ],
        note: "pings are independent in each direction; each record ends in 0x1E, and one message may hold several. A hub \
               that needs negotiation wants ?id=TOKEN from POST /hub/negotiate?negotiateVersion=1; a hello of one's own does not change how often the ping leaves",
        source: "dotnet/aspnetcore src/SignalR/docs/specs/HubProtocol.md (075647389): \"Either endpoint may send ... no \
                 obligation to respond\"",
        ..Preset::PLAIN
    },
    Preset {
        name: "centrifugo",
        aliases: &["centrifuge"],
        title: "Centrifugo, JSON",
        url: "ws://example.org/connection/websocket",
        path: Some("/connection/websocket"),
        framing: Framing::Lines,
        hello: &[r#"{"id":1,"connect":{}}"#],
        awaited: Some(r#"{"id":1,"connect":{any}}"#),
        server: &[asks("text:{}", "{}")],
        server_every: s(25),
        announces: Some((r#"{"connect":{"ping":{seq}}}"#, Duration::from_secs(1))),
        marks: &[r#"{"id":{any},"connect":{"client":{any}}}"#, r#"{"push":{"channel":{any}}}"#],
        note: "a client that does not answer {} within 8 s is closed with 3012 (no pong); if the server needs a token: \
               --send '{\"id\":1,\"connect\":{\"token\":\"...\"}}'. The query cf_ws_frame_ping_pong=true has it send Ping \
               frames instead",
        source: "centrifugal/centrifugal.dev@910fa94598b3 docs/transports/websocket.md:145-166, \
                 docs/server/configuration.md:683-697",
        ..Preset::PLAIN
    },
    Preset {
        name: "mqtt",
        aliases: &["mosquitto", "mqtt3"],
        title: "MQTT 3.1.1 over WebSocket",
        url: "ws://example.org/mqtt",
        path: Some("/mqtt"),
        subprotocols: &["mqtt"],
        hello: &["hex:100c00044d5154540402003c0000"],
        awaited: Some("hex:2002??00"),
        ask: ask("hex:c000", &["hex:d000"]),
        every: s(30),
        timeout: s(10),
        marks: &["hex:2002????"],
        note: "the hello is CONNECT with a clean session, no client id and a keep alive of 60 s: a server closes after 1.5 \
               times that without a packet, and Ping frames are none. If the broker needs a name: --send hex:... with a \
               CONNECT of its own, and a client id for each connection, or they take over from one another",
        source: "OASIS MQTT 3.1.1 sections 3.1, 3.2, 3.12, 3.13 and 6",
        verified: VerificationLevel::Live,
        ..Preset::PLAIN
    },
    Preset {
        name: "stomp",
        aliases: &["stomp12", "rabbitmq-stomp"],
        title: "STOMP 1.2 over WebSocket",
        url: "ws://example.org/ws",
        subprotocols: &["v12.stomp", "v11.stomp"],
        hello: &[r"text:CONNECT\naccept-version:1.2,1.1\nhost:/\nheart-beat:10000,10000\n\n\0"],
        awaited: Some("text:CONNECTED{any}"),
        keepalive: Some((r"text:\n", Duration::from_secs(10))),
        server: &[calls(r"text:\n"), calls(r"text:\r\n")],
        server_every: s(10),
        marks: &["text:CONNECTED{any}", r"text:ERROR\n{any}"],
        note: "each side sends an end of line as often as it promised in heart-beat, and the other may cut when none came in \
               twice that time; if the broker needs a login: --send 'text:CONNECT\\n...\\n\\n\\0', which must not promise \
               more than one every 10 s",
        source: "stomp/stomp-spec@80f5459680e4 src/stomp-specification-1.2.md, Heart-beating",
        verified: VerificationLevel::Live,
        ..Preset::PLAIN
    },
    Preset {
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
        server_every: s(120),
        every: s(60),
        timeout: s(60),
        marks: &["binary:INFO {any}", "binary:-ERR {any}"],
        note: "the server pings every 2 m and gives up after two that stay unanswered; if it needs a name: --send \
               'binary:CONNECT {...}\\r\\n'",
        source: "nats-io/nats-server@1787eee035cf server/const.go:120-123 (PingInterval 2m, max out 2)",
        verified: VerificationLevel::Live,
        ..Preset::PLAIN
    },
    Preset {
        name: "sockjs",
        title: "SockJS, WebSocket transport",
        url: "ws://example.org/echo/000/wscheck1/websocket",
        first: Some("o"),
        server: &[calls("h")],
        server_every: s(25),
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
        ..Preset::PLAIN
    },
    Preset {
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
        server_every: s(15),
        every: Some(Duration::from_millis(17_500)),
        timeout: s(15),
        marks: &[r#"{"msg":"connected","session":{any}}"#, r#"{"msg":"failed","version":{any}}"#],
        source: "meteor/meteor@024061123a49 packages/ddp/DDP.md (Heartbeats); livedata_server.js:1475 (15000/15000); \
                 livedata_connection.js:52 (17500/15000)",
        ..Preset::PLAIN
    },
    Preset {
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
        every: s(60),
        timeout: s(30),
        marks: &["text:<open{any}", "text:<stream:{any}", "text:<close{any}xmpp-framing{any}"],
        note: "the stream is opened to the URL's host: where the server serves another name, say so by --send '<open ...>'. \
               Before authentication the answer is an error, and an answer all the same",
        source: "RFC 7395 section 3; XEP-0199",
        verified: VerificationLevel::Live,
        ..Preset::PLAIN
    },
    Preset {
        name: "vite",
        title: "Vite's HMR",
        url: "ws://localhost:5173/?token=TOKEN",
        subprotocols: &["vite-hmr"],
        awaited: Some(r#"{"type":"connected"}"#),
        keepalive: Some((r#"{"type":"ping"}"#, Duration::from_secs(30))),
        marks: &[r#"{"type":"connected"}"#],
        note: "the client's ping keeps proxies open, and the server never answers it",
        source: "vitejs/vite@a98c8d95d552 packages/vite/src/shared/moduleRunnerTransport.ts:322; node/server/hmr.ts:356",
        verified: VerificationLevel::Live,
        ..Preset::PLAIN
    },
    Preset {
        name: "webpack-dev-server",
        aliases: &["webpack"],
        title: "webpack-dev-server",
        url: "ws://localhost:8080/ws",
        path: Some("/ws"),
        own_origin: true,
        marks: &[
            r#"{"type":"hot"}"#,
            r#"{"type":"liveReload"}"#,
            r#"{"type":"error","data":"Invalid Host/Origin header"}"#,
        ],
        note: "the server sends a Ping frame every second and closes a client that did not answer by the next; it needs the Origin \
               header of a page of its own, so that of the URL is sent (--origin)",
        source: "webpack/webpack-dev-server@f78499fbb2f3 lib/servers/WebsocketServer.js:8,60-72",
        verified: VerificationLevel::Live,
        ..Preset::PLAIN
    },
    Preset {
        name: "gatewayworker",
        aliases: &["workerman"],
        title: "GatewayWorker (Workerman)",
        url: "ws://example.org/",
        server: &[asks(r#"{"type":"ping"}"#, r#"{"type":"pong"}"#)],
        server_every: s(10),
        note: "where pingNotResponseLimit is set, any data of the client's counts as an answer, and Ping frames do not",
        source: "GatewayWorker's start_gateway.php: pingInterval 10, pingData {\"type\":\"ping\"}",
        ..Preset::PLAIN
    },
    Preset {
        name: "jupyter",
        aliases: &["jupyter-server", "jupyterlab"],
        title: "Jupyter Server, kernel channels",
        url: "ws://localhost:8888/api/kernels/KERNEL/channels?token=TOKEN",
        every: s(30),
        timeout: s(30),
        traps: &[trap(
            ForbiddenAction::Messages,
            "a message that is not Jupyter's own JSON ends the connection at once",
        )],
        note: "the server sends a Ping frame every 30 s and closes a client that answers none of three; it needs the \
               Origin header to be its own",
        source: "jupyter-server/jupyter_server jupyter_server/base/websocket.py (WS_PING_INTERVAL 30000)",
        verified: VerificationLevel::Live,
        ..Preset::PLAIN
    },
    Preset {
        name: "kubernetes",
        aliases: &["k8s", "k8s-exec"],
        title: "Kubernetes exec and attach",
        url: "wss://example.org/api/v1/namespaces/NS/pods/POD/exec?command=cat&stdin=true&stdout=true",
        subprotocols: &["v5.channel.k8s.io"],
        every: s(5),
        timeout: s(61),
        traps: &[trap(
            ForbiddenAction::Messages,
            "its messages are binary, the first byte a channel: any other is an error, and one on channel 0 is typed into \
             the process",
        )],
        note: "needs a bearer token (-H 'Authorization: Bearer ...')",
        source: "kubernetes/kubernetes staging/src/k8s.io/client-go/tools/remotecommand/websocket.go (030880a5)",
        ..Preset::PLAIN
    },
];
