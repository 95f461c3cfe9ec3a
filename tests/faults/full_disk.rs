//! Disk full: 503 and nothing lost, reading goes on, and with room it recovers by itself.

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
use crate::rig::recording::{Syncs, Unsynced, files, put};
use crate::rig::{Bodies, Load, Random, Shim, alone};
use crate::support::process::{PATIENCE, finish, serve};
use crate::support::{Process, get, post};

const CONNECTIONS: usize = 8;

/// Times that the disk fills up.
const ROUNDS: u64 = 6;

/// The most that there is room for; the log is full at 16 MiB.
const MOST_ROOM: u64 = 24 * 1024 * 1024;

/// Fills and makes room again.
trait Disk {
    fn fill(&mut self, but: u64);
    fn make_room(&mut self);
}

/// The shim refuses what would make a file larger.
impl Disk for Shim {
    fn fill(&mut self, but: u64) {
        self.limit(Some(but));
    }

    fn make_room(&mut self) {
        self.limit(None);
    }
}

#[test]
fn a_full_disk_loses_nothing_and_recovers() {
    alone(async {
        let mut random = Random::new("full disk");
        let folder = tempfile::tempdir().unwrap();
        let before = files(folder.path());
        let mut shim = Shim::new();
        let mut server = shim.start(folder.path(), &[]);
        let bodies = Arc::new(Bodies::new(Size::Mixed));
        let answered = fill_often(&server, folder.path(), &mut shim, &bodies, &mut random).await;
        assert!(shim.refused() > 0, "it was never full");

        // And what was answered in between was synced.
        server.child.kill().unwrap();
        server.wait();
        let recording = shim.recording();
        let end = recording.end();
        let left = recording.cut(&before, end, Unsynced::Gone, Syncs::All, &mut random);
        let folder = tempfile::tempdir().unwrap();
        put(&left, folder.path());
        let database = after_cut(folder.path());
        assert_eq!(lost(&database, &bodies, &answered), [0; 0]);
        println!(
            "full {ROUNDS} times, {} writes refused, {} answered 200, none lost",
            shim.refused(),
            answered.len()
        );
    });
}

/// A file system that is really full.
#[test]
#[ignore = "needs root, or sudo without a password, to mount a tmpfs"]
fn a_full_file_system_loses_nothing_and_recovers() {
    alone(async {
        let mut random = Random::new("full file system");
        let mut disk = Tmpfs::mount();
        let folder = disk.folder.path().to_owned();
        let server = Process::start(&folder);
        let bodies = Arc::new(Bodies::new(Size::Mixed));
        let answered = fill_often(&server, &folder, &mut disk, &bodies, &mut random).await;
        println!(
            "full {ROUNDS} times on tmpfs, {} answered 200, none lost",
            answered.len()
        );
    });
}

