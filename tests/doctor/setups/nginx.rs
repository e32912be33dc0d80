//! nginx, as many have configured it.

use super::{Backend, CUT_WHEN_IDLE, Cure, Hop, REFUSED, SETUP, Setup, Symptom, TLS_ARGS, TLS_URL, problem};
use crate::products::NGINX;

/// The whole configuration around the directives of `http`.
macro_rules! nginx {
    ($($http:literal),+) => {
        Hop {
            product: &NGINX,
            configuration: concat!(
                "daemon off;\nworker_processes 1;\npid @own@/pid;\nerror_log stderr notice;\nevents {}\n",
                "http {\n  access_log off;\n  client_body_temp_path @own@/body;\n  proxy_temp_path @own@/proxy;\n",
                "  fastcgi_temp_path @own@/fastcgi;\n  uwsgi_temp_path @own@/uwsgi;\n  scgi_temp_path @own@/scgi;\n",
                $($http,)+
                "}\n"
            ),
        }
    };
}

/// A server whose one location passes to the next hop.
macro_rules! location {
    ($location:literal) => {
        nginx!("  server {\n    listen @listen@;\n    location / {\n", $location, "    }\n  }\n")
    };
}

pub(super) use {location, nginx};

const UPGRADE_LINES: &[&str] = &[
    "proxy_http_version 1.1;",
    "proxy_set_header Upgrade $http_upgrade;",
    "proxy_set_header Connection \"upgrade\";",
];

const HEADERS_CURE: Cure =
    Cure::Changes { check: "upgrade", hop: 0, lines: UPGRADE_LINES, then: Symptom::Opens };

const READ_TIMEOUT_CURE: Cure = Cure::Changes {
    check: "idle-timeout",
    hop: 0,
    lines: &["proxy_read_timeout 1h;"],
    then: Symptom::Survives(5),
};

