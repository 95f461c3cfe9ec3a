//! A connection on which the test writes every byte: incomplete heads, pipelined requests, a client
//! that writes everything before it reads.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};

use futures_util::FutureExt;
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::process::PATIENCE;
use super::{Answer, TOKEN};

/// A raw HTTP/1.1 connection.
pub struct Raw(BufReader<TcpStream>);

impl Raw {
    /// Opens a connection.
    pub async fn open(address: SocketAddr) -> Self {
        let stream = within(TcpStream::connect(address)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    /// Opens a connection from another address of this machine.
    pub async fn open_from(from: IpAddr, address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(from, 0)).unwrap();
        let stream = within(socket.connect(address)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    /// Writes all bytes.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).await.unwrap();
    }

    /// Like [`Self::send`], but returns an error if the server has closed the connection.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        within(self.0.write_all(bytes.as_ref())).await
    }

    /// Closes the sending half; reading goes on.
    pub async fn finish(&mut self) {
        self.0.shutdown().await.unwrap();
    }

    /// Reads the next response.
    pub async fn answer(&mut self) -> Answer {
        within(self.read_answer()).await.unwrap()
    }

    /// Reads until the server closes the connection; a reset counts as a close.
    pub async fn end(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        if let Err(error) = within(self.0.read_to_end(&mut rest)).await {
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        }
        rest
    }

    /// Whether a response or the end of the connection has arrived. Does not wait.
    pub fn has_news(&mut self) -> bool {
        self.0.fill_buf().now_or_never().is_some()
    }

    async fn read_answer(&mut self) -> io::Result<Answer> {
        let line = self.line().await?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status in {line:?}"));
        let mut headers = HeaderMap::new();
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let length = headers
            .get("content-length")
            .map_or(0, |length| length.to_str().unwrap().parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        Ok(Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: Bytes::from(body),
        })
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches("\r\n").to_owned())
    }
}

/// The head of a `POST /webhook` with the test token and these header lines.
pub fn head(lines: &[&str]) -> String {
    let authorization = format!("authorization: {TOKEN}");
    bare_head(&[&[authorization.as_str()], lines].concat())
}

/// Like [`head`], without the token.
pub fn bare_head(lines: &[&str]) -> String {
    let mut head = "POST /webhook HTTP/1.1\r\nhost: inbox.example\r\n".to_owned();
    for line in lines {
        head.push_str(line);
        head.push_str("\r\n");
    }
    head + "\r\n"
}

/// A complete `POST /webhook` with the test token.
pub fn whole(body: &str) -> String {
    head(&[&format!("content-length: {}", body.len())]) + body
}

/// `data` as one chunk of a chunked body.
pub fn chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

/// Waits for `fact`, at most [`PATIENCE`].
pub async fn within<T>(fact: impl Future<Output = T>) -> T {
    timeout(PATIENCE, fact).await.expect("timed out")
}
