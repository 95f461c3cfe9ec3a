//! E-mail over TLS: the real program against a small SMTP server with a certificate of its own authority.

use std::fs;
use std::io;
use std::path::Path;

use data_encoding::BASE64;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::support::process::{PATIENCE, serve};
use crate::support::tls::{AUTHORITY, OTHER_AUTHORITY, acceptor};
use crate::support::{Process, request};

/// Speaks SMTP until the client leaves, or returns `true` when it wants TLS. Everything that it said goes to `said`.
async fn speak<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    is_clear: bool,
    said: &mpsc::Sender<String>,
) -> io::Result<bool> {
    let (mut all, mut is_data) = (String::new(), false);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(false);
        }
        all.push_str(&line);
        let verb = line.split([' ', '\r']).next().unwrap().to_ascii_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "." if is_data => {
                is_data = false;
                said.send(std::mem::take(&mut all)).await.unwrap();
                b"250 taken\r\n"
            }
            _ if is_data => continue,
            "EHLO" if is_clear => b"250-stand-in\r\n250 STARTTLS\r\n",
            "EHLO" => b"250-stand-in\r\n250 AUTH PLAIN\r\n",
            "STARTTLS" if is_clear => {
                stream.write_all(b"220 go on\r\n").await?;
                return Ok(true);
            }
            _ if is_clear => b"530 only with TLS\r\n",
            "AUTH" => b"235 welcome\r\n",
            "DATA" => {
                is_data = true;
                b"354 go on\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            _ => b"250 fine\r\n",
        };
        stream.write_all(answer).await?;
    }
}

async fn serve_one(stream: TcpStream, tls: &str, said: mpsc::Sender<String>) -> io::Result<()> {
    let mut stream = stream;
    if tls == "starttls" {
        let mut clear = BufReader::new(stream);
        clear.write_all(b"220 stand-in\r\n").await?;
        if !speak(&mut clear, true, &said).await? {
            return Ok(());
        }
        stream = clear.into_inner();
    }
    let mut secure = BufReader::new(acceptor().accept(stream).await?);
    if tls == "tls" {
        secure.write_all(b"220 stand-in\r\n").await?;
    }
    speak(&mut secure, false, &said).await.map(drop)
}

/// A mail server that takes mail only over TLS: its port, and what clients say in each mail.
async fn mail_server(tls: &'static str) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, said) = mpsc::channel(8);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that does not trust the certificate leaves.
            tokio::spawn(serve_one(stream, tls, sender.clone()));
        }
    });
    (port, said)
}

/// The program with an e-mail destination, which trusts only the authorities in `trusted`.
fn start(folder: &Path, tls: &str, port: u16, trusted: &[u8]) -> Process {
    fs::create_dir(folder.join("config")).unwrap();
    fs::write(folder.join("password"), "open sesame").unwrap();
    fs::write(folder.join("trusted.pem"), trusted).unwrap();
    let text = format!(
        "[alerts]\nheartbeat_hours = 0\n[[alerts.to]]\nkind = \"email\"\nhost = \"localhost\"\nport = {port}\n\
         tls = \"{tls}\"\nfrom = \"inbox@example.com\"\nto = [\"a@example.com\"]\nusername = \"inbox\"\n\
         password_file = \"password\"\n"
    );
    fs::write(folder.join("config/green-inbox.toml"), text).unwrap();
    Process::spawn(serve(folder).env("SSL_CERT_FILE", folder.join("trusted.pem")))
}

async fn knock(process: &Process) {
    let headers = [("authorization", "Bearer swordfish")];
    let answer = request(
        process.public,
        hyper::Method::POST,
        "/webhook",
        &headers,
        "{}",
    )
    .await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn alert_arrives_over_tls_after_a_login() {
    for tls in ["tls", "starttls"] {
        let (port, mut said) = mail_server(tls).await;
        let folder = tempfile::tempdir().unwrap();
        let process = start(folder.path(), tls, port, AUTHORITY);
        knock(&process).await;
        let mail = timeout(PATIENCE, said.recv()).await.unwrap().unwrap();
        let login = BASE64.encode(b"\0inbox\0open sesame");
        assert!(
            mail.contains(&format!("AUTH PLAIN {login}")),
            "{tls}: {mail}"
        );
        assert!(
            mail.contains("Subject: green-inbox: critical: token-rejected"),
            "{tls}: {mail}"
        );
    }
}

// The log is waited for on this thread, so the mail server needs another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_server_whose_certificate_is_not_trusted_gets_nothing() {
    for tls in ["tls", "starttls"] {
        let (port, mut said) = mail_server(tls).await;
        let folder = tempfile::tempdir().unwrap();
        // Another authority than the one that signed.
        let process = start(folder.path(), tls, port, OTHER_AUTHORITY);
        knock(&process).await;
        let line = process
            .log
            .wait_for(|line| line.contains("the destination email 1 does not take alerts"));
        assert!(line.contains("ertificate"), "{tls}: {line}");
        assert!(said.try_recv().is_err(), "{tls}");
    }
}
