//! lighttpd.

use super::{CUT_WHEN_IDLE, Cure, Hop, REFUSED, SETUP, Setup, Symptom};
use crate::products::LIGHTTPD;

macro_rules! lighttpd {
    ($lines:literal) => {
        Hop {
            product: &LIGHTTPD,
            configuration: concat!(
                "server.bind = \"@host@\"\nserver.port = @port@\nserver.document-root = \"@own@\"\n",
                "server.modules = (\"mod_proxy\")\n",
                "proxy.server = (\"\" => ((\"host\" => \"@nexthost@\", \"port\" => @nextport@)))\n",
                $lines
            ),
        }
    };
}

pub(super) use lighttpd;

pub const SETUPS: &[Setup] = &[
    Setup {
        name: "lighttpd without upgrade",
        hops: &[lighttpd!("#CHANGE\n")],
        symptom: Symptom::Fails("upgrade_refused"),
        expected: REFUSED,
        cure: Cure::Changes {
            check: "upgrade",
            hop: 0,
            lines: &["proxy.header = (\"upgrade\" => \"enable\")"],
            then: Symptom::Opens,
        },
        ..SETUP
    },
    Setup {
        name: "lighttpd server.max-read-idle 4",
        hops: &[lighttpd!("proxy.header = (\"upgrade\" => \"enable\")\nserver.max-read-idle = 4\n#CHANGE\n")],
        symptom: Symptom::Idle(4),
        expected: CUT_WHEN_IDLE,
        cure: Cure::Changes {
            check: "idle-timeout",
            hop: 0,
            lines: &["server.max-read-idle = 3600"],
            then: Symptom::Survives(5),
        },
        ..SETUP
    },
];
