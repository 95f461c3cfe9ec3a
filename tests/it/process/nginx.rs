//! The shipped `deploy/nginx.conf` in front of the real program. It needs nginx:
//! `cargo test --test it nginx -- --ignored`.

use std::fs::{self, Permissions};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use hyper::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::process::{PATIENCE, finish, program, serve};
use crate::support::raw::Raw;
use crate::support::{Process, TOKEN, get, post, request};

/// Bytes: long enough that nginx buffers part of the body on disk.
const LONG: usize = 300_000;

/// nginx with the shipped configuration, without TLS. Dropping it stops nginx.
struct Nginx {
    child: Child,
    plain: SocketAddr,
    secure: SocketAddr,
}

impl Nginx {
    fn start(folder: &Path, server: SocketAddr, sources: &str) -> Self {
        // nginx cannot listen on port 0.
        let (plain, secure) = (free_port(), free_port());
        // nginx's workers may run as another user.
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration(folder, server, sources, plain, secure)).unwrap();
        let child = Command::new("nginx")
            .args(["-e", "stderr", "-g", "daemon off;", "-p"])
            .arg(folder)
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("this test needs `nginx` on the PATH: {error}"));
        let mut nginx = Self {
            child,
            plain,
            secure,
        };
        let deadline = Instant::now() + PATIENCE;
        for address in [plain, secure] {
            while let Err(error) = TcpStream::connect(address) {
                let ended = nginx.child.try_wait().unwrap();
                assert_eq!(ended, None, "nginx did not start");
                assert!(Instant::now() < deadline, "{address}: {error}");
            }
        }
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGKILL would leave the workers of nginx running.
        let _ = Command::new("kill")
            .args(["-s", "TERM", &self.child.id().to_string()])
            .status();
        let _ = self.child.wait();
    }
}

fn free_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// The output of `nginx-config` with host-specific values replaced. Each must occur exactly once.
fn configuration(
    folder: &Path,
    server: SocketAddr,
    sources: &str,
    plain: SocketAddr,
    secure: SocketAddr,
) -> String {
    let mut command = program();
    command
        .arg("nginx-config")
        .env("GREEN_INBOX__INGEST__LISTEN", server.to_string())
        .env("GREEN_INBOX__INGEST__ALLOWED_SOURCES", sources);
    let printed = finish(&mut command);
    assert_eq!(printed.status.code(), Some(0));
    let mut text = String::from_utf8(printed.stdout).unwrap();
    let place = |name: &str| folder.join(name).display().to_string();
    let mut head = vec!["http {".to_owned()];
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        head.push(format!("    {kind}_temp_path {};", place(kind)));
    }
    for (shipped, here) in [
        ("listen 80;", format!("listen {plain};")),
        ("listen 443 ssl;", format!("listen {secure};")),
        ("pid /run/nginx.pid;", format!("pid {};", place("pid"))),
        ("/var/log/nginx/error.log", "stderr".to_owned()),
        ("/var/log/nginx/access.log", place("access.log")),
        ("http {", head.join("\n")),
    ] {
        assert_eq!(text.matches(shipped).count(), 1, "{shipped}");
        text = text.replace(shipped, &here);
    }
    text.lines()
        .filter(|line| !line.trim().starts_with("ssl_"))
        .flat_map(|line| [line, "\n"])
        .collect()
}

/// The program, allowing `sources`, with nginx in front of it.
fn behind_nginx(folder: &Path, sources: &str) -> (Process, Nginx) {
    let process = Process::spawn(
        serve(folder)
            .env("GREEN_INBOX__INGEST__ALLOWED_SOURCES", sources)
            .env("GREEN_INBOX__INGEST__BODY_LIMIT_BYTES", "1000000"),
    );
    let nginx = Nginx::start(folder, process.public, sources);
    (process, nginx)
}

#[tokio::test]
#[ignore = "needs nginx"]
async fn requests_through_nginx_are_stored() {
    let folder = tempfile::tempdir().unwrap();
    let (process, nginx) = behind_nginx(folder.path(), "127.0.0.1");
    let long = format!(
        r#"{{"typeWebhook":"newKind","text":"{}"}}"#,
        "x".repeat(LONG)
    );
    let headers = [("authorization", TOKEN)];
    for (seq, path, body) in [
        (
            1,
            "/webhook",
            r#"{"typeWebhook":"newKind","note":"through nginx"}"#,
        ),
        (
            2,
            "/webhook/",
            r#"{"typeWebhook":"newKind","note":"with a slash"}"#,
        ),
        (3, "/webhook?query=1", &long),
    ] {
        let answer = request(nginx.secure, Method::POST, path, &headers, body.to_owned()).await;
        assert_eq!(answer.json()["seq"], seq);
        let stored = get(process.private, &format!("/api/v1/events/{seq}/body")).await;
        assert_eq!(stored.body, body);
    }
    // The program refuses a wrong token, and nginx's access log contains no header.
    let headers = [("authorization", "Bearer wrong")];
    let answer = request(nginx.secure, Method::POST, "/webhook", &headers, "{}").await;
    assert_eq!(answer.code(), "unauthorized");
    drop(nginx);
    let written = fs::read_to_string(folder.path().join("access.log")).unwrap();
    assert_eq!(written.lines().count(), 4, "{written}");
    for hidden in ["open-sesame", "wrong", "query"] {
        assert!(!written.contains(hidden), "{written}");
    }
}

