//! SIGHUP: alerts and retention change while the program runs, all of it or nothing.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::Method;
use hyper::body::Bytes;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::support::process::{PATIENCE, serve};
use crate::support::said::{self, NOON};
use crate::support::{Connection, Process, Sink, TOKEN, get, next_look, post, request};

const RELOADED: &str = "configuration reloaded";
const NOT_RELOADED: &str = "configuration not reloaded; nothing has changed";

/// Bytes of the smallest budget.
const BUDGET: u64 = 8 * 1024 * 1024;

/// A server with a configuration file.
struct Server {
    folder: TempDir,
    process: Process,
}

impl Server {
    fn start(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("config")).unwrap();
        write(folder.path(), text);
        let process = Process::spawn(&mut serve(folder.path()));
        Self { folder, process }
    }

    /// Writes the file, sends SIGHUP and returns the next log line with this message.
    fn reload(&self, text: &str, message: &str) -> String {
        write(self.folder.path(), text);
        let log = &self.process.log;
        let before = log.text().matches(message).count();
        self.process.signal("HUP");
        log.wait_for_nth(before, |line| line.contains(message))
    }

    async fn knock(&self) {
        let headers = [("authorization", "Bearer swordfish")];
        let public = self.process.public;
        let answer = request(public, Method::POST, "/webhook", &headers, "{}").await;
        assert_eq!(answer.status, 401);
    }

    /// The status that a notification gets.
    async fn status(&self, body: impl Into<Bytes>) -> u16 {
        post(self.process.public, body).await.status.as_u16()
    }

    /// Posts a notification of an unknown type, and waits until `sink` hears of it. Whatever was due before it has
    /// arrived too.
    async fn raise(&self, sink: &Sink, kind: &str) {
        let body = json!({ "typeWebhook": kind }).to_string();
        assert_eq!(self.status(body).await, 200);
        sink.wait_for(|request| request.json()["subject"] == kind)
            .await;
    }

    /// Waits until notifications get this status.
    async fn until_status(&self, wanted: u16) {
        let wait = async {
            for number in 0.. {
                let body = format!(r#"{{"typeWebhook":"status{wanted}","number":{number}}}"#);
                if self.status(body).await == wanted {
                    return;
                }
                next_look().await;
            }
        };
        let reached = tokio::time::timeout(PATIENCE, wait).await;
        assert!(reached.is_ok(), "the status is never {wanted}");
    }

    async fn stats(&self) -> Value {
        get(self.process.private, "/api/v1/stats").await.json()
    }

    /// Bytes of the database, the projection and their WALs.
    fn files(&self) -> u64 {
        let all = fs::read_dir(self.folder.path()).unwrap();
        let sizes = all.filter_map(|file| file.unwrap().metadata().ok());
        sizes
            .filter(std::fs::Metadata::is_file)
            .map(|file| file.len())
            .sum()
    }
}

fn write(folder: &Path, text: &str) {
    fs::write(folder.join("config/green-inbox.toml"), text).unwrap();
}

/// A destination at the stand-in, with further keys.
fn to(sink: &Sink, more: &str) -> String {
    let url = sink.url("/alerts");
    format!("[[alerts.to]]\nkind = \"webhook\"\nurl = \"{url}\"\n{more}\n")
}

/// A text message with a text of 16 KiB.
fn large(number: usize) -> String {
    let text = format!("{number} {}", "~".repeat(16 * 1024));
    said::text(&format!("L{number}"), NOON, &text).to_string()
}

const QUIET: &str = "[alerts]\nheartbeat_hours = 0\n";

