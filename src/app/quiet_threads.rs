//! Threads that give way to receiving: of the forward destinations, and of the downloads of files.

use std::io;
use std::num::NonZero;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::config::Config;
use crate::store::give_way;

/// Threads, at most. Each delivers thousands of events a second.
const MOST: usize = 4;

/// The threads. There are none if the configuration has no work for them.
#[derive(Debug)]
pub(super) struct QuietThreads(Option<Runtime>);

impl QuietThreads {
    /// Starts the threads if there is a forward destination, or an account that keeps files.
    ///
    /// # Errors
    ///
    /// The system allows no more threads.
    pub(super) fn start(config: &Config) -> io::Result<Self> {
        if config.forward.is_empty() && !config.accounts.iter().any(|account| account.media) {
            return Ok(Self(None));
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(available_parallelism().map_or(1, NonZero::get).min(MOST))
            .thread_name("quiet")
            .on_thread_start(give_way)
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Where tasks are spawned: on these threads, or on those of the caller if there are none.
    pub(super) fn handle(&self) -> Handle {
        match &self.0 {
            Some(runtime) => runtime.handle().clone(),
            None => Handle::current(),
        }
    }
}

impl Drop for QuietThreads {
    fn drop(&mut self) {
        // The caller may be a task of another runtime, which must not wait.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
