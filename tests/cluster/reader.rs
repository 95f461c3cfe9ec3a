//! A reader of the feed that changes from node to node.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hyper::{Method, StatusCode};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::support::client::try_request;
use crate::support::process::PATIENCE;

/// Pause after a node did not answer.
const PAUSE: Duration = Duration::from_millis(20);

/// The private listeners of the nodes as they are now.
pub type Nodes = Arc<Mutex<Vec<SocketAddr>>>;

/// A running reader.
pub struct Reader {
    task: JoinHandle<i64>,
    wanted: Arc<Mutex<Option<i64>>>,
}

impl Reader {
    /// Reads the feed from its start, each page from the next node. Panics unless every seq comes once and in order.
    pub fn start(nodes: &Nodes, first: usize) -> Self {
        let (nodes, wanted) = (Arc::clone(nodes), Arc::new(Mutex::new(None)));
        let task = tokio::spawn({
            let wanted = Arc::clone(&wanted);
            async move {
                let (mut after, mut turn) = (0, first);
                let mut deadline = None;
                loop {
                    let wanted = *wanted.lock().unwrap();
                    if wanted.is_some_and(|wanted| after >= wanted) {
                        return after;
                    }
                    if wanted.is_some() {
                        let deadline = *deadline.get_or_insert(Instant::now() + PATIENCE);
                        assert!(
                            Instant::now() < deadline,
                            "stopped at {after} of {wanted:?}"
                        );
                    }
                    let node = {
                        let nodes = nodes.lock().unwrap();
                        nodes[turn % nodes.len()]
                    };
                    turn += 1;
                    let path = format!("/api/v1/events?after={after}&limit=200&wait=0");
                    let answer = try_request(node, Method::GET, &path, &[], "").await;
                    let Ok(answer) = answer else {
                        sleep(PAUSE).await;
                        continue;
                    };
                    // Without an epoch it is another listener, which has got the port of a killed node.
                    let is_of_node = answer.headers.contains_key("green-inbox-epoch");
                    if answer.status == StatusCode::SERVICE_UNAVAILABLE || !is_of_node {
                        sleep(PAUSE).await;
                        continue;
                    }
                    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
                    let events = answer.json()["data"].take();
                    let Value::Array(events) = events else {
                        panic!("{events}");
                    };
                    for event in &events {
                        assert_eq!(event["seq"], after + 1, "from node {turn}");
                        after += 1;
                    }
                    if events.is_empty() {
                        sleep(PAUSE).await;
                    }
                }
            }
        });
        Self { task, wanted }
    }

    /// Waits until the reader has every event up to `seq`.
    pub async fn reaches(self, seq: i64) {
        *self.wanted.lock().unwrap() = Some(seq);
        assert_eq!(self.task.await.unwrap(), seq);
    }
}
