//! *rows*: the same rows into the real store in batches of 100, with no server around it. What a
//! request costs above *bare* and its share of such a batch is what there is left to save.

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

/// The word on the command line of this executable that makes it do this.
pub(crate) const ROLE: &str = "insert-rows";

/// Rows in one transaction.
const BATCH: usize = 100;

/// Batches that are prepared at a time: parsed and with their digests, which is not counted.
const PREPARED: usize = 100;

/// An append that stands in the queue.
type Queued = Pin<Box<dyn Future<Output = Result<Appended, Unavailable>> + Send>>;

/// What inserting came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inserted {
    pub(crate) rows: u64,
    pub(crate) processor: Duration,
    pub(crate) elapsed: Duration,
}

/// Runs this executable in that role and reads what it says.
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
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = said.split_whitespace().map(str::parse);
    let mut next = || {
        numbers
            .next()
            .ok_or("it said nothing")?
            .map_err(Failure::from)
    };
    let inserted = (|| {
        Ok::<_, Failure>(Inserted {
            rows: next()?,
            processor: Duration::from_nanos(next()?),
            elapsed: Duration::from_nanos(next()?),
        })
    })();
    inserted.map_err(|error| {
        let reason = String::from_utf8_lossy(&output.stderr);
        format!("{error}: {reason}").into()
    })
}

/// Inserts for so long, and says rows, nanoseconds on the processor and nanoseconds that passed.
pub(crate) async fn insert(
    database: PathBuf,
    crowd: Crowd,
    measured: Duration,
) -> Result<String, Failure> {
    let store = store::open(&database, 2 * BATCH, 0).await?;
    let mut composer = Composer::new("/webhook", crowd);
    let mut inserted = Inserted {
        rows: 0,
        processor: Duration::ZERO,
        elapsed: Duration::ZERO,
    };
    while inserted.elapsed < measured {
        let events = prepare(&mut composer, inserted.rows)?;
        inserted.rows += events.len() as u64;
        let (before, begun) = (used(), Instant::now());
        append(&store.writer, events).await?;
        inserted.elapsed += begun.elapsed();
        inserted.processor += used().since(&before);
    }
    Ok(format!(
        "{} {} {}",
        inserted.rows,
        inserted.processor.as_nanos(),
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

/// Keeps a batch waiting while another is committed, so that the writer finds each whole.
async fn append(writer: &Writer, events: Vec<NewEvent>) -> Result<(), Failure> {
    let mut events = events.into_iter();
    // While this one is committed the first batch gathers.
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
    // The first poll is what queues it.
    match append.as_mut().now_or_never() {
        Some(answer) => Box::pin(std::future::ready(answer)),
        None => append,
    }
}
