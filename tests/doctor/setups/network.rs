//! Names, addresses, ports, proxies of the client, and a NAT.

use super::{Backend, CUT_WHEN_IDLE, Place, SETUP, Setup, Symptom, problem, warning};

pub const SETUPS: &[Setup] = &[
    Setup {
        name: "nothing listens",
        server: Backend::None,
        url: "ws://@dead@/",
        symptom: Symptom::Fails("refused"),
        expected: &[problem(&["tcp"])],
        ..SETUP
    },
    Setup {
        name: "name that does not resolve",
        server: Backend::None,
        place: Place::Offline,
        url: "ws://chat.invalid/",
        symptom: Symptom::Fails("name_not_found"),
        expected: &[problem(&["resolve"])],
        ..SETUP
    },
    Setup {
        name: "one of two addresses is dead",
        url: "ws://two.test:@entryport@/",
        args: &["--resolve", "two.test:@entryport@:127.0.0.3", "--resolve", "two.test:@entryport@:127.0.0.1"],
        symptom: Symptom::Opens,
        expected: &[warning(&["tcp", "resolve"])],
        ..SETUP
    },
    Setup {
        name: "dead HTTP proxy",
        args: &["--proxy", "http://@dead@"],
        symptom: Symptom::Fails("refused"),
        expected: &[problem(&["proxy", "tcp"])],
        ..SETUP
    },
    Setup {
        name: "NAT that forgets after 4 s",
        place: Place::Forgetting(4),
        url: "ws://127.0.0.1:80/",
        symptom: Symptom::Idle(4),
        // A silent cut shows only in use, after a longer search.
        doctor: &["--thorough", "--max", "60s"],
        expected: &[CUT_WHEN_IDLE[0], warning(&["server-heartbeats", "dead-clients"])],
        ..SETUP
    },
];
