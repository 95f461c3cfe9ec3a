//! A year in minutes: 20 instances write what they send in a year at a reduced rate, within a disk budget.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use green_inbox::clock::UnixMillis;
use green_inbox::config::WhenFull;
use green_inbox::sample::{self, Sample, Values};
use green_inbox::store::verify;
use hdrhistogram::Histogram;
use hyper::StatusCode;
use hyper::body::Bytes;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use crate::rig::usage::{memory, mib};
use crate::rig::{alone, setting};
use crate::support::server::START;
use crate::support::{Connection, TestServer, get};

const DAYS: i64 = 365;
const DAY: i64 = 24 * 60 * 60 * 1000;
const INSTANCES: i64 = 20;
const FIRST_INSTANCE: i64 = 1_101_000_001;
const CONNECTIONS: usize = 8;
const MIB: u64 = 1024 * 1024;

/// MiB that one story of every instance takes, with what is derived from it.
const STORY_MIB: i64 = 6;

/// The events of the year, as a multiple of the budget.
const TIMES: i64 = 3;

/// Bytes by which memory may grow from the second quarter of the year to the last.
const GROWTH: u64 = 16 * MIB;

/// Pause before a refused notification is sent again. GREEN-API waits a minute.
const PAUSE: Duration = Duration::from_millis(20);

/// Pause between two measurements of the files.
const WATCH: Duration = Duration::from_millis(5);

/// Latencies of writing, in microseconds.
struct Latencies {
    keeping: Histogram<u64>,
    deleting: Histogram<u64>,
    /// Responses 503, after which the notification was sent again.
    refused: u64,
}

/// Bytes of all files in a folder.
fn size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).unwrap();
    // A file may be removed meanwhile.
    let sizes = files.filter_map(|file| Some(file.ok()?.metadata().ok()?.len()));
    sizes.sum()
}

/// The largest size that a folder has had, measured until `stop` is set.
fn watch(folder: &Path, stop: &Arc<AtomicBool>) -> JoinHandle<u64> {
    let (folder, stop) = (folder.to_owned(), Arc::clone(stop));
    tokio::spawn(async move {
        let mut largest = 0;
        while !stop.load(Ordering::SeqCst) {
            largest = largest.max(size(&folder));
            sleep(WATCH).await;
        }
        largest
    })
}

/// One story of each instance, sent on all connections.
async fn send(server: &TestServer, samples: &Arc<[Sample]>, day: i64, latencies: &mut Latencies) {
    let timestamp = START / 1000 + day * DAY / 1000;
    let next = Arc::new(AtomicU64::new(0));
    let count = samples.len() as u64 * INSTANCES.unsigned_abs();
    let (measured, mut measurements) = mpsc::unbounded_channel();
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (samples, next, measured) = (Arc::clone(samples), Arc::clone(&next), measured.clone());
        let address = server.public;
        connections.spawn(async move {
            let mut connection = Connection::open(address).await.unwrap();
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                if number >= count {
                    return;
                }
                let number = usize::try_from(number).unwrap();
                let values = Values {
                    id_instance: FIRST_INSTANCE + i64::try_from(number / samples.len()).unwrap(),
                    serial: day.unsigned_abs(),
                    timestamp,
                };
                let body = samples[number % samples.len()].body(&values);
                let body = Bytes::from(body);
                loop {
                    let started = Instant::now();
                    let answer = connection.post(body.clone()).await.unwrap();
                    let is_stored = answer.status == StatusCode::OK;
                    measured.send((is_stored, started.elapsed())).unwrap();
                    if is_stored {
                        break;
                    }
                    // The day is as short as a second, so the budget may be used up for a moment.
                    assert_eq!(answer.code(), "unavailable", "day {day}: {answer:?}");
                    sleep(PAUSE).await;
                }
            }
        });
    }
    drop(measured);
    let is_deleting = server.freed.events_deleted() > 0;
    let histogram = if is_deleting {
        &mut latencies.deleting
    } else {
        &mut latencies.keeping
    };
    while let Some((is_stored, took)) = measurements.recv().await {
        if is_stored {
            *histogram += u64::try_from(took.as_micros()).unwrap();
        } else {
            latencies.refused += 1;
        }
    }
    while let Some(ended) = connections.join_next().await {
        ended.unwrap();
    }
}

/// The JSON of a list, once the projection has caught up.
async fn list(server: &TestServer, path: &str) -> Value {
    loop {
        let answer = get(server.private, path).await;
        match answer.status {
            StatusCode::OK => return answer.json(),
            _ => assert_eq!(answer.code(), "catching-up", "{path}: {answer:?}"),
        }
    }
}

