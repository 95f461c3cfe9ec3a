//! green-inbox
fn main() {}
