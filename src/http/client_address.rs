//! Finds the address of the client that sent a request through trusted proxies.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use hyper::HeaderMap;

use crate::config::Network;

/// The remote end of a request's connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The address of the client, and where it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAddress {
    /// The connection's remote end.
    Peer(IpAddr),
    /// `X-Forwarded-For`, set by a trusted proxy.
    Forwarded(IpAddr),
}

impl ClientAddress {
    /// The address in canonical form: an IPv4-mapped IPv6 address as IPv4.
    #[must_use]
    pub fn address(self) -> IpAddr {
        match self {
            Self::Peer(address) | Self::Forwarded(address) => address,
        }
    }
}

/// A trusted proxy sent an `X-Forwarded-For` entry that is not an IP address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("X-Forwarded-For has an entry that is not an IP address")]
pub struct BadForwardedFor;

/// Finds the address of the client. It is the address of the peer or, if the peer is a trusted proxy, the
/// rightmost `X-Forwarded-For` entry that is not itself a trusted proxy.
///
/// Each proxy appends the address of its own peer, so a client can forge every entry to the left of that one.
/// If all entries are trusted, the leftmost one is the client.
///
/// # Errors
///
/// One of the entries up to the client's, from the right, is not an IP address.
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
        // Split as bytes: entries to the left of the client's are ignored and may be invalid UTF-8.
        for entry in line.as_bytes().rsplit(|byte| *byte == b',') {
            let address = parse_entry(entry).ok_or(BadForwardedFor)?;
            client = ClientAddress::Forwarded(address);
            if !is_trusted(address) {
                return Ok(client);
            }
        }
    }
    Ok(client)
}

/// Parses an entry as an address in canonical form. Some proxies append a port and put IPv6 addresses in
/// brackets.
fn parse_entry(entry: &[u8]) -> Option<IpAddr> {
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

/// The key under which limits count an address. An IPv6 address counts as its /64 network, because a client
/// with one address of the network can use all of them. An IPv4 address counts as itself.
#[must_use]
pub fn holder(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}
