//! Services at their own address.

use std::time::Duration;

use super::known_ping::answered;
use super::preset::{ForbiddenAction, Preset, ask, asks, calls, trap};
use super::product::Product;
use super::timeout::{CutKind, ProductFamily, SettingChange, Timeout, TimeoutValue, TimerReset, s};

pub(super) const SERVICES: &[Product] = &[
    Product {
        id: "pusher",
        name: "Pusher Channels",
        speaks: &[Preset {
            name: "pusher",
            title: "Pusher Channels, protocol 7",
            url: "wss://ws-CLUSTER.pusher.com/app/KEY?protocol=7&client=wscheck&version=1.0",
            query: &[("protocol", "7")],
            awaited: Some(r#"{"event":"pusher:connection_established"}"#),
            ask: ask(r#"{"event":"pusher:ping","data":{}}"#, &[r#"{"event":"pusher:pong"}"#]),
            server: &[asks(r#"{"event":"pusher:ping"}"#, r#"{"event":"pusher:pong","data":{}}"#)],
            every: Some(s(120)),
            timeout: Some(s(30)),
            marks: &[r#"{"event":"pusher:connection_established"}"#, r#"{"event":"pusher:error"}"#],
            note: "the hello's activity_timeout says after how much silence to ask; 4000 to 4099 close for good, 4200 to 4299 want \
                       the client back at once",
            source: "laravel/reverb@dca414f38e0f src/Protocols/Pusher/EventHandler.php:39-53 (ping, pong, \
                         connection_established, activity_timeout)",
            ..Preset::BLANK
        }],
        pings: &[answered("Pusher", r#"{"event":"pusher:ping"}"#, r#"{"event":"pusher:pong"}"#)],
        ..Product::BLANK
    },
    Product {
        id: "ably",
        name: "Ably",
        speaks: &[Preset {
            name: "ably",
            title: "Ably realtime, JSON",
            url: "wss://realtime.ably.io/?key=KEY&v=2&format=json&heartbeats=true",
            query: &[("format", "json"), ("heartbeats", "true")],
            awaited: Some(r#"{"action":4}"#),
            ask: ask(r#"{"action":0,"id":"{id}"}"#, &[r#"{"action":0,"id":"{id}"}"#]),
            server: &[calls(r#"{"action":0}"#)],
            every: Some(s(15)),
            timeout: Some(s(10)),
            marks: &[r#"{"action":4,"connectionDetails":{any}}"#],
            note: "without heartbeats=true the server may send Ping frames instead",
            source: "ably/specification@7ae7662792ca specifications/features.md RTN13a/e, RTN23a/b, TR2 (HEARTBEAT=0)",
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "discord",
        name: "Discord",
        speaks: &[Preset {
            name: "discord",
            aliases: &["discord-gateway"],
            title: "Discord Gateway",
            url: "wss://gateway.discord.gg/?v=10&encoding=json",
            query: &[("v", "10"), ("encoding", "json")],
            first: Some(r#"{"op":10}"#),
            ask: ask(r#"{"op":1,"d":null}"#, &[r#"{"op":11}"#]),
            server: &[asks(r#"{"op":1}"#, r#"{"op":1,"d":null}"#)],
            every: Some(s(45)),
            timeout: Some(s(45)),
            marks: &[r#"{"op":10,"d":{"heartbeat_interval":{any}}}"#],
            note: "heartbeats work before Identify; op 10 says how often to send them",
            source: "discord/discord-api-docs@c98d64bc2338 developers/events/gateway.mdx:122-177",
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "slack",
        name: "Slack",
        speaks: &[Preset {
            name: "slack",
            aliases: &["slack-socket", "slack-socket-mode"],
            title: "Slack Socket Mode",
            url: "wss://wss-primary.slack.com/link/?ticket=TICKET",
            awaited: Some(r#"{"type":"hello"}"#),
            every: Some(s(5)),
            timeout: Some(s(5)),
            marks: &[r#"{"type":"hello","num_connections":{any}}"#],
            note: "the URL is that of apps.connections.open; the SDK expects a Ping frame of the server's within 30 s, and \
                       {\"type\":\"disconnect\"} announces that the server goes",
            source: "slackapi/node-slack-sdk@4322e14f116a packages/socket-mode/src/SlackWebSocket.ts:111-112 \
                         (serverPingTimeout 30000, clientPingTimeout 5000)",
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "firebase",
        name: "Firebase Realtime Database",
        speaks: &[Preset {
            name: "firebase",
            aliases: &["firebase-rtdb"],
            title: "Firebase Realtime Database",
            url: "wss://PROJECT.firebaseio.com/.ws?v=5&ns=PROJECT",
            path: Some("/.ws"),
            query: &[("v", "5")],
            awaited: Some(r#"{"t":"c","d":{"t":"h"}}"#),
            ask: ask(r#"{"t":"c","d":{"t":"p","d":{}}}"#, &[r#"{"t":"c","d":{"t":"o"}}"#]),
            every: Some(s(45)),
            timeout: Some(s(30)),
            marks: &[r#"{"t":"c","d":{"t":"h"}}"#],
            note: "the SDK keeps the connection alive by the text 0 after 45 s of silence, which is never answered",
            source: "firebase/firebase-js-sdk@6f865964baf5 packages/database/src/realtime/WebSocketConnection.ts:45,430; \
                         Connection.ts:57-60,480",
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "twitch",
        name: "Twitch EventSub",
        speaks: &[Preset {
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
            server_every: Some(s(10)),
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
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "helius",
        name: "Helius",
        speaks: &[Preset {
            name: "helius",
            title: "Helius parsed streams",
            url: "wss://example.helius-rpc.com/?api-key=KEY",
            ask: ask(
                r#"{"jsonrpc":"2.0","id":{seq1},"method":"ping"}"#,
                &[r#"{"jsonrpc":"2.0","id":{seq1}}"#],
            ),
            every: Some(s(60)),
            timeout: Some(s(10)),
            note: "Ping frames do not reset its idle timer of 10 m; it closes with 1000",
            source: "https://www.helius.dev/docs/api-reference/parsed-streams/ping",
            ..Preset::BLANK
        }],
        timeouts: &[Timeout {
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
            ..Timeout::BLANK
        }],
        ..Product::BLANK
    },
];
