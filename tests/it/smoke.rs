use crate::support::{Process, TestServer, get, post};

#[tokio::test]
async fn in_process() {
    let server = TestServer::start().await;
    let answer = post(server.public, r#"{"typeWebhook":"new"}"#).await;
    assert_eq!(
        answer.json(),
        serde_json::json!({"seq": 1, "outcome": "unknown", "repeated": false})
    );
    assert_eq!(
        get(server.private, "/api/v1/events/1").await.json()["typeWebhook"],
        "new"
    );
    server.stop().await;
}

#[tokio::test]
async fn as_a_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path());
    assert_eq!(
        post(process.public, "5").await.json()["outcome"],
        "malformed"
    );
    process.signal("TERM");
    assert_eq!(process.wait().code(), Some(0));
}
