//! The effect of database size on writing: ten million events, one command.
//!
//! ```sh
//! cargo bench --bench growth -- [--events 10000000] [--texts] [--keep]
//! ```
//!
//! It prints how fast each million was committed and projected, the last 100,000 relative to the
//! first, the bytes written to disk for each event, the disk space relative to the bodies once they are compressed, and how
//! long opening takes after `kill -9` with a full WAL. It needs about 10 GB in `--folder` and deletes the database at the
//! end.

#![allow(
    clippy::expect_used,
    unreachable_pub,
    reason = "a benchmark is a program: any failure ends it"
)]

#[path = "../reading/story.rs"]
#[allow(dead_code, reason = "shared with the reading benchmark")]
mod story;

#[path = "../throughput/chance.rs"]
#[allow(dead_code, reason = "shared with the throughput benchmark")]
mod chance;
#[path = "../throughput/request.rs"]
#[allow(dead_code, reason = "shared with the throughput benchmark")]
mod request;
#[path = "../throughput/words.rs"]
#[allow(dead_code, reason = "shared with the throughput benchmark")]
mod words;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use green_inbox::clock::UnixMillis;
use green_inbox::notification::parse;
use green_inbox::store::{self, NewEvent, Store};
use hyper::body::Bytes;
use tokio::task::JoinSet;

use crate::request::{Composer, Crowd};
use crate::story::Story;

/// Events that are timed together.
const PART: u64 = 100_000;

/// Events that wait for a commit concurrently.
const AT_ONCE: usize = 512;

/// Bytes of a WAL that is about to be checkpointed.
const FULL_WAL: u64 = 14 * 1024 * 1024;

/// Free pages that one step gives back.
const FREE_PAGES: u32 = 4096;

#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
struct Args {
    /// Events to write.
    #[arg(long, default_value_t = 10_000_000)]
    events: u64,
    /// Writes only text messages of 1 KB, as `throughput` sends them, instead of mixed events.
    #[arg(long)]
    texts: bool,
    /// Folder for the database.
    #[arg(long, default_value = "target/growth")]
    folder: PathBuf,
    /// Keeps the database, and does not open it after a `kill -9`.
    #[arg(long)]
    keep: bool,
    /// Writes until killed.
    #[arg(long, hide = true)]
    until_killed: bool,
    /// Passed by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

const STORY: Story = Story {
    instances: 200,
    chats: 50_000,
};

/// The bodies to write.
enum Bodies {
    /// Messages of a few hundred bytes with their statuses and edits, calls, instance states.
    Story,
    /// Messages of 1 KB.
    Texts(Box<Composer>),
}

impl Bodies {
    fn new(texts: bool) -> Self {
        if texts {
            let crowd = Crowd {
                chats: 50_000,
                instances: 200,
            };
            Self::Texts(Box::new(Composer::new("/", crowd)))
        } else {
            Self::Story
        }
    }