pub const SETUPS: &[Setup] = &[
    Setup {
        name: "nginx without upgrade headers",
        hops: &[location!("      proxy_pass http://@next@;\n      #CHANGE\n")],
        symptom: Symptom::Fails("upgrade_refused"),
        expected: REFUSED,
        cure: HEADERS_CURE,
        ..SETUP
    },
    Setup {
        name: "nginx before node without upgrade headers",
        server: Backend::Node("server.js", &[]),
        hops: &[location!("      proxy_pass http://@next@;\n      #CHANGE\n")],
        symptom: Symptom::Fails("upgrade_refused"),
        expected: REFUSED,
        cure: HEADERS_CURE,
        ..SETUP
    },
    Setup {
        name: "nginx with proxy_http_version 1.0",
        hops: &[location!(
            "      proxy_pass http://@next@;\n      proxy_http_version 1.0;\n      proxy_set_header Upgrade $http_upgrade;\n      \
             proxy_set_header Connection \"upgrade\";\n      #CHANGE\n"
        )],
        symptom: Symptom::Refused(400),
        expected: REFUSED,
        cure: HEADERS_CURE,
        ..SETUP
    },
    Setup {
        name: "nginx with Upgrade, but Connection close",
        hops: &[location!(
            "      proxy_pass http://@next@;\n      proxy_http_version 1.1;\n      proxy_set_header Upgrade $http_upgrade;\n      #CHANGE\n"
        )],
        symptom: Symptom::Fails("upgrade_refused"),
        expected: REFUSED,
        cure: HEADERS_CURE,
        ..SETUP
    },
    Setup {
        name: "nginx proxy_read_timeout 4s",
        hops: &[location!(
            "      proxy_pass http://@next@;\n      proxy_http_version 1.1;\n      proxy_set_header Upgrade $http_upgrade;\n      \
             proxy_set_header Connection \"upgrade\";\n      proxy_read_timeout 4s;\n      #CHANGE\n"
        )],
        symptom: Symptom::Idle(4),
        expected: CUT_WHEN_IDLE,
        cure: READ_TIMEOUT_CURE,
        ..SETUP
    },
    Setup {
        name: "nginx with TLS and proxy_read_timeout 4s",
        hops: &[nginx!(
            "  server {\n    listen @listen@ ssl;\n    ssl_certificate @files@/good.pem;\n    \
             ssl_certificate_key @files@/good.key;\n    location / {\n      proxy_pass http://@next@;\n      \
             proxy_http_version 1.1;\n      proxy_set_header Upgrade $http_upgrade;\n      \
             proxy_set_header Connection \"upgrade\";\n      proxy_read_timeout 4s;\n      #CHANGE\n    }\n  }\n"
        )],
        url: TLS_URL,
        args: TLS_ARGS,
        symptom: Symptom::Idle(4),
        expected: CUT_WHEN_IDLE,
        cure: READ_TIMEOUT_CURE,
        ..SETUP
    },
    Setup {
        name: "nginx denies with 403",
        hops: &[location!("      return 403;\n")],
        symptom: Symptom::Refused(403),
        expected: REFUSED,
        ..SETUP
    },
    Setup {
        name: "nginx with another path for WebSocket",
        hops: &[nginx!(
            "  server {\n    listen @listen@;\n    root @own@;\n    location /ws {\n      proxy_pass http://@next@;\n      \
             proxy_http_version 1.1;\n      proxy_set_header Upgrade $http_upgrade;\n      \
             proxy_set_header Connection \"upgrade\";\n    }\n  }\n"
        )],
        url: "ws://@entry@/chat",
        symptom: Symptom::Refused(404),
        expected: REFUSED,
        ..SETUP
    },
    Setup {
        name: "nginx redirects to https",
        hops: &[nginx!(
            "  server {\n    listen @listen@;\n    return 301 https://ws.test:@port2@$request_uri;\n  }\n  server {\n    \
             listen @listen2@ ssl;\n    ssl_certificate @files@/good.pem;\n    ssl_certificate_key @files@/good.key;\n    \
             location / {\n      proxy_pass http://@next@;\n      proxy_http_version 1.1;\n      \
             proxy_set_header Upgrade $http_upgrade;\n      proxy_set_header Connection \"upgrade\";\n    }\n  }\n"
        )],
        url: "ws://ws.test:@entryport@/chat",
        args: &["--resolve", "ws.test:@entryport@:@entryhost@"],
        symptom: Symptom::Refused(301),
        expected: REFUSED,
        cure: Cure::Url {
            check: "upgrade",
            url: "wss://ws.test:@hop0port2@/chat",
            args: &["--resolve", "ws.test:@hop0port2@:@entryhost@", "--cacert", "@files@/ca.pem"],
        },
        ..SETUP
    },
    Setup {
        name: "nginx before a dead server",
        hops: &[location!(
            "      proxy_pass http://@dead@;\n      proxy_http_version 1.1;\n      proxy_set_header Upgrade $http_upgrade;\n      \
             proxy_set_header Connection \"upgrade\";\n"
        )],
        symptom: Symptom::Refused(502),
        expected: REFUSED,
        ..SETUP
    },
    Setup {
        name: "nginx with HTTP/2 only on a plain port",
        hops: &[nginx!(
            "  server {\n    listen @listen@ http2;\n    location / {\n      proxy_pass http://@next@;\n    }\n  }\n"
        )],
        symptom: Symptom::Fails("not_http"),
        expected: &[problem(&["upgrade"])],
        ..SETUP
    },
    Setup {
        name: "nginx wants a client certificate",
        hops: &[nginx!(
            "  server {\n    listen @listen@ ssl;\n    ssl_certificate @files@/good.pem;\n    \
             ssl_certificate_key @files@/good.key;\n    ssl_client_certificate @files@/ca.pem;\n    ssl_verify_client on;\n    \
             location / {\n      proxy_pass http://@next@;\n      proxy_http_version 1.1;\n      \
             proxy_set_header Upgrade $http_upgrade;\n      proxy_set_header Connection \"upgrade\";\n    }\n  }\n"
        )],
        url: TLS_URL,
        args: TLS_ARGS,
        symptom: Symptom::Refused(400),
        expected: &[problem(&["upgrade", "tls"])],
        cure: Cure::Arguments {
            check: "upgrade",
            args: &["--cert", "@files@/client.pem", "--key", "@files@/client.key"],
        },
        ..SETUP
    },
];
