//! A cancelled wait for the synchronous standby: PostgreSQL reports the commit as successful, with a warning.

use hyper::StatusCode;

use crate::killed_postgres::ready;
use crate::promoted::{pair, url_of};
use crate::rig::Bodies;
use crate::rig::alone;
use crate::rig::bodies::Size;
use crate::support::{Process, post};

const WAITS: &str = "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

const CANCEL: &str = "
    SELECT bool_and(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

const APPEND: &str = "
    SELECT seq FROM append_batch(ARRAY['x'::bytea], ARRAY[sha256('x')], ARRAY[1::bigint], ARRAY[1::bigint],
                                 ARRAY[1::bigint], ARRAY['webhook'])";

#[test]
fn cancelled_wait_for_the_standby_is_answered_503() {
    alone(async {
        let (mut primary, standby) = pair(true).await;
        let folder = tempfile::tempdir().unwrap();
        let url = url_of((&primary, &standby));
        let node = Process::with(folder.path(), &[("GREEN_INBOX__STORAGE__URL", &url)]);
        ready(&node, StatusCode::OK).await;
        let bodies = Bodies::new(Size::Bytes(100));
        let first = post(node.public, bodies.body(1)).await;
        assert_eq!(first.json()["seq"], 1);

        primary.cut_replication().await;
        let waiting = tokio::spawn(post(node.public, bodies.body(2)));
        primary.wait_for(WAITS).await;
        let client = primary.connect().await;
        client.query_one(CANCEL, &[]).await.unwrap();
        let refused = waiting.await.unwrap();
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.code(), "unavailable");
        node.log.wait_for(|line| line.contains("did not confirm"));

        // The control: a client that does not look at warnings takes the commit for a success.
        let careless = tokio::spawn({
            let client = primary.connect().await;
            async move {
                client
                    .query_one(APPEND, &[])
                    .await
                    .map(|row| row.get::<_, i64>(0))
            }
        });
        primary.wait_for(WAITS).await;
        client.query_one(CANCEL, &[]).await.unwrap();
        assert_eq!(
            careless.await.unwrap().unwrap(),
            3,
            "it looks like a success"
        );

        primary.kill();
        standby.promote();
        let client = standby.connect().await;
        let left = client
            .query_one("SELECT count(*) FROM event", &[])
            .await
            .unwrap();
        assert_eq!(left.get::<_, i64>(0), 1, "the events of both are lost");
        node.log
            .wait_for_nth(1, |line| line.contains("serving readers at"));
        ready(&node, StatusCode::OK).await;
        // GREEN-API sends again what was refused.
        let again = post(node.public, bodies.body(2)).await;
        assert_eq!(again.json()["seq"], 2);
    });
}
