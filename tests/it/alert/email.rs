//! The e-mail destination, against a small SMTP server.

use std::sync::Arc;

use green_inbox::config::{Destination, Email, SmtpTls};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{knock, with};
use crate::support::Sink;
use crate::support::process::PATIENCE;

/// Speaks enough of SMTP (RFC 5321) to take mail, and passes on each one with its envelope.
async fn serve(stream: TcpStream, mails: mpsc::Sender<String>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 stand-in\r\n").await?;
    let (mut mail, mut is_data) = (String::new(), false);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.split([' ', '\r']).next().unwrap().to_ascii_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "." if is_data => {
                is_data = false;
                mails.send(std::mem::take(&mut mail)).await.unwrap();
                b"250 taken\r\n"
            }
            _ if is_data => {
                mail.push_str(&line);
                continue;
            }
            "EHLO" | "HELO" => b"250-stand-in\r\n250 8BITMIME\r\n",
            "MAIL" | "RCPT" => {
                mail.push_str(&line);
                b"250 fine\r\n"
            }
            "DATA" => {
                is_data = true;
                b"354 go on\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            _ => b"500 what?\r\n",
        };
        stream.write_all(answer).await?;
    }
}

#[tokio::test]
async fn alert_arrives_as_a_plain_mail() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, mut mails) = mpsc::channel(8);
    let sender = Arc::new(sender);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, sender.as_ref().clone()));
        }
    });
    let sink = Sink::start().await;
    let server = with(&sink, |config| {
        config.alerts.to = vec![Destination::Email(Email {
            host: "127.0.0.1".to_owned(),
            port: Some(port),
            tls: SmtpTls::None,
            from: "inbox@example.com".to_owned(),
            to: vec!["a@example.com".to_owned(), "b@example.com".to_owned()],
            username: None,
            password_file: None,
        })];
    })
    .await;
    knock(&server).await;
    let mail = timeout(PATIENCE, mails.recv()).await.unwrap().unwrap();
    for part in [
        "MAIL FROM:<inbox@example.com>",
        "RCPT TO:<a@example.com>",
        "RCPT TO:<b@example.com>",
        "From: inbox@example.com",
        "Subject: green-inbox: critical: token-rejected",
        "Message-ID: <alert_",
        "Content-Type: text/plain; charset=utf-8",
        "webhookUrlToken",
    ] {
        assert!(mail.contains(part), "{part}: {mail}");
    }
    assert!(mails.try_recv().is_err(), "one mail");
    server.stop().await;
}
