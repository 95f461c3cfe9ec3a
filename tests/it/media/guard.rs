//! Links that lead to this machine or its network are not followed.

use super::{file, keeping, problem, receive, stand_ins};
use crate::support::{Files, TestServer};

#[tokio::test]
async fn private_address_is_refused_unless_it_is_allowed() {
    let (green_api, files) = stand_ins().await;
    let server = TestServer::with(|config| {
        keeping(&green_api)(config);
        config.media.allow_private = Vec::new();
    })
    .await;
    let port = files.address.port();
    let mut seqs = Vec::new();
    for (number, link) in [
        files.url("/ok/10/one"),
        format!("https://127.0.0.1:{port}/ok/10/one"),
        format!("https://localhost:{port}/ok/10/one"),
        format!("http://localhost:{port}/ok/10/one"),
        format!("https://[::ffff:127.0.0.1]:{port}/ok/10/one"),
        format!("https://2130706433:{port}/ok/10/one"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let seq = receive(&server, &format!("3A{number}"), &link).await;
        seqs.push((seq, "private address"));
    }
    for (number, link) in [
        "http://8.8.8.8/file",
        "ftp://8.8.8.8/file",
        "file:///etc/passwd",
    ]
    .into_iter()
    .enumerate()
    {
        let seq = receive(&server, &format!("3B{number}"), link).await;
        seqs.push((seq, "not an https URL"));
    }
    for (seq, why) in seqs {
        problem(&server, seq, "lost", why).await;
    }
    assert!(files.requests().is_empty());
    server.stop().await;
}

#[tokio::test]
async fn redirect_is_followed_only_to_addresses_that_are_allowed() {
    let (green_api, files) = stand_ins().await;
    let inside = Files::at("127.0.0.2").await;
    let server = TestServer::with(keeping(&green_api)).await;
    let to = |url: String| files.url(&format!("/to?{url}"));
    let good = receive(&server, "3A01", &to(files.url("/ok/900/one"))).await;
    assert_eq!(file(&server, good).await.body, Files::bytes("/ok/900/one"));
    let relative = receive(&server, "3A02", &to("/ok/900/two".to_owned())).await;
    file(&server, relative).await;
    let bad = receive(&server, "3A03", &to(inside.url("/ok/900/secret"))).await;
    problem(&server, bad, "lost", "private address").await;
    let endless = receive(&server, "3A04", &to("/to?/to".to_owned())).await;
    problem(&server, endless, "lost", "redirects").await;
    // A new link of GREEN-API is checked like the first.
    green_api.offer("3A05", &inside.url("/ok/900/secret"));
    let replaced = receive(&server, "3A05", &files.url("/status/404")).await;
    problem(&server, replaced, "waiting", "private address").await;
    assert!(inside.requests().is_empty());
    server.stop().await;
}
