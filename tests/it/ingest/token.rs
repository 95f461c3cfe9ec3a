//! Webhook tokens: accepted forms, several tokens at once, and rotation without a gap.

use std::fs;
use std::path::Path;

use green_inbox::config::{Config, Token};

use super::{events, notice, post_with};
use crate::support::{Process, TOKEN, TestServer};

/// Whether a notification with this `Authorization` header is accepted.
async fn admits(server: &TestServer, authorization: &str) -> bool {
    let headers = [("authorization", authorization)];
    let answer = post_with(server.public, &headers, notice(1)).await;
    if answer.status == 401 {
        assert_eq!(answer.code(), "unauthorized");
    } else {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    answer.status == 200
}

fn tokens(list: &[&str]) -> impl FnOnce(&mut Config) {
    let list = list.iter().map(|text| Token::new(text)).collect();
    |config| config.ingest.tokens = list
}

#[tokio::test]
async fn token_is_accepted_in_each_of_its_forms() {
    for (set, headers) in [
        (
            "Bearer Az09-._~+/=",
            &[
                "Bearer Az09-._~+/=",
                "bearer Az09-._~+/=",
                "BEARER   Az09-._~+/=  ",
            ][..],
        ),
        ("bare-token", &["Bearer bare-token", "bEaReR bare-token"]),
        ("bEARER  spaced", &["Bearer spaced", "bearer \t spaced"]),
        (
            "Basic Z3JlZW46aW5ib3g=",
            &[
                "Basic Z3JlZW46aW5ib3g=",
                "basic Z3JlZW46aW5ib3g=",
                "BASIC  Z3JlZW46aW5ib3g=",
            ],
        ),
        ("two words", &["Bearer two words"]),
    ] {
        let server = TestServer::with(tokens(&[set])).await;
        for header in headers {
            assert!(admits(&server, header).await, "{set:?} by {header:?}");
        }
    }
}

#[tokio::test]
async fn near_misses_of_a_token_are_refused() {
    let server = TestServer::with(tokens(&["Bearer open-sesame", "Basic Z3JlZW46aW5ib3g="])).await;
    for header in [
        "",
        "Bearer",
        "Bearer ",
        "Basic",
        "open-sesame",
        "Bearer open-sesam",
        "Bearer pen-sesame",
        "Bearer open-sesame2",
        "Bearer 2open-sesame",
        "Bearer open-Sesame",
        "Bearer open-sesame,",
        "Bearer open-sesame open-sesame",
        "Bearer \"open-sesame\"",
        "Bearer Bearer open-sesame",
        "Beareropen-sesame",
        "Bearer=open-sesame",
        // The right credentials under the wrong scheme.
        "Basic open-sesame",
        "Bearer Z3JlZW46aW5ib3g=",
        "Digest open-sesame",
        "Token open-sesame",
        // Basic credentials must be encoded.
        "Basic green:inbox",
    ] {
        assert!(!admits(&server, header).await, "{header:?}");
    }
    assert!(events(&server).await.is_empty());
    assert!(admits(&server, "Bearer open-sesame").await);
}

#[tokio::test]
async fn non_ascii_token_is_refused() {
    use crate::support::raw::{Raw, bare_head};

    let server = TestServer::start().await;
    let mut raw = Raw::open(server.public).await;
    raw.send(bare_head(&[
        "authorization: Bearer \u{43f}",
        "content-length: 0",
    ]))
    .await;
    assert_eq!(raw.answer().await.code(), "unauthorized");
}

#[tokio::test]
async fn two_authorization_headers_are_refused_even_if_both_are_valid() {
    let server = TestServer::start().await;
    for second in [TOKEN, "Bearer open-barley", ""] {
        for headers in [[TOKEN, second], [second, TOKEN]] {
            let headers = headers.map(|value| ("authorization", value));
            let answer = post_with(server.public, &headers, notice(1)).await;
            assert_eq!(answer.code(), "unauthorized", "{headers:?}");
        }
    }
}

#[tokio::test]
async fn every_configured_token_is_accepted() {
    let server = TestServer::with(tokens(&["old-token", "Basic bmV3OnRva2Vu"])).await;
    assert!(admits(&server, "Bearer old-token").await);
    assert!(admits(&server, "Basic bmV3OnRva2Vu").await);
    assert!(!admits(&server, "Bearer other-token").await);
}

/// A server whose only tokens are those in `file`.
async fn with_file(file: &Path) -> TestServer {
    TestServer::with(|config| {
        config.ingest.tokens = Vec::new();
        config.ingest.tokens_file = Some(file.to_owned());
    })
    .await
}

#[tokio::test]
async fn reload_replaces_the_tokens_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    fs::write(&file, "Bearer first\r\n\n  Basic c2Vjb25k\n").unwrap();
    let server = with_file(&file).await;
    assert!(admits(&server, "Bearer first").await);
    assert!(admits(&server, "Basic c2Vjb25k").await);

    fs::write(&file, "third").unwrap();
    assert!(admits(&server, "Bearer first").await, "before the reload");
    assert!(!admits(&server, "Bearer third").await, "before the reload");

    server.reload().unwrap();
    assert!(admits(&server, "Bearer third").await);
    assert!(!admits(&server, "Bearer first").await);
    assert!(!admits(&server, "Basic c2Vjb25k").await);
}

