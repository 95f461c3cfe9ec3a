//! A server with everything that an alert can be about: a destination, another one that fails, a stand-in for GREEN-API.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use green_inbox::clock::UnixMillis;
use green_inbox::config::Config;
use green_inbox::model::AlertName;
use green_inbox::trouble::Trouble;
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::POLL;
use crate::alert::{MINUTE, knock, say, webhook};
use crate::support::process::PATIENCE;
use crate::support::said;
use crate::support::server::START;
use crate::support::{Files, GreenApi, Sink, TOKEN, TestServer, get, post};

/// Troubles that show how far the alerts have looked, with their alerts. One is not enough: it may be the alert under
/// test, and a destination is told of each once.
const PROBES: [(Trouble, AlertName); 6] = [
    (Trouble::DamagedBody, AlertName::DamagedBody),
    (Trouble::BackupOld, AlertName::BackupOld),
    (Trouble::TokenRejected, AlertName::TokenRejected),
    (Trouble::BodyTooLarge, AlertName::BodyTooLarge),
    (Trouble::StorageRefuses, AlertName::StorageRefuses),
    (Trouble::DeliveryRepeated, AlertName::DeliveryRepeated),
];

/// How the server is configured, given the stand-ins.
pub type Configure = fn(&StandIns, &mut Config);

/// What surrounds the server.
pub struct StandIns {
    /// The destination that hears everything.
    pub sink: Sink,
    /// A destination that fails.
    pub failing: Sink,
    pub green_api: GreenApi,
    /// The server of links to files.
    pub files: Files,
    folder: TempDir,
}

impl StandIns {
    /// A file with a valid token.
    pub fn tokens(&self) -> PathBuf {
        self.folder.path().join("tokens")
    }

    /// A path that is no folder.
    pub fn no_folder(&self) -> PathBuf {
        self.folder.path().join("no-folder")
    }
}

/// The server of one row.
pub struct Stage {
    pub name: AlertName,
    pub outside: StandIns,
    /// Holds the lock of the projection until the next restart.
    pub lock: Option<Connection>,
    /// Milliseconds that have passed on the server's clock.
    pub passed: i64,
    configure: Configure,
    server: Option<TestServer>,
    said: u32,
    probes: Vec<(Trouble, AlertName)>,
}

