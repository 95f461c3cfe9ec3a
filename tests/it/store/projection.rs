//! What is derived from the events: the same however it comes about, and made anew where it does
//! not fit.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use green_inbox::sample::{Values, all};
use green_inbox::store::{MessageFilter, MessageQuery, Order, Position, Store, Words};
use rusqlite::types::ValueRef;

use super::{body, close, connect, open, place};
use crate::support::said::{self, NOON};
use crate::support::{append_all, shuffled};

/// Every kind of file that one database of what is derived has.
const ENDINGS: [&str; 3] = ["", "-wal", "-shm"];

/// Tables and what they are ordered by; those of the words are asked in another way.
const TABLES: [&str; 15] = [
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
    "block_range",
];

/// All samples, several stories of several accounts, in some order.
fn history(seed: u64) -> Vec<Vec<u8>> {
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

fn derived(path: &Path) -> PathBuf {
    path.with_extension("db.projection")
}

fn copy(from: &Path, to: &Path) {
    for ending in ENDINGS {
        let name = |path: &Path| format!("{}{ending}", derived(path).display());
        let _ = fs::remove_file(name(to));
        if fs::exists(name(from)).unwrap() {
            fs::copy(name(from), name(to)).unwrap();
        }
    }
}

fn delete(path: &Path) {
    for ending in ENDINGS {
        let _ = fs::remove_file(format!("{}{ending}", derived(path).display()));
    }
}

async fn append(store: &Store, bodies: &[Vec<u8>]) {
    for stored in append_all(&store.writer, bodies.iter().cloned()).await {
        stored.unwrap();
    }
}

async fn caught_up(store: &Store) {
    store.projected.clone().reach(store.commits.newest()).await;
}

/// Everything that is derived, as text; the store has to be closed.
fn dump(path: &Path) -> String {
    let connection = connect(&derived(path));
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
        "a table that is not compared"
    );
    connection
        .execute_batch("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, word, instance)")
        .unwrap();
    let mut text = String::new();
    let queries = TABLES.map(|table| match table {
        // The epoch is another one for each database.
        "progress" => "SELECT seq, digest FROM progress".to_owned(),
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

/// The first line in which two dumps differ.
fn check_same(dump: &str, expected: &str, what: &str) {
    let mut lines = (1..).zip(dump.lines().zip(expected.lines()));
    if let Some((number, (line, other))) = lines.find(|(_, (line, other))| line != other) {
        panic!("{what}: line {number}:\n{line}\n{other}");
    }
    assert_eq!(dump.len(), expected.len(), "{what}");
}

/// What is found where everything is derived in one go.
async fn anew(path: &Path) -> String {
    delete(path);
    let store = open(path).await;
    caught_up(&store).await;
    close(store).await;
    dump(path)
}

#[tokio::test]
async fn derived_in_one_go_is_what_was_derived_on_the_way() {
    for seed in [1, 2, 3] {
        println!("seed {seed}");
        let (_folder, path) = place();
        let store = open(&path).await;
        // In portions of every size, each derived before the next comes.
        let history = history(seed);
        let mut rest = history.as_slice();
        for size in (1..).map(|size| size * size % 23 + 1) {
            let (portion, behind) = rest.split_at(rest.len().min(size));
            append(&store, portion).await;
            caught_up(&store).await;
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        close(store).await;
        let on_the_way = dump(&path);
        assert!(on_the_way.lines().count() > 2000, "{on_the_way}");
        check_same(&anew(&path).await, &on_the_way, &format!("seed {seed}"));
        // Opening once more changes nothing.
        close(open(&path).await).await;
        check_same(&dump(&path), &on_the_way, "opened again");
    }
}

#[tokio::test]
async fn what_is_behind_catches_up() {
    let (_folder, path) = place();
    let (_other_folder, kept) = place();
    let history = history(4);
    let (early, late) = history.split_at(history.len() / 3);
    let store = open(&path).await;
    append(&store, early).await;
    caught_up(&store).await;
    close(store).await;
    copy(&path, &kept);

    let store = open(&path).await;
    append(&store, late).await;
    close(store).await;
    let whole = dump(&path);

    copy(&kept, &path);
    let store = open(&path).await;
    caught_up(&store).await;
    close(store).await;
    check_same(&dump(&path), &whole, "behind");
    check_same(&anew(&path).await, &whole, "anew");
}

#[tokio::test]
async fn what_does_not_fit_is_made_anew() {
    let (_folder, path) = place();
    let store = open(&path).await;
    append(&store, &history(5)).await;
    close(store).await;
    let whole = dump(&path);

    let (_other_folder, other) = place();
    let store = open(&other).await;
    append(&store, &history(6)).await;
    close(store).await;

    let file = derived(&path);
    let spoil: [(&str, &dyn Fn()); 8] = [
        ("of another database", &|| copy(&other, &path)),
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
async fn what_is_appended_behind_a_file_that_was_made_anew_is_there() {
    let (_folder, path) = place();
    let store = open(&path).await;
    append(
        &store,
        &[said::text("A1", NOON, "rye").to_string().into_bytes()],
    )
    .await;
    close(store).await;
    delete(&path);
    fs::write(derived(&path), "flour".repeat(5000)).unwrap();
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
