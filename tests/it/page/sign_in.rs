//! Sign-in, sign-out, and what a session opens.

use hyper::Method;

use super::{SECRET, guarded, html, open, session, submit, text};
use crate::support::{TestServer, request};

const VIEWS: [&str; 5] = [
    "/",
    "/events/1",
    "/chats/1/79%40c.us",
    "/instances",
    "/health",
];

#[tokio::test]
async fn without_session_every_view_leads_to_the_sign_in_and_back() {
    let server = guarded().await;
    for path in VIEWS {
        let answer = open(&server, path, &[]).await;
        assert_eq!(answer.status, 303, "{path}");
        let location = answer.header("location");
        assert!(location.starts_with("/sign-in?next=%2F"), "{location}");
    }
    let answer = open(&server, "/?type=incomingCall&q=a+b", &[]).await;
    let form = html(&server, answer.header("location"), &[]).await;
    let next = r#"name="next" value="/?type=incomingCall&#38;q=a+b""#;
    assert!(form.contains(next), "{form}");
    let fields = [("token", SECRET), ("next", "/?type=incomingCall&q=a+b")];
    let answer = submit(&server, "/sign-in", &[], &fields).await;
    assert_eq!(answer.header("location"), "/?type=incomingCall&q=a+b");
}

#[tokio::test]
async fn session_opens_views_and_api_until_it_is_signed_out() {
    let server = guarded().await;
    let cookie = session(&server).await;
    let headers = [("cookie", cookie.as_str())];
    for path in ["/", "/instances", "/health", "/api/v1/events", "/metrics"] {
        let answer = open(&server, path, &headers).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    assert!(html(&server, "/", &headers).await.contains("/sign-out"));
    let answer = submit(&server, "/sign-out", &headers, &[]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, "/sign-in")
    );
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    // A copy of the cookie is worthless too.
    assert_eq!(open(&server, "/", &headers).await.status, 303);
    assert_eq!(open(&server, "/api/v1/events", &headers).await.status, 401);
}

#[tokio::test]
async fn session_cookie_is_hidden_from_scripts_and_other_sites_and_does_not_hold_the_token() {
    let server = guarded().await;
    let answer = submit(&server, "/sign-in", &[], &[("token", SECRET)]).await;
    let cookie = answer.header("set-cookie");
    for attribute in [
        "; HttpOnly",
        "; SameSite=Strict",
        "; Path=/",
        "; Max-Age=604800",
    ] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(
        !cookie.contains("Secure") && !cookie.contains(SECRET),
        "{cookie}"
    );
    let (host, origin) = ("inbox.example", "https://inbox.example");
    let headers = [("host", host), ("origin", origin)];
    let form = format!("token={SECRET}");
    let answer = request(server.private, Method::POST, "/sign-in", &headers, form).await;
    assert!(answer.header("set-cookie").ends_with("; Secure"));
}

#[tokio::test]
async fn session_survives_a_restart_and_ends_with_its_token() {
    let server = guarded().await;
    let cookie = session(&server).await;
    let headers = [("cookie", cookie.as_str())];
    let folder = server.stop().await;
    let token = |token: &'static str| {
        move |config: &mut green_inbox::config::Config| {
            config.private.tokens = vec![green_inbox::config::Token::new(token)];
        }
    };
    let server = TestServer::at(folder, token(SECRET)).await;
    assert_eq!(open(&server, "/", &headers).await.status, 200);
    server.pass(604_800_000);
    assert_eq!(open(&server, "/", &headers).await.status, 303);
    let folder = server.stop().await;
    let server = TestServer::at(folder, token("another")).await;
    assert_eq!(open(&server, "/", &headers).await.status, 303);
}

#[tokio::test]
async fn wrong_token_is_refused_and_ten_of_them_are_rate_limited() {
    let server = guarded().await;
    for _ in 0..10 {
        let answer = submit(&server, "/sign-in", &[], &[("token", "wrong")]).await;
        assert_eq!(answer.status, 401);
        assert!(!answer.headers.contains_key("set-cookie"));
        assert!(text(&answer).contains("This token is not accepted."));
    }
    // A valid token gets the same response, so that a guess does not reveal it.
    for token in ["wrong", SECRET] {
        let answer = submit(&server, "/sign-in", &[], &[("token", token)]).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("retry-after")),
            (429, "6")
        );
        assert!(text(&answer).contains("Too many wrong tokens"));
    }
    server.pass(6_000);
    session(&server).await;
}

#[tokio::test]
async fn form_of_another_site_is_refused() {
    let server = guarded().await;
    let cookie = session(&server).await;
    for path in ["/sign-in", "/sign-out"] {
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let headers = [("cookie", cookie.as_str()), (name, value)];
            let form = format!("token={SECRET}");
            let answer = request(server.private, Method::POST, path, &headers, form).await;
            assert_eq!(answer.status, 403, "{path} {name}: {value}");
            assert_eq!(answer.code(), "cross-site");
        }
    }
    let headers = [("cookie", cookie.as_str())];
    assert_eq!(open(&server, "/", &headers).await.status, 200);
}

#[tokio::test]
async fn changed_session_is_refused_and_not_counted_as_a_guess() {
    let server = guarded().await;
    let cookie = session(&server).await;
    for _ in 0..20 {
        let changed = format!("{cookie}0");
        let answer = open(&server, "/api/v1/events", &[("cookie", &changed)]).await;
        assert_eq!(answer.status, 401);
    }
    session(&server).await;
}

#[tokio::test]
async fn without_tokens_there_is_nothing_to_sign_in_to() {
    let server = TestServer::start().await;
    let answer = open(&server, "/sign-in?next=/health", &[]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, "/health")
    );
    assert!(!html(&server, "/", &[]).await.contains("/sign-out"));
}

#[tokio::test]
async fn without_tokens_the_page_is_read_by_local_names_only() {
    let server = TestServer::start().await;
    for path in VIEWS {
        let answer = open(&server, path, &[("host", "rebound.example")]).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(text(&answer).contains("This may not be read"));
    }
}
