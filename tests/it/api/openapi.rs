//! `GET /openapi.json`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::{TestServer, get};

/// The committed copy, for readers without a running server.
const COPY: &str = "docs/openapi.json";

#[tokio::test]
async fn committed_copy_equals_the_served_document() {
    let server = TestServer::start().await;
    let answer = get(server.private, "/openapi.json").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    let copy = Path::new(env!("CARGO_MANIFEST_DIR")).join(COPY);
    if std::env::var_os("WRITE_OPENAPI").is_some() {
        fs::write(&copy, &answer.body).unwrap();
    }
    let copy = fs::read(&copy).unwrap_or_default();
    assert!(
        copy == answer.body,
        "{COPY} differs from the served document\n\
         help: run `WRITE_OPENAPI=1 cargo test --test it openapi` and review the difference"
    );
}

#[tokio::test]
async fn document_describes_every_path_with_its_parameters() {
    let server = TestServer::start().await;
    let document = get(server.private, "/openapi.json").await.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for (path, parameters) in [
        ("/api/v1/accounts", ""),
        ("/api/v1/alerts", ""),
        (
            "/api/v1/calls",
            "chat cursor epoch instance limit order since status until",
        ),
        ("/api/v1/chats", "cursor epoch instance limit"),
        (
            "/api/v1/events",
            "after body chat cursor distinct drift epoch instance limit order outcome since type typeMessage until wait",
        ),
        ("/api/v1/events/{seq}", "seq"),
        ("/api/v1/events/{seq}/body", "seq"),
        ("/api/v1/events/{seq}/file", "seq"),
        ("/api/v1/forward", ""),
        ("/api/v1/forward/{name}/dead", "cursor epoch limit name"),
        ("/api/v1/reprocess", ""),
        (
            "/api/v1/instances",
            "cursor epoch instance limit typeInstance",
        ),
        (
            "/api/v1/messages",
            "chat cursor direction distinct drift epoch instance limit order outcome q since status type typeMessage \
             until",
        ),
        (
            "/api/v1/messages/{idInstance}/{chatId}/{idMessage}",
            "chatId cursor epoch idInstance idMessage",
        ),
        (
            "/api/v1/messages/{idInstance}/{chatId}/{idMessage}/file",
            "chatId idInstance idMessage",
        ),
        ("/api/v1/stats", "instance"),
        (
            "/api/v1/stream",
            "after chat distinct drift epoch instance last-event-id outcome since type typeMessage until watch",
        ),
        ("/livez", ""),
        ("/metrics", ""),
        ("/openapi.json", ""),
        ("/readyz", ""),
    ] {
        let operation = &document["paths"][path]["get"];
        assert!(operation["summary"].is_string(), "{path}");
        assert!(operation["responses"]["200"].is_object(), "{path}");
        let described: BTreeSet<&str> = operation["parameters"]
            .as_array()
            .map(|all| {
                all.iter()
                    .map(|parameter| parameter["name"].as_str().unwrap())
                    .collect()
            })
            .unwrap_or_default();
        assert_eq!(described, parameters.split_whitespace().collect(), "{path}");
    }
    assert_eq!(document["paths"].as_object().unwrap().len(), 24);
    let required = |schema: &str| -> usize {
        let schema = &document["components"]["schemas"][schema];
        schema["required"].as_array().unwrap().len()
    };
    assert_eq!(required("Event"), 17, "every field but `body`");
    for (schema, fields) in [
        ("Message", 21),
        ("Call", 13),
        ("Instance", 6),
        ("Chat", 5),
        ("Alert", 12),
    ] {
        let described = &document["components"]["schemas"][schema]["properties"];
        // `damaged` is present only where it is true.
        let described = described.as_object().unwrap().keys();
        let described = described.filter(|field| *field != "damaged");
        assert_eq!(described.count(), fields, "{schema}");
        assert_eq!(required(schema), fields, "every field of {schema}");
    }
}
