//! Any cursor of every list: it is refused, or it is one.
#![no_main]

mod private;

use libfuzzer_sys::fuzz_target;

const LISTS: [&str; 5] = ["events", "messages", "chats", "instances", "calls"];

fuzz_target!(|asked: (u8, Vec<u8>)| {
    let (list, cursor) = asked;
    let list = LISTS[usize::from(list) % LISTS.len()];
    let cursor: String = cursor.iter().map(|byte| format!("%{byte:02X}")).collect();
    let status = private::ask(&format!("/api/v1/{list}?cursor={cursor}"));
    // Nobody guesses the digest that binds it to its list.
    assert_eq!(status, 400, "{list} {cursor}");
});
