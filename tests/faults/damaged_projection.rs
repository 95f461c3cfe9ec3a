//! Damage to the projection while the server runs: the server repairs it by itself, and lists are
//! correct again. A second, undamaged server provides the expected lists.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::rig::{Random, alone, setting};
use crate::support::process::{program, serve};
use crate::support::said::{self, NOON};
use crate::support::{Process, get, post};

/// Longest time from the last notification until every list is correct again.
const LIMIT: Duration = Duration::from_secs(10);

/// The lists that must be equal on both servers.
const LISTS: [&str; 7] = [
    "messages?limit=500",
    "messages?limit=500&q=crumb",
    "messages?limit=500&chat=79007778899@c.us&status=read",
    "chats?limit=500",
    "calls?limit=500",
    "instances?limit=500",
    "stats",
];

/// The user and group id of `nobody` on Linux.
const NOBODY: u32 = 65_534;

#[derive(Debug, Clone, Copy)]
enum Damage {
    FlippedBytes,
    Truncated,
    ZeroedPage,
    ForeignFile,
    AnotherDatabase,
    Deleted,
    WrongOwner,
}

/// `FAULTS_DAMAGE` sets the number of rounds: 20 by default; 200 take minutes.
#[test]
fn lists_recover_after_every_damage_to_the_projection() {
    alone(async {
        let rounds = setting("FAULTS_DAMAGE", 20);
        let mut random = Random::new("damaged_projection");
        let is_root = rustix::process::geteuid().is_root();
        if !is_root {
            eprintln!("NOT TRIED: a file of another owner, which only root can create");
        }
        let mut kinds = vec![
            Damage::FlippedBytes,
            Damage::Truncated,
            Damage::ZeroedPage,
            Damage::ForeignFile,
            Damage::AnotherDatabase,
            Damage::Deleted,
        ];
        if is_root {
            kinds.push(Damage::WrongOwner);
        }
        let (folder, control_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let server = start(folder.path(), is_root);
        let control = Process::start(control_folder.path());
        let file = folder.path().join("inbox.db.projection");
        let (mut number, mut slowest) = (0, Duration::ZERO);
        for round in 0..rounds {
            post_all(&[&server, &control], &mut number, 10).await;
            // In half of the rounds, damage the file before it is projected.
            if random.once_in(2) {
                assert_eq!(lists(&control).await, settled(&server, &control).await);
            }
            let kind = *random.one_of(&kinds);
            damage(kind, &file, &mut random);
            post_all(&[&server, &control], &mut number, 3).await;
            let started = Instant::now();
            let expected = lists(&control).await;
            loop {
                let found = lists(&server).await;
                if found == expected {
                    break;
                }
                let elapsed = started.elapsed();
                assert!(
                    elapsed < LIMIT,
                    "round {round}, {kind:?}: after {elapsed:.1?}\n{found:#?}\n{expected:#?}"
                );
                sleep(Duration::from_millis(50)).await;
            }
            slowest = slowest.max(started.elapsed());
            assert_eq!(get(server.private, "/readyz").await.status, 200);
        }
        let beside = fs::read_dir(folder.path()).unwrap().count();
        println!(
            "{rounds} rounds of damage, the slowest repaired after {slowest:.1?}; {beside} files in \
             the folder"
        );
        assert!(beside <= 7, "damaged files accumulate in the folder");
    });
}

/// Starts the server as `nobody` if this process is root.
fn start(folder: &Path, is_root: bool) -> Process {
    if !is_root {
        return Process::start(folder);
    }
    chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
    let plain = serve(folder);
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(program().get_program())
        .args(plain.get_args())
        .current_dir(folder);
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Process::spawn(&mut command)
}

/// Posts the same notifications to all servers.
async fn post_all(servers: &[&Process], number: &mut i64, count: i64) {
    for _ in 0..count {
        *number += 1;
        let n = *number;
        let chat = ["79004445566@c.us", "79007778899@c.us"][usize::try_from(n % 2).unwrap()];
        let before = format!("A{}", n - n % 5);
        let body = match n % 5 {
            0 | 1 => said::text(&format!("A{n}"), NOON + n, &format!("crumb {n}")),
            2 => said::status(&before, NOON + n, "read"),
            3 => said::edit(
                &format!("E{n}"),
                NOON + n,
                &before,
                "textMessage",
                "no crumb",
            ),
            _ => said::call(&format!("C{n}"), NOON + n, "missed"),
        };
        let body = said::within(chat, body).to_string();
        for server in servers {
            assert_eq!(post(server.public, body.clone()).await.json()["seq"], n);
        }
    }
}

/// The content of every list, without fields that differ between two servers.
async fn lists(server: &Process) -> Vec<Option<Value>> {
    let mut all = Vec::new();
    for list in LISTS {
        let answer = get(server.private, &format!("/api/v1/{list}")).await;
        let listed = (answer.status == 200).then(|| plain(answer.json()));
        all.push(listed);
    }
    all
}

fn plain(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            for name in ["receivedAt", "epoch", "derivedSeq", "nextCursor"] {
                members.remove(name);
            }
            for member in members.values_mut() {
                *member = plain(member.take());
            }
        }
        Value::Array(all) => {
            for one in all {
                *one = plain(one.take());
            }
        }
        _ => {}
    }
    value
}

async fn settled(server: &Process, control: &Process) -> Vec<Option<Value>> {
    let started = Instant::now();
    loop {
        let found = lists(server).await;
        if found == lists(control).await || started.elapsed() > LIMIT {
            return found;
        }
    }
}

fn damage(kind: Damage, path: &PathBuf, random: &mut Random) {
    // The server may be rebuilding the file right now.
    let Ok(file) = OpenOptions::new().read(true).write(true).open(path) else {
        return;
    };
    let length = file.metadata().unwrap().len().max(1);
    match kind {
        Damage::FlippedBytes => {
            for _ in 0..=random.below(20) {
                let at = random.below(length);
                let mut byte = [0];
                if file.read_exact_at(&mut byte, at).is_ok() {
                    file.write_all_at(&[byte[0] ^ (1 << random.below(8))], at)
                        .unwrap();
                }
            }
        }
        Damage::Truncated => file.set_len(random.below(length)).unwrap(),
        Damage::ZeroedPage => {
            let page = random.below(length / 4096 + 1);
            file.write_all_at(&[0; 4096], page * 4096).unwrap();
        }
        Damage::ForeignFile => put(path, |file| fs::write(file, "flour ".repeat(5000)).unwrap()),
        Damage::AnotherDatabase => put(path, |file| {
            let other = rusqlite::Connection::open(file).unwrap();
            other
                .execute_batch("CREATE TABLE progress (seq); INSERT INTO progress VALUES (1)")
                .unwrap();
        }),
        Damage::Deleted => fs::remove_file(path).unwrap(),
        Damage::WrongOwner => {
            chown(path, Some(0), Some(0)).unwrap();
            File::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        }
    }
}

/// Replaces the file at `path` atomically.
fn put(path: &Path, write: impl Fn(&Path)) {
    let other = path.with_extension("other");
    let _ = fs::remove_file(&other);
    write(&other);
    fs::rename(&other, path).unwrap();
}
