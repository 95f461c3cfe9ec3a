//! The rig: fault injection, load, and checks of what a fault left behind.

pub mod alone;
pub mod bodies;
pub mod chats;
pub mod database;
pub mod delivered;
pub mod destination;
pub mod load;
pub mod old_events;
pub mod random;
pub mod recording;
pub mod shim;
pub mod usage;

pub use alone::alone;
pub use bodies::Bodies;
pub use destination::Destination;
pub use load::Load;
pub use random::Random;
pub use shim::Shim;

/// A number that an environment variable may set, such as the length of a run.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var_os(name).map_or(default, |value| {
        let number = value.to_str().and_then(|text| text.parse().ok());
        number.unwrap_or_else(|| panic!("{name} must be a whole number"))
    })
}
