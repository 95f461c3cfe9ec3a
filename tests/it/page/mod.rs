//! The page, without a browser: routes, headers, languages, sign-in, and text from outside.

mod assets;
mod forward;
mod hostile;
mod languages;
mod routes;
mod sign_in;
mod views;

use green_inbox::config::Token;
use hyper::Method;

use crate::support::{Answer, TestServer, request};

/// The private token of [`guarded`].
const SECRET: &str = "reader";

/// A server whose private listener has a token.
async fn guarded() -> TestServer {
    TestServer::with(|config| config.private.tokens = vec![Token::new(SECRET)]).await
}

/// `GET` as a browser does.
async fn open(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Answer {
    request(server.private, Method::GET, path, headers, "").await
}

/// The HTML of a view; asserts a 200.
async fn html(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> String {
    let answer = open(server, path, headers).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    text(&answer)
}

/// The body of a response that must be HTML.
fn text(answer: &Answer) -> String {
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    String::from_utf8(answer.body.to_vec()).unwrap()
}

/// Posts a form as a browser does.
async fn submit(
    server: &TestServer,
    path: &str,
    headers: &[(&str, &str)],
    fields: &[(&str, &str)],
) -> Answer {
    let origin = format!("http://{}", server.private);
    let mut all = vec![
        ("content-type", "application/x-www-form-urlencoded"),
        ("origin", origin.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    all.extend_from_slice(headers);
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    request(server.private, Method::POST, path, &all, form.finish()).await
}

/// Signs in and returns the `Cookie` header of the session.
async fn session(server: &TestServer) -> String {
    let answer = submit(server, "/sign-in", &[], &[("token", SECRET)]).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let cookie = answer.header("set-cookie");
    cookie.split(';').next().unwrap().to_owned()
}