#[tokio::test]
async fn reloaded_destinations_are_told_and_the_remaining_ones_not_again() {
    let (first, second) = (Sink::start().await, Sink::start().await);
    let server = Server::start(&format!("{QUIET}{}", to(&first, "")));
    server.knock().await;
    first.alerts("token-rejected", "firing", 1).await;

    // Added.
    let both = format!("{QUIET}{}{}", to(&first, ""), to(&second, ""));
    let line = server.reload(&both, RELOADED);
    assert!(line.contains("alerts.to"), "{line}");
    second.alerts("token-rejected", "firing", 1).await;
    server.raise(&first, "newKind1").await;

    // Changed: the first one is signed from now on.
    let secret = server.folder.path().join("secret");
    fs::write(
        &secret,
        "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    )
    .unwrap();
    let signed = to(&first, "secret_file = \"secret\"");
    server.reload(&format!("{QUIET}{signed}{}", to(&second, "")), RELOADED);
    server.raise(&first, "newKind2").await;
    let last = first.received().pop().unwrap();
    assert!(last.headers.contains_key("webhook-signature"), "{last:?}");

    // Removed.
    server.reload(&format!("{QUIET}{}", to(&second, "")), RELOADED);
    let before = first.received().len();
    server.raise(&second, "newKind3").await;
    server.raise(&second, "newKind4").await;
    assert_eq!(first.received().len(), before);
    for sink in [&first, &second] {
        assert_eq!(sink.count("token-rejected", "firing"), 1);
    }

    // The next start goes on from what the remaining destination was told.
    let Server {
        folder,
        mut process,
    } = server;
    process.signal("TERM");
    assert_eq!(process.wait().code(), Some(0));
    let process = Process::spawn(&mut serve(folder.path()));
    let server = Server { folder, process };
    server.raise(&second, "newKind5").await;
    assert_eq!(second.count("token-rejected", "firing"), 1);
}

#[tokio::test]
async fn reloaded_alert_settings_apply_at_once() {
    let sink = Sink::start().await;
    let server = Server::start(&format!("{QUIET}{}", to(&sink, "")));
    let marker = |id: &str| said::text(id, NOON, "{{SWE001}}").to_string();
    assert_eq!(server.status(marker("A1")).await, 200);
    let alert = sink.alert("message-marker", "firing").await;
    assert!(!alert.to_string().contains(said::CHAT), "{alert}");
    assert_eq!(sink.count("heartbeat", "resolved"), 0);

    let url = sink.url("/alive");
    let settings = format!(
        "[alerts]\ninclude_text = true\nheartbeat_url = \"{url}\"\nignored_instances = [{}]\n{}",
        said::INSTANCE + 1,
        to(&sink, "")
    );
    let line = server.reload(&settings, RELOADED);
    for key in [
        "heartbeat_hours",
        "heartbeat_url",
        "ignored_instances",
        "include_text",
    ] {
        assert!(line.contains(&format!("alerts.{key}")), "{key}: {line}");
    }
    sink.alert("heartbeat", "resolved").await;
    sink.wait_for(|request| request.path == "/alive").await;
    let marker = |of, id: &str| said::of(of, said::text(id, NOON, "{{SWE003}}")).to_string();
    assert_eq!(server.status(marker(said::INSTANCE + 1, "B1")).await, 200);
    assert_eq!(server.status(marker(said::INSTANCE, "A2")).await, 200);
    let is_second =
        |request: &crate::support::sink::Received| request.json()["subject"] == "SWE003";
    let alert = sink.wait_for(is_second).await.json();
    assert_eq!(alert["idInstance"], said::INSTANCE);
    assert!(alert.to_string().contains(said::CHAT), "{alert}");
}

#[tokio::test]
async fn reloaded_disk_reserve_refuses_and_admits() {
    let server = Server::start("");
    server.until_status(200).await;
    server.reload(
        "[storage]\nmin_free_bytes = 1152921504606846976\n",
        RELOADED,
    );
    server.until_status(503).await;
    let line = server.reload("[storage]\nmin_free_bytes = 0\n", RELOADED);
    assert!(line.contains("storage.min_free_bytes"), "{line}");
    server.until_status(200).await;
}

#[tokio::test]
async fn reloaded_budget_shrinks_the_files_of_before() {
    // The texts would shrink to nothing.
    let plain = "[storage]\ncompression = \"none\"\n";
    let server = Server::start(plain);
    // More than the new budget, most of it still in a WAL that no budget has kept small.
    for number in 0..1000 {
        assert_eq!(server.status(large(number)).await, 200);
    }
    assert!(server.files() > 2 * BUDGET, "{}", server.files());
    let budget = format!("{plain}max_bytes = {BUDGET}\n");
    server.reload(&budget, RELOADED);
    server.until_status(503).await;
    assert_eq!(server.stats().await["oldestSeq"], 1, "nothing is deleted");

    let drops = format!("{budget}when_full = \"drop-oldest\"\n");
    let line = server.reload(&drops, RELOADED);
    assert!(line.contains("storage.when_full"), "{line}");
    let shrinks = async {
        while server.files() > BUDGET {
            next_look().await;
        }
    };
    let shrunk = tokio::time::timeout(PATIENCE, shrinks).await;
    assert!(shrunk.is_ok(), "{} bytes are left", server.files());
    server.until_status(200).await;
    assert!(server.stats().await["oldestSeq"].as_i64().unwrap() > 1);
}

#[tokio::test]
async fn bad_file_changes_nothing_and_the_log_says_what_is_wrong() {
    let (first, second) = (Sink::start().await, Sink::start().await);
    let server = Server::start(&format!("{QUIET}{}", to(&first, "")));
    server.knock().await;
    first.alerts("token-rejected", "firing", 1).await;
    let good = format!("{QUIET}{}", to(&second, ""));
    let refuse = "[storage]\nmin_free_bytes = 1152921504606846976\n";
    let second_bad = to(&second, "secret_file = \"missing\"");
    for (wrong, named) in [
        (
            format!("{good}{refuse}max_bytes = 5\n"),
            "storage.max_bytes",
        ),
        (
            format!("{good}{refuse}when_full = \"drop-oldest\"\n"),
            "storage.when_full",
        ),
        (format!("{good}{refuse}when_full = \"drop\"\n"), "when_full"),
        (format!("{QUIET}{second_bad}{refuse}"), "secret_file"),
        (
            format!("[alerts]\nrepeat_hours = 0\n{}{refuse}", to(&second, "")),
            "alerts.repeat_hours",
        ),
        (format!("{good}{refuse}max_byte = 0\n"), "max_byte"),
    ] {
        let line = server.reload(&wrong, NOT_RELOADED);
        assert!(
            line.contains(named) && line.contains("ERROR"),
            "{named}: {line}"
        );
    }
    server.raise(&first, "newKind").await;
    assert!(second.received().is_empty(), "{:?}", second.received());
    first.alert("token-file-unreadable", "firing").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundred_reloads_under_load_fail_no_request() {
    const CONNECTIONS: usize = 8;
    const RELOADS: usize = 100;
    let sink = Sink::start().await;
    let folder = tempfile::tempdir().unwrap();
    let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    fs::create_dir(folder.path().join("config")).unwrap();
    let good = |number: usize| {
        let budget = [0, 1 << 30, 1 << 29][number % 3];
        let destination = if number.is_multiple_of(2) {
            to(&sink, "")
        } else {
            String::new()
        };
        format!(
            "[ingest]\ntokens = [\"{TOKEN}\", \"Bearer other-{number}\"]\n\
             ignored_types = [\"note{number}\"]\n[log]\nlevel = \"error\"\n\
             [storage]\nmax_bytes = {budget}\nretention_days = {}\n{QUIET}{destination}",
            number % 5
        )
    };
    // Applied in part, each of these would refuse the load.
    let bad = |number: usize| {
        let wrong = [
            "[storage]\nmax_bytes = 5\n",
            "[alerts]\nrepeat_hours = 99\n",
        ][number % 2];
        format!("[ingest]\ntokens = [\"Bearer swordfish\"]\n{wrong}")
    };
    write(folder.path(), &good(0).replace("\"error\"", "\"info\""));
    let mut command = serve(folder.path());
    command
        .env_remove("GREEN_INBOX__INGEST__TOKENS")
        .env("NOTIFY_SOCKET", folder.path().join("notify"));
    let mut process = Process::spawn(&mut command);
    let is_done = Arc::new(AtomicBool::new(false));
    let mut load = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let (public, is_done) = (process.public, Arc::clone(&is_done));
        load.spawn(async move {
            let mut client = Connection::open(public).await.unwrap();
            let mut answered = 0;
            while !is_done.load(Ordering::SeqCst) {
                let body = said::text(&format!("{connection}-{answered}"), NOON, "Good morning");
                let answer = client.post(body.to_string().into()).await.unwrap();
                assert_eq!(answer.status, 200, "{answer:?}");
                answered += 1;
            }
            answered
        });
    }
    // The program is ready again when a reload is over.
    let is_ready = || {
        let mut bytes = [0; 256];
        let length = socket.recv(&mut bytes).unwrap();
        bytes[..length].starts_with(b"READY=1")
    };
    while !is_ready() {}
    let mut refused = 0;
    for number in 1..=RELOADS {
        let is_bad = number.is_multiple_of(10);
        refused += usize::from(is_bad);
        write(
            folder.path(),
            &if is_bad { bad(refused) } else { good(number) },
        );
        process.signal("HUP");
        while !is_ready() {}
    }
    is_done.store(true, Ordering::SeqCst);
    let answered: Vec<usize> = load.join_all().await;
    assert!(answered.iter().all(|count| *count > 0), "{answered:?}");
    let stats = get(process.private, "/api/v1/stats").await.json();
    assert_eq!(
        stats["newestSeq"],
        answered.iter().sum::<usize>(),
        "{stats}"
    );
    process.signal("TERM");
    assert_eq!(process.wait().code(), Some(0));
    let log = process.log.text();
    assert_eq!(log.matches(NOT_RELOADED).count(), refused, "{log}");
    assert_eq!(log.matches("\"ERROR\"").count(), refused, "{log}");
}
