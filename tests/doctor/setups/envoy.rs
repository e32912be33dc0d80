//! Envoy, which passes an upgrade only if it is configured.

use super::{CUT_WHEN_IDLE, Cure, Hop, REFUSED, SETUP, Setup, Symptom, warning};
use crate::products::ENVOY;
use crate::running::Running;

/// A connection manager with these fields, and a route with these.
macro_rules! envoy {
    ($manager:literal, $route:literal) => {
        envoy!($manager, $route, "@nexthost@", "@nextport@")
    };
    ($manager:literal, $route:literal, $host:literal, $port:literal) => {
        Hop {
            product: &ENVOY,
            configuration: concat!(
                "static_resources:\n  listeners:\n  - address: {socket_address: {address: @host@, port_value: @port@}}\n    \
                 filter_chains:\n    - filters:\n      - name: envoy.filters.network.http_connection_manager\n        \
                 typed_config:\n          \"@type\": type.googleapis.com/envoy.extensions.filters.network.\
                 http_connection_manager.v3.HttpConnectionManager\n          stat_prefix: hop\n",
                $manager,
                "          http_filters:\n          - name: envoy.filters.http.router\n            typed_config: \
                 {\"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}\n          \
                 route_config:\n            virtual_hosts:\n            - name: all\n              domains: [\"*\"]\n              \
                 routes:\n              - match: {prefix: \"/\"}\n                route:\n                  cluster: app\n",
                $route,
                "  clusters:\n  - name: app\n    connect_timeout: 1s\n    load_assignment:\n      cluster_name: app\n      \
                 endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: ",
                $host,
                ", port_value: ",
                $port,
                "}}}}]}]\n"
            ),
        }
    };
}

pub(super) use envoy;

pub const SETUPS: &[Setup] = &[
    Setup {
        name: "Envoy without upgrade_configs",
        hops: &[envoy!("          #CHANGE\n", "")],
        symptom: Symptom::Refused(403),
        expected: REFUSED,
        cure: Cure::Changes {
            check: "upgrade",
            hop: 0,
            lines: &["upgrade_configs:", "- upgrade_type: websocket"],
            then: Symptom::Opens,
        },
        ..SETUP
    },
    Setup {
        name: "Envoy stream_idle_timeout 4s",
        hops: &[envoy!(
            "          upgrade_configs:\n          - upgrade_type: websocket\n          stream_idle_timeout: 4s\n          #CHANGE\n",
            ""
        )],
        symptom: Symptom::Idle(4),
        expected: CUT_WHEN_IDLE,
        cure: Cure::Changes {
            check: "idle-timeout",
            hop: 0,
            lines: &["stream_idle_timeout: 3600s"],
            then: Symptom::Survives(5),
        },
        ..SETUP
    },
    Setup {
        name: "Envoy idle_timeout of the route 4s",
        hops: &[envoy!(
            "          upgrade_configs:\n          - upgrade_type: websocket\n",
            "                  #CHANGE\n                  idle_timeout: 4s\n"
        )],
        symptom: Symptom::Idle(4),
        expected: CUT_WHEN_IDLE,
        ..SETUP
    },
    Setup {
        name: "Envoy max_stream_duration 4s",
        hops: &[envoy!(
            "          upgrade_configs:\n          - upgrade_type: websocket\n          \
             common_http_protocol_options: {max_stream_duration: 4s}\n          #CHANGE\n",
            ""
        )],
        symptom: Symptom::Proved(answers_for_4_s),
        expected: &[warning(&["lifetime"])],
        ..SETUP
    },
    Setup {
        name: "Envoy before a dead server",
        hops: &[envoy!(
            "          upgrade_configs:\n          - upgrade_type: websocket\n",
            "",
            "127.0.0.1",
            "@deadport@"
        )],
        symptom: Symptom::Refused(503),
        expected: REFUSED,
        ..SETUP
    },
];

/// Envoy stops relaying after 4 s, and resets the connection a second later.
fn answers_for_4_s(running: &Running) {
    let document = running.run(&["ping", "-i", "100ms", "-w", "8s", "-o", "json"]).json();
    let (ok, ending) = (document["heartbeats"]["protocol"]["ok"].as_u64(), &document["ending"]);
    assert!((30..=42).contains(&ok.unwrap()), "{document:#}");
    assert_eq!((&ending["who"], &ending["how"]), (&"peer".into(), &"rst".into()), "{document:#}");
}
