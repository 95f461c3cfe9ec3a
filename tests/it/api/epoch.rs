//! The epoch: a reader whose seqs belong to another database gets a 409.

use hyper::Method;
use serde_json::Value;

use super::{filled, list, next, note, seqs};
use crate::support::{Answer, TestServer, get, request};

fn assert_rewound(answer: &Answer) {
    assert_eq!(answer.status, 409, "{answer:?}");
    assert_eq!(answer.code(), "feed-rewound");
    let epoch = answer.header("green-inbox-epoch");
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains(epoch), "{detail}");
    assert!(detail.contains("newest seq 3"), "{detail}");
}

async fn epoch(server: &TestServer) -> String {
    let stats = get(server.private, "/api/v1/stats").await.json();
    stats["epoch"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_response_has_the_epoch_and_a_restart_keeps_it() {
    let server = filled((1..=3).map(note)).await;
    let epoch = epoch(&server).await;
    assert!(epoch.len() >= 8, "{epoch}");
    for path in [
        "/livez",
        "/readyz",
        "/api/v1/events",
        "/api/v1/chats",
        "/nothing",
        "/api/v1/events?x=1",
    ] {
        let answer = get(server.private, path).await;
        assert_eq!(answer.header("green-inbox-epoch"), epoch, "{path}");
    }
    let server = TestServer::at(server.stop().await, |_| {}).await;
    assert_eq!(self::epoch(&server).await, epoch);
}

#[tokio::test]
async fn seq_beyond_the_newest_is_a_409() {
    let server = filled((1..=3).map(note)).await;
    for path in [
        "events?after=4",
        "events?after=9223372036854775807&wait=60",
        "stream?after=4",
    ] {
        assert_rewound(&get(server.private, &format!("/api/v1/{path}")).await);
    }
    let header = [("last-event-id", "4")];
    let stream = request(server.private, Method::GET, "/api/v1/stream", &header, "");
    assert_rewound(&stream.await);
    assert_eq!(
        get(server.private, "/api/v1/events?after=3").await.status,
        200
    );
}

#[tokio::test]
async fn another_epoch_is_a_409_and_the_current_one_is_accepted() {
    let server = filled((1..=3).map(note)).await;
    let epoch = epoch(&server).await;
    for path in [
        "events?after=1",
        "events?limit=1",
        "messages?limit=1",
        "chats?limit=1",
        "instances?limit=1",
        "calls?limit=1",
    ] {
        let path = format!("/api/v1/{path}");
        assert_rewound(&get(server.private, &format!("{path}&epoch=other")).await);
        let own = get(server.private, &format!("{path}&epoch={epoch}")).await;
        assert_eq!(own.status, 200, "{path}");
    }
    assert_rewound(&get(server.private, "/api/v1/stream?epoch=other").await);
}

#[tokio::test]
async fn cursor_of_another_epoch_is_a_409() {
    let server = filled((1..=3).map(note)).await;
    let path = next(&list(server.private, "/api/v1/events?limit=1").await).unwrap();
    let other = filled((1..=3).map(note)).await;
    assert_rewound(&get(other.private, &path).await);
    // The server that issued the cursor accepts it.
    assert_eq!(seqs(&list(server.private, &path).await), [2]);
    assert_ne!(epoch(&server).await, Value::Null);
}
