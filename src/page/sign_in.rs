//! `/sign-in` and `/sign-out`: exchanges a private token for a session cookie that scripts cannot read.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use hyper::body::Bytes;
use hyper::header::{ORIGIN, SET_COOKIE};
use hyper::{HeaderMap, StatusCode};

use super::failure::Failure;
use super::layout::{Layout, Section};
use super::{Page, html};
use crate::http::{Peer, SESSION_COOKIE, SESSION_SECONDS};

#[derive(askama::Template)]
#[template(path = "sign_in.html")]
struct View<'v> {
    layout: &'v Layout,
    next: &'v str,
    is_wrong: bool,
}

/// The form.
pub(super) async fn show(
    State(page): State<Arc<Page>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let next = local_path(field(query.unwrap_or_default().as_bytes(), "next"));
    if !page.gate.needs_token() || page.gate.has_session(&headers) {
        return Redirect::to(&next).into_response();
    }
    let layout = Layout::new(&page, &headers, Section::None);
    html::page(&View {
        layout: &layout,
        next: &next,
        is_wrong: false,
    })
}

/// The token that was entered.
pub(super) async fn submit(
    State(page): State<Arc<Page>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let next = local_path(field(&body, "next"));
    if !page.gate.needs_token() {
        return Ok(Redirect::to(&next).into_response());
    }
    let token = field(&body, "token").unwrap_or_default();
    match page.gate.sign_in(peer, &token) {
        Ok(session) => {
            let cookie = set_cookie(&session, SESSION_SECONDS, &headers);
            Ok(([(SET_COOKIE, cookie)], Redirect::to(&next)).into_response())
        }
        Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => {
            let layout = Layout::new(&page, &headers, Section::None);
            let view = View {
                layout: &layout,
                next: &next,
                is_wrong: true,
            };
            Ok((StatusCode::UNAUTHORIZED, html::page(&view)).into_response())
        }
        Err(problem) => Err(Failure::Refused(problem)),
    }
}

/// Ends the session.
pub(super) async fn leave(State(page): State<Arc<Page>>, headers: HeaderMap) -> Response {
    page.gate.sign_out(&headers);
    let cookie = set_cookie("", 0, &headers);
    ([(SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response()
}

fn set_cookie(value: &str, seconds: i64, headers: &HeaderMap) -> String {
    // Behind a proxy with TLS, the form comes from an https origin.
    let is_https = headers
        .get(ORIGIN)
        .is_some_and(|origin| origin.as_bytes().starts_with(b"https:"));
    let secure = if is_https { "; Secure" } else { "" };
    format!(
        "{SESSION_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    )
}

fn field(form: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(form)
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}

/// An address on this server to go on to; `/` in place of any other.
fn local_path(next: Option<String>) -> String {
    let is_local = |next: &String| {
        let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic());
        next.starts_with('/') && !next.starts_with("//") && !next.contains('\\') && is_plain
    };
    next.filter(is_local).unwrap_or_else(|| "/".to_owned())
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn only_addresses_on_this_server_are_followed() {
        for (next, followed) in [
            ("/events/5?x=%20", "/events/5?x=%20"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("/a\r\nSet-Cookie: b", "/"),
            ("/\t/evil.example", "/"),
            ("", "/"),
        ] {
            assert_eq!(local_path(Some(next.to_owned())), followed, "{next}");
        }
        assert_eq!(local_path(None), "/");
    }
}
