//! *rows*: inserts the same rows into the real store in batches of 100, without a server. The cost
//! of a request beyond *bare* plus one such row is what could still be saved.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use green_inbox::clock::Clock;
use green_inbox::notification;
use green_inbox::store::{self, Appended, NewEvent, Unavailable, Writer};

use super::Failure;
use super::accounting::Used;
use super::request::{Composer, Crowd};

pub(crate) const NAME: &str = "rows";

/// The subcommand of this executable that inserts rows.
pub(crate) const ROLE: &str = "insert-rows";

/// Rows in one transaction.
const BATCH: usize = 100;

/// Batches prepared at a time. Parsing and hashing them is not counted.
const PREPARED: usize = 100;

/// An append in the queue.
type Queued = Pin<Box<dyn Future<Output = Result<Appended, Unavailable>> + Send>>;

/// The result of inserting rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inserted {
    pub(crate) rows: u64,
    pub(crate) cpu: Duration,
    pub(crate) elapsed: Duration,
}

/// Runs this executable in that role and parses its output.
pub(crate) fn measure(
    myself: &Path,
    crowd: Crowd,
    measured: Duration,
    folders: &Path,
) -> Result<Inserted, Failure> {
    let folder = tempfile::Builder::new()
        .prefix("rows-")
        .tempdir_in(folders)?;
    let output = Command::new(myself)
        .arg(ROLE)
        .arg(folder.path().join("inbox.db"))
        .arg(measured.as_millis().to_string())
        .args(["--chats", &crowd.chats.to_string()])
        .args(["--instances", &crowd.instances.to_string()])
        .output()?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = stdout.split_whitespace().map(str::parse);
    let mut next = || {
        numbers
            .next()
            .ok_or("insert-rows printed no result")?
            .map_err(Failure::from)
    };
    let inserted = (|| {
        Ok::<_, Failure>(Inserted {
            rows: next()?,
            cpu: Duration::from_nanos(next()?),
            elapsed: Duration::from_nanos(next()?),
        })
    })();
    inserted.map_err(|error| {
        let reason = String::from_utf8_lossy(&output.stderr);
        format!("{error}: {reason}").into()
    })
}

/// Inserts for `measured`, and returns the rows, the nanoseconds of CPU and the nanoseconds elapsed.
pub(crate) async fn insert(
    database: PathBuf,
    crowd: Crowd,
    measured: Duration,
) -> Result<String, Failure> {
    let store = store::open(&database, 2 * BATCH, 0).await?;
    let mut composer = Composer::new("/webhook", crowd);
    let mut inserted = Inserted {
        rows: 0,
        cpu: Duration::ZERO,
        elapsed: Duration::ZERO,
    };
    while inserted.elapsed < measured {
        let events = prepare(&mut composer, inserted.rows)?;
        inserted.rows += events.len() as u64;
        let (before, started) = (used(), Instant::now());
        append(&store.writer, events).await?;
        inserted.elapsed += started.elapsed();
        inserted.cpu += used().since(&before);
    }
    Ok(format!(
        "{} {} {}",
        inserted.rows,
        inserted.cpu.as_nanos(),
        inserted.elapsed.as_nanos()
    ))
}

fn used() -> Used {
    Used::by(&[std::process::id()])
}

fn prepare(composer: &mut Composer, first: u64) -> Result<Vec<NewEvent>, Failure> {
    let now = Clock::system().now();
    let seconds = u64::try_from(now.0 / 1000)?;
    let events = (first..=first + (BATCH * PREPARED) as u64).map(|number| {
        let body = Bytes::copy_from_slice(composer.body(number, seconds));
        NewEvent::new(now, &notification::parse(&body), &body)
    });
    Ok(events.collect())
}

/// Queues a whole batch while the previous one is committed, so that the writer takes it at once.
async fn append(writer: &Writer, events: Vec<NewEvent>) -> Result<(), Failure> {
    let mut events = events.into_iter();
    // The first batch gathers while this event is committed.
    let mut committing: Vec<Queued> = events
        .next()
        .map(|first| queued(writer, first))
        .into_iter()
        .collect();
    loop {
        let waiting: Vec<Queued> = events
            .by_ref()
            .take(BATCH)
            .map(|event| queued(writer, event))
            .collect();
        for append in committing {
            append.await?;
        }
        if waiting.is_empty() {
            return Ok(());
        }
        committing = waiting;
    }
}

fn queued(writer: &Writer, event: NewEvent) -> Queued {
    let writer = writer.clone();
    let mut append: Queued = Box::pin(async move { writer.append(event).await });
    // The first poll queues the append.
    match append.as_mut().now_or_never() {
        Some(answer) => Box::pin(std::future::ready(answer)),
        None => append,
    }
}
