//! Positions of readers inside the program.

use green_inbox::store::{Offsets, Unavailable, WriterEnd};

use super::{close, connect, open, place};

#[tokio::test]
async fn saved_offset_is_loaded_after_a_restart() {
    let (_folder, path) = place();
    let store = open(&path).await;
    let offsets = Offsets::new(store.reader.clone(), store.writer.clone());
    assert_eq!(offsets.load("alerts").await.unwrap(), None);
    for seq in [3, 7] {
        offsets.save("alerts", seq).await.unwrap();
    }
    offsets.save("crm", 2).await.unwrap();
    drop(offsets);
    close(store).await;
    let store = open(&path).await;
    let offsets = Offsets::new(store.reader.clone(), store.writer.clone());
    assert_eq!(offsets.load("alerts").await.unwrap(), Some(7));
    assert_eq!(offsets.load("crm").await.unwrap(), Some(2));
    drop(offsets);
    close(store).await;
}

#[tokio::test]
async fn offset_of_another_epoch_is_void() {
    let (_folder, path) = place();
    let store = open(&path).await;
    let offsets = Offsets::new(store.reader.clone(), store.writer.clone());
    offsets.save("alerts", 7).await.unwrap();
    connect(&path)
        .execute_batch("UPDATE reader_offset SET epoch = 'before a restore'")
        .unwrap();
    assert_eq!(offsets.load("alerts").await.unwrap(), None);
    drop(offsets);
    close(store).await;
}

#[tokio::test]
async fn offset_is_refused_after_the_writer_has_stopped() {
    let (_folder, path) = place();
    let mut store = open(&path).await;
    let offsets = Offsets::new(store.reader.clone(), store.writer.clone());
    std::fs::remove_file(&path).unwrap();
    drop(store.writer);
    assert!(matches!(store.thread.ended().await, WriterEnd::Failed(_)));
    loop {
        match offsets.save("alerts", 7).await {
            Err(Unavailable::Stopped) => break,
            other => assert!(other.is_ok(), "{other:?}"),
        }
    }
}
