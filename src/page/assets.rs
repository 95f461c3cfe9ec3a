//! Styles, scripts and the icon, embedded in the binary. Their folder is named after their content, so browsers
//! may keep them for good, and scripts can import each other by relative names.

use std::sync::{Arc, LazyLock};

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE};
use sha2::{Digest, Sha256};

use super::Page;
use crate::http::Problem;

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// `Cache-Control` of a file whose address changes with its content.
const FOREVER: &str = "public, max-age=31536000, immutable";

macro_rules! assets {
    ($($name:literal $kind:expr;)*) => {
        /// Name, media type and content of each file.
        const ASSETS: &[(&str, &str, &str)] =
            &[$(($name, $kind, include_str!(concat!("assets/", $name)))),*];
    };
}

assets! {
    "style.css" "text/css; charset=utf-8";
    "icon.svg" "image/svg+xml";
    "api.js" SCRIPT;
    "bubble.js" SCRIPT;
    "chat.js" SCRIPT;
    "dom.js" SCRIPT;
    "event.js" SCRIPT;
    "forward.js" SCRIPT;
    "frame.js" SCRIPT;
    "health.js" SCRIPT;
    "highlight.js" SCRIPT;
    "keys.js" SCRIPT;
    "live.js" SCRIPT;
    "metrics.js" SCRIPT;
    "resend.js" SCRIPT;
    "row.js" SCRIPT;
    "sign-in.js" SCRIPT;
    "summary.js" SCRIPT;
    "words.js" SCRIPT;
}

/// The folder, such as `/assets/1f3a…`.
pub(super) fn folder() -> &'static str {
    static FOLDER: LazyLock<String> = LazyLock::new(|| {
        let mut hash = Sha256::new();
        for (name, _, content) in ASSETS {
            hash.update(name);
            hash.update(content);
        }
        format!("/assets/{}", HEXLOWER.encode(&hash.finalize()[..8]))
    });
    &FOLDER
}

/// One file. It holds nothing that was received, so it needs no token.
pub(super) async fn show(
    State(_): State<Arc<Page>>,
    Path((version, name)): Path<(String, String)>,
) -> Response {
    let found = ASSETS.iter().find(|(known, ..)| *known == name);
    let is_current = folder().strip_prefix("/assets/") == Some(version.as_str());
    match found.filter(|_| is_current) {
        Some((_, kind, content)) => {
            let headers = [(CONTENT_TYPE, *kind), (CACHE_CONTROL, FOREVER)];
            (headers, *content).into_response()
        }
        None => Problem::not_found().into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::ASSETS;

    /// Bytes of all files. Beyond that the page is not small any more.
    const MAX_BYTES: usize = 150_000;

    #[test]
    fn all_assets_together_are_small() {
        let bytes: usize = ASSETS.iter().map(|(_, _, content)| content.len()).sum();
        assert!(bytes < MAX_BYTES, "{bytes}");
    }

    #[test]
    fn scripts_import_only_embedded_files() {
        for (name, _, content) in ASSETS {
            for rest in content.split("from \"./").skip(1) {
                let imported = rest.split('"').next().unwrap();
                let is_known = ASSETS.iter().any(|(known, ..)| *known == imported);
                assert!(is_known, "{name} imports {imported}");
            }
        }
    }
}
