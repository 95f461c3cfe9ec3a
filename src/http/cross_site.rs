//! Refuses requests that a page of another site makes a browser send. Such a page cannot read the response,
//! but it could make this listener execute any request.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use hyper::header::{HOST, ORIGIN};
use hyper::http::uri::{Authority, Scheme};
use hyper::{HeaderMap, StatusCode, Uri};

use super::Problem;

/// Middleware that answers 403 if a page of another site caused the request.
pub async fn refuse(request: Request, next: Next) -> Result<Response, Problem> {
    if is_cross_site(request.headers()) {
        return Err(problem());
    }
    Ok(next.run(request).await)
}

/// 403: a page of another site caused the request.
#[must_use]
pub fn problem() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "cross-site",
        "A page of another site caused this request; such requests are refused.",
    )
}

/// Whether the headers set by the browser (Fetch Metadata, and `Origin` of RFC 6454) name another site. Other
/// clients do not send these headers.
#[must_use]
pub fn is_cross_site(headers: &HeaderMap) -> bool {
    let has = |name: &str, value: &str| {
        let mut all = headers.get_all(name).iter();
        all.any(|line| line.as_bytes().eq_ignore_ascii_case(value.as_bytes()))
    };
    // Another port of this host counts as the same site. Its pages may link here but send no other request.
    let is_same_site = has("sec-fetch-site", "same-site") && !has("sec-fetch-mode", "navigate");
    has("sec-fetch-site", "cross-site") || is_same_site || has_foreign_origin(headers)
}

/// Whether `Origin` differs from `Host` in host or port, is unreadable, or is there twice.
fn has_foreign_origin(headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else {
        return false;
    };
    let own = headers
        .get(HOST)
        .and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let claimed = Uri::try_from(origin.as_bytes()).ok();
    let same = own.zip(claimed).is_some_and(|(own, claimed)| {
        let default = match claimed.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => 80,
            Some(scheme) if *scheme == Scheme::HTTPS => 443,
            _ => return false,
        };
        let port = |authority: &Authority| authority.port_u16().unwrap_or(default);
        claimed.authority().is_some_and(|claimed| {
            claimed.host().eq_ignore_ascii_case(own.host()) && port(claimed) == port(&own)
        })
    });
    !same || origins.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn origin_is_foreign_unless_it_equals_the_host() {
        for (host, origin, is_foreign) in [
            ("localhost:8081", "http://localhost:8081", false),
            ("LOCALHOST:8081", "http://localhost:8081", false),
            ("inbox.example", "https://inbox.example", false),
            ("inbox.example:443", "https://inbox.example", false),
            ("[::1]:8081", "http://[::1]:8081", false),
            ("localhost:8081", "http://localhost:3000", true),
            ("localhost:8081", "http://localhost", true),
            ("localhost:8081", "https://evil.example", true),
            ("localhost:8081", "http://localhost:8081.evil.example", true),
            ("localhost:8081", "http://evil.example@localhost:80", true),
            ("localhost:8081", "null", true),
            ("localhost:8081", "", true),
            ("localhost:8081", "localhost:8081", true),
            ("localhost:8081", "chrome-extension://localhost:8081", true),
        ] {
            let both = headers(&[("host", host), ("origin", origin)]);
            assert_eq!(has_foreign_origin(&both), is_foreign, "{origin} for {host}");
        }
        let twice = [
            ("host", "a"),
            ("origin", "http://a"),
            ("origin", "http://a"),
        ];
        assert!(has_foreign_origin(&headers(&twice)));
        assert!(has_foreign_origin(&headers(&[("origin", "http://a")])));
    }
}
