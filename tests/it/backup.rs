//! The backup that the server makes on a clock.

use std::fs;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use green_inbox::backup::ScheduledBackup;
use green_inbox::clock::{Clock, UnixMillis};
use green_inbox::config;
use green_inbox::metrics::Metrics;
use green_inbox::trouble::{Trouble, Troubles};
use rusqlite::{Connection, OpenFlags};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::support::process::PATIENCE;
use crate::support::{TestServer, get, post};

const MINUTE: i64 = 60 * 1000;

/// Waits until `is_so` returns true.
async fn wait_until(is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("it does not happen");
}

/// Events in the backup; `None` while it is not there or is being written.
fn events(file: &Path) -> Option<i64> {
    let backup = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    backup
        .query_row("SELECT count(*) FROM event", [], |row| row.get(0))
        .ok()
}

#[tokio::test]
async fn server_backs_up_at_its_start_and_at_each_interval() {
    let other = tempfile::tempdir().unwrap();
    let file = other.path().join("made/copy.db");
    let configure = |config: &mut config::Config| {
        config.backup.path = Some(file.clone());
        config.backup.minutes = 30;
    };
    let server = TestServer::with(configure).await;
    wait_until(|| events(&file) == Some(0)).await;
    for number in 1..=3 {
        let body = format!(r#"{{"typeWebhook":"note","number":{number}}}"#);
        assert_eq!(post(server.public, body).await.status, 200);
    }
    server.pass(30 * MINUTE);
    wait_until(|| events(&file) == Some(3)).await;
    let line = "green_inbox_last_backup_timestamp_seconds 17672";
    let metrics = async || get(server.private, "/metrics").await.body.to_vec();
    while !String::from_utf8(metrics().await).unwrap().contains(line) {
        sleep(Duration::from_millis(20)).await;
    }
    let body = r#"{"typeWebhook":"note","number":4}"#;
    assert_eq!(post(server.public, body).await.status, 200);
    // A clock that is set back postpones nothing.
    server.pass(-40 * MINUTE);
    wait_until(|| events(&file) == Some(4)).await;
    server.stop().await;
}

/// A scheduled backup of `database` into `file`, every hour, with a clock of its own.
fn scheduled(
    database: &Path,
    file: &Path,
) -> (
    Arc<AtomicI64>,
    Troubles,
    CancellationToken,
    impl Future<Output = ()> + use<>,
) {
    let now = Arc::new(AtomicI64::new(0));
    let clock = Clock::new({
        let now = Arc::clone(&now);
        move || UnixMillis(now.load(Ordering::SeqCst))
    });
    let settings = config::Backup {
        path: Some(file.to_owned()),
        ..config::Backup::default()
    };
    let (troubles, drain) = (Troubles::default(), CancellationToken::new());
    let backup = ScheduledBackup::new(
        &settings,
        database,
        &clock,
        (&troubles, &Metrics::new("0")),
        &drain,
    )
    .unwrap();
    (now, troubles, drain, backup.run())
}

#[tokio::test]
async fn failing_backup_is_a_trouble_until_one_succeeds() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("blocked");
    fs::write(&blocked, "a file in place of a folder").unwrap();
    let file = blocked.join("copy.db");
    let (now, troubles, drain, run) = scheduled(&server.database, &file);
    let run = tokio::spawn(run);
    wait_until(|| troubles.current().contains_key(&Trouble::BackupOld)).await;
    let detail = troubles.current()[&Trouble::BackupOld].detail.clone();
    assert!(
        detail.contains("blocked") && detail.contains("help: "),
        "{detail}"
    );
    fs::remove_file(&blocked).unwrap();
    // A failed backup is tried again before the interval has passed.
    now.fetch_add(5 * MINUTE, Ordering::SeqCst);
    wait_until(|| troubles.current().is_empty()).await;
    assert_eq!(events(&file), Some(0));
    drain.cancel();
    timeout(PATIENCE, run).await.unwrap().unwrap();
    server.stop().await;
}

#[tokio::test]
async fn without_a_path_there_is_no_backup() {
    let settings = config::Backup::default();
    let clock = Clock::system();
    let (troubles, drain) = (Troubles::default(), CancellationToken::new());
    let database = Path::new("inbox.db");
    let observers = (&troubles, &Metrics::new("0"));
    assert!(ScheduledBackup::new(&settings, database, &clock, observers, &drain).is_none());
}
