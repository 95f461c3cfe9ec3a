//! Sources of settings and their precedence, `check-config` and `default-config`.

use std::fs;
use std::path::Path;

use toml::{Table, Value};

use crate::support::process::{finish, program, serve};
use crate::support::{Process, post, request};

/// Each row: a key, its value in the file, and its value in the environment.
const SETTINGS: &str = r#"
ingest.listen = "127.0.0.1:81" < "[::1]:82"
ingest.path = "/file" < "/0123"
ingest.allowed_sources = ["192.0.2.1"] < ["192.0.2.2", "2001:db8::/32"]
ingest.trusted_proxies = ["192.0.2.3", "192.0.2.4"] < ["192.0.2.5"]
ingest.tokens_file = "file" < "12"
ingest.allow_anonymous = true < false
ingest.body_limit_bytes = 2048 < 4096
ingest.body_memory_bytes = 4000 < 5000
ingest.max_waiting = 5 < 6
ingest.ignored_types = ["deviceInfo"] < ["true", "7", "1e3"]
private.listen = "127.0.0.1:83" < "127.0.0.1:84"
private.max_connections = 7 < 8
private.answer_memory_bytes = 9000000 < 10000000
private.mcp_hosts = ["a.example"] < ["b.example", "c.example"]
storage.path = "file.db" < "true"
storage.max_bytes = 0 < 50000000
storage.compression = "none" < "zstd"
backup.path = "file-copy.db" < "1e3"
backup.minutes = 7 < 1
backup.before_migration = false < true
alerts.heartbeat_hours = 12 < 0
alerts.heartbeat_url = "https://a.example" < "https://b.example"
alerts.silence_hours = 1 < 2
alerts.delivery_lag_minutes = 3 < 4
alerts.failed_per_hour = 5 < 6
alerts.repeat_hours = 7 < 8
alerts.include_text = true < false
alerts.ignored_instances = [1101000001] < [1101000002, 1101000003]
green_api.api_url = "https://a.example" < "https://b.example"
log.level = "warn" < "debug"
log.format = "text" < "json"
"#;

/// Runs `check-config` in `folder`, asserts success, and returns the configuration it printed.
fn checked(folder: &Path, arguments: &[&str], environment: &[(String, String)]) -> Table {
    let mut command = program();
    command
        .current_dir(folder)
        .arg("check-config")
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)));
    let output = finish(&mut command);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().parse().unwrap()
}

/// The environment variable that sets `key`.
fn variable(key: &str, value: &str) -> (String, String) {
    let name = key.replace('.', "__").to_uppercase();
    (format!("GREEN_INBOX__{name}"), value.to_owned())
}

/// A TOML value in the form used in an environment variable.
fn in_environment_form(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items
            .iter()
            .map(in_environment_form)
            .collect::<Vec<_>>()
            .join(","),
        other => other.to_string(),
    }
}

#[test]
fn default_file_matches_the_built_in_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let printed = finish(program().arg("default-config"));
    assert_eq!(printed.status.code(), Some(0));
    fs::write(folder.path().join("default.toml"), printed.stdout).unwrap();
    let token = [variable("ingest.tokens", "x")];
    let built_in = checked(folder.path(), &[], &token);
    let from_file = checked(folder.path(), &["--config", "default.toml"], &token);
    assert_eq!(built_in, from_file);
    assert_eq!(built_in["ingest"]["path"].as_str(), Some("/webhook"));
}

#[test]
fn environment_overrides_file_and_file_overrides_default() {
    let folder = tempfile::tempdir().unwrap();
    let (mut in_file, mut in_environment) = (String::new(), Vec::new());
    let (mut of_file, mut of_environment) = (Vec::new(), Vec::new());
    for row in SETTINGS.trim().lines() {
        let (key, values) = row.split_once(" = ").unwrap();
        let (file, environment) = values.split_once(" < ").unwrap();
        in_file.extend([key, " = ", file, "\n"]);
        let environment: Value = environment.parse().unwrap();
        in_environment.push(variable(key, &in_environment_form(&environment)));
        of_file.push((key, file.parse::<Value>().unwrap()));
        of_environment.push((key, environment));
    }
    fs::create_dir(folder.path().join("config")).unwrap();
    fs::write(folder.path().join("config/green-inbox.toml"), &in_file).unwrap();
    fs::write(folder.path().join("mine.toml"), &in_file).unwrap();
    for tokens in ["file", "12"] {
        fs::write(folder.path().join(tokens), "x").unwrap();
    }

    let elsewhere = tempfile::tempdir().unwrap();
    let default = checked(elsewhere.path(), &[], &[variable("ingest.tokens", "x")]);
    for (arguments, environment, expected) in [
        (&["--config", "mine.toml"][..], &[][..], &of_file),
        // Without --config, the file at the default path is used.
        (&[], &[], &of_file),
        (&[], &in_environment, &of_environment),
    ] {
        let printed = checked(folder.path(), arguments, environment);
        for (key, value) in expected {
            let (section, name) = key.split_once('.').unwrap();
            assert_eq!(printed[section].get(name), Some(value), "{key}");
        }
    }
    for ((key, file), (_, environment)) in of_file.iter().zip(&of_environment) {
        let (section, name) = key.split_once('.').unwrap();
        let default = default[section].get(name);
        assert_ne!(file, environment, "{key}");
        assert!(
            default != Some(file) || default != Some(environment),
            "{key} has its default"
        );
    }
}

