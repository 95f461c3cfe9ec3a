//! Forwarding to a destination that behaves badly, while the program is killed: every event arrives, in order within
//! its chat, and memory does not grow.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::rig::chats::{self, Message};
use crate::rig::database::NAME;
use crate::rig::destination::{AUTHORITY, Certificate, Mood, SECRET};
use crate::rig::usage::{Usage, mib};
use crate::rig::{Destination, Random, alone, setting};
use crate::support::{Process, get};

/// Notifications of each chat.
const EACH: u32 = 40;

/// Connections that post.
const CONNECTIONS: u32 = 8;

/// Attempts at the same time.
const CONCURRENCY: usize = 16;

/// Kills in the two outages.
const IN_OUTAGES: u64 = 4;

/// Bytes by which the peak of memory may grow from the first third of the lives of the program to the last.
const GROWTH: u64 = 16 * 1024 * 1024;

/// Time without a new delivery after which the test fails. The breaker alone may take 30 s.
const STALLED: Duration = Duration::from_mins(3);

/// Chats of the control.
const CONTROL_CHATS: u32 = 40;

/// `FAULTS_FORWARD_EVENTS` sets the number of events, 1,000 by default and 50,000 at full size;
/// `FAULTS_FORWARD_KILLS` the number of kills, 6 by default and 30 at full size; `FAULTS_FORWARD_OUTAGE_MILLIS` how
/// long the destination is away each time, 1,000 by default and 10,000 at full size.
#[test]
fn every_event_is_forwarded_in_order_across_kills_and_outages() {
    alone(async {
        let events = setting("FAULTS_FORWARD_EVENTS", 1_000);
        let kills = setting("FAULTS_FORWARD_KILLS", 6).max(IN_OUTAGES);
        let outage = Duration::from_millis(setting("FAULTS_FORWARD_OUTAGE_MILLIS", 1_000));
        let started = Instant::now();
        let mut run = Run::start(Random::new("forwarding")).await;
        let chats = 0..u32::try_from(events).unwrap() / EACH;
        let all = usize::try_from(chats.end * EACH).unwrap();
        let sending = chats::send(&chats, EACH, CONNECTIONS, &run.address.subscribe());

        let between = kills - IN_OUTAGES;
        for kill in 0..between {
            run.reach(
                all * usize::try_from(kill + 1).unwrap() / usize::try_from(between + 2).unwrap(),
            )
            .await;
            run.kill().await;
            if kill == between / 3 {
                run.destination.close();
                run.kill_during(outage).await;
                run.destination.open(Certificate::First).await;
                run.kill().await;
            }
            if kill == between * 2 / 3 {
                run.destination.open(Certificate::Stranger).await;
                run.kill_during(outage).await;
                run.destination.open(Certificate::Second).await;
                run.kill().await;
            }
        }
        sending.join_all().await;
        run.reach(all).await;
        run.forwarded().await;
        run.sample();
        {
            let delivered = run.destination.delivered();
            assert_eq!(delivered.wrong, [""; 0]);
            assert!(
                delivered
                    .missing(chats::all(chats.clone(), EACH))
                    .is_empty()
            );
            println!(
                "{} events, {} deliveries repeated, {} kills, {:.1?}; peaks of memory: {}",
                delivered.len(),
                delivered.repeated,
                run.peaks.len() - 1,
                started.elapsed(),
                run.peaks
                    .iter()
                    .map(|peak| mib(*peak))
                    .collect::<Vec<_>>()
                    .join(", ")
            );
        }
        run.check_memory();
        run.check_that_losses_are_detected(chats.end).await;
    });
}

/// The program, its destination, and what was measured.
struct Run {
    folder: TempDir,
    server: Process,
    address: watch::Sender<SocketAddr>,
    destination: Destination,
    /// The peak of memory in each life of the program, in bytes.
    peaks: Vec<u64>,
}

