//! Any query of every list: it is answered 200, 400 or 409 (a seq or an epoch that is not of the database), and never
//! fails.
#![no_main]

mod private;

use libfuzzer_sys::fuzz_target;

const LISTS: [&str; 6] = ["events", "messages", "chats", "instances", "calls", "stats"];

fuzz_target!(|asked: (u8, String)| {
    let (list, query) = asked;
    let list = LISTS[usize::from(list) % LISTS.len()];
    // A feed that waits would only wait.
    if query.contains("wait") {
        return;
    }
    private::ask(&format!("/api/v1/{list}?{query}"));
});
