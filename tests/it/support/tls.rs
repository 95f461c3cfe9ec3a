//! TLS with a certificate of an authority of its own. Valid until 2126.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificate of `localhost` and its key.
const CERTIFICATE: &[u8] = include_bytes!("../alert/certificates/localhost.pem");
const KEY: &[u8] = include_bytes!("../alert/certificates/localhost.key");

/// The authority that signed it.
pub const AUTHORITY: &[u8] = include_bytes!("../alert/certificates/authority.pem");

/// An authority that signed nothing.
pub const OTHER_AUTHORITY: &[u8] = include_bytes!("../alert/certificates/other-authority.pem");

/// Accepts TLS as `localhost`.
pub fn acceptor() -> TlsAcceptor {
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()],
            PrivateKeyDer::from_pem_slice(KEY).unwrap(),
        );
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

/// A proxy as in production: takes TLS, and passes everything on to `target`. Returns its port.
pub async fn proxy(target: SocketAddr) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                // A client that does not trust the certificate leaves.
                let mut client = acceptor().accept(stream).await?;
                let mut server = TcpStream::connect(target).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    port
}
