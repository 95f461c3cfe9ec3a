//! Stalled readers: a client that does not read its response holds no transaction open, so
//! checkpoints complete and the WAL restarts from its beginning.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep};

use crate::rig::bodies::Size;
use crate::rig::database::{beside, number};
use crate::rig::usage::{Usage, mib, wal_length};
use crate::rig::{Bodies, Load, alone, setting};
use crate::support::{Process, get};

/// Bytes of WAL, at most: 4,000 pages of 4 KiB, plus what is written during a checkpoint.
const MAX_WAL: u64 = 32 * 1024 * 1024;

/// Bytes of bodies to write, at least. Without checkpoints the WAL would hold all of them.
const WRITTEN: u64 = 3 * MAX_WAL;

const BODY: u64 = 32 * 1024;

/// Stalled readers of each kind.
const STALLED: usize = 4;

/// Connections that post: few, because minutes of load must fit on the disk.
const CONNECTIONS: usize = 1;

/// Extra time allowed on a slow machine, beyond the configured duration.
const LIMIT: Duration = Duration::from_mins(2);

/// `FAULTS_READERS_SECONDS` sets the minimum duration: 5 by default, 300 for a long run.
#[test]
fn stalled_readers_do_not_block_checkpoints() {
    alone(async {
        let length = Duration::from_secs(setting("FAULTS_READERS_SECONDS", 5));
        let folder = tempfile::tempdir().unwrap();
        let server = Process::start(folder.path());
        let bodies = Arc::new(Bodies::new(Size::Bytes(BODY.try_into().unwrap())));
        let answers = Arc::new(AtomicU64::new(0));
        let counted = {
            let answers = Arc::clone(&answers);
            move || answers.fetch_add(1, Ordering::SeqCst)
        };
        let written = || answers.load(Ordering::SeqCst) * BODY;

        let load = Load::start(server.public, CONNECTIONS, &bodies, counted.clone());
        // Write more than fits into the buffers of a connection.
        let before = largest_wal(folder.path(), LIMIT, || written() > MAX_WAL / 2).await;
        let mut stalled = Vec::new();
        for _ in 0..STALLED {
            stalled.push(ask(server.private, "/api/v1/stream?after=0").await);
            stalled.push(ask(server.private, "/api/v1/events?limit=200&body=true").await);
        }
        // Wait until each reader has received the start of its response.
        for reader in &stalled {
            reader.readable().await.unwrap();
        }
        let started = Instant::now();
        let is_done = || written() > WRITTEN && started.elapsed() > length;
        let most = largest_wal(folder.path(), length + LIMIT, is_done)
            .await
            .max(before);
        let outcome = load.stop().await;
        println!(
            "{} acknowledged beside {} stalled readers in {:.1?}: {} of bodies, WAL at most {}, \
             memory at most {}",
            outcome.answered.len(),
            stalled.len(),
            started.elapsed(),
            mib(written()),
            mib(most),
            mib(Usage::of(&server, folder.path()).peak)
        );
        assert!(most < MAX_WAL, "{}", mib(most));
        for reader in &stalled {
            assert!(is_open_and_behind(reader), "the reader was not stalled");
        }
        // A client that reads is still served.
        let page = get(server.private, "/api/v1/events?limit=10").await;
        assert_eq!(page.status, 200);

        // The control: an open transaction does keep the WAL growing.
        let other = beside(folder.path());
        other.execute_batch("BEGIN").unwrap();
        number(&other, "SELECT count(*) FROM repeat");
        let load = Load::start(server.public, CONNECTIONS, &bodies, counted);
        let is_kept = || wal_length(folder.path()) > 2 * MAX_WAL;
        let kept = largest_wal(folder.path(), LIMIT, is_kept).await;
        println!("with an open transaction, a WAL of {}", mib(kept));
        load.stop().await;
    });
}

/// The largest WAL seen until `is_done` returns true.
async fn largest_wal(folder: &Path, limit: Duration, is_done: impl Fn() -> bool) -> u64 {
    let deadline = Instant::now() + limit;
    let mut most = 0;
    loop {
        most = most.max(wal_length(folder));
        if is_done() {
            return most;
        }
        assert!(
            Instant::now() < deadline,
            "the condition was not met in {limit:?}"
        );
        sleep(Duration::from_millis(10)).await;
    }
}

/// Sends a request and does not read the response.
async fn ask(server: SocketAddr, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    // A small buffer, so that most of the response stays on the server.
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(server).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {server}\r\n\r\n");
    stream.writable().await.unwrap();
    assert_eq!(stream.try_write(request.as_bytes()).unwrap(), request.len());
    stream
}

/// Whether the connection is open with part of the response still unread: the kernel buffers some
/// bytes, and the server has not finished sending.
fn is_open_and_behind(reader: &TcpStream) -> bool {
    let mut buffer = vec![0; 1024 * 1024];
    let length = reader.try_read(&mut buffer).unwrap();
    length > 0 && length < buffer.len()
}
