//! Who sent a request, where proxies stand in between.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use hyper::HeaderMap;

use crate::config::Network;

/// The other end of the connection that a request came on.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The address that a request was sent from, and how it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAddress {
    /// The peer itself.
    Peer(IpAddr),
    /// A trusted proxy said so.
    Forwarded(IpAddr),
}

impl ClientAddress {
    /// The address, in its canonical form.
    #[must_use]
    pub fn address(self) -> IpAddr {
        match self {
            Self::Peer(address) | Self::Forwarded(address) => address,
        }
    }
}

/// A trusted proxy handed on something that is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("X-Forwarded-For holds something that is not an address")]
pub struct BadForwardedFor;

/// Finds the address of the client: the peer's, or, if the peer is a trusted proxy, the rightmost
/// of all `X-Forwarded-For` lines that is not itself trusted.
///
/// Each proxy adds the address of its own peer at the right, so what stands further left may be
/// made up by the client. Where all are trusted, the leftmost is the client.
///
/// # Errors
///
/// An entry that has to be believed does not parse as an address.
pub fn client_address(
    peer: IpAddr,
    headers: &HeaderMap,
    trusted: &[Network],
) -> Result<ClientAddress, BadForwardedFor> {
    let is_trusted = |address| trusted.iter().any(|network| network.contains(address));
    let peer = peer.to_canonical();
    let mut client = ClientAddress::Peer(peer);
    if !is_trusted(peer) {
        return Ok(client);
    }
    for line in headers.get_all("x-forwarded-for").iter().rev() {
        // Bytes, since what stands further left is not looked at and need not be text.
        for entry in line.as_bytes().rsplit(|byte| *byte == b',') {
            let address = address(entry).ok_or(BadForwardedFor)?;
            client = ClientAddress::Forwarded(address);
            if !is_trusted(address) {
                return Ok(client);
            }
        }
    }
    Ok(client)
}

/// An entry as an address, in its canonical form. Some proxies add the port, and brackets with it.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(entry.trim_ascii()).ok()?;
    let with_port = || text.parse().ok().map(|socket: SocketAddr| socket.ip());
    let in_brackets = || {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse::<Ipv6Addr>().ok().map(IpAddr::from)
    };
    let address: Option<IpAddr> = text.parse().ok();
    let address = address.or_else(with_port).or_else(in_brackets)?;
    Some(address.to_canonical())
}

/// Whose address it is, to count by: whoever has one address of IPv6 has its whole /64.
#[must_use]
pub fn holder(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}
