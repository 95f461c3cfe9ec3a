//! Any interleaving of duplicates gives one row for each body, with the right delivery count.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::Config;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::{events, notice, untimed};
use crate::support::server::START;
use crate::support::{TestServer, post};

const BODIES: usize = 6;

/// Milliseconds between two waves.
const WAVE_MILLIS: usize = 1000;

/// Body 0 is malformed, bodies 1 and 2 have no timestamp, the rest have one.
fn body(number: usize) -> String {
    match number {
        0 => "\u{0}".to_owned(),
        1 | 2 => untimed(number),
        _ => notice(number),
    }
}

/// The row expected for a body.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    deliveries: usize,
    first: String,
    last: String,
}

fn moment(wave: usize) -> String {
    let millis = START + i64::try_from(wave * WAVE_MILLIS).unwrap();
    green_inbox::clock::UnixMillis(millis).to_string()
}

/// Sends the waves one after another; the copies within a wave are sent concurrently.
async fn check(waves: Vec<Vec<usize>>) {
    let server = TestServer::start().await;
    let mut expected: BTreeMap<usize, Row> = BTreeMap::new();
    let mut seqs: BTreeMap<usize, i64> = BTreeMap::new();
    for (wave, copies) in waves.iter().enumerate() {
        let mut posts = JoinSet::new();
        for &number in copies {
            let row = expected.entry(number).or_insert_with(|| Row {
                deliveries: 0,
                first: moment(wave),
                last: String::new(),
            });
            row.deliveries += 1;
            row.last = moment(wave);
            let address = server.public;
            posts.spawn(async move { (number, post(address, body(number)).await.json()) });
        }
        let mut fresh = Vec::new();
        for (number, answer) in posts.join_all().await {
            let seq = answer["seq"].as_i64().unwrap();
            assert_eq!(
                *seqs.entry(number).or_insert(seq),
                seq,
                "one seq for each body"
            );
            if answer["repeated"] == false {
                fresh.push(number);
            }
        }
        fresh.sort_unstable();
        let mut first: Vec<_> = copies
            .iter()
            .copied()
            .filter(|number| expected[number].first == moment(wave))
            .collect();
        first.sort_unstable();
        first.dedup();
        assert_eq!(
            fresh, first,
            "exactly one copy of a body is not a duplicate"
        );
        server.pass(i64::try_from(WAVE_MILLIS).unwrap());
    }
    let stored: BTreeMap<i64, Row> = events(&server)
        .await
        .into_iter()
        .map(|event| {
            let text = |key: &str| event[key].as_str().unwrap().to_owned();
            let row = Row {
                deliveries: usize::try_from(event["deliveries"].as_u64().unwrap()).unwrap(),
                first: text("receivedAt"),
                last: text("lastReceivedAt"),
            };
            (event["seq"].as_i64().unwrap(), row)
        })
        .collect();
    let expected: BTreeMap<i64, Row> = expected
        .into_iter()
        .map(|(number, row)| (seqs[&number], row))
        .collect();
    assert_eq!(stored, expected);
    server.stop().await;
}

proptest! {
    #![proptest_config(Config { cases: 12, failure_persistence: None, ..Config::default() })]

    #[test]
    fn copies_in_any_order_are_one_row_per_body(waves in vec(vec(0..BODIES, 1..12), 1..6)) {
        Runtime::new().unwrap().block_on(check(waves));
    }
}
