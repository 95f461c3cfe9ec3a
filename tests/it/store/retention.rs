//! Deleting the oldest events: what remains is what a projection of the remaining events alone would be.

use std::fmt::Write;
use std::path::Path;

use green_inbox::store::{DerivedCheck, Space, Store, verify};
use rusqlite::types::ValueRef;
use serde_json::{Value, json};

use super::projection::{append, caught_up, delete_projection, history, projection_path};
use super::{close, connect, number, open, place};
use crate::support::said::{self, CHAT, INSTANCE, NOON};
use crate::support::{TestServer, append_all, get, next_look, shuffled};

/// Everything in the projection that a response can show, without the ids of terms.
const SHOWN: [&str; 13] = [
    "SELECT seq, forgotten FROM progress",
    // A status that another one replaced leaves its term behind (kind 6).
    "SELECT kind, value FROM term WHERE kind <> 6 ORDER BY kind, value",
    "SELECT DISTINCT n FROM epoch",
    "SELECT entity.seq, key, entity.kind, id_instance, value, id_message, direction, type_message, status,
         content_seq, edit_seq, extra, status_seq, deletion_seq, digest
     FROM entity LEFT JOIN term ON term.id = chat ORDER BY entity.seq",
    "SELECT * FROM mention",
    "SELECT * FROM duplicate",
    "SELECT * FROM chatless",
    "SELECT DISTINCT id_instance, one.value, two.value
     FROM alias JOIN term AS one ON one.id = chat JOIN term AS two ON two.id = other ORDER BY 1, 2, 3",
    "SELECT id_instance, id_message, value FROM hint JOIN term ON term.id = chat ORDER BY 1, 2, 3",
    "SELECT id_instance, value, newest FROM chat JOIN term ON term.id = chat ORDER BY 1, 2",
    "SELECT * FROM instance",
    "SELECT * FROM state",
    "SELECT * FROM counter",
];

/// The words of each message, without those that stand for a chat.
const WORDS: &str = "
    SELECT term, doc FROM temp.words WHERE term NOT GLOB (char(0xE000) || 'c*') ORDER BY term, doc";

/// All that the projection shows, as text. The store must be closed.
fn shown(path: &Path) -> String {
    let connection = connect(&projection_path(path));
    connection
        .execute_batch("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, word, instance)")
        .unwrap();
    let mut text = String::new();
    for sql in SHOWN.into_iter().chain([WORDS]) {
        writeln!(
            text,
            "{}",
            sql.split_whitespace().collect::<Vec<_>>().join(" ")
        )
        .unwrap();
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                match row.get_ref(column).unwrap() {
                    ValueRef::Text(value) => {
                        write!(text, "{} | ", String::from_utf8_lossy(value)).unwrap();
                    }
                    other => write!(text, "{other:?} | ").unwrap(),
                }
            }
            text.push('\n');
        }
    }
    text
}

fn check_same(found: &str, expected: &str, what: &str) {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (found, expected) = (lines(found), lines(expected));
    let section = |lines: &[String], at: usize| {
        let heading = lines[..=at].iter().rfind(|line| line.starts_with("SELECT"));
        heading.cloned().unwrap_or_default()
    };
    for (at, (one, other)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(one, other, "{what}: {}", section(&expected, at));
    }
    assert_eq!(found.len(), expected.len(), "{what}");
}

/// Deletes the events up to `through`.
async fn prune(space: &Space, through: i64) {
    let mut forgotten = 0;
    while forgotten < through {
        forgotten = space.forget(through).await;
        while space.delete(forgotten, 0).await.unwrap().through < forgotten {}
    }
}

/// What a projection derived from the remaining events alone shows.
async fn derived_anew(path: &Path) -> String {
    delete_projection(path);
    let store = open(path).await;
    caught_up(&store).await;
    close(store).await;
    shown(path)
}

