//! Traefik, which passes upgrades by itself.

use super::{Cure, Hop, REFUSED, SETUP, Setup, Symptom};
use crate::products::TRAEFIK;

/// One router with these fields, and a service. The router `ready` tells that the routes were read.
macro_rules! traefik {
    ($router:literal, $more:literal) => {
        traefik!($router, $more, "http://@next@")
    };
    ($router:literal, $more:literal, $server:literal) => {
        Hop {
            product: &TRAEFIK,
            configuration: concat!(
                "http:\n  routers:\n    ready: {rule: \"PathPrefix(`/`)\", service: app, entryPoints: [ready]}\n    \
                 ws:\n      service: app\n      entryPoints: [web]\n",
                $router,
                "  services:\n    app: {loadBalancer: {servers: [{url: \"",
                $server,
                "\"}]}}\n",
                $more
            ),
        }
    };
}

pub(super) use traefik;

pub const SETUPS: &[Setup] = &[
    Setup {
        name: "Traefik with a rule for another host",
        hops: &[traefik!("      rule: \"Host(`chat.test`)\"\n", "")],
        symptom: Symptom::Refused(404),
        expected: REFUSED,
        ..SETUP
    },
    Setup {
        name: "Traefik with basic auth",
        hops: &[traefik!(
            "      rule: \"PathPrefix(`/`)\"\n      middlewares: [auth]\n",
            // The password is "pw".
            "  middlewares:\n    auth: {basicAuth: {users: [\"bob:{SHA}GpHWL3ymc5liWkNopqtdSjuqYHM=\"]}}\n"
        )],
        symptom: Symptom::Refused(401),
        expected: REFUSED,
        cure: Cure::Arguments { check: "upgrade", args: &["--user", "bob:pw"] },
        ..SETUP
    },
    Setup {
        name: "Traefik before a dead server",
        hops: &[traefik!("      rule: \"PathPrefix(`/`)\"\n", "", "http://@dead@")],
        symptom: Symptom::Refused(502),
        expected: REFUSED,
        ..SETUP
    },
];
