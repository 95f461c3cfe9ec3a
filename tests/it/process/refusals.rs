//! Refusals at startup: the exit code, and an error that names the key and the fix.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use rusqlite::Connection;
use tempfile::TempDir;

use super::assert_says;
use crate::support::process::{finish, serve};
use crate::support::{Process, get, post};

/// A token that must never be printed.
const SECRET: &str = "swordfish";

/// Runs `command`, asserts that it is refused with `code`, and returns its error text.
fn refused(command: &mut Command, code: i32) -> String {
    let output = finish(command);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(lines.len(), 2, "{error}");
    assert!(lines[0].starts_with("error: "), "{error}");
    assert!(lines[1].starts_with("  help: "), "{error}");
    assert!(!error.contains(SECRET), "{error}");
    error
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Environment variables, without their prefix, that are refused, each with its error.
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
INGEST__IGNORED_TYPES=deviceInfo, => ingest.ignored_types: `` is not a notification type
ALERTS__REPEAT_HOURS=0 => alerts.repeat_hours: 0 is out of range…1 to 24
ALERTS__FAILED_PER_HOUR=5000 => alerts.failed_per_hour: 5000 is too many…at most 1000
ALERTS__HEARTBEAT_URL=swordfish => alerts.heartbeat_url: it is not a usable URL…https://host/path
ALERTS__HEARTBEAT_URL=https://user:swordfish@host/ => alerts.heartbeat_url: it is not a usable URL
ALERTS__IGNORED_INSTANCES=many => GREEN_INBOX__ALERTS__IGNORED_INSTANCES: …whole numbers
GREEN_API__API_URL=http://api.example/ => green_api.api_url: `http://api.example` would get the token over plain HTTP…use https
GREEN_API__PARTNER_TOKEN_FILE=nowhere => green_api.partner_token_file: …`nowhere`…cannot be read
ACCOUNTS=1101000001 => GREEN_INBOX__ACCOUNTS: accounts: expected idInstance:apiTokenInstance
ACCOUNTS=swordfish:1101000001 => GREEN_INBOX__ACCOUNTS: accounts: expected idInstance:apiTokenInstance
ACCOUNTS=1101000001:sword/f => accounts: 1101000001: api_token has no token of this kind…as GREEN-API's console shows it
ACCOUNTS=1101000001:swordfish,1101000001:swordfish => accounts: 1101000001 is listed twice…once
LOG__LEVEL=loud => GREEN_INBOX__LOG__LEVEL: log.level: …`loud`…`debug`
LOG__FORMAT=xml => GREEN_INBOX__LOG__FORMAT: log.format: …`xml`…`json`
INGEST__TOKENZ=swordfish => GREEN_INBOX__INGEST__TOKENZ: ingest.tokenz: unknown…`tokens`
INJEST__TOKENS=swordfish => GREEN_INBOX__INJEST__TOKENS: injest: unknown…`ingest`
INGEST_TOKENS=swordfish => GREEN_INBOX__INGEST_TOKENS: not of the form GREEN_INBOX__SECTION__KEY
STORAGE__PATH=plain/inbox.db => storage.path: the folder `…plain` cannot be written…make the folder writable
STORAGE__PATH= => storage.path: `` is not a file path…data/green-inbox.db
STORAGE__MAX_BYTES=4096 => storage.max_bytes: 4096 is too small…at least 8388608, or 0
STORAGE__WHEN_FULL=drop-oldest => storage.when_full: `drop-oldest` needs a budget…set storage.max_bytes
STORAGE__WHEN_FULL=forget => GREEN_INBOX__STORAGE__WHEN_FULL: storage.when_full: …`drop-oldest`
STORAGE__RETENTION_DAYS=-1 => GREEN_INBOX__STORAGE__RETENTION_DAYS: …a whole number from 0
STORAGE__URL=swordfish => storage.url: it is not a usable URL of a PostgreSQL database…postgres://user:password@host
STORAGE__URL=postgres://ada:swordfish@one.example/ => storage.url: it is not a usable URL
STORAGE__URL_FILE=nowhere => storage.url_file: …`nowhere`
STORAGE__REQUIRE_STANDBY=true => storage.require_standby: it is about PostgreSQL, and storage.url is not set
STORAGE__NODE=one => storage.node: it is about PostgreSQL, and storage.url is not set
BACKUP__PATH= => backup.path: `` is not a file path…with its folder
BACKUP__MINUTES=0 => backup.minutes: 0 is not an interval…at least 1…leave out backup.path
STORAGE__PATH=/tmp => storage.path: `/tmp` is not a file path
";

#[test]
fn invalid_environment_settings_are_refused() {
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
        let error = refused(command.env(format!("GREEN_INBOX__{name}"), value), 2);
        assert_says(&error, pattern);
    }
}

/// A disk problem may be temporary, so it exits 1, not 2: a supervisor should retry.
#[test]
fn unwritable_folder_exits_1() {
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
        let error = refused(command.env("GREEN_INBOX__STORAGE__PATH", path), 1);
        assert_says(&error, pattern);
    }
}