impl Stage {
    pub async fn start(name: AlertName, configure: Configure) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tokens"), TOKEN).unwrap();
        std::fs::write(folder.path().join("no-folder"), "a file").unwrap();
        let failing = Sink::start().await;
        failing.answer(503, "");
        let outside = StandIns {
            sink: Sink::start().await,
            failing,
            green_api: GreenApi::start().await,
            files: Files::start().await,
            folder,
        };
        let probes = PROBES.into_iter().filter(|(_, probe)| *probe != name);
        let mut stage = Self {
            name,
            outside,
            lock: None,
            passed: 0,
            configure,
            server: None,
            said: 0,
            probes: probes.collect(),
        };
        stage.start_in(tempfile::tempdir().unwrap()).await;
        stage
    }

    async fn start_in(&mut self, folder: TempDir) {
        let configure = |config: &mut Config| {
            config.alerts.heartbeat_hours = 0;
            config.alerts.to = vec![webhook(&self.outside.sink)];
            (self.configure)(&self.outside, config);
        };
        self.server = Some(TestServer::later(folder, self.passed, configure).await);
    }

    pub fn server(&self) -> &TestServer {
        self.server.as_ref().unwrap()
    }

    pub async fn restart(&mut self) {
        self.lock = None;
        let folder = self.server.take().unwrap().stop().await;
        self.start_in(folder).await;
    }

    pub async fn stop(mut self) {
        self.server.take().unwrap().stop().await;
    }

    /// Advances the clock.
    pub fn pass(&mut self, millis: i64) {
        self.server().pass(millis);
        self.passed += millis;
    }

    /// The time of the server in milliseconds.
    pub fn now(&self) -> UnixMillis {
        UnixMillis(START + self.passed)
    }

    /// The time of the server in GREEN-API's seconds.
    pub fn seconds(&self) -> i64 {
        self.now().0 / 1000
    }

    /// Posts a notification, which must be accepted.
    pub async fn say(&self, body: &Value) {
        say(self.server(), body).await;
    }

    /// Posts a body, which must get this status. A refusal may begin or end a moment later.
    pub async fn post(&self, body: &str, status: u16) {
        let deadline = Instant::now() + PATIENCE;
        while post(self.server().public, body.to_owned()).await.status != status {
            assert!(Instant::now() < deadline, "never answered {status}");
            sleep(POLL).await;
        }
    }

    /// Posts with a wrong token.
    pub async fn knock(&self) {
        knock(self.server()).await;
    }

    /// An `idMessage` that no other message has.
    pub fn id(&mut self) -> String {
        self.said += 1;
        format!("A{}", self.said)
    }

    /// A message with this text, written now.
    pub async fn text(&mut self, text: &str) {
        let id = self.id();
        self.say(&said::text(&id, self.seconds(), text)).await;
    }

    /// A list that waits until the projection has reached the newest event.
    pub async fn projected(&self) {
        let listed = get(self.server().private, "/api/v1/instances").await;
        assert_eq!(listed.status, 200, "{listed:?}");
    }

    /// The instance reports this state.
    pub async fn state(&mut self, state: &str) {
        self.say(&said::state(self.seconds(), state)).await;
        self.projected().await;
        self.pass(MINUTE / 2);
    }

    /// Waits until a list of the API is as expected.
    pub async fn listed(&self, path: &str, is_expected: impl Fn(&Value) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let listed = get(self.server().private, path).await.json();
            if is_expected(&listed["data"]) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{}: {listed:#}",
                self.name.name()
            );
            sleep(POLL).await;
        }
    }

    /// Waits until GREEN-API was called once more, as every 10 s.
    pub async fn checked(&mut self, method: &str) {
        let called = |stage: &Self| stage.outside.green_api.calls_of(method).len();
        let (before, deadline) = (called(self), Instant::now() + PATIENCE);
        while called(self) == before {
            assert!(Instant::now() < deadline, "{method} is not called");
            // A check that was under way when the clock moved is followed by another 10 s.
            self.pass(11_000);
            sleep(15 * POLL).await;
        }
    }

    /// Waits until the alerts have looked at everything as it is now.
    pub async fn looked(&mut self) {
        if self.lock.is_none() {
            self.projected().await;
        }
        // Instances are sampled every 15 s. The first look may have begun before the clock moved.
        for millis in [MINUTE / 4, 1] {
            self.pass(millis);
            let (probe, alert) = self.probes[0];
            let at = self.now();
            self.server()
                .troubles
                .observe(probe, at, || "a probe".to_owned());
            let is_seen = |one: &Value| {
                one["name"] == alert.name() && one["lastObservedAt"] == at.to_string()
            };
            self.listed("/api/v1/alerts", |data| {
                data.as_array().unwrap().iter().any(is_seen)
            })
            .await;
        }
    }

    /// Waits until the alerts have looked at everything and the destination was told what is due.
    pub async fn look(&mut self, why: &str) {
        println!("{}: {why}", self.name.name());
        self.looked().await;
        let (probe, alert) = self.probes.remove(1);
        let at = self.now();
        self.server()
            .troubles
            .observe(probe, at, || "a probe".to_owned());
        self.outside.sink.alert(alert.name(), "firing").await;
    }

    /// The destination hears for this time in all that the alert fires.
    pub async fn fires(&self, times: usize) {
        let sink = &self.outside.sink;
        sink.alerts(self.name.name(), "firing", times).await;
    }

    /// The destination hears that the alert has ended. What has ended is reported after a while, so time passes.
    pub async fn ends(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.outside.sink.count(self.name.name(), "resolved") == 0 {
            assert!(Instant::now() < deadline, "{} ends", self.name.name());
            self.pass(MINUTE);
            sleep(10 * POLL).await;
        }
    }

    /// Asserts how often the destination heard of the alert so far.
    pub fn assert_told(&self, firing: RangeInclusive<usize>, resolved: usize) {
        let count = |state| self.outside.sink.count(self.name.name(), state);
        let told = (count("firing"), count("resolved"));
        assert!(
            firing.contains(&told.0) && told.1 == resolved,
            "{}: fired {firing:?} times and ended {resolved} times was expected, not {told:?}",
            self.name.name(),
        );
    }
}
