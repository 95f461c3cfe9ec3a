//! A reader that meets damaged bytes begins a trouble.

use green_inbox::clock::{Clock, UnixMillis};
use green_inbox::store::ReadError;
use green_inbox::trouble::{Trouble, Troubles};

use super::{body, close, connect, open, place};
use crate::support::append_all;

#[tokio::test]
async fn damaged_body_is_a_trouble_that_names_its_seq() {
    let (_folder, path) = place();
    let store = open(&path).await;
    append_all(&store.writer, (1..=3).map(|number| body("note", number))).await;
    let (troubles, clock) = (Troubles::default(), Clock::new(|| UnixMillis(7)));
    let reader = store.reader.clone().with_troubles(&troubles, &clock);
    assert!(reader.body(2).await.unwrap().is_some());
    assert!(troubles.current().is_empty());
    connect(&path)
        .execute("UPDATE event SET body = x'00' WHERE seq IN (2, 3)", [])
        .unwrap();
    assert!(matches!(reader.body(2).await, Err(ReadError::DamagedBody)));
    let observed = troubles.current()[&Trouble::DamagedBody].clone();
    assert_eq!((observed.since, observed.count), (UnixMillis(7), 1));
    assert!(observed.detail.contains("event 2 "), "{}", observed.detail);
    assert!(reader.event(3).await.unwrap().unwrap().entry.damaged);
    assert_eq!(troubles.current()[&Trouble::DamagedBody].count, 2);
    drop(reader);
    close(store).await;
}
