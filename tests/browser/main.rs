//! The page in a real browser: Chromium, driven over WebDriver. Every test needs the programs `chromium` and
//! `chromedriver`, so all of them are ignored unless asked for.

#![allow(
    unreachable_pub,
    dead_code,
    reason = "a test is a program, and this one uses only a part of the shared support"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "clippy allows them in test functions but not in their helpers"
)]

mod accessible;
mod browser;
mod chat;
mod flat;
mod forward;
mod hostile;
mod live;
mod sign_in;
#[path = "../it/support/mod.rs"]
mod support;
mod texts;

pub use browser::Browser;