    fn body(&mut self, number: u64) -> Bytes {
        match self {
            Self::Story => STORY.event(number).into(),
            Self::Texts(composer) => {
                Bytes::copy_from_slice(composer.body(number, 1_767_225_600 + number / 50))
            }
        }
    }
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let path = args.folder.join("inbox.db");
    if args.until_killed {
        return write_until_killed(&path, &args).await;
    }
    let _ = std::fs::remove_dir_all(&args.folder);
    std::fs::create_dir_all(&args.folder).expect("a folder");
    grow(&path, &args).await;
    if args.keep {
        return;
    }
    reopen(&args, &path).await;
    std::fs::remove_dir_all(&args.folder).expect("the folder goes");
}

/// How long a part took until it was committed, and until it was projected.
#[derive(Debug, Clone, Copy)]
struct Took {
    committed: Duration,
    projected: Duration,
}

async fn grow(path: &Path, args: &Args) {
    let events = args.events;
    let mut store = open(path).await;
    let mut source = Bodies::new(args.texts);
    let mut parts: Vec<Took> = Vec::new();
    let mut bodies = 0;
    for first in (0..events).step_by(usize::try_from(PART).unwrap_or(1)) {
        let started = Instant::now();
        bodies += write(&store, &mut source, first..(first + PART).min(events)).await;
        let committed = started.elapsed();
        store.projected.reach(store.commits.newest()).await;
        let projected = started.elapsed();
        parts.push(Took {
            committed,
            projected,
        });
        if parts.len().is_multiple_of(10) {
            let million = &parts[parts.len() - 10..];
            let sum = |of: fn(&Took) -> Duration| million.iter().map(of).sum::<Duration>();
            println!(
                "{} events: the last million committed in {:.1?}, projected in {:.1?}",
                first + PART,
                sum(|took| took.committed),
                sum(|took| took.projected)
            );
        }
    }
    let (Some(begin), Some(end)) = (parts.first(), parts.last()) else {
        return;
    };
    println!(
        "the last {PART} relative to the first: {:.2} of the throughput of commits, {:.2} until \
         the projection has caught up",
        begin.committed.as_secs_f64() / end.committed.as_secs_f64(),
        begin.projected.as_secs_f64() / end.projected.as_secs_f64()
    );
    #[expect(clippy::cast_precision_loss, reason = "some gigabytes")]
    let each = |bytes: u64| bytes as f64 / events as f64;
    println!(
        "written to disk for each event of {:.0} bytes, with everything projected: {:.0} bytes",
        each(bodies),
        each(written())
    );
    compress(&store).await;
    close(store).await;
    let (events_size, projection_size) = (size(path), size(&beside(path, ".projection")));
    #[expect(clippy::cast_precision_loss, reason = "some gigabytes")]
    let of_bodies = |bytes: u64| bytes as f64 / bodies as f64;
    println!(
        "disk: {bodies} bytes of bodies; {:.2} times that for the events, {:.2} for the projection, \
         {:.2} in total",
        of_bodies(events_size),
        of_bodies(projection_size),
        of_bodies(events_size + projection_size)
    );
}

/// Compresses the bodies that were stored in a burst as they were received, as the server does when little arrives, and
/// gives the free pages back.
async fn compress(store: &Store) {
    let mut space = store.space().expect("the database opens");
    let (started, mut events, mut before, mut after) = (Instant::now(), 0, 0, 0);
    while let Some(step) = space.compress().await.expect("a step") {
        events += step.events;
        before += step.before;
        after += step.after;
    }
    println!(
        "compressed {events} bodies from {before} to {after} bytes in {:.1?}",
        started.elapsed()
    );
    // Nothing is deleted. Without this, later events would use the free pages.
    let mut left = u32::MAX;
    loop {
        space.delete(0, FREE_PAGES).await.expect("a step");
        let now = space.usage().await.expect("usage").free_pages;
        if now == 0 || now >= left {
            return;
        }
        left = now;
    }
}

/// Kills a writing process and measures how long opening its database takes.
async fn reopen(args: &Args, path: &Path) {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(args.texts.then_some("--texts"))
        .args(["--until-killed", "--events"])
        .arg(args.events.to_string())
        .arg("--folder")
        .arg(&args.folder)
        .stdout(Stdio::null())
        .spawn()
        .expect("this program runs");
    while size(&beside(path, "-wal")) < FULL_WAL {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    child.kill().expect("it is killed");
    child.wait().expect("it has ended");
    let wal = size(&beside(path, "-wal"));
    let started = Instant::now();
    let store = open(path).await;
    println!(
        "opened after kill -9 with a WAL of {wal} bytes in {:.1?}",
        started.elapsed()
    );
    close(store).await;
}

async fn write_until_killed(path: &Path, args: &Args) {
    let store = open(path).await;
    write(&store, &mut Bodies::new(args.texts), args.events..u64::MAX).await;
}

/// Writes these events and returns the total bytes of their bodies.
async fn write(store: &Store, source: &mut Bodies, events: std::ops::Range<u64>) -> u64 {
    let mut waiting = JoinSet::new();
    let mut bytes = 0;
    for number in events {
        if waiting.len() == AT_ONCE {
            waiting.join_next().await;
        }
        let writer = store.writer.clone();
        let body = source.body(number);
        bytes += body.len() as u64;
        waiting.spawn(async move {
            let arrival = 1_767_225_600_000 + i64::try_from(number * 20).unwrap_or(0);
            let event = NewEvent::new(UnixMillis(arrival), &parse(&body), &body);
            writer.append(event).await.expect("it is committed");
        });
    }
    waiting.join_all().await;
    bytes
}

async fn open(path: &Path) -> Store {
    store::open(path, 4096, 0)
        .await
        .expect("the database opens")
}

async fn close(mut store: Store) {
    store.reader.close().await;
    drop(store.writer);
    store.thread.ended().await;
    store.projection.ended().await;
}

/// Bytes that this process has written to disk so far (`write_bytes` of `proc_pid_io(5)`).
fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").expect("Linux counts them");
    let written = io
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes: "));
    written
        .and_then(|bytes| bytes.parse().ok())
        .expect("a number")
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
