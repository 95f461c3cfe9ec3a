//! `explain`, usage errors, the help text, SIGHUP and `demo`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use hyper::{Method, StatusCode};
use tempfile::TempDir;

use super::assert_says;
use crate::support::process::{finish, program, serve};
use crate::support::{Process, TOKEN, request};

/// Tokens that `explain` accepts: those in `ingest.tokens`, then those in `ingest.tokens_file`.
const TOKENS: &str = "Bearer swordfish-1,Basic swordfish-2";
const FILE: &str = "swordfish-3\n";

/// Arguments of `explain` and the output expected for them.
const EXPLAINED: &str = "
--peer 192.0.2.7 --authorization Bearer_swordfish-1 => peer    192.0.2.7 is not in ingest.trusted_proxies…client  192.0.2.7 (the peer itself)…admitted by `192.0.2.0/24` in ingest.allowed_sources…admitted by ingest.tokens, number 1…answer  200
--peer ::ffff:192.0.2.7 --authorization basic_swordfish-2 => client  192.0.2.7…`192.0.2.0/24`…ingest.tokens, number 2…answer  200
--peer 192.0.2.7 --authorization Bearer_swordfish-3 => ingest.tokens_file, number 1…answer  200
--peer 192.0.2.7 --forwarded-for 203.0.113.1 --authorization Bearer_swordfish-1 => ignored…the peer itself…answer  200
--peer 127.0.0.1 --forwarded-for 192.0.2.7 --authorization Bearer_swordfish-1 => peer    127.0.0.1 is in ingest.trusted_proxies: its X-Forwarded-For is trusted…client  192.0.2.7 (from X-Forwarded-For, the rightmost…`192.0.2.0/24`…answer  200
--peer ::1 --forwarded-for 192.0.2.7 --forwarded-for 203.0.113.1 => source  refused: 203.0.113.1 is not in ingest.allowed_sources…answer  403 source-not-allowed
--peer 127.0.0.1 --forwarded-for swordfish => source  refused: X-Forwarded-For has an entry that is not an IP address…answer  403
--peer 203.0.113.1 --authorization Bearer_swordfish-1 => source  refused: 203.0.113.1 is not in ingest.allowed_sources…answer  403
--peer 192.0.2.7 --authorization Bearer_swordfish-2 => token   refused: the Authorization header holds none of the accepted tokens…answer  401 unauthorized
--peer 192.0.2.7 --authorization swordfish-1 => token   refused: …answer  401
--peer 192.0.2.7 => token   refused: the request has no Authorization header…answer  401 unauthorized
";

#[test]
fn explain_names_the_rule_and_hides_tokens() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("more"), FILE).unwrap();
    for row in EXPLAINED.trim().lines() {
        let (arguments, pattern) = row.split_once(" => ").unwrap();
        let mut command = program();
        command
            .current_dir(folder.path())
            .arg("explain")
            .args(
                arguments
                    .split(' ')
                    .map(|argument| argument.replace('_', " ")),
            )
            .env(
                "GREEN_INBOX__INGEST__ALLOWED_SOURCES",
                "198.51.100.1,192.0.2.0/24",
            )
            .env("GREEN_INBOX__INGEST__TOKENS", TOKENS)
            .env("GREEN_INBOX__INGEST__TOKENS_FILE", "more");
        let output = finish(&mut command);
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{printed}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        assert_says(&printed, pattern);
        assert!(!printed.contains("swordfish"), "{printed}");
    }
}

#[test]
fn explain_reports_anonymous_admission() {
    for arguments in [&[][..], &["--authorization", "Bearer swordfish"]] {
        let mut command = program();
        command
            .args(["explain", "--peer", "46.101.109.139"])
            .args(arguments)
            .env("GREEN_INBOX__INGEST__ALLOW_ANONYMOUS", "true");
        let output = finish(&mut command);
        assert_eq!(output.status.code(), Some(0));
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_says(
            &printed,
            "`46.101.109.139`…admitted by ingest.allow_anonymous…answer  200",
        );
    }
}