#[tokio::test]
#[ignore = "needs nginx"]
async fn spoofed_forwarded_for_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_process, nginx) = behind_nginx(folder.path(), "192.0.2.1");
    for claims in [
        &["192.0.2.1"][..],
        &["192.0.2.1, 127.0.0.1"],
        &["192.0.2.1", "192.0.2.1"],
        &[],
    ] {
        let mut headers = vec![("authorization", TOKEN)];
        headers.extend(claims.iter().map(|claim| ("x-forwarded-for", *claim)));
        let answer = request(nginx.secure, Method::POST, "/webhook", &headers, "{}").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{claims:?}");
        assert_eq!(answer.code(), "source-not-allowed");
    }
}

#[tokio::test]
#[ignore = "needs nginx"]
async fn requests_other_than_valid_webhooks_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_process, nginx) = behind_nginx(folder.path(), "127.0.0.1");
    let answer = get(nginx.secure, "/webhook").await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), "POST");
    for path in [
        "/",
        "/api/v1/events",
        "/metrics",
        "/webhook/x",
        "/webhookx",
        "/WEBHOOK",
    ] {
        let answer = get(nginx.secure, path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.header("server"), "nginx",);
        assert_ne!(answer.header("content-type"), "application/problem+json");
    }
    // A body over the program's limit, then one over nginx's limit, which nginx does not read.
    let answer = post(nginx.secure, "x".repeat(1_000_001)).await;
    assert_eq!(answer.code(), "body-too-large");
    let mut stream = tokio::net::TcpStream::connect(nginx.secure).await.unwrap();
    let head = "POST /webhook HTTP/1.1\r\nhost: inbox\r\nconnection: close\r\n\
                content-length: 16777217\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 32];
    stream.read_exact(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 413 "), "{answer:?}");
    // Plain HTTP is redirected, and nothing is accepted.
    let answer = post(nginx.plain, "{}").await;
    assert_eq!(answer.status, StatusCode::PERMANENT_REDIRECT);
    assert!(answer.header("location").starts_with("https://"));
}

#[tokio::test]
#[ignore = "needs nginx"]
async fn requests_get_502_while_the_program_is_down() {
    let folder = tempfile::tempdir().unwrap();
    let (mut process, nginx) = behind_nginx(folder.path(), "127.0.0.1");
    assert_eq!(post(nginx.secure, "{}").await.status, StatusCode::OK);
    process.signal("TERM");
    assert_eq!(process.wait().code(), Some(0));
    for _ in 0..3 {
        assert_eq!(
            post(nginx.secure, "{}").await.status,
            StatusCode::BAD_GATEWAY
        );
    }
}

/// Connections from an unlisted address that send half a request head.
const HALF_OPEN: usize = 2_500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs nginx"]
async fn half_open_unlisted_peers_do_not_lock_out_allowed_sources() {
    let folder = tempfile::tempdir().unwrap();
    let (_process, nginx) = behind_nginx(folder.path(), "127.0.0.1");
    let mut half_open = Vec::new();
    for _ in 0..HALF_OPEN {
        let mut raw = Raw::open_from([127, 0, 0, 2].into(), nginx.secure).await;
        // Send something: when short of connections, nginx closes those that have sent nothing.
        let sent = raw
            .try_send("POST /webhook HTTP/1.1\r\nhost: inbox\r\n")
            .await;
        assert!(sent.is_ok(), "nginx has closed it");
        half_open.push(raw);
    }
    for number in 0..20 {
        let answer = post(
            nginx.secure,
            format!(r#"{{"typeWebhook":"note","number":{number}}}"#),
        )
        .await;
        assert_eq!(answer.status, StatusCode::OK);
    }
}

#[tokio::test]
#[ignore = "needs nginx"]
async fn unlisted_peer_is_refused_before_its_body_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (_process, nginx) = behind_nginx(folder.path(), "127.0.0.1");
    let mut raw = Raw::open_from([127, 0, 0, 2].into(), nginx.secure).await;
    raw.send("POST /webhook HTTP/1.1\r\nhost: inbox\r\ncontent-length: 16000000\r\n\r\n")
        .await;
    let answer = raw.answer().await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.code(), "source-not-allowed");
    // The client keeps sending the body, but nginx must write none of it to disk.
    for _ in 0..100 {
        if raw.try_send(vec![b'x'; 100_000]).await.is_err() {
            break;
        }
    }
    let spool = folder.path().join("client_body");
    let spooled = folder_bytes(&spool);
    assert_eq!(spooled, 0, "bytes in {}", spool.display());
}

/// Total bytes of all files below a folder.
fn folder_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let sizes = entries.map(|entry| match entry.metadata().unwrap() {
        metadata if metadata.is_dir() => folder_bytes(&entry.path()),
        metadata => metadata.len(),
    });
    sizes.sum()
}