/// A history with edits, reactions, votes, statuses without a chat, two forms of a chat, states and quotas, in which
/// some events come twice.
fn mixed(seed: u64) -> Vec<Vec<u8>> {
    let mut bodies: Vec<Value> = Vec::new();
    for serial in 0..12 {
        let id = format!("M{serial}");
        let at = NOON + serial * 10;
        let mut chatless = said::status(&id, at + 3, "delivered");
        chatless.as_object_mut().unwrap().remove("chatId");
        let lid = |mut body: Value| {
            body["senderData"]["sender"] = "12345678901234@lid".into();
            body
        };
        bodies.extend([
            said::text(&id, at, &format!("loaf {serial} of rye")),
            lid(said::text(&format!("L{serial}"), at, "a bun")),
            said::within("98765432109876@lid", said::text(&id, at, "the same elsewhere")),
            said::status(&id, at + 1, "sent"),
            said::status(&id, at + 5, "read"),
            chatless,
            said::edit(&format!("E{serial}"), at + 6, &id, "textMessage", "wheat, please"),
            said::status(&format!("E{serial}"), at + 7, "sent"),
            said::reaction(&format!("R{serial}"), at + 7, &id, CHAT, "!"),
            said::vote(&format!("V{serial}"), at + 8, &id, CHAT, &[CHAT]),
            said::deletion(&format!("D{serial}"), at + 9, &id),
            said::call(&format!("C{serial}"), at, "offer"),
            said::within("98765432109876@lid", said::call(&format!("C{serial}"), at + 1, "missed")),
            said::state(at % 30, if serial % 3 == 0 { "authorized" } else { "notAuthorized" }),
            json!({ "typeWebhook": "statusInstanceChanged", "timestamp": at * (serial % 5),
                "instanceData": { "idInstance": INSTANCE, "typeInstance": "whatsapp" },
                "statusInstance": "online" }),
            json!({ "typeWebhook": "quotaExceeded", "timestamp": at, "instanceData": { "idInstance": INSTANCE },
                "quotaData": { "method": "sendMessage", "used": serial } }),
        ]);
    }
    let mut bodies: Vec<_> = bodies
        .iter()
        .map(|body| body.to_string().into_bytes())
        .collect();
    // The same content in other bytes.
    let again: Vec<_> = bodies
        .iter()
        .map(|body| [&body[..], b" "].concat())
        .collect();
    bodies.extend(again);
    bodies.extend(history(seed));
    shuffled(bodies, seed)
}

#[tokio::test]
async fn pruned_projection_equals_one_derived_from_the_remaining_events() {
    for seed in 1..=6_u64 {
        let (_folder, path) = place();
        let bodies = mixed(seed);
        let count = i64::try_from(bodies.len()).unwrap();
        let store = open(&path).await;
        let space = store.space().unwrap();
        let half = bodies.len() / 2;
        append(&store, &bodies[..half]).await;
        caught_up(&store).await;
        // In portions of different sizes, between which events arrive.
        let seed_step = i64::try_from(seed).unwrap();
        for part in 1..=7 {
            prune(&space, count * part * seed_step / 100).await;
            let portion = bodies.len() / 14;
            let first = half + portion * usize::try_from(part - 1).unwrap();
            append(&store, &bodies[first..first + portion]).await;
            caught_up(&store).await;
        }
        prune(&space, count * 9 / 20).await;
        drop(space);
        close(store).await;
        let pruned = shown(&path);
        assert!(pruned.lines().count() > 300, "{pruned}");
        let verified = verify(&path, &mut |_, _, _| {}).unwrap();
        assert!(
            matches!(verified.derived, DerivedCheck::Same(_)),
            "seed {seed}: {verified:?}"
        );
        check_same(&pruned, &derived_anew(&path).await, &format!("seed {seed}"));
    }
}

#[tokio::test]
async fn pruned_projection_serves_what_one_derived_anew_serves() {
    let (folder, path) = place();
    let store = open(&path).await;
    append(&store, &mixed(7)).await;
    caught_up(&store).await;
    let space = store.space().unwrap();
    prune(&space, 300).await;
    drop(space);
    close(store).await;
    let paths = [
        "/api/v1/events?limit=500&order=asc",
        "/api/v1/events?limit=500&type=incomingMessageReceived",
        "/api/v1/events?limit=500&distinct=true",
        "/api/v1/messages?limit=500",
        "/api/v1/messages?limit=500&q=rye",
        "/api/v1/messages?limit=500&q=wheat",
        "/api/v1/messages?limit=500&status=read",
        "/api/v1/messages?limit=500&direction=incoming",
        "/api/v1/messages?limit=500&chat=79004445566@c.us",
        "/api/v1/chats?limit=500",
        "/api/v1/calls?limit=500",
        "/api/v1/calls?limit=500&chat=98765432109876@lid",
        "/api/v1/instances?limit=500",
        "/api/v1/stats",
    ];
    let serve = async |folder| {
        let server = TestServer::at(folder, |_| {}).await;
        let mut answers = Vec::new();
        // Events are served before they are projected, without what is derived.
        while get(server.private, "/api/v1/chats").await.status != 200 {
            next_look().await;
        }
        for path in paths {
            let answer = get(server.private, path).await;
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            answers.push(answer.json());
        }
        (server.stop().await, answers)
    };
    let (folder, pruned) = serve(folder).await;
    delete_projection(&path);
    let (_folder, anew) = serve(folder).await;
    for ((path, pruned), anew) in paths.iter().zip(&pruned).zip(&anew) {
        assert!(
            pruned["data"]
                .as_array()
                .is_none_or(|data| !data.is_empty()),
            "{path}"
        );
        assert_eq!(pruned, anew, "{path}");
    }
    assert_eq!(pruned[0]["oldestSeq"], 301);
}

