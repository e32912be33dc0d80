//! Servers, frameworks and libraries: the end of the path.

use std::time::Duration;

use super::known_ping::one_way;
use super::preset::{ForbiddenAction, Preset, VerificationLevel, ask, asks, calls, trap};
use super::product::Product;
use super::reaping::{Goodbye, ReapingDefault, ReapingTiming, pings};
use super::timeout::{
    CutKind, ProductFamily, ProductMarks, SettingChange, Timeout, TimeoutKind, TimeoutValue, TimerReset,
    mark, s,
};
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::framing::Framing;

const SERVER: Timeout = Timeout { family: ProductFamily::Server, ..Timeout::BLANK };
const COWBOY: ProductMarks = ProductMarks::Usually(&[mark("server", "cowboy")]);

/// A server that pings: it never cuts a client that answers, however idle the application is.
const PINGS: Timeout = Timeout {
    kind: TimeoutKind::Other,
    resets: Some(TimerReset::Pong),
    resets_note: "cuts only a client that does not answer",
    pings_count: Some(true),
    ..SERVER
};

/// How the Python library `websockets` and its users close.
const KEEPALIVE: Goodbye = Goodbye::Words(1011, "keepalive ping timeout");

pub(super) const SERVERS: &[Product] = &[
    Product {
        id: "ws",
        name: "Node ws",
        reaping: &[ReapingDefault {
            id: "ws.is_alive",
            name: "Node ws, the README's isAlive sample",
            timing: pings(30, 30),
            goodbye: Goodbye::Terminates,
            server: None,
            words: "pings every 30 s and terminates clients that have not answered by the next",
            source: "websockets/ws README, \"How to detect and close broken connections?\"",
        }],
        ..Product::BLANK
    },
    Product {
        id: "cowboy",
        name: "Erlang Cowboy",
        timeouts: &[Timeout {
            id: "cowboy",
            product: "Erlang Cowboy",
            setting: "idle_timeout",
            value: TimeoutValue::After(s(60)),
            coarse: s(6),
            resets: Some(TimerReset::ClientToServer),
            resets_note: "any frame, Ping and Pong among them",
            pings_count: Some(true),
            cuts: &[CutKind::CloseFrame(1000)],
            cut_note: "an idle timeout that looks like a normal closure",
            change: SettingChange::Set("{cowboy_websocket, Req, State, #{idle_timeout => 3600000}}"),
            note: Some(
                "the timer runs in 10 ticks, so that it expires between 60 and about 66 s (inferred from the \
                     source)",
            ),
            source: "ninenines/cowboy@5c8535f409aa doc/src/manual/cowboy_websocket.asciidoc:281, \
                         src/cowboy_websocket.erl:750",
            shows: COWBOY,
            common: true,
            line: "`idle_timeout => {ms}` in the options of cowboy_websocket",
            ..SERVER
        }],
        ..Product::BLANK
    },
    Product {
        id: "phoenix",
        name: "Phoenix",
        speaks: &[
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
                every: Some(s(30)),
                timeout: Some(s(30)),
                marks: &[
                    r#"[{any},{any},{any},"phx_reply",{any}]"#,
                    r#"[{any},{any},{any},"phx_error",{any}]"#,
                    r#"[{any},{any},{any},"phx_close",{any}]"#,
                ],
                note: "the server's idle timeout (60 s) counts only data from the client",
                source: "phoenixframework/phoenix@167c46950cf5 guides/howto/writing_a_channels_client.md:61, \
                         assets/js/phoenix/socket.js:170,668",
                ..Preset::BLANK
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
                every: Some(s(30)),
                timeout: Some(s(30)),
                marks: &[r#"{"event":"phx_reply","topic":{any}}"#, r#"{"event":"phx_error","topic":{any}}"#],
                source: "phoenixframework/phoenix@167c46950cf5 assets/js/phoenix/socket.js:361",
                ..Preset::BLANK
            },
        ],
        timeouts: &[Timeout {
            id: "phoenix",
            product: "Phoenix (Socket, websocket transport)",
            setting: "timeout",
            value: TimeoutValue::After(s(60)),
            coarse: s(6),
            resets: Some(TimerReset::ClientToServer),
            resets_note: "any frame, Ping and Pong among them",
            pings_count: Some(true),
            cuts: &[CutKind::CloseFrame(1000)],
            cut_note: "under Cowboy (inferred from its source); Bandit was not looked at",
            change: SettingChange::Set(
                "socket \"/socket\", MyAppWeb.UserSocket, websocket: [timeout: 3_600_000]",
            ),
            source: "phoenixframework/phoenix@167c46950cf5 lib/phoenix/transports/websocket.ex:31, \
                         lib/phoenix/endpoint.ex:1018",
            shows: COWBOY,
            common: true,
            line: "`websocket: [timeout: {ms}]` of the socket",
            ..SERVER
        }],
        reaping: &[ReapingDefault {
            id: "phoenix",
            name: "Phoenix, Cowboy",
            timing: ReapingTiming::Idle { after: s(60), coarse: s(6), resets: TimerReset::ClientToServer },
            goodbye: Goodbye::Frame(1000),
            server: Some("cowboy"),
            words: "a timer of 60 s since the client's last frame",
            source: "phoenixframework/phoenix@167c46950cf5 lib/phoenix/transports/websocket.ex:31",
        }],
        ..Product::BLANK
    },
    Product {
        id: "uwebsockets",
        name: "uWebSockets, uWebSockets.js, Bun",
        timeouts: &[Timeout {
            id: "uwebsockets",
            product: "uWebSockets, uWebSockets.js, Bun",
            setting: "idleTimeout",
            value: TimeoutValue::After(s(120)),
            most: Some(s(960)),
            resets_note: "anything from the client; it pings shortly before, so that a client that answers is \
                               never cut; what the server sends does not count",
            cuts: &[CutKind::Closes],
            change: SettingChange::Set("idleTimeout: 960"),
            note: Some("0 or 8 to 960 s; sendPingsAutomatically is on, maxLifetime off"),
            source: "uNetworking/uWebSockets@66dcff3dd48f src/App.h:274-283",
            ..PINGS
        }],
        ..Product::BLANK
    },
    Product {
        id: "deno",
        name: "Deno",
        timeouts: &[Timeout {
            id: "deno",
            product: "Deno.upgradeWebSocket",
            setting: "idleTimeout",
            value: TimeoutValue::After(s(30)),
            cuts: &[CutKind::Closes],
            change: SettingChange::Set("Deno.upgradeWebSocket(req, { idleTimeout: 120 })"),
            source: "docs.deno.com, Deno.UpgradeWebSocketOptions.idleTimeout",
            ..PINGS
        }],
        ..Product::BLANK
    },
    Product {
        id: "python.websockets",
        name: "Python websockets",
        timeouts: &[Timeout {
            id: "python.websockets",
            product: "Python websockets",
            setting: "ping_interval (20 s), ping_timeout (20 s)",
            value: TimeoutValue::After(s(40)),
            cuts: &[CutKind::CloseFrame(1011)],
            cut_note: "\"keepalive ping timeout\"",
            change: SettingChange::Set("serve(handler, host, port, ping_timeout=60)"),
            source: "websockets.readthedocs.io: topics/timeouts, faq/common",
            ..PINGS
        }],
        reaping: &[ReapingDefault {
            id: "python.websockets",
            name: "Python websockets",
            timing: pings(20, 20),
            goodbye: KEEPALIVE,
            server: Some("websockets/"),
            words: "ping_interval=20, ping_timeout=20",
            source: "websockets.readthedocs.io: topics/timeouts, faq/common",
        }],
        ..Product::BLANK
    },
    Product {
        id: "uvicorn",
        name: "uvicorn",
        timeouts: &[Timeout {
            id: "uvicorn",
            product: "uvicorn",
            setting: "ws_ping_interval (20 s), ws_ping_timeout (20 s)",
            value: TimeoutValue::After(s(40)),
            cuts: &[CutKind::CloseFrame(1011)],
            cut_note: "as the websockets library does",
            change: SettingChange::Set("uvicorn app:app --ws-ping-interval 20 --ws-ping-timeout 60"),
            note: Some("only with the implementation websockets, not with wsproto"),
            source: "encode/uvicorn@e6c7ce791fc6 uvicorn/config.py:190-191, docs/settings.md",
            ..PINGS
        }],
        reaping: &[ReapingDefault {
            id: "uvicorn",
            name: "uvicorn (with websockets)",
            timing: pings(20, 20),
            goodbye: KEEPALIVE,
            server: Some("uvicorn"),
            words: "ws_ping_interval 20, ws_ping_timeout 20",
            source: "encode/uvicorn@e6c7ce791fc6 uvicorn/config.py:190-191",
        }],
        ..Product::BLANK
    },
    Product {
        id: "gorilla",
        name: "gorilla/websocket",
        reaping: &[ReapingDefault {
            id: "gorilla.chat",
            name: "gorilla/websocket, the chat example",
            timing: pings(54, 6),
            goodbye: Goodbye::Unknown,
            server: None,
            words: "pongWait 60 s, pingPeriod 54 s: a read deadline that Pongs extend",
            source: "gorilla/websocket examples/chat/client.go",
        }],
        ..Product::BLANK
    },
    Product {
        id: "daphne",
        name: "Django Channels daphne",
        timeouts: &[Timeout {
            id: "daphne",
            product: "Django Channels daphne",
            kind: TimeoutKind::Lifetime,
            setting: "--websocket_timeout",
            value: TimeoutValue::After(s(86_400)),
            resets: Some(TimerReset::Nothing),
            resets_note: "runs from the upgrade",
            cuts: &[CutKind::Closes],
            change: SettingChange::Set("daphne --websocket_timeout -1 app.asgi:application"),
            note: Some("besides, it pings every 20 s and waits 30 s for the pong"),
            source: "django/daphne@c19f2f4301cc daphne/server.py:56",
            shows: ProductMarks::Usually(&[mark("server", "daphne")]),
            ..SERVER
        }],
        reaping: &[ReapingDefault {
            id: "daphne",
            name: "Django Channels daphne",
            timing: pings(20, 30),
            goodbye: Goodbye::Unknown,
            server: Some("daphne"),
            words: "pings every 20 s and waits 30 s for the pong",
            source: "django/daphne@c19f2f4301cc daphne/server.py:56",
        }],
        ..Product::BLANK
    },
    Product {
        id: "aspnetcore",
        name: "ASP.NET Core",
        speaks: &[Preset {
            name: "signalr",
            aliases: &["signalr-json", "aspnet"],
            title: "ASP.NET Core SignalR, JSON hub protocol",
            url: "wss://example.org/hub",
            framing: Framing::Records,
            hello: &[r#"text:{"protocol":"json","version":1}\x1e"#],
            awaited: Some(r"data:\x7b}"),
            keepalive: Some((r#"text:{"type":6}\x1e"#, Duration::from_secs(15))),
            server: &[calls(r#"data:{"type":6}"#)],
            server_every: Some(s(15)),
            marks: &[
                r#"data:{"type":6}"#,
                r#"data:{"type":7}"#,
                r#"data:{"error":"First message must be a handshake request."}"#,
            ],
            note: "pings are independent in each direction; each record ends in 0x1E, and one message may hold several. A hub \
                       that needs negotiation wants ?id=TOKEN from POST /hub/negotiate?negotiateVersion=1; a hello of one's own does not change how often the ping leaves",
            source: "dotnet/aspnetcore src/SignalR/docs/specs/HubProtocol.md (075647389): \"Either endpoint may send ... no \
                         obligation to respond\"",
            ..Preset::BLANK
        }],
        timeouts: &[Timeout {
            id: "aspnetcore",
            product: "ASP.NET Core WebSockets",
            kind: TimeoutKind::Other,
            setting: "KeepAliveInterval (2 minutes)",
            value: TimeoutValue::Never,
            resets_note: "the server sends unsolicited Pong frames every 2 minutes; it waits for an answer only \
                               where KeepAliveTimeout (.NET 9) is set, which is infinite by default",
            note: Some("the server's Pongs keep a path open that counts either direction"),
            source: "learn.microsoft.com: WebSockets support in .NET (keep-alive strategies), \
                         WebSocketOptions.KeepAliveTimeout; aspnet/WebSockets#134",
            ..SERVER
        }],
        pings: &[one_way("SignalR", r#"text:{"type":6}"#)],
        ..Product::BLANK
    },
    Product {
        id: "node.http",
        name: "Node.js http server",
        timeouts: &[Timeout {
            id: "node.http",
            product: "Node.js http server",
            kind: TimeoutKind::Other,
            setting: "requestTimeout (300 s), headersTimeout (60 s), keepAliveTimeout (5 s)",
            value: TimeoutValue::Never,
            resets_note: "none applies after the upgrade event",
            source: "measured on loopback, Node.js 20.20.2: all set to 3 s, alive",
            ..SERVER
        }],
        ..Product::BLANK
    },
    Product {
        id: "go.nethttp",
        name: "Go net/http Server",
        timeouts: &[Timeout {
            id: "go.nethttp",
            product: "Go net/http Server",
            kind: TimeoutKind::Other,
            setting: "ReadTimeout, WriteTimeout, IdleTimeout",
            value: TimeoutValue::Never,
            resets_note: "Hijack clears the deadlines",
            source: "measured on loopback, Go 1.19 httputil.ReverseProxy: all set to 4 s, alive",
            ..SERVER
        }],
        ..Product::BLANK
    },
    Product {
        id: "rails",
        name: "Rails Action Cable",
        speaks: &[Preset {
            name: "action-cable",
            aliases: &["actioncable", "rails"],
            title: "Rails Action Cable",
            url: "ws://example.org/cable",
            path: Some("/cable"),
            subprotocols: &["actioncable-v1-json"],
            own_origin: true,
            awaited: Some(r#"{"type":"welcome"}"#),
            server: &[calls(r#"{"type":"ping","message":{any}}"#)],
            server_every: Some(s(3)),
            marks: &[r#"{"type":"welcome"}"#, r#"{"type":"ping","message":{now_ms}}"#],
            note: "its client takes 6 s without a ping for a dead connection; the server wants no reply, and checks the Origin \
                       header, so that of the URL is sent (--origin)",
            source: "rails/rails@2a2db1e8d6d1 actioncable/lib/action_cable/server/connections.rb:14 (BEAT_INTERVAL 3), \
                         connection/base.rb:143, app/javascript/action_cable/connection_monitor.js:121",
            verified: VerificationLevel::Live,
            ..Preset::BLANK
        }],
        pings: &[one_way("Action Cable", r#"{"type":"ping","message":{seq}}"#)],
        ..Product::BLANK
    },
    Product {
        id: "reverb",
        name: "Laravel Reverb",
        speaks: &[Preset {
            name: "reverb",
            aliases: &["laravel", "laravel-reverb"],
            title: "Laravel Reverb, which speaks Pusher's protocol",
            url: "ws://example.org:8080/app/KEY?protocol=7",
            query: &[("protocol", "7")],
            awaited: Some(r#"{"event":"pusher:connection_established"}"#),
            ask: ask(r#"{"event":"pusher:ping","data":{}}"#, &[r#"{"event":"pusher:pong"}"#]),
            server: &[asks(r#"{"event":"pusher:ping"}"#, r#"{"event":"pusher:pong","data":{}}"#)],
            server_every: Some(s(60)),
            every: Some(s(30)),
            timeout: Some(s(60)),
            note: "once a client has sent a Ping or Pong frame, Reverb pings it by frames instead of messages",
            source: "laravel/reverb@dca414f38e0f config/reverb.php:86-87 (ping_interval 60, activity_timeout 30), \
                         EventHandler.php:123-137",
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "webpack-dev-server",
        name: "webpack-dev-server",
        speaks: &[Preset {
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
            ..Preset::BLANK
        }],
        reaping: &[ReapingDefault {
            id: "webpack-dev-server",
            name: "webpack-dev-server",
            timing: pings(1, 1),
            goodbye: Goodbye::Terminates,
            server: None,
            words: "pings every second and terminates clients that have not answered by the next",
            source: "webpack/webpack-dev-server@f78499fbb2f3 lib/servers/WebsocketServer.js:8,60-72",
        }],
        ..Product::BLANK
    },
    Product {
        id: "vite",
        name: "Vite",
        speaks: &[Preset {
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
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "workerman",
        name: "Workerman and GatewayWorker",
        speaks: &[Preset {
            name: "gatewayworker",
            aliases: &["workerman"],
            title: "GatewayWorker (Workerman)",
            url: "ws://example.org/",
            server: &[asks(r#"{"type":"ping"}"#, r#"{"type":"pong"}"#)],
            server_every: Some(s(10)),
            note: "where pingNotResponseLimit is set, any data of the client's counts as an answer, and Ping frames do not",
            source: "GatewayWorker's start_gateway.php: pingInterval 10, pingData {\"type\":\"ping\"}",
            ..Preset::BLANK
        }],
        reaping: &[
            ReapingDefault {
                id: "gatewayworker",
                name: "GatewayWorker, the sample configuration",
                timing: ReapingTiming::Beats { kind: HeartbeatKind::App, interval: s(10), total: None },
                goodbye: Goodbye::Unknown,
                server: None,
                words: "pingInterval 10 s; without pingNotResponseLimit no client is closed",
                source: "GatewayWorker's Applications/*/start_gateway.php (pingInterval, pingData)",
            },
            ReapingDefault {
                id: "workerman",
                name: "Workerman, the manual's heartbeat example",
                timing: ReapingTiming::Idle { after: s(55), coarse: s(10), resets: TimerReset::MessagesOnly },
                goodbye: Goodbye::Unknown,
                server: None,
                words: "HEARTBEAT_TIME 55 s since the client's last message, checked every 10 s",
                source: "the Workerman manual, faq/heartbeat",
            },
        ],
        ..Product::BLANK
    },
    Product {
        id: "jupyter",
        name: "Jupyter Server",
        speaks: &[Preset {
            name: "jupyter",
            aliases: &["jupyter-server", "jupyterlab"],
            title: "Jupyter Server, kernel channels",
            url: "ws://localhost:8888/api/kernels/KERNEL/channels?token=TOKEN",
            every: Some(s(30)),
            timeout: Some(s(30)),
            traps: &[trap(
                ForbiddenAction::Messages,
                "a message that is not Jupyter's own JSON ends the connection at once",
            )],
            note: "the server sends a Ping frame every 30 s and closes a client that answers none of three; it needs the \
                       Origin header to be its own",
            source: "jupyter-server/jupyter_server jupyter_server/base/websocket.py (WS_PING_INTERVAL 30000)",
            verified: VerificationLevel::Live,
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "kubernetes",
        name: "Kubernetes",
        speaks: &[Preset {
            name: "kubernetes",
            aliases: &["k8s", "k8s-exec"],
            title: "Kubernetes exec and attach",
            url: "wss://example.org/api/v1/namespaces/NS/pods/POD/exec?command=cat&stdin=true&stdout=true",
            subprotocols: &["v5.channel.k8s.io"],
            every: Some(s(5)),
            timeout: Some(s(61)),
            traps: &[trap(
                ForbiddenAction::Messages,
                "its messages are binary, the first byte a channel: any other is an error, and one on channel 0 is typed into \
                     the process",
            )],
            note: "needs a bearer token (-H 'Authorization: Bearer ...')",
            source: "kubernetes/kubernetes staging/src/k8s.io/client-go/tools/remotecommand/websocket.go (030880a5)",
            ..Preset::BLANK
        }],
        timeouts: &[Timeout {
            id: "k8s.kubelet",
            product: "kubectl exec, attach, port-forward",
            family: ProductFamily::Service,
            setting: "kubelet --streaming-connection-idle-timeout",
            value: TimeoutValue::After(s(14_400)),
            resets: Some(TimerReset::Either),
            resets_note: "data of the stream",
            cuts: &[CutKind::Closes],
            change: SettingChange::Set("streamingConnectionIdleTimeout: 24h"),
            note: Some("kubectl's own WebSocket client pings every 5 s and waits 61 s"),
            source: "kubernetes.io, kubelet reference: \"Default: 4h0m0s\"; client-go \
                         tools/remotecommand/websocket.go",
            ..SERVER
        }],
        ..Product::BLANK
    },
    Product {
        id: "home-assistant",
        name: "Home Assistant",
        speaks: &[Preset {
            name: "home-assistant",
            aliases: &["homeassistant", "hass"],
            title: "Home Assistant",
            url: "ws://homeassistant.local:8123/api/websocket",
            path: Some("/api/websocket"),
            first: Some(r#"{"type":"auth_required"}"#),
            awaited: Some(r#"{"type":"auth_ok"}"#),
            needs: Some(r#"{"type":"auth","access_token":"TOKEN"}"#),
            ask: ask(r#"{"id":{seq1},"type":"ping"}"#, &[r#"{"id":{seq1},"type":"pong"}"#]),
            every: Some(s(30)),
            timeout: Some(s(10)),
            marks: &[r#"{"type":"auth_required"}"#, r#"{"type":"auth_invalid"}"#],
            note: "ids must increase from 1",
            source: "home-assistant/developers.home-assistant@186ad063987c docs/api/websocket.md:483-501",
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "obs",
        name: "OBS Studio",
        speaks: &[Preset {
            name: "obs",
            aliases: &["obs-websocket"],
            title: "OBS Studio (obs-websocket 5)",
            url: "ws://localhost:4455/",
            subprotocols: &["obswebsocket.json"],
            first: Some(r#"{"op":0}"#),
            hello: &[r#"{"op":1,"d":{"rpcVersion":1,"eventSubscriptions":0}}"#],
            awaited: Some(r#"{"op":2}"#),
            ask: ask(
                r#"{"op":6,"d":{"requestType":"GetVersion","requestId":"{seq1}"}}"#,
                &[r#"{"op":7,"d":{"requestId":"{seq1}"}}"#],
            ),
            every: Some(s(30)),
            timeout: Some(s(10)),
            marks: &[r#"{"op":0,"d":{"obsWebSocketVersion":{any}}}"#],
            note: "it knows no heartbeat of its own: a request is asked, and any answer to it counts. Where a password is set, \
                       Identify needs an authentication string: --send '{\"op\":1,\"d\":{...}}'",
            source: "obsproject/obs-websocket@0007987219f2 docs/generated/protocol.md",
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
];
