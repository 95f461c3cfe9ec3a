//! Load generator: connections that post one message after another, and a record of every response.

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

/// Pause of a connection after a refusal. GREEN-API waits a minute.
const PAUSE: Duration = Duration::from_millis(50);

/// An acknowledged notification.
#[derive(Debug, Clone, Copy)]
pub struct Answered {
    pub seq: i64,
    /// The number of the body.
    pub number: u64,
    /// The value that `note` returned when the response arrived.
    pub noted: u64,
}

/// The result of a load.
#[derive(Debug, Default)]
pub struct Outcome {
    pub answered: Vec<Answered>,
    /// Numbers of bodies that may or may not be stored.
    pub unanswered: Vec<u64>,
    /// The number of 503 responses.
    pub refused: u64,
    /// The longest time until a response.
    pub slowest: Duration,
}

impl Outcome {
    pub fn add(&mut self, other: Self) {
        self.answered.extend(other.answered);
        self.unanswered.extend(other.unanswered);
        self.refused += other.refused;
        self.slowest = self.slowest.max(other.slowest);
    }

    /// Records a response. Only 200, and 503 with `Retry-After`, are expected.
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

/// A running load.
pub struct Load {
    connections: JoinSet<Outcome>,
    stop: CancellationToken,
}

impl Load {
    /// Posts on `connections` connections until stopped or until the server is gone. Calls `note`
    /// after every response.
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

    /// Stops the load after the responses in flight.
    pub async fn stop(self) -> Outcome {
        self.stop.cancel();
        self.ended().await
    }

    /// Waits until the server has closed every connection.
    pub async fn ended(self) -> Outcome {
        let parts = timeout(PATIENCE, self.connections.join_all()).await;
        let mut outcome = Outcome::default();
        for part in parts.expect("every connection ends") {
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
        let started = Instant::now();
        let Ok(answer) = connection.post(bodies.body(number)).await else {
            outcome.unanswered.push(number);
            return outcome;
        };
        outcome.slowest = outcome.slowest.max(started.elapsed());
        outcome.take(number, &answer, note());
        if answer.status != StatusCode::OK {
            sleep(PAUSE).await;
        }
    }
    outcome
}
