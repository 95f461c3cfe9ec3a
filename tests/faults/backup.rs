//! Backups under full load, half of them killed, while retention deletes old events: what was answered before a backup
//! began is in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::time::sleep;

use crate::rig::bodies::Size;
use crate::rig::database::{beside, integrity, lost, number};
use crate::rig::old_events::{self, RETENTION};
use crate::rig::usage::{mib, wal_length};
use crate::rig::{Bodies, Load, Random, alone, setting};
use crate::support::Process;
use crate::support::process::{finish, program};

/// Bytes of WAL, at most: 4,000 pages of 4 KiB, plus what is written during a checkpoint.
const MAX_WAL: u64 = 32 * 1024 * 1024;

const CONNECTIONS: usize = 8;

/// Milliseconds of load before each backup.
const LOAD_MILLIS: u64 = 500;

/// Milliseconds after which a backup is killed, at most.
const MAX_MILLIS: u64 = 150;

fn backup(folder: &Path, file: &Path) -> Command {
    let mut command = program();
    command
        .arg("backup")
        .arg(file)
        .current_dir(folder)
        .env("GREEN_INBOX__STORAGE__PATH", folder.join("inbox.db"));
    command
}

fn verify(file: &Path) -> (bool, String) {
    let output = finish(program().arg("verify").arg(file));
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// Measures the WAL until it is dropped.
struct WalWatch {
    largest: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl WalWatch {
    fn start(folder: PathBuf) -> Self {
        let watch = Self {
            largest: Arc::default(),
            stop: Arc::default(),
        };
        let (largest, stop) = (Arc::clone(&watch.largest), Arc::clone(&watch.stop));
        thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                largest.fetch_max(wal_length(&folder), Ordering::SeqCst);
                thread::sleep(Duration::from_millis(5));
            }
        });
        watch
    }
}

impl Drop for WalWatch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// `FAULTS_BACKUPS` sets the number of backups: 20 by default. Every second one is killed.
#[test]
fn backup_under_load_has_every_event_that_was_answered_before_it() {
    alone(async {
        let backups = setting("FAULTS_BACKUPS", 20);
        let mut random = Random::new("backup");
        let folder = old_events::folder().await;
        let newest_old = number(&beside(folder.path()), "SELECT max(seq) FROM event");
        let count = format!("SELECT count(*) FROM event WHERE seq > {newest_old}");
        let file = folder.path().join("copy.db");
        let server = Process::with(folder.path(), &[RETENTION]);
        let wal = WalWatch::start(folder.path().to_owned());
        let bodies = Arc::new(Bodies::new(Size::Mixed));
        let round = Arc::new(AtomicU64::new(0));
        let load = Load::start(server.public, CONNECTIONS, &bodies, {
            let round = Arc::clone(&round);
            move || round.load(Ordering::SeqCst)
        });
        // The newest seq of each backup that ended by itself.
        let mut newest = Vec::new();
        let (mut slowest, mut kept, mut interrupted) = (Duration::ZERO, 0, 0);
        for number_of_backup in 1..=backups {
            sleep(Duration::from_millis(LOAD_MILLIS)).await;
            if number_of_backup % 2 == 0 {
                let mut child = backup(folder.path(), &file)
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap();
                sleep(Duration::from_millis(random.below(MAX_MILLIS))).await;
                interrupted += u64::from(child.try_wait().unwrap().is_none());
                child.kill().unwrap();
                child.wait().unwrap();
                // A connection that may write undoes the interrupted transaction.
                let copy = Connection::open(&file).unwrap();
                assert_eq!(integrity(&copy), "ok", "backup {number_of_backup}");
                let events = number(&copy, &count);
                assert!(events >= kept, "a killed backup has lost events");
                continue;
            }
            round.store(number_of_backup, Ordering::SeqCst);
            let started = Instant::now();
            let output = finish(&mut backup(folder.path(), &file));
            assert!(output.status.success(), "{output:?}");
            slowest = slowest.max(started.elapsed());
            let copy = Connection::open(&file).unwrap();
            kept = number(&copy, &count);
            newest.push((
                number_of_backup,
                number(&copy, "SELECT max(seq) FROM event"),
            ));
        }
        let outcome = load.stop().await;
        let largest = wal.largest.load(Ordering::SeqCst);
        drop(wal);
        drop(server);
        // Each backup continues the one before, so that damage by any of them is still there.
        let (is_good, said) = verify(&file);
        assert!(is_good, "{said}");
        old_events::assert_deleted(folder.path());

        let copy = Connection::open(&file).unwrap();
        let mut covered = 0;
        for (number_of_backup, newest) in &newest {
            let before = outcome
                .answered
                .iter()
                .filter(|answer| answer.noted < *number_of_backup);
            let missing: Vec<_> = before
                .clone()
                .filter(|answer| answer.seq > *newest)
                .map(|answer| answer.seq)
                .collect();
            assert_eq!(missing, [0; 0], "backup {number_of_backup}");
            assert_eq!(lost(&copy, &bodies, before.clone()), [0; 0]);
            covered = before.count();
        }
        println!(
            "{backups} backups, {interrupted} of them killed before their end: {} answered, {covered} before the last backup, none missing; \
             the slowest took {slowest:.1?}; WAL at most {}",
            outcome.answered.len(),
            mib(largest)
        );
        assert!(covered > 100, "there was hardly any load");
        assert!(interrupted > 0, "every backup ended before its kill");
        assert!(largest < MAX_WAL, "{}", mib(largest));

        // The controls: a missing event and a changed body are detected.
        let [first, second, ..] = outcome.answered[..] else {
            panic!("there was hardly any load");
        };
        copy.execute("DELETE FROM event WHERE seq = ?1", [first.seq])
            .unwrap();
        assert_eq!(lost(&copy, &bodies, [&first]), [first.seq]);
        copy.execute("UPDATE event SET body = x'00' WHERE seq = ?1", [second.seq])
            .unwrap();
        drop(copy);
        let (is_good, said) = verify(&file);
        let named = format!("seq {}\n", second.seq);
        assert!(!is_good && said.contains(&named), "{said}");
    });
}
