//! Styles and scripts: their addresses, their caching, and the texts that they use.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{guarded, html, open};
use crate::support::TestServer;

/// The folder of the assets, as the page names it.
async fn folder(server: &TestServer, path: &str) -> String {
    let page = html(server, path, &[]).await;
    let start = page.find("/assets/").unwrap();
    page[start..]
        .split("/style.css")
        .next()
        .unwrap()
        .split("/icon.svg")
        .next()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn assets_need_no_token_and_are_kept_for_good() {
    let server = guarded().await;
    let folder = folder(&server, "/sign-in").await;
    for (name, kind) in [
        ("style.css", "text/css; charset=utf-8"),
        ("live.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ] {
        let answer = open(&server, &format!("{folder}/{name}"), &[]).await;
        assert_eq!(answer.status, 200, "{name}");
        assert_eq!(answer.header("content-type"), kind);
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
    }
    for path in [
        format!("{folder}/other.js"),
        "/assets/0000/style.css".to_owned(),
    ] {
        let answer = open(&server, &path, &[]).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn scripts_use_only_texts_that_exist_and_never_make_html_from_text() {
    let server = TestServer::start().await;
    let page = html(&server, "/", &[]).await;
    let mut used = BTreeSet::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/page/assets");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let code = fs::read_to_string(&path).unwrap();
        if path.extension().is_none_or(|extension| extension != "js") {
            continue;
        }
        for unsafe_way in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
        ] {
            assert!(
                !code.contains(unsafe_way),
                "{}: {unsafe_way}",
                path.display()
            );
        }
        for rest in code.split("words.").skip(1) {
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric())
                .unwrap_or(rest.len());
            if &rest[..end] != "js" {
                used.insert(rest[..end].to_owned());
            }
        }
    }
    assert!(used.len() > 50, "{used:?}");
    for name in used {
        assert!(
            page.contains(&format!("&#34;{name}&#34;:")),
            "words.{name} does not exist"
        );
    }
}
