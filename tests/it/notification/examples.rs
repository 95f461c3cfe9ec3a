//! One body for each example in GREEN-API's documentation, with its shape and its drift but with our
//! own texts.

use std::collections::BTreeMap;
use std::fs;

use super::{columns, kind, parse};

/// The examples by file name.
pub(super) fn all() -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/it/notification/examples"
    ))
    .unwrap()
    .map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read(&path).unwrap())
    })
    .collect()
}

#[test]
fn every_example_is_known() {
    let examples = all();
    assert_eq!(examples.len(), 54);
    for (name, body) in &examples {
        let parsed = parse(body);
        assert_eq!(kind(&parsed), "known", "{name}: {:?}", parsed.outcome);
    }
}

/// One snapshot holds all columns of all examples, so a removed or new example fails here too.
/// A snapshot without a test fails with `cargo insta test --unreferenced=reject`.
#[test]
fn the_columns_of_every_example_are_found() {
    let examples = all();
    let found: BTreeMap<_, _> = examples
        .iter()
        .map(|(name, body)| (name, columns(&parse(body))))
        .collect();
    insta::assert_json_snapshot!("columns", found);
}
