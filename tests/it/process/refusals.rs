//! What is refused at start: the exit code, and a message that names the key and the fix.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use rusqlite::Connection;
use tempfile::TempDir;

use super::assert_says;
use crate::support::process::{finish, serve};
use crate::support::{Process, get, post};

/// A token that must never be shown.
const SECRET: &str = "swordfish";

/// Runs `command`, which has to be refused with `code`, and gives what it said.
fn refused(command: &mut Command, code: i32) -> String {
    let output = finish(command);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].starts_with("error: "), "{said}");
    assert!(lines[1].starts_with("  help: "), "{said}");
    assert!(!said.contains(SECRET), "{said}");
    said
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Variables, less their prefix, that are refused, each with what is said.
const ENVIRONMENT: &str = "
INGEST__TOKENS= => ingest.tokens: a token is empty…allow_anonymous
INGEST__TOKENS=Bearer  => ingest.tokens: a token is empty
INGEST__TOKENS=swordfish,, => ingest.tokens: a token is empty
INGEST__TOKENS=swordfishé => ingest.tokens: …printable ASCII
INGEST__TOKENS_FILE=nowhere => ingest.tokens_file: …`nowhere`…No such file…one token a line
INGEST__TOKENS_FILE=no_token => ingest.tokens_file: …`no_token` has no token…drop the key
INGEST__TOKENS_FILE=empty_token => ingest.tokens_file: a token is empty (line 2 of `empty_token`)
INGEST__TOKENS_FILE=quoted => ingest.tokens_file: a token has quotes around it (line 3 of `quoted`)…without quotes
INGEST__TOKENS_FILE=header => ingest.tokens_file: a token begins with the name of the header (line 1 of `header`)
INGEST__TOKENS_FILE=comments => ingest.tokens_file: …`comments` has no token
INGEST__TOKENS='Bearer swordfish' => ingest.tokens: a token has quotes around it
PRIVATE__TOKENS_FILE=basic => private.tokens: …Basic…Bearer tokens
PRIVATE__TOKENS= => private.tokens: a token is empty
PRIVATE__TOKENS=Basic c3dvcmRmaXNo => private.tokens: …Basic…Bearer tokens
PRIVATE__TOKENS_FILE=nowhere => private.tokens_file: …`nowhere`
PRIVATE__LISTEN=0.0.0.0:0 => private.listen: 0.0.0.0:0 is not loopback…private.tokens
PRIVATE__LISTEN=[::]:0 => private.listen: [::]:0 is not loopback
INGEST__ALLOWED_SOURCES= => GREEN_INBOX__INGEST__ALLOWED_SOURCES: ingest.allowed_sources[0]: an entry is empty
INGEST__ALLOWED_SOURCES=192.0.2.1,192.0.2.0/40 => GREEN_INBOX__INGEST__ALLOWED_SOURCES: ingest.allowed_sources[1]: `192.0.2.0/40` is neither…default-config
INGEST__TRUSTED_PROXIES=proxy => GREEN_INBOX__INGEST__TRUSTED_PROXIES: ingest.trusted_proxies[0]: `proxy` is neither
INGEST__PATH=hook => ingest.path: `hook`…begin with a slash
INGEST__PATH=/{hook} => ingest.path: `/{hook}`
INGEST__LISTEN=localhost:8080 => GREEN_INBOX__INGEST__LISTEN: ingest.listen: …as 127.0.0.1:8080
INGEST__ALLOW_ANONYMOUS=perhaps => GREEN_INBOX__INGEST__ALLOW_ANONYMOUS: …true or false
INGEST__MAX_CONNECTIONS=many => GREEN_INBOX__INGEST__MAX_CONNECTIONS: …a whole number
INGEST__MAX_CONNECTIONS=-1 => GREEN_INBOX__INGEST__MAX_CONNECTIONS: …a whole number from 0
INGEST__MAX_CONNECTIONS=0 => ingest.max_connections: 0 is too small…at least 1
INGEST__BODY_LIMIT_BYTES=100000000 => ingest.body_memory_bytes: 67108864 is too small…at least 100000000
INGEST__IGNORED_TYPES=deviceInfo, => ingest.ignored_types: `` names no type
LOG__LEVEL=loud => GREEN_INBOX__LOG__LEVEL: log.level: …`loud`…`debug`
LOG__FORMAT=xml => GREEN_INBOX__LOG__FORMAT: log.format: …`xml`…`json`
INGEST__TOKENZ=swordfish => GREEN_INBOX__INGEST__TOKENZ: ingest.tokenz: unknown…`tokens`
INJEST__TOKENS=swordfish => GREEN_INBOX__INJEST__TOKENS: injest: unknown…`ingest`
INGEST_TOKENS=swordfish => GREEN_INBOX__INGEST_TOKENS: not of the form GREEN_INBOX__SECTION__KEY
STORAGE__PATH=plain/inbox.db => storage.path: the folder `…plain` cannot be written…make the folder writable
STORAGE__PATH= => storage.path: `` is not the path of a file…data/green-inbox.db
STORAGE__MAX_BYTES=4096 => storage.max_bytes: 4096 is too small…at least 1048576, or 0
STORAGE__PATH=/tmp => storage.path: `/tmp` is not the path of a file
";

