//! Access to the private listener: tokens, the Host check, the cross-site check, paths and methods.

use green_inbox::config::Token;
use hyper::Method;

use super::note;
use crate::support::{Answer, TOKEN, TestServer, get, post, request};

async fn ask(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Answer {
    request(server.private, Method::GET, path, headers, "").await
}

/// A server whose private listener has two tokens.
async fn guarded() -> TestServer {
    let server = TestServer::with(|config| {
        config.private.tokens = vec![Token::new("reader"), Token::new("Bearer other")];
    })
    .await;
    post(server.public, note(1)).await;
    server
}

const GUARDED: [&str; 4] = [
    "/api/v1/events",
    "/api/v1/events/1",
    "/api/v1/events/1/body",
    "/nothing",
];

#[tokio::test]
async fn missing_or_wrong_token_is_refused_with_401() {
    let server = guarded().await;
    for path in GUARDED {
        for headers in [
            &[][..],
            &[("authorization", "Bearer wrong")],
            &[("authorization", "Bearer READER")],
            &[("authorization", "Bearer")],
            &[("authorization", "reader")],
            &[("authorization", "")],
            &[("authorization", "Basic reader")],
            &[("authorization", "Basic cmVhZGVyOnJlYWRlcg==")],
            &[("authorization", TOKEN)],
            &[
                ("authorization", "Bearer reader"),
                ("authorization", "Bearer reader"),
            ],
        ] {
            // Long enough for the rate limiter to allow another attempt.
            server.pass(6_000);
            let answer = ask(&server, path, headers).await;
            assert_eq!(answer.status, 401, "{path} {headers:?}");
            assert_eq!(answer.code(), "unauthorized");
            let challenge = answer.header("www-authenticate");
            assert!(challenge.starts_with("Bearer"), "{challenge}");
        }
    }
    // Without a token, the response does not reveal which methods a path takes.
    let answer = request(server.private, Method::POST, "/api/v1/events", &[], "").await;
    assert_eq!(answer.code(), "unauthorized");
}

#[tokio::test]
async fn every_configured_token_is_accepted() {
    let server = guarded().await;
    for token in [
        "Bearer reader",
        "bearer reader",
        "BEARER   reader",
        "Bearer other",
    ] {
        for path in &GUARDED[..3] {
            // With a token, the `Host` header does not matter.
            for host in ["127.0.0.1", "inbox.example.org"] {
                let headers = [("authorization", token), ("host", host)];
                let answer = ask(&server, path, &headers).await;
                assert_eq!(answer.status, 200, "{token} {path} {host}");
            }
        }
    }
}

#[tokio::test]
async fn health_endpoints_need_no_token() {
    let server = guarded().await;
    for path in ["/livez", "/readyz"] {
        for headers in [
            &[][..],
            &[("authorization", "Bearer wrong")],
            &[("host", "example.org")],
        ] {
            assert_eq!(ask(&server, path, headers).await.status, 200);
        }
    }
}

#[tokio::test]
async fn without_tokens_only_loopback_hosts_are_allowed() {
    let server = TestServer::start().await;
    post(server.public, note(1)).await;
    for host in [
        "127.0.0.1",
        "127.0.0.1:8081",
        "localhost",
        "LocalHost:8081",
        "[::1]",
        "[::1]:8081",
    ] {
        for path in &GUARDED[..3] {
            let answer = ask(&server, path, &[("host", host)]).await;
            assert_eq!(answer.status, 200, "{host} {path}");
        }
    }
    for host in [
        "example.org",
        "example.org:8081",
        "localhost.example.org",
        "127.0.0.1.example.org",
        "localhost@example.org",
        "",
    ] {
        for path in GUARDED {
            let answer = ask(&server, path, &[("host", host)]).await;
            assert_eq!(answer.status, 403, "{host} {path}");
            assert_eq!(answer.code(), "host-not-allowed");
        }
        // A token changes nothing when none is configured.
        let headers = [("host", host), ("authorization", TOKEN)];
        let answer = ask(&server, "/api/v1/events", &headers).await;
        assert_eq!(answer.status, 403, "{host}");
    }
}

#[tokio::test]
async fn unknown_path_is_a_404() {
    let server = TestServer::start().await;
    post(server.public, note(1)).await;
    for path in [
        "/nothing",
        "/api",
        "/api/v1",
        "/api/v2/events",
        "/api/v1/events/",
        "/api/v1/events/1/",
        "/api/v1/events/1/bodies",
        "/api/v1//events",
        "/livez/",
        "/webhook",
    ] {
        let answer = get(server.private, path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.code(), "not-found");
    }
}

#[tokio::test]
async fn unsupported_method_is_a_405_with_the_allowed_methods() {
    let server = TestServer::start().await;
    post(server.public, note(1)).await;
    for path in [
        "/api/v1/events",
        "/api/v1/events/1",
        "/api/v1/events/1/body",
        "/livez",
        "/readyz",
    ] {
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = request(server.private, method, path, &[], "").await;
            assert_eq!(answer.status, 405, "{path}");
            assert_eq!(answer.code(), "method-not-allowed");
            let allow: Vec<_> = answer.headers.get_all("allow").iter().collect();
            assert_eq!(allow, ["GET, HEAD"], "{path}");
        }
        let head = request(server.private, Method::HEAD, path, &[], "").await;
        assert_eq!(head.status, 200, "{path}");
        assert!(head.body.is_empty());
        let length = get(server.private, path).await.body.len().to_string();
        assert_eq!(head.header("content-length"), length, "{path}");
    }
}

#[tokio::test]
async fn cross_origin_request_is_a_403_without_cors_headers() {
    let preflight = [
        ("origin", "https://example.org"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "authorization"),
        ("access-control-request-private-network", "true"),
    ];
    let open = TestServer::start().await;
    post(open.public, note(1)).await;
    let guarded = guarded().await;
    for path in GUARDED.iter().chain(&["/livez", "/readyz"]) {
        for private in [open.private, guarded.private] {
            let answer = request(private, Method::OPTIONS, path, &preflight, "").await;
            assert_eq!(answer.status, 403, "{path}");
            assert_no_cors_headers(&answer);
        }
        for origin in ["https://example.org", "null", "http://localhost"] {
            let headers = [("origin", origin), ("authorization", "Bearer reader")];
            for server in [&open, &guarded] {
                let answer = ask(server, path, &headers).await;
                assert_eq!(answer.status, 403, "{path}");
                assert_no_cors_headers(&answer);
            }
        }
    }
}

fn assert_no_cors_headers(answer: &Answer) {
    let mut names = answer.headers.keys();
    assert!(
        !names.any(|name| name.as_str().starts_with("access-control-")),
        "{answer:?}"
    );
}

#[tokio::test]
async fn cross_site_request_is_a_403_on_every_path() {
    let server = TestServer::start().await;
    let guarded = guarded().await;
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for path in [
            "/api/v1/events",
            "/api/v1/messages?q=a",
            "/openapi.json",
            "/readyz",
            "/",
        ] {
            for server in [&server, &guarded] {
                let headers = [(name, value), ("authorization", "Bearer reader")];
                let answer = ask(server, path, &headers).await;
                assert_eq!(answer.status, 403, "{name}: {value} at {path}");
                assert_eq!(answer.code(), "cross-site");
            }
        }
    }
    let own = format!("http://{}", server.private);
    for header in [
        ("origin", own.as_str()),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
    ] {
        let answer = ask(&server, "/api/v1/events", &[header]).await;
        assert_eq!(answer.status, 200, "{header:?}");
    }
}
