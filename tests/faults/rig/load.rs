//! Load: connections that post one message after the other, and a memory of every answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Bodies;
use crate::support::process::PATIENCE;
use crate::support::{Answer, Connection};

/// Whoever was refused waits as long; GREEN-API waits a minute.
const PAUSE: Duration = Duration::from_millis(50);

/// A 200 that was given.
#[derive(Debug, Clone, Copy)]
pub struct Answered {
    pub seq: i64,
    /// The number of the body.
    pub number: u64,
    /// What the test noted when the answer had come.
    pub noted: u64,
}

/// What became of a load.
#[derive(Debug, Default)]
pub struct Outcome {
    pub answered: Vec<Answered>,
    /// Numbers of bodies of which nobody knows whether they are stored.
    pub unanswered: Vec<u64>,
    /// How often the answer was 503.
    pub refused: u64,
    /// How long the slowest answer took.
    pub slowest: Duration,
}

impl Outcome {
    pub fn add(&mut self, other: Self) {
        self.answered.extend(other.answered);
        self.unanswered.extend(other.unanswered);
        self.refused += other.refused;
        self.slowest = self.slowest.max(other.slowest);
    }

    /// Puts an answer where it belongs. There is no other than 200 and a 503 that says when to try
    /// again.
    pub fn take(&mut self, number: u64, answer: &Answer, noted: u64) {
        match answer.status {
            StatusCode::OK => {
                let seq = answer.json()["seq"].as_i64().unwrap();
                self.answered.push(Answered { seq, number, noted });
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                assert_eq!(answer.code(), "unavailable");
                assert_eq!(answer.header("retry-after"), "60");
                self.unanswered.push(number);
                self.refused += 1;
            }
            other => panic!("{other}: {answer:?}"),
        }
    }
}

/// A load that runs.
pub struct Load {
    connections: JoinSet<Outcome>,
    stop: CancellationToken,
}

impl Load {
    /// Posts on as many connections, until it is stopped or the server is gone. `note` is asked
    /// after every answer.
    pub fn start(
        address: SocketAddr,
        connections: usize,
        bodies: &Arc<Bodies>,
        note: impl Fn() -> u64 + Clone + Send + 'static,
    ) -> Self {
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        for _ in 0..connections {
            running.spawn(post(
                address,
                Arc::clone(bodies),
                note.clone(),
                stop.clone(),
            ));
        }
        Self {
            connections: running,
            stop,
        }
    }

    /// Ends it after the answers that are on their way.
    pub async fn stop(self) -> Outcome {
        self.stop.cancel();
        self.ended().await
    }

    /// Waits until the server has closed every connection.
    pub async fn ended(self) -> Outcome {
        let parts = timeout(PATIENCE, self.connections.join_all()).await;
        let mut outcome = Outcome::default();
        for part in parts.expect("the connections end") {
            outcome.add(part);
        }
        outcome
    }
}

async fn post(
    address: SocketAddr,
    bodies: Arc<Bodies>,
    note: impl Fn() -> u64,
    stop: CancellationToken,
) -> Outcome {
    let mut outcome = Outcome::default();
    let Ok(mut connection) = Connection::open(address).await else {
        return outcome;
    };
    while !stop.is_cancelled() {
        let number = bodies.next();
        let begun = Instant::now();
        let Ok(answer) = connection.post(bodies.body(number)).await else {
            outcome.unanswered.push(number);
            return outcome;
        };
        outcome.slowest = outcome.slowest.max(begun.elapsed());
        outcome.take(number, &answer, note());
        if answer.status != StatusCode::OK {
            sleep(PAUSE).await;
        }
    }
    outcome
}
