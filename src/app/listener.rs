//! Accepts a bounded number of connections, then drains them on shutdown and aborts the rest.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::connection::{self, Ending};
use crate::clock::Clock;
use crate::http::{LineLimit, Peer};
use crate::ingest::Gates;

/// Concurrent connections over the limit. Beyond it the oldest of them is aborted, so that idle peers
/// cannot lock out a client that sends its request at once, such as a health check.
const MAX_OVER_LIMIT: usize = 64;

/// Time to receive request headers on a connection over the limit.
const HEADER_TIMEOUT_OVER_LIMIT: Duration = Duration::from_secs(2);

/// Unlisted peers hold at most 1/16 of the connections (at least one). Their requests are all refused, so
/// they must not lock out peers whose requests are accepted.
const UNLISTED_SHARE: u32 = 16;

/// Address under which log lines without a peer are rate-limited.
const NO_PEER: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Pause after a failed accept, for example when the process has no descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Limits of a listener.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Concurrent connections.
    pub(super) max_connections: u32,
    /// Time to receive request headers, including the idle time before them.
    pub(super) header_timeout: Duration,
}

/// A bound socket and the router that serves it.
#[derive(Debug)]
pub(super) struct Listener {
    name: &'static str,
    socket: TcpListener,
    address: SocketAddr,
    router: Router,
    limits: Limits,
    /// Tells which peers are listed. `None` means that every peer counts as listed.
    listed: Option<Arc<Gates>>,
    /// Routes that connections over the limit may use too.
    always: Router,
    /// Rate limit of log lines about refused connections.
    lines: LineLimit,
}

impl Listener {
    pub(super) fn new(
        name: &'static str,
        socket: TcpListener,
        router: Router,
        limits: Limits,
        clock: &Clock,
    ) -> io::Result<Self> {
        let address = socket.local_addr()?;
        Ok(Self {
            name,
            socket,
            address,
            router,
            limits,
            listed: None,
            always: Router::new(),
            lines: LineLimit::new(clock.clone()),
        })
    }

    /// Reserves most of the connections for the peers that these gates list.
    pub(super) fn reserve_for(mut self, listed: Arc<Gates>) -> Self {
        self.listed = Some(listed);
        self
    }

    /// Serves these routes on connections over the limit too.
    pub(super) fn always(mut self, always: Router) -> Self {
        self.always = always;
        self
    }

    fn is_unlisted(&self, peer: SocketAddr) -> bool {
        let listed = self.listed.as_ref();
        listed.is_some_and(|gates| !gates.lists(peer.ip()))
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts connections until `drain` is cancelled.
    pub(super) fn start(self, drain: &CancellationToken) -> Server {
        let connections = TaskTracker::new();
        let abort = CancellationToken::new();
        let ending = Ending {
            drain: drain.clone(),
            abort: abort.clone(),
        };
        let accept = tokio::spawn(self.accept(connections.clone(), ending));
        Server {
            accept,
            connections,
            abort,
        }
    }

    async fn accept(self, connections: TaskTracker, ending: Ending) {
        let slots = Arc::new(Semaphore::new(self.limits.max_connections as usize));
        let for_unlisted = (self.limits.max_connections / UNLISTED_SHARE).max(1);
        let for_unlisted = Arc::new(Semaphore::new(for_unlisted as usize));
        let over_the_limit = connection::over_the_limit(self.always.clone());
        let mut over_limit = VecDeque::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                () = ending.drain.cancelled() => return,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(failure) => {
                    // A peer that closed its connection before the accept is not an error.
                    if failure.kind() != io::ErrorKind::ConnectionAborted {
                        if let Some(left_out) = self.lines.admit(NO_PEER, "accept") {
                            warn!(
                                listener = self.name, %failure, left_out,
                                "cannot accept a connection: {failure}"
                            );
                        }
                        sleep(ACCEPT_PAUSE).await;
                    }
                    continue;
                }
            };
            let unlisted_slot = if self.is_unlisted(peer) {
                let Some(slot) = take(&for_unlisted) else {
                    // Unlisted peers do not use the connections over the limit either.
                    debug!(
                        listener = self.name,
                        "too many connections of unlisted peers: closed one"
                    );
                    continue;
                };
                Some(slot)
            } else {
                None
            };
            let slot = take(&slots);
            let mut ending = ending.clone();
            let (router, header_timeout) = if slot.is_some() {
                (&self.router, self.limits.header_timeout)
            } else {
                if let Some(left_out) = self.lines.admit(peer.ip(), "bound") {
                    warn!(
                        listener = self.name,
                        left_out,
                        "too many connections: one from {} is over the limit",
                        peer.ip()
                    );
                }
                ending.abort = ending.abort.child_token();
                displace(&mut over_limit, ending.abort.clone());
                (&over_the_limit, HEADER_TIMEOUT_OVER_LIMIT)
            };
            let served = connection::serve(
                stream,
                Peer(peer),
                router.clone(),
                header_timeout.min(self.limits.header_timeout),
                ending.clone(),
            );
            let is_over_limit = slot.is_none();
            connections.spawn(async move {
                served.await;
                drop((slot, unlisted_slot));
                if is_over_limit {
                    // Marks the connection as closed, so that `displace` forgets it.
                    ending.abort.cancel();
                }
            });
        }
    }
}

/// Adds a connection over the limit, and aborts the oldest one if there are too many.
fn displace(over: &mut VecDeque<CancellationToken>, newest: CancellationToken) {
    if over.len() == MAX_OVER_LIMIT {
        over.retain(|connection| !connection.is_cancelled());
    }
    if over.len() == MAX_OVER_LIMIT
        && let Some(oldest) = over.pop_front()
    {
        oldest.cancel();
    }
    over.push_back(newest);
}

fn take(slots: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(slots).try_acquire_owned().ok()
}

/// A listener that accepts connections.
#[derive(Debug)]
pub(super) struct Server {
    accept: JoinHandle<()>,
    connections: TaskTracker,
    abort: CancellationToken,
}

impl Server {
    /// Waits until the listener no longer accepts.
    pub(super) async fn ended(&mut self) {
        // A panic ends the accept loop too.
        let _ = (&mut self.accept).await;
    }

    /// Waits until the last connection is closed.
    pub(super) async fn drained(&self) {
        self.connections.close();
        self.connections.wait().await;
    }

    /// Closes the remaining connections without waiting for their requests.
    pub(super) async fn abort(&self) {
        self.abort.cancel();
        self.drained().await;
    }
}
