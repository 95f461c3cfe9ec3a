//! Full disk: the server responds 503 and loses nothing, reads continue, and once there is room it
//! recovers by itself.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::rig::bodies::Size;
use crate::rig::database::{after_cut, beside, integrity, lost};
use crate::rig::load::{Answered, Outcome};
use crate::rig::old_events::{self, RETENTION};
use crate::rig::recording::{Syncs, Unsynced, files, put};
use crate::rig::{Bodies, Load, Random, Shim, alone};
use crate::support::process::{PATIENCE, finish, serve};
use crate::support::{Process, get, post};

const CONNECTIONS: usize = 8;

/// Number of times that the disk fills up.
const ROUNDS: u64 = 6;

/// Most bytes of room before the disk is full. The WAL is checkpointed at 16 MiB.
const MAX_ROOM: u64 = 24 * 1024 * 1024;

/// Bodies of these tests would shrink to nothing.
const AS_RECEIVED: (&str, &str) = ("GREEN_INBOX__STORAGE__COMPRESSION", "none");

/// A disk that a test can fill and free again.
trait Disk {
    fn fill(&mut self, but: u64);
    fn make_room(&mut self);
}

/// The shim refuses writes that would make a file larger.
impl Disk for Shim {
    fn fill(&mut self, but: u64) {
        self.limit(Some(but));
    }

    fn make_room(&mut self) {
        self.limit(None);
    }
}

#[test]
fn full_disk_loses_nothing_and_recovers() {
    alone(async {
        let mut random = Random::new("full disk");
        let folder = old_events::folder().await;
        let before = files(folder.path());
        let mut shim = Shim::new();
        let mut server = shim.start(folder.path(), &[RETENTION]);
        let bodies = Arc::new(Bodies::new(Size::Mixed));
        let answered =
            fill_repeatedly(&server, folder.path(), &mut shim, &bodies, &mut random).await;
        assert!(shim.refused() > 0, "the disk was never full");

        // Everything acknowledged in between must also have been synced.
        server.child.kill().unwrap();
        server.wait();
        let recording = shim.recording();
        let end = recording.end();
        let left = recording.cut(&before, end, Unsynced::Gone, Syncs::All, &mut random);
        let folder = tempfile::tempdir().unwrap();
        put(&left, folder.path());
        let database = after_cut(folder.path());
        assert_eq!(lost(&database, &bodies, &answered), [0; 0]);
        old_events::assert_deleted(folder.path());
        println!(
            "full {ROUNDS} times, {} writes refused, {} acknowledged, none lost",
            shim.refused(),
            answered.len()
        );
    });
}

/// The same on a file system that is really full.
#[test]
#[ignore = "needs root, or sudo without a password, to mount a tmpfs"]
fn full_file_system_loses_nothing_and_recovers() {
    alone(async {
        let mut random = Random::new("full file system");
        let mut disk = Tmpfs::mount();
        let folder = disk.folder.path().to_owned();
        // Without a reserve, so that the writes themselves fail.
        let server = Process::with(&folder, &[("GREEN_INBOX__STORAGE__MIN_FREE_BYTES", "0")]);
        let bodies = Arc::new(Bodies::new(Size::Mixed));
        let answered = fill_repeatedly(&server, &folder, &mut disk, &bodies, &mut random).await;
        println!(
            "full {ROUNDS} times on tmpfs, {} acknowledged, none lost",
            answered.len()
        );
    });
}

/// SQLite reports a full disk at the WAL index as an I/O error, but no stored data is in doubt.
#[test]
fn full_disk_at_the_wal_index_loses_nothing_and_recovers() {
    alone(async {
        let folder = tempfile::tempdir().unwrap();
        let shim = Shim::new();
        let server = shim.start(folder.path(), &[AS_RECEIVED]);
        shim.stop_wal_index();
        // The first block of the WAL index covers 4,062 WAL pages, so less than 16 MiB.
        let mut answered = Vec::new();
        let refused = loop {
            let body = large(answered.len());
            let answer = post(server.public, body).await;
            match answer.status.as_u16() {
                200 => answered.push(answer.json()["seq"].as_i64().unwrap()),
                status => break status,
            }
            assert!(answered.len() < 100, "the disk does not fill up");
        };
        assert_eq!(refused, 503);
        shim.limit(None);
        let answer = post(server.public, large(answered.len())).await;
        assert_eq!(answer.status, 200);
        for (number, seq) in answered.iter().enumerate() {
            let path = format!("/api/v1/events/{seq}/body");
            assert_eq!(
                get(server.private, &path).await.body,
                large(number).as_bytes()
            );
        }
    });
}

/// A notification of 1 MiB.
fn large(number: usize) -> String {
    format!(
        r#"{{"typeWebhook":"large","number":{number},"note":"{}"}}"#,
        "~".repeat(1 << 20)
    )
}

