//! The alert rules and the dashboard in `deploy/` name only metrics that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use green_inbox::metrics::{Metrics, Sampled, SampledNode};
use hyper::Method;
use serde_json::json;

use super::say;
use crate::support::said;
use crate::support::{TestServer, get, request};

/// The metrics that only one of several nodes has. tests/cluster reads them.
const OF_NODES: [&str; 2] = ["green_inbox_lease_held", "green_inbox_account_lease_held"];

/// The names in a text that begin with `green_inbox_`.
fn names(text: &str) -> BTreeSet<&str> {
    let prefix = "green_inbox_";
    text.match_indices(prefix)
        .map(|(start, _)| {
            let rest = &text[start..];
            let end = rest.find(|letter: char| !letter.is_ascii_lowercase() && letter != '_');
            &rest[..end.unwrap_or(rest.len())]
        })
        .collect()
}

#[tokio::test]
async fn every_metric_of_the_deploy_files_exists() {
    let server = TestServer::start().await;
    say(&server, [said::text("A1", 5, "Good morning"), json!({})]).await;
    // A request without a token, which is counted as refused.
    request(server.public, Method::POST, "/webhook", &[], "{}").await;
    get(server.private, "/api/v1/events").await;
    let answer = get(server.private, "/metrics").await;
    let scrape = String::from_utf8(answer.body.to_vec()).unwrap();
    // Of several nodes.
    let sampled = Sampled {
        node: Some(SampledNode {
            is_connected: true,
            lag: 0,
            leases: vec![("forward".to_owned(), true)],
            age: Duration::ZERO,
            epoch: "0".to_owned(),
            standbys: Some(1),
            standby_lag: Some(0.0),
        }),
        ..Sampled::default()
    };
    let of_node = Metrics::new("3");
    of_node.appended(Duration::ZERO);
    let of_node = of_node.scrape(&sampled).unwrap();
    let absent = "green_inbox_node_connected";
    assert!(of_node.contains(absent) && !scrape.contains(absent));
    let existing = &names(&scrape) | &names(&of_node);
    for file in ["prometheus-alerts.yaml", "grafana-dashboard.json"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("deploy")
            .join(file);
        let text = fs::read_to_string(path).unwrap();
        let used = names(&text);
        assert!(used.len() > 5, "{file}: {used:?}");
        let missing = used.difference(&existing);
        let missing: Vec<_> = missing.filter(|name| !OF_NODES.contains(name)).collect();
        assert!(missing.is_empty(), "{file}: {missing:?} of {existing:#?}");
    }
}
