//! Conventions of hosted services.

use std::time::Duration;

use super::model::{ForbiddenAction, Preset, VerificationLevel, ask, asks, calls, s, trap};

pub(super) const SERVICES: &[Preset] = &[
    Preset {
        name: "pusher",
        title: "Pusher Channels, protocol 7",
        url: "wss://ws-CLUSTER.pusher.com/app/KEY?protocol=7&client=wscheck&version=1.0",
        query: &[("protocol", "7")],
        awaited: Some(r#"{"event":"pusher:connection_established"}"#),
        ask: ask(r#"{"event":"pusher:ping","data":{}}"#, &[r#"{"event":"pusher:pong"}"#]),
        server: &[asks(r#"{"event":"pusher:ping"}"#, r#"{"event":"pusher:pong","data":{}}"#)],
        every: s(120),
        timeout: s(30),
        marks: &[r#"{"event":"pusher:connection_established"}"#, r#"{"event":"pusher:error"}"#],
        note: "the hello's activity_timeout says after how much silence to ask; 4000 to 4099 close for good, 4200 to 4299 want \
               the client back at once",
        source: "laravel/reverb@dca414f38e0f src/Protocols/Pusher/EventHandler.php:39-53 (ping, pong, \
                 connection_established, activity_timeout)",
        ..Preset::PLAIN
    },
    Preset {
        name: "reverb",
        aliases: &["laravel", "laravel-reverb"],
        title: "Laravel Reverb, which speaks Pusher's protocol",
        url: "ws://example.org:8080/app/KEY?protocol=7",
        query: &[("protocol", "7")],
        awaited: Some(r#"{"event":"pusher:connection_established"}"#),
        ask: ask(r#"{"event":"pusher:ping","data":{}}"#, &[r#"{"event":"pusher:pong"}"#]),
        server: &[asks(r#"{"event":"pusher:ping"}"#, r#"{"event":"pusher:pong","data":{}}"#)],
        server_every: s(60),
        every: s(30),
        timeout: s(60),
        note: "once a client has sent a Ping or Pong frame, Reverb pings it by frames instead of messages",
        source: "laravel/reverb@dca414f38e0f config/reverb.php:86-87 (ping_interval 60, activity_timeout 30), \
                 EventHandler.php:123-137",
        ..Preset::PLAIN
    },
    Preset {
        name: "ably",
        title: "Ably realtime, JSON",
        url: "wss://realtime.ably.io/?key=KEY&v=2&format=json&heartbeats=true",
        query: &[("format", "json"), ("heartbeats", "true")],
        awaited: Some(r#"{"action":4}"#),
        ask: ask(r#"{"action":0,"id":"{id}"}"#, &[r#"{"action":0,"id":"{id}"}"#]),
        server: &[calls(r#"{"action":0}"#)],
        every: s(15),
        timeout: s(10),
        marks: &[r#"{"action":4,"connectionDetails":{any}}"#],
        note: "without heartbeats=true the server may send Ping frames instead",
        source: "ably/specification@7ae7662792ca specifications/features.md RTN13a/e, RTN23a/b, TR2 (HEARTBEAT=0)",
        ..Preset::PLAIN
    },
    Preset {
        name: "discord",
        aliases: &["discord-gateway"],
        title: "Discord Gateway",
        url: "wss://gateway.discord.gg/?v=10&encoding=json",
        query: &[("v", "10"), ("encoding", "json")],
        first: Some(r#"{"op":10}"#),
        ask: ask(r#"{"op":1,"d":null}"#, &[r#"{"op":11}"#]),
        server: &[asks(r#"{"op":1}"#, r#"{"op":1,"d":null}"#)],
        every: s(45),
        timeout: s(45),
        marks: &[r#"{"op":10,"d":{"heartbeat_interval":{any}}}"#],
        note: "heartbeats work before Identify; op 10 says how often to send them",
        source: "discord/discord-api-docs@c98d64bc2338 developers/events/gateway.mdx:122-177",
        ..Preset::PLAIN
    },
    Preset {
        name: "slack",
        aliases: &["slack-socket", "slack-socket-mode"],
        title: "Slack Socket Mode",
        url: "wss://wss-primary.slack.com/link/?ticket=TICKET",
        awaited: Some(r#"{"type":"hello"}"#),
        every: s(5),
        timeout: s(5),
        marks: &[r#"{"type":"hello","num_connections":{any}}"#],
        note: "the URL is that of apps.connections.open; the SDK expects a Ping frame of the server's within 30 s, and \
               {\"type\":\"disconnect\"} announces that the server goes",
        source: "slackapi/node-slack-sdk@4322e14f116a packages/socket-mode/src/SlackWebSocket.ts:111-112 \
                 (serverPingTimeout 30000, clientPingTimeout 5000)",
        ..Preset::PLAIN
    },
    Preset {
        name: "home-assistant",
        aliases: &["homeassistant", "hass"],
        title: "Home Assistant",
        url: "ws://homeassistant.local:8123/api/websocket",
        path: Some("/api/websocket"),
        first: Some(r#"{"type":"auth_required"}"#),
        awaited: Some(r#"{"type":"auth_ok"}"#),
        needs: Some(r#"{"type":"auth","access_token":"TOKEN"}"#),
        ask: ask(r#"{"id":{seq1},"type":"ping"}"#, &[r#"{"id":{seq1},"type":"pong"}"#]),
        every: s(30),
        timeout: s(10),
        marks: &[r#"{"type":"auth_required"}"#, r#"{"type":"auth_invalid"}"#],
        note: "ids must increase from 1",
        source: "home-assistant/developers.home-assistant@186ad063987c docs/api/websocket.md:483-501",
        ..Preset::PLAIN
    },
    Preset {
        name: "firebase",
        aliases: &["firebase-rtdb"],
        title: "Firebase Realtime Database",
        url: "wss://PROJECT.firebaseio.com/.ws?v=5&ns=PROJECT",
        path: Some("/.ws"),
        query: &[("v", "5")],
        awaited: Some(r#"{"t":"c","d":{"t":"h"}}"#),
        ask: ask(r#"{"t":"c","d":{"t":"p","d":{}}}"#, &[r#"{"t":"c","d":{"t":"o"}}"#]),
        every: s(45),
        timeout: s(30),
        marks: &[r#"{"t":"c","d":{"t":"h"}}"#],
        note: "the SDK keeps the connection alive by the text 0 after 45 s of silence, which is never answered",
        source: "firebase/firebase-js-sdk@6f865964baf5 packages/database/src/realtime/WebSocketConnection.ts:45,430; \
                 Connection.ts:57-60,480",
        ..Preset::PLAIN
    },
    Preset {
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
        every: s(30),
        timeout: s(10),
        marks: &[r#"{"op":0,"d":{"obsWebSocketVersion":{any}}}"#],
        note: "it knows no heartbeat of its own: a request is asked, and any answer to it counts. Where a password is set, \
               Identify needs an authentication string: --send '{\"op\":1,\"d\":{...}}'",
        source: "obsproject/obs-websocket@0007987219f2 docs/generated/protocol.md",
        ..Preset::PLAIN
    },
    Preset {
        name: "nostr",
        title: "Nostr relay",
        url: "wss://relay.example.org/",
        ask: ask(
            r#"["REQ","wscheck",{"ids":["0000000000000000000000000000000000000000000000000000000000000000"]}]"#,
            &[r#"["EOSE","wscheck"]"#],
        ),
        every: s(30),
        timeout: s(10),
        marks: &[r#"["NOTICE",{any}]"#, r#"["AUTH",{any}]"#, r#"["EOSE",{any}]"#],
        note: "it knows no heartbeat of its own: a subscription to an event that cannot be is asked for, always under the same \
               name, and its end of stored events (EOSE) is the answer",
        source: "nostr-protocol/nips@000386b1ddca 01.md",
        verified: VerificationLevel::Live,
        ..Preset::PLAIN
    },
    Preset {
        name: "twitch-eventsub",
        aliases: &["eventsub"],
        title: "Twitch EventSub",
        url: "wss://eventsub.wss.twitch.tv/ws?keepalive_timeout_seconds=30",
        awaited: Some(r#"{"metadata":{"message_type":"session_welcome"}}"#),
        server: &[calls(r#"{"metadata":{"message_type":"session_keepalive"}}"#)],
        announces: Some((
            r#"{"payload":{"session":{"keepalive_timeout_seconds":{seq}}}}"#,
            Duration::from_secs(1),
        )),
        server_every: s(10),
        traps: &[
            trap(
                ForbiddenAction::Messages,
                "the server closes a connection on which a client sends anything but Pongs, and subscriptions are made by \
                 HTTP",
            ),
            trap(
                ForbiddenAction::PingFrames,
                "the server closes a connection on which a client sends anything but Pongs",
            ),
        ],
        marks: &[r#"{"metadata":{"message_type":"session_welcome"}}"#],
        note: "a client that does not subscribe within 10 s of the welcome is closed",
        source: "https://dev.twitch.tv/docs/eventsub/handling-websocket-events",
        ..Preset::PLAIN
    },
    Preset {
        name: "helius",
        title: "Helius parsed streams",
        url: "wss://example.helius-rpc.com/?api-key=KEY",
        ask: ask(r#"{"jsonrpc":"2.0","id":{seq1},"method":"ping"}"#, &[r#"{"jsonrpc":"2.0","id":{seq1}}"#]),
        every: s(60),
        timeout: s(10),
        note: "Ping frames do not reset its idle timer of 10 m; it closes with 1000",
        source: "https://www.helius.dev/docs/api-reference/parsed-streams/ping",
        ..Preset::PLAIN
    },
];