#[test]
fn settings_of_the_environment() {
    let folder = folder();
    fs::write(folder.path().join("plain"), "a file").unwrap();
    fs::write(folder.path().join("no_token"), " \n\n").unwrap();
    fs::write(folder.path().join("empty_token"), "swordfish\nBearer \n").unwrap();
    fs::write(folder.path().join("quoted"), "# ours\n\n\"swordfish\"\n").unwrap();
    fs::write(
        folder.path().join("header"),
        "authorization: Bearer swordfish\n",
    )
    .unwrap();
    fs::write(
        folder.path().join("comments"),
        "# Bearer swordfish\n \n  # more\n",
    )
    .unwrap();
    fs::write(folder.path().join("basic"), "Basic c3dvcmRmaXNo\n").unwrap();
    for row in ENVIRONMENT.trim().lines() {
        let (variable, pattern) = row.split_once(" => ").unwrap();
        let (name, value) = variable.split_once('=').unwrap();
        let mut command = serve(folder.path());
        let said = refused(command.env(format!("GREEN_INBOX__{name}"), value), 2);
        assert_says(&said, pattern);
    }
}

/// What may pass by itself is no fault of the configuration: a supervisor tries again.
#[test]
fn disk_that_cannot_be_written_exits_1() {
    for (path, pattern) in [
        (
            "/proc/inbox/inbox.db",
            "storage.path: the folder `/proc/inbox` cannot be written",
        ),
        (
            "/proc/inbox.db",
            "storage.path: the folder `/proc` cannot be written",
        ),
    ] {
        let folder = folder();
        let mut command = serve(folder.path());
        let said = refused(command.env("GREEN_INBOX__STORAGE__PATH", path), 1);
        assert_says(&said, pattern);
    }
}

#[test]
fn no_token_at_all() {
    let folder = folder();
    let said = refused(
        serve(folder.path()).env_remove("GREEN_INBOX__INGEST__TOKENS"),
        2,
    );
    assert_says(
        &said,
        "ingest.tokens: there is no token…webhookUrlToken…ingest.allow_anonymous = true",
    );
}

