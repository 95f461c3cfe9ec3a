//! A destination over HTTPS, whose certificate must come from an authority in `ca_file`.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{say, status};
use crate::support::TestServer;
use crate::support::process::PATIENCE;
use crate::support::said::CHAT;

/// The certificate of `localhost`, its key, and the authority that signed it. They are valid until 2126.
const CERTIFICATE: &[u8] = include_bytes!("../alert/certificates/localhost.pem");
const KEY: &[u8] = include_bytes!("../alert/certificates/localhost.key");
const AUTHORITY: &str = include_str!("../alert/certificates/authority.pem");
const OTHER_AUTHORITY: &str = include_str!("../alert/certificates/other-authority.pem");

/// A server that answers 200 to everything, and what it has read.
async fn destination() -> (SocketAddr, mpsc::Receiver<String>) {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()],
            PrivateKeyDer::from_pem_slice(KEY).unwrap(),
        );
    let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, read) = mpsc::channel(8);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that does not trust the certificate leaves.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut text = Vec::new();
            while !text.ends_with(b"}") && stream.read_buf(&mut text).await.unwrap_or(0) > 0 {}
            sender.send(String::from_utf8(text).unwrap()).await.unwrap();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _ = stream.write_all(answer).await;
        }
    });
    (address, read)
}

/// A server that forwards to `localhost` and trusts only these authorities.
async fn trusting(address: SocketAddr, authorities: &str) -> TestServer {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authorities.pem");
    fs::write(&file, authorities).unwrap();
    let url = format!("https://localhost:{}/", address.port());
    let mut forward = green_inbox::config::Forward::new("crm", &url);
    forward.ca_file = Some(file);
    TestServer::at(folder, |config| config.forward = vec![forward]).await
}

#[tokio::test]
async fn certificate_of_an_authority_in_the_file_is_trusted() {
    let (address, mut read) = destination().await;
    // Two authorities, as while one follows the other.
    let server = trusting(address, &format!("{OTHER_AUTHORITY}\n{AUTHORITY}")).await;
    say(&server, CHAT, "A1").await;
    let request = timeout(PATIENCE, read.recv()).await.unwrap().unwrap();
    assert!(request.contains("\"idMessage\":\"A1\""), "{request}");
    server.stop().await;
}

#[tokio::test]
async fn certificate_of_another_authority_is_a_failure_that_is_tried_again() {
    let (address, mut read) = destination().await;
    let server = trusting(address, OTHER_AUTHORITY).await;
    say(&server, CHAT, "A1").await;
    let shown = status(&server, |status| status["waiting"] == 1).await;
    let problem = shown["problem"].as_str().unwrap();
    assert!(problem.contains("certificate"), "{problem}");
    assert!(read.try_recv().is_err());
    server.stop().await;
}
