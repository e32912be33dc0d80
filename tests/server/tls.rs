//! The server over TLS.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use wscheck::server::ServerConfig;
use wscheck::server::tls::self_signed;

use crate::peer::{Bare, Served, UPGRADE, within};

async fn serving() -> (Served, TlsConnector) {
    let (served, client) = serving_with(ServerConfig::default()).await;
    (served, TlsConnector::from(Arc::new(client)))
}

/// A server with a certificate, and a client that trusts it.
pub async fn serving_with(config: ServerConfig) -> (Served, ClientConfig) {
    let identity = self_signed("127.0.0.1".parse().unwrap()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(identity.ca_pem.unwrap().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let served = Served::start(ServerConfig { tls: Some(identity.config), ..config }).await;
    (served, client)
}

#[tokio::test]
async fn client_with_the_ca_file_connects() {
    for name in ["localhost", "127.0.0.1", "::1"] {
        let (served, connector) = serving().await;
        let tcp = Bare::knock(served.address).await.stream;
        let name = ServerName::try_from(name).unwrap();
        let mut client = within(connector.connect(name, tcp)).await.unwrap();
        within(client.write_all(UPGRADE.as_bytes())).await.unwrap();
        let mut status = [0; 13];
        within(client.read_exact(&mut status)).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 101 ");
        drop(client);
        served.stop().await;
    }
}

#[tokio::test]
async fn distrusting_client_is_named_and_others_continue() {
    let (mut served, connector) = serving().await;
    let tcp = Bare::knock(served.address).await.stream;
    let name = ServerName::try_from("other.example").unwrap();
    assert!(within(connector.connect(name, tcp)).await.is_err());
    assert_eq!(served.rejected().await, "tls");
    let tcp = Bare::knock(served.address).await.stream;
    let name = ServerName::try_from("localhost").unwrap();
    assert!(within(connector.connect(name, tcp)).await.is_ok());
    served.stop().await;
}

#[tokio::test]
async fn plain_client_on_the_tls_port_gets_an_error() {
    let (mut served, _) = serving().await;
    let mut client = Bare::knock(served.address).await;
    client.write(UPGRADE.as_bytes()).await;
    let answer = client.rest().await;
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert!(answer.ends_with("This port speaks TLS: connect with a wss:// URL.\n"), "{answer}");
    assert_eq!(served.rejected().await, "plain_on_tls");
    served.stop().await;
}
