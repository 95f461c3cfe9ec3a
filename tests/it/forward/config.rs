//! `[[forward]]`: what is refused, and what is printed.

use std::fs;

use crate::support::process::{finish, program};

/// Each row: the keys of a destination, and what the error must contain.
const REFUSED: &str = r#"
url = "https://a/" => name
name = "a b"; url = "https://a/" => forward: `a b` is not a usable name
name = "a"; url = "ftp://a/" => forward: `a`: url: …not a usable URL
name = "a"; url = "https://a/"; urk = 1 => forward[0]…urk
name = "a"; url = "https://a/"; start = "then" => start…now
name = "a"; url = "https://a/"; start = 0 => start…a seq of 1 or more
name = "a"; url = "https://a/"; order = "all" => order…chat
name = "a"; url = "https://a/"; timeout_seconds = 0 => forward: `a`: timeout_seconds: …1 to 120
name = "a"; url = "https://a/"; concurrency = 65 => forward: `a`: concurrency: …1 to 64
name = "a"; url = "https://a/"; retry_seconds = [] => forward: `a`: retry_seconds: …1 to 20
name = "a"; url = "https://a/"; secret_file = "short" => forward: `a`: secret_file: …`short`…24 to 64 bytes
name = "a"; url = "https://a/"; ca_file = "absent" => forward: `a`: ca_file: …`absent` cannot be read
name = "a"; url = "https://a/"; ca_file = "short" => forward: `a`: ca_file: …`short` has no usable certificate: there is none
name = "a"; url = "https://a/"; ca_file = "broken" => forward: `a`: ca_file: …`broken` has no usable certificate
name = "a"; url = "https://a/"; headers_file = "short" => forward: `a`: headers_file: line 1 of `short`
name = "a"; url = "https://a/"; headers_file = "host" => forward: `a`: headers_file: …`host` is set by green-inbox
"#;

fn check(keys: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let toml = format!("[ingest]\ntokens = [\"x\"]\n[[forward]]\n{keys}\n");
    fs::write(folder.path().join("a.toml"), toml).unwrap();
    fs::write(folder.path().join("short"), "whsec_c2hvcnQ=").unwrap();
    fs::write(folder.path().join("host"), "Host: example.com").unwrap();
    let broken = "-----BEGIN CERTIFICATE-----\nc2hvcnQ=\n-----END CERTIFICATE-----\n";
    fs::write(folder.path().join("broken"), broken).unwrap();
    let mut command = program();
    command.current_dir(folder.path());
    let output = finish(command.args(["check-config", "--config", "a.toml"]));
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn unusable_destination_is_refused_with_the_key_and_the_fix() {
    for row in REFUSED.trim().lines() {
        let (keys, parts) = row.split_once(" => ").unwrap();
        let (code, said) = check(&keys.replace("; ", "\n"));
        assert_eq!(code, Some(2), "{row}: {said}");
        assert!(said.contains("help: "), "{said}");
        let mut rest = said.as_str();
        for part in parts.split('…') {
            let at = rest.find(part).unwrap_or_else(|| panic!("{row}: {said}"));
            rest = &rest[at + part.len()..];
        }
    }
}

#[test]
fn name_that_is_there_twice_is_refused() {
    let one = "name = \"a\"\nurl = \"https://a/\"";
    let (code, said) = check(&format!("{one}\n[[forward]]\n{one}"));
    assert_eq!(code, Some(2));
    assert!(said.contains("`a` is there twice"), "{said}");
}

#[test]
fn printed_destination_has_its_defaults_and_no_path_of_its_url() {
    let (code, said) = check("name = \"a\"\nurl = \"https://a.example/swordfish\"");
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("swordfish"), "{said}");
    for line in [
        "start = \"now\"",
        "order = \"chat\"",
        "body = \"raw\"",
        "distinct = true",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
}
