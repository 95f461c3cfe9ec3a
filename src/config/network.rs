//! An IP address or network.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An IP address or network. An IPv4-mapped IPv6 address counts as IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Whether the network contains `address`, which must be in canonical form.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self(IpNet::from(address.to_canonical()))
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("an entry is empty".to_owned());
        }
        let network = text
            .parse::<IpAddr>()
            .map(IpNet::from)
            .or_else(|_| text.parse::<IpNet>())
            .map_err(|_| {
                format!("`{text}` is neither an address nor a network such as 192.0.2.0/24")
            })?
            .trunc();
        Ok(Self(unmapped(network)))
    }
}

fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else {
        return network;
    };
    let v4 = v6
        .addr()
        .to_ipv4_mapped()
        .zip(v6.prefix_len().checked_sub(96));
    v4.and_then(|(address, length)| Ipv4Net::new(address, length).ok())
        .map_or(network, IpNet::V4)
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            self.0.addr().fmt(f)
        } else {
            self.0.fmt(f)
        }
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn addresses_and_networks_of_both_families() {
        for (text, shown, inside, outside) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("192.0.2.9/24", "192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            (
                "2001:db8::/32",
                "2001:db8::/32",
                "2001:db8::1",
                "2001:db9::1",
            ),
            (
                "::ffff:192.0.2.0/120",
                "192.0.2.0/24",
                "192.0.2.7",
                "192.0.3.0",
            ),
            (" ::1 ", "::1", "::1", "::2"),
        ] {
            let network: Network = text.parse().unwrap();
            assert_eq!(network.to_string(), shown);
            assert!(
                network.contains(inside.parse().unwrap()),
                "{text} contains {inside}"
            );
            assert!(
                !network.contains(outside.parse().unwrap()),
                "{text} does not contain {outside}"
            );
        }
        for text in [
            "",
            "example.org",
            "192.0.2.1/33",
            "192.0.2",
            "1.2.3.4:80",
            "*",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
