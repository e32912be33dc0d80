//! HAProxy.

use super::{CUT_WHEN_IDLE, Cure, Hop, REFUSED, SETUP, Setup, Symptom, TLS_ARGS, TLS_URL, problem};
use crate::products::HAPROXY;

/// A frontend and a backend, with these lines in `defaults` and after `bind @listen@`.
macro_rules! haproxy {
    ($defaults:literal, $bind:literal) => {
        haproxy!($defaults, $bind, "server one @next@\n")
    };
    ($defaults:literal, $bind:literal, $backend:literal) => {
        Hop {
            product: &HAPROXY,
            configuration: concat!(
                "defaults\n  mode http\n  timeout connect 5s\n",
                $defaults,
                "frontend hop\n  bind @listen@",
                $bind,
                "\n  default_backend app\nbackend app\n  ",
                $backend
            ),
        }
    };
}

pub(super) use haproxy;

const TUNNEL_CURE: Cure = Cure::Changes {
    check: "idle-timeout",
    hop: 0,
    lines: &["timeout tunnel 1h"],
    then: Symptom::Survives(5),
};

pub const SETUPS: &[Setup] = &[
    Setup {
        name: "HAProxy timeout tunnel 4s",
        hops: &[haproxy!("  timeout client 20s\n  timeout server 20s\n  timeout tunnel 4s\n  #CHANGE\n", "")],
        symptom: Symptom::Idle(4),
        expected: CUT_WHEN_IDLE,
        cure: TUNNEL_CURE,
        ..SETUP
    },
    Setup {
        name: "HAProxy timeout client 4s",
        hops: &[haproxy!("  timeout client 4s\n  timeout server 20s\n  #CHANGE\n", "")],
        symptom: Symptom::Idle(4),
        expected: CUT_WHEN_IDLE,
        cure: TUNNEL_CURE,
        ..SETUP
    },
    Setup {
        name: "HAProxy before a dead server",
        hops: &[haproxy!(
            "  timeout client 20s\n  timeout server 20s\n  retries 0\n",
            "",
            "server one @dead@\n"
        )],
        symptom: Symptom::Refused(503),
        expected: REFUSED,
        ..SETUP
    },
    Setup {
        name: "HAProxy wants a client certificate",
        hops: &[haproxy!(
            "  timeout client 20s\n  timeout server 20s\n  timeout tunnel 1h\n",
            " ssl crt @files@/both.pem ca-file @files@/ca.pem verify required"
        )],
        url: TLS_URL,
        args: TLS_ARGS,
        symptom: Symptom::FailsWith("demands a client certificate"),
        expected: &[problem(&["tls", "certificate", "upgrade"])],
        cure: Cure::Arguments {
            check: "tls",
            args: &["--cert", "@files@/client.pem", "--key", "@files@/client.key"],
        },
        ..SETUP
    },
    Setup {
        name: "HAProxy strips the upgrade",
        hops: &[haproxy!(
            "  timeout client 20s\n  timeout server 20s\n",
            "\n  http-request del-header Upgrade"
        )],
        symptom: Symptom::Fails("upgrade_refused"),
        expected: REFUSED,
        ..SETUP
    },
];
