//! The real program downloads over TLS, and from nobody whose certificate it does not know.

use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{message, until};
use crate::support::green_api::{API_TOKEN, INSTANCE};
use crate::support::process::serve;
use crate::support::{GreenApi, Process, post};

/// The certificate of `localhost`, its key, and the authority that signed it. They are valid until 2126.
const CERTIFICATE: &[u8] = include_bytes!("../alert/certificates/localhost.pem");
const KEY: &[u8] = include_bytes!("../alert/certificates/localhost.key");
const AUTHORITY: &[u8] = include_bytes!("../alert/certificates/authority.pem");
const OTHER_AUTHORITY: &[u8] = include_bytes!("../alert/certificates/other-authority.pem");

const FILE: &[u8] = b"the bytes of a picture";

/// Serves [`FILE`] over TLS to everybody. Returns its port.
async fn file_server() -> u16 {
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()],
            PrivateKeyDer::from_pem_slice(KEY).unwrap(),
        );
    let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not trust the certificate leaves.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", FILE.len());
            let _ = stream.write_all(&[head.as_bytes(), FILE].concat()).await;
            let _ = stream.shutdown().await;
        }
    });
    port
}

fn start(folder: &Path, authority: &[u8], green_api: &GreenApi) -> Process {
    let (config, trusted) = (folder.join("my.toml"), folder.join("authority.pem"));
    let text = format!(
        "[media]\nallow_private = [\"127.0.0.1\"]\n[[accounts]]\nid_instance = {INSTANCE}\napi_token = \"{API_TOKEN}\"\n\
         api_url = \"{}\"\nmedia = true\nwatch_seconds = 0\n",
        green_api.url()
    );
    std::fs::write(&config, text).unwrap();
    std::fs::write(&trusted, authority).unwrap();
    let mut command = serve(folder);
    command.arg("--config").arg(config);
    command.env("SSL_CERT_FILE", trusted);
    Process::spawn(&mut command)
}

#[tokio::test(flavor = "multi_thread")]
async fn file_is_downloaded_over_tls_from_a_trusted_server_only() {
    let green_api = GreenApi::start().await;
    let link = format!("https://localhost:{}/file", file_server().await);
    for (authority, is_trusted) in [(AUTHORITY, true), (OTHER_AUTHORITY, false)] {
        let folder = tempfile::tempdir().unwrap();
        let process = start(folder.path(), authority, &green_api);
        let body = message("3A01", &link).to_string();
        assert_eq!(post(process.public, body).await.status, 200);
        if is_trusted {
            let path = "/api/v1/events/1/file";
            let answer = until(process.private, path, |answer| answer.status == 200).await;
            assert_eq!(answer.body, FILE);
        } else {
            let path = "/api/v1/events/1";
            let failed = |file: &serde_json::Value| {
                let problem = file["problem"].as_str().unwrap_or_default().to_owned();
                file["state"] == "waiting" && problem.contains("certificate")
            };
            until(process.private, path, |answer| {
                failed(&answer.json()["file"])
            })
            .await;
        }
    }
}
