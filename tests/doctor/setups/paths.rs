//! Several hops, and heartbeats of the server against the timeout of a hop.

use super::haproxy::haproxy;
use super::nginx::{location, nginx};
use super::{Backend, CUT_WHEN_IDLE, Cure, Hop, REFUSED, SETUP, Setup, Symptom, appears_at, problem};
use crate::products::{HAPROXY, NGINX};

/// nginx with this read timeout.
macro_rules! nginx_with_timeout {
    ($time:literal) => {
        nginx!(
            "  server {\n    listen @listen@;\n    location / {\n      proxy_pass http://@next@;\n      \
             proxy_http_version 1.1;\n      proxy_set_header Upgrade $http_upgrade;\n      \
             proxy_set_header Connection \"upgrade\";\n      proxy_read_timeout ",
            $time,
            ";\n      #CHANGE\n    }\n  }\n"
        )
    };
}

macro_rules! haproxy_with_timeout {
    ($timeouts:literal) => {
        haproxy!($timeouts, "")
    };
}

const NGINX_6: Hop = nginx_with_timeout!("6s");
const HAPROXY_4: Hop =
    haproxy_with_timeout!("  timeout client 20s\n  timeout server 20s\n  timeout tunnel 4s\n  #CHANGE\n");
const HAPROXY_6: Hop =
    haproxy_with_timeout!("  timeout client 20s\n  timeout server 20s\n  timeout tunnel 6s\n  #CHANGE\n");

pub const SETUPS: &[Setup] = &[
    Setup {
        name: "nginx 6 s before HAProxy 4 s before the server",
        hops: &[HAPROXY_4, NGINX_6],
        symptom: Symptom::Idle(4),
        doctor: &["--via", "server=@server@", "--via", "haproxy=@hop0@"],
        expected: &[CUT_WHEN_IDLE[0], appears_at("haproxy")],
        ..SETUP
    },
    Setup {
        name: "nginx 4 s before HAProxy 6 s before the server",
        hops: &[HAPROXY_6, nginx_with_timeout!("4s")],
        symptom: Symptom::Idle(4),
        doctor: &["--via", "server=@server@", "--via", "haproxy=@hop0@"],
        expected: &[CUT_WHEN_IDLE[0], appears_at("between haproxy and")],
        ..SETUP
    },
    Setup {
        name: "nginx without upgrade headers behind HAProxy",
        hops: &[location!("      proxy_pass http://@next@;\n      #CHANGE\n"), HAPROXY_6],
        symptom: Symptom::Fails("upgrade_refused"),
        doctor: &["--via", "server=@server@", "--via", "nginx=@hop0@"],
        expected: &[problem(&["upgrade"]), appears_at("nginx")],
        ..SETUP
    },
    Setup {
        name: "HAProxy before nginx before a dead server",
        hops: &[
            location!(
                "      proxy_pass http://@dead@;\n      proxy_http_version 1.1;\n      \
                 proxy_set_header Upgrade $http_upgrade;\n      proxy_set_header Connection \"upgrade\";\n"
            ),
            HAPROXY_6,
        ],
        symptom: Symptom::Refused(502),
        expected: REFUSED,
        ..SETUP
    },
    Setup {
        name: "server that pings every 6 s behind nginx with 4 s",
        server: Backend::Node("policies.js", &["pings", "6000"]),
        hops: &[nginx_with_timeout!("4s")],
        symptom: Symptom::Ends(5),
        expected: CUT_WHEN_IDLE,
        cure: Cure::Server {
            server: Backend::Node("policies.js", &["pings", "2000"]),
            then: Symptom::KeptOpen(7),
        },
        ..SETUP
    },
    Setup {
        name: "server that pings every 6 s behind HAProxy with 4 s",
        server: Backend::Node("policies.js", &["pings", "6000"]),
        hops: &[HAPROXY_4],
        symptom: Symptom::Ends(5),
        expected: CUT_WHEN_IDLE,
        ..SETUP
    },
    Setup {
        name: "server that pings every 2 s behind nginx with 4 s",
        server: Backend::Node("alive.js", &[]),
        hops: &[nginx_with_timeout!("4s")],
        symptom: Symptom::KeptOpen(7),
        ..SETUP
    },
];