/// Files (`\n` begins a line) that are refused, each with what is said.
const FILES: &str = r#"
[ingest]\nallow_anonymous = false\n => ingest.tokens: there is no token
[ingest]\ntokens = []\n => ingest.tokens: there is no token
[ingest]\ntokens = ["swordfish", ""]\n => ingest.tokens: a token is empty
[ingest]\ntokens = ["swordfish", "Bearer"]\n => ingest.tokens: a token is empty
[ingest]\ntokens = "swordfish"\n => my.toml, line 2, column 10: ingest.tokens: expected a list of strings
[ingest]\ntokens = ["x", ["swordfish"]]\n => my.toml, line 2, column 16: ingest.tokens[1]: expected a list of strings
[private]\ntokens = "swordfish"\n => my.toml, line 2, column 10: private.tokens: expected a list of strings
[ingest]\nallowed_sources = []\n => ingest.allowed_sources: the list is empty…drop the key
[ingest]\ntrusted_proxies = []\n => ingest.trusted_proxies: the list is empty…drop the key
[ingest]\nallowed_sources = [\n  "192.0.2.1",\n  "somewhere",\n]\n => my.toml, line …ingest.allowed_sources[1]: `somewhere` is neither
[ingest]\ntokenz = ["swordfish"]\n => my.toml, line 2, column 1: ingest.tokenz: unknown…`tokens`
\n[injest]\ntokens = ["swordfish"]\n => my.toml, line 2, column 2: injest: unknown…`ingest`
ingest = 5\n => my.toml, line 1, column 10: ingest: …a section
[ingest]\nlisten = 8080\n => my.toml, line 2, column 10: ingest.listen: …as 127.0.0.1:8080
[ingest]\n\n  max_connections = "many"\n => my.toml, line 3, column 21: ingest.max_connections: …"many"…a whole number
[ingest]\nallow_anonymous = "yes"\n => my.toml, line 2, column 19: ingest.allow_anonymous: …a boolean
[storage]\npath = 5\n => my.toml, line 2, column 8: storage.path: …expected path
[log]\nlevel = "loud"\n => my.toml, line 2, column 9: log.level: …`loud`
[ingest]\ntokens = ["swordfish"\npath = "/hook"\n => my.toml, line 3, column 
[ingest]\ntokens = ["swordfish]\n => my.toml, line 2, column 
[ingest]\npath = "/a"\npath = "/b"\n => my.toml, line 3, column 1: duplicate key
[ingest]\npath = /a\n => my.toml, line 2, column 8: string values must be quoted
"#;

#[test]
fn settings_of_the_file() {
    let folder = folder();
    for row in FILES.trim().lines() {
        let (text, pattern) = row.split_once(" => ").unwrap();
        let text = text.replace("\\n", "\n");
        fs::write(folder.path().join("my.toml"), text).unwrap();
        let said = refused(
            serve(folder.path())
                .args(["--config", "my.toml"])
                .env_remove("GREEN_INBOX__INGEST__TOKENS")
                .env_remove("GREEN_INBOX__INGEST__ALLOWED_SOURCES"),
            2,
        );
        assert_says(&said, pattern);
    }
}

#[test]
fn a_file_that_cannot_be_read() {
    let folder = folder();
    for name in ["nowhere.toml", "."] {
        let said = refused(serve(folder.path()).args(["--config", name]), 2);
        assert_says(
            &said,
            &format!("`{name}` cannot be read…--config…default-config >"),
        );
    }
    fs::write(folder.path().join("latin.toml"), b"# caf\xe9\n").unwrap();
    let said = refused(serve(folder.path()).args(["--config", "latin.toml"]), 2);
    assert_says(&said, "`latin.toml` cannot be read…UTF-8");
}

#[test]
fn a_file_that_is_not_a_database_of_ours() {
    let folder = folder();
    let path = folder.path().join("inbox.db");
    let foreign = Connection::open(&path).unwrap();
    // As ours is set, so that nothing but the mark tells them apart.
    foreign
        .execute_batch("PRAGMA auto_vacuum = INCREMENTAL; CREATE TABLE recipe (name TEXT) STRICT;")
        .unwrap();
    drop(foreign);
    let before = fs::read(&path).unwrap();
    let said = refused(&mut serve(folder.path()), 2);
    assert_says(
        &said,
        "storage.path: `…inbox.db` is not a database of green-inbox…another path",
    );
    assert!(fs::read(&path).unwrap() == before, "it was changed");

    fs::write(&path, "a shopping list. ".repeat(1000)).unwrap();
    let said = refused(&mut serve(folder.path()), 2);
    assert_says(
        &said,
        "storage.path: `…inbox.db` is not a database of green-inbox",
    );
}

#[test]
fn a_database_of_a_newer_version() {
    let folder = folder();
    let mut process = Process::start(folder.path());
    process.signal("TERM");
    assert!(process.wait().success());
    let database = Connection::open(folder.path().join("inbox.db")).unwrap();
    database
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'from the future', TRUE, x'00', 0)",
            [],
        )
        .unwrap();
    drop(database);
    let said = refused(&mut serve(folder.path()), 2);
    assert_says(
        &said,
        "storage.path: `…newer green-inbox (schema 9999)…run the version that wrote it",
    );
}

#[test]
fn a_port_that_is_taken() {
    let folder = folder();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (variable, key) in [
        ("GREEN_INBOX__INGEST__LISTEN", "ingest.listen"),
        ("GREEN_INBOX__PRIVATE__LISTEN", "private.listen"),
    ] {
        let said = refused(serve(folder.path()).env(variable, &address), 1);
        assert_says(&said, &format!("{key}: {address} …stop what listens there"));
    }
    assert!(
        !folder.path().join("inbox.db").exists(),
        "nothing was touched"
    );
}

#[tokio::test]
async fn a_second_server_on_the_same_database() {
    let folder = folder();
    let process = Process::start(folder.path());
    let said = refused(&mut serve(folder.path()), 1);
    assert_says(
        &said,
        "storage.path: `…inbox.db` is in use by another green-inbox…stop the other",
    );

    let body = r#"{"typeWebhook":"newKind","note":"the first one still works"}"#;
    assert_eq!(post(process.public, body).await.json()["seq"], 1);
    let stored = get(process.private, "/api/v1/events/1/body").await;
    assert_eq!(stored.body, body);
}
