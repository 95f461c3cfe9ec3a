//! A network between a node and PostgreSQL that can be cut.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Passes bytes on.
    Whole,
    /// Closes every connection, also new ones.
    Closed,
    /// Keeps every connection open, and passes nothing on.
    Silent,
}

/// A running proxy. Dropping it closes its connections.
pub struct Proxy {
    address: SocketAddr,
    network: watch::Sender<Network>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// A proxy before the port of a PostgreSQL.
    pub async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (network, state) = watch::channel(Network::Whole);
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(connect(client, port, state.clone()));
            }
        });
        Self {
            address,
            network,
            task,
        }
    }

    /// The URL of the database through the proxy.
    pub fn url(&self) -> String {
        format!("postgres://inbox@{}/postgres", self.address)
    }

    pub fn set(&self, network: Network) {
        self.network.send_replace(network);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connect(client: TcpStream, port: u16, mut state: watch::Receiver<Network>) {
    // A silent network does not answer the first packet either.
    if state.wait_for(|now| *now != Network::Silent).await.is_err() {
        return;
    }
    if *state.borrow() == Network::Closed {
        return;
    }
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // The end of one direction ends both.
    tokio::select! {
        () = pass(from_client, to_server, state.clone()) => {}
        () = pass(from_server, to_client, state) => {}
    }
}

/// Passes bytes on until one side or the network closes.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<Network>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let now = *state.borrow_and_update();
        match now {
            Network::Closed => return,
            Network::Silent => {
                if state.changed().await.is_err() {
                    return;
                }
            }
            Network::Whole => {
                tokio::select! {
                    changed = state.changed() => {
                        if changed.is_err() {
                            return;
                        }
                    }
                    read = from.read(&mut buffer) => {
                        let Ok(bytes @ 1..) = read else { return };
                        if to.write_all(&buffer[..bytes]).await.is_err() {
                            return;
                        }
                    }
                }
            }
        }
    }
}
