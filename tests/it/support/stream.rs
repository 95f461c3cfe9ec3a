//! A client for server-sent events (HTML, section 9.2).

use std::net::SocketAddr;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::handshake;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::connection::Gone;
use super::process::PATIENCE;

/// An open stream.
pub struct Stream {
    body: Incoming,
    text: String,
}

/// One event of a stream.
#[derive(Debug)]
pub struct Sent {
    pub id: i64,
    pub event: Option<String>,
    pub data: Value,
}

impl Stream {
    /// Opens the stream at `path`.
    pub async fn open(
        server: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, Gone> {
        let answer = ask(server, path, headers).await?;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Ok(Self {
            body: answer.into_body(),
            text: String::new(),
        })
    }

    /// The next event; `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let sent = read(&self.text[..end]);
                self.text.drain(..end + 2);
                if sent.is_some() {
                    return sent;
                }
                continue;
            }
            let frame = timeout(PATIENCE, self.body.frame())
                .await
                .expect("no event arrived in time");
            let data = frame?.ok()?.into_data().ok()?;
            self.text
                .push_str(str::from_utf8(&data).expect("a frame ends within a UTF-8 character"));
        }
    }
}

async fn ask(
    server: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<Response<Incoming>, Gone> {
    let stream = TcpStream::connect(server).await?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = Request::get(path).header("host", server.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Ok(sender
        .send_request(request.body(Empty::<Bytes>::new())?)
        .await?)
}

/// Reads a block of lines; `None` if it is only a comment.
fn read(block: &str) -> Option<Sent> {
    let field = |name: &str| {
        let mut values = block
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let value = values.next();
        assert_eq!(values.next(), None, "{name} occurs twice: {block}");
        value
    };
    Some(Sent {
        id: field("id")?.parse().unwrap(),
        event: field("event").map(str::to_owned),
        data: serde_json::from_str(field("data")?).unwrap(),
    })
}
