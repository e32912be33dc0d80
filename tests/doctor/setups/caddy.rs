//! Caddy, which passes upgrades by itself.

use super::{CUT_WHEN_IDLE, Cure, Hop, REFUSED, SETUP, Setup, Symptom, warning};
use crate::products::CADDY;

/// One plain site with these lines, or one with another address.
macro_rules! caddy {
    ($lines:literal) => {
        caddy!("http://@listen@", $lines)
    };
    ($site:literal, $lines:literal) => {
        Hop {
            product: &CADDY,
            configuration: concat!(
                "{\n  admin off\n  auto_https off\n  persist_config off\n}\n",
                $site,
                " {\n  bind @host@\n",
                $lines,
                "}\n"
            ),
        }
    };
}

pub(super) use caddy;

pub const SETUPS: &[Setup] = &[
    Setup {
        name: "Caddy read_timeout 4s",
        hops: &[caddy!(
            "  reverse_proxy @next@ {\n    transport http {\n      read_timeout 4s\n      #CHANGE\n    }\n  }\n"
        )],
        symptom: Symptom::Idle(4),
        expected: CUT_WHEN_IDLE,
        cure: Cure::Changes {
            check: "idle-timeout",
            hop: 0,
            lines: &["read_timeout 1h"],
            then: Symptom::Survives(5),
        },
        ..SETUP
    },
    Setup {
        name: "Caddy stream_timeout 4s",
        hops: &[caddy!("  reverse_proxy @next@ {\n    stream_timeout 4s\n    #CHANGE\n  }\n")],
        symptom: Symptom::Lifetime(4),
        expected: &[warning(&["lifetime"])],
        cure: Cure::Changes {
            check: "lifetime",
            hop: 0,
            lines: &["stream_timeout 0"],
            then: Symptom::Survives(5),
        },
        ..SETUP
    },
    Setup {
        name: "Caddy denies with 403",
        hops: &[caddy!("  respond \"no access\" 403\n")],
        symptom: Symptom::Refused(403),
        expected: REFUSED,
        ..SETUP
    },
    Setup {
        name: "Caddy before a dead server",
        hops: &[caddy!("  reverse_proxy @dead@\n")],
        symptom: Symptom::Refused(502),
        expected: REFUSED,
        ..SETUP
    },
];