/// At `storage.max_bytes` notifications are refused.
#[test]
fn database_at_max_bytes_loses_nothing_and_recovers_with_a_larger_bound() {
    alone(async {
        let folder = tempfile::tempdir().unwrap();
        let bounded = |bytes| [("GREEN_INBOX__STORAGE__MAX_BYTES", bytes), AS_RECEIVED];
        let mut server = Process::with(folder.path(), &bounded("8388608"));
        let bodies = Arc::new(Bodies::new(Size::Mixed));
        let load = Load::start(server.public, CONNECTIONS, &bodies, || 0);
        server
            .log
            .wait_for(|line| line.contains("storage.max_bytes leaves no more room"));
        let refusal = post(server.public, large(0)).await;
        assert_eq!(refusal.status, 503);
        assert_eq!(refusal.header("retry-after"), "60");
        let outcome = load.stop().await;
        assert!(outcome.refused > 0);
        assert_reads(&server, &bodies, &outcome).await;
        server.signal("TERM");
        assert!(server.wait().success());
        let file = fs::metadata(folder.path().join("inbox.db")).unwrap();
        assert!(file.len() <= 8 << 20, "{} bytes", file.len());

        let server = Process::with(folder.path(), &bounded("83886080"));
        assert_eq!(post(server.public, large(0)).await.status, 200);
        let database = beside(folder.path());
        assert_eq!(lost(&database, &bodies, &outcome.answered), [0; 0]);
        assert_eq!(integrity(&database), "ok");
        println!(
            "a database of at most 8 MiB: {} acknowledged, {} refused, none lost",
            outcome.answered.len(),
            outcome.refused
        );
        drop(server);

        // A bound below the current size deletes nothing.
        let server = Process::with(folder.path(), &bounded("8388608"));
        server
            .log
            .wait_for(|line| line.contains("storage.max_bytes leaves no more room"));
        assert_eq!(post(server.public, large(1)).await.status, 503);
        assert_reads(&server, &bodies, &outcome).await;
    });
}

#[test]
fn full_disk_at_startup_exits_1_with_the_reason() {
    alone(async {
        let folder = tempfile::tempdir().unwrap();
        let shim = Shim::new();
        shim.limit(Some(0));
        let mut command = serve(folder.path());
        shim.preload_into(&mut command, folder.path());
        let ended = finish(&mut command);
        let stderr = String::from_utf8(ended.stderr).unwrap();
        // Not 2, which tells a supervisor not to restart.
        assert_eq!(ended.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("No space left on device"), "{stderr}");
        shim.limit(None);
        let server = shim.start(folder.path(), &[]);
        assert_eq!(post(server.public, "{}").await.status, 200);
    });
}

/// Fills the disk under load, checks, and makes room, [`ROUNDS`] times.
async fn fill_repeatedly(
    server: &Process,
    folder: &Path,
    disk: &mut impl Disk,
    bodies: &Arc<Bodies>,
    random: &mut Random,
) -> Vec<Answered> {
    let recorded = || 0;
    let mut answered: Vec<Answered> = Vec::new();
    for round in 1..=ROUNDS {
        disk.fill(random.below(MAX_ROOM / round));
        let load = Load::start(server.public, CONNECTIONS, bodies, recorded);
        // A body too large for the room that is left, every time.
        let large = large(0);
        let deadline = Instant::now() + PATIENCE;
        let refusal = loop {
            let answer = post(server.public, large.clone()).await;
            if answer.status == 503 {
                break answer;
            }
            assert_eq!(answer.status, 200, "{answer:?}");
            assert!(Instant::now() < deadline, "the disk does not fill up");
        };
        assert_eq!(refusal.code(), "unavailable");
        assert_eq!(refusal.header("retry-after"), "60");
        sleep(Duration::from_millis(200)).await;
        let outcome = load.stop().await;
        assert!(outcome.refused > 0, "small bodies are refused too");

        assert_reads(server, bodies, &outcome).await;
        disk.make_room();
        let started = Instant::now();
        let recovered = post(server.public, large).await;
        assert_eq!(recovered.status, 200, "with room it recovers");
        println!(
            "round {round}: {} acknowledged, {} refused, recovered after {:.1?}",
            outcome.answered.len(),
            outcome.refused,
            started.elapsed()
        );
        bodies.give_back(&outcome.unanswered);
        answered.extend(outcome.answered);
        let database = beside(folder);
        assert_eq!(lost(&database, bodies, &answered), [0; 0]);
        assert_eq!(integrity(&database), "ok");
    }
    answered
}

/// Asserts that reads succeed while the disk is full.
async fn assert_reads(server: &Process, bodies: &Bodies, outcome: &Outcome) {
    for path in ["/readyz", "/api/v1/events?limit=10"] {
        assert_eq!(get(server.private, path).await.status, 200, "{path}");
    }
    if let Some(Answered { seq, number, .. }) = outcome.answered.last() {
        let path = format!("/api/v1/events/{seq}/body");
        assert_eq!(get(server.private, &path).await.body, bodies.body(*number));
    }
}

/// A file system of 64 MiB, which the test fills with a file.
struct Tmpfs {
    folder: TempDir,
}

impl Tmpfs {
    fn mount() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs"];
        assert!(
            as_root(&options, folder.path()),
            "a tmpfs cannot be mounted here: run it as root"
        );
        Self { folder }
    }

    fn filler(&self) -> std::path::PathBuf {
        self.folder.path().join("filler")
    }
}

impl Disk for Tmpfs {
    fn fill(&mut self, but: u64) {
        // The file system is small, so leave only a quarter of `but`.
        let but = usize::try_from(but / 4).unwrap();
        let mut filler = File::create(self.filler()).unwrap();
        let mut written: u64 = 0;
        while let Ok(length) = filler.write(&[0; 4096]) {
            written += length as u64;
        }
        filler.set_len(written.saturating_sub(but as u64)).unwrap();
    }

    fn make_room(&mut self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // If the server still has files open, the lazy unmount completes when it closes them.
        as_root(&["umount", "--lazy"], self.folder.path());
    }
}

/// Runs a command on `folder` directly, or else with sudo if it needs no password. Returns whether
/// it succeeded.
fn as_root(command: &[&str], folder: &Path) -> bool {
    [&[][..], &["sudo", "-n"]].iter().any(|before| {
        let words = [before, command].concat();
        let done = Command::new(words[0])
            .args(&words[1..])
            .arg(folder)
            .stderr(Stdio::null())
            .status();
        done.is_ok_and(|status| status.success())
    })
}
