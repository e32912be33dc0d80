//! TLS: certificates that a client refuses, or soon will, and what else goes wrong before HTTP.

use super::{Backend, Cure, SETUP, Setup, Symptom, TLS_ARGS, TLS_URL, problem, warning};
use crate::certificates::SOON_DAYS;
use crate::running::Running;

/// A TLS server with this certificate.
macro_rules! tls {
    ($name:literal) => {
        Backend::Serve(&[
            "--cert",
            concat!("@files@/", $name, ".pem"),
            "--key",
            concat!("@files@/", $name, ".key"),
        ])
    };
}

pub(super) use tls;

const TLS_SETUP: Setup = Setup { url: TLS_URL, args: TLS_ARGS, ..SETUP };

pub const SETUPS: &[Setup] = &[
    Setup {
        name: "certificate of another name",
        server: tls!("wrong"),
        symptom: Symptom::Fails("certificate_wrong_name"),
        expected: &[problem(&["certificate"])],
        cure: Cure::Server { server: tls!("good"), then: Symptom::Opens },
        ..TLS_SETUP
    },
    Setup {
        name: "expired certificate",
        server: tls!("expired"),
        symptom: Symptom::Fails("certificate_expired"),
        expected: &[problem(&["certificate"])],
        cure: Cure::Server { server: tls!("good"), then: Symptom::Opens },
        ..TLS_SETUP
    },
    Setup {
        name: "certificate that expires soon",
        server: tls!("soon"),
        symptom: Symptom::Proved(expires_soon),
        expected: &[warning(&["certificate"])],
        cure: Cure::Server { server: tls!("good"), then: Symptom::Opens },
        ..TLS_SETUP
    },
    Setup {
        name: "certificate without its intermediate",
        server: tls!("leaf"),
        symptom: Symptom::Fails("certificate_unknown_issuer"),
        expected: &[problem(&["certificate"])],
        cure: Cure::Server { server: tls!("chain"), then: Symptom::Opens },
        ..TLS_SETUP
    },
    Setup {
        name: "certificate of an unknown authority",
        server: tls!("good"),
        args: &["--resolve", "ws.test:@entryport@:127.0.0.1"],
        symptom: Symptom::Fails("certificate_unknown_issuer"),
        expected: &[problem(&["certificate"])],
        cure: Cure::Arguments { check: "certificate", args: &["--cacert", "@files@/ca.pem"] },
        ..TLS_SETUP
    },
    Setup {
        name: "wss:// to a plain server",
        url: "wss://@entry@/",
        symptom: Symptom::FailsWith("did not answer with TLS"),
        expected: &[problem(&["tls"])],
        cure: Cure::Url { check: "tls", url: "ws://@entry@/", args: &[] },
        ..SETUP
    },
    Setup {
        name: "ws:// to a TLS server",
        server: tls!("good"),
        url: "ws://ws.test:@entryport@/",
        args: &["--resolve", "ws.test:@entryport@:127.0.0.1"],
        symptom: Symptom::FailsWith("the server speaks TLS on this port"),
        expected: &[problem(&["upgrade", "tls"])],
        cure: Cure::Url { check: "upgrade", url: TLS_URL, args: TLS_ARGS },
        ..SETUP
    },
];

fn expires_soon(running: &Running) {
    let document = running.run(&["ping", "-c", "1", "-o", "json"]).json();
    let days = &document["targets"][0]["connections"][0]["tls"]["days_left"];
    assert_eq!(days.as_i64(), Some(SOON_DAYS), "{document:#}");
}
