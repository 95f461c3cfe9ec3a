//! Any bytes as a cursor of every list: the request is refused with 400.
#![no_main]

mod private;

use libfuzzer_sys::fuzz_target;

const LISTS: [&str; 5] = ["events", "messages", "chats", "instances", "calls"];

fuzz_target!(|input: (u8, Vec<u8>)| {
    let (list, cursor) = input;
    let list = LISTS[usize::from(list) % LISTS.len()];
    let cursor: String = cursor.iter().map(|byte| format!("%{byte:02X}")).collect();
    let status = private::ask(&format!("/api/v1/{list}?cursor={cursor}"));
    // The fuzzer cannot guess the digest that binds a cursor to its list.
    assert_eq!(status, 400, "{list} {cursor}");
});
