//! Heartbeats of no particular product.

use super::known_ping::{answered, one_way};
use super::preset::{Preset, VerificationLevel, ask};
use super::product::Product;
use super::timeout::s;

pub(super) const CONVENTIONS: &[Product] = &[Product {
    id: "conventions",
    name: "conventions of no product",
    speaks: &[
        Preset {
            name: "text",
            aliases: &["durable-objects"],
            title: "text ping and pong",
            ask: ask("ping", &["pong"]),
            every: Some(s(25)),
            timeout: Some(s(10)),
            note: "an edge may answer it (Durable Objects' setWebSocketAutoResponse does): it proves the edge, not the \
                       application",
            source: "cloudflare/agents#2286; cloudflare-docs durable-objects/best-practices/websockets.mdx",
            verified: VerificationLevel::Live,
            ..Preset::BLANK
        },
        Preset {
            name: "jsonrpc",
            aliases: &["json-rpc", "jsonrpc-generic", "jsonrpc-eth", "ethereum"],
            title: "JSON-RPC 2.0, by a method that need not exist",
            url: "wss://example.org/",
            ask: ask(
                r#"{"jsonrpc":"2.0","id":{seq1},"method":"wscheck.ping"}"#,
                &[r#"{"jsonrpc":"2.0","id":{seq1}}"#],
            ),
            every: Some(s(30)),
            timeout: Some(s(10)),
            note: "an error (-32601, method not found) is an answer too: the application read the request",
            source: "JSON-RPC 2.0 specification section 5",
            verified: VerificationLevel::Live,
            ..Preset::BLANK
        },
        Preset {
            name: "json",
            aliases: &["json-type"],
            title: "JSON {\"type\":\"ping\"} and {\"type\":\"pong\"}",
            ask: ask(r#"{"type":"ping"}"#, &[r#"{"type":"pong"}"#]),
            usual: true,
            every: Some(s(30)),
            timeout: Some(s(10)),
            note: "variants with another field's name (op, event, action, cmd, method) are given by --app-ping and --app-pong",
            source: "tardis-dev/tardis-node@c1d73fb54c8c src/realtimefeeds/delta.ts:28; GatewayWorker pingData",
            ..Preset::BLANK
        },
        Preset {
            name: "json-id",
            aliases: &["json-type-id"],
            title: "JSON {\"type\":\"ping\",\"id\":N} with the same id in the answer",
            ask: ask(r#"{"type":"ping","id":{seq1}}"#, &[r#"{"type":"pong","id":{seq1}}"#]),
            every: Some(s(30)),
            timeout: Some(s(10)),
            source: "home-assistant/developers.home-assistant@186ad063987c docs/api/websocket.md:483-501",
            ..Preset::BLANK
        },
        Preset {
            name: "text-upper",
            title: "text PING and PONG",
            ask: ask("PING", &["PONG"]),
            every: Some(s(10)),
            timeout: Some(s(10)),
            source: "tardis-dev/tardis-node@c1d73fb54c8c src/realtimefeeds/polymarket.ts:63",
            ..Preset::BLANK
        },
    ],
    pings: &[
        answered("type: ping", r#"{"type":"ping"}"#, r#"{"type":"pong"}"#),
        answered("event: ping", r#"{"event":"ping"}"#, r#"{"event":"pong"}"#),
        answered("op: ping", r#"{"op":"ping"}"#, r#"{"op":"pong"}"#),
        answered("action: ping", r#"{"action":"ping"}"#, r#"{"action":"pong"}"#),
        answered("cmd: ping", r#"{"cmd":"ping"}"#, r#"{"cmd":"pong"}"#),
        answered("ping: number", r#"{"ping":{seq}}"#, r#"{"pong":{seq}}"#),
        answered("text ping", "ping", "pong"),
        answered("text PING", "PING", "PONG"),
        answered("text Ping", "Ping", "Pong"),
        one_way("type: heartbeat", r#"{"type":"heartbeat"}"#),
        one_way("channel: heartbeat", r#"{"channel":"heartbeat"}"#),
        one_way("empty", "text:"),
    ],
    ..Product::BLANK
}];
