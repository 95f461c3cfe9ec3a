//! *log*: an append-only file with group commit and nothing else, the physical limit of this design. It answers when the
//! bytes of a body are on disk. It parses nothing, finds no duplicates, and cannot be read.

use std::fs::File;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::Path;
use std::thread;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use super::Failure;
use super::contestant::GREEN_INBOX;
use super::goals::Standard;

pub(crate) const NAME: &str = "log";

/// The subcommand of this executable that runs this server.
pub(crate) const ROLE: &str = "serve-log";

/// Bodies that wait.
const QUEUE: usize = 4096;

/// A body, and where to say that it is on disk.
type Entry = (Bytes, oneshot::Sender<()>);

pub(crate) async fn serve(port: u16, file: &Path) -> Result<(), Failure> {
    let file = File::create_new(file)?;
    let (queue, waiting) = mpsc::channel(QUEUE);
    thread::Builder::new()
        .name("log".to_owned())
        .spawn(move || {
            if let Err(failure) = append(file, waiting) {
                eprintln!("the log cannot be written: {failure}");
            }
        })?;
    let router = Router::new()
        .route("/webhook", post(receive))
        .with_state(queue);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    Ok(axum::serve(listener, router).await?)
}

async fn receive(State(queue): State<mpsc::Sender<Entry>>, body: Bytes) -> StatusCode {
    let (done, is_done) = oneshot::channel();
    if queue.send((body, done)).await.is_err() || is_done.await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    StatusCode::OK
}

/// Appends all that waits, makes it durable, and answers. While one sync runs, the next batch gathers.
fn append(mut file: File, mut waiting: mpsc::Receiver<Entry>) -> io::Result<()> {
    let (mut batch, mut bytes) = (Vec::with_capacity(QUEUE), Vec::new());
    while waiting.blocking_recv_many(&mut batch, QUEUE) > 0 {
        bytes.clear();
        for (body, _) in &batch {
            let length = u32::try_from(body.len()).map_err(io::Error::other)?;
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(body);
        }
        file.write_all(&bytes)?;
        file.sync_data()?;
        for (_, done) in batch.drain(..) {
            // The client may have gone.
            let _ = done.send(());
        }
    }
    Ok(())
}

/// How near to the limit green-inbox is. `rate` returns the requests a second of a server with a number of connections.
pub(crate) fn goals(rate: &impl Fn(&'static str, u32) -> Option<f64>) -> [Standard; 1] {
    let relative = || Some(rate(GREEN_INBOX, 64)? / rate(NAME, 64)?);
    [Standard::ratio(
        "requests/s relative to log, 64 connections",
        relative(),
        0.56,
        0.8,
    )]
}
