//! The network between a node and PostgreSQL is cut: connections are closed, or nothing passes any more. The node refuses
//! notifications, serves its readers, and recovers by itself; the other node goes on.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;

use crate::checks::Events;
use crate::killed_nodes::node;
use crate::killed_postgres::ready;
use crate::network::{Network, Proxy};
use crate::postgres::Postgres;
use crate::rig::bodies::Size;
use crate::rig::load::Outcome;
use crate::rig::{Bodies, Load, alone, setting};
use crate::support::{Process, get};

const CONNECTIONS: usize = 8;

/// How long a notification may be in progress: 7 s for the statement, 3 s to cancel it, and as long again for a batch that
/// waited behind it.
const ANSWERED_WITHIN: Duration = Duration::from_secs(14);

/// How long a notification of the other node may take.
const UNTOUCHED: Duration = Duration::from_secs(3);

fn load(node: &Process, bodies: &Arc<Bodies>) -> Load {
    Load::start(node.public, CONNECTIONS, bodies, || 0)
}

/// `CLUSTER_CUTS` sets the number of cuts of each kind: 3 by default.
#[test]
fn cut_network_loses_nothing_and_stops_no_other_node() {
    alone(async {
        let cuts = setting("CLUSTER_CUTS", 3);
        let postgres = Postgres::start();
        let proxy = Proxy::before(postgres.port).await;
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let cut = node(&folders[0], &proxy.url());
        let other = node(&folders[1], &postgres.url());
        let bodies = Arc::new(Bodies::new(Size::Mixed));
        for node in [&cut, &other] {
            ready(node, StatusCode::OK).await;
        }
        // The control: a whole network refuses nothing.
        let whole = load(&cut, &bodies);
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut of_cut = whole.stop().await;
        assert_eq!(of_cut.refused, 0);
        let mut of_other = Outcome::default();
        for network in [Network::Closed, Network::Silent].repeat(usize::try_from(cuts).unwrap()) {
            let loads = [load(&cut, &bodies), load(&other, &bodies)];
            tokio::time::sleep(Duration::from_millis(100)).await;
            proxy.set(network);
            ready(&cut, StatusCode::SERVICE_UNAVAILABLE).await;
            let list = get(cut.private, "/api/v1/events").await;
            assert_eq!(list.status, StatusCode::OK, "reading goes on: {list:?}");
            ready(&other, StatusCode::OK).await;
            proxy.set(Network::Whole);
            ready(&cut, StatusCode::OK).await;
            let [first, second] = loads;
            for (outcome, load) in [(&mut of_cut, first), (&mut of_other, second)] {
                let part = load.stop().await;
                bodies.give_back(&part.unanswered);
                outcome.add(part);
            }
        }
        println!(
            "{cuts} cuts of each kind: {} answered, {} refused, the slowest after {:?}; the other node: {} answered, the \
             slowest after {:?}",
            of_cut.answered.len(),
            of_cut.refused,
            of_cut.slowest,
            of_other.answered.len(),
            of_other.slowest
        );
        assert!(of_cut.refused > 0);
        assert_eq!(of_other.refused, 0);
        assert!(of_cut.slowest < ANSWERED_WITHIN, "{:?}", of_cut.slowest);
        assert!(of_other.slowest < UNTOUCHED, "{:?}", of_other.slowest);
        of_cut.add(of_other);
        let client = postgres.connect().await;
        let events = Events::read(&client).await;
        events.assert_whole(&of_cut.answered, &bodies);
    });
}
