//! Varnish.

use super::{CUT_WHEN_IDLE, Cure, Hop, REFUSED, SETUP, Setup, Symptom};
use crate::products::VARNISH;

macro_rules! varnish {
    ($lines:literal) => {
        Hop {
            product: &VARNISH,
            configuration: concat!(
                "vcl 4.1;\nbackend default { .host = \"@nexthost@\"; .port = \"@nextport@\"; }\n",
                $lines
            ),
        }
    };
}

pub(super) use varnish;

pub const SETUPS: &[Setup] = &[
    Setup {
        name: "Varnish without pipe",
        hops: &[varnish!("sub vcl_recv {\n  #CHANGE 1\n}\nsub vcl_pipe {\n  #CHANGE 2\n}\n")],
        symptom: Symptom::Fails("upgrade_refused"),
        expected: REFUSED,
        cure: Cure::Changes {
            check: "upgrade",
            hop: 0,
            lines: &[
                "if (req.http.Upgrade ~ \"(?i)websocket\") { return (pipe); }",
                "set bereq.http.Upgrade = req.http.Upgrade; set bereq.http.Connection = req.http.Connection;",
            ],
            then: Symptom::Opens,
        },
        ..SETUP
    },
    Setup {
        name: "Varnish pipe_timeout 4",
        hops: &[varnish!(
            "#ARG -p pipe_timeout=4\n#CHANGE\nsub vcl_recv { return (pipe); }\nsub vcl_pipe {\n  \
             set bereq.http.upgrade = req.http.upgrade;\n  set bereq.http.connection = req.http.connection;\n}\n"
        )],
        symptom: Symptom::Idle(4),
        expected: CUT_WHEN_IDLE,
        cure: Cure::Changes {
            check: "idle-timeout",
            hop: 0,
            lines: &["-p pipe_timeout=3600"],
            then: Symptom::Survives(5),
        },
        ..SETUP
    },
];
