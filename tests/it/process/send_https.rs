//! `send` over https, as GREEN-API sends.

use std::fs;
use std::path::Path;

use tokio::task::block_in_place;

use super::assert_says;
use crate::support::process::{finish, program};
use crate::support::tls::{AUTHORITY, OTHER_AUTHORITY, proxy};
use crate::support::{Process, get};

/// Sends three notifications to a port of `localhost`, trusting only these authorities. Returns what was printed.
fn send(folder: &Path, port: u16, trusted: &[u8]) -> (bool, String) {
    let file = folder.join("trusted.pem");
    fs::write(&file, trusted).unwrap();
    let url = format!("https://localhost:{port}/webhook");
    let mut command = program();
    command
        .args([
            "send",
            "--to",
            &url,
            "--token",
            "open-sesame",
            "--count",
            "3",
        ])
        .args(["--kind", "textMessage", "--attempts", "1"])
        .env("SSL_CERT_FILE", file);
    let output = block_in_place(|| finish(&mut command));
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_are_sent_over_https_to_a_trusted_receiver_only() {
    let folder = tempfile::tempdir().unwrap();
    let server = block_in_place(|| Process::start(folder.path()));
    let port = proxy(server.public).await;
    let (is_done, printed) = send(folder.path(), port, OTHER_AUTHORITY);
    assert!(!is_done, "{printed}");
    assert_says(&printed, "failed       3");
    assert!(printed.contains("certificate"), "{printed}");
    let (is_done, printed) = send(folder.path(), port, AUTHORITY);
    assert!(is_done, "{printed}");
    assert_says(&printed, "accepted     3 of 3");
    let stats = get(server.private, "/api/v1/stats").await.json();
    assert_eq!(stats["newestSeq"], 3);
}
