//! Which addresses files may be downloaded from. A link comes from outside, so it must not reach this machine or
//! its network.
//!
//! The check is made where a name is resolved: the connection goes to an address that was checked, whatever the
//! name resolves to a moment later. A host that is written as an address is never resolved, so each URL is checked
//! too.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

use crate::config::Network;

/// Why a URL is not requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// It is neither https nor a plain http URL of an allowed address.
    #[error("the link is not an https URL")]
    Scheme,
    /// Its host is a private address, or resolves to nothing else.
    #[error("the link leads to a private address")]
    Address,
}

/// Decides which addresses are requested. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    /// Private networks that the configuration allows.
    allowed: Arc<[Network]>,
    /// Whether public addresses are requested too. Plain http reaches only the allowed networks.
    is_secure: bool,
}

impl Guard {
    /// The guard of https URLs.
    pub(super) fn secure(allowed: &[Network]) -> Self {
        Self {
            allowed: allowed.into(),
            is_secure: true,
        }
    }

    /// The guard of plain http URLs.
    pub(super) fn plain(allowed: &[Network]) -> Self {
        Self {
            is_secure: false,
            ..Self::secure(allowed)
        }
    }

    pub(super) fn is_secure(&self) -> bool {
        self.is_secure
    }

    fn admits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let is_allowed = self.allowed.iter().any(|net| net.contains(address));
        is_allowed || (self.is_secure && is_public(address))
    }

    /// Checks a URL whose host may be an address. A name is checked when it is resolved.
    pub(super) fn check(&self, url: &Url) -> Result<(), Refused> {
        let host = url.host_str().ok_or(Refused::Scheme)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        match host.parse::<IpAddr>() {
            Ok(address) if !self.admits(address) => Err(self.refused(address)),
            _ => Ok(()),
        }
    }

    fn refused(&self, address: IpAddr) -> Refused {
        if !self.is_secure && is_public(address.to_canonical()) {
            Refused::Scheme
        } else {
            Refused::Address
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let mut addresses: Vec<SocketAddr> = lookup_host((name.as_str(), 0)).await?.collect();
            let first = addresses.first().copied();
            addresses.retain(|address| guard.admits(address.ip()));
            match first {
                Some(first) if addresses.is_empty() => Err(guard.refused(first.ip()).into()),
                _ => Ok(Box::new(addresses.into_iter()) as Addrs),
            }
        })
    }
}

/// Whether an address in canonical form belongs to the public Internet (IANA's special-purpose registries).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = matches!(
        (a, b, c),
        // This network, private, loopback, multicast and reserved.
        (0 | 10 | 127 | 224..=255, _, _)
            // Shared by carriers, link-local, private.
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            // Protocol assignments, documentation, 6to4 relays.
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (198, 51, 100)
            | (203, 0, 113)
            // Benchmarks.
            | (198, 18..=19, _)
    );
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // NAT64 leads to the IPv4 address in the last 32 bits.
    if let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = segments {
        let bits = (u32::from(high) << 16) | u32::from(low);
        return is_public_v4(Ipv4Addr::from_bits(bits));
    }
    let is_special = match segments[0] {
        // Protocol assignments, Teredo among them; documentation.
        0x2001 => segments[1] < 0x200 || segments[1] == 0xdb8,
        // 6to4, which leads to an IPv4 address.
        0x2002 => true,
        // Documentation.
        0x3fff => segments[1] < 0x1000,
        // Only 2000::/3 is assigned to the public Internet.
        first => !(0x2000..0x4000).contains(&first),
    };
    !is_special
}

#[cfg(test)]
mod tests {
    use super::{Guard, Refused};
    use crate::config::Network;

    fn check(guard: &Guard, url: &str) -> Result<(), Refused> {
        guard.check(&url.parse().unwrap())
    }

    #[test]
    fn private_addresses_are_refused_in_every_notation() {
        let guard = Guard::secure(&[]);
        for host in [
            "127.0.0.1",
            "0x7f.1",
            "2130706433",
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::a00:1]",
            "[fc00::1]",
            "[fe80::1]",
            "[ff02::1]",
            "[2001::1]",
            "[2001:db8::1]",
            "[2002:7f00:1::]",
            "[3fff::1]",
            "[5f00::1]",
        ] {
            let refused = check(&guard, &format!("https://{host}/file"));
            assert_eq!(refused, Err(Refused::Address), "{host}");
        }
    }

    #[test]
    fn public_addresses_and_names_are_admitted() {
        let guard = Guard::secure(&[]);
        for host in [
            "8.8.8.8",
            "100.63.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "[2a00:1450::1]",
            "[64:ff9b::808:808]",
            "files.example.com",
        ] {
            assert_eq!(check(&guard, &format!("https://{host}/file")), Ok(()));
        }
    }

    #[test]
    fn plain_http_reaches_only_allowed_networks() {
        let allowed: [Network; 1] = ["127.0.0.0/8".parse().unwrap()];
        let guard = Guard::plain(&allowed);
        assert_eq!(check(&guard, "http://127.0.0.1/"), Ok(()));
        assert_eq!(check(&guard, "http://8.8.8.8/"), Err(Refused::Scheme));
        assert_eq!(check(&guard, "http://10.0.0.1/"), Err(Refused::Address));
        assert_eq!(
            check(&Guard::secure(&allowed), "https://127.0.0.1/"),
            Ok(())
        );
    }

    #[tokio::test]
    async fn name_that_resolves_to_a_private_address_only_is_refused() {
        use reqwest::dns::Resolve;
        let resolved = Guard::secure(&[])
            .resolve("localhost".parse().unwrap())
            .await;
        let refused = resolved.err().unwrap().downcast::<Refused>().unwrap();
        assert_eq!(*refused, Refused::Address);
        let allowed: [Network; 2] = ["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
        let resolved = Guard::plain(&allowed)
            .resolve("localhost".parse().unwrap())
            .await;
        assert!(resolved.unwrap().next().is_some());
    }
}
