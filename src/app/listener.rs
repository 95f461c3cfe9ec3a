//! Accepts connections, a bounded number at a time, until it is told to stop.

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
use crate::config::Network;
use crate::http::{LineLimit, Peer};

/// Connections over the bound at one time. One more cuts off the oldest of them, so that whoever
/// holds them all idle keeps out nobody who sends a request at once, as a health check does.
const MAX_OVER_BOUND: usize = 64;

/// How long the head of a request may take on a connection over the bound.
const HEADER_TIMEOUT_OVER_BOUND: Duration = Duration::from_secs(2);

/// Strangers have one in as many of the places, and one at least: nothing that they send is admitted,
/// so that they must not keep out those whose requests are.
const STRANGERS_SHARE: u32 = 16;

/// Under this address lines are counted that no peer has caused.
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// How long to wait when the system has no descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The bounds of a listener.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Connections at one time.
    pub(super) max_connections: u32,
    /// What the head of a request may take, idle time before it included.
    pub(super) header_timeout: Duration,
}

/// A bound listener and what answers on it.
#[derive(Debug)]
pub(super) struct Listener {
    name: &'static str,
    socket: TcpListener,
    address: SocketAddr,
    router: Router,
    limits: Limits,
    /// Who is no stranger; `None` where nobody is one.
    known: Option<Vec<Network>>,
    /// What is answered on connections over the bound too.
    always: Router,
    /// Lines about connections that are not served as usual.
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
            known: None,
            always: Router::new(),
            lines: LineLimit::new(clock.clone()),
        })
    }

    /// Keeps most of the places for peers in these networks.
    pub(super) fn keep_for(mut self, known: Vec<Network>) -> Self {
        self.known = Some(known);
        self
    }

    /// Answers this on connections over the bound too.
    pub(super) fn always(mut self, always: Router) -> Self {
        self.always = always;
        self
    }

    fn is_stranger(&self, peer: SocketAddr) -> bool {
        let address = peer.ip().to_canonical();
        self.known
            .as_ref()
            .is_some_and(|known| !known.iter().any(|network| network.contains(address)))
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts until `stop` is cancelled.
    pub(super) fn start(self, stop: &CancellationToken) -> Server {
        let connections = TaskTracker::new();
        let cut = CancellationToken::new();
        let ending = Ending {
            stop: stop.clone(),
            cut: cut.clone(),
        };
        let accept = tokio::spawn(self.accept(connections.clone(), ending));
        Server {
            accept,
            connections,
            cut,
        }
    }

    async fn accept(self, connections: TaskTracker, ending: Ending) {
        let places = Arc::new(Semaphore::new(self.limits.max_connections as usize));
        let for_strangers = (self.limits.max_connections / STRANGERS_SHARE).max(1);
        let for_strangers = Arc::new(Semaphore::new(for_strangers as usize));
        let over_the_bound = connection::over_the_bound(self.always.clone());
        let mut oldest_over = VecDeque::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                () = ending.stop.cancelled() => return,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(failure) => {
                    // Of a connection that is gone already nothing needs to be said.
                    if failure.kind() != io::ErrorKind::ConnectionAborted {
                        if let Some(left_out) = self.lines.admit(NOBODY, "accept") {
                            warn!(
                                listener = self.name, %failure, left_out,
                                "cannot accept: {failure}"
                            );
                        }
                        sleep(ACCEPT_PAUSE).await;
                    }
                    continue;
                }
            };
            let share = if self.is_stranger(peer) {
                let Some(share) = take(&for_strangers) else {
                    // They do not take the connections over the bound either.
                    debug!(listener = self.name, "too many strangers: one was dropped");
                    continue;
                };
                Some(share)
            } else {
                None
            };
            let place = take(&places);
            let mut ending = ending.clone();
            let (router, header_timeout) = if place.is_some() {
                (&self.router, self.limits.header_timeout)
            } else {
                if let Some(left_out) = self.lines.admit(peer.ip(), "bound") {
                    warn!(
                        listener = self.name,
                        left_out,
                        "too many connections: one of {} is over the bound",
                        peer.ip()
                    );
                }
                ending.cut = ending.cut.child_token();
                displace(&mut oldest_over, ending.cut.clone());
                (&over_the_bound, HEADER_TIMEOUT_OVER_BOUND)
            };
            let served = connection::serve(
                stream,
                Peer(peer),
                router.clone(),
                header_timeout.min(self.limits.header_timeout),
                ending.clone(),
            );
            let is_over = place.is_none();
            connections.spawn(async move {
                served.await;
                drop((place, share));
                if is_over {
                    // It need not be displaced any more.
                    ending.cut.cancel();
                }
            });
        }
    }
}

/// Adds a connection over the bound, and cuts off the oldest where there are too many.
fn displace(over: &mut VecDeque<CancellationToken>, newest: CancellationToken) {
    if over.len() == MAX_OVER_BOUND {
        over.retain(|connection| !connection.is_cancelled());
    }
    if over.len() == MAX_OVER_BOUND
        && let Some(oldest) = over.pop_front()
    {
        oldest.cancel();
    }
    over.push_back(newest);
}

fn take(places: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(places).try_acquire_owned().ok()
}

/// A listener that accepts.
#[derive(Debug)]
pub(super) struct Server {
    accept: JoinHandle<()>,
    connections: TaskTracker,
    cut: CancellationToken,
}

impl Server {
    /// Waits until it no longer accepts.
    pub(super) async fn ended(&mut self) {
        // A panic ends it too.
        let _ = (&mut self.accept).await;
    }

    /// Waits until the last connection is closed.
    pub(super) async fn drained(&self) {
        self.connections.close();
        self.connections.wait().await;
    }

    /// Closes the connections that are left.
    pub(super) async fn cut(&self) {
        self.cut.cancel();
        self.drained().await;
    }
}
