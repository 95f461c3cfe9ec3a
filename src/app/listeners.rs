//! The two sockets that the program listens on.

use std::io;
use std::os::fd::AsFd;

use listenfd::ListenFd;
use tokio::net::TcpListener;
use tracing::info;

use super::StartError;
use crate::config::Config;

/// Sockets that a socket unit of systemd passes: the public listener, then the private one.
const SOCKETS: usize = 2;

/// The two bound listeners.
#[derive(Debug)]
pub struct Listeners {
    /// Receives the webhook.
    pub public: TcpListener,
    /// Serves stored events.
    pub private: TcpListener,
}

impl Listeners {
    /// Takes the sockets that systemd has opened, or binds the two configured addresses.
    ///
    /// # Errors
    ///
    /// systemd passed another number of sockets, an address is in use, or it does not belong to this machine.
    pub async fn open(config: &Config) -> Result<Self, StartError> {
        let mut sockets = ListenFd::from_env();
        match sockets.len() {
            0 => Self::bind(config).await,
            SOCKETS => {
                let mut take = |index| {
                    let socket = sockets.take_tcp_listener(index)?;
                    let socket = socket.ok_or(io::ErrorKind::NotFound)?;
                    socket.set_nonblocking(true)?;
                    TcpListener::from_std(socket)
                };
                let (public, private) = (take(0)?, take(1)?);
                info!(
                    "listening on the sockets of systemd; ingest.listen and private.listen are not used"
                );
                Ok(Self { public, private })
            }
            count => Err(StartError::Sockets(count)),
        }
    }

    /// The same sockets once more, so that they stay open while the program is built again.
    ///
    /// # Errors
    ///
    /// The process has too many open files.
    pub fn try_clone(&self) -> io::Result<Self> {
        let clone = |listener: &TcpListener| {
            let socket = listener.as_fd().try_clone_to_owned()?;
            TcpListener::from_std(socket.into())
        };
        Ok(Self {
            public: clone(&self.public)?,
            private: clone(&self.private)?,
        })
    }

    /// Binds the two configured addresses.
    ///
    /// # Errors
    ///
    /// An address is in use or does not belong to this machine.
    pub async fn bind(config: &Config) -> Result<Self, StartError> {
        let bind = async |key, address| {
            TcpListener::bind(address)
                .await
                .map_err(|error| StartError::Bind {
                    key,
                    address,
                    error,
                })
        };
        Ok(Self {
            public: bind("ingest.listen", config.ingest.listen).await?,
            private: bind("private.listen", config.private.listen).await?,
        })
    }
}