#[test]
fn numeric_token_stays_text() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = ["0123", "456", "1e5", "true", "-7", "0x1F"];
    for (list, presented, admits) in [
        ("0123", "0123", true),
        ("0123", "123", false),
        ("5", "5", true),
        ("true", "true", true),
        ("TRUE", "true", false),
        ("0123, 456 ,1e5,true,-7,0x1F", "456", true),
        ("0123, 456 ,1e5,true,-7,0x1F", "100000", false),
    ] {
        let mut command = program();
        command
            .current_dir(folder.path())
            .args(["explain", "--peer", "192.0.2.1", "--authorization"])
            .arg(format!("Bearer {presented}"))
            .env("GREEN_INBOX__INGEST__ALLOWED_SOURCES", "192.0.2.1")
            .env("GREEN_INBOX__INGEST__TOKENS", list);
        let printed = String::from_utf8(finish(&mut command).stdout).unwrap();
        let answer = if admits { "answer  200" } else { "answer  401" };
        assert!(printed.contains(answer), "{list}, {presented}: {printed}");
    }
    let list = [variable("ingest.tokens", &tokens.join(","))];
    let shown = &checked(folder.path(), &[], &list)["ingest"]["tokens"];
    assert_eq!(shown.as_array().unwrap().len(), tokens.len());
}

#[test]
fn check_config_prints_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("more"),
        "swordfish-3\nBasic swordfish-4\n",
    )
    .unwrap();
    let file = "[ingest]\ntokens = [\"Bearer swordfish-1\"]\ntokens_file = \"more\"\n\
                [private]\ntokens = [\"swordfish-2\"]\ntokens_file = \"more-to-read\"\n";
    fs::write(folder.path().join("my.toml"), file).unwrap();
    fs::write(folder.path().join("more-to-read"), "swordfish-5").unwrap();
    let environment = ("GREEN_INBOX__PRIVATE__TOKENS", "swordfish-6,swordfish-7");
    // The second configuration is refused because a private token uses the Basic scheme.
    for (environment, code, redacted) in [
        (&[environment][..], 0, 3),
        (
            &[environment, ("GREEN_INBOX__PRIVATE__TOKENS_FILE", "more")],
            2,
            0,
        ),
    ] {
        let mut command = program();
        command
            .current_dir(folder.path())
            .args(["check-config", "--config", "my.toml"])
            .envs(environment.iter().copied());
        let output = finish(&mut command);
        let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(code), "{printed}");
        assert!(!printed.contains("swordfish"), "{printed}");
        assert_eq!(printed.matches("(redacted)").count(), redacted, "{printed}");
    }
}

#[test]
fn relative_tokens_file_resolves_from_the_working_directory() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["etc", "secrets"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("secrets/webhook"), "one\ntwo\n").unwrap();
    let file = "[ingest]\ntokens_file = \"secrets/webhook\"\nallowed_sources = [\"192.0.2.1\"]\n";
    fs::write(folder.path().join("etc/my.toml"), file).unwrap();
    for (working_directory, file, code) in [("", "etc/my.toml", 0), ("etc", "my.toml", 2)] {
        let mut command = program();
        command
            .current_dir(folder.path().join(working_directory))
            .args(["explain", "--config", file, "--peer", "192.0.2.1"])
            .args(["--authorization", "Bearer two"]);
        let output = finish(&mut command);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            printed.contains("ingest.tokens_file, number 2"),
            code == 0,
            "{printed}"
        );
    }
}

/// As in a container: no configuration file, and the built-in addresses of GREEN-API.
#[tokio::test]
async fn environment_alone_configures_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = serve(folder.path());
    command
        .env_remove("GREEN_INBOX__INGEST__ALLOWED_SOURCES")
        .env("GREEN_INBOX__INGEST__LISTEN", "0.0.0.0:0")
        .env("GREEN_INBOX__INGEST__TRUSTED_PROXIES", "127.0.0.1/32");
    let mut process = Process::spawn(&mut command);
    process.public.set_ip([127, 0, 0, 1].into());
    let body = r#"{"typeWebhook":"newKind"}"#;
    assert_eq!(
        post(process.public, body).await.code(),
        "source-not-allowed"
    );
    let headers = [
        ("authorization", crate::support::TOKEN),
        ("x-forwarded-for", "46.101.109.139"),
    ];
    let answer = request(
        process.public,
        hyper::Method::POST,
        "/webhook",
        &headers,
        body,
    )
    .await;
    assert_eq!(answer.json()["seq"], 1);
}