/// SQLite calls this an error of input and output, but nothing that is on disk is in doubt.
#[test]
fn no_room_for_the_index_of_the_log_is_a_full_disk() {
    alone(async {
        let folder = tempfile::tempdir().unwrap();
        let shim = Shim::new();
        let server = shim.start(folder.path(), &[]);
        shim.stop_log_index();
        // The first part of the index is for 4062 pages of the log, so for less than 16 MiB.
        let mut answered = Vec::new();
        let refused = loop {
            let body = large(answered.len());
            let answer = post(server.public, body).await;
            match answer.status.as_u16() {
                200 => answered.push(answer.json()["seq"].as_i64().unwrap()),
                status => break status,
            }
            assert!(answered.len() < 100, "it does not fill up");
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

/// `max_page_count` is how SQLite bounds a file.
#[test]
fn a_full_database_loses_nothing_and_goes_on_when_it_may_grow() {
    alone(async {
        let folder = tempfile::tempdir().unwrap();
        let bounded = |bytes| [("GREEN_INBOX__STORAGE__MAX_BYTES", bytes)];
        let mut server = Process::with(folder.path(), &bounded("8388608"));
        let bodies = Arc::new(Bodies::new(Size::Mixed));
        let load = Load::start(server.public, CONNECTIONS, &bodies, || 0);
        server
            .log
            .wait_for(|line| line.contains("could not be stored"));
        let refusal = post(server.public, large(0)).await;
        assert_eq!(refusal.status, 503);
        assert_eq!(refusal.header("retry-after"), "60");
        let outcome = load.stop().await;
        assert!(outcome.refused > 0);
        reads(&server, &bodies, &outcome).await;
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
            "a database of at most 8 MiB: {} answered 200, {} refused, none lost",
            outcome.answered.len(),
            outcome.refused
        );
        drop(server);

        // A bound below what there is takes nothing away.
        let server = Process::with(folder.path(), &bounded("1048576"));
        server
            .log
            .wait_for(|line| line.contains("larger than storage.max_bytes"));
        assert_eq!(post(server.public, large(1)).await.status, 503);
        reads(&server, &bodies, &outcome).await;
    });
}

#[test]
fn a_full_disk_at_the_start_says_so_and_ends() {
    alone(async {
        let folder = tempfile::tempdir().unwrap();
        let shim = Shim::new();
        shim.limit(Some(0));
        let mut command = serve(folder.path());
        shim.stand_before(&mut command, folder.path());
        let ended = finish(&mut command);
        let said = String::from_utf8(ended.stderr).unwrap();
        // Not 2, which says that there is no use in starting it again.
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(said.contains("No space left on device"), "{said}");
        shim.limit(None);
        let server = shim.start(folder.path(), &[]);
        assert_eq!(post(server.public, "{}").await.status, 200);
    });
}

/// Fills the disk under load, looks, and makes room, several times.
async fn fill_often(
    server: &Process,
    folder: &Path,
    disk: &mut impl Disk,
    bodies: &Arc<Bodies>,
    random: &mut Random,
) -> Vec<Answered> {
    let recorded = || 0;
    let mut answered: Vec<Answered> = Vec::new();
    for round in 1..=ROUNDS {
        disk.fill(random.below(MOST_ROOM / round));
        let load = Load::start(server.public, CONNECTIONS, bodies, recorded);
        // What is too large for the room that is left, every time.
        let large = large(0);
        let deadline = Instant::now() + PATIENCE;
        let refusal = loop {
            let answer = post(server.public, large.clone()).await;
            if answer.status == 503 {
                break answer;
            }
            assert_eq!(answer.status, 200, "{answer:?}");
            assert!(Instant::now() < deadline, "it does not fill up");
        };
        assert_eq!(refusal.code(), "unavailable");
        assert_eq!(refusal.header("retry-after"), "60");
        sleep(Duration::from_millis(200)).await;
        let outcome = load.stop().await;
        assert!(outcome.refused > 0, "a small one is refused too");

        reads(server, bodies, &outcome).await;
        disk.make_room();
        let begun = Instant::now();
        let recovered = post(server.public, large).await;
        assert_eq!(recovered.status, 200, "with room it goes on");
        println!(
            "round {round}: {} answered, {} refused, back after {:.1?}",
            outcome.answered.len(),
            outcome.refused,
            begun.elapsed()
        );
        bodies.give_back(&outcome.unanswered);
        answered.extend(outcome.answered);
        let database = beside(folder);
        assert_eq!(lost(&database, bodies, &answered), [0; 0]);
        assert_eq!(integrity(&database), "ok");
    }
    answered
}

/// Reading goes on while the disk is full.
async fn reads(server: &Process, bodies: &Bodies, outcome: &Outcome) {
    for path in ["/readyz", "/api/v1/events?limit=10"] {
        assert_eq!(get(server.private, path).await.status, 200, "{path}");
    }
    if let Some(Answered { seq, number, .. }) = outcome.answered.last() {
        let path = format!("/api/v1/events/{seq}/body");
        assert_eq!(get(server.private, &path).await.body, bodies.body(*number));
    }
}

/// A file system of 64 MiB; what fills it is a file of the test.
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
        // It is a small file system: a fraction is left of it.
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
        // The server may still have its files; then it goes when they are closed.
        as_root(&["umount", "--lazy"], self.folder.path());
    }
}

/// Whether a command about `folder` is done, by itself or with sudo where that asks nothing.
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
