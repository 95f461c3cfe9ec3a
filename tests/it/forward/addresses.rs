//! Where requests go: to the address in the configuration, also a private one, and nowhere else.

use std::fs;
use std::net::Ipv4Addr;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use tokio::net::TcpListener;

use super::{id, say, status, to};
use crate::support::process::serve;
use crate::support::said::{self, CHAT, NOON};
use crate::support::{Process, Sink, TestServer, post};

#[tokio::test]
async fn host_name_that_resolves_to_a_private_address_is_used_as_it_is_written() {
    let sink = Sink::start().await;
    let port = sink.address.port();
    let url = format!("http://localhost:{port}/events");
    let server = TestServer::with(to(&sink, |forward| {
        *forward = green_inbox::config::Forward::new("crm", &url);
    }))
    .await;
    say(&server, CHAT, "A1").await;
    let got = sink.wait_for(|got| id(got) == "A1").await;
    assert_eq!(got.header("host"), format!("localhost:{port}"));
    server.stop().await;
}

#[tokio::test]
async fn no_redirect_leads_to_another_address() {
    let other = Sink::start().await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    // Each path answers with its own status.
    let elsewhere = other.url("/");
    let redirect = move |uri: axum::http::Uri| async move {
        let status: u16 = uri.path()[1..].parse().unwrap();
        let status = StatusCode::from_u16(status).unwrap();
        (status, [(LOCATION, elsewhere)])
    };
    let router = Router::new().fallback(redirect);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    for code in [301, 302, 303, 307, 308] {
        let url = format!("http://{address}/{code}");
        let server = TestServer::with(|config| {
            config.forward = vec![green_inbox::config::Forward::new("crm", &url)];
        })
        .await;
        say(&server, CHAT, "A1").await;
        let shown = status(&server, |status| status["waiting"] == 1).await;
        let problem = shown["problem"].as_str().unwrap();
        assert!(
            problem.starts_with(&format!("it answered {code} ")),
            "{problem}"
        );
        server.stop().await;
    }
    assert!(other.received().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxy_of_the_environment_sees_no_event() {
    let (sink, proxy) = (Sink::start().await, Sink::start().await);
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("config")).unwrap();
    let text = format!("[[forward]]\nname = \"crm\"\nurl = \"{}\"\n", sink.url("/"));
    fs::write(folder.path().join("config/green-inbox.toml"), text).unwrap();
    let mut command = serve(folder.path());
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, proxy.url(""));
    }
    let process = Process::spawn(&mut command);
    post(
        process.public,
        said::text("A1", NOON, "Good morning").to_string(),
    )
    .await;
    sink.wait_for(|got| id(got) == "A1").await;
    assert!(proxy.received().is_empty());
}
