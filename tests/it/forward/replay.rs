//! `green-inbox replay` and its address: stored events are sent again.

use hyper::Method;

use super::{id, ids, say, status, to};
use crate::support::process::{finish, program};
use crate::support::said::{self, CHAT, NOON};
use crate::support::sink::Received;
use crate::support::{Answer, Sink, TestServer, post, request};

const OTHER: &str = "79001112233@c.us";

async fn replay(server: &TestServer, query: &str) -> Answer {
    let path = format!("/api/v1/forward/crm/replay?{query}");
    request(server.private, Method::POST, &path, &[], "").await
}

#[tokio::test]
async fn replay_sends_what_matches_again_in_order_with_the_same_ids() {
    let sink = Sink::start().await;
    let server = TestServer::with(to(&sink, |_| {})).await;
    for number in ["A1", "A2", "A3"] {
        say(&server, CHAT, number).await;
    }
    say(&server, OTHER, "B1").await;
    sink.wait_for_number(4).await;
    status(&server, |status| status["position"] == 4).await;
    let answer = replay(&server, "chat=79004445566@c.us").await;
    assert_eq!(answer.json()["queued"], 3);
    sink.wait_for_number(7).await;
    assert_eq!(ids(&sink)[4..], ["A1", "A2", "A3"]);
    let all = sink.received();
    let of = |index: usize| all[index].header("webhook-id").to_owned();
    assert_eq!(
        of(4),
        of(ids(&sink).iter().position(|id| id == "A1").unwrap())
    );
    assert_eq!(replay(&server, "seq=4").await.json()["queued"], 1);
    sink.wait_for_number(8).await;
    assert_eq!(id(&sink.received()[7]), "B1");
    status(&server, |status| status["waiting"] == 0).await;
    server.stop().await;
}

#[tokio::test]
async fn replay_takes_the_filters_and_times_of_the_list() {
    let sink = Sink::start().await;
    let server = TestServer::with(to(&sink, |_| {})).await;
    for number in 1..=4 {
        say(&server, CHAT, &format!("A{number}")).await;
        server.pass(60_000);
    }
    post(server.public, said::state(NOON, "authorized").to_string()).await;
    sink.wait_for_number(5).await;
    status(&server, |status| status["position"] == 5).await;
    let again = async |query: &str| {
        let before = sink.received().len();
        let queued = replay(&server, query).await.json()["queued"].clone();
        let queued = usize::try_from(queued.as_u64().unwrap()).unwrap();
        sink.wait_for_number(before + queued).await;
        status(&server, |status| status["waiting"] == 0).await;
        let new = sink.received().split_off(before);
        let id = |got: &Received| {
            got.json()["idMessage"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        new.iter().map(id).collect::<Vec<_>>()
    };
    let times = "since=2026-01-01T00:01:00Z&until=2026-01-01T00:03:00Z";
    assert_eq!(again(times).await, ["A2", "A3"]);
    assert_eq!(
        again("since=2026-01-01T00:02:30Z&type=incomingMessageReceived").await,
        ["A4"]
    );
    assert_eq!(again("type=stateInstanceChanged").await, [""]);
    assert_eq!(again("outcome=malformed").await, [""; 0]);
    server.stop().await;
}

#[tokio::test]
async fn command_takes_the_filters_too() {
    let sink = Sink::start().await;
    let server = TestServer::with(to(&sink, |_| {})).await;
    say(&server, CHAT, "A1").await;
    server.pass(60_000);
    say(&server, CHAT, "A2").await;
    say(&server, OTHER, "B1").await;
    sink.wait_for_number(3).await;
    status(&server, |status| status["position"] == 3).await;
    let from = format!("http://{}", server.private);
    let run = move || {
        let times = ["--since", "2026-01-01T00:00:30Z", "--chat", CHAT];
        finish(
            program()
                .args(["replay", "--to", "crm", "--from", &from])
                .args(times),
        )
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "1 events are sent again to `crm`\n", "{problem}");
    sink.wait_for_number(4).await;
    assert_eq!(id(&sink.received()[3]), "A2");
    server.stop().await;
}

#[tokio::test]
async fn replay_needs_a_selection_and_a_known_destination() {
    let sink = Sink::start().await;
    let server = TestServer::with(to(&sink, |_| {})).await;
    assert_eq!(replay(&server, "").await.code(), "bad-parameter");
    assert_eq!(replay(&server, "seq=9").await.status, 404);
    let path = "/api/v1/forward/other/replay?dead=true";
    let unknown = request(server.private, Method::POST, path, &[], "").await;
    assert_eq!(unknown.status, 404);
    let path = "/api/v1/forward/crm/replay?dead=true";
    let read = request(server.private, Method::GET, path, &[], "").await;
    assert_eq!((read.status.as_u16(), read.header("allow")), (405, "POST"));
    server.stop().await;
}

#[tokio::test]
async fn command_sends_dead_letters_again() {
    let sink = Sink::start().await;
    sink.answer(500, "");
    let server = TestServer::with(to(&sink, |forward| forward.retry_seconds = vec![1])).await;
    say(&server, CHAT, "A1").await;
    sink.wait_for_number(1).await;
    status(&server, |status| status["waiting"] == 1).await;
    server.pass(2_000);
    status(&server, |status| status["dead"] == 1).await;
    sink.answer(200, "");
    let from = format!("http://{}", server.private);
    let run = move || finish(program().args(["replay", "--to", "crm", "--dead", "--from", &from]));
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "1 events are sent again to `crm`\n", "{problem}");
    sink.wait_for_number(3).await;
    status(&server, |status| {
        status["dead"] == 0 && status["waiting"] == 0
    })
    .await;
    server.stop().await;
}