#[test]
fn wrong_usage_exits_2_with_the_reason() {
    for (arguments, part) in [
        (&[][..], "Usage: green-inbox"),
        (&["begin"], "'begin'"),
        (&["serve", "--port", "80"], "'--port'"),
        (&["serve", "--config"], "--config <FILE>"),
        (&["explain"], "--peer <IP>"),
        (&["explain", "--peer", "somewhere"], "'somewhere'"),
        (
            &[
                "explain",
                "--peer",
                "192.0.2.1",
                "--authorization",
                "sword\nfish",
            ],
            "--authorization",
        ),
    ] {
        let output = finish(
            program()
                .args(arguments)
                .env("GREEN_INBOX__INGEST__TOKENS", "x"),
        );
        let printed = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {printed}");
        assert!(printed.contains(part), "{arguments:?}: {printed}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn version_and_help_go_to_stdout() {
    for (argument, parts) in [
        (
            "--version",
            &[concat!("green-inbox ", env!("CARGO_PKG_VERSION"))][..],
        ),
        (
            "--help",
            &[
                "GREEN-API",
                "serve",
                "check-config",
                "default-config",
                "explain",
                "healthcheck",
            ],
        ),
    ] {
        let output = finish(program().arg(argument));
        assert_eq!(output.status.code(), Some(0));
        assert!(output.stderr.is_empty());
        let printed = String::from_utf8(output.stdout).unwrap();
        for part in parts {
            assert!(printed.contains(part), "{part}: {printed}");
        }
    }
}

/// A server that reads its tokens from files, so that a test can change them.
struct WithFiles {
    folder: TempDir,
    process: Process,
}

impl WithFiles {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["webhook", "read"] {
            fs::write(folder.path().join(name), "old").unwrap();
        }
        let process = Process::spawn(
            serve(folder.path())
                .env_remove("GREEN_INBOX__INGEST__TOKENS")
                .env("GREEN_INBOX__INGEST__TOKENS_FILE", "webhook")
                .env("GREEN_INBOX__PRIVATE__TOKENS_FILE", "read"),
        );
        Self { folder, process }
    }

    /// The statuses that a token gets: for a webhook POST and for a GET of the events.
    async fn statuses(&self, token: &str) -> [StatusCode; 2] {
        let headers = [("authorization", token)];
        let (public, private) = (self.process.public, self.process.private);
        [
            request(public, Method::POST, "/webhook", &headers, "{}").await,
            request(private, Method::GET, "/api/v1/events", &headers, "").await,
        ]
        .map(|answer| answer.status)
    }

    /// Changes a token file, sends SIGHUP and waits for the next log line with this message.
    fn change(&self, file: &str, tokens: &str, message: &str) -> String {
        fs::write(self.folder.path().join(file), tokens).unwrap();
        self.reload(message)
    }

    /// Sends SIGHUP and waits for the next log line with this message.
    fn reload(&self, message: &str) -> String {
        let log = &self.process.log;
        let before = log.text().matches(message).count();
        self.process.signal("HUP");
        log.wait_for_nth(before, |line| line.contains(message))
    }
}

const ACCEPTED: StatusCode = StatusCode::OK;
const REFUSED: StatusCode = StatusCode::UNAUTHORIZED;

const RELOADED: &str = "configuration reloaded";
const NOT_RELOADED: &str = "configuration not reloaded; nothing has changed";

#[tokio::test]
async fn sighup_reloads_the_webhook_tokens() {
    let server = WithFiles::start();
    assert_eq!(server.statuses("Bearer old").await, [ACCEPTED, ACCEPTED]);
    assert_eq!(server.statuses("Bearer new").await, [REFUSED, REFUSED]);
    server.change("webhook", "new\nnewer\n", RELOADED);
    assert_eq!(server.statuses("Bearer old").await, [REFUSED, ACCEPTED]);
    assert_eq!(server.statuses("Bearer new").await, [ACCEPTED, REFUSED]);
    assert_eq!(server.statuses("Bearer newer").await, [ACCEPTED, REFUSED]);
}

#[tokio::test]
async fn sighup_reloads_the_private_tokens() {
    let server = WithFiles::start();
    server.change("read", "new", RELOADED);
    assert_eq!(server.statuses("Bearer old").await, [ACCEPTED, REFUSED]);
    assert_eq!(server.statuses("Bearer new").await, [REFUSED, ACCEPTED]);
}

#[tokio::test]
async fn unusable_token_file_changes_nothing_on_either_listener() {
    let mut server = WithFiles::start();
    fs::write(server.folder.path().join("read"), "new").unwrap();
    let line = server.change("webhook", "\n", NOT_RELOADED);
    assert!(line.contains("ingest.tokens_file: "), "{line}");
    assert_eq!(server.statuses("Bearer old").await, [ACCEPTED, ACCEPTED]);
    assert_eq!(server.statuses("Bearer new").await, [REFUSED, REFUSED]);
    server.change("webhook", "new", RELOADED);
    assert_eq!(server.statuses("Bearer new").await, [ACCEPTED, ACCEPTED]);
    server.process.signal("TERM");
    assert_eq!(server.process.wait().code(), Some(0));
}

#[tokio::test]
async fn sighup_refuses_private_tokens_that_startup_refuses() {
    let server = WithFiles::start();
    for refused in [
        "Basic bmV3",
        "\"new\"",
        "# new",
        "Authorization: Bearer new",
    ] {
        server.change("read", refused, NOT_RELOADED);
        assert_eq!(
            server.statuses("Bearer old").await[1],
            ACCEPTED,
            "{refused}"
        );
        assert_eq!(server.statuses("Basic bmV3").await[1], REFUSED, "{refused}");
        assert_eq!(server.statuses("Bearer new").await[1], REFUSED, "{refused}");
        // Restore a valid token file for the next iteration.
        server.change("read", "old", RELOADED);
    }
}

#[tokio::test]
async fn sighup_reads_the_configuration_file_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("config")).unwrap();
    let file = folder.path().join("config/green-inbox.toml");
    let write = |text: &str| fs::write(&file, text).unwrap();
    write("");
    fs::write(folder.path().join("webhook"), "old").unwrap();
    fs::write(folder.path().join("read"), "old").unwrap();
    let process = Process::spawn(&mut serve(folder.path()));
    let server = WithFiles { folder, process };
    write(
        "[log]\nlevel = \"debug\"\n[private]\nmax_connections = 7\n[ingest]\nignored_types = [\"note\"]\n",
    );
    let line = server.reload("only applied at the next start");
    assert!(line.contains("private.max_connections"), "{line}");
    let line = server.process.log.wait_for(|line| line.contains(RELOADED));
    assert!(line.contains("ingest.ignored_types, log.level"), "{line}");
    let (public, headers) = (server.process.public, [("authorization", TOKEN)]);
    let note = r#"{"typeWebhook":"note"}"#;
    request(public, Method::POST, "/webhook", &headers, note).await;
    server
        .process
        .log
        .wait_for(|line| line.contains("DEBUG") && line.contains("ignored"));
    write("[ingest]\nignored_type = []\n");
    let line = server.reload(NOT_RELOADED);
    assert!(
        line.contains("ignored_type") && line.contains("line 2"),
        "{line}"
    );
}

/// `demo` leaves no files behind when it ends by SIGTERM, SIGINT or SIGHUP.
#[test]
fn demo_removes_its_folder_on_every_signal() {
    for signal in ["TERM", "INT", "HUP"] {
        let folder = tempfile::tempdir().unwrap();
        let mut demo = program()
            .arg("demo")
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(demo.stdout.take().unwrap()).lines();
        let mut lines = lines.map(Result::unwrap);
        assert!(lines.any(|line| line.contains("The server runs until Ctrl-C")));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let sent = Command::new("kill")
            .args(["-s", signal, &demo.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        assert_eq!(demo.wait().unwrap().code(), Some(0), "{signal}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{signal}");
    }
}
