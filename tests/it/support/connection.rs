//! A keep-alive connection, as GREEN-API and nginx use.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Answer, TOKEN};

/// The server closed the connection, or nothing listens on the address.
pub type Gone = Box<dyn std::error::Error + Send + Sync>;

/// A connection for many requests, one after another.
pub struct Connection {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self, Gone> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { address, sender })
    }

    /// `POST /webhook` as GREEN-API does.
    pub async fn post(&mut self, body: Bytes) -> Result<Answer, Gone> {
        let request = Request::post("/webhook")
            .header("content-type", "application/json; charset=utf-8")
            .header("authorization", TOKEN);
        self.send(
            request
                .header("host", self.address.to_string())
                .body(body.into())?,
        )
        .await
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, Gone> {
        self.sender.ready().await?;
        let (head, body) = self.sender.send_request(request).await?.into_parts();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.collect().await?.to_bytes(),
        })
    }
}
