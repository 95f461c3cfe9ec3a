//! Any query string of every list: the response is 200, 400 or 409 (a seq or an epoch from another
//! database), never another error.
#![no_main]

mod private;

use libfuzzer_sys::fuzz_target;

const LISTS: [&str; 6] = ["events", "messages", "chats", "instances", "calls", "stats"];

fuzz_target!(|input: (u8, String)| {
    let (list, query) = input;
    let list = LISTS[usize::from(list) % LISTS.len()];
    // A long poll would only slow the fuzzer down.
    if query.contains("wait") {
        return;
    }
    private::ask(&format!("/api/v1/{list}?{query}"));
});
