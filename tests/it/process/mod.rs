//! The real program as a process: what it stores, refuses, prints and logs.

mod alert_test;
mod backup;
mod before_migration;
mod commands;
mod config;
mod damage;
mod export;
mod follow;
mod identity;
mod kill;
mod load;
mod logs;
mod nginx;
mod refusals;
mod reload;
mod reprocess;
mod send_https;
mod start;
mod stop;
mod supervisor;
mod tail;
mod thinning;
mod verify;

/// Asserts that `said` contains the parts of `pattern`, which `…` separates, in this order.
pub fn assert_says(said: &str, pattern: &str) {
    let mut rest = said;
    for part in pattern.split('…') {
        let Some((_, after)) = rest.split_once(part) else {
            panic!("{part:?} of {pattern:?} is not in: {said}");
        };
        rest = after;
    }
}
