//! Hostile readers: 250 clients request the most expensive responses of every endpoint and read
//! them slowly or not at all while notifications arrive. Memory stays bounded, the health endpoints
//! respond promptly, and every notification is accepted.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use green_inbox::store;
use hyper::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::rig::bodies::Size;
use crate::rig::usage::{Usage, mib};
use crate::rig::{Bodies, Load, alone, setting};
use crate::support::process::PATIENCE;
use crate::support::said::{self, CHAT, INSTANCE, NOON};
use crate::support::{Process, append_all, get};

/// Bytes of peak memory that the server may use, whatever the readers do.
const MAX_MEMORY: u64 = 200 * 1024 * 1024;

/// Longest time that a health response may take.
const MAX_HEALTH: Duration = Duration::from_secs(1);

/// Messages to search in.
const MESSAGES: usize = 40_000;

/// Number of bodies of 15 MiB.
const LARGE: usize = 4;

/// Number of edits of one message, and bytes of each.
const EDITS: usize = 1_000;
const EDIT_BYTES: usize = 200_000;

/// Number of chats whose newest message has a thumbnail, and bytes of the thumbnail.
const CHATS: usize = 500;
const THUMBNAIL_BYTES: usize = 200_000;

/// Connections that post.
const CONNECTIONS: usize = 8;

/// How a reader reads its response.
#[derive(Debug, Clone, Copy)]
enum Reads {
    /// As fast as it arrives.
    Everything,
    /// A few bytes each second.
    Slowly,
    /// Nothing, until the server closes the connection.
    Nothing,
}

/// `FAULTS_HOSTILE_SECONDS` sets the duration: 60 by default. `FAULTS_HOSTILE_PERCENT` sets the
/// minimum rate of notifications beside the readers, in percent of the rate without them. It is
/// meant for an otherwise idle machine and is 0 by default.
#[test]
#[ignore = "needs the program built for release, as GREEN_INBOX_TEST_PROGRAM"]
fn hostile_readers_do_not_exhaust_memory_or_delay_health_and_ingest() {
    alone(async {
        let length = Duration::from_secs(setting("FAULTS_HOSTILE_SECONDS", 60));
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path()).await;
        let server = Process::start(folder.path());
        projected(server.private).await;
        let bodies = Arc::new(Bodies::new(Size::Bytes(1024)));

        let alone = receive(server.public, &bodies, length / 4).await;
        let readers = Readers::start(server.private);
        let health = tokio::spawn(slowest_health(server.private, length));
        let beside = receive(server.public, &bodies, length).await;
        let health = health.await.unwrap();
        drop(readers);
        let peak = Usage::of(&server, folder.path()).peak;
        println!(
            "250 hostile readers for {length:.0?}: memory {} at most, health {health:.1?} at most, \
             {beside:.0} notifications a second beside them and {alone:.0} without",
            mib(peak)
        );
        assert!(peak < MAX_MEMORY, "{}", mib(peak));
        assert!(health < MAX_HEALTH, "{health:?}");
        #[expect(clippy::cast_precision_loss, reason = "a percentage")]
        let share = setting("FAULTS_HOSTILE_PERCENT", 0) as f64 / 100.0;
        assert!(beside > alone * share, "{beside} of {alone} a second");
        // A well-behaved reader is served again.
        let page = get(server.private, "/api/v1/messages?limit=10").await;
        assert_eq!(page.status, StatusCode::OK);
    });
}

/// Creates a database with everything that is expensive to read.
async fn fill(folder: &Path) {
    let path = folder.join("inbox.db");
    let store = store::open(&path, 4096, 0).await.unwrap();
    let words = [
        "анис",
        "базилик",
        "ваниль",
        "гвоздика",
        "apple",
        "butter",
        "cream",
    ];
    let texts = (0..MESSAGES).map(|n| {
        let text: Vec<_> = (0..8)
            .map(|k| format!("{}{}", words[(n + k) % words.len()], n * 8 + k))
            .collect();
        let text = said::text(&format!("T{n}"), NOON, &text.join(" "));
        said::within(&format!("7900{:07}@c.us", n % 900), text)
    });
    let large = (0..LARGE).map(
        |n| json!({ "typeWebhook": "note", "number": n, "text": "x".repeat(15 * 1024 * 1024) }),
    );
    let edited = said::text("EDITED", NOON, "bun");
    let edits = (0..EDITS).map(|n| {
        let now = format!("{n} {}", "crumb ".repeat(EDIT_BYTES / 6));
        said::edit(&format!("E{n}"), NOON + 1, "EDITED", "textMessage", &now)
    });
    let pictures = (0..CHATS).map(|n| {
        let mut picture = said::picture(&format!("P{n}"), NOON, "bun");
        let thumbnail = "A".repeat(THUMBNAIL_BYTES);
        picture["messageData"]["fileMessageData"]["jpegThumbnail"] = thumbnail.into();
        said::within(&format!("7901{n:07}@c.us"), picture)
    });
    let mut bodies = texts
        .chain([edited])
        .chain(edits)
        .chain(pictures)
        .chain(large);
    loop {
        let some: Vec<_> = bodies
            .by_ref()
            .take(256)
            .map(|body| body.to_string())
            .collect();
        if some.is_empty() {
            break;
        }
        for stored in append_all(&store.writer, some).await {
            stored.unwrap();
        }
    }
    let store::Store {
        writer,
        mut thread,
        mut projection,
        reader,
        ..
    } = store;
    reader.close().await;
    drop(writer);
    thread.ended().await;
    projection.ended().await;
}

