//! wss:// through the binary: TLS in the report, and rejected certificates.

use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::{ANY_SPEED, Script, answer_pings, ping_json, run, upgrade};

/// A server with a self-signed certificate for these names, and the certificate's file.
fn secure(
    names: &[&str],
    change: impl FnOnce(&mut CertificateParams),
) -> (Script, tempfile::TempDir, PathBuf) {
    let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, certificate.pem()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let config = Arc::new(config);
    (Script::start(move |stream| serve(&config, stream)), folder, file)
}

fn serve(config: &Arc<ServerConfig>, mut stream: TcpStream) {
    let mut connection = ServerConnection::new(Arc::clone(config)).unwrap();
    // A client that rejects the certificate ends the handshake.
    if connection.complete_io(&mut stream).is_err() {
        return;
    }
    let mut stream = StreamOwned::new(connection, stream);
    upgrade(&mut stream);
    answer_pings(&mut stream);
}

fn url(peer: &Script) -> String {
    format!("wss://localhost:{}/", peer.port)
}

#[test]
fn trusted_certificate_is_reported() {
    let (peer, _folder, ca) = secure(&["localhost"], |_| {});
    let (code, document) = ping_json(
        &[ANY_SPEED, &["-c", "3", "-i", "20ms", "--cacert", ca.to_str().unwrap(), &url(&peer)]].concat(),
    );
    assert_eq!((code, &document["status"]), (Some(0), &"healthy".into()), "{document:#}");
    let connection = &document["targets"][0]["connections"][0];
    let tls = &connection["tls"];
    assert_eq!((&tls["version"], &tls["verified"]), (&"TLSv1.3".into(), &true.into()));
    assert!(tls["cipher"].as_str().unwrap().starts_with("TLS") && tls["days_left"].as_i64().unwrap() > 365);
    assert!(connection["phases"]["tls_ms"].as_f64().unwrap() > 0.0);
}

#[test]
fn unknown_issuer_is_refused_unless_insecure() {
    let (peer, _folder, _) = secure(&["localhost"], |_| {});
    let (code, document) = ping_json(&["-c", "1", &url(&peer)]);
    assert_eq!((code, &document["error"]["phase"]), (Some(3), &"tls".into()));
    assert_eq!(document["error"]["kind"], "certificate_unknown_issuer");
    assert!(document["error"]["hint"].as_str().unwrap().contains("--cacert"));
    let (code, document) = ping_json(&["-c", "1", "--insecure", &url(&peer)]);
    assert_eq!(
        (code, &document["targets"][0]["connections"][0]["tls"]["verified"]),
        (Some(0), &false.into())
    );
}

#[test]
fn wrong_name_and_expired_certificate_are_refused() {
    let (peer, _folder, ca) = secure(&["other.example"], |_| {});
    let (_, document) = ping_json(&["-c", "1", "--cacert", ca.to_str().unwrap(), &url(&peer)]);
    assert_eq!(document["error"]["kind"], "certificate_wrong_name");
    assert!(
        document["error"]["message"].as_str().unwrap().contains("other.example"),
        "{}",
        document["error"]
    );
    let (code, _) = ping_json(&[
        "-c",
        "1",
        "--cacert",
        ca.to_str().unwrap(),
        "--server-name",
        "other.example",
        &url(&peer),
    ]);
    assert_eq!(code, Some(0));
    let (peer, _folder, ca) =
        secure(&["localhost"], |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
    let ran = run(&["ping", "-c", "1", "--cacert", ca.to_str().unwrap(), &url(&peer)]);
    assert_eq!(ran.code, Some(3));
    let named = format!(": TLS at 127.0.0.1:{}: certificate expired ", peer.port);
    assert!(ran.stderr.contains(&named), "{}", ran.stderr);
    // The report counts the days since expiry as the error does.
    let (_, document) = ping_json(&["-c", "1", "--insecure", &url(&peer)]);
    let days = document["targets"][0]["connections"][0]["tls"]["days_left"].as_i64().unwrap();
    assert!(
        ran.stderr.contains(&format!("certificate expired {} days ago", -days)),
        "{days}: {}",
        ran.stderr
    );
}

#[test]
fn few_days_left_can_fail_a_run() {
    let (peer, _folder, ca) = secure(&["localhost"], |_| {});
    let args =
        ["-c", "1", "--cacert", ca.to_str().unwrap(), "--fail-if", "tls.days_left<10000000", &url(&peer)];
    let (code, document) = ping_json(&args);
    assert_eq!(code, Some(1), "{document:#}");
}
