//! Soak test: 500 notifications a second for a long time, without growth of memory, WAL or
//! descriptors.

use std::time::Duration;

use tokio::time::{Instant, interval};

use crate::rig::usage::{Usage, mib};
use crate::rig::{alone, setting};
use crate::support::process::program;
use crate::support::{Process, TOKEN};

/// Notifications a second.
const RATE: u64 = 500;

/// Interval between two samples of the resource usage.
const EVERY: Duration = Duration::from_secs(2);

/// Samples between two printed lines: one line a minute.
const PRINT_EVERY: usize = 30;

/// Bytes by which memory may grow from the second quarter of the run to the last.
const GROWTH: u64 = 8 * 1024 * 1024;

/// Bytes of WAL, at most: 4,000 pages, plus what is written until the checkpoint completes.
const MAX_WAL: u64 = 32 * 1024 * 1024;

/// `FAULTS_SOAK_SECONDS` sets the duration: 300 by default, 1800 for a full run.
#[test]
#[ignore = "takes minutes"]
fn soak_grows_neither_memory_nor_wal() {
    alone(async {
        let seconds = setting("FAULTS_SOAK_SECONDS", 300);
        let folder = tempfile::tempdir().unwrap();
        let server = Process::start(folder.path());
        let mut send = program();
        send.arg("send")
            .args(["--to", &format!("http://{}/webhook", server.public)])
            .args(["--token", TOKEN, "--instances", "50", "--concurrency", "50"])
            .args(["--rate", &RATE.to_string(), "--pause", "1"])
            .args(["--count", &(RATE * seconds).to_string()]);
        send.stdout(std::process::Stdio::piped());
        let sending = send.spawn().unwrap();
        let (ended, mut has_ended) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || ended.send(sending.wait_with_output()));

        let mut usages = Vec::new();
        let mut tick = interval(EVERY);
        let started = Instant::now();
        let output = loop {
            tokio::select! {
                output = &mut has_ended => break output.unwrap().unwrap(),
                _ = tick.tick() => {
                    usages.push(Usage::of(&server, folder.path()));
                    if usages.len() % PRINT_EVERY == 0 {
                        print_usage(started.elapsed(), usages.last().unwrap());
                    }
                }
            }
        };
        let took = started.elapsed();
        let report = String::from_utf8(output.stdout).unwrap();
        println!("{report}");
        assert!(
            output.status.success(),
            "not every notification was accepted"
        );

        let quarter = usages.len() / 4;
        let (early, late) = (&usages[quarter..2 * quarter], &usages[3 * quarter..]);
        let most = |usages: &[Usage], figure: fn(&Usage) -> u64| {
            usages
                .iter()
                .map(figure)
                .max()
                .expect("at least one sample")
        };
        for (name, figure) in [
            ("memory", (|usage| usage.memory) as fn(&Usage) -> u64),
            ("WAL", |usage| usage.wal),
        ] {
            println!(
                "{name}: {} at most in the second quarter, {} in the last",
                mib(most(early, figure)),
                mib(most(late, figure))
            );
        }
        // Compare the minimum: a sender that is late may use more connections for a while.
        let descriptors = |usages: &[Usage]| usages.iter().map(|usage| usage.descriptors).min();
        let descriptors = [early, late].map(|usages| descriptors(usages).unwrap());
        println!(
            "descriptors: {} at least in the second quarter, {} in the last; it took {took:.1?}",
            descriptors[0], descriptors[1]
        );
        assert!(most(late, |usage| usage.memory) < most(early, |usage| usage.memory) + GROWTH);
        assert!(most(&usages, |usage| usage.wal) < MAX_WAL);
        assert!(descriptors[1] <= descriptors[0] + 2);
        // A busy machine may finish the last notifications late, but not fall behind overall.
        assert!(took.as_secs() < seconds + seconds / 10 + 5, "{took:?}");
    });
}

fn print_usage(after: Duration, usage: &Usage) {
    println!(
        "after {} s: memory {}, descriptors {}, WAL {}",
        after.as_secs(),
        mib(usage.memory),
        usage.descriptors,
        mib(usage.wal)
    );
}
