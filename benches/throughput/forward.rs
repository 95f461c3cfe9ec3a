//! green-inbox with three forward destinations: what passing events on costs receiving.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use super::Failure;
use super::bare;
use super::contestant::{Contestant, GREEN_INBOX, green_inbox};
use super::goals::Standard;
use super::niced::Niced;

/// With destinations that take every event at once.
pub(crate) const UP: &str = "forward-up";

/// With destinations that refuse every connection.
pub(crate) const DOWN: &str = "forward-down";

/// Destinations of each server.
const DESTINATIONS: usize = 3;

/// The process that plays the destinations.
pub(crate) struct Destinations(Niced);

impl Destinations {
    /// Starts the process. `myself` is this executable.
    pub(crate) fn start(myself: &Path) -> Result<Self, Failure> {
        Niced::start(myself, bare::ROLE, &["-"]).map(Self)
    }

    /// The servers to compare.
    pub(crate) fn contestants(&self, program: &Path) -> Result<[Contestant; 2], Failure> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let closed = free.local_addr()?.port();
        drop(free);
        let with = |name, about, port| {
            let start = green_inbox(program);
            Contestant::new(name, about, "/webhook", move |place| {
                let mut command = start(place);
                let file = place.folder.join("forward.toml");
                // Without the file the server does not start, which is reported.
                let _ = write_settings(&file, port);
                command.arg("--config").arg(file);
                command
            })
        };
        Ok([
            with(
                UP,
                "green-inbox with three forward destinations that take every event",
                self.0.port,
            ),
            with(
                DOWN,
                "green-inbox with three forward destinations that are down",
                closed,
            ),
        ])
    }
}

/// What forwarding may cost. `rate` returns the requests a second of a server with a number of connections.
pub(crate) fn goals(rate: &impl Fn(&'static str, u32) -> Option<f64>) -> [Standard; 2] {
    let beside = |name| Some(rate(name, 64)? / rate(GREEN_INBOX, 64)?);
    [
        Standard::ratio(
            "requests/s with three forward destinations, relative to none, 64 connections",
            beside(UP),
            0.85,
            0.95,
        ),
        Standard::ratio("the same, with all three down", beside(DOWN), 0.97, 1.0),
    ]
}

fn write_settings(file: &Path, port: u16) -> io::Result<()> {
    let one = |number| {
        format!(
            "[[forward]]\nname = \"destination-{number}\"\nurl = \"http://127.0.0.1:{port}/webhook\"\n\
             concurrency = 64\n"
        )
    };
    fs::write(file, (1..=DESTINATIONS).map(one).collect::<String>())
}