/// Waits until the projection has caught up.
async fn projected(private: SocketAddr) {
    let done =
        async { while get(private, "/api/v1/chats?limit=1").await.status != StatusCode::OK {} };
    timeout(4 * PATIENCE, done).await.unwrap();
}

/// Posts for `length`, asserts that every notification is accepted, and returns the rate a second.
async fn receive(public: SocketAddr, bodies: &Arc<Bodies>, length: Duration) -> f64 {
    let started = Instant::now();
    let load = Load::start(public, CONNECTIONS, bodies, || 0);
    sleep(length).await;
    let outcome = load.stop().await;
    assert_eq!(outcome.refused, 0, "notifications were refused");
    assert_eq!(outcome.unanswered, Vec::<u64>::new());
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let taken = outcome.answered.len() as f64;
    taken / started.elapsed().as_secs_f64()
}

/// Requests the health endpoints repeatedly and returns the slowest response time.
async fn slowest_health(private: SocketAddr, length: Duration) -> Duration {
    let end = Instant::now() + length;
    let mut slowest = Duration::ZERO;
    while Instant::now() < end {
        for path in ["/livez", "/readyz"] {
            let started = Instant::now();
            let answer = timeout(PATIENCE, get(private, path)).await.unwrap();
            assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
            slowest = slowest.max(started.elapsed());
        }
        sleep(Duration::from_millis(50)).await;
    }
    slowest
}

/// The readers, on their own low-priority thread, so that their cost in this process does not
/// distort the measurement. Dropping this stops them.
struct Readers(#[expect(dead_code, reason = "dropped to stop them")] oneshot::Sender<()>);

impl Readers {
    fn start(private: SocketAddr) -> Self {
        let (stop, stopped) = oneshot::channel();
        std::thread::spawn(move || {
            let thread = rustix::thread::gettid();
            rustix::process::setpriority_process(Some(thread), 19).unwrap();
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let readers = gather(private);
                assert_eq!(readers.len(), 250);
                // A message and a dropped sender both mean stop.
                let _ = stopped.await;
            });
        });
        Self(stop)
    }
}

fn gather(private: SocketAddr) -> JoinSet<()> {
    let search = |words: Vec<String>| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("q", &words.join(" "));
        format!("/api/v1/messages?limit=500&{}", query.finish())
    };
    let prefixes = search(('а'..='я').map(|letter| format!("{letter}*")).collect());
    let too_many = search(vec!["а*".to_owned(); 7_000]);
    let first = MESSAGES + EDITS + CHATS + 2;
    let kinds = [
        (20, Reads::Slowly, format!("/api/v1/events/{first}/body")),
        (
            20,
            Reads::Nothing,
            format!("/api/v1/events/{}/body", first + 1),
        ),
        (20, Reads::Slowly, format!("/api/v1/events/{}", first + 2)),
        (
            20,
            Reads::Slowly,
            "/api/v1/events?body=true&limit=500".to_owned(),
        ),
        (
            20,
            Reads::Nothing,
            "/api/v1/events?body=true&limit=500".to_owned(),
        ),
        (
            20,
            Reads::Slowly,
            format!("/api/v1/stream?after={}", first - 1),
        ),
        (20, Reads::Nothing, "/api/v1/stream?after=0".to_owned()),
        (15, Reads::Everything, prefixes),
        (5, Reads::Everything, too_many),
        (
            20,
            Reads::Slowly,
            format!("/api/v1/messages/{INSTANCE}/{CHAT}/EDITED"),
        ),
        (
            10,
            Reads::Everything,
            format!("/api/v1/messages/{INSTANCE}/{CHAT}/EDITED"),
        ),
        (20, Reads::Everything, "/api/v1/chats?limit=500".to_owned()),
        (10, Reads::Slowly, "/api/v1/messages?limit=500".to_owned()),
        (10, Reads::Everything, "/api/v1/events?limit=500".to_owned()),
        (
            5,
            Reads::Everything,
            "/api/v1/instances?limit=500".to_owned(),
        ),
        (5, Reads::Everything, "/api/v1/calls?limit=500".to_owned()),
        // Connections that send no request.
        (10, Reads::Nothing, String::new()),
    ];
    let mut readers = JoinSet::new();
    for (count, reads, path) in kinds {
        for _ in 0..count {
            readers.spawn(read_for_ever(private, path.clone(), reads));
        }
    }
    readers
}

/// Sends the request again whenever the server closes the connection.
async fn read_for_ever(private: SocketAddr, path: String, reads: Reads) {
    loop {
        // An error means that the server closed the connection.
        let _ = read_once(private, &path, reads).await;
    }
}

async fn read_once(private: SocketAddr, path: &str, reads: Reads) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    // A small buffer, so that most of the response stays on the server.
    socket.set_recv_buffer_size(4096)?;
    let mut stream = socket.connect(private).await?;
    if !path.is_empty() {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: {private}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
    }
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let some = match reads {
            Reads::Everything => buffer.len(),
            Reads::Slowly => 16,
            Reads::Nothing => 0,
        };
        if some == 0 {
            // Read one byte now and then, to notice when the server closes the connection.
            sleep(Duration::from_secs(5)).await;
            if stream.read(&mut buffer[..1]).await? == 0 {
                return Ok(());
            }
            continue;
        }
        if stream.read(&mut buffer[..some]).await? == 0 {
            return Ok(());
        }
        if matches!(reads, Reads::Slowly) {
            sleep(Duration::from_secs(1)).await;
        }
    }
}
