//! green-inbox that keeps files, while messages with files arrive beside the load: what keeping costs receiving.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::get;
use green_inbox::clock::Clock;
use serde_json::json;
use tokio::net::TcpListener;

use super::Failure;
use super::contestant::{Contestant, GREEN_INBOX, green_inbox};
use super::goals::Standard;
use super::niced::Niced;
use super::request::TOKEN;

/// The name of the server that keeps files.
pub(crate) const NAME: &str = "files";

/// The subcommand of this executable that has the files.
pub(crate) const ROLE: &str = "serve-files";

/// The account whose files are kept. No message of the load is of this account.
const INSTANCE: u64 = 1_199_999_999;

/// Bytes of a file.
const FILE: usize = 64 * 1024;

/// Bytes of a file that is too large to be kept.
const LARGE: usize = 1024 * 1024;

/// Time between two messages with a file: 100 a second, which is far beyond what 100 accounts receive.
const BETWEEN: Duration = Duration::from_millis(10);

/// Serves a file, one that is too large, a redirect, a link that answers too late, and nothing under other paths.
pub(crate) async fn serve(port: u16) -> Result<(), Failure> {
    let late = || async {
        tokio::time::sleep(Duration::from_hours(1)).await;
        StatusCode::OK
    };
    let router = Router::new()
        .route("/file/{name}", get(|| async { vec![7; FILE] }))
        .route("/large/{name}", get(|| async { vec![7; LARGE] }))
        .route(
            "/moved/{name}",
            get(|| async { Redirect::temporary("/file/moved") }),
        )
        .route("/late/{name}", get(late));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    Ok(axum::serve(listener, router).await?)
}

/// The process that has the files.
pub(crate) struct Host(Niced);

impl Host {
    /// Starts the process. `myself` is this executable.
    pub(crate) fn start(myself: &Path) -> Result<Self, Failure> {
        Niced::start(myself, ROLE, &[]).map(Self)
    }

    /// The server to compare.
    pub(crate) fn contestant(&self, program: &Path) -> Contestant {
        let (start, port) = (green_inbox(program), self.0.port);
        let about = "green-inbox that keeps the files of 100 messages a second";
        Contestant::new(NAME, about, "/webhook", move |place| {
            let mut command = start(place);
            let file = place.folder.join("files.toml");
            // Without the file the server does not start, which is reported.
            let _ = fs::write(&file, settings(port));
            command.arg("--config").arg(file);
            command
        })
        .with_files(port)
    }
}

fn settings(port: u16) -> String {
    format!(
        "[[accounts]]\nid_instance = {INSTANCE}\napi_token = \"none\"\napi_url = \"http://127.0.0.1:{port}\"\n\
         watch_seconds = 0\nreconcile_minutes = 0\ncontacts = false\nmedia = true\n\
         [media]\nallow_private = [\"127.0.0.0/8\"]\nmax_file_bytes = {}\n",
        FILE + 1
    )
}

/// Sends messages with files until it is dropped: of five links, one each is a file, dead, too large, moved and late.
pub(crate) struct Sender {
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sender {
    /// Starts to send to the server at `address`; the files are at `port`.
    pub(crate) fn start(address: SocketAddr, port: u16) -> Result<Self, Failure> {
        let ends = Arc::new(AtomicBool::new(false));
        let mut stream = TcpStream::connect(address)?;
        let is_over = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            let mut number = 0;
            while !is_over.load(Ordering::Relaxed) && send(&mut stream, number, port).is_ok() {
                number += 1;
                thread::sleep(BETWEEN);
            }
        });
        let thread = Some(thread);
        Ok(Self { ends, thread })
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn send(stream: &mut TcpStream, number: usize, port: u16) -> io::Result<()> {
    let kind = ["file", "dead", "large", "moved", "late"][number % 5];
    let body = json!({
        "typeWebhook": "incomingMessageReceived",
        "instanceData": { "idInstance": INSTANCE, "wid": "79000000000@c.us", "typeInstance": "whatsapp" },
        "timestamp": Clock::system().now().0 / 1000,
        "idMessage": format!("F{number}"),
        "senderData": { "chatId": "79000000001@c.us", "sender": "79000000001@c.us", "senderName": "Ann" },
        "messageData": { "typeMessage": "imageMessage", "fileMessageData": {
            "downloadUrl": format!("http://127.0.0.1:{port}/{kind}/{number}.jpg"),
            "caption": "", "fileName": "bun.jpg", "mimeType": "image/jpeg",
        } },
    })
    .to_string();
    let request = format!(
        "POST /webhook HTTP/1.1\r\nhost: inbox.example\r\nauthorization: {TOKEN}\r\n\
         x-forwarded-for: 46.101.109.139\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    match stream.read(&mut [0; 4096])? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// What keeping files may cost. `rate` returns the requests a second of a server with a number of connections.
pub(crate) fn goals(rate: &impl Fn(&'static str, u32) -> Option<f64>) -> [Standard; 1] {
    let beside = || Some(rate(NAME, 64)? / rate(GREEN_INBOX, 64)?);
    [Standard::ratio(
        "requests/s while files are kept, relative to none, 64 connections",
        beside(),
        0.97,
        1.0,
    )]
}
