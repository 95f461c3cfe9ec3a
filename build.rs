//! Builds the crate again when only a migration was changed: they are read by a macro.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
