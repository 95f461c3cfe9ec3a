//! Who may ask.

use green_inbox::config::Token;
use hyper::Method;
use serde_json::json;

use super::{HEADERS, READER, message, on, send, start};
use crate::support::process::{finish, program};
use crate::support::{TestServer, request};

#[tokio::test]
async fn endpoint_is_off_by_default() {
    let server =
        TestServer::with(|config| config.private.tokens = vec![Token::new("reader")]).await;
    let answer = send(&server, &[READER], &message("tools/list", &json!({}))).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (404, "not-found".to_owned())
    );
}

#[tokio::test]
async fn missing_or_wrong_token_is_refused_and_limited() {
    let server = start().await;
    let list = message("tools/list", &json!({}));
    assert_eq!(send(&server, &[], &list).await.code(), "unauthorized");
    for _ in 0..10 {
        let answer = send(&server, &[("authorization", "Bearer wrong")], &list).await;
        assert_eq!(answer.status, 401);
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
    let answer = send(&server, &[("authorization", "Bearer wrong")], &list).await;
    assert_eq!(answer.code(), "too-many-attempts");
    server.pass(6_000);
    assert_eq!(send(&server, &[READER], &list).await.status, 200);
}

#[tokio::test]
async fn foreign_host_or_origin_is_refused_even_with_the_token() {
    let server = TestServer::with(|config| {
        on(config);
        config.private.mcp_hosts = vec!["inbox.example.org".to_owned()];
    })
    .await;
    let list = message("tools/list", &json!({}));
    for (host, status) in [
        ("127.0.0.1:8081", 200),
        ("localhost", 200),
        ("[::1]:8081", 200),
        ("inbox.example.org", 200),
        ("Inbox.Example.org:8443", 200),
        ("evil.example", 403),
        ("inbox.example.org.evil.example", 403),
        ("reader@inbox.example.org", 403),
        ("", 403),
    ] {
        let answer = send(&server, &[READER, ("host", host)], &list).await;
        assert_eq!(answer.status, status, "{host}");
        if status == 403 {
            assert_eq!(answer.code(), "host-not-allowed", "{host}");
        }
    }
    for header in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let answer = send(&server, &[READER, header], &list).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (403, "cross-site".to_owned())
        );
    }
    let own = format!("http://{}", server.private);
    let answer = send(&server, &[READER, ("origin", &own)], &list).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn only_post_is_answered() {
    let server = start().await;
    for method in [Method::GET, Method::DELETE, Method::PUT] {
        let all = [&HEADERS[..], &[READER]].concat();
        let answer = request(server.private, method, "/mcp", &all, "").await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("allow")),
            (405, "POST")
        );
    }
}

#[test]
fn endpoint_without_a_token_or_with_an_odd_host_is_refused_at_the_start() {
    for (variables, said) in [
        (&[("MCP", "true")][..], "private.mcp: "),
        (
            &[
                ("MCP", "true"),
                ("TOKENS", "reader"),
                ("MCP_HOSTS", "https://inbox.example.org"),
            ],
            "private.mcp_hosts: ",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut check = program();
        check.current_dir(folder.path()).arg("check-config");
        check.env("GREEN_INBOX__INGEST__TOKENS", "x");
        for (name, value) in variables {
            check.env(format!("GREEN_INBOX__PRIVATE__{name}"), value);
        }
        let output = finish(&mut check);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(said) && error.contains("help: "), "{error}");
    }
}
