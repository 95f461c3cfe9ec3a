//! Readers against the writer: a client that does not read its answer keeps no transaction open, so
//! that the log is written back and begins anew.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep};

use crate::rig::bodies::Size;
use crate::rig::database::{beside, number};
use crate::rig::usage::{Usage, log_length, mib};
use crate::rig::{Bodies, Load, alone, setting};
use crate::support::{Process, get};

/// What the log may have: 4,000 pages of 4 KiB, and what comes while they are moved into the file.
const MOST_LOG: u64 = 32 * 1024 * 1024;

/// What is written at least: if nothing were written back, the log would have it all.
const WRITTEN: u64 = 3 * MOST_LOG;

const BODY: u64 = 32 * 1024;

/// Of each kind.
const STALLED: usize = 4;

/// Connections that write: minutes of it have to find room on the disk.
const CONNECTIONS: usize = 1;

/// How long a slow machine may take for it, beside what it is told to take.
const LIMIT: Duration = Duration::from_mins(2);

/// `FAULTS_READERS_SECONDS` sets how long at least: 5, and 300 for minutes.
#[test]
fn clients_that_do_not_read_do_not_keep_the_log() {
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
        // More than fits into the buffers of a connection.
        let before = most_log(folder.path(), LIMIT, || written() > MOST_LOG / 2).await;
        let mut stalled = Vec::new();
        for _ in 0..STALLED {
            stalled.push(ask(server.private, "/api/v1/stream?after=0").await);
            stalled.push(ask(server.private, "/api/v1/events?limit=200&body=true").await);
        }
        // Each has begun to be answered.
        for reader in &stalled {
            reader.readable().await.unwrap();
        }
        let begun = Instant::now();
        let is_done = || written() > WRITTEN && begun.elapsed() > length;
        let most = most_log(folder.path(), length + LIMIT, is_done)
            .await
            .max(before);
        let outcome = load.stop().await;
        println!(
            "{} answered beside {} stalled readers in {:.1?}: {} of bodies, a log of at most {}, \
             memory at most {}",
            outcome.answered.len(),
            stalled.len(),
            begun.elapsed(),
            mib(written()),
            mib(most),
            mib(Usage::of(&server, folder.path()).peak)
        );
        assert!(most < MOST_LOG, "{}", mib(most));
        for reader in &stalled {
            assert!(is_open_and_behind(reader), "it was not stalled");
        }
        // One that reads is answered all the same.
        let page = get(server.private, "/api/v1/events?limit=10").await;
        assert_eq!(page.status, 200);

        // The control: a transaction that is open keeps the log.
        let other = beside(folder.path());
        other.execute_batch("BEGIN").unwrap();
        number(&other, "SELECT count(*) FROM repeat");
        let load = Load::start(server.public, CONNECTIONS, &bodies, counted);
        let is_kept = || log_length(folder.path()) > 2 * MOST_LOG;
        let kept = most_log(folder.path(), LIMIT, is_kept).await;
        println!("with a transaction that is open, a log of {}", mib(kept));
        load.stop().await;
    });
}

/// The most that the log had until something is so.
async fn most_log(folder: &Path, limit: Duration, is_so: impl Fn() -> bool) -> u64 {
    let deadline = Instant::now() + limit;
    let mut most = 0;
    loop {
        most = most.max(log_length(folder));
        if is_so() {
            return most;
        }
        assert!(Instant::now() < deadline, "it does not come");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Asks and does not read.
async fn ask(server: SocketAddr, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    // So that little is taken off the server.
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(server).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {server}\r\n\r\n");
    stream.writable().await.unwrap();
    assert_eq!(stream.try_write(request.as_bytes()).unwrap(), request.len());
    stream
}

/// Whether there is more to come than has come: the system holds a few bytes, and the server is not
/// done.
fn is_open_and_behind(reader: &TcpStream) -> bool {
    let mut buffer = vec![0; 1024 * 1024];
    let length = reader.try_read(&mut buffer).unwrap();
    length > 0 && length < buffer.len()
}
