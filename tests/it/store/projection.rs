//! The projection: incremental updates and a full rebuild give the same result, and a projection
//! that does not match its database is rebuilt.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use green_inbox::sample::{Values, all};
use green_inbox::store::{
    EventFilter, EventQuery, MessageFilter, MessageQuery, Order, Position, Store, Words,
};
use rusqlite::types::ValueRef;

use super::{body, close, connect, open, place};
use crate::support::said::{self, NOON};
use crate::support::{append_all, shuffled};

/// Endings of the files that make up one projection.
const ENDINGS: [&str; 3] = ["", "-wal", "-shm"];

/// Tables to compare. The full-text index is compared through `fts5vocab`.
const TABLES: [&str; 16] = [
    "progress",
    "term",
    "epoch",
    "posting",
    "entity",
    "mention",
    "duplicate",
    "chatless",
    "alias",
    "hint",
    "chat",
    "instance",
    "state",
    "counter",
    "hour",
    "block_range",
];

/// All samples, three stories across two instances, and a few malformed or unknown bodies,
/// shuffled by `seed`.
pub(super) fn history(seed: u64) -> Vec<Vec<u8>> {
    let samples = all();
    let stories = (1..=3).flat_map(|serial| {
        samples.iter().map(move |sample| {
            sample.body(&Values {
                id_instance: 1_101_000_000 + i64::try_from(serial % 2).unwrap(),
                serial,
                timestamp: NOON + i64::try_from(serial).unwrap(),
            })
        })
    });
    let broken = ["bread", "{}", r#"{"typeWebhook":"note"}"#].map(|body| body.as_bytes().to_vec());
    shuffled(stories.chain(broken).collect(), seed)
}

pub(super) fn projection_path(path: &Path) -> PathBuf {
    path.with_extension("db.projection")
}

fn copy_projection(from: &Path, to: &Path) {
    for ending in ENDINGS {
        let name = |path: &Path| format!("{}{ending}", projection_path(path).display());
        let _ = fs::remove_file(name(to));
        if fs::exists(name(from)).unwrap() {
            fs::copy(name(from), name(to)).unwrap();
        }
    }
}

pub(super) fn delete_projection(path: &Path) {
    for ending in ENDINGS {
        let _ = fs::remove_file(format!("{}{ending}", projection_path(path).display()));
    }
}

pub(super) async fn append(store: &Store, bodies: &[Vec<u8>]) {
    for stored in append_all(&store.writer, bodies.iter().cloned()).await {
        stored.unwrap();
    }
}

pub(super) async fn caught_up(store: &Store) {
    store.projected.clone().reach(store.commits.newest()).await;
}

/// The whole projection as text. The store must be closed.
fn dump(path: &Path) -> String {
    let connection = connect(&projection_path(path));
    let tables: i64 = connection
        .query_row(
            "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
             AND name NOT LIKE 'sqlite_%'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(
        usize::try_from(tables).unwrap(),
        TABLES.len(),
        "TABLES does not list every table"
    );
    connection
        .execute_batch("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, word, instance)")
        .unwrap();
    let mut text = String::new();
    let queries = TABLES.map(|table| match table {
        // Leave out the epoch, which differs in each database.
        "progress" => "SELECT seq, digest, forgotten FROM progress".to_owned(),
        table => format!("SELECT * FROM {table}"),
    });
    let words = "SELECT term, doc FROM temp.words ORDER BY term, doc".to_owned();
    for sql in queries.into_iter().chain([words]) {
        writeln!(text, "{sql}").unwrap();
        let mut statement = connection.prepare(&sql).unwrap();
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

/// Asserts that two dumps are equal; otherwise panics with the first line that differs.
fn check_same(dump: &str, expected: &str, what: &str) {
    let mut lines = (1..).zip(dump.lines().zip(expected.lines()));
    if let Some((number, (line, other))) = lines.find(|(_, (line, other))| line != other) {
        panic!("{what}: line {number}:\n{line}\n{other}");
    }
    assert_eq!(dump.len(), expected.len(), "{what}");
}

/// Deletes the projection, lets the store rebuild it, and returns its dump.
async fn rebuild(path: &Path) -> String {
    delete_projection(path);
    let store = open(path).await;
    caught_up(&store).await;
    close(store).await;
    dump(path)
}

#[tokio::test]
async fn full_rebuild_equals_incremental_projection() {
    for seed in [1, 2, 3] {
        println!("seed {seed}");
        let (_folder, path) = place();
        let store = open(&path).await;
        // Append portions of various sizes, each projected before the next.
        let history = history(seed);
        let mut rest = history.as_slice();
        for size in (1..).map(|size| size * size % 23 + 1) {
            let (portion, rest_after) = rest.split_at(rest.len().min(size));
            append(&store, portion).await;
            caught_up(&store).await;
            rest = rest_after;
            if rest.is_empty() {
                break;
            }
        }
        close(store).await;
        let incremental = dump(&path);
        assert!(incremental.lines().count() > 2000, "{incremental}");
        check_same(&rebuild(&path).await, &incremental, &format!("seed {seed}"));
        // Reopening changes nothing.
        close(open(&path).await).await;
        check_same(&dump(&path), &incremental, "opened again");
    }
}

#[tokio::test]
async fn lagging_projection_catches_up() {
    let (_folder, path) = place();
    let (_other_folder, kept) = place();
    let history = history(4);
    let (early, late) = history.split_at(history.len() / 3);
    let store = open(&path).await;
    append(&store, early).await;
    caught_up(&store).await;
    close(store).await;
    copy_projection(&path, &kept);

    let store = open(&path).await;
    append(&store, late).await;
    close(store).await;
    let whole = dump(&path);

    copy_projection(&kept, &path);
    let store = open(&path).await;
    caught_up(&store).await;
    close(store).await;
    check_same(&dump(&path), &whole, "lagging");
    check_same(&rebuild(&path).await, &whole, "rebuild");
}

#[tokio::test]
async fn mismatched_projection_is_rebuilt() {
    let (_folder, path) = place();
    let store = open(&path).await;
    append(&store, &history(5)).await;
    close(store).await;
    let whole = dump(&path);

    let (_other_folder, other) = place();
    let store = open(&other).await;
    append(&store, &history(6)).await;
    close(store).await;

    let file = projection_path(&path);
    let spoil: [(&str, &dyn Fn()); 8] = [
        ("of another database", &|| copy_projection(&other, &path)),
        ("no database", &|| {
            fs::write(&file, "flour".repeat(5000)).unwrap();
        }),
        ("empty", &|| fs::write(&file, "").unwrap()),
        ("cut", &|| {
            let bytes = fs::read(&file).unwrap();
            fs::write(&file, &bytes[..5000]).unwrap();
        }),
        ("of another version", &|| {
            let version = "UPDATE counter SET n = n + 1; PRAGMA user_version = 7";
            connect(&file).execute_batch(version).unwrap();
        }),
        ("of nothing", &|| {
            connect(&file)
                .execute_batch("DELETE FROM progress")
                .unwrap();
        }),
        ("ahead", &|| {
            let ahead = "UPDATE progress SET seq = seq + 1000";
            connect(&file).execute_batch(ahead).unwrap();
        }),
        ("gone", &|| fs::remove_file(&file).unwrap()),
    ];
    for (what, spoil) in spoil {
        for ending in &ENDINGS[1..] {
            let _ = fs::remove_file(format!("{}{ending}", file.display()));
        }
        spoil();
        let store = open(&path).await;
        caught_up(&store).await;
        close(store).await;
        check_same(&dump(&path), &whole, what);
    }
}

#[tokio::test]
async fn events_appended_after_a_broken_projection_are_projected() {
    let (_folder, path) = place();
    let store = open(&path).await;
    append(
        &store,
        &[said::text("A1", NOON, "rye").to_string().into_bytes()],
    )
    .await;
    close(store).await;
    delete_projection(&path);
    fs::write(projection_path(&path), "flour".repeat(5000)).unwrap();
    let store = open(&path).await;
    append(
        &store,
        &[said::text("A2", NOON, "rye").to_string().into_bytes()],
    )
    .await;
    append(&store, &[body("note", 1).into_bytes()]).await;
    caught_up(&store).await;
    let query = MessageQuery {
        filter: MessageFilter {
            words: Some(Words::parse("rye").unwrap()),
            ..MessageFilter::default()
        },
        order: Order::Ascending,
        position: Position::Start,
        limit: 50,
    };
    let page = store.reader.messages(&query).await.unwrap();
    let ids: Vec<_> = page
        .entries
        .iter()
        .map(|one| one.id_message.as_deref())
        .collect();
    assert_eq!(ids, [Some("A1"), Some("A2")]);
    assert_eq!(store.projected.seq(), 3);
    close(store).await;
}

#[tokio::test]
async fn distinct_list_ends_at_what_is_projected() {
    let (_folder, path) = place();
    let store = open(&path).await;
    let mut projected = store.projected.clone();
    append_all(&store.writer, [body("note", 1)]).await;
    projected.reach(1).await;
    let other = connect(&path.with_extension("db.projection"));
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    append_all(&store.writer, [body("note", 2)]).await;
    let query = EventQuery {
        filter: EventFilter {
            distinct: true,
            ..EventFilter::default()
        },
        order: Order::Ascending,
        position: Position::Start,
        limit: 10,
        max_bytes: 0,
        with_body: false,
    };
    let listed = async || {
        let page = store.reader.events(&query).await.unwrap();
        page.entries
            .iter()
            .map(|event| event.seq)
            .collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [1]);
    other.execute_batch("ROLLBACK").unwrap();
    projected.reach(2).await;
    assert_eq!(listed().await, [1, 2]);
    close(store).await;
}
