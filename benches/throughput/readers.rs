//! Readers of the event stream, as the page's live view opens it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::Failure;

/// Bytes of one read.
const BUFFER: usize = 64 * 1024;

/// Open streams. Dropping them closes them.
pub(crate) struct Readers {
    streams: Vec<TcpStream>,
    bytes: Arc<AtomicU64>,
}

impl Readers {
    /// Opens `number` streams of the private listener at `address`. Each has a thread that reads it.
    pub(crate) fn open(address: SocketAddr, number: u32) -> Result<Self, Failure> {
        let bytes = Arc::new(AtomicU64::new(0));
        let mut streams = Vec::new();
        for _ in 0..number {
            let mut stream = TcpStream::connect(address)?;
            let head = format!("GET /api/v1/stream?watch=true HTTP/1.1\r\nhost: {address}\r\n\r\n");
            stream.write_all(head.as_bytes())?;
            let mut reader = stream.try_clone()?;
            let bytes = Arc::clone(&bytes);
            thread::spawn(move || {
                let mut buffer = vec![0; BUFFER];
                while let Ok(read @ 1..) = reader.read(&mut buffer) {
                    bytes.fetch_add(read as u64, Ordering::Relaxed);
                }
            });
            streams.push(stream);
        }
        Ok(Self { streams, bytes })
    }

    /// Bytes that all of them have read.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        for stream in &self.streams {
            // The server may have closed it.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