impl Run {
    async fn start(random: Random) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut destination = Destination::new(random).await;
        configure(folder.path(), destination.port);
        destination.open(Certificate::First).await;
        let server = Process::start(folder.path());
        Self {
            address: watch::Sender::new(server.public),
            folder,
            server,
            destination,
            peaks: Vec::new(),
        }
    }

    /// Waits until the destination has taken as many notifications.
    async fn reach(&self, count: usize) {
        let mut last = (0, Instant::now());
        loop {
            let taken = self.destination.delivered().len();
            if taken >= count {
                return;
            }
            if taken > last.0 {
                last = (taken, Instant::now());
            }
            assert!(last.1.elapsed() < STALLED, "{taken} of {count} were taken");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Notes the peak of memory.
    fn sample(&mut self) {
        let usage = Usage::of(&self.server, self.folder.path());
        self.peaks.push(usage.peak);
    }

    /// Kills the program and starts it again.
    async fn kill(&mut self) {
        self.stop();
        self.restart();
        // So that each life does something.
        sleep(Duration::from_millis(20)).await;
    }

    fn stop(&mut self) {
        self.sample();
        self.server.child.kill().unwrap();
        self.server.wait();
    }

    fn restart(&mut self) {
        self.server = Process::start(self.folder.path());
        self.address.send_replace(self.server.public);
    }

    /// Lets the time of an outage pass, with a kill in the middle.
    async fn kill_during(&mut self, outage: Duration) {
        sleep(outage / 2).await;
        self.kill().await;
        sleep(outage / 2).await;
    }

    /// Waits until the program says that nothing waits.
    async fn forwarded(&self) {
        let deadline = Instant::now() + STALLED;
        loop {
            let stats = get(self.server.private, "/api/v1/stats").await.json();
            let listed = get(self.server.private, "/api/v1/forward").await.json();
            let status = &listed["data"][0];
            if status["position"] == stats["newestSeq"] && status["waiting"] == 0 {
                assert_eq!(
                    (&status["dead"], &status["expired"]),
                    (&0.into(), &0.into())
                );
                return;
            }
            assert!(Instant::now() < deadline, "{status:#}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// The peak of memory does not grow from life to life.
    fn check_memory(&self) {
        let third = self.peaks.len().div_ceil(3);
        let most = |peaks: &[u64]| *peaks.iter().max().unwrap();
        let first = most(&self.peaks[..third]);
        let last = most(&self.peaks[self.peaks.len() - third..]);
        assert!(last < first + GROWTH, "{} after {}", mib(last), mib(first));
    }

    /// The control: as if the position were saved before the destination has answered, it is moved past the events
    /// in flight while the program is dead. The check must report those.
    async fn check_that_losses_are_detected(&mut self, first_chat: u32) {
        self.destination.set(Mood::Holding);
        let chats = first_chat..first_chat + CONTROL_CHATS;
        let sending = chats::send(&chats, 1, CONNECTIONS, &self.address.subscribe());
        sending.join_all().await;
        let deadline = Instant::now() + STALLED;
        while self.destination.held().is_empty() {
            assert!(Instant::now() < deadline, "the program sent nothing");
            sleep(Duration::from_millis(5)).await;
        }
        self.stop();
        self.destination.set(Mood::Good);
        let database = Connection::open(self.folder.path().join(NAME)).unwrap();
        let greatest = self.destination.delivered().greatest;
        let moved = "UPDATE reader_offset SET seq = ?1 WHERE name = 'forward:crm'";
        assert_eq!(database.execute(moved, [greatest]).unwrap(), 1);
        // An event that a timeout gave back has a row already.
        let rows = "DELETE FROM forward_event WHERE seq <= ?1";
        database.execute(rows, [greatest]).unwrap();
        drop(database);
        self.restart();
        self.forwarded().await;
        let delivered = self.destination.delivered();
        let missing: Vec<Message> = delivered
            .missing(chats::all(chats, 1))
            .into_iter()
            .collect();
        // Earlier events whose requests had not arrived are lost too.
        let held = self.destination.held();
        println!(
            "the control: {} of {CONTROL_CHATS} events are lost",
            missing.len()
        );
        assert!(
            held.iter().all(|event| missing.contains(event)),
            "{held:?} of {missing:?}"
        );
    }
}

/// Settings with the destination. An event is given up only after 21 attempts, so none becomes a dead letter.
fn configure(folder: &Path, port: u16) {
    fs::create_dir(folder.join("config")).unwrap();
    fs::write(folder.join("authority.pem"), AUTHORITY).unwrap();
    fs::write(folder.join("secret"), SECRET).unwrap();
    let retries = ["1"; 20].join(", ");
    let text = format!(
        "[[forward]]\nname = \"crm\"\nurl = \"https://localhost:{port}/events\"\nsecret_file = \"secret\"\n\
         ca_file = \"authority.pem\"\nstart = 1\ntimeout_seconds = 1\nconcurrency = {CONCURRENCY}\n\
         retry_seconds = [{retries}]\n"
    );
    fs::write(folder.join("config/green-inbox.toml"), text).unwrap();
}
