//! TLS between a node and PostgreSQL, with an authority that the test makes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hyper::StatusCode;
use tempfile::TempDir;

use crate::killed_postgres::ready;
use crate::postgres::Postgres;
use crate::rig::alone;
use crate::support::process::{Log, serve};
use crate::support::{Process, post};

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .expect("openssl is installed");
    assert!(
        output.status.success(),
        "{arguments}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// An authority, and a certificate of its for `name`, such as `IP:127.0.0.1`.
fn authority(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    openssl(
        at,
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem",
    );
    openssl(
        at,
        "req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr",
    );
    let extensions = format!("subjectAltName={name}\nbasicConstraints=CA:FALSE\n");
    std::fs::write(at.join("extensions"), extensions).unwrap();
    openssl(
        at,
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out server.crt",
    );
    let ca = at.join("ca.pem");
    (folder, ca)
}

/// Starts a node that must wait, and waits until it has said why.
fn refused(url: &str, ca: Option<&Path>, reason: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = serve(folder.path());
    command.env("GREEN_INBOX__STORAGE__URL", url);
    if let Some(ca) = ca {
        command.env("GREEN_INBOX__STORAGE__CA_FILE", ca);
    }
    let spawned = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.unwrap();
    let log = Log::of(child.stderr.take().unwrap());
    let said = log.wait_for(|line| line.contains("waiting for PostgreSQL"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        said.contains("certificate") && said.contains(reason),
        "{said}"
    );
}

#[test]
fn certificate_of_postgresql_is_verified() {
    alone(async {
        let (good, ca) = authority("IP:127.0.0.1");
        let (_other, other_ca) = authority("IP:127.0.0.1");
        let postgres = Postgres::start();
        postgres.encrypt(good.path());
        let client = postgres.connect().await;
        let encrypted = "SELECT count(*), count(*) FILTER (WHERE ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        for mode in ["require", "verify-full", "verify-ca"] {
            let url = format!("{}?sslmode={mode}", postgres.url());
            let folder = tempfile::tempdir().unwrap();
            let node = Process::with(
                folder.path(),
                &[
                    ("GREEN_INBOX__STORAGE__URL", &url),
                    ("GREEN_INBOX__STORAGE__CA_FILE", ca.to_str().unwrap()),
                ],
            );
            ready(&node, StatusCode::OK).await;
            let answer = post(node.public, format!("{{\"typeWebhook\":\"{mode}\"}}")).await;
            assert_eq!(answer.status, StatusCode::OK);
            let row = client.query_one(encrypted, &[]).await.unwrap();
            let (all, with_tls): (i64, i64) = (row.get(0), row.get(1));
            assert!(all >= 2 && all == with_tls, "{mode}: {with_tls} of {all}");
        }
        let url = format!("{}?sslmode=require", postgres.url());
        // It has the same name, and another key.
        refused(&url, Some(&other_ca), "BadSignature");
        refused(&url, None, "UnknownIssuer");

        // The right authority, but a certificate for another name.
        let (elsewhere, ca) = authority("DNS:db.example");
        postgres.encrypt(elsewhere.path());
        refused(&url, Some(&ca), "not valid for name");
    });
}
