//! Soak: 500 notifications a second for a long time, and nothing grows.

use std::time::Duration;

use tokio::time::{Instant, interval};

use crate::rig::usage::{Usage, mib};
use crate::rig::{alone, setting};
use crate::support::process::program;
use crate::support::{Process, TOKEN};

/// Notifications a second.
const RATE: u64 = 500;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(2);

/// Looks between two lines: a minute.
const TOLD_EVERY: usize = 30;

/// What memory may grow by between the second quarter of the time and the last.
const GROWTH: u64 = 8 * 1024 * 1024;

/// What the log may have: 4,000 pages, and what comes until the checkpoint behind them.
const MOST_LOG: u64 = 32 * 1024 * 1024;

/// `FAULTS_SOAK_SECONDS` sets how long: 300, and 1800 for the whole of it.
#[test]
#[ignore = "takes minutes"]
fn soak() {
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
        let begun = Instant::now();
        let output = loop {
            tokio::select! {
                output = &mut has_ended => break output.unwrap().unwrap(),
                _ = tick.tick() => {
                    usages.push(Usage::of(&server, folder.path()));
                    if usages.len() % TOLD_EVERY == 0 {
                        tell(begun.elapsed(), usages.last().unwrap());
                    }
                }
            }
        };
        let took = begun.elapsed();
        let said = String::from_utf8(output.stdout).unwrap();
        println!("{said}");
        assert!(output.status.success(), "not all was accepted");

        let quarter = usages.len() / 4;
        let (early, late) = (&usages[quarter..2 * quarter], &usages[3 * quarter..]);
        let most = |usages: &[Usage], figure: fn(&Usage) -> u64| {
            usages.iter().map(figure).max().expect("it was looked at")
        };
        for (name, figure) in [
            ("memory", (|usage| usage.memory) as fn(&Usage) -> u64),
            ("log", |usage| usage.log),
        ] {
            println!(
                "{name}: {} at most in the second quarter, {} in the last",
                mib(most(early, figure)),
                mib(most(late, figure))
            );
        }
        // The fewest: when the sender was late it may have more connections for a while.
        let descriptors = |usages: &[Usage]| usages.iter().map(|usage| usage.descriptors).min();
        let descriptors = [early, late].map(|usages| descriptors(usages).unwrap());
        println!(
            "descriptors: {} at least in the second quarter, {} in the last; it took {took:.1?}",
            descriptors[0], descriptors[1]
        );
        assert!(most(late, |usage| usage.memory) < most(early, |usage| usage.memory) + GROWTH);
        assert!(most(&usages, |usage| usage.log) < MOST_LOG);
        assert!(descriptors[1] <= descriptors[0] + 2);
        // A busy machine may be late with the last of them, and not with all.
        assert!(took.as_secs() < seconds + seconds / 10 + 5, "{took:?}");
    });
}

fn tell(after: Duration, usage: &Usage) {
    println!(
        "after {} s: memory {}, descriptors {}, log {}",
        after.as_secs(),
        mib(usage.memory),
        usage.descriptors,
        mib(usage.log)
    );
}
