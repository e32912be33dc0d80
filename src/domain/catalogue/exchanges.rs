//! Exchanges and markets.

use std::time::Duration;

use super::preset::{ForbiddenAction, Preset, ask, asks, calls, trap};
use super::product::Product;
use super::timeout::{
    CutKind, ProductFamily, SettingChange, Timeout, TimeoutKind, TimeoutValue, TimerReset, s,
};

pub(super) const EXCHANGES: &[Product] = &[
    Product {
        id: "binance",
        name: "Binance",
        speaks: &[
            Preset {
                name: "binance",
                aliases: &["binance-stream", "binance-streams"],
                title: "Binance spot streams",
                url: "wss://stream.binance.com:9443/ws/btcusdt@trade",
                every: Some(s(20)),
                timeout: Some(s(60)),
                traps: &[trap(
                    ForbiddenAction::FasterThan(Duration::from_secs(1)),
                    "more than 5 messages a second of a client's, Ping and Pong frames counted, end the connection, and repeated the \
                     address is banned",
                )],
                note: "the server sends a Ping frame every 20 s and closes a client that does not answer within a minute; a connection \
                       ends after 24 h",
                source: "binance/binance-spot-api-docs@a5e0bc3ddc0f web-socket-streams.md:44-62",
                ..Preset::BLANK
            },
            Preset {
                name: "binance-api",
                title: "Binance WebSocket API",
                url: "wss://ws-api.binance.com/ws-api/v3",
                ask: ask(r#"{"id":"{seq1}","method":"ping"}"#, &[r#"{"id":"{seq1}","status":200}"#]),
                every: Some(s(20)),
                timeout: Some(s(60)),
                traps: &[trap(
                    ForbiddenAction::FasterThan(Duration::from_secs(1)),
                    "each ping has a weight of 1, and the limit is the address's",
                )],
                note: "the server sends a Ping frame every 20 s besides",
                source: "binance/binance-spot-api-docs@a5e0bc3ddc0f web-socket-api.md:111,1340-1400",
                ..Preset::BLANK
            },
        ],
        timeouts: &[Timeout {
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
            ..Timeout::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "kraken",
        name: "Kraken",
        speaks: &[Preset {
            name: "kraken",
            aliases: &["kraken-v2"],
            title: "Kraken Spot v2",
            url: "wss://ws.kraken.com/v2",
            ask: ask(r#"{"method":"ping","req_id":{seq1}}"#, &[r#"{"method":"pong","req_id":{seq1}}"#]),
            server: &[calls(r#"{"channel":"heartbeat"}"#)],
            server_every: Some(s(1)),
            every: Some(s(30)),
            timeout: Some(s(10)),
            marks: &[r#"{"channel":"status","type":{any}}"#, r#"{"channel":"heartbeat"}"#],
            note: "the server's heartbeats come once something is subscribed; the answer has time_in and time_out",
            source: "https://docs.kraken.com/exchange/api-reference/spot-websocket-v2/ping",
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "okx",
        name: "OKX",
        speaks: &[Preset {
            name: "okx",
            title: "OKX v5",
            url: "wss://ws.okx.com:8443/ws/v5/public",
            ask: ask("ping", &["pong"]),
            every: Some(s(25)),
            timeout: Some(s(30)),
            note: "the server cuts after 30 s without a subscription or a push",
            source: "OKX's documents, quoted in skip-mev/slinky providers/websockets/okx/README.md",
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "bybit",
        name: "Bybit",
        speaks: &[Preset {
            name: "bybit",
            title: "Bybit v5",
            url: "wss://stream.bybit.com/v5/public/linear",
            ask: ask(
                r#"{"op":"ping","req_id":"{seq1}"}"#,
                &[r#"{"op":"ping","ret_msg":"pong"}"#, r#"{"op":"pong"}"#],
            ),
            every: Some(s(20)),
            timeout: Some(s(10)),
            note: "public answers keep op: ping and may come without the req_id, private ones are op: pong; so they are matched in \
                       order",
            source: "tardis-dev/tardis-node@c1d73fb54c8c src/realtimefeeds/bybit.ts:72-77",
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "kucoin",
        name: "KuCoin",
        speaks: &[Preset {
            name: "kucoin",
            title: "KuCoin",
            url: "wss://ws-api-spot.kucoin.com/?token=TOKEN&connectId=wscheck",
            awaited: Some(r#"{"type":"welcome","id":{any}}"#),
            ask: ask(r#"{"id":"{seq1}","type":"ping"}"#, &[r#"{"id":"{seq1}","type":"pong"}"#]),
            every: Some(s(18)),
            timeout: Some(s(10)),
            marks: &[r#"{"type":"welcome","id":{any}}"#],
            note: "the URL, the token and the interval are those of POST /api/v1/bullet-public",
            source: "tardis-dev/tardis-node@c1d73fb54c8c src/realtimefeeds/kucoin.ts:70-75",
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "gateio",
        name: "Gate.io",
        speaks: &[Preset {
            name: "gateio",
            aliases: &["gate.io", "gate"],
            title: "Gate.io spot v4",
            url: "wss://api.gateio.ws/ws/v4/",
            ask: ask(r#"{"time":{now_s},"channel":"spot.ping"}"#, &[r#"{"channel":"spot.pong"}"#]),
            every: Some(s(15)),
            timeout: Some(s(10)),
            note: "futures say futures.ping and futures.pong",
            source: "several clients of its: {\"time\":<unix seconds>,\"channel\":\"spot.ping\"} and spot.pong",
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "huobi",
        name: "HTX (Huobi)",
        speaks: &[Preset {
            name: "huobi",
            aliases: &["htx"],
            title: "HTX (Huobi) spot market",
            url: "wss://api.huobi.pro/ws",
            server: &[asks(r#"{"ping":{now_ms}}"#, r#"{"pong":{now_ms}}"#)],
            server_every: Some(s(5)),
            marks: &[r#"{"ping":{now_ms}}"#],
            note: "what the server says is gzip in binary messages; the answer is text",
            source: "tardis-dev/tardis-node@c1d73fb54c8c src/realtimefeeds/huobi.ts:163-166",
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "mexc",
        name: "MEXC",
        speaks: &[
            Preset {
                name: "mexc",
                aliases: &["mexc-spot"],
                title: "MEXC spot",
                url: "wss://wbs-api.mexc.com/ws",
                ask: ask(r#"{"method":"PING"}"#, &[r#"{"msg":"PONG"}"#]),
                every: Some(s(20)),
                timeout: Some(s(10)),
                source: "tardis-dev/tardis-node@c1d73fb54c8c src/realtimefeeds/mexc.ts:106",
                ..Preset::BLANK
            },
            Preset {
                name: "mexc-futures",
                title: "MEXC futures",
                url: "wss://contract.mexc.com/edge",
                ask: ask(r#"{"method":"ping"}"#, &[r#"{"channel":"pong"}"#]),
                every: Some(s(15)),
                timeout: Some(s(10)),
                note: "without a ping for a minute the server closes",
                source: "https://www.mexc.com/api-docs/futures/websocket-api",
                ..Preset::BLANK
            },
        ],
        ..Product::BLANK
    },
    Product {
        id: "hyperliquid",
        name: "Hyperliquid",
        speaks: &[Preset {
            name: "hyperliquid",
            title: "Hyperliquid",
            url: "wss://api.hyperliquid.xyz/ws",
            ask: ask(r#"{"method":"ping"}"#, &[r#"{"channel":"pong"}"#]),
            every: Some(s(50)),
            timeout: Some(s(10)),
            note: "the server closes when it has not sent anything for 60 s",
            source: "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/timeouts-and-heartbeats",
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "deribit",
        name: "Deribit",
        speaks: &[Preset {
            name: "deribit",
            title: "Deribit",
            url: "wss://www.deribit.com/ws/api/v2",
            ask: ask(
                r#"{"jsonrpc":"2.0","id":{seq1},"method":"public/test","params":{}}"#,
                &[r#"{"jsonrpc":"2.0","id":{seq1}}"#],
            ),
            server: &[
                asks(
                    r#"{"method":"heartbeat","params":{"type":"test_request"}}"#,
                    r#"{"jsonrpc":"2.0","id":0,"method":"public/test","params":{}}"#,
                ),
                calls(r#"{"method":"heartbeat"}"#),
            ],
            every: Some(s(30)),
            timeout: Some(s(10)),
            note: "the server sends heartbeats only to who asked for them: --send \
                       '{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"public/set_heartbeat\",\"params\":{\"interval\":30}}'",
            source: "tardis-dev/tardis-node@c1d73fb54c8c src/realtimefeeds/deribit.ts:84",
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "crypto.com",
        name: "Crypto.com",
        speaks: &[Preset {
            name: "crypto.com",
            aliases: &["cryptocom"],
            title: "Crypto.com",
            url: "wss://stream.crypto.com/exchange/v1/market",
            server: &[asks(
                r#"{"id":{seq},"method":"public/heartbeat"}"#,
                r#"{"id":{seq},"method":"public/respond-heartbeat"}"#,
            )],
            server_every: Some(s(30)),
            marks: &[r#"{"id":{any},"method":"public/heartbeat"}"#],
            note: "a client that does not answer within 5 s is closed",
            source: "tardis-dev/tardis-node@c1d73fb54c8c src/realtimefeeds/cryptocom.ts:38",
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "bullish",
        name: "Bullish",
        speaks: &[Preset {
            name: "bullish",
            title: "Bullish",
            url: "wss://api.exchange.bullish.com/trading-api/v1/market-data/orderbook",
            ask: ask(
                r#"{"jsonrpc":"2.0","type":"command","method":"keepalivePing","params":{},"id":"{seq1}"}"#,
                &[r#"{"id":"{seq1}"}"#],
            ),
            every: Some(s(60)),
            timeout: Some(s(10)),
            note: "idle connections are closed after 5 m",
            source: "https://docs.exchange.bullish.com/websocket/protocol/keepalive",
            ..Preset::BLANK
        }],
        ..Product::BLANK
    },
    Product {
        id: "polymarket",
        name: "Polymarket",
        speaks: &[
            Preset {
                name: "polymarket",
                title: "Polymarket, market channel",
                url: "wss://ws-subscriptions-clob.polymarket.com/ws/market",
                ask: ask("PING", &["PONG"]),
                every: Some(s(10)),
                timeout: Some(s(10)),
                source: "tardis-dev/tardis-node@c1d73fb54c8c src/realtimefeeds/polymarket.ts:63",
                ..Preset::BLANK
            },
            Preset {
                name: "polymarket-live",
                title: "Polymarket live data",
                url: "wss://ws-live-data.polymarket.com/",
                server: &[asks("ping", "pong")],
                server_every: Some(s(10)),
                source: "tardis-dev/tardis-node@c1d73fb54c8c src/realtimefeeds/polymarket.ts:86-101",
                ..Preset::BLANK
            },
        ],
        ..Product::BLANK
    },
];
