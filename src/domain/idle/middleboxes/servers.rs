//! Servers, their libraries, and services at their own address: the end of the path.

use super::model::{
    BLANK, CutKind, Middlebox, ProductFamily, ProductMarks, SettingChange, TimeoutKind, TimeoutValue,
    TimerReset, mark, s,
};

const SERVER: Middlebox = Middlebox { family: ProductFamily::Server, ..BLANK };
const COWBOY: ProductMarks = ProductMarks::Usually(&[mark("server", "cowboy")]);

/// A server that pings: it never cuts a client that answers, however idle the application is.
const PINGS: Middlebox = Middlebox {
    kind: TimeoutKind::Other,
    resets: Some(TimerReset::Pong),
    resets_note: "cuts only a client that does not answer",
    pings_count: Some(true),
    ..SERVER
};

pub(super) const SERVERS: &[Middlebox] = &[
    Middlebox {
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
    },
    Middlebox {
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
    },
    Middlebox {
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
    },
    Middlebox {
        id: "deno",
        product: "Deno.upgradeWebSocket",
        setting: "idleTimeout",
        value: TimeoutValue::After(s(30)),
        cuts: &[CutKind::Closes],
        change: SettingChange::Set("Deno.upgradeWebSocket(req, { idleTimeout: 120 })"),
        source: "docs.deno.com, Deno.UpgradeWebSocketOptions.idleTimeout",
        ..PINGS
    },
    Middlebox {
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
    },
    Middlebox {
        id: "python.websockets",
        product: "Python websockets",
        setting: "ping_interval (20 s), ping_timeout (20 s)",
        value: TimeoutValue::After(s(40)),
        cuts: &[CutKind::CloseFrame(1011)],
        cut_note: "\"keepalive ping timeout\"",
        change: SettingChange::Set("serve(handler, host, port, ping_timeout=60)"),
        source: "websockets.readthedocs.io: topics/timeouts, faq/common",
        ..PINGS
    },
    Middlebox {
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
    },
    Middlebox {
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
    },
    Middlebox {
        id: "node.http",
        product: "Node.js http server",
        kind: TimeoutKind::Other,
        setting: "requestTimeout (300 s), headersTimeout (60 s), keepAliveTimeout (5 s)",
        value: TimeoutValue::Never,
        resets_note: "none applies after the upgrade event",
        source: "measured on loopback, Node.js 20.20.2: all set to 3 s, alive",
        ..SERVER
    },
    Middlebox {
        id: "go.nethttp",
        product: "Go net/http Server",
        kind: TimeoutKind::Other,
        setting: "ReadTimeout, WriteTimeout, IdleTimeout",
        value: TimeoutValue::Never,
        resets_note: "Hijack clears the deadlines",
        source: "measured on loopback, Go 1.19 httputil.ReverseProxy: all set to 4 s, alive",
        ..SERVER
    },
    Middlebox {
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
    },
    Middlebox {
        id: "helius",
        product: "Helius (parsed streams)",
        family: ProductFamily::Service,
        setting: "(fixed)",
        value: TimeoutValue::After(s(600)),
        resets: Some(TimerReset::MessagesOnly),
        resets_note: "JSON-RPC messages; Ping frames do not count",
        pings_count: Some(false),
        cuts: &[CutKind::CloseFrame(1000)],
        change: SettingChange::Fixed,
        note: Some("an example of an application's timer that is blind to control frames"),
        source: "helius.dev/docs/api-reference/parsed-streams/ping",
        ..SERVER
    },
    Middlebox {
        id: "binance",
        product: "Binance streams",
        family: ProductFamily::Service,
        kind: TimeoutKind::Lifetime,
        setting: "(fixed)",
        value: TimeoutValue::After(s(86_400)),
        resets: Some(TimerReset::Nothing),
        resets_note: "runs from the upgrade; besides, a ping must be answered within 60 s",
        cuts: &[CutKind::Closes],
        change: SettingChange::Fixed,
        source: "binance/binance-spot-api-docs@a5e0bc3ddc0f web-socket-streams.md:44-49",
        ..SERVER
    },
];