#[test]
fn missing_tokens_are_refused() {
    let folder = folder();
    let error = refused(
        serve(folder.path()).env_remove("GREEN_INBOX__INGEST__TOKENS"),
        2,
    );
    assert_says(
        &error,
        "ingest.tokens: there is no token…webhookUrlToken…ingest.allow_anonymous = true",
    );
}

/// Configuration files (`\n` starts a new line) that are refused, each with its error.
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
[ingest]\ntokens = ["x"]\n[storage]\nurl = "postgres://ada:swordfish@one.example/inbox"\nstrip_thumbnails_days = 3\n => storage.strip_thumbnails_days: it does not work with storage.url:…drop this key on the nodes
[ingest]\ntokens = ["x"]\n[storage]\nurl = "postgres://ada:swordfish@one.example/inbox"\nmax_bytes = 50000000\nwhen_full = "drop-oldest"\n => storage.when_full: it does not work with storage.url:…drop this key on the nodes
[ingest]\ntokens = ["x"]\n[storage]\nurl = "postgres://ada:swordfish@one.example/inbox"\nurl_file = "nowhere"\n => storage.url: storage.url and storage.url_file are both set…drop one
[ingest]\npath = /a\n => my.toml, line 2, column 8: string values must be quoted
"#;

#[test]
fn invalid_file_settings_are_refused() {
    let folder = folder();
    for row in FILES.trim().lines() {
        let (text, pattern) = row.split_once(" => ").unwrap();
        let text = text.replace("\\n", "\n");
        fs::write(folder.path().join("my.toml"), text).unwrap();
        let error = refused(
            serve(folder.path())
                .args(["--config", "my.toml"])
                .env_remove("GREEN_INBOX__INGEST__TOKENS")
                .env_remove("GREEN_INBOX__INGEST__ALLOWED_SOURCES"),
            2,
        );
        assert_says(&error, pattern);
    }
}

#[test]
fn unreadable_config_file_is_refused() {
    let folder = folder();
    for name in ["nowhere.toml", "."] {
        let error = refused(serve(folder.path()).args(["--config", name]), 2);
        assert_says(
            &error,
            &format!("`{name}` cannot be read…--config…default-config >"),
        );
    }
    fs::write(folder.path().join("latin.toml"), b"# caf\xe9\n").unwrap();
    let error = refused(serve(folder.path()).args(["--config", "latin.toml"]), 2);
    assert_says(&error, "`latin.toml` cannot be read…UTF-8");
}

#[test]
fn foreign_database_is_refused_and_not_changed() {
    let folder = folder();
    let path = folder.path().join("inbox.db");
    let foreign = Connection::open(&path).unwrap();
    // Same auto_vacuum as green-inbox, so that only the application id tells the files apart.
    foreign
        .execute_batch("PRAGMA auto_vacuum = INCREMENTAL; CREATE TABLE recipe (name TEXT) STRICT;")
        .unwrap();
    drop(foreign);
    let before = fs::read(&path).unwrap();
    let error = refused(&mut serve(folder.path()), 2);
    assert_says(
        &error,
        "storage.path: `…inbox.db` is not a database of green-inbox…another path",
    );
    assert!(fs::read(&path).unwrap() == before, "the file was changed");

    fs::write(&path, "a shopping list. ".repeat(1000)).unwrap();
    let error = refused(&mut serve(folder.path()), 2);
    assert_says(
        &error,
        "storage.path: `…inbox.db` is not a database of green-inbox",
    );
}

#[test]
fn newer_schema_is_refused() {
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
    let error = refused(&mut serve(folder.path()), 2);
    assert_says(
        &error,
        "storage.path: `…newer green-inbox (schema 9999)…run the version that wrote it",
    );
}

#[test]
fn port_in_use_exits_1_and_creates_no_database() {
    let folder = folder();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (variable, key) in [
        ("GREEN_INBOX__INGEST__LISTEN", "ingest.listen"),
        ("GREEN_INBOX__PRIVATE__LISTEN", "private.listen"),
    ] {
        let error = refused(serve(folder.path()).env(variable, &address), 1);
        assert_says(
            &error,
            &format!("{key}: …{address}: …stop the program that listens there"),
        );
    }
    assert!(
        !folder.path().join("inbox.db").exists(),
        "a database was created"
    );
}

#[tokio::test]
async fn second_server_is_refused_and_the_first_keeps_working() {
    let folder = folder();
    let process = Process::start(folder.path());
    let error = refused(&mut serve(folder.path()), 1);
    assert_says(
        &error,
        "storage.path: `…inbox.db` is in use by another green-inbox…stop the other",
    );

    let body = r#"{"typeWebhook":"newKind","note":"the first one still works"}"#;
    assert_eq!(post(process.public, body).await.json()["seq"], 1);
    let stored = get(process.private, "/api/v1/events/1/body").await;
    assert_eq!(stored.body, body);
}