#[tokio::test]
async fn unusable_token_file_keeps_the_old_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    fs::write(&file, "first").unwrap();
    let server = with_file(&file).await;
    for broken in [
        &b""[..],
        b"\n \n",
        b"second\nBearer\n",
        b"second\nBasic \n",
        b"second\n\xff\xfe\n",
        "second\nпароль\n".as_bytes(),
    ] {
        fs::write(&file, broken).unwrap();
        assert!(server.reload().is_err(), "{broken:?}");
        assert!(admits(&server, "Bearer first").await, "{broken:?}");
        assert!(!admits(&server, "Bearer second").await, "{broken:?}");
        assert!(!admits(&server, "").await, "{broken:?}");
    }
    fs::remove_file(&file).unwrap();
    assert!(server.reload().is_err());
    assert!(admits(&server, "Bearer first").await);

    fs::write(&file, "second").unwrap();
    server.reload().unwrap();
    assert!(admits(&server, "Bearer second").await);
}

#[tokio::test]
async fn tokens_of_the_list_and_the_file_are_both_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    fs::write(&file, "of-the-file").unwrap();
    let server = TestServer::with(|config| config.ingest.tokens_file = Some(file.clone())).await;
    fs::write(&file, "of-the-file-anew").unwrap();
    server.reload().unwrap();
    assert!(admits(&server, TOKEN).await);
    assert!(admits(&server, "Bearer of-the-file-anew").await);
    assert!(!admits(&server, "Bearer of-the-file").await);
}

#[tokio::test]
async fn allow_anonymous_without_tokens_admits_everyone() {
    let server = TestServer::with(|config| {
        config.ingest.tokens = Vec::new();
        config.ingest.allow_anonymous = true;
    })
    .await;
    assert_eq!(post_with(server.public, &[], notice(1)).await.status, 200);
    // Without configured tokens there is nothing to compare a presented token with.
    assert!(admits(&server, "Bearer anything").await);
}

#[tokio::test]
async fn allow_anonymous_with_tokens_still_refuses_wrong_ones() {
    let server = TestServer::with(|config| config.ingest.allow_anonymous = true).await;
    assert_eq!(post_with(server.public, &[], notice(1)).await.status, 200);
    assert!(admits(&server, TOKEN).await);
    for wrong in ["Bearer open-barley", "Bearer", ""] {
        assert!(!admits(&server, wrong).await, "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_reloads_the_token_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    fs::write(&file, "first").unwrap();
    let mut process = Process::with(
        folder.path(),
        &[("GREEN_INBOX__INGEST__TOKENS_FILE", file.to_str().unwrap())],
    );
    let status = async |token| {
        let headers = [("authorization", token)];
        post_with(process.public, &headers, notice(1))
            .await
            .status
            .as_u16()
    };
    assert_eq!(
        [status("Bearer first").await, status("Bearer second").await],
        [200, 401]
    );
    fs::write(&file, "second").unwrap();
    process.signal("HUP");
    process
        .log
        .wait_for(|line| line.contains("configuration reloaded"));
    assert_eq!(
        [status("Bearer first").await, status("Bearer second").await],
        [401, 200]
    );
    process.signal("TERM");
    assert_eq!(process.wait().code(), Some(0));
}