#[tokio::test]
async fn seq_goes_on_after_every_event_is_deleted() {
    let (_folder, path) = place();
    let store = open(&path).await;
    let mut bodies = history(1);
    append(&store, &bodies).await;
    let newest = store.commits.newest();
    caught_up(&store).await;
    let space = store.space().unwrap();
    prune(&space, newest).await;
    drop(space);
    close(store).await;
    let shown_before = shown(&path);
    let database = connect(&path);
    for table in ["event", "event_key", "repeat", "drift"] {
        assert_eq!(
            number(&database, &format!("SELECT count(*) FROM {table}")),
            0,
            "{table}"
        );
    }
    drop(database);
    let projection = connect(&projection_path(&path));
    for table in [
        "entity",
        "mention",
        "term",
        "posting",
        "word",
        "alias",
        "hint",
        "chat",
        "duplicate",
    ] {
        assert_eq!(
            number(&projection, &format!("SELECT count(*) FROM {table}")),
            0,
            "{table}"
        );
    }
    drop(projection);

    let store = open(&path).await;
    assert_eq!(
        (store.commits.newest(), store.projected.seq()),
        (newest, newest)
    );
    assert_eq!(store.reader.oldest_seq().await.unwrap(), None);
    bodies.truncate(1);
    // A body that comes again after its event was deleted is a new event.
    let again = append_all(&store.writer, bodies).await.remove(0).unwrap();
    assert_eq!((again.seq, again.repeated), (newest + 1, false));
    caught_up(&store).await;
    close(store).await;
    assert_ne!(shown(&path), shown_before);
    assert!(!std::fs::exists(path.with_extension("db.projection.damaged")).unwrap());
    let pruned = shown(&path);
    check_same(&pruned, &derived_anew(&path).await, "one event");
}

#[tokio::test]
async fn keys_of_deleted_events_are_not_flushed_later() {
    let (_folder, path) = place();
    let store = open(&path).await;
    let body = |n: i64| {
        format!(
            r#"{{"typeWebhook":"note","timestamp":{},"n":{n}}}"#,
            n / 100
        )
    };
    let append_range = async |store: &Store, range: std::ops::Range<i64>| {
        for first in range.step_by(500) {
            for stored in append_all(&store.writer, (first..first + 500).map(body)).await {
                assert!(!stored.unwrap().repeated);
            }
        }
    };
    // One generation of keys is being flushed while the next is collected.
    append_range(&store, 0..10_000).await;
    caught_up(&store).await;
    let space = store.space().unwrap();
    prune(&space, 9_500).await;
    append_range(&store, 10_000..30_000).await;
    drop(space);
    close(store).await;
    let leftover = "SELECT count(*) FROM event_key WHERE seq <= 9500";
    assert_eq!(number(&connect(&path), leftover), 0);
}

#[tokio::test]
async fn deleting_resumes_after_a_stop_in_the_middle() {
    for is_projection_lost in [false, true] {
        let (_folder, path) = place();
        let store = open(&path).await;
        append(&store, &mixed(3)).await;
        caught_up(&store).await;
        let space = store.space().unwrap();
        prune(&space, 100).await;
        assert_eq!(space.forget(250).await, 250);
        assert_eq!(space.delete(250, 0).await.unwrap().through, 164, "one step");
        drop(space);
        close(store).await;
        if is_projection_lost {
            delete_projection(&path);
        }
        let store = open(&path).await;
        caught_up(&store).await;
        let space = store.space().unwrap();
        assert_eq!(space.half_deleted(), (!is_projection_lost).then_some(250));
        prune(&space, 250).await;
        assert_eq!(store.reader.oldest_seq().await.unwrap(), Some(251));
        drop(space);
        close(store).await;
        let pruned = shown(&path);
        check_same(&pruned, &derived_anew(&path).await, "resumed");
    }
}

#[tokio::test]
async fn projection_lost_between_forgetting_and_deleting_leaves_out_the_forgotten_events() {
    let (_folder, path) = place();
    let store = open(&path).await;
    append(&store, &mixed(4)).await;
    caught_up(&store).await;
    let space = store.space().unwrap();
    space.forget(200).await;
    delete_projection(&path);
    // The thread notices the loss, and derives the file again.
    while !std::fs::exists(projection_path(&path)).unwrap() {
        next_look().await;
    }
    while space.delete(200, 0).await.unwrap().through < 200 {}
    caught_up(&store).await;
    drop(space);
    close(store).await;
    let pruned = shown(&path);
    check_same(&pruned, &derived_anew(&path).await, "lost");
}

#[tokio::test]
async fn older_copy_with_deleted_events_is_projected_anew() {
    let (_folder, path) = place();
    let (_other_folder, kept) = place();
    let store = open(&path).await;
    let bodies: Vec<_> = (0..2_000)
        .map(|n| super::body("note", n).into_bytes())
        .collect();
    append(&store, &bodies).await;
    caught_up(&store).await;
    close(store).await;
    std::fs::copy(&path, &kept).unwrap();
    let store = open(&path).await;
    let space = store.space().unwrap();
    prune(&space, 1_500).await;
    drop(space);
    close(store).await;
    // Written over the file, so that the inode stays the same.
    std::fs::write(&path, std::fs::read(&kept).unwrap()).unwrap();
    let store = open(&path).await;
    caught_up(&store).await;
    assert_eq!(store.reader.stats(None).await.unwrap().events, 2_000);
    close(store).await;
}
