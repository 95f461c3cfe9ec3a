//! A way between a node and another server, so that a test sees what a node sends, and can cut it off.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Copies connections to the other server, and counts what the node has sent.
pub struct Proxy {
    pub address: SocketAddr,
    sent: Arc<AtomicU64>,
    is_cut: watch::Sender<bool>,
}

impl Proxy {
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sent, is_cut) = (Arc::new(AtomicU64::new(0)), watch::Sender::new(false));
        tokio::spawn({
            let (sent, is_cut) = (Arc::clone(&sent), is_cut.clone());
            async move {
                while let Ok((node, _)) = listener.accept().await {
                    let Ok(there) = TcpStream::connect(target).await else {
                        continue;
                    };
                    let (from_node, to_node) = node.into_split();
                    let (from_there, to_there) = there.into_split();
                    let (sent, unseen) = (Arc::clone(&sent), Arc::default());
                    tokio::spawn(pass(from_node, to_there, is_cut.subscribe(), sent));
                    tokio::spawn(pass(from_there, to_node, is_cut.subscribe(), unseen));
                }
            }
        });
        Self {
            address,
            sent,
            is_cut,
        }
    }

    /// Bytes that the node has sent.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// Lets nothing through, in either direction, or goes on. Connections stay open.
    pub fn cut(&self, is_cut: bool) {
        self.is_cut.send_replace(is_cut);
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut is_cut: watch::Receiver<bool>,
    count: Arc<AtomicU64>,
) {
    let mut bytes = [0; 8192];
    while let Ok(read) = from.read(&mut bytes).await {
        count.fetch_add(read as u64, Ordering::SeqCst);
        if is_cut.wait_for(|is_cut| !is_cut).await.is_err() {
            return;
        }
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