/// Every list, the search and the feed have entries, and none is older than the oldest event.
async fn check_lists(server: &TestServer, first_cursor: &str) {
    let oldest = list(server, "/api/v1/stats").await["oldestSeq"].clone();
    let oldest = oldest.as_i64().unwrap();
    for path in [
        "/api/v1/events?limit=500&order=asc",
        "/api/v1/events?after=0&limit=500",
        "/api/v1/events?type=stateInstanceChanged",
        "/api/v1/messages",
        "/api/v1/messages?q=the",
        "/api/v1/messages?direction=incoming",
        "/api/v1/chats",
        "/api/v1/calls",
        &format!("/api/v1/events?order=asc&cursor={first_cursor}"),
    ] {
        let data = loop {
            let answer = list(server, path).await;
            let data = answer["data"].as_array().unwrap();
            if !data.is_empty() {
                break data.clone();
            }
            // Retention may delete every event of a page while it is read; the page then has a cursor.
            assert!(answer["nextCursor"].is_string(), "{path}: {answer}");
        };
        for entry in &data {
            let seq = entry["seq"].as_i64();
            assert!(seq.is_none_or(|seq| seq >= oldest), "{path}: {entry}");
        }
    }
    let instances = list(server, "/api/v1/instances?limit=500").await;
    assert_eq!(
        instances["data"].as_array().unwrap().len() as i64,
        INSTANCES,
        "{instances}"
    );
}

/// `FAULTS_YEAR_MIB` sets the budget: 20 by default, 200 for a full run.
#[test]
fn year_stays_within_the_budget_and_everything_answers() {
    alone(async {
        let budget = setting("FAULTS_YEAR_MIB", 20);
        let stories = TIMES * i64::try_from(budget).unwrap() / STORY_MIB;
        let every = (DAYS / stories).max(1);
        let budget = budget * MIB;
        let server = TestServer::with(|config| {
            config.storage.max_bytes = budget;
            config.storage.when_full = WhenFull::DropOldest;
        })
        .await;
        let samples: Arc<[Sample]> = sample::all().into();
        let stop = Arc::new(AtomicBool::new(false));
        let largest = watch(server.folder.path(), &stop);
        let mut latencies = Latencies {
            keeping: Histogram::new(3).unwrap(),
            deleting: Histogram::new(3).unwrap(),
            refused: 0,
        };
        let (mut early, mut late) = (0, 0);
        let mut first_cursor = None;
        for day in 0..DAYS {
            if day % every == 0 {
                send(&server, &samples, day, &mut latencies).await;
            }
            if first_cursor.is_none() {
                let page = list(&server, "/api/v1/events?order=asc&limit=1").await;
                first_cursor = page["nextCursor"].as_str().map(str::to_owned);
            }
            let quarter = day * 4 / DAYS;
            let memory = memory(std::process::id());
            match quarter {
                1 => early = memory.max(early),
                3 => late = memory.max(late),
                _ => {}
            }
            server.pass(DAY);
        }
        check_lists(&server, &first_cursor.unwrap()).await;
        let deleted = server.freed.events_deleted();
        stop.store(true, Ordering::SeqCst);
        let largest = largest.await.unwrap();
        let database = server.database.clone();
        let folder = server.stop().await;
        let verified = verify(&database, &mut |_, _, _| {}).unwrap();
        let sent = latencies.keeping.len() + latencies.deleting.len();
        let p99 =
            |histogram: &Histogram<u64>| Duration::from_micros(histogram.value_at_quantile(0.99));
        let (keeping, deleting) = (p99(&latencies.keeping), p99(&latencies.deleting));
        println!(
            "a year of {INSTANCES} instances until {}: {sent} events stored ({} refused for a moment), \
             {deleted} deleted, files at most {} of {}; \
             memory at most {} in the second quarter, {} in the last; p99 of writing {keeping:.1?} without deleting, \
             {deleting:.1?} while deleting",
            UnixMillis(START + DAYS * DAY),
            latencies.refused,
            mib(largest),
            mib(budget),
            mib(early),
            mib(late),
        );
        assert!(verified.is_good(), "{verified:?}");
        assert!(
            matches!(verified.derived, green_inbox::store::DerivedCheck::Same(_)),
            "{verified:?}"
        );
        assert!(deleted > sent / 3, "hardly anything was deleted");
        assert!(largest <= budget, "{}", mib(largest));
        assert!(late < early + GROWTH, "memory grew");
        drop(folder);
    });
}
